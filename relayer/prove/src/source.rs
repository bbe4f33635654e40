//! The port to RPCs, and what is fetched through it.

use std::future::Future;

use tendermint::block::signed_header::SignedHeader;
use tendermint::validator::Set;

use crate::block::{Block, assemble};
use crate::reason::{Reason, demand};
use crate::trust::Root;
use crate::value::{StateKey, verify_value};
use crate::wire::{
    PAGE, Question, Shown, Standing, VALIDATORS_MAX, read_commit, read_status, read_validators, read_value,
    state_gone,
};

/// One RPC of one operator. It carries bytes and judges nothing.
pub trait Source: Send + Sync {
    /// Host and port, for evidence and logs; never a path or a user, which may hold a secret.
    fn label(&self) -> String;

    /// Posts [`Question::body`] and gives back the body of the answer, an error answer of JSON-RPC included.
    ///
    /// # Errors
    /// [`Reason::NoAnswer`] or [`Reason::Oversize`]; implementations bound time and bytes.
    fn ask(&self, question: &Question) -> impl Future<Output = Result<Vec<u8>, Reason>> + Send;
}

async fn answer(source: &impl Source, question: &Question) -> Result<Vec<u8>, Reason> {
    let body = source.ask(question).await?;
    demand(body.len() <= question.bytes_max(), || Reason::Oversize {
        bytes_max: question.bytes_max(),
        bytes: body.len(),
    })?;
    Ok(body)
}

/// A height as CometBFT can hold it.
pub(crate) fn check_height(asked: u64) -> Result<(), Reason> {
    demand(asked > 0 && i64::try_from(asked).is_ok(), || Reason::Height { asked })
}

/// Where a source stands, by its own word.
///
/// # Errors
/// [`Reason`]; another chain and a node that is catching up are refused.
pub async fn standing(source: &impl Source, chain_id: &str) -> Result<Standing, Reason> {
    read_status(&answer(source, &Question::status()).await?, chain_id)
}

/// The header and commit of a height, as the source shows them. Not verified.
///
/// # Errors
/// [`Reason`].
pub async fn signed_header(source: &impl Source, height: u64) -> Result<SignedHeader, Reason> {
    check_height(height)?;
    read_commit(&answer(source, &Question::commit(height)).await?, height)
}

async fn validators(source: &impl Source, height: u64) -> Result<Set, Reason> {
    let mut members = Vec::new();
    let mut total = None;
    for page in 1..=VALIDATORS_MAX / PAGE {
        let found = read_validators(&answer(source, &Question::validators(height, page)).await?, height)?;
        let expected = *total.get_or_insert(found.total);
        let is_last = found.members.len() < PAGE;
        members.extend(found.members);
        let incomplete = Reason::ValidatorsIncomplete { total: expected, found: members.len() };
        // Each page tells the same whole, and only the last one may be short.
        demand(found.total == expected && members.len() <= expected, || incomplete.clone())?;
        if members.len() == expected {
            break;
        }
        demand(!is_last, || incomplete)?;
    }
    assemble(members)
}

/// The light block of a height, as the source shows it: three questions, two where the validators stay the same.
/// Not verified.
///
/// # Errors
/// [`Reason`].
pub async fn light_block(source: &impl Source, height: u64) -> Result<Block, Reason> {
    let signed = signed_header(source, height).await?;
    let current = validators(source, height).await?;
    let next = if signed.header.next_validators_hash == signed.header.validators_hash {
        current.clone()
    } else {
        // The set of the next block is known before that block is.
        validators(source, height.saturating_add(1)).await?
    };
    Ok(Block::new(signed, current, next))
}

/// A key's value in the state that `root` proves; `None` for a proved absence.
///
/// # Errors
/// [`Reason`].
pub async fn read(
    source: &impl Source,
    chain_id: &str,
    key: &StateKey,
    root: &Root,
) -> Result<Option<Vec<u8>>, Reason> {
    let height = root.state_height();
    check_height(height)?;
    let body = answer(source, &key.question(height)).await?;
    match read_value(&body, key.bytes(), height)? {
        Shown::Answer(shown) => verify_value(&shown, key, root),
        Shown::Gone => Err(state_gone(height, &standing(source, chain_id).await?)),
    }
}
