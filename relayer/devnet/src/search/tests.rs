use super::*;

fn parsed(text: &str) -> Search {
    Search::parse(text).unwrap()
}

#[test]
fn conditions_are_joined_by_and() {
    let search = parsed("tm.event='Tx' AND tx.height>=5 AND wasm-a.k CONTAINS 'x y' AND b.c EXISTS");
    let keys: Vec<&str> = search.conditions.iter().map(|c| c.key.as_str()).collect();
    assert_eq!(keys, ["tm.event", "tx.height", "wasm-a.k", "b.c"]);
    assert_eq!(search.equal("tm.event"), Some("Tx"));
    assert_eq!(search.conditions[2].value, "x y");
}

#[test]
fn malformed_queries_are_refused() {
    for text in ["", "a", "a=", "a='x", "a='x' OR b='y'", "a!=1", "='x'", "a=1 AND"] {
        assert!(Search::parse(text).is_err(), "{text:?}");
    }
    let long = format!("a='{}'", "x".repeat(508));
    assert!(Search::parse(&long).is_ok());
    assert_eq!(Search::parse(&format!("{long} ")), Err(SearchError::Long { found: 513 }));
}

#[test]
fn ranges_have_both_edges() {
    let cases = [
        ("tx.height=5", 5..=5),
        ("tx.height>5", 6..=9),
        ("tx.height>=5", 5..=9),
        ("tx.height<5", 1..=4),
        ("tx.height<=5", 1..=5),
        ("tx.height>2 AND tx.height<=4", 3..=4),
        ("tx.height EXISTS", 1..=9),
        ("other=5", 1..=9),
    ];
    for (text, expected) in cases {
        assert_eq!(parsed(text).narrow("tx.height", 1..=9), expected, "{text}");
    }
    assert!(parsed("tx.height='x'").narrow("tx.height", 1..=9).is_empty());
    assert!(parsed("tx.height<1").narrow("tx.height", 1..=9).is_empty());
}

#[test]
fn the_indexer_keeps_to_one_event_and_subscribe_does_not() {
    let events = [
        Event::new("wasm").add_attribute("a", "1").add_attribute("b", "1"),
        Event::new("wasm").add_attribute("a", "2").add_attribute("b", "2"),
    ];
    let cases = [
        ("wasm.a='1' AND wasm.b='1'", true, true),
        ("wasm.a='1' AND wasm.b='2'", false, true),
        ("wasm.a>1", true, true),
        ("wasm.a>2", false, false),
        ("wasm.c EXISTS", false, false),
        ("other.a='1'", false, false),
        ("tx.height=7 AND wasm.a='2'", true, true),
    ];
    for (text, indexed, flat) in cases {
        let search = parsed(text);
        assert_eq!(search.matches_events(&events, &["tx.height"]), indexed, "{text}");
        assert_eq!(search.matches_flat(&events, &["tx.height"]), flat, "{text}");
    }
}
