//! Attestations as a wallet signs them: ADR-36, verified in the contract.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use concord_schema::adr36::sign_doc;
use concord_schema::attestation::{Finding, Signature, Statement};
use concord_schema::msg::ExecuteMsg;
use concord_schema::proposal::Phase;
use concord_schema::units::ProposalId;
use concord_schema::{Digest, Seconds};
use concord_tests::env::{CHAIN_ID, MockEnv, SHORT, Setup, addr, assert_err, release, upgrade};
use cosmwasm_std::testing::MockStorage;
use cosmwasm_std::{Binary, HexBinary};
use k256::ecdsa::SigningKey;
use k256::ecdsa::signature::hazmat::PrehashSigner;
use serde::Deserialize;

/// What `Secp256k1Wallet` of `@cosmjs/amino` 0.38.1 made of a key of 32 sevens.
#[derive(Deserialize)]
struct Wallet {
    address: String,
    public_key: HexBinary,
    text: String,
    signature: Binary,
}

fn wallet() -> Wallet {
    serde_json::from_str(include_str!("wallet/cosmjs.json")).unwrap()
}

fn sign(key: [u8; 32], signer: &str, text: &str) -> Binary {
    let key = SigningKey::from_slice(&key).unwrap();
    let signature: k256::ecdsa::Signature =
        key.sign_prehash(&Digest::of(&sign_doc(signer, text.as_bytes())).0).unwrap();
    Binary::new(signature.to_bytes().to_vec())
}

/// A proposal in validation, where one auditor is a wallet without a registered key.
fn in_validation() -> (MockEnv, ProposalId) {
    let mut message = Setup::default().message();
    let auditor = message.auditors.first_mut().unwrap();
    (auditor.addr, auditor.key) = (wallet().address, None);
    let mut env = MockEnv::empty(MockStorage::new());
    env.instantiate(&message).unwrap();
    env.advance(5, 1);
    let id = env.propose(&upgrade(&release("2.0.0", &["1.0.0"])));
    env.pass(SHORT);
    (env, id)
}

fn by_wallet(statement: &Statement, signature: Binary) -> ExecuteMsg {
    let Wallet { address, public_key, .. } = wallet();
    let signature = Signature { auditor: address, signature, wallet_key: Some(public_key) };
    ExecuteMsg::Attest { statement: statement.clone(), signature: Some(signature) }
}

/// Both sign deterministically (RFC 6979), so the same text gives the same bytes.
#[test]
fn a_wallet_and_these_tests_sign_alike() {
    let wallet = wallet();
    assert_eq!(sign([7; 32], &wallet.address, &wallet.text), wallet.signature);
}

#[test]
fn an_auditor_attests_with_its_wallet_and_anyone_carries_it() {
    let (mut env, id) = in_validation();
    let statement = env.statement(id, Finding::Approves);
    let text = statement.wallet_text(CHAIN_ID, env.contract.as_str(), &wallet().address);
    let signed = by_wallet(&statement, sign([7; 32], &wallet().address, &text));
    env.send("eve", &signed).unwrap();
    assert!(!env.crank("eve", &signed).changed, "a repeat writes nothing");
    env.attest("aud1", id).unwrap();
    assert_eq!(env.phase(id), Phase::Voting);
}

#[test]
fn a_wallets_signature_is_good_for_one_statement_of_one_contract_of_one_chain() {
    let (mut env, id) = in_validation();
    let (own, contract) = (wallet().address, env.contract.to_string());
    let statement = env.statement(id, Finding::Approves);
    let good = statement.wallet_text(CHAIN_ID, &contract, &own);
    let mut other_nonce = statement.clone();
    other_nonce.nonce += 1;
    let mut longer = statement.clone();
    longer.expires = Seconds(statement.expires.0 + 1);
    let mut objects = statement.clone();
    objects.finding = Finding::Objects;
    let raw = SigningKey::from_slice(&[7; 32]).unwrap();
    let raw: k256::ecdsa::Signature =
        raw.sign_prehash(&Digest::of(&statement.sign_bytes(CHAIN_ID, &contract, &own)).0).unwrap();
    for (what, signature) in [
        ("another chain", sign([7; 32], &own, &statement.wallet_text("other-1", &contract, &own))),
        ("another contract", sign([7; 32], &own, &statement.wallet_text(CHAIN_ID, &own, &own))),
        (
            "another auditor",
            sign([7; 32], &own, &statement.wallet_text(CHAIN_ID, &contract, addr("aud1").as_str())),
        ),
        ("another nonce", sign([7; 32], &own, &other_nonce.wallet_text(CHAIN_ID, &contract, &own))),
        ("another end", sign([7; 32], &own, &longer.wallet_text(CHAIN_ID, &contract, &own))),
        ("another finding", sign([7; 32], &own, &objects.wallet_text(CHAIN_ID, &contract, &own))),
        ("another signer in the document", sign([7; 32], addr("eve").as_str(), &good)),
        ("another key", sign([8; 32], &own, &good)),
        ("the bytes that no wallet shows", Binary::new(raw.to_bytes().to_vec())),
        ("too short", Binary::new(vec![1; 63])),
    ] {
        assert_err(env.send("eve", &by_wallet(&statement, signature)), "does not verify");
        assert_eq!(env.phase(id), Phase::Validation, "{what}");
    }
}

/// The key must be the account's own: an auditor's name with somebody's key and good signature is no attestation.
#[test]
fn a_wallets_key_must_be_the_auditors() {
    let (mut env, id) = in_validation();
    let statement = env.statement(id, Finding::Approves);
    let text = statement.wallet_text(CHAIN_ID, env.contract.as_str(), &wallet().address);
    let others = SigningKey::from_slice(&[8; 32]).unwrap();
    let own = HexBinary::from(others.verifying_key().to_encoded_point(true).as_bytes());
    let open = HexBinary::from(others.verifying_key().to_encoded_point(false).as_bytes());
    for (auditor, key) in
        [(wallet().address, &own), (addr("aud1").to_string(), &own), (wallet().address, &open)]
    {
        let signature = sign([8; 32], &auditor, &text);
        let signature = Signature { auditor, signature, wallet_key: Some(key.clone()) };
        let message = ExecuteMsg::Attest { statement: statement.clone(), signature: Some(signature) };
        assert_err(env.send("eve", &message), "sign with the auditor's own account");
    }
}
