use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use concord_schema::rollout::{Purpose, SeatState};
use concord_tests::fleet::{Fleet, ROLLOUT, three_waves};
use concord_tests::setup::{COMPONENT, Setup, addr};
use cosmwasm_std::Order;
use tokio::time::{Instant, timeout};

use super::*;
use crate::chain::{Address, At, RpcError};

const LONGEST: Duration = Duration::from_secs(10);

/// The real contract's states, kept height by height.
#[derive(Clone, Default)]
struct Kept {
    states: Arc<Mutex<BTreeMap<u64, State>>>,
}

#[derive(Clone)]
struct State {
    time_nanos: u64,
    store: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Kept {
    /// Keeps the state of now, and lets a block pass.
    fn block(&self, fleet: &mut Fleet) -> Head {
        let now = fleet.env.now();
        let store = fleet.env.store().range(None, None, Order::Ascending).collect();
        let time_nanos = now.time.0 * NANOS;
        self.states.lock().unwrap().insert(now.height.0, State { time_nanos, store });
        fleet.env.advance(1, 1);
        Head { height: now.height.0, time_nanos: Some(time_nanos), lowest: 1 }
    }

    fn prune_below(&self, height: u64) {
        self.states.lock().unwrap().retain(|kept, _| *kept >= height);
    }

    fn state(&self, height: u64) -> Result<State, RpcError> {
        let no_state = RpcError::NoState { endpoint: "kept".to_owned(), height };
        self.states.lock().unwrap().get(&height).cloned().ok_or(no_state)
    }
}

impl Chain for Kept {
    async fn head(&self) -> Result<Head, RpcError> {
        unreachable!("the tip is told")
    }

    async fn block_time_nanos(&self, height: u64) -> Result<u64, RpcError> {
        self.state(height).map(|state| state.time_nanos)
    }

    async fn raw(&self, _: &Address, key: &[u8], height: u64) -> Result<Option<Vec<u8>>, RpcError> {
        Ok(self.state(height)?.store.get(key).cloned())
    }

    async fn smart(&self, _: &Address, _: &serde_json::Value, _: At) -> Result<Vec<u8>, RpcError> {
        unreachable!("facts are raw")
    }
}

/// A follower of one node, and the tips that it is told.
struct Followed {
    fleet: Fleet,
    kept: Kept,
    node: usize,
    tips: watch::Sender<Tip>,
    news: mpsc::Receiver<News>,
}

impl Followed {
    fn new() -> Self {
        let fleet = Fleet::open(Setup::default(), three_waves());
        let node = *fleet.wave(0).first().unwrap();
        let contract: Address = fleet.env.contract.as_str().parse().unwrap();
        let viewer =
            Viewer::new(contract, addr(&format!("op{node}")).as_str(), COMPONENT, &format!("n{node}"));
        let kept = Kept::default();
        let (tips, seen) = watch::channel(Tip { head: None, risen: Instant::now(), source: Source::Live });
        let (sender, news) = mpsc::channel(NEWS_MAX);
        let (_, own) = watch::channel(Some(ROLLOUT));
        tokio::spawn(follow(kept.clone(), viewer, seen, own, LONGEST, sender));
        Self { fleet, kept, node, tips, news }
    }

    fn tell(&self, head: Head) {
        self.tips.send_replace(Tip { head: Some(head), risen: Instant::now(), source: Source::Live });
    }

    async fn view(&mut self) -> ChainView {
        match timeout(LONGEST, self.news.recv()).await.unwrap().unwrap() {
            News::View(view, _) => *view,
            News::Stale { why, .. } | News::Distrusted { why, .. } => panic!("{why}"),
        }
    }

    /// A first view, then a lease in the next block, then two blocks more: the follower saw none of the three.
    async fn lease_unseen(&mut self) -> (u64, Head) {
        let before = self.kept.block(&mut self.fleet);
        self.tell(before);
        self.view().await;
        self.fleet.lease(self.node, Purpose::Activate).unwrap();
        let granted = self.kept.block(&mut self.fleet).height;
        self.kept.block(&mut self.fleet);
        (granted, self.kept.block(&mut self.fleet))
    }
}

fn state(view: &ChainView) -> Option<SeatState> {
    view.rollout.as_ref()?.seat.as_ref().map(|seat| seat.state)
}

/// Skew is counted on the state on which the node leaves Armed: a slow read must not make it another block's.
#[tokio::test]
async fn the_block_of_the_lease_is_read_though_it_was_passed_over() {
    let mut followed = Followed::new();
    let (granted, tip) = followed.lease_unseen().await;
    followed.tell(tip.clone());
    let first = followed.view().await;
    assert_eq!((first.now.height.0, first.tip.0), (granted, tip.height));
    assert_eq!(state(&first), Some(SeatState::Leased));
    let second = followed.view().await;
    assert_eq!((second.now.height.0, second.tip.0), (tip.height, tip.height));
}

#[tokio::test]
async fn a_lease_whose_state_is_pruned_is_acted_on_at_the_tip() {
    let mut followed = Followed::new();
    let (_, tip) = followed.lease_unseen().await;
    followed.kept.prune_below(tip.height);
    followed.tell(tip.clone());
    assert_eq!(followed.view().await.now.height.0, tip.height);
}

/// An agent that starts knows nothing of what it would have done then.
#[tokio::test]
async fn a_lease_of_before_the_start_is_not_gone_back_to() {
    let mut followed = Followed::new();
    followed.fleet.lease(followed.node, Purpose::Activate).unwrap();
    followed.kept.block(&mut followed.fleet);
    let tip = followed.kept.block(&mut followed.fleet);
    followed.tell(tip.clone());
    assert_eq!(followed.view().await.now.height.0, tip.height);
    let next = followed.kept.block(&mut followed.fleet);
    followed.tell(next.clone());
    assert_eq!(followed.view().await.now.height.0, next.height, "nor read twice");
}

/// A full disk has news wait: the block of the lease must be among what is heard then, and nothing be begun on the past.
#[tokio::test]
async fn facts_that_waited_long_are_not_those_of_the_tip() {
    let mut followed = Followed::new();
    let head = followed.kept.block(&mut followed.fleet);
    followed.tell(head.clone());
    let view = followed.view().await;
    assert_eq!(view.tip, view.now.height);
    let still = Duration::from_secs(30);
    let long_ago = |ago| std::time::Instant::now().checked_sub(ago).unwrap();
    for (waited, tip) in [
        (Duration::ZERO, head.height),
        (still - Duration::from_secs(1), head.height),
        (still + Duration::from_millis(1), head.height + 1),
    ] {
        let news = News::View(Box::new(view.clone()), long_ago(waited));
        let Input::Chain(heard) = news.input(still) else { panic!("facts stay facts") };
        assert_eq!((heard.now.height.0, heard.tip.0), (head.height, tip), "{waited:?}");
    }
    // A tip that was further on stays the tip.
    let older = ChainView { tip: Height(head.height + 7), ..view };
    let Input::Chain(heard) = News::View(Box::new(older), long_ago(still * 2)).input(still) else {
        panic!("facts stay facts")
    };
    assert_eq!(heard.tip.0, head.height + 7);
}
