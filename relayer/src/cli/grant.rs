//! `keys grant` and `keys revoke`: an owner pays for what its hot keys report.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::error::CliError;
use super::output::{Answer, Screen};
use super::sending;
use crate::chain::feegrant::{self, Allowance, Grant};
use crate::chain::send::Sender;
use crate::chain::sign::Coin;
use crate::chain::{Address, Rpc};
use crate::config::Layers;

/// Periods and grants end within ten years.
const SECONDS_MAX: u64 = 315_360_000;

/// A fee grant.
#[derive(Clone, Debug, Args)]
pub struct GrantArgs {
    /// The hot key's account
    #[arg(value_name = "ADDRESS")]
    pub grantee: Address,
    /// The most that fees may take in one period, such as 100000ucosm
    #[arg(long, value_name = "COINS")]
    pub per_period: Coin,
    /// A period's length
    #[arg(long, default_value_t = 86_400, value_name = "SECONDS", value_parser = seconds)]
    pub period_seconds: u64,
    /// The most that fees may ever take; no bound by default
    #[arg(long, value_name = "COINS")]
    pub total: Option<Coin>,
    /// When the grant ends, from now; never by default
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub expires_seconds: Option<u64>,
}

/// A fee grant to take back.
#[derive(Clone, Debug, Args)]
pub struct RevokeArgs {
    /// The hot key's account
    #[arg(value_name = "ADDRESS")]
    pub grantee: Address,
}

/// Grants, in place of an earlier grant if there is one.
///
/// # Errors
/// [`CliError`].
pub async fn grant(layers: &Layers, screen: Screen, args: &GrantArgs) -> Result<Answer, CliError> {
    let rpc = sending::rpc(layers)?;
    let sender = owner(layers, &rpc, &args.grantee)?;
    let (granter, grantee) = (sender.address(), &args.grantee);
    if granter == grantee {
        let text = format!("expected another account than --key's, found {grantee}; name the hot key's");
        return Err(CliError::Usage(text));
    }
    let allowance = allowance(&rpc, args).await?;
    let before = rpc.fee_grant(granter, grantee).await.map_err(asked)?;
    if matches!(&before, Some(Grant::Ours(there, _)) if is_as_wanted(there, &allowance, args)) {
        return Ok(told(&sender, grantee, &allowance, "was there"));
    }
    // A chain holds one grant of an account to another, and replaces none by itself.
    let mut messages = Vec::new();
    if before.is_some() {
        messages.push(feegrant::revoke(granter, grantee));
    }
    messages.push(feegrant::grant(granter, grantee, &allowance));
    let included = sending::settle(&sender, &messages, screen, "wait for the grant's block").await?;
    let held = rpc.fee_grant(granter, grantee).await.map_err(asked)?;
    if !matches!(&held, Some(Grant::Ours(there, _)) if *there == allowance) {
        return Err(CliError::Unexpected(format!(
            "expected the grant of block {} on chain, found {}; ask another node",
            included.height,
            if held.is_some() { "another" } else { "none" }
        )));
    }
    Ok(told(&sender, grantee, &allowance, &format!("granted in block {}", included.height)))
}

/// Takes a grant back; one that is not there is no error.
///
/// # Errors
/// [`CliError`].
pub async fn revoke(layers: &Layers, screen: Screen, args: &RevokeArgs) -> Result<Answer, CliError> {
    let rpc = sending::rpc(layers)?;
    let sender = owner(layers, &rpc, &args.grantee)?;
    let (granter, grantee) = (sender.address(), &args.grantee);
    let json = |changed| json!({"granter": granter, "grantee": grantee, "changed": changed});
    if rpc.fee_grant(granter, grantee).await.map_err(asked)?.is_none() {
        return Ok(Answer::new(format!("{granter} pays nothing for {grantee}"), json(false)));
    }
    let message = feegrant::revoke(granter, grantee);
    let included = sending::settle(&sender, &[message], screen, "wait for the block").await?;
    let text = format!("{granter} pays for {grantee} no more, from block {} on", included.height);
    Ok(Answer::new(text, json(true)))
}

/// The owner as a sender. It pays for this itself, whatever the configuration says of its hot keys.
fn owner(layers: &Layers, rpc: &Rpc, grantee: &Address) -> Result<Sender, CliError> {
    sending::sender(layers, rpc, grantee.prefix()).map(Sender::without_granter)
}

async fn allowance(rpc: &Rpc, args: &GrantArgs) -> Result<Allowance, CliError> {
    if let Some(total) = &args.total
        && (total.denom != args.per_period.denom || total.amount < args.per_period.amount)
    {
        return Err(CliError::Usage(format!(
            "expected a total of at least {}, found {total}; a total below one period's bound ends within it",
            args.per_period
        )));
    }
    let expires_seconds = match args.expires_seconds {
        None => None,
        Some(seconds) => {
            let head = rpc.status().await.map_err(asked)?;
            let now = head.time_nanos.map(|nanos| nanos / 1_000_000_000);
            let now = now.ok_or_else(|| {
                CliError::Unexpected(
                    "expected a time in the newest header, found none; ask another node".to_owned(),
                )
            })?;
            Some(now.saturating_add(seconds))
        }
    };
    Ok(Allowance {
        per_period: args.per_period.clone(),
        period: Duration::from_secs(args.period_seconds),
        total: args.total.clone(),
        expires_seconds,
    })
}

/// Whether a grant needs no renewal. One with an end or a total is renewed each time it is asked for: that is what
/// asking again is for.
fn is_as_wanted(there: &Allowance, wanted: &Allowance, args: &GrantArgs) -> bool {
    args.expires_seconds.is_none() && args.total.is_none() && there == wanted
}

fn asked(source: crate::chain::RpcError) -> CliError {
    CliError::Chain { what: "about the fee grant", source }
}

fn told(sender: &Sender, grantee: &Address, allowance: &Allowance, how: &str) -> Answer {
    let granter = sender.address();
    let mut text = format!(
        "{granter} pays the fees of contract calls of {grantee} ({how})\nper period {} of {} s",
        allowance.per_period,
        allowance.period.as_secs()
    );
    if let Some(total) = &allowance.total {
        text.push_str(&format!("\nin total   {total}"));
    }
    if let Some(seconds) = allowance.expires_seconds {
        text.push_str(&format!("\nuntil      {seconds} (seconds since 1970)"));
    }
    text.push_str(&format!("\nset fee_granter = \"{granter}\" under [gas] where the hot key is used"));
    let json = json!({
        "granter": granter,
        "grantee": grantee,
        "per_period": allowance.per_period,
        "period_seconds": allowance.period.as_secs(),
        "total": allowance.total.as_ref().map_or(Value::Null, |total| json!(total)),
        "expires_seconds": allowance.expires_seconds,
        "changed": how != "was there",
    });
    Answer::new(text, json)
}

fn seconds(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(seconds) if (1..=SECONDS_MAX).contains(&seconds) => Ok(seconds),
        _ => Err(format!("expected 1 to {SECONDS_MAX} seconds")),
    }
}
