//! Setting up a deployment.

use super::*;
use concord_schema::msg::InstantiateMsg;
use concord_schema::units::{POWER_MAX, Power};
use cosmwasm_std::testing::MockStorage;

#[test]
fn every_setting_out_of_bounds_is_refused_by_name() {
    type Change = fn(&mut InstantiateMsg);
    let cases: &[(Change, &str)] = &[
        (|m| m.members.clear(), "members must hold 1 to 1000"),
        (|m| m.members[0].weight = Uint128::zero(), "a member's weight must be 1"),
        (|m| m.members[1] = m.members[0].clone(), "members lists"),
        (|m| m.members[0].addr = "cosmos1xyz".into(), "members is no account"),
        (|m| m.members[0].addr = m.members[0].addr.to_uppercase(), "members is no account"),
        (|m| m.members[0].weight = Uint128::MAX, "the sum of members' weights exceeds"),
        (|m| m.members = vec![m.members[0].clone(); 1_001], "members must hold 1 to 1000"),
        (|m| m.components.clear(), "components must hold 1 to 1000"),
        (|m| m.components.push(m.components[0].clone()), "components lists \"feeder\" twice"),
        (|m| m.components[0].name = "*".into(), "component may hold lower-case"),
        (|m| m.components[0].group = Some(String::new()), "group must be 1 to 64"),
        (|m| m.components[0].baseline.component = "else".into(), "the component of a baseline"),
        (|m| m.components[0].baseline.artifacts.clear(), "artifacts must hold 1 to 16"),
        (|m| m.auditors[1].addr = m.auditors[0].addr.clone(), "auditors lists"),
        (|m| m.auditors[2].key = m.auditors[0].key.clone(), "auditors' keys lists"),
        (|m| m.auditors[0].organisation.clear(), "organisation must be 1 to 32"),
        (|m| m.auditors.truncate(1), "auditors_min must be 0 to 1, found 2"),
        (|m| m.auditors[0].organisation = "lab1".into(), "organisations_min must be 0 to 1, found 2"),
        (|m| m.operators[0].power = Power(0), "an operator's power must be 1"),
        (|m| m.operators[0].power = Power(POWER_MAX), "the sum of operators' power"),
        (|m| m.operators[0].component = "none".into(), "there is no component \"none\""),
        (|m| m.operators[1] = m.operators[0].clone(), "operators lists"),
        (|m| m.guardians.addrs.clear(), "guardians must hold 1 to 32"),
        (|m| m.guardians.threshold = 0, "threshold must be 1 to 3, found 0"),
        (|m| m.guardians.threshold = 4, "threshold must be 1 to 3, found 4"),
        (|m| m.guardians.addrs[1] = m.guardians.addrs[0].clone(), "guardians lists"),
        (|m| m.rules.standard.timelock = Span::new(0, 1), "timelock must be at least 1 s"),
        (|m| m.rules.standard.bars.quorum_bps = Bps(1_999), "quorum_bps must be 2000"),
        (|m| m.rules.critical.proposer_weight_min = Uint128::new(41), "proposer_weight_min"),
        (|m| m.rules.routine.deposit = Some(coin(0, DENOM)), "a deposit must be 1"),
        (|m| m.floors.deliberation = Span::new(11, 1), "deliberation must be at least 11 s"),
    ];
    for (change, text) in cases {
        let mut message = Setup::default().message();
        change(&mut message);
        let mut env = MockEnv::empty(MockStorage::new());
        assert_err(env.instantiate(&message), text);
    }
}

#[test]
fn baselines_are_allowed_and_brakes_are_there() {
    let env = MockEnv::new();
    let baseline = release("1.0.0", &[]);
    assert_eq!(env.component().current, baseline.digest());
    assert_eq!(env.standing(&baseline), Standing::Allowed);
    for scope in ["*", "feeder"] {
        assert!(concord_coordinator::state::BRAKES.has(&*env.store(), scope));
    }
    assert!(concord_coordinator::state::DOWN.has(&*env.store(), "feeder"));
}
