//! The contract on a chain in memory, with everyone who deals with it. After every message the harness checks what
//! must always hold: the log's head is the fold of its entries (LOG-1), the balance covers what is owed (MONEY-1),
//! an error leaves no trace, and a terminal phase stays (PHASE-1).

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a harness fails a test by a panic"
)]

use std::collections::BTreeMap;

use concord_coordinator::case::Case;
use concord_coordinator::{contract, load, state};
use concord_schema::attestation::{Claim, Finding, Signature, Statement};
use concord_schema::brake::Scope;
use concord_schema::event::{Event, read_entry};
use concord_schema::log::{Entry, Head};
use concord_schema::msg::{Done, ExecuteMsg, InstantiateMsg};
use concord_schema::node::Component;
use concord_schema::proposal::{Draft, Phase, Proposal};
use concord_schema::query::QueryMsg;
use concord_schema::release::Release;
use concord_schema::replay::Replay;
use concord_schema::report::Report;
use concord_schema::rollout::{Progress, Purpose, Rollout, RolloutPhase, Seat};
use concord_schema::tally::{Ballot, Tally};
use concord_schema::units::{Height, NodeNo, Power, ProposalId, RolloutId, Seconds};
use concord_schema::{Now, Span};
use cosmwasm_std::testing::MockStorage;
use cosmwasm_std::{
    Addr, BlockInfo, Coin, Empty, Order, StdError, StdResult, Storage, Timestamp, WasmMsg, coin, from_json,
    to_json_binary,
};
use cw_multi_test::{
    App, AppBuilder, AppResponse, BankKeeper, Contract, ContractWrapper, Executor, MockApiBech32,
};
use serde::de::DeserializeOwned;

use crate::rebuilt;
pub use crate::setup::{
    CHAIN_ID, COMPONENT, DENOM, LONG, PLATFORM, PURSE, SHORT, Secret, Setup, addr, document, draft, member,
    plan, release, row, upgrade,
};

impl Setup {
    /// Sets it up on a chain in memory.
    #[must_use]
    pub fn build(self) -> MockEnv {
        self.build_on(MockStorage::new())
    }

    /// Sets it up over a store, such as one that counts.
    #[must_use]
    pub fn build_on<S: Storage>(self, storage: S) -> MockEnv<S> {
        self.build_of(storage, native())
    }

    /// Sets another build of the contract up, such as the one for the chain in its virtual machine.
    #[must_use]
    pub fn build_of<S: Storage>(self, storage: S, code: Box<dyn Contract<Empty>>) -> MockEnv<S> {
        let mut env = MockEnv::empty_of(storage, code);
        env.setup = self;
        let message = env.setup.message();
        env.instantiate(&message).expect("the deployment is sound");
        env
    }
}

/// Why the contract refused a message, in its words and without a backtrace.
#[derive(Debug)]
pub struct Refused(pub String);

impl core::fmt::Display for Refused {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for Refused {}

impl From<StdError> for Refused {
    fn from(error: StdError) -> Self {
        Self(AsRef::<dyn core::error::Error + Send + Sync>::as_ref(&error).to_string())
    }
}

/// The contract as it is compiled for this machine.
fn native() -> Box<dyn Contract<Empty>> {
    Box::new(ContractWrapper::new(contract::execute, contract::instantiate, contract::query))
}

/// With more operators and nodes than these the store is not rebuilt after each message: it takes too long.
const REBUILT_MAX: usize = 128;

type Chain<S> = App<BankKeeper, MockApiBech32, S>;

/// The contract on a chain, and its history.
pub struct MockEnv<S = MockStorage> {
    /// The chain.
    pub app: Chain<S>,
    /// The contract.
    pub contract: Addr,
    /// What it was built from.
    pub setup: Setup,
    /// The log's first entry, once deployed.
    pub deployed: Option<Entry>,
    /// Every log entry after that of the instantiation.
    pub entries: Vec<Entry>,
    /// What the entries alone say that the contract holds.
    pub replay: Option<Replay>,
    code: u64,
    ended: BTreeMap<u64, Phase>,
}

impl MockEnv {
    /// The default deployment.
    #[must_use]
    pub fn new() -> Self {
        Setup::default().build()
    }
}

impl Default for MockEnv {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Storage> MockEnv<S> {
    /// A chain with the contract's code and no deployment.
    pub fn empty(storage: S) -> Self {
        Self::empty_of(storage, native())
    }

    /// The same with another build of the contract.
    pub fn empty_of(storage: S, code: Box<dyn Contract<Empty>>) -> Self {
        let block = BlockInfo {
            height: 100,
            time: Timestamp::from_seconds(1_000_000),
            chain_id: CHAIN_ID.to_owned(),
        };
        let setup = Setup::default();
        let mut app = AppBuilder::new()
            .with_api(MockApiBech32::new("wasm"))
            .with_block(block)
            .with_storage(storage)
            .build(|router, _, storage| {
                for name in ["ann", "bob", "cyd", "eve", "dan"] {
                    let coins = vec![coin(PURSE, DENOM), coin(PURSE, "uother")];
                    router.bank.init_balance(storage, &addr(name), coins).unwrap();
                }
            });
        let code = app.store_code(code);
        Self {
            app,
            contract: Addr::unchecked(""),
            setup,
            deployed: None,
            entries: Vec::new(),
            replay: None,
            code,
            ended: BTreeMap::new(),
        }
    }

    /// Sets up a deployment; `ann` sends it.
    ///
    /// # Errors
    /// The contract's.
    pub fn instantiate(&mut self, message: &InstantiateMsg) -> Result<(), Refused> {
        let instantiate = WasmMsg::Instantiate {
            admin: None,
            code_id: self.code,
            msg: to_json_binary(message)?,
            funds: vec![],
            label: "concord".to_owned(),
        };
        let answer = self.app.execute(addr("ann"), instantiate.into())?;
        let ours = answer.events.iter().find(|event| event.ty == "wasm-concord").expect("it is logged");
        let contract = ours.attributes.iter().find(|pair| pair.key == "_contract_address");
        self.contract = Addr::unchecked(&contract.expect("the chain names it").value);
        self.follow(Head::default(), &answer);
        assert_eq!(self.head().seq, 1, "the instantiation is the first entry");
        self.deployed = self.entries.pop();
        Ok(())
    }

    /// The block that would answer now.
    #[must_use]
    pub fn now(&self) -> Now {
        let block = self.app.block_info();
        Now { height: Height(block.height), time: Seconds(block.time.seconds()) }
    }

    /// Lets time and blocks go by.
    pub fn advance(&mut self, seconds: u64, blocks: u64) {
        self.app.update_block(|block| {
            block.time = block.time.plus_seconds(seconds);
            block.height += blocks;
        });
        self.check_phases();
    }

    /// Lets exactly a span go by.
    pub fn pass(&mut self, span: Span) {
        self.advance(span.seconds.0, span.blocks.0);
    }

    /// Sends a message of a named account, and checks what must always hold.
    ///
    /// # Errors
    /// The contract's, as text.
    pub fn send(&mut self, who: &str, message: &ExecuteMsg) -> Result<AppResponse, Refused> {
        self.send_with(who, message, &[])
    }

    /// Sends a message with money.
    ///
    /// # Errors
    /// As [`MockEnv::send`].
    pub fn send_with(
        &mut self,
        who: &str,
        message: &ExecuteMsg,
        funds: &[Coin],
    ) -> Result<AppResponse, Refused> {
        let before = self.head();
        let answer = self.app.execute_contract(addr(who), self.contract.clone(), message, funds);
        match &answer {
            Ok(answer) => self.follow(before, answer),
            Err(_) => assert_eq!(self.head(), before, "an error left a trace in the log"),
        }
        self.check_money();
        self.check_phases();
        Ok(answer?)
    }

    /// Sends a message that may have nothing to do.
    #[must_use]
    pub fn crank(&mut self, who: &str, message: &ExecuteMsg) -> Done {
        let before = self.app.dump_wasm_raw(&self.contract);
        let answer = self.send(who, message).unwrap();
        let done: Done = from_json(answer.data.expect("it says what it did")).unwrap();
        if !done.changed {
            assert_eq!(self.app.dump_wasm_raw(&self.contract), before, "a repeat wrote something");
        }
        done
    }

    /// LOG-1: what the events say, folded from the head before, is the head now.
    fn follow(&mut self, before: Head, answer: &AppResponse) {
        let mut head = before;
        for event in answer.events.iter().filter(|event| event.ty == "wasm-concord") {
            let pairs: Vec<_> =
                event.attributes.iter().map(|pair| (pair.key.clone(), pair.value.clone())).collect();
            let entry = read_entry(&pairs).unwrap();
            assert_eq!((entry.seq, entry.prev), (head.seq + 1, head.hash), "the log is a chain");
            assert!(Event::read(&entry).unwrap().is_some(), "{} is a known event", entry.kind);
            head = Head::after(&entry);
            match &mut self.replay {
                None => self.replay = Some(Replay::begin(&entry).unwrap()),
                Some(replay) => replay.take(&entry).unwrap(),
            }
            self.entries.push(entry);
        }
        assert_eq!(self.head(), head, "the head is the fold of the entries");
        let replay = self.replay.as_ref().expect("a deployment was logged");
        if replay.nodes.len() + replay.operators.len() <= REBUILT_MAX {
            self.check_replay();
        }
    }

    /// LOG-1: the entries alone rebuild every stored byte.
    pub fn check_replay(&self) {
        let stored = self.app.dump_wasm_raw(&self.contract).into_iter().collect();
        let rebuilt = rebuilt::records(self.replay.as_ref().expect("a deployment was logged"));
        if let Some(difference) = rebuilt::difference(&stored, &rebuilt) {
            panic!("after {:?}, the entries rebuild something else: {difference}", self.entries.last());
        }
    }

    /// MONEY-1: the balance covers what is owed.
    fn check_money(&self) {
        let owed: Vec<_> = state::LIABILITIES
            .range(&*self.store(), None, None, Order::Ascending)
            .collect::<StdResult<_>>()
            .unwrap();
        for (denom, owed) in owed {
            let held = self.app.wrap().query_balance(&self.contract, &denom).unwrap().amount;
            assert!(held >= owed, "{held} {denom} must cover {owed}");
        }
    }

    /// PHASE-1: a terminal phase stays.
    fn check_phases(&mut self) {
        let last = state::PROPOSAL_COUNT.may_load(&*self.store()).unwrap().unwrap_or(0);
        for id in 1..=last {
            let phase = self.phase(ProposalId(id));
            if let Some(was) = self.ended.get(&id) {
                assert_eq!(phase, *was, "proposal {id} left its terminal phase");
            } else if phase.is_terminal() {
                self.ended.insert(id, phase);
            }
        }
    }

    /// The contract's raw store.
    #[must_use]
    pub fn store(&self) -> Box<dyn Storage + '_> {
        self.app.contract_storage(&self.contract)
    }

    /// Asks the contract.
    ///
    /// # Errors
    /// The contract's, as text.
    pub fn query<T: DeserializeOwned>(&self, message: &QueryMsg) -> Result<T, Refused> {
        Ok(self.app.wrap().query_wasm_smart(&self.contract, message)?)
    }

    /// The log's head.
    #[must_use]
    pub fn head(&self) -> Head {
        state::LOG_HEAD.load(&*self.store()).unwrap()
    }

    /// A proposal's facts.
    #[must_use]
    pub fn proposal(&self, id: ProposalId) -> Proposal {
        load::proposal(&*self.store(), id).unwrap()
    }

    /// A proposal's tally.
    #[must_use]
    pub fn tally(&self, id: ProposalId) -> Tally {
        load::tally(&*self.store(), id).unwrap()
    }

    /// Where a proposal is.
    #[must_use]
    pub fn phase(&self, id: ProposalId) -> Phase {
        Case::load(&*self.store(), id, self.now()).unwrap().phase
    }

    /// A component's facts.
    #[must_use]
    pub fn component(&self) -> Component {
        load::component(&*self.store(), COMPONENT).unwrap()
    }

    /// What a release may do.
    #[must_use]
    pub fn standing(&self, release: &Release) -> concord_schema::release::Standing {
        load::standing(&*self.store(), &release.digest()).unwrap().standing
    }

    /// A rollout's facts.
    #[must_use]
    pub fn rollout(&self, id: RolloutId) -> (Rollout, Progress) {
        let store = self.store();
        (load::rollout(&*store, id).unwrap(), load::progress(&*store, id).unwrap())
    }

    /// Where a rollout is.
    #[must_use]
    pub fn rollout_phase(&self, id: RolloutId) -> RolloutPhase {
        let (rollout, progress) = self.rollout(id);
        let brakes = load::brakes(&*self.store(), Some(&rollout.component)).unwrap();
        rollout.phase(&progress, &brakes, self.now())
    }

    /// A node's seat in a rollout.
    #[must_use]
    pub fn seat(&self, rollout: RolloutId, node: NodeNo) -> Option<Seat> {
        state::SEATS.may_load(&*self.store(), node.0).unwrap().filter(|seat| seat.rollout == rollout)
    }

    /// Proposes, with the deposit that the class takes.
    ///
    /// # Errors
    /// As [`MockEnv::send`].
    pub fn try_propose(&mut self, who: &str, draft: &Draft) -> Result<ProposalId, Refused> {
        let deposit = self.setup.rules.row(load::class(&*self.store(), draft)).deposit.clone();
        let message = ExecuteMsg::Propose { draft: Box::new(draft.clone()) };
        self.send_with(who, &message, deposit.as_slice())?;
        Ok(ProposalId(state::PROPOSAL_COUNT.load(&*self.store()).unwrap()))
    }

    /// Proposes; `ann` does.
    pub fn propose(&mut self, draft: &Draft) -> ProposalId {
        self.try_propose("ann", draft).unwrap()
    }

    /// The statement that an auditor would make now.
    #[must_use]
    pub fn statement(&self, id: ProposalId, finding: Finding) -> Statement {
        let proposal = self.proposal(id);
        let digest = proposal.release.expect("it proposes a release");
        let release = load::release(&*self.store(), &digest).unwrap();
        Statement {
            proposal: id,
            revision: proposal.revision,
            release: digest,
            platforms: release.platforms_digest(),
            claim: Claim::Reviewed,
            finding,
            nonce: 7,
            expires: Seconds(self.now().time.0 + 1_000),
        }
    }

    /// The auditor's signature over a statement for this contract.
    #[must_use]
    pub fn signature(&self, auditor: &str, statement: &Statement) -> Signature {
        let place = self.setup.auditors.iter().position(|(name, _)| *name == auditor);
        let secret = Secret::of(u8::try_from(place.expect("an auditor of the setup")).unwrap());
        Signature {
            auditor: addr(auditor).to_string(),
            signature: secret.sign(&statement.sign_bytes(
                CHAIN_ID,
                self.contract.as_str(),
                addr(auditor).as_str(),
            )),
            wallet_key: None,
        }
    }

    /// Has an auditor approve by signature; a stranger carries it.
    ///
    /// # Errors
    /// As [`MockEnv::send`].
    pub fn attest(&mut self, auditor: &str, id: ProposalId) -> Result<AppResponse, Refused> {
        let statement = self.statement(id, Finding::Approves);
        let signature = Some(self.signature(auditor, &statement));
        self.send("eve", &ExecuteMsg::Attest { statement, signature })
    }

    /// Votes on the content as it is.
    ///
    /// # Errors
    /// As [`MockEnv::send`].
    pub fn vote(&mut self, who: &str, id: ProposalId, ballot: Ballot) -> Result<AppResponse, Refused> {
        let expect_digest = self.proposal(id).digest;
        self.send(who, &ExecuteMsg::Vote { proposal: id, ballot, expect_digest, rationale: None })
    }

    /// Brings a proposal from its deliberation to its vote.
    pub fn to_voting(&mut self, id: ProposalId) {
        self.pass(SHORT);
        if self.phase(id) == Phase::Validation {
            let auditors: Vec<&str> = self.setup.auditors.iter().map(|(name, _)| *name).collect();
            for auditor in auditors {
                if self.phase(id) == Phase::Validation {
                    self.attest(auditor, id).unwrap();
                }
            }
        } else {
            let done = self.crank("eve", &ExecuteMsg::OpenVote { proposal: id });
            assert!(done.changed, "{}", done.what);
        }
        assert_eq!(self.phase(id), Phase::Voting);
    }

    /// Brings a proposal to where it may be executed.
    pub fn to_ready(&mut self, id: ProposalId) {
        self.to_voting(id);
        let members: Vec<&str> = self.setup.members.iter().map(|(name, _)| *name).collect();
        for name in members {
            // Somebody may have been removed by an earlier vote.
            let _ = self.vote(name, id, Ballot::Yes);
        }
        for _ in 0..20 {
            if self.phase(id) == Phase::Ready {
                return;
            }
            self.pass(SHORT);
        }
        panic!("proposal {id} is {:?}, not ready", self.phase(id));
    }

    /// Executes; a stranger does.
    #[must_use]
    pub fn execute(&mut self, id: ProposalId) -> Done {
        self.crank("eve", &ExecuteMsg::Execute { proposal: id })
    }

    /// Proposes, passes and executes.
    pub fn decide(&mut self, draft: &Draft) -> ProposalId {
        let id = self.propose(draft);
        self.to_ready(id);
        let done = self.execute(id);
        assert!(done.changed && self.phase(id) == Phase::Executed, "{}", done.what);
        id
    }

    /// Registers a node of an operator; its hot key is `hot-` and the node's name.
    ///
    /// # Errors
    /// As [`MockEnv::send`].
    pub fn register(&mut self, operator: &str, node: &str, power: u64) -> Result<AppResponse, Refused> {
        let message = ExecuteMsg::Register {
            component: COMPONENT.to_owned(),
            node_id: node.to_owned(),
            power: Power(power),
            hot_key: addr(&format!("hot-{node}")).to_string(),
        };
        self.send(operator, &message)
    }

    /// Reports as a node.
    ///
    /// # Errors
    /// As [`MockEnv::send`].
    pub fn report(&mut self, node: &str, rollout: RolloutId, report: Report) -> Result<AppResponse, Refused> {
        self.send(&format!("hot-{node}"), &ExecuteMsg::Report { rollout, report })
    }

    /// Asks for a lease as a node.
    ///
    /// # Errors
    /// As [`MockEnv::send`].
    pub fn lease(
        &mut self,
        node: &str,
        rollout: RolloutId,
        purpose: Purpose,
    ) -> Result<AppResponse, Refused> {
        self.send(&format!("hot-{node}"), &ExecuteMsg::Lease { rollout, purpose })
    }

    /// Sends `advance`; a stranger does.
    #[must_use]
    pub fn advance_rollout(&mut self, rollout: RolloutId) -> Done {
        self.crank("eve", &ExecuteMsg::Advance { rollout })
    }

    /// Pulls the brake.
    ///
    /// # Errors
    /// As [`MockEnv::send`].
    pub fn brake(&mut self, guardian: &str, scope: Scope) -> Result<AppResponse, Refused> {
        self.send(guardian, &ExecuteMsg::Brake { scope })
    }
}

/// Asserts that a message was refused, and that the error says so.
pub fn assert_err<T: core::fmt::Debug, E: core::fmt::Display>(answer: Result<T, E>, text: &str) {
    match answer {
        Ok(answer) => panic!("expected an error with {text:?}, found {answer:?}"),
        Err(error) => {
            let error = error.to_string();
            assert!(error.contains(text), "expected an error with {text:?}, found: {error}");
        }
    }
}
