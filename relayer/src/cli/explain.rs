//! `explain`: the contract's own reason why something does not move.

use concord_schema::query::{ExplainAnswer, QueryMsg, Subject};
use serde_json::json;

use super::args::ExplainCommand;
use super::deployment::Deployment;
use super::error::CliError;
use super::output::Answer;

/// What a command asks about.
#[must_use]
pub fn subject(command: &ExplainCommand) -> Subject {
    match command {
        ExplainCommand::Proposal(args) => Subject::Proposal(args.proposal),
        ExplainCommand::Rollout(args) => Subject::Rollout(args.rollout),
        ExplainCommand::Node(args) => Subject::Seat { rollout: args.rollout, node: args.node },
    }
}

/// Asks the contract and shows its sentence.
///
/// # Errors
/// [`CliError`].
pub async fn explain(deployment: &Deployment, command: &ExplainCommand) -> Result<Answer, CliError> {
    let query = QueryMsg::Explain { subject: subject(command) };
    let answer: ExplainAnswer = deployment.ask("for an explanation", &query).await?;
    let text = format!("{} (height {}): {}", answer.phase, answer.now.height, answer.sentence);
    Ok(deployment.answer(text, json!({"explanation": answer})))
}
