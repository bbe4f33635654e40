//! An agent that was away: how soon it acts on the present, how fast it walks what it missed, and in how much memory.

use std::time::Duration;

use concord::agent::status::Status;
use tokio::time::{Instant, sleep};

use super::deployment::{BLOCK_TIME, Deployment};
use super::error::{BenchError, step};
use super::figure::{Bar, Figure};
use super::node::{NODE_ID, Node, Programs};

/// Blocks that are made while the agent is away.
const MISSED: u64 = 100_000;
/// Memory is looked at from this many walked blocks on.
const RSS_AFTER: u64 = 10_000;
/// The longest that the agent may take to begin, and to walk everything.
const LONGEST: Duration = Duration::from_secs(180);
/// From one look to the next: short while an instant is looked for, longer while a rate is.
const LOOK_SHORT: Duration = Duration::from_millis(5);
const LOOK_LONG: Duration = Duration::from_millis(50);

/// Measures one agent on one devnet.
///
/// # Errors
/// [`BenchError`].
pub(crate) async fn measure() -> Result<Vec<Figure>, BenchError> {
    let programs = Programs::find()?;
    let folder = tempfile::tempdir().map_err(step("make a folder"))?;
    let deployment = Deployment::start(1, Some(programs.artifact()?)).await?;
    let mut node = Node::prepare(folder.path(), programs, &deployment, &deployment.url(), "").await?;
    register(&deployment, &node).await?;

    node.start()?;
    let tip = deployment.tip().await?;
    let is_up = |status: &Status| {
        status.verified_height >= tip && status.cursor_height >= tip && status.daemon.is_some()
    };
    let (left, _) = until(&mut node, "an agent at the tip", LOOK_LONG, is_up).await?;
    node.stop().await?;

    deployment.advance(MISSED).await?;
    let tip = deployment.tip().await?;
    let began = node.start()?;
    let is_acting = |status: &Status| status.verified_height >= tip;
    let (acting, at) = until(&mut node, "a decision on present facts", LOOK_SHORT, is_acting).await?;
    let acting_seconds = at.duration_since(began).as_secs_f64();
    let behind = tip.saturating_sub(acting.cursor_height.max(left.cursor_height));

    let walked = walk(&mut node, tip).await?;
    node.stop().await?;
    drop(node);
    deployment.stop().await;
    Ok(figures(acting_seconds, behind, &walked))
}

async fn register(deployment: &Deployment, node: &Node) -> Result<(), BenchError> {
    let Some(operator) = deployment.operators.first() else {
        return Err(BenchError::Other { expected: "an operator", found: "none".to_owned() });
    };
    let account = deployment.account(operator).await?;
    let signed = deployment.registration(operator, account, NODE_ID, &node.hot_key)?;
    deployment.broadcast(&signed).await?;
    deployment.included(&signed).await
}

/// Looks at the agent's status until it is as wanted, and says when that was.
async fn until(
    node: &mut Node,
    what: &'static str,
    look: Duration,
    is_wanted: impl Fn(&Status) -> bool,
) -> Result<(Status, Instant), BenchError> {
    let began = Instant::now();
    let mut last = None;
    while began.elapsed() < LONGEST {
        let status = node.status().await?;
        if let Some(status) = status {
            if is_wanted(&status) {
                return Ok((status, Instant::now()));
            }
            last = Some(status);
        }
        sleep(look).await;
    }
    Err(BenchError::Late { what, seconds: LONGEST.as_secs(), found: format!("{last:?}") })
}

/// What a walk came to.
struct Walked {
    blocks: u64,
    seconds: f64,
    rss_mib_max: f64,
}

/// Follows the cursor from wherever it is to `tip`.
async fn walk(node: &mut Node, tip: u64) -> Result<Walked, BenchError> {
    let is_walking = |status: &Status| status.cursor_height > 0;
    let (first, began) = until(node, "a cursor", LOOK_SHORT, is_walking).await?;
    let mut rss_mib_max = 0.0_f64;
    let mut reached = first.cursor_height.saturating_add(RSS_AFTER);
    loop {
        let next = reached.min(tip);
        let is_there = |status: &Status| status.cursor_height >= next;
        let (status, at) = until(node, "the cursor at the tip", LOOK_LONG, is_there).await?;
        rss_mib_max = rss_mib_max.max(node.rss_mib()?);
        if status.cursor_height >= tip {
            let blocks = status.cursor_height.saturating_sub(first.cursor_height);
            return Ok(Walked { blocks, seconds: at.duration_since(began).as_secs_f64(), rss_mib_max });
        }
        reached = status.cursor_height.saturating_add(1);
    }
}

fn figures(acting_seconds: f64, behind: u64, walked: &Walked) -> Vec<Figure> {
    let block_ms = BLOCK_TIME.as_millis();
    vec![
        Figure {
            name: "catchup_blocks_per_second".into(),
            value: walked.blocks as f64 / walked.seconds,
            unit: "blocks/s",
            what: format!(
                "progress of the agent's cursor over {} missed blocks of a devnet that goes on with a block every {block_ms} ms",
                walked.blocks
            ),
            bar: Bar::AtLeast(3_000.0),
        },
        Figure {
            name: "acting_after_gap_seconds".into(),
            value: acting_seconds,
            unit: "s",
            what: format!(
                "from the start of the agent's process to a decision on the facts of a tip {MISSED} blocks later; the \
                 cursor was still {behind} blocks behind"
            ),
            bar: Bar::AtMost(1.0),
        },
        Figure {
            name: "agent_rss_mib".into(),
            value: walked.rss_mib_max,
            unit: "MiB",
            what: format!(
                "most memory (VmRSS) of the agent's process between {RSS_AFTER} and {} walked blocks",
                walked.blocks
            ),
            bar: Bar::AtMost(40.0),
        },
    ]
}
