//! The log: every state change is one entry, chained by hash (LOG-1). The contract stores the head; the entries
//! themselves are in its events. Each names the height of the one before, so a reader walks back from the head
//! without searching.

use serde::{Deserialize, Serialize};

use crate::digest::{Canonical, Digest};

/// Stored facts: the newest entry's place and hash. Written with every change, so in JSON it is a list without
/// names: `[v, seq, hash, height]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u8, u64, Digest, u64)", into = "(u8, u64, Digest, u64)")]
pub struct Head {
    /// Version of these facts.
    pub v: u8,
    /// Number of the newest entry, from 1; 0 for an empty log.
    pub seq: u64,
    /// Its hash; zeros for an empty log.
    pub hash: Digest,
    /// Height of the block that holds it.
    pub height: u64,
}

impl schemars::JsonSchema for Head {
    fn schema_name() -> String {
        "Head".to_owned()
    }

    fn json_schema(generator: &mut schemars::r#gen::SchemaGenerator) -> schemars::schema::Schema {
        let mut schema = <(u8, u64, Digest, u64)>::json_schema(generator).into_object();
        schema.metadata().description = Some(
            "The newest entry's place and hash: version of these facts, number (0 for an empty log), hash, height."
                .to_owned(),
        );
        schema.into()
    }
}

impl From<(u8, u64, Digest, u64)> for Head {
    fn from((v, seq, hash, height): (u8, u64, Digest, u64)) -> Self {
        Self { v, seq, hash, height }
    }
}

impl From<Head> for (u8, u64, Digest, u64) {
    fn from(head: Head) -> Self {
        (head.v, head.seq, head.hash, head.height)
    }
}

/// One state change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Entry {
    /// Number, from 1.
    pub seq: u64,
    /// Hash of the entry before.
    pub prev: Digest,
    /// Height of the entry before.
    pub prev_height: u64,
    /// Height of this one.
    pub height: u64,
    /// Its block's time in seconds.
    pub time: u64,
    /// Whose message it was.
    pub who: String,
    /// The kind of event.
    pub kind: String,
    /// The event's fields in their order: why, and what changed.
    pub fields: Vec<(String, String)>,
}

impl Entry {
    /// The chained hash: previous hash, then every field behind its length.
    #[must_use]
    pub fn hash(&self) -> Digest {
        Canonical::new("concord/log/1")
            .bytes(&self.prev.0)
            .number(self.prev_height)
            .number(self.seq)
            .number(self.height)
            .number(self.time)
            .text(&self.who)
            .text(&self.kind)
            .list(&self.fields, |canonical, (key, value)| canonical.text(key).text(value))
            .digest()
    }
}

impl Head {
    /// The entry that follows this head.
    #[must_use]
    pub fn entry(
        &self,
        height: u64,
        time: u64,
        who: &str,
        kind: &str,
        fields: Vec<(String, String)>,
    ) -> Entry {
        Entry {
            seq: self.seq.saturating_add(1),
            prev: self.hash,
            prev_height: self.height,
            height,
            time,
            who: who.to_owned(),
            kind: kind.to_owned(),
            fields,
        }
    }

    /// The head after an entry.
    #[must_use]
    pub fn after(entry: &Entry) -> Self {
        Self { v: 1, seq: entry.seq, hash: entry.hash(), height: entry.height }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_is_a_list_without_names() {
        let head = Head { v: 1, seq: 4, hash: Digest::of(b"before"), height: 9 };
        let text = format!("[1,4,\"{}\",9]", head.hash);
        assert_eq!(serde_json::to_string(&head).unwrap(), text);
        assert_eq!(serde_json::from_str::<Head>(&text).unwrap(), head);
    }

    #[test]
    fn every_field_is_in_the_hash() {
        let head = Head { v: 1, seq: 4, hash: Digest::of(b"before"), height: 9 };
        let entry = head.entry(10, 100, "who", "kind", vec![("a".into(), "b".into())]);
        let hash = entry.hash();
        let changed = [
            Entry { seq: 6, ..entry.clone() },
            Entry { prev: Digest::of(b"else"), ..entry.clone() },
            Entry { prev_height: 8, ..entry.clone() },
            Entry { height: 11, ..entry.clone() },
            Entry { time: 101, ..entry.clone() },
            Entry { who: "whok".into(), kind: "ind".into(), ..entry.clone() },
            Entry { fields: vec![("ab".into(), String::new())], ..entry.clone() },
            Entry { fields: vec![], ..entry.clone() },
        ];
        for other in changed {
            assert_ne!(other.hash(), hash, "{other:?}");
        }
        assert_eq!(Head::after(&entry), Head { v: 1, seq: 5, hash, height: 10 });
    }
}
