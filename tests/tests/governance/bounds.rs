//! Bad input: refused by name, and nothing is stored.

use super::*;
use concord_schema::msg::InstantiateMsg;
use concord_schema::plan::Plan;
use concord_schema::release::{Document, Release};
use concord_schema::units::{Blocks, POWER_MAX, Power};
use cosmwasm_std::testing::MockStorage;
use cosmwasm_std::{WasmMsg, to_json_binary};
use cw_multi_test::Executor;
use serde_json::{Value, json};

/// Sends JSON as it is, and sees that a refusal left nothing behind.
fn refused(env: &mut MockEnv, who: &str, message: &Value, text: &str) {
    let before = env.app.dump_wasm_raw(&env.contract);
    let execute = WasmMsg::Execute {
        contract_addr: env.contract.to_string(),
        msg: to_json_binary(message).unwrap(),
        funds: vec![],
    };
    assert_err(env.app.execute(addr(who), execute.into()).map_err(concord_tests::env::Refused::from), text);
    assert_eq!(env.app.dump_wasm_raw(&env.contract), before, "{message}");
}

#[test]
fn unknown_fields_wrong_types_and_missing_fields_are_refused() {
    let mut env = MockEnv::new();
    env.advance(5, 1);
    let digest = Digest::of(b"x").to_string();
    let vote = json!({"proposal": 1, "ballot": "yes", "expect_digest": digest, "rationale": null});
    let with = |key: &str, value: Value| {
        let mut vote = vote.clone();
        vote.as_object_mut().unwrap().insert(key.to_owned(), value);
        json!({ "vote": vote })
    };
    let draft = serde_json::to_value(v2()).unwrap();
    let mut nested = draft.clone();
    nested.pointer_mut("/actions/0/start_rollout/plan").unwrap()["surprise"] = json!(1);
    let mut deep = draft.clone();
    deep.pointer_mut("/actions/0/start_rollout/plan/waves/0/soak").unwrap()["hours"] = json!(1);
    let mut wide = draft.clone();
    *wide.pointer_mut("/actions/0/start_rollout/plan/ready_bps").unwrap() = json!(65_536);
    for (message, text) in [
        (with("weight", json!("1000")), "unknown field `weight`"),
        (with("proposal", json!("1")), "nvalid type"),
        (with("proposal", json!(-1)), "nvalid"),
        (with("proposal", json!(1.5)), "nvalid"),
        (with("ballot", json!("maybe")), "unknown variant `maybe`"),
        (with("ballot", json!("YES")), "unknown variant `YES`"),
        (with("expect_digest", json!("abc")), "a digest is 64 hexadecimal digits"),
        (with("expect_digest", json!(digest.to_uppercase())), "a digest is 64 hexadecimal digits"),
        (json!({"vote": {"proposal": 1, "ballot": "yes"}}), "missing field `expect_digest`"),
        (json!({"vote_twice": {}}), "unknown variant `vote_twice`"),
        (json!({"claim": {"to": addr("eve").to_string()}}), "unknown field `to`"),
        (json!({"claim": {}, "execute": {"proposal": 1}}), ""),
        (json!({"propose": {"draft": nested}}), "unknown field `surprise`"),
        (json!({"propose": {"draft": deep}}), "unknown field `hours`"),
        (json!({"propose": {"draft": wide}}), "nvalid"),
        (json!({"report": {"rollout": 1, "report": {"ready": {}}}}), "missing field `release`"),
        (json!({"brake": {"scope": {"node": "n0"}}}), "unknown variant `node`"),
        (json!("claim"), ""),
        (json!([]), ""),
        (json!({}), ""),
    ] {
        refused(&mut env, "ann", &message, text);
    }
}

#[test]
fn over_long_texts_are_refused_at_the_first_byte_too_many() {
    let long = |length: usize| "x".repeat(length);
    type Change = fn(&mut concord_schema::proposal::Draft, String);
    fn release_of(draft: &mut concord_schema::proposal::Draft) -> &mut Release {
        match draft.actions.first_mut() {
            Some(Action::StartRollout { release, .. }) => release,
            _ => unreachable!("it starts a rollout"),
        }
    }
    let cases: &[(Change, usize, &str)] = &[
        (|d, text| d.title = text, 128, "title must be 1 to 128"),
        (|d, text| d.rationale.uri = format!("https://{}", &text[8..]), 512, "rationale must be 1 to 512"),
        (|d, text| release_of(d).version = format!("2.0.0-{}", &text[6..]), 64, "version must be 1 to 64"),
        (
            |d, text| release_of(d).upgrades_from.push(format!("1.0.0-{}", &text[6..])),
            64,
            "upgrades_from must be 1 to 64",
        ),
        (|d, text| release_of(d).flags = vec![text], 64, "flag must be 1 to 64"),
        (|d, text| release_of(d).artifacts[0].platform = text, 64, "platform must be 1 to 64"),
        (
            |d, text| release_of(d).artifacts[0].uris = vec![format!("https://{}", &text[8..])],
            512,
            "artifact URI must be 1 to 512",
        ),
        (
            |d, text| {
                let uri = format!("https://{}", &text[8..]);
                release_of(d).rollback_procedure = Some(Document { digest: Digest::of(b"x"), uri });
            },
            512,
            "rollback procedure must be 1 to 512",
        ),
    ];
    for (change, length_max, text) in cases {
        let mut env = MockEnv::new();
        env.advance(5, 1);
        let mut draft = v2();
        change(&mut draft, long(length_max + 1));
        assert_err(env.try_propose("ann", &draft), text);
        let mut draft = v2();
        change(&mut draft, long(*length_max));
        env.try_propose("ann", &draft).unwrap();
    }
    let mut env = MockEnv::new();
    env.advance(5, 1);
    for (node_id, text) in [(long(65), "node id must be 1 to 64"), (String::new(), "node id must be 1 to 64")]
    {
        assert_err(env.register("op0", &node_id, 1), text);
    }
    env.register("op0", &long(64), 10).unwrap();
    for operator in ["op1", "op2"] {
        env.register(operator, operator, 10).unwrap();
    }
    let reason =
        |length: usize| json!({"report": {"rollout": 1, "report": {"refused": {"reason": long(length)}}}});
    env.decide(&v2());
    env.advance(1, 1);
    let hot = format!("hot-{}", long(64));
    refused(&mut env, &hot, &reason(129), "reason must be 1 to 128");
    refused(&mut env, &hot, &reason(0), "reason must be 1 to 128");
}

#[test]
fn members_of_no_weight_and_members_twice_are_refused() {
    let mut env = MockEnv::new();
    env.advance(5, 1);
    let change = |set, remove| draft("x", vec![Action::ChangeMembers { set, remove }]);
    let many = |count: usize| (0..count).map(|index| member(&format!("m{index}"), 1)).collect::<Vec<_>>();
    let ann = addr("ann").to_string();
    for (draft, text) in [
        (change(vec![], vec![]), "must set or remove 1 to 64 accounts, found 0"),
        (change(many(65), vec![]), "must set or remove 1 to 64 accounts, found 65"),
        (change(vec![member("dan", 0)], vec![]), "has weight zero; remove it instead"),
        (change(vec![member("dan", 1), member("dan", 2)], vec![]), "members lists"),
        (change(vec![member("ann", 1)], vec![ann.clone()]), "members lists"),
        (change(vec![], vec![ann.clone(), ann.clone()]), "members lists"),
        (change(vec![], vec![ann.to_uppercase()]), "members is no account"),
    ] {
        assert_err(env.try_propose("ann", &draft), text);
    }
    env.try_propose("ann", &change(many(64), vec![])).unwrap();
}

#[test]
fn plans_out_of_bounds_are_refused_by_name() {
    type Change = fn(&mut Plan);
    let cases: &[(Change, &str)] = &[
        (|p| p.waves.clear(), "a plan has 1 to 16 waves, found 0"),
        (|p| p.waves = vec![p.waves[1].clone(); 17], "a plan has 1 to 16 waves, found 17"),
        (|p| p.waves[0] = p.waves[1].clone(), "lot bounds must rise"),
        (|p| p.waves[0].lot_bps = Bps(0), "lot bounds must rise"),
        (|p| p.waves[1].lot_bps = Bps(9_999), "the last must be 10000"),
        (|p| p.waves[1].lot_bps = Bps(10_001), "the last must be 10000"),
        (|p| p.waves[1].power_max_bps = Some(Bps(1)), "the last wave must have no power cap"),
        (|p| p.waves[0].power_max_bps = Some(Bps(0)), "power_max_bps must be 1"),
        (|p| p.waves[0].healthy_bps = Bps(0), "healthy_bps must be 1"),
        (|p| p.waves[0].healthy_bps = Bps(10_001), "healthy_bps must be 1"),
        (|p| p.waves[0].soak = Span::new(0, 1), "soak must be at least 1 s"),
        (|p| p.waves[0].soak = Span::new(1, 0), "soak must be at least 1 s"),
        (|p| p.waves[0].deadline = Span::new(34_560_001, 1), "wave deadline must be at least"),
        (|p| p.ready_bps = Bps(0), "ready_bps must be 1"),
        (|p| p.lease_bps = Bps(10_001), "lease_bps must be 1"),
        (|p| p.failure.wave_bps = Bps(10_001), "failure.wave_bps must be 0"),
        (|p| p.failure.rollout_bps = Bps(10_001), "failure.rollout_bps must be 0"),
        (|p| p.failure.halted = Span::new(0, 1), "halted must be at least"),
        (|p| p.failure.rolling_back = Span::new(1, 345_600_001), "rolling_back must be at least"),
        (|p| p.preparation = Span::new(0, 0), "preparation must be at least"),
        (|p| p.lease = Span::new(1, 0), "lease must be at least"),
        (|p| p.trial.span = Span::new(0, 1), "trial must be at least"),
        (|p| p.trial.probe_interval_ms = 9, "probe interval must be 10"),
        (|p| p.trial.probe_interval_ms = 600_001, "probe interval must be 10"),
        (|p| p.notice_blocks = Blocks(0), "notice must be 1"),
        (|p| p.notice_blocks = Blocks(604_801), "notice must be 1"),
    ];
    let mut env = MockEnv::new();
    env.advance(5, 1);
    for (change, text) in cases {
        let mut draft = v2();
        if let Some(Action::StartRollout { plan, .. }) = draft.actions.first_mut() {
            change(plan);
        }
        assert_err(env.try_propose("ann", &draft), text);
    }
}

#[test]
fn rules_out_of_bounds_are_refused_by_name_at_both_edges() {
    type Change = fn(&mut InstantiateMsg);
    let cases: &[(Change, Option<&str>)] = &[
        (|m| m.rules.standard.bars.quorum_bps = Bps(2_000), None),
        (|m| m.rules.standard.bars.quorum_bps = Bps(8_000), None),
        (|m| m.rules.standard.bars.quorum_bps = Bps(8_001), Some("quorum_bps must be 2000")),
        (|m| m.rules.standard.bars.threshold_bps = Bps(4_999), Some("threshold_bps must be 5000")),
        (|m| m.rules.standard.bars.threshold_bps = Bps(9_001), Some("threshold_bps must be 5000")),
        (|m| m.rules.standard.bars.veto_bps = Some(Bps(0)), Some("veto_bps must be 1")),
        (|m| m.rules.standard.bars.veto_bps = Some(Bps(4_999)), None),
        (|m| m.rules.standard.bars.veto_bps = Some(Bps(5_000)), Some("veto_bps must be 1")),
        (|m| m.rules.standard.bars.yes_min_bps = Bps(9_001), Some("yes_min_bps must be 0")),
        (|m| m.rules.standard.bars.veto_floor_bps = Bps(10_001), Some("veto_floor_bps must be 0")),
        (|m| m.rules.standard.auditors_min = 17, Some("auditors_min must be 0 to 16")),
        (|m| m.rules.standard.organisations_min = 3, Some("organisations_min must be 0 to 2")),
        (|m| m.rules.standard.voting = Span::new(9, 10), Some("voting must be at least 10 s")),
        (|m| m.rules.standard.grace = Span::new(34_560_000, 345_600_000), None),
        (|m| m.rules.standard.grace = Span::new(34_560_001, 1), Some("grace must be at least")),
        (|m| m.rules.standard.grace = Span::new(1, 345_600_001), Some("grace must be at least")),
        (|m| m.rules.standard.grace = Span::new(1, 0), Some("grace must be at least")),
        (|m| m.rules.retry = Span::new(0, 1), Some("retry must be at least")),
        (|m| m.rules.brake_short = Span::new(0, 0), Some("brake_short must be at least")),
        (|m| m.rules.brake_full = Span::new(9, 10), Some("brake_full must be at least 10 s")),
        (|m| m.rules.brake_full = Span::new(259_200, 2_592_000), None),
        (|m| m.rules.brake_full = Span::new(259_201, 100), Some("brake_full must be at least")),
        (|m| m.members[0].weight = Uint128::new(u128::MAX - 60), None),
        (|m| m.members[0].weight = Uint128::new(u128::MAX - 59), Some("the sum of members' weights")),
        (|m| m.operators[0].power = Power(POWER_MAX - 50), None),
        (|m| m.operators[0].power = Power(POWER_MAX - 49), Some("the sum of operators' power")),
        (|m| m.operators[0].power = Power(u64::MAX), Some("an operator's power must be 1")),
    ];
    for (place, (change, text)) in cases.iter().enumerate() {
        let mut message = Setup::default().message();
        change(&mut message);
        let answer = MockEnv::empty(MockStorage::new()).instantiate(&message);
        match text {
            Some(text) => assert_err(answer, text),
            None => answer.unwrap_or_else(|error| panic!("case {place}: {error}")),
        }
    }
}

/// A report counts for one rollout of the node's own component, in the phase that it belongs to.
#[test]
fn a_report_for_another_rollout_or_in_the_wrong_phase_is_refused() {
    let mut message = Setup::default().message();
    let mut other = message.components[0].clone();
    (other.name, other.baseline.component) = ("other".to_owned(), "other".to_owned());
    message.components.push(other);
    let mut operator = message.operators[0].clone();
    operator.component = "other".to_owned();
    message.operators.push(operator);
    let mut env = MockEnv::empty(MockStorage::new());
    env.instantiate(&message).unwrap();
    env.advance(5, 1);
    for (operator, node) in [("op0", "n0"), ("op1", "n1"), ("op2", "n2")] {
        env.register(operator, node, 10).unwrap();
    }
    let hot_key = addr("hot-m0").to_string();
    let (component, node_id, power) = ("other".to_owned(), "m0".to_owned(), Power(10));
    env.send("op0", &ExecuteMsg::Register { component, node_id, power, hot_key }).unwrap();
    env.decide(&v2());
    let new = release("2.0.0", &["1.0.0"]).digest();
    let ready = json!({"ready": {"release": new.to_string()}});
    let said = |rollout: u64, report: &Value| json!({"report": {"rollout": rollout, "report": report}});
    refused(&mut env, "hot-n0", &said(1, &ready), "the seed may be drawn from height");
    env.advance(1, 1);
    refused(&mut env, "hot-n0", &said(2, &ready), "there is no rollout \"2\"");
    refused(&mut env, "hot-m0", &said(1, &ready), "the rollout's component must be");
    refused(&mut env, "eve", &said(1, &ready), "a registered node's hot key");
    refused(&mut env, "op0", &said(1, &ready), "a registered node's hot key");
    let healthy = json!({"healthy": {"attempt": 1, "height": 5, "downtime_ms": 1}});
    refused(&mut env, "hot-n0", &said(1, &healthy), "the node has no seat in this rollout");
    let wrong = json!({"ready": {"release": Digest::of(b"else").to_string()}});
    refused(&mut env, "hot-n0", &said(1, &wrong), "the report names release");
    let ready = concord_schema::report::Report::Ready { release: new };
    env.report("n0", RolloutId(1), ready).unwrap();
    refused(&mut env, "hot-n0", &said(1, &healthy), "the report is about try 1; the node's current try is 0");
    let activated = json!({"activated": {"attempt": 0, "height": 5}});
    refused(&mut env, "hot-n0", &said(1, &activated), "a node that is assigned cannot report activated");
}
