//! A wasm file as far as it can be judged without running it: what it exports, and its sections for tools.

use std::collections::{BTreeMap, BTreeSet};

/// A file has at most so many sections, and a contract so many exports.
const COUNT_MAX: usize = 10_000;
/// The section in which a contract tells the version of its state (cosmwasm-std's `migrate_version`).
const STATE_VERSION: &str = "cw_migrate_version";

/// What a wasm file says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Module {
    exports: BTreeSet<String>,
    sections: BTreeMap<String, Vec<u8>>,
}

/// Bytes that are no wasm file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a wasm module, found {found}; build it again")]
pub struct ModuleError {
    found: &'static str,
}

/// The rest of the bytes.
struct Cursor<'b>(&'b [u8]);

impl<'b> Cursor<'b> {
    fn take(&mut self, count: usize) -> Result<&'b [u8], ModuleError> {
        let (head, rest) =
            self.0.split_at_checked(count).ok_or(ModuleError { found: "one that is cut off" })?;
        self.0 = rest;
        Ok(head)
    }

    fn byte(&mut self) -> Result<u8, ModuleError> {
        Ok(self.take(1)?.first().copied().unwrap_or_default())
    }

    /// An unsigned LEB128 number of at most 32 bits.
    fn number(&mut self) -> Result<usize, ModuleError> {
        let mut value = 0_u64;
        for place in 0..5 {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                let fits = u32::try_from(value).ok().and_then(|value| usize::try_from(value).ok());
                return fits.ok_or(ModuleError { found: "a number that is too large" });
            }
        }
        Err(ModuleError { found: "a number that does not end" })
    }

    fn text(&mut self) -> Result<String, ModuleError> {
        let length = self.number()?;
        let text = std::str::from_utf8(self.take(length)?)
            .map_err(|_| ModuleError { found: "a name that is no text" })?;
        Ok(text.to_owned())
    }
}

impl Module {
    /// Reads a wasm file.
    ///
    /// # Errors
    /// [`ModuleError`] for bytes that are none.
    pub fn read(bytes: &[u8]) -> Result<Self, ModuleError> {
        let mut file = Cursor(bytes);
        if file.take(8)? != b"\0asm\x01\0\0\0" {
            return Err(ModuleError { found: "another head" });
        }
        let mut module = Self::default();
        for _ in 0..COUNT_MAX {
            if file.0.is_empty() {
                return Ok(module);
            }
            let kind = file.byte()?;
            let length = file.number()?;
            let mut body = Cursor(file.take(length)?);
            match kind {
                0 => {
                    let name = body.text()?;
                    module.sections.insert(name, body.0.to_vec());
                }
                7 => module.read_exports(&mut body)?,
                _ => {}
            }
        }
        Err(ModuleError { found: "too many sections" })
    }

    fn read_exports(&mut self, body: &mut Cursor<'_>) -> Result<(), ModuleError> {
        let count = body.number()?;
        if count > COUNT_MAX {
            return Err(ModuleError { found: "too many exports" });
        }
        for _ in 0..count {
            let name = body.text()?;
            let kind = body.byte()?;
            body.number()?;
            // Kind 0 is a function.
            if kind == 0 {
                self.exports.insert(name);
            }
        }
        Ok(())
    }

    /// Whether it exports a function of this name.
    #[must_use]
    pub fn exports(&self, name: &str) -> bool {
        self.exports.contains(name)
    }

    /// Whether it is a contract for CosmWasm, as any release since 1.0 takes it.
    #[must_use]
    pub fn is_contract(&self) -> bool {
        ["interface_version_8", "instantiate", "allocate", "deallocate"].iter().all(|name| self.exports(name))
    }

    /// The version of the state that it writes, where it tells.
    #[must_use]
    pub fn state_version(&self) -> Option<u64> {
        std::str::from_utf8(self.sections.get(STATE_VERSION)?).ok()?.trim().parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(kind: u8, body: &[u8]) -> Vec<u8> {
        [&[kind, u8::try_from(body.len()).unwrap()], body].concat()
    }

    fn named(name: &str, rest: &[u8]) -> Vec<u8> {
        [&[u8::try_from(name.len()).unwrap()], name.as_bytes(), rest].concat()
    }

    fn file(sections: &[Vec<u8>]) -> Vec<u8> {
        [b"\0asm\x01\0\0\0".to_vec(), sections.concat()].concat()
    }

    fn contract() -> Vec<u8> {
        let exports =
            ["interface_version_8", "instantiate", "allocate", "deallocate"].map(|name| named(name, &[0, 1]));
        let body = [vec![6], exports.concat(), named("memory", &[2, 0]), named("migrate", &[0, 9])].concat();
        file(&[section(1, &[0]), section(7, &body), section(0, &named(STATE_VERSION, b"2"))])
    }

    #[test]
    fn exports_and_sections_are_read() {
        let module = Module::read(&contract()).unwrap();
        assert!(module.is_contract() && module.exports("migrate"));
        assert!(!module.exports("memory"), "a memory is no function");
        assert_eq!(module.state_version(), Some(2));
        let bare = Module::read(&file(&[])).unwrap();
        assert!(!bare.is_contract());
        assert_eq!(bare.state_version(), None);
    }

    #[test]
    fn every_cut_and_every_odd_length_is_refused_or_read_without_a_fault() {
        let whole = contract();
        for end in 0..whole.len() {
            let _ = Module::read(&whole[..end]);
        }
        for bytes in [
            b"".to_vec(),
            b"\0asm\x02\0\0\0".to_vec(),
            file(&[vec![7, 0xff, 0xff, 0xff, 0xff, 0x0f]]),
            file(&[vec![7, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]]),
            file(&[section(7, &[0xff, 0xff, 0x7f])]),
            file(&[section(0, &named("x", b""))[..3].to_vec()]),
            file(&[section(0, &[2, 0xff, 0xfe])]),
        ] {
            assert!(Module::read(&bytes).is_err(), "{bytes:?}");
        }
    }
}
