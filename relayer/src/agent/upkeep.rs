//! What is done now and then beside the machine, and decides nothing.

use std::time::Duration;

use concord_schema::query::{ConfigAnswer, QueryMsg};
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use super::book::Book;
use super::error::AgentError;
use super::host::Host;
use crate::causes::told;
use crate::chain::{Address, At, Chain};

/// How often the daemon's output is looked at, and the journal's reserve.
pub(super) const UPKEEP_EVERY: Duration = Duration::from_secs(30);
/// How often the chain is asked again for what it did not answer.
const ASK_AGAIN: Duration = Duration::from_secs(10);

impl Host {
    /// Frees the oldest part of the daemon's output where it grew above its bound, and sets the journal's reserve aside
    /// again once there is space.
    pub(super) fn keep_up(&self, book: &mut Book) {
        if !book.fill_reserve() {
            tracing::warn!(
                "the journal's reserve could not be set aside: the disk is nearly full; free some space"
            );
        }
        let output = self.launch.output.clone();
        drop(tokio::task::spawn_blocking(move || match output.trim() {
            Ok(true) => tracing::info!("the daemon's output grew above its bound: the oldest part is freed"),
            Ok(false) => {}
            Err(error) => tracing::warn!(why = told(&error), "the daemon's output could not be trimmed"),
        }));
    }
}

/// Asks until the chain says whether the deployment's floors are below those of production, and says so once. It goes
/// on for ever, as a part of the agent.
pub(super) async fn say_short_floors(
    chain: &impl Chain,
    contract: &Address,
    floors: &watch::Sender<Option<bool>>,
) -> AgentError {
    loop {
        match ask::<ConfigAnswer>(chain, contract, &QueryMsg::Config {}).await {
            Ok(config) => {
                floors.send_replace(Some(config.short_floors));
                if config.short_floors {
                    tracing::warn!(
                        "short_floors: this deployment lets decisions pass faster than production allows; it is for development or a demo"
                    );
                }
                return std::future::pending().await;
            }
            Err(why) => tracing::debug!(why, "the deployment's settings are not known yet"),
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
}

async fn ask<T: DeserializeOwned>(
    chain: &impl Chain,
    contract: &Address,
    query: &QueryMsg,
) -> Result<T, String> {
    let query = serde_json::to_value(query).map_err(|error| told(&error))?;
    let raw = chain.smart(contract, &query, At::Latest).await.map_err(|error| told(&error))?;
    serde_json::from_slice(&raw).map_err(|error| told(&error))
}
