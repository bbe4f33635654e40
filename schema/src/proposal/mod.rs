//! Proposals: what is asked, and where it stands. Phases are computed from stored facts (design 3).

mod action;
mod content;

use cosmwasm_std::{Coin, StdResult, Uint128, to_json_vec};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use action::{Action, MEMBER_CHANGES_MAX, Member};
pub use content::{Content, Start};

use crate::brake::{Brakes, Scope};
use crate::clock::{Moment, Now, Span};
use crate::digest::{Canonical, Digest};
use crate::plan::Plan;
use crate::release::{self, Document, Release, Reversibility};
use crate::rules::{ATTEMPTS_MAX, Class, ClassRules, RulesHead};
use crate::tally::{Tally, Verdict};
use crate::text;
use crate::units::RolloutId;

/// The most actions of one proposal.
pub const ACTIONS_MAX: usize = 8;
/// What a proposer sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Draft {
    /// One line.
    pub title: String,
    /// Why, in full, elsewhere.
    pub rationale: Document,
    /// What, in order.
    pub actions: Vec<Action>,
}

/// Why a draft is refused before any rule is asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// A text out of bounds.
    #[error("{0}")]
    Text(#[from] text::TextError),
    /// A release out of bounds.
    #[error("release: {0}")]
    Release(#[from] release::ReleaseError),
    /// Two rollouts in one proposal: each upgrade is its own decision.
    #[error("a proposal starts at most one rollout, found {found}")]
    Rollouts {
        /// Found.
        found: usize,
    },
    /// A change of nothing.
    #[error("a change of members must set or remove 1 to {MEMBER_CHANGES_MAX} accounts, found {found}")]
    Members {
        /// Found.
        found: usize,
    },
    /// A member of no weight.
    #[error("member {addr} has weight zero; remove it instead")]
    NoWeight {
        /// Who.
        addr: String,
    },
}

impl Draft {
    /// Checks every bound that needs no stored fact. Plans are checked against the floors by [`Plan::check`].
    ///
    /// # Errors
    /// The first [`DraftError`] found.
    pub fn check(&self) -> Result<(), DraftError> {
        text::bounded("title", &self.title, 1, text::TITLE_MAX)?;
        self.rationale.check("rationale")?;
        release::count("actions", self.actions.len(), 1, ACTIONS_MAX)?;
        let rollouts =
            self.actions.iter().filter(|action| matches!(action, Action::StartRollout { .. })).count();
        if rollouts > 1 {
            return Err(DraftError::Rollouts { found: rollouts });
        }
        let subjects: Vec<String> = self.actions.iter().map(Action::subject).collect();
        release::distinct("actions", subjects.iter().map(String::as_str))?;
        for action in &self.actions {
            match action {
                Action::StartRollout { release, .. } => release.check(false)?,
                Action::ChangeMembers { set, remove } => action::check_members(set, remove)?,
                Action::LiftBrake { scope: Scope::Component(name) } => text::name("component", name)?,
                Action::LiftBrake { scope: Scope::All }
                | Action::CancelRollout { .. }
                | Action::ResumeRollout { .. }
                | Action::RollBackRollout { .. } => {}
            }
        }
        Ok(())
    }

    /// The strictest class that any action needs; `brought` as for [`Action::class`].
    #[must_use]
    pub fn class(&self, brought: impl Fn(RolloutId) -> Option<Reversibility>) -> Class {
        self.actions.iter().map(|action| action.class(&brought)).max().unwrap_or(Class::Constitutional)
    }

    /// Does every action only stop or undo?
    #[must_use]
    pub fn is_brake_exempt(&self) -> bool {
        self.actions.iter().all(Action::is_brake_exempt)
    }

    /// The digest of its content: what a ballot names.
    ///
    /// # Errors
    /// Where it cannot be written as JSON.
    pub fn digest(&self) -> StdResult<Digest> {
        Ok(content_digest(&to_json_vec(&Content::of(self))?))
    }

    /// The release and plan that it starts, where it starts one.
    #[must_use]
    pub fn rollout(&self) -> Option<(&Release, &Plan)> {
        self.actions.iter().find_map(|action| match action {
            Action::StartRollout { release, plan } => Some((release.as_ref(), plan.as_ref())),
            _ => None,
        })
    }
}

/// The digest of a proposal's content, of its bytes as the contract stores them ([`Content`]): what voters expect. The
/// release is in it by its own digest.
#[must_use]
pub fn content_digest(stored: &[u8]) -> Digest {
    Canonical::new("concord/content/1").bytes(stored).digest()
}

/// The opening facts of a vote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Vote {
    /// When it opened, on the raw clock: voting never stops.
    pub from: Moment,
    /// Weights are those at the end of the block before this height.
    pub snapshot_height: u64,
    /// Their sum.
    pub total: Uint128,
    /// Braked time before it opened.
    pub braked: Span,
}

/// Why the last attempt of an execution failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Attempt {
    /// Which action.
    pub action: u8,
    /// Where the error comes from.
    pub codespace: String,
    /// Its code there.
    pub code: u32,
    /// When, on the raw clock.
    pub at: Moment,
}

/// Stored facts of a proposal; its content, tally and ballots are keys of their own, so a vote costs the same
/// whatever the text. What is not there yet is not written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Proposal {
    /// Version of these facts.
    pub v: u8,
    /// Who proposed it.
    pub proposer: String,
    /// Computed class.
    pub class: Class,
    /// The component that it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// The release that it proposes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Digest>,
    /// Every action only stops or undoes: its clocks run and it executes while braked.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub exempt: bool,
    /// Version of the pinned rules.
    pub rules_version: u32,
    /// Digest of the pinned rules.
    pub rules: Digest,
    /// 0, and one more a revision.
    pub revision: u8,
    /// Digest of the content.
    pub digest: Digest,
    /// Begin of the deliberation, on the raw clock.
    pub from: Moment,
    /// Enough attestations stand for this revision.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub validated: bool,
    /// Opening facts of the vote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vote: Option<Vote>,
    /// Its proposer took it back.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub withdrawn: bool,
    /// It was cancelled after it passed.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub cancelled: bool,
    /// It was executed.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub executed: bool,
    /// The rollout that it started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutId>,
    /// Failed attempts.
    pub attempts: u8,
    /// The last failed attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_attempt: Option<Attempt>,
    /// What is deposited, until it is refunded or forfeited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposit: Option<Coin>,
}

/// Where a proposal is. Terminal phases absorb (PHASE-1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[derive(Copy, Eq)]
pub enum Phase {
    /// People talk.
    Deliberation,
    /// Auditors attest.
    Validation,
    /// Waits for `open_vote`.
    Validated,
    /// Members vote.
    Voting,
    /// Passed; the timelock runs.
    Timelocked,
    /// May be executed.
    Ready,
    /// Was executed.
    Executed,
    /// Its proposer took it back.
    Withdrawn,
    /// Too few attestations, or the threshold was missed.
    Rejected,
    /// Too few took part.
    QuorumFailed,
    /// The veto line was crossed.
    Vetoed,
    /// Cancelled after it passed.
    Cancelled,
    /// Not executed in time.
    Expired,
    /// Its execution failed three times.
    Failed,
}

impl Phase {
    /// Does nothing ever follow?
    #[must_use]
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Deliberation
            | Self::Validation
            | Self::Validated
            | Self::Voting
            | Self::Timelocked
            | Self::Ready => false,
            Self::Executed
            | Self::Withdrawn
            | Self::Rejected
            | Self::QuorumFailed
            | Self::Vetoed
            | Self::Cancelled
            | Self::Expired
            | Self::Failed => true,
        }
    }
}

impl Proposal {
    /// A proposal as it is sent, in its deliberation. The rules of now are pinned with it (RULES-1).
    #[must_use]
    pub fn new(
        proposer: &str,
        draft: &Draft,
        class: Class,
        digest: Digest,
        component: Option<String>,
        (rules, row): (&RulesHead, &ClassRules),
        now: Now,
    ) -> Self {
        Self {
            v: 1,
            proposer: proposer.to_owned(),
            class,
            component,
            release: draft.rollout().map(|(release, _)| release.digest()),
            exempt: draft.is_brake_exempt(),
            rules_version: rules.version,
            rules: rules.digest,
            revision: 0,
            digest,
            from: now.into(),
            validated: false,
            vote: None,
            withdrawn: false,
            cancelled: false,
            executed: false,
            rollout: None,
            attempts: 0,
            last_attempt: None,
            deposit: row.deposit.clone(),
        }
    }

    /// Does it need attestations under these rules?
    #[must_use]
    pub fn needs_attestations(&self, row: &ClassRules) -> bool {
        self.release.is_some() && row.auditors_min > 0
    }

    /// End of the deliberation.
    #[must_use]
    pub fn deliberation_end(&self, row: &ClassRules) -> Moment {
        self.from.plus(&row.deliberation)
    }

    /// End of the validation.
    #[must_use]
    pub fn validation_end(&self, row: &ClassRules) -> Moment {
        self.deliberation_end(row).plus(&row.validation)
    }

    /// When ballots close: the early verdict, but never before the minimum; else the whole period.
    #[must_use]
    pub fn voting_end(vote: &Vote, row: &ClassRules, tally: &Tally) -> Moment {
        match tally.decided {
            Some(decided) => decided.latest(&vote.from.plus(&row.voting_min)),
            None => vote.from.plus(&row.voting),
        }
    }

    /// The clock on which timelock and grace run, and the point on it at which the timelock ends. Braked time since
    /// the vote opened is left out; of a brake-exempt proposal none is.
    #[must_use]
    pub fn timelock(
        &self,
        vote: &Vote,
        row: &ClassRules,
        tally: &Tally,
        brakes: &Brakes,
        now: Now,
    ) -> (Moment, Moment) {
        let end = Self::voting_end(vote, row, tally);
        if self.exempt {
            return (now.into(), end.plus(&row.timelock));
        }
        let start =
            Moment(end.0.saturating_sub(vote.braked.seconds.0), end.1.saturating_sub(vote.braked.blocks.0));
        (brakes.clock(now), start.plus(&row.timelock))
    }

    /// Where it is now.
    #[must_use]
    pub fn phase(&self, row: &ClassRules, tally: &Tally, brakes: &Brakes, now: Now) -> Phase {
        if self.withdrawn {
            return Phase::Withdrawn;
        }
        if self.cancelled {
            return Phase::Cancelled;
        }
        if self.executed {
            return Phase::Executed;
        }
        if self.attempts >= ATTEMPTS_MAX {
            return Phase::Failed;
        }
        let Some(vote) = &self.vote else {
            return self.phase_before_vote(row, now);
        };
        if !Self::voting_end(vote, row, tally).is_over(&now.into()) {
            return Phase::Voting;
        }
        match tally.verdict(&row.bars, vote.total) {
            Verdict::QuorumFailed => Phase::QuorumFailed,
            Verdict::Vetoed => Phase::Vetoed,
            Verdict::Rejected => Phase::Rejected,
            Verdict::Passed => {
                let (clock, end) = self.timelock(vote, row, tally, brakes, now);
                if !end.is_over(&clock) {
                    Phase::Timelocked
                } else if !end.plus(&row.grace).is_over(&clock) {
                    Phase::Ready
                } else {
                    Phase::Expired
                }
            }
        }
    }

    fn phase_before_vote(&self, row: &ClassRules, now: Now) -> Phase {
        if !self.deliberation_end(row).is_over(&now.into()) {
            return Phase::Deliberation;
        }
        if self.validated || !self.needs_attestations(row) {
            return Phase::Validated;
        }
        if self.validation_end(row).is_over(&now.into()) { Phase::Rejected } else { Phase::Validation }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::{sample_plan, sample_release};

    const NONE: fn(RolloutId) -> Option<Reversibility> = |_| None;

    fn draft(actions: Vec<Action>) -> Draft {
        let rationale = Document { digest: Digest::of(b"why"), uri: "https://forum.example/why".into() };
        Draft { title: "a title".into(), rationale, actions }
    }

    fn start(reversibility: Reversibility) -> Action {
        let release = Release { reversibility, ..sample_release() };
        Action::StartRollout { release: Box::new(release), plan: Box::new(sample_plan()) }
    }

    fn members(addr: &str) -> Action {
        Action::ChangeMembers { set: vec![], remove: vec![addr.into()] }
    }

    #[test]
    fn the_class_is_the_strictest_that_any_action_needs() {
        let back = Action::RollBackRollout { rollout: RolloutId(1) };
        for (actions, class) in [
            (vec![start(Reversibility::BinaryOnly)], Class::Standard),
            (vec![start(Reversibility::NeedsStateRestore)], Class::Critical),
            (vec![start(Reversibility::ForwardOnly)], Class::Critical),
            (vec![Action::CancelRollout { rollout: RolloutId(1) }], Class::Routine),
            (vec![Action::ResumeRollout { rollout: RolloutId(1) }], Class::Standard),
            (vec![Action::LiftBrake { scope: Scope::All }], Class::Routine),
            (vec![back.clone()], Class::Routine),
            (vec![back.clone(), members("ann")], Class::Constitutional),
        ] {
            assert_eq!(draft(actions.clone()).class(NONE), class, "{actions:?}");
        }
        // What the whole fleet runs is taken back by a vote like the one that brought it.
        for (reversibility, class) in [
            (Reversibility::BinaryOnly, Class::Standard),
            (Reversibility::NeedsStateRestore, Class::Critical),
        ] {
            let completed = |rollout| (rollout == RolloutId(1)).then_some(reversibility);
            assert_eq!(draft(vec![back.clone()]).class(completed), class);
        }
    }

    #[test]
    fn two_actions_never_act_on_the_same() {
        let cancel = |rollout| Action::CancelRollout { rollout: RolloutId(rollout) };
        let back = |rollout| Action::RollBackRollout { rollout: RolloutId(rollout) };
        let lift = |scope| Action::LiftBrake { scope };
        for (actions, is_taken) in [
            (vec![cancel(1), cancel(2)], true),
            (vec![cancel(1), cancel(1)], false),
            (vec![cancel(1), back(1)], false),
            (vec![lift(Scope::All), lift(Scope::Component("feeder".into()))], true),
            (vec![lift(Scope::All), lift(Scope::All)], false),
            (vec![members("ann"), members("bob")], true),
            (vec![members("ann"), members("ann")], false),
            (vec![cancel(1), start(Reversibility::BinaryOnly)], true),
        ] {
            assert_eq!(draft(actions.clone()).check().is_ok(), is_taken, "{actions:?}");
        }
    }
}
