use super::*;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn is_fail(answer: &Answer, text: &str) -> bool {
    matches!(answer, Answer::Fail { why } if why.contains(text))
}

fn is_unknown(answer: &Answer, text: &str) -> bool {
    matches!(answer, Answer::Unknown { why } if why.contains(text))
}

/// Answers every request with the same bytes; with none it stays silent.
async fn host(reply: &'static str) -> (SocketAddr, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut request = [0; 2048];
                drop(stream.read(&mut request).await);
                if reply.is_empty() {
                    std::future::pending::<()>().await;
                }
                drop(stream.write_all(reply.as_bytes()).await);
                drop(stream.shutdown().await);
            });
        }
    });
    (address, task)
}

/// A port of this host that nobody listens on.
async fn closed() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

fn http(address: SocketAddr, status: (u16, u16), body_bytes_max: u64) -> Probe {
    Probe::Http { url: format!("http://{address}/health"), status, body_bytes_max, timeout_ms: 500 }
}

fn command(script: &str, timeout_ms: u64) -> Probe {
    Probe::Command { argv: vec!["/bin/sh".into(), "-c".into(), script.into()], timeout_ms }
}

async fn ask(probe: &Probe) -> Answer {
    Prober::new().unwrap().ask(probe, None, &Progress::default()).await
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello";

#[tokio::test]
async fn http_passes_by_status_and_length_at_both_edges() {
    let (address, task) = host(OK).await;
    for (status, bytes, pass) in [
        ((200, 200), 5, true),
        ((200, 299), 5, true),
        ((199, 200), 5, true),
        ((201, 299), 5, false),
        ((100, 199), 5, false),
        ((200, 299), 4, false),
    ] {
        let answer = ask(&http(address, status, bytes)).await;
        assert_eq!(answer == Answer::Pass, pass, "{status:?} {bytes}: {answer:?}");
        assert!(pass || matches!(answer, Answer::Fail { .. }));
    }
    task.abort();
}

#[tokio::test]
async fn http_fails_when_refused_silent_cut_or_redirected() {
    assert!(matches!(ask(&http(closed().await, (200, 299), 10)).await, Answer::Fail { .. }));
    for (reply, text) in [
        ("", "no answer within 500 ms"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe", "broke off"),
        ("HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n", "status 302"),
        ("nonsense\r\n\r\n", "request failed"),
    ] {
        let (address, task) = host(reply).await;
        let answer = ask(&http(address, (200, 299), 10)).await;
        assert!(is_fail(&answer, text), "{reply:?}: {answer:?}");
        task.abort();
    }
}

#[tokio::test]
async fn tcp_passes_where_somebody_listens() {
    let (address, task) = host(OK).await;
    let tcp = |address| Probe::Tcp { address, timeout_ms: 500 };
    assert_eq!(ask(&tcp(address)).await, Answer::Pass);
    assert!(is_fail(&ask(&tcp(closed().await)).await, "could not connect"));
    task.abort();
}

#[tokio::test]
async fn a_command_passes_with_zero_only() {
    assert_eq!(ask(&command("exit 0", 5000)).await, Answer::Pass);
    for script in ["exit 1", "exit 30", "exit 31", "exit 255", "kill -9 $$"] {
        assert!(is_fail(&ask(&command(script, 5000)).await, "ended with"), "{script}");
    }
    let missing = Probe::Command { argv: vec!["/nowhere/check".into()], timeout_ms: 500 };
    assert!(is_unknown(&ask(&missing).await, "could not be started"));
}

#[tokio::test]
async fn a_command_is_killed_with_all_it_started_when_late_and_also_when_done() {
    let folder = tempfile::tempdir().unwrap();
    let pid_file = folder.path().join("pid");
    let script = |end: &str| {
        format!(
            "sh -c 'echo $$ > {0}.new; mv {0}.new {0}; exec sleep 100' & while ! [ -e {0} ]; do sleep 0.01; done; {end}",
            pid_file.display()
        )
    };
    for (end, pass) in [("trap '' TERM; sleep 100", false), ("exit 0", true)] {
        let start = Instant::now();
        let answer = ask(&command(&script(end), 2000)).await;
        assert_eq!(answer == Answer::Pass, pass, "{answer:?}");
        assert!(start.elapsed() < Duration::from_secs(20));
        let pid: i32 = std::fs::read_to_string(&pid_file).unwrap().trim().parse().unwrap();
        let start = Instant::now();
        // Its new parent reaps it; until then it may be a zombie, which is dead enough.
        while std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z")) {
            assert!(start.elapsed() < Duration::from_secs(10), "{pid} is alive");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        std::fs::remove_file(&pid_file).unwrap();
    }
}

#[tokio::test]
async fn no_daemon_is_no_healthy_daemon() {
    assert!(is_fail(&ask(&Probe::Process {}).await, "no daemon"));
}

#[test]
fn checks_are_read_strictly() {
    let good = [
        r#"{"name":"up","need":"required","probe":{"kind":"process"}}"#,
        r#"{"name":"web","need":"wanted","probe":{"kind":"http","url":"http://127.0.0.1:80/","body_bytes_max":10,"timeout_ms":20}}"#,
        r#"{"name":"port","need":"required","probe":{"kind":"tcp","address":"127.0.0.1:80","timeout_ms":20}}"#,
        r#"{"name":"cmd","need":"required","probe":{"kind":"command","argv":["/bin/true"],"timeout_ms":20}}"#,
    ];
    for text in good {
        let check: Check = serde_json::from_str(text).unwrap();
        assert_eq!(check.validate(), Ok(()), "{text}");
    }
    let http: Check = serde_json::from_str(good[1]).unwrap();
    assert!(matches!(http.probe, Probe::Http { status: (200, 299), .. }));
    for text in [
        r#"{"name":"up","need":"needed","probe":{"kind":"process"}}"#,
        r#"{"name":"up","need":"required","probe":{"kind":"process","pid":1}}"#,
        r#"{"name":"up","need":"required","weight":1,"probe":{"kind":"process"}}"#,
        r#"{"name":"up","need":"required","probe":{"kind":"grpc"}}"#,
        r#"{"name":"port","need":"required","probe":{"kind":"tcp","address":"127.0.0.1:80"}}"#,
    ] {
        assert!(serde_json::from_str::<Check>(text).is_err(), "{text}");
    }
}

#[test]
fn unusable_checks_are_found_before_they_are_asked() {
    let check = |name: &str, probe| Check { name: name.into(), need: Need::Required, probe };
    let http = |url: &str, status, body_bytes_max, timeout_ms| Probe::Http {
        url: url.into(),
        status,
        body_bytes_max,
        timeout_ms,
    };
    let argv = |argv: &[&str]| Probe::Command {
        argv: argv.iter().map(|text| (*text).to_owned()).collect(),
        timeout_ms: 1,
    };
    let web = "http://127.0.0.1/";
    let table = [
        (check("x", Probe::Process {}), true),
        (check(&"x".repeat(64), Probe::Process {}), true),
        (check(&"x".repeat(65), Probe::Process {}), false),
        (check("", Probe::Process {}), false),
        (check("x", http(web, (100, 599), BODY_BYTES_MAX, TIMEOUT_MS_MAX)), true),
        (check("x", http(web, (99, 599), 1, 1)), false),
        (check("x", http(web, (100, 600), 1, 1)), false),
        (check("x", http(web, (201, 200), 1, 1)), false),
        (check("x", http(web, (200, 200), BODY_BYTES_MAX + 1, 1)), false),
        (check("x", http(web, (200, 200), 1, 0)), false),
        (check("x", http(web, (200, 200), 1, TIMEOUT_MS_MAX + 1)), false),
        (check("x", http("file:///x", (200, 200), 1, 1)), false),
        (check("x", http("http://u:p@127.0.0.1/", (200, 200), 1, 1)), false),
        (check("x", http("nothing", (200, 200), 1, 1)), false),
        (check("x", argv(&["/bin/true"])), true),
        (check("x", argv(&["true"])), false),
        (check("x", argv(&[])), false),
        (check("x", argv(&["/x"; ARGUMENTS_MAX])), true),
        (check("x", argv(&["/x"; ARGUMENTS_MAX + 1])), false),
    ];
    for (check, fine) in table {
        assert_eq!(check.validate().is_ok(), fine, "{check:?}");
    }
}

#[test]
fn errors_of_this_host_are_told_from_those_of_the_daemon() {
    use rustix::io::Errno;
    for (errno, own) in [
        (Errno::MFILE, true),
        (Errno::NFILE, true),
        (Errno::ADDRNOTAVAIL, true),
        (Errno::CONNREFUSED, false),
        (Errno::CONNRESET, false),
        (Errno::TIMEDOUT, false),
        (Errno::NETUNREACH, false),
    ] {
        assert_eq!(is_own_fault(&errno.into()), own, "{errno:?}");
    }
}

/// The same test once more, in an environment whose proxy is a dead port.
#[test]
fn a_proxy_of_the_environment_is_not_asked_about_a_neighbour() {
    let again = "act::probe::tests::http_passes_by_status_and_length_at_both_edges";
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", again])
        .env("HTTP_PROXY", "http://127.0.0.1:1")
        .env("http_proxy", "http://127.0.0.1:1")
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}
