//! Why something is not believed.

use crate::fork::Evidence;

/// Every way in which an answer, a header, a proof or a trust file is not believed. Texts from outside are cut to
/// [`TEXT_MAX`] characters before they come in here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    // The source.
    /// No answer, or none in time.
    #[error("the source gave no answer: {why}; ask another")]
    NoAnswer {
        /// What the transport said.
        why: String,
    },
    /// An answer longer than asked for.
    #[error("expected at most {bytes_max} bytes, found {bytes}; ask another source")]
    Oversize {
        /// The cap.
        bytes_max: usize,
        /// The length.
        bytes: usize,
    },
    /// An answer that ends in its middle.
    #[error("expected {part}, found its beginning only; ask another source")]
    Truncated {
        /// What was asked for.
        part: &'static str,
    },
    /// An answer that is not what CometBFT sends.
    #[error("expected {part}, found something else: {why}; ask another source")]
    Malformed {
        /// What was asked for.
        part: &'static str,
        /// What the reader disliked.
        why: String,
    },
    /// A JSON-RPC error that no other reason describes.
    #[error("the source refused with code {code}: {text}; ask another")]
    Refused {
        /// The JSON-RPC code.
        code: i64,
        /// Message and data.
        text: String,
    },
    /// The query was refused by the application.
    #[error("the query was refused by {codespace}/{code}: {log}; ask another source")]
    QueryRefused {
        /// Which module.
        codespace: String,
        /// Its code.
        code: u32,
        /// Its text.
        log: String,
    },
    /// Another chain.
    #[error("expected chain id {expected}, found {found}; ask a source of {expected}")]
    ChainId {
        /// The configured one.
        expected: String,
        /// The one told.
        found: String,
    },
    /// The source is not at the tip.
    #[error("the source is catching up at height {height}; wait or ask another")]
    CatchingUp {
        /// Where it is.
        height: u64,
    },
    /// The source's tip lies below a height that is already proved.
    #[error("expected a source at height {proved} or above, found {found}; ask another")]
    WentBack {
        /// The newest proved height.
        proved: u64,
        /// The source's tip.
        found: u64,
    },
    /// The block does not exist yet.
    #[error("height {asked} is not reached, the source is at {latest}; wait for it")]
    Ahead {
        /// The height asked for.
        asked: u64,
        /// The source's newest block, 0 if it did not say.
        latest: u64,
    },
    /// The source has removed the block.
    #[error("height {asked} is pruned, the source's lowest is {lowest}; ask another")]
    BlockPruned {
        /// The height asked for.
        asked: u64,
        /// The lowest block it has.
        lowest: u64,
    },
    /// The state of this height is not committed yet: also what a node that is halted at it says.
    #[error(
        "the state at height {asked} is not committed, the source is at {latest}; wait for the next block"
    )]
    StateAhead {
        /// The height asked for.
        asked: u64,
        /// The source's newest block.
        latest: u64,
    },
    /// The source has removed the state.
    #[error("the state at height {asked} is not there, though the source is at {latest}; ask another")]
    StatePruned {
        /// The height asked for.
        asked: u64,
        /// The source's newest block.
        latest: u64,
    },

    // The light block.
    /// A block of another height than the one asked for.
    #[error("expected the header of height {asked}, found {found}; ask another source")]
    HeaderHeight {
        /// The height asked for.
        asked: u64,
        /// The height in the header.
        found: u64,
    },
    /// A commit for another height than its header's.
    #[error("expected a commit for height {header}, found one for {commit}; ask another source")]
    CommitHeight {
        /// The header's height.
        header: u64,
        /// The commit's height.
        commit: u64,
    },
    /// A validator set of another height than the one asked for.
    #[error("expected the validators of height {asked}, found those of {found}; ask another source")]
    ValidatorsHeight {
        /// The height asked for.
        asked: u64,
        /// The height told.
        found: u64,
    },
    /// Pages that do not make up the whole that each of them tells.
    #[error("expected {total} validators, found {found}; ask another source")]
    ValidatorsIncomplete {
        /// As told.
        total: usize,
        /// As sent.
        found: usize,
    },
    /// More validators than this client reads.
    #[error(
        "expected at most {count_max} validators, found {found}; this chain is too large for this client"
    )]
    ValidatorsTooMany {
        /// The cap.
        count_max: usize,
        /// As told.
        found: usize,
    },
    /// A validator's address that is not made of its key.
    #[error("expected validator {expected}, as its key says, found address {found}; ask another source")]
    ValidatorAddress {
        /// From the key.
        expected: String,
        /// As told.
        found: String,
    },
    /// The same validator twice.
    #[error("validator {address} stands twice in one set; ask another source")]
    ValidatorTwice {
        /// Which.
        address: String,
    },
    /// A validator's power that is not positive, or powers whose sum is too large.
    #[error("expected positive powers with a sum of at most 2^60 - 1, found others; ask another source")]
    ValidatorPower,
    /// A validator set that is not the header's.
    #[error("the validators are not those of the header; ask another source")]
    ValidatorsHash,
    /// A next validator set that is not the header's.
    #[error("the next validators are not those of the header; ask another source")]
    NextValidatorsHash,
    /// A header that is not the one its commit signs.
    #[error("the commit is for another header; ask another source")]
    HeaderHash,
    /// A commit without any signature.
    #[error("the commit holds no signature; ask another source")]
    CommitEmpty,
    /// A commit of another length than its validator set.
    #[error("expected {validators} signatures, found {signatures}; ask another source")]
    CommitLength {
        /// Validators.
        validators: usize,
        /// Entries in the commit.
        signatures: usize,
    },
    /// A signature by nobody of the set.
    #[error("signer {address} is not in the validator set; ask another source")]
    SignerUnknown {
        /// Who.
        address: String,
    },
    /// A signature at another validator's place.
    #[error("the signature at place {place} is not of the validator there; ask another source")]
    SignerPlace {
        /// Which place.
        place: usize,
    },
    /// Two signatures of one validator.
    #[error("validator {address} signed twice in one commit; ask another source")]
    SignerTwice {
        /// Who.
        address: String,
    },
    /// A vote whose signature is missing.
    #[error("a vote carries no signature; ask another source")]
    SignatureMissing,
    /// A signature that is not its validator's, or for another vote.
    #[error("the signature of validator {address} is wrong; ask another source")]
    Signature {
        /// Whose.
        address: String,
    },
    /// A vote for nil whose signature is wrong.
    #[error("the signature of validator {address} for nil is wrong; ask another source")]
    NilSignature {
        /// Whose.
        address: String,
    },
    /// Two thirds or less signed.
    #[error(
        "expected signatures of more than two thirds of {total} power, found {tallied}; ask another source"
    )]
    Power {
        /// The set's power.
        total: u64,
        /// What signed.
        tallied: u64,
    },

    // The header against what is trusted.
    /// The next block's validators are not those that its parent named.
    #[error(
        "the validators are not those that the trusted header named for its next block; ask another source"
    )]
    Succession,
    /// A height that is not above the trusted one.
    #[error("expected a height above {trusted}, found {found}; ask another source")]
    HeightBack {
        /// Trusted.
        trusted: u64,
        /// Found.
        found: u64,
    },
    /// A time that is not after the trusted one.
    #[error("expected a time after {trusted}, found {found}; ask another source")]
    TimeBack {
        /// Trusted.
        trusted: String,
        /// Found.
        found: String,
    },
    /// A time in the future, as the host's clock sees it.
    #[error(
        "expected a time at most {drift_seconds} s after {now}, found {found}; check the clock or ask another source"
    )]
    Future {
        /// The allowance.
        drift_seconds: u64,
        /// The host's time.
        now: String,
        /// The header's.
        found: String,
    },
    /// The trusting period of the newest trusted header is over.
    #[error(
        "trust in height {height} ended at {ended}, it is {now}; set a new anchor: concord trust set H:HASH --reason .."
    )]
    TrustExpired {
        /// The newest trusted height.
        height: u64,
        /// When its period was over.
        ended: String,
        /// The host's time.
        now: String,
    },
    /// Not even with all allowed blocks between is there enough overlap of validators.
    #[error(
        "expected at most {blocks_max} blocks between {trusted} and {target}; ask another source or set a newer anchor"
    )]
    TooManyBlocks {
        /// The cap.
        blocks_max: usize,
        /// Trusted height.
        trusted: u64,
        /// Wanted height.
        target: u64,
    },
    /// An older header that the newer one does not name as its parent.
    #[error(
        "the header of height {height} is not the parent of the trusted one above it; ask another source"
    )]
    ParentHash {
        /// Its height.
        height: u64,
    },
    /// An older header that lies too far below all trusted ones.
    #[error(
        "expected a height of at least {lowest}, found {asked}; read it from a source at its time or from a bundle"
    )]
    TooFarBack {
        /// The height asked for.
        asked: u64,
        /// The lowest that is walked to.
        lowest: u64,
    },
    /// The block at the anchor's height has another hash.
    #[error(
        "expected {expected} at the anchor's height {height}, found {found}; ask another source or check the anchor"
    )]
    AnchorHash {
        /// The anchor's height.
        height: u64,
        /// The anchor's hash.
        expected: String,
        /// The source's.
        found: String,
    },

    // Witnesses.
    /// No other source confirms the header.
    #[error(
        "no other source confirms the header of height {height}; wait for a witness or configure one more rpc"
    )]
    NoWitness {
        /// Its height.
        height: u64,
    },
    /// A witness shows another header that cannot be verified.
    #[error("a witness shows another header at height {height} without proof: {why}; ask another witness")]
    WitnessUnproved {
        /// At which height.
        height: u64,
        /// Why its block is not believed.
        why: String,
    },
    /// Two headers of one height, both verified.
    #[error("the chain is forked at height {}: two verified headers; nothing is done until an operator sets an anchor: concord trust set H:HASH --reason ..", .0.height())]
    Forked(Box<Evidence>),

    // The value.
    /// The source does not prove, or was not asked to.
    #[error("the answer holds no proof; ask a source that supports prove=true")]
    ProofMissing,
    /// An answer about another height.
    #[error("expected an answer about height {asked}, found {found}; ask another source")]
    AnswerHeight {
        /// The height asked for.
        asked: u64,
        /// The height told.
        found: u64,
    },
    /// An answer about another key.
    #[error("the answer is about another key; ask another source")]
    AnswerKey,
    /// Not one proof in the store's tree and one of the store in the chain's.
    #[error("expected proofs of kinds ics23:iavl and ics23:simple, found {found}; ask another source")]
    ProofKinds {
        /// The kinds found.
        found: String,
    },
    /// A proof that is longer or deeper than any real one.
    #[error(
        "expected a proof of at most {bytes_max} bytes and {depth_max} steps, found a larger one; ask another source"
    )]
    ProofSize {
        /// The cap on bytes.
        bytes_max: usize,
        /// The cap on steps.
        depth_max: usize,
    },
    /// A proof that cannot be read.
    #[error("the proof cannot be read: {why}; ask another source")]
    ProofUnreadable {
        /// What the reader disliked.
        why: String,
    },
    /// A batch, a compressed proof, or none at all.
    #[error("expected one plain proof, found a batch, a compressed one or none; ask another source")]
    ProofForm,
    /// A proof for another key, contract or module.
    #[error("the proof is for another key; ask another source")]
    ProofKey,
    /// A proof for another store.
    #[error("expected a proof for store {expected}, found one for {found}; ask another source")]
    ProofStore {
        /// The store asked for.
        expected: &'static str,
        /// The store proved.
        found: String,
    },
    /// A value that is not the proved one.
    #[error("the value is not the proved one; ask another source")]
    ValueDiffers,
    /// A value where the proof says that there is none.
    #[error("expected no value with a proof of absence, found one; ask another source")]
    ValueWithAbsence,
    /// No value where the proof says that there is one.
    #[error("expected a value with a proof of presence, found none; ask another source")]
    ValueMissing,
    /// A store's root that is not under the app hash: another height, another chain, or a lie.
    #[error("the store's root is not under the app hash of height {height}; ask another source")]
    StoreRoot {
        /// The height of the header that holds the app hash.
        height: u64,
    },
    /// A value that is not under the store's root.
    #[error("the value is not under the store's root; ask another source")]
    Presence,
    /// An absence that the store's tree does not show.
    #[error("the absence is not shown by the store's tree; ask another source")]
    Absence,

    // Ours.
    /// A header without an app hash cannot prove anything.
    #[error(
        "expected an app hash of 32 bytes in the header of height {height}, found {bytes} bytes; this chain cannot be proved"
    )]
    AppHash {
        /// Its height.
        height: u64,
        /// Its length.
        bytes: usize,
    },
    /// A height for which there is no state, or no block.
    #[error("expected a height of 1 or above and below 2^63, found {asked}; correct the request")]
    Height {
        /// The height asked for.
        asked: u64,
    },
    /// Fewer sources than a primary and a witness.
    #[error("expected at least two sources of different operators, found {found}; configure one more rpc")]
    Sources {
        /// How many there are.
        found: usize,
    },
}

/// The longest text from outside that a reason keeps.
pub const TEXT_MAX: usize = 256;

/// Texts from outside are cut before they are kept.
pub(crate) fn cut(text: &str) -> String {
    text.chars().take(TEXT_MAX).collect()
}

/// One check: true, or the reason why not.
pub(crate) fn demand(holds: bool, reason: impl FnOnce() -> Reason) -> Result<(), Reason> {
    if holds { Ok(()) } else { Err(reason()) }
}
