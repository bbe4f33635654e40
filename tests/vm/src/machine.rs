//! The machine with one compiled contract in it.

#![expect(clippy::expect_used, reason = "a harness fails a test by a panic")]

use std::collections::HashSet;

use cosmwasm_std::{Env, MessageInfo};
use cosmwasm_vm::internals::{Logger, check_wasm, compile_module, instance_from_module};
use cosmwasm_vm::testing::{MockApi, MockQuerier};
use cosmwasm_vm::{
    Backend, Instance, Size, VmResult, WasmLimits, call_execute_raw, call_instantiate_raw, call_query_raw,
    capabilities_from_csv, to_vec,
};
use wasmer::{Engine, Module, Store};

use crate::charged::{Charged, GAS_MULTIPLIER, Records};

/// What wasmd 0.61 announces (`wasmkeeper.BuiltInCapabilities`), as scripts/build-wasm.sh checks it.
pub const CAPABILITIES: &str = "iterator,staking,stargate,cosmwasm_1_1,cosmwasm_1_2,cosmwasm_1_3,cosmwasm_1_4,\
                                cosmwasm_2_0,cosmwasm_2_1,cosmwasm_2_2,ibc2";
/// The memory of an instance in wasmd.
const MEMORY_MEBIBYTES: usize = 32;
/// More than the chain would ever give one transaction here: 50 million of its own.
const GAS_LIMIT: u64 = 50_000_000 * GAS_MULTIPLIER;
/// The start of a contract (wasmd, `DefaultInstanceCost`).
pub const INSTANCE_GAS: u64 = 60_000;

/// What a call came to.
pub struct Called {
    /// The contract's answer, as bytes.
    pub answer: Vec<u8>,
    /// What the store holds after it.
    pub records: Records,
    /// What the chain charges for the call, in its gas: its start, its steps and its store.
    pub gas: u64,
}

/// A door of the contract.
#[derive(Clone, Copy, Debug)]
pub enum Door<'i> {
    /// Sets up.
    Instantiate(&'i MessageInfo),
    /// Takes a message.
    Execute(&'i MessageInfo),
    /// Answers.
    Query,
}

/// The machine.
pub struct Machine {
    module: Module,
    engine: Engine,
}

impl Machine {
    /// Checks a contract as the chain does at its upload, and compiles it.
    ///
    /// # Errors
    /// The machine's, for what no chain would take.
    pub fn load(wasm: &[u8]) -> VmResult<Self> {
        let capabilities: HashSet<String> = capabilities_from_csv(CAPABILITIES);
        check_wasm(wasm, &capabilities, &WasmLimits::default(), Logger::Off)?;
        let (module, engine) = compile_module(wasm, Some(Size::mebi(MEMORY_MEBIBYTES)))?;
        Ok(Self { module, engine })
    }

    /// Calls the contract over these records.
    ///
    /// # Errors
    /// The machine's: gas, memory, a trap. What the contract refuses is an answer.
    pub fn call(&self, door: Door<'_>, records: Records, env: &Env, msg: &[u8]) -> VmResult<Called> {
        let backend = Backend {
            api: MockApi::default().with_prefix("wasm"),
            storage: Charged::of(records),
            querier: MockQuerier::<cosmwasm_std::Empty>::new(&[]),
        };
        let store = Store::new(self.engine.clone());
        let mut instance: Instance<_, _, _> =
            instance_from_module(store, &self.module, backend, GAS_LIMIT, None)?;
        let env = to_vec(env)?;
        let answer = match door {
            Door::Instantiate(info) => call_instantiate_raw(&mut instance, &env, &to_vec(info)?, msg)?,
            Door::Execute(info) => call_execute_raw(&mut instance, &env, &to_vec(info)?, msg)?,
            Door::Query => call_query_raw(&mut instance, &env, msg)?,
        };
        let used = GAS_LIMIT.saturating_sub(instance.get_gas_left());
        let backend = instance.recycle().expect("nothing else holds the store");
        let records = backend.storage.into_records();
        Ok(Called { answer, records, gas: INSTANCE_GAS + used.div_ceil(GAS_MULTIPLIER) })
    }
}
