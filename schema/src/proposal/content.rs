//! A draft as it is stored: its release is a key of its own, so that a kilobyte is not paid for twice.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Action, Draft};
use crate::digest::Digest;
use crate::plan::Plan;
use crate::release::{Document, Release};

/// The start of a rollout, with its release by digest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Start {
    /// Its place among the actions.
    pub place: u8,
    /// The release.
    pub release: Digest,
    /// How.
    pub plan: Plan,
}

/// Stored content of a proposal: its draft, with the release by digest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Content {
    /// Version of these facts.
    pub v: u8,
    /// As [`Draft::title`].
    pub title: String,
    /// As [`Draft::rationale`].
    pub rationale: Document,
    /// All actions but the start of a rollout, in order.
    pub actions: Vec<Action>,
    /// The start of a rollout; a draft holds at most one ([`Draft::check`]).
    pub start: Option<Start>,
}

impl Content {
    /// A draft without its release.
    #[must_use]
    pub fn of(draft: &Draft) -> Self {
        let mut start = None;
        let mut actions = Vec::new();
        for (place, action) in draft.actions.iter().enumerate() {
            match action {
                Action::StartRollout { release, plan } => {
                    let place = u8::try_from(place).unwrap_or(u8::MAX);
                    start = Some(Start { place, release: release.digest(), plan: plan.as_ref().clone() });
                }
                other => actions.push(other.clone()),
            }
        }
        Self { v: 1, title: draft.title.clone(), rationale: draft.rationale.clone(), actions, start }
    }

    /// The draft again. `release`: the one that `start` names.
    #[must_use]
    pub fn draft(self, release: Option<Release>) -> Draft {
        let Self { title, rationale, mut actions, start, .. } = self;
        if let (Some(Start { place, plan, .. }), Some(release)) = (start, release) {
            let place = usize::from(place).min(actions.len());
            let (release, plan) = (Box::new(release), Box::new(plan));
            actions.insert(place, Action::StartRollout { release, plan });
        }
        Draft { title, rationale, actions }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::{sample_plan, sample_release};
    use crate::units::RolloutId;

    #[test]
    fn a_draft_comes_back_as_it_was_wherever_its_rollout_starts() {
        let start =
            Action::StartRollout { release: Box::new(sample_release()), plan: Box::new(sample_plan()) };
        let cancel = |rollout| Action::CancelRollout { rollout: RolloutId(rollout) };
        for actions in [
            vec![start.clone()],
            vec![cancel(1)],
            vec![start.clone(), cancel(1), cancel(2)],
            vec![cancel(1), start.clone(), cancel(2)],
            vec![cancel(1), cancel(2), start],
        ] {
            let rationale = Document { digest: Digest::of(b"why"), uri: "https://forum.example/1".into() };
            let draft = Draft { title: "a title".into(), rationale, actions };
            let content = Content::of(&draft);
            let release = draft.rollout().map(|(release, _)| release.clone());
            assert_eq!(
                content.start.as_ref().map(|start| start.release),
                release.as_ref().map(Release::digest)
            );
            assert_eq!(content.draft(release), draft);
        }
    }
}
