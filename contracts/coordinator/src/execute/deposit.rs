//! Deposits: pull payments, so that no payee can block anything (MONEY-1: balance covers what is owed).

use concord_schema::ProposalId;
use concord_schema::event::Event;
use concord_schema::proposal::Phase;
use cosmwasm_std::{BankMsg, Coin, DepsMut, Env, MessageInfo, Response, Storage, Uint256};

use crate::error::ContractError;
use crate::load::{self, Case};
use crate::{log, state};

/// Makes the deposit of a proposal that has ended claimable by its proposer, or moves it to the treasury if it was
/// vetoed. What is owed in sum stays: the treasury is owed to the members.
///
/// # Errors
/// [`ContractError::Phase`] before its end.
pub fn settle(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    id: ProposalId,
) -> Result<Response, ContractError> {
    let (storage, now) = (deps.storage, load::now(env));
    let case = Case::load(storage, id, now)?;
    if !case.phase.is_terminal() {
        return Err(case.refused(storage, "settle_deposit", "a terminal phase", now));
    }
    let mut proposal = case.proposal;
    let Some(deposit) = proposal.deposit.take() else {
        return log::unchanged("there is no deposit, or it was settled before");
    };
    let to = if case.phase == Phase::Vetoed {
        let held = state::TREASURY.may_load(storage, &deposit.denom)?.unwrap_or_default();
        let held = sum(held, deposit.amount)?;
        state::TREASURY.save(storage, &deposit.denom, &held)?;
        "treasury"
    } else {
        credit(storage, &proposal.proposer, &deposit)?;
        "refund"
    };
    state::PROPOSALS.save(storage, id.0, &proposal)?;
    let event =
        Event::DepositSettled { proposal: id.to_string(), to: to.to_owned(), amount: deposit.to_string() };
    log::changed(storage, env, info.sender.as_str(), &[event], to)
}

/// Pays out what the sender can claim.
///
/// # Errors
/// Where the store fails.
pub fn claim(deps: DepsMut, env: &Env, info: &MessageInfo) -> Result<Response, ContractError> {
    let (storage, sender) = (deps.storage, info.sender.as_str());
    let Some(coins) = state::CLAIMABLE.may_load(storage, sender)? else {
        return log::unchanged("there is nothing to claim");
    };
    state::CLAIMABLE.remove(storage, sender);
    for coin in &coins {
        let owed = state::LIABILITIES.may_load(storage, &coin.denom)?.unwrap_or_default();
        let owed = owed.checked_sub(coin.amount).map_err(|_| ContractError::Sum {
            what: "claims",
            max: format!("what is owed, {owed}{}", coin.denom),
        })?;
        state::LIABILITIES.save(storage, &coin.denom, &owed)?;
    }
    let amount = coins.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let event = Event::Claimed { amount };
    let payment = BankMsg::Send { to_address: sender.to_owned(), amount: coins };
    Ok(log::changed(storage, env, sender, &[event], "paid")?.add_message(payment))
}

fn sum(one: Uint256, other: Uint256) -> Result<Uint256, ContractError> {
    one.checked_add(other).map_err(|_| ContractError::Sum { what: "deposits", max: Uint256::MAX.to_string() })
}

/// Adds a coin to what an account can claim: one entry a denomination, sorted.
fn credit(storage: &mut dyn Storage, addr: &str, coin: &Coin) -> Result<(), ContractError> {
    let mut coins = state::CLAIMABLE.may_load(storage, addr)?.unwrap_or_default();
    match coins.iter_mut().find(|held| held.denom == coin.denom) {
        Some(held) => held.amount = sum(held.amount, coin.amount)?,
        None => coins.push(coin.clone()),
    }
    coins.sort_by(|one, other| one.denom.cmp(&other.denom));
    Ok(state::CLAIMABLE.save(storage, addr, &coins)?)
}
