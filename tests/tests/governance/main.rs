//! From a proposal to its execution. Per verb, first who may not.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod attest;
mod bounds;
mod deliberate;
mod deposit;
mod execute;
mod propose;
mod setup;
mod vote;

use concord_schema::attestation::{Finding, Signature};
use concord_schema::brake::Scope;
use concord_schema::msg::ExecuteMsg;
use concord_schema::proposal::{Action, Member, Phase};
use concord_schema::release::{Reversibility, Standing};
use concord_schema::rollout::{Outcome, RolloutPhase};
use concord_schema::tally::Ballot;
use concord_schema::units::{ProposalId, RolloutId, Seconds};
use concord_schema::{Bps, Digest, Span};
use concord_tests::env::{
    CHAIN_ID, DENOM, LONG, MockEnv, PURSE, SHORT, Secret, Setup, addr, assert_err, document, draft, member,
    release, upgrade,
};
use cosmwasm_std::{Coin, Uint128, Uint256, coin};

/// A proposal that anyone can follow: no release, so no attestation.
fn join(name: &str) -> concord_schema::proposal::Draft {
    draft("one more member", vec![Action::ChangeMembers { set: vec![member(name, 5)], remove: vec![] }])
}

fn v2() -> concord_schema::proposal::Draft {
    upgrade(&release("2.0.0", &["1.0.0"]))
}

/// The table of rights, row by row: whoever is not named may not.
#[test]
fn rights_belong_to_roles_and_to_no_one_else() {
    let mut env = MockEnv::new();
    env.advance(5, 1);
    env.decide(&v2());
    let rollout = RolloutId(1);
    let everyone = ["ann", "aud0", "gus", "op0", "eve"];
    let brake = |scope| ExecuteMsg::Brake { scope };
    for (message, allowed, text) in [
        (brake(Scope::All), Some("gus"), "a guardian"),
        (ExecuteMsg::Release { scope: Scope::All }, Some("gus"), "a guardian"),
        (
            ExecuteMsg::Lease { rollout, purpose: concord_schema::rollout::Purpose::Activate },
            None,
            "a registered node's hot key",
        ),
        (ExecuteMsg::ReturnLease { rollout, attempt: 1 }, None, "a registered node's hot key"),
        (
            ExecuteMsg::Report {
                rollout,
                report: concord_schema::report::Report::Ready { release: Digest::of(b"x") },
            },
            None,
            "a registered node's hot key",
        ),
        (
            ExecuteMsg::Register {
                component: "feeder".into(),
                node_id: "n".into(),
                power: concord_schema::Power(1),
                hot_key: addr("hot").to_string(),
            },
            Some("op0"),
            "an operator of feeder",
        ),
    ] {
        for who in everyone.iter().filter(|who| Some(**who) != allowed) {
            assert_err(env.send(who, &message), text);
        }
    }
}
