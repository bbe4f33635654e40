//! What the machine is told. Time is an argument of every turn, so no input carries it.

use concord_schema::brake::Brakes;
use concord_schema::node::{Component, Node};
use concord_schema::release::{Release, Standing};
use concord_schema::rollout::{Progress, Rollout, Seat, SeatState};
use concord_schema::{Digest, Height, Now, Power, RolloutId};

use crate::waiting::Distrust;

/// How work ended; the text of a failure is for people, and is shortened where it is kept.
pub type Ended = Result<(), String>;

/// Something that happened. Answers that nobody waits for, or that are about other bytes or another run, change nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The facts at a height. Level, not edge: the machine follows the newest.
    Chain(Box<ChainView>),
    /// The source is unreachable, catching up or behind: what it says is no base for acting. Given when that is found,
    /// not once a second.
    Stale {
        /// Milliseconds since the last facts that counted.
        since_ms: u64,
    },
    /// The source answers, and nothing that it says may be believed.
    Distrust {
        /// Of which kind.
        cause: Distrust,
        /// Why, and what to do about it, for people.
        why: String,
    },
    /// Answer to [`crate::Effect::Fetch`].
    Fetched {
        /// Digest of the artifact that was asked for.
        digest: Digest,
        /// How it ended.
        ended: Ended,
    },
    /// Answer to [`crate::Effect::Stage`].
    Staged {
        /// Digest of the artifact.
        digest: Digest,
        /// How it ended.
        ended: Ended,
    },
    /// Answer to [`crate::Effect::Drain`].
    Drained(Ended),
    /// Answer to [`crate::Effect::Undrain`].
    Undrained(Ended),
    /// Answer to [`crate::Effect::Stop`]. `Ok` says that no daemon of this node is alive.
    Stopped {
        /// The run.
        run: u64,
        /// How it ended.
        ended: Ended,
    },
    /// Answer to [`crate::Effect::Snapshot`].
    Snapshotted(Ended),
    /// Answer to [`crate::Effect::Switch`].
    Switched {
        /// Digest of the artifact.
        to: Digest,
        /// How it ended.
        ended: Ended,
    },
    /// Answer to [`crate::Effect::Spawn`]. A failure leaves open whether something runs: the machine looks.
    Spawned {
        /// The run.
        run: u64,
        /// How it ended.
        ended: Ended,
    },
    /// Answer to [`crate::Effect::Look`].
    Looked(DiskView),
    /// The daemon's process ended.
    DaemonExited {
        /// The run; that of an adopted daemon is the newest in memory.
        run: u64,
        /// Exit code, if it exited.
        code: Option<i32>,
        /// Signal, if one ended it.
        signal: Option<i32>,
    },
    /// A probe came back.
    Probe(Verdict),
    /// The owner wants another try: lifts this node's own denials and its refusal. One request counts once, however often
    /// it is told.
    Retry {
        /// The request's name.
        request: Digest,
    },
    /// Time went on.
    Tick,
}

/// What a probe says: unknown is never "no" and never "yes".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every required check passed.
    Pass,
    /// A required check failed.
    Fail {
        /// Which and how.
        why: String,
    },
    /// It could not be found out.
    Unknown {
        /// Why not.
        why: String,
    },
}

/// Facts of the chain, all read at one height. The rules of the schema run on them.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainView {
    /// The block that they were read at.
    pub now: Now,
    /// The newest block known when they were read. A lease is noticed on old facts, but acted on at the tip.
    pub tip: Height,
    /// This node; `None` if it is not registered.
    pub node: Option<Node>,
    /// Its component.
    pub component: Component,
    /// The component's live rollout, or else its newest.
    pub rollout: Option<RolloutView>,
    /// The rollout of [`crate::Agent::own_rollout`], if that is another one.
    pub own: Option<RolloutView>,
    /// Power that is down by lease in the component's group.
    pub down: Power,
    /// Both brakes that bear on the component.
    pub brakes: Brakes,
}

/// Facts of one rollout.
#[derive(Clone, Debug, PartialEq)]
pub struct RolloutView {
    /// Its number.
    pub id: RolloutId,
    /// What was fixed when it started.
    pub rollout: Rollout,
    /// What moves.
    pub progress: Progress,
    /// This node's seat.
    pub seat: Option<Seat>,
    /// What its release may do.
    pub standing: Standing,
    /// Its release's metadata; the machine checks that they hash to the release's name.
    pub release: Release,
}

impl RolloutView {
    /// The block whose state lets this node leave Armed (design 4, "Skew"): the one that granted its lease, or the
    /// wave's earliest height where that came later. `None` while it holds no lease for a switch.
    #[must_use]
    pub fn leave_height(&self) -> Option<Height> {
        let seat = self.seat.as_ref().filter(|seat| seat.state == SeatState::Leased && !seat.going_back)?;
        let granted = seat.lease.map_or(0, |lease| lease.1);
        let opened = match self.progress.outcome {
            None => self.progress.open.as_ref().map_or(0, |open| open.height.0),
            Some(_) => 0,
        };
        Some(Height(granted.max(opened)))
    }
}

/// What is on this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskView {
    /// Where `current` points.
    pub current: Link,
    /// Where `previous` points.
    pub previous: Option<Digest>,
    /// The daemon.
    pub daemon: DaemonView,
    /// The artifact of [`crate::Memory::target`] is in the store; `false` if there is no target.
    pub staged: bool,
}

/// A link of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// It points at this artifact, which is there.
    To(Digest),
    /// There is no link.
    Missing,
    /// It dangles, or is not one of the store's.
    Broken {
        /// How.
        why: String,
    },
}

/// The daemon, as far as it can be proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DaemonView {
    /// Alive, and executes these bytes; the agent has adopted it.
    Running {
        /// Digest of the bytes.
        digest: Digest,
    },
    /// Proved dead, or never started.
    Dead,
    /// Dead because the host started anew: no verdict on the release.
    HostLost,
    /// Neither could be proved: nothing may be started.
    Unknown,
}
