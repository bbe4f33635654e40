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
    #[error(
        "{what} may hold lower-case letters, digits and - _ . only, in parts between single slashes that are not . or .., found {found:?}"
    )]
    Name {
        /// Which text.
        what: &'static str,
        /// Found.
        found: String,
    },
    /// Not a version.
    #[error("{what} must be a semantic version like 1.2.3 or 2.0.0-rc.1, found {found:?}: {why}")]
    Version {
        /// Which text.
        what: &'static str,
        /// Found.
        found: String,
        /// What is wrong with it.
        why: String,
    },
    /// Not an address at all.
    #[error(
        "{what} must be an address with a scheme, like https:// or ipfs://, in visible ASCII, found {found:?}"
    )]
    Address {
        /// Which text.
        what: &'static str,
        /// Found.
        found: String,
    },
    /// Not an address that an agent can fetch from.
    #[error("{what} must begin with https://, http:// or file:///, in visible ASCII, found {found:?}")]
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

/// Checks a name: 1 to [`NAME_MAX`] of a small alphabet, so that two names never look alike, and none leads out of a
/// folder.
///
/// # Errors
/// [`TextError`].
pub fn name(what: &'static str, text: &str) -> Result<(), TextError> {
    bounded(what, text, 1, NAME_MAX)?;
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.');
    let part = |part: &str| !matches!(part, "" | "." | "..") && part.bytes().all(allowed);
    if text.split('/').all(part) { Ok(()) } else { Err(TextError::Name { what, found: text.to_owned() }) }
}

/// Checks a semantic version (semver.org 2.0.0): 1 to [`NAME_MAX`] bytes.
///
/// # Errors
/// [`TextError`].
pub fn version(what: &'static str, text: &str) -> Result<(), TextError> {
    bounded(what, text, 1, NAME_MAX)?;
    match semver::Version::parse(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(TextError::Version { what, found: text.to_owned(), why: error.to_string() }),
    }
}

fn is_visible(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Checks the address of a document, which people read: any scheme (RFC 3986, 3.1).
///
/// # Errors
/// [`TextError`].
pub fn address(what: &'static str, text: &str) -> Result<(), TextError> {
    bounded(what, text, 1, URI_MAX)?;
    let scheme = |scheme: &str| {
        scheme.starts_with(|first: char| first.is_ascii_lowercase())
            && scheme.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.')
            })
    };
    let parts = text.split_once(':');
    if is_visible(text) && parts.is_some_and(|(before, rest)| scheme(before) && !rest.is_empty()) {
        Ok(())
    } else {
        Err(TextError::Address { what, found: text.to_owned() })
    }
}

/// Checks a fetchable address.
///
/// # Errors
/// [`TextError`].
pub fn uri(what: &'static str, text: &str) -> Result<(), TextError> {
    bounded(what, text, 1, URI_MAX)?;
    let known = ["https://", "http://", "file:///"]
        .iter()
        .any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
    if is_visible(text) && known { Ok(()) } else { Err(TextError::Uri { what, found: text.to_owned() }) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_of_a_small_alphabet_and_leads_out_of_no_folder() {
        for (text, is_name) in [
            ("oracle-feeder_2.x", true),
            ("a/b", true),
            (&"x".repeat(64), true),
            (&"x".repeat(65), false),
            ("", false),
            ("Feeder", false),
            ("a b", false),
            ("*", false),
            ("..", false),
            (".", false),
            ("...", true),
            ("a/../b", false),
            ("/a", false),
            ("a/", false),
            ("a//b", false),
        ] {
            assert_eq!(name("component", text).is_ok(), is_name, "{text:?}");
        }
    }

    #[test]
    fn a_version_is_semantic() {
        let long = format!("1.0.0-{}", "x".repeat(58));
        for (text, is_version) in [
            ("1.2.3", true),
            ("0.0.0", true),
            ("2.0.0-rc.1+build.5", true),
            (long.as_str(), true),
            (&format!("{long}x"), false),
            ("", false),
            ("1.2", false),
            ("v1.2.3", false),
            ("1.2.3.4", false),
            ("01.2.3", false),
            ("1.2.3 ", false),
            ("latest", false),
        ] {
            assert_eq!(version("version", text).is_ok(), is_version, "{text:?}");
        }
    }

    #[test]
    fn people_read_any_scheme_and_agents_fetch_three() {
        let long = format!("https://{}", "x".repeat(504));
        for (text, is_address, is_fetchable) in [
            ("https://a.example/b", true, true),
            ("http://a.example", true, true),
            ("file:///srv/a", true, true),
            (long.as_str(), true, true),
            (&format!("{long}x"), false, false),
            ("ipfs://bafy", true, false),
            ("urn:isbn:1", true, false),
            ("file://host/a", true, false),
            ("https://", true, false),
            ("https:", false, false),
            ("a.example/b", false, false),
            ("1a:b", false, false),
            ("Https://a", false, false),
            ("https://a b", false, false),
            ("https://a\n", false, false),
            ("https://é", false, false),
            ("", false, false),
        ] {
            assert_eq!(address("rationale", text).is_ok(), is_address, "{text:?}");
            assert_eq!(uri("artifact URI", text).is_ok(), is_fetchable, "{text:?}");
        }
    }
}
