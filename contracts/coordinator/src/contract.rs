//! Entry points: authorize, call one verb. [`crate::door`] parses before them.

use concord_schema::msg::{ExecuteMsg, InstantiateMsg};
use concord_schema::query::QueryMsg;
use cosmwasm_std::{Binary, Deps, DepsMut, Env, MessageInfo, Response};
use cw_utils::nonpayable;

use crate::error::ContractError;
use crate::{auth, execute, query};

/// The contract's name, as `cw2` stores it.
pub const NAME: &str = "crates.io:concord-coordinator";
/// Its version, likewise.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Sets up a deployment.
///
/// # Errors
/// [`ContractError`] for the first setting that is out of bounds.
pub fn instantiate(
    deps: DepsMut,
    env: Env,
    info: MessageInfo,
    msg: InstantiateMsg,
) -> Result<Response, ContractError> {
    nonpayable(&info)?;
    cw2::set_contract_version(deps.storage, NAME, VERSION)?;
    execute::instantiate::instantiate(deps, &env, &info, msg)
}

/// Takes a message.
///
/// # Errors
/// [`ContractError`]; nothing is changed then.
pub fn execute(
    deps: DepsMut,
    env: Env,
    info: MessageInfo,
    msg: ExecuteMsg,
) -> Result<Response, ContractError> {
    if !matches!(msg, ExecuteMsg::Propose { .. }) {
        nonpayable(&info)?;
    }
    auth::authorize(deps.storage, &env, info.sender.as_str(), &msg)?;
    let (env, info) = (&env, &info);
    match msg {
        ExecuteMsg::Propose { draft } => execute::propose::propose(deps, env, info, *draft),
        ExecuteMsg::Revise { proposal, draft } => execute::revise::revise(deps, env, info, proposal, *draft),
        ExecuteMsg::Withdraw { proposal } => execute::withdraw::withdraw(deps, env, info, proposal),
        ExecuteMsg::Comment { proposal, document } => {
            execute::comment::comment(deps, env, info, proposal, &document)
        }
        ExecuteMsg::Attest { statement, signature } => {
            execute::attest::attest(deps, env, info, statement, signature)
        }
        ExecuteMsg::OpenVote { proposal } => execute::open_vote::open_vote(deps, env, info, proposal),
        ExecuteMsg::Vote { proposal, ballot, expect_digest, rationale } => {
            execute::vote::vote(deps, env, info, proposal, ballot, &expect_digest, rationale.as_ref())
        }
        ExecuteMsg::Execute { proposal } => execute::execute::execute(deps, env, info, proposal),
        ExecuteMsg::SettleDeposit { proposal } => execute::deposit::settle(deps, env, info, proposal),
        ExecuteMsg::Claim {} => execute::deposit::claim(deps, env, info),
        ExecuteMsg::Register { component, node_id, power, hot_key } => {
            execute::register::register(deps, env, info, component, node_id, power, hot_key)
        }
        ExecuteMsg::Draw { rollout } => execute::draw::draw(deps, env, info, rollout),
        ExecuteMsg::Report { rollout, report } => execute::report::report(deps, env, info, rollout, report),
        ExecuteMsg::Lease { rollout, purpose } => execute::lease::lease(deps, env, info, rollout, purpose),
        ExecuteMsg::ReturnLease { rollout, attempt } => {
            execute::lease::return_lease(deps, env, info, rollout, attempt)
        }
        ExecuteMsg::ExpireLease { rollout, node } => {
            execute::lease::expire_lease(deps, env, info, rollout, node)
        }
        ExecuteMsg::Advance { rollout } => execute::advance::advance(deps, env, info, rollout),
        ExecuteMsg::Brake { scope } => execute::brake::brake(deps, env, info, scope),
        ExecuteMsg::Release { scope } => execute::brake::release(deps, env, info, scope),
    }
}

/// Answers a query.
///
/// # Errors
/// [`ContractError::NotFound`] for a subject that is not there.
pub fn query(deps: Deps, env: Env, msg: QueryMsg) -> Result<Binary, ContractError> {
    query::query(deps, &env, msg)
}
