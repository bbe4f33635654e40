//! How records lie in a segment, and how a torn tail is told from damage.
//!
//! A segment is a header, then records:
//!
//! ```text
//! header  magic [8] | layout u32 | segment u32 | first seq u64 | crc32c u32           28 bytes
//! record  len u32 | crc32c u32 | seq u64 | payload [len]                              16 + len bytes
//! ```
//!
//! All numbers are little-endian; the checksum of a record covers its length, its number and its payload. The header is
//! published by a rename with everything behind it, so it is never torn.

/// The layout that this program reads and writes.
pub const LAYOUT: u32 = 1;
pub(super) const HEADER_BYTES: usize = 28;
pub(super) const FRAME_BYTES: usize = 16;
const MAGIC: [u8; 8] = *b"CONCJRNL";

/// The first bytes of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) layout: u32,
    pub(super) segment: u32,
    pub(super) first_seq: u64,
}

impl Header {
    pub(super) fn encode(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&self.layout.to_le_bytes());
        bytes.extend_from_slice(&self.segment.to_le_bytes());
        bytes.extend_from_slice(&self.first_seq.to_le_bytes());
        let crc = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (covered, rest) = bytes.split_at_checked(HEADER_BYTES - 4)?;
        let (crc, _) = take_u32(rest)?;
        let (magic, rest) = covered.split_at_checked(MAGIC.len())?;
        let (layout, rest) = take_u32(rest)?;
        let (segment, rest) = take_u32(rest)?;
        let (first_seq, _) = take_u64(rest)?;
        (magic == MAGIC && crc == crc32c::crc32c(covered)).then_some(Self { layout, segment, first_seq })
    }
}

fn take_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*number), rest))
}

fn take_u64(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_le_bytes(*number), rest))
}

fn checksum(len: u32, seq: u64, payload: &[u8]) -> u32 {
    let crc = crc32c::crc32c(&len.to_le_bytes());
    let crc = crc32c::crc32c_append(crc, &seq.to_le_bytes());
    crc32c::crc32c_append(crc, payload)
}

/// Appends one record to `bytes`. The caller has checked that the payload's length fits.
pub(super) fn encode(bytes: &mut Vec<u8>, seq: u64, len: u32, payload: &[u8]) {
    bytes.extend_from_slice(&len.to_le_bytes());
    bytes.extend_from_slice(&checksum(len, seq, payload).to_le_bytes());
    bytes.extend_from_slice(&seq.to_le_bytes());
    bytes.extend_from_slice(payload);
}

/// One whole record.
struct Frame<'a> {
    seq: u64,
    payload: &'a [u8],
    rest: &'a [u8],
}

/// Reads the record at the start of `bytes`, if a whole one with the right checksum is there.
fn decode(bytes: &[u8], payload_bytes_max: u32) -> Option<Frame<'_>> {
    let (len, rest) = take_u32(bytes)?;
    // No JSON text is empty, so zeros that a crash left behind are never a record.
    if len == 0 || len > payload_bytes_max {
        return None;
    }
    let (crc, rest) = take_u32(rest)?;
    let (seq, rest) = take_u64(rest)?;
    let (payload, rest) = rest.split_at_checked(usize::try_from(len).ok()?)?;
    (crc == checksum(len, seq, payload)).then_some(Frame { seq, payload, rest })
}

/// What stands behind the last whole record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// Nothing.
    Clean,
    /// The beginning of one record whose append never returned.
    Torn { offset: u64, bytes: u64 },
    /// Something that no crash of an append leaves: a record in the middle is bad, or too much is unreadable.
    Damaged { offset: u64, seq: u64 },
}

/// Reads every record of a segment's body (the bytes behind its header).
pub(super) fn scan(body: &[u8], first_seq: u64, payload_bytes_max: u32) -> (Vec<(u64, &[u8])>, Tail) {
    let mut records = Vec::new();
    let mut rest = body;
    let mut seq = first_seq;
    while !rest.is_empty() {
        match decode(rest, payload_bytes_max) {
            Some(frame) if frame.seq == seq => {
                records.push((seq, frame.payload));
                rest = frame.rest;
                seq = seq.saturating_add(1);
            }
            // A whole record with another number was put there by something else than this journal.
            Some(_) => {
                let offset = offset_of(body, rest);
                return (records, Tail::Damaged { offset, seq });
            }
            None => return (records, judge(body, rest, seq, payload_bytes_max)),
        }
    }
    (records, Tail::Clean)
}

/// Every append is on the disk before the next one starts, so at most one record can be torn and nothing whole can stand
/// behind it. A tail that breaks either rule was damaged after it was written.
fn judge(body: &[u8], rest: &[u8], seq: u64, payload_bytes_max: u32) -> Tail {
    let offset = offset_of(body, rest);
    let torn_max = FRAME_BYTES as u64 + u64::from(payload_bytes_max);
    let bytes = rest.len() as u64;
    let damaged = bytes > torn_max || holds_record(rest, seq, payload_bytes_max);
    if damaged { Tail::Damaged { offset, seq } } else { Tail::Torn { offset, bytes } }
}

fn offset_of(body: &[u8], rest: &[u8]) -> u64 {
    (HEADER_BYTES + body.len() - rest.len()) as u64
}

fn holds_record(rest: &[u8], seq: u64, payload_bytes_max: u32) -> bool {
    let mut bytes = rest;
    while bytes.len() > FRAME_BYTES {
        if decode(bytes, payload_bytes_max).is_some_and(|frame| frame.seq >= seq) {
            return true;
        }
        bytes = bytes.get(1..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_round_trips_and_any_changed_bit_is_noticed() {
        let header = Header { layout: LAYOUT, segment: 7, first_seq: 41 };
        let bytes = header.encode();
        assert_eq!(bytes.len(), HEADER_BYTES);
        assert_eq!(Header::decode(&bytes), Some(header));
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            assert_eq!(Header::decode(&bad), None, "byte {at}");
            assert_eq!(Header::decode(&bytes[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn the_layout_of_a_record_is_pinned() {
        let mut bytes = Vec::new();
        encode(&mut bytes, 3, 2, b"{}");
        assert_eq!(
            hex::encode(&bytes),
            format!("02000000{}03000000000000007b7d", &hex::encode(&bytes)[8..16])
        );
        assert_eq!(crc32c::crc32c(b"123456789"), 0xe306_9283, "the Castagnoli polynomial");
    }
}
