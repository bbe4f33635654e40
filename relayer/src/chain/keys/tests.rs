use std::os::unix::fs::PermissionsExt;

use super::*;

const PHRASE: &str = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon \
                      abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon art";

#[test]
fn a_made_key_comes_back_from_its_file() {
    let folder = tempfile::tempdir().unwrap();
    for kind in [Kind::Secp256k1, Kind::Ed25519] {
        let path = folder.path().join(format!("{kind:?}.json"));
        let key = Key::generate(kind).unwrap();
        key.create(&path, "wasm").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        let back = Key::load(&path).unwrap();
        assert_eq!(back.public(), key.public());
        assert_eq!(back.sign(b"x"), key.sign(b"x"));
        assert!(
            matches!(key.create(&path, "wasm"), Err(KeyError::File { verb: "create", .. })),
            "never replaced"
        );
    }
}

#[test]
fn only_files_that_nobody_else_can_touch_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hot.key");
    std::fs::write(&path, format!("{}\n", "07".repeat(32))).unwrap();
    for (mode, fine) in [
        (0o600, true),
        (0o400, true),
        (0o700, false),
        (0o640, false),
        (0o604, false),
        (0o620, false),
        (0o602, false),
        (0o644, false),
        (0o666, false),
        (0o4600, false),
    ] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        match Key::load(&path) {
            Ok(_) => assert!(fine, "{mode:o} was accepted"),
            Err(KeyError::Mode { mode: found, .. }) => assert!(!fine && found == mode, "{mode:o}"),
            Err(error) => panic!("{mode:o}: {error}"),
        }
    }
    let error = Key::load(&path).unwrap_err().to_string();
    assert!(error.contains("chmod 600") && error.contains("4600"), "{error}");
    assert!(matches!(Key::load(folder.path()), Err(KeyError::NoFile { .. })));
    assert!(matches!(Key::load(&folder.path().join("none")), Err(KeyError::File { verb: "open", .. })));
}

#[test]
fn no_secret_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.json");
    let secret = "0b".repeat(32);
    let key = Key::import(Kind::Secp256k1, &secret).unwrap();
    assert!(!format!("{key:?}").contains(&secret));
    for text in [
        format!("{{\"kind\":\"secp256k1\",\"pubkey\":\"00\",\"key\":\"{secret}\"}}"),
        format!("{{\"kind\":\"secp256k1\",\"pubkey\":\"00\",\"key\":\"{secret}\",\"{secret}\":1}}"),
        format!("{{\"kind\":\"{secret}\"}}"),
        format!("{secret}0"),
        format!("{secret} {secret}"),
        String::new(),
        "00".repeat(32),
        "x".repeat(5000),
    ] {
        std::fs::write(&path, &text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let error = Key::load(&path).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(&secret), "{error:?}");
    }
}

#[test]
fn the_known_phrase_gives_its_known_key() {
    // BIP-39's all-zero phrase of 24 words at m/44'/118'/0'/0/0.
    let key = Key::import(Kind::Secp256k1, PHRASE).unwrap();
    let spaced = PHRASE.replace(' ', "  \n");
    assert_eq!(Key::import(Kind::Secp256k1, &spaced).unwrap().public(), key.public());
    assert_eq!(key.address("cosmos").unwrap().text(), "cosmos1r5v5srda7xfth3hn2s26txvrcrntldjumt8mhl");
    assert!(Key::import(Kind::Ed25519, PHRASE).is_err());
    assert!(Key::import(Kind::Secp256k1, &PHRASE.replace("art", "able")).is_err());
}

#[test]
fn an_address_is_ripemd_of_sha_in_bech32() {
    // The account of the private key 1 (the curve's generator).
    let mut one = [0_u8; 32];
    one[31] = 1;
    let key = Key::from_bytes(Kind::Secp256k1, &one).unwrap();
    assert_eq!(hex::encode(key.address("wasm").unwrap().bytes()), "751e76e8199196d454941c45d1b3a323f1433bd6");
    assert!(Key::generate(Kind::Ed25519).unwrap().address("wasm").is_err());
}
