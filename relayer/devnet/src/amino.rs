//! The document that hardware wallets and many browser wallets sign: amino JSON, with its names in order and
//! compact (cosmos-sdk 0.53, `x/tx/signing/aminojson`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cosmwasm_std::Coin;
use serde_json::{Map, Value, json};

use crate::ante::{Ante, Standing, Tx};
use crate::message::Message;

/// The bytes that are signed; `None` if a contract's message in it is no JSON.
pub(crate) fn sign_doc(tx: &Tx, ante: &Ante<'_>, standing: &Standing) -> Option<Vec<u8>> {
    let messages = tx.messages.iter().map(message).collect::<Option<Vec<_>>>()?;
    let mut fee = json!({"amount": coins(&tx.fee), "gas": tx.gas_limit.to_string()});
    for (name, address) in [("payer", &tx.fee_payer), ("granter", &tx.fee_granter)] {
        insert_unless_empty(&mut fee, name, address);
    }
    let mut document = json!({
        "account_number": standing.number.to_string(), "chain_id": ante.chain_id, "fee": fee, "memo": tx.memo,
        "msgs": messages, "sequence": tx.sequence.to_string()
    });
    let timeout = if tx.timeout_height > 0 { tx.timeout_height.to_string() } else { String::new() };
    insert_unless_empty(&mut document, "timeout_height", &timeout);
    let text = sorted(document).to_string();
    // Both sides escape these three, so that a document may stand in a page.
    Some(text.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e").into_bytes())
}

fn message(message: &Message) -> Option<Value> {
    let inner = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).ok();
    let (kind, value) = match message {
        Message::Execute { sender, contract, msg, funds } => (
            "wasm/MsgExecuteContract",
            json!({"sender": sender, "contract": contract, "msg": inner(msg)?, "funds": coins(funds)}),
        ),
        // Wallets that sign amino JSON are for people; owners and deployers sign direct.
        Message::Grant { .. } | Message::Revoke { .. } | Message::Instantiate { salt: Some(_), .. } => {
            return None;
        }
        Message::Instantiate { sender, admin, code_id, label, msg, funds, salt: None } => {
            let mut value = json!({
                "sender": sender, "code_id": code_id.to_string(), "label": label, "msg": inner(msg)?,
                "funds": coins(funds)
            });
            insert_unless_empty(&mut value, "admin", admin.as_deref().unwrap_or_default());
            ("wasm/MsgInstantiateContract", value)
        }
        Message::StoreCode { sender, code } => {
            ("wasm/MsgStoreCode", json!({"sender": sender, "wasm_byte_code": STANDARD.encode(code)}))
        }
        Message::Send { sender, recipient, amount } => (
            "cosmos-sdk/MsgSend",
            json!({"from_address": sender, "to_address": recipient, "amount": coins(amount)}),
        ),
    };
    Some(json!({"type": kind, "value": value}))
}

fn coins(coins: &[Coin]) -> Value {
    coins.iter().map(|coin| json!({"denom": coin.denom, "amount": coin.amount.to_string()})).collect()
}

/// Amino leaves empty fields out.
fn insert_unless_empty(value: &mut Value, name: &str, text: &str) {
    if let (Value::Object(fields), false) = (value, text.is_empty()) {
        fields.insert(name.to_owned(), json!(text));
    }
}

/// The same value with all names in order, whatever order its maps keep.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(String, Value)> = fields.into_iter().collect();
            fields.sort_unstable_by(|one, two| one.0.cmp(&two.0));
            Value::Object(
                fields.into_iter().map(|(name, value)| (name, sorted(value))).collect::<Map<_, _>>(),
            )
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests;
