//! The invariants (design 6), looked at after every message and after every turn.

use concord_decide::{AgentWaiting, DaemonView, Stage, Work};
use concord_schema::Now;
use concord_schema::brake::Brakes;
use concord_schema::log::Entry;
use concord_schema::rollout::{Outcome, SeatState};
use concord_schema::units::{Power, RolloutId};

use crate::chain::{Course, Facts};
use crate::failure::{Breach, hold};
use crate::node::Node;

/// What holds for a node after each of its turns.
pub(crate) fn node(node: &Node) -> Result<(), Breach> {
    hold("NODE-2", node.host.known.contains(&node.host.current), || {
        format!("{}: `current` is foreign", node.name)
    })?;
    let Some(process) = &node.host.daemon else { return Ok(()) };
    let name = &node.name;
    hold("NODE-2", node.host.store.contains(&process.digest), || {
        format!("{name}: {} runs and is not in the store", process.digest.short())
    })?;
    let Some(agent) = &node.agent else { return Ok(()) };
    let memory = agent.memory();
    let target = memory.target.as_ref();
    let expected = process.digest == memory.serves.artifact
        || target.is_some_and(|target| {
            process.digest == target.artifact.digest || process.digest == target.previous.artifact
        });
    hold("NODE-4", expected, || format!("{name}: an unknown release runs: {process:?}"))
}

/// A node that the agent took down on purpose is down for the chain too (NODE-3, the host's side).
pub(crate) fn down_together(node: &Node, facts: &Facts) -> Result<(), Breach> {
    let Some(agent) = &node.agent else { return Ok(()) };
    let memory = agent.memory();
    let switching = matches!(
        memory.stage,
        Stage::Stopped | Stage::Snapshotted | Stage::Switched | Stage::Booting | Stage::OnTrial
    );
    if !switching {
        return Ok(());
    }
    let course = facts.rollouts.get(&memory.generation.rollout);
    let seat = course.and_then(|course| course.seats.get(&node.no));
    hold("NODE-3", seat.is_some_and(|seat| seat.down), || {
        format!("{}: {} without a lease; its seat is {seat:?}", node.name, memory.stage)
    })
}

/// One release that is known, and a daemon that runs it: how a node stands once everything has come to rest (NODE-4).
pub(crate) fn at_rest(node: &Node) -> Result<(), Breach> {
    let name = &node.name;
    let Some(agent) = &node.agent else {
        return Err(Breach::new("LIVE", format!("{name}: its agent is gone")));
    };
    let memory = agent.memory();
    hold("LIVE", memory.stage.is_settled(), || {
        format!("{name}: still {}: {} ({:?})", memory.stage, node.waiting, node.waiting)
    })?;
    if matches!(memory.stage, Stage::Contained { .. }) {
        return Ok(());
    }
    let serves = memory.serves.artifact;
    hold("NODE-4", node.host.current == serves, || {
        format!("{name}: `current` is {}, it serves {}", node.host.current.short(), serves.short())
    })?;
    let running = node.host.daemon.as_ref().map(|process| process.digest);
    let found = running.map_or(DaemonView::Dead, |digest| DaemonView::Running { digest });
    // A release that ends again and again is at rest between two starts: nothing else is ever started in its place.
    let ends = node.host.ends_by_itself(&serves);
    let retries = matches!(node.waiting, AgentWaiting::Retry { on: Work::Spawn, .. });
    hold("NODE-4", running == Some(serves) || (running.is_none() && ends && retries), || {
        format!("{name}: {} and {found:?}, expected {}: {}", memory.stage, serves.short(), node.waiting)
    })
}

/// What holds for the contract's facts after each message.
pub(crate) fn facts(facts: &Facts) -> Result<(), Breach> {
    let mut down = Power(0);
    for (id, course) in &facts.rollouts {
        for seat in course.seats.values().filter(|seat| seat.down) {
            down = down.plus(seat.absence());
        }
        // A node takes its seat along to a newer rollout; the sums of what has ended stay as they were.
        let ended = matches!(course.progress.outcome, Some(Outcome::Cancelled | Outcome::Expired));
        if facts.component.last == Some(*id) && !ended {
            sums(*id, course)?;
        }
    }
    hold("NODE-3", down == facts.down, || {
        format!("{} is down by the seats, {} by the group", down.0, facts.down.0)
    })?;
    let Some(last) = facts.rollouts.values().next_back() else { return Ok(()) };
    let (bound, whole) = (last.rollout.plan.lease_bps, last.rollout.registered);
    let fits = !bound.exceeded_by(facts.down, whole) || facts.down <= facts.component.largest;
    hold("NODE-3", fits, || format!("{} of {} is down, past {bound:?}", facts.down.0, whole.0))
}

/// Buckets are what the seats say.
fn sums(id: RolloutId, course: &Course) -> Result<(), Breach> {
    let of = |holds: &dyn Fn(&concord_schema::rollout::Seat) -> bool| {
        let seats = course.seats.values().filter(|seat| holds(seat));
        seats.fold(Power(0), |sum, seat| sum.plus(seat.power))
    };
    let progress = &course.progress;
    let assigned = progress.waves.iter().fold(Power(0), |sum, wave| sum.plus(wave.0));
    let failed = progress.waves.iter().fold(Power(0), |sum, wave| sum.plus(wave.1));
    let seated = of(&|seat| seat.wave.is_some() && seat.state != SeatState::Refused);
    for (what, stored, found) in [
        ("assigned to waves", assigned, seated),
        ("ready", progress.ready, seated),
        ("refused", progress.refused, of(&|seat| seat.state == SeatState::Refused)),
        ("leased", progress.leased, of(&|seat| seat.state == SeatState::Leased && !seat.running)),
        ("running", progress.running, of(&|seat| seat.running)),
    ] {
        hold("BUCKETS", stored == found, || {
            format!("rollout {id}: {} is {what} by the sum, {} by the seats", stored.0, found.0)
        })?;
    }
    hold("BUCKETS", failed <= assigned, || format!("rollout {id}: more failed than was assigned"))?;
    let Some(open) = &progress.open else { return Ok(()) };
    for (what, stored, state) in [
        ("leased", open.leased, SeatState::Leased),
        ("on trial", open.trial, SeatState::Trial),
        ("healthy", open.healthy, SeatState::Healthy),
    ] {
        let here = course.seats.iter().filter(|(no, seat)| {
            seat.state == state && course.rollout.wave_of(progress, **no, seat) == Some(open.wave)
        });
        let found = here.fold(Power(0), |sum, (_, seat)| sum.plus(seat.power));
        hold("BUCKETS", stored == found, || {
            format!(
                "rollout {id}: {} is {what} in the open wave by the sum, {} by the seats",
                stored.0, found.0
            )
        })?;
    }
    Ok(())
}

/// No lease to activate is granted while a brake holds.
pub(crate) fn leases(entries: &[Entry], brakes: &Brakes, now: Now) -> Result<(), Breach> {
    let granted =
        |entry: &&Entry| entry.kind == "leased" && entry.fields.iter().any(|field| field.1 == "activate");
    let braked = brakes.holding(now);
    match entries.iter().find(granted) {
        Some(entry) if braked.is_some() => {
            Err(Breach::new("BRAKE", format!("{:?} while {braked:?} holds", entry.fields)))
        }
        Some(_) | None => Ok(()),
    }
}

/// PHASE-1: an end stays; only a vote takes back what stands.
pub(crate) fn ends(before: Option<Outcome>, after: Option<Outcome>) -> Result<(), Breach> {
    let stands = match before {
        None => true,
        Some(Outcome::Completed | Outcome::Contained) => {
            after == before || after.is_none() || after == Some(Outcome::RolledBack)
        }
        Some(Outcome::RolledBack | Outcome::Expired | Outcome::Cancelled) => after == before,
    };
    hold("PHASE-1", stands, || format!("{before:?} became {after:?}"))
}

#[cfg(test)]
mod tests {
    use concord_schema::Span;
    use concord_schema::brake::Brake;
    use concord_schema::clock::Moment;
    use concord_schema::log::Head;
    use concord_schema::units::{Height, Seconds};

    use super::*;

    #[test]
    fn a_lease_under_a_brake_is_seen() {
        let mut brake = Brake::off();
        brake.pull(Moment(100, 10), &Span::new(5, 5), 0, 1);
        let pulled = Brakes { all: brake, component: None };
        for (purpose, seconds, height, rule) in
            [("activate", 104, 14, Some("BRAKE")), ("activate", 105, 15, None), ("roll_back", 104, 14, None)]
        {
            let fields = vec![("purpose".to_owned(), purpose.to_owned())];
            let entry = Head::default().entry(height, seconds, "n0", "leased", fields);
            let now = Now { height: Height(height), time: Seconds(seconds) };
            let found = leases(&[entry], &pulled, now).err().map(|breach| breach.rule);
            assert_eq!(found, rule, "{purpose} at {height}");
        }
    }

    #[test]
    fn an_end_that_is_left_is_seen() {
        use Outcome::{Cancelled, Completed, Contained, Expired, RolledBack};
        for (before, after, stands) in [
            (None, Some(Completed), true),
            (Some(Completed), None, true),
            (Some(Contained), Some(RolledBack), true),
            (Some(Completed), Some(Expired), false),
            (Some(RolledBack), None, false),
            (Some(Cancelled), Some(Completed), false),
            (Some(Expired), Some(Expired), true),
        ] {
            assert_eq!(ends(before, after).is_ok(), stands, "{before:?} to {after:?}");
        }
    }
}
