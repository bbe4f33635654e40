//! Would a message be taken? The entry point itself answers, over a store that forgets its writes: the same table
//! of rights and the same verbs, so the answer can never differ from theirs.

use concord_schema::msg::{Done, ExecuteMsg};
use concord_schema::query::CanIAnswer;
use cosmwasm_std::{Coin, Deps, DepsMut, Env, MessageInfo, from_json};

use crate::error::ContractError;
use crate::execute::overlay::Overlay;
use crate::{contract, load, state};

/// A message that would be taken and change nothing says why in `why`.
pub(super) fn can_i(deps: Deps, env: &Env, addr: &str, msg: ExecuteMsg) -> Result<CanIAnswer, ContractError> {
    let sender = match deps.api.addr_validate(addr) {
        Ok(sender) => sender,
        Err(_) => {
            let error = load::address(deps.api, "addr", addr).err();
            return Ok(CanIAnswer { allowed: false, why: error.map(|error| error.to_string()) });
        }
    };
    let info = MessageInfo { sender, funds: deposit(deps, &msg)? };
    let mut overlay = Overlay::new(deps.storage);
    let over = DepsMut { storage: &mut overlay, api: deps.api, querier: deps.querier };
    Ok(match contract::execute(over, env.clone(), info, msg) {
        Err(error) => CanIAnswer { allowed: false, why: Some(error.to_string()) },
        Ok(response) => {
            let done = response.data.and_then(|data| from_json::<Done>(&data).ok());
            CanIAnswer { allowed: true, why: done.filter(|done| !done.changed).map(|done| done.what) }
        }
    })
}

/// A proposal comes with its class's deposit; that the sender has it is the bank's question.
fn deposit(deps: Deps, msg: &ExecuteMsg) -> Result<Vec<Coin>, ContractError> {
    let ExecuteMsg::Propose { draft } = msg else {
        return Ok(Vec::new());
    };
    let version = state::RULES_HEAD.load(deps.storage)?.version;
    let class = load::class(deps.storage, draft).letter();
    Ok(state::RULES.load(deps.storage, (version, class))?.deposit.into_iter().collect())
}
