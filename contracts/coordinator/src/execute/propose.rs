//! Proposes: the class is computed, the rules are pinned, the content is stored apart from the facts.

use concord_schema::brake::Scope;
use concord_schema::event::Event;
use concord_schema::node::Component;
use concord_schema::proposal::{Action, Content, Draft, Proposal};
use concord_schema::release::{Release, ReleaseFacts, Reversibility, Standing};
use concord_schema::rules::{Class, ClassRules};
use concord_schema::{Digest, ProposalId};
use cosmwasm_std::{Api, Coin, DepsMut, Env, MessageInfo, Response, Storage, Uint256, to_json_string};

use crate::error::ContractError;
use crate::{load, log, state};

/// Proposes. Exactly the deposit of the computed class goes with it.
///
/// # Errors
/// [`ContractError`] for a draft out of bounds, a subject that is not there, or a wrong deposit.
pub fn propose(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    draft: Draft,
) -> Result<Response, ContractError> {
    let (storage, sender) = (deps.storage, info.sender.as_str());
    let content = parse(storage, deps.api, &draft)?;
    let rules = state::RULES_HEAD.load(storage)?;
    let row = state::RULES.load(storage, (rules.version, content.class.letter()))?;
    check_weight(storage, env, sender, &row)?;
    take_deposit(storage, info, content.class, &row)?;
    let id = ProposalId(state::PROPOSAL_COUNT.may_load(storage)?.unwrap_or(0).saturating_add(1));
    let component = content.component.clone();
    let proposal = Proposal::new(
        sender,
        &draft,
        content.class,
        content.digest,
        component,
        (&rules, &row),
        load::now(env),
    );
    state::PROPOSAL_COUNT.save(storage, &id.0)?;
    state::PROPOSALS.save(storage, id.0, &proposal)?;
    content.store(storage, id, &draft)?;
    let event = Event::Proposed {
        proposal: id.to_string(),
        class: word(&content.class)?,
        digest: content.digest.to_string(),
        release: content.release_text(),
        draft: to_json_string(&draft)?,
    };
    log::changed(storage, env, sender, &[event], format!("proposal {id}"))
}

/// A word of the wire for a closed set's member, as in messages.
pub(crate) fn word<T: serde::Serialize>(member: &T) -> Result<String, ContractError> {
    let encoded = cosmwasm_std::to_json_string(member)?;
    Ok(encoded.trim_matches('"').to_owned())
}

/// What a draft says, once checked against the deployment.
pub(crate) struct Parsed {
    pub(crate) class: Class,
    pub(crate) component: Option<String>,
    pub(crate) release: Option<Digest>,
    pub(crate) digest: Digest,
}

impl Parsed {
    pub(crate) fn release_text(&self) -> String {
        self.release.map_or_else(|| "-".to_owned(), |digest| digest.to_string())
    }

    /// Stores the content, and the release that it names. A standing that is there already stays: only a vote
    /// changes it.
    pub(crate) fn store(
        &self,
        storage: &mut dyn Storage,
        id: ProposalId,
        draft: &Draft,
    ) -> Result<(), ContractError> {
        state::DRAFTS.save(storage, id.0, &Content::of(draft))?;
        let Some((release, _)) = draft.rollout() else {
            return Ok(());
        };
        let hex = self.release_text();
        if !state::STANDINGS.has(storage, &hex) {
            let proposed = ReleaseFacts::new(Standing::Proposed);
            state::RELEASES.save(storage, &hex, release)?;
            state::STANDINGS.save(storage, &hex, &proposed)?;
        }
        Ok(())
    }
}

/// Checks a draft against its own bounds and against what is there now.
pub(crate) fn parse(storage: &dyn Storage, api: &dyn Api, draft: &Draft) -> Result<Parsed, ContractError> {
    draft.check()?;
    let floors = state::CONFIG.load(storage)?.floors;
    let mut component: Option<String> = None;
    for action in &draft.actions {
        let concerned = match action {
            Action::StartRollout { release, plan } => {
                plan.check(&floors)?;
                let facts = load::component(storage, &release.component)?;
                plan.check_fleet(facts.largest, facts.registered)?;
                check_upgrade(storage, release, &facts)?;
                Some(release.component.clone())
            }
            Action::CancelRollout { rollout } | Action::ResumeRollout { rollout } => {
                Some(load::rollout(storage, *rollout)?.component)
            }
            Action::RollBackRollout { rollout } => {
                let rollout = load::rollout(storage, *rollout)?;
                if rollout.reversibility == Reversibility::ForwardOnly {
                    return Err(ContractError::Mismatch {
                        what: "the reversibility of what is rolled back",
                        expected: "binary_only or needs_state_restore".to_owned(),
                        found: "forward_only".to_owned(),
                    });
                }
                Some(rollout.component)
            }
            Action::LiftBrake { scope: Scope::Component(name) } => {
                load::component(storage, name)?;
                Some(name.clone())
            }
            Action::LiftBrake { scope: Scope::All } => None,
            Action::ChangeMembers { set, remove } => {
                for addr in set.iter().map(|member| &member.addr).chain(remove) {
                    load::address(api, "members", addr)?;
                }
                None
            }
        };
        match (&component, concerned) {
            (Some(one), Some(other)) if *one != other => {
                return Err(ContractError::Mismatch {
                    what: "the component of every action",
                    expected: one.clone(),
                    found: other,
                });
            }
            (None, Some(other)) => component = Some(other),
            _ => {}
        }
    }
    Ok(Parsed {
        class: load::class(storage, draft),
        component,
        release: draft.rollout().map(|(release, _)| release.digest()),
        digest: draft.digest()?,
    })
}

/// Refuses a release that can replace neither what the fleet runs nor what it is about to run.
pub(crate) fn check_upgrade(
    storage: &dyn Storage,
    release: &Release,
    component: &Component,
) -> Result<(), ContractError> {
    let digest = release.digest();
    if digest == component.current {
        return Err(ContractError::Taken {
            what: "the current release",
            key: digest.to_string(),
            next: "propose another release",
        });
    }
    let coming = match component.live {
        Some(live) => Some(load::rollout(storage, live)?.version),
        None => None,
    };
    if release.replaces(&component.version) || coming.is_some_and(|coming| release.replaces(&coming)) {
        return Ok(());
    }
    Err(ContractError::Mismatch {
        what: "upgrades_from",
        expected: format!("a list with the current version, {}", component.version),
        found: release.upgrades_from.join(", "),
    })
}

/// The proposer's weight counts as of the end of the block before.
fn check_weight(
    storage: &dyn Storage,
    env: &Env,
    sender: &str,
    row: &ClassRules,
) -> Result<(), ContractError> {
    let weight = state::MEMBERS.may_load_at_height(storage, sender, env.block.height)?.unwrap_or_default();
    if weight >= row.proposer_weight_min {
        return Ok(());
    }
    Err(ContractError::Unauthorized {
        who: sender.to_owned(),
        needs: format!("a weight of at least {}, found {weight}", row.proposer_weight_min),
    })
}

/// Takes exactly the deposit of the class: no other coin, no more, no less (MONEY-1).
fn take_deposit(
    storage: &mut dyn Storage,
    info: &MessageInfo,
    class: Class,
    row: &ClassRules,
) -> Result<(), ContractError> {
    let expected: Vec<Coin> = row.deposit.iter().cloned().collect();
    if info.funds != expected {
        let text = |coins: &[Coin]| match coins {
            [] => "nothing".to_owned(),
            coins => coins.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
        };
        return Err(ContractError::Deposit { class, expected: text(&expected), found: text(&info.funds) });
    }
    if let Some(coin) = &row.deposit {
        let owed = state::LIABILITIES.may_load(storage, &coin.denom)?.unwrap_or_default();
        let owed = owed
            .checked_add(coin.amount)
            .map_err(|_| ContractError::Sum { what: "deposits", max: Uint256::MAX.to_string() })?;
        state::LIABILITIES.save(storage, &coin.denom, &owed)?;
    }
    Ok(())
}
