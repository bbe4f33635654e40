//! Commands that are one message to the contract.

use std::collections::BTreeMap;

use concord_schema::Digest;
use concord_schema::msg::ExecuteMsg;
use concord_schema::proposal::{Action, Draft};
use concord_schema::query::{ProposalAnswer, QueryMsg, RolloutAnswer, RulesAnswer};
use concord_schema::release::Document;
use concord_schema::rules::Class;
use serde_json::{Value, json};

use super::args::{ClaimArgs, Command, CommentArgs, ProposeArgs, ReviseArgs, VoteArgs};
use super::deployment::{Deployment, Settled};
use super::draft::{self, DOCUMENT_BYTES_MAX};
use super::error::CliError;
use super::output::{Answer, Screen, short, words};
use crate::chain::sign::Coin;

/// The message of a command that needs nothing but its arguments; `None` for every other command.
///
/// # Errors
/// [`CliError::Draft`]: a document cannot be read.
pub fn message(command: &Command) -> Result<Option<ExecuteMsg>, CliError> {
    Ok(Some(match command {
        Command::Withdraw(args) => ExecuteMsg::Withdraw { proposal: args.proposal },
        Command::Comment(args) => {
            ExecuteMsg::Comment { proposal: args.proposal, document: comment_document(args)? }
        }
        Command::OpenVote(args) => ExecuteMsg::OpenVote { proposal: args.proposal },
        Command::Execute(args) => ExecuteMsg::Execute { proposal: args.proposal },
        Command::Brake(args) => ExecuteMsg::Brake { scope: args.scope.clone() },
        Command::Release(args) => ExecuteMsg::Release { scope: args.scope.clone() },
        Command::Register(args) => ExecuteMsg::Register {
            component: args.component.clone(),
            node_id: args.node_id.clone(),
            power: args.power,
            hot_key: args.hot_key.clone(),
        },
        Command::Draw(args) => ExecuteMsg::Draw { rollout: args.rollout },
        Command::Advance(args) => ExecuteMsg::Advance { rollout: args.rollout },
        Command::ExpireLease(args) => ExecuteMsg::ExpireLease { rollout: args.rollout, node: args.node },
        _ => return Ok(None),
    }))
}

fn comment_document(args: &CommentArgs) -> Result<Document, CliError> {
    let digest = match (&args.digest, &args.file) {
        (Some(digest), _) => *digest,
        (None, Some(path)) => Digest::of(&draft::read(path, DOCUMENT_BYTES_MAX)?),
        (None, None) => {
            return Err(CliError::Usage("a comment is --uri together with --digest or --file".to_owned()));
        }
    };
    Ok(Document { digest, uri: args.uri.clone() })
}

/// Sends one message and shows what came of it.
///
/// # Errors
/// [`CliError`]; an execution that the contract recorded as failed is [`CliError::Unexpected`].
pub async fn send(deployment: &Deployment, message: ExecuteMsg) -> Result<Answer, CliError> {
    let settled = deployment.send(&[(message, Vec::new())]).await?;
    if let Some(why) = failed(&settled) {
        return Err(CliError::Unexpected(why));
    }
    Ok(deployment.answer(settled.text(), settled.json()))
}

/// How an execution failed, if the contract recorded that it did.
pub(super) fn failed(settled: &Settled) -> Option<String> {
    let action = settled.field("execution_failed", "action")?;
    let code = settled.field("execution_failed", "code")?;
    let words = short(settled.said().next().unwrap_or("see `concord explain proposal`"));
    Some(format!(
        "the execution failed at action {action} with code {code}, and nothing of it was done: {words}"
    ))
}

/// Proposes, with the deposit of the class.
///
/// # Errors
/// [`CliError`].
pub async fn propose(deployment: &Deployment, args: &ProposeArgs) -> Result<Answer, CliError> {
    let draft = args.draft.draft()?;
    let digest = digest_of(&draft)?;
    let class = class_of(deployment, &draft).await?;
    let rules: RulesAnswer = deployment.ask("for the rules", &QueryMsg::Rules { version: None }).await?;
    let deposit = rules.rules.row(class).deposit.clone();
    let funds: Vec<Coin> = deposit
        .iter()
        .map(|coin| {
            let amount = coin.amount.to_string().parse();
            let amount = amount
                .map_err(|_| CliError::Usage(format!("the deposit of {} is too large", coin.amount)))?;
            Ok(Coin { denom: coin.denom.clone(), amount })
        })
        .collect::<Result<_, CliError>>()?;
    let settled = deployment.send(&[(ExecuteMsg::Propose { draft: Box::new(draft) }, funds)]).await?;
    let number = settled.field("proposed", "proposal").unwrap_or("?").to_owned();
    let paid = deposit.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
    let text = format!(
        "proposal {number}, class {}, deposit {paid}\ncontent digest {digest}\n{}",
        words(&class),
        settled.text()
    );
    let more =
        json!({"proposal": number.parse::<u64>().ok(), "class": class, "digest": digest, "deposit": deposit});
    Ok(deployment.answer(text, joined(&settled, more)))
}

/// The class that a draft needs now: to take back what has completed needs the chain's word for that.
async fn class_of(deployment: &Deployment, draft: &Draft) -> Result<Class, CliError> {
    let mut brought = BTreeMap::new();
    for action in &draft.actions {
        let Action::RollBackRollout { rollout } = action else { continue };
        let asked = QueryMsg::Rollout { rollout: *rollout };
        let answer: RolloutAnswer = deployment.ask("for the rollout", &asked).await?;
        brought.insert(*rollout, answer.rollout.brought(&answer.progress));
    }
    Ok(draft.class(|rollout| brought.get(&rollout).copied().flatten()))
}

/// What a proposal would be, without a chain: a rollout that it takes back counts as one in motion.
///
/// # Errors
/// [`CliError::Draft`].
pub fn dry_run(args: &ProposeArgs) -> Result<Answer, CliError> {
    let draft = args.draft.draft()?;
    let digest = digest_of(&draft)?;
    let (class, exempt) = (draft.class(|_| None), draft.is_brake_exempt());
    let release = draft.rollout().map(|(release, _)| release.digest());
    let mut text = format!("title   {}\nclass   {}\ndigest  {digest}", draft.title, words(&class));
    if let Some(release) = release {
        text.push_str(&format!("\nrelease {release}"));
    }
    if exempt {
        text.push_str("\nbrake-exempt: its clocks run, and it executes, while the brake holds");
    }
    let json = json!({"title": draft.title, "class": class, "digest": digest, "release": release, "brake_exempt": exempt});
    Ok(Answer::new(text, json))
}

/// Replaces a proposal's content.
///
/// # Errors
/// [`CliError`].
pub async fn revise(deployment: &Deployment, args: &ReviseArgs) -> Result<Answer, CliError> {
    let draft = Box::new(args.draft.draft()?);
    let digest = digest_of(&draft)?;
    let settled =
        deployment.send(&[(ExecuteMsg::Revise { proposal: args.proposal, draft }, Vec::new())]).await?;
    let text = format!("content digest {digest}\n{}", settled.text());
    Ok(deployment.answer(text, joined(&settled, json!({"digest": digest}))))
}

/// Votes on the content that is shown.
///
/// # Errors
/// [`CliError`]; another content than the expected one is [`CliError::Unexpected`], before anything is sent.
pub async fn vote(deployment: &Deployment, args: &VoteArgs, screen: Screen) -> Result<Answer, CliError> {
    let rationale = args.rationale.document()?;
    let query = QueryMsg::Proposal { proposal: args.proposal };
    let found: ProposalAnswer = deployment.ask("about the proposal", &query).await?;
    let digest = found.proposal.digest;
    if let Some(expected) = args.expect_digest.filter(|expected| *expected != digest) {
        return Err(CliError::Unexpected(format!(
            "expected content digest {expected} of proposal {}, found {digest}; read it again before you vote",
            args.proposal
        )));
    }
    // What the contract shows and what it stores must be the same, or the ballot would be for something unseen.
    let shown = digest_of(&found.draft)?;
    if shown != digest {
        return Err(CliError::Unexpected(format!(
            "expected the shown content of proposal {} to hash to {digest}, found {shown}; do not vote on it",
            args.proposal
        )));
    }
    let ballot = args.ballot.into();
    let message = ExecuteMsg::Vote { proposal: args.proposal, ballot, expect_digest: digest, rationale };
    let settled = deployment.send(&[(message, Vec::new())]).await?;
    let title = screen.heading(&found.draft.title);
    let text = format!("{title}\ncontent digest {digest}\n{}", settled.text());
    Ok(deployment.answer(text, joined(&settled, json!({"title": found.draft.title, "digest": digest}))))
}

/// Settles deposits and pays out what the account can claim, in one transaction.
///
/// # Errors
/// [`CliError`].
pub async fn claim(deployment: &Deployment, args: &ClaimArgs) -> Result<Answer, CliError> {
    let settles = args.settle.iter().map(|proposal| ExecuteMsg::SettleDeposit { proposal: *proposal });
    let messages: Vec<_> =
        settles.chain([ExecuteMsg::Claim {}]).map(|message| (message, Vec::new())).collect();
    let settled = deployment.send(&messages).await?;
    Ok(deployment.answer(settled.text(), settled.json()))
}

fn digest_of(draft: &concord_schema::proposal::Draft) -> Result<Digest, CliError> {
    draft::digest(draft).ok_or_else(|| CliError::Usage("the draft cannot be written as JSON".to_owned()))
}

/// The outcome of a transaction, with more fields.
pub(super) fn joined(settled: &Settled, more: Value) -> Value {
    let mut json = settled.json();
    if let (Value::Object(object), Value::Object(more)) = (&mut json, more) {
        object.extend(more);
    }
    json
}
