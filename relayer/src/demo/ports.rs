//! Ports that no connection of this host takes by itself: below the range from which the system picks.
//!
//! A daemon's port is free for a moment in every switch. Were it in that range, a client's own end of a connection could
//! get it, and the new release could not listen.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

use rand::Rng as _;

use super::error::DemoError;

/// Ports are looked for from here on.
const LOWEST: u16 = 10_000;
/// Where the system's own range begins if it does not say so.
const USUAL: u16 = 32_768;
/// How many ports are looked at.
const LOOKS_MAX: usize = 2_000;

/// So many free ports of loopback.
///
/// # Errors
/// [`DemoError::Ports`].
pub(crate) fn free(count: usize) -> Result<Vec<u16>, DemoError> {
    let range = range(&std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default());
    let span = range.end - range.start;
    // Two demos on one host should not look at the same ports at the same time.
    let first = rand::thread_rng().gen_range(0..span);
    let looked = (0..span)
        .map(|step| range.start + (u32::from(first) + u32::from(step)).rem_euclid(u32::from(span)) as u16);
    // All are held until the last one is found, so that none is found twice.
    let held: Vec<(u16, TcpListener)> = looked
        .take(LOOKS_MAX)
        .filter_map(|port| Some((port, TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?)))
        .take(count)
        .collect();
    if held.len() < count {
        let (from, to) = (range.start, range.end);
        return Err(DemoError::Ports { expected: count, found: held.len(), from, to });
    }
    Ok(held.into_iter().map(|(port, _)| port).collect())
}

/// The ports below the range that the system names.
fn range(text: &str) -> Range<u16> {
    let lowest =
        text.split_ascii_whitespace().next().and_then(|word| word.parse::<u16>().ok()).unwrap_or(USUAL);
    // A host that gives nearly all ports away leaves the best of a bad choice.
    LOWEST..if lowest > LOWEST + 1_000 { lowest } else { USUAL }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_lie_below_the_systems_own_range() {
        for (text, expected) in [
            ("32768\t60999\n", 10_000..32_768),
            ("20000 30000", 10_000..20_000),
            ("1024 65535", 10_000..32_768),
            ("", 10_000..32_768),
        ] {
            assert_eq!(range(text), expected, "{text:?}");
        }
    }

    #[test]
    fn each_port_is_free_and_given_once() {
        let mut ports = free(12).unwrap();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 12);
        for port in ports {
            assert!(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok(), "{port}");
        }
    }
}
