//! The coordinator as it is measured: its genesis, its drafts, and texts of a given length.

use concord::chain::keys::{Key, Kind};
use concord_schema::attestation::SigningKey;
use concord_schema::clock::Span;
use concord_schema::msg::{
    GenesisAuditor, GenesisComponent, GenesisGuardians, GenesisOperator, InstantiateMsg,
};
use concord_schema::plan::{Failure, Method, OnFailure, Plan, Trial, Wave};
use concord_schema::proposal::{Action, Draft, Member};
use concord_schema::release::{Artifact, Compatibility, Document, ProtocolRange, Release, Reversibility};
use concord_schema::rules::{ClassRules, Floors, Rules};
use concord_schema::tally::Bars;
use concord_schema::{Blocks, Bps, Digest, Power};
use cosmwasm_std::{HexBinary, Uint128};

use super::super::error::{BenchError, step};
use super::net::{Actor, Net};

/// The only component.
pub(crate) const COMPONENT: &str = "oracle-feeder";
/// What it runs at the beginning.
pub(crate) const VERSION: &str = "1.4.0";
/// The power of each operator and of its one node.
pub(crate) const POWER: Power = Power(100);
/// Members who hold nearly all of the weight; they vote. Whoever else is a member makes the electorate large.
pub(crate) const VOTERS: usize = 10;
/// Organisations that operators belong to, in turn.
const ORGANISATIONS: usize = 5;
/// Short spans: a second and a block.
const MOMENT: Span = Span::new(1, 1);
/// Spans that no measurement outlasts.
const LONG: Span = Span::new(3_600, 3_600);

/// Everybody who takes part.
pub(crate) struct Cast {
    /// Who votes and proposes.
    pub(crate) voters: Vec<Actor>,
    /// Who attests; the first one by the key.
    pub(crate) auditors: Vec<Actor>,
    /// Signs the first auditor's statements.
    pub(crate) signing: Key,
    /// Who brakes: two of three lengthen and release.
    pub(crate) guardians: Vec<Actor>,
    /// Who runs nodes, one each; its own account is the hot key.
    pub(crate) operators: Vec<Actor>,
    /// Who only carries and cranks.
    pub(crate) stranger: Actor,
}

impl Cast {
    /// Makes and funds all accounts.
    ///
    /// # Errors
    /// [`BenchError`].
    pub(crate) async fn new(net: &Net, operators: usize) -> Result<Self, BenchError> {
        let stranger = net.accounts(1).await?.pop();
        let cast = Self {
            voters: net.accounts(VOTERS).await?,
            auditors: net.accounts(2).await?,
            signing: Key::generate(Kind::Ed25519).map_err(step("make a key"))?,
            guardians: net.accounts(3).await?,
            operators: net.accounts(operators).await?,
            stranger: stranger.ok_or_else(|| nobody("a stranger"))?,
        };
        let first = cast.voters.iter().chain(&cast.auditors).chain(&cast.guardians);
        net.warm(&first.chain([&cast.stranger]).collect::<Vec<_>>()).await?;
        Ok(cast)
    }

    /// The deployment of so many members and operators.
    ///
    /// # Errors
    /// [`BenchError`].
    pub(crate) fn instantiate(&self, members: usize, operators: usize) -> Result<InstantiateMsg, BenchError> {
        let some = self.operators.iter().take(operators);
        Ok(InstantiateMsg {
            components: vec![GenesisComponent {
                name: COMPONENT.to_owned(),
                group: None,
                baseline: Release { upgrades_from: Vec::new(), ..release(VERSION, 0) },
            }],
            members: weights(&self.voters, members)?
                .into_iter()
                .map(|(addr, weight)| Member { addr, weight: Uint128::new(weight) })
                .collect(),
            auditors: self.auditors(),
            guardians: GenesisGuardians {
                addrs: self.guardians.iter().map(Actor::text).collect(),
                threshold: 2,
            },
            operators: some
                .enumerate()
                .map(|(index, operator)| GenesisOperator {
                    addr: operator.text(),
                    organisation: organisation(index),
                    component: COMPONENT.to_owned(),
                    power: POWER,
                })
                .collect(),
            rules: rules(),
            floors: Floors { deliberation: MOMENT, voting_min: MOMENT, timelock: MOMENT, soak: MOMENT },
        })
    }

    fn auditors(&self) -> Vec<GenesisAuditor> {
        let mut keys = vec![Some(SigningKey::Ed25519(HexBinary::from(self.signing.public())))];
        keys.resize(self.auditors.len(), None);
        let auditors = self.auditors.iter().zip(keys).enumerate();
        auditors
            .map(|(index, (auditor, key))| GenesisAuditor {
                addr: auditor.text(),
                organisation: format!("auditor-{index}"),
                key,
            })
            .collect()
    }
}

/// An account that the measurement needs is missing.
pub(crate) fn nobody(expected: &'static str) -> BenchError {
    BenchError::Other { expected, found: "nobody".to_owned() }
}

/// The organisation of an operator, by its place.
pub(crate) fn organisation(index: usize) -> String {
    format!("organisation-{}", index % ORGANISATIONS)
}

/// An electorate: the voters, and accounts of little weight that nobody holds.
///
/// # Errors
/// [`BenchError`] where an address cannot be made.
pub(crate) fn weights(voters: &[Actor], members: usize) -> Result<Vec<(String, u128)>, BenchError> {
    let mut all: Vec<(String, u128)> = voters.iter().map(|voter| (voter.text(), 1_000)).collect();
    for index in all.len()..members {
        let digest = Digest::of(&index.to_be_bytes());
        let bytes = digest.0.get(..20).unwrap_or_default();
        let address = concord::chain::Address::new(super::net::PREFIX, bytes);
        all.push((address.map_err(step("make an address"))?.text().to_owned(), 1));
    }
    Ok(all)
}

fn row(auditors: u8) -> ClassRules {
    ClassRules {
        deliberation: MOMENT,
        validation: LONG,
        voting: LONG,
        voting_min: MOMENT,
        timelock: MOMENT,
        grace: LONG,
        bars: Bars {
            quorum_bps: Bps(3_340),
            threshold_bps: Bps(5_000),
            yes_min_bps: Bps(0),
            veto_bps: Some(Bps(3_340)),
            veto_floor_bps: Bps(0),
        },
        early_finish: true,
        auditors_min: auditors,
        organisations_min: auditors,
        deposit: None,
        proposer_weight_min: Uint128::one(),
    }
}

/// As in the documented genesis, but for spans that a measurement can wait for, two auditors, and no deposit: the
/// peers are measured without one, too.
fn rules() -> Rules {
    Rules {
        routine: row(0),
        standard: row(2),
        critical: row(2),
        constitutional: row(0),
        retry: MOMENT,
        brake_short: Span::new(600, 600),
        brake_full: LONG,
    }
}

/// A release whose JSON has `bytes`, or as many as the least of it; up to about sixteen thousand.
pub(crate) fn release(version: &str, bytes: usize) -> Release {
    let artifact = |index: usize| Artifact {
        platform: format!("x86_64-linux-{index}"),
        digest: Digest::of(format!("{version} {index}").as_bytes()),
        size_bytes: 18_874_368,
        uris: vec![format!("https://releases.example/{version}/{index}/")],
    };
    let platforms = (bytes / 640).clamp(1, 16);
    let mut release = Release {
        component: COMPONENT.to_owned(),
        version: version.to_owned(),
        artifacts: (0..platforms).map(artifact).collect(),
        upgrades_from: vec![VERSION.to_owned()],
        compatibility: vec![Compatibility {
            component: "node".to_owned(),
            versions: vec!["2.0.0".to_owned(), "2.1.0".to_owned()],
        }],
        protocol: ProtocolRange { min: 3, max: 4 },
        flags: vec!["fast-path".to_owned()],
        reversibility: Reversibility::BinaryOnly,
        rollback_procedure: Some(Document {
            digest: Digest::of(b"back"),
            uri: "https://docs.example/back".to_owned(),
        }),
    };
    let missing = bytes.saturating_sub(size(&release));
    let share = missing.div_ceil(platforms);
    let mut left = missing;
    for uri in release.artifacts.iter_mut().filter_map(|artifact| artifact.uris.first_mut()) {
        let more = share.min(left);
        uri.push_str(&"x".repeat(more));
        left -= more;
    }
    release
}

/// The length of a value's JSON.
pub(crate) fn size(value: &impl serde::Serialize) -> usize {
    serde_json::to_vec(value).map_or(0, |json| json.len())
}

fn wave(lot_bps: u16) -> Wave {
    Wave {
        lot_bps: Bps(lot_bps),
        power_max_bps: None,
        // One healthy node passes a wave, so that a thousand need not be.
        healthy_bps: Bps(1),
        soak: MOMENT,
        deadline: LONG,
    }
}

/// Three waves, and bars that the first failure crosses.
fn plan() -> Plan {
    Plan {
        method: Method::Rolling,
        ready_bps: Bps(10_000),
        preparation: LONG,
        postponement: LONG,
        notice_blocks: Blocks(1),
        waves: vec![wave(5_000), wave(9_000), wave(10_000)],
        lease: LONG,
        lease_bps: Bps(10_000),
        one_at_a_time: false,
        trial: Trial { span: MOMENT, probe_interval_ms: 1_000 },
        failure: Failure {
            wave_bps: Bps(0),
            rollout_bps: Bps(0),
            on_crossed: OnFailure::RollBack,
            halted: LONG,
            rolling_back: LONG,
        },
    }
}

/// A draft of one action.
pub(crate) fn draft(title: &str, action: Action) -> Draft {
    let rationale = Document { digest: Digest::of(b"why"), uri: "https://forum.example/why".to_owned() };
    Draft { title: title.to_owned(), rationale, actions: vec![action] }
}

/// A draft that starts a rollout.
pub(crate) fn upgrade(release: &Release) -> Draft {
    let start = Action::StartRollout { release: Box::new(release.clone()), plan: Box::new(plan()) };
    draft(&format!("Upgrade {COMPONENT} to {}", release.version), start)
}
