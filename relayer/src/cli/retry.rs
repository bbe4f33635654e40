//! `concord retry`, for an operator whose node failed a release.

use serde_json::json;

use super::error::CliError;
use super::output::Answer;
use crate::config::Layers;

/// Leaves the agent of this host a request to try again.
///
/// # Errors
/// [`CliError`].
pub fn retry(layers: &Layers) -> Result<Answer, CliError> {
    let asked = crate::agent::retry(&layers.agent()?)?;
    let mut lines = vec![format!(
        "the agent in {} is asked to try again: it does so at once, or when it is started",
        asked.home
    )];
    lines.extend(asked.denied.iter().map(|digest| format!("denied until now  {digest}")));
    lines.extend(asked.refused.iter().map(|why| format!("refused until now {why}")));
    if asked.denied.is_empty() && asked.refused.is_none() {
        lines.push("nothing is denied or refused there now".to_owned());
    }
    Ok(Answer::new(lines.join("\n"), json!({"retry": asked})))
}
