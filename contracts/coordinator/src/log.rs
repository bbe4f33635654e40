//! Every state change goes through here: one chained entry and one event each (LOG-1).

use concord_schema::event::{self, Event};
use concord_schema::log::Head;
use concord_schema::msg::Done;
use concord_schema::text;
use cosmwasm_std::{Env, Response, StdResult, Storage, to_json_binary};

use crate::error::ContractError;
use crate::state::LOG_HEAD;

/// Appends entries in order, and returns them as the chain's events. The head is read and written once, however
/// many entries there are.
///
/// # Errors
/// Where the head cannot be read or written.
pub fn append(
    storage: &mut dyn Storage,
    env: &Env,
    who: &str,
    events: &[Event],
) -> StdResult<Vec<cosmwasm_std::Event>> {
    let mut head = LOG_HEAD.may_load(storage)?.unwrap_or(Head { v: 1, ..Head::default() });
    let mut written = Vec::with_capacity(events.len());
    for event in events {
        let fields = event.fields().into_iter().map(stated).collect();
        let entry = head.entry(env.block.height, env.block.time.seconds(), who, event.kind(), fields);
        head = Head::after(&entry);
        written.push(cosmwasm_std::Event::new(event::TYPE).add_attributes(event::attributes(&entry)));
    }
    LOG_HEAD.save(storage, &head)?;
    Ok(written)
}

/// The chain trims attribute values and refuses empty ones, so the entry is hashed over what a reader will see.
fn stated((key, value): (String, String)) -> (String, String) {
    let seen = text::stated(&value).to_owned();
    (key, seen)
}

/// The answer of a message that changed something: its entries, and [`Done`] as data.
///
/// # Errors
/// As [`append`].
pub fn changed(
    storage: &mut dyn Storage,
    env: &Env,
    who: &str,
    events: &[Event],
    what: impl Into<String>,
) -> Result<Response, ContractError> {
    let done = Done { changed: true, what: what.into() };
    Ok(Response::new().add_events(append(storage, env, who, events)?).set_data(to_json_binary(&done)?))
}

/// The answer of a message that had nothing to do, with the reason.
///
/// # Errors
/// Where the answer cannot be encoded.
pub fn unchanged(what: impl Into<String>) -> Result<Response, ContractError> {
    let done = Done { changed: false, what: what.into() };
    Ok(Response::new().set_data(to_json_binary(&done)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use concord_schema::event::read_entry;
    use cosmwasm_std::testing::{MockStorage, mock_env};

    #[test]
    fn entries_chain_and_what_the_chain_trims_is_hashed_trimmed() {
        let mut storage = MockStorage::new();
        let commented =
            |uri: &str| Event::Commented { proposal: "1".into(), digest: "d".into(), uri: uri.into() };
        let events = [commented(" https://a \n"), commented("  ")];
        let written = append(&mut storage, &mock_env(), "who", &events).unwrap();
        let entries: Vec<_> = written
            .iter()
            .map(|event| {
                let pairs: Vec<_> =
                    event.attributes.iter().map(|a| (a.key.clone(), a.value.clone())).collect();
                read_entry(&pairs).unwrap()
            })
            .collect();
        assert_eq!(entries[0].fields[2].1, "https://a");
        assert_eq!(entries[1].fields[2].1, "-");
        assert_eq!(entries[1].prev, entries[0].hash());
        assert_eq!(LOG_HEAD.load(&storage).unwrap(), Head::after(&entries[1]));
    }
}
