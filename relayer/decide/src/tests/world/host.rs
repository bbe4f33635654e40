//! What the world does with an effect: the host answers, the chain takes messages.

use concord_schema::rollout::Hearing;

use super::*;

impl World {
    pub(super) fn ends(&mut self, on: Work) -> Ended {
        match self.fails.iter_mut().find(|(work, left)| *work == on && *left > 0) {
            Some((_, left)) => {
                *left -= 1;
                Err("it was made to fail".into())
            }
            None => Ok(()),
        }
    }

    pub(super) fn perform(&mut self, effect: &Effect) -> Option<Input> {
        let ended = effect.work().map_or(Ok(()), |work| self.ends(work));
        let well = ended.is_ok();
        Some(match effect {
            Effect::Fetch { artifact } => {
                self.disk.staged |= well;
                Input::Fetched { digest: artifact.digest, ended }
            }
            Effect::Stage { digest } => Input::Staged { digest: *digest, ended },
            Effect::Drain => {
                self.drained |= well;
                Input::Drained(ended)
            }
            Effect::Undrain => {
                self.drained &= !well;
                Input::Undrained(ended)
            }
            Effect::Stop { run } => {
                if well {
                    self.disk.daemon = DaemonView::Dead;
                }
                Input::Stopped { run: *run, ended }
            }
            Effect::Snapshot => Input::Snapshotted(ended),
            Effect::Switch { to } => {
                assert!(!matches!(self.disk.daemon, DaemonView::Running { .. }), "switched under a daemon");
                if well && self.disk.current != Link::To(*to) {
                    if let Link::To(from) = self.disk.current {
                        self.disk.previous = Some(from);
                    }
                    self.disk.current = Link::To(*to);
                }
                Input::Switched { to: *to, ended }
            }
            Effect::Spawn { run, digest } => return Some(self.spawn(*run, *digest, ended)),
            Effect::Look => Input::Looked(self.disk.clone()),
            Effect::StartProbing { interval_ms } => {
                assert!(*interval_ms > 0);
                self.probing = true;
                return None;
            }
            Effect::StopProbing => {
                self.probing = false;
                return None;
            }
            Effect::Commit => {
                assert_eq!(self.journal.stage, Stage::Committed, "committed before it was durable");
                return None;
            }
            Effect::Report { .. }
            | Effect::AskLease { .. }
            | Effect::ReturnLease { .. }
            | Effect::Crank { .. } => {
                self.mempool.push(effect.clone());
                return None;
            }
        })
    }

    /// NODE-4 and NODE-2: never a second daemon, never other bytes than `current` names, never unknown ones.
    pub(super) fn spawn(&mut self, run: u64, digest: Digest, ended: Ended) -> Input {
        assert!(!matches!(self.disk.daemon, DaemonView::Running { .. }), "a second daemon");
        assert_eq!(self.disk.current, Link::To(digest), "started what `current` does not name");
        assert!([old_bytes(), new_bytes()].contains(&digest), "started unknown bytes");
        assert_eq!(self.journal.run, run, "the run was not durable before the start");
        if ended.is_ok() {
            let exits = self.new_exits && digest == new_bytes();
            self.disk.daemon = if exits { DaemonView::Dead } else { DaemonView::Running { digest } };
            if exits {
                self.inbox.push_back(Input::Spawned { run, ended: Ok(()) });
                return Input::DaemonExited { run, code: Some(3), signal: None };
            }
        }
        Input::Spawned { run, ended }
    }

    pub(super) fn deliver(&mut self, effect: &Effect) {
        let Some(node) = self.node.clone() else { return };
        let (brakes, now) = (self.brakes.clone(), self.now);
        let answer = match effect {
            Effect::Report { rollout, report } => {
                self.sent.push(report.kind().to_owned());
                report.check().unwrap();
                if !self.delivers || *rollout != self.id {
                    return;
                }
                let hearing = Hearing { rollout: self.id, node: &node, report, brakes: &brakes, now };
                let heard = self.rollout.hear(&mut self.progress, &mut self.seat, &hearing);
                if matches!(heard, Ok(concord_schema::rollout::Heard::Equivocation { .. })) {
                    self.refused.push(format!("equivocation: {report:?}"));
                }
                heard.map(|_| ()).map_err(|error| error.to_string())
            }
            Effect::AskLease { purpose, .. } => {
                self.sent.push("lease".into());
                let Some(seat) = self.seat.as_mut().filter(|_| self.delivers) else { return };
                let is_current = self.rollout.is_current(&self.component);
                self.rollout
                    .grant(&mut self.progress, seat, &node, *purpose, self.down, is_current, &brakes, now)
                    .map(|answer| assert!(!matches!(answer, LeaseAnswer::Held { .. })))
                    .map_err(|error| error.to_string())
            }
            Effect::ReturnLease { attempt, .. } => {
                self.sent.push("return_lease".into());
                let Some(seat) = self.seat.as_mut().filter(|_| self.delivers) else { return };
                self.rollout
                    .give_back(&mut self.progress, seat, &node, *attempt)
                    .map(|_| ())
                    .map_err(|error| error.to_string())
            }
            Effect::Crank { crank, .. } => {
                self.sent.push(format!("{crank:?}").to_lowercase());
                self.crank(*crank)
            }
            _ => Ok(()),
        };
        if let Err(error) = answer {
            self.refused.push(error);
        }
    }

    pub(super) fn crank(&mut self, crank: Crank) -> Result<(), String> {
        match crank {
            Crank::Draw => self
                .rollout
                .draw(&mut self.progress, "chain", "contract", self.id, 7, &self.brakes, self.now)
                .map(|_| ())
                .map_err(|error| error.to_string()),
            Crank::Advance => {
                self.rollout.advance(&mut self.progress, &[], &self.brakes, self.now);
                if self.progress.outcome == Some(concord_schema::rollout::Outcome::Completed) {
                    self.component.current = self.rollout.release;
                }
                Ok(())
            }
        }
    }

    pub(super) fn probe(&mut self) -> Option<Verdict> {
        let DaemonView::Running { digest } = self.disk.daemon else { return None };
        let sick = if digest == new_bytes() { self.new_is_sick } else { self.old_is_sick };
        Some(if sick { Verdict::Fail { why: "answered 500".into() } } else { Verdict::Pass })
    }

    pub(super) fn settle(&mut self) {
        for _ in 0..200 {
            let Some(input) = self.inbox.pop_front() else { return };
            self.feed(input);
        }
        panic!("the machine never comes to rest: {:?}", self.waiting);
    }
}
