//! Records what real nodes answer, for the tests: `cargo run -p concord-prove --example capture -- OUT.json CHAIN_ID
//! CONTRACT_HEX FROM TO RPC RPC ..`.
//!
//! It begins at block FROM, verifies the header of block TO, reads every kind of key in the state before it, and keeps
//! all answers of the first RPC, with what was proved from them. A last argument `refusals:RPC` records instead how that
//! RPC refuses heights that it has not, or no longer has.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use concord_prove::{Light, Question, Reason, Source, StateKey, Terms, light_block, read};
use serde_json::{Value, json};

const CALL_SECONDS: u64 = 10;
const USAGE: &str =
    "expected OUT CHAIN_ID CONTRACT_HEX FROM TO RPC RPC [refusals:RPC]; give them in this order";

struct Recorder {
    url: String,
    http: reqwest::Client,
    answers: Mutex<BTreeMap<String, Value>>,
}

impl Recorder {
    fn new(url: &str) -> Result<Self, Box<dyn Error>> {
        let http =
            reqwest::Client::builder().timeout(Duration::from_secs(CALL_SECONDS)).no_proxy().build()?;
        Ok(Self { url: url.to_owned(), http, answers: Mutex::default() })
    }

    async fn body(&self, question: &Question) -> Result<Vec<u8>, reqwest::Error> {
        let request = self.http.post(&self.url).header("content-type", "application/json");
        Ok(request.body(question.body().to_owned()).send().await?.bytes().await?.to_vec())
    }

    fn answers(&self) -> BTreeMap<String, Value> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Source for Recorder {
    fn label(&self) -> String {
        self.url.clone()
    }

    async fn ask(&self, question: &Question) -> Result<Vec<u8>, Reason> {
        let lost = |error: reqwest::Error| Reason::NoAnswer { why: error.without_url().to_string() };
        let body = self.body(question).await.map_err(lost)?;
        if let Ok(answer) = serde_json::from_slice(&body) {
            self.answers.lock().unwrap_or_else(PoisonError::into_inner).insert(question.name(), answer);
        }
        Ok(body)
    }
}

/// The keys that are read: there, not there between others, before and after all of a contract's, and the modules'.
fn keys(contract: &[u8]) -> Vec<StateKey> {
    let own = |key: &[u8]| StateKey::contract(contract, key);
    vec![
        own(b"token_info"),
        own(b"contract_info"),
        own(b"token_inf"),
        own(b"\0"),
        own(b"zz"),
        StateKey::contract(&[0xff; 32], b"config"),
        StateKey::contract_info(contract),
        StateKey::contract_info(&[0xff; 32]),
        StateKey::code_info(1),
        StateKey::code_info(77),
        StateKey::staking_params(),
        StateKey::upgrade_plan(),
    ]
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [out, chain_id, contract, from, to, rpcs @ ..] = arguments.as_slice() else {
        return Err(USAGE.into());
    };
    let (contract, from, to) = (hex::decode(contract)?, from.parse::<u64>()?, to.parse::<u64>()?);
    let recording = match rpcs {
        [rpc] => refusals(rpc.strip_prefix("refusals:").ok_or(USAGE)?, &contract, from, to).await?,
        _ => proofs(chain_id, &contract, from, to, rpcs).await?,
    };
    std::fs::write(out, format!("{recording}\n"))?;
    Ok(())
}

async fn proofs(
    chain_id: &str,
    contract: &[u8],
    from: u64,
    to: u64,
    rpcs: &[String],
) -> Result<Value, Box<dyn Error>> {
    let sources = rpcs.iter().map(|url| Recorder::new(url)).collect::<Result<Vec<_>, _>>()?;
    let first = sources.first().ok_or(USAGE)?;
    // The tests stand a second after the newest block, so that the recording never expires.
    let (old, new) = (light_block(first, from).await?, light_block(first, to).await?);
    let now = (new.time() + Duration::from_secs(1))?;
    let anchor = format!("{from}:{}", old.hash()).parse()?;
    let terms = Terms::new(14 * 86_400, 10)?;
    let mut light =
        Light::begin(&sources, chain_id, anchor, "recorded", terms, now).await.verdict.proved()?;
    let root = light.root(&sources, to, now).await.verdict.proved()?;
    concord_prove::standing(first, chain_id).await?;
    // What a client asks for when it is told that the validators change.
    for height in [from, to] {
        first.ask(&Question::validators(height.saturating_add(1), 1)).await?;
    }
    let mut reads = Vec::new();
    for key in keys(contract) {
        let value = read(first, chain_id, &key, &root).await?;
        reads.push(json!({
            "store": key.store(), "key": hex::encode(key.bytes()), "value": value.map(hex::encode),
        }));
    }
    Ok(json!({
        "chain_id": chain_id, "contract": hex::encode(contract), "anchor": anchor, "to": to,
        "now": now.to_rfc3339(), "reads": reads, "answers": first.answers(),
    }))
}

async fn refusals(rpc: &str, contract: &[u8], low: u64, high: u64) -> Result<Value, Box<dyn Error>> {
    let source = Recorder::new(rpc)?;
    let key = StateKey::contract(contract, b"token_info");
    for height in [low, high] {
        for question in [
            Question::commit(height),
            Question::validators(height, 1),
            key.question(height),
            Question::status(),
        ] {
            source.ask(&question).await?;
        }
    }
    Ok(json!({"low": low, "high": high, "key": hex::encode(key.bytes()), "answers": source.answers()}))
}
