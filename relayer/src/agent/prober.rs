//! Probing: all required checks at once, every so often, until told to stop.

use std::sync::Arc;
use std::time::Duration;

use concord_decide::Verdict;
use futures_util::future::join_all;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use super::host::Answer;
use super::status::CheckStatus;
use crate::act::probe::{
    Answer as ProbeAnswer, Check, CheckError, NAME_CHARACTERS_MAX, Need, Probe, Prober, Progress,
};
use crate::act::process::Daemon;
use crate::config::{Check as CheckSetting, HealthSettings};

/// The longest body that an HTTP check may be answered with.
const BODY_BYTES_MAX: u64 = 1 << 20;

/// The operator's checks, with the one that is always there: the process is alive.
///
/// # Errors
/// [`CheckError`] for a check that can never work.
pub(super) fn checks(settings: &HealthSettings) -> Result<Vec<Check>, CheckError> {
    let process = Check { name: "process".to_owned(), need: Need::Required, probe: Probe::Process {} };
    let required = settings.required.iter().map(|check| (Need::Required, check));
    let wanted = settings.wanted.iter().map(|check| (Need::Wanted, check));
    let mut checks = vec![process];
    for (need, setting) in required.chain(wanted) {
        checks.push(check(need, setting)?);
    }
    checks.iter().try_for_each(Check::validate)?;
    Ok(checks)
}

fn check(need: Need, setting: &CheckSetting) -> Result<Check, CheckError> {
    let (name, probe) = match setting {
        CheckSetting::Http { url, timeout_ms } => (
            format!("http {url}"),
            Probe::Http {
                url: url.clone(),
                status: (200, 299),
                body_bytes_max: BODY_BYTES_MAX,
                timeout_ms: *timeout_ms,
            },
        ),
        CheckSetting::Tcp { address, timeout_ms } => {
            let name = format!("tcp {address}");
            let why = || format!("expected host address and port, found {address:?}");
            let socket = address.parse().map_err(|_| CheckError { name: name.clone(), why: why() })?;
            (name, Probe::Tcp { address: socket, timeout_ms: *timeout_ms })
        }
        CheckSetting::CometHeight { rpc, still_ms_max, timeout_ms } => (
            format!("comet_height {rpc}"),
            Probe::CometHeight { rpc: rpc.clone(), still_ms_max: *still_ms_max, timeout_ms: *timeout_ms },
        ),
        CheckSetting::Command { program, args, timeout_ms } => (
            format!("command {program}"),
            Probe::Command {
                argv: std::iter::once(program).chain(args).cloned().collect(),
                timeout_ms: *timeout_ms,
            },
        ),
    };
    // An address may be longer than a name; the beginning of one tells enough.
    let name = name.chars().take(NAME_CHARACTERS_MAX).collect();
    Ok(Check { name, need, probe })
}

/// What the required answers come to: one failure is a failure, and what could not be asked is neither yes nor no.
/// Wanted checks decide nothing.
#[must_use]
pub(super) fn verdict(answers: &[(&Check, ProbeAnswer)]) -> Verdict {
    let mut unknown = None;
    for (check, answer) in answers.iter().filter(|(check, _)| check.need == Need::Required) {
        match answer {
            ProbeAnswer::Pass => {}
            ProbeAnswer::Fail { why } => return Verdict::Fail { why: format!("{}: {why}", check.name) },
            ProbeAnswer::Unknown { why } => unknown = Some(format!("{}: {why}", check.name)),
        }
    }
    unknown.map_or(Verdict::Pass, |why| Verdict::Unknown { why })
}

/// A check and its newest answer, for people and programs.
fn status(check: &Check, answer: &ProbeAnswer) -> CheckStatus {
    let (word, why) = match answer {
        ProbeAnswer::Pass => ("pass", None),
        ProbeAnswer::Fail { why } => ("fail", Some(why.clone())),
        ProbeAnswer::Unknown { why } => ("unknown", Some(why.clone())),
    };
    CheckStatus {
        name: check.name.clone(),
        is_required: check.need == Need::Required,
        answer: word.to_owned(),
        why,
    }
}

/// Probes until it is dropped. An answer that nobody takes in time is left out: the next one says more.
pub(super) async fn probe(
    prober: Arc<Prober>,
    checks: Arc<Vec<Check>>,
    daemon: Option<Arc<Daemon>>,
    interval: Duration,
    answers: mpsc::Sender<Answer>,
) {
    let mut ticker = tokio::time::interval(interval);
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Probing starts anew with each daemon: what an earlier one showed says nothing of this one.
    let seen: Vec<Progress> = checks.iter().map(|_| Progress::default()).collect();
    loop {
        ticker.tick().await;
        let (prober, daemon) = (&prober, daemon.as_deref());
        let asked = checks.iter().zip(&seen).map(|(check, progress)| async move {
            let answer = prober.ask(&check.probe, daemon, progress).await;
            (check, answer)
        });
        let answered = join_all(asked).await;
        let shown = answered.iter().map(|(check, answer)| status(check, answer)).collect();
        if answers.send(Answer::Probed(shown, verdict(&answered))).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checks() -> [Check; 3] {
        [("a", Need::Required), ("b", Need::Required), ("w", Need::Wanted)].map(|(name, need)| Check {
            name: name.to_owned(),
            need,
            probe: Probe::Process {},
        })
    }

    #[test]
    fn a_verdict_is_what_the_required_checks_come_to() {
        let pass = || ProbeAnswer::Pass;
        let fail = || ProbeAnswer::Fail { why: "no".to_owned() };
        let unknown = || ProbeAnswer::Unknown { why: "?".to_owned() };
        let failed = Verdict::Fail { why: "b: no".to_owned() };
        let unclear = Verdict::Unknown { why: "a: ?".to_owned() };
        for (answers, want) in [
            ([pass(), pass(), pass()], Verdict::Pass),
            ([pass(), pass(), fail()], Verdict::Pass),
            ([pass(), pass(), unknown()], Verdict::Pass),
            ([pass(), fail(), pass()], failed.clone()),
            ([unknown(), fail(), pass()], failed),
            ([unknown(), pass(), pass()], unclear),
        ] {
            let checks = checks();
            let answered: Vec<_> = checks.iter().zip(answers).collect();
            assert_eq!(verdict(&answered), want);
        }
    }

    #[test]
    fn a_wanted_check_that_fails_is_shown_with_its_reason() {
        let [.., wanted] = checks();
        let shown = status(&wanted, &ProbeAnswer::Fail { why: "no".to_owned() });
        assert_eq!((shown.name.as_str(), shown.is_required, shown.answer.as_str()), ("w", false, "fail"));
        assert_eq!(shown.why.as_deref(), Some("no"));
    }

    #[test]
    fn the_process_is_always_checked_and_bad_checks_are_refused() {
        let none = HealthSettings::default();
        assert_eq!(super::checks(&none).unwrap().len(), 1);
        let tcp = |address: &str| HealthSettings {
            required: vec![CheckSetting::Tcp { address: address.to_owned(), timeout_ms: 100 }],
            wanted: Vec::new(),
        };
        assert_eq!(super::checks(&tcp("127.0.0.1:1")).unwrap().len(), 2);
        assert!(super::checks(&tcp("nowhere")).is_err());
        let url = format!("http://127.0.0.1:1/{}", "x".repeat(200));
        let long = HealthSettings {
            required: vec![CheckSetting::Http { url, timeout_ms: 100 }],
            wanted: Vec::new(),
        };
        let checks = super::checks(&long).unwrap();
        assert_eq!(checks.last().unwrap().name.len(), NAME_CHARACTERS_MAX);
    }
}
