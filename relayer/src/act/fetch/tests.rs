use super::*;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

const BODY: &[u8] = b"the bytes of a release";
const BOUNDS: Bounds = Bounds {
    connect: Duration::from_secs(5),
    idle: Duration::from_millis(300),
    bytes_per_second_min: 0,
    bytes_per_second_max: 0,
    rate_window: Duration::from_secs(30),
    total: Duration::from_secs(2),
    tries_per_address: 2,
    retry_wait: Duration::from_millis(1),
    bytes_max: 1 << 20,
};

/// What a host does with a request.
#[derive(Clone, Copy, Debug)]
enum Host {
    Serves(&'static [u8]),
    /// Announces another length than it sends, then closes.
    Announces(u64, &'static [u8]),
    /// Sends without a length, then closes.
    Chunkless(&'static [u8]),
    Status(u16),
    RedirectsTo(&'static str),
    /// Sends a part and then nothing.
    Stalls,
    NeverAnswers,
    /// Sends the same byte for ever.
    Endless,
    /// Sends one byte at a time, never silent for long.
    Trickles,
    FailsOnce,
}

struct Server {
    port: u16,
    asked: Arc<AtomicU32>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    async fn start(host: Host) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(AtomicU32::new(0));
        let counter = asked.clone();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let number = counter.fetch_add(1, Ordering::SeqCst);
                // A client that hangs up is part of the test.
                tokio::spawn(async move { drop(answer(stream, host, number).await) });
            }
        });
        Self { port, asked, task }
    }

    fn address(&self) -> String {
        format!("http://127.0.0.1:{}/artifact", self.port)
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn request(stream: &mut TcpStream) -> io::Result<String> {
    let mut text = Vec::new();
    let mut part = [0; 1024];
    while !text.ends_with(b"\r\n\r\n") {
        let count = stream.read(&mut part).await?;
        if count == 0 {
            break;
        }
        text.extend_from_slice(&part[..count]);
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

async fn answer(mut stream: TcpStream, host: Host, number: u32) -> io::Result<()> {
    let asked = request(&mut stream).await?;
    let head =
        |length: u64| format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    match host {
        Host::FailsOnce if number == 0 => return Ok(()),
        Host::RedirectsTo(_) if asked.starts_with("GET /there ") => {
            stream.write_all(head(BODY.len() as u64).as_bytes()).await?;
            stream.write_all(BODY).await?;
        }
        Host::Serves(body) => {
            stream.write_all(head(body.len() as u64).as_bytes()).await?;
            stream.write_all(body).await?;
        }
        Host::FailsOnce => {
            stream.write_all(head(BODY.len() as u64).as_bytes()).await?;
            stream.write_all(BODY).await?;
        }
        Host::Announces(length, body) => {
            stream.write_all(head(length).as_bytes()).await?;
            stream.write_all(body).await?;
        }
        Host::Chunkless(body) => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await?;
            stream.write_all(body).await?;
        }
        Host::Status(status) => {
            let text = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(text.as_bytes()).await?;
        }
        Host::RedirectsTo(to) => {
            let text = format!(
                "HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
            stream.write_all(text.as_bytes()).await?;
        }
        Host::Stalls => {
            stream.write_all(head(BODY.len() as u64).as_bytes()).await?;
            stream.write_all(&BODY[..5]).await?;
            std::future::pending::<()>().await;
        }
        Host::NeverAnswers => std::future::pending::<()>().await,
        Host::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await?;
            loop {
                stream.write_all(&[b'x'; 4096]).await?;
            }
        }
        Host::Trickles => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await?;
            loop {
                stream.write_all(b"x").await?;
                sleep(Duration::from_millis(150)).await;
            }
        }
    }
    stream.shutdown().await
}

struct Place {
    folder: tempfile::TempDir,
    store: Store,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        Self { folder, store }
    }

    async fn fetch(&self, addresses: &[String]) -> Result<Verified, FetchError> {
        let want = Want { digest: Digest::of(BODY), bytes: BODY.len() as u64, addresses };
        self.fetch_want(want).await
    }

    async fn fetch_want(&self, want: Want<'_>) -> Result<Verified, FetchError> {
        let fetched = Fetcher::new(BOUNDS).unwrap().fetch(&self.store, want, &|_, _| ()).await;
        let left = std::fs::read_dir(self.folder.path().join("fetch")).unwrap().count();
        assert_eq!(left, 0, "nothing half done stays");
        fetched
    }

    async fn miss(&self, address: String) -> Miss {
        match self.fetch(&[address]).await {
            Err(FetchError::Missed { mut missed, .. }) => missed.remove(0).miss,
            other => panic!("expected a miss, found {other:?}"),
        }
    }
}

#[tokio::test]
async fn every_way_to_fail_has_its_name_and_only_the_networks_are_tried_again() {
    let expected = BODY.len() as u64;
    type Check = fn(&Miss) -> bool;
    let table: [(Host, u32, Check); 13] = [
        (Host::Status(404), 1, |miss| matches!(miss, Miss::Status { status: 404 })),
        (Host::Status(204), 1, |miss| matches!(miss, Miss::Status { status: 204 })),
        (Host::Status(500), 2, |miss| matches!(miss, Miss::Status { status: 500 })),
        (Host::Status(429), 2, |miss| matches!(miss, Miss::Status { status: 429 })),
        (Host::Serves(b"The bytes of a release"), 1, |miss| matches!(miss, Miss::WrongDigest { .. })),
        (Host::Serves(b"the bytes of a releas"), 2, |miss| matches!(miss, Miss::Truncated { .. })),
        (Host::Serves(b"the bytes of a release."), 1, |miss| matches!(miss, Miss::TooLong { .. })),
        (Host::Chunkless(b"the bytes"), 2, |miss| matches!(miss, Miss::Truncated { found: 9, .. })),
        (Host::Announces(expected, b"the bytes"), 2, |miss| matches!(miss, Miss::Network { .. })),
        (Host::Endless, 1, |miss| matches!(miss, Miss::TooLong { .. })),
        (Host::Stalls, 2, |miss| matches!(miss, Miss::Silent { received: 5, .. })),
        (Host::RedirectsTo("http://127.0.0.2:1/there"), 1, |miss| {
            matches!(miss, Miss::Redirect { status: 302, .. })
        }),
        (Host::RedirectsTo("/artifact"), 4, |miss| matches!(miss, Miss::Redirect { .. })),
    ];
    for (host, asked, check) in table {
        let server = Server::start(host).await;
        let miss = Place::new().miss(server.address()).await;
        assert!(check(&miss), "{host:?}: {miss:?}");
        assert_eq!(server.asked(), asked, "{host:?}: {miss:?}");
    }
}

#[tokio::test]
async fn a_host_that_never_answers_or_trickles_is_left_in_time() {
    let place = Place::new();
    let silent = Server::start(Host::NeverAnswers).await;
    let fetcher =
        Fetcher::new(Bounds { connect: Duration::from_millis(100), tries_per_address: 1, ..BOUNDS }).unwrap();
    let long = Want { digest: Digest::of(BODY), bytes: 1000, addresses: &[silent.address()] };
    let error = fetcher.fetch(&place.store, long, &|_, _| ()).await.unwrap_err();
    assert!(
        matches!(&error, FetchError::Missed { missed, .. } if matches!(missed[0].miss, Miss::Silent { received: 0, .. })),
        "{error}"
    );
    let slow = Server::start(Host::Trickles).await;
    let fetcher = Fetcher::new(Bounds { total: Duration::from_millis(700), ..BOUNDS }).unwrap();
    let long = Want { digest: Digest::of(BODY), bytes: 1000, addresses: &[slow.address()] };
    let error = fetcher.fetch(&place.store, long, &|_, _| ()).await.unwrap_err();
    assert!(
        matches!(&error, FetchError::Missed { missed, .. } if matches!(missed[0].miss, Miss::Slow { .. })),
        "{error}"
    );
}

#[tokio::test]
async fn a_good_host_after_bad_ones_serves_and_progress_rises_to_the_total() {
    let place = Place::new();
    let (lies, missing, good) = (
        Server::start(Host::Serves(b"The bytes of a release")).await,
        Server::start(Host::Status(404)).await,
        Server::start(Host::Serves(BODY)).await,
    );
    let closed = "http://127.0.0.1:1/nobody".to_owned();
    let addresses = [lies.address(), missing.address(), closed, "gopher://x/".into(), good.address()];
    let seen = Mutex::new(Vec::new());
    let want = Want { digest: Digest::of(BODY), bytes: BODY.len() as u64, addresses: &addresses };
    let fetcher = Fetcher::new(BOUNDS).unwrap();
    let verified = fetcher
        .fetch(&place.store, want, &|done, total| seen.lock().unwrap().push((done, total)))
        .await
        .unwrap();
    assert_eq!(verified.digest, Digest::of(BODY));
    assert_eq!(seen.lock().unwrap().last(), Some(&(22, 22)));
    // It is there now: nobody is asked again, whatever the addresses say.
    place.fetch(&[]).await.unwrap();
    assert_eq!((lies.asked(), missing.asked(), good.asked()), (1, 1, 1));
}

#[tokio::test]
async fn a_failed_connection_and_a_redirect_within_the_host_are_got_over() {
    for host in [Host::FailsOnce, Host::RedirectsTo("/there")] {
        let server = Server::start(host).await;
        Place::new().fetch(&[server.address()]).await.unwrap();
        assert_eq!(server.asked(), 2, "{host:?}");
    }
}

#[tokio::test]
async fn a_damaged_artifact_is_fetched_again() {
    let place = Place::new();
    let server = Server::start(Host::Serves(BODY)).await;
    place.fetch(&[server.address()]).await.unwrap();
    let path = place.store.path_of(&Digest::of(BODY));
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, b"rotten").unwrap();
    place.fetch(&[server.address()]).await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), BODY);
}

#[tokio::test]
async fn files_are_taken_from_absolute_paths_to_ordinary_files_only() {
    let place = Place::new();
    let file = place.folder.path().join("a release");
    std::fs::write(&file, BODY).unwrap();
    let link = place.folder.path().join("link");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let address = |path: &std::path::Path| Url::from_file_path(path).unwrap().to_string();
    for (bad, is_file) in [
        (address(&link), true),
        (address(place.folder.path()), true),
        (address(&place.folder.path().join("missing")), true),
        (address(std::path::Path::new("/dev/null")), true),
        ("file://host/etc/hostname".into(), false),
        ("relative/path".into(), false),
        ("ftp://127.0.0.1/x".into(), false),
        ("http://user:secret@127.0.0.1/x".into(), false),
        (String::new(), false),
    ] {
        let miss = place.miss(bad.clone()).await;
        assert_eq!(matches!(miss, Miss::File { .. }), is_file, "{bad}: {miss:?}");
        assert_eq!(matches!(miss, Miss::Address { .. }), !is_file, "{bad}: {miss:?}");
        assert!(!miss.to_string().contains("secret"));
    }
    place.fetch(&[address(&file)]).await.unwrap();
    assert!(file.exists());
}

#[tokio::test]
async fn the_declared_size_is_bounded_at_both_edges_and_space_is_asked_for_first() {
    let place = Place::new();
    let nowhere = ["file:///nowhere".to_owned()];
    let want = |bytes| Want { digest: Digest::of(BODY), bytes, addresses: &nowhere };
    for (bytes, refused) in [(0, true), (1, false), (BOUNDS.bytes_max, false), (BOUNDS.bytes_max + 1, true)] {
        let error = place.fetch_want(want(bytes)).await.unwrap_err();
        assert_eq!(matches!(error, FetchError::Size { .. }), refused, "{bytes}: {error}");
    }
    let fetcher = Fetcher::new(Bounds { bytes_max: u64::MAX, ..BOUNDS }).unwrap();
    let error = fetcher.fetch(&place.store, want(u64::MAX / 4), &|_, _| ()).await.unwrap_err();
    assert!(matches!(error, FetchError::NoSpace { .. }) && error.is_full(), "{error}");
    let error = place.fetch(&[]).await.unwrap_err();
    assert!(matches!(error, FetchError::NoAddress { .. }), "{error}");
}

#[tokio::test]
async fn a_read_only_store_ends_the_fetch_and_no_other_address_is_asked() {
    let place = Place::new();
    let (first, second) = (Server::start(Host::Serves(BODY)).await, Server::start(Host::Serves(BODY)).await);
    // Permissions do not stop root; the kernel's own file system refuses new files to everybody.
    let drafts = place.folder.path().join("fetch");
    std::fs::remove_dir(&drafts).unwrap();
    std::os::unix::fs::symlink("/sys/kernel", &drafts).unwrap();
    let addresses = [first.address(), second.address()];
    let want = Want { digest: Digest::of(BODY), bytes: BODY.len() as u64, addresses: &addresses };
    let error = Fetcher::new(BOUNDS).unwrap().fetch(&place.store, want, &|_, _| ()).await.unwrap_err();
    assert!(matches!(&error, FetchError::Store(StoreError::Disk(e)) if e.is_read_only()), "{error:?}");
    assert!(crate::causes::told(&error).contains("check its mount and permissions"), "{error:?}");
    assert!(!error.is_full());
    assert_eq!((first.asked(), second.asked()), (1, 0));
    let missing = place.store.open_verified(&Digest::of(BODY)).unwrap_err();
    assert!(matches!(missing, StoreError::Absent { .. }), "{missing}");
}

#[tokio::test]
async fn a_disk_that_fills_up_in_the_middle_is_this_sides_fault_and_leaves_nothing() {
    let place = Place::new();
    let addresses = [];
    let want = Want { digest: Digest::of(BODY), bytes: BODY.len() as u64, addresses: &addresses };
    let draft = place.store.draft().unwrap();
    // A device that takes no byte and says what a full disk says.
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut sink = Sink { file: tokio::fs::File::from_std(full), hash: Sha256::new(), received: 0 };
    // The write may come back late: then the end of the download says it.
    let taken = sink.take(BODY, &want, &draft).await;
    let ended = if taken.is_ok() { sink.finish(&want, &draft).await } else { taken };
    let Err(Failure::Here(error)) = ended else { panic!("the disk is full") };
    let error = FetchError::from(error);
    assert!(error.is_full(), "{error:?}");
    assert!(crate::causes::told(&error).contains("the disk is full, free some space"), "{error:?}");
    drop(draft);
    assert_eq!(std::fs::read_dir(place.folder.path().join("fetch")).unwrap().count(), 0);
}

#[tokio::test]
async fn an_artifact_that_is_there_already_is_made_durable() {
    let place = Place::new();
    let server = Server::start(Host::Serves(BODY)).await;
    place.fetch(&[server.address()]).await.unwrap();
    let synced = || crate::act::durable::synced(&place.store.content_folder());
    let before = synced();
    place.fetch(&[]).await.unwrap();
    assert!(synced() > before);
}

/// Two hosts that are fast enough for ever and never done: the good one has its turn, and without it a node says soon
/// that it cannot have the artifact.
#[tokio::test]
async fn one_span_bounds_all_addresses_and_tries_and_leaves_each_a_turn() {
    let total = Duration::from_millis(1_200);
    let (one, two) = (Server::start(Host::Trickles).await, Server::start(Host::Trickles).await);
    let good = Server::start(Host::Serves(BODY)).await;
    let bounds = Bounds { total, idle: Duration::from_secs(60), tries_per_address: 3, ..BOUNDS };
    let fetcher = Fetcher::new(bounds).unwrap();
    let addresses = [one.address(), two.address(), good.address()];
    let want = |addresses| Want { digest: Digest::of(BODY), bytes: BODY.len() as u64, addresses };
    let (place, began) = (Place::new(), Instant::now());
    let error = fetcher.fetch(&place.store, want(&addresses[..2]), &|_, _| ()).await.unwrap_err();
    let took = began.elapsed();
    assert!(took >= total && took < total * 2, "{took:?}");
    let FetchError::Missed { missed, .. } = error else { panic!("{error}") };
    let waits: Vec<_> = missed
        .iter()
        .map(|missed| match missed.miss {
            Miss::Slow { waited } => waited,
            ref other => panic!("{other}"),
        })
        .collect();
    assert!(matches!(waits[..], [first, last] if first <= total / 2 && last <= total / 2), "{waits:?}");
    assert_eq!((one.asked(), two.asked()), (1, 1), "a slow host is not asked again");
    fetcher.fetch(&place.store, want(&addresses), &|_, _| ()).await.unwrap();
    assert_eq!((one.asked(), two.asked(), good.asked()), (2, 2, 1));
}

/// What a host of releases does, and what would lead an agent astray.
#[test]
fn encrypted_ways_lead_to_any_host_and_plain_ones_stay_at_theirs() {
    for (from, to, may) in [
        ("https://a.example/x", "https://a.example/y", true),
        ("https://a.example/x", "https://b.example/x", true),
        ("https://a.example/x", "https://a.example:8443/x", true),
        ("https://a.example/x", "http://a.example/x", false),
        ("https://a.example/x", "http://b.example/x", false),
        ("https://a.example/x", "https://name:secret@b.example/x", false),
        ("https://a.example/x", "https://name@b.example/x", false),
        ("https://a.example/x", "file:///etc/hostname", false),
        ("http://a.example/x", "http://a.example/y", true),
        ("http://a.example/x", "http://a.example:80/y", true),
        ("http://a.example/x", "http://a.example:8080/x", false),
        ("http://a.example/x", "http://b.example/x", false),
        ("http://a.example/x", "https://a.example/x", false),
        ("http://a.example/x", "file:///etc/hostname", false),
    ] {
        let url = |text| Url::parse(text).unwrap();
        assert_eq!(may_lead(&url(from), &url(to)), may, "{from} to {to}");
    }
}

/// A refusal is read by everybody, and a proposal may name any path: it must not publish what a file of this host holds.
#[tokio::test]
async fn what_a_local_file_holds_is_never_told() {
    let place = Place::new();
    let file = place.folder.path().join("secret");
    let address = Url::from_file_path(&file).unwrap().to_string();
    // Longer and shorter than declared, and as long.
    for bytes in [&b"as long as a release!!"[..], b"short", b"longer than the release is"] {
        std::fs::write(&file, bytes).unwrap();
        let error = place.fetch(std::slice::from_ref(&address)).await.unwrap_err();
        let told = crate::causes::told(&error);
        assert!(told.contains("the file is not the artifact"), "{told}");
        assert!(!told.contains(&Digest::of(bytes).to_string()), "{told}");
        let length = format!(" {} ", bytes.len());
        assert!(!told.contains(&length), "{told}");
    }
    // Of a host that anybody may ask it is told.
    let server = Server::start(Host::Serves(b"The bytes of a release")).await;
    let told = place.miss(server.address()).await.to_string();
    assert!(told.contains(&Digest::of(b"The bytes of a release").to_string()), "{told}");
}

/// The waits between tries belong to the span too.
#[tokio::test]
async fn no_try_begins_that_the_span_would_not_see() {
    let server = Server::start(Host::Status(500)).await;
    for (retry_ms, asked) in [(1, 2), (60_000, 1)] {
        let bounds = Bounds { retry_wait: Duration::from_millis(retry_ms), ..BOUNDS };
        let (place, before) = (Place::new(), server.asked());
        let want =
            Want { digest: Digest::of(BODY), bytes: BODY.len() as u64, addresses: &[server.address()] };
        let error = Fetcher::new(bounds).unwrap().fetch(&place.store, want, &|_, _| ()).await.unwrap_err();
        assert!(error.to_string().contains("the host answered 500"), "{error}");
        assert_eq!(server.asked() - before, asked, "{retry_ms} ms");
    }
}

/// A host that is never silent and never done costs one window, and the next address has its turn.
#[tokio::test]
async fn a_host_that_drips_is_left_for_the_next_address() {
    let place = Place::new();
    let (drips, good) = (Server::start(Host::Trickles).await, Server::start(Host::Serves(BODY)).await);
    // A byte each 150 ms, where ten are wanted in each half second.
    let bounds = Bounds {
        bytes_per_second_min: 20,
        rate_window: Duration::from_millis(500),
        total: Duration::from_secs(20),
        ..BOUNDS
    };
    let fetcher = Fetcher::new(bounds).unwrap();
    let addresses = [drips.address(), good.address()];
    let want = |addresses| Want { digest: Digest::of(BODY), bytes: BODY.len() as u64, addresses };
    let error = fetcher.fetch(&place.store, want(&addresses[..1]), &|_, _| ()).await.unwrap_err();
    let FetchError::Missed { missed, .. } = error else { panic!("{error}") };
    assert!(
        matches!(missed[0].miss, Miss::Drips { received: 1..=20, bytes_per_second_min: 20, .. }),
        "{missed:?}"
    );
    assert_eq!(drips.asked(), 1, "it is not asked again");
    fetcher.fetch(&place.store, want(&addresses), &|_, _| ()).await.unwrap();
    assert_eq!((drips.asked(), good.asked()), (2, 1));
    // The same host is fast enough for who asks for less.
    let patient = Bounds { bytes_per_second_min: 2, total: Duration::from_millis(1_200), ..bounds };
    let place = Place::new();
    let error = Fetcher::new(patient).unwrap().fetch(&place.store, want(&addresses[..1]), &|_, _| ()).await;
    let Err(FetchError::Missed { missed, .. }) = error else { panic!("{error:?}") };
    assert!(matches!(missed[0].miss, Miss::Slow { .. }), "{missed:?}");
}
