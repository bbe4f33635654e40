//! Anchors, terms, and the file that keeps trust.

use concord_prove::{
    Anchor, ChainPlan, Course, Light, Reason, Terms, TermsError, TrustError, TrustFile, Verdict,
    unbonding_seconds, upgrade_plan,
};
use serde_json::{Value, json};

use super::maker::{CHAIN_ID, Chain, Plan};
use super::world::{Node, after, run, terms};

#[test]
fn an_anchor_is_a_height_and_a_hash_and_nothing_else() {
    let hash = "0A".repeat(32);
    let anchor: Anchor = format!("7:{hash}").parse().unwrap();
    assert_eq!((anchor.height(), anchor.to_string()), (7, format!("7:{hash}")));
    assert_eq!(format!("7:{}", hash.to_lowercase()).parse(), Ok(anchor));
    assert_eq!(format!("{}:{hash}", i64::MAX).parse::<Anchor>().unwrap().height(), i64::MAX as u64);
    for wrong in [
        String::new(),
        "7".to_owned(),
        hash.clone(),
        format!("0:{hash}"),
        format!("+7:{hash}"),
        format!("-7:{hash}"),
        format!(" 7:{hash}"),
        format!("7: {hash}"),
        format!("7:{hash}0A"),
        format!("7:{}", &hash[2..]),
        format!("7:{}", "0G".repeat(32)),
        format!("7:0x{}", &hash[2..]),
        format!("{}:{hash}", i64::MAX as u64 + 1),
        format!("99999999999999999999999:{hash}"),
    ] {
        assert!(wrong.parse::<Anchor>().is_err(), "{wrong:?}");
    }
}

#[test]
fn a_trusting_period_is_at_most_two_thirds_of_the_unbonding_time() {
    let day = 86_400;
    for (trusting, unbonding, fits) in [
        (14 * day, 21 * day, true),
        (14 * day + 1, 21 * day, false),
        (14 * day, 21 * day - 1, false),
        (1, 1, false),
        (1, 2, true),
        (2, 3, true),
        (1, 0, false),
        (2, u64::MAX, true),
    ] {
        let terms = Terms::new(trusting, 10).unwrap();
        assert_eq!(terms.within(unbonding).is_ok(), fits, "{trusting} {unbonding}");
    }
    assert!(matches!(Terms::new(0, 10), Err(TermsError::Trusting { .. })));
    assert!(Terms::new(240 * day, 60).is_ok());
    assert!(matches!(Terms::new(240 * day + 1, 10), Err(TermsError::Trusting { .. })));
    assert!(matches!(Terms::new(1, 61), Err(TermsError::Drift { .. })));
}

fn file(chain: &Chain) -> TrustFile {
    let sources = [Node::honest("a", chain), Node::honest("b", chain)];
    let told = run(Light::begin(&sources, CHAIN_ID, chain.anchor(3), "first", terms(), after(9)));
    let mut light = told.verdict.proved().unwrap();
    assert!(matches!(run(light.root(&sources, 9, after(9))).verdict, Verdict::Yes(_)));
    light.file().clone()
}

#[test]
fn a_trust_file_comes_back_as_it_was_and_no_changed_one_does() {
    let chain = Plan { heights: 9, ..Plan::new() }.make();
    let file = file(&chain);
    let bytes = file.bytes().unwrap();
    assert!(bytes.len() < concord_prove::TRUST_BYTES_MAX);
    assert_eq!(TrustFile::read(&bytes, CHAIN_ID).unwrap(), file);
    assert_eq!((file.anchor, file.reason.as_str(), file.latest.height()), (chain.anchor(3), "first", 9));

    type Change = fn(&mut Value);
    let table: [(Change, &str); 10] = [
        (|file| file["version"] = json!(2), "version"),
        (|file| file["chain_id"] = json!("made-2"), "chain"),
        (|file| file["latest"]["header"]["chain_id"] = json!("made-2"), "chain"),
        (|file| file["anchor"] = json!(format!("10:{}", "0A".repeat(32))), "below"),
        (|file| file["anchor"] = json!(format!("9:{}", "0A".repeat(32))), "below"),
        (|file| file["latest"]["next_validators"][0]["power"] = json!(11), "unreadable"),
        (|file| drop(file["latest"]["next_validators"].as_array_mut().unwrap().pop()), "unreadable"),
        (|file| file["latest"]["header"]["next_validators_hash"] = json!("0A".repeat(32)), "unreadable"),
        (|file| file["terms"]["trusting_seconds"] = json!(0), "unreadable"),
        (|file| file["more"] = json!(1), "unreadable"),
    ];
    for (place, (change, expected)) in table.into_iter().enumerate() {
        let mut text: Value = serde_json::from_slice(&bytes).unwrap();
        change(&mut text);
        let found = match TrustFile::read(text.to_string().as_bytes(), CHAIN_ID).unwrap_err() {
            TrustError::Unreadable(_) => "unreadable",
            TrustError::Version { .. } => "version",
            TrustError::Chain { .. } => "chain",
            TrustError::BelowAnchor { .. } => "below",
        };
        assert_eq!(found, expected, "{place}");
    }
    assert!(matches!(TrustFile::read(&bytes, "made-2"), Err(TrustError::Chain { .. })));
    for end in [0, 1, bytes.len() / 2, bytes.len() - 1] {
        assert!(matches!(TrustFile::read(&bytes[..end], CHAIN_ID), Err(TrustError::Unreadable(_))));
    }
}

#[test]
fn the_modules_facts_are_read_or_refused() {
    assert_eq!(unbonding_seconds(&[0x0a, 0x02, 0x08, 0x05]), Ok(5));
    for wrong in [&[][..], &[0x0a, 0x00], &[0x0a, 0x02, 0x08, 0x00], &[0xff]] {
        assert!(unbonding_seconds(wrong).is_err(), "{wrong:?}");
    }
    let plan = [&[0x0a, 0x05][..], b"v0.60", &[0x18, 0x38, 0x22, 0x01], b"i"].concat();
    assert_eq!(upgrade_plan(&plan), Ok(ChainPlan { name: "v0.60".to_owned(), height: 56 }));
    for wrong in [&[][..], &[0x18, 0x38], &[0x0a, 0x01, b'v'], &[0xff]] {
        assert!(upgrade_plan(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn the_course_decides_between_waiting_and_refusing() {
    let table = [
        (Reason::Ahead { asked: 2, latest: 1 }, Course::AskAgain),
        (Reason::StateAhead { asked: 2, latest: 1 }, Course::AskAgain),
        (Reason::CatchingUp { height: 2 }, Course::AskAgain),
        (Reason::NoWitness { height: 2 }, Course::AskAgain),
        (Reason::HeaderHash, Course::NextSource),
        (Reason::NoAnswer { why: String::new() }, Course::NextSource),
        (Reason::StatePruned { asked: 1, latest: 2 }, Course::NextSource),
        (Reason::TrustExpired { height: 1, ended: String::new(), now: String::new() }, Course::StopActing),
        (Reason::Sources { found: 1 }, Course::Fault),
        (Reason::TooFarBack { asked: 1, lowest: 2 }, Course::Fault),
    ];
    for (reason, course) in table {
        assert_eq!(reason.course(), course, "{}", reason.name());
        let verdict = Verdict::<()>::of(Err(reason));
        assert_eq!(matches!(verdict, Verdict::NotYet(_)), course == Course::AskAgain);
    }
}
