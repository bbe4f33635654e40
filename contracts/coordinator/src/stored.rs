//! `cw-storage-plus` with values that are read by [`Json`].

use concord_json::Json;
use cosmwasm_std::{Order, StdError, StdResult, Storage, from_json, to_json_vec};
use cw_storage_plus::{Bound, KeyDeserialize, Path, PrimaryKey};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// One value under one key.
pub struct Item<T>(cw_storage_plus::Item<Json<T>>);

/// Values of one kind by key.
pub struct Map<K, T>(cw_storage_plus::Map<K, Json<T>>);

impl<T: Serialize + DeserializeOwned> Item<T> {
    /// The value under a key.
    #[must_use]
    pub const fn new(key: &'static str) -> Self {
        Self(cw_storage_plus::Item::new(key))
    }

    /// The key's bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// The value, if there is one.
    ///
    /// # Errors
    /// Where the stored bytes are no such value.
    pub fn may_load(&self, storage: &dyn Storage) -> StdResult<Option<T>> {
        read(storage, self.0.as_slice())
    }

    /// The value.
    ///
    /// # Errors
    /// Where there is none, or the stored bytes are no such value.
    pub fn load(&self, storage: &dyn Storage) -> StdResult<T> {
        self.may_load(storage)?.ok_or_else(|| missing(self.0.as_slice()))
    }

    /// Writes the value.
    ///
    /// # Errors
    /// Where it cannot be encoded.
    pub fn save(&self, storage: &mut dyn Storage, value: &T) -> StdResult<()> {
        storage.set(self.0.as_slice(), &to_json_vec(value)?);
        Ok(())
    }
}

impl<'a, K: PrimaryKey<'a>, T: Serialize + DeserializeOwned> Map<K, T> {
    /// The values under a namespace.
    #[must_use]
    pub const fn new(namespace: &'static str) -> Self {
        Self(cw_storage_plus::Map::new(namespace))
    }

    /// The bytes of a key.
    #[must_use]
    pub fn key(&self, key: K) -> Path<Json<T>> {
        self.0.key(key)
    }

    /// Whether there is a value.
    #[must_use]
    pub fn has(&self, storage: &dyn Storage, key: K) -> bool {
        self.0.has(storage, key)
    }

    /// A value, if there is one.
    ///
    /// # Errors
    /// Where the stored bytes are no such value.
    pub fn may_load(&self, storage: &dyn Storage, key: K) -> StdResult<Option<T>> {
        read(storage, &self.key(key))
    }

    /// A value.
    ///
    /// # Errors
    /// Where there is none, or the stored bytes are no such value.
    pub fn load(&self, storage: &dyn Storage, key: K) -> StdResult<T> {
        let key = self.key(key);
        read(storage, &key)?.ok_or_else(|| missing(&key))
    }

    /// Writes a value.
    ///
    /// # Errors
    /// Where it cannot be encoded.
    pub fn save(&self, storage: &mut dyn Storage, key: K, value: &T) -> StdResult<()> {
        storage.set(&self.key(key), &to_json_vec(value)?);
        Ok(())
    }

    /// Removes a value.
    pub fn remove(&self, storage: &mut dyn Storage, key: K) {
        storage.remove(&self.key(key));
    }

    /// The values whose keys begin with all parts but the last.
    #[must_use]
    pub fn prefix(&self, prefix: K::Prefix) -> Prefix<K::Suffix, T> {
        Prefix(self.0.prefix(prefix))
    }

    /// The values whose keys begin with the first part.
    #[must_use]
    pub fn sub_prefix(&self, prefix: K::SubPrefix) -> Prefix<K::SuperSuffix, T> {
        Prefix(self.0.sub_prefix(prefix))
    }

    /// Values between two keys.
    #[must_use]
    pub fn range<'c>(
        &self,
        storage: &'c dyn Storage,
        min: Option<Bound<'a, K>>,
        max: Option<Bound<'a, K>>,
        order: Order,
    ) -> Entries<'c, K::Output, T>
    where
        T: 'c,
        K: KeyDeserialize,
        K::Output: 'static,
    {
        plain(self.0.range(storage, min, max, order))
    }

    /// Keys between two keys.
    #[must_use]
    pub fn keys<'c>(
        &self,
        storage: &'c dyn Storage,
        min: Option<Bound<'a, K>>,
        max: Option<Bound<'a, K>>,
        order: Order,
    ) -> Box<dyn Iterator<Item = StdResult<K::Output>> + 'c>
    where
        T: 'c,
        K: KeyDeserialize,
        K::Output: 'static,
    {
        self.0.keys(storage, min, max, order)
    }
}

/// Entries in the order of their keys.
pub type Entries<'c, K, T> = Box<dyn Iterator<Item = StdResult<(K, T)>> + 'c>;

/// The values whose keys begin alike.
pub struct Prefix<K: KeyDeserialize, T: Serialize + DeserializeOwned>(cw_storage_plus::Prefix<K, Json<T>, K>);

impl<K: KeyDeserialize, T: Serialize + DeserializeOwned> Prefix<K, T> {
    /// Values between two keys.
    #[must_use]
    pub fn range<'a, 'c>(
        &self,
        storage: &'c dyn Storage,
        min: Option<Bound<'a, K>>,
        max: Option<Bound<'a, K>>,
        order: Order,
    ) -> Entries<'c, K::Output, T>
    where
        T: 'c,
        K: PrimaryKey<'a>,
        K::Output: 'static,
    {
        plain(self.0.range(storage, min, max, order))
    }

    /// Keys between two keys.
    #[must_use]
    pub fn keys<'a, 'c>(
        &self,
        storage: &'c dyn Storage,
        min: Option<Bound<'a, K>>,
        max: Option<Bound<'a, K>>,
        order: Order,
    ) -> Box<dyn Iterator<Item = StdResult<K::Output>> + 'c>
    where
        T: 'c,
        K: PrimaryKey<'a>,
        K::Output: 'static,
    {
        self.0.keys(storage, min, max, order)
    }
}

fn plain<'c, K: 'c, T: 'c>(
    entries: Box<dyn Iterator<Item = StdResult<(K, Json<T>)>> + 'c>,
) -> Entries<'c, K, T> {
    Box::new(entries.map(|entry| entry.map(|(key, value)| (key, value.0))))
}

fn read<T: DeserializeOwned>(storage: &dyn Storage, key: &[u8]) -> StdResult<Option<T>> {
    storage.get(key).map(|bytes| from_json::<Json<T>>(&bytes).map(|value| value.0)).transpose()
}

fn missing(key: &[u8]) -> StdError {
    StdError::msg(format!("expected a value under {}, found none", String::from_utf8_lossy(key)))
}
