//! A host that is not there: links, store, one daemon, and what the journal allowed on it.

use std::collections::BTreeSet;

use concord_decide::{DaemonView, DiskView, Effect, Ended, Input, Link, Verdict};
use concord_schema::Digest;

use crate::failure::{Breach, hold};
use crate::profile::Mood;

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) run: u64,
    pub(crate) digest: Digest,
    pub(crate) since_ms: u64,
    pub(crate) probes: u64,
}

/// The host of one node.
#[derive(Clone, Debug)]
pub(crate) struct FakeHost {
    pub(crate) current: Digest,
    pub(crate) previous: Option<Digest>,
    pub(crate) store: BTreeSet<Digest>,
    /// All bytes that were ever decided on.
    pub(crate) known: BTreeSet<Digest>,
    pub(crate) daemon: Option<Process>,
    /// How often the host started.
    pub(crate) boot: u64,
    /// Moods of bytes that are bad here.
    pub(crate) moods: Vec<(Digest, Mood)>,
    /// What was rolled back here, and may never run again by itself.
    pub(crate) banned: BTreeSet<Digest>,
    /// What it goes back from.
    pub(crate) leaves: Option<Digest>,
    /// Lies about stops.
    pub(crate) stops_nothing: bool,
}

/// The newest start, as the journal knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Started {
    pub(crate) run: u64,
    pub(crate) boot: u64,
}

impl FakeHost {
    pub(crate) fn new(baseline: Digest) -> Self {
        Self {
            current: baseline,
            previous: None,
            store: BTreeSet::from([baseline]),
            known: BTreeSet::from([baseline]),
            daemon: None,
            boot: 1,
            moods: Vec::new(),
            banned: BTreeSet::new(),
            leaves: None,
            stops_nothing: false,
        }
    }

    fn mood(&self, digest: &Digest) -> Mood {
        self.moods.iter().find(|(of, _)| of == digest).map_or(Mood::Well, |(_, mood)| *mood)
    }

    /// Does this release end by itself, again and again?
    pub(crate) fn ends_by_itself(&self, digest: &Digest) -> bool {
        matches!(self.mood(digest), Mood::ExitsAfter(_))
    }

    /// What a look finds; `started` is what the journal knows of the newest start.
    pub(crate) fn look(&self, started: Option<Started>, target: Option<Digest>) -> DiskView {
        let daemon = match (&self.daemon, started) {
            (Some(process), _) => DaemonView::Running { digest: process.digest },
            (None, Some(started)) if started.boot != self.boot => DaemonView::HostLost,
            (None, _) => DaemonView::Dead,
        };
        DiskView {
            current: Link::To(self.current),
            previous: self.previous,
            daemon,
            staged: target.is_some_and(|digest| self.store.contains(&digest)),
        }
    }

    /// Does what an effect says; `fails` has it fail instead. The answer, where there is one.
    pub(crate) fn perform(
        &mut self,
        effect: &Effect,
        now_ms: u64,
        fails: bool,
    ) -> Result<Option<Input>, Breach> {
        let ended: Ended = if fails { Err("it did not go well".to_owned()) } else { Ok(()) };
        Ok(match effect {
            Effect::Fetch { artifact } => {
                if !fails {
                    self.store.insert(artifact.digest);
                }
                Some(Input::Fetched { digest: artifact.digest, ended })
            }
            Effect::Stage { digest } => {
                let ended = if self.store.contains(digest) { ended } else { Err("not there".to_owned()) };
                Some(Input::Staged { digest: *digest, ended })
            }
            Effect::Drain => Some(Input::Drained(ended)),
            Effect::Undrain => Some(Input::Undrained(ended)),
            Effect::Snapshot => Some(Input::Snapshotted(ended)),
            Effect::Stop { run } => {
                if !fails && !self.stops_nothing {
                    self.daemon = None;
                }
                Some(Input::Stopped { run: *run, ended })
            }
            Effect::Switch { to } => Some(Input::Switched { to: *to, ended: self.switch(*to, ended) }),
            Effect::Spawn { run, digest } => Some(self.spawn(*run, *digest, now_ms, ended)?),
            Effect::Look
            | Effect::StartProbing { .. }
            | Effect::StopProbing
            | Effect::Commit
            | Effect::Report { .. }
            | Effect::AskLease { .. }
            | Effect::ReturnLease { .. }
            | Effect::Crank { .. } => None,
        })
    }

    fn switch(&mut self, to: Digest, ended: Ended) -> Ended {
        if ended.is_ok() && !self.store.contains(&to) {
            return Err("the artifact is not in the store".to_owned());
        }
        if ended.is_ok() && self.current != to {
            self.previous = Some(self.current);
            self.current = to;
        }
        ended
    }

    /// NODE-4 and NODE-5 are checked where a process would begin.
    fn spawn(&mut self, run: u64, digest: Digest, now_ms: u64, ended: Ended) -> Result<Input, Breach> {
        hold("NODE-4", self.daemon.is_none(), || {
            format!("run {run} of {} beside {:?}", digest.short(), self.daemon)
        })?;
        hold("NODE-4", self.current == digest, || {
            format!("run {run} is of {}, `current` is {}", digest.short(), self.current.short())
        })?;
        hold("NODE-5", !self.banned.contains(&digest), || {
            format!("run {run} starts {} again, which was rolled back here", digest.short())
        })?;
        if ended.is_ok() {
            self.daemon = Some(Process { run, digest, since_ms: now_ms, probes: 0 });
        }
        Ok(Input::Spawned { run, ended })
    }

    /// Removes what neither link needs, nor `keep`.
    pub(crate) fn collect(&mut self, keep: Option<Digest>) {
        let (current, previous) = (self.current, self.previous);
        self.store.retain(|digest| *digest == current || Some(*digest) == previous || Some(*digest) == keep);
    }

    /// What a probe says now.
    pub(crate) fn probe(&mut self) -> Verdict {
        let Some(digest) = self.daemon.as_ref().map(|process| process.digest) else {
            return Verdict::Fail { why: "no process".to_owned() };
        };
        let mood = self.mood(&digest);
        let probes = self.daemon.as_mut().map_or(0, |process| {
            process.probes = process.probes.saturating_add(1);
            process.probes
        });
        match mood {
            Mood::FailsAfter(good) if probes > good => Verdict::Fail { why: "status 500".to_owned() },
            Mood::Mute => Verdict::Fail { why: "connection refused".to_owned() },
            Mood::Well | Mood::FailsAfter(_) | Mood::ExitsAfter(_) => Verdict::Pass,
        }
    }

    /// Ends the daemon if its time has come; its run.
    pub(crate) fn expire(&mut self, now_ms: u64) -> Option<u64> {
        let process = self.daemon.as_ref()?;
        let Mood::ExitsAfter(after_ms) = self.mood(&process.digest) else { return None };
        if now_ms.saturating_sub(process.since_ms) < after_ms {
            return None;
        }
        self.daemon.take().map(|process| process.run)
    }
}
