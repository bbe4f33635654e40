//! What the demo proposes: its releases, its plan, its drafts, and the rules that they are decided under.

use concord_schema::clock::Span;
use concord_schema::plan::{Failure, Method, OnFailure, Plan, Trial, Wave};
use concord_schema::proposal::{Action, Draft};
use concord_schema::release::{Artifact, Document, ProtocolRange, Release, Reversibility};
use concord_schema::rules::{ClassRules, Floors, Rules};
use concord_schema::tally::Bars;
use concord_schema::{Blocks, Bps, Digest};
use cosmwasm_std::Uint128;

use super::build::Built;

/// What the fleet runs.
pub(crate) const COMPONENT: &str = "demo-daemon";
/// Each short span: a second and five blocks.
pub(crate) const MOMENT: Span = Span::new(1, 5);
/// How long one pull of the brake holds by itself: five seconds, and the blocks of that time.
pub(crate) const BRAKE: Span = Span::new(5, 50);
/// Blocks between the opening of a wave and its activation height: room for the guardians of act three to pull.
pub(crate) const NOTICE_BLOCKS: u64 = 8;
/// The longest that a node may be silent to a client in a switch.
pub(crate) const OUTAGE_MS_MAX: u64 = 1_000;
/// The most nodes that may be silent at once.
pub(crate) const SILENT_MAX: usize = 3;

/// This host in the words of a release.
#[must_use]
pub(crate) fn platform() -> String {
    format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
}

/// The floors of the demo's deployment: as short as its spans.
#[must_use]
pub(crate) fn floors() -> Floors {
    Floors { deliberation: MOMENT, voting_min: MOMENT, timelock: MOMENT, soak: MOMENT }
}

/// The rules of the demo's deployment: all three auditors, four of five members, ballots that are final.
#[must_use]
pub(crate) fn rules() -> Rules {
    let row = ClassRules {
        deliberation: MOMENT,
        validation: Span::new(30, 50),
        voting: Span::new(30, 50),
        voting_min: MOMENT,
        timelock: MOMENT,
        grace: Span::new(120, 600),
        bars: Bars {
            quorum_bps: Bps(4_000),
            threshold_bps: Bps(5_000),
            yes_min_bps: Bps(0),
            veto_bps: Some(Bps(3_340)),
            veto_floor_bps: Bps(0),
        },
        early_finish: true,
        auditors_min: 3,
        organisations_min: 3,
        deposit: None,
        proposer_weight_min: Uint128::one(),
    };
    Rules {
        routine: row.clone(),
        standard: row.clone(),
        critical: row.clone(),
        constitutional: row,
        retry: MOMENT,
        brake_short: BRAKE,
        brake_full: BRAKE,
    }
}

fn wave(lot_bps: u16, power_max_bps: Option<u16>) -> Wave {
    Wave {
        lot_bps: Bps(lot_bps),
        power_max_bps: power_max_bps.map(Bps),
        healthy_bps: Bps(10_000),
        soak: MOMENT,
        deadline: Span::new(60, 300),
    }
}

/// The plan of every rollout of the demo: three waves, two nodes at most in each of the first two.
#[must_use]
pub(crate) fn plan() -> Plan {
    Plan {
        method: Method::Rolling,
        ready_bps: Bps(10_000),
        preparation: Span::new(30, 150),
        postponement: Span::new(15, 75),
        notice_blocks: Blocks(NOTICE_BLOCKS),
        waves: vec![wave(3_334, Some(3_334)), wave(6_667, Some(3_334)), wave(10_000, None)],
        lease: Span::new(30, 30),
        lease_bps: Bps(5_000),
        one_at_a_time: false,
        trial: Trial { span: Span::new(2, 10), probe_interval_ms: 20 },
        failure: Failure {
            wave_bps: Bps(5_000),
            rollout_bps: Bps(2_000),
            on_crossed: OnFailure::RollBack,
            halted: Span::new(30, 150),
            rolling_back: Span::new(30, 150),
        },
    }
}

/// The release of a built daemon. `from` are the versions that it can replace; none for the baseline. `uris` are where
/// its bytes are.
#[must_use]
pub(crate) fn release(built: &Built, from: &[&str], uris: Vec<String>) -> Release {
    Release {
        component: COMPONENT.to_owned(),
        version: built.version.to_owned(),
        artifacts: vec![Artifact {
            platform: platform(),
            digest: built.digest,
            size_bytes: built.bytes.len() as u64,
            uris,
        }],
        upgrades_from: from.iter().map(|version| (*version).to_owned()).collect(),
        compatibility: Vec::new(),
        protocol: ProtocolRange { min: 1, max: 1 },
        flags: Vec::new(),
        reversibility: Reversibility::BinaryOnly,
        rollback_procedure: None,
    }
}

/// Why a release is proposed, as the document that the draft points at.
#[must_use]
pub(crate) fn rationale(release: &Release) -> String {
    format!("# {} {}\n\nAn upgrade that the demo shows.\n", release.component, release.version)
}

/// The draft that starts a rollout; `uri` is where its rationale is.
#[must_use]
pub(crate) fn draft(release: &Release, uri: String) -> Draft {
    Draft {
        title: format!("Upgrade {} to {}", release.component, release.version),
        rationale: Document { digest: Digest::of(rationale(release).as_bytes()), uri },
        actions: vec![Action::StartRollout { release: Box::new(release.clone()), plan: Box::new(plan()) }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use concord_schema::Power;
    use concord_schema::rules::Class;

    fn built() -> Built {
        Built {
            version: "2.0.0",
            name: "demo-daemon-v2".to_owned(),
            path: "demo-daemon-v2".into(),
            digest: Digest::of(b"v2"),
            bytes: b"v2".to_vec(),
        }
    }

    #[test]
    fn plan_rules_and_drafts_keep_the_schemas_bounds() {
        assert_eq!(plan().check(&floors()), Ok(()));
        assert_eq!(rules().check(&floors()), Ok(()));
        assert!(floors().are_short());
        let release = release(&built(), &["1.0.0"], vec!["http://127.0.0.1:1/demo-daemon-v2".to_owned()]);
        let draft = draft(&release, "file:///rationale.md".to_owned());
        assert_eq!(draft.check(), Ok(()));
        assert_eq!(draft.class(|_| None), Class::Standard);
        assert!(!draft.is_brake_exempt());
    }

    #[test]
    fn a_baseline_replaces_nothing_and_an_upgrade_must_say_what_it_replaces() {
        assert_eq!(release(&built(), &[], Vec::new()).check(true), Ok(()));
        assert!(release(&built(), &[], vec!["http://127.0.0.1:1/x".to_owned()]).check(false).is_err());
    }

    #[test]
    fn the_numbers_are_those_of_six_equal_nodes() {
        let (one, all) = (Power(100), Power(600));
        let plan = plan();
        assert_eq!(plan.check_fleet(one, all), Ok(()));
        let capped: Vec<_> = plan.waves.iter().map(|wave| wave.power_max_bps).collect();
        assert_eq!(capped, [Some(Bps(3_334)), Some(Bps(3_334)), None]);
        assert!(!Bps(3_334).exceeded_by(Power(200), all) && Bps(3_334).exceeded_by(Power(300), all));
        assert!(plan.lease_fits(Power(200), one, all) && !plan.lease_fits(Power(300), one, all));
        // One failure of a wave of two crosses nothing, two cross both bars.
        let failure = &plan.failure;
        assert!(
            !failure.wave_bps.exceeded_by(one, Power(200))
                && failure.wave_bps.exceeded_by(Power(200), Power(200))
        );
        assert!(
            !failure.rollout_bps.exceeded_by(one, all) && failure.rollout_bps.exceeded_by(Power(200), all)
        );
    }
}
