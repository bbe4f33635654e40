//! ABCI queries that need the state machine: the SDK's gRPC services behind `abci_query`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cosmrs::proto::cosmos::auth::v1beta1::{BaseAccount, QueryAccountRequest, QueryAccountResponse};
use cosmrs::proto::cosmos::bank::v1beta1::{
    QueryAllBalancesRequest, QueryAllBalancesResponse, QueryBalanceRequest, QueryBalanceResponse,
};
use cosmrs::proto::cosmos::base::abci::v1beta1::{GasInfo, Result as ExecutionResult};
use cosmrs::proto::cosmos::base::v1beta1::Coin as ProtoCoin;
use cosmrs::proto::cosmos::feegrant::v1beta1::{QueryAllowanceRequest, QueryAllowanceResponse};
use cosmrs::proto::cosmos::tx::v1beta1::{SimulateRequest, SimulateResponse};
use cosmrs::proto::cosmwasm::wasm::v1::{
    AbsoluteTxPosition, AccessConfig, CodeInfoResponse, ContractInfo, QueryCodeRequest, QueryCodeResponse,
    QueryCodesResponse, QueryContractInfoRequest, QueryContractInfoResponse, QuerySmartContractStateRequest,
    QuerySmartContractStateResponse,
};
use cosmrs::proto::tendermint::abci::{Event as ProtoEvent, EventAttribute};
use cosmwasm_std::{
    Binary, Coin, ContractResult, Empty, Event, Querier as _, QueryRequest, SystemResult, WasmQuery,
    to_json_vec,
};
use prost::Message as _;

use crate::ante::{Ante, TxError, amount_of, decode};
use crate::codes::Code;
use crate::machine::{Effects, GAS_USED, Machine, contract_error};

/// `AccessType` of a code that everybody may instantiate.
const ACCESS_EVERYBODY: i32 = 3;

/// A query that was refused, as the gRPC router behind ABCI reports it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct QueryError {
    pub(crate) code: u32,
    pub(crate) log: String,
}

impl QueryError {
    /// gRPC `NotFound`: code 22.
    pub(crate) fn not_found(detail: impl std::fmt::Display) -> Self {
        Self { code: 22, log: format!("rpc error: code = NotFound desc = {detail}: key not found") }
    }

    /// gRPC `InvalidArgument`: code 18.
    pub(crate) fn invalid(detail: impl std::fmt::Display) -> Self {
        Self { code: 18, log: format!("rpc error: code = InvalidArgument desc = {detail}: invalid request") }
    }

    /// gRPC `Unknown`: code 6, which is what most handlers come to.
    pub(crate) fn unknown(detail: impl std::fmt::Display) -> Self {
        Self { code: 6, log: format!("rpc error: code = Unknown desc = {detail}: unknown request") }
    }
}

impl From<prost::DecodeError> for QueryError {
    fn from(error: prost::DecodeError) -> Self {
        Self::invalid(error)
    }
}

impl Machine {
    /// Answers a query at the latest height with the protobuf response.
    ///
    /// # Errors
    /// [`QueryError`] with the code and text of the SDK.
    pub(crate) fn query(&mut self, path: &str, data: &[u8], ante: &Ante<'_>) -> Result<Vec<u8>, QueryError> {
        match path {
            "/cosmos.auth.v1beta1.Query/Account" => self.query_account(data),
            "/cosmos.bank.v1beta1.Query/Balance" => self.query_balance(data),
            "/cosmos.bank.v1beta1.Query/AllBalances" => self.query_balances(data),
            "/cosmos.tx.v1beta1.Service/Simulate" => self.query_simulate(data, ante),
            "/cosmos.feegrant.v1beta1.Query/Allowance" => self.query_allowance(data),
            "/cosmwasm.wasm.v1.Query/SmartContractState" => self.query_smart(data),
            "/cosmwasm.wasm.v1.Query/ContractInfo" => self.query_contract(data),
            "/cosmwasm.wasm.v1.Query/Code" => self.query_code(data),
            "/cosmwasm.wasm.v1.Query/Codes" => {
                let code_infos = self.codes.all().map(code_info).collect();
                Ok(QueryCodesResponse { code_infos, pagination: None }.encode_to_vec())
            }
            _ => Err(QueryError { code: 6, log: format!("unknown query path: {path}: unknown request") }),
        }
    }

    fn query_account(&self, data: &[u8]) -> Result<Vec<u8>, QueryError> {
        let QueryAccountRequest { address } = QueryAccountRequest::decode(data)?;
        let account = self
            .ledger
            .account(&address)
            .ok_or_else(|| QueryError::not_found(format!("account {address} not found")))?;
        let base = BaseAccount {
            address,
            pub_key: account.public_key.and_then(|key| key.to_any().ok()),
            account_number: account.number,
            sequence: account.sequence,
        };
        let account = cosmrs::Any {
            type_url: "/cosmos.auth.v1beta1.BaseAccount".to_owned(),
            value: base.encode_to_vec(),
        };
        let response = QueryAccountResponse { account: Some(account) };
        Ok(response.encode_to_vec())
    }

    fn query_balance(&self, data: &[u8]) -> Result<Vec<u8>, QueryError> {
        let QueryBalanceRequest { address, denom } = QueryBalanceRequest::decode(data)?;
        let address = self.checked(&address)?;
        let amount = amount_of(&self.balance(&address), &denom).to_string();
        let balance = Some(ProtoCoin { denom, amount });
        Ok(QueryBalanceResponse { balance }.encode_to_vec())
    }

    fn query_balances(&self, data: &[u8]) -> Result<Vec<u8>, QueryError> {
        let request = QueryAllBalancesRequest::decode(data)?;
        let address = self.checked(&request.address)?;
        let response = QueryAllBalancesResponse {
            balances: self.balance(&address).iter().map(proto_coin).collect(),
            pagination: None,
        };
        Ok(response.encode_to_vec())
    }

    fn query_allowance(&self, data: &[u8]) -> Result<Vec<u8>, QueryError> {
        let QueryAllowanceRequest { granter, grantee } = QueryAllowanceRequest::decode(data)?;
        let (granter, grantee) = (self.checked(&granter)?, self.checked(&grantee)?);
        let grant = self.grants.show(&granter, &grantee).map_err(|error| QueryError {
            code: 6,
            log: format!("rpc error: code = Internal desc = {}: unknown request", error.log),
        })?;
        Ok(QueryAllowanceResponse { allowance: Some(grant) }.encode_to_vec())
    }

    fn checked(&self, address: &str) -> Result<String, QueryError> {
        self.address(address).map(String::from).map_err(|error| QueryError::invalid(error.log))
    }

    fn query_simulate(&mut self, data: &[u8], ante: &Ante<'_>) -> Result<Vec<u8>, QueryError> {
        #[expect(deprecated, reason = "old clients send the transaction in the field `tx`")]
        let SimulateRequest { tx, tx_bytes } = SimulateRequest::decode(data)?;
        let bytes = match tx {
            Some(tx) if tx_bytes.is_empty() => tx.encode_to_vec(),
            _ => tx_bytes,
        };
        let refuse =
            |error: TxError| QueryError::unknown(format!("{} with gas used: '{GAS_USED}'", error.log));
        let tx = decode(bytes).map_err(refuse)?;
        let effects = self.simulate(&tx, ante).map_err(refuse)?;
        Ok(simulated(tx.gas_limit, effects).encode_to_vec())
    }

    fn query_smart(&self, data: &[u8]) -> Result<Vec<u8>, QueryError> {
        let request = QuerySmartContractStateRequest::decode(data)?;
        self.existing(&request.address)?;
        let smart: QueryRequest<Empty> = QueryRequest::Wasm(WasmQuery::Smart {
            contract_addr: request.address,
            msg: Binary::new(request.query_data),
        });
        let smart = to_json_vec(&smart).map_err(QueryError::unknown)?;
        // A contract may panic; the query only reads, so nothing is left behind.
        let answer = catch_unwind(AssertUnwindSafe(|| self.app.raw_query(&smart)));
        let failed = |error: String| {
            QueryError::unknown(format!("{}: query wasm contract failed", contract_error(&error)))
        };
        let data = match answer {
            Ok(SystemResult::Ok(ContractResult::Ok(data))) => data.to_vec(),
            Ok(SystemResult::Ok(ContractResult::Err(error))) => return Err(failed(error)),
            Ok(SystemResult::Err(error)) => return Err(failed(error.to_string())),
            Err(_) => return Err(failed("Aborted: panicked".to_owned())),
        };
        Ok(QuerySmartContractStateResponse { data }.encode_to_vec())
    }

    fn existing(&self, address: &str) -> Result<cw_multi_test::ContractData, QueryError> {
        self.checked(address)?;
        self.contract(address)
            .ok_or_else(|| QueryError::unknown(format!("address {address}: no such contract")))
    }

    fn query_contract(&self, data: &[u8]) -> Result<Vec<u8>, QueryError> {
        let QueryContractInfoRequest { address } = QueryContractInfoRequest::decode(data)?;
        let found = self.existing(&address)?;
        let info = ContractInfo {
            code_id: found.code_id,
            creator: found.creator.into_string(),
            admin: found.admin.map(String::from).unwrap_or_default(),
            label: found.label,
            created: Some(AbsoluteTxPosition { block_height: found.created, tx_index: 0 }),
            ..ContractInfo::default()
        };
        let response = QueryContractInfoResponse { address, contract_info: Some(info) };
        Ok(response.encode_to_vec())
    }

    fn query_code(&self, data: &[u8]) -> Result<Vec<u8>, QueryError> {
        let QueryCodeRequest { code_id } = QueryCodeRequest::decode(data)?;
        let Some(code) = self.codes.find(code_id) else {
            return Err(QueryError {
                code: 6,
                log: format!("code id {code_id}: no such code: unknown request"),
            });
        };
        let response = QueryCodeResponse { code_info: Some(code_info((code_id, code))), data: Vec::new() };
        Ok(response.encode_to_vec())
    }
}

fn code_info((code_id, code): (u64, &Code)) -> CodeInfoResponse {
    CodeInfoResponse {
        code_id,
        creator: code.creator.clone(),
        data_hash: code.checksum.to_vec(),
        instantiate_permission: Some(AccessConfig {
            permission: ACCESS_EVERYBODY,
            ..AccessConfig::default()
        }),
    }
}

/// A coin in protobuf.
pub(crate) fn proto_coin(coin: &Coin) -> ProtoCoin {
    ProtoCoin { denom: coin.denom.clone(), amount: coin.amount.to_string() }
}

fn simulated(gas_wanted: u64, effects: Effects) -> SimulateResponse {
    #[expect(deprecated, reason = "the generated type has no other way to be built")]
    let result = ExecutionResult {
        data: effects.data(),
        log: String::new(),
        events: effects.events.iter().map(proto_event).collect(),
        msg_responses: effects.answers,
    };
    SimulateResponse { gas_info: Some(GasInfo { gas_wanted, gas_used: GAS_USED }), result: Some(result) }
}

/// An event in protobuf.
pub(crate) fn proto_event(event: &Event) -> ProtoEvent {
    ProtoEvent {
        r#type: event.ty.clone(),
        attributes: event
            .attributes
            .iter()
            .map(|attribute| EventAttribute {
                key: attribute.key.clone(),
                value: attribute.value.clone(),
                index: true,
            })
            .collect(),
    }
}
