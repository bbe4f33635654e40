//! Transactions of a person's key that go to no coordinator: uploads, instantiations, fee grants.

use cosmrs::Any;

use super::error::CliError;
use super::keys;
use super::output::Screen;
use super::passphrase::Passphrases;
use crate::chain::send::{Outcome, Sender};
use crate::chain::{Included, Rpc};
use crate::config::Layers;

/// Rounds over all endpoints before a person is told that nobody answers.
const TRIES_MAX: u32 = 2;

/// A client of the configured chain, whatever contracts are on it.
///
/// # Errors
/// [`CliError`]: the configuration.
pub fn rpc(layers: &Layers) -> Result<Rpc, CliError> {
    layers.way()?.client(TRIES_MAX).map_err(|error| CliError::Usage(error.to_string()))
}

/// The configured key as a sender. `prefix` is the chain's address prefix.
///
/// # Errors
/// [`CliError`]: no key is named, its file is refused, or nobody set a gas price.
pub fn sender(layers: &Layers, rpc: &Rpc, prefix: &str) -> Result<Sender, CliError> {
    let gas = layers.gas()?;
    let key = keys::load(&layers.key()?, &Passphrases::of(layers)?)?;
    Ok(Sender::new(rpc.clone(), key, prefix, gas.pricing)?)
}

/// Sends messages in one transaction and waits for its block.
///
/// # Errors
/// [`CliError`]: refused, expired, or without a known outcome.
pub async fn settle(
    sender: &Sender,
    messages: &[Any],
    screen: Screen,
    what: &str,
) -> Result<Included, CliError> {
    let wait = screen.wait(what);
    let outcome = sender.send_any(messages).await?;
    drop(wait);
    match outcome {
        Outcome::Included(included) => Ok(included),
        Outcome::Expired => Err(CliError::Expired),
        Outcome::Refused(refused) => Err(CliError::Refused(refused)),
    }
}
