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
fn phrases_of_every_length_are_taken() {
    // BIP-39's all-zero phrases of 12 and 18 words at m/44'/118'/0'/0/0.
    let short = format!("{}about", "abandon ".repeat(11));
    let key = Key::import(Kind::Secp256k1, &short).unwrap();
    assert_eq!(key.address("cosmos").unwrap().text(), "cosmos19rl4cm2hmr8afy4kldpxz3fka4jguq0auqdal4");
    assert!(Key::import(Kind::Secp256k1, &format!("{}agent", "abandon ".repeat(17))).is_ok());
    assert!(Key::import(Kind::Secp256k1, &format!("{}about", "abandon ".repeat(10))).is_err());
}

#[test]
fn a_sealed_key_comes_back_with_its_passphrase_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sealed.json");
    let phrase = |text: &str| Passphrase::new(Zeroizing::new(text.to_owned()));
    let key = Key::generate(Kind::Secp256k1).unwrap();
    key.create_sealed(&path, "wasm", &phrase("correct horse").unwrap()).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains(&hex::encode(key.secret_bytes())) && text.contains("xchacha20poly1305"), "{text}");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    let back = Key::load_sealed(&path, || phrase("correct horse").map(Some)).unwrap();
    assert_eq!(back.public(), key.public());
    assert!(matches!(Key::load(&path), Err(KeyError::Sealed { .. })));
    let wrong = Key::load_sealed(&path, || phrase("incorrect horse").map(Some));
    assert!(matches!(wrong, Err(KeyError::Passphrase { .. })));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let asked = || panic!("nobody is asked for a passphrase of a file that is refused");
    assert!(matches!(Key::load_sealed(&path, asked), Err(KeyError::Mode { .. })));
}

#[test]
fn a_passphrase_file_is_as_private_as_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("passphrase");
    std::fs::write(&path, "correct horse\n").unwrap();
    for (mode, fine) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(Passphrase::load(&path).is_ok(), fine, "{mode:o}");
    }
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
