use cosmrs::proto::cosmos::bank::v1beta1::MsgSend;
use cosmrs::proto::cosmos::base::v1beta1::Coin as ProtoCoin;
use cosmrs::proto::cosmos::tx::v1beta1::mode_info::{Single, Sum};
use cosmrs::proto::cosmos::tx::v1beta1::{AuthInfo, Fee, ModeInfo, SignerInfo, TxBody, TxRaw};
use cosmrs::proto::cosmwasm::wasm::v1::{MsgExecuteContract, MsgInstantiateContract, MsgStoreCode};
use prost::Message as _;

use super::*;
use crate::ante::{self, Mode};

const ONE: &str = "wasm1qyqszqgpqyqszqgpqyqszqgpqyqszqgpc0styh";
const TWO: &str = "wasm1qgpqyqszqgpqyqszqgpqyqszqgpqyqszftkw0p";

fn any(type_url: &str, message: &impl prost::Message) -> cosmrs::Any {
    cosmrs::Any { type_url: type_url.to_owned(), value: message.encode_to_vec() }
}

fn funds(amount: &str) -> Vec<ProtoCoin> {
    vec![ProtoCoin { denom: "ucosm".into(), amount: amount.into() }]
}

fn execute(msg: &str, funds: Vec<ProtoCoin>) -> cosmrs::Any {
    let message =
        MsgExecuteContract { sender: ONE.into(), contract: TWO.into(), msg: msg.as_bytes().to_vec(), funds };
    any("/cosmwasm.wasm.v1.MsgExecuteContract", &message)
}

fn instantiate(admin: &str, code_id: u64, msg: &str) -> cosmrs::Any {
    let message = MsgInstantiateContract {
        sender: ONE.into(),
        admin: admin.into(),
        code_id,
        label: "l".into(),
        msg: msg.as_bytes().to_vec(),
        funds: vec![],
    };
    any("/cosmwasm.wasm.v1.MsgInstantiateContract", &message)
}

fn document(messages: Vec<cosmrs::Any>) -> Option<String> {
    let body = TxBody { messages, memo: "memo <&>".into(), timeout_height: 1_234, ..TxBody::default() }
        .encode_to_vec();
    let info = SignerInfo {
        public_key: None,
        mode_info: Some(ModeInfo { sum: Some(Sum::Single(Single { mode: 127 })) }),
        sequence: 9,
    };
    let fee = Fee { amount: funds("5000"), gas_limit: 200_000, ..Fee::default() };
    let auth = AuthInfo { signer_infos: vec![info], fee: Some(fee), ..AuthInfo::default() };
    let raw =
        TxRaw { body_bytes: body, auth_info_bytes: auth.encode_to_vec(), signatures: vec![vec![0; 64]] };
    let tx = ante::decode(raw.encode_to_vec()).unwrap_or_else(|error| panic!("{}", error.log));
    let ante = Ante {
        mode: Mode::Deliver,
        chain_id: "concord-devnet",
        time_nanos: 0,
        height: 1,
        bech32_prefix: "wasm",
        fee_denom: "ucosm",
        gas_price_min_milli: 0,
    };
    let standing = Standing { number: 7, sequence: 9, public_key: None, balance: vec![] };
    sign_doc(&tx, &ante, &standing).map(|bytes| String::from_utf8(bytes).unwrap())
}

/// Written by `serializeSignDoc` of `@cosmjs/amino` 0.38.1 from the same messages.
#[test]
fn the_document_is_the_one_that_wallets_sign() {
    let vote = r#"{"vote":{"proposal":3,"ballot":"yes","rationale":null,"note":"a < b & c > \"d\"\né","aa":[2,{"z":true,"a":"1"}]}}"#;
    let send = MsgSend { from_address: ONE.into(), to_address: TWO.into(), amount: funds("5") };
    let upload =
        MsgStoreCode { sender: ONE.into(), wasm_byte_code: b"\0asm".to_vec(), instantiate_permission: None };
    let messages = vec![
        execute(vote, vec![]),
        execute(r#"{"claim":{}}"#, funds("7")),
        instantiate("", 1, r#"{"z":1,"a":2}"#),
        instantiate(TWO, 2, "{}"),
        any("/cosmwasm.wasm.v1.MsgStoreCode", &upload),
        any("/cosmos.bank.v1beta1.MsgSend", &send),
    ];
    assert_eq!(document(messages).unwrap(), include_str!("cosmjs.golden").trim_end());
}

#[test]
fn what_is_no_json_has_no_document() {
    assert_eq!(document(vec![execute("{", vec![])]), None);
}
