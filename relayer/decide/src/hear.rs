//! Inputs become knowledge. What to do about it is decided afterwards, from the whole of it.

use std::sync::Arc;

use concord_schema::Digest;

use crate::Agent;
use crate::effect::{Effect, Work};
use crate::input::{ChainView, DaemonView, DiskView, Ended, Input, Link, RolloutView, Verdict};
use crate::stage::Stage;

impl Agent {
    pub(crate) fn hear(&mut self, input: Input) {
        match input {
            Input::Chain(view) => self.follow_view(*view),
            Input::Stale { since_ms } => {
                self.view = None;
                self.distrust = None;
                self.stale = Some((since_ms, "the source is unreachable, catching up or behind".to_owned()));
            }
            Input::Distrust { cause, why } => {
                self.view = None;
                self.distrust = Some(cause);
                self.stale = Some((0, why));
            }
            Input::Fetched { digest, ended } => self.fetched(&digest, &ended),
            Input::Staged { digest, ended } => self.staged(&digest, &ended),
            Input::Drained(ended) => {
                if self.answers(|work| matches!(work, Effect::Drain)) {
                    self.drain_done = self.note(Work::Drain, &ended);
                    if !self.drain_done {
                        // What was to run next may be why: whether it is still there decides what comes now.
                        self.host = None;
                    }
                }
            }
            Input::Undrained(ended) => {
                if self.answers(|work| matches!(work, Effect::Undrain)) && self.note(Work::Undrain, &ended) {
                    self.memory.drained = false;
                }
            }
            Input::Stopped { run, ended } => self.stopped_run(run, &ended),
            Input::Snapshotted(ended) => {
                if self.answers(|work| matches!(work, Effect::Snapshot))
                    && self.note(Work::Snapshot, &ended)
                    && self.memory.stage == Stage::Stopped
                {
                    self.go(Stage::Snapshotted);
                }
            }
            Input::Switched { to, ended } => self.switched(to, &ended),
            Input::Spawned { run, ended } => self.spawned(run, &ended),
            Input::Looked(disk) => {
                if self.answers(|work| matches!(work, Effect::Look)) {
                    self.see(disk);
                }
            }
            Input::DaemonExited { run, code, signal } => self.daemon_exited(run, code, signal),
            Input::Probe(verdict) => self.probed(&verdict),
            Input::Retry { request } => self.owner_retries(request),
            Input::Tick => {}
        }
    }

    /// Takes facts of the chain, unless older ones than it has, or ones that contradict themselves.
    pub(crate) fn follow_view(&mut self, view: ChainView) {
        if view.now.height < self.seen {
            return;
        }
        let seen = [view.rollout.as_ref(), view.own.as_ref()];
        let refused = seen.into_iter().flatten().find_map(contradiction).or_else(|| self.goes_back(&view));
        if let Some(why) = refused {
            let since_ms = self.stale.as_ref().map_or(0, |(since_ms, _)| *since_ms);
            self.view = None;
            self.distrust = None;
            self.stale = Some((since_ms, why));
            return;
        }
        self.seen = view.now.height;
        self.stale = None;
        self.distrust = None;
        if self.trial.healthy_ms.is_some() && self.trial.healthy_height.is_none() {
            self.trial.healthy_height = Some(view.now.height);
        }
        self.view = Some(Arc::new(view));
    }

    /// Facts in which the component never had the rollout that this node acts in are of another chain, or of before.
    fn goes_back(&self, view: &ChainView) -> Option<String> {
        let known = self.memory.generation.rollout;
        let newest = view.rollout.as_ref().map(|seen| seen.id).unwrap_or_default();
        (newest < known)
            .then(|| format!("its newest rollout is {newest}, but this node was already told of {known}"))
    }

    pub(crate) fn see(&mut self, disk: DiskView) {
        let known = disk.daemon != DaemonView::Unknown;
        let ended =
            if known { Ok(()) } else { Err("whether the daemon is alive cannot be proved".to_owned()) };
        self.note(Work::Look, &ended);
        self.host = Some(disk);
    }

    fn fetched(&mut self, digest: &Digest, ended: &Ended) {
        let asked =
            |errand: &Effect| matches!(errand, Effect::Fetch { artifact } if artifact.digest == *digest);
        if !self.answers_errand(asked) || self.memory.stage != Stage::Fetching {
            return;
        }
        if self.note(Work::Fetch, ended) {
            if let Some(host) = self.host.as_mut() {
                host.staged = true;
            }
            self.go(Stage::Verified);
        } else {
            self.fetch_fails = self.fetch_fails.saturating_add(1);
        }
    }

    fn staged(&mut self, digest: &Digest, ended: &Ended) {
        let asked = |errand: &Effect| matches!(errand, Effect::Stage { digest: of } if of == digest);
        if !self.answers_errand(asked) || self.memory.stage != Stage::Verified {
            return;
        }
        if ended.is_ok() {
            self.go(Stage::Staged);
        } else {
            self.fetch_fails = self.fetch_fails.saturating_add(1);
            self.go(Stage::Discovered);
            self.note(Work::Fetch, ended);
        }
    }

    fn stopped_run(&mut self, run: u64, ended: &Ended) {
        if !self.answers(|work| matches!(work, Effect::Stop { run: of } if *of == run)) {
            return;
        }
        if self.note(Work::Stop, ended) {
            self.set_daemon(DaemonView::Dead);
        } else {
            self.host = None;
        }
    }

    fn switched(&mut self, to: Digest, ended: &Ended) {
        if !self.answers(|work| matches!(work, Effect::Switch { to: of } if *of == to)) {
            return;
        }
        if !self.note(Work::Switch, ended) {
            self.host = None;
            return;
        }
        let before = self.current();
        if let Some(host) = self.host.as_mut() {
            host.previous = before.filter(|digest| *digest != to).or(host.previous);
            host.current = Link::To(to);
        }
    }

    fn spawned(&mut self, run: u64, ended: &Ended) {
        let Some(Effect::Spawn { digest, .. }) = self.work.clone() else { return };
        if !self.answers(|work| matches!(work, Effect::Spawn { run: of, .. } if *of == run)) {
            return;
        }
        self.trial = crate::Trial::new(self.now_ms);
        let early = self.early_exit.take();
        if self.note(Work::Spawn, ended) {
            self.set_daemon(DaemonView::Running { digest });
            if let Some((run, code, signal)) = early {
                self.daemon_exited(run, code, signal);
            }
        } else {
            self.host = None;
        }
    }

    /// An exit of an earlier run, or one that was asked for, is no news. One that is heard before the answer to its own
    /// start is kept until then: two tasks of the caller may tell them in either order.
    fn daemon_exited(&mut self, run: u64, code: Option<i32>, signal: Option<i32>) {
        if matches!(self.work, Some(Effect::Spawn { run: starting, .. }) if starting == run) {
            self.early_exit = Some((run, code, signal));
            return;
        }
        let stopping = matches!(self.work, Some(Effect::Stop { .. }));
        if run != self.memory.run || stopping || !matches!(self.daemon(), DaemonView::Running { .. }) {
            return;
        }
        self.set_daemon(DaemonView::Dead);
        self.exited = Some(match (code, signal) {
            (Some(code), _) => format!("the daemon exited with code {code}"),
            (None, Some(signal)) => format!("the daemon was ended by signal {signal}"),
            (None, None) => "the daemon ended".to_owned(),
        });
    }

    fn probed(&mut self, verdict: &Verdict) {
        if !self.probing || !matches!(self.daemon(), DaemonView::Running { .. }) {
            return;
        }
        let was_healthy = self.trial.healthy_ms.is_some();
        self.trial.feed(verdict, self.now_ms, self.settings.boot_ms);
        if !was_healthy && self.trial.healthy_ms.is_some() {
            self.trial.healthy_height = self.view.as_ref().map(|view| view.now.height);
            self.serves_again();
        }
    }

    /// In memory, so that a crash neither loses the owner's word nor lets it count twice (NODE-5).
    fn owner_retries(&mut self, request: Digest) {
        if self.memory.retried == Some(request) {
            return;
        }
        self.memory.retried = Some(request);
        self.memory.denied.clear();
        self.fetch_fails = 0;
        self.respawn = crate::host::Respawn::default();
        self.memory.retake = self.memory.stage == Stage::Refused;
    }
}

/// Metadata that do not hash to the name of the release were not written by the contract.
fn contradiction(seen: &RolloutView) -> Option<String> {
    let found = seen.release.digest();
    (found != seen.rollout.release).then(|| {
        format!(
            "the metadata of release {} hash to {}: the source is not to be trusted",
            seen.rollout.release.short(),
            found.short()
        )
    })
}
