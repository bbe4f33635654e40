//! Act three: a rollout to v4; guardians pull the brake after wave 0 passed, and release it.

use std::time::Duration;

use concord_schema::RolloutId;

use super::super::error::DemoError;
use super::super::history::{is_of, number};
use super::super::hunt::Hunt;
use super::super::judge::{self, Braked};
use super::super::report::ActReport;
use super::super::show::{Began, ROLLOUT_LONGEST, Show};

const TITLE: &str = "the brake stops a rollout, and its release lets it go on";
/// How long guardians hold the brake: some blocks beyond the wave's activation height, and less than a pull lasts.
const HOLD: Duration = Duration::from_millis(1_800);
/// The longest the brake's release may take to be in a block.
const RELEASE_LONGEST: Duration = Duration::from_secs(3);

/// A rollout in its middle, and the hunters that wait for it to go on.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) rollout: RolloutId,
    pub(super) began: Began,
    pub(super) hunt: Hunt,
    /// A node of the first wave, committed and serving.
    pub(super) serving: usize,
}

pub(super) async fn play(show: &Show) -> Result<(ActReport, Held), DemoError> {
    let began = show.begin(&format!("act 3: {TITLE}"), 1);
    let rollout = show.decide(3).await?;
    let passed = |entries: &[_]| {
        let later = |entry: &&_| is_of(entry, "wave_opened", rollout.0) && number(entry, "wave") > Some(0);
        entries.iter().find(later).map(|entry: &concord_schema::log::Entry| entry.seq)
    };
    let from_seq = show.history.wait("wave 0 to pass", ROLLOUT_LONGEST, passed).await?;
    show.people.brake().await?;
    tokio::time::sleep(HOLD).await;
    let (first, others) = show.nodes_by_wave(rollout).await?;
    let serving = first.first().copied().ok_or_else(|| DemoError::Own {
        what: "rollout",
        reason: "found no node in its first wave".to_owned(),
    })?;
    // The hunters are in place before anything moves again.
    let hunt = Hunt::start(&show.fleet, &others, rollout.0)?;
    show.people.release().await?;
    let released = |entries: &[_]| Braked::read(entries, from_seq);
    // One that ended by itself was never released: that is for the judge to tell.
    let braked = show.history.wait("the brake's release", RELEASE_LONGEST, released).await.ok();
    let facts = show.facts(rollout, 3, &began).await?;
    let took = facts.to_ms.saturating_sub(began.at_ms);
    let report = ActReport::new(3, TITLE, took, judge::brake(&facts, braked.as_ref()), facts.outcomes());
    Ok((report, Held { rollout, began, hunt, serving }))
}
