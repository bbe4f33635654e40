//! Where a person's passphrase comes from: a file that only its owner can read, or a terminal that shows nothing.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::error::CliError;
use crate::chain::keys::KeyError;
use crate::chain::seal::{PASSPHRASE_BYTES_MAX, Passphrase};
use crate::config::Layers;

/// The terminal of this process, whatever its standard input is.
const TERMINAL: &str = "/dev/tty";

/// The source of passphrases.
#[derive(Clone, Debug)]
pub struct Passphrases {
    file: Option<PathBuf>,
}

impl Passphrases {
    /// The configured source: `client.passphrase_file`, else the terminal.
    ///
    /// # Errors
    /// [`CliError::Config`].
    pub fn of(layers: &Layers) -> Result<Self, CliError> {
        Ok(Self { file: layers.passphrase_file()? })
    }

    /// The passphrase of a sealed key file; `None` where there is neither a file nor a terminal.
    ///
    /// # Errors
    /// [`KeyError`]: the passphrase's file, or a passphrase of another length.
    pub fn of_key(&self, path: &Path) -> Result<Option<Passphrase>, KeyError> {
        if let Some(file) = &self.file {
            return Passphrase::load(file).map(Some);
        }
        hidden(&format!("passphrase of {}: ", path.display())).map(Passphrase::new).transpose()
    }

    /// A passphrase for a new key file, asked for twice on a terminal.
    ///
    /// # Errors
    /// [`CliError`]: as [`Passphrases::of_key`], no source at all, or two that differ.
    pub fn of_new_key(&self, path: &Path) -> Result<Passphrase, CliError> {
        let Some(first) = self.of_key(path)? else {
            return Err(KeyError::Sealed { path: path.to_owned() }.into());
        };
        if self.file.is_none() {
            let again = hidden("the same again: ").map(Passphrase::new).transpose()?;
            if !again.is_some_and(|again| again.is(&first)) {
                let text = "expected the same passphrase twice, found two; nothing was written, try again";
                return Err(CliError::Usage(text.to_owned()));
            }
        }
        Ok(first)
    }
}

/// Asks on the terminal without showing what is typed; `None` where there is no terminal.
fn hidden(question: &str) -> Option<Zeroizing<String>> {
    let terminal = File::options().read(true).write(true).open(TERMINAL).ok()?;
    let before = tcgetattr(&terminal).ok()?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    silent.local_modes.insert(LocalModes::ECHONL);
    tcsetattr(&terminal, OptionalActions::Flush, &silent).ok()?;
    let _restored = Restore { terminal: &terminal, before };
    (&terminal).write_all(question.as_bytes()).ok()?;
    let mut line = Zeroizing::new(String::with_capacity(PASSPHRASE_BYTES_MAX + 2));
    BufReader::new((&terminal).take(PASSPHRASE_BYTES_MAX as u64 + 2)).read_line(&mut line).ok()?;
    Some(line)
}

/// Makes the terminal show again what is typed, whatever happens in between.
struct Restore<'t> {
    terminal: &'t File,
    before: Termios,
}

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}
