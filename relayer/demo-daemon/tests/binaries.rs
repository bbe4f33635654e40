//! The four binaries as an agent sees them: as processes on loopback.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by a panic")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

const BINARIES: [(&str, &str); 4] = [
    (env!("CARGO_BIN_EXE_demo-daemon-v1"), "1.0.0"),
    (env!("CARGO_BIN_EXE_demo-daemon-v2"), "2.0.0"),
    (env!("CARGO_BIN_EXE_demo-daemon-v3"), "3.0.0"),
    (env!("CARGO_BIN_EXE_demo-daemon-v4"), "4.0.0"),
];
const PATIENCE: Duration = Duration::from_secs(20);

struct Running {
    child: Child,
    address: SocketAddr,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    fn start(binary: &str, address: SocketAddr) -> Self {
        let child = Command::new(binary)
            .args(["--listen", &address.to_string()])
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let running = Self { child, address };
        await_true(|| ask(address, "/health").is_some_and(|answer| answer.starts_with("HTTP/1.1 200")));
        running
    }

    fn terminate(&mut self) -> (ExitStatus, Duration) {
        let pid = rustix::process::Pid::from_child(&self.child);
        let told = Instant::now();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let mut status = None;
        await_true(|| {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        (status.unwrap(), told.elapsed())
    }
}

fn await_true(mut level: impl FnMut() -> bool) {
    let start = Instant::now();
    while !level() {
        assert!(start.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn ask(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: demo\r\nconnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

#[test]
fn each_binary_says_its_own_version_and_differs_from_the_others() {
    let mut contents = Vec::new();
    for (binary, version) in BINARIES {
        let output = Command::new(binary).arg("--version").output().unwrap();
        assert!(output.status.success());
        assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("demo-daemon {version}\n"));
        let refused = Command::new(binary).stderr(Stdio::null()).status().unwrap();
        assert_eq!(refused.code(), Some(2), "{version} without --listen");
        contents.push(std::fs::read(binary).unwrap());
    }
    for (index, content) in contents.iter().enumerate() {
        assert!(!contents[index + 1..].contains(content), "binary {index} has a twin");
    }
}

#[test]
fn each_binary_serves_counts_and_ends_at_once_on_sigterm() {
    for (binary, version) in BINARIES {
        let address = free_address();
        let mut running = Running::start(binary, address);
        // A client that keeps its connection open must not hold up the end.
        let mut idle = TcpStream::connect(address).unwrap();
        write!(idle, "GET / HTTP/1.1\r\nhost: demo\r\n\r\n").unwrap();
        idle.read_exact(&mut [0; 16]).unwrap();
        let answer = ask(running.address, "/").unwrap();
        let body: serde_json::Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        assert_eq!(body["version"], version);
        assert_eq!(body["pid"], running.child.id());
        assert_eq!(body["requests"], 2);
        assert!(ask(address, "/other").unwrap().starts_with("HTTP/1.1 404"));
        let (status, took) = running.terminate();
        assert_eq!(status.code(), Some(0), "{version}");
        assert!(took < Duration::from_secs(2), "{version} took {took:?}");
        // The next release takes the port although connections of this one are still closing.
        drop(Running::start(binary, address));
    }
}

#[test]
fn only_the_third_turns_unhealthy() {
    let fleet = BINARIES.map(|(binary, _)| Running::start(binary, free_address()));
    let health = |at: usize| ask(fleet[at].address, "/health").unwrap();
    await_true(|| health(2).starts_with("HTTP/1.1 503"));
    for at in [0, 1, 3] {
        assert!(health(at).starts_with("HTTP/1.1 200"), "v{}", at + 1);
    }
    assert!(ask(fleet[2].address, "/").unwrap().starts_with("HTTP/1.1 200"), "it still serves");
}

#[test]
fn a_taken_port_is_a_clear_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let output = Command::new(BINARIES[0].0).args(["--listen", &address.to_string()]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("cannot serve on") && text.contains("--listen"), "{text}");
}
