//! What one contract said in one block.
//!
//! Events are not authenticated by the chain's headers, so they wake the agent and never decide anything.

use super::answer::{BlockResults, Misfit, WireEvent, open};

/// One event of the watched contract. `(height, tx_index, event_index)` is unique and grows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractEvent {
    /// The block.
    pub height: u64,
    /// The transaction's place in the block; block-level events come after all transactions, with
    /// [`ContractEvent::BLOCK_LEVEL`].
    pub tx_index: u32,
    /// The event's place among all events of its transaction.
    pub event_index: u32,
    /// The type with its `wasm-` prefix.
    pub kind: String,
    /// Keys and values in the order of the chain, `_contract_address` included.
    pub attributes: Vec<(String, String)>,
}

impl ContractEvent {
    /// The `tx_index` of an event that belongs to no transaction.
    pub const BLOCK_LEVEL: u32 = u32::MAX;

    /// The value of the first attribute with this key.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&str> {
        self.attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

const PREFIX: &str = "wasm-";
const ADDRESS: &str = "_contract_address";

/// The contract's own events in the body of a `block_results` answer for `height`.
pub(crate) fn read_block(body: &[u8], height: u64, contract: &str) -> Result<Vec<ContractEvent>, Misfit> {
    let block: BlockResults<'_> = open(body)?;
    if block.height != height {
        return Err(Misfit::Odd(format!("results of height {} instead of {height}", block.height)));
    }
    let mut found = Vec::new();
    for (index, tx) in block.txs_results.into_iter().flatten().enumerate() {
        // A failed transaction left no trace in the contract, and its events tell of nothing that happened.
        if tx.code == 0 {
            let index = u32::try_from(index)
                .map_err(|_| Misfit::Odd("more transactions than a block holds".into()))?;
            pick(tx.events.unwrap_or_default(), height, index, contract, &mut found)?;
        }
    }
    let block_level = block.finalize_block_events.unwrap_or_default();
    pick(block_level, height, ContractEvent::BLOCK_LEVEL, contract, &mut found)?;
    Ok(found)
}

fn pick(
    events: Vec<WireEvent<'_>>,
    height: u64,
    tx_index: u32,
    contract: &str,
    found: &mut Vec<ContractEvent>,
) -> Result<(), Misfit> {
    for (index, event) in events.into_iter().enumerate() {
        if !event.kind.starts_with(PREFIX) || !spoken_by(&event, contract) {
            continue;
        }
        let event_index =
            u32::try_from(index).map_err(|_| Misfit::Odd("more events than a block holds".into()))?;
        let event = event.owned();
        found.push(ContractEvent {
            height,
            tx_index,
            event_index,
            kind: event.kind,
            attributes: event.attributes,
        });
    }
    Ok(())
}

/// The chain writes the speaker first and refuses keys with an underscore from contracts, so that the first
/// `_contract_address` cannot be forged.
fn spoken_by(event: &WireEvent<'_>, contract: &str) -> bool {
    let attributes = event.attributes.as_deref().unwrap_or_default();
    attributes.iter().find(|one| one.key == ADDRESS).is_some_and(|one| one.value == contract)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn wasm(kind: &str, speaker: &str, word: &str) -> Value {
        json!({"type": kind, "attributes": [
            {"key": "_contract_address", "value": speaker, "index": true},
            {"key": "word", "value": word, "index": true},
            {"key": "msg_index", "value": "0", "index": true},
        ]})
    }

    fn read(result: &Value) -> Result<Vec<ContractEvent>, Misfit> {
        let body = json!({"jsonrpc": "2.0", "id": 1, "result": result}).to_string();
        read_block(body.as_bytes(), 7, "wasm1us")
    }

    #[test]
    fn only_our_custom_events_of_successful_transactions_come_through_in_order() {
        let forged = json!({"type": "wasm-concord", "attributes": [
            {"key": "_contract_address", "value": "wasm1them"},
            {"key": "_contract_address", "value": "wasm1us"},
        ]});
        let events = read(&json!({
            "height": "7",
            "txs_results": [
                {"code": 0, "events": [
                    {"type": "tx", "attributes": [{"key": "fee", "value": "1ucosm"}]},
                    wasm("wasm-concord", "wasm1us", "a \"quoted\" word"),
                    wasm("wasm-concord", "wasm1them", "foreign"),
                    wasm("wasm", "wasm1us", "plain"),
                    forged,
                ]},
                {"code": 5, "codespace": "wasm", "events": [wasm("wasm-concord", "wasm1us", "failed")]},
                {"events": [wasm("wasm-other", "wasm1us", "third")]},
                {"code": 0, "events": null},
            ],
            "finalize_block_events": [wasm("wasm-ended", "wasm1us", "last")],
        }));
        let found: Vec<_> = events
            .unwrap()
            .into_iter()
            .map(|one| {
                (one.tx_index, one.event_index, one.kind.clone(), one.value("word").unwrap().to_owned())
            })
            .collect();
        assert_eq!(
            found,
            [
                (0, 1, "wasm-concord".to_owned(), "a \"quoted\" word".to_owned()),
                (2, 0, "wasm-other".to_owned(), "third".to_owned()),
                (ContractEvent::BLOCK_LEVEL, 0, "wasm-ended".to_owned(), "last".to_owned()),
            ]
        );
    }

    #[test]
    fn an_empty_block_says_nothing_whatever_form_empty_takes() {
        for result in [
            json!({"height": "7", "txs_results": null, "finalize_block_events": null}),
            json!({"height": "7", "txs_results": [], "finalize_block_events": []}),
            json!({"height": 7}),
        ] {
            assert_eq!(read(&result).unwrap(), []);
        }
    }

    #[test]
    fn another_height_and_broken_shapes_are_refused() {
        for result in [
            json!({"height": "8"}),
            json!({}),
            json!({"height": "7", "txs_results": [{"events": 3}]}),
            json!(null),
        ] {
            assert!(read(&result).is_err(), "{result}");
        }
    }
}
