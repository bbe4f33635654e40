//! The one task that empties the outbox, entry by entry, in order.

use crate::chain::Backoff;
use crate::chain::error::{Cause, Refused};
use crate::chain::rpc::Broadcast;
use crate::chain::send::{Outcome, Sender, Sent, Sighting};
use crate::chain::sign::Signed;

use super::outbox::{Entry, Outbox, State};

/// Sends what is in its outbox. There is one per outbox, and it is not cloned: two would sign against each other.
#[derive(Debug)]
pub struct Courier {
    outbox: Outbox,
}

/// A refusal that nobody can name is tried this often before it counts as the answer.
const UNNAMED_TRIES_MAX: u32 = 10;
/// A transaction that ran out of gas is signed with more this often.
const GAS_TRIES_MAX: u32 = 3;
/// A sent transaction that is in no block after this many is handed to a node again, as it is: the node may have
/// restarted and forgotten it.
const REPEAT_BLOCKS: u64 = 3;

/// What is remembered of the entry in hand. A restart may forget it: it only paces and bounds tries.
#[derive(Default)]
struct Hand {
    order: Option<u64>,
    gas_tries: u32,
    unnamed_tries: u32,
    handed_at: Option<u64>,
}

/// What a turn came to.
enum Turn {
    /// The entry moved on.
    Moved,
    /// Nothing to do but look again soon.
    Look,
    /// Something is in the way.
    Trouble(String),
}

impl Courier {
    pub(super) fn new(outbox: Outbox) -> Self {
        Self { outbox }
    }

    /// Sends for ever. Failures are told by [`Outbox::trouble`] and tried again with growing waits; no report is
    /// ever dropped, and none overtakes another. Requests wait for reports.
    pub async fn run(self, sender: Sender) -> std::convert::Infallible {
        let mut backoff = Backoff::new(sender.rpc().settings().backoff);
        let mut hand = Hand::default();
        loop {
            let Some(entry) = self.outbox.first_open().await else {
                self.tell(None);
                self.outbox.inner.wake.notified().await;
                continue;
            };
            if hand.order != Some(entry.order) {
                hand = Hand { order: Some(entry.order), ..Hand::default() };
            }
            match self.turn(&sender, &entry, &mut hand).await {
                Turn::Moved => {
                    backoff.reset();
                    self.tell(None);
                }
                Turn::Look => {
                    backoff.reset();
                    tokio::time::sleep(sender.pricing().poll).await;
                }
                Turn::Trouble(why) => {
                    tracing::warn!(key = entry.key, why, "report not sent yet");
                    self.tell(Some(why));
                    backoff.rest().await;
                }
            }
        }
    }

    fn tell(&self, trouble: Option<String>) {
        self.outbox.inner.trouble.send_if_modified(|told| {
            let changed = *told != trouble;
            *told = trouble;
            changed
        });
    }

    async fn turn(&self, sender: &Sender, entry: &Entry, hand: &mut Hand) -> Turn {
        match entry.state.sent() {
            None => self.sign_and_send(sender, entry, hand).await,
            Some((sent, bytes)) => self.follow(sender, entry, hand, &sent, bytes).await,
        }
    }

    async fn sign_and_send(&self, sender: &Sender, entry: &Entry, hand: &mut Hand) -> Turn {
        let percent = sender.pricing().gas_percent;
        // Half as much again after each transaction that ran out.
        let percent = (0..hand.gas_tries).fold(percent, |percent, _| percent.saturating_add(percent / 2));
        let signed = match sender.prepare(&entry.messages, percent).await {
            Ok(Ok(signed)) => signed,
            Ok(Err(refused)) => return self.refused(entry, hand, refused).await,
            Err(error) => return Turn::Trouble(error.to_string()),
        };
        let Signed { hash, sequence, timeout_height, .. } = signed.clone();
        let state = State::Sent { hash, timeout_height, sequence, bytes: hex::encode(&signed.bytes) };
        if let Err(error) = self.outbox.advance(entry.order, state).await {
            return Turn::Trouble(error.to_string());
        }
        hand.handed_at = Some(timeout_height.saturating_sub(sender.pricing().timeout_blocks));
        match sender.rpc().broadcast(&signed.bytes).await {
            // Without an answer it may be on its way. Only its timeout height can tell.
            Err(error) => Turn::Trouble(error.to_string()),
            Ok(Broadcast::Taken | Broadcast::Refused { doubtful: true, .. }) => Turn::Moved,
            Ok(Broadcast::Refused { refused, .. }) => self.refused(entry, hand, refused).await,
        }
    }

    /// Looks at what became of a transaction; signs anew only when it is proved dead.
    async fn follow(
        &self,
        sender: &Sender,
        entry: &Entry,
        hand: &mut Hand,
        sent: &Sent,
        bytes: &str,
    ) -> Turn {
        match sender.sight(sent).await {
            Err(error) => Turn::Trouble(error.to_string()),
            Ok(Sighting::Settled(Outcome::Expired)) => self.advance(entry, State::Queued).await,
            Ok(Sighting::Settled(Outcome::Refused(refused))) => self.refused(entry, hand, refused).await,
            Ok(Sighting::Settled(outcome)) => self.advance(entry, State::Done { outcome }).await,
            // How it ended shows in the contract's state, by which the agent says it again where it must.
            Ok(Sighting::Used { height }) => {
                let log =
                    format!("executed by block {height}, and no node keeps an index that says how it ended");
                let refused = Refused { codespace: "concord".to_owned(), code: 1, log };
                self.advance(entry, State::Done { outcome: Outcome::Refused(refused) }).await
            }
            Ok(Sighting::Open { tip }) => {
                let is_due = hand.handed_at.is_none_or(|at| tip >= at.saturating_add(REPEAT_BLOCKS));
                if is_due && tip < sent.timeout_height {
                    hand.handed_at = Some(tip);
                    if let Ok(bytes) = hex::decode(bytes) {
                        // Whatever it answers, the sighting decides: a refusal here may be of one that is in a block.
                        let _ = sender.rpc().broadcast(&bytes).await;
                    }
                }
                Turn::Look
            }
        }
    }

    async fn refused(&self, entry: &Entry, hand: &mut Hand, refused: Refused) -> Turn {
        let again = match refused.cause() {
            Cause::Contract => false,
            Cause::Gas => {
                hand.gas_tries += 1;
                hand.gas_tries <= GAS_TRIES_MAX
            }
            Cause::Other => {
                hand.unnamed_tries += 1;
                hand.unnamed_tries < UNNAMED_TRIES_MAX
            }
            // The owner may renew a grant as it may fill an account.
            Cause::Sequence
            | Cause::Fee
            | Cause::Funds
            | Cause::Grant
            | Cause::MempoolFull
            | Cause::TimedOut => true,
        };
        if !again {
            tracing::warn!(key = entry.key, %refused, "report refused");
            return self.advance(entry, State::Done { outcome: Outcome::Refused(refused) }).await;
        }
        // `entry` is as it was when the turn began; on disk it may be sent already.
        if self.outbox.state(&entry.key).await != Some(State::Queued)
            && let Err(error) = self.outbox.advance(entry.order, State::Queued).await
        {
            return Turn::Trouble(error.to_string());
        }
        // The wait that follows also lets a block pass, so that the next look at the sequence is at a newer one.
        Turn::Trouble(refused.told())
    }

    async fn advance(&self, entry: &Entry, state: State) -> Turn {
        match self.outbox.advance(entry.order, state).await {
            Ok(()) => Turn::Moved,
            Err(error) => Turn::Trouble(error.to_string()),
        }
    }
}
