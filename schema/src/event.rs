//! Events: one enum writes and reads them. Every event is a log entry; on chain its type is `wasm-concord` and its
//! attributes are the entry's own, then the event's fields in order.

use crate::digest::Digest;
use crate::log::Entry;

/// The event type as the contract writes it; the chain puts `wasm-` before it.
pub const TYPE: &str = "concord";

/// A state change, as written to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute(pub &'static str, pub String);

/// Why attributes are not an entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// A known attribute is missing.
    #[error("the event lacks attribute {key:?}")]
    Missing {
        /// Which.
        key: &'static str,
    },
    /// An attribute is not what it must be.
    #[error("attribute {key:?} is {found:?}, expected {expected}")]
    Malformed {
        /// Which.
        key: &'static str,
        /// Found.
        found: String,
        /// What it must be.
        expected: &'static str,
    },
}

/// What an event looks like, for generated schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// The kind's word.
    pub kind: &'static str,
    /// What happened.
    pub what: &'static str,
    /// Name and meaning of each field, in order.
    pub fields: &'static [(&'static str, &'static str)],
}

macro_rules! events {
    ($($(#[doc = $doc:literal])* $name:ident = $kind:literal {
        $($(#[doc = $fdoc:literal])* $field:ident),* $(,)?
    }),* $(,)?) => {
        /// Everything that can change.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Event {
            $($(#[doc = $doc])* $name { $($(#[doc = $fdoc])* $field: String),* }),*
        }

        impl Event {
            /// All kinds, for readers.
            pub const KINDS: &'static [&'static str] = &[$($kind),*];

            /// The form of each kind, in the order of [`Self::KINDS`].
            pub const FORMS: &'static [Form] = &[$(Form {
                kind: $kind,
                what: concat!($($doc),*),
                fields: &[$((stringify!($field), concat!($($fdoc),*))),*],
            }),*];

            /// The kind's word.
            #[must_use]
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$name { .. } => $kind),* }
            }

            /// The fields, in order.
            #[must_use]
            pub fn fields(&self) -> Vec<(String, String)> {
                match self {
                    $(Self::$name { $($field),* } => vec![$((stringify!($field).to_owned(), $field.clone())),*]),*
                }
            }

            /// Reads an entry's event back; `None` for a kind of a newer contract, which a reader may ignore.
            ///
            /// # Errors
            /// [`EventError::Missing`] for a known kind without one of its fields.
            pub fn read(entry: &Entry) -> Result<Option<Self>, EventError> {
                let field = |key: &'static str| {
                    entry
                        .fields
                        .iter()
                        .find(|(name, _)| name == key)
                        .map(|(_, value)| value.clone())
                        .ok_or(EventError::Missing { key })
                };
                Ok(match entry.kind.as_str() {
                    $($kind => Some(Self::$name { $($field: field(stringify!($field))?),* }),)*
                    _ => None,
                })
            }
        }
    };
}

events! {
    /// The deployment began.
    Instantiated = "instantiated" {
        /// Digest of the rules.
        rules,
        /// Number of components.
        components,
        /// The whole message, as JSON.
        genesis,
    },
    /// A proposal was made.
    Proposed = "proposed" {
        /// Its number.
        proposal,
        /// Its class.
        class,
        /// Digest of its content.
        digest,
        /// Digest of its release, or `-`.
        release,
        /// Its content, as JSON.
        draft,
    },
    /// Its content was replaced.
    Revised = "revised" {
        /// Its number.
        proposal,
        /// Its revision.
        revision,
        /// Digest of its content.
        digest,
        /// Digest of its release, or `-`.
        release,
        /// Its content, as JSON.
        draft,
    },
    /// Its proposer took it back.
    Withdrawn = "withdrawn" {
        /// Its number.
        proposal,
    },
    /// Someone commented.
    Commented = "commented" {
        /// On which.
        proposal,
        /// Digest of the text.
        digest,
        /// Where it is.
        uri,
    },
    /// An auditor attested.
    Attested = "attested" {
        /// Which proposal.
        proposal,
        /// Which revision.
        revision,
        /// Who.
        auditor,
        /// What was done.
        claim,
        /// How it went.
        finding,
        /// The statement's number.
        nonce,
        /// Block time of its end in seconds.
        expires,
        /// By a signature; else by a transaction of the auditor's.
        signed,
    },
    /// The vote opened.
    VoteOpened = "vote_opened" {
        /// Of which proposal.
        proposal,
        /// Sum of all weights.
        total,
    },
    /// Someone voted.
    Voted = "voted" {
        /// On which proposal.
        proposal,
        /// What.
        ballot,
        /// Of what weight.
        weight,
        /// Digest of the rationale, or `-`.
        rationale,
    },
    /// A proposal was executed.
    Executed = "executed" {
        /// Which.
        proposal,
    },
    /// Its execution failed.
    ExecutionFailed = "execution_failed" {
        /// Which.
        proposal,
        /// How often by now.
        attempts,
        /// Which action.
        action,
        /// Where the error comes from.
        codespace,
        /// Its code there.
        code,
    },
    /// A deposit left its proposal.
    DepositSettled = "deposit_settled" {
        /// Which proposal.
        proposal,
        /// `refund` or `treasury`.
        to,
        /// How much.
        amount,
    },
    /// Someone was paid.
    Claimed = "claimed" {
        /// How much.
        amount,
    },
    /// A node was registered or changed.
    Registered = "registered" {
        /// Its number.
        node,
        /// What it runs.
        component,
        /// Its name.
        node_id,
        /// What it counts for.
        power,
        /// The key that reports for it.
        hot_key,
    },
    /// A rollout began.
    RolloutStarted = "rollout_started" {
        /// Its number.
        rollout,
        /// The proposal that decided it.
        proposal,
        /// What is upgraded.
        component,
        /// Digest of the release.
        release,
        /// Registered power.
        registered,
    },
    /// The seed was drawn.
    Drawn = "drawn" {
        /// Of which rollout.
        rollout,
        /// The seed.
        seed,
    },
    /// A node reported.
    Reported = "reported" {
        /// In which rollout.
        rollout,
        /// Which node.
        node,
        /// What.
        report,
        /// About which try.
        attempt,
        /// The rest of it: a height, a reason, a digest.
        detail,
    },
    /// A node said two different things.
    Equivocated = "equivocated" {
        /// In which rollout.
        rollout,
        /// Which node.
        node,
        /// The kind of report.
        report,
    },
    /// A node may be down.
    Leased = "leased" {
        /// In which rollout.
        rollout,
        /// Which node.
        node,
        /// For which try.
        attempt,
        /// What for.
        purpose,
    },
    /// A node waits for a lease.
    LeaseWaits = "lease_waits" {
        /// In which rollout.
        rollout,
        /// Which node.
        node,
        /// On what.
        on,
    },
    /// A lease was given back.
    LeaseReturned = "lease_returned" {
        /// In which rollout.
        rollout,
        /// Which node.
        node,
    },
    /// A lease ran out.
    LeaseExpired = "lease_expired" {
        /// In which rollout.
        rollout,
        /// Which node.
        node,
    },
    /// A wave opened.
    WaveOpened = "wave_opened" {
        /// Of which rollout.
        rollout,
        /// Which wave.
        wave,
        /// Its earliest activation height.
        height,
        /// Nodes that moved into it, by commas, or `-`.
        canaries,
    },
    /// A height that passed under a brake was replaced.
    HeightFixed = "height_fixed" {
        /// Of which rollout.
        rollout,
        /// Which wave.
        wave,
        /// The new height.
        height,
    },
    /// Waiting power moved to the next wave.
    WaitersMoved = "waiters_moved" {
        /// Of which rollout.
        rollout,
        /// From which wave.
        wave,
        /// How much.
        power,
    },
    /// A rollout halted.
    RolloutHalted = "rollout_halted" {
        /// Which.
        rollout,
        /// Why.
        cause,
    },
    /// A halted rollout goes on.
    RolloutResumed = "rollout_resumed" {
        /// Which.
        rollout,
    },
    /// A rollout goes back; its release is denied.
    RollingBack = "rolling_back" {
        /// Which.
        rollout,
        /// Digest of the release.
        release,
    },
    /// A rollout goes back after a stall; its release keeps its standing.
    RollingBackStalled = "rolling_back_stalled" {
        /// Which.
        rollout,
    },
    /// A rollout ended.
    RolloutEnded = "rollout_ended" {
        /// Which.
        rollout,
        /// How.
        outcome,
        /// Power that never reported that it is back.
        unaccounted,
    },
    /// A guardian pulled the brake or added to it.
    Braked = "braked" {
        /// Where.
        scope,
        /// `short` or `full`.
        length,
        /// Block time of its end, at the earliest: a brake above it puts it off.
        until_seconds,
        /// Height of its end, likewise.
        until_height,
    },
    /// A guardian asked for release.
    ReleaseAsked = "release_asked" {
        /// Where.
        scope,
        /// How many asked by now.
        count,
    },
    /// The brake was released.
    BrakeReleased = "brake_released" {
        /// Where.
        scope,
    },
    /// Members changed.
    MembersChanged = "members_changed" {
        /// Set, `account=weight`, by commas.
        set,
        /// Removed, by commas.
        removed,
        /// Sum of all weights after it.
        total,
    },
}

/// The attributes of an entry as the contract writes them: the entry's own first, then the event's fields.
#[must_use]
pub fn attributes(entry: &Entry) -> Vec<(String, String)> {
    let own = [
        ("seq", entry.seq.to_string()),
        ("kind", entry.kind.clone()),
        ("who", entry.who.clone()),
        ("height", entry.height.to_string()),
        ("time", entry.time.to_string()),
        ("prev", entry.prev.to_string()),
        ("prev_height", entry.prev_height.to_string()),
    ];
    own.into_iter().map(|(key, value)| (key.to_owned(), value)).chain(entry.fields.iter().cloned()).collect()
}

/// Reads an entry back from the attributes of a `wasm-concord` event. Keys that the chain adds (`_contract_address`,
/// `msg_index`) are left out. Where an event comes from a submessage, wasmd sorts its attributes by key
/// (`x/wasm/keeper/msg_dispatcher.go`), so the fields of a known kind are put into their own order again.
///
/// # Errors
/// [`EventError`] where an attribute of the entry is missing or malformed.
pub fn read_entry(attributes: &[(String, String)]) -> Result<Entry, EventError> {
    let text = |key: &'static str| {
        attributes
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.clone())
            .ok_or(EventError::Missing { key })
    };
    let number = |key: &'static str| {
        let found = text(key)?;
        found.parse::<u64>().map_err(|_| EventError::Malformed { key, found, expected: "a number" })
    };
    let found = text("prev")?;
    let prev: Digest =
        found.parse().map_err(|_| EventError::Malformed { key: "prev", found, expected: "64 hex digits" })?;
    const OWN: [&str; 9] =
        ["seq", "kind", "who", "height", "time", "prev", "prev_height", "_contract_address", "msg_index"];
    let mut own_height_seen = false;
    let mut fields: Vec<_> = attributes
        .iter()
        .filter(|(key, _)| {
            // A field may be called `height` too: the entry's own comes first.
            let again = key == "height" && own_height_seen;
            own_height_seen |= key == "height";
            again || !OWN.contains(&key.as_str())
        })
        .cloned()
        .collect();
    let kind = text("kind")?;
    if let Some(form) = Event::FORMS.iter().find(|form| form.kind == kind) {
        fields.sort_by_key(|(key, _): &(String, String)| {
            form.fields.iter().position(|(name, _)| name == key).unwrap_or(form.fields.len())
        });
    }
    Ok(Entry {
        seq: number("seq")?,
        prev,
        prev_height: number("prev_height")?,
        height: number("height")?,
        time: number("time")?,
        who: text("who")?,
        kind,
        fields,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Head;

    #[test]
    fn an_entry_survives_the_chain() {
        let event = Event::WaveOpened {
            rollout: "1".into(),
            wave: "0".into(),
            height: "77".into(),
            canaries: "-".into(),
        };
        let entry = Head::default().entry(9, 100, "who", event.kind(), event.fields());
        let mut on_chain = vec![("_contract_address".to_owned(), "wasm1x".to_owned())];
        on_chain.extend(attributes(&entry));
        on_chain.push(("msg_index".to_owned(), "0".to_owned()));
        let back = read_entry(&on_chain).unwrap();
        assert_eq!(back, entry);
        assert_eq!(back.hash(), entry.hash());
        assert_eq!(Event::read(&back), Ok(Some(event)));
    }

    #[test]
    fn an_entry_of_a_submessage_survives_that_the_chain_sorts_it() {
        let mut head = Head::default();
        for form in Event::FORMS {
            let fields =
                form.fields.iter().map(|(name, _)| ((*name).to_owned(), format!("of {name}"))).collect();
            let entry = head.entry(9, 100, "who", form.kind, fields);
            head = Head::after(&entry);
            let mut on_chain = attributes(&entry);
            on_chain.sort_by(|one, two| one.0.cmp(&two.0));
            let back = read_entry(&on_chain).unwrap();
            assert_eq!((back.hash(), back), (entry.hash(), entry), "{}", form.kind);
        }
    }

    #[test]
    fn a_known_kind_without_a_field_is_an_error_and_an_unknown_kind_is_ignored() {
        let entry = |kind: &str| Head::default().entry(1, 1, "who", kind, vec![]);
        assert_eq!(Event::read(&entry("drawn")), Err(EventError::Missing { key: "rollout" }));
        assert_eq!(Event::read(&entry("of_a_newer_contract")), Ok(None));
        assert_eq!(read_entry(&[]), Err(EventError::Missing { key: "prev" }));
    }
}
