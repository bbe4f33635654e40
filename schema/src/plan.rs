//! The plan: the immutable "how" of an upgrade (design 4).

use crate::clock::Span;
use crate::rules::{self, Floors, SpanError};
use crate::units::{BPS_WHOLE, Blocks, Bps, Power};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most waves of a plan.
pub const WAVES_MAX: usize = 16;
/// The most blocks between the opening of a wave and its activation height: a week of one-second blocks.
pub const NOTICE_BLOCKS_MAX: u64 = 604_800;

/// How the fleet switches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[derive(Copy, Eq)]
pub enum Method {
    /// Node by node under leases, while the rest serves.
    Rolling,
}

/// One step of a rollout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Wave {
    /// Nodes whose lot lies below this share of all lots (cumulative) belong to this wave or an earlier one.
    pub lot_bps: Bps,
    /// The most power in this wave, as a share of the registered power. The last wave has no cap.
    pub power_max_bps: Option<Bps>,
    /// Healthy power of the wave's assigned power that opens the gate.
    pub healthy_bps: Bps,
    /// How long the gate must stay open before the next wave.
    pub soak: Span,
    /// From opening until the wave counts as stalled.
    pub deadline: Span,
}

/// How long a node tries a release before it commits. Operators may only lengthen it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Trial {
    /// Length on both clocks.
    pub span: Span,
    /// Time between two probes in milliseconds.
    pub probe_interval_ms: u64,
}

/// What happens when a failure bar is crossed by two organisations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[derive(Copy, Eq)]
pub enum OnFailure {
    /// Stop and wait for a vote.
    Halt,
    /// Go back by itself.
    RollBack,
}

/// When a rollout has failed, and what then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Failure {
    /// Failed power of a wave's assigned power: crossed when exceeded.
    pub wave_bps: Bps,
    /// Failed power of the registered power over the whole rollout: crossed when exceeded.
    pub rollout_bps: Bps,
    /// The policy.
    pub on_crossed: OnFailure,
    /// How long a halted rollout waits for a vote.
    pub halted: Span,
    /// How long going back may take before the rest is recorded as unaccounted.
    pub rolling_back: Span,
}

/// The immutable "how" of an upgrade.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Plan {
    /// How the fleet switches.
    pub method: Method,
    /// Ready power of the registered power that starts the rollout.
    pub ready_bps: Bps,
    /// The window in which the fleet gets ready.
    pub preparation: Span,
    /// The one extension of that window.
    pub postponement: Span,
    /// Blocks between the opening of a wave and its earliest activation height.
    pub notice_blocks: Blocks,
    /// The waves, first one first.
    pub waves: Vec<Wave>,
    /// How long a lease is good for.
    pub lease: Span,
    /// The most power that is down by lease, as a share of the registered power.
    pub lease_bps: Bps,
    /// One node at a time, whatever its power.
    pub one_at_a_time: bool,
    /// The trial of each node.
    pub trial: Trial,
    /// Failure bars and policy.
    pub failure: Failure,
}

/// Why a plan is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Number of waves.
    #[error("a plan has 1 to {WAVES_MAX} waves, found {found}")]
    Waves {
        /// Found.
        found: usize,
    },
    /// Lot bounds must rise to the whole.
    #[error("lot bounds must rise and the last must be {BPS_WHOLE}; wave {wave} has {found}")]
    Lots {
        /// The wave.
        wave: usize,
        /// Its bound.
        found: u16,
    },
    /// The last wave takes all that is left.
    #[error("the last wave must have no power cap, found {found} bps")]
    LastCap {
        /// Its cap.
        found: u16,
    },
    /// A share out of bounds.
    #[error("{what} must be {min} to {BPS_WHOLE} bps, found {found}")]
    Share {
        /// Which share.
        what: &'static str,
        /// At least.
        min: u16,
        /// Found.
        found: u16,
    },
    /// A span out of bounds.
    #[error("{0}")]
    Span(#[from] SpanError),
    /// Probes that are too fast or too slow.
    #[error("probe interval must be 10 to 600000 ms, found {found}")]
    Probes {
        /// Found.
        found: u64,
    },
    /// Too long a notice.
    #[error("notice must be 1 to {NOTICE_BLOCKS_MAX} blocks, found {found}")]
    Notice {
        /// Found.
        found: u64,
    },
    /// A wave that would stall whatever its nodes do.
    #[error(
        "wave {wave} has {seconds} s and {blocks} blocks until its deadline; the notice and the trial alone take {seconds_min} s and {blocks_min} blocks"
    )]
    Deadline {
        /// The wave.
        wave: usize,
        /// Its seconds.
        seconds: u64,
        /// Its blocks.
        blocks: u64,
        /// Needed.
        seconds_min: u64,
        /// Needed.
        blocks_min: u64,
    },
    /// A node that could never get a lease.
    #[error(
        "a node holds {largest} of {registered} registered power, more than the lease bound of {lease_bps} bps: it could never switch; say one_at_a_time or raise the bound"
    )]
    Blocked {
        /// The largest node.
        largest: Power,
        /// All.
        registered: Power,
        /// The bound.
        lease_bps: u16,
    },
}

fn share(what: &'static str, found: Bps, min: u16) -> Result<(), PlanError> {
    if (u64::from(min)..=BPS_WHOLE).contains(&u64::from(found.0)) {
        Ok(())
    } else {
        Err(PlanError::Share { what, min, found: found.0 })
    }
}

impl Plan {
    /// Checks every bound against the deployment's floors and the compiled ceilings.
    ///
    /// # Errors
    /// The first [`PlanError`] found.
    pub fn check(&self, floors: &Floors) -> Result<(), PlanError> {
        self.check_waves(floors)?;
        share("ready_bps", self.ready_bps, 1)?;
        share("lease_bps", self.lease_bps, 1)?;
        share("failure.wave_bps", self.failure.wave_bps, 0)?;
        share("failure.rollout_bps", self.failure.rollout_bps, 0)?;
        rules::bounded("preparation", &self.preparation, &Span::new(1, 1))?;
        rules::bounded("postponement", &self.postponement, &Span::default())?;
        rules::bounded("lease", &self.lease, &Span::new(1, 1))?;
        rules::bounded("trial", &self.trial.span, &Span::new(1, 1))?;
        rules::bounded("halted", &self.failure.halted, &Span::new(1, 1))?;
        rules::bounded("rolling_back", &self.failure.rolling_back, &Span::new(1, 1))?;
        if !(10..=600_000).contains(&self.trial.probe_interval_ms) {
            return Err(PlanError::Probes { found: self.trial.probe_interval_ms });
        }
        if !(1..=NOTICE_BLOCKS_MAX).contains(&self.notice_blocks.0) {
            return Err(PlanError::Notice { found: self.notice_blocks.0 });
        }
        self.check_deadlines()
    }

    /// A wave's first node stops at its height at the earliest, and is healthy after its trial at the earliest.
    fn check_deadlines(&self) -> Result<(), PlanError> {
        let needed = self.trial.span.plus(&Span::new(0, self.notice_blocks.0));
        for (wave, Wave { deadline, .. }) in self.waves.iter().enumerate() {
            // A deadline is over when both clocks are, so one that is long enough may do.
            if deadline.seconds < needed.seconds && deadline.blocks < needed.blocks {
                return Err(PlanError::Deadline {
                    wave,
                    seconds: deadline.seconds.0,
                    blocks: deadline.blocks.0,
                    seconds_min: needed.seconds.0,
                    blocks_min: needed.blocks.0,
                });
            }
        }
        Ok(())
    }

    fn check_waves(&self, floors: &Floors) -> Result<(), PlanError> {
        if !(1..=WAVES_MAX).contains(&self.waves.len()) {
            return Err(PlanError::Waves { found: self.waves.len() });
        }
        let mut below = 0u16;
        for (index, wave) in self.waves.iter().enumerate() {
            let last = index + 1 == self.waves.len();
            let whole = u64::from(wave.lot_bps.0) == BPS_WHOLE;
            if wave.lot_bps.0 <= below || u64::from(wave.lot_bps.0) > BPS_WHOLE || last != whole {
                return Err(PlanError::Lots { wave: index, found: wave.lot_bps.0 });
            }
            below = wave.lot_bps.0;
            match wave.power_max_bps {
                Some(cap) if last => return Err(PlanError::LastCap { found: cap.0 }),
                Some(cap) => share("power_max_bps", cap, 1)?,
                None => {}
            }
            share("healthy_bps", wave.healthy_bps, 1)?;
            rules::bounded("soak", &wave.soak, &floors.soak)?;
            rules::bounded("wave deadline", &wave.deadline, &Span::new(1, 1))?;
        }
        Ok(())
    }

    /// Refuses a plan that the largest node's power would block (design 4, "Activation").
    ///
    /// # Errors
    /// [`PlanError::Blocked`].
    pub fn check_fleet(&self, largest: Power, registered: Power) -> Result<(), PlanError> {
        if !self.one_at_a_time && self.lease_bps.exceeded_by(largest, registered) {
            return Err(PlanError::Blocked { largest, registered, lease_bps: self.lease_bps.0 });
        }
        Ok(())
    }

    /// May `power` go down beside `down`, of `registered`? NODE-3: at most max(bound, one node's power) is down. Both
    /// count a node without power as one ([`crate::rollout::Seat::absence`]).
    #[must_use]
    pub fn lease_fits(&self, down: Power, power: Power, registered: Power) -> bool {
        if self.one_at_a_time {
            down == Power(0)
        } else {
            !self.lease_bps.exceeded_by(down.plus(power), registered)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::sample_plan;

    /// A wave that is over before its first node could be healthy, whatever the chain's pace, is refused.
    #[test]
    fn a_wave_has_time_for_the_notice_and_one_trial() {
        let floors = Floors { soak: Span::default(), ..rules::PRODUCTION_FLOORS };
        let mut plan = sample_plan();
        plan.notice_blocks = Blocks(7);
        plan.trial.span = Span::new(30, 5);
        for (deadline, is_long_enough) in [
            (Span::new(30, 12), true),
            (Span::new(29, 12), true),
            (Span::new(30, 11), true),
            (Span::new(29, 11), false),
        ] {
            plan.waves[1].deadline = deadline;
            let expected = if is_long_enough {
                Ok(())
            } else {
                Err(PlanError::Deadline {
                    wave: 1,
                    seconds: deadline.seconds.0,
                    blocks: deadline.blocks.0,
                    seconds_min: 30,
                    blocks_min: 12,
                })
            };
            assert_eq!(plan.check(&floors), expected, "{deadline:?}");
        }
    }
}
