//! Takes an auditor's statement. The signature is verified here, over the whole domain, so that it is good for one
//! revision of one proposal on this contract of this chain. The last one that is needed opens the vote.

use concord_schema::attestation::{Attestation, Finding, Signature, SigningKey, Statement};
use concord_schema::digest::Digest;
use concord_schema::event::Event;
use concord_schema::msg::Auditor;
use concord_schema::proposal::{Phase, Proposal};
use concord_schema::{ProposalId, adr36};
use cosmwasm_std::{Api, CanonicalAddr, DepsMut, Env, HexBinary, MessageInfo, Response, Storage};
use ripemd::Ripemd160;
use sha2::{Digest as _, Sha256};

use super::{open_vote, propose};
use crate::error::ContractError;
use crate::load::{self, Case};
use crate::{log, state};

/// Attests: by a signature that anyone may carry, or by the auditor's own transaction.
///
/// # Errors
/// [`ContractError::Signature`], [`ContractError::StatementExpired`], [`ContractError::Mismatch`] for a statement
/// about something else, [`ContractError::Taken`] for a second one, [`ContractError::Phase`] outside of validation.
pub fn attest(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    statement: Statement,
    signature: Option<Signature>,
) -> Result<Response, ContractError> {
    let (storage, now) = (deps.storage, load::now(env));
    let name = match &signature {
        Some(signature) => load::address(deps.api, "auditor", &signature.auditor)?,
        None => info.sender.to_string(),
    };
    let auditor = load::found(state::AUDITORS.may_load(storage, &name)?, "auditor", &name)?;
    let id = statement.proposal;
    let key = (id.0, statement.revision, name.as_str());
    if let Some(earlier) = state::ATTESTATIONS.may_load(storage, key)? {
        return repeated(&earlier, &statement, &name);
    }
    let mut case = Case::load(storage, id, now)?;
    if case.phase != Phase::Validation {
        return Err(case.refused(storage, "attest", "validation", now));
    }
    check_statement(storage, &case.proposal, &statement)?;
    if now.time >= statement.expires {
        return Err(ContractError::StatementExpired { expires: statement.expires.0, now: now.time.0 });
    }
    if let Some(signature) = &signature {
        verify(deps.api, env, &auditor, &name, &statement, signature)?;
    }
    let mut events = vec![Event::Attested {
        proposal: id.to_string(),
        revision: statement.revision.to_string(),
        auditor: name.clone(),
        claim: propose::word(&statement.claim)?,
        finding: propose::word(&statement.finding)?,
        nonce: statement.nonce.to_string(),
        expires: statement.expires.to_string(),
        signed: signature.is_some().to_string(),
    }];
    let finding = statement.finding;
    let attestation = Attestation {
        v: 1,
        statement,
        organisation: auditor.organisation.clone(),
        signed: signature.is_some(),
    };
    state::ATTESTATIONS.save(storage, key, &attestation)?;
    if finding == Finding::Approves && approve(storage, id, &auditor, &case)? {
        case.proposal.validated = true;
        events.push(open_vote::open(storage, env, &mut case)?);
    }
    log::changed(storage, env, info.sender.as_str(), &events, "attested")
}

fn repeated(earlier: &Attestation, statement: &Statement, auditor: &str) -> Result<Response, ContractError> {
    if earlier.statement == *statement {
        return log::unchanged("attested already, in these words");
    }
    Err(ContractError::Taken {
        what: "the statement of this revision by",
        key: auditor.to_owned(),
        next: "the first one stands until the next revision",
    })
}

/// The statement must be about exactly what the members will vote on.
fn check_statement(
    storage: &dyn Storage,
    proposal: &Proposal,
    statement: &Statement,
) -> Result<(), ContractError> {
    let release = load::found(proposal.release, "release of proposal", statement.proposal)?;
    let platforms = load::release(storage, &release)?.platforms_digest();
    for (what, expected, found) in [
        ("the revision", proposal.revision.to_string(), statement.revision.to_string()),
        ("the release's digest", release.to_string(), statement.release.to_string()),
        ("the platforms' digest", platforms.to_string(), statement.platforms.to_string()),
    ] {
        if expected != found {
            return Err(ContractError::Mismatch { what, expected, found });
        }
    }
    Ok(())
}

/// Verifies that the account itself signed with a wallet: the key is the one that its address is made of (SDK ADR-28,
/// "secp256k1"), and the document is ADR-36's around the statement's text.
fn by_wallet(
    api: &dyn Api,
    env: &Env,
    name: &str,
    statement: &Statement,
    signature: &Signature,
    key: &HexBinary,
) -> Result<bool, String> {
    let account: [u8; 20] = Ripemd160::digest(Sha256::digest(key.as_slice())).into();
    let account = api.addr_humanize(&CanonicalAddr::from(account)).map_err(|error| error.to_string())?;
    if account.as_str() != name {
        return Err(format!("its key is that of {account}; sign with the auditor's own account"));
    }
    let text = statement.wallet_text(&env.block.chain_id, env.contract.address.as_str(), name);
    let doc = Digest::of(&adr36::sign_doc(name, text.as_bytes()));
    api.secp256k1_verify(&doc.0, &signature.signature, key).map_err(|error| error.to_string())
}

/// Verifies a signature; "false" and "could not be checked" are both failures.
fn verify(
    api: &dyn Api,
    env: &Env,
    auditor: &Auditor,
    name: &str,
    statement: &Statement,
    signature: &Signature,
) -> Result<(), ContractError> {
    let refused = |why: String| ContractError::Signature { auditor: name.to_owned(), why };
    let bytes = || statement.sign_bytes(&env.block.chain_id, env.contract.address.as_str(), name);
    let verified = match (&signature.wallet_key, &auditor.key) {
        (Some(key), _) => by_wallet(api, env, name, statement, signature, key),
        (None, None) => {
            Err("no key is registered; sign with the auditor's wallet, or attest by its transaction".into())
        }
        (None, Some(SigningKey::Ed25519(key))) => {
            api.ed25519_verify(&bytes(), &signature.signature, key).map_err(|error| error.to_string())
        }
        (None, Some(SigningKey::Secp256k1(key))) => api
            .secp256k1_verify(&Digest::of(&bytes()).0, &signature.signature, key)
            .map_err(|error| error.to_string()),
    };
    match verified {
        Ok(true) => Ok(()),
        Ok(false) => Err(refused("it is not over this statement, chain and contract by that key".to_owned())),
        Err(why) => Err(refused(why)),
    }
}

/// Counts an approval; answers whether there are enough now.
fn approve(
    storage: &mut dyn Storage,
    id: ProposalId,
    auditor: &Auditor,
    case: &Case,
) -> Result<bool, ContractError> {
    let mut approvals = case.approvals(storage)?;
    approvals.add(&auditor.organisation);
    state::APPROVALS.save(storage, id.0, &approvals)?;
    let row = &case.row;
    Ok(approvals.suffice(row.auditors_min, row.organisations_min))
}
