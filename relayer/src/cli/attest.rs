//! Attestations: an auditor's statement, signed here or sent by its own transaction.

use concord_schema::Seconds;
use concord_schema::attestation::{Signature, SigningKey, Statement};
use concord_schema::msg::ExecuteMsg;
use concord_schema::query::{ProposalAnswer, QueryMsg};
use cosmwasm_std::{Binary, HexBinary};
use serde_json::json;

use super::args::AttestArgs;
use super::deployment::Deployment;
use super::error::CliError;
use super::output::{Answer, words};
use super::verbs::joined;
use crate::chain::keys::{Key, Kind};

/// The longest a statement may be carried: a year.
const EXPIRES_SECONDS_MAX: u64 = 31_536_000;

/// Attests the release of a proposal's current revision.
///
/// # Errors
/// [`CliError`]; another release than the expected one is [`CliError::Unexpected`], before anything is signed.
pub async fn attest(deployment: &Deployment, args: &AttestArgs) -> Result<Answer, CliError> {
    let signing = args.auditor_key.as_deref().map(|path| deployment.key(path)).transpose()?;
    let query = QueryMsg::Proposal { proposal: args.proposal };
    let found: ProposalAnswer = deployment.ask("about the proposal", &query).await?;
    let Some((release, _)) = found.draft.rollout() else {
        return Err(CliError::Usage(format!("proposal {} brings no release to attest", args.proposal)));
    };
    let digest = release.digest();
    if let Some(expected) = args.expect_release.filter(|expected| *expected != digest) {
        return Err(CliError::Unexpected(format!(
            "expected release {expected} in proposal {}, found {digest}; read it again before you attest",
            args.proposal
        )));
    }
    let statement = Statement {
        proposal: args.proposal,
        revision: found.proposal.revision,
        release: digest,
        platforms: release.platforms_digest(),
        claim: args.claim.into(),
        finding: args.finding.into(),
        nonce: args.nonce.unwrap_or_else(rand::random),
        expires: expires(deployment, args.expires_seconds).await?,
    };
    let signature = match signing {
        Some(key) => {
            let auditor = auditor(args, &key, deployment.chain.prefix())?;
            Some(signed(
                &statement,
                &key,
                auditor,
                &deployment.chain.chain_id,
                deployment.chain.contract.text(),
            ))
        }
        None => None,
    };
    let what = format!(
        "{} {} {} (revision {}): {}",
        release.component,
        release.version,
        digest,
        statement.revision,
        words(&statement.claim)
    );
    let message = ExecuteMsg::Attest { statement, signature };
    if args.sign_only {
        let text = serde_json::to_string_pretty(&message)
            .map_err(|source| CliError::Answer { what: "a message", source })?;
        return Ok(deployment.answer(text, json!({"message": message})));
    }
    let settled = deployment.send(&[(message, Vec::new())]).await?;
    let more = json!({"release": digest});
    Ok(deployment.answer(format!("{what}\n{}", settled.text()), joined(&settled, more)))
}

/// Signs a statement for one contract of one chain.
#[must_use]
pub fn signed(
    statement: &Statement,
    key: &Key,
    auditor: String,
    chain_id: &str,
    contract: &str,
) -> Signature {
    let signature = key.sign(&statement.sign_bytes(chain_id, contract, &auditor));
    Signature { auditor, signature: Binary::from(signature.as_slice()), wallet_key: None }
}

/// The public key as the contract knows an auditor's.
#[must_use]
pub fn signing_key(key: &Key) -> SigningKey {
    let public = HexBinary::from(key.public());
    match key.kind() {
        Kind::Ed25519 => SigningKey::Ed25519(public),
        Kind::Secp256k1 => SigningKey::Secp256k1(public),
    }
}

fn auditor(args: &AttestArgs, key: &Key, prefix: &str) -> Result<String, CliError> {
    match (&args.auditor, key.kind()) {
        (Some(auditor), _) => Ok(auditor.clone()),
        (None, Kind::Secp256k1) => Ok(key.address(prefix)?.text().to_owned()),
        (None, Kind::Ed25519) => Err(CliError::Usage(
            "an ed25519 key has no account; name the auditor's with --auditor".to_owned(),
        )),
    }
}

/// The chain's time, and so many seconds after it.
async fn expires(deployment: &Deployment, seconds: u64) -> Result<Seconds, CliError> {
    if !(1..=EXPIRES_SECONDS_MAX).contains(&seconds) {
        return Err(CliError::Usage(format!(
            "--expires-seconds must be 1 to {EXPIRES_SECONDS_MAX}, found {seconds}"
        )));
    }
    let head = deployment
        .rpc
        .status()
        .await
        .map_err(|source| CliError::Chain { what: "for its newest block", source })?;
    // Without the chain's own time a statement could be dead, or good for longer than its auditor wanted.
    let nanos = head.time_nanos.ok_or_else(|| {
        CliError::Unexpected(
            "expected a time in the chain's newest block, found none; use another node".to_owned(),
        )
    })?;
    Ok(Seconds((nanos / 1_000_000_000).saturating_add(seconds)))
}
