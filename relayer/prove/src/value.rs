//! Verdicts on values: what a store holds under a key, or that it holds nothing, proved by ICS23. Pure.

use ics23::commitment_proof::Proof;
use ics23::{
    CommitmentProof, ExistenceProof, HostFunctionsProvider, NonExistenceProof, iavl_spec, tendermint_spec,
    verify_membership, verify_non_membership,
};
use prost::Message;
use sha2::{Digest, Sha256};

use crate::reason::{Reason, cut, demand};
use crate::trust::Root;
use crate::wire::{ProofOp, ProvedAnswer, Question};

/// The longest single proof that is decoded. A real one is below 4 kB and holds the value of up to 512 kB.
const PROOF_BYTES_MAX: usize = 1 << 20;
/// The deepest path: an IAVL tree of that height would hold more keys than a disk.
const PROOF_DEPTH_MAX: usize = 96;

/// Kinds of proofs, as the SDK names them (its store/types/proof.go).
const IAVL: &str = "ics23:iavl";
const SIMPLE: &str = "ics23:simple";

/// A key of a chain's state, with the module store that it lives in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StateKey {
    store: &'static str,
    key: Vec<u8>,
}

impl StateKey {
    /// What a contract stores under `key`. `contract` is the address' bytes: 32, or 20 of an old one (prefix 0x03,
    /// wasmd's x/wasm/types/keys.go).
    #[must_use]
    pub fn contract(contract: &[u8], key: &[u8]) -> Self {
        Self { store: "wasm", key: [&[0x03], contract, key].concat() }
    }

    /// A contract's own record: its code, its admin (prefix 0x02).
    #[must_use]
    pub fn contract_info(contract: &[u8]) -> Self {
        Self { store: "wasm", key: [&[0x02], contract].concat() }
    }

    /// The record of a code: its checksum (prefix 0x01).
    #[must_use]
    pub fn code_info(code: u64) -> Self {
        Self { store: "wasm", key: [&[0x01][..], &code.to_be_bytes()].concat() }
    }

    /// The parameters of staking, the unbonding time among them (x/staking/types/keys.go of SDK 0.50 and later).
    #[must_use]
    pub fn staking_params() -> Self {
        Self { store: "staking", key: vec![0x51] }
    }

    /// The chain's own upgrade plan (x/upgrade/types/keys.go).
    #[must_use]
    pub fn upgrade_plan() -> Self {
        Self { store: "upgrade", key: vec![0x00] }
    }

    /// Any key of one of the stores that this client knows; `None` for another store.
    #[must_use]
    pub fn raw(store: &str, key: &[u8]) -> Option<Self> {
        let store = ["wasm", "staking", "upgrade"].into_iter().find(|known| *known == store)?;
        Some(Self { store, key: key.to_vec() })
    }

    /// The store's name.
    #[must_use]
    pub fn store(&self) -> &'static str {
        self.store
    }

    /// The key inside the store.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.key
    }

    /// How to ask for it in the state after block `height`.
    #[must_use]
    pub fn question(&self, height: u64) -> Question {
        Question::value(self.store, &self.key, height)
    }
}

/// Verifies an answer about `key` in the state that `root` proves: the value, or `None` for a proved absence.
///
/// # Errors
/// [`Reason`], one for each check.
pub fn verify_value(answer: &ProvedAnswer, key: &StateKey, root: &Root) -> Result<Option<Vec<u8>>, Reason> {
    let [inner, outer] = answer.ops.as_slice() else { return Err(kinds(&answer.ops)) };
    demand(inner.kind == IAVL && outer.kind == SIMPLE, || kinds(&answer.ops))?;
    // The keys that the answer names decide nothing: what is verified below is what was asked for.
    demand(inner.key == key.key, || Reason::ProofKey)?;
    demand(outer.key == key.store.as_bytes(), || Reason::ProofStore {
        expected: key.store,
        found: cut(&String::from_utf8_lossy(&outer.key)),
    })?;
    let store_root = verify_store(outer, key.store, root)?;
    let proof = decode(inner)?;
    match &proof.proof {
        Some(Proof::Exist(exist)) => {
            verify_presence(&proof, exist, key, &store_root, &answer.value)?;
            Ok(Some(answer.value.clone()))
        }
        Some(Proof::Nonexist(absent)) => {
            verify_absence(&proof, absent, key, &store_root, &answer.value)?;
            Ok(None)
        }
        _ => Err(Reason::ProofForm),
    }
}

/// The root of a store, under the app hash.
fn verify_store(op: &ProofOp, store: &str, root: &Root) -> Result<Vec<u8>, Reason> {
    let proof = decode(op)?;
    let Some(Proof::Exist(exist)) = &proof.proof else { return Err(Reason::ProofForm) };
    check_depth(exist)?;
    let app_hash = root.app_hash.to_vec();
    let holds =
        verify_membership::<Hashes>(&proof, &tendermint_spec(), &app_hash, store.as_bytes(), &exist.value);
    demand(holds, || Reason::StoreRoot { height: root.height })?;
    Ok(exist.value.clone())
}

fn verify_presence(
    proof: &CommitmentProof,
    exist: &ExistenceProof,
    key: &StateKey,
    store_root: &Vec<u8>,
    value: &[u8],
) -> Result<(), Reason> {
    check_depth(exist)?;
    demand(exist.key == key.key, || Reason::ProofKey)?;
    demand(!value.is_empty(), || Reason::ValueMissing)?;
    demand(exist.value == value, || Reason::ValueDiffers)?;
    let holds = verify_membership::<Hashes>(proof, &iavl_spec(), store_root, &key.key, value);
    demand(holds, || Reason::Presence)
}

fn verify_absence(
    proof: &CommitmentProof,
    absent: &NonExistenceProof,
    key: &StateKey,
    store_root: &Vec<u8>,
    value: &[u8],
) -> Result<(), Reason> {
    for neighbour in absent.left.iter().chain(absent.right.iter()) {
        check_depth(neighbour)?;
    }
    demand(absent.key == key.key, || Reason::ProofKey)?;
    demand(value.is_empty(), || Reason::ValueWithAbsence)?;
    let holds = verify_non_membership::<Hashes>(proof, &iavl_spec(), store_root, &key.key);
    demand(holds, || Reason::Absence)
}

fn kinds(ops: &[ProofOp]) -> Reason {
    let found: Vec<&str> = ops.iter().take(4).map(|op| op.kind.as_str()).collect();
    Reason::ProofKinds { found: cut(&found.join(", ")) }
}

fn decode(op: &ProofOp) -> Result<CommitmentProof, Reason> {
    demand(op.data.len() <= PROOF_BYTES_MAX, oversize)?;
    CommitmentProof::decode(op.data.as_slice())
        .map_err(|error| Reason::ProofUnreadable { why: cut(&error.to_string()) })
}

fn check_depth(proof: &ExistenceProof) -> Result<(), Reason> {
    demand(proof.path.len() <= PROOF_DEPTH_MAX, oversize)
}

fn oversize() -> Reason {
    Reason::ProofSize { bytes_max: PROOF_BYTES_MAX, depth_max: PROOF_DEPTH_MAX }
}

/// SHA-256, the only hash that the two specs allow. A proof that names another one is refused before anything is
/// hashed, so that the others are never asked; were they, zeros would prove nothing.
struct Hashes;

impl HostFunctionsProvider for Hashes {
    fn sha2_256(message: &[u8]) -> [u8; 32] {
        Sha256::digest(message).into()
    }

    fn sha2_512(_: &[u8]) -> [u8; 64] {
        [0; 64]
    }

    fn sha2_512_truncated(_: &[u8]) -> [u8; 32] {
        [0; 32]
    }

    fn keccak_256(_: &[u8]) -> [u8; 32] {
        [0; 32]
    }

    fn ripemd160(_: &[u8]) -> [u8; 20] {
        [0; 20]
    }

    fn blake2b_512(_: &[u8]) -> [u8; 64] {
        [0; 64]
    }

    fn blake2s_256(_: &[u8]) -> [u8; 32] {
        [0; 32]
    }

    fn blake3(_: &[u8]) -> [u8; 32] {
        [0; 32]
    }
}
