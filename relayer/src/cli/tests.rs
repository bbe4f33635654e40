use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use clap::{CommandFactory, Parser};
use serde_json::{Value, json};

use super::*;
use crate::chain::keys::KeyError;
use crate::config::ConfigError;

mod deploy;
mod devnet;
mod grants;
mod sealed;

fn parsed(line: &str) -> Cli {
    Cli::try_parse_from(std::iter::once("concord").chain(line.split_whitespace())).unwrap()
}

fn layers(cli: &Cli) -> Layers {
    Layers { file: cli.global.config.clone(), variables: Vec::new(), flags: cli.global.flags() }
}

/// What a command answers, with no environment.
async fn answer(line: &str) -> Result<Answer, CliError> {
    let cli = parsed(line);
    let screen = Screen::plain(cli.global.json);
    Ok(dispatch(&cli, &layers(&cli), screen)
        .await?
        .unwrap_or_else(|| Answer::new(String::new(), Value::Null)))
}

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn commands_become_messages() {
    let zeros = "0".repeat(64);
    let comment = format!("comment 3 --uri https://x --digest {zeros}");
    let table = [
        ("withdraw 3", json!({"withdraw": {"proposal": 3}})),
        (&comment, json!({"comment": {"proposal": 3, "document": {"digest": zeros, "uri": "https://x"}}})),
        ("open-vote 3", json!({"open_vote": {"proposal": 3}})),
        ("execute 3", json!({"execute": {"proposal": 3}})),
        ("brake all", json!({"brake": {"scope": "all"}})),
        ("brake component:feeder", json!({"brake": {"scope": {"component": "feeder"}}})),
        ("release component:feeder", json!({"release": {"scope": {"component": "feeder"}}})),
        (
            "register --component feeder --node-id n1 --power 5 --hot-key wasm1x",
            json!({"register": {"component": "feeder", "node_id": "n1", "power": 5, "hot_key": "wasm1x"}}),
        ),
        ("draw 1", json!({"draw": {"rollout": 1}})),
        ("advance 1", json!({"advance": {"rollout": 1}})),
        ("expire-lease 1 4", json!({"expire_lease": {"rollout": 1, "node": 4}})),
    ];
    for (line, expected) in table {
        let message = verbs::message(&parsed(line).command).unwrap().unwrap();
        assert_eq!(serde_json::to_value(message).unwrap(), expected, "{line}");
    }
    for line in ["status", "claim", "vote 1 yes", "explain rollout 1", "agent", "keys show x"] {
        assert!(verbs::message(&parsed(line).command).unwrap().is_none(), "{line}");
    }
}

#[test]
fn explained_subjects() {
    for (line, expected) in [
        ("explain proposal 2", json!({"proposal": 2})),
        ("explain rollout 2", json!({"rollout": 2})),
        ("explain node 2 7", json!({"seat": {"rollout": 2, "node": 7}})),
        ("explain agent", json!(null)),
    ] {
        let Command::Explain(command) = parsed(line).command else { panic!("{line}") };
        assert_eq!(serde_json::to_value(explain::subject(&command)).unwrap(), expected);
    }
}

#[test]
fn global_flags_go_anywhere_and_nodes_repeat() {
    let cli = parsed("status --node http://a --json --node http://b --chain-id c --contract d --key e");
    let flags = cli.global.flags();
    assert_eq!(flags.nodes, ["http://a", "http://b"]);
    assert_eq!((flags.chain_id.as_deref(), flags.contract.as_deref()), (Some("c"), Some("d")));
    assert_eq!(flags.key.as_deref(), Some(Path::new("e")));
    assert!(cli.global.json);
    assert!(parsed("--json status").global.json);
}

#[test]
fn what_cannot_be_parsed_is_refused() {
    for line in [
        "",
        "votes 1 yes",
        "vote 1 maybe",
        "vote one yes",
        "vote 1",
        "brake everything",
        "brake component:UPPER",
        "expire-lease 1",
        "attest 1",
        "attest 1 --claim reviewed --auditor wasm1x",
        "attest 1 --claim reviewed --sign-only",
        "register --component feeder",
        "devnet",
        "init",
        "status --log-format xml",
        "keys import file --key-text secret",
    ] {
        assert!(
            Cli::try_parse_from(std::iter::once("concord").chain(line.split_whitespace())).is_err(),
            "{line}"
        );
    }
}

#[test]
fn exit_codes_are_those_of_the_documentation() {
    let text = include_str!("../../../docs/CLI.md");
    for exit in Exit::ALL {
        let row = format!("| {} | `{}` | ", exit.code(), exit.word());
        assert!(text.contains(&row), "{row}");
    }
    for command in Cli::command().get_subcommands() {
        assert!(text.contains(&format!("`{}", command.get_name())), "{}", command.get_name());
    }
}

#[tokio::test]
async fn a_key_file_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("k.key");
    let line = format!("keys generate {} --prefix wasm", file.display());
    let made = answer(&line).await.unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
    let secret = std::fs::read_to_string(&file).unwrap();
    let secret = serde_json::from_str::<Value>(&secret).unwrap()["key"].as_str().unwrap().to_owned();
    assert!(!made.text.contains(&secret) && !made.json.to_string().contains(&secret));
    assert_eq!(answer(&format!("keys show {}", file.display())).await.unwrap(), made);
    // A key that is there is never replaced.
    let taken = answer(&line).await.unwrap_err();
    assert!(matches!(&taken, CliError::KeyTaken { path } if *path == file), "{taken}");
    assert_eq!(taken.exit(), Exit::Key);
    for mode in [0o640, 0o604, 0o660, 0o700] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let error = answer(&format!("keys show {}", file.display())).await.unwrap_err();
        assert!(matches!(error, CliError::KeyFile { source: KeyError::Mode { .. }, .. }), "{mode:o}");
        assert_eq!(error.exit(), Exit::Key);
    }
}

#[tokio::test]
async fn a_key_file_that_is_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("k.key");
    std::fs::write(&file, "junk").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    for path in [file, folder.path().join("absent.key"), folder.path().to_owned()] {
        let error = answer(&format!("keys show {}", path.display())).await.unwrap_err();
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
        assert_eq!(error.exit(), Exit::Key);
    }
}

#[test]
fn an_address_prefix_has_both_ends() {
    let longest = "a".repeat(32);
    for (prefix, fits) in [
        ("a", true),
        ("wasm2", true),
        (&longest, true),
        (&format!("{longest}a"), false),
        ("W", false),
        ("a!", false),
    ] {
        let line = ["concord", "keys", "show", "k", "--prefix", prefix];
        assert_eq!(Cli::try_parse_from(line).is_ok(), fits, "{prefix}");
    }
}

#[tokio::test]
async fn a_draft_without_all_its_parts_says_what_is_missing() {
    let rationale = format!("--rationale-uri https://x --rationale-digest {}", "0".repeat(64));
    for (line, missing) in [
        ("propose --dry-run".to_owned(), "--title"),
        ("propose --dry-run --title x --cancel 1".to_owned(), "--rationale-uri"),
        (format!("propose --dry-run --title x {rationale}"), "--cancel ROLLOUT"),
    ] {
        let error = answer(&line).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        assert!(crate::causes::told(&error).contains(missing), "{error:?}");
    }
    assert!(answer(&format!("propose --dry-run --title x {rationale} --cancel 1")).await.is_ok());
    let error = answer("comment 1 --uri https://x").await.unwrap_err();
    assert!(error.to_string().contains("--digest or --file"), "{error}");
}

#[tokio::test]
async fn a_genesis_file_is_called_one_also_when_it_is_not_there() {
    for text in [None, Some("{"), Some("{\"chain_id\": 1}")] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("genesis.json");
        if let Some(text) = text {
            std::fs::write(&file, text).unwrap();
        }
        let error = answer(&format!("devnet --genesis {}", file.display())).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        let text = error.to_string();
        assert!(text.starts_with("expected a genesis file at "), "{text}");
        assert!(text.ends_with("docs/genesis.example.json is one"), "{text}");
    }
}

#[tokio::test]
async fn a_missing_setting_is_a_usage_error_before_any_call() {
    let error = answer("status").await.unwrap_err();
    assert!(matches!(error, CliError::Config(ConfigError::Missing { .. })), "{error}");
    assert_eq!(error.exit(), Exit::Usage);
    let json = error.json();
    assert_eq!(json["error"]["kind"], "usage");
    assert_eq!(json["error"]["exit_code"], 2);
    assert!(json["error"]["causes"][0].as_str().unwrap().contains("CONCORD_CHAIN__RPC"), "{json}");
}

#[test]
fn a_usage_error_is_one_line_in_json() {
    let error = Cli::try_parse_from(["concord", "vote", "1"]).unwrap_err();
    let expected = "the following required arguments were not provided: <BALLOT>";
    assert_eq!(usage(&error.render().to_string()), expected);
}

#[tokio::test]
async fn a_dry_run_shows_what_voters_will_expect() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("p.toml");
    std::fs::write(&file, include_str!("../../../docs/proposal.example.toml")).unwrap();
    let answer = answer(&format!("propose {} --dry-run", file.display())).await.unwrap();
    let draft = draft::from_file(&file).unwrap();
    assert_eq!(answer.json["digest"], draft::digest(&draft).unwrap().to_string());
    assert_eq!(answer.json["class"], "standard");
    assert_eq!(answer.json["brake_exempt"], false);
    assert!(answer.text.contains(&draft::digest(&draft).unwrap().to_string()));
}
