use std::path::{Path, PathBuf};
use std::time::Duration;

use concord_schema::Span;

use super::*;

const EXAMPLE: &str = include_str!("../../../docs/agent.example.toml");
const CONTRACT: &str = "wasm14hj2tavq8fpesdwxxcu44rty3hh90vhujrvcmstl4zr3txmfvw9s0phg4d";

fn written(folder: &tempfile::TempDir, text: &str) -> PathBuf {
    let path = folder.path().join("agent.toml");
    std::fs::write(&path, text).unwrap();
    path
}

fn layers(file: Option<&Path>, variables: &[(&str, &str)], flags: Flags) -> Layers {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Layers { file: file.map(Path::to_owned), variables, flags }
}

#[test]
fn the_documented_example_configures_an_agent() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(&folder, EXAMPLE);
    let config = layers(Some(&file), &[], Flags::default()).agent().unwrap();
    assert_eq!(config.chain.prefix(), "wasm");
    assert_eq!(config.chain.contract.text(), CONTRACT);
    assert_eq!(config.node.home, folder.path().join("feeder-1"));
    assert_eq!(config.node.hot_key, folder.path().join("feeder-1.key"));
    assert_eq!(config.node.platform, platform());
    assert_eq!(config.daemon.folder, folder.path().join("feeder-1/work"));
    assert_eq!(config.daemon.env.get("FEED").map(String::as_str), Some("eur-usd"));
    assert_eq!(config.health.required.len(), 2);
    assert_eq!(config.health.wanted.len(), 1);
    assert_eq!(config.gas.pricing.gas_price.fee(1_000).unwrap().amount, 25);
    assert_eq!(config.http, HttpSettings::default());
}

#[test]
fn the_example_names_every_key_and_shows_the_defaults() {
    for key in layers::known() {
        let name = key.rsplit('.').next().unwrap();
        let shown = EXAMPLE.lines().any(|line| {
            let line = line.trim_start_matches("# ");
            line.starts_with(&format!("{name} = ")) || line.trim_matches(['[', ']']) == key
        });
        assert!(shown, "{key} is not in the example");
    }
    let folder = tempfile::tempdir().unwrap();
    let shown = layers(Some(&written(&folder, EXAMPLE)), &[], Flags::default()).settings().unwrap();
    let default = Settings::default();
    assert_eq!(shown.fetch, default.fetch);
    assert_eq!(shown.trial, default.trial);
    assert_eq!(shown.http, default.http);
    assert_eq!(shown.chain.call_timeout_seconds, default.chain.call_timeout_seconds);
    assert_eq!(shown.chain.still_seconds_max, default.chain.still_seconds_max);
    assert_eq!(shown.chain.trusting_seconds, default.chain.trusting_seconds);
    assert_eq!(shown.chain.clock_drift_seconds, default.chain.clock_drift_seconds);
    assert_eq!((shown.chain.mode, shown.chain.checksums), (default.chain.mode, default.chain.checksums));
    assert_eq!(shown.gas.limit_percent, default.gas.limit_percent);
    assert_eq!(shown.gas.limit_max, default.gas.limit_max);
    assert_eq!(shown.daemon.stop_grace_seconds, default.daemon.stop_grace_seconds);
    assert_eq!(shown.daemon.boot_seconds, default.daemon.boot_seconds);
    assert_eq!(shown.daemon.log_bytes_max, default.daemon.log_bytes_max);
    assert_eq!(shown.daemon.log_files_max, default.daemon.log_files_max);
    assert_eq!(shown.daemon.env_keep, default.daemon.env_keep);
}

#[test]
fn each_layer_wins_over_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(&folder, "[chain]\nchain_id = \"file\"\nrpc = [\"http://file\"]\n");
    let set =
        |variables: &[(&str, &str)], flags| layers(Some(&file), variables, flags).settings().unwrap().chain;
    let nothing = layers(None, &[], Flags::default()).settings().unwrap().chain;
    assert_eq!((nothing.chain_id, nothing.call_timeout_seconds), (None, 10));
    let chain = set(&[], Flags::default());
    assert_eq!((chain.chain_id.as_deref(), chain.call_timeout_seconds), (Some("file"), 10));
    let variables = [
        ("CONCORD_CHAIN__CHAIN_ID", "variable"),
        ("CONCORD_CHAIN__CALL_TIMEOUT_SECONDS", "7"),
        ("CONCORD_CHAIN__RPC", "[\"http://one\", \"http://two\"]"),
        ("CONCORD_CONFIG", "elsewhere"),
        ("PATH", "ignored"),
    ];
    let chain = set(&variables, Flags::default());
    assert_eq!((chain.chain_id.as_deref(), chain.call_timeout_seconds), (Some("variable"), 7));
    assert_eq!(chain.rpc, ["http://one", "http://two"]);
    let flags =
        Flags { nodes: vec!["http://flag".into()], chain_id: Some("flag".into()), ..Flags::default() };
    let chain = set(&variables, flags);
    assert_eq!((chain.chain_id.as_deref(), chain.call_timeout_seconds), (Some("flag"), 7));
    assert_eq!(chain.rpc, ["http://flag"], "lists are replaced, not merged");
}

#[test]
fn a_number_in_quotes_stays_a_text_and_the_wrong_kind_names_its_place() {
    let chain = |value| layers(None, &[("CONCORD_CHAIN__CHAIN_ID", value)], Flags::default()).settings();
    assert_eq!(chain("\"7\"").unwrap().chain.chain_id.as_deref(), Some("7"));
    let error = chain("7").unwrap_err().to_string();
    assert!(error.starts_with("chain.chain_id from the variable CONCORD_CHAIN__CHAIN_ID: "), "{error}");
    for (value, price) in [("0.025", "0.025"), ("0.000", "0"), ("1", "1"), ("\"0.10\"", "0.10")] {
        let found = layers(None, &[("CONCORD_GAS__PRICE", value)], Flags::default()).settings().unwrap();
        assert_eq!(found.gas.price.as_deref(), Some(price), "{value}");
    }
}

#[test]
fn unknown_keys_are_refused_with_the_nearest_and_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let table = [
        (
            "[chain]\n\nchain_ids = \"a\"\n",
            "unknown key chain.chain_ids in FILE line 3; the nearest known one is chain.chain_id",
        ),
        ("[daemn]\nargs = []\n", "unknown key daemn in FILE line 1; the nearest known one is daemon"),
        (
            "[daemon]\nstop_grace = 3\n",
            "unknown key daemon.stop_grace in FILE line 2; the nearest known one is daemon.stop_grace_seconds",
        ),
        (
            "[fetch]\nhot_key = \"x\"\n",
            "unknown key fetch.hot_key in FILE line 2; the nearest known one is node.hot_key",
        ),
        (
            "[fetch]\nzzz = 1\n",
            "unknown key fetch.zzz in FILE line 2; see docs/agent.example.toml for all known ones",
        ),
    ];
    for (text, expected) in table {
        let file = written(&folder, text);
        let error = layers(Some(&file), &[], Flags::default()).settings().unwrap_err();
        assert!(matches!(error, ConfigError::Unknown { .. }), "{error}");
        assert_eq!(error.to_string(), expected.replace("FILE", &file.display().to_string()));
    }
    for (name, nearest) in [
        ("CONCORD_CHAIN_ID", "CONCORD_CHAIN__CHAIN_ID"),
        ("CONCORD_HTTP_LISTEN", "CONCORD_HTTP__LISTEN"),
        ("CONCORD_HTTP__LISTENS", "CONCORD_HTTP__LISTEN"),
        ("CONCORD_http__listen", "CONCORD_HTTP__LISTEN"),
    ] {
        let error = layers(None, &[(name, "x")], Flags::default()).settings().unwrap_err().to_string();
        let expected = format!("in the variable {name}; the nearest known one is {nearest}");
        assert!(error.ends_with(&expected), "{error}");
    }
}

#[test]
fn an_unknown_key_of_a_check_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(&folder, "[[health.required]]\nkind = \"tcp\"\naddress = \"a:1\"\ntimeout = 1\n");
    let error = layers(Some(&file), &[], Flags::default()).settings().unwrap_err().to_string();
    assert!(error.contains("health.required.0.timeout"), "{error}");
    assert!(error.contains("line 4"), "{error}");
    assert!(error.contains("timeout_ms"), "{error}");
}

#[test]
fn values_at_both_edges() {
    let table = [
        ("[http]\nlisten = \"127.0.0.1:0\"", None),
        ("[http]\nlisten = \"[::1]:80\"", None),
        ("[http]\nlisten = \"0.0.0.0:80\"", Some("http.listen")),
        ("[http]\nlisten = \"10.0.0.1:80\"", Some("http.listen")),
        ("[chain]\ncall_timeout_seconds = 0", Some("chain.call_timeout_seconds")),
        ("[chain]\ncall_timeout_seconds = 1", None),
        ("[chain]\ncall_timeout_seconds = 600", None),
        ("[chain]\ncall_timeout_seconds = 601", Some("chain.call_timeout_seconds")),
        ("[chain]\ncall_timeout_seconds = -1", Some("chain.call_timeout_seconds")),
        ("[chain]\nmode = \"trust\"", None),
        ("[chain]\nmode = \"light\"", None),
        ("[chain]\ntrusting_seconds = 0", Some("chain.trusting_seconds")),
        ("[chain]\ntrusting_seconds = 1", None),
        ("[chain]\ntrusting_seconds = 20736000", None),
        ("[chain]\ntrusting_seconds = 20736001", Some("chain.trusting_seconds")),
        ("[chain]\nclock_drift_seconds = 60", None),
        ("[chain]\nclock_drift_seconds = 61", Some("chain.clock_drift_seconds")),
        ("[chain]\nmode = \"hope\"", Some("chain.mode")),
        ("[gas]\nlimit_percent = 99", Some("gas.limit_percent")),
        ("[gas]\nlimit_percent = 100", None),
        ("[fetch]\nbytes_max = 4294967296", None),
        ("[fetch]\nbytes_max = 4294967297", Some("fetch.bytes_max")),
        ("[fetch]\nstall_timeout_seconds = 3600", None),
        ("[fetch]\nrate_bytes_per_second_min = 0", None),
        ("[fetch]\nrate_bytes_per_second_min = 1073741824", None),
        ("[fetch]\nrate_bytes_per_second_min = 1073741825", Some("fetch.rate_bytes_per_second_min")),
        ("[fetch]\nstall_timeout_seconds = 3601", Some("fetch.stall_timeout_seconds")),
        ("[[health.wanted]]\nkind = \"http\"\nurl = \"ftp://x\"", Some("health.wanted.0")),
        ("[[health.wanted]]\nkind = \"tcp\"\naddress = \"host\"", Some("health.wanted.0")),
        ("[[health.wanted]]\nkind = \"tcp\"\naddress = \"127.0.0.1:1\"", None),
        ("[[health.wanted]]\nkind = \"tcp\"\naddress = \"localhost:80\"", Some("health.wanted.0")),
        ("[[health.wanted]]\nkind = \"command\"\nprogram = \"true\"", Some("health.wanted.0")),
        ("[[health.wanted]]\nkind = \"command\"\nprogram = \"/bin/true\"", None),
        (
            "[[health.wanted]]\nkind = \"tcp\"\naddress = \"127.0.0.1:1\"\ntimeout_ms = 0",
            Some("health.wanted.0"),
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (text, refused) in table {
        let file = written(&folder, text);
        match (layers(Some(&file), &[], Flags::default()).settings(), refused) {
            (Ok(_), None) => {}
            (Err(ConfigError::Value { key, place, .. }), Some(expected)) => {
                assert_eq!(key, expected, "{text}");
                assert!(place.contains("agent.toml line "), "{place}");
            }
            (found, _) => panic!("{text}: {found:?}"),
        }
    }
}

#[test]
fn light_mode_needs_a_witness_and_checksums_that_are_some() {
    let folder = tempfile::tempdir().unwrap();
    let read = |mode: &str, rpc: &str, checksums: &str| {
        let text = EXAMPLE
            .replace("mode = \"trust\"", &format!("mode = \"{mode}\""))
            .replace("rpc = [\"http://127.0.0.1:26657\"]", &format!("rpc = {rpc}"))
            .replace("checksums = []", &format!("checksums = {checksums}"));
        layers(Some(&written(&folder, &text)), &[], Flags::default()).agent()
    };
    let (one, two) = ("\"http://a:1/key\"", "\"https://b\"");
    let both = format!("[{one}, {two}]");
    let good = "ab".repeat(32);
    let table = [
        ("trust", format!("[{one}]"), "[]".to_owned(), None),
        ("light", both.clone(), "[]".to_owned(), None),
        ("light", both.clone(), format!("[\"{good}\"]"), None),
        ("light", both.clone(), format!("[\"{}\"]", good.get(1..).unwrap()), Some("chain.checksums")),
        ("light", format!("[{one}]"), "[]".to_owned(), Some("chain.rpc")),
        // Another path or scheme is no other node.
        ("light", format!("[{one}, \"http://a:1\"]"), "[]".to_owned(), Some("chain.rpc")),
        ("light", format!("[{one}, {two}, \"https://b:443/x\"]"), "[]".to_owned(), Some("chain.rpc")),
    ];
    for (mode, rpc, checksums, refused) in table {
        match (read(mode, &rpc, &checksums), refused) {
            (Ok(config), None) => {
                assert_eq!(config.chain.light.is_some(), mode == "light");
                let known = config.chain.light.map_or(0, |light| light.checksums.len());
                assert_eq!(known, usize::from(checksums != "[]"));
            }
            (Err(ConfigError::Value { key, reason, .. }), Some(expected)) => {
                assert_eq!(key, expected, "{rpc}");
                assert!(!reason.contains("/key"), "a path may hold a secret: {reason}");
            }
            (found, _) => panic!("{rpc}: {found:?}"),
        }
    }
}

#[test]
fn a_list_that_is_none_says_how_to_write_one() {
    let set = [("CONCORD_CHAIN__RPC", "http://127.0.0.1:26657")];
    let error = layers(None, &set, Flags::default()).settings().unwrap_err().to_string();
    assert!(error.contains("CONCORD_CHAIN__RPC"), "{error}");
    assert!(error.ends_with("write a list as in TOML, such as [\"one\", \"two\"]"), "{error}");
}

#[test]
fn what_is_needed_and_not_set_says_how_to_set_it() {
    let set = [("CONCORD_CHAIN__RPC", "[\"http://a\"]"), ("CONCORD_CHAIN__CHAIN_ID", "c")];
    let error = layers(None, &set, Flags::default()).chain().unwrap_err().to_string();
    assert_eq!(
        error,
        "expected chain.contract, found nothing; set `contract` under [chain] in the file, the variable \
         CONCORD_CHAIN__CONTRACT, or the flag --contract"
    );
    let folder = tempfile::tempdir().unwrap();
    for key in ["operator", "component", "node_id", "home", "hot_key"] {
        let text: Vec<&str> =
            EXAMPLE.lines().filter(|line| !line.starts_with(&format!("{key} = "))).collect();
        let file = written(&folder, &text.join("\n"));
        match layers(Some(&file), &[], Flags::default()).agent() {
            Err(ConfigError::Missing { key: found, .. }) => assert_eq!(found, format!("node.{key}")),
            other => panic!("{key}: {other:?}"),
        }
    }
}

#[test]
fn files_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent.toml");
    assert!(matches!(layers(Some(&absent), &[], Flags::default()).settings(), Err(ConfigError::File { .. })));
    let torn = written(&folder, "[chain\n");
    assert!(matches!(layers(Some(&torn), &[], Flags::default()).settings(), Err(ConfigError::Syntax { .. })));
    let long = written(&folder, &"#".repeat(usize::try_from(FILE_BYTES_MAX).unwrap() + 1));
    assert!(matches!(
        layers(Some(&long), &[], Flags::default()).settings(),
        Err(ConfigError::Oversize { .. })
    ));
    let longest = written(&folder, &"#".repeat(usize::try_from(FILE_BYTES_MAX).unwrap()));
    assert!(layers(Some(&longest), &[], Flags::default()).settings().is_ok());
}

#[test]
fn a_trial_is_only_lengthened() {
    let own = TrialSettings { seconds_min: 5, blocks_min: 10 };
    for (plan, expected) in
        [((2, 10), (5, 10)), ((6, 9), (6, 10)), ((5, 11), (5, 11)), ((60, 600), (60, 600))]
    {
        assert_eq!(own.lengthen(&Span::new(plan.0, plan.1)), Span::new(expected.0, expected.1));
    }
    assert_eq!(
        Duration::from_secs(60),
        layers(None, &[], Flags::default())
            .settings()
            .map(|s| Duration::from_secs(s.daemon.boot_seconds))
            .unwrap()
    );
}
