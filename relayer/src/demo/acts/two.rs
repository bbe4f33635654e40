//! Act two: v3 turns unhealthy in the first wave; the rollout halts and goes back by itself.

use super::super::error::DemoError;
use super::super::judge;
use super::super::report::ActReport;
use super::super::show::Show;

const TITLE: &str = "a bad upgrade halts and rolls back by itself";

pub(super) async fn play(show: &Show) -> Result<ActReport, DemoError> {
    let began = show.begin(&format!("act 2: {TITLE}"), 1);
    let rollout = show.decide(2).await?;
    show.ended(rollout).await?;
    show.settle(rollout, &["rolled_back", "cancelled"]).await;
    let facts = show.facts(rollout, 2, &began).await?;
    let took = facts.to_ms.saturating_sub(began.at_ms);
    Ok(ActReport::new(2, TITLE, took, judge::bad_upgrade(&facts), facts.outcomes()))
}
