//! Where keys come from: phrases, files, and files under a passphrase.

use super::*;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str, mode: u32) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }
}

#[tokio::test]
async fn a_key_is_sealed_shown_and_unsealed_with_a_passphrase_file() {
    let folder = Folder::new();
    let good = folder.write("good", "correct horse\n", 0o600);
    let bad = folder.write("bad", "incorrect horse\n", 0o600);
    let open = folder.write("open", "correct horse\n", 0o644);
    let key = folder.path("sealed.key");
    let made = answer(&format!("keys generate {key} --seal --passphrase-file {good}")).await.unwrap();
    let text = std::fs::read_to_string(&key).unwrap();
    assert!(text.contains("\"sealed\"") && !text.contains("\"key\""), "{text}");
    assert_eq!(answer(&format!("keys show {key} --passphrase-file {good}")).await.unwrap(), made);
    let error = answer(&format!("keys show {key} --passphrase-file {bad}")).await.unwrap_err();
    assert!(matches!(error, CliError::KeyFile { source: KeyError::Passphrase { .. }, .. }), "{error:?}");
    assert_eq!(error.exit(), Exit::Key);
    let error = answer(&format!("keys show {key} --passphrase-file {open}")).await.unwrap_err();
    assert!(matches!(error, CliError::KeyFile { source: KeyError::Mode { .. }, .. }), "{error:?}");

    let bare = folder.path("bare.key");
    let line = format!("keys import {bare} --from {key} --passphrase-file {good}");
    assert_eq!(answer(&line).await.unwrap(), made);
    assert_eq!(answer(&format!("keys show {bare}")).await.unwrap(), made, "unsealed");
    let taken = answer(&format!("keys generate {key} --seal --passphrase-file {good}")).await.unwrap_err();
    assert!(matches!(taken, CliError::KeyTaken { .. }), "{taken}");
}

#[tokio::test]
async fn a_phrase_is_imported_from_a_private_file() {
    let folder = Folder::new();
    let phrase = format!("{}about\n", "abandon ".repeat(11));
    let private = folder.write("phrase", &phrase, 0o600);
    let key = folder.path("key");
    let made = answer(&format!("keys import {key} --from {private} --prefix cosmos")).await.unwrap();
    assert_eq!(made.json["address"], "cosmos19rl4cm2hmr8afy4kldpxz3fka4jguq0auqdal4");
    assert!(!std::fs::read_to_string(&key).unwrap().contains("abandon"));
    let open = folder.write("open", &phrase, 0o640);
    let error = answer(&format!("keys import {} --from {open}", folder.path("other"))).await.unwrap_err();
    assert!(matches!(error, CliError::KeyFile { source: KeyError::Mode { .. }, .. }), "{error:?}");
    let wrong = folder.write("wrong", &"abandon ".repeat(12), 0o600);
    let error = answer(&format!("keys import {} --from {wrong}", folder.path("other"))).await.unwrap_err();
    assert!(crate::causes::told(&error).contains("wrong checksum"), "{error:?}");
    assert!(!Path::new(&folder.path("other")).exists());
}
