//! What the machine says to the chain, on its way into the outbox. Delivery never drives the machine: the next facts do.

use concord_decide::{Crank, Effect};
use concord_schema::RolloutId;
use concord_schema::msg::ExecuteMsg;
use concord_schema::report::Report;

use crate::chain::Address;
use crate::chain::sign::Execute;
use crate::report::{Outbox, OutboxError, Put, State};

/// A message with the key that makes a repeat the same.
#[derive(Debug)]
struct Letter {
    key: String,
    /// The beginning of the key, for a request of which one at a time is enough.
    kind: Option<String>,
    msg: ExecuteMsg,
}

/// The letter of an effect; `None` for one that is no message. `seq` makes requests that are meant to be new new.
fn letter(effect: &Effect, seq: u64) -> Option<Letter> {
    Some(match effect {
        Effect::Report { rollout, report } => Letter {
            key: key_of(*rollout, report),
            kind: None,
            msg: ExecuteMsg::Report { rollout: *rollout, report: report.clone() },
        },
        Effect::AskLease { rollout, purpose } => Letter {
            key: format!("lease-{rollout}-{seq}"),
            kind: Some(format!("lease-{rollout}-")),
            msg: ExecuteMsg::Lease { rollout: *rollout, purpose: *purpose },
        },
        Effect::ReturnLease { rollout, attempt } => Letter {
            key: format!("return-{rollout}-{attempt}"),
            kind: None,
            msg: ExecuteMsg::ReturnLease { rollout: *rollout, attempt: *attempt },
        },
        Effect::Crank { rollout, crank } => {
            let (word, msg) = match crank {
                Crank::Draw => ("draw", ExecuteMsg::Draw { rollout: *rollout }),
                Crank::Advance => ("advance", ExecuteMsg::Advance { rollout: *rollout }),
            };
            let kind = format!("{word}-{rollout}-");
            Letter { key: format!("{kind}{seq}"), kind: Some(kind), msg }
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

/// Puts an effect's message into the outbox. A message that is on its way is left as it is; one that was answered,
/// whatever the answer, is sent anew, as the machine says again only what the chain does not show: a node that gave a
/// lease back and was granted another one gives it back in the same words.
///
/// # Errors
/// [`MailError`]; the machine asks again later.
pub(super) async fn post(
    outbox: &Outbox,
    contract: &Address,
    effect: &Effect,
    seq: u64,
) -> Result<(), MailError> {
    let Some(Letter { key, kind, msg }) = letter(effect, seq) else { return Ok(()) };
    let message =
        Execute { contract: contract.text().to_owned(), msg: serde_json::to_value(&msg)?, funds: Vec::new() };
    if let Some(kind) = kind {
        outbox.ask(&kind, &key, vec![message]).await?;
        return Ok(());
    }
    match outbox.put(&key, vec![message.clone()]).await? {
        Put::Known(State::Done { .. }) => {
            outbox.forget(&key).await?;
            outbox.put(&key, vec![message]).await?;
            Ok(())
        }
        Put::New | Put::Known(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use concord_schema::rollout::Purpose;

    use super::*;
    use crate::chain::answer::Included;
    use crate::chain::send::Outcome;
    use crate::report::Limits;

    #[tokio::test]
    async fn requests_that_are_asked_again_fill_no_outbox() {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits { open_max: 3, ..Limits::default() };
        let (outbox, _courier) = Outbox::open(folder.path(), limits).unwrap();
        let contract = Address::new("wasm", &[9; 32]).unwrap();
        let rollout = RolloutId(1);
        let lease = |purpose| Effect::AskLease { rollout, purpose };
        for seq in 0..20 {
            for effect in [lease(Purpose::Activate), Effect::Crank { rollout, crank: Crank::Draw }] {
                post(&outbox, &contract, &effect, seq).await.unwrap();
            }
        }
        let report = Report::Refused { reason: "no".to_owned() };
        post(&outbox, &contract, &Effect::Report { rollout, report }, 99).await.unwrap();
        assert_eq!(outbox.entries().await.len(), 3);
    }

    /// A lease may be given back twice in the same words: what was answered is no reason to keep silent.
    #[tokio::test]
    async fn what_was_answered_is_said_again_and_what_is_on_its_way_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (outbox, _courier) = Outbox::open(folder.path(), Limits::default()).unwrap();
        let contract = Address::new("wasm", &[9; 32]).unwrap();
        let back = Effect::ReturnLease { rollout: RolloutId(1), attempt: 1 };
        let included = Outcome::Included(Included {
            height: 5,
            code: 0,
            codespace: String::new(),
            log: String::new(),
            gas_used: 1,
            data: Vec::new(),
            events: Vec::new(),
        });
        for outcome in [Outcome::Expired, included] {
            post(&outbox, &contract, &back, 0).await.unwrap();
            post(&outbox, &contract, &back, 0).await.unwrap();
            let open = outbox.entries().await;
            assert_eq!(open.len(), 1);
            assert!(!open[0].state.is_done(), "{:?}", open[0].state);
            outbox.advance(open[0].order, State::Done { outcome }).await.unwrap();
        }
        post(&outbox, &contract, &back, 0).await.unwrap();
        let entries = outbox.entries().await;
        assert!(entries.len() == 1 && !entries[0].state.is_done(), "{entries:?}");
    }
}
