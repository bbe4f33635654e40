//! What is drawn, gathered: the agents' own words, the contract's, and the client's.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use concord_schema::query::{ProposalAnswer, ProposalsAnswer, QueryMsg, RolloutAnswer, SeatsAnswer};
use concord_schema::{NodeNo, RolloutId};
use futures_util::future::join_all;
use tokio::task::AbortHandle;

use super::client::Client;
use super::draw::{Painter, Picture, Row};
use super::error::DemoError;
use super::fleet::Fleet;
use super::http;
use super::stakeholders::Stakeholders;
use super::stopwatch::{Stopwatch, millis};
use crate::agent::status::Status;

/// From one picture to the next.
const INTERVAL: Duration = Duration::from_millis(150);
/// The longest wait for an agent's own words.
const PATIENCE: Duration = Duration::from_millis(300);

/// A rollout, with the wave of each node.
#[derive(Clone, Debug)]
pub(crate) struct Seats {
    /// The rollout.
    pub(crate) answer: RolloutAnswer,
    /// By the node's place in the fleet.
    pub(crate) waves: Vec<Option<u8>>,
}

/// Reads a rollout and who sits where. `numbers` are the nodes' numbers by their place in the fleet.
///
/// # Errors
/// As [`Stakeholders::ask`].
pub(crate) async fn seats(
    people: &Stakeholders,
    rollout: RolloutId,
    numbers: &[NodeNo],
) -> Result<Seats, DemoError> {
    let answer: RolloutAnswer = people.ask("a rollout", &QueryMsg::Rollout { rollout }).await?;
    let page = QueryMsg::Seats { rollout, after: None, limit: Some(30) };
    let seated: SeatsAnswer = people.ask("its seats", &page).await?;
    let wave = |no: &NodeNo| {
        let seat = seated.seats.iter().find(|seat| seat.node == *no)?;
        answer.rollout.wave_of(&answer.progress, *no, &seat.seat)
    };
    let waves = numbers.iter().map(wave).collect();
    Ok(Seats { answer, waves })
}

/// What each agent says of itself; none where it does not answer.
pub(crate) async fn statuses(fleet: &Fleet) -> Vec<Option<Status>> {
    let asked = fleet.places().iter().map(|place| http::get::<Status>(place.pages(), "/status", PATIENCE));
    join_all(asked).await.into_iter().map(Result::ok).collect()
}

/// What the drawing needs.
#[derive(Clone, Debug)]
pub(crate) struct Sources {
    /// The way to the contract.
    pub(crate) people: Arc<Stakeholders>,
    /// The nodes.
    pub(crate) fleet: Arc<Fleet>,
    /// The client.
    pub(crate) client: Arc<Client>,
    /// The nodes' numbers on chain.
    pub(crate) numbers: Vec<NodeNo>,
    /// The demo's clock.
    pub(crate) stopwatch: Stopwatch,
}

/// The drawing at work; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Scene {
    act: Arc<Mutex<String>>,
    task: AbortHandle,
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Scene {
    /// Starts to draw.
    #[must_use]
    pub(crate) fn start(sources: Sources) -> Self {
        let act = Arc::new(Mutex::new(String::new()));
        let shared = Arc::clone(&act);
        let task = tokio::spawn(async move {
            let mut painter = Painter::new();
            let mut ticks = tokio::time::interval(INTERVAL);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let act = shared.lock().unwrap_or_else(PoisonError::into_inner).clone();
                painter.paint(picture(&sources, act).await);
            }
        });
        Self { act, task: task.abort_handle() }
    }

    /// Says what is shown from here on.
    pub(crate) fn show(&self, act: &str) {
        act.clone_into(&mut self.act.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

async fn picture(sources: &Sources, act: String) -> Picture {
    let (statuses, phase) = tokio::join!(statuses(&sources.fleet), phase(sources));
    let (phase, waves) = phase.unwrap_or_default();
    let records = sources.client.records();
    let places = sources.fleet.places().iter().enumerate();
    let height = statuses.iter().flatten().map(|status| status.tip_height).max().unwrap_or_default();
    let rows = places.map(|(at, place)| {
        let status = statuses.get(at).and_then(Option::as_ref);
        let record = records.get(at);
        Row {
            node: place.node_id.clone(),
            wave: waves.get(at).copied().flatten(),
            stage: status.map_or_else(|| "no agent".to_owned(), |status| status.stage.clone()),
            version: record.map(|record| record.version.clone()).unwrap_or_default(),
            is_silent: record
                .and_then(|record| record.outages.last())
                .is_some_and(|last| last.to_ms.is_none()),
            waiting_on: status.map(|status| status.sentence.clone()).unwrap_or_default(),
        }
    });
    Picture { elapsed_ms: millis(sources.stopwatch.elapsed()), height, act, phase, rows: rows.collect() }
}

/// Where the newest proposal is, or the rollout that it started, and the nodes' waves in that.
async fn phase(sources: &Sources) -> Option<(String, Vec<Option<u8>>)> {
    let people = &sources.people;
    let newest = QueryMsg::Proposals { before: None, limit: Some(1) };
    let page: ProposalsAnswer = people.ask("the newest proposal", &newest).await.ok()?;
    let line = page.proposals.into_iter().next()?;
    if let Some(rollout) = line.proposal.rollout {
        let seats = seats(people, rollout, &sources.numbers).await.ok()?;
        let phase = crate::cli::output::words(&seats.answer.phase);
        let text = format!("rollout {rollout}: {phase}; waits on {}", seats.answer.waiting_on);
        return Some((text, seats.waves));
    }
    let query = QueryMsg::Proposal { proposal: line.id };
    let answer: ProposalAnswer = people.ask("a proposal", &query).await.ok()?;
    let phase = crate::cli::output::words(&answer.phase);
    Some((format!("proposal {}: {phase}; waits on {}", line.id, answer.waiting_on), Vec::new()))
}
