//! The whole demo as it runs: everybody and everything that an act needs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use concord_devnet::Devnet;
use concord_schema::query::{NodesAnswer, QueryMsg, ReleaseAnswer};
use concord_schema::release::Release;
use concord_schema::rollout::Outcome;
use concord_schema::{Digest, NodeNo, RolloutId};
use tokio::time::Instant;

use super::artifacts;
use super::build::Built;
use super::client::Client;
use super::error::{DemoError, file};
use super::facts::{Facts, NodeFacts};
use super::fleet::{Fleet, Way};
use super::genesis::{CHAIN_ID, Cast};
use super::history::{History, is_of};
use super::journals::{Follower, switches};
use super::outage::outside;
use super::plan::{draft, rationale, release};
use super::sampler::Sampler;
use super::scene::{Scene, Sources, seats, statuses};
use super::stakeholders::Stakeholders;
use super::stopwatch::{Stopwatch, millis};
use crate::agent::status::Status;
use crate::chain::rpc::Settings;
use crate::chain::{Address, Rpc};

/// The longest a rollout may take.
pub(crate) const ROLLOUT_LONGEST: Duration = Duration::from_secs(60);
/// The longest the agents may take to settle after their rollout has ended.
pub(crate) const SETTLE_LONGEST: Duration = Duration::from_secs(10);
/// From one look at a level to the next.
const POLL: Duration = Duration::from_millis(50);
/// How much a client's failure may lie beside the switch that its agent's journal tells: a request that is under way,
/// and the scheduler of a busy host.
const SLACK_MS: u64 = 150;

/// Everything that runs.
pub(crate) struct Show {
    /// The demo's clock.
    pub(crate) stopwatch: Stopwatch,
    /// The way to the chain.
    pub(crate) rpc: Rpc,
    /// The coordinator.
    pub(crate) contract: Address,
    /// Who decides.
    pub(crate) people: Arc<Stakeholders>,
    /// The nodes.
    pub(crate) fleet: Arc<Fleet>,
    /// The client.
    pub(crate) client: Arc<Client>,
    /// The sampler.
    pub(crate) sampler: Sampler,
    /// The log.
    pub(crate) history: History,
    /// The drawing.
    pub(crate) scene: Scene,
    /// The nodes' numbers on chain, by their place in the fleet.
    pub(crate) numbers: Vec<NodeNo>,
    /// The releases, v1 first.
    pub(crate) releases: Vec<Release>,
    folder: PathBuf,
    /// What Unix milliseconds are ahead of the journals' clock.
    ahead_ms: u64,
    devnet: Devnet,
    _artifacts: artifacts::Artifacts,
}

impl std::fmt::Debug for Show {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Show").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Show {
    /// Starts devnet, agents and daemons, client, sampler and drawing.
    ///
    /// # Errors
    /// [`DemoError`]; what was started is ended again.
    pub(crate) async fn raise(folder: &Path, built: &[Built]) -> Result<Self, DemoError> {
        let stopwatch = Stopwatch::start();
        let artifacts = artifacts::Artifacts::serve(built).await?;
        let releases = releases(built, &artifacts)?;
        let cast = Cast::new(folder)?;
        let baseline = releases.first().ok_or_else(|| own("release"))?;
        let devnet = concord_devnet::start(cast.devnet(baseline)?).await?;
        let contract: Address = devnet.contract_address().parse()?;
        let url = format!("http://{}", devnet.rpc_address());
        let rpc = Rpc::new(Settings::new(CHAIN_ID, vec![url.clone()]))?;
        let way = Way { rpc: url, contract: contract.clone() };
        let fleet = Arc::new(Fleet::new(folder, &cast.operators, &way)?);
        let people = Arc::new(Stakeholders::new(cast, &rpc, contract.clone(), stopwatch)?);
        let history = History::start(rpc.clone(), contract.clone(), 1);
        let known: BTreeSet<Digest> = built.iter().map(|built| built.digest).collect();
        let sampler = Sampler::start(fleet.daemon_ports(), known, stopwatch)?;
        people.register().await?;
        let numbers = numbers(&people, &fleet).await?;
        let first = built.first().ok_or_else(|| own("daemon"))?;
        fleet.adopt(&first.path).await?;
        fleet.start_all().await?;
        let client = Arc::new(Client::start(&fleet.daemon_ports(), stopwatch));
        let sources = Sources {
            people: Arc::clone(&people),
            fleet: Arc::clone(&fleet),
            client: Arc::clone(&client),
            numbers: numbers.clone(),
            stopwatch,
        };
        let scene = Scene::start(sources);
        let show = Self {
            stopwatch,
            rpc,
            contract,
            people,
            fleet,
            client,
            sampler,
            history,
            scene,
            numbers,
            releases,
            folder: folder.to_owned(),
            ahead_ms: ahead_ms(stopwatch),
            devnet,
            _artifacts: artifacts,
        };
        show.until("every daemon to answer", SETTLE_LONGEST, || show.client.has_seen_all()).await?;
        Ok(show)
    }

    /// Ends everything, in order.
    ///
    /// # Errors
    /// As [`Fleet::end`].
    pub(crate) async fn end(self) -> Result<(), DemoError> {
        drop(self.scene);
        let ended = self.fleet.end().await;
        self.devnet.stop().await;
        ended
    }

    /// Waits until a level is reached.
    ///
    /// # Errors
    /// [`DemoError::Late`] after `within`.
    pub(crate) async fn until(
        &self,
        what: &str,
        within: Duration,
        level: impl Fn() -> bool,
    ) -> Result<(), DemoError> {
        let began = Instant::now();
        while !level() {
            if began.elapsed() >= within {
                let last = format!(
                    "nothing of the kind {} s after the demo began",
                    self.stopwatch.elapsed().as_secs()
                );
                return Err(DemoError::Late { what: what.to_owned(), seconds: within.as_secs(), last });
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    /// A release by its place, v1 first.
    ///
    /// # Errors
    /// [`DemoError::Own`].
    pub(crate) fn release(&self, place: usize) -> Result<&Release, DemoError> {
        self.releases.get(place).ok_or_else(|| own("release"))
    }

    /// Proposes a release and carries it to the start of its rollout.
    ///
    /// # Errors
    /// As [`Stakeholders::decide`].
    pub(crate) async fn decide(&self, place: usize) -> Result<RolloutId, DemoError> {
        let release = self.release(place)?;
        let path = self.folder.join(format!("rationale-{}.md", release.version));
        std::fs::write(&path, rationale(release)).map_err(file("write", &path))?;
        let draft = draft(release, format!("file://{}", path.display()));
        self.people.decide(&draft, release).await
    }

    /// Waits until a rollout has ended.
    ///
    /// # Errors
    /// [`DemoError::Late`].
    pub(crate) async fn ended(&self, rollout: RolloutId) -> Result<(), DemoError> {
        let what = format!("rollout {rollout} to end");
        let found = |entries: &[_]| {
            entries.iter().any(|entry| is_of(entry, "rollout_ended", rollout.0)).then_some(())
        };
        self.history.wait(&what, ROLLOUT_LONGEST, found).await
    }

    /// Waits until every agent is settled in one of these stages; whoever is not is told by the judge.
    pub(crate) async fn settle(&self, rollout: RolloutId, stages: &[&str]) {
        let began = Instant::now();
        while began.elapsed() < SETTLE_LONGEST {
            let statuses = statuses(&self.fleet).await;
            let is_settled = |status: &Option<Status>| {
                status.as_ref().is_some_and(|status| {
                    status.rollout == rollout.0 && stages.contains(&status.stage.as_str())
                })
            };
            if statuses.iter().all(is_settled) && !self.is_anyone_silent() {
                return;
            }
            tokio::time::sleep(POLL).await;
        }
    }

    fn is_anyone_silent(&self) -> bool {
        let records = self.client.records();
        records.iter().any(|record| record.outages.last().is_some_and(|last| last.to_ms.is_none()))
    }

    /// The nodes of a rollout whose wave is, or is not, the first.
    ///
    /// # Errors
    /// As [`seats`].
    pub(crate) async fn nodes_by_wave(
        &self,
        rollout: RolloutId,
    ) -> Result<(Vec<usize>, Vec<usize>), DemoError> {
        let seats = seats(&self.people, rollout, &self.numbers).await?;
        Ok((0..seats.waves.len()).partition(|node| seats.waves.get(*node) == Some(&Some(0))))
    }

    /// Gathers what is known of an act that began at `from_ms`, with `from_looks` looks taken before.
    ///
    /// # Errors
    /// [`DemoError`], where the chain or a journal cannot be read.
    pub(crate) async fn facts(
        &self,
        rollout: RolloutId,
        place: usize,
        began: &Began,
    ) -> Result<Facts, DemoError> {
        let (release, before) = (self.release(place)?, self.release(began.serving)?);
        let seats = seats(&self.people, rollout, &self.numbers).await?;
        let digest = release.digest();
        let standing: ReleaseAnswer = self.people.ask("a release", &QueryMsg::Release { digest }).await?;
        let statuses = statuses(&self.fleet).await;
        let to_ms = self.stopwatch.now_ms();
        let samples = self.sampler.samples();
        let mut nodes = Vec::with_capacity(self.numbers.len());
        for (node, record) in self.client.records().into_iter().enumerate() {
            let outages: Vec<_> =
                record.outages.into_iter().filter(|outage| outage.began_in(began.at_ms, to_ms)).collect();
            let home = &self.fleet.place(node)?.home;
            let windows = match Follower::new(home).records() {
                Ok(records) => switches(&records, self.ahead_ms),
                // Without a journal no silence is excused.
                Err(_) => Vec::new(),
            };
            nodes.push(NodeFacts {
                node: self.fleet.place(node)?.node_id.clone(),
                no: self.numbers.get(node).map_or(0, |no| no.0),
                wave: seats.waves.get(node).copied().flatten(),
                stage: statuses
                    .get(node)
                    .and_then(Option::as_ref)
                    .map(|status| status.stage.clone())
                    .unwrap_or_default(),
                version: record.version,
                digest: samples.newest(node).map(|life| life.digest),
                ran: samples.ran(node, began.at_ms, to_ms),
                outside: outside(&outages, &windows, SLACK_MS),
                outages,
            });
        }
        let artifact =
            |release: &Release| release.artifacts.first().map(|artifact| artifact.digest).unwrap_or_default();
        Ok(Facts {
            rollout: rollout.0,
            outcome: outcome(&seats),
            standing: standing.standing,
            target: artifact(release),
            previous: artifact(before),
            version: release.version.clone(),
            version_before: before.version.clone(),
            entries: self.history.entries(),
            nodes,
            violations: samples.violations.iter().skip(began.violations).cloned().collect(),
            looks: samples.looks.saturating_sub(began.looks),
            to_ms,
        })
    }

    /// Notes where an act begins; `serving` is the place of the release that the fleet runs.
    #[must_use]
    pub(crate) fn begin(&self, act: &str, serving: usize) -> Began {
        self.scene.show(act);
        let samples = self.sampler.samples();
        Began {
            at_ms: self.stopwatch.now_ms(),
            serving,
            looks: samples.looks,
            violations: samples.violations.len(),
        }
    }
}

/// Where an act begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Began {
    /// In Unix milliseconds.
    pub(crate) at_ms: u64,
    serving: usize,
    looks: u64,
    violations: usize,
}

fn outcome(seats: &super::scene::Seats) -> Option<Outcome> {
    match seats.answer.phase {
        concord_schema::rollout::RolloutPhase::Ended(outcome) => Some(outcome),
        _ => None,
    }
}

fn own(what: &str) -> DemoError {
    DemoError::Own { what: "setting", reason: format!("found no such {what}") }
}

/// v2 replaces v1; v3 and v4 replace v2, as v3 is denied when v4 comes.
fn releases(built: &[Built], artifacts: &artifacts::Artifacts) -> Result<Vec<Release>, DemoError> {
    let from: [&[&str]; 4] = [&[], &["1.0.0"], &["2.0.0"], &["2.0.0"]];
    let pairs = built.iter().zip(from);
    let releases: Vec<Release> =
        pairs.map(|(built, from)| release(built, from, vec![artifacts.uri(built)])).collect();
    for (place, release) in releases.iter().enumerate() {
        release
            .check(place == 0)
            .map_err(|error| DemoError::Own { what: "release", reason: error.to_string() })?;
    }
    Ok(releases)
}

/// The nodes' numbers on chain, by their place in the fleet.
async fn numbers(people: &Stakeholders, fleet: &Fleet) -> Result<Vec<NodeNo>, DemoError> {
    let page = QueryMsg::Nodes { after: None, limit: Some(30) };
    let answer: NodesAnswer = people.ask("the nodes", &page).await?;
    let number = |node_id: &str| answer.nodes.iter().find(|node| node.node_id == node_id).map(|node| node.no);
    let places = fleet.places().iter();
    places.map(|place| number(&place.node_id).ok_or_else(|| own("registered node"))).collect()
}

/// What Unix milliseconds are ahead of the clock that journals are written with.
fn ahead_ms(stopwatch: Stopwatch) -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanos = u64::try_from(time.tv_nsec).unwrap_or_default();
    stopwatch.now_ms().saturating_sub(millis(Duration::new(seconds, 0)).saturating_add(nanos / 1_000_000))
}
