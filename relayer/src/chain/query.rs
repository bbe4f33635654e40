//! Reads of application state through `abci_query`.

use cosmrs::proto::cosmos::auth::v1beta1::{BaseAccount, QueryAccountRequest, QueryAccountResponse};
use cosmrs::proto::cosmos::bank::v1beta1::{QueryBalanceRequest, QueryBalanceResponse};
use cosmrs::proto::cosmos::tx::v1beta1::{SimulateRequest, SimulateResponse};
use cosmrs::proto::cosmwasm::wasm::v1::{QuerySmartContractStateRequest, QuerySmartContractStateResponse};
use prost::Message;
use serde_json::{Value, json};

use super::answer::{AbciAnswer, AbciQuery, Account, Misfit, open};
use super::error::{Refused, RpcError};
use super::rpc::{Call, Rpc};
use super::{Address, At};

/// Where x/wasm keeps a contract's own keys (its `ContractStorePrefix`).
const CONTRACT_STORE: u8 = 0x03;

impl Rpc {
    /// `abci_query` as it is: path, request bytes, height. Public for callers that know another path.
    ///
    /// # Errors
    /// [`RpcError`], by cause; a code other than 0 is [`RpcError::Query`] unless it says that the state is missing.
    pub async fn abci_query(&self, path: &str, data: &[u8], at: At) -> Result<Vec<u8>, RpcError> {
        self.read_at(path, data, at).await.map(|(value, _)| value)
    }

    /// A query's answer and the height of the state it is about.
    async fn read_at(&self, path: &str, data: &[u8], at: At) -> Result<(Vec<u8>, u64), RpcError> {
        let height = match at {
            At::Latest => 0,
            At::Height(height) => height,
        };
        let params =
            json!({"path": path, "data": hex::encode(data), "height": height.to_string(), "prove": false});
        let call = Call::new("abci_query", params, "a query's answer", height);
        // Judged inside the call, so that a node without this state is not the last one asked.
        let read = |body: &[u8]| {
            judge(open::<AbciQuery>(body)?.response, height).map_err(|error| Misfit::Named(Box::new(error)))
        };
        self.call(&call, &read).await
    }

    pub(crate) async fn raw_state(
        &self,
        contract: &Address,
        key: &[u8],
        height: u64,
    ) -> Result<Option<Vec<u8>>, RpcError> {
        let mut full = Vec::with_capacity(1 + contract.bytes().len() + key.len());
        full.push(CONTRACT_STORE);
        full.extend_from_slice(contract.bytes());
        full.extend_from_slice(key);
        let value = self.abci_query("/store/wasm/key", &full, At::Height(height)).await?;
        // A contract cannot store an empty value, so an empty one means that the key is absent.
        Ok(Some(value).filter(|value| !value.is_empty()))
    }

    pub(crate) async fn smart_state(
        &self,
        contract: &Address,
        query: &Value,
        at: At,
    ) -> Result<Vec<u8>, RpcError> {
        let request = QuerySmartContractStateRequest {
            address: contract.text().to_owned(),
            query_data: query.to_string().into_bytes(),
        };
        let answer: QuerySmartContractStateResponse = self
            .grpc("/cosmwasm.wasm.v1.Query/SmartContractState", &request, at, "a contract's answer")
            .await?;
        Ok(answer.data)
    }

    /// Number and sequence of an account in a committed state; `None` when the chain has never seen it.
    ///
    /// # Errors
    /// [`RpcError`], by cause; accounts other than plain ones are refused as undecodable.
    pub async fn account(&self, address: &Address, at: At) -> Result<Option<Account>, RpcError> {
        let request = QueryAccountRequest { address: address.text().to_owned() };
        let path = "/cosmos.auth.v1beta1.Query/Account";
        let read = self.grpc_at::<QueryAccountResponse>(path, &request, at, "an account").await;
        let (answer, height) = match read {
            Err(RpcError::Query { code: 22, .. }) => return Ok(None),
            Err(RpcError::Query { log, .. }) if log.contains("NotFound") => return Ok(None),
            other => other?,
        };
        let Some(any) = answer.account else { return Ok(None) };
        let odd = |found: String| RpcError::Decode {
            endpoint: "the chain".into(),
            expected: "a plain account",
            found,
        };
        if any.type_url != "/cosmos.auth.v1beta1.BaseAccount" {
            return Err(odd(any.type_url.chars().take(128).collect()));
        }
        let account = BaseAccount::decode(any.value.as_slice()).map_err(|error| odd(error.to_string()))?;
        Ok(Some(Account { number: account.account_number, sequence: account.sequence, height }))
    }

    /// An account's balance in the smallest unit of `denom`.
    ///
    /// # Errors
    /// [`RpcError`], by cause.
    pub async fn balance(&self, address: &Address, denom: &str, at: At) -> Result<u128, RpcError> {
        let request = QueryBalanceRequest { address: address.text().to_owned(), denom: denom.to_owned() };
        let path = "/cosmos.bank.v1beta1.Query/Balance";
        let answer: QueryBalanceResponse = self.grpc(path, &request, at, "a balance").await?;
        let Some(coin) = answer.balance else { return Ok(0) };
        coin.amount.parse().map_err(|_| RpcError::Decode {
            endpoint: "the chain".into(),
            expected: "an amount of coins",
            found: coin.amount.chars().take(64).collect(),
        })
    }

    /// The gas a transaction would use now, or why it would be refused.
    ///
    /// # Errors
    /// [`RpcError`] when the question itself could not be asked.
    pub async fn simulate(&self, tx: &[u8]) -> Result<Result<u64, Refused>, RpcError> {
        #[expect(deprecated, reason = "the struct still carries the field that tx_bytes replaced")]
        let request = SimulateRequest { tx: None, tx_bytes: tx.to_vec() };
        let path = "/cosmos.tx.v1beta1.Service/Simulate";
        match self.grpc::<SimulateResponse>(path, &request, At::Latest, "a simulation").await {
            Ok(answer) => Ok(Ok(answer.gas_info.map_or(0, |info| info.gas_used))),
            Err(RpcError::Query { codespace, code, log }) => Ok(Err(Refused { codespace, code, log })),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn grpc<R: Message + Default>(
        &self,
        path: &str,
        request: &impl Message,
        at: At,
        expected: &'static str,
    ) -> Result<R, RpcError> {
        self.grpc_at(path, request, at, expected).await.map(|(answer, _)| answer)
    }

    async fn grpc_at<R: Message + Default>(
        &self,
        path: &str,
        request: &impl Message,
        at: At,
        expected: &'static str,
    ) -> Result<(R, u64), RpcError> {
        let (bytes, height) = self.read_at(path, &request.encode_to_vec(), at).await?;
        let answer = R::decode(bytes.as_slice()).map_err(|error| RpcError::Decode {
            endpoint: "the chain".into(),
            expected,
            found: error.to_string(),
        })?;
        Ok((answer, height))
    }
}

/// Tells "there is no such state" and "no" from an answer. The store answers a height it does not hold with code 0,
/// no value and only a log line; read carelessly, that is an absent key.
fn judge(answer: AbciAnswer, height: u64) -> Result<(Vec<u8>, u64), RpcError> {
    let endpoint = "the chain".to_owned();
    let log = &answer.log;
    if log.contains("version does not exist")
        || log.contains("failed to load state at height")
        || log.contains("cannot query with height in the future")
    {
        return Err(RpcError::NoState { endpoint, height });
    }
    if answer.code != 0 || (answer.value.is_empty() && !log.is_empty()) {
        let log = log.chars().take(4096).collect();
        return Err(RpcError::Query { codespace: answer.codespace, code: answer.code, log });
    }
    if height != 0 && answer.height != height {
        let found = format!("one for height {}", answer.height);
        return Err(RpcError::Decode { endpoint, expected: "an answer for the height asked for", found });
    }
    Ok((answer.value, answer.height))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: u32, log: &str, value: &[u8], height: u64) -> AbciAnswer {
        AbciAnswer { code, codespace: "sdk".into(), log: log.into(), value: value.to_vec(), height }
    }

    #[test]
    fn a_missing_state_is_never_an_absent_key() {
        let no_state = |answer| matches!(judge(answer, 9), Err(RpcError::NoState { height: 9, .. }));
        assert!(no_state(answer(0, "version does not exist", b"", 9)));
        assert!(no_state(answer(18, "failed to load state at height 9; version does not exist", b"", 0)));
        assert!(no_state(answer(26, "cannot query with height in the future", b"", 0)));
        assert!(matches!(judge(answer(0, "odd", b"", 9), 9), Err(RpcError::Query { .. })));
        assert!(matches!(judge(answer(5, "no", b"x", 9), 9), Err(RpcError::Query { code: 5, .. })));
        assert_eq!(judge(answer(0, "", b"", 9), 9).unwrap().0, b"");
        assert_eq!(judge(answer(0, "a note", b"x", 9), 9).unwrap().0, b"x");
    }

    #[test]
    fn an_answer_for_another_height_is_refused() {
        assert!(matches!(judge(answer(0, "", b"x", 8), 9), Err(RpcError::Decode { .. })));
        assert!(judge(answer(0, "", b"x", 8), 0).is_ok());
    }
}
