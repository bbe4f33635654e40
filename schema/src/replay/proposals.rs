//! Entries about proposals, votes, money and members.

use cosmwasm_std::{Coin, Uint128, Uint256};

use super::{At, Replay, ReplayError, WeightChange};
use crate::attestation::{Approvals, Attestation, Claim, Finding, Statement};
use crate::digest::Digest;
use crate::event::Event;
use crate::proposal::{Action, Attempt, Draft, Proposal, Vote};
use crate::release::{ReleaseFacts, Reversibility, Standing};
use crate::rules::Class;
use crate::tally::{Ballot, Tally};
use crate::units::{ProposalId, RolloutId, Seconds};

impl Replay {
    pub(super) fn take_proposal(&mut self, at: &At<'_>, event: &Event) -> Result<(), ReplayError> {
        match event {
            Event::Proposed { proposal, class, digest, draft, .. } => {
                self.proposed(at, at.proposal(proposal)?, class, (digest, draft))
            }
            Event::Revised { proposal, revision, digest, draft, .. } => {
                self.revised(at, at.proposal(proposal)?, revision, (digest, draft))
            }
            Event::Withdrawn { proposal } => {
                self.proposal_mut(at, at.proposal(proposal)?)?.withdrawn = true;
                Ok(())
            }
            Event::Commented { proposal, .. } => {
                let key = (at.proposal(proposal)?, at.who.to_owned());
                let count = self.comments.entry(key).or_default();
                *count = count.saturating_add(1);
                Ok(())
            }
            Event::Attested { .. } => self.attested(at, event),
            Event::VoteOpened { proposal, total } => self.vote_opened(at, at.proposal(proposal)?, total),
            Event::Voted { proposal, ballot, weight, .. } => {
                let weight = at.parse("weight", weight)?;
                self.voted(at, at.proposal(proposal)?, at.word("ballot", ballot)?, weight)
            }
            Event::Executed { proposal } => {
                self.proposal_mut(at, at.proposal(proposal)?)?.executed = true;
                Ok(())
            }
            Event::ExecutionFailed { .. } => self.execution_failed(at, event),
            Event::DepositSettled { proposal, to, amount } => {
                self.deposit_settled(at, at.proposal(proposal)?, to, amount)
            }
            Event::Claimed { amount } => self.claimed(at, amount),
            Event::MembersChanged { set, removed, total } => self.members_changed(at, set, removed, total),
            _ => Ok(()),
        }
    }

    pub(super) fn proposal_mut(&mut self, at: &At<'_>, id: ProposalId) -> Result<&mut Proposal, ReplayError> {
        at.found(self.proposals.get_mut(&id), "proposal", id)
    }

    /// Content, component and release of a draft; the release that it brings is there from now on.
    fn content(
        &mut self,
        at: &At<'_>,
        (digest, draft): (&str, &str),
    ) -> Result<(Draft, Digest, Option<String>, Option<Digest>), ReplayError> {
        let draft: Draft = at.json("draft", draft)?;
        let content = draft.digest().map_err(|error| at.refused("the content", error))?;
        at.agree("the content's digest", content, at.parse("digest", digest)?)?;
        let mut component = None;
        for action in &draft.actions {
            let concerned = match action {
                Action::StartRollout { release, .. } => Some(release.component.clone()),
                Action::CancelRollout { rollout }
                | Action::ResumeRollout { rollout }
                | Action::RollBackRollout { rollout } => Some(self.component_of(at, *rollout)?),
                Action::LiftBrake { scope: crate::brake::Scope::Component(name) } => Some(name.clone()),
                Action::LiftBrake { scope: crate::brake::Scope::All } | Action::ChangeMembers { .. } => None,
            };
            component = component.or(concerned);
        }
        let release = draft.rollout().map(|(release, _)| (release.digest(), release.clone()));
        if let Some((digest, release)) = &release
            && !self.standings.contains_key(digest)
        {
            self.releases.insert(*digest, release.clone());
            self.standings.insert(*digest, ReleaseFacts::new(Standing::Proposed));
        }
        Ok((draft, content, component, release.map(|(digest, _)| digest)))
    }

    fn brought(&self, rollout: RolloutId) -> Option<Reversibility> {
        self.rollouts.get(&rollout)?.brought(self.progress.get(&rollout)?)
    }

    fn component_of(&self, at: &At<'_>, rollout: RolloutId) -> Result<String, ReplayError> {
        Ok(at.found(self.rollouts.get(&rollout), "rollout", rollout)?.component.clone())
    }

    fn proposed(
        &mut self,
        at: &At<'_>,
        id: ProposalId,
        class: &str,
        content: (&str, &str),
    ) -> Result<(), ReplayError> {
        let (draft, digest, component, _) = self.content(at, content)?;
        let rules = at.found(self.rules.last(), "version of the rules", self.rules.len())?;
        let computed = draft.class(|rollout| self.brought(rollout));
        if computed != at.word::<Class>("class", class)? {
            return Err(at.disagrees("the class", format!("{computed:?}"), class));
        }
        let row = rules.row(computed);
        if let Some(coin) = &row.deposit {
            let owed = self.liabilities.entry(coin.denom.clone()).or_default();
            *owed = owed.saturating_add(coin.amount);
        }
        let version = u32::try_from(self.rules.len()).unwrap_or(u32::MAX);
        let proposal =
            Proposal::new(at.who, &draft, computed, digest, component, (&rules.head(version), row), at.now);
        self.drafts.insert(id, draft);
        self.proposals.insert(id, proposal);
        Ok(())
    }

    fn revised(
        &mut self,
        at: &At<'_>,
        id: ProposalId,
        revision: &str,
        content: (&str, &str),
    ) -> Result<(), ReplayError> {
        let (draft, digest, _, release) = self.content(at, content)?;
        let proposal = self.proposal_mut(at, id)?;
        proposal.revision = proposal.revision.saturating_add(1);
        proposal.release = release;
        proposal.exempt = draft.is_brake_exempt();
        proposal.digest = digest;
        proposal.from = at.now.into();
        let revision_now = proposal.revision;
        at.agree("the revision", revision_now, at.parse("revision", revision)?)?;
        self.approvals.insert(id, Approvals { v: 1, revision: revision_now, ..Approvals::default() });
        self.drafts.insert(id, draft);
        Ok(())
    }

    fn attested(&mut self, at: &At<'_>, event: &Event) -> Result<(), ReplayError> {
        let Event::Attested { proposal, revision, auditor, claim, finding, nonce, expires, signed } = event
        else {
            return Ok(());
        };
        let id = at.proposal(proposal)?;
        let facts = at.found(self.proposals.get(&id), "proposal", id)?.clone();
        let release = at.found(facts.release, "release of proposal", id)?;
        let platforms = at.found(self.releases.get(&release), "release", release)?.platforms_digest();
        let organisation = at.found(self.auditors.get(auditor), "auditor", auditor)?.organisation.clone();
        let statement = Statement {
            proposal: id,
            revision: at.parse("revision", revision)?,
            release,
            platforms,
            claim: at.word::<Claim>("claim", claim)?,
            finding: at.word::<Finding>("finding", finding)?,
            nonce: at.parse("nonce", nonce)?,
            expires: Seconds(at.parse("expires", expires)?),
        };
        if statement.finding == Finding::Approves {
            let fresh = Approvals { v: 1, revision: facts.revision, ..Approvals::default() };
            let approvals = self.approvals.entry(id).or_insert(fresh);
            approvals.add(&organisation);
            let row = self.row(at, &facts)?;
            let enough = self
                .approvals
                .get(&id)
                .is_some_and(|approvals| approvals.suffice(row.auditors_min, row.organisations_min));
            self.proposal_mut(at, id)?.validated |= enough;
        }
        let key = (id, statement.revision, auditor.clone());
        let signed = at.parse("signed", signed)?;
        self.attestations.insert(key, Attestation { v: 1, statement, organisation, signed });
        Ok(())
    }

    fn vote_opened(&mut self, at: &At<'_>, id: ProposalId, total: &str) -> Result<(), ReplayError> {
        let height = at.now.height.0;
        let computed = self.total_before(height);
        at.agree("the snapshot's total", computed, at.parse("total", total)?)?;
        let component = at.found(self.proposals.get(&id), "proposal", id)?.component.clone();
        let braked = self.brakes_on(at, component.as_deref())?.braked(at.now);
        let vote = Vote { from: at.now.into(), snapshot_height: height, total: computed, braked };
        self.proposal_mut(at, id)?.vote = Some(vote);
        self.tallies.insert(id, Tally::default());
        Ok(())
    }

    fn voted(
        &mut self,
        at: &At<'_>,
        id: ProposalId,
        ballot: Ballot,
        weight: Uint128,
    ) -> Result<(), ReplayError> {
        let proposal = at.found(self.proposals.get(&id), "proposal", id)?.clone();
        let vote = at.found(proposal.vote.clone(), "vote on proposal", id)?;
        at.agree("the voter's weight", self.weight_before(at.who, vote.snapshot_height), weight)?;
        let row = self.row(at, &proposal)?;
        let tally = at.found(self.tallies.get_mut(&id), "tally of proposal", id)?;
        let key = (id, at.who.to_owned());
        let replaces = self.ballots.insert(key, (ballot, weight)).map(|(earlier, _)| earlier);
        tally.count(ballot, weight, replaces, vote.total).map_err(|error| at.refused("the ballot", error))?;
        tally.decide_early(&row, vote.total, at.now);
        Ok(())
    }

    fn execution_failed(&mut self, at: &At<'_>, event: &Event) -> Result<(), ReplayError> {
        let Event::ExecutionFailed { proposal, attempts, action, codespace, code } = event else {
            return Ok(());
        };
        let proposal = self.proposal_mut(at, at.proposal(proposal)?)?;
        proposal.attempts = proposal.attempts.saturating_add(1);
        proposal.last_attempt = Some(Attempt {
            action: at.parse("action", action)?,
            codespace: codespace.clone(),
            code: at.parse("code", code)?,
            at: at.now.into(),
        });
        at.agree("the number of attempts", proposal.attempts, at.parse("attempts", attempts)?)
    }

    fn deposit_settled(
        &mut self,
        at: &At<'_>,
        id: ProposalId,
        to: &str,
        amount: &str,
    ) -> Result<(), ReplayError> {
        let proposal = self.proposal_mut(at, id)?;
        let deposit = at.found(proposal.deposit.take(), "deposit of proposal", id)?;
        at.agree("the deposit", deposit.to_string(), amount.to_owned())?;
        let proposer = proposal.proposer.clone();
        if to == "treasury" {
            let held = self.treasury.entry(deposit.denom.clone()).or_default();
            *held = held.saturating_add(deposit.amount);
            return Ok(());
        }
        let coins = self.claimable.entry(proposer).or_default();
        match coins.iter_mut().find(|coin| coin.denom == deposit.denom) {
            Some(coin) => coin.amount = coin.amount.saturating_add(deposit.amount),
            None => coins.push(deposit),
        }
        coins.sort_by(|one, other| one.denom.cmp(&other.denom));
        Ok(())
    }

    fn claimed(&mut self, at: &At<'_>, amount: &str) -> Result<(), ReplayError> {
        let coins = at.found(self.claimable.remove(at.who), "claim of", at.who)?;
        let computed: Vec<String> = coins.iter().map(Coin::to_string).collect();
        at.agree("the payment", computed.join(","), amount.to_owned())?;
        for coin in &coins {
            let owed = self.liabilities.entry(coin.denom.clone()).or_insert_with(Uint256::zero);
            *owed = owed.saturating_sub(coin.amount);
        }
        Ok(())
    }

    fn members_changed(
        &mut self,
        at: &At<'_>,
        set: &str,
        removed: &str,
        total: &str,
    ) -> Result<(), ReplayError> {
        let height = at.now.height.0;
        let list = |text: &str| -> Vec<String> {
            if text == "-" { Vec::new() } else { text.split(',').map(ToOwned::to_owned).collect() }
        };
        for addr in list(removed) {
            at.found(self.members.remove(&addr), "member", &addr)?;
            self.members_log.push(WeightChange { height, addr, weight: None });
        }
        for member in list(set) {
            let (addr, weight) = at.found(member.split_once('='), "weight of", &member)?;
            let weight = at.parse("weight", weight)?;
            self.members.insert(addr.to_owned(), weight);
            self.members_log.push(WeightChange { height, addr: addr.to_owned(), weight: Some(weight) });
        }
        let sum = self.members.values().fold(Uint128::zero(), |sum, weight| sum.saturating_add(*weight));
        self.members_total_log.push((height, sum));
        at.agree("the sum of weights", sum, at.parse("total", total)?)
    }
}
