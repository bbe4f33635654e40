//! Where a person's passphrase comes from: a file that only its owner can read, or a terminal that shows nothing.

use std::fs::File;
use std::io::{BufReader, Read, Write};
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

/// Asks on the terminal without showing what is typed; `None` where there is no terminal, or who sits there gives up.
fn hidden(question: &str) -> Option<Zeroizing<String>> {
    let terminal = File::options().read(true).write(true).open(TERMINAL).ok()?;
    let before = tcgetattr(&terminal).ok()?;
    let mut silent = before.clone();
    // Signals too: a process that an interrupt ends here would leave a terminal that shows nothing.
    silent.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
    tcsetattr(&terminal, OptionalActions::Flush, &silent).ok()?;
    let restored = Restore { terminal: &terminal, before };
    (&terminal).write_all(question.as_bytes()).ok()?;
    let line = line(BufReader::new(&terminal).bytes().map_while(Result::ok));
    drop(restored);
    (&terminal).write_all(b"\n").ok()?;
    line
}

const INTERRUPT: u8 = 0x03;
const END: u8 = 0x04;
const BACKSPACE: u8 = 0x08;
const KILL: u8 = 0x15;
const DELETE: u8 = 0x7f;

/// A line as it is typed, with what a terminal does to lines; `None` for one that is not ended.
fn line(keys: impl Iterator<Item = u8>) -> Option<Zeroizing<String>> {
    let mut typed = Zeroizing::new(Vec::with_capacity(PASSPHRASE_BYTES_MAX + 1));
    for key in keys {
        match key {
            b'\n' | b'\r' => {
                return std::str::from_utf8(&typed).ok().map(|text| Zeroizing::new(text.to_owned()));
            }
            INTERRUPT | END => return None,
            KILL => typed.clear(),
            // A letter may have several bytes; those after the first begin with the bits 10.
            BACKSPACE | DELETE => while typed.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
            // One byte too many is kept, so that a text that is too long shows.
            key if typed.len() <= PASSPHRASE_BYTES_MAX => typed.push(key),
            _ => {}
        }
    }
    None
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_a_terminal_would() {
        let typed = |keys: &str| line(keys.bytes()).map(|text| text.to_string());
        for (keys, text) in [
            ("correct horse\n", Some("correct horse")),
            ("correct\rhorse", Some("correct")),
            ("corx\u{7f}rect\n", Some("correct")),
            ("a\u{e9}\u{7f}b\n", Some("ab")),
            ("\u{7f}\u{8}a\n", Some("a")),
            ("wrong\u{15}right\n", Some("right")),
            ("\n", Some("")),
            ("given up\u{3}\n", None),
            ("given up\u{4}\n", None),
            ("no end", None),
        ] {
            assert_eq!(typed(keys).as_deref(), text, "{keys:?}");
        }
        let long = format!("{}\n", "x".repeat(PASSPHRASE_BYTES_MAX + 9));
        assert!(Passphrase::new(line(long.bytes()).unwrap()).is_err(), "never cut to a fitting one");
    }
}
