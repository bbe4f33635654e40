//! Accounts: number, sequence and key, as x/auth keeps them.

use std::collections::BTreeMap;

use cosmrs::crypto::PublicKey;

/// An account of the chain.
#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    pub(crate) number: u64,
    pub(crate) sequence: u64,
    pub(crate) public_key: Option<PublicKey>,
}

/// All accounts by address. An account opens when it is first funded.
#[derive(Default)]
pub(crate) struct Ledger {
    accounts: BTreeMap<String, Account>,
}

impl Ledger {
    /// Opens an account with the next number, unless it is open.
    pub(crate) fn open(&mut self, address: &str) {
        if !self.accounts.contains_key(address) {
            // Accounts are never closed, so their count is the next number.
            let account = Account { number: self.accounts.len() as u64, ..Account::default() };
            self.accounts.insert(address.to_owned(), account);
        }
    }

    /// The account of an address.
    pub(crate) fn account(&self, address: &str) -> Option<&Account> {
        self.accounts.get(address)
    }

    /// Takes one sequence of an account and keeps the key it signed with.
    pub(crate) fn take_sequence(&mut self, address: &str, key: Option<PublicKey>) {
        if let Some(account) = self.accounts.get_mut(address) {
            account.sequence += 1;
            account.public_key = account.public_key.or(key);
        }
    }
}
