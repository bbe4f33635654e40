use clap::Parser;

use concord_schema::proposal::{Content, content_digest};

use super::*;

const EXAMPLE: &str = include_str!("../../../../docs/proposal.example.toml");

#[derive(Parser)]
struct Only {
    #[command(flatten)]
    draft: DraftArgs,
}

fn written(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn the_documented_example_is_a_draft_of_a_rollout() {
    let folder = tempfile::tempdir().unwrap();
    let draft = from_file(&written(&folder, "p.toml", EXAMPLE)).unwrap();
    draft.check().unwrap();
    let (release, plan) = draft.rollout().unwrap();
    assert_eq!(release.component, "oracle-feeder");
    plan.check(&concord_schema::rules::PRODUCTION_FLOORS).unwrap();
}

#[test]
fn a_draft_survives_toml_and_json_with_the_same_digest() {
    let folder = tempfile::tempdir().unwrap();
    let draft = from_file(&written(&folder, "p.toml", EXAMPLE)).unwrap();
    let toml = from_file(&written(&folder, "again.toml", &toml::to_string(&draft).unwrap())).unwrap();
    let json =
        from_file(&written(&folder, "p.json", &serde_json::to_string_pretty(&draft).unwrap())).unwrap();
    assert_eq!(toml, draft);
    assert_eq!(json, draft);
    assert_eq!(digest(&toml), digest(&draft));
    assert_eq!(digest(&json), digest(&draft));
    // The digest is that of what the contract stores.
    let stored = serde_json::to_string(&Content::of(&draft)).unwrap();
    assert_eq!(digest(&draft), Some(content_digest(stored.as_bytes())));
}

#[test]
fn flags_make_the_simple_actions() {
    let zeros = "0".repeat(64);
    let mut line = vec!["x", "--title", "t", "--rationale-uri", "https://r", "--rationale-digest", &zeros];
    line.extend(["--lift-brake", "component:feeder", "--cancel", "1", "--resume", "2", "--roll-back", "3"]);
    line.extend(["--set-member", "wasm1a=5", "--set-member", "wasm1b=6", "--remove-member", "wasm1c"]);
    let draft = Only::try_parse_from(line).unwrap().draft.draft().unwrap();
    let expected = serde_json::json!({
        "title": "t",
        "rationale": {"digest": zeros, "uri": "https://r"},
        "actions": [
            {"lift_brake": {"scope": {"component": "feeder"}}},
            {"cancel_rollout": {"rollout": 1}},
            {"resume_rollout": {"rollout": 2}},
            {"roll_back_rollout": {"rollout": 3}},
            {"change_members": {
                "set": [{"addr": "wasm1a", "weight": "5"}, {"addr": "wasm1b", "weight": "6"}],
                "remove": ["wasm1c"],
            }},
        ],
    });
    assert_eq!(serde_json::to_value(&draft).unwrap(), expected);
}

#[test]
fn what_is_no_draft_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let unknown =
        written(&folder, "u.json", r#"{"title":"t","rationale":{"digest":"","uri":""},"action":[]}"#);
    assert!(matches!(from_file(&unknown), Err(DraftFileError::Content { .. })));
    assert!(matches!(from_file(&written(&folder, "p.yaml", "")), Err(DraftFileError::Format { .. })));
    assert!(matches!(from_file(&folder.path().join("absent.toml")), Err(DraftFileError::File { .. })));
    let long = written(&folder, "long.json", &" ".repeat(usize::try_from(FILE_BYTES_MAX).unwrap() + 1));
    assert!(matches!(from_file(&long), Err(DraftFileError::Oversize { .. })));
    let only = |line: &[&str]| Only::try_parse_from([&["x"], line].concat());
    let neither = only(&[]).unwrap().draft.draft();
    assert!(matches!(neither, Err(DraftFileError::Flag(_))), "neither a file nor flags");
    assert!(only(&["p.toml", "--title", "t"]).is_err(), "both a file and flags");
    assert!(only(&["--title", "t", "--lift-brake", "everything"]).is_err());
    assert!(only(&["--title", "t", "--set-member", "wasm1a"]).is_err());
    let no_action = ["--title", "t", "--rationale-uri", "https://r", "--rationale-digest", &"0".repeat(64)];
    assert!(matches!(only(&no_action).unwrap().draft.draft(), Err(DraftFileError::Flag(_))));
    let half = only(&["--title", "t", "--rationale-uri", "https://r", "--cancel", "1"]).unwrap();
    assert!(matches!(half.draft.draft(), Err(DraftFileError::Flag(_))));
}

#[test]
fn a_rationale_is_hashed_from_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(&folder, "why.md", "because");
    let args = DocumentArgs {
        rationale_uri: Some("https://r".into()),
        rationale_digest: None,
        rationale_file: Some(file),
    };
    assert_eq!(args.document().unwrap().unwrap().digest, Digest::of(b"because"));
}
