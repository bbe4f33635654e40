//! Who and what a test deployment is made of: change the fields of a [`Setup`], then build it.

#![expect(clippy::unwrap_used, reason = "a harness fails a test by a panic")]

use concord_schema::attestation::SigningKey;
use concord_schema::msg::{
    GenesisAuditor, GenesisComponent, GenesisGuardians, GenesisOperator, InstantiateMsg,
};
use concord_schema::plan::{Failure, Method, OnFailure, Plan, Trial, Wave};
use concord_schema::proposal::{Action, Draft, Member};
use concord_schema::release::{Artifact, Document, ProtocolRange, Release, Reversibility};
use concord_schema::rules::{ClassRules, Floors, Rules};
use concord_schema::tally::Bars;
use concord_schema::units::{Blocks, Power};
use concord_schema::{Bps, Digest, Span};
use cosmwasm_std::{Addr, Binary, HexBinary, Uint128};
use cw_multi_test::MockApiBech32;
use ed25519_dalek::Signer;
use k256::ecdsa::signature::hazmat::PrehashSigner;

/// The chain's id.
pub const CHAIN_ID: &str = "concord-test-1";
/// The one component of the default deployment.
pub const COMPONENT: &str = "feeder";
/// The platform of every artifact.
pub const PLATFORM: &str = "x86_64-linux";
/// The denomination of deposits.
pub const DENOM: &str = "ucon";
/// What every account has at first.
pub const PURSE: u128 = 1_000_000;
/// Length of every short span of the default rules.
pub const SHORT: Span = Span::new(10, 2);
/// Length of every long one.
pub const LONG: Span = Span::new(60, 10);

/// The address of an account by its name.
#[must_use]
pub fn addr(name: &str) -> Addr {
    MockApiBech32::new("wasm").addr_make(name)
}

/// A key that signs statements.
pub enum Secret {
    /// Ed25519.
    Ed25519(Box<ed25519_dalek::SigningKey>),
    /// Secp256k1.
    Secp256k1(k256::ecdsa::SigningKey),
}

impl Secret {
    /// A key from a seed of one byte: even ones are ed25519, odd ones secp256k1.
    #[must_use]
    pub fn of(seed: u8) -> Self {
        let bytes = [seed.wrapping_add(1); 32];
        if seed.is_multiple_of(2) {
            Self::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(&bytes)))
        } else {
            Self::Secp256k1(k256::ecdsa::SigningKey::from_slice(&bytes).unwrap())
        }
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> SigningKey {
        match self {
            Self::Ed25519(key) => SigningKey::Ed25519(HexBinary::from(key.verifying_key().to_bytes())),
            Self::Secp256k1(key) => {
                SigningKey::Secp256k1(HexBinary::from(key.verifying_key().to_encoded_point(true).as_bytes()))
            }
        }
    }

    /// Signs bytes.
    #[must_use]
    pub fn sign(&self, bytes: &[u8]) -> Binary {
        match self {
            Self::Ed25519(key) => Binary::new(key.sign(bytes).to_bytes().to_vec()),
            Self::Secp256k1(key) => {
                let signature: k256::ecdsa::Signature = key.sign_prehash(&Digest::of(bytes).0).unwrap();
                Binary::new(signature.to_bytes().to_vec())
            }
        }
    }
}

/// What a deployment is built from: change the fields, then [`Setup::build`].
pub struct Setup {
    /// Names and weights of members.
    pub members: Vec<(&'static str, u128)>,
    /// Names and organisations of auditors; the key of each is [`Secret::of`] its place.
    pub auditors: Vec<(&'static str, &'static str)>,
    /// Names of guardians.
    pub guardians: Vec<&'static str>,
    /// How many of them lengthen and release the brake.
    pub threshold: u8,
    /// Names, organisations and power of operators of [`COMPONENT`].
    pub operators: Vec<(&'static str, &'static str, u64)>,
    /// All governance numbers.
    pub rules: Rules,
    /// The shortest spans.
    pub floors: Floors,
}

/// The row of a class in the default rules: no attestation, no deposit, final ballots.
#[must_use]
pub fn row() -> ClassRules {
    ClassRules {
        deliberation: SHORT,
        validation: LONG,
        voting: LONG,
        voting_min: SHORT,
        timelock: SHORT,
        grace: LONG,
        bars: Bars {
            quorum_bps: Bps(4_000),
            threshold_bps: Bps(5_000),
            yes_min_bps: Bps(0),
            veto_bps: Some(Bps(3_340)),
            veto_floor_bps: Bps(0),
        },
        early_finish: true,
        auditors_min: 0,
        organisations_min: 0,
        deposit: None,
        proposer_weight_min: Uint128::zero(),
    }
}

impl Default for Setup {
    fn default() -> Self {
        let audited = ClassRules { auditors_min: 2, organisations_min: 2, ..row() };
        Self {
            members: vec![("ann", 40), ("bob", 35), ("cyd", 25)],
            auditors: vec![("aud0", "lab0"), ("aud1", "lab1"), ("aud2", "lab1")],
            guardians: vec!["gus", "gil", "gay"],
            threshold: 2,
            operators: vec![
                ("op0", "org0", 10),
                ("op1", "org1", 10),
                ("op2", "org2", 10),
                ("op3", "org3", 10),
                ("op4", "org4", 10),
                ("op5", "org5", 10),
            ],
            rules: Rules {
                routine: row(),
                standard: audited.clone(),
                critical: audited,
                constitutional: row(),
                retry: SHORT,
                brake_short: SHORT,
                brake_full: LONG,
            },
            floors: Floors {
                deliberation: Span::new(1, 1),
                voting_min: Span::new(1, 1),
                timelock: Span::new(1, 1),
                soak: Span::new(1, 1),
            },
        }
    }
}

impl Setup {
    /// The message that sets it up.
    #[must_use]
    pub fn message(&self) -> InstantiateMsg {
        InstantiateMsg {
            components: vec![GenesisComponent {
                name: COMPONENT.to_owned(),
                group: None,
                baseline: release("1.0.0", &[]),
            }],
            members: self.members.iter().map(|(name, weight)| member(name, *weight)).collect(),
            auditors: self
                .auditors
                .iter()
                .enumerate()
                .map(|(place, (name, organisation))| GenesisAuditor {
                    addr: addr(name).to_string(),
                    organisation: (*organisation).to_owned(),
                    key: Some(Secret::of(u8::try_from(place).unwrap()).public()),
                })
                .collect(),
            guardians: GenesisGuardians {
                addrs: self.guardians.iter().map(|name| addr(name).to_string()).collect(),
                threshold: self.threshold,
            },
            operators: self
                .operators
                .iter()
                .map(|(name, organisation, power)| GenesisOperator {
                    addr: addr(name).to_string(),
                    organisation: (*organisation).to_owned(),
                    component: COMPONENT.to_owned(),
                    power: Power(*power),
                })
                .collect(),
            rules: self.rules.clone(),
            floors: self.floors.clone(),
        }
    }
}

/// A member and its weight.
#[must_use]
pub fn member(name: &str, weight: u128) -> Member {
    Member { addr: addr(name).to_string(), weight: Uint128::new(weight) }
}

/// A release of [`COMPONENT`] that can be undone.
#[must_use]
pub fn release(version: &str, from: &[&str]) -> Release {
    Release {
        component: COMPONENT.to_owned(),
        version: version.to_owned(),
        artifacts: vec![Artifact {
            platform: PLATFORM.to_owned(),
            digest: Digest::of(version.as_bytes()),
            size_bytes: 1_000,
            uris: vec![format!("https://releases.example/{version}")],
        }],
        upgrades_from: from.iter().map(|version| (*version).to_owned()).collect(),
        compatibility: vec![],
        protocol: ProtocolRange { min: 1, max: 2 },
        flags: vec![],
        reversibility: Reversibility::BinaryOnly,
        rollback_procedure: None,
    }
}

/// A plan of two waves for six nodes: a third of the lots, then the rest.
#[must_use]
pub fn plan() -> Plan {
    let wave = |lot_bps, power_max_bps| Wave {
        lot_bps: Bps(lot_bps),
        power_max_bps,
        healthy_bps: Bps(10_000),
        soak: SHORT,
        deadline: LONG,
    };
    Plan {
        method: Method::Rolling,
        ready_bps: Bps(10_000),
        preparation: LONG,
        postponement: LONG,
        notice_blocks: Blocks(2),
        waves: vec![wave(3_334, Some(Bps(3_334))), wave(10_000, None)],
        lease: LONG,
        lease_bps: Bps(5_000),
        one_at_a_time: false,
        trial: Trial { span: SHORT, probe_interval_ms: 100 },
        failure: Failure {
            wave_bps: Bps(5_000),
            rollout_bps: Bps(2_000),
            on_crossed: OnFailure::RollBack,
            halted: LONG,
            rolling_back: LONG,
        },
    }
}

/// A document elsewhere.
#[must_use]
pub fn document(text: &str) -> Document {
    Document { digest: Digest::of(text.as_bytes()), uri: format!("https://forum.example/{text}") }
}

/// A draft of some actions.
#[must_use]
pub fn draft(title: &str, actions: Vec<Action>) -> Draft {
    Draft { title: title.to_owned(), rationale: document("why"), actions }
}

/// A draft that starts a rollout.
#[must_use]
pub fn upgrade(release: &Release) -> Draft {
    let start = Action::StartRollout { release: Box::new(release.clone()), plan: Box::new(plan()) };
    draft("an upgrade", vec![start])
}
