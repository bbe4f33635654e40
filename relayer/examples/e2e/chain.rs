//! What the chain itself shows of an upgrade: times of its blocks, who signed each, and evidence of double signing.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::error::{StoryError, other, step};
use super::settings::{Settings, VALIDATORS};

/// CometBFT's word for a vote that is in a commit, for the block.
const FLAG_COMMIT: u64 = 2;
/// No vote.
const FLAG_ABSENT: u64 = 1;

/// One block.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// Its height.
    pub(crate) height: u64,
    /// Its time in Unix milliseconds.
    pub(crate) time_ms: u64,
    /// How many pieces of evidence it carries.
    pub(crate) evidence: usize,
    /// The validators' votes for it.
    pub(crate) votes: [Vote; VALIDATORS],
    /// The round in which it was decided.
    pub(crate) round: u64,
}

/// A validator's part in a commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Vote {
    /// For the block, by the validator's own clock in Unix milliseconds.
    Signed(u64),
    /// For no block.
    Nil,
    /// None.
    #[default]
    Absent,
}

/// The chain, by the RPCs of its validators.
pub(crate) struct Chain {
    rpc: Vec<String>,
    addresses: Vec<String>,
    http: reqwest::Client,
}

impl Chain {
    /// Reads which validator signs by which key.
    ///
    /// # Errors
    /// [`StoryError`].
    pub(crate) fn new(settings: &Settings) -> Result<Self, StoryError> {
        let mut addresses = Vec::new();
        for node in 0..VALIDATORS {
            let file = settings.home(node).join("config").join("priv_validator_key.json");
            let text = std::fs::read(&file).map_err(step("read a validator's address"))?;
            let key: Value = serde_json::from_slice(&text).map_err(step("read a validator's address"))?;
            addresses.push(text_at(&key, "/address")?);
        }
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(3)).build();
        let rpc = (0..VALIDATORS).map(|node| settings.rpc(node)).collect();
        Ok(Self { rpc, addresses, http: http.map_err(step("make a client"))? })
    }

    async fn ask(&self, node: usize, path: &str) -> Result<Value, StoryError> {
        let rpc = self.rpc.get(node).ok_or_else(|| other("a validator", node))?;
        let asked = || format!("ask validator {node} for {path}");
        let answer = self.http.get(format!("{rpc}/{path}")).send().await.map_err(step(asked()))?;
        let mut answer: Value = answer.json().await.map_err(step(asked()))?;
        match answer.get_mut("result") {
            Some(result) => Ok(result.take()),
            None => Err(other(format!("an answer to {path}"), answer)),
        }
    }

    /// The first validator that answers.
    async fn ask_any(&self, path: &str) -> Result<Value, StoryError> {
        let mut last = other("a validator", "none");
        for node in 0..self.rpc.len() {
            match self.ask(node, path).await {
                Ok(answer) => return Ok(answer),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// A validator's newest block.
    ///
    /// # Errors
    /// [`StoryError`] when it does not answer.
    pub(crate) async fn height(&self, node: usize) -> Result<u64, StoryError> {
        number_at(&self.ask(node, "status").await?, "/sync_info/latest_block_height")
    }

    /// The newest block that can be trusted, as `concord init --trust` takes it.
    ///
    /// # Errors
    /// [`StoryError`].
    pub(crate) async fn anchor(&self) -> Result<String, StoryError> {
        let commit = self.ask_any("commit").await?;
        let height = text_at(&commit, "/signed_header/header/height")?;
        Ok(format!("{height}:{}", text_at(&commit, "/signed_header/commit/block_id/hash")?))
    }

    /// The hash of a block by one validator.
    ///
    /// # Errors
    /// [`StoryError`].
    pub(crate) async fn hash(&self, node: usize, height: u64) -> Result<String, StoryError> {
        text_at(
            &self.ask(node, &format!("commit?height={height}")).await?,
            "/signed_header/commit/block_id/hash",
        )
    }

    /// Has a validator signed a block above a height, by another one's word?
    ///
    /// # Errors
    /// [`StoryError`].
    pub(crate) async fn signed(&self, node: usize, above: u64) -> Result<bool, StoryError> {
        let witness = (node + 1) % VALIDATORS;
        let height = self.height(witness).await?;
        let block = self.block(witness, height.saturating_sub(1)).await?;
        Ok(block.height > above && matches!(block.votes.get(node), Some(Vote::Signed(_))))
    }

    /// A block below the newest, with the commit that the next one carries.
    async fn block(&self, node: usize, height: u64) -> Result<Block, StoryError> {
        let own = self.ask(node, &format!("block?height={height}")).await?;
        let next = self.ask(node, &format!("block?height={}", height.saturating_add(1))).await?;
        let commit = next.pointer("/block/last_commit").ok_or_else(|| other("a commit", &next))?;
        let mut votes = [Vote::Absent; VALIDATORS];
        for signature in commit.get("signatures").and_then(Value::as_array).into_iter().flatten() {
            let address = signature.get("validator_address").and_then(Value::as_str).unwrap_or_default();
            let Some(node) = self.addresses.iter().position(|known| known == address) else { continue };
            let flag = signature.get("block_id_flag").and_then(Value::as_u64).unwrap_or(FLAG_ABSENT);
            if let Some(vote) = votes.get_mut(node) {
                *vote = match flag {
                    FLAG_COMMIT => Vote::Signed(time_at(signature, "/timestamp")?),
                    FLAG_ABSENT => Vote::Absent,
                    _ => Vote::Nil,
                };
            }
        }
        Ok(Block {
            height,
            time_ms: time_at(&own, "/block/header/time")?,
            evidence: own.pointer("/block/evidence/evidence").and_then(Value::as_array).map_or(0, Vec::len),
            votes,
            round: commit.get("round").and_then(Value::as_u64).unwrap_or_default(),
        })
    }

    /// All blocks of a range, both ends included.
    ///
    /// # Errors
    /// [`StoryError`].
    pub(crate) async fn blocks(&self, from: u64, to: u64) -> Result<Vec<Block>, StoryError> {
        let mut blocks = Vec::new();
        for height in from..=to {
            blocks.push(self.block(0, height).await?);
        }
        Ok(blocks)
    }

    /// Do all validators show the same block at a height?
    ///
    /// # Errors
    /// [`StoryError`].
    pub(crate) async fn hashes(&self, height: u64) -> Result<BTreeSet<String>, StoryError> {
        let mut hashes = BTreeSet::new();
        for node in 0..VALIDATORS {
            hashes.insert(self.hash(node, height).await?);
        }
        Ok(hashes)
    }
}

fn text_at(value: &Value, pointer: &str) -> Result<String, StoryError> {
    let text = value.pointer(pointer).and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| other(format!("a text at {pointer}"), value))
}

fn number_at(value: &Value, pointer: &str) -> Result<u64, StoryError> {
    text_at(value, pointer)?.parse().map_err(step(format!("read the number at {pointer}")))
}

/// Unix milliseconds of a time as CometBFT writes it, such as 2026-01-02T03:04:05.678901234Z.
fn time_at(value: &Value, pointer: &str) -> Result<u64, StoryError> {
    let text = text_at(value, pointer)?;
    let time = tendermint::Time::parse_from_rfc3339(&text).map_err(step(format!("read the time {text}")))?;
    let since =
        time.duration_since(tendermint::Time::unix_epoch()).map_err(step(format!("read the time {text}")))?;
    Ok(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
