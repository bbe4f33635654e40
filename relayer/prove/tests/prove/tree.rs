//! The two trees of an SDK chain, as small as they can be: an IAVL tree for a store, and the simple tree over all
//! stores. They are built from the two published ICS23 specs, and only prove.

use ics23::commitment_proof::Proof;
use ics23::{CommitmentProof, ExistenceProof, HashOp, InnerOp, LeafOp, LengthOp, NonExistenceProof};
use prost::Message;
use sha2::{Digest, Sha256};

fn sha(parts: &[&[u8]]) -> Vec<u8> {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().to_vec()
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// Signed numbers, zigzag.
fn signed(number: u64) -> Vec<u8> {
    varint(number << 1)
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    [varint(bytes.len() as u64), bytes.to_vec()].concat()
}

/// A store's content in order of its keys.
pub(crate) type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// A path from a leaf up.
struct Path {
    root: Vec<u8>,
    steps: Vec<InnerOp>,
}

/// An IAVL tree over sorted pairs, halved at each level.
pub(crate) struct Store {
    pairs: Pairs,
    version: u64,
}

impl Store {
    pub(crate) fn new(mut pairs: Pairs, version: u64) -> Self {
        pairs.sort();
        assert!(!pairs.is_empty());
        Self { pairs, version }
    }

    fn leaf(&self) -> LeafOp {
        let prefix = [signed(0), signed(1), signed(self.version)].concat();
        LeafOp {
            hash: HashOp::Sha256.into(),
            prehash_key: HashOp::NoHash.into(),
            prehash_value: HashOp::Sha256.into(),
            length: LengthOp::VarProto.into(),
            prefix,
        }
    }

    /// Hash and height of the subtree over `from..to`; the path of the leaf `of`, if it is inside.
    fn walk(&self, from: usize, to: usize, of: Option<usize>) -> (Path, u64) {
        let of = of.filter(|at| (from..to).contains(at));
        if to - from == 1 {
            let (key, value) = &self.pairs[from];
            let root = sha(&[&self.leaf().prefix, &sized(key), &sized(&sha(&[value]))]);
            return (Path { root, steps: Vec::new() }, 0);
        }
        let middle = from + (to - from) / 2;
        let ((left, left_height), (right, right_height)) =
            (self.walk(from, middle, of), self.walk(middle, to, of));
        let height = left_height.max(right_height) + 1;
        let head = [signed(height), signed((to - from) as u64), signed(self.version)].concat();
        let (left_bytes, right_bytes) = (sized(&left.root), sized(&right.root));
        let root = sha(&[&head, &left_bytes, &right_bytes]);
        let mut steps = Vec::new();
        if let Some(at) = of {
            let is_left = at < middle;
            steps = if is_left { left.steps } else { right.steps };
            let (prefix, suffix) = if is_left {
                ([head, vec![32]].concat(), right_bytes)
            } else {
                ([head, left_bytes, vec![32]].concat(), Vec::new())
            };
            steps.push(InnerOp { hash: HashOp::Sha256.into(), prefix, suffix });
        }
        (Path { root, steps }, height)
    }

    pub(crate) fn root(&self) -> Vec<u8> {
        self.walk(0, self.pairs.len(), None).0.root
    }

    fn exist(&self, at: usize) -> ExistenceProof {
        let (key, value) = self.pairs[at].clone();
        let path = self.walk(0, self.pairs.len(), Some(at)).0.steps;
        ExistenceProof { key, value, leaf: Some(self.leaf()), path }
    }

    /// Value and proof of a key, or its proved absence.
    pub(crate) fn prove(&self, key: &[u8]) -> (Vec<u8>, CommitmentProof) {
        match self.pairs.binary_search_by(|(own, _)| own.as_slice().cmp(key)) {
            Ok(at) => {
                let exist = self.exist(at);
                (exist.value.clone(), CommitmentProof { proof: Some(Proof::Exist(exist)) })
            }
            Err(at) => {
                let left = at.checked_sub(1).map(|before| self.exist(before));
                let right = (at < self.pairs.len()).then(|| self.exist(at));
                let absent = NonExistenceProof { key: key.to_vec(), left, right };
                (Vec::new(), CommitmentProof { proof: Some(Proof::Nonexist(absent)) })
            }
        }
    }
}

/// The simple tree over the stores' roots.
pub(crate) struct Multistore {
    pub(crate) stores: Vec<(&'static str, Store)>,
}

impl Multistore {
    fn leaf() -> LeafOp {
        LeafOp {
            hash: HashOp::Sha256.into(),
            prehash_key: HashOp::NoHash.into(),
            prehash_value: HashOp::Sha256.into(),
            length: LengthOp::VarProto.into(),
            prefix: vec![0],
        }
    }

    fn walk(&self, from: usize, to: usize, of: Option<usize>) -> Path {
        let of = of.filter(|at| (from..to).contains(at));
        if to - from == 1 {
            let (name, store) = &self.stores[from];
            let root = sha(&[&[0], &sized(name.as_bytes()), &sized(&sha(&[&store.root()]))]);
            return Path { root, steps: Vec::new() };
        }
        // The left part is the largest power of two below the length.
        let length = to - from;
        let mut half = 1;
        while half * 2 < length {
            half *= 2;
        }
        let middle = from + half;
        let (left, right) = (self.walk(from, middle, of), self.walk(middle, to, of));
        let root = sha(&[&[1], &left.root, &right.root]);
        let mut steps = Vec::new();
        if let Some(at) = of {
            let is_left = at < middle;
            let (prefix, suffix) =
                if is_left { (vec![1], right.root) } else { ([vec![1], left.root].concat(), Vec::new()) };
            steps = if is_left { left.steps } else { right.steps };
            steps.push(InnerOp { hash: HashOp::Sha256.into(), prefix, suffix });
        }
        Path { root, steps }
    }

    pub(crate) fn root(&self) -> Vec<u8> {
        self.walk(0, self.stores.len(), None).root
    }

    pub(crate) fn store(&self, name: &str) -> &Store {
        &self.stores.iter().find(|(own, _)| *own == name).unwrap().1
    }

    pub(crate) fn prove(&self, name: &str) -> CommitmentProof {
        let at = self.stores.iter().position(|(own, _)| *own == name).unwrap();
        let exist = ExistenceProof {
            key: name.as_bytes().to_vec(),
            value: self.stores[at].1.root(),
            leaf: Some(Self::leaf()),
            path: self.walk(0, self.stores.len(), Some(at)).steps,
        };
        CommitmentProof { proof: Some(Proof::Exist(exist)) }
    }
}

/// A proof as an answer holds it.
pub(crate) fn bytes(proof: &CommitmentProof) -> Vec<u8> {
    proof.encode_to_vec()
}
