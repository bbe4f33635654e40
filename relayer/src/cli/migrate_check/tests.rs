use super::*;

fn module(names: &[&str], state_version: Option<&str>) -> Module {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let mut exports = vec![u8::try_from(names.len()).unwrap()];
    for name in names {
        exports.extend([text(name), vec![0, 0]].concat());
    }
    let mut file = b"\0asm\x01\0\0\0".to_vec();
    file.extend([vec![7, u8::try_from(exports.len()).unwrap()], exports].concat());
    if let Some(version) = state_version {
        let body = [text("cw_migrate_version"), version.as_bytes().to_vec()].concat();
        file.extend([vec![0, u8::try_from(body.len()).unwrap()], body].concat());
    }
    Module::read(&file).unwrap()
}

const CONTRACT: [&str; 5] = ["interface_version_8", "instantiate", "allocate", "deallocate", "migrate"];

fn build(state_version: Option<&str>) -> Build {
    let module = module(&CONTRACT, state_version);
    let told = module.state_version();
    Build {
        checksum: Digest::of(b"new"),
        facts_version: told.unwrap_or(1),
        is_told: told.is_some(),
        module,
        name: "crates.io:concord-coordinator",
        version: "0.2.0",
    }
}

fn deployed() -> Deployed {
    let address = Address::new("wasm", &[7; 32]).unwrap();
    let text = address.text().to_owned();
    Deployed {
        contract: Contract { code_id: 3, creator: "c".into(), admin: text, label: "l".into() },
        address,
        code: Code { id: 3, creator: "c".into(), checksum: Digest::of(b"old") },
        cw2: Some(Cw2 { contract: "crates.io:concord-coordinator".into(), version: "0.1.0".into() }),
        facts_version: Some(1),
    }
}

/// The texts of what does not hold.
fn against(deployed: &Deployed, build: &Build) -> Vec<String> {
    judge(deployed, build).into_iter().filter(|reason| !reason.holds).map(|reason| reason.text).collect()
}

#[test]
fn a_fitting_build_may_replace_the_deployed_one() {
    let (deployed, build) = (deployed(), build(None));
    assert_eq!(against(&deployed, &build), Vec::<String>::new());
    let answer = shown(&judge(&deployed, &build), &deployed, &build);
    assert!(answer.text.starts_with("yes: "), "{}", answer.text);
    assert_eq!((answer.exit, &answer.json["may_replace"]), (Exit::Ok, &json!(true)));
    assert_eq!(answer.json["deployed"]["facts_version"], 1);
}

#[test]
fn each_thing_that_does_not_fit_is_one_reason() {
    type Change = fn(&mut Deployed, &mut Build);
    let table: [(&str, Change); 10] = [
        ("nothing to replace", |deployed, build| deployed.code.checksum = build.checksum),
        ("lacks the interface", |_, build| build.module = module(&CONTRACT[1..], None)),
        ("no migrate entry point", |_, build| build.module = module(&CONTRACT[..4], None)),
        ("no admin", |deployed, _| deployed.contract.admin.clear()),
        ("found none", |deployed, _| deployed.cw2 = None),
        ("found crates.io:other", |deployed, _| {
            deployed.cw2.as_mut().unwrap().contract = "crates.io:other".into()
        }),
        ("would go back", |deployed, _| deployed.cw2.as_mut().unwrap().version = "0.2.1".into()),
        ("expected versions such as", |deployed, _| deployed.cw2.as_mut().unwrap().version = "two".into()),
        ("found none", |deployed, _| deployed.facts_version = None),
        ("never go back", |deployed, _| deployed.facts_version = Some(2)),
    ];
    for (text, change) in table {
        let (mut deployed, mut build) = (deployed(), build(None));
        change(&mut deployed, &mut build);
        let against = against(&deployed, &build);
        assert!(matches!(against.as_slice(), [one] if one.contains(text)), "{text}: {against:?}");
        assert_eq!(shown(&judge(&deployed, &build), &deployed, &build).exit, Exit::Unexpected);
    }
}

#[test]
fn facts_go_forward_one_version_at_a_time() {
    for (told, old, holds) in [
        (Some("1"), 1, true),
        (Some("2"), 1, true),
        (Some("3"), 1, false),
        (Some("1"), 2, false),
        (None, 1, true),
    ] {
        let deployed = Deployed { facts_version: Some(old), ..deployed() };
        assert_eq!(against(&deployed, &build(told)).is_empty(), holds, "{told:?} over {old}");
    }
    // Without a word of the build, a step is only guessed.
    let silent = Build { facts_version: 2, ..build(None) };
    assert_eq!(against(&deployed(), &silent).len(), 1);
}

#[test]
fn another_admin_is_told() {
    let mut deployed = deployed();
    deployed.contract.admin = "wasm1somebody".into();
    let reasons = judge(&deployed, &build(None));
    assert!(
        reasons.iter().any(|reason| reason.holds && reason.text.contains("without a vote")),
        "{reasons:?}"
    );
}

#[test]
fn versions_are_three_numbers() {
    for (text, version) in [
        ("1.2.3", Some((1, 2, 3))),
        ("1.2.3-rc.1+x", Some((1, 2, 3))),
        ("1.2", None),
        ("1.2.3.4", None),
        ("", None),
        ("a.b.c", None),
    ] {
        assert_eq!(numbers(text), version, "{text}");
    }
}
