//! A store that counts. On the real chain every key read or written is what gas is made of.

use std::cell::Cell;

use concord_coordinator::contract;
use concord_schema::msg::{Done, ExecuteMsg};
use cosmwasm_std::testing::MockStorage;
use cosmwasm_std::{ContractInfo, DepsMut, Env, MessageInfo, Order, Record, Storage, from_json};
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
}

/// A store that counts what is done to it.
#[derive(Default)]
pub struct Counting {
    inner: MockStorage,
    reads: Cell<usize>,
    writes: usize,
    bytes: usize,
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
        Cost { reads: self.reads.get(), writes: self.writes, bytes: self.bytes }
    }
}

impl Storage for Counting {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.reads.set(self.reads.get() + 1);
        self.inner.get(key)
    }

    fn range<'a>(
        &'a self,
        start: Option<&[u8]>,
        end: Option<&[u8]>,
        order: Order,
    ) -> Box<dyn Iterator<Item = Record> + 'a> {
        let records = self.inner.range(start, end, order);
        Box::new(records.inspect(|_| self.reads.set(self.reads.get() + 1)))
    }

    fn set(&mut self, key: &[u8], value: &[u8]) {
        self.writes += 1;
        self.bytes += PREFIX_BYTES + key.len() + value.len();
        self.inner.set(key, value);
    }

    fn remove(&mut self, key: &[u8]) {
        self.writes += 1;
        self.bytes += PREFIX_BYTES + key.len();
        self.inner.remove(key);
    }
}

impl MockEnv {
    /// What a message would cost now, over a copy of the contract's store; and what it answers. The chain itself is
    /// not changed.
    pub fn cost(&self, who: &str, message: &ExecuteMsg) -> (Cost, Result<Done, String>) {
        let mut storage = Counting::copy_of(self.app.dump_wasm_raw(&self.contract));
        let api = MockApiBech32::new("wasm");
        let deps = DepsMut { storage: &mut storage, api: &api, querier: self.app.wrap() };
        let env = Env {
            block: self.app.block_info(),
            transaction: None,
            contract: ContractInfo { address: self.contract.clone() },
        };
        let info = MessageInfo { sender: addr(who), funds: Vec::new() };
        let answer = contract::execute(deps, env, info, message.clone());
        let done = match answer {
            Ok(answer) => answer
                .data
                .ok_or_else(|| "no data".to_owned())
                .and_then(|data| from_json(&data).map_err(|error| error.to_string())),
            Err(error) => Err(error.to_string()),
        };
        (storage.cost(), done)
    }
}
