//! What people do in the demo: each step is a signed transaction of the one who may.

use std::time::Duration;

use concord_schema::attestation::{Claim, Finding, Signature, Statement};
use concord_schema::brake::Scope;
use concord_schema::msg::ExecuteMsg;
use concord_schema::proposal::{Draft, Phase};
use concord_schema::query::{ProposalAnswer, QueryMsg};
use concord_schema::release::Release;
use concord_schema::tally::Ballot;
use concord_schema::{ProposalId, RolloutId, Seconds};
use cosmwasm_std::Binary;
use futures_util::future::try_join_all;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::error::DemoError;
use super::genesis::{CHAIN_ID, Cast, GUARDIANS_NEEDED, POWER, PREFIX, pricing};
use super::plan::COMPONENT;
use super::stopwatch::Stopwatch;
use crate::chain::keys::Key;
use crate::chain::send::{Outcome, Sender};
use crate::chain::sign::Execute;
use crate::chain::{Address, At, Chain, Included, Rpc};

/// From one look at a phase to the next.
const POLL: Duration = Duration::from_millis(50);
/// The longest wait for a phase of a proposal.
const PHASE_LONGEST: Duration = Duration::from_secs(20);
/// How long an auditor's statement is good.
const STATEMENT_SECONDS: u64 = 600;

/// An operator, as far as the demo acts for it.
#[derive(Debug)]
pub(crate) struct Owner {
    /// Signs for the owner.
    pub(crate) sender: Sender,
    /// Its node.
    pub(crate) node_id: String,
    /// The node's hot key.
    pub(crate) hot: Address,
}

#[derive(Debug)]
struct AuditorSeat {
    sender: Sender,
    signing: Option<Key>,
}

/// Everybody who decides, with the way to the chain.
#[derive(Debug)]
pub(crate) struct Stakeholders {
    rpc: Rpc,
    contract: Address,
    members: Vec<Sender>,
    auditors: Vec<AuditorSeat>,
    guardians: Vec<Sender>,
    owners: Vec<Owner>,
    stopwatch: Stopwatch,
}

impl Stakeholders {
    /// Gives everybody the way to the chain.
    ///
    /// # Errors
    /// [`DemoError::Key`].
    pub(crate) fn new(
        cast: Cast,
        rpc: &Rpc,
        contract: Address,
        stopwatch: Stopwatch,
    ) -> Result<Self, DemoError> {
        let pricing = pricing()?;
        let sender = |key| Sender::new(rpc.clone(), key, PREFIX, pricing.clone());
        let members = cast.members.into_iter().map(|member| sender(member.key)).collect::<Result<_, _>>()?;
        let auditors = cast
            .auditors
            .into_iter()
            .map(|auditor| Ok(AuditorSeat { sender: sender(auditor.account.key)?, signing: auditor.signing }))
            .collect::<Result<_, DemoError>>()?;
        let guardians =
            cast.guardians.into_iter().map(|guardian| sender(guardian.key)).collect::<Result<_, _>>()?;
        let owners = cast
            .operators
            .into_iter()
            .map(|operator| {
                let sender = sender(operator.owner.key)?;
                Ok(Owner { sender, node_id: operator.node_id, hot: operator.hot })
            })
            .collect::<Result<_, DemoError>>()?;
        Ok(Self { rpc: rpc.clone(), contract, members, auditors, guardians, owners, stopwatch })
    }

    /// Asks the contract.
    ///
    /// # Errors
    /// [`DemoError::Rpc`] and [`DemoError::Answer`].
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        what: &'static str,
        query: &QueryMsg,
    ) -> Result<T, DemoError> {
        let query = serde_json::to_value(query).map_err(|source| DemoError::Answer { what, source })?;
        let bytes = self.rpc.smart(&self.contract, &query, At::Latest).await?;
        serde_json::from_slice(&bytes).map_err(|source| DemoError::Answer { what, source })
    }

    async fn send(
        &self,
        sender: &Sender,
        what: &'static str,
        msg: &ExecuteMsg,
    ) -> Result<Included, DemoError> {
        let msg = serde_json::to_value(msg).map_err(|source| DemoError::Answer { what, source })?;
        let execute = Execute { contract: self.contract.text().to_owned(), msg, funds: Vec::new() };
        match sender.send(&[execute]).await.map_err(|source| DemoError::Send { what, source })? {
            Outcome::Included(included) => Ok(included),
            Outcome::Refused(refused) => Err(DemoError::Refused { what, refused }),
            Outcome::Expired => Err(DemoError::Lost { what }),
        }
    }

    /// Every owner registers its node.
    ///
    /// # Errors
    /// [`DemoError`], where a transaction is refused.
    pub(crate) async fn register(&self) -> Result<(), DemoError> {
        let register = |owner: &Owner| ExecuteMsg::Register {
            component: COMPONENT.to_owned(),
            node_id: owner.node_id.clone(),
            power: POWER,
            hot_key: owner.hot.text().to_owned(),
        };
        let messages: Vec<_> = self.owners.iter().map(|owner| (owner, register(owner))).collect();
        try_join_all(messages.iter().map(|(owner, msg)| self.send(&owner.sender, "register", msg))).await?;
        Ok(())
    }

    /// Carries a draft from its proposal to its execution; answers the rollout that it started.
    ///
    /// # Errors
    /// [`DemoError`], where a transaction is refused or a phase does not come.
    pub(crate) async fn decide(&self, draft: &Draft, release: &Release) -> Result<RolloutId, DemoError> {
        let proposer = self.members.first().ok_or_else(|| nobody("member"))?;
        let msg = ExecuteMsg::Propose { draft: Box::new(draft.clone()) };
        let included = self.send(proposer, "propose", &msg).await?;
        let proposal = proposed(&included).ok_or_else(|| nobody("proposal in the answer to propose"))?;
        self.phase(proposal, Phase::Validation).await?;
        self.attest(proposal, release).await?;
        // The last attestation opens the vote by itself.
        let answer = self.phase(proposal, Phase::Voting).await?;
        self.vote(proposal, &answer).await?;
        self.phase(proposal, Phase::Ready).await?;
        self.send(proposer, "execute", &ExecuteMsg::Execute { proposal }).await?;
        let answer = self.phase(proposal, Phase::Executed).await?;
        answer.proposal.rollout.ok_or_else(|| nobody("rollout of an executed proposal"))
    }

    async fn phase(&self, proposal: ProposalId, wanted: Phase) -> Result<ProposalAnswer, DemoError> {
        let started = Instant::now();
        loop {
            let answer: ProposalAnswer = self.ask("a proposal", &QueryMsg::Proposal { proposal }).await?;
            if answer.phase == wanted {
                return Ok(answer);
            }
            if answer.phase.is_terminal() || started.elapsed() >= PHASE_LONGEST {
                return Err(DemoError::Late {
                    what: format!("proposal {proposal} to be in phase {wanted:?}"),
                    seconds: started.elapsed().as_secs(),
                    last: format!("it is in phase {:?} and waits on {}", answer.phase, answer.waiting_on),
                });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Two auditors sign statements that a member carries, the third sends its own transaction.
    async fn attest(&self, proposal: ProposalId, release: &Release) -> Result<(), DemoError> {
        let messages = self.auditors.iter().enumerate().map(|(index, auditor)| {
            let statement = Statement {
                proposal,
                revision: 0,
                release: release.digest(),
                platforms: release.platforms_digest(),
                claim: Claim::BuiltReproducibly,
                finding: Finding::Approves,
                nonce: index as u64,
                expires: Seconds((self.stopwatch.now_ms() / 1_000).saturating_add(STATEMENT_SECONDS)),
            };
            let name = auditor.sender.address().text();
            let signed = auditor.signing.as_ref().map(|key| {
                let bytes = statement.sign_bytes(CHAIN_ID, self.contract.text(), name);
                Signature {
                    auditor: name.to_owned(),
                    signature: Binary::from(key.sign(&bytes)),
                    wallet_key: None,
                }
            });
            // Whoever carries a signature pays for it; it is not asked who that is.
            let carrier = if signed.is_some() { self.members.get(index) } else { Some(&auditor.sender) };
            (carrier, ExecuteMsg::Attest { statement, signature: signed })
        });
        let messages: Vec<_> = messages.collect();
        let sent = messages.iter().map(|(carrier, msg)| async move {
            let carrier = carrier.ok_or_else(|| nobody("carrier of a signature"))?;
            self.send(carrier, "attest", msg).await
        });
        try_join_all(sent).await?;
        Ok(())
    }

    /// All but the last member say yes; the last one is against it, which changes nothing.
    async fn vote(&self, proposal: ProposalId, seen: &ProposalAnswer) -> Result<(), DemoError> {
        let Some((against, in_favour)) = self.members.split_last() else { return Err(nobody("member")) };
        let cast = |ballot| ExecuteMsg::Vote {
            proposal,
            ballot,
            expect_digest: seen.proposal.digest,
            rationale: None,
        };
        let (yes, no) = (cast(Ballot::Yes), cast(Ballot::No));
        let first = self.ballot(against, proposal, &no);
        let rest = try_join_all(in_favour.iter().map(|member| self.ballot(member, proposal, &yes)));
        tokio::try_join!(first, rest)?;
        Ok(())
    }

    /// Sends a ballot. One that comes after an early pass is refused by rule, and is no fault.
    async fn ballot(&self, member: &Sender, proposal: ProposalId, msg: &ExecuteMsg) -> Result<(), DemoError> {
        let refused = match self.send(member, "vote", msg).await {
            Err(refused @ DemoError::Refused { .. }) => refused,
            other => return other.map(|_| ()),
        };
        let answer: ProposalAnswer = self.ask("a proposal", &QueryMsg::Proposal { proposal }).await?;
        match answer.phase {
            Phase::Timelocked | Phase::Ready => Ok(()),
            _ => Err(refused),
        }
    }

    /// As many guardians as are needed pull the brake on everything, at once.
    ///
    /// # Errors
    /// [`DemoError`], where a transaction is refused.
    pub(crate) async fn brake(&self) -> Result<(), DemoError> {
        self.guard("brake", &ExecuteMsg::Brake { scope: Scope::All }).await
    }

    /// As many guardians as are needed release the brake.
    ///
    /// # Errors
    /// [`DemoError`], where a transaction is refused.
    pub(crate) async fn release(&self) -> Result<(), DemoError> {
        self.guard("release", &ExecuteMsg::Release { scope: Scope::All }).await
    }

    async fn guard(&self, what: &'static str, msg: &ExecuteMsg) -> Result<(), DemoError> {
        let needed = self.guardians.iter().take(usize::from(GUARDIANS_NEEDED));
        try_join_all(needed.map(|guardian| self.send(guardian, what, msg))).await?;
        Ok(())
    }
}

fn nobody(what: &str) -> DemoError {
    DemoError::Own { what: "cast", reason: format!("found no {what}") }
}

fn proposed(included: &Included) -> Option<ProposalId> {
    let mut attributes = included
        .events
        .iter()
        .filter(|event| event.kind.starts_with("wasm-"))
        .flat_map(|event| &event.attributes);
    attributes.find(|(key, _)| key == "proposal").and_then(|(_, value)| value.parse().ok()).map(ProposalId)
}
