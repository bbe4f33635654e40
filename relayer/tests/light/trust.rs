//! What is kept, and what survives a restart.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use concord::chain::light::{LightSettings, TRUST, read_trust};
use concord::chain::{Chain as _, LightChain, RpcError};
use concord_decide::Distrust;
use concord_prove::{Evidence, Time};

use crate::maker::{CHAIN_ID, Plan, time_at};
use crate::served::{Served, contract, plan, rpc, settings};
use crate::verdicts::{begun, distrusted};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn the_newest_verified_header_is_kept_and_gone_on_from() {
    let chain = Arc::new(plan().make());
    let (one, two) = (Served::start(&chain, 20).await, Served::start(&chain, 20).await);
    let folder = tempfile::tempdir().unwrap();
    let (light, _) = begun(&chain, &[&one, &two], settings(folder.path())).await;
    let path = folder.path().join(TRUST);
    assert_eq!(mode(&path), 0o600);
    let kept = read_trust(folder.path(), CHAIN_ID).unwrap();
    assert_eq!((kept.anchor, kept.latest.height(), kept.reason.as_str()), (chain.anchor(10), 20, "a test"));
    one.grow(24);
    two.grow(24);
    light.head().await.unwrap();
    drop(light);
    assert_eq!(read_trust(folder.path(), CHAIN_ID).unwrap().latest.height(), 24);
    // A new agent needs neither the anchor's block nor what lies between.
    let light = LightChain::open(rpc(&[&one, &two]), settings(folder.path()));
    assert_eq!(light.head().await.unwrap().height, 23);
    let trust = light.trust().await.unwrap();
    assert_eq!((trust.anchor, trust.latest.height()), (chain.anchor(10), 24));
    // Whoever shows less than what is proved is no source.
    one.grow(12);
    two.grow(12);
    assert!(matches!(light.head().await, Err(RpcError::Unproved(reason)) if reason.name() == "went_back"));
}

#[tokio::test]
async fn a_missing_or_broken_file_is_said_and_nothing_is_believed() {
    let chain = Arc::new(plan().make());
    let (one, two) = (Served::start(&chain, 20).await, Served::start(&chain, 20).await);
    let nodes = [&one, &two];
    let folder = tempfile::tempdir().unwrap();
    let says = async |words: &str| {
        let light = LightChain::open(rpc(&nodes), settings(folder.path()));
        let (cause, why) = distrusted(light.head().await);
        assert!(cause == Distrust::Unproved && why.contains(words), "{why}");
        assert!(why.contains("concord trust set") || why.contains("give each chain"), "{why}");
        distrusted(light.raw(&contract(), b"tip", 19).await);
        distrusted(light.block_time_nanos(19).await);
    };
    says("cannot read").await;
    begun(&chain, &nodes, settings(folder.path())).await;
    let path = folder.path().join(TRUST);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    says("cannot be read").await;
    let text = String::from_utf8(whole.clone()).unwrap();
    std::fs::write(&path, text.replace(CHAIN_ID, "made-9")).unwrap();
    says("made-9").await;
    std::fs::write(&path, vec![b' '; concord_prove::TRUST_BYTES_MAX + 1]).unwrap();
    says("expected at most").await;
    std::fs::write(&path, whole).unwrap();
    LightChain::open(rpc(&nodes), settings(folder.path())).head().await.unwrap();
}

#[tokio::test]
async fn a_fork_is_kept_and_stays_until_a_person_sets_an_anchor() {
    let chain = Arc::new(plan().make());
    let other = Arc::new(Plan { salt: (22, 1), ..plan() }.make());
    let (one, two) = (Served::start(&chain, 20).await, Served::start(&chain, 20).await);
    let nodes = [&one, &two];
    let folder = tempfile::tempdir().unwrap();
    let (light, _) = begun(&chain, &nodes, settings(folder.path())).await;
    light.raw(&contract(), b"tip", 19).await.unwrap();
    two.becomes(&other);
    one.grow(23);
    two.grow(23);
    let (cause, why) = distrusted(light.head().await);
    assert_eq!(cause, Distrust::Forked);
    assert!(
        why.contains("forked at height 23") && why.contains("concord trust set H:HASH --reason"),
        "{why}"
    );
    let path = folder.path().join("fork-23.json");
    assert_eq!(mode(&path), 0o600);
    let evidence: Evidence = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(evidence.first.hash(), chain.header(23).hash());
    assert_eq!(evidence.second.hash(), other.header(23).hash());
    assert_eq!(evidence.common.height(), 20);
    // Nothing is read any more, not even what was proved before; and not after a restart with the forked node gone.
    distrusted(light.raw(&contract(), b"tip", 19).await);
    two.becomes(&chain);
    distrusted(light.head().await);
    let light = LightChain::open(rpc(&nodes), settings(folder.path()));
    assert_eq!(distrusted(light.head().await).0, Distrust::Forked);
    distrusted(light.raw(&contract(), b"tip", 19).await);
    // A person's new anchor leaves it; the evidence stays.
    let begun =
        LightChain::begin(rpc(&nodes), settings(folder.path()), chain.anchor(22), "the other one is dead")
            .await;
    assert_eq!(begun.unwrap().1.height, 22);
    assert_eq!(LightChain::open(rpc(&nodes), settings(folder.path())).head().await.unwrap().height, 22);
    assert!(path.exists());
}

#[tokio::test]
async fn trust_that_expired_is_left_by_a_new_anchor_only() {
    let chain = Arc::new(plan().make());
    let (one, two) = (Served::start(&chain, 20).await, Served::start(&chain, 20).await);
    let nodes = [&one, &two];
    let folder = tempfile::tempdir().unwrap();
    begun(&chain, &nodes, settings(folder.path())).await;
    // The newest kept header is block 20.
    fn end() -> Time {
        (time_at(20) + std::time::Duration::from_secs(14 * 86_400)).unwrap()
    }
    let late = LightSettings { clock: end, ..settings(folder.path()) };
    let light = LightChain::open(rpc(&nodes), late.clone());
    let (cause, why) = distrusted(light.head().await);
    assert!(cause == Distrust::TrustExpired && why.contains("concord trust set"), "{why}");
    distrusted(light.raw(&contract(), b"tip", 19).await);
    // An anchor that is as old is none.
    let told = LightChain::begin(rpc(&nodes), late, chain.anchor(20), "").await.map(drop);
    assert_eq!(distrusted(told).0, Distrust::TrustExpired);
}
