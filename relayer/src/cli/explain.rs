//! `explain`: the contract's own reason why something does not move.

use std::time::Duration;

use concord_schema::query::{ExplainAnswer, QueryMsg, Subject};
use serde_json::json;

use super::args::ExplainCommand;
use super::deployment::Deployment;
use super::error::CliError;
use super::output::Answer;
use crate::agent::status::Status;
use crate::config::Layers;

/// The longest that the agent's page may take.
const PAGE_LONGEST: Duration = Duration::from_secs(5);
/// The longest page that is read.
const PAGE_BYTES_MAX: usize = 1 << 20;

/// What a command asks the contract about; `None` for what the contract does not know.
#[must_use]
pub fn subject(command: &ExplainCommand) -> Option<Subject> {
    Some(match command {
        ExplainCommand::Proposal(args) => Subject::Proposal(args.proposal),
        ExplainCommand::Rollout(args) => Subject::Rollout(args.rollout),
        ExplainCommand::Node(args) => Subject::Seat { rollout: args.rollout, node: args.node },
        ExplainCommand::Agent => return None,
    })
}

/// Asks the contract and shows its sentence.
///
/// # Errors
/// [`CliError`].
pub async fn explain(deployment: &Deployment, command: &ExplainCommand) -> Result<Answer, CliError> {
    let subject = subject(command)
        .ok_or_else(|| CliError::Usage("expected something that the contract knows".to_owned()))?;
    let query = QueryMsg::Explain { subject };
    let answer: ExplainAnswer = deployment.ask("for an explanation", &query).await?;
    let text = format!("{} (height {}): {}", answer.phase, answer.now.height, answer.sentence);
    Ok(deployment.answer(text, json!({"explanation": answer})))
}

/// Asks the agent on this host, at its own page, and shows its sentence.
///
/// # Errors
/// [`CliError::NoAgent`].
pub async fn agent(layers: &Layers) -> Result<Answer, CliError> {
    let url = format!("http://{}/status", layers.settings()?.http.listen);
    let status = page(&url).await.map_err(|why| CliError::NoAgent { url, why })?;
    let mut lines = vec![format!("{}: waiting on {}", status.stage, status.sentence)];
    lines.extend(status.unready());
    Ok(Answer::new(lines.join("\n"), json!({"agent": status})))
}

async fn page(url: &str) -> Result<Status, String> {
    let told = |error: reqwest::Error| crate::causes::told(&error.without_url());
    let http = reqwest::Client::builder().no_proxy().timeout(PAGE_LONGEST).build().map_err(told)?;
    let mut answer = http.get(url).send().await.map_err(told)?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(told)? {
        body.extend_from_slice(&chunk);
        if body.len() > PAGE_BYTES_MAX {
            return Err(format!("expected at most {PAGE_BYTES_MAX} bytes, found more"));
        }
    }
    serde_json::from_slice(&body).map_err(|error| error.to_string())
}
