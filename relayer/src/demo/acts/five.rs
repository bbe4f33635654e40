//! Act five: the log over the whole history, walked back from the head that the contract's state holds.

use super::super::error::DemoError;
use super::super::judge;
use super::super::report::ActReport;
use super::super::show::Show;
use crate::cli::log::verify_log;

const TITLE: &str = "the log verifies over the whole history";

pub(super) async fn play(show: &Show) -> Result<ActReport, DemoError> {
    let began = show.begin(&format!("act 5: {TITLE}"), 3);
    let verified = verify_log(&show.rpc, &show.contract).await;
    let verified = verified.map(|report| report.count).map_err(|error| error.to_string());
    // What was seen as it happened must be what the chain still tells.
    let count = verified.as_ref().copied().unwrap_or_default();
    let seen = |entries: &[_]| (entries.len() as u64 >= count).then_some(entries.len() as u64);
    let seen = show.history.wait("the log to be read", super::super::show::SETTLE_LONGEST, seen).await?;
    let took = show.stopwatch.now_ms().saturating_sub(began.at_ms);
    Ok(ActReport::new(5, TITLE, took, judge::log(&verified, seen), Vec::new()))
}
