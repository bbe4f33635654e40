//! Registered nodes, their lots, and the components that they run.

use serde::{Deserialize, Serialize};

use crate::clock::Now;
use crate::digest::{Canonical, Digest};
use crate::plan::Plan;
use crate::release::Release;
use crate::rollout::{Outcome, Rollout};
use crate::units::{BPS_WHOLE, Bps, Height, NodeNo, Power, ProposalId, RolloutId};

/// The most nodes of one operator and component.
pub const NODES_MAX: u32 = 64;

/// Stored facts of a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Component {
    /// Version of these facts.
    pub v: u8,
    /// The release that the fleet runs.
    pub current: Digest,
    /// Its version.
    pub version: String,
    /// The rollout in motion: at most one.
    pub live: Option<RolloutId>,
    /// The newest rollout, live or not.
    pub last: Option<RolloutId>,
    /// Components of one group share the bound on what is down.
    pub group: String,
    /// One more with each rollout: registrations of a later epoch do not count in it.
    pub epoch: u32,
    /// Registered power, with changes that count from the next epoch.
    pub registered: Power,
    /// The largest power of any node, with changes that count from the next epoch.
    pub largest: Power,
}

impl Component {
    /// A component as it is set up: nobody has registered, and nothing is in motion.
    #[must_use]
    pub fn new(current: Digest, version: String, group: String) -> Self {
        Self {
            v: 1,
            current,
            version,
            live: None,
            last: None,
            group,
            epoch: 1,
            registered: Power(0),
            largest: Power(0),
        }
    }

    /// Starts a rollout to a release at `now`: it counts whom is registered, and its seed is of a later block. What
    /// registers from here on counts in the next one.
    pub fn start(
        &mut self,
        id: RolloutId,
        proposal: ProposalId,
        release: &Release,
        plan: &Plan,
        now: Now,
    ) -> Rollout {
        let rollout = Rollout {
            v: 1,
            proposal,
            component: release.component.clone(),
            group: self.group.clone(),
            release: release.digest(),
            version: release.version.clone(),
            previous: self.current,
            previous_version: self.version.clone(),
            reversibility: release.reversibility,
            plan: plan.clone(),
            epoch: self.epoch,
            registered: self.registered,
            draw_from: Height(now.height.0.saturating_add(1)),
        };
        self.epoch = self.epoch.saturating_add(1);
        self.live = Some(id);
        self.last = Some(id);
        rollout
    }

    /// Puts a rollout that has ended in motion again, on its way back.
    pub fn take_back(&mut self, id: RolloutId, rollout: &Rollout) {
        self.go_back(rollout);
        self.live = Some(id);
    }

    fn go_back(&mut self, rollout: &Rollout) {
        self.current = rollout.previous;
        self.version.clone_from(&rollout.previous_version);
    }

    /// What the end of a rollout changes: the component is free, and a completed release is its current one.
    pub fn settle(&mut self, id: RolloutId, rollout: &Rollout, outcome: Outcome) {
        if self.live == Some(id) {
            self.live = None;
        }
        match outcome {
            Outcome::Completed => {
                self.current = rollout.release;
                self.version.clone_from(&rollout.version);
            }
            // One that was taken back after it had completed.
            Outcome::RolledBack if self.current == rollout.release => self.go_back(rollout),
            Outcome::RolledBack | Outcome::Contained | Outcome::Expired | Outcome::Cancelled => {}
        }
    }
}

/// An operator's standing for one component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Operator {
    /// Version of these facts.
    pub v: u8,
    /// Who controls it.
    pub organisation: String,
    /// Power that it may split over its nodes.
    pub power: Power,
    /// What it has split so far.
    pub split: Power,
    /// Registered nodes.
    pub nodes: u32,
}

impl Operator {
    /// An operator that has registered no node.
    #[must_use]
    pub const fn new(organisation: String, power: Power) -> Self {
        Self { v: 1, organisation, power, split: Power(0), nodes: 0 }
    }
}

/// A power that counts from a later epoch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct NextPower {
    /// How much.
    pub power: Power,
    /// From which epoch.
    pub epoch: u32,
}

/// Stored facts of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Node {
    /// Version of these facts.
    pub v: u8,
    /// Its number.
    pub no: NodeNo,
    /// Whose it is; its owner key.
    pub operator: String,
    /// What it runs.
    pub component: String,
    /// Its name, the operator's choice.
    pub node_id: String,
    /// Who controls the operator.
    pub organisation: String,
    /// The key that reports, leases and cranks, and nothing else.
    pub hot_key: String,
    /// Counts from this epoch on.
    pub since: u32,
    /// What it counts for.
    pub power: Power,
    /// What it will count for.
    pub next: Option<NextPower>,
}

impl Node {
    /// Its power in a rollout of this epoch; `None` if it registered later. The one place that answers "what does
    /// this node count for in that snapshot".
    #[must_use]
    pub fn power_at(&self, epoch: u32) -> Option<Power> {
        if self.since > epoch {
            return None;
        }
        Some(self.next.filter(|next| next.epoch <= epoch).map_or(self.power, |next| next.power))
    }

    /// Changes its power: at once where it does not count yet, else from `epoch` on.
    pub fn set_power(&mut self, power: Power, epoch: u32) {
        if let Some(due) = self.next.filter(|next| next.epoch < epoch) {
            self.power = due.power;
        }
        if self.since >= epoch {
            self.power = power;
            self.next = None;
        } else {
            self.next = Some(NextPower { power, epoch });
        }
    }
}

/// The seed of a rollout: from the first block at or after `draw_from`, and nothing that a message chooses. What is
/// left is the proposer of that block.
#[must_use]
pub fn seed(chain_id: &str, contract: &str, rollout: RolloutId, height: u64, time_nanos: u64) -> Digest {
    Canonical::new("concord/seed/1")
        .text(chain_id)
        .text(contract)
        .number(rollout.0)
        .number(height)
        .number(time_nanos)
        .digest()
}

/// A node's draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lot(pub u64);

impl Lot {
    /// First eight bytes of the digest of seed and node.
    #[must_use]
    pub fn draw(seed: &Digest, node: NodeNo) -> Self {
        let digest = Canonical::new("concord/lot/1").bytes(&seed.0).number(node.0).digest();
        let first = digest.0.iter().take(8);
        Self(first.fold(0, |lot, byte| lot << 8 | u64::from(*byte)))
    }

    /// Does it lie below this share of all lots?
    #[must_use]
    pub fn is_below(self, bound: Bps) -> bool {
        (u128::from(self.0) * u128::from(BPS_WHOLE)) >> 64 < u128::from(bound.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lots_at_both_edges() {
        let third = u64::MAX / 10_000 * 3_333;
        for (lot, bound, below) in [
            (0, 1, true),
            (0, 0, false),
            (u64::MAX, 10_000, true),
            (u64::MAX, 9_999, false),
            (third, 3_333, true),
            (third + u64::MAX / 10_000, 3_333, false),
        ] {
            assert_eq!(Lot(lot).is_below(Bps(bound)), below, "{lot} below {bound}");
        }
    }

    #[test]
    fn a_change_of_power_never_touches_the_epoch_that_runs() {
        let mut node = Node {
            v: 1,
            no: NodeNo(1),
            operator: String::new(),
            component: String::new(),
            node_id: String::new(),
            organisation: String::new(),
            hot_key: String::new(),
            since: 3,
            power: Power(10),
            next: None,
        };
        assert_eq!(node.power_at(2), None);
        node.set_power(Power(20), 4);
        assert_eq!((node.power_at(3), node.power_at(4)), (Some(Power(10)), Some(Power(20))));
        node.set_power(Power(30), 4);
        assert_eq!((node.power_at(3), node.power_at(4)), (Some(Power(10)), Some(Power(30))));
        node.set_power(Power(40), 6);
        assert_eq!((node.power_at(5), node.power_at(6)), (Some(Power(30)), Some(Power(40))));
        node.since = 7;
        node.set_power(Power(1), 7);
        assert_eq!((node.power_at(6), node.power_at(7)), (None, Some(Power(1))));
    }
}
