//! What the owner asks of the agent while it runs.

use std::time::Instant;

use concord_decide::Input;

use super::Work;
use crate::agent::error::AgentError;

impl Work {
    /// Hears a request to retry, and removes it once the journal holds it: a crash between the two repeats a request that
    /// memory knows already, and that counts no second time.
    pub(super) async fn hear_requests(&mut self) -> Result<(), AgentError> {
        let Some(request) = self.requests.due(Instant::now()) else { return Ok(()) };
        if self.agent.memory().retried != Some(request) {
            tracing::info!("the owner asks to try again: nothing that failed here is denied any more");
            self.step(Input::Retry { request }).await?;
        }
        if !self.is_held() {
            self.requests.remove();
        }
        Ok(())
    }
}
