//! The draw: the seed of a rollout, from a block that no message chooses (design 4, "Seed").

use super::{Drawn, Outcome, Progress, Rollout, RolloutPhase, Seat};
use crate::brake::Brakes;
use crate::clock::Now;
use crate::digest::Digest;
use crate::node::{self, Lot};
use crate::units::{Height, NodeNo, Power, RolloutId};

/// Why nothing is drawn.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DrawRefused {
    /// The block that may be the seed has not come.
    #[error("the seed may be drawn from height {from} on, this is height {found}; try again then")]
    Early {
        /// The first that may.
        from: Height,
        /// This block.
        found: Height,
    },
    /// It ended before.
    #[error("the rollout ended {outcome:?} before its draw")]
    Ended {
        /// How.
        outcome: Outcome,
    },
}

impl Rollout {
    /// Fixes the seed by the block that asks; `time_nanos` is its time. Drawn before: nothing changes, and the
    /// answer is `None`.
    ///
    /// # Errors
    /// [`DrawRefused`].
    #[expect(clippy::too_many_arguments, reason = "each goes into the seed or decides when it may be drawn")]
    pub fn draw(
        &self,
        progress: &mut Progress,
        chain_id: &str,
        contract: &str,
        id: RolloutId,
        time_nanos: u64,
        brakes: &Brakes,
        now: Now,
    ) -> Result<Option<Digest>, DrawRefused> {
        if progress.drawn.is_some() {
            return Ok(None);
        }
        if let RolloutPhase::Ended(outcome) = self.phase(progress, brakes, now) {
            return Err(DrawRefused::Ended { outcome });
        }
        if now.height < self.draw_from {
            return Err(DrawRefused::Early { from: self.draw_from, found: now.height });
        }
        let seed = node::seed(chain_id, contract, id, now.height.0, time_nanos);
        progress.drawn = Some(Drawn { seed, from: brakes.clock(now) });
        Ok(Some(seed))
    }
}

impl Progress {
    /// How a node's report changes the index of who could be a canary: nodes that are ready for a later wave than the
    /// first, by lot, until a wave opens. `Some((lot, Some(wave)))` puts it in, `Some((lot, None))` takes it out.
    #[must_use]
    pub fn listing(
        &self,
        node: NodeNo,
        before: Option<&Seat>,
        after: Option<&Seat>,
    ) -> Option<(Lot, Option<u8>)> {
        let (Some(drawn), None) = (self.drawn, &self.open) else {
            return None;
        };
        // One that counts for nothing, or is not there yet, would be no canary.
        let could = |seat: &&Seat| seat.power > Power(0) && seat.deferred.is_none();
        let later =
            |seat: Option<&Seat>| seat.filter(could).and_then(|seat| seat.wave).filter(|wave| *wave > 0);
        match (later(before), later(after)) {
            (Some(_), None) => Some((Lot::draw(&drawn.seed, node), None)),
            (None, Some(wave)) => Some((Lot::draw(&drawn.seed, node), Some(wave))),
            (None, None) | (Some(_), Some(_)) => None,
        }
    }
}

/// A digest in base64: a third shorter, where it is written with every report.
pub(super) mod base64 {
    use cosmwasm_std::Binary;
    use serde::{Deserialize, Deserializer, Serializer, de};

    use crate::digest::Digest;

    pub(in crate::rollout) fn serialize<S: Serializer>(digest: &Digest, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&Binary::new(digest.0.to_vec()).to_base64())
    }

    pub(in crate::rollout) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Digest, D::Error> {
        let bytes = Binary::from_base64(&String::deserialize(from)?).map_err(de::Error::custom)?;
        bytes.to_array().map(Digest).map_err(de::Error::custom)
    }
}
