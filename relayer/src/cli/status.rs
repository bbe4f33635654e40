//! `status`: components, proposals, rollouts with their waves and seats, brakes. Read page by page, each list bounded.

use std::collections::BTreeMap;

use concord_schema::brake::Scope;
use concord_schema::node::Node;
use concord_schema::query::{
    BrakeAnswer, ComponentAnswer, ComponentsAnswer, NodesAnswer, PAGE_MAX, ProposalLine, ProposalsAnswer,
    QueryMsg, ReleaseAnswer, RolloutAnswer, SeatAnswer, SeatsAnswer,
};
use concord_schema::{NodeNo, RolloutId};
use serde::Serialize;
use serde_json::json;

use super::args::StatusArgs;
use super::deployment::Deployment;
use super::error::CliError;
use super::output::{Answer, Screen, table, words};

/// The most pages of one list: a screen is no archive, and what is left out is said.
const PAGES_MAX: usize = 34;

/// What a deployment looks like now.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// The chain's newest block.
    pub height: u64,
    /// Components with the version that their fleet runs.
    pub components: Vec<ComponentStatus>,
    /// The newest proposals.
    pub proposals: Vec<ProposalLine>,
    /// Each component's newest rollout.
    pub rollouts: Vec<RolloutStatus>,
    /// Brakes of all scopes.
    pub brakes: Vec<BrakeStatus>,
    /// Lists that were cut.
    pub cut: Vec<&'static str>,
}

/// A component.
#[derive(Clone, Debug, Serialize)]
pub struct ComponentStatus {
    /// The version that its fleet runs.
    pub version: String,
    /// Its facts.
    #[serde(flatten)]
    pub answer: ComponentAnswer,
}

/// A rollout.
#[derive(Clone, Debug, Serialize)]
pub struct RolloutStatus {
    /// The version that it brings.
    pub version: String,
    /// Its facts.
    #[serde(flatten)]
    pub answer: RolloutAnswer,
    /// Its nodes.
    pub seats: Vec<SeatStatus>,
}

/// A node in a rollout.
#[derive(Clone, Debug, Serialize)]
pub struct SeatStatus {
    /// The node's name.
    pub node_id: String,
    /// Its organisation.
    pub organisation: String,
    /// Its facts.
    #[serde(flatten)]
    pub answer: SeatAnswer,
}

/// A brake.
#[derive(Clone, Debug, Serialize)]
pub struct BrakeStatus {
    /// Its scope.
    pub scope: Scope,
    /// Its facts.
    #[serde(flatten)]
    pub answer: BrakeAnswer,
}

/// Gathers and shows the status.
///
/// # Errors
/// [`CliError`].
pub async fn status(deployment: &Deployment, args: &StatusArgs) -> Result<Answer, CliError> {
    let wait = deployment.screen().wait("read the deployment");
    let status = gather(deployment, args.component.as_deref()).await?;
    drop(wait);
    let text = render(&status, deployment.screen());
    Ok(deployment.answer(text, json!({"status": status, "config": deployment.config})))
}

async fn gather(deployment: &Deployment, only: Option<&str>) -> Result<Status, CliError> {
    let height = deployment
        .rpc
        .status()
        .await
        .map_err(|source| CliError::Chain { what: "for its newest block", source })?
        .height;
    let mut cut = Vec::new();
    let components = components(deployment, only, &mut cut).await?;
    let query = QueryMsg::Proposals { before: None, limit: Some(PAGE_MAX) };
    let page: ProposalsAnswer = deployment.ask("for proposals", &query).await?;
    let wanted =
        |line: &ProposalLine| only.is_none_or(|only| line.proposal.component.as_deref() == Some(only));
    let proposals = page.proposals.into_iter().filter(wanted).collect();
    if page.scanned_to.is_some_and(|id| id.0 > 1) {
        cut.push("proposals");
    }
    let nodes = if components.iter().any(|component| component.answer.component.last.is_some()) {
        nodes(deployment, &mut cut).await?
    } else {
        BTreeMap::new()
    };
    let mut rollouts = Vec::new();
    for component in &components {
        if let Some(rollout) = component.answer.component.last {
            rollouts.push(rollout_status(deployment, rollout, &nodes, &mut cut).await?);
        }
    }
    let mut scopes = vec![Scope::All];
    scopes.extend(components.iter().map(|component| Scope::Component(component.answer.name.clone())));
    let mut brakes = Vec::new();
    for scope in scopes {
        let query = QueryMsg::Brake { scope: scope.clone() };
        brakes.push(BrakeStatus { answer: deployment.ask("about a brake", &query).await?, scope });
    }
    Ok(Status { height, components, proposals, rollouts, brakes, cut })
}

async fn components(
    deployment: &Deployment,
    only: Option<&str>,
    cut: &mut Vec<&'static str>,
) -> Result<Vec<ComponentStatus>, CliError> {
    let mut answers: Vec<ComponentAnswer> = Vec::new();
    if let Some(name) = only {
        answers.push(
            deployment.ask("about the component", &QueryMsg::Component { name: name.to_owned() }).await?,
        );
    } else {
        let mut after = None;
        for page in 0.. {
            let query = QueryMsg::Components { after, limit: Some(PAGE_MAX) };
            let found: ComponentsAnswer = deployment.ask("for components", &query).await?;
            answers.extend(found.components);
            after = found.scanned_to;
            if after.is_none() {
                break;
            }
            if page + 1 >= PAGES_MAX {
                cut.push("components");
                break;
            }
        }
    }
    let mut components = Vec::new();
    for answer in answers {
        let version = version(deployment, answer.component.current).await?;
        components.push(ComponentStatus { version, answer });
    }
    Ok(components)
}

async fn version(deployment: &Deployment, digest: concord_schema::Digest) -> Result<String, CliError> {
    let found: ReleaseAnswer = deployment.ask("about a release", &QueryMsg::Release { digest }).await?;
    Ok(found.release.version)
}

async fn nodes(
    deployment: &Deployment,
    cut: &mut Vec<&'static str>,
) -> Result<BTreeMap<NodeNo, Node>, CliError> {
    let mut nodes = BTreeMap::new();
    let mut after = None;
    for page in 0.. {
        let query = QueryMsg::Nodes { after, limit: Some(PAGE_MAX) };
        let found: NodesAnswer = deployment.ask("for nodes", &query).await?;
        nodes.extend(found.nodes.into_iter().map(|node| (node.no, node)));
        after = found.scanned_to;
        if after.is_none() {
            break;
        }
        if page + 1 >= PAGES_MAX {
            cut.push("nodes");
            break;
        }
    }
    Ok(nodes)
}

async fn rollout_status(
    deployment: &Deployment,
    rollout: RolloutId,
    nodes: &BTreeMap<NodeNo, Node>,
    cut: &mut Vec<&'static str>,
) -> Result<RolloutStatus, CliError> {
    let answer: RolloutAnswer = deployment.ask("about a rollout", &QueryMsg::Rollout { rollout }).await?;
    let mut seats = Vec::new();
    let mut after = None;
    for page in 0.. {
        let query = QueryMsg::Seats { rollout, after, limit: Some(PAGE_MAX) };
        let found: SeatsAnswer = deployment.ask("for seats", &query).await?;
        seats.extend(found.seats);
        after = found.scanned_to;
        if after.is_none() {
            break;
        }
        if page + 1 >= PAGES_MAX {
            cut.push("seats");
            break;
        }
    }
    let seats = seats.into_iter().map(|answer| {
        let (node_id, organisation) = match nodes.get(&answer.node) {
            Some(node) => (node.node_id.clone(), node.organisation.clone()),
            None => ("?".to_owned(), "?".to_owned()),
        };
        SeatStatus { node_id, organisation, answer }
    });
    Ok(RolloutStatus {
        version: version(deployment, answer.rollout.release).await?,
        seats: seats.collect(),
        answer,
    })
}

/// The status as a person reads it.
#[must_use]
pub fn render(status: &Status, screen: Screen) -> String {
    let mut parts = vec![format!("height {}", status.height)];
    for brake in status.brakes.iter().filter(|brake| brake.answer.holds) {
        parts.push(screen.alarm(&format!("brake holds: {}", words(&brake.scope))));
    }
    let rows: Vec<_> = status.components.iter().map(component_row).collect();
    parts.push(section(screen, "components", &["component", "runs", "rollout", "power", "group"], &rows));
    if !status.proposals.is_empty() {
        let rows: Vec<_> = status.proposals.iter().map(proposal_row).collect();
        let head = ["proposal", "phase", "class", "component", "digest"];
        parts.push(section(screen, "proposals", &head, &rows));
    }
    for rollout in &status.rollouts {
        parts.push(rollout_text(rollout, screen));
    }
    if !status.cut.is_empty() {
        parts.push(format!("lists that go on: {}", status.cut.join(", ")));
    }
    parts.join("\n")
}

fn section(screen: Screen, title: &str, head: &[&str], rows: &[Vec<String>]) -> String {
    format!("\n{}\n{}", screen.heading(title), table(head, rows))
}

fn component_row(component: &ComponentStatus) -> Vec<String> {
    let facts = &component.answer.component;
    vec![
        component.answer.name.clone(),
        component.version.clone(),
        facts.live.map_or_else(|| "-".to_owned(), |rollout| rollout.to_string()),
        facts.registered.to_string(),
        facts.group.clone(),
    ]
}

fn proposal_row(line: &ProposalLine) -> Vec<String> {
    vec![
        line.id.to_string(),
        words(&line.phase),
        words(&line.proposal.class),
        line.proposal.component.clone().unwrap_or_else(|| "-".to_owned()),
        line.proposal.digest.short(),
    ]
}

fn rollout_text(status: &RolloutStatus, screen: Screen) -> String {
    let answer = &status.answer;
    let title = format!(
        "rollout {} of {} to {}: {}, waits on {}",
        answer.id,
        answer.rollout.component,
        status.version,
        words(&answer.phase),
        answer.waiting_on
    );
    let progress = &answer.progress;
    let open = progress.open.as_ref().map(|open| usize::from(open.wave));
    let waves: Vec<_> = progress
        .waves
        .iter()
        .enumerate()
        .map(|(wave, sum)| {
            let state = match open {
                Some(open) if open == wave => "open",
                Some(open) if open > wave => "passed",
                _ => "to come",
            };
            let healthy =
                progress.open.as_ref().filter(|_| open == Some(wave)).map(|open| open.healthy.to_string());
            vec![
                wave.to_string(),
                state.to_owned(),
                sum.0.to_string(),
                healthy.unwrap_or_else(|| "-".to_owned()),
                sum.1.to_string(),
            ]
        })
        .collect();
    let waves = table(&["wave", "state", "assigned", "healthy", "failed"], &waves);
    let seats: Vec<_> = status.seats.iter().map(|seat| seat_row(answer, seat)).collect();
    let seats = table(&["node", "name", "organisation", "wave", "power", "state", "attempt"], &seats);
    format!("\n{}\n{waves}\n\n{seats}", screen.heading(&title))
}

/// The wave is the one that the node acts in: a canary's is the first, whatever its lot.
fn seat_row(rollout: &RolloutAnswer, seat: &SeatStatus) -> Vec<String> {
    let facts = &seat.answer.seat;
    let wave = rollout.rollout.wave_of(&rollout.progress, seat.answer.node, facts);
    vec![
        seat.answer.node.to_string(),
        seat.node_id.clone(),
        seat.organisation.clone(),
        wave.map_or_else(|| "late".to_owned(), |wave| wave.to_string()),
        facts.power.to_string(),
        words(&facts.state),
        facts.attempt.to_string(),
    ]
}
