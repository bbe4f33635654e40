//! Entries about the brake.

use super::{At, Replay, ReplayError};
use crate::brake::{Brake, Pull, Released, Scope};
use crate::clock::Moment;
use crate::event::Event;
use crate::keys;

/// A scope's brake, the moment on its own outer clock, and the rollout that a pull is for.
struct Held {
    brake: Brake,
    now: Moment,
    rollout: u64,
}

impl Replay {
    pub(super) fn take_brake(&mut self, at: &At<'_>, event: &Event) -> Result<(), ReplayError> {
        match event {
            Event::Braked { scope, length, until_seconds, until_height } => {
                self.braked(at, scope, length, (until_seconds, until_height))
            }
            Event::ReleaseAsked { scope, count } => self.release_asked(at, scope, count),
            Event::BrakeReleased { scope } => self.brake_released(at, scope),
            _ => Ok(()),
        }
    }

    fn held(&self, at: &At<'_>, scope: &str) -> Result<Held, ReplayError> {
        if scope == keys::scope(&Scope::All) {
            let brake = self.brakes_on(at, None)?.all;
            let rollout = self.rollouts.last_key_value().map_or(0, |(id, _)| id.0);
            return Ok(Held { brake, now: at.now.into(), rollout });
        }
        let component = at.found(self.components.get(scope), "component", scope)?;
        let brakes = self.brakes_on(at, Some(scope))?;
        let now = brakes.outer(at.now);
        let rollout = component.last.map_or(0, |last| last.0);
        Ok(Held { brake: brakes.component.unwrap_or_else(Brake::off), now, rollout })
    }

    /// The sender's place in the guardian list.
    fn guardian(&self, at: &At<'_>) -> Result<u8, ReplayError> {
        let place = self.guardians.addrs.iter().position(|addr| addr == at.who);
        at.found(place.and_then(|place| u8::try_from(place).ok()), "guardian", at.who)
    }

    fn braked(
        &mut self,
        at: &At<'_>,
        scope: &str,
        length: &str,
        until: (&str, &str),
    ) -> Result<(), ReplayError> {
        let Held { mut brake, now, rollout } = self.held(at, scope)?;
        let place = self.guardian(at)?;
        let rules = at.found(self.rules.last(), "version of the rules", self.rules.len())?;
        let by = Pull {
            threshold: self.guardians.threshold,
            short: &rules.brake_short,
            full: &rules.brake_full,
            rollout,
        };
        brake.ask_pull(now, place, &by).map_err(|error| at.refused("the pull", error))?;
        let computed = brake.until.unwrap_or(now).on_raw_clock(&now, at.now);
        let said = Moment(at.parse("until_seconds", until.0)?, at.parse("until_height", until.1)?);
        if computed != said {
            return Err(at.disagrees("the brake's end", format!("{computed:?}"), format!("{said:?}")));
        }
        let full = brake.pulled_by.len() >= usize::from(by.threshold);
        at.agree("the brake's length", if full { "full" } else { "short" }, length)?;
        self.brakes.insert(scope.to_owned(), brake);
        Ok(())
    }

    fn release_asked(&mut self, at: &At<'_>, scope: &str, count: &str) -> Result<(), ReplayError> {
        let Held { mut brake, now, .. } = self.held(at, scope)?;
        let place = self.guardian(at)?;
        match brake.ask_release(now, place, self.guardians.threshold) {
            Released::Asked | Released::Ended => {}
            other => return Err(at.refused("the wish for release", format!("{other:?}"))),
        }
        at.agree("the number of guardians who ask", brake.released_by.len(), at.parse("count", count)?)?;
        self.brakes.insert(scope.to_owned(), brake);
        Ok(())
    }

    /// By the last guardian who was needed, then it has ended already; or by a vote.
    fn brake_released(&mut self, at: &At<'_>, scope: &str) -> Result<(), ReplayError> {
        let Held { mut brake, now, .. } = self.held(at, scope)?;
        if brake.holds(&now) {
            brake.release(now);
            self.brakes.insert(scope.to_owned(), brake);
        }
        Ok(())
    }
}
