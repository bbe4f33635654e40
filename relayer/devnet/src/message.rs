//! The messages that the devnet takes.

use std::io::Read as _;

use cosmrs::proto::cosmos::bank::v1beta1::{MsgSend, MsgSendResponse};
use cosmrs::proto::cosmos::feegrant::v1beta1::{
    MsgGrantAllowance, MsgGrantAllowanceResponse, MsgRevokeAllowance, MsgRevokeAllowanceResponse,
};
use cosmrs::proto::cosmwasm::wasm::v1::{
    MsgExecuteContract, MsgExecuteContractResponse, MsgInstantiateContract, MsgInstantiateContract2,
    MsgInstantiateContractResponse, MsgStoreCode, MsgStoreCodeResponse,
};
use cosmwasm_std::Coin;
use prost::Message as _;

use crate::allowance::Allowance;
use crate::ante::{TxError, coins};

/// The largest wasm code taken, in bytes after decompression (wasmd's `MaxWasmSize`).
pub(crate) const WASM_BYTES_MAX: u64 = 800 << 10;

const EXECUTE: &str = "/cosmwasm.wasm.v1.MsgExecuteContract";
const INSTANTIATE: &str = "/cosmwasm.wasm.v1.MsgInstantiateContract";
const INSTANTIATE2: &str = "/cosmwasm.wasm.v1.MsgInstantiateContract2";
const STORE_CODE: &str = "/cosmwasm.wasm.v1.MsgStoreCode";
const SEND: &str = "/cosmos.bank.v1beta1.MsgSend";
const GRANT: &str = "/cosmos.feegrant.v1beta1.MsgGrantAllowance";
const REVOKE: &str = "/cosmos.feegrant.v1beta1.MsgRevokeAllowance";

/// A message of a transaction.
pub(crate) enum Message {
    Execute {
        sender: String,
        contract: String,
        msg: Vec<u8>,
        funds: Vec<Coin>,
    },
    Instantiate {
        sender: String,
        admin: Option<String>,
        code_id: u64,
        label: String,
        msg: Vec<u8>,
        funds: Vec<Coin>,
        /// Makes the address predictable.
        salt: Option<Vec<u8>>,
    },
    StoreCode {
        sender: String,
        code: Vec<u8>,
    },
    Send {
        sender: String,
        recipient: String,
        amount: Vec<Coin>,
    },
    Grant {
        granter: String,
        grantee: String,
        allowance: Allowance,
    },
    Revoke {
        granter: String,
        grantee: String,
    },
}

/// Decodes one message.
///
/// # Errors
/// Code 2 for a type that the devnet does not take, and for bytes that are not of their type.
pub(crate) fn decode(any: &cosmrs::Any) -> Result<Message, TxError> {
    let value = any.value.as_slice();
    match any.type_url.as_str() {
        EXECUTE => {
            let msg = MsgExecuteContract::decode(value).map_err(TxError::decode)?;
            Ok(Message::Execute {
                sender: msg.sender,
                contract: msg.contract,
                msg: msg.msg,
                funds: coins(&msg.funds)?,
            })
        }
        INSTANTIATE => instantiate(MsgInstantiateContract::decode(value).map_err(TxError::decode)?, None),
        INSTANTIATE2 => instantiate2(value),
        STORE_CODE => {
            let msg = MsgStoreCode::decode(value).map_err(TxError::decode)?;
            Ok(Message::StoreCode { sender: msg.sender, code: msg.wasm_byte_code })
        }
        SEND => {
            let msg = MsgSend::decode(value).map_err(TxError::decode)?;
            Ok(Message::Send {
                sender: msg.from_address,
                recipient: msg.to_address,
                amount: coins(&msg.amount)?,
            })
        }
        GRANT => {
            let msg = MsgGrantAllowance::decode(value).map_err(TxError::decode)?;
            let allowance =
                msg.allowance.ok_or_else(|| TxError::decode("expected an allowance, found none"))?;
            let allowance = Allowance::decode(&allowance)?;
            Ok(Message::Grant { granter: msg.granter, grantee: msg.grantee, allowance })
        }
        REVOKE => {
            let msg = MsgRevokeAllowance::decode(value).map_err(TxError::decode)?;
            Ok(Message::Revoke { granter: msg.granter, grantee: msg.grantee })
        }
        other => Err(TxError::decode(format!(
            "unable to resolve type URL {other}; devnet takes {EXECUTE}, {INSTANTIATE}, {INSTANTIATE2}, \
             {STORE_CODE}, {SEND}, {GRANT} and {REVOKE}"
        ))),
    }
}

fn instantiate2(value: &[u8]) -> Result<Message, TxError> {
    let msg = MsgInstantiateContract2::decode(value).map_err(TxError::decode)?;
    if msg.fix_msg {
        return Err(TxError::request("devnet makes no address of the message: expected fix_msg false"));
    }
    if !(1..=64).contains(&msg.salt.len()) {
        return Err(TxError::request("salt: expected 1 to 64 bytes"));
    }
    let MsgInstantiateContract2 { sender, admin, code_id, label, msg, funds, salt, .. } = msg;
    instantiate(MsgInstantiateContract { sender, admin, code_id, label, msg, funds }, Some(salt))
}

fn instantiate(msg: MsgInstantiateContract, salt: Option<Vec<u8>>) -> Result<Message, TxError> {
    Ok(Message::Instantiate {
        sender: msg.sender,
        admin: (!msg.admin.is_empty()).then_some(msg.admin),
        code_id: msg.code_id,
        label: msg.label,
        msg: msg.msg,
        funds: coins(&msg.funds)?,
        salt,
    })
}

impl Message {
    /// The account that must sign.
    pub(crate) fn signer(&self) -> &str {
        match self {
            Self::Execute { sender, .. }
            | Self::Instantiate { sender, .. }
            | Self::StoreCode { sender, .. }
            | Self::Send { sender, .. } => sender,
            Self::Grant { granter, .. } | Self::Revoke { granter, .. } => granter,
        }
    }

    /// The protobuf type.
    pub(crate) fn type_url(&self) -> &'static str {
        match self {
            Self::Execute { .. } => EXECUTE,
            Self::Instantiate { salt: None, .. } => INSTANTIATE,
            Self::Instantiate { .. } => INSTANTIATE2,
            Self::StoreCode { .. } => STORE_CODE,
            Self::Send { .. } => SEND,
            Self::Grant { .. } => GRANT,
            Self::Revoke { .. } => REVOKE,
        }
    }

    /// The module that handles it.
    pub(crate) fn module(&self) -> &'static str {
        match self {
            Self::Send { .. } => "bank",
            Self::Grant { .. } | Self::Revoke { .. } => "feegrant",
            _ => "wasm",
        }
    }
}

/// The answer of one message, packed for `TxMsgData`.
pub(crate) enum Answer {
    Execute { data: Vec<u8> },
    Instantiate { address: String, data: Vec<u8>, is_predictable: bool },
    StoreCode { code_id: u64, checksum: Vec<u8> },
    Send,
    Grant,
    Revoke,
}

impl Answer {
    /// Packs the answer under its protobuf type.
    pub(crate) fn to_any(&self) -> cosmrs::Any {
        let (type_url, value) = match self {
            Self::Execute { data } => {
                let data = data.clone();
                let value = MsgExecuteContractResponse { data }.encode_to_vec();
                ("/cosmwasm.wasm.v1.MsgExecuteContractResponse", value)
            }
            Self::Instantiate { address, data, is_predictable } => {
                let response =
                    MsgInstantiateContractResponse { address: address.clone(), data: data.clone() };
                // Both responses have the same fields.
                let type_url = match is_predictable {
                    true => "/cosmwasm.wasm.v1.MsgInstantiateContract2Response",
                    false => "/cosmwasm.wasm.v1.MsgInstantiateContractResponse",
                };
                (type_url, response.encode_to_vec())
            }
            Self::StoreCode { code_id, checksum } => {
                let response = MsgStoreCodeResponse { code_id: *code_id, checksum: checksum.clone() };
                let type_url = "/cosmwasm.wasm.v1.MsgStoreCodeResponse";
                (type_url, response.encode_to_vec())
            }
            Self::Send => {
                let value = MsgSendResponse {}.encode_to_vec();
                ("/cosmos.bank.v1beta1.MsgSendResponse", value)
            }
            Self::Grant => {
                let value = MsgGrantAllowanceResponse {}.encode_to_vec();
                ("/cosmos.feegrant.v1beta1.MsgGrantAllowanceResponse", value)
            }
            Self::Revoke => {
                let value = MsgRevokeAllowanceResponse {}.encode_to_vec();
                ("/cosmos.feegrant.v1beta1.MsgRevokeAllowanceResponse", value)
            }
        };
        cosmrs::Any { type_url: type_url.to_owned(), value }
    }
}

/// The wasm code of an upload, decompressed when it is gzip.
///
/// # Errors
/// Codespace `wasm` code 2 when it is no wasm or larger than [`WASM_BYTES_MAX`].
pub(crate) fn unpack_wasm(code: &[u8]) -> Result<Vec<u8>, TxError> {
    let refuse = |detail: String| TxError::wasm(2, detail, "create wasm contract failed");
    let mut wasm = Vec::new();
    if code.starts_with(&[0x1f, 0x8b]) {
        flate2::read::GzDecoder::new(code)
            .take(WASM_BYTES_MAX + 1)
            .read_to_end(&mut wasm)
            .map_err(|error| refuse(format!("uncompress wasm archive: {error}")))?;
    } else {
        wasm.extend_from_slice(code);
    }
    if wasm.len() as u64 > WASM_BYTES_MAX {
        return Err(refuse(format!("wasm code is larger than {WASM_BYTES_MAX} bytes")));
    }
    if !wasm.starts_with(b"\0asm") {
        return Err(refuse("expected wasm or gzip of wasm, found other bytes".to_owned()));
    }
    Ok(wasm)
}
