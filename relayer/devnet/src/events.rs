//! Events as x/bank, x/auth and x/wasm of wasmd 0.61 emit them, and their JSON.

use std::fmt::Display;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cosmwasm_std::{Coin, Event};
use serde::Serialize;

use crate::ante::{Tx, TxError};

/// `1ucosm,2ustake`, as the SDK writes coins.
pub(crate) fn coins_text(coins: &[Coin]) -> String {
    let texts: Vec<String> = coins.iter().map(|coin| format!("{}{}", coin.amount, coin.denom)).collect();
    texts.join(",")
}

/// The four events of a bank transfer.
pub(crate) fn transfer(sender: &str, recipient: &str, amount: &str) -> [Event; 4] {
    [
        Event::new("coin_spent").add_attribute("spender", sender).add_attribute("amount", amount),
        Event::new("coin_received").add_attribute("receiver", recipient).add_attribute("amount", amount),
        Event::new("transfer")
            .add_attribute("recipient", recipient)
            .add_attribute("sender", sender)
            .add_attribute("amount", amount),
        Event::new("message").add_attribute("sender", sender),
    ]
}

/// What the ante handler emits: the fee's transfer, then `tx` with fee, sequence and signature.
pub(crate) fn ante(tx: &Tx, collector: &str) -> Vec<Event> {
    let fee = coins_text(&tx.fee);
    let mut events = Vec::new();
    if let Some(granter) = tx.granter() {
        events.push(grant("use_feegrant", granter, &tx.signer));
    }
    if !tx.fee.is_empty() {
        events.extend(transfer(tx.payer(), collector, &fee));
    }
    events.push(Event::new("tx").add_attribute("fee", fee).add_attribute("fee_payer", tx.payer()));
    let sequence = format!("{}/{}", tx.signer, tx.sequence);
    events.push(Event::new("tx").add_attribute("acc_seq", sequence));
    events.push(Event::new("tx").add_attribute("signature", STANDARD.encode(&tx.signature)));
    events
}

/// What x/feegrant emits when a grant is made, used or taken back.
pub(crate) fn grant(kind: &str, granter: &str, grantee: &str) -> Event {
    Event::new(kind).add_attribute("granter", granter).add_attribute("grantee", grantee)
}

/// The SDK's event in front of every message's own.
pub(crate) fn message(type_url: &str, sender: &str, module: &str) -> Event {
    Event::new("message")
        .add_attribute("action", type_url)
        .add_attribute("sender", sender)
        .add_attribute("module", module)
}

/// cw-multi-test emits `transfer` alone where x/bank emits four events: this adds the others.
pub(crate) fn complete_transfers(events: Vec<Event>) -> Vec<Event> {
    let mut complete = Vec::with_capacity(events.len());
    for event in events {
        if event.ty != "transfer" {
            complete.push(event);
            continue;
        }
        let (sender, recipient) = (value(&event, "sender"), value(&event, "recipient"));
        complete.extend(transfer(sender, recipient, value(&event, "amount")));
    }
    complete
}

/// The shortest name of a custom event of a contract (`x/wasm/keeper/events.go`).
const CUSTOM_TYPE_CHARS_MIN: usize = 3;

/// Turns a contract's events into those of wasmd: names, keys and values trimmed.
///
/// # Errors
/// The name of a custom event that wasmd refuses as too short.
pub(crate) fn as_wasmd(events: Vec<Event>) -> Result<Vec<Event>, String> {
    events.into_iter().map(trim).collect()
}

/// Sorts the attributes of what a contract's wasm submessages emitted, as wasmd does
/// (`x/wasm/keeper/msg_dispatcher.go`). `events` are those of one message to `contract`: its own come first, each call
/// that it makes begins with the chain's event of that call, and its replies with `reply`.
pub(crate) fn sort_calls(events: &mut [Event], contract: &str) {
    let mut within_call = false;
    for event in events.iter_mut().skip(1) {
        match event.ty.as_str() {
            "execute" | "instantiate" | "migrate" => within_call = true,
            "reply" if value(event, "_contract_address") == contract => within_call = false,
            _ => {}
        }
        if within_call {
            event.attributes.sort_by(|one, two| one.key.cmp(&two.key));
        }
    }
}

fn trim(mut event: Event) -> Result<Event, String> {
    if let Some(name) = event.ty.strip_prefix("wasm-") {
        let name = name.trim();
        if name.len() < CUSTOM_TYPE_CHARS_MIN {
            return Err(format!("Event type too short: '{name}'"));
        }
        event.ty = format!("wasm-{name}");
    }
    if event.ty.starts_with("wasm") {
        for attribute in &mut event.attributes {
            attribute.key = attribute.key.trim().to_owned();
            attribute.value = attribute.value.trim().to_owned();
        }
    }
    Ok(event)
}

/// The first value of a key, empty when the event has none.
pub(crate) fn value<'a>(event: &'a Event, key: &str) -> &'a str {
    event
        .attributes
        .iter()
        .find(|attribute| attribute.key == key)
        .map_or("", |attribute| attribute.value.as_str())
}

/// Adds `msg_index` to every event of a message, as SDK 0.50 and later do.
pub(crate) fn index(events: Vec<Event>, index: usize) -> impl Iterator<Item = Event> {
    let index = index.to_string();
    events.into_iter().map(move |event| event.add_attribute("msg_index", &index))
}

#[derive(Serialize)]
struct AttributeJson<'a> {
    key: &'a str,
    value: &'a str,
    index: bool,
}

#[derive(Serialize)]
struct EventJson<'a> {
    r#type: &'a str,
    attributes: Vec<AttributeJson<'a>>,
}

#[derive(Serialize)]
struct ResultJson<'a> {
    code: u32,
    data: Option<String>,
    log: &'a str,
    info: &'static str,
    gas_wanted: String,
    gas_used: String,
    events: Vec<EventJson<'a>>,
    codespace: &'a str,
}

/// What a transaction of a block came to; `ExecTxResult` of CometBFT.
pub(crate) struct TxResult {
    pub(crate) code: u32,
    pub(crate) codespace: &'static str,
    pub(crate) data: Vec<u8>,
    pub(crate) log: String,
    pub(crate) gas_wanted: u64,
    pub(crate) gas_used: u64,
    pub(crate) events: Vec<Event>,
}

impl TxResult {
    /// The result of a transaction that failed; `events` are those of the ante handler, if it ran.
    pub(crate) fn failed(error: TxError, gas_wanted: u64, gas_used: u64, events: Vec<Event>) -> Self {
        Self {
            code: error.code,
            codespace: error.codespace,
            data: Vec::new(),
            log: error.log,
            gas_wanted,
            gas_used,
            events,
        }
    }

    /// The result in CometBFT's JSON.
    pub(crate) fn to_json(&self) -> String {
        let json = ResultJson {
            code: self.code,
            data: (!self.data.is_empty()).then(|| STANDARD.encode(&self.data)),
            log: &self.log,
            info: "",
            gas_wanted: self.gas_wanted.to_string(),
            gas_used: self.gas_used.to_string(),
            events: self.events.iter().map(event_json).collect(),
            codespace: self.codespace,
        };
        to_json(&json)
    }
}

/// Events in CometBFT's JSON, as a list.
pub(crate) fn list_json(events: &[Event]) -> String {
    to_json(&events.iter().map(event_json).collect::<Vec<_>>())
}

fn event_json(event: &Event) -> EventJson<'_> {
    EventJson {
        r#type: &event.ty,
        attributes: event
            .attributes
            .iter()
            .map(|attribute| AttributeJson { key: &attribute.key, value: &attribute.value, index: true })
            .collect(),
    }
}

/// Serialises what cannot fail: string keys and plain values only.
pub(crate) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

/// A JSON string of any text.
pub(crate) fn quote(text: impl Display) -> String {
    to_json(&text.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn custom_events_are_trimmed_and_have_three_characters() {
        let event = |name: &str| Event::new(name).add_attribute(" k ", " v ");
        let trimmed = as_wasmd(vec![event("wasm-abc "), event("wasm"), event("other")]).unwrap();
        let kinds: Vec<&str> = trimmed.iter().map(|event| event.ty.as_str()).collect();
        assert_eq!(kinds, ["wasm-abc", "wasm", "other"]);
        let values: Vec<&str> = trimmed.iter().map(|event| value(event, "k")).collect();
        assert_eq!(values, ["v", "v", ""]);
        assert!(as_wasmd(vec![event("wasm-ab ")]).is_err());
    }

    #[test]
    fn what_comes_of_a_call_is_sorted_and_what_the_contract_says_itself_is_not() {
        let event = |name: &str| {
            Event::new(name)
                .add_attribute("z", "1")
                .add_attribute("_contract_address", "c")
                .add_attribute("z", "0")
        };
        let names = ["execute", "wasm-own", "execute", "wasm-inner", "reply", "wasm-after"];
        let mut events: Vec<Event> = names.map(event).into();
        sort_calls(&mut events, "c");
        let sorted: Vec<bool> = events.iter().map(|event| event.attributes[0].key != "z").collect();
        assert_eq!(sorted, [false, false, true, true, false, false]);
        let values: Vec<&str> =
            events[3].attributes.iter().map(|attribute| attribute.value.as_str()).collect();
        assert_eq!(values, ["c", "1", "0"], "keys of the same name keep their order");
    }

    #[test]
    fn only_transfers_are_completed() {
        let transfer = Event::new("transfer")
            .add_attribute("recipient", "b")
            .add_attribute("sender", "a")
            .add_attribute("amount", "1x");
        let all = complete_transfers(vec![Event::new("wasm"), transfer.clone()]);
        let kinds: Vec<&str> = all.iter().map(|event| event.ty.as_str()).collect();
        assert_eq!(kinds, ["wasm", "coin_spent", "coin_received", "transfer", "message"]);
        assert_eq!(all[3], transfer);
    }
}
