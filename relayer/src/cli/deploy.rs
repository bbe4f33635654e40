//! `deploy`: from a wasm file to a coordinator that only its own votes change.
//!
//! The address follows from code, account and salt, so that the contract is its own admin from its first block on, and a
//! run that broke off is simply run again: what is there is verified and used. Whatever a node says of what it did is
//! compared with what the chain then holds.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use concord_schema::Digest;
use concord_schema::msg::InstantiateMsg;
use serde_json::{Value, json};

use super::error::CliError;
use super::keys::prefix;
use super::output::{Answer, Screen};
use super::sending;
use crate::chain::answer::Event;
use crate::chain::send::Sender;
use crate::chain::wasm::{
    Code, LABEL_BYTES_MAX, PredictError, SALT_BYTES_MAX, WASM_BYTES_MAX, instantiate2, predict, store_code,
};
use crate::chain::{Address, Included, Rpc, RpcError};
use crate::config::Layers;

/// No instantiate message is longer than this.
const INIT_BYTES_MAX: u64 = 256 << 10;

/// A coordinator to deploy.
#[derive(Clone, Debug, Args)]
pub struct DeployArgs {
    /// The coordinator, as scripts/build-wasm.sh makes it
    #[arg(value_name = "WASM")]
    pub wasm: PathBuf,
    /// Its instantiate message (JSON)
    #[arg(long, value_name = "FILE")]
    pub init: PathBuf,
    /// Makes the address, with the code and the account; another one gives another deployment
    #[arg(long, default_value = "concord", value_parser = salt)]
    pub salt: String,
    /// What explorers call the contract
    #[arg(long, default_value = "coordinator", value_parser = label)]
    pub label: String,
    /// Uses this code, which must be on chain with the file's checksum, and uploads nothing
    #[arg(long, value_name = "ID")]
    pub code_id: Option<u64>,
    /// The chain's address prefix
    #[arg(long, default_value = "wasm", value_parser = prefix)]
    pub prefix: String,
    /// Shows the address and what is there already, and sends nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// What is on chain is not what was to be deployed, or a file is none.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// A file cannot be read.
    #[error("cannot read {}; check its path and who may read it", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The file is no contract.
    #[error("expected {expected} at {}, found {found}; {hint}", path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
        /// What to do.
        hint: &'static str,
    },
    /// The address cannot be told in advance.
    #[error("the contract's address cannot be told in advance")]
    Predict(#[from] PredictError),
    /// There is no such code.
    #[error("expected code {code_id} on chain, found none; leave --code-id out to upload it")]
    NoCode {
        /// Which code.
        code_id: u64,
    },
    /// Something on chain is not as it was deployed.
    #[error("expected {what} {expected}, found {found}; {hint}")]
    Other {
        /// What was compared.
        what: String,
        /// What was deployed.
        expected: String,
        /// What the chain holds.
        found: String,
        /// What to do.
        hint: &'static str,
    },
}

const CODE_HINT: &str = "name another code, or leave --code-id out to upload this one";
const CHAIN_HINT: &str =
    "the node does not tell what was sent: ask another one, and do not use this deployment before";
const THERE_HINT: &str = "another contract has this address: look at it, or deploy under another --salt";

/// What is on chain in the end.
struct Deployed {
    address: Address,
    code: Code,
    uploaded: Option<Included>,
    instantiated: Option<Included>,
}

/// Uploads what is not there, instantiates what is not there, and verifies all of it on chain.
///
/// # Errors
/// [`CliError`]: [`CliError::Deploy`] where a file or the chain is not as expected, and those of a transaction.
pub async fn deploy(layers: &Layers, screen: Screen, args: &DeployArgs) -> Result<Answer, CliError> {
    let wasm = wasm(&args.wasm)?;
    let checksum = Digest::of(&wasm);
    let init = init(&args.init)?;
    let rpc = sending::rpc(layers)?;
    let sender = sending::sender(layers, &rpc, &args.prefix)?;
    let address = predict(&checksum, sender.address(), args.salt.as_bytes()).map_err(DeployError::from)?;
    let is_there = rpc.contract(&address).await.map_err(chain("about the contract"))?.is_some();
    let code = found_code(&rpc, &sender, &checksum, args.code_id, is_there.then_some(&address)).await?;
    if args.dry_run {
        return Ok(planned(&sender, &address, &checksum, code.as_ref(), is_there));
    }
    let (code, uploaded) = match code {
        Some(code) => (code, None),
        None => upload(&rpc, &sender, &wasm, &checksum, screen).await.map(|(code, tx)| (code, Some(tx)))?,
    };
    let mut instantiated = None;
    if !is_there {
        let salt = args.salt.as_bytes();
        let message = instantiate2(sender.address(), &address, code.id, &args.label, &init, salt);
        let included = sending::settle(&sender, &[message], screen, "instantiate the contract").await?;
        let told = attribute(&included.events, "instantiate", "_contract_address").unwrap_or_default();
        same("the new contract's address", address.text(), told, CHAIN_HINT)?;
        instantiated = Some(included);
    }
    verify(&rpc, &sender, &address, &code, is_there).await?;
    let deployed = Deployed { address, code, uploaded, instantiated };
    Ok(shown(&deployed, &sender, args))
}

/// The code to use: that of the contract which is there, the named one, or an earlier upload of this account.
async fn found_code(
    rpc: &Rpc,
    sender: &Sender,
    checksum: &Digest,
    named: Option<u64>,
    there: Option<&Address>,
) -> Result<Option<Code>, CliError> {
    let mut number = named;
    if let (None, Some(address)) = (named, there) {
        number = rpc.contract(address).await.map_err(chain("about the contract"))?.map(|found| found.code_id);
    }
    let Some(code_id) = number else {
        return rpc.code_of(checksum, sender.address()).await.map_err(chain("about its codes"));
    };
    let code = rpc.code(code_id).await.map_err(chain("about the code"))?;
    let code = code.ok_or(DeployError::NoCode { code_id })?;
    let (what, hint) = match named {
        Some(_) => (format!("code {code_id} with checksum"), CODE_HINT),
        None => (format!("the code of the contract that is there, {code_id}, with checksum"), THERE_HINT),
    };
    same(&what, &checksum.to_string(), &code.checksum.to_string(), hint)?;
    Ok(Some(code))
}

async fn upload(
    rpc: &Rpc,
    sender: &Sender,
    wasm: &[u8],
    checksum: &Digest,
    screen: Screen,
) -> Result<(Code, Included), CliError> {
    let message = store_code(sender.address(), wasm)
        .map_err(|source| CliError::System { action: "compress the wasm".to_owned(), source })?;
    let included = sending::settle(sender, &[message], screen, "upload the code").await?;
    let told = attribute(&included.events, "store_code", "code_checksum").unwrap_or_default();
    same("checksum of the upload's event", &checksum.to_string(), told, CHAIN_HINT)?;
    let told = attribute(&included.events, "store_code", "code_id").unwrap_or_default();
    let code_id = told.parse::<u64>().map_err(|_| DeployError::Other {
        what: "in the upload's event".to_owned(),
        expected: "a code id".to_owned(),
        found: told.chars().take(64).collect(),
        hint: CHAIN_HINT,
    })?;
    let code = rpc.code(code_id).await.map_err(chain("about the new code"))?;
    let code = code.ok_or(DeployError::NoCode { code_id })?;
    same("checksum of the new code", &checksum.to_string(), &code.checksum.to_string(), CHAIN_HINT)?;
    same("uploader of the new code", sender.address().text(), &code.creator, CHAIN_HINT)?;
    Ok((code, included))
}

/// Compares the contract that the chain holds with what was to be deployed.
async fn verify(
    rpc: &Rpc,
    sender: &Sender,
    address: &Address,
    code: &Code,
    was_there: bool,
) -> Result<(), CliError> {
    let hint = if was_there { THERE_HINT } else { CHAIN_HINT };
    let found = rpc.contract(address).await.map_err(chain("about the contract"))?;
    let Some(found) = found else {
        return Err(DeployError::Other {
            what: "a contract at".to_owned(),
            expected: address.text().to_owned(),
            found: "none".to_owned(),
            hint,
        }
        .into());
    };
    let admin = if found.admin.is_empty() { "nobody" } else { &found.admin };
    same("the contract as its own admin,", address.text(), admin, hint)?;
    same("the contract on code", &code.id.to_string(), &found.code_id.to_string(), hint)?;
    same("the contract's creator", sender.address().text(), &found.creator, hint)?;
    Ok(())
}

fn same(what: &str, expected: &str, found: &str, hint: &'static str) -> Result<(), DeployError> {
    if expected == found {
        return Ok(());
    }
    let found = found.chars().take(128).collect();
    Err(DeployError::Other { what: what.to_owned(), expected: expected.to_owned(), found, hint })
}

fn chain(what: &'static str) -> impl Fn(RpcError) -> CliError {
    move |source| CliError::Chain { what, source }
}

/// The first value of a key in the first event of a kind.
fn attribute<'e>(events: &'e [Event], kind: &str, key: &str) -> Option<&'e str> {
    let event = events.iter().find(|event| event.kind == kind)?;
    event.attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
}

fn planned(
    sender: &Sender,
    address: &Address,
    checksum: &Digest,
    code: Option<&Code>,
    is_there: bool,
) -> Answer {
    let upload = match code {
        Some(code) => format!("is on chain as code {}", code.id),
        None => "would be uploaded".to_owned(),
    };
    let contract = if is_there { "is there" } else { "would be instantiated" };
    let text = format!(
        "code      {checksum} {upload}\ncontract  {address} {contract}\ncreator   {}",
        sender.address()
    );
    let json = json!({
        "address": address,
        "checksum": checksum,
        "code_id": code.map(|code| code.id),
        "creator": sender.address(),
        "is_there": is_there,
    });
    Answer::new(text, json)
}

fn shown(deployed: &Deployed, sender: &Sender, args: &DeployArgs) -> Answer {
    let Deployed { address, code, uploaded, instantiated } = deployed;
    let told = |tx: &Option<Included>| match tx {
        Some(tx) => format!("in block {}, gas used {}", tx.height, tx.gas_used),
        None => "was there".to_owned(),
    };
    let text = format!(
        "contract  {address} ({})\nadmin     itself\ncode id   {} ({})\nchecksum  {}\ncreator   {}",
        told(instantiated),
        code.id,
        told(uploaded),
        code.checksum,
        sender.address()
    );
    let gas = |tx: &Option<Included>| tx.as_ref().map_or(Value::Null, |tx| json!(tx.gas_used));
    let height = |tx: &Option<Included>| tx.as_ref().map_or(Value::Null, |tx| json!(tx.height));
    let json = json!({
        "address": address,
        "admin": address,
        "checksum": code.checksum,
        "code_id": code.id,
        "creator": sender.address(),
        "salt": args.salt,
        "uploaded": uploaded.is_some(),
        "instantiated": instantiated.is_some(),
        "height": {"store": height(uploaded), "instantiate": height(instantiated)},
        "gas_used": {"store": gas(uploaded), "instantiate": gas(instantiated)},
    });
    Answer::new(text, json)
}

/// Reads a contract's wasm.
///
/// # Errors
/// [`DeployError::File`] and [`DeployError::Content`].
pub fn wasm(path: &Path) -> Result<Vec<u8>, DeployError> {
    let bytes = read(path, WASM_BYTES_MAX as u64)?;
    let found = match bytes.get(..4) {
        _ if bytes.len() > WASM_BYTES_MAX => {
            return Err(DeployError::Content {
                path: path.to_owned(),
                expected: format!("at most {WASM_BYTES_MAX} bytes of wasm, which is what a chain takes,"),
                found: "more".to_owned(),
                hint: "build it with scripts/build-wasm.sh",
            });
        }
        Some(b"\0asm") => return Ok(bytes),
        Some([0x1f, 0x8b, ..]) => "gzip",
        Some(_) => "something else",
        None => "a shorter file",
    };
    Err(DeployError::Content {
        path: path.to_owned(),
        expected: "wasm".to_owned(),
        found: found.to_owned(),
        hint: "give the file that scripts/build-wasm.sh makes, uncompressed",
    })
}

/// Reads an instantiate message, as compact JSON.
fn init(path: &Path) -> Result<Vec<u8>, DeployError> {
    let bytes = read(path, INIT_BYTES_MAX)?;
    let wrong = |found: String| DeployError::Content {
        path: path.to_owned(),
        expected: "the coordinator's instantiate message".to_owned(),
        found,
        hint: "schema/json/instantiate.json says what belongs there, and docs/genesis.example.json has one under instantiate",
    };
    if bytes.len() as u64 > INIT_BYTES_MAX {
        return Err(wrong(format!("more than {INIT_BYTES_MAX} bytes")));
    }
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| wrong(format!("no json ({error})")))?;
    // The contract would refuse it too, but after the upload has been paid.
    serde_json::from_slice::<InstantiateMsg>(&bytes).map_err(|error| wrong(error.to_string()))?;
    Ok(value.to_string().into_bytes())
}

/// At most one byte more than `bytes_max`, so that a longer file shows.
fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, DeployError> {
    let failed = |source| DeployError::File { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

fn salt(text: &str) -> Result<String, String> {
    bounded(text, SALT_BYTES_MAX)
}

fn label(text: &str) -> Result<String, String> {
    bounded(text, LABEL_BYTES_MAX)
}

fn bounded(text: &str, bytes_max: usize) -> Result<String, String> {
    if (1..=bytes_max).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err(format!("expected 1 to {bytes_max} bytes, found {}", text.len()))
    }
}
