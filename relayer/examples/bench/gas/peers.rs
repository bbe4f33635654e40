//! The same on the same chain by others: cw3-flex-multisig with cw4-group, and DAO DAO's dao-proposal-single with the
//! contracts that it needs. Contracts of `scripts/peers.sh`.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use concord::chain::Included;
use concord::chain::wasm::{instantiate2, store_code};
use concord_schema::Digest;
use serde_json::{Value, json};

use super::super::error::{BenchError, step};
use super::super::figure::{Bar, Figure};
use super::deployment::{Cast, nobody, weights};
use super::governance::DECIDING;
use super::net::{Actor, Net};
use super::samples::Samples;

/// Texts of proposals: what is measured, and how long it is.
const TEXTS: [(&str, usize); 3] = [("tiny", 1), ("1kb", 1_000), ("10kb", 10_000)];
/// The DAO's and the multisig's bars: as the coordinator's.
const THRESHOLD: &str = "0.5001";
const QUORUM: &str = "0.334";
/// How long a vote may take, in seconds.
const VOTING_SECONDS: u64 = 3_600;

/// The uploaded codes.
pub(crate) struct Codes {
    group: u64,
    multisig: u64,
    single: u64,
    dao: u64,
    voting: u64,
}

/// A value of an event's attribute.
fn told(
    included: &Included,
    kind: &str,
    key: &str,
    is_it: impl Fn(&[(String, String)]) -> bool,
) -> Option<String> {
    let events = included.events.iter().filter(|event| event.kind == kind && is_it(&event.attributes));
    events.flat_map(|event| &event.attributes).find(|(name, _)| name == key).map(|(_, value)| value.clone())
}

fn missing(expected: &'static str, included: &Included) -> BenchError {
    BenchError::Other { expected, found: format!("{:?}", included.events) }
}

/// The address of the new contract of a code.
fn address(included: &Included, code: u64) -> Result<String, BenchError> {
    let code = code.to_string();
    let is_it = |attributes: &[(String, String)]| {
        attributes.iter().any(|(key, value)| key == "code_id" && *value == code)
    };
    told(included, "instantiate", "_contract_address", is_it)
        .ok_or_else(|| missing("the address of a new contract", included))
}

fn number(included: &Included, kind: &str, key: &str, what: &'static str) -> Result<u64, BenchError> {
    let found = told(included, kind, key, |attributes| attributes.iter().any(|(name, _)| name == key));
    found.and_then(|number| number.parse().ok()).ok_or_else(|| missing(what, included))
}

impl Codes {
    /// Uploads all contracts of a folder; gives their sizes as figures, too.
    ///
    /// # Errors
    /// [`BenchError`].
    pub(crate) async fn upload(net: &Net, folder: &Path) -> Result<(Self, Vec<Figure>), BenchError> {
        let mut all = Vec::new();
        for name in
            ["cw4-group", "cw3-flex-multisig", "dao-proposal-single", "dao-dao-core", "dao-voting-cw4"]
        {
            let wasm =
                std::fs::read(folder.join(format!("{name}.wasm"))).map_err(step("read a peer's contract"))?;
            let message = store_code(&net.deployer.address, &wasm).map_err(step("compress a contract"))?;
            let included = net.send_any(&net.deployer, &message).await?;
            all.push((wasm.len(), number(&included, "store_code", "code_id", "the number of a code")?));
        }
        let &[(group_bytes, group), (multisig_bytes, multisig), single, dao, voting] = all.as_slice() else {
            return Err(nobody("five codes"));
        };
        let bytes = |name: &'static str, bytes: usize, what: &str| Figure {
            name: name.into(),
            value: bytes as f64,
            unit: "B",
            what: what.to_owned(),
            bar: Bar::None,
        };
        let figures = vec![
            bytes("wasm_bytes_cw3", group_bytes + multisig_bytes, "cw3-flex-multisig and cw4-group 2.0.0"),
            bytes(
                "wasm_bytes_daodao",
                group_bytes + single.0 + dao.0 + voting.0,
                "dao-proposal-single, dao-dao-core and dao-voting-cw4 2.6.0, and cw4-group 2.0.0",
            ),
        ];
        Ok((Self { group, multisig, single: single.1, dao: dao.1, voting: voting.1 }, figures))
    }
}

/// A peer that takes proposals.
struct Peer<'n> {
    net: &'n Net,
    cast: &'n Cast,
    contract: String,
    samples: Samples,
}

fn json_bytes(value: &Value) -> Result<Vec<u8>, BenchError> {
    serde_json::to_vec(value).map_err(step("write a message"))
}

fn members(cast: &Cast, count: usize) -> Result<Value, BenchError> {
    let all = weights(&cast.voters, count)?.into_iter();
    Ok(all
        .map(|(addr, weight)| json!({"addr": addr, "weight": u64::try_from(weight).unwrap_or(u64::MAX)}))
        .collect())
}

async fn instantiate(net: &Net, code: u64, msg: &Value) -> Result<Included, BenchError> {
    let (deployer, msg) = (&net.deployer, json_bytes(msg)?);
    // Every electorate is a contract of its own.
    let salt = Digest::of(&msg);
    let message = instantiate2(&deployer.address, &deployer.address, code, "peer", &msg, &salt.0);
    net.send_any(deployer, &message).await
}

/// Measures a multisig of so many members.
///
/// # Errors
/// [`BenchError`].
pub(crate) async fn multisig(
    net: &Net,
    cast: &Cast,
    codes: &Codes,
    count: usize,
) -> Result<Samples, BenchError> {
    let mut samples = Samples::default();
    let msg = json!({"admin": net.deployer.text(), "members": members(cast, count)?});
    let made = instantiate(net, codes.group, &msg).await?;
    samples.note("instantiate", "the group", made.gas_used);
    let msg = json!({
        "group_addr": address(&made, codes.group)?,
        "threshold": {"threshold_quorum": {"threshold": THRESHOLD, "quorum": QUORUM}},
        "max_voting_period": {"time": VOTING_SECONDS},
        "executor": null,
        "proposal_deposit": null,
    });
    let made = instantiate(net, codes.multisig, &msg).await?;
    samples.note("instantiate", "the multisig", made.gas_used);
    let contract = address(&made, codes.multisig)?;
    let mut peer = Peer { net, cast, contract, samples };
    // Its proposer has voted by proposing.
    peer.lives(|text| json!({"propose": {"title": "x", "description": text, "msgs": [], "latest": null}}), 1)
        .await?;
    Ok(peer.samples)
}

/// Measures a DAO of so many members.
///
/// # Errors
/// [`BenchError`].
pub(crate) async fn dao(net: &Net, cast: &Cast, codes: &Codes, count: usize) -> Result<Samples, BenchError> {
    let module = |code: u64, label: &str, msg: &Value| -> Result<Value, BenchError> {
        let (msg, admin) = (BASE64.encode(json_bytes(msg)?), json!({"core_module": {}}));
        Ok(json!({"code_id": code, "msg": msg, "admin": admin, "label": label, "funds": []}))
    };
    let group = json!({"new": {"cw4_group_code_id": codes.group, "initial_members": members(cast, count)?}});
    let bars = json!({"threshold": {"percent": THRESHOLD}, "quorum": {"percent": QUORUM}});
    let single = json!({
        "threshold": {"threshold_quorum": bars},
        "max_voting_period": {"time": VOTING_SECONDS},
        "min_voting_period": null,
        "only_members_execute": false,
        "allow_revoting": false,
        "pre_propose_info": {"anyone_may_propose": {}},
        "close_proposal_on_execution_failure": true,
        "veto": null,
    });
    let msg = json!({
        "admin": null,
        "name": "dao",
        "description": "dao",
        "image_url": null,
        "automatically_add_cw20s": false,
        "automatically_add_cw721s": false,
        "voting_module_instantiate_info": module(codes.voting, "voting", &json!({"group_contract": group}))?,
        "proposal_modules_instantiate_info": [module(codes.single, "single", &single)?],
        "initial_items": null,
        "dao_uri": null,
    });
    let made = instantiate(net, codes.dao, &msg).await?;
    let mut samples = Samples::default();
    samples.note("instantiate", "the DAO with its modules", made.gas_used);
    let contract = address(&made, codes.single)?;
    let mut peer = Peer { net, cast, contract, samples };
    let draft = |text: &str| json!({"propose": {"title": "x", "description": text, "msgs": [], "proposer": null, "vote": null}});
    peer.lives(draft, 0).await?;
    Ok(peer.samples)
}

impl Peer<'_> {
    /// A proposal of each text, from draft to execution; `voted` voters have voted by proposing.
    async fn lives(&mut self, draft: impl Fn(&str) -> Value, voted: usize) -> Result<(), BenchError> {
        for (name, bytes) in TEXTS {
            let text = "x".repeat(bytes);
            let proposer = self.cast.voters.first().ok_or_else(|| nobody("a voter"))?;
            let made = self.send(proposer, &draft(&text)).await?;
            let what = format!("no messages, a text of {bytes} bytes");
            // As for the coordinator: the plain name is the one of a kilobyte.
            let operation = if name == "1kb" { "propose".to_owned() } else { format!("propose_{name}") };
            self.samples.note(&operation, what, made.gas_used);
            let id = number(&made, "wasm", "proposal_id", "the number of a proposal")?;
            let vote = json!({"vote": {"proposal_id": id, "vote": "yes"}});
            let mut gas = Vec::with_capacity(DECIDING);
            for voter in self.cast.voters.iter().take(DECIDING).skip(voted) {
                gas.push(self.send(voter, &vote).await?.gas_used);
            }
            self.samples.note_many(&format!("vote_{name}"), "a ballot", gas.into_iter());
            let execute = json!({"execute": {"proposal_id": id}});
            let executed = self.send(&self.cast.stranger, &execute).await?;
            let operation = if name == "tiny" { "execute".to_owned() } else { format!("execute_{name}") };
            self.samples.note(&operation, "no messages", executed.gas_used);
        }
        Ok(())
    }

    async fn send(&self, actor: &Actor, msg: &Value) -> Result<Included, BenchError> {
        self.net.send(actor, &self.contract, msg).await
    }
}
