//! `devnet_tx_per_second`: many accounts register nodes at once.

use concord::chain::Address;
use concord::chain::answer::Account;
use concord::chain::sign::Signed;
use futures_util::future::try_join_all;
use tokio::time::Instant;

use super::deployment::{BLOCK_TIME, Deployment, Operator};
use super::error::{BenchError, step};
use super::figure::{Bar, Figure};

/// Accounts that send.
const ACCOUNTS: usize = 100;
/// Transactions of each; an operator may have 64 nodes, and the devnet lets 5,000 transactions wait.
const EACH: u64 = 40;
/// Connections over which they come.
const LANES: usize = 16;

/// Sends signed registrations from many accounts, and measures until the last one is in a block.
///
/// # Errors
/// [`BenchError`], also when a single transaction fails.
pub(crate) async fn measure() -> Result<Figure, BenchError> {
    let deployment = Deployment::start(ACCOUNTS, None).await?;
    let mut batches = Vec::with_capacity(ACCOUNTS);
    for (number, operator) in (0_u64..).zip(&deployment.operators) {
        batches.push(batch(&deployment, operator, number).await?);
    }
    let began = Instant::now();
    let lanes = batches.chunks(ACCOUNTS.div_ceil(LANES)).map(|lane| send(&deployment, lane));
    try_join_all(lanes).await?;
    // An account's transactions keep their order, so its last one comes last.
    for last in batches.iter().filter_map(|batch| batch.last()) {
        deployment.included(last).await?;
    }
    let seconds = began.elapsed().as_secs_f64();
    for signed in batches.iter().flatten() {
        deployment.included(signed).await?;
    }
    deployment.stop().await;
    let count = batches.iter().map(Vec::len).sum::<usize>();
    Ok(Figure {
        name: "devnet_tx_per_second".into(),
        value: count as f64 / seconds,
        unit: "tx/s",
        what: format!(
            "{count} signed registrations from {ACCOUNTS} accounts over {LANES} connections, from the first \
             broadcast_tx_sync until the last is in a block, block time {} ms",
            BLOCK_TIME.as_millis()
        ),
        bar: Bar::None,
    })
}

async fn batch(deployment: &Deployment, operator: &Operator, number: u64) -> Result<Vec<Signed>, BenchError> {
    let account = deployment.account(operator).await?;
    (0..EACH)
        .map(|index| {
            let mut bytes = [0_u8; 20];
            for (byte, value) in bytes.iter_mut().zip((number * EACH + index + 1).to_be_bytes()) {
                *byte = value;
            }
            let hot_key = Address::new(&deployment.prefix, &bytes).map_err(step("make an address"))?;
            let account = Account { sequence: account.sequence + index, ..account };
            deployment.registration(operator, account, &format!("node-{index}"), &hot_key)
        })
        .collect()
}

/// Sends the batches of some accounts one after the other, over one connection at a time.
async fn send(deployment: &Deployment, lane: &[Vec<Signed>]) -> Result<(), BenchError> {
    for signed in lane.iter().flatten() {
        deployment.broadcast(signed).await?;
    }
    Ok(())
}
