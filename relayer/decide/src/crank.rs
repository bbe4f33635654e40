//! Cranks: permissionless messages that persist what the rules already say. The draw goes out at once; for the others each
//! node waits its own few blocks, so that one of them sends and the rest find it done (design 4). Never `execute`.

use concord_schema::Height;
use concord_schema::node::Lot;
use concord_schema::rollout::RolloutPhase;

use crate::Agent;
use crate::effect::{Crank, Effect};
use crate::follow::at_tip;
use crate::said::Mark;

/// Nodes spread over so many blocks.
const SPREAD_BLOCKS: u64 = 8;

/// Since when the same crank is due.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Due {
    since: Height,
}

impl Agent {
    pub(crate) fn send_cranks(&mut self) {
        let due = self.due_crank();
        let Some((crank, wait_blocks)) = due else {
            self.due = None;
            self.cranked = None;
            return;
        };
        let Some(view) = self.view.as_ref().filter(|view| at_tip(view)) else { return };
        let Some(rollout) = view.rollout.as_ref().map(|newest| newest.id) else { return };
        let height = view.now.height;
        let since = self.due.get_or_insert(Due { since: height }).since;
        let waited = height.0.saturating_sub(since.0) >= wait_blocks;
        let recent = self.cranked.is_some_and(|mark| !mark.is_old(self.now_ms, height, &self.settings));
        if waited && !recent {
            self.cranked = Some(Mark::new(self.now_ms, height));
            self.out.push(Effect::Crank { rollout, crank });
        }
    }

    /// What is due, and how many blocks this node leaves to others first.
    fn due_crank(&self) -> Option<(Crank, u64)> {
        let view = self.view.as_ref()?;
        let node = view.node.as_ref()?;
        let newest = view.rollout.as_ref()?;
        if newest.rollout.phase(&newest.progress, &view.brakes, view.now) == RolloutPhase::Drawing {
            return (view.now.height >= newest.rollout.draw_from).then_some((Crank::Draw, 0));
        }
        let drawn = newest.progress.drawn?;
        let due = newest.rollout.is_due(&newest.progress, &view.brakes, view.now);
        // Hashed only when it matters: this is asked in every turn.
        due.then(|| {
            let lot = Lot::draw(&drawn.seed, node.no);
            (Crank::Advance, lot.0.checked_rem(SPREAD_BLOCKS).unwrap_or_default())
        })
    }
}
