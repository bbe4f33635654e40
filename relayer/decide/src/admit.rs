//! May a release run here? Cheap checks first, and anything but yes is no (design 5, "Verification fails closed").

use concord_schema::release::{Reversibility, Standing};
use concord_schema::{Digest, RolloutId};

use crate::Agent;
use crate::input::{ChainView, RolloutView};
use crate::memory::{DENIED_MAX, Denied, Generation, Target};
use crate::said::reason;
use crate::stage::Stage;
use concord_schema::report::Report;

impl Agent {
    /// Takes a rollout up, and refuses it at once where its release may not run here.
    pub(crate) fn take_up(&mut self, seen: &RolloutView) {
        // Taken up again, its closed tries stay closed: a lease that is on its way back is no lease.
        if self.memory.generation.rollout != seen.id {
            self.memory.closed_attempt = 0;
        }
        self.memory.generation = Generation { rollout: seen.id, attempt: 0 };
        self.memory.hosts_lost = 0;
        self.memory.left_armed = None;
        self.memory.said.clear();
        self.memory.why = None;
        self.memory.target = None;
        self.errand = None;
        self.repeated = None;
        self.returned = None;
        self.memory.retake = false;
        self.fetch_fails = 0;
        if let Some(host) = self.host.as_mut() {
            // It was said of another artifact.
            host.staged = false;
        }
        self.go(Stage::Discovered);
        match self.admit(seen) {
            Ok(target) => self.memory.target = Some(target),
            Err(why) => self.refuse(&why),
        }
    }

    fn admit(&self, seen: &RolloutView) -> Result<Target, String> {
        let release = &seen.release;
        let serves = &self.memory.serves;
        let platform = &self.settings.platform;
        let Some(artifact) = release.artifact(platform) else {
            return Err(format!("release {} has no artifact for {platform}", release.version));
        };
        check_standing(seen.standing)?;
        if self.memory.denies(&seen.rollout.release, &artifact.digest) {
            return Err(format!(
                "release {} failed on this node; its owner must retry it: concord retry",
                release.version
            ));
        }
        if !release.upgrades_from.contains(&serves.version) {
            return Err(format!(
                "release {} cannot replace {}, which runs here",
                release.version, serves.version
            ));
        }
        if artifact.digest == serves.artifact {
            return Err(format!("release {} has the bytes that run here already", release.version));
        }
        let bytes_max = self.settings.artifact_bytes_max;
        if artifact.size_bytes > bytes_max {
            let found = artifact.size_bytes;
            return Err(format!("its artifact has {found} bytes, this node takes {bytes_max}"));
        }
        if release.reversibility == Reversibility::NeedsStateRestore {
            return Err("going back needs the data of before, which this agent does not keep".to_owned());
        }
        Ok(Target {
            release: seen.rollout.release,
            version: release.version.clone(),
            artifact: artifact.clone(),
            previous: serves.clone(),
            rollout_previous: seen.rollout.previous,
            reversibility: release.reversibility,
            trial: seen.rollout.plan.trial.clone(),
        })
    }

    /// Does not take part, and says why where the chain listens.
    pub(crate) fn refuse(&mut self, why: &str) {
        self.errand = None;
        self.memory.why = Some(why.to_owned());
        self.go(Stage::Refused);
        self.memory.said.retain(|said| matches!(said, Report::Ready { .. }));
        self.say_refused();
    }

    /// A refusal is taken while nodes get ready, and not before the draw.
    pub(crate) fn say_refused(&mut self) {
        use concord_schema::rollout::RolloutPhase::{Postponed, Preparing};
        let listens = matches!(self.own_phase(), Some(Preparing | Postponed));
        if let Some(why) = self.memory.why.clone().filter(|_| listens && !self.has_said("refused")) {
            self.say(Report::Refused { reason: reason(&why) });
        }
    }

    /// Remembers what failed here (NODE-5).
    pub(crate) fn deny(&mut self, release: Digest, artifact: Digest) {
        if self.memory.denies(&release, &artifact) {
            return;
        }
        if self.memory.denied.len() >= DENIED_MAX {
            self.memory.denied.remove(0);
        }
        self.memory.denied.push(Denied { release, artifact });
    }

    /// Is this rollout newer than all that this node was told?
    pub(crate) fn is_newer(&self, id: RolloutId) -> bool {
        id > self.memory.generation.rollout || (self.memory.retake && id == self.memory.generation.rollout)
    }
}

/// Only a vote allows a release, and only a vote brings back one that was rolled back (NODE-5).
pub(crate) fn check_standing(standing: Standing) -> Result<(), String> {
    match standing {
        Standing::Allowed => Ok(()),
        Standing::Proposed => Err("its release is proposed and not yet allowed".to_owned()),
        Standing::RolledBack => Err("its release was rolled back; only a vote brings it back".to_owned()),
    }
}

/// Is the release that the rollout brings the one that its component runs now, and none on its way?
pub(crate) fn is_current(view: &ChainView, seen: &RolloutView) -> bool {
    seen.rollout.is_current(&view.component)
}
