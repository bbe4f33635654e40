//! The checks see a rule that is broken on purpose; a harness that cannot fail proves nothing.

#![expect(clippy::panic, reason = "a story that goes wrong fails its test")]

use concord_simulate::{Profile, Sabotage, Vote, World};

/// A run with a rule broken, and the tag of the check that must see it.
fn caught(sabotage: Sabotage, profile: Profile) -> &'static str {
    let profile = Profile { sabotage: Some(sabotage), ..profile };
    let failure = World::play(5, profile).err().unwrap_or_else(|| panic!("the checks must see it"));
    assert!(failure.to_string().starts_with("seed 5: "), "{failure}");
    assert!(failure.tail.lines().count() > 3, "the last events are told: {failure}");
    failure.rule
}

#[test]
fn every_broken_rule_is_seen() {
    let calm = Profile::calm;
    let taken_back = || Profile { votes: vec![Some((Vote::RollBack, 25))], trouble_blocks: 40, ..calm() };
    let killed = || Profile { kill: 100, away_blocks_max: 2, ..calm() };
    for (sabotage, profile, rule) in [
        (Sabotage::SwitchUnjournaled, calm(), "NODE-1"),
        (Sabotage::ForeignBytes, calm(), "NODE-2"),
        (Sabotage::LeaseGivenAway, calm(), "NODE-3"),
        (Sabotage::StopThatStopsNothing, calm(), "NODE-4"),
        (Sabotage::OldReleaseReturns, taken_back(), "NODE-5"),
        (Sabotage::LostEntry, calm(), "LOG-1"),
        (Sabotage::AgentGone, killed(), "LIVE"),
    ] {
        assert_eq!(caught(sabotage, profile), rule, "{sabotage:?}");
    }
}
