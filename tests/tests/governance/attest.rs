//! Attesting.

use super::*;

fn in_validation() -> (MockEnv, ProposalId) {
    let mut env = MockEnv::new();
    env.advance(5, 1);
    let id = env.propose(&v2());
    env.pass(SHORT);
    (env, id)
}

#[test]
fn a_stranger_may_not_and_a_signature_is_good_for_one_thing_only() {
    let (mut env, id) = in_validation();
    let statement = env.statement(id, Finding::Approves);
    let plain = ExecuteMsg::Attest { statement: statement.clone(), signature: None };
    assert_err(env.send("eve", &plain), "an auditor, or an auditor's signature");
    assert_err(env.send("ann", &plain), "an auditor, or an auditor's signature");
    let contract = env.contract.to_string();
    // Even places are ed25519, odd ones secp256k1: both must refuse all of it.
    for (place, auditor) in [(0, "aud0"), (1, "aud1")] {
        let own = Secret::of(place);
        let name = addr(auditor).to_string();
        let good = statement.sign_bytes(CHAIN_ID, &contract, &name);
        let mut other_nonce = statement.clone();
        other_nonce.nonce += 1;
        let mut other_revision = statement.clone();
        other_revision.revision += 1;
        let mut other_proposal = statement.clone();
        other_proposal.proposal = ProposalId(id.0 + 1);
        let mut truncated = own.sign(&good).to_vec();
        truncated.pop();
        for (what, signature) in [
            ("another chain", own.sign(&statement.sign_bytes("other-1", &contract, &name))),
            ("another contract", own.sign(&statement.sign_bytes(CHAIN_ID, addr("ann").as_str(), &name))),
            ("another auditor", own.sign(&statement.sign_bytes(CHAIN_ID, &contract, addr("aud2").as_str()))),
            ("another statement", own.sign(&other_nonce.sign_bytes(CHAIN_ID, &contract, &name))),
            ("another revision", own.sign(&other_revision.sign_bytes(CHAIN_ID, &contract, &name))),
            ("another proposal", own.sign(&other_proposal.sign_bytes(CHAIN_ID, &contract, &name))),
            ("another key", Secret::of(place + 2).sign(&good)),
            ("a key of the other kind", Secret::of(place + 1).sign(&good)),
            ("zeros", vec![0; 64].into()),
            ("too short", truncated.into()),
            ("nothing", vec![].into()),
        ] {
            let signature =
                Some(Signature { auditor: addr(auditor).to_string(), signature, wallet_key: None });
            let message = ExecuteMsg::Attest { statement: statement.clone(), signature };
            assert_err(env.send("eve", &message), "does not verify");
            assert_eq!(env.phase(id), Phase::Validation, "{what}");
        }
    }
    let nobody =
        Some(Signature { auditor: addr("eve").to_string(), signature: vec![0; 64].into(), wallet_key: None });
    assert_err(env.send("eve", &ExecuteMsg::Attest { statement, signature: nobody }), "no auditor");
}

#[test]
fn a_statement_about_something_else_is_refused() {
    let (mut env, id) = in_validation();
    let good = env.statement(id, Finding::Approves);
    let mut cases = vec![good.clone(), good.clone(), good.clone(), good.clone(), good.clone()];
    cases[0].revision = 1;
    cases[1].release = Digest::of(b"else");
    cases[2].platforms = Digest::of(b"else");
    cases[3].expires = env.now().time;
    cases[4].proposal = ProposalId(9);
    for (statement, text) in cases.into_iter().zip([
        "the revision must be \"0\"",
        "the release's digest must be",
        "the platforms' digest must be",
        "the statement expired at",
        "there is no proposal \"9\"",
    ]) {
        let signature = Some(env.signature("aud0", &statement));
        assert_err(env.send("eve", &ExecuteMsg::Attest { statement, signature }), text);
    }
    let mut last_second = good;
    last_second.expires = Seconds(env.now().time.0 + 1);
    let signature = Some(env.signature("aud0", &last_second));
    env.send("eve", &ExecuteMsg::Attest { statement: last_second, signature }).unwrap();
}

#[test]
fn k_auditors_of_m_organisations_and_the_last_opens_the_vote() {
    let (mut env, id) = in_validation();
    // Two auditors, one organisation.
    env.attest("aud1", id).unwrap();
    let statement = env.statement(id, Finding::Approves);
    let plain = ExecuteMsg::Attest { statement: statement.clone(), signature: None };
    env.send("aud2", &plain).unwrap();
    assert_eq!(env.phase(id), Phase::Validation);
    assert_err(
        env.send("eve", &ExecuteMsg::OpenVote { proposal: id }),
        "open_vote needs a proposal in validated",
    );
    // A repeat changes nothing; another statement of the same auditor is refused.
    assert!(!env.crank("aud2", &plain).changed);
    let mut other = statement;
    other.finding = Finding::Objects;
    assert_err(
        env.send("aud2", &ExecuteMsg::Attest { statement: other, signature: None }),
        "the first one stands",
    );
    env.attest("aud0", id).unwrap();
    assert_eq!(env.phase(id), Phase::Voting);
    let vote = env.proposal(id).vote.unwrap();
    assert_eq!((vote.total, vote.snapshot_height), (Uint128::new(100), env.now().height.0));
    assert!(!env.crank("eve", &ExecuteMsg::OpenVote { proposal: id }).changed);
    assert!(!env.crank("aud2", &plain).changed, "a retry after the vote opened is a repeat");
}

#[test]
fn objections_are_recorded_and_do_not_count() {
    let (mut env, id) = in_validation();
    for auditor in ["aud0", "aud1", "aud2"] {
        let statement = env.statement(id, Finding::Objects);
        env.send(auditor, &ExecuteMsg::Attest { statement, signature: None }).unwrap();
    }
    assert_eq!(env.phase(id), Phase::Validation);
    env.pass(LONG);
    assert_eq!(env.phase(id), Phase::Rejected);
    assert_err(env.attest("aud0", id), "the first one stands");
}

#[test]
fn nothing_is_attested_during_deliberation_or_after_the_deadline() {
    let mut env = MockEnv::new();
    env.advance(5, 1);
    let id = env.propose(&v2());
    assert_err(env.attest("aud0", id), "attest needs a proposal in validation; this one is in Deliberation");
    env.pass(SHORT);
    env.pass(LONG);
    assert_err(env.attest("aud0", id), "this one is in Rejected");
}
