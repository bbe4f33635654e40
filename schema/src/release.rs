//! A release: one version of a component, immutable, named by its digest.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::{Canonical, Digest};
use crate::rules::Class;
use crate::text::{self, TextError};
use crate::units::RolloutId;

/// The most platforms of a release.
pub const ARTIFACTS_MAX: usize = 16;
/// The most addresses of one artifact.
pub const URIS_MAX: usize = 8;
/// The most versions, compatibility rows or flags of a release.
pub const ROWS_MAX: usize = 32;
/// The largest artifact: 4 GiB.
pub const ARTIFACT_BYTES_MAX: u64 = 4 << 30;

/// A document that lives elsewhere: its digest and where to find it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Document {
    /// SHA-256 of the document.
    pub digest: Digest,
    /// Where to read it.
    pub uri: String,
}

/// The bytes of a release for one platform.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Artifact {
    /// Rust's words for a platform: `x86_64-linux`.
    pub platform: String,
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// Exact length: fetching stops there.
    pub size_bytes: u64,
    /// Where to fetch it, tried in order: `https`, `http` or `file`.
    pub uris: Vec<String>,
}

/// Versions of another component that this release works with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Compatibility {
    /// The other component.
    pub component: String,
    /// Its versions.
    pub versions: Vec<String>,
}

/// The protocol versions that a release speaks, both ends included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct ProtocolRange {
    /// The oldest.
    pub min: u64,
    /// The newest.
    pub max: u64,
}

/// How an upgrade to a release can be undone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[derive(Copy, Eq)]
pub enum Reversibility {
    /// The old binary runs on the new one's data.
    BinaryOnly,
    /// Going back needs the data of before.
    NeedsStateRestore,
    /// There is no way back: only containment.
    ForwardOnly,
}

impl Reversibility {
    /// The class of an upgrade that can be undone like this.
    #[must_use]
    pub const fn class(self) -> Class {
        match self {
            Self::BinaryOnly => Class::Standard,
            Self::NeedsStateRestore | Self::ForwardOnly => Class::Critical,
        }
    }
}

/// A release's full metadata.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Release {
    /// The component that it is a version of.
    pub component: String,
    /// Semantic version.
    pub version: String,
    /// One a platform.
    pub artifacts: Vec<Artifact>,
    /// Versions that it can replace; empty only for a baseline.
    pub upgrades_from: Vec<String>,
    /// What it works with.
    pub compatibility: Vec<Compatibility>,
    /// What it speaks.
    pub protocol: ProtocolRange,
    /// Feature flags that it brings.
    pub flags: Vec<String>,
    /// How it can be undone.
    pub reversibility: Reversibility,
    /// The written rollback procedure.
    pub rollback_procedure: Option<Document>,
}

/// What a release may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Written at propose; no node may run it.
    Proposed,
    /// A vote, or the instantiation, allowed it.
    Allowed,
    /// It failed on two organisations' nodes, or a vote took it back: denied until a vote (NODE-5).
    RolledBack,
}

/// Stored facts of a release, by its digest: presence that agents prove. Its metadata is a key of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ReleaseFacts {
    /// Version of these facts.
    pub v: u8,
    /// What it may do now.
    pub standing: Standing,
    /// The rollout that was taken back with it, the newest one; kept when a vote allows it again.
    #[serde(rename = "by", default, skip_serializing_if = "Option::is_none")]
    pub rolled_back_by: Option<RolloutId>,
}

impl ReleaseFacts {
    /// Is it denied, and was that said of this rollout?
    #[must_use]
    pub fn is_taken_back_by(&self, rollout: RolloutId) -> bool {
        self.standing == Standing::RolledBack && self.rolled_back_by == Some(rollout)
    }

    /// Facts of a release that was never taken back.
    #[must_use]
    pub const fn new(standing: Standing) -> Self {
        Self { v: 1, standing, rolled_back_by: None }
    }
}

/// Why a release is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    /// A text is out of bounds.
    #[error("{0}")]
    Text(#[from] TextError),
    /// A list is empty or too long.
    #[error("{what} must hold {min} to {max} entries, found {found}")]
    Count {
        /// Which list.
        what: &'static str,
        /// At least.
        min: usize,
        /// At most.
        max: usize,
        /// Found.
        found: usize,
    },
    /// An entry stands twice in a list.
    #[error("{what} lists {entry:?} twice; each may stand once")]
    Duplicate {
        /// Which list.
        what: &'static str,
        /// The entry.
        entry: String,
    },
    /// An artifact of no bytes, or of more than the limit.
    #[error("artifact for {platform} declares {found} bytes; 1 to {ARTIFACT_BYTES_MAX} are allowed")]
    Size {
        /// The platform.
        platform: String,
        /// Declared.
        found: u64,
    },
    /// It would replace itself.
    #[error("upgrades_from lists {version}, the release's own version; give it a version of its own")]
    Itself {
        /// The version.
        version: String,
    },
    /// The protocol range is upside down.
    #[error("protocol range {min} to {max} is empty; min must not exceed max")]
    Protocol {
        /// The oldest.
        min: u64,
        /// The newest.
        max: u64,
    },
    /// A release that can be undone must say how.
    #[error("a release that needs a state restore must bring its rollback procedure")]
    NoRollbackProcedure,
}

/// Checks a list's length.
///
/// # Errors
/// [`ReleaseError::Count`] outside of `min..=max`.
pub fn count(what: &'static str, found: usize, min: usize, max: usize) -> Result<(), ReleaseError> {
    if (min..=max).contains(&found) { Ok(()) } else { Err(ReleaseError::Count { what, min, max, found }) }
}

/// Refuses a list in which an entry stands twice: duplicates are never merged.
///
/// # Errors
/// [`ReleaseError::Duplicate`] names the entry.
pub fn distinct<'a>(
    what: &'static str,
    entries: impl Iterator<Item = &'a str> + Clone,
) -> Result<(), ReleaseError> {
    let mut sorted: Vec<&str> = entries.collect();
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair.first() == pair.last()) {
        Some(pair) => {
            Err(ReleaseError::Duplicate { what, entry: pair.first().copied().unwrap_or_default().to_owned() })
        }
        None => Ok(()),
    }
}

impl Document {
    /// Checks the address.
    ///
    /// # Errors
    /// [`TextError`] for an address out of bounds.
    pub fn check(&self, what: &'static str) -> Result<(), TextError> {
        text::address(what, &self.uri)
    }

    fn write(&self, canonical: Canonical) -> Canonical {
        canonical.bytes(&self.digest.0).text(&self.uri)
    }
}

impl Release {
    /// Checks every bound; `baseline` is the release a component starts from, which replaces nothing.
    ///
    /// # Errors
    /// The first [`ReleaseError`] found.
    pub fn check(&self, baseline: bool) -> Result<(), ReleaseError> {
        text::name("component", &self.component)?;
        text::version("version", &self.version)?;
        count("artifacts", self.artifacts.len(), 1, ARTIFACTS_MAX)?;
        distinct("artifacts", self.artifacts.iter().map(|artifact| artifact.platform.as_str()))?;
        for artifact in &self.artifacts {
            artifact.check(baseline)?;
        }
        count("upgrades_from", self.upgrades_from.len(), usize::from(!baseline), ROWS_MAX)?;
        distinct("upgrades_from", self.upgrades_from.iter().map(String::as_str))?;
        count("compatibility", self.compatibility.len(), 0, ROWS_MAX)?;
        distinct("compatibility", self.compatibility.iter().map(|row| row.component.as_str()))?;
        for row in &self.compatibility {
            text::name("compatibility component", &row.component)?;
            count("compatibility versions", row.versions.len(), 1, ROWS_MAX)?;
            for version in &row.versions {
                text::version("compatibility version", version)?;
            }
        }
        for version in &self.upgrades_from {
            text::version("upgrades_from", version)?;
        }
        if self.upgrades_from.contains(&self.version) {
            return Err(ReleaseError::Itself { version: self.version.clone() });
        }
        count("flags", self.flags.len(), 0, ROWS_MAX)?;
        distinct("flags", self.flags.iter().map(String::as_str))?;
        for flag in &self.flags {
            text::name("flag", flag)?;
        }
        let ProtocolRange { min, max } = self.protocol;
        if min > max {
            return Err(ReleaseError::Protocol { min, max });
        }
        match (&self.rollback_procedure, self.reversibility) {
            (None, Reversibility::NeedsStateRestore) => Err(ReleaseError::NoRollbackProcedure),
            (Some(procedure), _) => Ok(procedure.check("rollback procedure")?),
            (None, _) => Ok(()),
        }
    }

    /// The name of this release: the digest of all its fields. Platforms are taken in the order given.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let canonical = Canonical::new("concord/release/1")
            .text(&self.component)
            .text(&self.version)
            .list(&self.artifacts, |canonical, artifact| {
                canonical
                    .text(&artifact.platform)
                    .bytes(&artifact.digest.0)
                    .number(artifact.size_bytes)
                    .list(&artifact.uris, |canonical, uri| canonical.text(uri))
            })
            .list(&self.upgrades_from, |canonical, version| canonical.text(version))
            .list(&self.compatibility, |canonical, row| {
                canonical
                    .text(&row.component)
                    .list(&row.versions, |canonical, version| canonical.text(version))
            })
            .number(self.protocol.min)
            .number(self.protocol.max)
            .list(&self.flags, |canonical, flag| canonical.text(flag))
            .number(match self.reversibility {
                Reversibility::BinaryOnly => 0,
                Reversibility::NeedsStateRestore => 1,
                Reversibility::ForwardOnly => 2,
            });
        match &self.rollback_procedure {
            Some(procedure) => procedure.write(canonical.number(1)),
            None => canonical.number(0),
        }
        .digest()
    }

    /// Can it take the place of this version?
    #[must_use]
    pub fn replaces(&self, version: &str) -> bool {
        self.upgrades_from.iter().any(|from| from == version)
    }

    /// The artifact for a platform.
    #[must_use]
    pub fn artifact(&self, platform: &str) -> Option<&Artifact> {
        self.artifacts.iter().find(|artifact| artifact.platform == platform)
    }

    /// The digest over all platforms' digests: what auditors agree on.
    #[must_use]
    pub fn platforms_digest(&self) -> Digest {
        Canonical::new("concord/platforms/1")
            .list(&self.artifacts, |canonical, artifact| {
                canonical.text(&artifact.platform).bytes(&artifact.digest.0)
            })
            .digest()
    }
}

impl Artifact {
    fn check(&self, baseline: bool) -> Result<(), ReleaseError> {
        text::name("platform", &self.platform)?;
        if self.size_bytes == 0 || self.size_bytes > ARTIFACT_BYTES_MAX {
            return Err(ReleaseError::Size { platform: self.platform.clone(), found: self.size_bytes });
        }
        count("artifact URIs", self.uris.len(), usize::from(!baseline), URIS_MAX)?;
        distinct("artifact URIs", self.uris.iter().map(String::as_str))?;
        for uri in &self.uris {
            text::uri("artifact URI", uri)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::sample_release;

    #[test]
    fn a_release_replaces_others_and_never_itself() {
        let mut release = sample_release();
        assert_eq!(release.check(false), Ok(()));
        release.upgrades_from.push(release.version.clone());
        assert_eq!(release.check(false), Err(ReleaseError::Itself { version: release.version.clone() }));
    }
}
