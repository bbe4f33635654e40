//! `migrate-check`: may this build replace the deployed coordinator? Files and queries only; nothing is run or sent.

use std::path::PathBuf;

use clap::Args;
use concord_schema::Digest;
use concord_schema::keys::{CONFIG, FACTS_VERSION};
use serde::Deserialize;
use serde_json::{Value, json};

use super::deploy::{DeployError, wasm};
use super::error::CliError;
use super::exit::Exit;
use super::output::{Answer, Screen};
use super::sending;
use crate::chain::module::Module;
use crate::chain::wasm::{Code, Contract};
use crate::chain::{Address, Chain, Rpc, RpcError};
use crate::config::Layers;

/// Where `cw2` keeps a contract's name and version.
const CW2: &[u8] = b"contract_info";
/// The version of this program, and of the coordinator that is released with it.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A build to judge.
#[derive(Clone, Debug, Args)]
pub struct MigrateCheckArgs {
    /// The new coordinator, as scripts/build-wasm.sh makes it
    #[arg(value_name = "WASM")]
    pub wasm: PathBuf,
}

/// Name and version of a contract's code.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Cw2 {
    contract: String,
    version: String,
}

/// What is deployed.
#[derive(Clone, Debug)]
struct Deployed {
    address: Address,
    contract: Contract,
    code: Code,
    cw2: Option<Cw2>,
    facts_version: Option<u64>,
}

/// What would replace it.
#[derive(Clone, Debug)]
struct Build {
    checksum: Digest,
    module: Module,
    name: &'static str,
    version: &'static str,
    facts_version: u64,
    /// The build tells its facts version itself.
    is_told: bool,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reason {
    holds: bool,
    text: String,
}

/// Judges a build against the deployed coordinator.
///
/// # Errors
/// [`CliError`]: the file, the configuration, or a chain that does not answer.
pub async fn check(layers: &Layers, screen: Screen, args: &MigrateCheckArgs) -> Result<Answer, CliError> {
    let bytes = wasm(&args.wasm)?;
    let module = Module::read(&bytes).map_err(|error| DeployError::Content {
        path: args.wasm.clone(),
        expected: "a wasm module".to_owned(),
        found: error.to_string(),
        hint: "build it again with scripts/build-wasm.sh",
    })?;
    let told = module.state_version();
    let build = Build {
        checksum: Digest::of(&bytes),
        module,
        name: concord_coordinator::contract::NAME,
        version: VERSION,
        facts_version: told.unwrap_or(u64::from(FACTS_VERSION)),
        is_told: told.is_some(),
    };
    let address = layers.chain()?.contract;
    let rpc = sending::rpc(layers)?;
    let wait = screen.wait("ask the chain");
    let deployed = deployed(&rpc, &address).await?;
    drop(wait);
    Ok(shown(&judge(&deployed, &build), &deployed, &build))
}

async fn deployed(rpc: &Rpc, address: &Address) -> Result<Deployed, CliError> {
    let asked = |source: RpcError| CliError::Chain { what: "about the deployed contract", source };
    let none = |text: &str| CliError::NoCoordinator {
        contract: address.text().to_owned(),
        chain_id: rpc.settings().chain_id.clone(),
        text: text.to_owned(),
    };
    let contract = rpc.contract(address).await.map_err(asked)?.ok_or_else(|| none("no contract"))?;
    let code = rpc.code(contract.code_id).await.map_err(asked)?.ok_or_else(|| none("no code"))?;
    let height = rpc.status().await.map_err(asked)?.height;
    let cw2 = rpc.raw(address, CW2, height).await.map_err(asked)?;
    let config = rpc.raw(address, CONFIG.as_bytes(), height).await.map_err(asked)?;
    let version = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).ok()?.get("v")?.as_u64();
    Ok(Deployed {
        address: address.clone(),
        contract,
        code,
        cw2: cw2.and_then(|bytes| serde_json::from_slice(&bytes).ok()),
        facts_version: config.and_then(version),
    })
}

/// Everything that must hold, in the order in which a person would look.
fn judge(deployed: &Deployed, build: &Build) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut add = |holds: bool, text: String| reasons.push(Reason { holds, text });
    let same = deployed.code.checksum == build.checksum;
    add(
        !same,
        match same {
            true => "the deployed code has this checksum already; there is nothing to replace".to_owned(),
            false => {
                format!("the deployed code {} has checksum {}", deployed.code.id, deployed.code.checksum)
            }
        },
    );
    let is_contract = build.module.is_contract();
    add(
        is_contract,
        match is_contract {
            true => "the build has the interface of a CosmWasm contract".to_owned(),
            false => {
                "the build lacks the interface of a CosmWasm contract (interface_version_8); build it with \
                  scripts/build-wasm.sh"
                    .to_owned()
            }
        },
    );
    let migrates = build.module.exports("migrate");
    add(
        migrates,
        match migrates {
            true => "the build has a migrate entry point".to_owned(),
            false => "the build has no migrate entry point, and a chain migrates to none without".to_owned(),
        },
    );
    let admin = &deployed.contract.admin;
    add(
        !admin.is_empty(),
        match admin.as_str() {
            "" => "the deployed contract has no admin; nobody can ever migrate it".to_owned(),
            own if own == deployed.address.text() => {
                "the deployed contract is its own admin; only a vote migrates it".to_owned()
            }
            other => format!("the deployed contract's admin is {other}, which migrates it without a vote"),
        },
    );
    let (holds, text) = names(deployed.cw2.as_ref(), build);
    add(holds, text);
    let (holds, text) = facts(deployed.facts_version, build);
    add(holds, text);
    reasons
}

fn names(deployed: Option<&Cw2>, build: &Build) -> (bool, String) {
    let Some(Cw2 { contract, version }) = deployed else {
        return (false, format!("expected {} in the deployed contract's cw2 record, found none", build.name));
    };
    if contract != build.name {
        return (false, format!("expected {} deployed, found {contract}", build.name));
    }
    match (numbers(version), numbers(build.version)) {
        (Some(old), Some(new)) if old <= new => {
            (true, format!("{contract} goes from {version} to {}, this program's release", build.version))
        }
        (Some(_), Some(_)) => (
            false,
            format!("{contract} would go back from {version} to {}; use a newer build", build.version),
        ),
        _ => (false, format!("expected versions such as 1.2.3, found {version} and {}", build.version)),
    }
}

fn facts(deployed: Option<u64>, build: &Build) -> (bool, String) {
    let by = if build.is_told {
        "the build says"
    } else {
        "the build does not say; this program's release writes"
    };
    let new = build.facts_version;
    match deployed {
        None => (false, "expected a facts version in the deployed contract's state, found none".to_owned()),
        Some(old) if old == new => (true, format!("facts version {old} stays ({by} {new})")),
        // A step is what a release migrates; two at once were never tried together.
        Some(old) if old + 1 == new && build.is_told => (
            true,
            format!("facts go from version {old} to {new}, which the build's migrate does ({by} {new})"),
        ),
        Some(old) if old < new => {
            (false, format!("facts are of version {old} ({by} {new}); go there one release after the other"))
        }
        Some(old) => {
            (false, format!("facts are of version {old}, and never go back ({by} {new}); use a newer build"))
        }
    }
}

/// The three numbers of a version; what follows a `-` or `+` orders nothing here.
fn numbers(text: &str) -> Option<(u64, u64, u64)> {
    let bare = text.split(['-', '+']).next()?;
    let mut parts = bare.split('.').map(|part| part.parse::<u64>().ok());
    let version = (parts.next()??, parts.next()??, parts.next()??);
    parts.next().is_none().then_some(version)
}

fn shown(reasons: &[Reason], deployed: &Deployed, build: &Build) -> Answer {
    let yes = reasons.iter().all(|reason| reason.holds);
    let mut lines = vec![
        if yes {
            "yes: this build may replace the deployed one"
        } else {
            "no: this build must not replace the deployed one"
        }
        .to_owned(),
    ];
    lines.extend(
        reasons.iter().map(|reason| format!("  {}  {}", if reason.holds { "ok" } else { "NO" }, reason.text)),
    );
    if yes {
        lines.push("what a migration does to the facts was not tried: try it on a testnet first".to_owned());
    }
    let json = json!({
        "may_replace": yes,
        "reasons": reasons.iter().map(|reason| json!({"holds": reason.holds, "text": reason.text})).collect::<Vec<_>>(),
        "deployed": {
            "address": deployed.address,
            "code_id": deployed.code.id,
            "checksum": deployed.code.checksum,
            "admin": deployed.contract.admin,
            "name": deployed.cw2.as_ref().map(|cw2| &cw2.contract),
            "version": deployed.cw2.as_ref().map(|cw2| &cw2.version),
            "facts_version": deployed.facts_version,
        },
        "build": {
            "checksum": build.checksum,
            "version": build.version,
            "facts_version": build.facts_version,
            "facts_version_is_told": build.is_told,
            "migrate": build.module.exports("migrate"),
        },
    });
    let exit = if yes { Exit::Ok } else { Exit::Unexpected };
    Answer { exit, ..Answer::new(lines.join("\n"), json) }
}

#[cfg(test)]
mod tests;
