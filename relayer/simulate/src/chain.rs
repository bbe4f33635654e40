//! The real contract on a chain in memory, and its facts as agents read them.

use std::collections::BTreeMap;

use concord_coordinator::{contract, load, state};
use concord_decide::{ChainView, RolloutView};
use concord_schema::brake::{Brakes, Scope};
use concord_schema::event::read_entry;
use concord_schema::log::{Entry, Head};
use concord_schema::msg::ExecuteMsg;
use concord_schema::node::{Component, Node};
use concord_schema::proposal::Phase;
use concord_schema::release::{Release, Standing};
use concord_schema::replay::{Replay, ReplayError};
use concord_schema::rollout::{Progress, Rollout, Seat};
use concord_schema::units::{Height, Power, RolloutId, Seconds};
use concord_schema::{Digest, NodeNo, Now, ProposalId, keys};
use cosmwasm_std::testing::MockStorage;
use cosmwasm_std::{Addr, BlockInfo, Order, StdError, StdResult, Timestamp, WasmMsg, to_json_binary};
use cw_multi_test::{
    App, AppBuilder, AppResponse, BankKeeper, ContractWrapper, Executor, MockApiBech32, no_init,
};

use crate::failure::{Breach, hold};
use crate::genesis::{CHAIN_ID, COMPONENT, account, deployment};
use crate::genesis::{MEMBERS, Place};

/// What the contract answered.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// It took the message; the entries that it logged.
    Taken(Vec<Entry>),
    /// It refused, in its words.
    Refused(String),
}

/// All facts of the fleet's rollouts at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) component: Component,
    pub(crate) brakes: Brakes,
    pub(crate) down: Power,
    pub(crate) nodes: BTreeMap<NodeNo, Node>,
    pub(crate) rollouts: BTreeMap<RolloutId, Course>,
}

/// One rollout, whole.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    pub(crate) rollout: Rollout,
    pub(crate) progress: Progress,
    pub(crate) standing: Standing,
    pub(crate) release: Release,
    pub(crate) seats: BTreeMap<NodeNo, Seat>,
}

/// The chain.
pub(crate) struct Chain {
    app: App<BankKeeper, MockApiBech32, MockStorage>,
    contract: Addr,
    accounts: BTreeMap<String, Addr>,
    /// All that the events alone tell.
    pub(crate) replay: Replay,
    /// The newest facts.
    pub(crate) facts: Facts,
    /// Messages that were executed.
    pub(crate) messages: u64,
}

fn broken(error: &StdError) -> Breach {
    Breach::new("SETUP", words(error))
}

fn words(error: &StdError) -> String {
    AsRef::<dyn core::error::Error + Send + Sync>::as_ref(error).to_string()
}

fn unlike(error: ReplayError) -> Breach {
    Breach::new("LOG-1", error.to_string())
}

/// The contract and the log's first entry.
fn deployed(answer: &AppResponse) -> Result<(Addr, Entry), Breach> {
    let unsaid = || Breach::new("LOG-1", "the deployment is not logged".to_owned());
    let event = answer.events.iter().find(|event| event.ty == "wasm-concord").ok_or_else(unsaid)?;
    let pairs: Vec<_> = event.attributes.iter().map(|pair| (pair.key.clone(), pair.value.clone())).collect();
    let contract = pairs.iter().find(|(key, _)| key == "_contract_address").ok_or_else(unsaid)?;
    let entry = read_entry(&pairs).map_err(|error| Breach::new("LOG-1", error.to_string()))?;
    Ok((Addr::unchecked(&contract.1), entry))
}

fn unreadable(error: impl core::fmt::Display) -> Breach {
    Breach::new("SETUP", format!("the store cannot be read: {error}"))
}

impl Chain {
    /// A chain with the deployment, and every node registered.
    pub(crate) fn new(places: &[Place]) -> Result<Self, Breach> {
        let block = BlockInfo {
            height: 1_000,
            time: Timestamp::from_seconds(1_000_000),
            chain_id: CHAIN_ID.to_owned(),
        };
        let api = MockApiBech32::new("wasm");
        let mut app = AppBuilder::new().with_api(api).with_block(block).build(no_init);
        let code = ContractWrapper::new(contract::execute, contract::instantiate, contract::query);
        let code = app.store_code(Box::new(code));
        let [first, ..] = MEMBERS;
        let instantiate = WasmMsg::Instantiate {
            admin: None,
            code_id: code,
            msg: to_json_binary(&deployment(places)).map_err(|error| broken(&error))?,
            funds: Vec::new(),
            label: "concord".to_owned(),
        };
        let answer = app.execute(account(first), instantiate.into()).map_err(|error| broken(&error))?;
        let (contract, entry) = deployed(&answer)?;
        let replay = Replay::begin(&entry).map_err(unlike)?;
        let facts = Facts::load(&app, &contract)?;
        let accounts = BTreeMap::new();
        let mut chain = Self { app, contract, accounts, replay, facts, messages: 0 };
        for place in places {
            let register = ExecuteMsg::Register {
                component: COMPONENT.to_owned(),
                node_id: place.node.clone(),
                power: Power(place.power),
                hot_key: account(&place.hot).to_string(),
            };
            if let Answer::Refused(why) = chain.send(&place.operator, &register)? {
                return Err(Breach::new("SETUP", why));
            }
        }
        Ok(chain)
    }

    pub(crate) fn now(&self) -> Now {
        let block = self.app.block_info();
        Now { height: Height(block.height), time: Seconds(block.time.seconds()) }
    }

    /// The next block, a second later.
    pub(crate) fn next_block(&mut self) {
        self.app.update_block(|block| {
            block.time = block.time.plus_seconds(1);
            block.height = block.height.saturating_add(1);
        });
    }

    /// Executes a message of a named account; LOG-1 is checked with each.
    pub(crate) fn send(&mut self, who: &str, message: &ExecuteMsg) -> Result<Answer, Breach> {
        self.messages = self.messages.saturating_add(1);
        let sender = self.accounts.entry(who.to_owned()).or_insert_with(|| account(who)).clone();
        match self.app.execute_contract(sender, self.contract.clone(), message, &[]) {
            Ok(answer) => {
                let entries = self.follow(&answer)?;
                if !entries.is_empty() {
                    self.facts = Facts::load(&self.app, &self.contract)?;
                    self.facts.are_told_by(&self.replay)?;
                }
                Ok(Answer::Taken(entries))
            }
            Err(error) => {
                let stored = self.stored_head()?;
                hold("LOG-1", stored == self.head(), || format!("an error left a trace: {stored:?}"))?;
                Ok(Answer::Refused(words(&error)))
            }
        }
    }

    fn stored_head(&self) -> Result<Head, Breach> {
        state::LOG_HEAD.load(&*self.app.contract_storage(&self.contract)).map_err(unreadable)
    }

    /// The head as the events tell it.
    pub(crate) fn head(&self) -> Head {
        self.replay.log_head
    }

    /// LOG-1: what the events say, folded from the head before, is the head now.
    fn follow(&mut self, answer: &AppResponse) -> Result<Vec<Entry>, Breach> {
        let mut entries = Vec::new();
        for event in answer.events.iter().filter(|event| event.ty == "wasm-concord") {
            let pairs: Vec<_> =
                event.attributes.iter().map(|pair| (pair.key.clone(), pair.value.clone())).collect();
            let entry = read_entry(&pairs).map_err(|error| Breach::new("LOG-1", error.to_string()))?;
            self.replay.take(&entry).map_err(unlike)?;
            entries.push(entry);
        }
        let stored = self.stored_head()?;
        hold("LOG-1", stored == self.head(), || {
            format!("the head is {stored:?}, the entries fold to {:?}", self.head())
        })?;
        Ok(entries)
    }

    /// Number of the newest proposal.
    pub(crate) fn newest_proposal(&self) -> Result<u64, Breach> {
        let newest = state::PROPOSAL_COUNT.may_load(&*self.app.contract_storage(&self.contract));
        newest.map(Option::unwrap_or_default).map_err(unreadable)
    }

    /// Where a proposal is.
    pub(crate) fn phase_of(&self, id: ProposalId) -> Result<Phase, Breach> {
        let case = load::Case::load(&*self.app.contract_storage(&self.contract), id, self.now());
        case.map(|case| case.phase).map_err(unreadable)
    }

    /// The content of a proposal, as a voter sees it.
    pub(crate) fn digest_of(&self, id: ProposalId) -> Result<Digest, Breach> {
        let proposal = load::proposal(&*self.app.contract_storage(&self.contract), id);
        proposal.map(|proposal| proposal.digest).map_err(unreadable)
    }
}

impl Facts {
    fn load(app: &App<BankKeeper, MockApiBech32, MockStorage>, contract: &Addr) -> Result<Self, Breach> {
        let store = app.contract_storage(contract);
        let component = load::component(&*store, COMPONENT).map_err(unreadable)?;
        let brakes = load::brakes(&*store, Some(COMPONENT)).map_err(unreadable)?;
        let down = state::DOWN.load(&*store, &component.group).map_err(unreadable)?;
        let nodes = state::NODES
            .range(&*store, None, None, Order::Ascending)
            .map(|entry| entry.map(|(no, node)| (NodeNo(no), node)))
            .collect::<StdResult<_>>()
            .map_err(unreadable)?;
        let seats = state::SEATS
            .range(&*store, None, None, Order::Ascending)
            .collect::<StdResult<Vec<(u64, Seat)>>>()
            .map_err(unreadable)?;
        let newest = state::ROLLOUT_COUNT.may_load(&*store).map_err(unreadable)?.unwrap_or_default();
        let mut rollouts = BTreeMap::new();
        for id in 1..=newest {
            let rollout = load::rollout(&*store, RolloutId(id)).map_err(unreadable)?;
            let progress = load::progress(&*store, RolloutId(id)).map_err(unreadable)?;
            let standing = load::standing(&*store, &rollout.release).map_err(unreadable)?.standing;
            let release = load::release(&*store, &rollout.release).map_err(unreadable)?;
            let seats = seats.iter().filter(|(_, seat)| seat.rollout.0 == id);
            let seats = seats.map(|(no, seat)| (NodeNo(*no), seat.clone())).collect();
            rollouts.insert(RolloutId(id), Course { rollout, progress, standing, release, seats });
        }
        Ok(Self { component, brakes, down, nodes, rollouts })
    }

    /// LOG-1: the events alone tell the same facts.
    fn are_told_by(&self, replay: &Replay) -> Result<(), Breach> {
        let (group, told) = (&self.component.group, replay.components.get(COMPONENT));
        let same = told == Some(&self.component)
            && replay.down.get(group) == Some(&self.down)
            && replay.brakes.get(keys::scope(&Scope::All)) == Some(&self.brakes.all)
            && replay.brakes.get(COMPONENT) == self.brakes.component.as_ref()
            && replay.nodes == self.nodes
            && replay.rollouts.len() == self.rollouts.len();
        hold("LOG-1", same, || format!("the events tell {told:?} and {:?}: {self:?}", replay.brakes))?;
        for (id, course) in &self.rollouts {
            let progress = replay.progress.get(id);
            let standing = replay.standings.get(&course.rollout.release).map(|facts| facts.standing);
            let seats = replay.seats.iter().filter(|(_, seat)| seat.rollout == *id);
            let same = replay.rollouts.get(id) == Some(&course.rollout)
                && progress == Some(&course.progress)
                && standing == Some(course.standing)
                && seats.eq(&course.seats);
            hold("LOG-1", same, || format!("rollout {id}: the events tell {progress:?}: {course:?}"))?;
        }
        Ok(())
    }

    fn rollout_view(&self, id: RolloutId, no: NodeNo) -> Option<RolloutView> {
        let course = self.rollouts.get(&id)?;
        Some(RolloutView {
            id,
            rollout: course.rollout.clone(),
            progress: course.progress.clone(),
            seat: course.seats.get(&no).cloned(),
            standing: course.standing,
            release: course.release.clone(),
        })
    }

    /// What a node's agent would read now.
    pub(crate) fn view(&self, now: Now, no: NodeNo, own: Option<RolloutId>) -> ChainView {
        let newest = self.component.live.or(self.component.last);
        ChainView {
            now,
            tip: now.height,
            node: self.nodes.get(&no).cloned(),
            component: self.component.clone(),
            rollout: newest.and_then(|id| self.rollout_view(id, no)),
            own: own.filter(|own| Some(*own) != newest).and_then(|id| self.rollout_view(id, no)),
            down: self.down,
            brakes: self.brakes.clone(),
        }
    }
}
