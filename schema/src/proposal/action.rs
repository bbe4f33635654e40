//! Actions: what a proposal does, and which class that needs.

use cosmwasm_std::Uint128;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DraftError;
use crate::brake::Scope;
use crate::keys;
use crate::plan::Plan;
use crate::release::{self, Release, Reversibility};
use crate::rules::Class;
use crate::units::RolloutId;

/// The most members that one action changes.
pub const MEMBER_CHANGES_MAX: usize = 64;

/// A member and its weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Member {
    /// Account.
    pub addr: String,
    /// Weight, above zero.
    pub weight: Uint128,
}

/// What a proposal does when it is executed. A closed set: [`Action::class`] is the one table of what each needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Starts a rollout of a release to its component's fleet.
    StartRollout {
        /// The release, whole.
        release: Box<Release>,
        /// How.
        plan: Box<Plan>,
    },
    /// Ends a rollout before any node activated; after that, halts it.
    CancelRollout {
        /// Which.
        rollout: RolloutId,
    },
    /// Lets a halted rollout go on with the wave that it halted in.
    ResumeRollout {
        /// Which.
        rollout: RolloutId,
    },
    /// Takes a rollout back and denies its release.
    RollBackRollout {
        /// Which.
        rollout: RolloutId,
    },
    /// Lifts the brake.
    LiftBrake {
        /// Where.
        scope: Scope,
    },
    /// Sets and removes voting members.
    ChangeMembers {
        /// New weights.
        set: Vec<Member>,
        /// Accounts that leave.
        remove: Vec<String>,
    },
}

impl Action {
    /// The strictest class that this action needs. `brought`: as [`crate::rollout::Rollout::brought`]. To take back what the whole fleet runs is an upgrade like the one that brought it; to stop one
    /// in motion is not.
    #[must_use]
    pub fn class(&self, brought: impl Fn(RolloutId) -> Option<Reversibility>) -> Class {
        match self {
            Self::StartRollout { release, .. } => release.reversibility.class(),
            Self::RollBackRollout { rollout } => {
                brought(*rollout).map_or(Class::Routine, Reversibility::class)
            }
            Self::ResumeRollout { .. } => Class::Standard,
            Self::CancelRollout { .. } | Self::LiftBrake { .. } => Class::Routine,
            Self::ChangeMembers { .. } => Class::Constitutional,
        }
    }

    /// What it acts on: two actions of one proposal never act on the same.
    pub(super) fn subject(&self) -> String {
        match self {
            Self::StartRollout { release, .. } => format!("a rollout to {}", release.component),
            Self::CancelRollout { rollout }
            | Self::ResumeRollout { rollout }
            | Self::RollBackRollout { rollout } => format!("rollout {rollout}"),
            Self::LiftBrake { scope } => format!("brake {}", keys::scope(scope)),
            // One after the other they may well be meant; the same twice never is.
            Self::ChangeMembers { set, remove } => {
                let set: Vec<&str> = set.iter().map(|member| member.addr.as_str()).collect();
                format!("members {} {}", set.join(","), remove.join(","))
            }
        }
    }

    /// May it run while the brake holds? Only what stops or undoes.
    #[must_use]
    pub fn is_brake_exempt(&self) -> bool {
        match self {
            Self::CancelRollout { .. } | Self::RollBackRollout { .. } | Self::LiftBrake { .. } => true,
            Self::StartRollout { .. } | Self::ResumeRollout { .. } | Self::ChangeMembers { .. } => false,
        }
    }
}

pub(super) fn check_members(set: &[Member], remove: &[String]) -> Result<(), DraftError> {
    let found = set.len().saturating_add(remove.len());
    if !(1..=MEMBER_CHANGES_MAX).contains(&found) {
        return Err(DraftError::Members { found });
    }
    release::distinct(
        "members",
        set.iter().map(|member| member.addr.as_str()).chain(remove.iter().map(String::as_str)),
    )?;
    match set.iter().find(|member| member.weight.is_zero()) {
        Some(member) => Err(DraftError::NoWeight { addr: member.addr.clone() }),
        None => Ok(()),
    }
}
