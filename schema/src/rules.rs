//! Every governance number, with the floors and ceilings that no vote can pass (design 3, "Clocks"). Defaults and
//! ranges: governance note 6.3.

use cosmwasm_std::{Coin, Uint128};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Span;
use crate::digest::{Canonical, Digest};
use crate::tally::Bars;
use crate::units::BPS_WHOLE;

/// How often a proposal may be revised.
pub const REVISIONS_MAX: u8 = 3;
/// How often an execution may fail.
pub const ATTEMPTS_MAX: u8 = 3;
/// The longest span of any kind: 400 days, and blocks of a tenth of a second for as long.
pub const SPAN_CEILING: Span = Span::new(34_560_000, 345_600_000);
/// The longest pull of the brake: three days.
pub const BRAKE_CEILING: Span = Span::new(259_200, 2_592_000);
/// The most auditors or organisations that a class may ask for.
pub const AUDITORS_MAX: u8 = 16;

/// Shortest spans of a deployment, fixed at instantiation; no proposal can lower them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[derive(Eq)]
pub struct Floors {
    /// Of deliberation.
    pub deliberation: Span,
    /// Of voting.
    pub voting_min: Span,
    /// Of the timelock.
    pub timelock: Span,
    /// Of the soak between waves.
    pub soak: Span,
}

/// The floors that a production deployment keeps: an hour of deliberation and voting, six of timelock, ten minutes
/// of soak; blocks counted at one a ten seconds. Anything shorter says `short_floors`.
pub const PRODUCTION_FLOORS: Floors = Floors {
    deliberation: Span::new(3_600, 360),
    voting_min: Span::new(3_600, 360),
    timelock: Span::new(21_600, 2_160),
    soak: Span::new(600, 60),
};

impl Floors {
    /// Is any floor below the production floors? Every client shows it.
    #[must_use]
    pub fn are_short(&self) -> bool {
        !(self.deliberation.covers(&PRODUCTION_FLOORS.deliberation)
            && self.voting_min.covers(&PRODUCTION_FLOORS.voting_min)
            && self.timelock.covers(&PRODUCTION_FLOORS.timelock)
            && self.soak.covers(&PRODUCTION_FLOORS.soak))
    }
}

/// What a proposal touches decides its class; it is computed, never chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[derive(Copy, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Stops or undoes something.
    Routine,
    /// A software upgrade that can be undone.
    Standard,
    /// An upgrade that breaks state or cannot be undone.
    Critical,
    /// Who decides.
    Constitutional,
}

impl Class {
    /// Its letter in storage keys.
    #[must_use]
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Routine => "r",
            Self::Standard => "s",
            Self::Critical => "c",
            Self::Constitutional => "k",
        }
    }
}

/// The rules of one governance class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[derive(Eq)]
pub struct ClassRules {
    /// Time to talk; a revision starts it again.
    pub deliberation: Span,
    /// Time for attestations after it.
    pub validation: Span,
    /// Time for ballots.
    pub voting: Span,
    /// Before this nothing passes early.
    pub voting_min: Span,
    /// Between pass and execution.
    pub timelock: Span,
    /// In which it may be executed.
    pub grace: Span,
    /// The bars of the vote.
    pub bars: Bars,
    /// true: ballots are final and early pass and early reject apply. false: ballots may change and neither does.
    pub early_finish: bool,
    /// Auditors that must attest a release.
    pub auditors_min: u8,
    /// Organisations that they must come from.
    pub organisations_min: u8,
    /// What a proposer deposits.
    pub deposit: Option<Coin>,
    /// Weight that a proposer must have.
    pub proposer_weight_min: Uint128,
}

/// All rules. A proposal pins the whole set by version and hash (RULES-1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[derive(Eq)]
pub struct Rules {
    /// Row of [`Class::Routine`].
    pub routine: ClassRules,
    /// Row of [`Class::Standard`].
    pub standard: ClassRules,
    /// Row of [`Class::Critical`].
    pub critical: ClassRules,
    /// Row of [`Class::Constitutional`].
    pub constitutional: ClassRules,
    /// Between two attempts of an execution.
    pub retry: Span,
    /// The brake that the first guardian pulls.
    pub brake_short: Span,
    /// The brake that k guardians pull, from its beginning.
    pub brake_full: Span,
}

/// Stored facts of the rules in force: what most messages need of them, without a look at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct RulesHead {
    /// Version of these facts.
    pub v: u8,
    /// Their number.
    pub version: u32,
    /// Digest of the whole set.
    pub digest: Digest,
    /// As [`Rules::brake_short`].
    pub brake_short: Span,
    /// As [`Rules::brake_full`].
    pub brake_full: Span,
}

/// A span outside of floor and ceiling.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{what} must be at least {floor_seconds} s and {floor_blocks} blocks and at most {ceiling_seconds} s and {ceiling_blocks} blocks, found {found_seconds} s and {found_blocks} blocks"
)]
pub struct SpanError {
    /// Which span.
    pub what: &'static str,
    /// Floor, seconds.
    pub floor_seconds: u64,
    /// Floor, blocks.
    pub floor_blocks: u64,
    /// Ceiling, seconds.
    pub ceiling_seconds: u64,
    /// Ceiling, blocks.
    pub ceiling_blocks: u64,
    /// Found, seconds.
    pub found_seconds: u64,
    /// Found, blocks.
    pub found_blocks: u64,
}

/// Why rules are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// A span out of bounds.
    #[error("{class:?}: {error}")]
    Span {
        /// Whose row.
        class: Class,
        /// Which span.
        error: SpanError,
    },
    /// A span of the whole set out of bounds.
    #[error("{0}")]
    Common(#[from] SpanError),
    /// A number out of bounds.
    #[error("{class:?}: {what} must be {min} to {max}, found {found}")]
    Number {
        /// Whose row.
        class: Class,
        /// Which number.
        what: &'static str,
        /// At least.
        min: u64,
        /// At most.
        max: u64,
        /// Found.
        found: u64,
    },
}

fn within(what: &'static str, found: &Span, floor: &Span, ceiling: &Span) -> Result<(), SpanError> {
    if found.covers(floor) && ceiling.covers(found) {
        return Ok(());
    }
    Err(SpanError {
        what,
        floor_seconds: floor.seconds.0,
        floor_blocks: floor.blocks.0,
        ceiling_seconds: ceiling.seconds.0,
        ceiling_blocks: ceiling.blocks.0,
        found_seconds: found.seconds.0,
        found_blocks: found.blocks.0,
    })
}

/// Checks a span against a floor and the common ceiling.
///
/// # Errors
/// [`SpanError`].
pub fn bounded(what: &'static str, found: &Span, floor: &Span) -> Result<(), SpanError> {
    within(what, found, floor, &SPAN_CEILING)
}

impl ClassRules {
    fn check(&self, class: Class, floors: &Floors) -> Result<(), RulesError> {
        let instant = Span::new(1, 1);
        for (what, span, floor) in [
            ("deliberation", &self.deliberation, &floors.deliberation),
            ("validation", &self.validation, &instant),
            ("voting_min", &self.voting_min, &floors.voting_min),
            ("voting", &self.voting, &self.voting_min),
            ("timelock", &self.timelock, &floors.timelock),
            ("grace", &self.grace, &instant),
        ] {
            bounded(what, span, floor).map_err(|error| RulesError::Span { class, error })?;
        }
        let bars = &self.bars;
        let threshold = u64::from(bars.threshold_bps.0);
        // A veto line at or above what the threshold leaves would decide nothing.
        let veto_max = BPS_WHOLE.saturating_sub(threshold).saturating_sub(1);
        let veto = bars.veto_bps.map_or((1, 1), |veto| (u64::from(veto.0), veto_max));
        for (what, found, min, max) in [
            ("quorum_bps", u64::from(bars.quorum_bps.0), 2_000, 8_000),
            ("threshold_bps", threshold, 5_000, 9_000),
            ("yes_min_bps", u64::from(bars.yes_min_bps.0), 0, 9_000),
            ("veto_bps", veto.0, 1, veto.1),
            ("veto_floor_bps", u64::from(bars.veto_floor_bps.0), 0, BPS_WHOLE),
            ("auditors_min", self.auditors_min.into(), 0, AUDITORS_MAX.into()),
            ("organisations_min", self.organisations_min.into(), 0, self.auditors_min.into()),
        ] {
            if !(min..=max).contains(&found) {
                return Err(RulesError::Number { class, what, min, max, found });
            }
        }
        Ok(())
    }

    fn write(&self, canonical: Canonical) -> Canonical {
        let span = |canonical: Canonical, span: &Span| canonical.number(span.seconds.0).number(span.blocks.0);
        let canonical =
            [self.deliberation, self.validation, self.voting, self.voting_min, self.timelock, self.grace]
                .iter()
                .fold(canonical, span);
        let bars = &self.bars;
        canonical
            .number(bars.quorum_bps.0.into())
            .number(bars.threshold_bps.0.into())
            .number(bars.yes_min_bps.0.into())
            .number(bars.veto_bps.map_or(u64::MAX, |veto| veto.0.into()))
            .number(bars.veto_floor_bps.0.into())
            .number(self.early_finish.into())
            .number(self.auditors_min.into())
            .number(self.organisations_min.into())
            .text(&self.deposit.as_ref().map_or_else(String::new, ToString::to_string))
            .text(&self.proposer_weight_min.to_string())
    }
}

impl Rules {
    /// What most messages need of them, as version `version`.
    #[must_use]
    pub fn head(&self, version: u32) -> RulesHead {
        RulesHead {
            v: 1,
            version,
            digest: self.digest(),
            brake_short: self.brake_short,
            brake_full: self.brake_full,
        }
    }

    /// The most weight that any class asks of a proposer: with it an account may propose everything.
    #[must_use]
    pub fn proposer_weight_max(&self) -> Uint128 {
        let rows = [&self.routine, &self.standard, &self.critical, &self.constitutional];
        rows.map(|row| row.proposer_weight_min).into_iter().fold(Uint128::zero(), Uint128::max)
    }

    /// The row of a class.
    #[must_use]
    pub fn row(&self, class: Class) -> &ClassRules {
        match class {
            Class::Routine => &self.routine,
            Class::Standard => &self.standard,
            Class::Critical => &self.critical,
            Class::Constitutional => &self.constitutional,
        }
    }

    /// Checks every row against the floors and ceilings.
    ///
    /// # Errors
    /// The first [`RulesError`] found.
    pub fn check(&self, floors: &Floors) -> Result<(), RulesError> {
        for class in [Class::Routine, Class::Standard, Class::Critical, Class::Constitutional] {
            self.row(class).check(class, floors)?;
        }
        bounded("retry", &self.retry, &Span::new(1, 1))?;
        within("brake_short", &self.brake_short, &Span::new(1, 1), &BRAKE_CEILING)?;
        within("brake_full", &self.brake_full, &self.brake_short, &BRAKE_CEILING)?;
        Ok(())
    }

    /// The digest that a proposal pins.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let canonical = [&self.routine, &self.standard, &self.critical, &self.constitutional]
            .iter()
            .fold(Canonical::new("concord/rules/1"), |canonical, row| row.write(canonical));
        [self.retry, self.brake_short, self.brake_full]
            .iter()
            .fold(canonical, |canonical, span| canonical.number(span.seconds.0).number(span.blocks.0))
            .digest()
    }
}
