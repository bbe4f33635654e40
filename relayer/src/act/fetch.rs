//! Fetching an artifact from whoever has it: only its digest says whether it is the right one.
//!
//! The declared size is a hard cap, every wait is bounded, and what arrives is hashed while it is written. The addresses
//! are tried in order. A host that fails as networks do is asked again a few times; one that serves wrong bytes is not
//! asked again, and the next address has its turn. What fails on this side (a full disk) ends the whole fetch at once.
//! One span bounds it all, so that a node says soon that it cannot have an artifact.

mod failure;
mod pace;

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use concord_schema::Digest;
use reqwest::{Client, Response, StatusCode, Url, redirect};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncReadExt;
use tokio::time::{sleep, timeout};

use super::durable::{DiskError, Draft};
use super::store::{Store, StoreError, Verified};

pub use failure::{FetchError, Miss, Missed};
use pace::Pace;

/// Addresses of one artifact that are looked at; the contract allows no more.
const ADDRESSES_MAX: usize = 16;
const REDIRECTS_MAX: usize = 3;
/// Free space that is asked for, as a multiple of the artifact.
const SPACE_FACTOR: u64 = 2;
const PART_BYTES: usize = 64 << 10;
/// So much is written before it is made durable: a disk that has to flush all of an artifact at once lets everybody else
/// on it wait, a validator's votes too.
const FLUSH_BYTES: u64 = 8 << 20;
const WAIT_MAX: Duration = Duration::from_secs(30);

/// What to fetch, as the proved release declares it.
#[derive(Clone, Copy, Debug)]
pub struct Want<'a> {
    /// What its bytes must hash to.
    pub digest: Digest,
    /// Its exact length in bytes.
    pub bytes: u64,
    /// Where it may be had: `https://…`, `http://…` or `file:///…`.
    pub addresses: &'a [String],
}

/// The bounds of a fetch.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Until a connection stands.
    pub connect: Duration,
    /// Between two parts, and until the first one.
    pub idle: Duration,
    /// What each [`Bounds::rate_window`] must bring on average; 0 asks for nothing.
    pub bytes_per_second_min: u64,
    /// No more bytes a second are taken; 0 sets no bound.
    pub bytes_per_second_max: u64,
    /// The time over which a rate is measured.
    pub rate_window: Duration,
    /// For one artifact, all addresses and tries and waits together. An address that is not the last one may take half of
    /// what is left, so that a slow one never costs the others their turn.
    pub total: Duration,
    /// Tries of one address that fails as networks do.
    pub tries_per_address: u32,
    /// Before the second try; doubled for each further one, at most 30 s.
    pub retry_wait: Duration,
    /// An artifact that declares more bytes is refused.
    pub bytes_max: u64,
}

impl Default for Bounds {
    /// 10 s to connect, 30 s of silence, 1,024 bytes a second over 30 s, an hour in all, three tries from 1 s apart, 2 GiB.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            bytes_per_second_min: 1_024,
            bytes_per_second_max: 0,
            rate_window: Duration::from_secs(30),
            total: Duration::from_secs(3600),
            tries_per_address: 3,
            retry_wait: Duration::from_secs(1),
            bytes_max: 2 << 30,
        }
    }
}

/// A miss is the address's fault, an error this side's.
enum Failure {
    Miss(Miss),
    Here(StoreError),
}

impl From<Miss> for Failure {
    fn from(miss: Miss) -> Self {
        Self::Miss(miss)
    }
}

impl From<DiskError> for Failure {
    fn from(error: DiskError) -> Self {
        Self::Here(error.into())
    }
}

/// Called with the bytes that have arrived and the bytes that are expected.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Send + Sync);

/// Fetches artifacts into a store.
#[derive(Clone, Debug)]
pub struct Fetcher {
    client: Client,
    bounds: Bounds,
}

impl Fetcher {
    /// Sets the client up.
    ///
    /// # Errors
    /// When the host has no usable TLS roots.
    pub fn new(bounds: Bounds) -> Result<Self, FetchError> {
        let client = Client::builder()
            .connect_timeout(bounds.connect)
            .redirect(redirect::Policy::custom(follow))
            // Where an artifact is had from concerns no other host.
            .referer(false)
            .user_agent(concat!("concord/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(FetchError::Client)?;
        Ok(Self { client, bounds })
    }

    /// Brings an artifact into the store, unless it is there and intact, and answers it opened and verified. Dropping the
    /// future leaves nothing behind.
    ///
    /// # Errors
    /// See [`FetchError`]; [`FetchError::Missed`] has a reason for every address.
    pub async fn fetch(
        &self,
        store: &Store,
        want: Want<'_>,
        progress: Progress<'_>,
    ) -> Result<Verified, FetchError> {
        let digest = want.digest;
        match open_durable(store, digest).await {
            Ok(verified) => {
                progress(verified.bytes, verified.bytes);
                return Ok(verified);
            }
            // A damaged artifact is replaced, as one that is not there.
            Err(StoreError::Absent { .. } | StoreError::Corrupt { .. }) => {}
            Err(e) => return Err(e.into()),
        }
        let max = self.bounds.bytes_max;
        if want.bytes == 0 || want.bytes > max {
            return Err(FetchError::Size { digest, found: want.bytes, max });
        }
        if want.addresses.is_empty() {
            return Err(FetchError::NoAddress { digest });
        }
        let (free, needed) = (store.free_bytes()?, want.bytes.saturating_mul(SPACE_FACTOR));
        if free < needed {
            return Err(FetchError::NoSpace { free, needed });
        }
        let (began, mut missed) = (Instant::now(), Vec::new());
        let mut addresses = want.addresses.iter().take(ADDRESSES_MAX).peekable();
        while let Some(address) = addresses.next() {
            let left = self.bounds.total.saturating_sub(began.elapsed());
            let share = if addresses.peek().is_some() { left / 2 } else { left };
            match self.try_address(store, &want, address, share, progress).await {
                Ok(draft) => {
                    store.publish(draft, &digest)?;
                    return Ok(open(store, digest).await?);
                }
                Err(Failure::Here(e)) => return Err(e.into()),
                Err(Failure::Miss(miss)) => {
                    missed.push(Missed { address: address.chars().take(200).collect(), miss })
                }
            }
        }
        Err(FetchError::Missed { digest, missed })
    }

    /// `share`: for all of its tries and the waits between them.
    async fn try_address(
        &self,
        store: &Store,
        want: &Want<'_>,
        address: &str,
        share: Duration,
        progress: Progress<'_>,
    ) -> Result<Draft, Failure> {
        let url = parse(address)?;
        let (began, mut wait) = (Instant::now(), self.bounds.retry_wait);
        let mut tries_left = self.bounds.tries_per_address.max(1);
        loop {
            let left = share.saturating_sub(began.elapsed());
            let tried = timeout(left, self.try_once(store, want, &url, progress)).await;
            tries_left -= 1;
            let pause = wait.min(WAIT_MAX);
            let has_time = began.elapsed().saturating_add(pause) < share;
            match tried.unwrap_or(Err(Miss::Slow { waited: share }.into())) {
                Err(Failure::Miss(miss)) if url.scheme() == "file" => {
                    return Err(veiled(address, want.digest, miss).into());
                }
                Err(Failure::Miss(miss)) if miss.may_pass() && tries_left > 0 && has_time => {
                    tracing::debug!(address, %miss, tries_left, "trying the address again");
                    sleep(pause).await;
                    wait = wait.saturating_mul(2);
                }
                answer => return answer,
            }
        }
    }

    async fn try_once(
        &self,
        store: &Store,
        want: &Want<'_>,
        url: &Url,
        progress: Progress<'_>,
    ) -> Result<Draft, Failure> {
        let mut source =
            if url.scheme() == "file" { Source::of_file(url).await? } else { self.ask(want, url).await? };
        let draft = store.draft().map_err(Failure::Here)?;
        let copy = draft.file().try_clone().map_err(|e| DiskError::new("open", draft.path(), e))?;
        let mut sink = Sink { file: tokio::fs::File::from_std(copy), hash: Sha256::new(), received: 0 };
        let began = Instant::now();
        let mut pace = Pace::new(self.bounds.bytes_per_second_min, self.bounds.rate_window);
        loop {
            let asked = Instant::now();
            let Some(part) = self.next_part(&mut source, sink.received).await? else { break };
            pace.take(part.len() as u64, asked.elapsed())?;
            sink.take(&part, want, &draft).await?;
            progress(sink.received, want.bytes);
            sleep(pace::ahead(sink.received, began.elapsed(), self.bounds.bytes_per_second_max)).await;
        }
        sink.finish(want, &draft).await?;
        Ok(draft)
    }

    async fn ask(&self, want: &Want<'_>, url: &Url) -> Result<Source, Failure> {
        let waited = self.bounds.connect.saturating_add(self.bounds.idle);
        let sent = timeout(waited, self.client.get(url.clone()).send()).await;
        let response = match sent {
            Err(_) => return Err(Miss::Silent { received: 0, waited }.into()),
            Ok(Err(source)) => return Err(Miss::Network { received: 0, source }.into()),
            Ok(Ok(response)) => response,
        };
        let status = response.status();
        if status.is_redirection() {
            let to = response.headers().get(reqwest::header::LOCATION);
            let to = to.map(|to| String::from_utf8_lossy(to.as_bytes()).chars().take(200).collect());
            let status = status.as_u16();
            return Err(Miss::Redirect { status, to }.into());
        }
        if status != StatusCode::OK {
            let status = status.as_u16();
            return Err(Miss::Status { status }.into());
        }
        let expected = want.bytes;
        match response.content_length() {
            Some(announced) if announced > expected => Err(Miss::TooLong { expected }.into()),
            Some(found) if found < expected => Err(Miss::Truncated { found, expected }.into()),
            _ => Ok(Source::Http(response)),
        }
    }

    async fn next_part(&self, source: &mut Source, received: u64) -> Result<Option<Vec<u8>>, Failure> {
        let waited = self.bounds.idle;
        timeout(waited, source.next(received))
            .await
            .unwrap_or(Err(Miss::Silent { received, waited }))
            .map_err(Failure::Miss)
    }
}

fn follow(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let within = attempt.previous().len() <= REDIRECTS_MAX
        && attempt.previous().last().is_some_and(|from| may_lead(from, attempt.url()));
    if within { attempt.follow() } else { attempt.stop() }
}

/// May a host lead from here to there? Hosts of releases lead to others that keep the bytes, and the digest says whether
/// they are the right ones. A way that is encrypted stays so; one that is not stays with the host that was named, since
/// anybody on the way could lead it into this host's own network.
fn may_lead(from: &Url, to: &Url) -> bool {
    if !to.username().is_empty() || to.password().is_some() {
        return false;
    }
    match (from.scheme(), to.scheme()) {
        ("https", "https") => true,
        ("http", "http") => from.origin() == to.origin(),
        _ => false,
    }
}

/// The reason of a miss is told to the chain, and the address came from there: of a file of this host it says only that
/// it is not the artifact. The owner finds the rest in the log.
fn veiled(address: &str, expected: Digest, miss: Miss) -> Miss {
    match &miss {
        Miss::WrongDigest { .. } | Miss::Truncated { .. } | Miss::TooLong { .. } => {
            tracing::warn!(address, %miss, "a local file is not the artifact");
            Miss::OtherFile { expected }
        }
        _ => miss,
    }
}

/// A user name in an address would be a secret on a public chain and in every log, so there is none.
fn parse(address: &str) -> Result<Url, Miss> {
    let refused = |found: &str| Miss::Address { found: found.chars().take(200).collect() };
    let url = Url::parse(address).map_err(|_| refused("no address"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("one with a user name or a password"));
    }
    match url.scheme() {
        "http" | "https" => Ok(url),
        "file" if url.host_str().is_none_or(str::is_empty) => Ok(url),
        "file" => Err(refused("a file on another host")),
        other => Err(refused(&format!("the scheme {other}"))),
    }
}

async fn open(store: &Store, digest: Digest) -> Result<Verified, StoreError> {
    let (inner, path) = (store.clone(), store.path_of(&digest));
    let opened = tokio::task::spawn_blocking(move || inner.open_verified(&digest)).await;
    opened.unwrap_or_else(|e| Err(DiskError::new("verify", &path, io::Error::other(e)).into()))
}

/// The same of an artifact that was there before: what an earlier agent left may not be on the disk yet.
async fn open_durable(store: &Store, digest: Digest) -> Result<Verified, StoreError> {
    let (inner, path) = (store.clone(), store.path_of(&digest));
    let opened = tokio::task::spawn_blocking(move || {
        let verified = inner.open_verified(&digest)?;
        inner.sync_artifact(&verified)?;
        Ok(verified)
    });
    opened.await.unwrap_or_else(|e| Err(DiskError::new("verify", &path, io::Error::other(e)).into()))
}

enum Source {
    Http(Response),
    File { file: tokio::fs::File, path: PathBuf },
}

impl Source {
    async fn of_file(url: &Url) -> Result<Self, Miss> {
        let path = url
            .to_file_path()
            .map_err(|()| Miss::Address { found: "a file without an absolute path".to_owned() })?;
        let asked = path.clone();
        // Opened without blocking, so that a pipe is recognised and not waited for.
        let opened = tokio::task::spawn_blocking(move || {
            let file = super::store::open_plain(&asked)?;
            if file.metadata()?.is_file() {
                Ok(file)
            } else {
                Err(io::Error::other("it is no ordinary file"))
            }
        });
        match opened.await.map_err(io::Error::other).and_then(|file| file) {
            Ok(file) => Ok(Self::File { file: tokio::fs::File::from_std(file), path }),
            Err(source) => Err(Miss::File { path, source }),
        }
    }

    async fn next(&mut self, received: u64) -> Result<Option<Vec<u8>>, Miss> {
        match self {
            Self::Http(response) => match response.chunk().await {
                Ok(part) => Ok(part.map(Into::into)),
                Err(source) => Err(Miss::Network { received, source }),
            },
            Self::File { file, path } => {
                let mut part = vec![0; PART_BYTES];
                let count =
                    file.read(&mut part).await.map_err(|source| Miss::File { path: path.clone(), source })?;
                part.truncate(count);
                Ok((count > 0).then_some(part))
            }
        }
    }
}

struct Sink {
    file: tokio::fs::File,
    hash: Sha256,
    received: u64,
}

impl Sink {
    async fn take(&mut self, part: &[u8], want: &Want<'_>, draft: &Draft) -> Result<(), Failure> {
        use tokio::io::AsyncWriteExt as _;
        let received = self.received.saturating_add(part.len() as u64);
        if received > want.bytes {
            return Err(Miss::TooLong { expected: want.bytes }.into());
        }
        self.hash.update(part);
        self.file.write_all(part).await.map_err(|e| DiskError::new("write", draft.path(), e))?;
        if received / FLUSH_BYTES > self.received / FLUSH_BYTES {
            self.file.sync_data().await.map_err(|e| DiskError::new("sync", draft.path(), e))?;
        }
        self.received = received;
        Ok(())
    }

    async fn finish(mut self, want: &Want<'_>, draft: &Draft) -> Result<(), Failure> {
        use tokio::io::AsyncWriteExt as _;
        self.file.flush().await.map_err(|e| DiskError::new("write", draft.path(), e))?;
        if self.received < want.bytes {
            return Err(Miss::Truncated { found: self.received, expected: want.bytes }.into());
        }
        let found = Digest(self.hash.finalize().into());
        if found == want.digest {
            return Ok(());
        }
        Err(Miss::WrongDigest { found, expected: want.digest }.into())
    }
}

#[cfg(test)]
mod tests;
