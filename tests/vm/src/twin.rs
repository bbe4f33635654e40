//! A contract that runs in the machine and natively at once, and fails the test where the two differ: in an answer, an
//! event, an error's words, or a stored byte.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a harness fails a test by a panic")]

use std::cell::RefCell;
use std::rc::Rc;

use concord_coordinator::contract;
use concord_json::Json;
use concord_schema::msg::{ExecuteMsg, InstantiateMsg};
use concord_schema::query::QueryMsg;
use concord_tests::counting::GAS;
use cosmwasm_std::{
    Binary, ContractResult, Deps, DepsMut, Empty, Env, Event, MessageInfo, MigrateInfo, Order, Reply,
    Response, StdError, StdResult, Storage, from_json,
};
use cw_multi_test::Contract;
use serde_json::Value;

use crate::charged::Records;
use crate::machine::{Door, Machine};

/// A message that was taken, and what the chain would charge for it beside the transaction itself.
#[derive(Clone, Debug)]
pub struct Charge {
    /// The message's name, of a report with its kind.
    pub message: String,
    /// Start, steps, store and events, in the chain's gas.
    pub gas: u64,
}

/// What was compared so far.
#[derive(Debug, Default)]
pub struct Compared {
    /// Messages that were taken.
    pub taken: Vec<Charge>,
    /// Messages that were refused.
    pub refused: usize,
    /// Queries.
    pub queries: usize,
    /// Events of all messages.
    pub events: usize,
}

/// The contract.
pub struct Twin {
    machine: Rc<Machine>,
    compared: Rc<RefCell<Compared>>,
}

impl Twin {
    /// A contract in a machine; what is compared can be read from outside.
    #[must_use]
    pub fn new(machine: &Rc<Machine>, compared: &Rc<RefCell<Compared>>) -> Self {
        Self { machine: Rc::clone(machine), compared: Rc::clone(compared) }
    }

    fn both(
        &self,
        deps: DepsMut<'_>,
        env: &Env,
        door: Door<'_>,
        msg: &[u8],
        native: impl FnOnce(DepsMut<'_>) -> Result<Response, String>,
    ) -> StdResult<Response> {
        let before = records(deps.storage);
        let called = self
            .machine
            .call(door, before, env, msg)
            .unwrap_or_else(|error| panic!("{}: {error}", name(msg)));
        let emulated: ContractResult<Response> = from_json(&called.answer).unwrap();
        let DepsMut { storage, api, querier } = deps;
        let answer = native(DepsMut { storage: &mut *storage, api, querier });
        let what = name(msg);
        assert_eq!(emulated.into_result(), answer, "{what}: machine and native answer otherwise");
        let mut compared = self.compared.borrow_mut();
        match answer {
            Ok(answer) => {
                assert!(records(storage) == called.records, "{what}: machine and native store otherwise");
                compared.events += answer.events.len();
                compared.taken.push(Charge { message: what, gas: called.gas + gas_of(&answer.events) });
                Ok(answer)
            }
            Err(why) => {
                compared.refused += 1;
                Err(StdError::msg(why))
            }
        }
    }
}

fn records(storage: &dyn Storage) -> Records {
    storage.range(None, None, Order::Ascending).collect()
}

/// What events cost on the chain.
fn gas_of(events: &[Event]) -> u64 {
    let attributes = events.iter().flat_map(|event| &event.attributes);
    let bytes: usize = attributes.map(|pair| pair.key.len() + pair.value.len()).sum();
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_sub(GAS.event_bytes_free);
    bytes + events.iter().map(|event| GAS.event.0 + GAS.event.1 * event.attributes.len() as u64).sum::<u64>()
}

/// A message in a word.
fn name(msg: &[u8]) -> String {
    let Ok(Value::Object(parts)) = serde_json::from_slice(msg) else { return "no message".to_owned() };
    let Some((name, inner)) = parts.iter().next() else { return "no message".to_owned() };
    match inner.get("report").and_then(Value::as_object).and_then(|report| report.keys().next()) {
        Some(kind) => format!("{name} {kind}"),
        None if parts.len() > 1 => "instantiate".to_owned(),
        None => name.clone(),
    }
}

fn parsed<T: serde::de::DeserializeOwned>(msg: &[u8]) -> Result<T, String> {
    from_json::<T>(msg).map_err(|error| error.to_string())
}

impl Contract<Empty> for Twin {
    fn instantiate(
        &self,
        deps: DepsMut<'_>,
        env: Env,
        info: MessageInfo,
        msg: Vec<u8>,
    ) -> StdResult<Response> {
        self.both(deps, &env, Door::Instantiate(&info), &msg, |deps| {
            let Json(message) = parsed::<Json<InstantiateMsg>>(&msg)?;
            contract::instantiate(deps, env.clone(), info.clone(), message).map_err(|error| error.to_string())
        })
    }

    fn execute(&self, deps: DepsMut<'_>, env: Env, info: MessageInfo, msg: Vec<u8>) -> StdResult<Response> {
        self.both(deps, &env, Door::Execute(&info), &msg, |deps| {
            let Json(message) = parsed::<Json<ExecuteMsg>>(&msg)?;
            contract::execute(deps, env.clone(), info.clone(), message).map_err(|error| error.to_string())
        })
    }

    fn query(&self, deps: Deps<'_>, env: Env, msg: Vec<u8>) -> StdResult<Binary> {
        let called = self.machine.call(Door::Query, records(deps.storage), &env, &msg);
        let called = called.unwrap_or_else(|error| panic!("{}: {error}", name(&msg)));
        let emulated: ContractResult<Binary> = from_json(&called.answer).unwrap();
        let native = parsed::<Json<QueryMsg>>(&msg)
            .and_then(|Json(query)| contract::query(deps, env, query).map_err(|error| error.to_string()));
        assert_eq!(emulated.into_result(), native, "{}: machine and native answer otherwise", name(&msg));
        self.compared.borrow_mut().queries += 1;
        native.map_err(StdError::msg)
    }

    fn reply(&self, _: DepsMut<'_>, _: Env, _: Reply) -> StdResult<Response> {
        Err(StdError::msg("the coordinator asks for no reply"))
    }

    fn sudo(&self, _: DepsMut<'_>, _: Env, _: Vec<u8>) -> StdResult<Response> {
        Err(StdError::msg("the coordinator has no sudo"))
    }

    fn migrate(&self, _: DepsMut<'_>, _: Env, _: Vec<u8>, _: MigrateInfo) -> StdResult<Response> {
        Err(StdError::msg("the coordinator has no migration"))
    }
}
