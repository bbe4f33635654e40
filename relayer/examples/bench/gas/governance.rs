//! A coordinator's proposals, from the draft to the execution.

use std::time::{SystemTime, UNIX_EPOCH};

use concord::chain::{Address, Included};
use concord_schema::Digest;
use concord_schema::attestation::{Claim, Finding, Signature, Statement};
use concord_schema::brake::Scope;
use concord_schema::msg::ExecuteMsg;
use concord_schema::proposal::{Action, Draft};
use concord_schema::release::Release;
use concord_schema::tally::Ballot;
use concord_schema::units::{ProposalId, RolloutId, Seconds};
use cosmwasm_std::Binary;

use super::super::error::{BenchError, step};
use super::deployment::{COMPONENT, Cast, draft, nobody, release, size, upgrade};
use super::net::{Actor, Net};
use super::samples::Samples;

/// Full metadata of a release, and a large one.
const RELEASE_BYTES: usize = 1_000;
const LARGE_BYTES: usize = 10_000;
/// So many of the voters decide early: the others cannot reach the veto any more.
pub(crate) const DECIDING: usize = 7;
/// How long a statement is good.
const STATEMENT_SECONDS: u64 = 3_600;

/// A deployed coordinator, its people, and what its messages used so far.
pub(crate) struct Coordinator<'n> {
    /// The chain.
    pub(crate) net: &'n Net,
    /// Its people.
    pub(crate) cast: &'n Cast,
    /// Its address.
    pub(crate) contract: Address,
    /// How many of the operators are its own.
    pub(crate) operators: usize,
    /// What was measured.
    pub(crate) samples: Samples,
}

/// A proposal that was made.
struct Made {
    id: ProposalId,
    digest: Digest,
}

/// A field of the first log entry of a kind in a transaction.
pub(crate) fn field(included: &Included, kind: &str, name: &str) -> Option<String> {
    let entries = included.events.iter().filter(|event| event.kind == "wasm-concord");
    let value = |attributes: &[(String, String)], name: &str| {
        attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    };
    entries
        .filter(|entry| value(&entry.attributes, "kind").as_deref() == Some(kind))
        .find_map(|entry| value(&entry.attributes, name))
}

fn first(actors: &[Actor]) -> Result<&Actor, BenchError> {
    actors.first().ok_or_else(|| nobody("an account"))
}

impl Coordinator<'_> {
    /// Sends a message to the coordinator.
    ///
    /// # Errors
    /// [`BenchError`].
    pub(crate) async fn send(&self, actor: &Actor, message: &ExecuteMsg) -> Result<Included, BenchError> {
        self.net.send(actor, self.contract.text(), message).await
    }

    async fn propose(&mut self, operation: &str, what: &str, draft: &Draft) -> Result<Made, BenchError> {
        let message = ExecuteMsg::Propose { draft: Box::new(draft.clone()) };
        let included = self.send(first(&self.cast.voters)?, &message).await?;
        self.samples.note(operation, what, included.gas_used);
        let said = |name| {
            field(&included, "proposed", name).ok_or_else(|| BenchError::Other {
                expected: "a log entry of the proposal",
                found: format!("{:?}", included.events),
            })
        };
        let id = said("proposal")?.parse().map_err(step("read a proposal's number"))?;
        let digest = said("digest")?.parse().map_err(step("read a content's digest"))?;
        Ok(Made { id: ProposalId(id), digest })
    }

    async fn attest(&mut self, made: &Made, release: &Release) -> Result<(), BenchError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(step("read the clock"))?;
        let statement = Statement {
            proposal: made.id,
            revision: 0,
            release: release.digest(),
            platforms: release.platforms_digest(),
            claim: Claim::BuiltReproducibly,
            finding: Finding::Approves,
            nonce: 1,
            expires: Seconds(now.as_secs().saturating_add(STATEMENT_SECONDS)),
        };
        let auditor = first(&self.cast.auditors)?.text();
        let bytes = statement.sign_bytes(self.net.chain_id(), self.contract.text(), &auditor);
        let signature = Binary::new(self.cast.signing.sign(&bytes).to_vec());
        let signature = Some(Signature { auditor, signature, wallet_key: None });
        let message = ExecuteMsg::Attest { statement: statement.clone(), signature };
        let included = self.send(&self.cast.stranger, &message).await?;
        self.samples.note("attest", "a signature that a stranger carries", included.gas_used);
        for (index, auditor) in self.cast.auditors.iter().enumerate().skip(1) {
            let message = ExecuteMsg::Attest { statement: statement.clone(), signature: None };
            let included = self.send(auditor, &message).await?;
            let what = format!(
                "the statement {} of {} by its own transaction, which opens the vote",
                index + 1,
                index + 1
            );
            self.samples.note("attest", what, included.gas_used);
        }
        Ok(())
    }

    /// Has voters say yes until it is decided; `operation` names what is measured.
    async fn vote(&mut self, operation: &str, made: &Made) -> Result<(), BenchError> {
        let message = ExecuteMsg::Vote {
            proposal: made.id,
            ballot: Ballot::Yes,
            expect_digest: made.digest,
            rationale: None,
        };
        let mut gas = Vec::with_capacity(DECIDING);
        for voter in self.cast.voters.iter().take(DECIDING) {
            gas.push(self.send(voter, &message).await?.gas_used);
        }
        let decides = gas.pop().unwrap_or_default();
        self.samples.note_many(operation, "a ballot", gas.into_iter());
        self.samples.note(operation, "the ballot that decides", decides);
        Ok(())
    }

    async fn execute(&mut self, operation: &str, what: &str, made: &Made) -> Result<Included, BenchError> {
        let message = ExecuteMsg::Execute { proposal: made.id };
        let included = self.send(&self.cast.stranger, &message).await?;
        if field(&included, "executed", "proposal").is_none() {
            let found = format!("{:?}", included.events);
            return Err(BenchError::Other { expected: "an executed proposal", found });
        }
        self.samples.note(operation, what, included.gas_used);
        Ok(included)
    }

    async fn open_vote(&mut self, made: &Made) -> Result<(), BenchError> {
        let message = ExecuteMsg::OpenVote { proposal: made.id };
        let included = self.send(&self.cast.stranger, &message).await?;
        self.samples.note("open_vote", "open_vote", included.gas_used);
        Ok(())
    }

    /// A proposal that does as little as one can: it lifts a brake that nobody pulled.
    ///
    /// # Errors
    /// [`BenchError`].
    pub(crate) async fn little(&mut self) -> Result<(), BenchError> {
        let lift = Action::LiftBrake { scope: Scope::Component(COMPONENT.to_owned()) };
        let made = self.propose("propose_tiny", "one small action", &draft("x", lift)).await?;
        self.open_vote(&made).await?;
        self.vote("vote_tiny", &made).await?;
        self.execute("execute", "an action that changes nothing", &made).await.map(drop)
    }

    /// An upgrade with full metadata that is cancelled before any node moved.
    ///
    /// # Errors
    /// [`BenchError`].
    pub(crate) async fn cancelled(&mut self) -> Result<(), BenchError> {
        let release = release("1.5.0", RELEASE_BYTES);
        let draft = upgrade(&release);
        let made = self.propose("propose", &sizes(&release, &draft), &draft).await?;
        self.attest(&made, &release).await?;
        self.vote("vote_1kb", &made).await?;
        let included = self.execute("execute_start", "the start of a rollout", &made).await?;
        let rollout = started(&included)?;
        let cancel = super::deployment::draft("cancel", Action::CancelRollout { rollout });
        let made = self.propose("propose_tiny", "a cancel", &cancel).await?;
        self.open_vote(&made).await?;
        self.vote("vote_tiny", &made).await?;
        self.execute("cancel", "the execution that cancels a rollout", &made).await.map(drop)
    }

    /// An upgrade with ten times the metadata, whose rollout is answered.
    ///
    /// # Errors
    /// [`BenchError`].
    pub(crate) async fn large(&mut self) -> Result<(RolloutId, Release), BenchError> {
        let release = release("1.6.0", LARGE_BYTES);
        let draft = upgrade(&release);
        let made = self.propose("propose_10kb", &sizes(&release, &draft), &draft).await?;
        self.attest(&made, &release).await?;
        self.vote("vote_10kb", &made).await?;
        let included = self.execute("execute_start_10kb", "the start of a rollout", &made).await?;
        Ok((started(&included)?, release))
    }

    /// The brake, pulled and released by two guardians.
    ///
    /// # Errors
    /// [`BenchError`].
    pub(crate) async fn brake(&mut self) -> Result<(), BenchError> {
        let scope = Scope::Component(COMPONENT.to_owned());
        for (index, what) in ["the first guardian pulls", "the second lengthens"].into_iter().enumerate() {
            let guardian = self.cast.guardians.get(index).ok_or_else(|| nobody("a guardian"))?;
            let included = self.send(guardian, &ExecuteMsg::Brake { scope: scope.clone() }).await?;
            self.samples.note("brake", what, included.gas_used);
        }
        for (index, what) in ["the first asks for release", "the second ends it"].into_iter().enumerate() {
            let guardian = self.cast.guardians.get(index).ok_or_else(|| nobody("a guardian"))?;
            let included = self.send(guardian, &ExecuteMsg::Release { scope: scope.clone() }).await?;
            self.samples.note("brake", what, included.gas_used);
        }
        Ok(())
    }
}

fn sizes(release: &Release, draft: &Draft) -> String {
    format!("a release of {} bytes in a draft of {} with its plan", size(release), size(draft))
}

fn started(included: &Included) -> Result<RolloutId, BenchError> {
    let told = field(included, "rollout_started", "rollout").ok_or_else(|| BenchError::Other {
        expected: "a started rollout",
        found: format!("{:?}", included.events),
    })?;
    told.parse().map(RolloutId).map_err(step("read a rollout's number"))
}
