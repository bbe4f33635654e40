//! Who may send what: one exhaustive table.

use concord_schema::brake::GUARDIANS_MAX;
use concord_schema::msg::ExecuteMsg;
use concord_schema::node::Node;
use concord_schema::units::ProposalId;
use cosmwasm_std::{Env, Storage};

use crate::error::ContractError;
use crate::{load, state};

/// Whose right a message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everyone's.
    Anyone,
    /// A member's, by the weight at the end of the block before.
    Member,
    /// A member's, by the weight in the vote's snapshot. The verb reads that weight, since it counts it.
    Voter,
    /// The proposer's of this proposal.
    Proposer(ProposalId),
    /// An auditor's, by its own transaction.
    Auditor,
    /// Anyone's who carries an auditor's signature. The verb reads the key that it verifies with.
    Signature,
    /// A guardian's.
    Guardian,
    /// An operator's of this component. The verb reads its power, since it splits it.
    Operator(String),
    /// A node's hot key's. The verb reads the node by it ([`hot_key`]).
    HotKey,
}

/// The table.
#[must_use]
pub fn role(msg: &ExecuteMsg) -> Role {
    match msg {
        ExecuteMsg::Propose { .. } => Role::Member,
        ExecuteMsg::Revise { proposal, .. } | ExecuteMsg::Withdraw { proposal } => Role::Proposer(*proposal),
        ExecuteMsg::Attest { signature, .. } => match signature {
            Some(_) => Role::Signature,
            None => Role::Auditor,
        },
        ExecuteMsg::Vote { .. } => Role::Voter,
        ExecuteMsg::Register { component, .. } => Role::Operator(component.clone()),
        ExecuteMsg::Report { .. } | ExecuteMsg::Lease { .. } | ExecuteMsg::ReturnLease { .. } => Role::HotKey,
        ExecuteMsg::Brake { .. } | ExecuteMsg::Release { .. } => Role::Guardian,
        ExecuteMsg::Comment { .. }
        | ExecuteMsg::OpenVote { .. }
        | ExecuteMsg::Execute { .. }
        | ExecuteMsg::SettleDeposit { .. }
        | ExecuteMsg::Claim {}
        | ExecuteMsg::Draw { .. }
        | ExecuteMsg::ExpireLease { .. }
        | ExecuteMsg::Advance { .. } => Role::Anyone,
    }
}

fn refused(who: &str, needs: impl Into<String>) -> ContractError {
    ContractError::Unauthorized { who: who.to_owned(), needs: needs.into() }
}

/// Refuses a sender without the role. Roles whose facts the verb loads anyway are checked there, by the functions
/// below, so that no fact is read twice.
///
/// # Errors
/// [`ContractError::Unauthorized`], and [`ContractError::NotFound`] for an unknown proposal.
pub fn authorize(
    storage: &dyn Storage,
    env: &Env,
    sender: &str,
    msg: &ExecuteMsg,
) -> Result<(), ContractError> {
    match role(msg) {
        Role::Anyone | Role::Voter | Role::Signature | Role::Operator(_) | Role::HotKey => Ok(()),
        Role::Member => {
            let weight = state::MEMBERS.may_load_at_height(storage, sender, env.block.height)?;
            match weight {
                Some(weight) if !weight.is_zero() => Ok(()),
                _ => Err(refused(sender, "a member's weight before this block")),
            }
        }
        Role::Proposer(id) => {
            let proposer = load::proposal(storage, id)?.proposer;
            if proposer == sender {
                Ok(())
            } else {
                Err(refused(sender, format!("the proposer, {proposer}")))
            }
        }
        Role::Auditor => {
            if state::AUDITORS.has(storage, sender) {
                Ok(())
            } else {
                Err(refused(sender, "an auditor, or an auditor's signature"))
            }
        }
        Role::Guardian => guardian(storage, sender).map(|_| ()),
    }
}

/// The sender's place in the guardian list.
///
/// # Errors
/// [`ContractError::Unauthorized`].
pub fn guardian(storage: &dyn Storage, sender: &str) -> Result<u8, ContractError> {
    let guardians = state::GUARDIANS.load(storage)?;
    guardians
        .addrs
        .iter()
        .take(GUARDIANS_MAX)
        .position(|addr| addr == sender)
        .and_then(|place| u8::try_from(place).ok())
        .ok_or_else(|| refused(sender, "a guardian"))
}

/// The node that the sender is the hot key of. A key that was replaced is nobody's.
///
/// # Errors
/// [`ContractError::Unauthorized`].
pub fn hot_key(storage: &dyn Storage, sender: &str) -> Result<Node, ContractError> {
    state::HOT_KEYS
        .may_load(storage, sender)?
        .filter(|node| node.hot_key == sender)
        .ok_or_else(|| refused(sender, "a registered node's hot key"))
}

/// The sender's standing as an operator of a component.
///
/// # Errors
/// [`ContractError::Unauthorized`].
pub fn operator(
    storage: &dyn Storage,
    sender: &str,
    component: &str,
) -> Result<concord_schema::node::Operator, ContractError> {
    state::OPERATORS
        .may_load(storage, (sender, component))?
        .ok_or_else(|| refused(sender, format!("an operator of {component}")))
}
