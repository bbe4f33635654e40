//! Decoding of a transaction and the checks of the SDK's ante handler, in its order and with its
//! codes (cosmos-sdk 0.53, `x/auth/ante`, `types/errors`).

use cosmrs::crypto::PublicKey;
use cosmrs::proto::cosmos::base::v1beta1::Coin as ProtoCoin;
use cosmrs::proto::cosmos::tx::v1beta1::mode_info::Sum;
use cosmrs::proto::cosmos::tx::v1beta1::{AuthInfo, SignDoc, TxBody, TxRaw};
use cosmwasm_std::{Coin, Uint256};
use k256::ecdsa::signature::Verifier as _;
use k256::ecdsa::{Signature, VerifyingKey};
use prost::Message as _;
use sha2::{Digest, Sha256};

use crate::allowance::{Rest, Sponsor};
use crate::amino;
use crate::blocks::Hash;
use crate::events::coins_text;
use crate::message::{self, Message};

/// The largest transaction taken, in bytes (CometBFT's `max_tx_bytes`).
pub(crate) const TX_BYTES_MAX: usize = 1 << 20;

/// The longest memo taken, in characters (x/auth's default).
const MEMO_CHARS_MAX: usize = 256;

/// Messages taken in one transaction.
const MESSAGES_MAX: usize = 100;

const SIGN_MODE_DIRECT: i32 = 1;
const SIGN_MODE_AMINO: i32 = 127;

/// A refusal as ABCI reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TxError {
    pub(crate) codespace: &'static str,
    pub(crate) code: u32,
    pub(crate) log: String,
}

impl TxError {
    /// An error of codespace `sdk`; `name` is the registered text of the code.
    pub(crate) fn sdk(code: u32, detail: impl std::fmt::Display, name: &str) -> Self {
        Self { codespace: "sdk", code, log: format!("{detail}: {name}") }
    }

    /// An error of codespace `wasm`.
    pub(crate) fn wasm(code: u32, detail: impl std::fmt::Display, name: &str) -> Self {
        Self { codespace: "wasm", code, log: format!("{detail}: {name}") }
    }

    pub(crate) fn decode(detail: impl std::fmt::Display) -> Self {
        Self::sdk(2, detail, "tx parse error")
    }

    pub(crate) fn unauthorized(detail: impl std::fmt::Display) -> Self {
        Self::sdk(4, detail, "unauthorized")
    }

    pub(crate) fn funds(detail: impl std::fmt::Display) -> Self {
        Self::sdk(5, detail, "insufficient funds")
    }

    pub(crate) fn request(detail: impl std::fmt::Display) -> Self {
        Self::sdk(18, detail, "invalid request")
    }
}

/// A decoded transaction of one signer.
pub(crate) struct Tx {
    pub(crate) hash: Hash,
    pub(crate) bytes: Vec<u8>,
    pub(crate) messages: Vec<Message>,
    pub(crate) signer: String,
    pub(crate) sequence: u64,
    pub(crate) signature: Vec<u8>,
    pub(crate) fee: Vec<Coin>,
    pub(crate) gas_limit: u64,
    /// The mempool has verified the signature; what it covers cannot change until the block.
    pub(crate) signature_checked: bool,
    /// Who pays the fee and who grants it, as the transaction names them.
    pub(crate) fee_payer: String,
    pub(crate) fee_granter: String,
    pub(crate) timeout_height: u64,
    pub(crate) memo: String,
    public_key: Option<PublicKey>,
    sign_mode: i32,
    body_bytes: Vec<u8>,
    auth_info_bytes: Vec<u8>,
}

impl Tx {
    /// Who pays the fee in place of the signer.
    pub(crate) fn granter(&self) -> Option<&str> {
        let granter = self.fee_granter.as_str();
        (!granter.is_empty() && granter != self.signer).then_some(granter)
    }

    /// The account that pays the fee.
    pub(crate) fn payer(&self) -> &str {
        self.granter().unwrap_or(&self.signer)
    }
}

/// What a transaction that passed the checks comes with.
pub(crate) struct Passed {
    /// The signer's key, to be kept with the account.
    pub(crate) key: Option<PublicKey>,
    /// What the granter's allowance comes to, where one pays.
    pub(crate) rest: Option<Rest>,
}

/// Why the checks run: what a node does on broadcast, in a block, and for a gas estimate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// `broadcast_tx_*`: the minimum gas price counts.
    Check,
    /// In a block: whatever the proposer took.
    Deliver,
    /// A gas estimate: signature and fee do not count.
    Simulate,
}

/// What the chain holds against a transaction.
pub(crate) struct Ante<'a> {
    pub(crate) mode: Mode,
    pub(crate) chain_id: &'a str,
    /// The height compared with `timeout_height`: the last one on check, else the block's own.
    pub(crate) height: u64,
    /// The time of that block, in nanoseconds since 1970.
    pub(crate) time_nanos: u64,
    pub(crate) bech32_prefix: &'a str,
    pub(crate) fee_denom: &'a str,
    pub(crate) gas_price_min_milli: u64,
}

/// The signer as the chain knows it, with what its waiting transactions have already taken.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) number: u64,
    pub(crate) sequence: u64,
    pub(crate) public_key: Option<PublicKey>,
    pub(crate) balance: Vec<Coin>,
}

/// The SHA-256 of a transaction's bytes, which is its hash.
pub(crate) fn hash(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// Decodes a `TxRaw` and what it carries.
///
/// # Errors
/// Code 2 for bytes that are no transaction, 14, 15, 18 and 4 for shapes that the SDK or the
/// devnet refuses.
pub(crate) fn decode(bytes: Vec<u8>) -> Result<Tx, TxError> {
    let raw = TxRaw::decode(bytes.as_slice()).map_err(TxError::decode)?;
    let body = TxBody::decode(raw.body_bytes.as_slice()).map_err(TxError::decode)?;
    let auth = AuthInfo::decode(raw.auth_info_bytes.as_slice()).map_err(TxError::decode)?;
    if body.messages.is_empty() {
        return Err(TxError::request("must contain at least one message"));
    }
    if body.messages.len() > MESSAGES_MAX {
        return Err(TxError::request(format!(
            "devnet takes at most {MESSAGES_MAX} messages, found {}",
            body.messages.len()
        )));
    }
    if !body.extension_options.is_empty() {
        return Err(TxError::sdk(31, "devnet knows none", "unknown extension options"));
    }
    let messages = body.messages.iter().map(message::decode).collect::<Result<Vec<_>, _>>()?;
    let signer = one_signer(&messages)?;
    let fee = auth.fee.unwrap_or_default();
    if !fee.payer.is_empty() && fee.payer != signer {
        let detail = "devnet knows no fee payer but the signer; name a fee granter instead";
        return Err(TxError::sdk(37, detail, "feature not supported"));
    }
    let signature = match raw.signatures.as_slice() {
        [] => return Err(TxError::sdk(15, "expected one", "no signatures supplied")),
        [signature] => signature.clone(),
        more => return Err(wrong_count(more.len())),
    };
    let info = match auth.signer_infos.as_slice() {
        [info] => info,
        more => return Err(wrong_count(more.len())),
    };
    let sign_mode = match info.mode_info.as_ref().and_then(|mode| mode.sum.as_ref()) {
        Some(Sum::Single(single)) => single.mode,
        Some(Sum::Multi(_)) => {
            let detail = "devnet takes no multisig accounts";
            return Err(TxError::sdk(37, detail, "feature not supported"));
        }
        None => return Err(TxError::decode("signer info without mode info")),
    };
    let public_key = match &info.public_key {
        Some(any) => Some(public_key(any)?),
        None => None,
    };
    Ok(Tx {
        hash: hash(&bytes),
        messages,
        signer,
        sequence: info.sequence,
        signature,
        fee: coins(&fee.amount)?,
        fee_payer: fee.payer,
        fee_granter: fee.granter,
        gas_limit: fee.gas_limit,
        signature_checked: false,
        public_key,
        sign_mode,
        timeout_height: body.timeout_height,
        memo: body.memo,
        body_bytes: raw.body_bytes,
        auth_info_bytes: raw.auth_info_bytes,
        bytes,
    })
}

fn wrong_count(found: usize) -> TxError {
    TxError::unauthorized(format!("wrong number of signers; expected 1, got {found}"))
}

fn one_signer(messages: &[Message]) -> Result<String, TxError> {
    let mut signers = messages.iter().map(Message::signer);
    let first = signers.next().unwrap_or_default();
    match signers.find(|signer| *signer != first) {
        None => Ok(first.to_owned()),
        Some(other) => Err(TxError::sdk(
            37,
            format!("devnet takes one signer for all messages, found {first} and {other}"),
            "feature not supported",
        )),
    }
}

fn public_key(any: &cosmrs::Any) -> Result<PublicKey, TxError> {
    if any.type_url != PublicKey::SECP256K1_TYPE_URL {
        let detail = format!("devnet takes secp256k1 keys, found {}", any.type_url);
        return Err(TxError::sdk(8, detail, "invalid pubkey"));
    }
    PublicKey::try_from(any).map_err(|error| TxError::sdk(8, error, "invalid pubkey"))
}

/// Coins of a message or a fee; amounts must be positive whole numbers.
pub(crate) fn coins(coins: &[ProtoCoin]) -> Result<Vec<Coin>, TxError> {
    coins
        .iter()
        .map(|coin| {
            let amount: Uint256 =
                coin.amount.parse().ok().filter(|amount: &Uint256| !amount.is_zero()).ok_or_else(|| {
                    let found = format!("{}{}", coin.amount, coin.denom);
                    TxError::sdk(10, found, "invalid coins")
                })?;
            Ok(Coin::new(amount, &coin.denom))
        })
        .collect()
}

impl Ante<'_> {
    /// Runs the checks. `sponsor` is the granter that the transaction names.
    ///
    /// # Errors
    /// The first refusal, in the SDK's order.
    pub(crate) fn verify(
        &self,
        tx: &Tx,
        standing: Option<&Standing>,
        sponsor: Option<&Sponsor>,
    ) -> Result<Passed, TxError> {
        if tx.timeout_height > 0 && self.height > tx.timeout_height {
            let (height, timeout) = (self.height, tx.timeout_height);
            let detail = format!("block height: {height}, timeout height: {timeout}");
            return Err(TxError::sdk(30, detail, "tx timeout height"));
        }
        let found = tx.memo.chars().count();
        if found > MEMO_CHARS_MAX {
            let detail =
                format!("maximum number of characters is {MEMO_CHARS_MAX} but received {found} characters");
            return Err(TxError::sdk(12, detail, "memo too large"));
        }
        let Some(standing) = standing else {
            let detail = format!("fee payer address: {} does not exist", tx.signer);
            return Err(TxError::sdk(9, detail, "unknown address"));
        };
        if self.mode != Mode::Simulate {
            self.verify_fee(tx)?;
        }
        let rest = self.verify_payer(tx, standing, sponsor)?;
        let key = self.verify_key(tx, standing)?;
        if tx.sequence != standing.sequence {
            let (expected, got) = (standing.sequence, tx.sequence);
            let detail = format!("account sequence mismatch, expected {expected}, got {got}");
            return Err(TxError::sdk(32, detail, "incorrect account sequence"));
        }
        if self.mode != Mode::Simulate && !tx.signature_checked {
            self.verify_signature(tx, standing, key)?;
        }
        Ok(Passed { key, rest })
    }

    /// Can who pays the fee pay it? A granter is asked in an estimate too, as the SDK does.
    fn verify_payer(
        &self,
        tx: &Tx,
        standing: &Standing,
        sponsor: Option<&Sponsor>,
    ) -> Result<Option<Rest>, TxError> {
        if let (Some(granter), Some(sponsor)) = (tx.granter(), sponsor) {
            let types = tx.messages.iter().map(Message::type_url);
            return sponsor.pay((granter, &tx.signer), &tx.fee, self.time_nanos, types).map(Some);
        }
        if self.mode != Mode::Simulate {
            affordable(&standing.balance, &tx.fee)?;
        }
        Ok(None)
    }

    fn verify_fee(&self, tx: &Tx) -> Result<(), TxError> {
        if tx.gas_limit == 0 {
            let detail = "must provide positive gas";
            return Err(TxError::sdk(41, detail, "invalid gas limit"));
        }
        let required = u128::from(tx.gas_limit) * u128::from(self.gas_price_min_milli);
        let required = Uint256::from(required.div_ceil(1_000));
        if self.mode == Mode::Check && !required.is_zero() {
            let offered = amount_of(&tx.fee, self.fee_denom);
            if offered < required {
                let (got, denom) = (coins_text(&tx.fee), self.fee_denom);
                let detail = format!("insufficient fees; got: {got} required: {required}{denom}");
                return Err(TxError::sdk(13, detail, "insufficient fee"));
            }
        }
        Ok(())
    }

    fn verify_key(&self, tx: &Tx, standing: &Standing) -> Result<Option<PublicKey>, TxError> {
        let key = standing.public_key.or(tx.public_key);
        let Some(key) = key else {
            // An estimate may come before the account's key is known.
            if self.mode == Mode::Simulate {
                return Ok(None);
            }
            let detail = "pubkey on account is not set and none is in the transaction";
            return Err(TxError::sdk(8, detail, "invalid pubkey"));
        };
        let address =
            key.account_id(self.bech32_prefix).map_err(|error| TxError::sdk(8, error, "invalid pubkey"))?;
        if address.as_ref() != tx.signer {
            let (signer, address) = (&tx.signer, address.as_ref());
            let detail = format!("pubKey does not match signer address {signer} with {address}");
            return Err(TxError::sdk(8, detail, "invalid pubkey"));
        }
        Ok(Some(key))
    }

    fn direct_doc(&self, tx: &Tx, standing: &Standing) -> Vec<u8> {
        let document = SignDoc {
            body_bytes: tx.body_bytes.clone(),
            auth_info_bytes: tx.auth_info_bytes.clone(),
            chain_id: self.chain_id.to_owned(),
            account_number: standing.number,
        };
        document.encode_to_vec()
    }

    fn verify_signature(&self, tx: &Tx, standing: &Standing, key: Option<PublicKey>) -> Result<(), TxError> {
        let document = match tx.sign_mode {
            SIGN_MODE_DIRECT => Some(self.direct_doc(tx, standing)),
            SIGN_MODE_AMINO => amino::sign_doc(tx, self, standing),
            other => {
                let detail = format!("devnet takes direct and amino JSON, found sign mode {other}");
                return Err(TxError::sdk(37, detail, "feature not supported"));
            }
        };
        let signed = |key, document: &Vec<u8>| signed(&key, document, &tx.signature);
        if key.zip(document.as_ref()).is_some_and(|(key, document)| signed(key, document)) {
            return Ok(());
        }
        let (number, sequence, chain_id) = (standing.number, standing.sequence, self.chain_id);
        Err(TxError::unauthorized(format!(
            "signature verification failed; please verify account number ({number}), sequence \
             ({sequence}) and chain-id ({chain_id}): (unable to verify single signer signature)"
        )))
    }
}

/// The SDK takes 64 bytes r || s with a low s only, and so does k256.
fn signed(key: &PublicKey, document: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) =
        (VerifyingKey::from_sec1_bytes(&key.to_bytes()), Signature::from_slice(signature))
    else {
        return false;
    };
    key.verify(document, &signature).is_ok()
}

/// The amount of one denomination in a list.
pub(crate) fn amount_of(coins: &[Coin], denom: &str) -> Uint256 {
    coins.iter().find(|coin| coin.denom == denom).map_or(Uint256::zero(), |coin| coin.amount)
}

/// Refuses to spend more than a balance holds, in x/bank's words.
pub(crate) fn affordable(balance: &[Coin], wanted: &[Coin]) -> Result<(), TxError> {
    for coin in wanted {
        let held = amount_of(balance, &coin.denom);
        if held < coin.amount {
            let denom = &coin.denom;
            return Err(TxError::funds(format!(
                "spendable balance {held}{denom} is smaller than {}{denom}",
                coin.amount
            )));
        }
    }
    Ok(())
}
