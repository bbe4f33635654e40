//! One deployment, as a person's command talks to it.

use std::path::Path;

use concord_schema::event::{TYPE, read_entry};
use concord_schema::log::Entry;
use concord_schema::msg::ExecuteMsg;
use concord_schema::query::{ConfigAnswer, QueryMsg};
use cosmrs::proto::cosmos::base::abci::v1beta1::TxMsgData;
use cosmrs::proto::cosmwasm::wasm::v1::MsgExecuteContractResponse;
use prost::Message;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::error::CliError;
use super::keys;
use super::output::{Answer, Screen, short};
use super::passphrase::Passphrases;
use crate::chain::keys::Key;
use crate::chain::send::{Outcome, Sender};
use crate::chain::sign::{Coin, Execute};
use crate::chain::{At, Chain, Included, Rpc};
use crate::config::{ChainConfig, Layers};

/// Rounds over all endpoints before a person is told that nobody answers.
const TRIES_MAX: u32 = 2;

/// A deployment that answered.
#[derive(Debug)]
pub struct Deployment {
    /// The way to its chain.
    pub rpc: Rpc,
    /// Where it is.
    pub chain: ChainConfig,
    /// What it says of itself.
    pub config: ConfigAnswer,
    layers: Layers,
    screen: Screen,
}

impl Deployment {
    /// Reaches the configured deployment and reads what it says of itself.
    ///
    /// # Errors
    /// [`CliError`]: the configuration, the chain, or a contract of another kind.
    pub async fn reach(layers: &Layers, screen: Screen) -> Result<Self, CliError> {
        let chain = layers.chain()?;
        let rpc = chain.client(TRIES_MAX).map_err(|error| CliError::Usage(error.to_string()))?;
        let wait = screen.wait("ask the chain");
        let answer = ask(&rpc, &chain, "for its settings", &QueryMsg::Config {}).await;
        drop(wait);
        let config = answer.map_err(|error| match error {
            CliError::NoAnswer { text } => CliError::NoCoordinator {
                contract: chain.contract.text().to_owned(),
                chain_id: chain.chain_id.clone(),
                text,
            },
            other => other,
        })?;
        Ok(Self { rpc, chain, config, layers: layers.clone(), screen })
    }

    /// Asks the contract.
    ///
    /// # Errors
    /// [`CliError::Chain`] and [`CliError::Answer`].
    pub async fn ask<T: DeserializeOwned>(
        &self,
        what: &'static str,
        query: &QueryMsg,
    ) -> Result<T, CliError> {
        ask(&self.rpc, &self.chain, what, query).await
    }

    /// Loads a key file of the person at the command line.
    ///
    /// # Errors
    /// [`CliError`]: the file is refused, or is sealed and nobody gives its passphrase.
    pub fn key(&self, path: &Path) -> Result<Key, CliError> {
        keys::load(path, &Passphrases::of(&self.layers)?)
    }

    /// Loads the key that signs transactions.
    ///
    /// # Errors
    /// [`CliError`]: no key is named, its file is refused, or nobody set a gas price.
    pub fn sender(&self) -> Result<Sender, CliError> {
        let key = self.key(&self.layers.key()?)?;
        let gas = self.layers.gas()?;
        Ok(Sender::new(self.rpc.clone(), key, self.chain.prefix(), gas.pricing)?)
    }

    /// Sends messages in one transaction, with coins, and waits for the outcome.
    ///
    /// # Errors
    /// [`CliError`]: refused, expired, or without a known outcome.
    pub async fn send(&self, messages: &[(ExecuteMsg, Vec<Coin>)]) -> Result<Settled, CliError> {
        let sender = self.sender()?;
        let contract = self.chain.contract.text().to_owned();
        let executes: Vec<Execute> = messages
            .iter()
            .map(|(msg, funds)| {
                let msg = serde_json::to_value(msg)
                    .map_err(|source| CliError::Answer { what: "a message", source })?;
                Ok(Execute { contract: contract.clone(), msg, funds: funds.clone() })
            })
            .collect::<Result<_, CliError>>()?;
        let wait = self.screen.wait("wait for the transaction's block");
        let outcome = sender.send(&executes).await?;
        drop(wait);
        match outcome {
            Outcome::Included(included) => Ok(Settled::read(included, &contract)),
            Outcome::Expired => Err(CliError::Expired),
            Outcome::Refused(refused) => Err(CliError::Refused(refused)),
        }
    }

    /// An answer that tells of short floors.
    #[must_use]
    pub fn answer(&self, text: String, json: Value) -> Answer {
        Answer { short_floors: self.config.short_floors, ..Answer::new(text, json) }
    }

    /// How things are shown.
    #[must_use]
    pub fn screen(&self) -> Screen {
        self.screen
    }
}

async fn ask<T: DeserializeOwned>(
    rpc: &Rpc,
    chain: &ChainConfig,
    what: &'static str,
    query: &QueryMsg,
) -> Result<T, CliError> {
    let query = serde_json::to_value(query).map_err(|source| CliError::Answer { what, source })?;
    let bytes = rpc
        .smart(&chain.contract, &query, At::Latest)
        .await
        .map_err(|source| CliError::unanswered(what, source))?;
    serde_json::from_slice(&bytes).map_err(|source| CliError::Answer { what, source })
}

/// A transaction in a block, and what the contract said in it.
#[derive(Clone, Debug)]
pub struct Settled {
    /// Where it is.
    pub included: Included,
    /// The log entries that it wrote.
    pub entries: Vec<Entry>,
    /// What the contract answered to each message; null where it answered nothing.
    pub answers: Vec<Value>,
}

impl Settled {
    fn read(included: Included, contract: &str) -> Self {
        let kind = format!("wasm-{TYPE}");
        let ours = |event: &&crate::chain::answer::Event| {
            let speaker = event.attributes.iter().find(|(key, _)| key == "_contract_address");
            event.kind == kind && speaker.is_some_and(|(_, value)| value == contract)
        };
        // An entry that cannot be read is a matter of `log verify`; here it is only not shown.
        let entries = included
            .events
            .iter()
            .filter(ours)
            .filter_map(|event| read_entry(&event.attributes).ok())
            .collect();
        let data = TxMsgData::decode(included.data.as_slice()).unwrap_or_default();
        let answers = data
            .msg_responses
            .iter()
            .map(|answer| {
                let answer = MsgExecuteContractResponse::decode(answer.value.as_slice()).unwrap_or_default();
                serde_json::from_slice(&answer.data).unwrap_or(Value::Null)
            })
            .collect();
        Self { included, entries, answers }
    }

    /// The first value of a field in an entry of this kind.
    #[must_use]
    pub fn field(&self, kind: &str, field: &str) -> Option<&str> {
        let entry = self.entries.iter().find(|entry| entry.kind == kind)?;
        entry.fields.iter().find(|(name, _)| name == field).map(|(_, value)| value.as_str())
    }

    /// What the contract answered, in its own words.
    pub fn said(&self) -> impl Iterator<Item = &str> {
        self.answers.iter().filter_map(|answer| answer.get("what").and_then(Value::as_str))
    }

    /// A line an entry, what the contract answered where nothing changed, and the block.
    #[must_use]
    pub fn text(&self) -> String {
        let mut lines: Vec<String> = self.entries.iter().map(entry_line).collect();
        if lines.is_empty() {
            lines.extend(self.said().map(str::to_owned));
        }
        if lines.is_empty() {
            lines.push("nothing changed".to_owned());
        }
        lines.push(format!("in block {}, gas used {}", self.included.height, self.included.gas_used));
        lines.join("\n")
    }

    /// The same for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let entries: Vec<Value> = self
            .entries
            .iter()
            .map(|entry| {
                let fields: serde_json::Map<String, Value> = entry
                    .fields
                    .iter()
                    .map(|(name, value)| (name.clone(), Value::from(value.clone())))
                    .collect();
                json!({"seq": entry.seq, "kind": entry.kind, "fields": fields})
            })
            .collect();
        json!({
            "height": self.included.height,
            "gas_used": self.included.gas_used,
            "changed": !self.entries.is_empty(),
            "entries": entries,
            "answers": self.answers,
        })
    }
}

fn entry_line(entry: &Entry) -> String {
    let fields: Vec<String> =
        entry.fields.iter().map(|(name, value)| format!("{name} {}", short(value))).collect();
    format!("{}: {}", entry.kind.replace('_', " "), fields.join(", "))
}
