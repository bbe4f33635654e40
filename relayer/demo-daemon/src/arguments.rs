//! The command line, read by hand: a daemon that starts in milliseconds has no room for more.

use std::fmt;
use std::net::SocketAddr;

/// How it is called.
pub(crate) const USAGE: &str = "usage: demo-daemon --listen 127.0.0.1:PORT | --version | --help";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Serve here.
    Serve {
        /// Where to listen.
        listen: SocketAddr,
    },
    /// Say which release this is.
    Version,
    /// Say how it is called.
    Help,
}

/// Why the command line is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// `--listen` is missing.
    NoListen,
    /// `--listen` is followed by something else than a loopback address.
    Listen { found: String },
    /// An argument that is not known.
    Unknown { found: String },
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoListen => write!(f, "expected --listen 127.0.0.1:PORT, found nothing"),
            Self::Listen { found } => {
                write!(f, "expected a loopback address and port after --listen, found {found:?}")
            }
            Self::Unknown { found } => write!(f, "unknown argument {found:?}"),
        }
    }
}

/// Reads the arguments behind the program's name.
pub(crate) fn read(mut arguments: impl Iterator<Item = String>) -> Result<Request, Refused> {
    let mut listen = None;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--version" | "-V" => return Ok(Request::Version),
            "--help" | "-h" => return Ok(Request::Help),
            "--listen" => {
                let found = arguments.next().unwrap_or_default();
                let address = found.parse::<SocketAddr>().ok();
                // It has no access control, so it is never offered to a network.
                listen = address.filter(|address| address.ip().is_loopback());
                if listen.is_none() {
                    return Err(Refused::Listen { found });
                }
            }
            _ => return Err(Refused::Unknown { found: argument }),
        }
    }
    listen.map_or(Err(Refused::NoListen), |listen| Ok(Request::Serve { listen }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_loopback_address_is_served() {
        let listen = "127.0.0.1:7000".parse().unwrap();
        let refused = |found: &str| Err(Refused::Listen { found: found.to_owned() });
        for (line, answer) in [
            ("--listen 127.0.0.1:7000", Ok(Request::Serve { listen })),
            ("--version", Ok(Request::Version)),
            ("--listen 127.0.0.1:7000 --version", Ok(Request::Version)),
            ("-h", Ok(Request::Help)),
            ("", Err(Refused::NoListen)),
            ("--listen", refused("")),
            ("--listen 0.0.0.0:7000", refused("0.0.0.0:7000")),
            ("--listen 127.0.0.1", refused("127.0.0.1")),
            ("--listen 127.0.0.1:65536", refused("127.0.0.1:65536")),
            ("--port 7000", Err(Refused::Unknown { found: "--port".to_owned() })),
        ] {
            assert_eq!(read(line.split_whitespace().map(str::to_owned)), answer, "{line}");
        }
    }
}
