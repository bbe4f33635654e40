//! One request on a connection of its own, as a client would make it that never answers from memory.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// No answer is longer than this.
const ANSWER_BYTES_MAX: u64 = 64 << 10;

/// The body of an answer with code 200, within `timeout`.
///
/// # Errors
/// No connection, no answer in time, another code, or a body that is not of the expected form.
pub(crate) async fn get<T: for<'de> Deserialize<'de>>(
    address: SocketAddr,
    path: &str,
    timeout: Duration,
) -> io::Result<T> {
    let asked = tokio::time::timeout(timeout, ask(address, path));
    let answer = asked.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    let split = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, body) = split.and_then(|at| answer.split_at_checked(at)).unwrap_or((&answer, &[]));
    if !head.starts_with(b"HTTP/1.1 200 ") {
        let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
        return Err(io::Error::other(String::from_utf8_lossy(line).into_owned()));
    }
    Ok(serde_json::from_slice(body.trim_ascii())?)
}

async fn ask(address: SocketAddr, path: &str) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::with_capacity(512);
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    async fn answer(text: &'static str) -> io::Result<serde_json::Value> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let serve = async {
            let (mut stream, _) = listener.accept().await?;
            stream.read_buf(&mut Vec::with_capacity(1024)).await?;
            stream.write_all(text.as_bytes()).await?;
            stream.shutdown().await
        };
        let (answer, served) = tokio::join!(get(address, "/", Duration::from_secs(10)), serve);
        served?;
        answer
    }

    #[tokio::test]
    async fn only_a_whole_json_body_behind_code_200_is_an_answer() {
        let good = answer("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n{\"a\":1}").await.unwrap();
        assert_eq!(good["a"], 1);
        for bad in [
            "HTTP/1.1 503 Service Unavailable\r\n\r\n{\"a\":1}",
            "HTTP/1.1 200 OK\r\n\r\n{\"a\":",
            "HTTP/1.1 200 OK\r\n",
            "",
        ] {
            assert!(answer(bad).await.is_err(), "{bad:?}");
        }
    }

    #[tokio::test]
    async fn nobody_there_and_nobody_who_answers_are_errors() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let late = get::<serde_json::Value>(address, "/", Duration::from_millis(20)).await;
        assert_eq!(late.unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(listener);
        assert!(get::<serde_json::Value>(address, "/", Duration::from_secs(10)).await.is_err());
    }
}
