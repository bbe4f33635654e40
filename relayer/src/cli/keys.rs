//! `keys`: key files, and who pays for them. A secret comes from a file or standard input, and is never shown.

use std::io::{ErrorKind, IsTerminal, Read};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use zeroize::Zeroizing;

use super::attest::signing_key;
use super::error::CliError;
use super::grant::{self, GrantArgs, RevokeArgs};
use super::output::{Answer, Screen};
use super::passphrase::Passphrases;
use crate::chain::keys::{Key, KeyError, Kind, read_private};
use crate::config::Layers;

/// In the place of a key file's path.
const STANDARD_INPUT: &str = "-";

/// No hex key, no phrase and no key file is longer than this.
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
    /// Reads a key (64 hex digits, a BIP-39 phrase of 12 to 24 words, or a key file) and writes it to a new file
    Import(ImportArgs),
    /// Lets a hot key spend coins of --key's account for the fees of contract calls, up to a bound a period
    Grant(GrantArgs),
    /// Takes such a grant back
    Revoke(RevokeArgs),
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
    /// Seals the key under a passphrase, from --passphrase-file or typed on the terminal
    #[arg(long)]
    pub seal: bool,
}

/// A key to import.
#[derive(Clone, Debug, Args)]
pub struct ImportArgs {
    /// How the new file is made.
    #[command(flatten)]
    pub make: MakeArgs,
    /// Where the key is now (mode 0600); standard input by default
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
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
/// [`CliError::Key`], [`CliError::System`] when standard input cannot be read, and those of a transaction.
pub async fn run(command: &KeysCommand, layers: &Layers, screen: Screen) -> Result<Answer, CliError> {
    let passphrases = Passphrases::of(layers)?;
    match command {
        KeysCommand::Generate(args) => {
            let key = Key::generate(args.kind.into())?;
            create(&key, args, &passphrases)?;
            told(&key, &args.prefix)
        }
        KeysCommand::Show(args) => told(&load(&args.file, &passphrases)?, &args.prefix),
        KeysCommand::Import(args) => {
            let key = import(args, &passphrases)?;
            create(&key, &args.make, &passphrases)?;
            told(&key, &args.make.prefix)
        }
        KeysCommand::Grant(args) => grant::grant(layers, screen, args).await,
        KeysCommand::Revoke(args) => grant::revoke(layers, screen, args).await,
    }
}

/// Loads a key file, or a key from standard input for `-`; an error says which.
///
/// # Errors
/// [`CliError::KeyFile`].
pub fn load(path: &Path, passphrases: &Passphrases) -> Result<Key, CliError> {
    let asked = || passphrases.of_key(path);
    let key = if path == Path::new(STANDARD_INPUT) {
        Key::read(&typed("--key -")?, path, asked)
    } else {
        Key::load_sealed(path, asked)
    };
    key.map_err(|source| CliError::KeyFile { path: path.to_owned(), source })
}

fn import(args: &ImportArgs, passphrases: &Passphrases) -> Result<Key, CliError> {
    let from = args.from.as_deref();
    let text = match from {
        None => typed("concord keys import FILE")?,
        Some(path) => {
            read_private(path).map_err(|source| CliError::KeyFile { path: path.to_owned(), source })?
        }
    };
    if !text.trim_start().starts_with('{') {
        return Ok(Key::import(args.make.kind.into(), &text)?);
    }
    let path = from.unwrap_or(Path::new(STANDARD_INPUT));
    Key::read(&text, path, || passphrases.of_key(path))
        .map_err(|source| CliError::KeyFile { path: path.to_owned(), source })
}

fn create(key: &Key, args: &MakeArgs, passphrases: &Passphrases) -> Result<(), CliError> {
    let made = if args.seal {
        key.create_sealed(&args.file, &args.prefix, &passphrases.of_new_key(&args.file)?)
    } else {
        key.create(&args.file, &args.prefix)
    };
    made.map_err(|error| match error {
        KeyError::File { source, path, .. } if source.kind() == ErrorKind::AlreadyExists => {
            CliError::KeyTaken { path }
        }
        KeyError::Address(_) => error.into(),
        source => CliError::KeyFile { path: args.file.clone(), source },
    })
}

/// The part of an address before its `1`: what a chain calls its accounts with.
pub(super) fn prefix(text: &str) -> Result<String, String> {
    let fits = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    if (1..=PREFIX_LETTERS_MAX).contains(&text.len()) && text.bytes().all(fits) {
        Ok(text.to_owned())
    } else {
        Err(format!("expected 1 to {PREFIX_LETTERS_MAX} lowercase letters and digits, such as wasm"))
    }
}

fn typed(command: &str) -> Result<Zeroizing<String>, CliError> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        // Typing shows on a terminal; a pipe or a file does not.
        return Err(CliError::Usage(format!(
            "expected the key from a pipe or a file, found a terminal; give it as in `{command} < SECRET`"
        )));
    }
    let mut text = Zeroizing::new(String::with_capacity(INPUT_BYTES_MAX as usize));
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
