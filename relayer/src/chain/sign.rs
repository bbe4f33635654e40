//! Building and signing transactions (SIGN_MODE_DIRECT).

use std::str::FromStr;

use cosmrs::Any;
use cosmrs::proto::cosmos::base::v1beta1::Coin as ProtoCoin;
use cosmrs::proto::cosmos::crypto::secp256k1::PubKey;
use cosmrs::proto::cosmos::tx::signing::v1beta1::SignMode;
use cosmrs::proto::cosmos::tx::v1beta1::{
    AuthInfo, Fee, ModeInfo, SignDoc, SignerInfo, TxBody, TxRaw, mode_info,
};
use cosmrs::proto::cosmwasm::wasm::v1::MsgExecuteContract;
use prost::Message;
use serde::{Deserialize, Serialize};

use super::answer::Account;
use super::keys::{Key, Kind, tx_hash};

/// Coins of one denom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coin {
    /// The smallest unit's name.
    pub denom: String,
    /// How many of it.
    #[serde(with = "text")]
    pub amount: u128,
}

impl FromStr for Coin {
    type Err = CoinError;

    /// Reads `100000ucosm`.
    fn from_str(text: &str) -> Result<Self, CoinError> {
        let wrong = || CoinError { found: text.chars().take(128).collect() };
        let end = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (amount, denom) = text.split_at(end);
        let amount: u128 = amount.parse().map_err(|_| wrong())?;
        if amount == 0 || !is_denom(denom) {
            return Err(wrong());
        }
        Ok(Self { denom: denom.to_owned(), amount })
    }
}

impl std::fmt::Display for Coin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}{}", self.amount, self.denom)
    }
}

/// A text that is no amount of coins.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an amount and a denom such as 100000ucosm, found {found:?}")]
pub struct CoinError {
    found: String,
}

/// What the SDK takes for a denomination.
fn is_denom(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "/:._-".contains(c))
        && (3..=128).contains(&text.len())
}

mod text {
    //! Amounts travel as text: JSON readers lose the end of long numbers.
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(amount: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(amount)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// One message to one contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Execute {
    /// The contract's address.
    pub contract: String,
    /// Its message.
    pub msg: serde_json::Value,
    /// Coins that go with it.
    #[serde(default)]
    pub funds: Vec<Coin>,
}

/// A price of gas, `0.025ucosm`, kept as whole numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GasPrice {
    numerator: u128,
    denominator: u128,
    denom: String,
}

/// A text that is no price of gas.
#[derive(Debug, thiserror::Error)]
#[error("expected a gas price such as 0.025ucosm, found {found:?}; write a decimal number and a denom")]
pub struct GasPriceError {
    found: String,
}

impl FromStr for GasPrice {
    type Err = GasPriceError;

    fn from_str(text: &str) -> Result<Self, GasPriceError> {
        let wrong = || GasPriceError { found: text.chars().take(128).collect() };
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let (number, denom) = text.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let fits = fraction.len() <= 18 && whole.len() <= 18 && !fraction.contains('.');
        if whole.is_empty() || !fits || !is_denom(denom) {
            return Err(wrong());
        }
        let numerator = format!("{whole}{fraction}").parse().map_err(|_| wrong())?;
        let places = u32::try_from(fraction.len()).map_err(|_| wrong())?;
        Ok(Self { numerator, denominator: 10_u128.pow(places), denom: denom.to_owned() })
    }
}

impl GasPrice {
    /// The fee for `gas`, rounded up; `None` when the price is zero, as a chain refuses coins of amount 0.
    #[must_use]
    pub fn fee(&self, gas: u64) -> Option<Coin> {
        let amount = u128::from(gas).saturating_mul(self.numerator).div_ceil(self.denominator);
        (amount > 0).then(|| Coin { denom: self.denom.clone(), amount })
    }
}

/// All that a signature covers besides the messages.
#[derive(Clone, Debug)]
pub struct Envelope<'e> {
    /// The chain.
    pub chain_id: &'e str,
    /// The signer's account.
    pub account: Account,
    /// The most gas it may use.
    pub gas: u64,
    /// What it pays.
    pub fee: Option<Coin>,
    /// Who pays instead of the signer.
    pub fee_granter: Option<&'e str>,
    /// The last block that may include it.
    pub timeout_height: u64,
}

/// A signed transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The bytes to broadcast.
    pub bytes: Vec<u8>,
    /// SHA-256 of them, upper-case hex.
    pub hash: String,
    /// The account sequence it uses.
    pub sequence: u64,
    /// The last block that may include it.
    pub timeout_height: u64,
    /// The most gas it may use.
    pub gas: u64,
}

/// Why no transaction could be made.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The key has no account.
    #[error("expected a secp256k1 key to sign a transaction, found an ed25519 key; name the hot key's file")]
    Kind,
    /// No messages, or too many.
    #[error("expected 1 to {MESSAGES_MAX} messages in a transaction, found {found}; split them up")]
    Messages {
        /// How many.
        found: usize,
    },
}

/// The type of the one message that agents send.
pub const EXECUTE_URL: &str = "/cosmwasm.wasm.v1.MsgExecuteContract";

/// No transaction carries more messages than this.
pub const MESSAGES_MAX: usize = 32;

/// Signs messages from `sender` (the key's own address) into one transaction.
///
/// # Errors
/// [`SignError`].
pub fn sign(
    key: &Key,
    sender: &str,
    messages: &[Execute],
    envelope: &Envelope<'_>,
) -> Result<Signed, SignError> {
    sign_any(key, &executes(sender, messages), envelope)
}

/// The messages as the chain takes them.
#[must_use]
pub fn executes(sender: &str, messages: &[Execute]) -> Vec<Any> {
    messages.iter().map(|message| any(sender, message)).collect()
}

/// Signs messages of any kind into one transaction. Each must name the key's own address as its sender.
///
/// # Errors
/// [`SignError`].
pub fn sign_any(key: &Key, messages: &[Any], envelope: &Envelope<'_>) -> Result<Signed, SignError> {
    if key.kind() != Kind::Secp256k1 {
        return Err(SignError::Kind);
    }
    if messages.is_empty() || messages.len() > MESSAGES_MAX {
        return Err(SignError::Messages { found: messages.len() });
    }
    let body =
        TxBody { messages: messages.to_vec(), timeout_height: envelope.timeout_height, ..TxBody::default() };
    let public_key = Any {
        type_url: "/cosmos.crypto.secp256k1.PubKey".into(),
        value: PubKey { key: key.public() }.encode_to_vec(),
    };
    let single = mode_info::Single { mode: SignMode::Direct.into() };
    let auth = AuthInfo {
        signer_infos: vec![SignerInfo {
            public_key: Some(public_key),
            mode_info: Some(ModeInfo { sum: Some(mode_info::Sum::Single(single)) }),
            sequence: envelope.account.sequence,
        }],
        fee: Some(Fee {
            amount: envelope.fee.iter().map(proto_coin).collect(),
            gas_limit: envelope.gas,
            payer: String::new(),
            granter: envelope.fee_granter.unwrap_or_default().to_owned(),
        }),
        ..AuthInfo::default()
    };
    let document = SignDoc {
        body_bytes: body.encode_to_vec(),
        auth_info_bytes: auth.encode_to_vec(),
        chain_id: envelope.chain_id.to_owned(),
        account_number: envelope.account.number,
    };
    let signature = key.sign(&document.encode_to_vec()).to_vec();
    let raw = TxRaw {
        body_bytes: document.body_bytes,
        auth_info_bytes: document.auth_info_bytes,
        signatures: vec![signature],
    };
    let bytes = raw.encode_to_vec();
    Ok(Signed {
        hash: tx_hash(&bytes),
        bytes,
        sequence: envelope.account.sequence,
        timeout_height: envelope.timeout_height,
        gas: envelope.gas,
    })
}

fn any(sender: &str, message: &Execute) -> Any {
    let execute = MsgExecuteContract {
        sender: sender.to_owned(),
        contract: message.contract.clone(),
        msg: message.msg.to_string().into_bytes(),
        funds: message.funds.iter().map(proto_coin).collect(),
    };
    Any { type_url: EXECUTE_URL.into(), value: execute.encode_to_vec() }
}

/// A coin as the chain's messages hold it.
pub(crate) fn proto_coin(coin: &Coin) -> ProtoCoin {
    ProtoCoin { denom: coin.denom.clone(), amount: coin.amount.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k256::ecdsa::signature::Verifier;

    #[test]
    fn fees_round_up_and_prices_are_read_exactly() {
        let table = [
            ("0.025ucosm", 100_001, Some(2_501)),
            ("0.025ucosm", 100_000, Some(2_500)),
            ("1ucosm", 7, Some(7)),
            ("0.000000000000000001ucosm", 1, Some(1)),
            ("0ucosm", 100_000, None),
            ("2.5ibc/ABC", 3, Some(8)),
        ];
        for (price, gas, amount) in table {
            let price: GasPrice = price.parse().unwrap();
            assert_eq!(price.fee(gas).map(|coin| coin.amount), amount, "{price:?} x {gas}");
        }
        for wrong in [
            "",
            "ucosm",
            "0.025",
            ".5ucosm",
            "1.2.3ucosm",
            "-1ucosm",
            "0.0000000000000000001ucosm",
            "1u",
            "1 ucosm",
        ] {
            assert!(wrong.parse::<GasPrice>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn coins_are_read_as_they_are_written() {
        for (text, amount) in
            [("1ucosm", Some(1)), ("340282366920938463463374607431768211455ucosm", Some(u128::MAX))]
        {
            let coin: Coin = text.parse().unwrap();
            assert_eq!((Some(coin.amount), coin.to_string()), (amount, text.to_owned()));
        }
        for wrong in [
            "",
            "ucosm",
            "5",
            "0ucosm",
            "-1ucosm",
            "1.5ucosm",
            "1u",
            "1 ucosm",
            "340282366920938463463374607431768211456ucosm",
        ] {
            assert!(wrong.parse::<Coin>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_signature_covers_chain_account_body_and_fee() {
        let key = Key::from_bytes(Kind::Secp256k1, &[7; 32]).unwrap();
        let sender = key.address("wasm").unwrap();
        let messages = [Execute {
            contract: "wasm1contract".into(),
            msg: serde_json::json!({"ready": {}}),
            funds: vec![Coin { denom: "ucosm".into(), amount: 3 }],
        }];
        let envelope = Envelope {
            chain_id: "concord-1",
            account: Account { number: 4, sequence: 9, height: 0 },
            gas: 1_000,
            fee: Some(Coin { denom: "ucosm".into(), amount: 25 }),
            fee_granter: None,
            timeout_height: 120,
        };
        let signed = sign(&key, sender.text(), &messages, &envelope).unwrap();
        let raw = TxRaw::decode(signed.bytes.as_slice()).unwrap();
        let document = SignDoc {
            body_bytes: raw.body_bytes.clone(),
            auth_info_bytes: raw.auth_info_bytes.clone(),
            chain_id: "concord-1".into(),
            account_number: 4,
        };
        let public = k256::ecdsa::VerifyingKey::from_sec1_bytes(&key.public()).unwrap();
        let signature = k256::ecdsa::Signature::from_slice(&raw.signatures[0]).unwrap();
        public.verify(&document.encode_to_vec(), &signature).unwrap();
        let other = SignDoc { chain_id: "concord-2".into(), ..document };
        assert!(public.verify(&other.encode_to_vec(), &signature).is_err());

        let body = TxBody::decode(raw.body_bytes.as_slice()).unwrap();
        assert_eq!(body.timeout_height, 120);
        let execute = MsgExecuteContract::decode(body.messages[0].value.as_slice()).unwrap();
        assert_eq!(execute.msg, br#"{"ready":{}}"#);
        assert_eq!(signed.hash, tx_hash(&signed.bytes));
    }

    #[test]
    fn an_auditors_key_and_an_empty_list_sign_nothing() {
        let envelope = Envelope {
            chain_id: "c",
            account: Account { number: 0, sequence: 0, height: 0 },
            gas: 0,
            fee: None,
            fee_granter: None,
            timeout_height: 0,
        };
        let auditor = Key::from_bytes(Kind::Ed25519, &[7; 32]).unwrap();
        assert!(matches!(sign(&auditor, "a", &[], &envelope), Err(SignError::Kind)));
        let hot = Key::from_bytes(Kind::Secp256k1, &[7; 32]).unwrap();
        assert!(matches!(sign(&hot, "a", &[], &envelope), Err(SignError::Messages { found: 0 })));
        let one = Execute { contract: "c".into(), msg: serde_json::json!({}), funds: vec![] };
        assert!(sign(&hot, "a", &vec![one.clone(); MESSAGES_MAX], &envelope).is_ok());
        assert!(matches!(
            sign(&hot, "a", &vec![one; MESSAGES_MAX + 1], &envelope),
            Err(SignError::Messages { found: 33 })
        ));
    }
}
