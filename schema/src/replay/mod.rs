//! The state, rebuilt from the log's entries alone (LOG-1; design 3, "Log"): for indexers and auditors who have the
//! events and not the store. An entry says what was asked and decided; what follows from it is computed by the same
//! rules that the contract calls, and what an entry says besides must agree with that. So a fold that ends without an
//! error has checked the history too.
//!
//! Rebuilt is every stored fact. Left out is only what is no fact of the deployment: the code's own name and version
//! (`cw2`). Balances are the bank's.

mod brakes;
mod fleet;
mod genesis;
mod proposals;
mod rollouts;

use std::collections::BTreeMap;

use cosmwasm_std::{Coin, Uint128, Uint256};

use crate::attestation::{Approvals, Attestation};
use crate::brake::{Brake, Brakes, Scope};
use crate::clock::Now;
use crate::digest::Digest;
use crate::event::{Event, EventError};
use crate::keys;
use crate::log::{Entry, Head};
use crate::msg::{Auditor, Config, Guardians};
use crate::node::{Component, Node, Operator};
use crate::proposal::{Draft, Proposal};
use crate::release::{Release, ReleaseFacts};
use crate::rollout::{Progress, Rollout, Seat};
use crate::rules::{ClassRules, Rules};
use crate::tally::{Ballot, Tally};
use crate::units::{Height, NodeNo, Power, ProposalId, RolloutId, Seconds};

/// Why entries are not a history of this contract. What was rebuilt by then is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The entry does not follow the one before; entries are missing, or not of this log.
    #[error("entry {seq} does not follow entry {head}; read the entries in order, from the first one on")]
    Order {
        /// The entry's number.
        seq: u64,
        /// The number of the one before.
        head: u64,
    },
    /// The first entry is not the deployment's.
    #[error("the log begins with {kind:?}, expected \"instantiated\"")]
    Beginning {
        /// What it is.
        kind: String,
    },
    /// A field is missing.
    #[error("entry {seq}: {source}")]
    Event {
        /// The entry's number.
        seq: u64,
        /// Which field.
        #[source]
        source: EventError,
    },
    /// The kind is of a newer contract.
    #[error("entry {seq} is {kind:?}, which this reader does not know; use a newer one")]
    Unknown {
        /// The entry's number.
        seq: u64,
        /// Its kind.
        kind: String,
    },
    /// The entry is about something that no entry before it made.
    #[error("entry {seq}: there is no {what} {key}")]
    NotFound {
        /// The entry's number.
        seq: u64,
        /// A thing of which kind.
        what: &'static str,
        /// Which.
        key: String,
    },
    /// A field cannot be read.
    #[error("entry {seq}: {what} is {found:?}")]
    Malformed {
        /// The entry's number.
        seq: u64,
        /// Which field.
        what: &'static str,
        /// What it says, shortened to 80 characters.
        found: String,
    },
    /// The rules say something else than the entry.
    #[error("entry {seq}: {what} is {computed} by the rules, the entry says {said}")]
    Disagrees {
        /// The entry's number.
        seq: u64,
        /// What about.
        what: &'static str,
        /// By the rules.
        computed: String,
        /// By the entry.
        said: String,
    },
}

/// A change of a member's weight: the past that snapshots are read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightChange {
    /// Height of the block.
    pub height: u64,
    /// Who.
    pub addr: String,
    /// The new weight; `None` for a member that left.
    pub weight: Option<Uint128>,
}

/// What the contract holds after the entries so far. Fields carry the names of [`crate::keys`]. Takes about as much
/// memory as the contract's own store.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// The log's head.
    pub log_head: Head,
    /// Settings of the deployment.
    pub config: Config,
    /// The rules, the first version first.
    pub rules: Vec<Rules>,
    /// Every change of a member's weight, in order.
    pub members_log: Vec<WeightChange>,
    /// Members' weights now.
    pub members: BTreeMap<String, Uint128>,
    /// Their sum after each block that changed it, in order: height and sum.
    pub members_total_log: Vec<(u64, Uint128)>,
    /// Auditors.
    pub auditors: BTreeMap<String, Auditor>,
    /// The guardians.
    pub guardians: Guardians,
    /// Operators by account and component.
    pub operators: BTreeMap<(String, String), Operator>,
    /// Components by name.
    pub components: BTreeMap<String, Component>,
    /// Power that is down by lease, by group.
    pub down: BTreeMap<String, Power>,
    /// Releases.
    pub releases: BTreeMap<Digest, Release>,
    /// What they may do.
    pub standings: BTreeMap<Digest, ReleaseFacts>,
    /// Proposals.
    pub proposals: BTreeMap<ProposalId, Proposal>,
    /// Their content.
    pub drafts: BTreeMap<ProposalId, Draft>,
    /// Their tallies, once their vote opened.
    pub tallies: BTreeMap<ProposalId, Tally>,
    /// Ballots and weights.
    pub ballots: BTreeMap<(ProposalId, String), (Ballot, Uint128)>,
    /// Attestations by proposal, revision and auditor.
    pub attestations: BTreeMap<(ProposalId, u8, String), Attestation>,
    /// Approvals of proposals' current revisions.
    pub approvals: BTreeMap<ProposalId, Approvals>,
    /// Number of comments by proposal and account.
    pub comments: BTreeMap<(ProposalId, String), u32>,
    /// What accounts can claim.
    pub claimable: BTreeMap<String, Vec<Coin>>,
    /// What the contract owes, by denomination.
    pub liabilities: BTreeMap<String, Uint256>,
    /// Forfeited deposits, by denomination.
    pub treasury: BTreeMap<String, Uint256>,
    /// Rollouts.
    pub rollouts: BTreeMap<RolloutId, Rollout>,
    /// Their moving facts.
    pub progress: BTreeMap<RolloutId, Progress>,
    /// Nodes that could be canaries, by rollout, lot and node: power, wave and organisation.
    pub ready_by_lot: BTreeMap<(RolloutId, u64, NodeNo), (Power, u8, String)>,
    /// Nodes in rollouts.
    pub seats: BTreeMap<NodeNo, Seat>,
    /// Nodes.
    pub nodes: BTreeMap<NodeNo, Node>,
    /// Nodes by hot key, also by keys that they no longer use.
    pub hot_keys: BTreeMap<String, Node>,
    /// The brakes, by [`keys::scope`].
    pub brakes: BTreeMap<String, Brake>,
}

/// The entry that is taken: when, whose and which.
#[derive(Clone, Copy, Debug)]
struct At<'a> {
    seq: u64,
    now: Now,
    who: &'a str,
}

impl<'a> At<'a> {
    fn of(entry: &'a Entry) -> Self {
        let now = Now { height: Height(entry.height), time: Seconds(entry.time) };
        Self { seq: entry.seq, now, who: &entry.who }
    }

    fn found<T>(&self, thing: Option<T>, what: &'static str, key: impl ToString) -> Result<T, ReplayError> {
        thing.ok_or_else(|| ReplayError::NotFound { seq: self.seq, what, key: key.to_string() })
    }

    fn malformed(&self, what: &'static str, found: &str) -> ReplayError {
        ReplayError::Malformed { seq: self.seq, what, found: found.chars().take(80).collect() }
    }

    fn parse<T: core::str::FromStr>(&self, what: &'static str, text: &str) -> Result<T, ReplayError> {
        text.parse().map_err(|_| self.malformed(what, text))
    }

    fn json<T: serde::de::DeserializeOwned>(&self, what: &'static str, text: &str) -> Result<T, ReplayError> {
        cosmwasm_std::from_json(text).map_err(|_| self.malformed(what, text))
    }

    /// A closed set's member from its word on the wire.
    fn word<T: serde::de::DeserializeOwned>(&self, what: &'static str, text: &str) -> Result<T, ReplayError> {
        self.json(what, &format!("{text:?}"))
    }

    fn proposal(&self, text: &str) -> Result<ProposalId, ReplayError> {
        Ok(ProposalId(self.parse("proposal", text)?))
    }

    fn rollout(&self, text: &str) -> Result<RolloutId, ReplayError> {
        Ok(RolloutId(self.parse("rollout", text)?))
    }

    fn node(&self, text: &str) -> Result<NodeNo, ReplayError> {
        Ok(NodeNo(self.parse("node", text)?))
    }

    fn agree<T: PartialEq + core::fmt::Display>(
        &self,
        what: &'static str,
        computed: T,
        said: T,
    ) -> Result<(), ReplayError> {
        if computed == said {
            return Ok(());
        }
        Err(self.disagrees(what, computed, said))
    }

    fn disagrees(
        &self,
        what: &'static str,
        computed: impl core::fmt::Display,
        said: impl core::fmt::Display,
    ) -> ReplayError {
        ReplayError::Disagrees { seq: self.seq, what, computed: computed.to_string(), said: said.to_string() }
    }

    /// What a rule refuses cannot have happened.
    fn refused(&self, what: &'static str, error: impl core::fmt::Display) -> ReplayError {
        self.disagrees(what, format!("refused ({error})"), "it happened")
    }
}

impl Replay {
    /// The state after some entries, from the first one on.
    ///
    /// # Errors
    /// [`ReplayError`] at the first entry that cannot follow.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Result<Self, ReplayError> {
        let mut entries = entries.into_iter();
        let first = entries.next().ok_or_else(|| ReplayError::Beginning { kind: String::new() })?;
        let mut replay = Self::begin(first)?;
        for entry in entries {
            replay.take(entry)?;
        }
        Ok(replay)
    }

    /// The state after the first entry.
    ///
    /// # Errors
    /// [`ReplayError`] where it is not that of a deployment.
    pub fn begin(first: &Entry) -> Result<Self, ReplayError> {
        follows(&Head::default(), first)?;
        let at = At::of(first);
        match event(first)? {
            Event::Instantiated { rules, genesis, .. } => {
                let mut replay = genesis::deploy(&at, &rules, &genesis)?;
                replay.log_head = Head::after(first);
                Ok(replay)
            }
            _ => Err(ReplayError::Beginning { kind: first.kind.clone() }),
        }
    }

    /// Takes the next entry.
    ///
    /// # Errors
    /// [`ReplayError`]; the state is of no use then.
    pub fn take(&mut self, entry: &Entry) -> Result<(), ReplayError> {
        follows(&self.log_head, entry)?;
        let (at, event) = (At::of(entry), event(entry)?);
        match &event {
            Event::Instantiated { .. } => Err(at.malformed("a second deployment", &entry.kind)),
            Event::Proposed { .. }
            | Event::Revised { .. }
            | Event::Withdrawn { .. }
            | Event::Commented { .. }
            | Event::Attested { .. }
            | Event::VoteOpened { .. }
            | Event::Voted { .. }
            | Event::Executed { .. }
            | Event::ExecutionFailed { .. }
            | Event::DepositSettled { .. }
            | Event::Claimed { .. }
            | Event::MembersChanged { .. } => self.take_proposal(&at, &event),
            Event::Registered { .. } => self.take_node(&at, &event),
            Event::Braked { .. } | Event::ReleaseAsked { .. } | Event::BrakeReleased { .. } => {
                self.take_brake(&at, &event)
            }
            Event::RolloutStarted { .. }
            | Event::Drawn { .. }
            | Event::WaveOpened { .. }
            | Event::HeightFixed { .. }
            | Event::WaitersMoved { .. }
            | Event::RolloutHalted { .. }
            | Event::RolloutResumed { .. }
            | Event::RollingBack { .. }
            | Event::RollingBackStalled { .. }
            | Event::RolloutEnded { .. } => self.take_rollout(&at, &event),
            Event::Reported { .. }
            | Event::Equivocated { .. }
            | Event::Leased { .. }
            | Event::LeaseWaits { .. }
            | Event::LeaseReturned { .. }
            | Event::LeaseExpired { .. } => self.take_seat(&at, &event),
        }?;
        self.log_head = Head::after(entry);
        Ok(())
    }

    /// A member's weight at the end of the block before a height.
    #[must_use]
    pub fn weight_before(&self, addr: &str, height: u64) -> Uint128 {
        let changes = self.members_log.iter().rev();
        let last = changes.filter(|change| change.height < height).find(|change| change.addr == addr);
        last.and_then(|change| change.weight).unwrap_or_default()
    }

    /// The members' sum at the end of the block before a height.
    #[must_use]
    pub fn total_before(&self, height: u64) -> Uint128 {
        let last = self.members_total_log.iter().rev().find(|(at, _)| *at < height);
        last.map(|(_, total)| *total).unwrap_or_default()
    }

    /// The brakes that bear on a component, or on everything only.
    ///
    /// # Errors
    /// [`ReplayError::NotFound`].
    fn brakes_on(&self, at: &At<'_>, component: Option<&str>) -> Result<Brakes, ReplayError> {
        let all = self.brakes.get(keys::scope(&Scope::All)).cloned().unwrap_or_else(Brake::off);
        let component =
            component.map(|name| at.found(self.brakes.get(name).cloned(), "component", name)).transpose()?;
        Ok(Brakes { all, component })
    }

    /// The row of rules that a proposal pinned (RULES-1).
    fn row(&self, at: &At<'_>, proposal: &Proposal) -> Result<ClassRules, ReplayError> {
        let version = proposal.rules_version;
        let place = usize::try_from(version).unwrap_or(usize::MAX).wrapping_sub(1);
        Ok(at.found(self.rules.get(place), "version of the rules", version)?.row(proposal.class).clone())
    }
}

/// LOG-1: each entry names the hash of the one before.
fn follows(head: &Head, entry: &Entry) -> Result<(), ReplayError> {
    let next = (head.seq.saturating_add(1), head.hash, head.height);
    if (entry.seq, entry.prev, entry.prev_height) == next {
        return Ok(());
    }
    Err(ReplayError::Order { seq: entry.seq, head: head.seq })
}

fn event(entry: &Entry) -> Result<Event, ReplayError> {
    let seq = entry.seq;
    Event::read(entry)
        .map_err(|source| ReplayError::Event { seq, source })?
        .ok_or_else(|| ReplayError::Unknown { seq, kind: entry.kind.clone() })
}
