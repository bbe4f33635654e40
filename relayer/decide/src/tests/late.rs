//! Answers that nobody waits for: every stage takes every input without a move that it does not mean.

use concord_schema::RolloutId;

use super::world::*;
use crate::*;

fn answers() -> Vec<Input> {
    let err = || Err("late".to_owned());
    let mut all = Vec::new();
    for ended in [Ok(()), err()] {
        for digest in [old_bytes(), new_bytes(), foreign_bytes()] {
            all.push(Input::Fetched { digest, ended: ended.clone() });
            all.push(Input::Staged { digest, ended: ended.clone() });
            all.push(Input::Switched { to: digest, ended: ended.clone() });
        }
        for run in [0, 1, 2, 99] {
            all.push(Input::Stopped { run, ended: ended.clone() });
            all.push(Input::Spawned { run, ended: ended.clone() });
        }
        all.push(Input::Drained(ended.clone()));
        all.push(Input::Undrained(ended.clone()));
        all.push(Input::Snapshotted(ended.clone()));
    }
    all.push(Input::Looked(DiskView {
        current: Link::Missing,
        previous: None,
        daemon: DaemonView::Dead,
        staged: false,
    }));
    all.push(Input::DaemonExited { run: 99, code: Some(0), signal: None });
    all.push(Input::Tick);
    all
}

#[test]
fn late_and_foreign_answers_move_nothing() {
    for world in super::crash::reached() {
        let disk = DiskView {
            current: world.journal_current(),
            previous: None,
            daemon: DaemonView::Running { digest: world.journal_runs() },
            staged: true,
        };
        for input in answers() {
            let (mut agent, step) = Agent::resume(
                world.settings.clone(),
                world.journal.clone(),
                vec![],
                disk.clone(),
                None,
                9_000,
            );
            let busy: Vec<_> = step.effects.iter().filter_map(Effect::work).collect();
            let meant = match &input {
                Input::Stopped { .. } => busy.contains(&Work::Stop),
                Input::Drained(_) => busy.contains(&Work::Drain),
                Input::Undrained(_) => busy.contains(&Work::Undrain),
                Input::Snapshotted(_) => busy.contains(&Work::Snapshot),
                Input::Switched { .. } => busy.contains(&Work::Switch),
                Input::Spawned { .. } => busy.contains(&Work::Spawn),
                Input::Looked(_) => busy.contains(&Work::Look),
                _ => false,
            };
            let before = agent.memory().clone();
            let what = format!("{} hears {input:?}", world.stage());
            let step = agent.step(9_000, input);
            if !meant {
                assert_eq!(*agent.memory(), before, "{what}");
                assert!(step.moves.is_empty() && step.effects.is_empty(), "{what}: {step:?}");
            }
        }
    }
}

/// What may not be believed is no base for acting, as a source that is silent: only what is said differs.
#[test]
fn distrust_does_what_silence_does_and_says_why() {
    use Distrust::{AgentTooOld, ClockOff, Forked, TrustExpired, Unproved};
    let mut said = 0;
    for world in super::crash::reached() {
        for cause in [TrustExpired, Forked, ClockOff, AgentTooOld, Unproved] {
            let resumed = || {
                let view = Some(world.view());
                Agent::resume(
                    world.settings.clone(),
                    world.journal.clone(),
                    vec![],
                    world.disk.clone(),
                    view,
                    0,
                )
            };
            let (mut silent, mut wary) = (resumed().0, resumed().0);
            let why = "two headers".to_owned();
            let silence = silent.step(9_000, Input::Stale { since_ms: 1 });
            let distrust = wary.step(9_000, Input::Distrust { cause, why: why.clone() });
            assert_eq!(silent.memory(), wary.memory());
            assert_eq!((&silence.moves, &silence.effects), (&distrust.moves, &distrust.effects));
            if matches!(silence.waiting_on, AgentWaiting::Source { .. }) {
                assert_eq!(distrust.waiting_on, cause.waiting(why));
                assert!(distrust.waiting_on.to_string().contains("two headers; the node keeps running"));
                said += 1;
            } else {
                assert_eq!(silence.waiting_on, distrust.waiting_on);
            }
            // Facts that count again end it.
            let facts = || Input::Chain(Box::new(world.view()));
            assert_eq!(silent.step(9_001, facts()).waiting_on, wary.step(9_001, facts()).waiting_on);
        }
    }
    assert!(said >= 25, "{said}");
}

#[test]
fn every_stage_answers_every_input_twice() {
    for world in super::crash::reached() {
        let mut inputs = answers();
        inputs.extend([
            Input::Chain(Box::new(world.view())),
            Input::Stale { since_ms: 1 },
            Input::Distrust { cause: Distrust::Forked, why: "two headers".into() },
            Input::Probe(Verdict::Pass),
            Input::Probe(Verdict::Fail { why: "500".into() }),
            Input::Probe(Verdict::Unknown { why: "?".into() }),
            Input::DaemonExited { run: world.journal.run, code: None, signal: None },
            Input::Retry { request: concord_schema::Digest::of(b"again") },
        ]);
        for first in &inputs {
            for second in &inputs {
                let (mut agent, _) = Agent::resume(
                    world.settings.clone(),
                    world.journal.clone(),
                    vec![],
                    world.disk.clone(),
                    Some(world.view()),
                    0,
                );
                for input in [first, second] {
                    let step = agent.step(u64::MAX, input.clone());
                    assert!(!step.waiting_on.to_string().is_empty());
                    assert!(step.moves.iter().all(moves::is_drawn));
                }
            }
        }
    }
}

impl World {
    fn is_new(&self) -> bool {
        matches!(self.journal.stage, Stage::Switched | Stage::Booting | Stage::OnTrial | Stage::Committed)
    }

    fn journal_runs(&self) -> concord_schema::Digest {
        if self.is_new() { new_bytes() } else { old_bytes() }
    }

    fn journal_current(&self) -> Link {
        Link::To(self.journal_runs())
    }
}

#[test]
fn memory_and_effects_survive_the_journal() {
    for world in super::crash::reached() {
        let text = serde_json::to_string(&world.journal).unwrap();
        assert_eq!(serde_json::from_str::<Memory>(&text).unwrap(), world.journal, "{}", world.stage());
        assert!(text.len() < 8_192, "a record stays small: {}", text.len());
    }
    let effect = Effect::Crank { rollout: RolloutId(1), crank: Crank::Draw };
    let text = serde_json::to_string(&effect).unwrap();
    assert_eq!(text, r#"{"crank":{"rollout":1,"crank":"draw"}}"#);
    assert_eq!(serde_json::from_str::<Effect>(&text).unwrap(), effect);
    assert_eq!(serde_json::to_string(&Stage::OnTrial).unwrap(), r#""on_trial""#);
}
