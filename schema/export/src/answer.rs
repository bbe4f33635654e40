//! Which type answers which query, with samples of the answers.

use concord_schema::log::Head;
use concord_schema::msg::Guardians;
use concord_schema::node::{Node, Operator};
use concord_schema::proposal::Member;
use concord_schema::query::{
    AttestationsAnswer, AuditorsAnswer, BallotAnswer, BallotsAnswer, BrakeAnswer, CanIAnswer, CommentsAnswer,
    ComponentAnswer, ComponentsAnswer, ConfigAnswer, ExplainAnswer, MembersAnswer, NodesAnswer,
    ProposalAnswer, ProposalsAnswer, QueryMsg, ReleaseAnswer, RolloutAnswer, RulesAnswer, SeatsAnswer,
    ThresholdAnswer, TreasuryAnswer, VoteAnswer, VoteListAnswer,
};
use concord_schema::rollout::Seat;
use concord_schema::units::Power;
use concord_schema::waiting::WaitingOn;
use cosmwasm_std::Coin;
use serde_json::{Value, json};

use crate::document::{self, Document, VERSION};
use crate::error::ExportError;
use crate::sample::{self, AUDITOR, COMPONENT, CONTRACT, HEIGHT, MEMBER, Samples, TIME};

/// The document of a query's answer. The match is the map of queries to answers: without a catch-all, so that the
/// compiler asks for the answer of a new query.
///
/// # Errors
/// [`ExportError`] for an answer without a sample, or a sample that is none.
pub fn document(word: &str, query: &QueryMsg, samples: &Samples) -> Result<Document, ExportError> {
    let name = &format!("answers/{word}");
    let given = &examples(word, samples)?;
    match query {
        QueryMsg::Config { .. } => document::of::<ConfigAnswer>(name, given),
        QueryMsg::Rules { .. } => document::of::<RulesAnswer>(name, given),
        QueryMsg::Guardians { .. } => document::of::<Guardians>(name, given),
        QueryMsg::Auditors { .. } => document::of::<AuditorsAnswer>(name, given),
        QueryMsg::Treasury { .. } => document::of::<TreasuryAnswer>(name, given),
        QueryMsg::Comments { .. } => document::of::<CommentsAnswer>(name, given),
        QueryMsg::Component { .. } => document::of::<ComponentAnswer>(name, given),
        QueryMsg::Components { .. } => document::of::<ComponentsAnswer>(name, given),
        QueryMsg::Release { .. } => document::of::<ReleaseAnswer>(name, given),
        QueryMsg::Proposal { .. } => document::of::<ProposalAnswer>(name, given),
        QueryMsg::Proposals { .. } => document::of::<ProposalsAnswer>(name, given),
        QueryMsg::Member { .. } => document::of::<Option<Member>>(name, given),
        QueryMsg::Members { .. } => document::of::<MembersAnswer>(name, given),
        QueryMsg::Ballot { .. } => document::of::<Option<BallotAnswer>>(name, given),
        QueryMsg::Ballots { .. } => document::of::<BallotsAnswer>(name, given),
        QueryMsg::MyBallots { .. } => document::of::<BallotsAnswer>(name, given),
        QueryMsg::Attestations { .. } => document::of::<AttestationsAnswer>(name, given),
        QueryMsg::Operator { .. } => document::of::<Option<Operator>>(name, given),
        QueryMsg::Node { .. } => document::of::<Node>(name, given),
        QueryMsg::NodeOf { .. } => document::of::<Option<Node>>(name, given),
        QueryMsg::Nodes { .. } => document::of::<NodesAnswer>(name, given),
        QueryMsg::Rollout { .. } => document::of::<RolloutAnswer>(name, given),
        QueryMsg::Seat { .. } => document::of::<Option<Seat>>(name, given),
        QueryMsg::Seats { .. } => document::of::<SeatsAnswer>(name, given),
        QueryMsg::Down { .. } => document::of::<Power>(name, given),
        QueryMsg::Brake { .. } => document::of::<BrakeAnswer>(name, given),
        QueryMsg::LogHead { .. } => document::of::<Head>(name, given),
        QueryMsg::Explain { .. } => document::of::<ExplainAnswer>(name, given),
        QueryMsg::CanI { .. } => document::of::<CanIAnswer>(name, given),
        QueryMsg::Claimable { .. } => document::of::<Vec<Coin>>(name, given),
        QueryMsg::Threshold { .. } => document::of::<ThresholdAnswer>(name, given),
        QueryMsg::Vote { .. } => document::of::<VoteAnswer>(name, given),
        QueryMsg::ListVotes { .. } => document::of::<VoteListAnswer>(name, given),
    }
}

/// Samples of the answer to a query.
fn examples(word: &str, samples: &Samples) -> Result<Vec<Value>, ExportError> {
    let none = Value::Null;
    Ok(match word {
        "config" => vec![config(samples)],
        "rules" => vec![json!({"version": 1, "digest": samples.rules_digest, "rules": samples.rules})],
        "guardians" => vec![sample::guardians()],
        "auditors" => vec![json!({
            "auditors": [{"addr": sample::AUDITOR, "auditor": sample::auditor(samples)}], "scanned_to": null
        })],
        "treasury" => vec![json!({"coins": sample::coins(), "scanned_to": null})],
        "comments" => {
            vec![json!({"comments": [{"addr": MEMBER, "count": 1}], "scanned_to": null})]
        }
        "component" => vec![component(samples)],
        "components" => vec![json!({"components": [component(samples)], "scanned_to": null})],
        "release" => vec![json!({"standing": "allowed", "release": samples.release})],
        "proposal" => vec![proposal(samples)],
        "proposals" => {
            let line = json!({"id": 3, "phase": "executed", "proposal": samples.proposal()});
            vec![json!({"proposals": [line], "scanned_to": 3})]
        }
        "member" => vec![sample::member(), none],
        "members" => vec![json!({"members": [sample::member()], "scanned_to": MEMBER})],
        "ballot" => vec![ballot(), none],
        "ballots" | "my_ballots" => vec![json!({"ballots": [ballot()], "scanned_to": null})],
        "attestations" => {
            let line = json!({"auditor": AUDITOR, "attestation": samples.attestation()});
            vec![json!({"attestations": [line], "scanned_to": null})]
        }
        "operator" => vec![sample::operator(), none],
        "node" => vec![sample::node()],
        "node_of" => vec![sample::node(), none],
        "nodes" => vec![json!({"nodes": [sample::node()], "scanned_to": null})],
        "rollout" => vec![rollout(samples)],
        "seat" => vec![sample::seat(), none],
        "seats" => vec![json!({"seats": [{"node": 4, "seat": sample::seat()}], "scanned_to": 4})],
        "down" => vec![json!(40)],
        "brake" => vec![json!({
            "holds": true, "brake": sample::brake(), "ends": [sample::TIME + 3_900, sample::HEIGHT + 3_900]
        })],
        "log_head" => vec![samples.head()],
        "explain" => sample::waits().into_iter().map(explanation).collect::<Result<_, _>>()?,
        "can_i" => vec![
            json!({"allowed": true, "why": null}),
            json!({"allowed": false, "why": "proposal 3 is executed; ballots are taken while voting"}),
        ],
        "claimable" => vec![sample::coins(), json!([])],
        "threshold" => vec![json!({"threshold_quorum": {
            "threshold": "0.5", "quorum": "0.334", "total_weight": "10"
        }})],
        "vote" => vec![json!({"vote": vote()}), json!({"vote": null})],
        "list_votes" => vec![json!({"votes": [vote()]})],
        other => {
            return Err(ExportError::Uncovered { what: "answers".to_owned(), variant: other.to_owned() });
        }
    })
}

fn config(samples: &Samples) -> Value {
    json!({
        "floors": samples.instantiate.get("floors"), "short_floors": true, "since_height": 1, "version": VERSION,
        "contract": CONTRACT, "chain_id": "concord-devnet"
    })
}

fn component(samples: &Samples) -> Value {
    json!({"name": COMPONENT, "component": samples.component()})
}

fn proposal(samples: &Samples) -> Value {
    json!({
        "id": 3, "phase": "executed", "waiting_on": "nothing", "proposal": samples.proposal(),
        "draft": samples.draft, "tally": sample::tally(), "approvals": sample::approvals()
    })
}

fn rollout(samples: &Samples) -> Value {
    json!({
        "id": 2, "phase": {"wave": 1},
        "waiting_on": {"gate": {"wave": 1, "healthy": 40, "assigned": 80, "left": sample::span(3_600)}},
        "rollout": samples.rollout(), "progress": samples.progress()
    })
}

fn ballot() -> Value {
    json!({"proposal": 3, "voter": MEMBER, "ballot": "yes", "weight": "7"})
}

fn vote() -> Value {
    json!({"proposal_id": 3, "voter": MEMBER, "vote": "yes", "weight": "7"})
}

/// An explanation in the words that the contract would take.
fn explanation(wait: Value) -> Result<Value, ExportError> {
    let on: WaitingOn = serde_json::from_value(wait.clone())
        .map_err(|error| ExportError::Sample { what: "reasons to wait".to_owned(), error })?;
    let sentence = match on {
        WaitingOn::Nothing => "Rollout 2 is ended(completed); nothing more is due.".to_owned(),
        _ => format!("Rollout 2 is wave(1), and waits on {on}."),
    };
    let phase = if on == WaitingOn::Nothing { "ended(completed)" } else { "wave(1)" };
    Ok(json!({
        "now": {"height": HEIGHT, "time": TIME}, "phase": phase, "waiting_on": wait, "sentence": sentence
    }))
}
