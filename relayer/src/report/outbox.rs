//! Messages that must reach the chain, kept on disk until it is known what became of them.
//!
//! One file per entry, in the order in which entries were put. An entry is written before anything is broadcast,
//! and with its transaction's bytes before that transaction leaves, so that an agent that died at any point finds
//! out what it had sent instead of sending it twice. Should it ever send twice, the contract takes a repeat for one.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, Notify, watch};

use super::Courier;
use crate::act::durable::{create_dir, replace_file};
use crate::chain::Included;
use crate::chain::error::Refused;
use crate::chain::send::{Outcome, Sent};
use crate::chain::sign::{Execute, MESSAGES_MAX};

/// One entry's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    version: u32,
    /// Entries leave in this order.
    pub order: u64,
    /// What makes a repeat the same report; the contract sees the same facts inside the messages.
    pub key: String,
    /// It is a request, which is asked again while it matters: reports go before it.
    #[serde(default)]
    pub is_request: bool,
    /// What to say, in one transaction.
    pub messages: Vec<Execute>,
    /// How far it has come.
    pub state: State,
}

/// How far an entry has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum State {
    /// Not in any transaction that could still be included.
    Queued,
    /// In a transaction that may be included, or may have been.
    Sent {
        /// Its hash.
        hash: String,
        /// The last block that may include it.
        timeout_height: u64,
        /// The account sequence it uses.
        sequence: u64,
        /// Its bytes in hex, to broadcast it again as it is.
        bytes: String,
    },
    /// Known for good.
    Done {
        /// What became of it: included, or refused with the contract's text.
        outcome: Outcome,
    },
}

impl State {
    /// Whether nothing is left to do.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done { .. })
    }

    /// The same with no more of an outcome than is read later: what a contract emits may be longer than an entry.
    fn cut(self) -> Self {
        let cut = |log: &str| log.chars().take(LOG_CHARACTERS_MAX).collect::<String>();
        match self {
            Self::Done { outcome: Outcome::Included(included) } => {
                let log = cut(&included.log);
                let included = Included { log, data: Vec::new(), events: Vec::new(), ..included };
                Self::Done { outcome: Outcome::Included(included) }
            }
            Self::Done { outcome: Outcome::Refused(refused) } => {
                let log = cut(&refused.log);
                Self::Done { outcome: Outcome::Refused(Refused { log, ..refused }) }
            }
            other => other,
        }
    }

    pub(super) fn sent(&self) -> Option<(Sent, &str)> {
        match self {
            Self::Sent { hash, timeout_height, sequence, bytes } => {
                let sent = Sent { hash: hash.clone(), timeout_height: *timeout_height, sequence: *sequence };
                Some((sent, bytes))
            }
            _ => None,
        }
    }
}

/// How much an outbox holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Entries without an outcome. One more is refused, none is dropped.
    pub open_max: usize,
    /// Entries with an outcome that are kept to be read; the oldest go first.
    pub done_max: usize,
    /// The longest file of one entry.
    pub entry_bytes_max: usize,
}

impl Default for Limits {
    /// 1,024 open, 256 done, 256 KiB each.
    fn default() -> Self {
        Self { open_max: 1_024, done_max: 256, entry_bytes_max: 256 << 10 }
    }
}

/// What putting an entry came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is on disk and will be sent.
    New,
    /// An entry with this key and these messages is there already.
    Known(State),
}

/// Why an entry was not taken, or the outbox not opened.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// No room.
    #[error(
        "expected fewer than {open_max} unsent reports, found {open_max}; see why the oldest one does not leave"
    )]
    Full {
        /// How many there may be.
        open_max: usize,
    },
    /// The key is taken by other messages.
    #[error(
        "expected the same messages as before for report {key}, found others; use another key for another report"
    )]
    Changed {
        /// The key.
        key: String,
    },
    /// Too many messages, none, or too long.
    #[error(
        "expected 1 to {MESSAGES_MAX} messages of at most {bytes_max} bytes together, found {found}; split them up"
    )]
    Size {
        /// The most bytes an entry may take.
        bytes_max: usize,
        /// What was found.
        found: String,
    },
    /// The key is empty or too long.
    #[error("expected a key of 1 to {KEY_BYTES_MAX} bytes, found {found}")]
    Key {
        /// How many bytes.
        found: usize,
    },
    /// The entry has no outcome yet.
    #[error(
        "expected report {key} to be done before it is forgotten, found it on its way; wait for its outcome"
    )]
    Open {
        /// The key.
        key: String,
    },
    /// The file system said no.
    #[error("cannot {verb} outbox file {path}; check the disk and the rights of its folder")]
    File {
        /// read, write or remove.
        verb: &'static str,
        /// Which file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// A file is no entry. Not skipped, because a lost report must not go unseen.
    #[error(
        "expected an outbox entry of version {VERSION} in {path}, found {found}; move the file away to go on"
    )]
    Content {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        found: String,
    },
}

const VERSION: u32 = 1;
const FOLDER_MODE: u32 = 0o700;
/// So much of the chain's text about an outcome is kept.
const LOG_CHARACTERS_MAX: usize = 1_024;
/// No key is longer.
pub const KEY_BYTES_MAX: usize = 256;

/// The handle for those who put reports in. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Outbox {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    folder: PathBuf,
    limits: Limits,
    book: Mutex<Book>,
    pub(super) wake: Notify,
    revision: watch::Sender<u64>,
    pub(super) trouble: watch::Sender<Option<String>>,
}

#[derive(Debug, Default)]
struct Book {
    entries: BTreeMap<u64, Entry>,
    orders: HashMap<String, u64>,
    next: u64,
}

impl Book {
    fn insert(&mut self, entry: Entry) {
        self.next = self.next.max(entry.order.saturating_add(1));
        self.orders.insert(entry.key.clone(), entry.order);
        self.entries.insert(entry.order, entry);
    }

    fn find(&self, key: &str) -> Option<&Entry> {
        self.entries.get(self.orders.get(key)?)
    }
}

impl Outbox {
    /// Opens the outbox in `folder`, which is made if it is not there, and the one courier that empties it.
    ///
    /// # Errors
    /// [`OutboxError::File`] or [`OutboxError::Content`], naming the file.
    pub fn open(folder: &Path, limits: Limits) -> Result<(Self, Courier), OutboxError> {
        let failed = |verb, path: &Path| {
            let path = path.to_owned();
            move |source| OutboxError::File { verb, path, source }
        };
        create_dir(folder, FOLDER_MODE).map_err(|error| failed("write", folder)(error.source))?;
        let mut book = Book::default();
        for file in std::fs::read_dir(folder).map_err(failed("read", folder))? {
            let path = file.map_err(failed("read", folder))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with('.') {
                // Half a write that its agent did not live to rename.
                std::fs::remove_file(&path).map_err(failed("remove", &path))?;
            } else if name.ends_with(".json") {
                let entry = read(&path, limits.entry_bytes_max)?;
                if book.orders.contains_key(&entry.key) {
                    return Err(OutboxError::Content {
                        path,
                        found: format!("key {} for the second time", entry.key),
                    });
                }
                book.insert(entry);
            }
        }
        let inner = Inner {
            folder: folder.to_owned(),
            limits,
            book: Mutex::new(book),
            wake: Notify::new(),
            revision: watch::channel(0).0,
            trouble: watch::channel(None).0,
        };
        let outbox = Self { inner: Arc::new(inner) };
        Ok((outbox.clone(), Courier::new(outbox)))
    }

    /// Puts a report in. When this returns [`Put::New`], it survives a power loss.
    ///
    /// # Errors
    /// [`OutboxError`], by cause; nothing was taken then.
    pub async fn put(&self, key: &str, messages: Vec<Execute>) -> Result<Put, OutboxError> {
        let mut book = self.inner.book.lock().await;
        self.put_in(&mut book, key, messages, false).await
    }

    /// Puts a request in, of which one at a time is enough. `kind` is the beginning of its key: while another of the kind
    /// is on its way nothing new is put, and one that was not sent yet is replaced where it says something else.
    ///
    /// # Errors
    /// [`OutboxError`], by cause.
    pub async fn ask(&self, kind: &str, key: &str, messages: Vec<Execute>) -> Result<Put, OutboxError> {
        let mut book = self.inner.book.lock().await;
        let mut open =
            book.entries.values().filter(|entry| entry.key.starts_with(kind) && !entry.state.is_done());
        if let Some(entry) = open.next() {
            if entry.state != State::Queued || entry.messages == messages {
                return Ok(Put::Known(entry.state.clone()));
            }
            let order = entry.order;
            self.remove(&mut book, order)?;
        }
        self.put_in(&mut book, key, messages, true).await
    }

    async fn put_in(
        &self,
        book: &mut Book,
        key: &str,
        messages: Vec<Execute>,
        is_request: bool,
    ) -> Result<Put, OutboxError> {
        if key.is_empty() || key.len() > KEY_BYTES_MAX {
            return Err(OutboxError::Key { found: key.len() });
        }
        let limits = self.inner.limits;
        let size = |found| OutboxError::Size { bytes_max: limits.entry_bytes_max, found };
        if messages.is_empty() || messages.len() > MESSAGES_MAX {
            return Err(size(format!("{} messages", messages.len())));
        }
        if let Some(known) = book.find(key) {
            if known.messages == messages {
                return Ok(Put::Known(known.state.clone()));
            }
            return Err(OutboxError::Changed { key: key.to_owned() });
        }
        if book.entries.values().filter(|entry| !entry.state.is_done()).count() >= limits.open_max {
            return Err(OutboxError::Full { open_max: limits.open_max });
        }
        let (order, key, state) = (book.next, key.to_owned(), State::Queued);
        let entry = Entry { version: VERSION, order, key, is_request, messages, state };
        let bytes = serde_json::to_vec(&entry).map_err(|error| size(error.to_string()))?;
        // A quarter, because the same messages return inside the transaction's bytes once it is sent.
        if bytes.len() > limits.entry_bytes_max / 4 {
            return Err(size(format!("{} bytes", bytes.len())));
        }
        self.write(&entry).await?;
        book.insert(entry);
        self.inner.wake.notify_one();
        self.bump();
        Ok(Put::New)
    }

    /// How far a report has come.
    pub async fn state(&self, key: &str) -> Option<State> {
        self.inner.book.lock().await.find(key).map(|entry| entry.state.clone())
    }

    /// Every entry, in order.
    pub async fn entries(&self) -> Vec<Entry> {
        self.inner.book.lock().await.entries.values().cloned().collect()
    }

    /// Removes a report that is done, so that its key may be used again.
    ///
    /// # Errors
    /// [`OutboxError::Open`] when it is still on its way; [`OutboxError::File`].
    pub async fn forget(&self, key: &str) -> Result<(), OutboxError> {
        let mut book = self.inner.book.lock().await;
        match book.find(key).map(|entry| (entry.order, entry.state.is_done())) {
            None => Ok(()),
            Some((_, false)) => Err(OutboxError::Open { key: key.to_owned() }),
            Some((order, true)) => self.remove(&mut book, order),
        }
    }

    /// Changes with every change of any entry.
    #[must_use]
    pub fn revision(&self) -> watch::Receiver<u64> {
        self.inner.revision.subscribe()
    }

    /// What the oldest open entry waits on, as text; `None` while nothing is in the way.
    #[must_use]
    pub fn trouble(&self) -> watch::Receiver<Option<String>> {
        self.inner.trouble.subscribe()
    }

    /// The entry to see to: one that was sent, since it has the account's next sequence; else the oldest report; else the
    /// oldest request.
    pub(super) async fn first_open(&self) -> Option<Entry> {
        let book = self.inner.book.lock().await;
        let open = book.entries.values().filter(|entry| !entry.state.is_done());
        open.min_by_key(|entry| (entry.state == State::Queued, entry.is_request, entry.order)).cloned()
    }

    /// Moves an entry on, on disk first.
    pub(crate) async fn advance(&self, order: u64, state: State) -> Result<(), OutboxError> {
        let mut book = self.inner.book.lock().await;
        let Some(known) = book.entries.get(&order) else { return Ok(()) };
        let entry = Entry { state: state.cut(), ..known.clone() };
        self.write(&entry).await?;
        book.insert(entry);
        let done: Vec<u64> =
            book.entries.values().filter(|entry| entry.state.is_done()).map(|entry| entry.order).collect();
        for order in done.iter().take(done.len().saturating_sub(self.inner.limits.done_max)) {
            self.remove(&mut book, *order)?;
        }
        drop(book);
        self.bump();
        Ok(())
    }

    fn bump(&self) {
        self.inner.revision.send_modify(|revision| *revision = revision.wrapping_add(1));
    }

    fn path(&self, order: u64) -> PathBuf {
        self.inner.folder.join(format!("{order:020}.json"))
    }

    fn remove(&self, book: &mut Book, order: u64) -> Result<(), OutboxError> {
        let path = self.path(order);
        std::fs::remove_file(&path).map_err(|source| OutboxError::File { verb: "remove", path, source })?;
        if let Some(entry) = book.entries.remove(&order) {
            book.orders.remove(&entry.key);
        }
        Ok(())
    }

    async fn write(&self, entry: &Entry) -> Result<(), OutboxError> {
        let path = self.path(entry.order);
        let failed = |source| OutboxError::File { verb: "write", path: path.clone(), source };
        let bytes = serde_json::to_vec(entry).map_err(|error| failed(error.into()))?;
        let target = path.clone();
        let written = tokio::task::spawn_blocking(move || replace_file(&target, &bytes, 0o600)).await;
        written.map_err(|error| failed(std::io::Error::other(error)))?.map_err(|error| failed(error.source))
    }
}

fn read(path: &Path, bytes_max: usize) -> Result<Entry, OutboxError> {
    let failed = |source| OutboxError::File { verb: "read", path: path.to_owned(), source };
    let content = |found: String| OutboxError::Content { path: path.to_owned(), found };
    let length = std::fs::metadata(path).map_err(failed)?.len();
    if length > bytes_max as u64 {
        return Err(content(format!("{length} bytes")));
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    let entry: Entry = serde_json::from_slice(&bytes).map_err(|error| content(error.to_string()))?;
    if entry.version != VERSION {
        return Err(content(format!("version {}", entry.version)));
    }
    if path.file_stem().and_then(|stem| stem.to_str()) != Some(format!("{:020}", entry.order).as_str()) {
        return Err(content(format!("order {} under another name", entry.order)));
    }
    Ok(entry)
}

#[cfg(test)]
mod tests;
