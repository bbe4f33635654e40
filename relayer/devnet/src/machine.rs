//! The state machine: cw-multi-test with accounts, fees and atomic transactions around it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cosmrs::AccountId;
use cosmrs::proto::cosmos::base::abci::v1beta1::TxMsgData;
use cosmrs::proto::cosmwasm::wasm::v1::{MsgExecuteContractResponse, MsgInstantiateContractResponse};
use cosmwasm_std::{
    Addr, Api as _, BankMsg, Binary, BlockInfo, Coin, CosmosMsg, Empty, Event, StdResult, Storage as _,
    Timestamp, WasmMsg, from_json,
};
use cw_multi_test::{
    App, AppBuilder, AppResponse, BankKeeper, Contract, ContractData, Executor as _, MockApiBech32,
    WasmKeeper, no_init,
};
use prost::Message as _;
use sha2::{Digest, Sha256};

use crate::allowance::{Grants, Sponsor};
use crate::ante::{Ante, Standing, Tx, TxError, affordable};
use crate::blocks::Hash;
use crate::codes::{Code, Codes};
use crate::config::{DevnetConfig, DevnetError};
use crate::events::{self, TxResult};
use crate::ledger::{Account, Ledger};
use crate::message::{Answer, Message, unpack_wasm};
use crate::store::{Change, VersionedStore};

/// What a transaction is said to use: the devnet measures no gas, so a gas estimate is always
/// this much.
pub const GAS_USED: u64 = 250_000;

/// The note that stands in the event of an upload.
const NO_WASM_VM: &str = "devnet runs no wasm: this code runs the built-in contract";

pub(crate) type DevApp = App<BankKeeper, MockApiBech32, VersionedStore>;

/// The state of the chain and the rules that change it.
pub(crate) struct Machine {
    pub(crate) app: DevApp,
    pub(crate) ledger: Ledger,
    pub(crate) grants: Grants,
    pub(crate) codes: Codes,
    contract: fn() -> Box<dyn Contract<Empty>>,
    /// A gas estimate: what cannot be taken back is not done.
    is_trial: bool,
    /// The account that fees go to.
    collector: String,
}

/// What the messages of a transaction did.
pub(crate) struct Effects {
    pub(crate) events: Vec<Event>,
    pub(crate) answers: Vec<cosmrs::Any>,
}

impl Effects {
    /// The answers as `TxMsgData`.
    pub(crate) fn data(&self) -> Vec<u8> {
        let data = TxMsgData { msg_responses: self.answers.clone(), ..TxMsgData::default() };
        data.encode_to_vec()
    }
}

/// What the genesis came to.
pub(crate) struct Genesis {
    /// Address of the contract.
    pub(crate) contract: String,
    /// What its instantiation said. A chain shows a genesis message's events with its first block.
    pub(crate) events: Vec<Event>,
}

impl Machine {
    /// Builds the genesis state and instantiates the contract; returns the contract's address.
    ///
    /// # Errors
    /// [`DevnetError::Genesis`] when an address, the coins or the instantiation is refused.
    pub(crate) fn genesis(config: &DevnetConfig, time_nanos: u64) -> Result<(Self, Genesis), DevnetError> {
        let refuse = |reason: String| DevnetError::Genesis { reason };
        // MockApiBech32 wants a prefix that lives for ever; a process starts few devnets.
        let prefix: &'static str = Box::leak(config.bech32_prefix.clone().into_boxed_str());
        let collector = Sha256::digest(b"fee_collector");
        let collector = AccountId::new(prefix, collector.get(..20).unwrap_or_default())
            .map_err(|error| refuse(error.to_string()))?;
        let codes = Codes::default();
        codes.announce(Sha256::digest(b"").into());
        let app = AppBuilder::new()
            .with_wasm(WasmKeeper::new().with_checksum_generator(codes.generator()))
            .with_api(MockApiBech32::new(prefix))
            .with_storage(VersionedStore::default())
            .with_block(BlockInfo {
                height: 1,
                time: Timestamp::from_nanos(time_nanos),
                chain_id: config.chain_id.clone(),
            })
            .build(no_init);
        let mut machine = Self {
            app,
            ledger: Ledger::default(),
            grants: Grants::default(),
            codes,
            contract: config.contract,
            is_trial: false,
            collector: collector.to_string(),
        };
        machine.fund(config)?;
        let born = machine.instantiate_genesis(config)?;
        Ok((machine, born))
    }

    fn fund(&mut self, config: &DevnetConfig) -> Result<(), DevnetError> {
        for account in &config.accounts {
            let address = self.address(&account.address).map_err(genesis)?;
            let coins: Vec<Coin> = account
                .coins
                .iter()
                .filter(|coin| coin.amount > 0)
                .map(|coin| Coin::new(coin.amount, &coin.denom))
                .collect();
            self.app
                .init_modules(|router, _, storage| router.bank.init_balance(storage, &address, coins))
                .map_err(|error| DevnetError::Genesis { reason: error.to_string() })?;
            self.ledger.open(&account.address);
        }
        let collector = self.collector.clone();
        self.ledger.open(&collector);
        Ok(())
    }

    fn instantiate_genesis(&mut self, config: &DevnetConfig) -> Result<Genesis, DevnetError> {
        let instantiate = &config.instantiate;
        let creator = self.address(&instantiate.sender).map_err(genesis)?;
        // The built-in contract is native: it has no wasm, and the checksum of nothing.
        let code_id = self.keep_code(creator, Sha256::digest(b"").into());
        let message = Message::Instantiate {
            sender: instantiate.sender.clone(),
            admin: instantiate.admin.clone(),
            code_id,
            label: instantiate.label.clone(),
            msg: instantiate.msg.to_string().into_bytes(),
            funds: Vec::new(),
            salt: None,
        };
        let (events, _) = self.run(&message).map_err(genesis)?;
        let contract = events
            .iter()
            .find(|event| event.ty == "instantiate")
            .map(|event| events::value(event, "_contract_address").to_owned())
            .unwrap_or_default();
        self.ledger.open(&contract);
        Ok(Genesis { contract, events })
    }

    /// Opens a block: the contract sees this height and time from now on.
    pub(crate) fn open_block(&mut self, height: u64, time_nanos: u64) {
        self.app.update_block(|block| {
            block.height = height;
            block.time = Timestamp::from_nanos(time_nanos);
        });
    }

    /// Ends a block: what it wrote.
    pub(crate) fn end_block(&mut self, time_nanos: u64) -> Vec<Change> {
        self.grants.sweep(time_nanos);
        self.app.storage_mut().take_changes()
    }

    /// The signer of a transaction as the chain knows it.
    pub(crate) fn standing(&self, address: &str) -> Option<Standing> {
        let Account { number, sequence, public_key } = self.ledger.account(address)?.clone();
        Some(Standing { number, sequence, public_key, balance: self.balance(address) })
    }

    /// What an address holds, sorted by denomination. cw-multi-test answers no query for it, so
    /// its bank's own row is read.
    pub(crate) fn balance(&self, address: &str) -> Vec<Coin> {
        let mut key = b"\0\x04bank\0\x08balances".to_vec();
        key.extend_from_slice(address.as_bytes());
        let row = self.app.storage().get(&key);
        row.and_then(|row| from_json(row).ok()).unwrap_or_default()
    }

    /// The data of a contract, when there is one at the address.
    pub(crate) fn contract(&self, address: &str) -> Option<ContractData> {
        self.app.contract_data(&Addr::unchecked(address)).ok()
    }

    /// A granter as the chain knows it.
    pub(crate) fn sponsor(&self, granter: &str, grantee: &str) -> Sponsor {
        Sponsor { balance: self.balance(granter), allowance: self.grants.find(granter, grantee).cloned() }
    }

    fn sponsor_of(&self, tx: &Tx) -> Option<Sponsor> {
        tx.granter().map(|granter| self.sponsor(granter, &tx.signer))
    }

    /// Checks an address.
    pub(crate) fn address(&self, address: &str) -> Result<Addr, TxError> {
        self.app.api().addr_validate(address).map_err(|_| {
            let detail = format!("decoding bech32 failed for {address:?}");
            TxError::sdk(7, detail, "invalid address")
        })
    }

    /// Runs a transaction in the open block. Once the checks are passed, fee and sequence are
    /// taken whatever the messages come to.
    pub(crate) fn deliver(&mut self, tx: &Tx, ante: &Ante<'_>) -> TxResult {
        let wanted = tx.gas_limit;
        let used = GAS_USED.min(wanted);
        let passed = ante
            .verify(tx, self.standing(&tx.signer).as_ref(), self.sponsor_of(tx).as_ref())
            .and_then(|passed| self.pay(tx).map(|()| passed));
        let passed = match passed {
            Ok(passed) => passed,
            Err(error) => return TxResult::failed(error, wanted, used, Vec::new()),
        };
        if let (Some(granter), Some(rest)) = (tx.granter(), passed.rest) {
            self.grants.keep(granter, &tx.signer, rest);
        }
        self.ledger.take_sequence(&tx.signer, passed.key);
        let mut events = events::ante(tx, &self.collector);
        let (grants, last_code_id) = (self.grants.clone(), self.codes.last_id());
        self.app.storage_mut().begin();
        match self.run_all(tx) {
            Ok(mut effects) => {
                self.app.storage_mut().keep();
                self.open_accounts(&effects.events);
                events.append(&mut effects.events);
                TxResult {
                    code: 0,
                    codespace: "",
                    data: effects.data(),
                    log: String::new(),
                    gas_wanted: wanted,
                    gas_used: used,
                    events,
                }
            }
            Err(error) => {
                self.app.storage_mut().roll_back();
                self.grants = grants;
                self.codes.forget_after(last_code_id);
                TxResult::failed(error, wanted, used, events)
            }
        }
    }

    /// Runs a transaction on the present state and takes everything back.
    ///
    /// # Errors
    /// The refusal or the failure that the transaction would meet.
    pub(crate) fn simulate(&mut self, tx: &Tx, ante: &Ante<'_>) -> Result<Effects, TxError> {
        ante.verify(tx, self.standing(&tx.signer).as_ref(), self.sponsor_of(tx).as_ref())?;
        let grants = self.grants.clone();
        self.app.storage_mut().begin();
        self.is_trial = true;
        let outcome = self.run_all(tx);
        self.is_trial = false;
        self.app.storage_mut().roll_back();
        self.grants = grants;
        outcome
    }

    fn pay(&mut self, tx: &Tx) -> Result<(), TxError> {
        if tx.fee.is_empty() {
            return Ok(());
        }
        let (from, to) = (Addr::unchecked(tx.payer()), Addr::unchecked(&self.collector));
        self.app.send_tokens(from, to, &tx.fee).map(|_| ()).map_err(TxError::funds)
    }

    fn open_accounts(&mut self, events: &[Event]) {
        for event in events {
            match event.ty.as_str() {
                "transfer" => self.ledger.open(events::value(event, "recipient")),
                "set_feegrant" => self.ledger.open(events::value(event, "grantee")),
                "instantiate" => self.ledger.open(events::value(event, "_contract_address")),
                _ => {}
            }
        }
    }

    fn run_all(&mut self, tx: &Tx) -> Result<Effects, TxError> {
        let mut effects = Effects { events: Vec::new(), answers: Vec::with_capacity(tx.messages.len()) };
        for (index, message) in tx.messages.iter().enumerate() {
            let (own, answer) = self.run(message).map_err(|error| TxError {
                log: format!("failed to execute message; message index: {index}: {}", error.log),
                ..error
            })?;
            let sdk = events::message(message.type_url(), message.signer(), message.module());
            let mut all = vec![sdk];
            all.extend(own);
            effects.events.extend(events::index(all, index));
            effects.answers.push(answer.to_any());
        }
        Ok(effects)
    }

    fn run(&mut self, message: &Message) -> Result<(Vec<Event>, Answer), TxError> {
        match message {
            Message::Execute { sender, contract, msg, funds } => {
                self.run_execute(sender, contract, msg, funds)
            }
            Message::Instantiate { sender, admin, code_id, label, msg, funds, salt } => {
                if let Some(admin) = admin {
                    self.address(admin)?;
                }
                let (admin, code_id, label) = (admin.clone(), *code_id, label.clone());
                if self.codes.find(code_id).is_none() {
                    return Err(TxError::wasm(28, format!("code id {code_id}"), "no such code"));
                }
                let (msg, funds) = (Binary::new(msg.clone()), funds.clone());
                let wasm = match salt {
                    None => WasmMsg::Instantiate { admin, code_id, msg, funds, label },
                    Some(salt) => {
                        let salt = Binary::new(salt.clone());
                        WasmMsg::Instantiate2 { admin, code_id, msg, funds, label, salt }
                    }
                };
                self.run_instantiate(sender, wasm)
            }
            Message::StoreCode { sender, code } => self.run_store_code(sender, code),
            Message::Send { sender, recipient, amount } => self.run_send(sender, recipient, amount),
            Message::Grant { granter, grantee, allowance } => {
                self.address(grantee)?;
                let now_nanos = self.app.block_info().time.nanos();
                self.grants.add(granter, grantee, allowance.clone(), now_nanos)?;
                Ok((vec![events::grant("set_feegrant", granter, grantee)], Answer::Grant))
            }
            Message::Revoke { granter, grantee } => {
                self.grants.remove(granter, grantee)?;
                Ok((vec![events::grant("revoke_feegrant", granter, grantee)], Answer::Revoke))
            }
        }
    }

    fn run_execute(
        &mut self,
        sender: &str,
        contract: &str,
        msg: &[u8],
        funds: &[Coin],
    ) -> Result<(Vec<Event>, Answer), TxError> {
        const FAILED: &str = "execute wasm contract failed";
        self.address(contract)?;
        if self.contract(contract).is_none() {
            let detail = format!("address {contract}");
            return Err(TxError::wasm(22, detail, "no such contract"));
        }
        affordable(&self.balance(sender), funds)?;
        let wasm = WasmMsg::Execute {
            contract_addr: contract.to_owned(),
            msg: Binary::new(msg.to_vec()),
            funds: funds.to_vec(),
        };
        let response = self.call(sender, wasm.into()).map_err(|log| TxError::wasm(5, log, FAILED))?;
        let data = response
            .data
            .and_then(|data| MsgExecuteContractResponse::decode(data.as_slice()).ok())
            .unwrap_or_default()
            .data;
        let mut own = events::as_wasmd(response.events).map_err(|log| TxError::wasm(5, log, FAILED))?;
        events::sort_calls(&mut own, contract);
        let events = with_funds(sender, contract, funds, own);
        Ok((events, Answer::Execute { data }))
    }

    fn run_instantiate(&mut self, sender: &str, wasm: WasmMsg) -> Result<(Vec<Event>, Answer), TxError> {
        const FAILED: &str = "instantiate wasm contract failed";
        let is_predictable = matches!(wasm, WasmMsg::Instantiate2 { .. });
        let funds = match &wasm {
            WasmMsg::Instantiate { funds, .. } | WasmMsg::Instantiate2 { funds, .. } => funds.clone(),
            _ => Vec::new(),
        };
        affordable(&self.balance(sender), &funds)?;
        let response = self.call(sender, wasm.into()).map_err(|log| TxError::wasm(4, log, FAILED))?;
        let MsgInstantiateContractResponse { address, data } = response
            .data
            .and_then(|data| MsgInstantiateContractResponse::decode(data.as_slice()).ok())
            .unwrap_or_default();
        let mut own = events::as_wasmd(response.events).map_err(|log| TxError::wasm(4, log, FAILED))?;
        events::sort_calls(&mut own, &address);
        let events = with_funds(sender, &address, &funds, own);
        Ok((events, Answer::Instantiate { address, data, is_predictable }))
    }

    fn run_store_code(&mut self, sender: &str, code: &[u8]) -> Result<(Vec<Event>, Answer), TxError> {
        let checksum: Hash = Sha256::digest(unpack_wasm(code)?).into();
        let mut code_id = self.codes.next_id()?;
        // cw-multi-test takes no code back, so an estimate only says what would be.
        if !self.is_trial {
            let creator = self.address(sender)?;
            code_id = self.keep_code(creator, checksum);
            tracing::warn!(code_id, "{NO_WASM_VM}");
        }
        let event = Event::new("store_code")
            .add_attribute("code_checksum", hex::encode(checksum))
            .add_attribute("code_id", code_id.to_string())
            .add_attribute("devnet", NO_WASM_VM);
        let answer = Answer::StoreCode { code_id, checksum: checksum.to_vec() };
        Ok((vec![event], answer))
    }

    /// Keeps the built-in contract once more, as a code of this checksum.
    fn keep_code(&mut self, creator: Addr, checksum: Hash) -> u64 {
        self.codes.announce(checksum);
        let code = Code { creator: creator.to_string(), checksum };
        let code_id = self.app.store_code_with_creator(creator, (self.contract)());
        self.codes.note(code_id, code);
        code_id
    }

    fn run_send(
        &mut self,
        sender: &str,
        recipient: &str,
        amount: &[Coin],
    ) -> Result<(Vec<Event>, Answer), TxError> {
        self.address(recipient)?;
        if amount.is_empty() {
            return Err(TxError::sdk(10, "", "invalid coins"));
        }
        affordable(&self.balance(sender), amount)?;
        let send = BankMsg::Send { to_address: recipient.to_owned(), amount: amount.to_vec() };
        let response = self.call(sender, send.into()).map_err(TxError::request)?;
        Ok((events::complete_transfers(response.events), Answer::Send))
    }

    /// Runs one message. cw-multi-test panics where it knows no answer and a contract may panic
    /// too: both are the message's failure, and the caller takes its writes back.
    fn call(&mut self, sender: &str, message: CosmosMsg) -> Result<AppResponse, String> {
        let sender = self.address(sender).map_err(|error| error.log)?;
        catch_unwind(AssertUnwindSafe(|| self.app.execute(sender, message)))
            .unwrap_or_else(
                |_| { Err(cosmwasm_std::StdError::msg("Aborted: panicked")) } as StdResult<AppResponse>
            )
            .map_err(|error| contract_error(&error.to_string()))
    }
}

fn genesis(error: TxError) -> DevnetError {
    DevnetError::Genesis { reason: error.log }
}

/// cw-multi-test keeps no event of the funds that go with a call, the chain shows them first.
fn with_funds(sender: &str, contract: &str, funds: &[Coin], own: Vec<Event>) -> Vec<Event> {
    let mut all = Vec::with_capacity(own.len() + 4);
    if !funds.is_empty() {
        all.extend(events::transfer(sender, contract, &events::coins_text(funds)));
    }
    all.extend(events::complete_transfers(own));
    all
}

/// The contract's own words: cw-multi-test puts the kind of the error and, per call, three lines
/// with the sender and the message in front of them.
pub(crate) fn contract_error(text: &str) -> String {
    let mut rest = text;
    loop {
        let Some((_, inner)) = rest.split_once(", error: ").filter(|_| rest.starts_with("kind: ")) else {
            return rest.to_owned();
        };
        rest = inner;
        if rest.starts_with("Error executing WasmMsg:\n") {
            rest = rest.splitn(4, '\n').nth(3).unwrap_or(rest);
        } else {
            return rest.to_owned();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_contract_are_found() {
        let call = "kind: Other, error: Error executing WasmMsg:\n  sender: a\n  Execute {..}\n";
        let cases = [
            (format!("{call}kind: Other, error: own words"), "own words"),
            (format!("{call}{call}kind: Other, error: own words"), "own words"),
            (format!("{call}kind: Other, error: two\nlines"), "two\nlines"),
            (format!("{call}kind: Other, error: kind: Other, error: own"), "kind: Other, error: own"),
            ("plain".to_owned(), "plain"),
        ];
        for (text, expected) in cases {
            assert_eq!(contract_error(&text), expected, "{text}");
        }
    }
}
