//! The first block: who takes part, with keys made for this one run, and the deployment that they share.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use concord_devnet::{DevnetConfig, GenesisAccount, GenesisCoin, Instantiate};
use concord_schema::Power;
use concord_schema::attestation::SigningKey;
use concord_schema::msg::{
    GenesisAuditor, GenesisComponent, GenesisGuardians, GenesisOperator, InstantiateMsg,
};
use concord_schema::proposal::Member;
use concord_schema::release::Release;
use cosmwasm_std::{HexBinary, Uint128};

use super::error::DemoError;
use super::plan::{COMPONENT, floors, rules};
use crate::chain::keys::{Key, Kind};
use crate::chain::sign::GasPrice;
use crate::chain::{Address, send::Pricing};

/// The devnet's chain id.
pub(crate) const CHAIN_ID: &str = "concord-demo";
/// The prefix of its addresses.
pub(crate) const PREFIX: &str = "wasm";
/// What pays its fees.
pub(crate) const DENOM: &str = "ucosm";
/// The price of gas.
pub(crate) const GAS_PRICE: &str = "0.025";
/// From one block to the next.
pub(crate) const BLOCK_TIME: Duration = Duration::from_millis(100);
/// Operators, each with one node.
pub(crate) const NODES: usize = 6;
/// Voting members of equal weight.
pub(crate) const MEMBERS: usize = 5;
/// Auditors, each of an organisation of its own.
pub(crate) const AUDITORS: usize = 3;
/// Guardians.
pub(crate) const GUARDIANS: usize = 3;
/// How many of them lengthen the brake, and release it.
pub(crate) const GUARDIANS_NEEDED: u8 = 2;
/// The power of each node.
pub(crate) const POWER: Power = Power(100);
/// What each account holds, far more than it needs.
const COINS: u128 = 1_000_000_000;

/// A key with its account.
#[derive(Debug)]
pub(crate) struct Account {
    /// The key.
    pub(crate) key: Key,
    /// Its address.
    pub(crate) address: Address,
}

impl Account {
    fn new() -> Result<Self, DemoError> {
        let key = Key::generate(Kind::Secp256k1)?;
        let address = key.address(PREFIX)?;
        Ok(Self { key, address })
    }

    fn many(count: usize) -> Result<Vec<Self>, DemoError> {
        (0..count).map(|_| Self::new()).collect()
    }
}

/// An auditor of the demo.
#[derive(Debug)]
pub(crate) struct Auditor {
    /// Its account.
    pub(crate) account: Account,
    /// The key of its signed statements; without one it sends its own transaction.
    pub(crate) signing: Option<Key>,
    /// Who controls it.
    pub(crate) organisation: String,
}

/// An operator of the demo, with its one node.
#[derive(Debug)]
pub(crate) struct Operator {
    /// Its account: the owner key.
    pub(crate) owner: Account,
    /// The account of the node's hot key, which only the agent holds from here on.
    pub(crate) hot: Address,
    /// The hot key's file.
    pub(crate) hot_file: PathBuf,
    /// Who controls it.
    pub(crate) organisation: String,
    /// The node's name.
    pub(crate) node_id: String,
}

/// Everybody who takes part.
#[derive(Debug)]
pub(crate) struct Cast {
    /// Who votes.
    pub(crate) members: Vec<Account>,
    /// Who attests: by ed25519, by secp256k1, and by plain transaction.
    pub(crate) auditors: Vec<Auditor>,
    /// Who brakes.
    pub(crate) guardians: Vec<Account>,
    /// Who runs nodes.
    pub(crate) operators: Vec<Operator>,
}

impl Cast {
    /// Makes all keys; those of agents go to files of mode 0600 in `folder`.
    ///
    /// # Errors
    /// [`DemoError::Key`].
    pub(crate) fn new(folder: &Path) -> Result<Self, DemoError> {
        let kinds = [Some(Kind::Ed25519), Some(Kind::Secp256k1), None];
        let auditor = |(index, kind): (usize, Option<Kind>)| {
            let signing = kind.map(Key::generate).transpose()?;
            Ok::<_, DemoError>(Auditor {
                account: Account::new()?,
                signing,
                organisation: format!("auditor-{}", index + 1),
            })
        };
        let operator = |index: usize| {
            let node_id = format!("node-{}", index + 1);
            let hot_file = folder.join(format!("{node_id}.key"));
            let hot = Account::new()?;
            hot.key.create(&hot_file, PREFIX)?;
            let organisation = format!("organisation-{}", index + 1);
            Ok::<_, DemoError>(Operator {
                owner: Account::new()?,
                hot: hot.address,
                hot_file,
                organisation,
                node_id,
            })
        };
        Ok(Self {
            members: Account::many(MEMBERS)?,
            auditors: kinds.into_iter().take(AUDITORS).enumerate().map(auditor).collect::<Result<_, _>>()?,
            guardians: Account::many(GUARDIANS)?,
            operators: (0..NODES).map(operator).collect::<Result<_, _>>()?,
        })
    }

    fn addresses(&self) -> impl Iterator<Item = &Address> {
        let members = self.members.iter().map(|member| &member.address);
        let auditors = self.auditors.iter().map(|auditor| &auditor.account.address);
        let guardians = self.guardians.iter().map(|guardian| &guardian.address);
        let owners = self.operators.iter().map(|operator| &operator.owner.address);
        let hot = self.operators.iter().map(|operator| &operator.hot);
        members.chain(auditors).chain(guardians).chain(owners).chain(hot)
    }

    /// The deployment: `baseline` is what the fleet runs at the beginning.
    #[must_use]
    pub(crate) fn instantiate(&self, baseline: &Release) -> InstantiateMsg {
        let text = |account: &Account| account.address.text().to_owned();
        InstantiateMsg {
            components: vec![GenesisComponent {
                name: COMPONENT.to_owned(),
                group: None,
                baseline: baseline.clone(),
            }],
            members: self
                .members
                .iter()
                .map(|member| Member { addr: text(member), weight: Uint128::new(10) })
                .collect(),
            auditors: self.auditors.iter().map(Auditor::genesis).collect(),
            guardians: GenesisGuardians {
                addrs: self.guardians.iter().map(text).collect(),
                threshold: GUARDIANS_NEEDED,
            },
            operators: self
                .operators
                .iter()
                .map(|operator| GenesisOperator {
                    addr: text(&operator.owner),
                    organisation: operator.organisation.clone(),
                    component: COMPONENT.to_owned(),
                    power: POWER,
                })
                .collect(),
            rules: rules(),
            floors: floors(),
        }
    }

    /// The devnet with this deployment, every account funded.
    ///
    /// # Errors
    /// [`DemoError::Own`] when the message cannot be written as JSON.
    pub(crate) fn devnet(&self, baseline: &Release) -> Result<DevnetConfig, DemoError> {
        let msg = serde_json::to_value(self.instantiate(baseline))
            .map_err(|error| DemoError::Own { what: "deployment", reason: error.to_string() })?;
        let coins = || vec![GenesisCoin { denom: DENOM.to_owned(), amount: COINS }];
        let account =
            |address: &Address| GenesisAccount { address: address.text().to_owned(), coins: coins() };
        let creator = self.members.first().map(|member| member.address.text().to_owned()).unwrap_or_default();
        Ok(DevnetConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            chain_id: CHAIN_ID.to_owned(),
            block_time: BLOCK_TIME,
            genesis_time_seconds: None,
            bech32_prefix: PREFIX.to_owned(),
            accounts: self.addresses().map(account).collect(),
            contract: crate::cli::devnet::coordinator,
            instantiate: Instantiate { sender: creator, msg, label: "concord-demo".to_owned(), admin: None },
            fee_denom: DENOM.to_owned(),
            gas_price_min_milli: 25,
        })
    }
}

impl Auditor {
    fn genesis(&self) -> GenesisAuditor {
        let key = self.signing.as_ref().map(|key| {
            let public = HexBinary::from(key.public());
            match key.kind() {
                Kind::Ed25519 => SigningKey::Ed25519(public),
                Kind::Secp256k1 => SigningKey::Secp256k1(public),
            }
        });
        GenesisAuditor {
            addr: self.account.address.text().to_owned(),
            organisation: self.organisation.clone(),
            key,
        }
    }
}

/// Prices and patience of the demo's transactions.
///
/// # Errors
/// [`DemoError::GasPrice`].
pub(crate) fn pricing() -> Result<Pricing, DemoError> {
    let mut pricing = Pricing::new(GasPrice::from_str(&format!("{GAS_PRICE}{DENOM}"))?);
    pricing.poll = Duration::from_millis(30);
    pricing.patience = Duration::from_secs(20);
    Ok(pricing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn everybody_has_a_key_of_his_own_and_agents_find_theirs_in_files() {
        let folder = tempfile::tempdir().unwrap();
        let cast = Cast::new(folder.path()).unwrap();
        let addresses: BTreeSet<_> = cast.addresses().collect();
        assert_eq!(addresses.len(), MEMBERS + AUDITORS + GUARDIANS + 2 * NODES);
        for operator in &cast.operators {
            let mode = std::fs::metadata(&operator.hot_file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            let key = Key::load(&operator.hot_file).unwrap();
            assert_eq!(key.address(PREFIX).unwrap(), operator.hot);
        }
    }

    #[test]
    fn the_deployment_keeps_the_schemas_bounds() {
        let folder = tempfile::tempdir().unwrap();
        let cast = Cast::new(folder.path()).unwrap();
        let built = crate::demo::build::Built {
            version: "1.0.0",
            name: "demo-daemon-v1".to_owned(),
            path: PathBuf::new(),
            digest: concord_schema::Digest::of(b"v1"),
            bytes: b"v1".to_vec(),
        };
        let msg = cast.instantiate(&crate::demo::plan::release(&built, &[], Vec::new()));
        let organisations: BTreeSet<_> =
            msg.auditors.iter().map(|auditor| auditor.organisation.as_str()).collect();
        assert_eq!(organisations.len(), AUDITORS);
        let organisations: BTreeSet<_> =
            msg.operators.iter().map(|operator| operator.organisation.as_str()).collect();
        assert_eq!(organisations.len(), NODES);
        assert!(
            msg.auditors.iter().filter_map(|auditor| auditor.key.as_ref()).all(SigningKey::is_well_formed)
        );
        assert_eq!(msg.rules.check(&msg.floors), Ok(()));
        let longest = msg.operators.iter().map(|operator| operator.organisation.len()).max();
        assert!(longest <= Some(concord_schema::text::ORGANISATION_MAX));
        assert!(cast.devnet(&msg.components[0].baseline).is_ok());
    }
}
