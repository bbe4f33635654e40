//! The light client's driver: from what is trusted to the header that is wanted, by several sources.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use tendermint::block::Header;
use tendermint::{Hash, Time};

use crate::block::Block;
use crate::course::{Course, Verdict};
use crate::fork::Evidence;
use crate::reason::{Reason, cut, demand};
use crate::source::{Source, check_height, light_block, read, signed_header, standing};
use crate::trust::{Anchor, Root, TRUST_VERSION, Terms, TrustFile, Trusted, hash_text};
use crate::value::StateKey;
use crate::verify::{Step, verify_alone, verify_header, verify_parent};

/// The most blocks that are fetched to get from one trusted header to another. Halving needs about one for each
/// doubling of the distance and each third of the validators that changed.
pub const BLOCKS_MAX: usize = 128;
/// How far below the trusted headers an older one is walked to, parent by parent.
pub const BACK_MAX: u64 = 128;
/// Verified headers that are kept in memory, the newest ones.
const SEEN_MAX: usize = 256;
/// A source may lie this many blocks below the newest proved one: other nodes behind the same address do.
const SLACK: u64 = 5;
/// The longest reason that an operator gives.
const REASON_CHARS_MAX: usize = 1_024;

/// What one source was refused for. Those whose course is to ask again blame nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The source's place in the slice that was given.
    pub source: usize,
    /// Why.
    pub reason: Reason,
}

/// A verdict, and what was refused on the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told<T> {
    /// The verdict.
    pub verdict: Verdict<T>,
    /// The sources that did not do, in the order in which they were asked.
    pub refusals: Vec<Refusal>,
}

impl<T> Told<T> {
    fn of(result: Result<T, Reason>, refusals: Vec<Refusal>) -> Self {
        Self { verdict: Verdict::of(result), refusals }
    }
}

/// Waiting says more than a refusal: while one source may still prove it, it is not "never".
fn most_telling(refusals: &[Refusal]) -> Reason {
    let waits = refusals.iter().find(|refusal| refusal.reason.course() == Course::AskAgain);
    waits.or_else(|| refusals.first()).map_or(Reason::Sources { found: 0 }, |refusal| refusal.reason.clone())
}

/// Notes a source's refusal; what no other source can heal is given back at once.
fn note(refusals: &mut Vec<Refusal>, source: usize, reason: Reason) -> Result<(), Reason> {
    if matches!(reason.course(), Course::StopActing | Course::Fault) {
        return Err(reason);
    }
    refusals.push(Refusal { source, reason });
    Ok(())
}

/// A source that is told twice is no witness of itself.
fn check_sources<S: Source>(sources: &[S]) -> Result<(), Reason> {
    let labels: BTreeSet<String> = sources.iter().map(Source::label).collect();
    demand(labels.len() >= 2 && labels.len() == sources.len(), || Reason::Sources { found: labels.len() })
}

/// A light client for one chain.
#[derive(Clone, Debug)]
pub struct Light {
    file: TrustFile,
    seen: BTreeMap<u64, Header>,
}

impl Light {
    /// Begins at an anchor that a human vouched for: the block there must have the anchor's hash.
    ///
    /// Each source is asked until one shows that block. The trusting period is to be compared with the chain's own
    /// unbonding time next: [`StateKey::staking_params`], [`Terms::within`].
    pub async fn begin<S: Source>(
        sources: &[S],
        chain_id: &str,
        anchor: Anchor,
        reason: &str,
        terms: Terms,
        now: Time,
    ) -> Told<Self> {
        let mut refusals = Vec::new();
        let begun = begin_at(sources, chain_id, anchor, &terms, now, &mut refusals).await;
        let light = begun.map(|latest| {
            let file = TrustFile {
                version: TRUST_VERSION,
                chain_id: chain_id.to_owned(),
                anchor,
                reason: reason.chars().take(REASON_CHARS_MAX).collect(),
                terms,
                latest,
                forked: None,
            };
            Self::resume(file)
        });
        Told::of(light, refusals)
    }

    /// Goes on from a file.
    #[must_use]
    pub fn resume(file: TrustFile) -> Self {
        Self { file, seen: BTreeMap::new() }
    }

    /// What must be kept. It changes when [`Light::root`] or [`Light::tip`] verified a newer header or found a fork.
    #[must_use]
    pub fn file(&self) -> &TrustFile {
        &self.file
    }

    /// The newest verified header.
    #[must_use]
    pub fn latest(&self) -> &Trusted {
        &self.file.latest
    }

    /// Whether anything may be believed at all.
    ///
    /// # Errors
    /// [`Reason::Forked`] and [`Reason::TrustExpired`]; both are left by a new anchor only.
    pub fn check(&self, now: Time) -> Result<(), Reason> {
        if let Some(evidence) = &self.file.forked {
            return Err(Reason::Forked(evidence.clone()));
        }
        self.file.latest.check_age(&self.file.terms, now)
    }

    /// The newest header that two sources have, verified. Its [`Root`] proves the state after the block before it.
    pub async fn tip<S: Source>(&mut self, sources: &[S], now: Time) -> Told<Root> {
        let mut refusals = Vec::new();
        let height = self.tip_height(sources, now, &mut refusals).await;
        let root = match height {
            Ok(height) => self.header(sources, height, now, &mut refusals).await,
            Err(reason) => Err(reason),
        };
        Told::of(root.and_then(|header| Root::of(&header)), refusals)
    }

    /// The header of a height, verified. It may lie up to [`BACK_MAX`] below the verified ones.
    pub async fn root<S: Source>(&mut self, sources: &[S], height: u64, now: Time) -> Told<Root> {
        let mut refusals = Vec::new();
        let header = self.header(sources, height, now, &mut refusals).await;
        Told::of(header.and_then(|header| Root::of(&header)), refusals)
    }

    async fn tip_height<S: Source>(
        &self,
        sources: &[S],
        now: Time,
        refusals: &mut Vec<Refusal>,
    ) -> Result<u64, Reason> {
        self.check(now)?;
        check_sources(sources)?;
        let proved = self.file.latest.height();
        let mut heights = Vec::new();
        let asked = join_all(sources.iter().map(|source| standing(source, &self.file.chain_id))).await;
        for (source, answer) in asked.into_iter().enumerate() {
            match answer {
                Ok(standing) if standing.latest.saturating_add(SLACK) < proved => {
                    note(refusals, source, Reason::WentBack { proved, found: standing.latest })?;
                }
                Ok(standing) => heights.push(standing.latest),
                Err(reason) => note(refusals, source, reason)?,
            }
        }
        heights.sort_unstable();
        let highest = heights.pop();
        // The second highest is the newest that has a witness, and no single liar can lift it.
        match (highest, heights.pop()) {
            (_, Some(second)) => Ok(second.max(proved)),
            (Some(height), None) => Err(Reason::NoWitness { height }),
            (None, None) => Err(most_telling(refusals)),
        }
    }

    async fn header<S: Source>(
        &mut self,
        sources: &[S],
        height: u64,
        now: Time,
        refusals: &mut Vec<Refusal>,
    ) -> Result<Header, Reason> {
        self.check(now)?;
        check_height(height)?;
        check_sources(sources)?;
        let latest = self.file.latest.height();
        if height == latest {
            return Ok(self.file.latest.header.clone());
        }
        if let Some(header) = self.seen.get(&height) {
            return Ok(header.clone());
        }
        if height < latest {
            self.back(sources, height, refusals).await
        } else {
            self.forward(sources, height, now, refusals).await
        }
    }

    async fn forward<S: Source>(
        &mut self,
        sources: &[S],
        height: u64,
        now: Time,
        refusals: &mut Vec<Refusal>,
    ) -> Result<Header, Reason> {
        let (latest, terms) = (self.file.latest.clone(), self.file.terms);
        for (place, source) in sources.iter().enumerate() {
            let climbed = match climb(&latest, source, height, &terms, now).await {
                Ok(climbed) => climbed,
                Err(reason) => {
                    note(refusals, place, reason)?;
                    continue;
                }
            };
            match self.confirm(sources, place, &climbed.block, now, refusals).await {
                Ok(()) => return Ok(self.adopt(climbed.trusted)),
                Err(Reason::Forked(evidence)) => {
                    self.file.forked = Some(evidence.clone());
                    return Err(Reason::Forked(evidence));
                }
                Err(reason) => note(refusals, place, reason)?,
            }
        }
        Err(most_telling(refusals))
    }

    /// Asks every other source for the same header. At least one must show it; one that shows another header of its
    /// own and can prove it shows a fork.
    async fn confirm<S: Source>(
        &self,
        sources: &[S],
        first: usize,
        block: &Block,
        now: Time,
        refusals: &mut Vec<Refusal>,
    ) -> Result<(), Reason> {
        let (height, hash) = (block.height(), block.hash());
        let others = sources.iter().enumerate().filter(|(place, _)| *place != first);
        let asked =
            others.map(|(place, source)| async move { (place, source, signed_header(source, height).await) });
        let mut is_confirmed = false;
        for (place, witness, answer) in join_all(asked).await {
            match answer {
                Ok(signed) if signed.header.hash() == hash => is_confirmed = true,
                Ok(_) => match climb(&self.file.latest, witness, height, &self.file.terms, now).await {
                    Ok(theirs) if theirs.block.hash() == hash => is_confirmed = true,
                    Ok(theirs) => {
                        let first_source = sources.get(first).map(Source::label).unwrap_or_default();
                        return Err(Reason::Forked(Box::new(Evidence {
                            common: self.file.latest.clone(),
                            first: block.clone(),
                            first_source,
                            second: theirs.block,
                            second_source: witness.label(),
                        })));
                    }
                    Err(reason) => {
                        let why = cut(&reason.to_string());
                        refusals
                            .push(Refusal { source: place, reason: Reason::WitnessUnproved { height, why } });
                    }
                },
                Err(reason) => note(refusals, place, reason)?,
            }
        }
        demand(is_confirmed, || Reason::NoWitness { height })
    }

    fn adopt(&mut self, trusted: Trusted) -> Header {
        let header = trusted.header.clone();
        let older = std::mem::replace(&mut self.file.latest, trusted);
        self.remember(older.header);
        header
    }

    fn remember(&mut self, header: Header) {
        self.seen.insert(header.height.value(), header);
        if self.seen.len() > SEEN_MAX {
            self.seen.pop_first();
        }
    }

    /// Walks down to an older header: each header names its parent's hash, so that no signature is needed.
    async fn back<S: Source>(
        &mut self,
        sources: &[S],
        height: u64,
        refusals: &mut Vec<Refusal>,
    ) -> Result<Header, Reason> {
        let above = self.seen.range(height..).next().map(|(_, header)| header);
        let mut child = above.unwrap_or(&self.file.latest.header).clone();
        let lowest = child.height.value().saturating_sub(BACK_MAX);
        demand(height >= lowest, || Reason::TooFarBack { asked: height, lowest })?;
        for (place, source) in sources.iter().enumerate() {
            loop {
                let next = child.height.value().saturating_sub(1);
                let shown = match signed_header(source, next).await {
                    Ok(signed) => verify_parent(&child, &signed.header).map(|()| signed.header),
                    Err(reason) => Err(reason),
                };
                match shown {
                    Ok(parent) => {
                        self.remember(parent.clone());
                        if next == height {
                            return Ok(parent);
                        }
                        child = parent;
                    }
                    Err(reason) => {
                        note(refusals, place, reason)?;
                        break;
                    }
                }
            }
        }
        Err(most_telling(refusals))
    }
}

struct Climbed {
    block: Block,
    trusted: Trusted,
}

/// Verifies a source's block of a height from a trusted header, with blocks between where too few of the trusted
/// validators signed it.
async fn climb<S: Source>(
    from: &Trusted,
    source: &S,
    height: u64,
    terms: &Terms,
    now: Time,
) -> Result<Climbed, Reason> {
    let target = light_block(source, height).await?;
    let mut trusted = from.clone();
    let mut between: Vec<Block> = Vec::new();
    let mut fetched = 1_usize;
    loop {
        let block = between.last().unwrap_or(&target);
        match verify_header(&trusted, block, terms, now)? {
            Step::Verified(next) => {
                trusted = *next;
                if between.pop().is_none() {
                    return Ok(Climbed { block: target, trusted });
                }
            }
            Step::TooFar { total, tallied } => {
                let middle = trusted.height().midpoint(block.height());
                // The next block needs no overlap, so that halving always ends above the trusted one.
                demand(middle > trusted.height(), || Reason::Power { total, tallied })?;
                fetched = fetched.saturating_add(1);
                demand(fetched <= BLOCKS_MAX, || Reason::TooManyBlocks {
                    blocks_max: BLOCKS_MAX,
                    trusted: from.height(),
                    target: height,
                })?;
                between.push(light_block(source, middle).await?);
            }
        }
    }
}

async fn begin_at<S: Source>(
    sources: &[S],
    chain_id: &str,
    anchor: Anchor,
    terms: &Terms,
    now: Time,
    refusals: &mut Vec<Refusal>,
) -> Result<Trusted, Reason> {
    for (place, source) in sources.iter().enumerate() {
        match anchored(source, chain_id, anchor).await {
            Ok(block) => {
                let trusted = Trusted::from_verified(&block);
                trusted.check_age(terms, now)?;
                return Ok(trusted);
            }
            Err(reason) => note(refusals, place, reason)?,
        }
    }
    Err(most_telling(refusals))
}

async fn anchored<S: Source>(source: &S, chain_id: &str, anchor: Anchor) -> Result<Block, Reason> {
    let block = light_block(source, anchor.height()).await?;
    demand(block.hash() == anchor.hash(), || Reason::AnchorHash {
        height: anchor.height(),
        expected: hash_text(&anchor.hash()),
        found: hash_text(&block.hash()),
    })?;
    check_chain(&block, chain_id)?;
    verify_alone(&block)?;
    Ok(block)
}

fn check_chain(block: &Block, chain_id: &str) -> Result<(), Reason> {
    let found = block.header().chain_id.as_str();
    demand(found == chain_id, || Reason::ChainId { expected: chain_id.to_owned(), found: cut(found) })
}

/// An anchor to show to a human: the newest block (or that of `height`) which at least two sources of different
/// operators show alike, and none otherwise. It is worth what the sources are worth, so it is not yet trusted.
pub async fn propose_anchor<S: Source>(sources: &[S], chain_id: &str, height: Option<u64>) -> Told<Anchor> {
    let mut refusals = Vec::new();
    let anchor = agreed(sources, chain_id, height, &mut refusals).await;
    Told::of(anchor, refusals)
}

async fn agreed<S: Source>(
    sources: &[S],
    chain_id: &str,
    height: Option<u64>,
    refusals: &mut Vec<Refusal>,
) -> Result<Anchor, Reason> {
    check_sources(sources)?;
    let mut heights = Vec::new();
    for (place, source) in sources.iter().enumerate() {
        match standing(source, chain_id).await {
            Ok(standing) => heights.push(standing.latest),
            Err(reason) => note(refusals, place, reason)?,
        }
    }
    heights.sort_unstable_by(|one, other| other.cmp(one));
    let second = heights.get(1).copied();
    let height = height.or(second).ok_or_else(|| most_telling(refusals))?;
    let mut agreed: Option<Hash> = None;
    let mut votes = 0_usize;
    for (place, source) in sources.iter().enumerate() {
        let shown = match light_block(source, height).await {
            Ok(block) => {
                check_chain(&block, chain_id).and_then(|()| verify_alone(&block)).map(|()| block.hash())
            }
            Err(reason) => Err(reason),
        };
        match shown {
            Ok(hash) => {
                let expected = *agreed.get_or_insert(hash);
                demand(hash == expected, || Reason::AnchorHash {
                    height,
                    expected: hash_text(&expected),
                    found: hash_text(&hash),
                })?;
                votes = votes.saturating_add(1);
            }
            Err(reason) => note(refusals, place, reason)?,
        }
    }
    demand(votes >= 2, || Reason::NoWitness { height })?;
    match agreed {
        Some(Hash::Sha256(hash)) => Anchor::new(height, hash).ok_or(Reason::Height { asked: height }),
        _ => Err(Reason::HeaderHash),
    }
}

/// A key's value in the state that `root` proves, from the first source that proves it; `None` for a proved absence.
pub async fn read_any<S: Source>(
    sources: &[S],
    chain_id: &str,
    key: &StateKey,
    root: &Root,
) -> Told<Option<Vec<u8>>> {
    let mut refusals = Vec::new();
    for (place, source) in sources.iter().enumerate() {
        let noted = match read(source, chain_id, key, root).await {
            Ok(value) => return Told::of(Ok(value), refusals),
            Err(reason) => note(&mut refusals, place, reason),
        };
        if let Err(reason) = noted {
            return Told::of(Err(reason), refusals);
        }
    }
    Told::of(Err(most_telling(&refusals)), refusals)
}
