//! Chains with real keys and real signatures, made in memory: as many validators as wanted, sets that change, forks.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use concord_prove::Anchor;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use tendermint::block::header::Version;
use tendermint::block::parts::Header as Parts;
use tendermint::block::signed_header::SignedHeader;
use tendermint::block::{Commit, CommitSig, Header, Id, Round};
use tendermint::validator::{Info, Set};
use tendermint::vote::{Power, SignedVote, Type, ValidatorIndex, Vote};
use tendermint::{AppHash, Hash, PublicKey, Signature, Time, account};

use super::tree::{Multistore, Pairs, Store, bytes};

pub(crate) const CHAIN_ID: &str = "made-1";
/// The address of the made contract.
pub(crate) const CONTRACT: [u8; 32] = [0xc0; 32];
const BLOCK_SECONDS: u64 = 5;

/// Height 1 is made at this time.
pub(crate) fn start() -> Time {
    Time::from_unix_timestamp(1_790_000_000, 123_456_789).unwrap()
}

/// The time of the block of this height.
pub(crate) fn time_at(height: u64) -> Time {
    (start() + Duration::from_secs((height - 1) * BLOCK_SECONDS)).unwrap()
}

/// A validator, by number.
#[derive(Clone)]
pub(crate) struct Voter {
    key: SigningKey,
    power: u64,
}

pub(crate) fn voter(number: u32, power: u64) -> Voter {
    let mut seed = [7; 32];
    seed[..4].copy_from_slice(&number.to_be_bytes());
    Voter { key: SigningKey::from_bytes(&seed), power }
}

/// Validators numbered from `first`, of power 10 each.
pub(crate) fn voters(first: u32, count: u32) -> Vec<Voter> {
    (first..first + count).map(|number| voter(number, 10)).collect()
}

impl Voter {
    fn info(&self) -> Info {
        let key = PublicKey::from_raw_ed25519(self.key.verifying_key().as_bytes()).unwrap();
        Info::new(key, Power::try_from(self.power).unwrap())
    }
}

fn set_of(voters: &[Voter]) -> Set {
    Set::without_proposer(voters.iter().map(Voter::info).collect())
}

/// What a validator did at a height.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ballot {
    Commit,
    Nil,
    Absent,
}

/// How a chain is made.
pub(crate) struct Plan {
    pub(crate) id: &'static str,
    pub(crate) heights: u64,
    /// The validators of a height.
    pub(crate) voters: Box<dyn Fn(u64) -> Vec<Voter> + Send + Sync>,
    /// What the validator at this place of the set of this height did.
    pub(crate) ballot: Box<dyn Fn(u64, usize) -> Ballot + Send + Sync>,
    /// What the contract stores after a height.
    pub(crate) state: Box<dyn Fn(u64) -> Pairs + Send + Sync>,
    /// Mixed into headers from this height on: two chains with other salts fork there.
    pub(crate) salt: (u64, u8),
    /// All blocks are this many times ten seconds later.
    pub(crate) late: u64,
    /// No header holds an app hash.
    pub(crate) bare: bool,
}

impl Plan {
    /// Four validators that all sign, and 40 heights.
    pub(crate) fn new() -> Self {
        Self {
            id: CHAIN_ID,
            heights: 40,
            voters: Box::new(|_| voters(0, 4)),
            ballot: Box::new(|_, _| Ballot::Commit),
            state: Box::new(state_of),
            salt: (u64::MAX, 0),
            late: 0,
            bare: false,
        }
    }

    pub(crate) fn make(self) -> Chain {
        Chain::make(self)
    }
}

/// 24 keys of the contract and one of another; `tip` holds the height.
fn state_of(height: u64) -> Pairs {
    let mut pairs: Pairs =
        (0..24_u8).map(|n| (key(&[b'k', n * 2]), format!("{{\"n\":{n}}}").into_bytes())).collect();
    pairs.push((key(b"tip"), height.to_string().into_bytes()));
    pairs.push(([&[0x03][..], &[0xc1; 32], b"tip"].concat(), b"\"other\"".to_vec()));
    pairs
}

/// The contract's key as the store holds it.
pub(crate) fn key(own: &[u8]) -> Vec<u8> {
    [&[0x03][..], &CONTRACT, own].concat()
}

/// A made chain.
pub(crate) struct Chain {
    plan: Plan,
    headers: Vec<Header>,
    sets: BTreeMap<u64, Set>,
}

fn hash(byte: u8, height: u64) -> Hash {
    let mut bytes = [byte; 32];
    bytes[..8].copy_from_slice(&height.to_be_bytes());
    Hash::Sha256(bytes)
}

impl Chain {
    fn make(plan: Plan) -> Self {
        let sets: BTreeMap<u64, Set> =
            (1..=plan.heights + 1).map(|height| (height, set_of(&(plan.voters)(height)))).collect();
        let mut chain = Self { plan, headers: Vec::new(), sets };
        for height in 1..=chain.plan.heights {
            let header = chain.header_after(height);
            chain.headers.push(header);
        }
        chain
    }

    fn header_after(&self, height: u64) -> Header {
        let salt = if height >= self.plan.salt.0 { self.plan.salt.1 } else { 0 };
        let app_hash = if self.plan.bare {
            Vec::new()
        } else if height == 1 {
            vec![0x55; 32]
        } else {
            self.state(height - 1).root()
        };
        let set = &self.sets[&height];
        Header {
            version: Version { block: 11, app: 3 },
            chain_id: self.plan.id.parse().unwrap(),
            height: u32::try_from(height).unwrap().into(),
            time: (time_at(height) + Duration::from_secs(self.plan.late * BLOCK_SECONDS * 2)).unwrap(),
            last_block_id: self.headers.last().map(block_id),
            last_commit_hash: Some(hash(1, height)),
            data_hash: Some(hash(2 + salt, height)),
            validators_hash: set.hash(),
            next_validators_hash: self.sets[&(height + 1)].hash(),
            consensus_hash: hash(3, 0),
            app_hash: AppHash::try_from(app_hash).unwrap(),
            last_results_hash: Some(hash(4, height)),
            evidence_hash: Some(hash(5, height)),
            proposer_address: set.validators()[0].address,
        }
    }

    pub(crate) fn header(&self, height: u64) -> &Header {
        &self.headers[usize::try_from(height).unwrap() - 1]
    }

    pub(crate) fn anchor(&self, height: u64) -> Anchor {
        let Hash::Sha256(hash) = self.header(height).hash() else { panic!("a header has a hash") };
        Anchor::new(height, hash).unwrap()
    }

    /// All stores after a block.
    pub(crate) fn state(&self, height: u64) -> Multistore {
        let wasm = Store::new((self.plan.state)(height), height);
        let one = |name: &str| Store::new(vec![(b"key".to_vec(), name.as_bytes().to_vec())], 1);
        // Params of staking with an unbonding time of 21 days: field 1, a duration of 1,814,400 s.
        let staking = vec![(vec![0x51], vec![0x0a, 0x04, 0x08, 0x80, 0xdf, 0x6e])];
        Multistore {
            stores: vec![
                ("acc", one("acc")),
                ("bank", one("bank")),
                ("staking", Store::new(staking, 1)),
                ("upgrade", one("upgrade")),
                ("wasm", wasm),
            ],
        }
    }

    /// Signs a header with the voters of its height.
    pub(crate) fn sign(&self, header: &Header) -> SignedHeader {
        let height = header.height.value();
        let voters = (self.plan.voters)(height);
        let signatures = self.sets[&height].validators().iter().enumerate().map(|(place, info)| {
            let voter = voters.iter().find(|voter| voter.info().address == info.address).unwrap();
            entry(voter, header, place, (self.plan.ballot)(height, place))
        });
        let commit = Commit {
            height: header.height,
            round: Round::from(0_u8),
            block_id: block_id(header),
            signatures: signatures.collect(),
        };
        SignedHeader::new(header.clone(), commit).unwrap()
    }

    /// The answer to a JSON-RPC request, as CometBFT 0.38 writes it.
    pub(crate) fn answer(&self, request: &str) -> String {
        let request: Value = serde_json::from_str(request).unwrap();
        let params = &request["params"];
        let height = params["height"].as_str().map_or(0, |text| text.parse().unwrap());
        let result = match request["method"].as_str().unwrap() {
            "status" => Ok(self.status()),
            "commit" => self.within(height, 0).map(|()| self.commit(height)),
            "validators" => self.within(height, 1).map(|()| {
                let page: usize = params["page"].as_str().unwrap().parse().unwrap();
                self.validators(height, page)
            }),
            "abci_query" => Ok(self.query(params, height)),
            other => panic!("nobody asks for {other}"),
        };
        let envelope = match result {
            Ok(result) => json!({"jsonrpc": "2.0", "id": 1, "result": result}),
            Err(data) => json!({"jsonrpc": "2.0", "id": 1,
                "error": {"code": -32603, "message": "Internal error", "data": data}}),
        };
        envelope.to_string()
    }

    fn within(&self, height: u64, above: u64) -> Result<(), String> {
        let latest = self.plan.heights;
        if height > latest + above {
            return Err(format!(
                "height {height} must be less than or equal to the current blockchain height {latest}"
            ));
        }
        Ok(())
    }

    fn status(&self) -> Value {
        json!({
            "node_info": {"network": self.plan.id, "version": "0.38.21"},
            "sync_info": {
                "latest_block_height": self.plan.heights.to_string(),
                "latest_block_time": time_at(self.plan.heights).to_rfc3339(),
                "earliest_block_height": "1",
                "catching_up": false,
            },
        })
    }

    fn commit(&self, height: u64) -> Value {
        let signed = self.sign(self.header(height));
        json!({"signed_header": serde_json::to_value(signed).unwrap(), "canonical": true})
    }

    fn validators(&self, height: u64, page: usize) -> Value {
        let all = self.sets[&height].validators();
        let shown: Vec<Value> = all
            .chunks(100)
            .nth(page - 1)
            .unwrap_or_default()
            .iter()
            .map(|info| {
                json!({
                    "address": info.address.to_string(),
                    "pub_key": {"type": "tendermint/PubKeyEd25519", "value": BASE64.encode(info.pub_key.to_bytes())},
                    "voting_power": info.power().to_string(),
                    "proposer_priority": "-30",
                })
            })
            .collect();
        json!({
            "block_height": height.to_string(),
            "validators": shown,
            "count": shown.len().to_string(),
            "total": all.len().to_string(),
        })
    }

    fn query(&self, params: &Value, height: u64) -> Value {
        let path = params["path"].as_str().unwrap();
        let store = path.strip_prefix("/store/").and_then(|rest| rest.strip_suffix("/key")).unwrap();
        let asked = hex::decode(params["data"].as_str().unwrap()).unwrap();
        // The state of the newest block is under no header yet, but a node holds it.
        if height > self.plan.heights {
            return json!({"response": {"code": 26, "codespace": "sdk", "height": "0", "index": "0", "value": null,
                "log": "cannot query with height in the future; please provide a valid height: invalid height"}});
        }
        let state = self.state(height);
        let (value, proof) = state.store(store).prove(&asked);
        json!({"response": {
            "code": 0, "log": "", "info": "", "index": "0",
            "key": BASE64.encode(&asked),
            "value": if value.is_empty() { Value::Null } else { Value::String(BASE64.encode(&value)) },
            "proofOps": {"ops": [
                {"type": "ics23:iavl", "key": BASE64.encode(&asked), "data": BASE64.encode(bytes(&proof))},
                {"type": "ics23:simple", "key": BASE64.encode(store), "data": BASE64.encode(bytes(&state.prove(store)))},
            ]},
            "height": height.to_string(),
            "codespace": "",
        }})
    }
}

pub(crate) fn block_id(header: &Header) -> Id {
    let part_set_header = Parts::new(1, hash(9, header.height.value())).unwrap();
    Id { hash: header.hash(), part_set_header }
}

/// One validator's entry in a commit.
pub(crate) fn entry(voter: &Voter, header: &Header, place: usize, ballot: Ballot) -> CommitSig {
    if ballot == Ballot::Absent {
        return CommitSig::BlockIdFlagAbsent;
    }
    let validator_address: account::Id = voter.info().address;
    let timestamp = (header.time + Duration::from_millis(700 + place as u64)).unwrap();
    let vote = Vote {
        vote_type: Type::Precommit,
        height: header.height,
        round: Round::from(0_u8),
        block_id: (ballot == Ballot::Commit).then(|| block_id(header)),
        timestamp: Some(timestamp),
        validator_address,
        validator_index: ValidatorIndex::try_from(place).unwrap(),
        // Replaced below: the bytes to sign do not hold it.
        signature: Signature::new([0; 64]).unwrap(),
        extension: Vec::new(),
        extension_signature: None,
    };
    let unsigned = SignedVote::from_vote(vote, header.chain_id.clone()).unwrap();
    let signature = Signature::new(voter.key.sign(&unsigned.sign_bytes()).to_bytes()).unwrap();
    match ballot {
        Ballot::Nil => CommitSig::BlockIdFlagNil { validator_address, timestamp, signature },
        _ => CommitSig::BlockIdFlagCommit { validator_address, timestamp, signature },
    }
}
