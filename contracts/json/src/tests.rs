use super::*;

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
struct Leaf {
    number: u64,
    text: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
struct Wrapped(Leaf);

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Message {
    Bare,
    Empty {},
    Fields { leaf: Leaf, pair: (u8, Leaf), list: Vec<Leaf> },
    Whole(Leaf),
    Boxed(Box<Wrapped>),
    Pair(u8, Leaf),
}

fn read(json: &str) -> Result<Message, serde_json::Error> {
    serde_json::from_str::<Json<Message>>(json).map(|message| message.0)
}

const LEAF: &str = r#"{"number":7,"text":"a\"b"}"#;

#[test]
fn what_is_written_is_read_in_every_shape() {
    let leaf = || Leaf { number: 7, text: Some("a\"b".to_owned()) };
    for message in [
        Message::Bare,
        Message::Empty {},
        Message::Fields {
            leaf: leaf(),
            pair: (1, leaf()),
            list: vec![leaf(), Leaf { number: 0, text: None }],
        },
        Message::Fields { leaf: leaf(), pair: (0, leaf()), list: Vec::new() },
        Message::Whole(leaf()),
        Message::Boxed(Box::new(Wrapped(leaf()))),
        Message::Pair(3, leaf()),
    ] {
        let json = serde_json::to_string(&Json(message.clone())).unwrap();
        assert_eq!(json, serde_json::to_string(&message).unwrap());
        assert_eq!(read(&json).unwrap(), message, "{json}");
        assert_eq!(read(&json.replace(':', " : ").replace(',', "\n, ")).unwrap(), message, "{json}");
    }
    assert_eq!(read(r#"{"bare":null}"#).unwrap(), Message::Bare);
    assert_eq!(read(&format!(r#"{{"\u0077hole":{LEAF}}}"#)).unwrap(), Message::Whole(leaf()));
}

/// Everything that serde_json refuses is refused; what it takes from an array is refused besides.
#[test]
fn an_array_is_no_struct_at_any_depth() {
    for json in [
        r#"{"empty":[]}"#,
        r#"{"whole":[7,"a"]}"#,
        r#"{"boxed":[7,null]}"#,
        r#"{"pair":[3,[7,"a"]]}"#,
        &format!(r#"{{"fields":[{LEAF},[1,{LEAF}],[]]}}"#),
        &format!(r#"{{"fields":{{"leaf":[7,"a"],"pair":[1,{LEAF}],"list":[]}}}}"#),
        &format!(r#"{{"fields":{{"leaf":{LEAF},"pair":[1,{LEAF}],"list":[[7,"a"]]}}}}"#),
    ] {
        assert!(serde_json::from_str::<Message>(json).is_ok(), "{json}");
        let error = read(json).unwrap_err().to_string();
        assert!(error.starts_with("invalid type: sequence, expected struct"), "{json}: {error}");
    }
}

#[test]
fn what_was_refused_before_still_is_for_the_same_reason() {
    for json in [
        "",
        "null",
        "7",
        r#""empty""#,
        r#""nobody""#,
        r#"{"nobody":{}}"#,
        r#"{"empty":{}} x"#,
        r#"{"empty":{},"bare":null}"#,
        r#"{"empty":{"a":1}}"#,
        r#"{"whole":{"number":7"#,
        r#"{"whole":{"number":-1}}"#,
        r#"{"whole":{"text":"a"}}"#,
        r#"{"whole":{"number":1,"number":1}}"#,
        r#"{"pair":[3]}"#,
        &format!(r#"{{"pair":[3,{LEAF},4]}}"#),
        &format!(r#"{{"fields":{{"leaf":{LEAF},"pair":[1,{LEAF}],"list":[],"more":0}}}}"#),
    ] {
        let plain = serde_json::from_str::<Message>(json).unwrap_err();
        let ours = read(json).unwrap_err();
        assert_eq!(ours.classify(), plain.classify(), "{json}: {ours}, {plain}");
    }
}
