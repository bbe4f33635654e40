//! What messages cost on the real chain, in its gas: `scripts/bench.sh gas`. Gas is exact, so one run is enough.

mod deployment;
mod fleet;
mod governance;
mod net;
mod peers;
mod samples;

use std::path::{Path, PathBuf};

use clap::Args;
use concord::chain::Address;
use serde::Deserialize;

use super::error::{BenchError, step};
use super::figure::{Bar, Figure};
use deployment::{Cast, VERSION, release};
use fleet::Fleet;
use governance::Coordinator;
use net::Net;
use samples::Samples;

/// Where everything is that is measured.
#[derive(Clone, Debug, Args)]
pub(crate) struct GasArgs {
    /// The folder of a localnet that runs, of one node and with room for 50 million gas a block
    #[arg(long)]
    net: PathBuf,
    /// The program that deploys
    #[arg(long)]
    concord: PathBuf,
    /// The contract
    #[arg(long)]
    wasm: PathBuf,
    /// A folder of others' contracts, which are then measured beside it
    #[arg(long)]
    peers: Option<PathBuf>,
}

/// A size at which everything is measured, and what ends the names of its figures.
struct Size {
    members: usize,
    operators: usize,
    by_members: &'static str,
    by_operators: &'static str,
}

const SIZES: [Size; 2] = [
    Size { members: 20, operators: 10, by_members: "", by_operators: "" },
    Size { members: 300, operators: 1_000, by_members: "_300", by_operators: "_1000" },
];

impl Size {
    /// What ends the name of an operation's figure.
    fn suffix(&self, operation: &str) -> &'static str {
        match operation.split('_').next() {
            // These have the number of operators in their names already.
            Some("report" | "advance") => "",
            Some("lease" | "register" | "brake") => self.by_operators,
            _ => self.by_members,
        }
    }
}

/// Measures every message at every size; `show` is given each figure.
///
/// # Errors
/// [`BenchError`].
pub(crate) async fn measure(
    args: &GasArgs,
    mut show: impl FnMut(&Figure) -> Result<(), BenchError>,
) -> Result<(), BenchError> {
    let bytes = std::fs::metadata(&args.wasm).map_err(step("read the contract"))?.len();
    show(&Figure {
        name: "wasm_bytes".into(),
        value: bytes as f64,
        unit: "B",
        what: "the coordinator, one contract, as scripts/build-wasm.sh makes it".to_owned(),
        bar: Bar::AtMost(600_000.0),
    })?;
    let net = Net::open(&args.net).await?;
    let operators = SIZES.iter().map(|size| size.operators).max().unwrap_or_default();
    let cast = Cast::new(&net, operators).await?;
    for size in &SIZES {
        let samples = live(&net, &cast, args, size.members, size.operators).await?;
        let setting = format!("{} members and {} operators", size.members, size.operators);
        for figure in samples.figures("concord", &setting, |operation| size.suffix(operation), bar) {
            show(&figure)?;
        }
    }
    if let Some(folder) = &args.peers {
        peers(&net, &cast, folder, &mut show).await?;
    }
    Ok(())
}

/// The same figures of others.
async fn peers(
    net: &Net,
    cast: &Cast,
    folder: &Path,
    show: &mut impl FnMut(&Figure) -> Result<(), BenchError>,
) -> Result<(), BenchError> {
    let (codes, figures) = peers::Codes::upload(net, folder).await?;
    figures.iter().try_for_each(&mut *show)?;
    for who in ["cw3", "daodao"] {
        for Size { members, by_members, .. } in &SIZES {
            let samples = if who == "cw3" {
                peers::multisig(net, cast, &codes, *members).await?
            } else {
                peers::dao(net, cast, &codes, *members).await?
            };
            let figures = samples.figures(who, &format!("{members} members"), |_| by_members, |_| Bar::None);
            figures.iter().try_for_each(&mut *show)?;
        }
    }
    Ok(())
}

/// What is promised of an operation.
fn bar(operation: &str) -> Bar {
    match operation {
        "propose" => Bar::AtMost(250_000.0),
        "execute" => Bar::AtMost(180_000.0),
        "brake" => Bar::AtMost(165_000.0),
        fleet if ["vote_", "report_", "advance_"].iter().any(|kind| fleet.starts_with(kind)) => {
            Bar::AtMost(165_000.0)
        }
        _ => Bar::None,
    }
}

/// Deploys a coordinator and takes it through everything.
async fn live(
    net: &Net,
    cast: &Cast,
    args: &GasArgs,
    members: usize,
    operators: usize,
) -> Result<Samples, BenchError> {
    let init = net.file(&format!("bench-{members}.json"));
    let message = cast.instantiate(members, operators)?;
    let before = message
        .components
        .first()
        .map_or_else(|| release(VERSION, 0).digest(), |component| component.baseline.digest());
    let json = serde_json::to_vec(&message).map_err(step("write the genesis"))?;
    std::fs::write(&init, json).map_err(step("write the genesis"))?;
    let (contract, used) = deploy(net, args, &init, members).await?;
    let mut samples = Samples::default();
    samples.note("instantiate", "instantiate", used);
    let mut coordinator = Coordinator { net, cast, contract, operators, samples };
    fleet::register(&mut coordinator).await?;
    coordinator.little().await?;
    coordinator.cancelled().await?;
    let (rollout, release) = coordinator.large().await?;
    let release = release.digest();
    Fleet { coordinator: &mut coordinator, rollout, release, before }.live().await?;
    coordinator.brake().await?;
    Ok(coordinator.samples)
}

/// What `concord deploy` says.
#[derive(Deserialize)]
struct Deployed {
    address: String,
    gas_used: Used,
}

#[derive(Deserialize)]
struct Used {
    instantiate: u64,
}

async fn deploy(
    net: &Net,
    args: &GasArgs,
    init: &Path,
    members: usize,
) -> Result<(Address, u64), BenchError> {
    let (wasm, init) = (args.wasm.to_string_lossy(), init.to_string_lossy());
    let salt = format!("bench-{members}");
    let said = net.concord(&args.concord, &["deploy", &wasm, "--init", &init, "--salt", &salt]).await?;
    let Deployed { address, gas_used } =
        serde_json::from_slice(&said).map_err(step("read what concord deploy says"))?;
    Ok((address.parse().map_err(step("read the contract's address"))?, gas_used.instantiate))
}
