//! Deployments on a devnet, which runs the built-in coordinator as every code.

use super::devnet::Stage;
use super::*;
use crate::chain::wasm::WASM_BYTES_MAX;
use crate::cli::deploy::DeployError;

/// A wasm file that exports functions; `mark` makes its checksum.
fn wasm(names: &[&str], mark: u8) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let mut exports = vec![u8::try_from(names.len()).unwrap()];
    for name in names {
        exports.extend([text(name), vec![0, 0]].concat());
    }
    let sections = [vec![7, u8::try_from(exports.len()).unwrap()], exports, vec![0, 2, 1, mark]];
    [b"\0asm\x01\0\0\0".to_vec(), sections.concat()].concat()
}

const CONTRACT: [&str; 5] = ["interface_version_8", "instantiate", "allocate", "deallocate", "migrate"];

async fn stage() -> Stage {
    let stage = Stage::new().await;
    std::fs::write(stage.path("one.wasm"), wasm(&CONTRACT, b'1')).unwrap();
    std::fs::write(stage.path("two.wasm"), wasm(&CONTRACT, b'2')).unwrap();
    std::fs::write(stage.path("three.wasm"), wasm(&CONTRACT[..4], b'3')).unwrap();
    let genesis: Value = serde_json::from_slice(&std::fs::read(stage.path("genesis.json")).unwrap()).unwrap();
    std::fs::write(stage.path("init.json"), genesis["instantiate"].to_string()).unwrap();
    stage
}

fn line(stage: &Stage, wasm: &str, rest: &str) -> String {
    format!("deploy {} --init {} {rest}", stage.path(wasm), stage.path("init.json"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coordinator_is_deployed_once_and_is_its_own_admin() {
    let stage = stage().await;
    let planned = stage.run("member", &line(&stage, "one.wasm", "--dry-run")).await.unwrap();
    assert_eq!((&planned.json["is_there"], &planned.json["code_id"]), (&json!(false), &Value::Null));
    let made = stage.run("member", &line(&stage, "one.wasm", "")).await.unwrap();
    assert_eq!(made.json["address"], planned.json["address"]);
    assert_eq!(made.json["admin"], made.json["address"]);
    assert_eq!((&made.json["uploaded"], &made.json["instantiated"]), (&json!(true), &json!(true)));
    // The genesis made code 1.
    assert_eq!(made.json["code_id"], 2);
    let status = format!("status --contract {}", made.json["address"].as_str().unwrap());
    assert!(stage.run("member", &status).await.unwrap().text.contains("oracle-feeder"));

    let again = stage.run("member", &line(&stage, "one.wasm", "")).await.unwrap();
    assert!(again.text.matches("was there").count() == 2, "{}", again.text);
    assert_eq!(
        (&again.json["address"], &again.json["gas_used"]["store"]),
        (&made.json["address"], &Value::Null)
    );
    let salted = stage.run("member", &line(&stage, "one.wasm", "--salt two")).await.unwrap();
    assert_eq!((&salted.json["code_id"], &salted.json["uploaded"]), (&json!(2), &json!(false)));
    assert_ne!(salted.json["address"], made.json["address"]);
    // Another account has other addresses, and does not trust another's upload unless it is named.
    let other = stage.run("operator", &line(&stage, "one.wasm", "--code-id 2")).await.unwrap();
    assert_eq!((&other.json["code_id"], &other.json["uploaded"]), (&json!(2), &json!(false)));
    let own = stage.run("guardian", &line(&stage, "one.wasm", "")).await.unwrap();
    assert_eq!((&own.json["code_id"], &own.json["uploaded"]), (&json!(3), &json!(true)));
    stage.devnet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_is_judged_against_the_deployed_one() {
    let stage = stage().await;
    let made = stage.run("member", &line(&stage, "one.wasm", "")).await.unwrap();
    let check = |wasm: &str| {
        format!("migrate-check {} --contract {}", stage.path(wasm), made.json["address"].as_str().unwrap())
    };
    let same = stage.run("member", &check("one.wasm")).await.unwrap();
    assert_eq!((same.exit, &same.json["may_replace"]), (Exit::Unexpected, &json!(false)));
    assert!(same.text.contains("nothing to replace"), "{}", same.text);
    let newer = stage.run("member", &check("two.wasm")).await.unwrap();
    assert_eq!((newer.exit, &newer.json["may_replace"]), (Exit::Ok, &json!(true)), "{}", newer.text);
    assert_eq!(newer.json["deployed"]["name"], "crates.io:concord-coordinator");
    assert_eq!(newer.json["deployed"]["facts_version"], concord_schema::keys::FACTS_VERSION);
    let lacking = stage.run("member", &check("three.wasm")).await.unwrap();
    assert!(lacking.text.contains("NO  the build has no migrate entry point"), "{}", lacking.text);
    let nowhere = format!("migrate-check {} --contract {}", stage.path("one.wasm"), stage.address("hot"));
    let error = stage.run("member", &nowhere).await.unwrap_err();
    assert!(matches!(error, CliError::NoCoordinator { .. }), "{error}");
    stage.devnet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_deployed_says_why_before_anything_is_paid() {
    let stage = stage().await;
    let write = |name: &str, bytes: &[u8]| std::fs::write(stage.path(name), bytes).unwrap();
    write("gzip.wasm", &[0x1f, 0x8b, 8, 0, 0]);
    write("text.wasm", b"text");
    write("short.wasm", b"\0a");
    write("large.wasm", &[b"\0asm".as_slice(), &vec![0; WASM_BYTES_MAX - 3]].concat());
    let table = [
        ("gzip.wasm", "", Exit::Usage, "found gzip"),
        ("text.wasm", "", Exit::Usage, "found something else"),
        ("short.wasm", "", Exit::Usage, "found a shorter file"),
        ("large.wasm", "", Exit::Usage, "expected at most 819200 bytes"),
        ("absent.wasm", "", Exit::Usage, "cannot read "),
        ("one.wasm", "--code-id 9", Exit::Chain, "expected code 9 on chain, found none"),
        ("one.wasm", "--code-id 1", Exit::Unexpected, "expected code 1 with checksum"),
    ];
    for (wasm, rest, exit, text) in table {
        let error = stage.run("member", &line(&stage, wasm, rest)).await.unwrap_err();
        assert!(matches!(error, CliError::Deploy(_)), "{wasm}: {error}");
        assert_eq!(error.exit(), exit, "{wasm} {rest}");
        assert!(error.to_string().contains(text), "{error}");
    }
    for (content, text) in [
        ("[", "no json"),
        ("{\"membersx\": []}", "unknown field `membersx`"),
        ("{}", "missing field"),
        ("7", "found invalid type"),
    ] {
        write("init.json", content.as_bytes());
        let error = stage.run("member", &line(&stage, "one.wasm", "")).await.unwrap_err();
        assert!(matches!(error, CliError::Deploy(DeployError::Content { .. })), "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
    for flags in [
        "--salt=",
        "--label=",
        &format!("--salt {}", "x".repeat(65)),
        &format!("--label {}", "x".repeat(129)),
    ] {
        let line = format!("concord deploy w --init i {flags}");
        assert!(Cli::try_parse_from(line.split_whitespace()).is_err(), "{flags}");
    }
    stage.devnet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_cannot_pay_is_told_what_is_missing() {
    let stage = stage().await;
    let make = format!("keys generate {}", stage.path("new"));
    stage.run("member", &make).await.unwrap();
    let error = stage.run("new", &line(&stage, "one.wasm", "")).await.unwrap_err();
    let told = crate::causes::told(&error);
    assert!(told.contains("found none; send it coins"), "{told}");
    let text = std::fs::read_to_string(&stage.settings).unwrap();
    for (price, text_of) in
        [("0.001", "expected a fee of at least "), ("9999999", "on the account that pays, found ")]
    {
        let line_of = |line: &str| {
            if line.starts_with("price") { format!("price = {price:?}") } else { line.to_owned() }
        };
        let changed: Vec<String> = text.lines().map(line_of).collect();
        std::fs::write(&stage.settings, changed.join("\n")).unwrap();
        let error = stage.run("member", &line(&stage, "one.wasm", "")).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Refused, "{error}");
        assert!(error.to_string().contains(text_of), "{error}");
    }
    stage.devnet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contract_that_somebody_else_could_migrate_is_not_taken_for_a_deployment() {
    use crate::chain::send::Outcome;
    use crate::chain::wasm::{instantiate2, predict, store_code};
    let stage = stage().await;
    let flags = format!("--config {} --key {}", stage.settings.display(), stage.path("member"));
    let cli = parsed(&format!("keys revoke {} {flags}", stage.address("hot")));
    let rpc = sending::rpc(&layers(&cli)).unwrap();
    let sender = sending::sender(&layers(&cli), &rpc, "wasm").unwrap();
    let bytes = std::fs::read(stage.path("one.wasm")).unwrap();
    let init = std::fs::read(stage.path("init.json")).unwrap();
    let admin = stage.address("operator").parse().unwrap();
    let stored = store_code(sender.address(), &bytes).unwrap();
    let made = instantiate2(sender.address(), &admin, 2, "other", &init, b"concord");
    for message in [stored, made] {
        let outcome = sender.send_any(&[message]).await.unwrap();
        assert!(matches!(outcome, Outcome::Included(_)), "{outcome:?}");
    }
    let address = predict(&concord_schema::Digest::of(&bytes), sender.address(), b"concord").unwrap();
    assert!(rpc.contract(&address).await.unwrap().is_some());
    let error = stage.run("member", &line(&stage, "one.wasm", "")).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Unexpected);
    let text = error.to_string();
    assert!(
        text.contains("its own admin") && text.contains(admin.text()) && text.contains("another --salt"),
        "{text}"
    );
    stage.devnet.stop().await;
}
