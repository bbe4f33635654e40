//! What each action of a proposal does. All run over a copy of the store (ADR 11): an error drops what all of them wrote.

use concord_schema::brake::Scope;
use concord_schema::event::Event;
use concord_schema::plan::Plan;
use concord_schema::proposal::{Action, Draft, Member, Proposal};
use concord_schema::release::{Release, Standing};
use concord_schema::rollout::{Outcome, Progress, RolloutPhase, Transition};
use concord_schema::units::RolloutId;
use concord_schema::{Digest, ProposalId, keys};
use cosmwasm_std::{Env, Storage, Uint128};

use super::propose::word;
use crate::error::ContractError;
use crate::{load, state};

/// The action that failed, by its place in the proposal.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) action: u8,
    pub(crate) error: ContractError,
}

/// Runs a proposal's actions over a store, and marks it as executed.
///
/// # Errors
/// The first action's that cannot be carried out; the caller drops what the others wrote.
pub(crate) fn run(
    storage: &mut dyn Storage,
    env: &Env,
    id: ProposalId,
    mut proposal: Proposal,
    draft: &Draft,
) -> Result<Vec<Event>, Failed> {
    let mut events = Vec::new();
    for (place, action) in draft.actions.iter().enumerate() {
        let done = run_one(storage, env, id, &mut proposal, action);
        events
            .extend(done.map_err(|error| Failed { action: u8::try_from(place).unwrap_or(u8::MAX), error })?);
    }
    proposal.executed = true;
    state::PROPOSALS
        .save(storage, id.0, &proposal)
        .map_err(|error| Failed { action: u8::MAX, error: error.into() })?;
    events.push(Event::Executed { proposal: id.to_string() });
    Ok(events)
}

fn run_one(
    storage: &mut dyn Storage,
    env: &Env,
    id: ProposalId,
    proposal: &mut Proposal,
    action: &Action,
) -> Result<Vec<Event>, ContractError> {
    // What a vote is about may have come to need a stricter one since it was proposed.
    let needed = action.class(|rollout| load::brought(storage, rollout));
    if needed > proposal.class {
        return Err(ContractError::Class { needed, found: proposal.class });
    }
    match action {
        Action::StartRollout { release, plan } => start(storage, env, id, proposal, release, plan),
        Action::CancelRollout { rollout } => cancel(storage, env, *rollout),
        Action::ResumeRollout { rollout } => resume(storage, env, proposal, *rollout),
        Action::RollBackRollout { rollout } => roll_back(storage, env, *rollout),
        Action::LiftBrake { scope } => lift(storage, env, scope),
        Action::ChangeMembers { set, remove } => change_members(storage, env, proposal, set, remove),
    }
}

// The chain's VM refuses a function with more than 100 locals, which all actions in one would have.
#[inline(never)]
fn start(
    storage: &mut dyn Storage,
    env: &Env,
    id: ProposalId,
    proposal: &mut Proposal,
    release: &Release,
    plan: &Plan,
) -> Result<Vec<Event>, ContractError> {
    let name = release.component.as_str();
    let digest = release.digest();
    let mut component = load::component(storage, name)?;
    if let Some(live) = component.live {
        return Err(ContractError::Taken {
            what: "the live rollout of this component,",
            key: live.to_string(),
            next: "wait until it ends",
        });
    }
    plan.check_fleet(component.largest, component.registered)?;
    super::propose::check_upgrade(storage, release, &component)?;
    allow(storage, proposal, &digest)?;
    let number = state::ROLLOUT_COUNT.may_load(storage)?.unwrap_or(0).saturating_add(1);
    let rollout = component.start(RolloutId(number), id, release, plan, load::now(env));
    state::ROLLOUT_COUNT.save(storage, &number)?;
    state::ROLLOUTS.save(storage, number, &rollout)?;
    state::PROGRESS.save(storage, number, &Progress::new(plan.waves.len()))?;
    state::COMPONENTS.save(storage, name, &component)?;
    proposal.rollout = Some(RolloutId(number));
    Ok(vec![Event::RolloutStarted {
        rollout: number.to_string(),
        proposal: id.to_string(),
        component: name.to_owned(),
        release: digest.to_string(),
        registered: rollout.registered.to_string(),
    }])
}

/// Allows the release that this vote was about. One that was taken back after the vote had opened stays denied: its
/// voters could not know (NODE-5).
fn allow(storage: &mut dyn Storage, proposal: &Proposal, digest: &Digest) -> Result<(), ContractError> {
    let mut facts = load::standing(storage, digest)?;
    if let (Standing::RolledBack, Some(by)) = (facts.standing, facts.rolled_back_by) {
        let back = load::progress(storage, by)?.rolling_back;
        let opened = proposal.vote.as_ref().map(|vote| vote.from);
        if let (Some(back), Some(opened)) = (back, opened)
            && opened.1 <= back.1
        {
            return Err(ContractError::Taken {
                what: "the denied release",
                key: digest.to_string(),
                next: "it was rolled back after this vote opened; a new proposal must allow it",
            });
        }
    }
    facts.standing = Standing::Allowed;
    Ok(state::STANDINGS.save(storage, &digest.to_string(), &facts)?)
}

fn save_progress(storage: &mut dyn Storage, id: RolloutId, progress: &Progress) -> Result<(), ContractError> {
    Ok(state::PROGRESS.save(storage, id.0, progress)?)
}

/// Says which rollout of a component is in motion.
fn set_live(
    storage: &mut dyn Storage,
    component: &str,
    live: Option<RolloutId>,
) -> Result<(), ContractError> {
    let mut facts = load::component(storage, component)?;
    facts.live = live;
    Ok(state::COMPONENTS.save(storage, component, &facts)?)
}

fn cancel(storage: &mut dyn Storage, env: &Env, id: RolloutId) -> Result<Vec<Event>, ContractError> {
    let rollout = load::rollout(storage, id)?;
    let mut progress = load::progress(storage, id)?;
    let brakes = load::brakes(storage, Some(&rollout.component))?;
    let event = match rollout.cancel(&mut progress, &brakes, load::now(env))? {
        Transition::Ended { outcome, unaccounted } => {
            set_live(storage, &rollout.component, None)?;
            Event::RolloutEnded {
                rollout: id.to_string(),
                outcome: word(&outcome)?,
                unaccounted: unaccounted.to_string(),
            }
        }
        Transition::Halted(cause) => Event::RolloutHalted { rollout: id.to_string(), cause: word(&cause)? },
        Transition::WaveOpened { .. }
        | Transition::HeightFixed { .. }
        | Transition::WaitersMoved { .. }
        | Transition::RollingBack
        | Transition::RollingBackStalled => return Ok(Vec::new()),
    };
    save_progress(storage, id, &progress)?;
    Ok(vec![event])
}

fn resume(
    storage: &mut dyn Storage,
    env: &Env,
    proposal: &Proposal,
    id: RolloutId,
) -> Result<Vec<Event>, ContractError> {
    let rollout = load::rollout(storage, id)?;
    let mut progress = load::progress(storage, id)?;
    let brakes = load::brakes(storage, Some(&rollout.component))?;
    let voted = proposal.vote.as_ref().map(|vote| vote.from).unwrap_or_default();
    rollout.resume(&mut progress, &brakes, voted, load::now(env))?;
    save_progress(storage, id, &progress)?;
    Ok(vec![Event::RolloutResumed { rollout: id.to_string() }])
}

/// Takes a rollout back and denies its release; also one that has ended with its release on nodes, as long as it is
/// the component's newest.
#[inline(never)]
fn roll_back(storage: &mut dyn Storage, env: &Env, id: RolloutId) -> Result<Vec<Event>, ContractError> {
    let now = load::now(env);
    let rollout = load::rollout(storage, id)?;
    let mut progress = load::progress(storage, id)?;
    let brakes = load::brakes(storage, Some(&rollout.component))?;
    let phase = rollout.phase(&progress, &brakes, now);
    match phase {
        RolloutPhase::Ended(Outcome::Completed | Outcome::Contained) => {
            let mut component = load::component(storage, &rollout.component)?;
            if component.last != Some(id) {
                return Err(ContractError::RolloutPhase {
                    verb: "roll back",
                    allowed: "its component's newest",
                    phase,
                });
            }
            rollout.reopen_to_roll_back(&mut progress, &brakes, now)?;
            component.take_back(id, &rollout);
            state::COMPONENTS.save(storage, &rollout.component, &component)?;
        }
        RolloutPhase::Drawing
        | RolloutPhase::Preparing
        | RolloutPhase::Postponed
        | RolloutPhase::Wave(_)
        | RolloutPhase::Halted
        | RolloutPhase::RollingBack
        | RolloutPhase::Ended(Outcome::RolledBack | Outcome::Expired | Outcome::Cancelled) => {
            let stored = progress.rolling_back.is_some();
            rollout.roll_back(&mut progress, &brakes, now)?;
            // The failure policy was faster than the vote: what was decided is so already.
            if stored && load::standing(storage, &rollout.release)?.is_taken_back_by(id) {
                return Ok(Vec::new());
            }
        }
    }
    save_progress(storage, id, &progress)?;
    Ok(vec![super::report::rolls_back(storage, id, &rollout)?])
}

/// Lifts a brake; one that does not hold stays as it is.
fn lift(storage: &mut dyn Storage, env: &Env, scope: &Scope) -> Result<Vec<Event>, ContractError> {
    let now = load::now(env);
    let name = match scope {
        Scope::All => None,
        Scope::Component(name) => Some(name.as_str()),
    };
    let brakes = load::brakes(storage, name)?;
    let (clock, mut brake) = match brakes.component.clone() {
        Some(own) => (brakes.outer(now), own),
        None => (now.into(), brakes.all.clone()),
    };
    if !brake.holds(&clock) {
        return Ok(Vec::new());
    }
    brake.release(clock);
    state::BRAKES.save(storage, keys::scope(scope), &brake)?;
    Ok(vec![Event::BrakeReleased { scope: keys::scope(scope).to_owned() }])
}

/// Somebody who may propose in every class must be left, and it must be known without a look at every member: this
/// proposal's own proposer, or one whom the change sets (LIVE-1). A change that leaves another one alone sets that
/// member's weight again, as it is.
fn check_proposer(storage: &dyn Storage, proposal: &Proposal, set: &[Member]) -> Result<(), ContractError> {
    let version = state::RULES_HEAD.load(storage)?.version;
    let rules = state::RULES_ALL.load(storage, (version, state::RULES_WHOLE))?;
    let needed = rules.proposer_weight_max();
    let own = state::MEMBERS.may_load(storage, &proposal.proposer)?.unwrap_or_default();
    let largest = set.iter().map(|member| member.weight).fold(own, Uint128::max);
    if largest >= needed {
        return Ok(());
    }
    Err(ContractError::NoProposer { needed, largest })
}

/// Sets and removes members. Somebody must be left: nobody could ever vote again.
fn change_members(
    storage: &mut dyn Storage,
    env: &Env,
    proposal: &Proposal,
    set: &[Member],
    remove: &[String],
) -> Result<Vec<Event>, ContractError> {
    let height = env.block.height;
    let mut total = state::MEMBERS_TOTAL.load(storage)?;
    for addr in remove {
        let weight = load::found(state::MEMBERS.may_load(storage, addr)?, "member", addr)?;
        total = total.saturating_sub(weight);
        state::MEMBERS.remove(storage, addr, height)?;
    }
    for Member { addr, weight } in set {
        let was = state::MEMBERS.may_load(storage, addr)?.unwrap_or_default();
        total = total
            .saturating_sub(was)
            .checked_add(*weight)
            .map_err(|_| ContractError::Sum { what: "members' weights", max: Uint128::MAX.to_string() })?;
        state::MEMBERS.save(storage, addr, weight, height)?;
    }
    if total.is_zero() {
        return Err(ContractError::Number { what: "members", min: 1, max: u64::MAX, found: 0 });
    }
    state::MEMBERS_TOTAL.save(storage, &total, height)?;
    check_proposer(storage, proposal, set)?;
    let set: Vec<String> = set.iter().map(|member| format!("{}={}", member.addr, member.weight)).collect();
    Ok(vec![Event::MembersChanged {
        set: set.join(","),
        removed: remove.join(","),
        total: total.to_string(),
    }])
}
