//! Messages: instantiate, every execute variant, every query with its answer.

use concord_schema::msg::{Done, ExecuteMsg, InstantiateMsg};
use concord_schema::query::QueryMsg;
use concord_schema::report::Report;
use concord_schema::waiting::WaitingOn;
use cosmwasm_std::{Binary, HexBinary};
use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use crate::answer;
use crate::document::{self, Document};
use crate::error::ExportError;
use crate::sample::{self, AUDITOR, COMPONENT, HOT_KEY, MEMBER, OPERATOR, Samples};

/// Instantiate, execute and its answer, query and its answers.
///
/// # Errors
/// [`ExportError`] for a variant without a sample, or a sample that is none.
pub fn documents(samples: &Samples) -> Result<Vec<Document>, ExportError> {
    let instantiate =
        document::of::<InstantiateMsg>("instantiate", core::slice::from_ref(&samples.instantiate))?;
    let execute = document::of::<ExecuteMsg>("execute", &executes(samples))?;
    covered::<ExecuteMsg>("execute", &executes(samples))?;
    covered::<Report>("reports", &sample::reports(samples))?;
    covered::<WaitingOn>("reasons to wait", &sample::waits())?;
    let done = document::of::<Done>("done", &[json!({"changed": true, "what": "voted"})])?;
    let mut all = vec![instantiate, execute, done];
    all.extend(queries(samples)?);
    Ok(all)
}

fn covered<T: JsonSchema>(what: &str, samples: &[Value]) -> Result<(), ExportError> {
    let schema = serde_json::to_value(schemars::schema_for!(T))
        .map_err(|error| ExportError::Sample { what: what.to_owned(), error })?;
    document::cover(what, &schema, samples.iter())
}

fn executes(samples: &Samples) -> Vec<Value> {
    let (draft, document) = (&samples.draft, samples.document());
    let statement = samples.statement();
    // Of the right lengths; no key made them.
    let signature = Binary::from([7u8; 64]).to_base64();
    let wallet_key = HexBinary::from([2u8; 33]).to_hex();
    let members = json!({"change_members": {"set": [sample::member()], "remove": [OPERATOR]}});
    let actions = [
        json!({"cancel_rollout": {"rollout": 2}}),
        json!({"resume_rollout": {"rollout": 2}}),
        json!({"roll_back_rollout": {"rollout": 2}}),
        json!({"lift_brake": {"scope": {"component": COMPONENT}}}),
        members,
    ];
    let other = json!({"title": "Change of members", "rationale": document, "actions": actions});
    let mut all = vec![
        json!({"propose": {"draft": draft}}),
        json!({"propose": {"draft": other}}),
        json!({"revise": {"proposal": 3, "draft": draft}}),
        json!({"withdraw": {"proposal": 3}}),
        json!({"comment": {"proposal": 3, "document": document}}),
        json!({"attest": {"statement": statement, "signature": null}}),
        json!({"attest": {"statement": statement, "signature": {"auditor": AUDITOR, "signature": signature}}}),
        json!({"attest": {"statement": statement, "signature": {
            "auditor": AUDITOR, "signature": signature, "wallet_key": wallet_key
        }}}),
        json!({"open_vote": {"proposal": 3}}),
        json!({"vote": {
            "proposal": 3, "ballot": "yes", "expect_digest": samples.draft_digest, "rationale": document
        }}),
        json!({"execute": {"proposal": 3}}),
        json!({"settle_deposit": {"proposal": 3}}),
        json!({"claim": {}}),
        json!({"register": {
            "component": COMPONENT, "node_id": "feeder-a", "power": 40, "hot_key": HOT_KEY
        }}),
        json!({"draw": {"rollout": 2}}),
        json!({"lease": {"rollout": 2, "purpose": "activate"}}),
        json!({"return_lease": {"rollout": 2, "attempt": 1}}),
        json!({"expire_lease": {"rollout": 2, "node": 4}}),
        json!({"advance": {"rollout": 2}}),
        json!({"brake": {"scope": "all"}}),
        json!({"release": {"scope": {"component": COMPONENT}}}),
    ];
    all.extend(
        sample::reports(samples)
            .into_iter()
            .map(|report| json!({"report": {"rollout": 2, "report": report}})),
    );
    all
}

fn queries(samples: &Samples) -> Result<Vec<Document>, ExportError> {
    let mut query = document::of::<QueryMsg>("query", &asked(samples))?;
    covered::<QueryMsg>("query", &asked(samples))?;
    let mut answers: Vec<Document> = Vec::new();
    let mut named = Map::new();
    for sample in asked(samples) {
        let word = document::word(&sample).unwrap_or_default().to_owned();
        let typed: QueryMsg = serde_json::from_value(sample)
            .map_err(|error| ExportError::Sample { what: "query".to_owned(), error })?;
        let name = format!("answers/{word}");
        if answers.iter().all(|answer| answer.name != name) {
            answers.push(answer::document(&word, &typed, samples)?);
            named.insert(word, json!(format!("{name}.json")));
        }
    }
    if let Value::Object(body) = &mut query.body {
        body.insert("answers".to_owned(), Value::Object(named));
    }
    answers.insert(0, query);
    Ok(answers)
}

fn asked(samples: &Samples) -> Vec<Value> {
    let digest = &samples.release_digest;
    let vote = json!({"vote": {
        "proposal": 3, "ballot": "yes", "expect_digest": samples.draft_digest, "rationale": null
    }});
    vec![
        json!({"config": {}}),
        json!({"rules": {"version": null}}),
        json!({"guardians": {}}),
        json!({"auditors": {"after": null, "limit": null}}),
        json!({"treasury": {"after": null, "limit": null}}),
        json!({"comments": {"proposal": 3, "after": null, "limit": 10}}),
        json!({"component": {"name": COMPONENT}}),
        json!({"components": {"after": null, "limit": 30}}),
        json!({"release": {"digest": digest}}),
        json!({"proposal": {"proposal": 3}}),
        json!({"proposals": {"before": 3, "limit": null}}),
        json!({"member": {"addr": MEMBER}}),
        json!({"members": {"after": MEMBER, "limit": 10}}),
        json!({"ballot": {"proposal": 3, "voter": MEMBER}}),
        json!({"ballots": {"proposal": 3, "after": null, "limit": null}}),
        json!({"my_ballots": {"voter": MEMBER, "after": 2, "limit": null}}),
        json!({"attestations": {"proposal": 3, "after": null, "limit": null}}),
        json!({"operator": {"addr": OPERATOR, "component": COMPONENT}}),
        json!({"node": {"node": 4}}),
        json!({"node_of": {"hot_key": HOT_KEY}}),
        json!({"nodes": {"after": null, "limit": null}}),
        json!({"rollout": {"rollout": 2}}),
        json!({"seat": {"rollout": 2, "node": 4}}),
        json!({"seats": {"rollout": 2, "after": null, "limit": null}}),
        json!({"down": {"group": COMPONENT}}),
        json!({"brake": {"scope": "all"}}),
        json!({"brake": {"scope": {"component": COMPONENT}}}),
        json!({"log_head": {}}),
        json!({"explain": {"subject": {"proposal": 3}}}),
        json!({"explain": {"subject": {"rollout": 2}}}),
        json!({"explain": {"subject": {"seat": {"rollout": 2, "node": 4}}}}),
        json!({"can_i": {"addr": MEMBER, "msg": vote}}),
        json!({"claimable": {"addr": MEMBER}}),
        json!({"threshold": {"proposal_id": 3}}),
        json!({"vote": {"proposal_id": 3, "voter": MEMBER}}),
        json!({"list_votes": {"proposal_id": 3, "start_after": null, "limit": null}}),
    ]
}
