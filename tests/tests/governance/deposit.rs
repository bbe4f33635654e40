//! Deposits.

use super::*;

fn with_deposit() -> MockEnv {
    let mut setup = Setup::default();
    setup.rules.constitutional.deposit = Some(coin(100, DENOM));
    setup.rules.routine.deposit = Some(coin(7, "uother"));
    let mut env = setup.build();
    env.advance(5, 1);
    env
}

fn balance(env: &MockEnv, name: &str, denom: &str) -> Uint256 {
    env.app.wrap().query_balance(addr(name), denom).unwrap().amount
}

#[test]
fn a_deposit_comes_back_by_two_messages_and_only_once() {
    let mut env = with_deposit();
    let id = env.propose(&join("dan"));
    let other = env.propose(&draft("lift", vec![Action::LiftBrake { scope: Scope::All }]));
    let settle = |proposal| ExecuteMsg::SettleDeposit { proposal };
    assert_err(env.send("ann", &settle(id)), "settle_deposit needs a proposal in a terminal phase");
    assert!(!env.crank("ann", &ExecuteMsg::Claim {}).changed);
    env.send("ann", &ExecuteMsg::Withdraw { proposal: id }).unwrap();
    env.send("ann", &ExecuteMsg::Withdraw { proposal: other }).unwrap();
    // Anyone may settle; only the proposer gets it.
    assert!(env.crank("eve", &settle(id)).changed);
    assert!(!env.crank("eve", &settle(id)).changed);
    assert!(env.crank("eve", &settle(other)).changed);
    assert!(!env.crank("eve", &ExecuteMsg::Claim {}).changed);
    assert_eq!(balance(&env, "ann", DENOM), Uint256::from(PURSE - 100));
    assert!(env.crank("ann", &ExecuteMsg::Claim {}).changed);
    assert!(!env.crank("ann", &ExecuteMsg::Claim {}).changed);
    for denom in [DENOM, "uother"] {
        assert_eq!(balance(&env, "ann", denom), Uint256::from(PURSE));
        let owed = concord_coordinator::state::LIABILITIES.load(&*env.store(), denom).unwrap();
        assert_eq!(owed, Uint256::zero());
    }
}

#[test]
fn a_vetoed_one_goes_to_the_treasury_and_stays_owed() {
    let mut env = with_deposit();
    let id = env.propose(&join("dan"));
    env.to_voting(id);
    env.vote("ann", id, Ballot::Veto).unwrap();
    env.pass(SHORT);
    assert_eq!(env.phase(id), Phase::Vetoed);
    let done = env.crank("eve", &ExecuteMsg::SettleDeposit { proposal: id });
    assert_eq!((done.changed, done.what.as_str()), (true, "treasury"));
    assert_eq!(env.phase(id), Phase::Vetoed);
    assert!(!env.crank("ann", &ExecuteMsg::Claim {}).changed);
    let store = env.store();
    let hundred = Uint256::from(100u128);
    assert_eq!(concord_coordinator::state::TREASURY.load(&*store, DENOM).unwrap(), hundred);
    assert_eq!(concord_coordinator::state::LIABILITIES.load(&*store, DENOM).unwrap(), hundred);
}

#[test]
fn executed_rejected_and_expired_ones_are_refunded() {
    let mut env = with_deposit();
    let executed = env.decide(&join("dan"));
    let rejected = env.propose(&join("eve"));
    env.to_voting(rejected);
    env.vote("ann", rejected, Ballot::No).unwrap();
    env.vote("bob", rejected, Ballot::No).unwrap();
    env.pass(LONG);
    assert_eq!(env.phase(rejected), Phase::Rejected);
    for id in [executed, rejected] {
        let done = env.crank("eve", &ExecuteMsg::SettleDeposit { proposal: id });
        assert_eq!(done.what, "refund");
    }
}
