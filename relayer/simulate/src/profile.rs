//! What may go wrong in a run, as data.

use crate::dice::Dice;

/// How a new release behaves on the hosts where it is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// It works.
    Well,
    /// It answers so many probes, and fails from then on.
    FailsAfter(u64),
    /// It starts and never serves.
    Mute,
    /// Its process ends after so many milliseconds.
    ExitsAfter(u64),
}

/// A vote that is begun while a rollout runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vote {
    /// Cancel it.
    Cancel,
    /// Take it back.
    RollBack,
    /// Cancel it, then let it go on.
    CancelThenResume,
}

/// A rule that is broken on purpose, to prove that the checks see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// A switch of `current` is not journaled first.
    SwitchUnjournaled,
    /// A stop answers that it went well, and the daemon lives on.
    StopThatStopsNothing,
    /// The host switches to bytes that nobody asked for, and starts them.
    ForeignBytes,
    /// A release that was rolled back is started again.
    OldReleaseReturns,
    /// Leases are given back for a node that is in the middle of its switch.
    LeaseGivenAway,
    /// The log's reader loses an entry.
    LostEntry,
    /// An agent stays away for ever.
    AgentGone,
}

/// Seeds from here on play with wider fleets; those below go on telling the stories that they always told.
pub const WIDE_FROM: u64 = 1_000_000;

/// Chances are in thousandths; times in blocks of one second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Nodes of the fleet.
    pub nodes: usize,
    /// Some nodes count for nothing, and plans differ in more than their waves.
    pub wide: bool,
    /// Rollouts, one after another.
    pub rollouts: usize,
    /// Blocks of each rollout in which things go wrong.
    pub trouble_blocks: u64,
    /// An agent crashes at an effect, before or after it.
    pub crash: u16,
    /// Its daemon dies with it.
    pub daemon_too: u16,
    /// A host starts anew; per node and block.
    pub reboot: u16,
    /// A daemon dies by itself; per node and block.
    pub death: u16,
    /// An agent is killed between two effects; per node and block.
    pub kill: u16,
    /// The longest time that an agent stays away.
    pub away_blocks_max: u64,
    /// The longest time that work on a host takes, in milliseconds.
    pub work_ms_max: u64,
    /// Work on a host fails.
    pub failure: u16,
    /// A download fails.
    pub no_download: u16,
    /// A message is lost on its way, and its sender told so.
    pub lost: u16,
    /// A message arrives twice.
    pub twice: u16,
    /// A message is late.
    pub late: u16,
    /// A node's source of the chain falls silent; per node and block.
    pub silence: u16,
    /// The longest silence.
    pub silence_blocks_max: u64,
    /// A node is told facts that are older than the tip.
    pub old_facts: u16,
    /// A guardian pulls the brake; per block.
    pub brake: u16,
    /// Two guardians release it; per block.
    pub release: u16,
    /// How the new releases behave; one a rollout, good where there are fewer.
    pub moods: Vec<Mood>,
    /// They behave so on each host with this chance.
    pub bad_host: u16,
    /// A vote about each rollout, and the block of it in which it is proposed.
    pub votes: Vec<Option<(Vote, u64)>>,
    /// A rule that is broken on purpose.
    pub sabotage: Option<Sabotage>,
}

impl Profile {
    /// Nothing goes wrong.
    #[must_use]
    pub fn calm() -> Self {
        Self {
            nodes: 5,
            wide: false,
            rollouts: 1,
            trouble_blocks: 20,
            crash: 0,
            daemon_too: 0,
            reboot: 0,
            death: 0,
            kill: 0,
            away_blocks_max: 0,
            work_ms_max: 300,
            failure: 0,
            no_download: 0,
            lost: 0,
            twice: 0,
            late: 0,
            silence: 0,
            silence_blocks_max: 0,
            old_facts: 0,
            brake: 0,
            release: 0,
            moods: Vec::new(),
            bad_host: 0,
            votes: Vec::new(),
            sabotage: None,
        }
    }

    /// The troubles of a seed: about half of all kinds at once.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0x5eed_0000_0000_0001);
        let mut some = |most: u64| {
            let on = dice.happens(500);
            let chance = dice.between(1, most.max(1));
            if on { u16::try_from(chance).unwrap_or(u16::MAX) } else { 0 }
        };
        let (crash, daemon_too, reboot, death, kill) = (some(60), some(500), some(10), some(10), some(15));
        let (failure, lost, twice, late) = (some(40), some(120), some(200), some(300));
        let (silence, old_facts, brake, release) = (some(25), some(200), some(150), some(80));
        let (bad_host, no_download) = (some(1_000), some(700));
        let nodes = usize::try_from(dice.between(4, 6)).unwrap_or(4);
        let rollouts = 2;
        let moods = (0..rollouts).map(|_| mood(&mut dice)).collect();
        let votes = (0..rollouts).map(|_| vote(&mut dice)).collect();
        Self {
            nodes,
            wide: seed >= WIDE_FROM,
            rollouts,
            trouble_blocks: dice.between(20, 90),
            crash,
            daemon_too,
            reboot,
            death,
            kill,
            away_blocks_max: dice.between(1, 80),
            work_ms_max: dice.between(50, 2_500),
            failure,
            no_download,
            lost,
            twice,
            late,
            silence,
            silence_blocks_max: dice.between(2, 80),
            old_facts,
            brake,
            release,
            moods,
            bad_host,
            votes,
            sabotage: None,
        }
    }
}

fn mood(dice: &mut Dice) -> Mood {
    match dice.between(0, 7) {
        0 | 1 => Mood::FailsAfter(dice.between(0, 120)),
        2 => Mood::Mute,
        3 => Mood::ExitsAfter(dice.between(0, 12_000)),
        _ => Mood::Well,
    }
}

fn vote(dice: &mut Dice) -> Option<(Vote, u64)> {
    let vote = match dice.between(0, 7) {
        0 => Vote::Cancel,
        1 => Vote::RollBack,
        2 => Vote::CancelThenResume,
        _ => return None,
    };
    Some((vote, dice.between(0, 45)))
}
