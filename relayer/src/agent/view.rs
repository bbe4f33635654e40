//! What the agent knows of the chain at one height: raw contract keys, all read at the same height, put together to
//! a [`ChainView`]. The rules that are then asked are the contract's own (schema).

use std::collections::BTreeMap;

use concord_decide::{ChainView, RolloutView};
use concord_schema::brake::{Brake, Brakes, Scope};
use concord_schema::node::{Component, Node};
use concord_schema::release::{Release, ReleaseFacts};
use concord_schema::rollout::{Progress, Rollout, Seat};
use concord_schema::{Digest, Height, NodeNo, Now, RolloutId, keys};
use serde::de::DeserializeOwned;

use crate::chain::{Address, Chain, RpcError};

/// The most releases that a viewer remembers.
const RELEASES_MAX: usize = 8;

/// Why there is no view.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// The chain could not be asked.
    #[error("the chain could not be read at height {height}")]
    Rpc {
        /// At which height.
        height: u64,
        /// Why.
        #[source]
        source: RpcError,
    },
    /// A stored fact cannot be read.
    #[error(
        "the fact under key {key} at height {height} is not what this agent knows; the contract may be newer: update the agent"
    )]
    Fact {
        /// Which key, in hex.
        key: String,
        /// At which height.
        height: u64,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// A fact that is always there is absent.
    #[error(
        "expected {what} on chain at height {height}, found none; check contract, component and node in the configuration"
    )]
    Absent {
        /// What.
        what: String,
        /// At which height.
        height: u64,
    },
}

/// Reads views for one node.
#[derive(Debug)]
pub struct Viewer {
    contract: Address,
    operator: String,
    component: String,
    node_id: String,
    /// A release never changes under its digest, so it is read once. At most [`RELEASES_MAX`].
    releases: BTreeMap<Digest, Release>,
    no: Option<NodeNo>,
}

impl Viewer {
    /// A viewer for `(operator, component, node_id)`.
    #[must_use]
    pub fn new(contract: Address, operator: &str, component: &str, node_id: &str) -> Self {
        Self {
            contract,
            operator: operator.to_owned(),
            component: component.to_owned(),
            node_id: node_id.to_owned(),
            releases: BTreeMap::new(),
            no: None,
        }
    }

    async fn fact<T: DeserializeOwned>(
        &self,
        chain: &impl Chain,
        key: &[u8],
        height: u64,
    ) -> Result<Option<T>, ViewError> {
        let raw = chain
            .raw(&self.contract, key, height)
            .await
            .map_err(|source| ViewError::Rpc { height, source })?;
        raw.map(|bytes| {
            serde_json::from_slice(&bytes).map_err(|source| ViewError::Fact {
                key: hex::encode(key),
                height,
                source,
            })
        })
        .transpose()
    }

    async fn present<T: DeserializeOwned>(
        &self,
        chain: &impl Chain,
        what: &str,
        key: &[u8],
        height: u64,
    ) -> Result<T, ViewError> {
        let fact = self.fact(chain, key, height).await?;
        fact.ok_or_else(|| ViewError::Absent { what: what.to_owned(), height })
    }

    /// The component's facts at a height.
    ///
    /// # Errors
    /// [`ViewError`].
    pub async fn component(&self, chain: &impl Chain, height: u64) -> Result<Component, ViewError> {
        let what = format!("component {:?}", self.component);
        self.present(chain, &what, &keys::component(&self.component), height).await
    }

    /// A release's metadata, by its digest. What comes must have that digest.
    ///
    /// # Errors
    /// [`ViewError`].
    pub async fn release(
        &mut self,
        chain: &impl Chain,
        digest: &Digest,
        height: u64,
    ) -> Result<Release, ViewError> {
        if let Some(release) = self.releases.get(digest) {
            return Ok(release.clone());
        }
        let what = format!("release {digest}");
        let release: Release = self.present(chain, &what, &keys::release(digest), height).await?;
        if release.digest() != *digest {
            return Err(ViewError::Absent { what: format!("{what} with that digest"), height });
        }
        if self.releases.len() >= RELEASES_MAX {
            self.releases.pop_first();
        }
        self.releases.insert(*digest, release.clone());
        Ok(release)
    }

    async fn node(&mut self, chain: &impl Chain, height: u64) -> Result<Option<Node>, ViewError> {
        if self.no.is_none() {
            let key = keys::map(
                keys::NODE_NAMES,
                &[self.operator.as_bytes(), self.component.as_bytes(), self.node_id.as_bytes()],
            );
            self.no = self.fact(chain, &key, height).await?;
        }
        match self.no {
            Some(no) => self.fact(chain, &keys::node(no), height).await,
            None => Ok(None),
        }
    }

    /// Everything that the agent's decision rests on, in the state after the block of this height. `tip` is the
    /// newest block known; `own` is the rollout that the node acts in.
    ///
    /// # Errors
    /// [`ViewError`]; then nothing is known, which is neither yes nor no.
    pub async fn view(
        &mut self,
        chain: &impl Chain,
        now: Now,
        tip: Height,
        own: Option<RolloutId>,
    ) -> Result<ChainView, ViewError> {
        let height = now.height.0;
        let node = self.node(chain, height).await?;
        let own_brake = keys::brake(&Scope::Component(self.component.clone()));
        let all_brake = keys::brake(&Scope::All);
        let (component, all, of_component) = tokio::join!(
            self.component(chain, height),
            self.present::<Brake>(chain, "the brake on everything", &all_brake, height),
            self.present::<Brake>(chain, "the component's brake", &own_brake, height),
        );
        let component = component?;
        let brakes = Brakes { all: all?, component: Some(of_component?) };
        let down = self.present(chain, "the group's power", &keys::down(&component.group), height).await?;
        let newest = component.live.or(component.last);
        let rollout = match newest {
            Some(id) => Some(self.rollout(chain, id, node.as_ref(), height).await?),
            None => None,
        };
        let own = match own.filter(|own| Some(*own) != newest) {
            Some(id) => Some(self.rollout(chain, id, node.as_ref(), height).await?),
            None => None,
        };
        Ok(ChainView { now, tip, node, component, rollout, own, down, brakes })
    }

    async fn rollout(
        &mut self,
        chain: &impl Chain,
        id: RolloutId,
        node: Option<&Node>,
        height: u64,
    ) -> Result<RolloutView, ViewError> {
        let (rollout_key, progress_key) = (keys::rollout(id), keys::progress(id));
        let what = format!("rollout {id}");
        let seat_key = node.map(|node| keys::seat(node.no));
        let seat = async {
            match &seat_key {
                // A node has one seat, and it may have taken it along to a newer rollout.
                Some(key) => {
                    let stored = self.fact::<Seat>(chain, key, height).await?;
                    Ok(stored.filter(|seat| seat.rollout == id))
                }
                None => Ok(None),
            }
        };
        let (rollout, progress, seat) = tokio::join!(
            self.present::<Rollout>(chain, &what, &rollout_key, height),
            self.present::<Progress>(chain, &what, &progress_key, height),
            seat,
        );
        let (rollout, progress, seat) = (rollout?, progress?, seat?);
        let standing_key = keys::standing(&rollout.release);
        let standing: ReleaseFacts =
            self.present(chain, "the release's standing", &standing_key, height).await?;
        let release = self.release(chain, &rollout.release.clone(), height).await?;
        Ok(RolloutView { id, rollout, progress, seat, standing: standing.standing, release })
    }
}
