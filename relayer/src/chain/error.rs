//! Why a call to a node gave no usable answer, one variant per cause.

/// A call that failed. Endpoints are named by host and port only: a path or a user part may hold a secret.
#[derive(Debug, thiserror::Error)]
pub enum RpcError {
    /// The configuration names no endpoint, or one that is no URL.
    #[error("expected rpc endpoints as http(s) urls, {detail}; correct the list of endpoints")]
    Endpoints {
        /// What is wrong with the list.
        detail: String,
    },
    /// No connection, a broken one, or no answer in time.
    #[error("no answer from {endpoint}; check that the node runs and that its rpc port is reachable")]
    Transport {
        /// Host and port.
        endpoint: String,
        /// The client's error, without the URL.
        #[source]
        source: reqwest::Error,
    },
    /// An answer with an HTTP status that is no success, and no JSON-RPC error in its body.
    #[error("expected http status 200 from {endpoint}, found {status}; check the endpoint's address")]
    Status {
        /// Host and port.
        endpoint: String,
        /// The HTTP status.
        status: u16,
    },
    /// An answer longer than the cap.
    #[error(
        "expected at most {bytes_max} bytes from {endpoint}, found more; raise the cap or use another endpoint"
    )]
    Oversize {
        /// Host and port.
        endpoint: String,
        /// The cap.
        bytes_max: usize,
    },
    /// A JSON-RPC error that no other variant describes.
    #[error("{endpoint} refused the call with code {code}: {message} {data}")]
    Rpc {
        /// Host and port.
        endpoint: String,
        /// The JSON-RPC code.
        code: i64,
        /// The JSON-RPC message.
        message: String,
        /// The JSON-RPC data, often the real reason.
        data: String,
    },
    /// An answer that is not what the call promises.
    #[error("expected {expected} from {endpoint}, found {found}; check that it is a CometBFT 0.38 rpc")]
    Decode {
        /// Host and port.
        endpoint: String,
        /// What the answer should have been.
        expected: &'static str,
        /// What was wrong with it.
        found: String,
    },
    /// The node serves another chain.
    #[error(
        "expected chain id {expected} at {endpoint}, found {found}; use a node of {expected}, or correct the chain id"
    )]
    WrongChainId {
        /// Host and port.
        endpoint: String,
        /// The configured chain id.
        expected: String,
        /// The node's chain id.
        found: String,
    },
    /// The node has not reached the tip yet, so what it says is about the past.
    #[error("{endpoint} is catching up at height {height}; wait for it or use another endpoint")]
    CatchingUp {
        /// Host and port.
        endpoint: String,
        /// Where it is now.
        height: u64,
    },
    /// The node's newest block is far below one that it showed earlier.
    #[error(
        "expected {endpoint} at height {seen} or above, found {found}; its chain was reset or replaced, find out \
         which before trusting it again"
    )]
    WentBack {
        /// Host and port.
        endpoint: String,
        /// The highest block it showed.
        seen: u64,
        /// What it shows now.
        found: u64,
    },
    /// The node does not have this block yet.
    #[error("{endpoint} is behind: asked for height {asked}, it has {latest}; wait for it")]
    Behind {
        /// Host and port.
        endpoint: String,
        /// The height asked for.
        asked: u64,
        /// The node's newest block, 0 if it did not say.
        latest: u64,
    },
    /// The block is there, its results are not written yet, or were never kept.
    #[error("{endpoint} has no results for height {height} yet; ask again")]
    NoResults {
        /// Host and port.
        endpoint: String,
        /// The height asked for.
        height: u64,
    },
    /// The block was removed by pruning.
    #[error(
        "{endpoint} pruned height {height}, its lowest is {lowest}; use an archive node or go on from {lowest}"
    )]
    Pruned {
        /// Host and port.
        endpoint: String,
        /// The height asked for.
        height: u64,
        /// The lowest block the node still has.
        lowest: u64,
    },
    /// The node is set up not to keep block results at all.
    #[error(
        "{endpoint} keeps no block results; set storage.discard_abci_responses = false on it or use another"
    )]
    Discarded {
        /// Host and port.
        endpoint: String,
    },
    /// Some endpoints have not kept the block, and another one that may have it gave no answer.
    #[error("not every endpoint answered; ask again")]
    InDoubt {
        /// What those said that answered: [`RpcError::Pruned`] or [`RpcError::Discarded`].
        #[source]
        told: Box<RpcError>,
    },
    /// The node holds no state for this height: pruned, or not committed yet. Never an absent key.
    #[error("{endpoint} holds no state at height {height}; ask for a newer height or use another endpoint")]
    NoState {
        /// Host and port.
        endpoint: String,
        /// The height asked for.
        height: u64,
    },
    /// What was shown is not proved, or not yet.
    #[error(transparent)]
    Unproved(Box<concord_prove::Reason>),
    /// Nothing that the chain shows may be believed; the text says why and what to do.
    #[error("{why}")]
    Distrusted {
        /// Of which kind.
        cause: concord_decide::Distrust,
        /// Why, and what to do.
        why: String,
    },
    /// The application refused the query, for example the contract did.
    #[error("query refused by {codespace}/{code}: {log}")]
    Query {
        /// Which module refused.
        codespace: String,
        /// Its code.
        code: u32,
        /// Its text.
        log: String,
    },
}

impl RpcError {
    /// Whether another endpoint, or the same one later, may answer better. What the application refused stays
    /// refused; what only the node's own software refused does not.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        !matches!(self, Self::Query { .. } | Self::Endpoints { .. } | Self::Distrusted { .. })
    }

    /// Whether it is a JSON-RPC error that says this.
    pub(crate) fn says(&self, words: &str) -> bool {
        matches!(self, Self::Rpc { message, data, .. } if message.contains(words) || data.contains(words))
    }

    /// Whether the endpoint itself is at fault, and should be asked last for a while.
    pub(crate) fn blames_endpoint(&self) -> bool {
        matches!(
            self,
            Self::Transport { .. }
                | Self::Status { .. }
                | Self::Oversize { .. }
                | Self::Decode { .. }
                | Self::Rpc { .. }
                | Self::WrongChainId { .. }
                | Self::CatchingUp { .. }
                | Self::WentBack { .. }
        )
    }

    /// How much this error says about the chain when several endpoints failed in different ways.
    fn weight(&self) -> u8 {
        match self {
            Self::WentBack { .. } => 7,
            Self::Pruned { .. } => 6,
            Self::Discarded { .. } => 5,
            Self::NoResults { .. } | Self::NoState { .. } | Self::Behind { .. } => 4,
            Self::CatchingUp { .. } => 3,
            // A foreign chain at one endpoint must not hide that the right one is only unreachable.
            Self::WrongChainId { .. } => 0,
            _ => 2,
        }
    }

    /// Takes a doubt apart: what was told, and whether an endpoint is left that may still have the block.
    fn undoubted(self) -> (Self, bool) {
        match self {
            Self::InDoubt { told } => (*told, true),
            Self::Pruned { .. } | Self::Discarded { .. } | Self::WrongChainId { .. } => (self, false),
            _ => (self, true),
        }
    }

    /// The more telling of two failures of one round.
    pub(crate) fn more_telling(self, other: Self) -> Self {
        let ((mine, my_doubt), (theirs, their_doubt)) = (self.undoubted(), other.undoubted());
        let told = match (&mine, &theirs) {
            // The endpoint that kept more decides how large a gap is.
            (Self::Pruned { lowest: my_lowest, .. }, Self::Pruned { lowest, .. }) if lowest < my_lowest => {
                theirs
            }
            _ if theirs.weight() > mine.weight() => theirs,
            _ => mine,
        };
        let is_gap = matches!(told, Self::Pruned { .. } | Self::Discarded { .. });
        if is_gap && (my_doubt || their_doubt) { Self::InDoubt { told: Box::new(told) } } else { told }
    }
}

/// A transaction that was refused, by a node at its door or by the chain in a block.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Refused {
    /// Which module refused.
    pub codespace: String,
    /// Its code, never 0.
    pub code: u32,
    /// Its text, as the chain wrote it.
    pub log: String,
}

/// Why a transaction was refused, as far as the sender can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The account's sequence is another one (sdk 32).
    Sequence,
    /// The fee is too low for this node (sdk 13).
    Fee,
    /// The account cannot pay (sdk 5).
    Funds,
    /// The account that should pay the fee does not, or not any more (codespace feegrant, or no grant).
    Grant,
    /// The gas did not suffice (sdk 11).
    Gas,
    /// The node's mempool is full (sdk 20).
    MempoolFull,
    /// The timeout height passed before inclusion (sdk 30).
    TimedOut,
    /// The contract said no (codespace wasm, or its text in a simulation).
    Contract,
    /// Anything else; its text is all there is.
    Other,
}

impl Refused {
    /// The cause. A simulation loses codespace and code on its way through the query router, so that the text
    /// decides there.
    #[must_use]
    pub fn cause(&self) -> Cause {
        match (self.codespace.as_str(), self.code) {
            ("sdk", 32) => return Cause::Sequence,
            ("sdk", 13) => return Cause::Fee,
            ("sdk", 5) => return Cause::Funds,
            ("sdk", 11) => return Cause::Gas,
            ("sdk", 20) => return Cause::MempoolFull,
            ("sdk", 30) => return Cause::TimedOut,
            ("feegrant", _) => return Cause::Grant,
            ("wasm", _) => return Cause::Contract,
            _ => {}
        }
        let texts = [
            ("account sequence mismatch", Cause::Sequence),
            ("does not allow to pay fees for", Cause::Grant),
            ("execute wasm contract failed", Cause::Contract),
            ("failed to execute message", Cause::Contract),
            ("insufficient fee", Cause::Fee),
            ("insufficient funds", Cause::Funds),
            ("out of gas", Cause::Gas),
            ("mempool is full", Cause::MempoolFull),
        ];
        texts.iter().find(|(text, _)| self.log.contains(text)).map_or(Cause::Other, |(_, cause)| *cause)
    }

    /// What the contract said, without what the chain wraps around it.
    #[must_use]
    pub fn text(&self) -> &str {
        let mut text = self.log.as_str();
        // The query router puts this before what a simulation said.
        if let Some(rest) = text.strip_prefix("rpc error: code = ") {
            text = rest.split_once(" desc = ").map_or(rest, |(_, rest)| rest);
        }
        if let Some(rest) = text.strip_prefix("failed to execute message; message index: ") {
            text = rest.split_once(": ").map_or(rest, |(_, rest)| rest);
        }
        // The SDK writes both accounts as raw bytes here.
        if let Some((_, rest)) = text.split_once(" does not allow to pay fees for ") {
            text = rest.split_once(": ").map_or(rest, |(_, rest)| rest);
        }
        // A place in the node's source says nothing to who reads this.
        if let Some((before, rest)) = text.split_once(" [/")
            && rest.contains(".go:")
        {
            text = before;
        }
        // Submessages add one of these per level.
        while let Some(rest) = text.strip_prefix("dispatch: submessages: ") {
            text = rest;
        }
        text.find(": execute wasm contract failed").and_then(|end| text.get(..end)).unwrap_or(text)
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} ({}/{})", self.text(), self.codespace, self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(codespace: &str, code: u32, log: &str) -> Refused {
        Refused { codespace: codespace.into(), code, log: log.into() }
    }

    #[test]
    fn a_gap_is_certain_only_when_every_endpoint_says_so() {
        let pruned = |lowest| RpcError::Pruned { endpoint: "p".into(), height: 1, lowest };
        let discarded = || RpcError::Discarded { endpoint: "d".into() };
        let lost = || RpcError::Status { endpoint: "s".into(), status: 500 };
        let foreign =
            || RpcError::WrongChainId { endpoint: "f".into(), expected: "a".into(), found: "b".into() };
        let said = |error: RpcError| match error {
            RpcError::Pruned { lowest, .. } => (lowest, false),
            RpcError::InDoubt { told } => match *told {
                RpcError::Pruned { lowest, .. } => (lowest, true),
                RpcError::Discarded { .. } => (0, true),
                other => panic!("{other}"),
            },
            other => panic!("{other}"),
        };
        assert_eq!(said(pruned(9).more_telling(pruned(5))), (5, false));
        assert_eq!(said(pruned(5).more_telling(pruned(9))), (5, false));
        assert_eq!(said(pruned(9).more_telling(lost())), (9, true));
        assert_eq!(said(lost().more_telling(pruned(9))), (9, true));
        assert_eq!(said(lost().more_telling(pruned(9)).more_telling(pruned(5))), (5, true));
        assert_eq!(said(discarded().more_telling(lost())), (0, true));
        assert_eq!(said(discarded().more_telling(pruned(9))), (9, false));
        assert_eq!(said(foreign().more_telling(pruned(9))), (9, false));
    }

    #[test]
    fn the_cause_comes_from_code_or_text() {
        let table = [
            ("sdk", 32, "account sequence mismatch, expected 5, got 4", Cause::Sequence),
            (
                "sdk",
                18,
                "account sequence mismatch, expected 5, got 4: incorrect account sequence",
                Cause::Sequence,
            ),
            ("sdk", 13, "insufficient fees", Cause::Fee),
            ("sdk", 5, "spendable balance 1 is smaller", Cause::Funds),
            ("sdk", 11, "out of gas in location", Cause::Gas),
            ("sdk", 20, "mempool is full", Cause::MempoolFull),
            ("sdk", 30, "tx timeout height", Cause::TimedOut),
            ("wasm", 5, "no: execute wasm contract failed", Cause::Contract),
            ("sdk", 18, "failed to execute message; message index: 0: no", Cause::Contract),
            ("sdk", 4, "unauthorized", Cause::Other),
            ("feegrant", 2, "period limit: fee limit exceeded", Cause::Grant),
            (
                "sdk",
                38,
                "wasm1a does not allow to pay fees for wasm1b: fee-grant not found: not found",
                Cause::Grant,
            ),
        ];
        for (codespace, code, log, cause) in table {
            assert_eq!(refused(codespace, code, log).cause(), cause, "{log}");
        }
    }

    #[test]
    fn a_contracts_words_come_out_bare() {
        let table = [
            (
                "failed to execute message; message index: 0: lease is over: execute wasm contract failed",
                "lease is over",
            ),
            (
                "failed to execute message; message index: 12: dispatch: submessages: dispatch: submessages: no: \
                 execute wasm contract failed [CosmWasm/wasmd/x/wasm/keeper/keeper.go:1] with gas used: '5'",
                "no",
            ),
            ("rpc error: code = Unknown desc = failed to execute message; message index: 0: no", "no"),
            (
                "rpc error: code = Unknown desc = \u{1}\u{2} does not allow to pay fees for \u{3}: fee-grant not found: not \
                 found [/go/errors.go:161] with gas used: '7011': unknown request",
                "fee-grant not found: not found",
            ),
            ("kept [/in the contract's words]", "kept [/in the contract's words]"),
            ("rpc error: code = Unknown", "Unknown"),
            ("insufficient fees; got: 1", "insufficient fees; got: 1"),
            ("failed to execute message; message index: 0", "0"),
            ("", ""),
        ];
        for (log, text) in table {
            assert_eq!(refused("wasm", 5, log).text(), text);
        }
    }
}
