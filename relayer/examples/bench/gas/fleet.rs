//! A rollout in a fleet: every node gets ready, two switch and are healthy, two fail, and all go back.

use concord::chain::{Chain, Included};
use concord_schema::Digest;
use concord_schema::keys;
use concord_schema::msg::ExecuteMsg;
use concord_schema::node::Node;
use concord_schema::report::Report;
use concord_schema::rollout::{Progress, Purpose, Rollout, Seat};
use concord_schema::units::{Height, RolloutId};
use serde::de::DeserializeOwned;
use tokio::time::{Duration, Instant};

use super::super::error::{BenchError, step};
use super::deployment::{COMPONENT, POWER, nobody, organisation};
use super::governance::{Coordinator, field};
use super::net::{Actor, call, late};

/// The node's name with its operator.
const NODE_ID: &str = "node-1";
/// The longest that a crank may have nothing to do.
const LONGEST: Duration = Duration::from_secs(60);
/// As long as a reason may be.
const REASON_BYTES: usize = 128;

/// A node that takes part.
struct Part<'a> {
    actor: &'a Actor,
    organisation: String,
    attempt: u8,
}

/// The rollout of a fleet.
pub(crate) struct Fleet<'c, 'n> {
    /// Where it is.
    pub(crate) coordinator: &'c mut Coordinator<'n>,
    /// The rollout.
    pub(crate) rollout: RolloutId,
    /// What is rolled out.
    pub(crate) release: Digest,
    /// What ran before.
    pub(crate) before: Digest,
}

/// Registers the one node of each operator.
///
/// # Errors
/// [`BenchError`].
pub(crate) async fn register(coordinator: &mut Coordinator<'_>) -> Result<(), BenchError> {
    let mut messages = Vec::with_capacity(coordinator.operators);
    for operator in coordinator.cast.operators.iter().take(coordinator.operators) {
        let message = ExecuteMsg::Register {
            component: COMPONENT.to_owned(),
            node_id: NODE_ID.to_owned(),
            power: POWER,
            hot_key: operator.text(),
        };
        messages.push((operator, call(operator, coordinator.contract.text(), message)?));
    }
    let all = coordinator.net.send_many_any(&messages).await?;
    coordinator.samples.note_many("register", "a node", all.iter().map(|one| one.gas_used));
    Ok(())
}

impl<'n> Fleet<'_, 'n> {
    /// The whole life.
    ///
    /// # Errors
    /// [`BenchError`].
    pub(crate) async fn live(&mut self) -> Result<(), BenchError> {
        self.get_ready().await?;
        let open = self.advance("wave_opened", "advance that opens the first wave").await?;
        self.coordinator.net.reach(open).await?;
        let [one, two] = self.pair(&[]).await?;
        for (part, which) in [(&one, "first"), (&two, "second")] {
            self.activate(part, which).await?;
            let height = Height(self.tip().await?);
            let healthy = Report::Healthy { attempt: part.attempt, height, downtime_ms: 1_234 };
            self.report(part.actor, "healthy", healthy).await?;
        }
        let open = self.advance("wave_opened", "advance that opens the next wave").await?;
        self.coordinator.net.reach(open).await?;
        let [three, four] = self.pair(&[&one, &two]).await?;
        for part in [&three, &four] {
            self.activate(part, "next").await?;
        }
        let reason = "x".repeat(REASON_BYTES);
        for (part, what) in [(&three, "failed, which halts"), (&four, "failed, which takes the rollout back")]
        {
            let failed = Report::Failed { attempt: part.attempt, reason: reason.clone() };
            self.report(part.actor, what, failed).await?;
        }
        for part in [&one, &two] {
            self.lease(part.actor, Purpose::RollBack, "a lease to go back").await?;
        }
        for part in [&one, &two, &three, &four] {
            let back = Report::RolledBack { attempt: part.attempt, release: self.before };
            self.report(part.actor, "rolled_back", back).await?;
        }
        self.advance("rollout_ended", "advance that ends it").await.map(drop)
    }

    async fn tip(&self) -> Result<u64, BenchError> {
        Ok(self.coordinator.net.rpc.status().await.map_err(step("ask for the tip"))?.height)
    }

    fn size(&self) -> usize {
        self.coordinator.operators
    }

    async fn get_ready(&mut self) -> Result<(), BenchError> {
        let ready = || Report::Ready { release: self.release };
        let cast = self.coordinator.cast;
        let mut operators = cast.operators.iter().take(self.size());
        let one = operators.next().ok_or_else(|| nobody("an operator"))?;
        let mut messages = Vec::with_capacity(self.size());
        for operator in operators {
            let message = ExecuteMsg::Report { rollout: self.rollout, report: ready() };
            messages.push((operator, call(operator, self.coordinator.contract.text(), message)?));
        }
        let first = ready();
        self.report(one, "ready, which draws", first).await?;
        let all = self.coordinator.net.send_many_any(&messages).await?;
        if let Some(odd) = all.iter().find(|one| field(one, "reported", "node").is_none()) {
            let found = format!("{:?}", odd.events);
            return Err(BenchError::Other { expected: "a report that counts", found });
        }
        let operation = format!("report_{}", self.size());
        self.coordinator.samples.note_many(&operation, "ready", all.iter().map(|one| one.gas_used));
        Ok(())
    }

    async fn report(&mut self, actor: &Actor, what: &str, report: Report) -> Result<(), BenchError> {
        let message = ExecuteMsg::Report { rollout: self.rollout, report };
        let included = self.coordinator.send(actor, &message).await?;
        if field(&included, "reported", "node").is_none() {
            let found = format!("{:?}", included.events);
            return Err(BenchError::Other { expected: "a report that counts", found });
        }
        let operation = format!("report_{}", self.size());
        self.coordinator.samples.note(&operation, what, included.gas_used);
        Ok(())
    }

    /// Sends a message until it makes a log entry of a kind.
    async fn until(
        &self,
        actor: &Actor,
        kind: &'static str,
        message: &ExecuteMsg,
    ) -> Result<Included, BenchError> {
        let began = Instant::now();
        loop {
            let included = self.coordinator.send(actor, message).await?;
            if field(&included, kind, "rollout").is_some() {
                return Ok(included);
            }
            if began.elapsed() >= LONGEST {
                return Err(late("a crank that does something", format!("{:?}", included.events)));
            }
        }
    }

    /// Advances; the height that it fixes, or 0.
    async fn advance(&mut self, kind: &'static str, what: &str) -> Result<u64, BenchError> {
        let message = ExecuteMsg::Advance { rollout: self.rollout };
        let included = self.until(&self.coordinator.cast.stranger, kind, &message).await?;
        let operation = format!("advance_{}", self.size());
        self.coordinator.samples.note(&operation, what, included.gas_used);
        // The entry's own height comes first; the wave's is the last one of this name.
        let entries = included.events.iter().filter(|event| event.kind == "wasm-concord");
        let heights = entries.flat_map(|event| event.attributes.iter().filter(|(key, _)| key == "height"));
        Ok(heights.filter_map(|(_, height)| height.parse().ok()).max().unwrap_or_default())
    }

    async fn lease(&mut self, actor: &Actor, purpose: Purpose, what: &str) -> Result<u8, BenchError> {
        let message = ExecuteMsg::Lease { rollout: self.rollout, purpose };
        let included = self.until(actor, "leased", &message).await?;
        self.coordinator.samples.note("lease", what, included.gas_used);
        Ok(field(&included, "leased", "attempt").and_then(|told| told.parse().ok()).unwrap_or_default())
    }

    async fn activate(&mut self, part: &Part<'_>, which: &str) -> Result<(), BenchError> {
        let attempt = self.lease(part.actor, Purpose::Activate, &format!("the {which} lease")).await?;
        if attempt != part.attempt {
            return Err(BenchError::Other { expected: "the first try", found: attempt.to_string() });
        }
        let height = Height(self.tip().await?);
        self.report(part.actor, "activated", Report::Activated { attempt, height }).await
    }

    async fn stored<T: DeserializeOwned>(&self, key: &[u8]) -> Result<T, BenchError> {
        let Coordinator { net, contract, .. } = &*self.coordinator;
        let value = net.rpc.raw(contract, key, 0).await.map_err(step("read a fact"))?;
        let value =
            value.ok_or_else(|| BenchError::Other { expected: "a fact", found: "none".to_owned() })?;
        serde_json::from_slice(&value).map_err(step("read a fact's text"))
    }

    /// Two nodes of the waves that opened, of two organisations, and none of the others.
    async fn pair(&self, others: &[&Part<'n>]) -> Result<[Part<'n>; 2], BenchError> {
        let rollout: Rollout = self.stored(&keys::rollout(self.rollout)).await?;
        let progress: Progress = self.stored(&keys::progress(self.rollout)).await?;
        let wave_max = progress.open.as_ref().map_or(0, |open| open.wave);
        let cast: &'n super::deployment::Cast = self.coordinator.cast;
        let mut found: Option<Part<'n>> = None;
        for (index, actor) in cast.operators.iter().take(self.size()).enumerate() {
            if others.iter().any(|other| other.actor.address.text() == actor.address.text()) {
                continue;
            }
            let node: Node =
                self.stored(&keys::map(keys::HOT_KEYS, &[actor.address.text().as_bytes()])).await?;
            let seat: Seat = self.stored(&keys::seat(node.no)).await?;
            if rollout.wave_of(&progress, node.no, &seat).is_none_or(|wave| wave > wave_max) {
                continue;
            }
            let part = Part { actor, organisation: organisation(index), attempt: 1 };
            match found.take() {
                Some(one) if one.organisation != part.organisation => return Ok([one, part]),
                Some(one) => found = Some(one),
                None => found = Some(part),
            }
        }
        let found = format!("{} in the waves up to {wave_max}", usize::from(found.is_some()));
        Err(BenchError::Other { expected: "two nodes of two organisations", found })
    }
}
