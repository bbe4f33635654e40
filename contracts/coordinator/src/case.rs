//! A proposal together with everything that its phase rests on, and why it does not move.

use concord_schema::attestation::Approvals;
use concord_schema::brake::Brakes;
use concord_schema::proposal::{Action, Draft, Phase, Proposal};
use concord_schema::rules::ClassRules;
use concord_schema::tally::Tally;
use concord_schema::waiting::WaitingOn;
use concord_schema::{Moment, Now, ProposalId};
use cosmwasm_std::Storage;

use crate::error::ContractError;
use crate::{load, state};

/// A proposal and what its phase rests on.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its number.
    pub id: ProposalId,
    /// Its facts.
    pub proposal: Proposal,
    /// Its pinned rules.
    pub row: ClassRules,
    /// Its tally.
    pub tally: Tally,
    /// The brakes on its component.
    pub brakes: Brakes,
    /// Where it is.
    pub phase: Phase,
}

impl Case {
    /// Loads a proposal and computes where it is at `now`.
    ///
    /// # Errors
    /// [`ContractError::NotFound`].
    pub fn load(storage: &dyn Storage, id: ProposalId, now: Now) -> Result<Self, ContractError> {
        let proposal = load::proposal(storage, id)?;
        let row = load::row(storage, &proposal)?;
        let tally = load::tally(storage, id)?;
        let brakes = load::brakes(storage, proposal.component.as_deref())?;
        let phase = proposal.phase(&row, &tally, &brakes, now);
        Ok(Self { id, proposal, row, tally, brakes, phase })
    }

    /// Why it does not move now, or what anyone may send.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn waiting_on(&self, storage: &dyn Storage, now: Now) -> Result<WaitingOn, ContractError> {
        let raw: Moment = now.into();
        let (proposal, row) = (&self.proposal, &self.row);
        Ok(match (self.phase, &proposal.vote) {
            (Phase::Deliberation, _) => {
                WaitingOn::Deliberation { left: proposal.deliberation_end(row).left(&raw) }
            }
            (Phase::Validation, _) => {
                let approvals = self.approvals(storage)?;
                WaitingOn::Attestations {
                    auditors: approvals.auditors,
                    auditors_min: row.auditors_min,
                    organisations: u8::try_from(approvals.organisations.len()).unwrap_or(u8::MAX),
                    organisations_min: row.organisations_min,
                    left: proposal.validation_end(row).left(&raw),
                }
            }
            (Phase::Validated, _) => WaitingOn::OpenVote,
            (Phase::Voting, Some(vote)) => {
                WaitingOn::Voting { left: Proposal::voting_end(vote, row, &self.tally).left(&raw) }
            }
            (Phase::Timelocked, Some(vote)) => {
                if let Some(scope) = self.holding(now) {
                    return Ok(WaitingOn::Brake { scope });
                }
                let (clock, end) = proposal.timelock(vote, row, &self.tally, &self.brakes, now);
                WaitingOn::Timelock { left: end.left(&clock) }
            }
            (Phase::Ready, Some(vote)) => {
                let draft = load::draft(storage, self.id)?;
                if let Some(on) = self.holds_back(storage, &draft, now)? {
                    return Ok(on);
                }
                let (clock, end) = proposal.timelock(vote, row, &self.tally, &self.brakes, now);
                WaitingOn::Execute { left: end.plus(&row.grace).left(&clock) }
            }
            (
                Phase::Voting
                | Phase::Timelocked
                | Phase::Ready
                | Phase::Executed
                | Phase::Withdrawn
                | Phase::Rejected
                | Phase::QuorumFailed
                | Phase::Vetoed
                | Phase::Cancelled
                | Phase::Expired
                | Phase::Failed,
                _,
            ) => WaitingOn::Nothing,
        })
    }

    /// Approvals of the current revision.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn approvals(&self, storage: &dyn Storage) -> Result<Approvals, ContractError> {
        let revision = self.proposal.revision;
        Ok(state::APPROVALS
            .may_load(storage, self.id.0)?
            .filter(|approvals| approvals.revision == revision)
            .unwrap_or(Approvals { v: 1, revision, ..Approvals::default() }))
    }

    fn holding(&self, now: Now) -> Option<concord_schema::brake::Hold> {
        self.brakes.holding(now).filter(|_| !self.proposal.exempt)
    }

    /// What keeps a proposal that is ready from being executed now. None of it is an attempt.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn holds_back(
        &self,
        storage: &dyn Storage,
        draft: &Draft,
        now: Now,
    ) -> Result<Option<WaitingOn>, ContractError> {
        if let Some(last) = &self.proposal.last_attempt {
            let key = (self.proposal.rules_version, state::RULES_WHOLE);
            let until = last.at.plus(&state::RULES_ALL.load(storage, key)?.retry);
            if !until.is_over(&now.into()) {
                return Ok(Some(WaitingOn::Retry { left: until.left(&now.into()) }));
            }
        }
        if let Some(scope) = self.holding(now) {
            return Ok(Some(WaitingOn::Brake { scope }));
        }
        let Some((release, _)) = draft.rollout() else {
            return Ok(None);
        };
        let component = load::component(storage, &release.component)?;
        // The same proposal may end the rollout that is in its way.
        let ends = |rollout| {
            draft
                .actions
                .iter()
                .any(|action| matches!(action, Action::CancelRollout { rollout: ended } if *ended == rollout))
        };
        if let Some(rollout) = component.live.filter(|rollout| !ends(*rollout)) {
            return Ok(Some(WaitingOn::LiveRollout { rollout }));
        }
        let current = component.version;
        Ok((!release.replaces(&current)).then_some(WaitingOn::Version { current }))
    }

    /// The error of a verb that cannot happen in this phase.
    #[must_use]
    pub fn refused(
        &self,
        storage: &dyn Storage,
        verb: &'static str,
        allowed: &'static str,
        now: Now,
    ) -> ContractError {
        match self.waiting_on(storage, now) {
            Ok(waiting_on) => {
                ContractError::Phase { verb, allowed, phase: self.phase, waiting_on: Box::new(waiting_on) }
            }
            Err(error) => error,
        }
    }
}
