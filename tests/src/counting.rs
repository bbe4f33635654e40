//! A store that counts. On the real chain every key read or written is what gas is made of.

use std::cell::Cell;

use concord_coordinator::contract;
use concord_schema::msg::{Done, ExecuteMsg};
use cosmwasm_std::testing::MockStorage;
use cosmwasm_std::{
    Addr, ContractInfo, DepsMut, Env, Event, MessageInfo, Order, Record, Response, Storage, from_json,
};
use cw_multi_test::MockApiBech32;

use crate::env::MockEnv;
use crate::setup::addr;

/// What the chain puts before each key of a contract: a byte, and the contract's address of 32 bytes.
pub const PREFIX_BYTES: usize = 33;

/// What one message read and wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Keys read, each record of a range among them.
    pub reads: usize,
    /// Keys written or removed.
    pub writes: usize,
    /// Bytes of keys and values written, the chain's prefix included.
    pub bytes: usize,
    /// What the chain charges for all of it, in its gas, events included: [`GAS`].
    pub gas: u64,
}

/// What storage costs on the chain (SDK 0.50, `storetypes.KVGasConfig`), and events (wasmd 0.5x and 0.6x,
/// `DefaultGasRegisterConfig`). Steps of the contract, its start and the transaction around it come on top: about
/// 110,000 on a wasmd chain.
pub struct Gas {
    /// Per key read, and per byte of key and value.
    pub read: (u64, u64),
    /// Per record of a range, and per byte of key and value.
    pub next: (u64, u64),
    /// Per key written, and per byte of key and value.
    pub write: (u64, u64),
    /// Per key removed.
    pub remove: u64,
    /// Per event, and per attribute.
    pub event: (u64, u64),
    /// Bytes of attributes of one answer that cost nothing; every other costs one.
    pub event_bytes_free: u64,
}

/// The figures.
pub const GAS: Gas = Gas {
    read: (1_000, 3),
    next: (30, 3),
    write: (2_000, 30),
    remove: 1_000,
    event: (20, 10),
    event_bytes_free: 100,
};

/// A store that counts what is done to it.
#[derive(Default)]
pub struct Counting {
    inner: MockStorage,
    reads: Cell<usize>,
    writes: usize,
    bytes: usize,
    gas: Cell<u64>,
}

impl Counting {
    /// A copy of a contract's records, nothing counted yet.
    #[must_use]
    pub fn copy_of(records: Vec<Record>) -> Self {
        let mut counting = Self::default();
        for (key, value) in records {
            counting.inner.set(&key, &value);
        }
        counting
    }

    /// What was counted so far.
    #[must_use]
    pub fn cost(&self) -> Cost {
        Cost { reads: self.reads.get(), writes: self.writes, bytes: self.bytes, gas: self.gas.get() }
    }

    /// Charges something once, and so many bytes behind the chain's prefix.
    fn charge(&self, (once, byte): (u64, u64), bytes: usize) {
        let bytes = u64::try_from(PREFIX_BYTES + bytes).unwrap_or(u64::MAX);
        self.gas.set(self.gas.get() + once + byte * bytes);
    }

    /// Charges the events of an answer.
    fn charge_events(&self, events: &[Event]) {
        let attributes = events.iter().flat_map(|event| &event.attributes);
        let bytes: usize = attributes.map(|pair| pair.key.len() + pair.value.len()).sum();
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_sub(GAS.event_bytes_free);
        let each = |event: &Event| GAS.event.0 + GAS.event.1 * event.attributes.len() as u64;
        self.gas.set(self.gas.get() + bytes + events.iter().map(each).sum::<u64>());
    }
}

impl Storage for Counting {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.reads.set(self.reads.get() + 1);
        let value = self.inner.get(key);
        self.charge(GAS.read, key.len() + value.as_ref().map_or(0, Vec::len));
        value
    }

    fn range<'a>(
        &'a self,
        start: Option<&[u8]>,
        end: Option<&[u8]>,
        order: Order,
    ) -> Box<dyn Iterator<Item = Record> + 'a> {
        let records = self.inner.range(start, end, order);
        Box::new(records.inspect(|(key, value)| {
            self.reads.set(self.reads.get() + 1);
            self.charge(GAS.next, key.len() + value.len());
        }))
    }

    fn set(&mut self, key: &[u8], value: &[u8]) {
        self.writes += 1;
        self.bytes += PREFIX_BYTES + key.len() + value.len();
        self.charge(GAS.write, key.len() + value.len());
        self.inner.set(key, value);
    }

    fn remove(&mut self, key: &[u8]) {
        self.writes += 1;
        self.bytes += PREFIX_BYTES + key.len();
        self.charge((GAS.remove, 0), 0);
        self.inner.remove(key);
    }
}

impl MockEnv {
    /// What a message would cost now, over a copy of the contract's store, with the messages to itself that follow; and
    /// what it answers. The chain itself is not changed.
    pub fn cost(&self, who: &str, message: &ExecuteMsg) -> (Cost, Result<Done, String>) {
        let mut storage = Counting::copy_of(self.app.dump_wasm_raw(&self.contract));
        let done = self.run(&mut storage, addr(who), message).and_then(|answer| {
            let data = answer.data.ok_or_else(|| "no data".to_owned())?;
            from_json(&data).map_err(|error| error.to_string())
        });
        (storage.cost(), done)
    }

    /// The store's environment at this block.
    fn block(&self) -> Env {
        let contract = ContractInfo { address: self.contract.clone() };
        Env { block: self.app.block_info(), transaction: None, contract }
    }

    fn run(&self, storage: &mut Counting, sender: Addr, message: &ExecuteMsg) -> Result<Response, String> {
        let api = MockApiBech32::new("wasm");
        let deps = DepsMut { storage: &mut *storage, api: &api, querier: self.app.wrap() };
        let info = MessageInfo { sender, funds: Vec::new() };
        let answer = contract::execute(deps, self.block(), info, message.clone())
            .map_err(|error| error.to_string())?;
        storage.charge_events(&answer.events);
        Ok(answer)
    }
}
