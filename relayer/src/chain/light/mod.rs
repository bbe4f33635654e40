//! A chain whose every fact is proved: the light client of `concord-prove`, over the endpoints of an [`Rpc`].
//!
//! What decides is read here. What serves people, and what is checked by the chain itself, goes by the [`Rpc`]: smart
//! queries, sequences, transactions.
//!
//! The state after block `h` is proved by the header of block `h + 1`. So the newest state that can be read is the one
//! before the newest verified header, and its time is that of its own block's header, verified as well.

mod clock;
mod gate;
mod keep;
mod source;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use concord_decide::Distrust;
use concord_prove::{
    Anchor, Course, Light, Reason, Refusal, Root, StateKey, Terms, Time, Told, TrustFile, propose_anchor,
    read_any,
};
use serde_json::Value;

pub use clock::{Clock, host_time};
pub use keep::{
    ACCEPTED, CHECKSUMS_MAX, Checksum, TRUST, keep_accepted, keep_trust, read_accepted, read_checksum,
    read_trust,
};

use super::{Address, At, Chain, Head, Rpc, RpcError};
use clock::ClockCheck;
use gate::Gate;
use keep::Keeper;
pub use source::RpcSource;
use source::Sources;

/// Roots of the newest states that were read at, at most: views are read while newer headers are verified.
const ROOTS_MAX: usize = 64;
/// A state below this height is proved by no node (baseapp refuses heights of 1 and below).
const STATE_HEIGHT_MIN: u64 = 2;

/// How to prove a chain.
#[derive(Clone, Debug)]
pub struct LightSettings {
    /// The coordinator, whose code must be an accepted one.
    pub contract: Address,
    /// The agent's folder, where trust is kept.
    pub folder: PathBuf,
    /// For how long headers are trusted.
    pub terms: Terms,
    /// Code that the operator's configuration accepts.
    pub checksums: Vec<Checksum>,
    /// The host's clock.
    pub clock: Clock,
}

/// A chain that is proved. Cheap to clone; clones share what is trusted.
#[derive(Clone, Debug)]
pub struct LightChain {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    rpc: Rpc,
    settings: LightSettings,
    sources: Sources,
    held: tokio::sync::Mutex<Held>,
    /// By the height of the state that they prove. Cleared when nothing is believed any more.
    roots: Mutex<BTreeMap<u64, Root>>,
}

#[derive(Debug)]
struct Held {
    /// The sentence of an error stands for a file that only a person can mend.
    light: Result<Light, String>,
    keeper: Option<Keeper>,
    gate: Gate,
    clock: ClockCheck,
}

impl Held {
    fn light(&mut self) -> Result<&mut Light, RpcError> {
        self.light
            .as_mut()
            .map_err(|why| RpcError::Distrusted { cause: Distrust::Unproved, why: why.clone() })
    }

    fn keep(&mut self) {
        if let (Ok(light), Some(keeper)) = (&self.light, self.keeper.as_mut()) {
            keeper.keep(light.file());
        }
    }
}

impl LightChain {
    /// Goes on from the trust in the agent's folder. A file that is missing or broken is told by every read: an agent
    /// without trust still looks after its node.
    #[must_use]
    pub fn open(rpc: Rpc, settings: LightSettings) -> Self {
        let chain_id = rpc.settings().chain_id.clone();
        let light = read_trust(&settings.folder, &chain_id).map(|mut file| {
            // The operator's newest word on spans counts, not that of the file's day.
            file.terms = settings.terms;
            Light::resume(file)
        });
        let accepted = read_accepted(&settings.folder, settings.contract.text());
        let (light, accepted) = match (light, accepted) {
            (Ok(light), Ok(accepted)) => (Ok(light), accepted),
            (Err(why), _) | (Ok(_), Err(why)) => (Err(why), Vec::new()),
        };
        let keeper = Some(Keeper::new(settings.folder.clone()));
        Self::new(rpc, settings, light, accepted, keeper)
    }

    /// Begins at an anchor that the operator vouched for, proves the chain's tip from it, and only then keeps both. The
    /// contract's code must be accepted, or else nothing may be accepted yet: then it is what the operator begins with.
    ///
    /// # Errors
    /// [`RpcError`]; nothing in the folder is changed then.
    pub async fn begin(
        rpc: Rpc,
        settings: LightSettings,
        anchor: Anchor,
        reason: &str,
    ) -> Result<(Self, Head), RpcError> {
        let accepted = read_accepted(&settings.folder, settings.contract.text())
            .map_err(|why| RpcError::Distrusted { cause: Distrust::Unproved, why })?;
        let sources = Sources::new(rpc.clone());
        let asked = sources.ordered();
        let (now, chain_id) = ((settings.clock)(), rpc.settings().chain_id.clone());
        let told = Light::begin(&asked, &chain_id, anchor, reason, settings.terms, now).await;
        let light = told.verdict.proved().map_err(|reason| error_of(reason, &told.refusals))?;
        let mut chain = Self::new(rpc, settings, Ok(light), accepted, None);
        if let Some(inner) = Arc::get_mut(&mut chain.inner) {
            inner.held.get_mut().gate.accepts_first = true;
        }
        let head = chain.head().await?;
        chain.keep_all().await?;
        Ok((chain, head))
    }

    /// The newest block that the configured nodes show alike, for a person to compare: not yet trusted.
    ///
    /// # Errors
    /// [`RpcError`]: fewer than two nodes show one, or they disagree.
    pub async fn propose(rpc: &Rpc) -> Result<Anchor, RpcError> {
        let asked = Sources::new(rpc.clone()).ordered();
        let told = propose_anchor(&asked, &rpc.settings().chain_id, None).await;
        told.verdict.proved().map_err(|reason| error_of(reason, &told.refusals))
    }

    fn new(
        rpc: Rpc,
        settings: LightSettings,
        light: Result<Light, String>,
        mut accepted: Vec<Checksum>,
        keeper: Option<Keeper>,
    ) -> Self {
        accepted.extend(settings.checksums.iter().copied());
        let held = Held { light, keeper, gate: Gate::new(accepted), clock: ClockCheck::default() };
        let sources = Sources::new(rpc.clone());
        let held = tokio::sync::Mutex::new(held);
        Self { inner: Arc::new(Inner { rpc, settings, sources, held, roots: Mutex::default() }) }
    }

    async fn keep_all(&self) -> Result<(), RpcError> {
        let mut held = self.inner.held.lock().await;
        let folder = self.inner.settings.folder.clone();
        let contract = self.inner.settings.contract.text();
        // What only the configuration accepts is accepted for as long as it stands there.
        let mut accepted = read_accepted(&folder, contract).unwrap_or_default();
        accepted.extend(held.gate.code().filter(|code| !accepted.contains(code)));
        let file = held.light()?.file().clone();
        keep_accepted(&folder, contract, &accepted).and_then(|()| keep_trust(&folder, &file)).map_err(
            |error| RpcError::Distrusted { cause: Distrust::Unproved, why: crate::causes::told(&error) },
        )?;
        held.keeper = Some(Keeper::new(folder));
        Ok(())
    }

    /// What is trusted now; `None` where the file cannot be used.
    pub async fn trust(&self) -> Option<TrustFile> {
        self.inner.held.lock().await.light.as_ref().ok().map(|light| light.file().clone())
    }

    /// The code that the contract runs, once a head was proved.
    pub async fn code(&self) -> Option<Checksum> {
        self.inner.held.lock().await.gate.code()
    }

    fn roots(&self) -> MutexGuard<'_, BTreeMap<u64, Root>> {
        self.inner.roots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, root: Root) {
        let mut roots = self.roots();
        roots.insert(root.state_height(), root);
        while roots.len() > ROOTS_MAX {
            roots.pop_first();
        }
    }

    /// Takes what a question came to: scores, files, and what is left of the verdict.
    fn take<T>(&self, held: &mut Held, asked: &[RpcSource], told: Told<T>) -> Result<T, RpcError> {
        held.keep();
        self.settle(asked, told)
    }

    fn settle<T>(&self, asked: &[RpcSource], told: Told<T>) -> Result<T, RpcError> {
        let Told { verdict, refusals } = told;
        let result = verdict.proved();
        self.inner.sources.judge(asked, &refusals);
        let result = result.map_err(|reason| error_of(reason, &refusals));
        if matches!(result, Err(RpcError::Distrusted { .. })) {
            self.roots().clear();
        }
        result
    }

    fn now(&self) -> Time {
        (self.inner.settings.clock)()
    }

    /// The header of a height, verified.
    async fn header(&self, held: &mut Held, height: u64) -> Result<Root, RpcError> {
        let asked = self.inner.sources.ordered();
        let now = self.now();
        let told = held.light()?.root(&asked, height, now).await;
        self.take(held, &asked, told)
    }

    async fn prove_head(&self, held: &mut Held) -> Result<Head, RpcError> {
        let asked = self.inner.sources.ordered();
        let now = self.now();
        let told = held.light()?.tip(&asked, now).await;
        let root = self.take(held, &asked, told)?;
        let height = root.state_height();
        if height < STATE_HEIGHT_MIN {
            let reason = Reason::StateAhead { asked: STATE_HEIGHT_MIN, latest: root.height };
            return Err(RpcError::Unproved(Box::new(reason)));
        }
        let own = self.header(held, height).await?;
        held.clock.see(root.height, root.time, own.time, now);
        if let Some(off) = held.clock.off() {
            let why = format!(
                "the host's clock is {} s ahead of block {}, which two nodes have just shown; set it right, or wait if \
                 the nodes lag behind",
                off.as_secs(),
                root.height
            );
            return Err(RpcError::Distrusted { cause: Distrust::ClockOff, why });
        }
        self.pass_gate(held, &root).await?;
        self.remember(root);
        Ok(Head { height, time_nanos: nanos(own.time), lowest: STATE_HEIGHT_MIN })
    }

    /// The terms and the contract's code, in the state that `root` proves.
    async fn pass_gate(&self, held: &mut Held, root: &Root) -> Result<(), RpcError> {
        if !held.gate.knows_unbonding() {
            let params = self.read(&StateKey::staking_params(), root).await?;
            held.gate.see_unbonding(params.as_deref(), &self.inner.settings.terms)?;
        }
        let contract = &self.inner.settings.contract;
        let record = self.read(&StateKey::contract_info(contract.bytes()), root).await?;
        let code = gate::code_of(contract, record.as_deref())?;
        if !held.gate.knows_code(code) {
            let record = self.read(&StateKey::code_info(code), root).await?;
            held.gate.see_code(code, record.as_deref())?;
        }
        held.gate.check()
    }

    async fn read(&self, key: &StateKey, root: &Root) -> Result<Option<Vec<u8>>, RpcError> {
        let asked = self.inner.sources.ordered();
        let told = read_any(&asked, &self.inner.rpc.settings().chain_id, key, root).await;
        self.settle(&asked, told)
    }

    async fn root_of_state(&self, height: u64) -> Result<Root, RpcError> {
        if let Some(root) = self.roots().get(&height) {
            return Ok(*root);
        }
        let mut held = self.inner.held.lock().await;
        let root = self.header(&mut held, height.saturating_add(1)).await?;
        self.remember(root);
        Ok(root)
    }
}

impl Chain for LightChain {
    async fn head(&self) -> Result<Head, RpcError> {
        let mut held = self.inner.held.lock().await;
        let head = self.prove_head(&mut held).await;
        if matches!(head, Err(RpcError::Distrusted { .. })) {
            self.roots().clear();
        }
        head
    }

    async fn block_time_nanos(&self, height: u64) -> Result<u64, RpcError> {
        let mut held = self.inner.held.lock().await;
        let root = self.header(&mut held, height).await?;
        nanos(root.time).ok_or_else(|| RpcError::Decode {
            endpoint: "the chain".into(),
            expected: "a block's time after 1970",
            found: "an earlier one".into(),
        })
    }

    async fn raw(&self, contract: &Address, key: &[u8], height: u64) -> Result<Option<Vec<u8>>, RpcError> {
        let root = self.root_of_state(height).await?;
        self.read(&StateKey::contract(contract.bytes(), key), &root).await
    }

    /// As the node says: for people, never for a decision.
    async fn smart(&self, contract: &Address, query: &Value, at: At) -> Result<Vec<u8>, RpcError> {
        self.inner.rpc.smart(contract, query, at).await
    }
}

/// All endpoints of a client, in the order of its settings, as sources of proofs that nobody scores.
#[must_use]
pub fn sources(rpc: &Rpc) -> Vec<RpcSource> {
    Sources::new(rpc.clone()).ordered()
}

fn nanos(time: Time) -> Option<u64> {
    u64::try_from(time.unix_timestamp_nanos()).ok()
}

/// A refusal as the agent takes it (`concord-prove`'s table of courses).
fn error_of(reason: Reason, refusals: &[Refusal]) -> RpcError {
    // What one source dates ahead may be its lie; what a first source and a witness date ahead is the host's clock.
    let ahead = refusals.iter().filter(|refusal| matches!(refusal.reason, Reason::Future { .. })).count();
    let cause = match (&reason, reason.course()) {
        (Reason::Forked(_), _) => Distrust::Forked,
        (Reason::TrustExpired { .. }, _) => Distrust::TrustExpired,
        (Reason::Future { .. }, _) if ahead > 1 => Distrust::ClockOff,
        // A height that a caller asks for and that is no more: the next one is asked for anew.
        (Reason::TooFarBack { .. } | Reason::Height { .. }, _) => {
            return RpcError::Unproved(Box::new(reason));
        }
        (_, Course::Fault | Course::StopActing) => Distrust::Unproved,
        (_, Course::AskAgain | Course::NextSource) => return RpcError::Unproved(Box::new(reason)),
    };
    RpcError::Distrusted { cause, why: reason.to_string() }
}
