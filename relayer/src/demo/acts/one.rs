//! Act one: v1 -> v2, from the proposal to every node committed, while a client keeps asking every node.

use super::super::error::DemoError;
use super::super::judge;
use super::super::report::ActReport;
use super::super::show::Show;

const TITLE: &str = "a good upgrade goes through in waves";

pub(super) async fn play(show: &Show) -> Result<ActReport, DemoError> {
    let began = show.begin(&format!("act 1: {TITLE}"), 0);
    let rollout = show.decide(1).await?;
    show.ended(rollout).await?;
    show.settle(rollout, &["committed"]).await;
    let facts = show.facts(rollout, 1, &began).await?;
    let took = facts.to_ms.saturating_sub(began.at_ms);
    Ok(ActReport::new(1, TITLE, took, judge::upgrade(&facts), facts.outcomes()))
}
