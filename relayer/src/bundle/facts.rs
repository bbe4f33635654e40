//! What a proposal's decision rests on, each fact proved on its own, put together by the contract's own rules.

use concord_prove::{Root, Source, StateKey, read};
use concord_schema::brake::{Brake, Brakes, Scope};
use concord_schema::proposal::{Content, Phase, Proposal, Start};
use concord_schema::release::{Release, ReleaseFacts, Standing};
use concord_schema::rules::ClassRules;
use concord_schema::tally::Tally;
use concord_schema::{Digest, Height, Now, ProposalId, Seconds, keys};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::BundleError;
use crate::chain::Address;

/// Whether it was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decided {
    /// It was executed.
    Yes,
    /// It may still be.
    NotYet,
    /// It never will be.
    Never,
}

/// A proposal's facts in one proved state.
#[derive(Clone, Debug, Serialize)]
pub struct Facts {
    /// Its number.
    pub proposal: ProposalId,
    /// Whether it was decided.
    pub decided: Decided,
    /// Where it is.
    pub phase: Phase,
    /// Its title.
    pub title: String,
    /// Digest of its content, which the proved content has.
    pub digest: Digest,
    /// The height of the state.
    pub height: u64,
    /// Time of the block after it, in seconds since 1970.
    pub time_seconds: u64,
    /// The release that it starts, if it starts one.
    pub release: Option<ReleaseFound>,
    /// A brake holds what it does.
    pub braked: bool,
}

/// A release, by what was proved of it.
#[derive(Clone, Debug, Serialize)]
pub struct ReleaseFound {
    /// Its digest.
    pub digest: Digest,
    /// What it may do.
    pub standing: Standing,
    /// Its metadata, artifacts among it.
    pub release: Release,
}

/// Asks for one fact after the other in one state.
struct Reader<'s, S> {
    source: &'s S,
    chain_id: &'s str,
    contract: &'s Address,
    root: &'s Root,
}

impl<S: Source> Reader<'_, S> {
    async fn fact<T: DeserializeOwned>(&self, what: &str, key: &[u8]) -> Result<Option<T>, BundleError> {
        let key = StateKey::contract(self.contract.bytes(), key);
        let value = read(self.source, self.chain_id, &key, self.root).await;
        let value = value.map_err(BundleError::unproved(what))?;
        let read = |bytes: Vec<u8>| serde_json::from_slice(&bytes);
        value.map(read).transpose().map_err(|source| BundleError::Fact { what: what.to_owned(), source })
    }

    async fn present<T: DeserializeOwned>(&self, what: &str, key: &[u8]) -> Result<T, BundleError> {
        let absent = || BundleError::Absent { what: what.to_owned(), height: self.root.state_height() };
        self.fact(what, key).await?.ok_or_else(absent)
    }
}

/// Reads a proposal's facts in the state that `root` proves.
///
/// # Errors
/// [`BundleError`].
pub(super) async fn facts<S: Source>(
    source: &S,
    chain_id: &str,
    contract: &Address,
    id: ProposalId,
    root: &Root,
) -> Result<Facts, BundleError> {
    let reader = Reader { source, chain_id, contract, root };
    let proposal: Proposal = reader.present(&format!("proposal {id}"), &keys::proposal(id)).await?;
    let content: Content = reader.present("its content", &keys::content(id)).await?;
    let release = match &content.start {
        Some(Start { release, .. }) => {
            Some(reader.present::<Release>("its release", &keys::release(release)).await?)
        }
        None => None,
    };
    let draft = content.draft(release);
    let tally: Option<Tally> = reader.fact("its tally", &keys::tally(id)).await?;
    let row: ClassRules =
        reader.present("its pinned rules", &keys::rules_row(proposal.rules_version, proposal.class)).await?;
    let all: Brake = reader.present("the brake on everything", &keys::brake(&Scope::All)).await?;
    let component = match &proposal.component {
        Some(name) => {
            let key = keys::brake(&Scope::Component(name.clone()));
            Some(reader.present::<Brake>("its component's brake", &key).await?)
        }
        None => None,
    };
    let brakes = Brakes { all, component };
    if draft.digest().ok() != Some(proposal.digest) {
        return Err(BundleError::Contradiction(format!(
            "expected content with digest {}, found other content; this release does not fit the contract",
            proposal.digest
        )));
    }
    // The moment at which the next block's messages would find it.
    let time_seconds = u64::try_from(root.time.unix_timestamp()).unwrap_or_default();
    let now = Now { height: Height(root.height), time: Seconds(time_seconds) };
    let phase = proposal.phase(&row, &tally.unwrap_or_default(), &brakes, now);
    let release = match draft.rollout() {
        Some((release, _)) => Some(release_of(&reader, release).await?),
        None => None,
    };
    Ok(Facts {
        proposal: id,
        decided: decided(phase),
        phase,
        title: draft.title,
        digest: proposal.digest,
        height: root.state_height(),
        time_seconds,
        release,
        braked: !proposal.exempt && brakes.holding(now).is_some(),
    })
}

async fn release_of<S: Source>(
    reader: &Reader<'_, S>,
    release: &Release,
) -> Result<ReleaseFound, BundleError> {
    let digest = release.digest();
    let standing: ReleaseFacts = reader.present("the release's standing", &keys::standing(&digest)).await?;
    Ok(ReleaseFound { digest, standing: standing.standing, release: release.clone() })
}

fn decided(phase: Phase) -> Decided {
    match phase {
        Phase::Executed => Decided::Yes,
        Phase::Deliberation
        | Phase::Validation
        | Phase::Validated
        | Phase::Voting
        | Phase::Timelocked
        | Phase::Ready => Decided::NotYet,
        Phase::Withdrawn
        | Phase::Rejected
        | Phase::QuorumFailed
        | Phase::Vetoed
        | Phase::Cancelled
        | Phase::Expired
        | Phase::Failed => Decided::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_executed_proposal_was_decided() {
        let all = [
            "deliberation",
            "validation",
            "validated",
            "voting",
            "timelocked",
            "ready",
            "executed",
            "withdrawn",
            "rejected",
            "quorum_failed",
            "vetoed",
            "cancelled",
            "expired",
            "failed",
        ];
        for word in all {
            let phase: Phase = serde_json::from_value(word.into()).unwrap();
            let expected = match word {
                "executed" => Decided::Yes,
                _ if phase.is_terminal() => Decided::Never,
                _ => Decided::NotYet,
            };
            assert_eq!(decided(phase), expected, "{word}");
        }
    }
}
