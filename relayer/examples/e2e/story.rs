//! The plot: a chain comes up, its validators go over to agents, and the chain upgrades itself.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::chain::Chain;
use super::deployment::Programs;
use super::error::{StoryError, step};
use super::judge::{BlockTime, Facts, Finding, Line, Told};
use super::people::People;
use super::settings::{Settings, VALIDATORS, now_ms};
use super::validators::Validators;
use super::witness::Witness;

/// The longest that the upgrade may take.
const UPGRADE_LONGEST: Duration = Duration::from_secs(120);
/// Blocks before the upgrade, to compare with.
const CALM_BLOCKS: u64 = 15;

/// What came of a story.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    story: &'static str,
    mode: &'static str,
    /// Whether all came as it must.
    pub(crate) as_expected: bool,
    validators: Vec<Line>,
    block_time_before: BlockTime,
    block_time_during: BlockTime,
    double_signs: usize,
    upgrade_heights: [u64; 2],
    seconds: Value,
    /// What was expected and what came.
    pub(crate) findings: Vec<Finding>,
}

/// Tells a story. Whoever calls ends what it started, whatever comes of it.
///
/// # Errors
/// [`StoryError`] where it does not come to its end.
pub(crate) async fn tell(settings: &Settings, validators: &mut Validators<'_>) -> Result<Report, StoryError> {
    let began = Instant::now();
    let programs = Programs::read(settings)?;
    let (people, chain) = raise(settings, &programs).await?;
    let witness = Witness::start(settings)?;
    validators.adopt(&people, &programs, &chain).await?;
    for node in 0..VALIDATORS {
        validators.hand_over(node, &chain).await?;
        note(began, &format!("validator {node} is under its agent"));
    }
    let raised = began.elapsed();
    let file = settings.dir.join("proposal.json");
    std::fs::write(&file, programs.proposal().to_string()).map_err(step("write the proposal"))?;
    let from = people.decide(&file).await?;
    let from_ms = now_ms();
    note(began, &format!("decided: block {from} starts the rollout"));
    let outcome = upgraded(settings, validators, &people, began).await?;
    let ended = began.elapsed();
    let to = settle(&chain).await?;
    let facts = Facts {
        story: settings.story,
        before: programs.before.digest,
        after: programs.after.digest,
        victim: programs.victim().zip(programs.bad.as_ref().map(|bad| bad.digest)),
        outcome,
        told: told(validators).await?,
        seen: witness.seen(),
        from_ms,
        calm: chain.blocks(from.saturating_sub(CALM_BLOCKS), from.saturating_sub(1)).await?,
        blocks: chain.blocks(from, to).await?,
        forks: chain.hashes(to).await?.len(),
    };
    let findings = facts.judge();
    std::fs::write(settings.dir.join("facts.txt"), format!("{facts:#?}")).map_err(step("write the facts"))?;
    Ok(Report {
        story: settings.story.name(),
        mode: settings.mode.name(),
        as_expected: findings.iter().all(|finding| finding.as_expected),
        validators: facts.lines(),
        block_time_before: BlockTime::of(&facts.calm),
        block_time_during: BlockTime::of(&facts.blocks),
        double_signs: facts.double_signs(),
        upgrade_heights: [from, to],
        seconds: json!({"until_agents": raised.as_secs(), "until_upgraded": ended.as_secs()}),
        findings,
    })
}

/// A chain of four validators with the coordinator of their own program.
async fn raise<'s>(settings: &'s Settings, programs: &Programs) -> Result<(People<'s>, Chain), StoryError> {
    let began = Instant::now();
    let port = settings.base_port.to_string();
    Validators::localnet(settings, &["up", "--validators", "4", "--base-port", &port, "--no-deploy"]).await?;
    note(began, "four validators make blocks");
    let mut people = People::enter(settings)?;
    let file = settings.dir.join("instantiate.json");
    let msg = programs.instantiate(&people, &settings.genesis)?;
    std::fs::write(&file, msg.to_string()).map_err(step("write the instantiate message"))?;
    let (file, wasm) = (file.display().to_string(), settings.wasm.display().to_string());
    Validators::localnet(settings, &["up", "--instantiate", &file, "--wasm", &wasm]).await?;
    let text = std::fs::read(settings.net().join("net.json")).map_err(step("read the net"))?;
    let net: Value = serde_json::from_slice(&text).map_err(step("read the net"))?;
    let address = net.pointer("/coordinator/address").and_then(Value::as_str).unwrap_or_default();
    people.contract = address.to_owned();
    note(began, "the coordinator is deployed");
    Ok((people, Chain::new(settings)?))
}

/// Waits until the rollout is over and every agent is at rest; how it ended.
async fn upgraded(
    settings: &Settings,
    validators: &mut Validators<'_>,
    people: &People<'_>,
    began: Instant,
) -> Result<String, StoryError> {
    let since = Instant::now();
    let mut stages = vec![String::new(); VALIDATORS];
    loop {
        validators.check()?;
        for (node, known) in stages.iter_mut().enumerate() {
            if let Ok(status) = validators.status(node).await
                && *known != status.stage
            {
                note(began, &format!("validator {node} {} at {}", status.stage, status.verified_height));
                known.clone_from(&status.stage);
            }
        }
        let at_rest =
            stages.iter().all(|stage| matches!(stage.as_str(), "committed" | "rolled_back" | "contained"));
        if at_rest {
            let answer = people.does("member-1", &["status"]).await?;
            let outcome = answer.pointer("/status/rollouts/0/phase/ended").and_then(Value::as_str);
            if let Some(outcome) = outcome {
                return Ok(outcome.to_owned());
            }
        }
        if since.elapsed() >= UPGRADE_LONGEST {
            let found = validators.sentences().await.to_string();
            let what = format!("the end of the {} upgrade", settings.story.name());
            return Err(StoryError::Late { what, seconds: UPGRADE_LONGEST.as_secs(), found });
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Waits for a few blocks more, all of whose commits can be read from all validators.
async fn settle(chain: &Chain) -> Result<u64, StoryError> {
    let to = chain.height(0).await?.saturating_add(2);
    let began = Instant::now();
    loop {
        let mut lowest = u64::MAX;
        for node in 0..VALIDATORS {
            lowest = lowest.min(chain.height(node).await?);
        }
        if lowest > to {
            return Ok(to);
        }
        if began.elapsed() >= Duration::from_secs(20) {
            let what = format!("block {to} on all validators");
            return Err(StoryError::Late { what, seconds: 20, found: lowest.to_string() });
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn told(validators: &Validators<'_>) -> Result<[Told; VALIDATORS], StoryError> {
    let mut told: [Told; VALIDATORS] = Default::default();
    for (node, one) in told.iter_mut().enumerate() {
        let status = validators.status(node).await?;
        *one = Told {
            stage: status.stage,
            digest: status.daemon.and_then(|daemon| daemon.executable.parse().ok()),
            skew_blocks: status.activation.map(|activation| activation.skew_blocks),
            fault: status.fault,
        };
    }
    Ok(told)
}

fn note(began: Instant, text: &str) {
    eprintln!("e2e: {:5.1} s  {text}", began.elapsed().as_secs_f64());
}
