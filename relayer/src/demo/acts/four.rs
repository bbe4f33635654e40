//! Act four: in the later waves of the same rollout agents are killed, one with its daemon; all end on v4.

use std::time::Duration;

use tokio::time::sleep;

use super::super::error::DemoError;
use super::super::hunt::Strike;
use super::super::judge::{self, Bystander, Killed};
use super::super::report::ActReport;
use super::super::scene::statuses;
use super::super::show::Show;
use super::three::Held;

const TITLE: &str = "killed agents recover, and every node ends on the new release";
/// How long a killed agent stays away.
const AWAY: Duration = Duration::from_millis(500);

pub(super) async fn play(show: &Show, held: Held) -> Result<ActReport, DemoError> {
    let began = show.begin(&format!("act 4: {TITLE}"), 1);
    let Held { rollout, began: rollout_began, mut hunt, serving } = held;
    let mut killed = Killed::default();
    let hunted = hunted(show, &mut hunt, &mut killed);
    let (bystander, hunted) = tokio::join!(kill_serving(show, serving), async {
        // The hunt ends with its last victim, or with the rollout.
        tokio::select! {
            hunted = hunted => hunted?,
            ended = show.ended(rollout) => ended?,
        }
        show.ended(rollout).await
    });
    hunted?;
    let (mut bystander, from_ms) = bystander?;
    drop(hunt);
    show.settle(rollout, &["committed"]).await;
    bystander.pid_after = show.sampler.samples().newest(serving).map(|life| life.process.pid);
    let record = show.client.records().into_iter().nth(serving).unwrap_or_default();
    bystander.outages = record.outages.iter().filter(|outage| outage.began_in(from_ms, u64::MAX)).count();
    killed.serving = Some(bystander);
    let mut facts = show.facts(rollout, 3, &rollout_began).await?;
    // The brake is act three's; the outages of this act are those after it.
    for node in &mut facts.nodes {
        node.outages.retain(|outage| outage.began_in(began.at_ms, u64::MAX));
    }
    let took = facts.to_ms.saturating_sub(began.at_ms);
    Ok(ActReport::new(4, TITLE, took, judge::kills(&facts, &killed), facts.outcomes()))
}

/// Notes what the hunters do, and starts the agents of their victims again.
async fn hunted(
    show: &Show,
    hunt: &mut super::super::hunt::Hunt,
    killed: &mut Killed,
) -> Result<(), DemoError> {
    while let Some(strike) = hunt.strikes.recv().await {
        match strike {
            Strike::Missed { node } => killed.missed.push(show.fleet.place(node)?.node_id.clone()),
            Strike::Hit { node, alone, victim } => {
                let slot = if alone { &mut killed.alone } else { &mut killed.together };
                *slot = Some(victim);
                restart(show, node).await?;
            }
        }
    }
    Ok(())
}

/// Makes sure that an agent is gone, and starts it again after a while.
async fn restart(show: &Show, node: usize) -> Result<(), DemoError> {
    show.fleet.kill(node).await?;
    sleep(AWAY).await;
    show.fleet.start(node)
}

/// Kills the agent of a node that has committed and serves. Answers when that was, too.
async fn kill_serving(show: &Show, node: usize) -> Result<(Bystander, u64), DemoError> {
    let stage = statuses(&show.fleet).await.into_iter().nth(node).flatten().map(|status| status.stage);
    let from_ms = show.stopwatch.now_ms();
    let bystander = Bystander {
        node: show.fleet.place(node)?.node_id.clone(),
        stage: stage.unwrap_or_default(),
        pid_before: show.sampler.samples().newest(node).map(|life| life.process.pid),
        pid_after: None,
        outages: 0,
    };
    restart(show, node).await?;
    Ok((bystander, from_ms))
}
