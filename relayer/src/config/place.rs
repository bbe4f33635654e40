//! The line of a key in a TOML text, for error messages.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A TOML value of which only the places of its keys are kept.
enum Node {
    Leaf,
    List(Vec<Node>),
    Table(Vec<(toml::Spanned<String>, Node)>),
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a TOML value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_str<E>(self, _: &str) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut table = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            table.push(entry);
        }
        Ok(Node::Table(table))
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

/// The line, from 1, of the longest part of a dotted key that stands in the text; `None` where nothing of it does.
pub(super) fn line(text: &str, key: &str) -> Option<usize> {
    let mut node: Node = toml::from_str(text).ok()?;
    let mut offset = None;
    for part in key.split('.') {
        let next = match node {
            Node::Table(entries) => {
                entries.into_iter().find(|(name, _)| name.as_ref() == part).map(|(name, inner)| {
                    offset = Some(name.span().start);
                    inner
                })
            }
            Node::List(items) => part.parse().ok().and_then(|index: usize| items.into_iter().nth(index)),
            Node::Leaf => None,
        };
        match next {
            Some(inner) => node = inner,
            None => break,
        }
    }
    let before = text.get(..offset?)?;
    Some(before.matches('\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_key_wherever_it_stands() {
        let text = "\
# a comment
[chain]
rpc = [
  \"http://a\",
]
chain_id = \"c\"

[daemon.env]
A = \"1\"

[[health.required]]
kind = \"tcp\"
[[health.required]]
kind = \"http\"
url = \"x\"
";
        for (key, expected) in [
            ("chain", Some(2)),
            ("chain.rpc", Some(3)),
            ("chain.chain_id", Some(6)),
            ("chain.absent", Some(2)),
            ("daemon.env.A", Some(9)),
            ("health.required.0.kind", Some(12)),
            ("health.required.1.url", Some(15)),
            ("absent", None),
        ] {
            assert_eq!(line(text, key), expected, "{key}");
        }
    }
}
