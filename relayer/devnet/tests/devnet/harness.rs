//! A devnet with a small contract, a client of its RPC and a signer.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use concord_devnet::{Devnet, DevnetConfig, GenesisAccount, GenesisCoin, Instantiate};
use cosmrs::crypto::secp256k1::SigningKey;
use cosmrs::proto::cosmos::auth::v1beta1::{BaseAccount, QueryAccountRequest, QueryAccountResponse};
use cosmrs::proto::cosmwasm::wasm::v1::{QuerySmartContractStateRequest, QuerySmartContractStateResponse};
use cosmrs::tx::{Body, Fee, SignDoc, SignerInfo};
use cosmrs::{Any, Coin as CosmosCoin};
use cosmwasm_std::{
    BankMsg, Binary, Coin, Deps, DepsMut, Empty, Env, Event, MessageInfo, Response, StdError, StdResult,
    to_json_binary,
};
use cw_multi_test::{Contract, ContractWrapper};
use prost::Message as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(crate) const CHAIN_ID: &str = "devnet-test-1";
pub(crate) const DENOM: &str = "ucosm";
pub(crate) const GAS: u64 = 300_000;
/// 300,000 gas at 25 thousandths.
pub(crate) const FEE: u128 = 7_500;
pub(crate) const FUNDS: u128 = 1_000_000;

#[derive(Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ExecuteMsg {
    Store { key: String, value: String },
    Remove { key: String },
    Emit {},
    Data {},
    Fail {},
    Panic {},
    Pay { to: String, amount: u128 },
}

#[derive(Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub(crate) enum QueryMsg {
    Get { key: String },
    Clock {},
    Panic {},
}

fn instantiate(deps: DepsMut, _: Env, _: MessageInfo, msg: Value) -> StdResult<Response> {
    if msg.get("refuse").is_some() {
        return Err(StdError::msg("refused to be born"));
    }
    deps.storage.set(b"born", b"yes");
    Ok(Response::new().add_attribute("action", "born"))
}

fn execute(deps: DepsMut, _: Env, _: MessageInfo, msg: ExecuteMsg) -> StdResult<Response> {
    match msg {
        ExecuteMsg::Store { key, value } => {
            deps.storage.set(key.as_bytes(), value.as_bytes());
            Ok(Response::new())
        }
        ExecuteMsg::Remove { key } => {
            deps.storage.remove(key.as_bytes());
            Ok(Response::new())
        }
        ExecuteMsg::Emit {} => Ok(Response::new()
            .add_attribute("plain", "1")
            .add_event(Event::new("custom").add_attribute("k", "v"))),
        ExecuteMsg::Data {} => Ok(Response::new().set_data(b"data")),
        ExecuteMsg::Fail {} => {
            deps.storage.set(b"failed", b"yes");
            Err(StdError::msg("failed on purpose"))
        }
        ExecuteMsg::Panic {} => panic!("panicked on purpose"),
        ExecuteMsg::Pay { to, amount } => Ok(Response::new()
            .add_message(BankMsg::Send { to_address: to, amount: vec![Coin::new(amount, DENOM)] })),
    }
}

fn query(deps: Deps, env: Env, msg: QueryMsg) -> StdResult<Binary> {
    match msg {
        QueryMsg::Get { key } => {
            let value = deps.storage.get(key.as_bytes()).unwrap_or_default();
            to_json_binary(&String::from_utf8(value).unwrap())
        }
        QueryMsg::Clock {} => to_json_binary(&(env.block.height, env.block.time.nanos())),
        QueryMsg::Panic {} => panic!("panicked on purpose"),
    }
}

fn contract() -> Box<dyn Contract<Empty>> {
    Box::new(ContractWrapper::new(execute, instantiate, query))
}

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 32]).unwrap()
}

pub(crate) fn address(key: &SigningKey) -> String {
    key.public_key().account_id("wasm").unwrap().to_string()
}

pub(crate) fn config() -> DevnetConfig {
    let accounts = [1, 2]
        .map(|seed| GenesisAccount {
            address: address(&key(seed)),
            coins: vec![GenesisCoin { denom: DENOM.to_owned(), amount: FUNDS }],
        })
        .to_vec();
    DevnetConfig {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        chain_id: CHAIN_ID.to_owned(),
        block_time: Duration::from_millis(20),
        genesis_time_seconds: Some(1_700_000_000),
        bech32_prefix: "wasm".to_owned(),
        accounts,
        contract,
        instantiate: Instantiate {
            sender: address(&key(1)),
            msg: json!({}),
            label: "test".to_owned(),
            admin: None,
        },
        fee_denom: DENOM.to_owned(),
        gas_price_min_milli: 25,
    }
}

/// A devnet and a client of it.
pub(crate) struct Net {
    pub(crate) devnet: Devnet,
    pub(crate) http: reqwest::Client,
    pub(crate) url: String,
    pub(crate) contract: String,
}

/// The answer of one transaction that was put into a block.
pub(crate) type TxAnswer = Value;

impl Net {
    pub(crate) async fn start() -> Self {
        Self::start_with(config()).await
    }

    /// A devnet whose blocks come by `advance` and transactions never by a tick.
    pub(crate) async fn start_slow() -> Self {
        let mut config = config();
        config.block_time = Duration::from_secs(3_600);
        Self::start_with(config).await
    }

    pub(crate) async fn start_with(config: DevnetConfig) -> Self {
        let devnet = concord_devnet::start(config).await.unwrap();
        let url = format!("http://{}", devnet.rpc_address());
        let contract = devnet.contract_address().to_owned();
        Self { devnet, http: reqwest::Client::new(), url, contract }
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let response = self
            .http
            .post(format!("{}{path}", self.url))
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let response = self.http.get(format!("{}{path}", self.url)).send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
    }

    /// The whole envelope of a call.
    pub(crate) async fn envelope(&self, method: &str, params: Value) -> Value {
        let body = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
        let (status, answer) = self.post("/", body).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["id"], 7);
        answer
    }

    pub(crate) async fn call(&self, method: &str, params: Value) -> Value {
        let answer = self.envelope(method, params).await;
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    pub(crate) async fn error(&self, method: &str, params: Value) -> String {
        let answer = self.envelope(method, params).await;
        answer["error"]["data"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    pub(crate) async fn height(&self) -> u64 {
        number(&self.call("status", json!({})).await["sync_info"]["latest_block_height"])
    }

    pub(crate) async fn advance(&self, blocks: u64, seconds: u64) -> u64 {
        let (status, answer) =
            self.post("/control/advance", json!({"blocks": blocks, "seconds": seconds})).await;
        assert_eq!(status, 200, "{answer}");
        answer["height"].as_u64().unwrap()
    }

    pub(crate) async fn abci(&self, path: &str, data: &[u8], height: u64) -> Value {
        let params = json!({
            "path": path, "data": hex::encode(data), "height": height.to_string(), "prove": false,
        });
        self.call("abci_query", params).await["response"].clone()
    }

    /// The protobuf answer of a query.
    pub(crate) async fn grpc<T: prost::Message + Default>(
        &self,
        path: &str,
        request: impl prost::Message,
    ) -> T {
        let answer = self.abci(path, &request.encode_to_vec(), 0).await;
        assert_eq!(answer["code"], 0, "{answer}");
        decode(&answer["value"])
    }

    pub(crate) fn raw_key(&self, key: &str) -> Vec<u8> {
        let contract: cosmrs::AccountId = self.contract.parse().unwrap();
        let mut data = vec![0x03];
        data.extend(contract.to_bytes());
        data.extend(key.as_bytes());
        data
    }

    /// The value of a contract key after a height.
    pub(crate) async fn raw(&self, key: &str, height: u64) -> Option<String> {
        let answer = self.abci("/store/wasm/key", &self.raw_key(key), height).await;
        assert_eq!(answer["code"], 0, "{answer}");
        let value = answer["value"].as_str()?;
        Some(String::from_utf8(STANDARD.decode(value).unwrap()).unwrap())
    }

    /// What the contract itself reads under a key now, empty when it is absent.
    pub(crate) async fn smart_get(&self, key: &str) -> String {
        let msg = QueryMsg::Get { key: key.to_owned() };
        let request = QuerySmartContractStateRequest {
            address: self.contract.clone(),
            query_data: serde_json::to_vec(&msg).unwrap(),
        };
        let path = "/cosmwasm.wasm.v1.Query/SmartContractState";
        let answer: QuerySmartContractStateResponse = self.grpc(path, request).await;
        serde_json::from_slice(&answer.data).unwrap()
    }

    pub(crate) async fn account(&self, address: &str) -> BaseAccount {
        let request = QueryAccountRequest { address: address.to_owned() };
        let answer: QueryAccountResponse = self.grpc("/cosmos.auth.v1beta1.Query/Account", request).await;
        BaseAccount::decode(answer.account.unwrap().value.as_slice()).unwrap()
    }

    pub(crate) async fn balance(&self, address: &str) -> u128 {
        use cosmrs::proto::cosmos::bank::v1beta1::{QueryBalanceRequest, QueryBalanceResponse};
        let request = QueryBalanceRequest { address: address.to_owned(), denom: DENOM.to_owned() };
        let answer: QueryBalanceResponse = self.grpc("/cosmos.bank.v1beta1.Query/Balance", request).await;
        answer.balance.unwrap().amount.parse().unwrap()
    }

    pub(crate) fn execute(&self, key: &SigningKey, msg: &ExecuteMsg) -> Any {
        use cosmrs::tx::Msg as _;
        cosmrs::cosmwasm::MsgExecuteContract {
            sender: address(key).parse().unwrap(),
            contract: self.contract.parse().unwrap(),
            msg: serde_json::to_vec(msg).unwrap(),
            funds: vec![],
        }
        .to_any()
        .unwrap()
    }

    /// Signs with the account as it stands now.
    pub(crate) async fn sign(&self, key: &SigningKey, messages: Vec<Any>) -> Vec<u8> {
        let account = self.account(&address(key)).await;
        Signing::new(messages).account(account.account_number, account.sequence).sign(key)
    }

    pub(crate) async fn broadcast(&self, bytes: &[u8]) -> Value {
        self.call("broadcast_tx_sync", json!({"tx": STANDARD.encode(bytes)})).await
    }

    /// Broadcasts and waits for the block.
    pub(crate) async fn deliver(&self, bytes: &[u8]) -> TxAnswer {
        let checked = self.broadcast(bytes).await;
        assert_eq!(checked["code"], 0, "{checked}");
        self.find(checked["hash"].as_str().unwrap()).await
    }

    pub(crate) async fn find(&self, hash: &str) -> TxAnswer {
        let query = format!("tx.hash='{hash}'");
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let found = self.call("tx_search", json!({"query": query, "page": "1"})).await;
            if found["total_count"] == "1" {
                return found["txs"][0].clone();
            }
            assert!(Instant::now() < deadline, "no block took {hash}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn run(&self, key: &SigningKey, messages: &[ExecuteMsg]) -> TxAnswer {
        let messages = messages.iter().map(|msg| self.execute(key, msg)).collect();
        let bytes = self.sign(key, messages).await;
        self.deliver(&bytes).await
    }
}

pub(crate) fn number(value: &Value) -> u64 {
    value.as_str().unwrap_or_else(|| panic!("{value}")).parse().unwrap()
}

pub(crate) fn decode<T: prost::Message + Default>(value: &Value) -> T {
    let bytes = STANDARD.decode(value.as_str().unwrap_or_default()).unwrap();
    T::decode(bytes.as_slice()).unwrap()
}

/// A transaction to be signed; every part can be wrong.
pub(crate) struct Signing {
    messages: Vec<Any>,
    pub(crate) chain_id: String,
    pub(crate) number: u64,
    pub(crate) sequence: u64,
    pub(crate) fee: u128,
    pub(crate) denom: String,
    pub(crate) gas: u64,
    pub(crate) memo: String,
    pub(crate) timeout_height: u32,
    pub(crate) granter: Option<String>,
}

impl Signing {
    pub(crate) fn new(messages: Vec<Any>) -> Self {
        Self {
            messages,
            chain_id: CHAIN_ID.to_owned(),
            number: 0,
            sequence: 0,
            fee: FEE,
            denom: DENOM.to_owned(),
            gas: GAS,
            memo: String::new(),
            timeout_height: 0,
            granter: None,
        }
    }

    pub(crate) fn account(mut self, number: u64, sequence: u64) -> Self {
        (self.number, self.sequence) = (number, sequence);
        self
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(crate) fn sign(self, key: &SigningKey) -> Vec<u8> {
        let body = Body::new(self.messages, self.memo, self.timeout_height);
        let amount = CosmosCoin { denom: self.denom.parse().unwrap(), amount: self.fee };
        let mut fee = Fee::from_amount_and_gas(amount, self.gas);
        if self.fee == 0 {
            fee.amount.clear();
        }
        fee.granter = self.granter.map(|granter| granter.parse().unwrap());
        let auth = SignerInfo::single_direct(Some(key.public_key()), self.sequence).auth_info(fee);
        let chain_id = self.chain_id.parse().unwrap();
        SignDoc::new(&body, &auth, &chain_id, self.number).unwrap().sign(key).unwrap().to_bytes().unwrap()
    }
}
