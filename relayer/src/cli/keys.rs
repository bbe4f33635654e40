//! `keys`: key files. A secret comes from a file or standard input, and is never shown.

use std::io::{ErrorKind, IsTerminal, Read};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use zeroize::Zeroizing;

use super::attest::signing_key;
use super::error::CliError;
use super::output::Answer;
use crate::chain::keys::{Key, KeyError, Kind};

/// No hex key and no phrase is longer than this.
const INPUT_BYTES_MAX: u64 = 4_096;

/// The longest prefix of a chain's addresses that is known is a third of this.
const PREFIX_LETTERS_MAX: usize = 32;

/// What to do with a key file.
#[derive(Clone, Debug, Subcommand)]
pub enum KeysCommand {
    /// Makes a key and writes it to a new file of mode 0600
    Generate(MakeArgs),
    /// Shows what may be known of a key: its kind, account and public key
    Show(ShowArgs),
    /// Reads a key from standard input (64 hex digits, or a BIP-39 phrase of 24 words) and writes it to a new file
    Import(MakeArgs),
}

/// A key to make.
#[derive(Clone, Debug, Args)]
pub struct MakeArgs {
    /// The new file; one that exists is never replaced
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// What it signs with
    #[arg(long, value_enum, default_value_t = KindWord::Secp256k1)]
    pub kind: KindWord,
    /// The chain's address prefix
    #[arg(long, default_value = "wasm", value_parser = prefix)]
    pub prefix: String,
}

/// A key to show.
#[derive(Clone, Debug, Args)]
pub struct ShowArgs {
    /// The key file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The chain's address prefix
    #[arg(long, default_value = "wasm", value_parser = prefix)]
    pub prefix: String,
}

/// What a key signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KindWord {
    /// Transactions, and auditors' statements
    Secp256k1,
    /// Auditors' statements only
    Ed25519,
}

impl From<KindWord> for Kind {
    fn from(word: KindWord) -> Self {
        match word {
            KindWord::Secp256k1 => Self::Secp256k1,
            KindWord::Ed25519 => Self::Ed25519,
        }
    }
}

/// Runs a command on key files.
///
/// # Errors
/// [`CliError::Key`], and [`CliError::System`] when standard input cannot be read.
pub fn run(command: &KeysCommand) -> Result<Answer, CliError> {
    match command {
        KeysCommand::Generate(args) => {
            let key = Key::generate(args.kind.into())?;
            create(&key, args)?;
            told(&key, &args.prefix)
        }
        KeysCommand::Show(args) => told(&load(&args.file)?, &args.prefix),
        KeysCommand::Import(args) => {
            let key = Key::import(args.kind.into(), &typed()?)?;
            create(&key, args)?;
            told(&key, &args.prefix)
        }
    }
}

/// Loads a key file; an error says which.
///
/// # Errors
/// [`CliError::KeyFile`].
pub fn load(path: &Path) -> Result<Key, CliError> {
    Key::load(path).map_err(|source| CliError::KeyFile { path: path.to_owned(), source })
}

fn create(key: &Key, args: &MakeArgs) -> Result<(), CliError> {
    key.create(&args.file, &args.prefix).map_err(|error| match error {
        KeyError::File { source, path, .. } if source.kind() == ErrorKind::AlreadyExists => {
            CliError::KeyTaken { path }
        }
        KeyError::Address(_) => error.into(),
        source => CliError::KeyFile { path: args.file.clone(), source },
    })
}

/// The part of an address before its `1`: what a chain calls its accounts with.
fn prefix(text: &str) -> Result<String, String> {
    let fits = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    if (1..=PREFIX_LETTERS_MAX).contains(&text.len()) && text.bytes().all(fits) {
        Ok(text.to_owned())
    } else {
        Err(format!("expected 1 to {PREFIX_LETTERS_MAX} lowercase letters and digits, such as wasm"))
    }
}

fn typed() -> Result<Zeroizing<String>, CliError> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        // Typing shows on a terminal; a pipe or a file does not.
        return Err(CliError::Usage(
            "expected the key from a pipe or a file, found a terminal; run `concord keys import FILE < SECRET`"
                .to_owned(),
        ));
    }
    let mut text = Zeroizing::new(String::new());
    let action = || "read the key from standard input".to_owned();
    stdin
        .lock()
        .take(INPUT_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(|source| CliError::System { action: action(), source })?;
    Ok(text)
}

fn told(key: &Key, prefix: &str) -> Result<Answer, CliError> {
    let address = match key.kind() {
        Kind::Secp256k1 => Some(key.address(prefix)?.text().to_owned()),
        Kind::Ed25519 => None,
    };
    let public = hex::encode(key.public());
    let kind = match key.kind() {
        Kind::Secp256k1 => "secp256k1",
        Kind::Ed25519 => "ed25519",
    };
    let shown = address.as_deref().unwrap_or("none: this kind signs statements only");
    let text = format!("kind     {kind}\naddress  {shown}\npubkey   {public}");
    let json = json!({"kind": kind, "address": address, "pubkey": public, "signing_key": signing_key(key)});
    Ok(Answer::new(text, json))
}
