//! What the machine says to the chain, on its way into the outbox. Delivery never drives the machine: the next facts do.

use concord_decide::{Crank, Effect};
use concord_schema::RolloutId;
use concord_schema::msg::ExecuteMsg;
use concord_schema::report::Report;

use crate::chain::Address;
use crate::chain::send::Outcome;
use crate::chain::sign::Execute;
use crate::report::{Outbox, OutboxError, Put, State};

/// A message with the key that makes a repeat the same.
#[derive(Debug)]
struct Letter {
    key: String,
    msg: ExecuteMsg,
}

/// The letter of an effect; `None` for one that is no message. `seq` makes requests that are meant to be new new.
fn letter(effect: &Effect, seq: u64) -> Option<Letter> {
    Some(match effect {
        Effect::Report { rollout, report } => Letter {
            key: key_of(*rollout, report),
            msg: ExecuteMsg::Report { rollout: *rollout, report: report.clone() },
        },
        Effect::AskLease { rollout, purpose } => Letter {
            key: format!("lease-{rollout}-{seq}"),
            msg: ExecuteMsg::Lease { rollout: *rollout, purpose: *purpose },
        },
        Effect::ReturnLease { rollout, attempt } => Letter {
            key: format!("return-{rollout}-{attempt}"),
            msg: ExecuteMsg::ReturnLease { rollout: *rollout, attempt: *attempt },
        },
        Effect::Crank { rollout, crank } => {
            let (word, msg) = match crank {
                Crank::Draw => ("draw", ExecuteMsg::Draw { rollout: *rollout }),
                Crank::Advance => ("advance", ExecuteMsg::Advance { rollout: *rollout }),
            };
            Letter { key: format!("{word}-{rollout}-{seq}"), msg }
        }
        _ => return None,
    })
}

/// The same statement has the same key, whenever it is said.
fn key_of(rollout: RolloutId, report: &Report) -> String {
    format!("report-{rollout}-{}-{}-{}", report.attempt(), report.kind(), report.digest().short())
}

/// Why a message did not get into the outbox.
#[derive(Debug, thiserror::Error)]
pub(super) enum MailError {
    /// The outbox did not take it.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// It is no JSON, which the schema's types always are.
    #[error("the message cannot be written")]
    Json(#[from] serde_json::Error),
}

/// Puts an effect's message into the outbox. A message that is on its way, or arrived, is left as it is; one that was
/// refused or expired is sent anew, as the machine asks again only where the chain does not show it.
///
/// # Errors
/// [`MailError`]; the machine asks again later.
pub(super) async fn post(
    outbox: &Outbox,
    contract: &Address,
    effect: &Effect,
    seq: u64,
) -> Result<(), MailError> {
    let Some(Letter { key, msg }) = letter(effect, seq) else { return Ok(()) };
    let message =
        Execute { contract: contract.text().to_owned(), msg: serde_json::to_value(&msg)?, funds: Vec::new() };
    match outbox.put(&key, vec![message.clone()]).await? {
        Put::Known(State::Done { outcome: Outcome::Refused(_) | Outcome::Expired }) => {
            outbox.forget(&key).await?;
            outbox.put(&key, vec![message]).await?;
            Ok(())
        }
        Put::New | Put::Known(_) => Ok(()),
    }
}
