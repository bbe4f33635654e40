//! Bounds of names and addresses: every text that enters has a limit.

/// The longest name: component, version, platform, organisation, node id, flag.
pub const NAME_MAX: usize = 64;
/// The longest organisation name: short, since a rollout remembers a few.
pub const ORGANISATION_MAX: usize = 32;
/// The longest URI.
pub const URI_MAX: usize = 512;
/// The longest title.
pub const TITLE_MAX: usize = 128;
/// The longest reason in a report.
pub const REASON_MAX: usize = 128;

/// A text outside of its bounds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Too short or too long.
    #[error("{what} must be {min} to {max} bytes long, found {found}")]
    Length {
        /// Which text.
        what: &'static str,
        /// At least.
        min: usize,
        /// At most.
        max: usize,
        /// Found.
        found: usize,
    },
    /// Letters that a name may not have.
    #[error("{what} may hold lower-case letters, digits and - _ . / only, found {found:?}")]
    Name {
        /// Which text.
        what: &'static str,
        /// Found.
        found: String,
    },
    /// Not an address that an agent can fetch from.
    #[error("{what} must begin with https://, http:// or file:///, found {found:?}")]
    Uri {
        /// Which text.
        what: &'static str,
        /// Found.
        found: String,
    },
}

/// Checks a text's length in bytes.
///
/// # Errors
/// [`TextError::Length`].
pub fn bounded(what: &'static str, text: &str, min: usize, max: usize) -> Result<(), TextError> {
    if (min..=max).contains(&text.len()) {
        Ok(())
    } else {
        Err(TextError::Length { what, min, max, found: text.len() })
    }
}

/// Checks a name: 1 to [`NAME_MAX`] of a small alphabet, so that two names never look alike.
///
/// # Errors
/// [`TextError`].
pub fn name(what: &'static str, text: &str) -> Result<(), TextError> {
    bounded(what, text, 1, NAME_MAX)?;
    let allowed = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.' | b'/')
    };
    if text.bytes().all(allowed) { Ok(()) } else { Err(TextError::Name { what, found: text.to_owned() }) }
}

/// Checks a fetchable address.
///
/// # Errors
/// [`TextError`].
pub fn uri(what: &'static str, text: &str) -> Result<(), TextError> {
    bounded(what, text, 1, URI_MAX)?;
    if ["https://", "http://", "file:///"].iter().any(|scheme| text.starts_with(scheme)) {
        Ok(())
    } else {
        Err(TextError::Uri { what, found: text.to_owned() })
    }
}

/// A text as it stands on the chain: attribute values are trimmed there, and empty ones refused. Texts that look the
/// same in an event count as the same.
#[must_use]
pub fn stated(text: &str) -> &str {
    match text.trim() {
        "" => "-",
        trimmed => trimmed,
    }
}
