//! Fee grants from the command line: an owner, and a hot key that holds no coins.

use super::devnet::Stage;
use super::*;

/// The stage's settings with the operator as granter.
fn granted(stage: &Stage) -> String {
    let path = stage.path("granted.toml");
    let text = std::fs::read_to_string(&stage.settings).unwrap();
    std::fs::write(&path, format!("{text}fee_granter = \"{}\"\n", stage.address("operator"))).unwrap();
    path
}

async fn call(stage: &Stage, settings: &str, line: &str) -> Result<Answer, CliError> {
    answer(&format!("{line} --config {settings} --key {}", stage.path("poor"))).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_grants_renews_and_revokes() {
    let stage = Stage::new().await;
    stage.run("member", &format!("keys generate {}", stage.path("poor"))).await.unwrap();
    let (poor, settings) = (stage.address("poor"), granted(&stage));
    let unknown = call(&stage, &settings, "claim").await.unwrap_err();
    assert!(crate::causes::told(&unknown).contains("grant it a fee allowance"), "{unknown:?}");

    let grant = format!("keys grant {poor} --per-period 20000ucosm --period-seconds 3600");
    let made = stage.run("operator", &grant).await.unwrap();
    assert_eq!((&made.json["changed"], &made.json["per_period"]["amount"]), (&json!(true), &json!("20000")));
    assert!(made.text.contains("fee_granter = "), "{}", made.text);
    let again = stage.run("operator", &grant).await.unwrap();
    assert_eq!(again.json["changed"], false, "{}", again.text);
    // The devnet's estimate is 250,000 gas, so that a fee is 8,125: two fit, a third does not.
    for _ in 0..2 {
        call(&stage, &settings, "claim").await.unwrap();
    }
    let error = call(&stage, &settings, "claim").await.unwrap_err();
    assert_eq!(error.exit(), Exit::Refused);
    assert!(error.to_string().contains("wait for the next period"), "{error}");

    let more = format!("keys grant {poor} --per-period 30000ucosm --total 60000ucosm --expires-seconds 1000");
    let renewed = stage.run("operator", &more).await.unwrap();
    assert_eq!(renewed.json["changed"], true);
    assert!(renewed.json["expires_seconds"].as_u64().unwrap() > 1_000);
    call(&stage, &settings, "claim").await.unwrap();

    let revoke = format!("keys revoke {poor}");
    assert_eq!(stage.run("operator", &revoke).await.unwrap().json["changed"], true);
    assert_eq!(stage.run("operator", &revoke).await.unwrap().json["changed"], false);
    let error = call(&stage, &settings, "claim").await.unwrap_err();
    assert!(error.to_string().contains("have the owner grant one"), "{error}");
    assert_eq!(error.exit(), Exit::Refused);
    stage.devnet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_that_cannot_be_is_refused_before_it_is_sent() {
    let stage = Stage::new().await;
    let (own, hot) = (stage.address("operator"), stage.address("hot"));
    for (line, text) in [
        (format!("keys grant {own} --per-period 1ucosm"), "expected another account than --key's"),
        (
            format!("keys grant {hot} --per-period 5ucosm --total 4ucosm"),
            "expected a total of at least 5ucosm",
        ),
        (
            format!("keys grant {hot} --per-period 5ucosm --total 9uother"),
            "expected a total of at least 5ucosm",
        ),
    ] {
        let error = stage.run("operator", &line).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Usage, "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
    for flags in [
        "wasm1x --per-period 1ucosm",
        &hot,
        &format!("{hot} --per-period 0ucosm"),
        &format!("{hot} --per-period 1ucosm --period-seconds 0"),
    ] {
        let line = format!("concord keys grant {flags}");
        assert!(Cli::try_parse_from(line.split_whitespace()).is_err(), "{flags}");
    }
    stage.devnet.stop().await;
}
