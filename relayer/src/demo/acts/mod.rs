//! The five acts, in order. Each takes the show where the one before left it, and answers with its report.

mod five;
mod four;
mod one;
mod three;
mod two;

use concord_schema::log::Head;

use super::error::DemoError;
use super::report::{ActReport, LogHead};
use super::show::Show;

/// Plays all acts.
///
/// # Errors
/// [`DemoError`], where an act cannot be played to its end; an outcome that is not the expected one is no error.
pub(crate) async fn play(show: &Show) -> Result<Vec<ActReport>, DemoError> {
    let mut reports = Vec::with_capacity(5);
    reports.push(headed(show, one::play(show).await?).await?);
    reports.push(headed(show, two::play(show).await?).await?);
    let (report, held) = three::play(show).await?;
    reports.push(headed(show, report).await?);
    reports.push(headed(show, four::play(show, held).await?).await?);
    reports.push(headed(show, five::play(show).await?).await?);
    Ok(reports)
}

/// Puts the log's head to a report.
async fn headed(show: &Show, mut report: ActReport) -> Result<ActReport, DemoError> {
    let head: Head = show.people.ask("the log's head", &concord_schema::query::QueryMsg::LogHead {}).await?;
    report.log_head = LogHead { seq: head.seq, hash: head.hash, height: head.height };
    Ok(report)
}
