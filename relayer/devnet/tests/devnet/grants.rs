//! Fee grants: who may spend whose coins for fees, how much and for what.

use cosmrs::Any;
use cosmrs::crypto::secp256k1::SigningKey;
use cosmrs::proto::Timestamp;
use cosmrs::proto::cosmos::base::v1beta1::Coin;
use cosmrs::proto::cosmos::feegrant::v1beta1::{
    AllowedMsgAllowance, BasicAllowance, MsgGrantAllowance, MsgRevokeAllowance, PeriodicAllowance,
    QueryAllowanceRequest, QueryAllowanceResponse,
};
use cosmrs::proto::cosmos::tx::v1beta1::SimulateRequest;
use cosmrs::proto::tendermint::google::protobuf::Duration;
use prost::Message as _;
use serde_json::Value;

use crate::harness::*;
use crate::transactions::{any, attributes, events, pairs, send, store};

const EXECUTE: &str = "/cosmwasm.wasm.v1.MsgExecuteContract";

/// `fees` fees an hour for contract calls, until `ends_seconds`.
fn grant(granter: &SigningKey, grantee: &SigningKey, fees: u128, ends_seconds: Option<i64>) -> Any {
    let limit = vec![Coin { denom: DENOM.to_owned(), amount: (fees * FEE).to_string() }];
    let expiration = ends_seconds.map(|seconds| Timestamp { seconds, nanos: 0 });
    let periodic = PeriodicAllowance {
        basic: Some(BasicAllowance { spend_limit: vec![], expiration }),
        period: Some(Duration { seconds: 3_600, nanos: 0 }),
        period_spend_limit: limit.clone(),
        period_can_spend: limit,
        period_reset: Some(Timestamp { seconds: 0, nanos: 0 }),
    };
    let allowed = AllowedMsgAllowance {
        allowance: Some(any("/cosmos.feegrant.v1beta1.PeriodicAllowance", periodic)),
        allowed_messages: vec![EXECUTE.to_owned()],
    };
    let message = MsgGrantAllowance {
        granter: address(granter),
        grantee: address(grantee),
        allowance: Some(any("/cosmos.feegrant.v1beta1.AllowedMsgAllowance", allowed)),
    };
    any("/cosmos.feegrant.v1beta1.MsgGrantAllowance", message)
}

fn revoke(granter: &SigningKey, grantee: &SigningKey) -> Any {
    let message = MsgRevokeAllowance { granter: address(granter), grantee: address(grantee) };
    any("/cosmos.feegrant.v1beta1.MsgRevokeAllowance", message)
}

/// A transaction of `hot` that `owner` pays for.
async fn paid_by(net: &Net, owner: &SigningKey, hot: &SigningKey, messages: Vec<Any>) -> Vec<u8> {
    let account = net.account(&address(hot)).await;
    let signing = Signing::new(messages).account(account.account_number, account.sequence);
    signing.with(|tx| tx.granter = Some(address(owner))).sign(hot)
}

async fn allowance(net: &Net, owner: &SigningKey, hot: &SigningKey) -> Option<PeriodicAllowance> {
    let request = QueryAllowanceRequest { granter: address(owner), grantee: address(hot) };
    let path = "/cosmos.feegrant.v1beta1.Query/Allowance";
    let answer = net.abci(path, &request.encode_to_vec(), 0).await;
    if answer["code"] == 6 {
        assert!(answer["log"].as_str().unwrap().contains("fee-grant not found: not found"), "{answer}");
        return None;
    }
    let answer: QueryAllowanceResponse = decode(&answer["value"]);
    let allowed = answer.allowance.unwrap().allowance.unwrap();
    let allowed = AllowedMsgAllowance::decode(allowed.value.as_slice()).unwrap();
    Some(PeriodicAllowance::decode(allowed.allowance.unwrap().value.as_slice()).unwrap())
}

fn refused(answer: &Value, codespace: &str, code: u32, log: &str) {
    assert_eq!(
        (answer["codespace"].as_str(), answer["code"].as_u64()),
        (Some(codespace), Some(code.into())),
        "{answer}"
    );
    assert!(answer["log"].as_str().unwrap().contains(log), "{answer}");
}

#[tokio::test]
async fn an_owner_pays_for_a_hot_key_without_coins_and_no_more_than_granted() {
    let net = Net::start().await;
    let (owner, hot) = (key(1), key(7));
    let bytes = net.sign(&owner, vec![grant(&owner, &hot, 2, None)]).await;
    let granted = net.deliver(&bytes).await;
    let both = pairs(&[("granter", &address(&owner)), ("grantee", &address(&hot))]);
    assert_eq!(attributes(&events(&granted, "set_feegrant")[0])[..2], both[..]);

    let bytes = paid_by(&net, &owner, &hot, vec![net.execute(&hot, &store("1"))]).await;
    let answer = net.deliver(&bytes).await;
    assert_eq!(answer["tx_result"]["code"], 0, "{answer}");
    assert_eq!(attributes(&events(&answer, "use_feegrant")[0]), both);
    let paid = attributes(&events(&answer, "tx")[0]);
    assert_eq!(paid[1], ("fee_payer".to_owned(), address(&owner)));
    // One fee for the grant itself, one for the call.
    assert_eq!(net.balance(&address(&owner)).await, FUNDS - 2 * FEE);
    assert_eq!(net.balance(&address(&hot)).await, 0);
    let left = allowance(&net, &owner, &hot).await.unwrap();
    assert_eq!(left.period_can_spend[0].amount, FEE.to_string());

    let bytes = paid_by(&net, &owner, &hot, vec![net.execute(&hot, &ExecuteMsg::Fail {})]).await;
    assert_eq!(net.deliver(&bytes).await["tx_result"]["code"], 5, "a failed call is paid for too");
    let bytes = paid_by(&net, &owner, &hot, vec![net.execute(&hot, &store("3"))]).await;
    refused(&net.broadcast(&bytes).await, "feegrant", 2, "period limit: fee limit exceeded");
    net.advance(1, 3_600).await;
    assert_eq!(net.broadcast(&bytes).await["code"], 0, "a new period");
    net.devnet.stop().await;
}

#[tokio::test]
async fn what_is_not_granted_is_refused() {
    let net = Net::start().await;
    let (owner, hot) = (key(1), key(2));
    let call = || vec![net.execute(&hot, &store("x"))];
    let bytes = paid_by(&net, &owner, &hot, call()).await;
    refused(&net.broadcast(&bytes).await, "sdk", 38, "does not allow to pay fees for");
    #[expect(deprecated, reason = "the generated type has no other way to be built")]
    let request = SimulateRequest { tx: None, tx_bytes: bytes };
    let answer = net.abci("/cosmos.tx.v1beta1.Service/Simulate", &request.encode_to_vec(), 0).await;
    assert!(answer["log"].as_str().unwrap().contains("fee-grant not found"), "{answer}");

    let bytes = net.sign(&owner, vec![grant(&owner, &hot, 2, Some(1_700_001_000))]).await;
    assert_eq!(net.deliver(&bytes).await["tx_result"]["code"], 0);
    let bytes = net.sign(&owner, vec![grant(&owner, &hot, 2, None)]).await;
    assert_eq!(net.deliver(&bytes).await["tx_result"]["code"], 18, "one grant of an account to another");
    let coins = vec![send(&address(&hot), &address(&owner), 1)];
    let bytes = paid_by(&net, &owner, &hot, coins).await;
    refused(&net.broadcast(&bytes).await, "feegrant", 7, "message not allowed");
    let stranger = paid_by(&net, &hot, &owner, vec![net.execute(&owner, &store("x"))]).await;
    refused(&net.broadcast(&stranger).await, "sdk", 38, "fee-grant not found");
    net.advance(1, 1_000).await;
    let bytes = paid_by(&net, &owner, &hot, call()).await;
    refused(&net.broadcast(&bytes).await, "sdk", 38, "fee-grant not found");
    net.devnet.stop().await;
}

#[tokio::test]
async fn waiting_transactions_have_spent_already() {
    let net = Net::start().await;
    let (owner, hot) = (key(1), key(2));
    let bytes = net.sign(&owner, vec![grant(&owner, &hot, 2, None)]).await;
    net.deliver(&bytes).await;
    let account = net.account(&address(&hot)).await;
    let signing = |sequence, text: &str| {
        Signing::new(vec![net.execute(&hot, &store(text))])
            .account(account.account_number, sequence)
            .with(|tx| tx.granter = Some(address(&owner)))
            .sign(&hot)
    };
    let mut codes = Vec::new();
    for sequence in 0..3 {
        codes.push(net.broadcast(&signing(sequence, "x")).await["code"].as_u64().unwrap());
    }
    assert_eq!(codes, [0, 0, 2]);
    net.devnet.stop().await;
}

#[tokio::test]
async fn a_grant_goes_with_its_transaction_and_is_taken_back() {
    let net = Net::start().await;
    let (owner, hot) = (key(1), key(2));
    let messages = vec![grant(&owner, &hot, 2, None), net.execute(&owner, &ExecuteMsg::Fail {})];
    let bytes = net.sign(&owner, messages).await;
    assert_eq!(net.deliver(&bytes).await["tx_result"]["code"], 5);
    assert_eq!(allowance(&net, &owner, &hot).await, None);
    let bytes = net.sign(&owner, vec![revoke(&owner, &hot)]).await;
    assert_eq!(net.deliver(&bytes).await["tx_result"]["code"], 38);

    let bytes = net.sign(&owner, vec![grant(&owner, &hot, 2, None)]).await;
    net.deliver(&bytes).await;
    let bytes = net.sign(&owner, vec![revoke(&owner, &hot), grant(&owner, &hot, 9, None)]).await;
    assert_eq!(net.deliver(&bytes).await["tx_result"]["code"], 0, "replaced in one step");
    let there = allowance(&net, &owner, &hot).await.unwrap();
    assert_eq!(there.period_spend_limit[0].amount, (9 * FEE).to_string());
    net.devnet.stop().await;
}
