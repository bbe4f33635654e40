//! Uploaded codes. The devnet runs no wasm: each code is the built-in contract under the checksum of its upload, so that
//! everything around a contract, its predicted address too, is as on a chain that runs it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use cosmwasm_std::{Addr, Checksum};
use cw_multi_test::ChecksumGenerator;

use crate::ante::TxError;
use crate::blocks::Hash;

/// A devnet keeps at most so many codes.
const CODES_MAX: usize = 1_000;

/// A code as x/wasm tells it.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) creator: String,
    pub(crate) checksum: Hash,
}

/// All codes by number.
#[derive(Clone, Default)]
pub(crate) struct Codes {
    all: BTreeMap<u64, Code>,
    next: Rc<RefCell<Hash>>,
    last_id: u64,
}

/// Tells cw-multi-test the checksum of the code that it is about to keep.
pub(crate) struct Announced(Rc<RefCell<Hash>>);

impl ChecksumGenerator for Announced {
    fn checksum(&self, _: &Addr, _: u64) -> Checksum {
        Checksum::from(*self.0.borrow())
    }
}

impl Codes {
    /// The generator that knows what [`Codes::announce`] was told.
    pub(crate) fn generator(&self) -> Announced {
        Announced(Rc::clone(&self.next))
    }

    /// Tells the checksum of the next code.
    pub(crate) fn announce(&self, checksum: Hash) {
        *self.next.borrow_mut() = checksum;
    }

    /// The number that the next code gets.
    ///
    /// # Errors
    /// Codespace `wasm` code 2 when there are too many.
    pub(crate) fn next_id(&self) -> Result<u64, TxError> {
        if self.all.len() >= CODES_MAX {
            let detail = format!("devnet keeps at most {CODES_MAX} codes");
            return Err(TxError::wasm(2, detail, "create wasm contract failed"));
        }
        Ok(self.last_id + 1)
    }

    /// Notes a code under the number that it was kept under.
    pub(crate) fn note(&mut self, code_id: u64, code: Code) {
        self.last_id = code_id;
        self.all.insert(code_id, code);
    }

    /// Forgets a code whose transaction failed. Its number is not given again.
    pub(crate) fn forget_after(&mut self, code_id: u64) {
        self.all.retain(|known, _| *known <= code_id);
    }

    /// The newest number.
    pub(crate) fn last_id(&self) -> u64 {
        self.last_id
    }

    /// A code.
    pub(crate) fn find(&self, code_id: u64) -> Option<&Code> {
        self.all.get(&code_id)
    }

    /// All of them, oldest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = (u64, &Code)> {
        self.all.iter().map(|(code_id, code)| (*code_id, code))
    }
}
