//! Transactions from broadcast to block: checks, atomicity, events, accounts.

use crate::harness::*;
use cosmrs::proto::cosmos::bank::v1beta1::MsgSend;
use cosmrs::proto::cosmos::base::abci::v1beta1::TxMsgData;
use cosmrs::proto::cosmos::base::v1beta1::Coin;
use cosmrs::proto::cosmos::tx::v1beta1::{SimulateRequest, SimulateResponse};
use cosmrs::proto::cosmwasm::wasm::v1::{
    MsgExecuteContractResponse, MsgInstantiateContract, MsgInstantiateContract2,
    MsgInstantiateContractResponse, MsgStoreCode, MsgStoreCodeResponse, QueryCodeRequest, QueryCodeResponse,
};
use prost::Message as _;
use serde_json::{Value, json};

pub(crate) fn store(value: &str) -> ExecuteMsg {
    ExecuteMsg::Store { key: "a".to_owned(), value: value.to_owned() }
}

pub(crate) fn any(type_url: &str, message: impl prost::Message) -> cosmrs::Any {
    cosmrs::Any { type_url: type_url.to_owned(), value: message.encode_to_vec() }
}

pub(crate) fn send(from: &str, to: &str, amount: u128) -> cosmrs::Any {
    let message = MsgSend {
        from_address: from.to_owned(),
        to_address: to.to_owned(),
        amount: vec![Coin { denom: DENOM.to_owned(), amount: amount.to_string() }],
    };
    any("/cosmos.bank.v1beta1.MsgSend", message)
}

pub(crate) fn events(answer: &Value, kind: &str) -> Vec<Value> {
    answer["tx_result"]["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["type"] == kind)
        .cloned()
        .collect()
}

pub(crate) fn attributes(event: &Value) -> Vec<(String, String)> {
    event["attributes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attribute| {
            assert_eq!(attribute["index"], true);
            let text = |key: &str| attribute[key].as_str().unwrap().to_owned();
            (text("key"), text("value"))
        })
        .collect()
}

pub(crate) fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

#[tokio::test]
async fn an_executed_transaction_has_the_events_of_wasmd() {
    let net = Net::start().await;
    let signer = key(1);
    let sender = address(&signer);
    let answer = net.run(&signer, &[ExecuteMsg::Emit {}, store("1")]).await;
    assert_eq!(answer["tx_result"]["code"], 0, "{answer}");
    let kinds: Vec<&str> = answer["tx_result"]["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "coin_spent",
            "coin_received",
            "transfer",
            "message",
            "tx",
            "tx",
            "tx",
            "message",
            "execute",
            "wasm",
            "wasm-custom",
            "message",
            "execute",
        ]
    );
    let fee = format!("{FEE}{DENOM}");
    let tx = events(&answer, "tx");
    assert_eq!(attributes(&tx[0]), pairs(&[("fee", &fee), ("fee_payer", &sender)]));
    assert_eq!(attributes(&tx[1]), pairs(&[("acc_seq", &format!("{sender}/0"))]));
    let action = "/cosmwasm.wasm.v1.MsgExecuteContract";
    let message = events(&answer, "message");
    let expected =
        |index| pairs(&[("action", action), ("sender", &sender), ("module", "wasm"), ("msg_index", index)]);
    assert_eq!(attributes(&message[1]), expected("0"));
    assert_eq!(attributes(&message[2]), expected("1"));
    let contract = net.contract.as_str();
    assert_eq!(
        attributes(&events(&answer, "wasm")[0]),
        pairs(&[("_contract_address", contract), ("plain", "1"), ("msg_index", "0")])
    );
    assert_eq!(
        attributes(&events(&answer, "wasm-custom")[0]),
        pairs(&[("_contract_address", contract), ("k", "v"), ("msg_index", "0")])
    );
    assert_eq!(
        attributes(&events(&answer, "execute")[1]),
        pairs(&[("_contract_address", contract), ("msg_index", "1")])
    );
    let data: TxMsgData = decode(&answer["tx_result"]["data"]);
    assert_eq!(data.msg_responses.len(), 2);
    net.devnet.stop().await;
}

#[tokio::test]
async fn data_of_a_contract_comes_back() {
    let net = Net::start().await;
    let answer = net.run(&key(1), &[ExecuteMsg::Data {}]).await;
    let data: TxMsgData = decode(&answer["tx_result"]["data"]);
    let response = &data.msg_responses[0];
    assert_eq!(response.type_url, "/cosmwasm.wasm.v1.MsgExecuteContractResponse");
    let response = MsgExecuteContractResponse::decode(response.value.as_slice()).unwrap();
    assert_eq!(response.data, b"data");
}

#[tokio::test]
async fn a_failing_message_takes_back_the_ones_before_but_not_the_fee() {
    let net = Net::start().await;
    let signer = key(1);
    let messages = [store("lost"), ExecuteMsg::Fail {}];
    let answer = net.run(&signer, &messages).await;
    let result = &answer["tx_result"];
    assert_eq!((&result["code"], &result["codespace"]), (&json!(5), &json!("wasm")));
    assert_eq!(
        result["log"],
        "failed to execute message; message index: 1: kind: Other, error: failed on purpose: execute wasm contract failed"
    );
    assert_eq!(result["data"], Value::Null);
    assert!(events(&answer, "execute").is_empty());
    assert_eq!(events(&answer, "tx").len(), 3);
    assert_eq!(net.raw("a", 0).await, None);
    assert_eq!(net.raw("failed", 0).await, None);
    let account = net.account(&address(&signer)).await;
    assert_eq!(account.sequence, 1);
    assert!(account.pub_key.is_some());
    assert_eq!(net.balance(&address(&signer)).await, FUNDS - FEE);
}

#[tokio::test]
async fn a_panicking_contract_fails_its_transaction_only() {
    let net = Net::start().await;
    let answer = net.run(&key(1), &[store("lost"), ExecuteMsg::Panic {}]).await;
    assert_eq!(answer["tx_result"]["code"], 5, "{answer}");
    assert_eq!(net.raw("a", 0).await, None);
    let answer = net.run(&key(1), &[store("kept")]).await;
    assert_eq!(answer["tx_result"]["code"], 0, "{answer}");
    assert_eq!(net.raw("a", 0).await.as_deref(), Some("kept"));
}

#[tokio::test]
async fn checks_refuse_with_the_codes_of_the_sdk() {
    let net = Net::start_slow().await;
    let height = net.advance(5, 0).await;
    let signer = key(1);
    let message = || vec![net.execute(&signer, &store("x"))];
    let good = || Signing::new(message());
    let stranger = key(9);
    let cases: Vec<(&str, Vec<u8>, u32, &str)> = vec![
        ("garbage", b"garbage".to_vec(), 2, "tx parse error"),
        (
            "no message",
            Signing::new(vec![]).sign(&signer),
            18,
            "must contain at least one message: invalid request",
        ),
        (
            "sequence",
            good().account(0, 1).sign(&signer),
            32,
            "account sequence mismatch, expected 0, got 1: incorrect account sequence",
        ),
        (
            "chain id",
            good().with(|tx| tx.chain_id = "other-1".into()).sign(&signer),
            4,
            "signature verification failed; please verify account number (0), sequence (0) and chain-id (devnet-test-1): (unable to verify single signer signature): unauthorized",
        ),
        ("account number", good().account(1, 0).sign(&signer), 4, "unauthorized"),
        ("another's key", good().sign(&key(2)), 8, "invalid pubkey"),
        (
            "low fee",
            good().with(|tx| tx.fee = FEE - 1).sign(&signer),
            13,
            "insufficient fees; got: 7499ucosm required: 7500ucosm: insufficient fee",
        ),
        ("no fee", good().with(|tx| tx.fee = 0).sign(&signer), 13, "insufficient fee"),
        (
            "fee in another coin",
            good().with(|tx| tx.denom = "uother".into()).sign(&signer),
            13,
            "insufficient fee",
        ),
        (
            "fee above the balance",
            good().with(|tx| tx.fee = FUNDS + 1).sign(&signer),
            5,
            "spendable balance 1000000ucosm is smaller than 1000001ucosm: insufficient funds",
        ),
        (
            "no gas",
            good().with(|tx| tx.gas = 0).sign(&signer),
            41,
            "must provide positive gas: invalid gas limit",
        ),
        (
            "memo",
            good().with(|tx| tx.memo = "m".repeat(257)).sign(&signer),
            12,
            "maximum number of characters is 256 but received 257 characters: memo too large",
        ),
        (
            "timeout",
            good().with(|tx| tx.timeout_height = height as u32 - 1).sign(&signer),
            30,
            "tx timeout height",
        ),
        (
            "unknown account",
            Signing::new(vec![net.execute(&stranger, &store("x"))]).sign(&stranger),
            9,
            "does not exist: unknown address",
        ),
        (
            "unknown message",
            Signing::new(vec![any("/cosmos.gov.v1.MsgVote", MsgSend::default())]).sign(&signer),
            2,
            "unable to resolve type URL /cosmos.gov.v1.MsgVote",
        ),
    ];
    for (name, bytes, code, log) in cases {
        let answer = net.broadcast(&bytes).await;
        assert_eq!(answer["code"], code, "{name}: {answer}");
        assert_eq!(answer["codespace"], "sdk", "{name}");
        assert!(answer["log"].as_str().unwrap().contains(log), "{name}: {answer}");
    }
    let edges = good().with(|tx| tx.memo = "m".repeat(256)).with(|tx| tx.timeout_height = height as u32);
    assert_eq!(net.broadcast(&edges.sign(&signer)).await["code"], 0);
}

#[tokio::test]
async fn the_mempool_knows_the_next_sequence_and_what_it_has_seen() {
    let net = Net::start_slow().await;
    let signer = key(1);
    let signing = |sequence| {
        Signing::new(vec![net.execute(&signer, &store(&format!("{sequence}")))])
            .account(0, sequence)
            .sign(&signer)
    };
    for sequence in 0..3 {
        assert_eq!(net.broadcast(&signing(sequence)).await["code"], 0);
    }
    let again = Signing::new(vec![net.execute(&signer, &store("other"))]).sign(&signer);
    let answer = net.broadcast(&again).await;
    assert_eq!(answer["code"], 32);
    assert!(answer["log"].as_str().unwrap().contains("expected 3, got 0"), "{answer}");
    use base64::Engine as _;
    let tx = base64::engine::general_purpose::STANDARD.encode(signing(1));
    let error = net.error("broadcast_tx_sync", json!({"tx": tx})).await;
    assert_eq!(error, "tx already exists in cache");
    let waiting = net.call("num_unconfirmed_txs", json!({})).await;
    assert_eq!(waiting["total"], "3");
}

#[tokio::test]
async fn too_large_a_transaction_is_refused() {
    let net = Net::start_slow().await;
    use base64::Engine as _;
    let tx = base64::engine::general_purpose::STANDARD.encode(vec![0; (1 << 20) + 1]);
    let error = net.error("broadcast_tx_sync", json!({"tx": tx})).await;
    assert_eq!(error, "Tx too large. Max size is 1048576, but got 1048577");
}

#[tokio::test]
async fn a_timeout_height_is_the_last_block_that_takes_it() {
    let net = Net::start_slow().await;
    let height = net.height().await;
    // Checked at the last height, the transaction times out when the next block is made.
    let signer = key(1);
    let late = Signing::new(vec![net.execute(&signer, &store("late"))])
        .with(|tx| tx.timeout_height = height as u32)
        .sign(&signer);
    assert_eq!(net.broadcast(&late).await["code"], 0);
    net.advance(1, 0).await;
    let waiting = net.call("num_unconfirmed_txs", json!({})).await;
    assert_eq!(waiting["total"], "0", "dropped once it can no longer be taken");
}

#[tokio::test]
async fn sending_coins_opens_an_account() {
    let net = Net::start().await;
    let (signer, new) = (key(1), key(7));
    let missing = net
        .abci(
            "/cosmos.auth.v1beta1.Query/Account",
            &cosmrs::proto::cosmos::auth::v1beta1::QueryAccountRequest { address: address(&new) }
                .encode_to_vec(),
            0,
        )
        .await;
    assert_eq!(missing["code"], 22);
    assert!(missing["log"].as_str().unwrap().starts_with("rpc error: code = NotFound"));

    let bytes = net.sign(&signer, vec![send(&address(&signer), &address(&new), 50_000)]).await;
    let answer = net.deliver(&bytes).await;
    assert_eq!(answer["tx_result"]["code"], 0, "{answer}");
    let transfers = events(&answer, "transfer");
    assert_eq!(
        attributes(&transfers[1]),
        pairs(&[
            ("recipient", &address(&new)),
            ("sender", &address(&signer)),
            ("amount", "50000ucosm"),
            ("msg_index", "0"),
        ])
    );
    assert_eq!(events(&answer, "coin_spent").len(), 2);
    // 0 and 1 are the genesis accounts, 2 collects fees, 3 is the contract.
    assert_eq!(net.account(&address(&new)).await.account_number, 4);
    assert_eq!(net.balance(&address(&new)).await, 50_000);
    let answer = net.run(&new, &[store("by the new one")]).await;
    assert_eq!(answer["tx_result"]["code"], 0, "{answer}");

    let too_much = net.sign(&signer, vec![send(&address(&signer), &address(&new), FUNDS)]).await;
    let answer = net.deliver(&too_much).await;
    assert_eq!(answer["tx_result"]["code"], 5);
    assert_eq!(answer["tx_result"]["codespace"], "sdk");
}

#[tokio::test]
async fn a_contract_that_pays_shows_the_whole_transfer() {
    let net = Net::start().await;
    let signer = key(1);
    let messages = vec![
        send(&address(&signer), &net.contract, 100),
        net.execute(&signer, &ExecuteMsg::Pay { to: address(&key(8)), amount: 60 }),
    ];
    let bytes = net.sign(&signer, messages).await;
    let answer = net.deliver(&bytes).await;
    assert_eq!(answer["tx_result"]["code"], 0, "{answer}");
    let spent = events(&answer, "coin_spent");
    assert_eq!(
        attributes(spent.last().unwrap()),
        pairs(&[("spender", &net.contract), ("amount", "60ucosm"), ("msg_index", "1")])
    );
    assert_eq!(net.balance(&address(&key(8))).await, 60);
    assert_eq!(net.account(&address(&key(8))).await.account_number, 4);
}

#[tokio::test]
async fn an_upload_is_a_code_of_its_own() {
    use std::io::Write as _;
    let net = Net::start().await;
    let signer = key(1);
    let upload = |code: Vec<u8>| {
        let message =
            MsgStoreCode { sender: address(&signer), wasm_byte_code: code, instantiate_permission: None };
        vec![any("/cosmwasm.wasm.v1.MsgStoreCode", message)]
    };
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"\0asm and more").unwrap();
    let bytes = net.sign(&signer, upload(gzip.finish().unwrap())).await;
    let answer = net.deliver(&bytes).await;
    assert_eq!(answer["tx_result"]["code"], 0, "{answer}");
    let stored = attributes(&events(&answer, "store_code")[0]);
    let checksum = cosmwasm_std::Checksum::generate(b"\0asm and more");
    assert_eq!(stored[0], ("code_checksum".to_owned(), checksum.to_hex()));
    assert_eq!(stored[1], ("code_id".to_owned(), "2".to_owned()));
    assert!(stored[2].1.contains("no wasm"));
    let data: TxMsgData = decode(&answer["tx_result"]["data"]);
    let response = MsgStoreCodeResponse::decode(data.msg_responses[0].value.as_slice()).unwrap();
    assert_eq!(response.code_id, 2);
    let code: QueryCodeResponse =
        net.grpc("/cosmwasm.wasm.v1.Query/Code", QueryCodeRequest { code_id: 2 }).await;
    let info = code.code_info.unwrap();
    assert_eq!((info.creator, info.data_hash), (address(&signer), checksum.as_slice().to_vec()));

    let instantiate = |code_id| {
        let message = MsgInstantiateContract2 {
            sender: address(&signer),
            code_id,
            label: "second".to_owned(),
            msg: b"{}".to_vec(),
            salt: b"salt".to_vec(),
            ..MsgInstantiateContract2::default()
        };
        vec![any("/cosmwasm.wasm.v1.MsgInstantiateContract2", message)]
    };
    let bytes = net.sign(&signer, instantiate(2)).await;
    let answer = net.deliver(&bytes).await;
    let creator: cosmrs::AccountId = address(&signer).parse().unwrap();
    let creator = cosmwasm_std::CanonicalAddr::from(creator.to_bytes());
    let predicted = cosmwasm_std::instantiate2_address(checksum.as_slice(), &creator, b"salt").unwrap();
    let born = attributes(&events(&answer, "instantiate")[0])[0].1.clone();
    assert_eq!(born.parse::<cosmrs::AccountId>().unwrap().to_bytes(), predicted.as_slice());
    let bytes = net.sign(&signer, instantiate(2)).await;
    assert_eq!(net.deliver(&bytes).await["tx_result"]["code"], 4, "an address is taken once");
    let bytes = net.sign(&signer, instantiate(3)).await;
    assert_eq!(net.deliver(&bytes).await["tx_result"]["code"], 28, "no such code");

    let bytes = net.sign(&signer, upload(b"no wasm".to_vec())).await;
    let answer = net.deliver(&bytes).await;
    let result = &answer["tx_result"];
    assert_eq!((&result["code"], &result["codespace"]), (&json!(2), &json!("wasm")));
}

#[tokio::test]
async fn a_second_contract_gets_its_own_address() {
    let net = Net::start().await;
    let signer = key(1);
    let instantiate = |msg: Value| {
        let message = MsgInstantiateContract {
            sender: address(&signer),
            admin: String::new(),
            code_id: 1,
            label: "second".to_owned(),
            msg: msg.to_string().into_bytes(),
            funds: vec![],
        };
        vec![any("/cosmwasm.wasm.v1.MsgInstantiateContract", message)]
    };
    let bytes = net.sign(&signer, instantiate(json!({}))).await;
    let answer = net.deliver(&bytes).await;
    assert_eq!(answer["tx_result"]["code"], 0, "{answer}");
    let data: TxMsgData = decode(&answer["tx_result"]["data"]);
    let response = MsgInstantiateContractResponse::decode(data.msg_responses[0].value.as_slice()).unwrap();
    assert_ne!(response.address, net.contract);
    assert_eq!(
        attributes(&events(&answer, "instantiate")[0]),
        pairs(&[("_contract_address", &response.address), ("code_id", "1"), ("msg_index", "0")])
    );
    let id: cosmrs::AccountId = response.address.parse().unwrap();
    assert_eq!(id.to_bytes().len(), 32);

    let bytes = net.sign(&signer, instantiate(json!({"refuse": true}))).await;
    let answer = net.deliver(&bytes).await;
    let result = &answer["tx_result"];
    assert_eq!((&result["code"], &result["codespace"]), (&json!(4), &json!("wasm")));
}

#[tokio::test]
async fn a_simulation_answers_the_constant_and_leaves_nothing() {
    let net = Net::start_slow().await;
    let signer = key(1);
    let simulate = |bytes: Vec<u8>| {
        #[expect(deprecated, reason = "the generated type has no other way to be built")]
        SimulateRequest { tx: None, tx_bytes: bytes }
    };
    let path = "/cosmos.tx.v1beta1.Service/Simulate";
    let bytes = Signing::new(vec![net.execute(&signer, &store("x"))])
        .with(|tx| tx.fee = 0)
        .with(|tx| tx.gas = 0)
        .with(|tx| tx.chain_id = "unsigned".to_owned())
        .sign(&signer);
    let answer: SimulateResponse = net.grpc(path, simulate(bytes)).await;
    assert_eq!(answer.gas_info.unwrap().gas_used, concord_devnet::GAS_USED);
    assert_eq!(net.smart_get("a").await, "");
    assert_eq!(net.account(&address(&signer)).await.sequence, 0);

    for (name, signing, log) in [
        ("failing", Signing::new(vec![net.execute(&signer, &ExecuteMsg::Fail {})]), "failed on purpose"),
        (
            "sequence",
            Signing::new(vec![net.execute(&signer, &store("x"))]).account(0, 4),
            "account sequence mismatch, expected 0, got 4",
        ),
    ] {
        let request = simulate(signing.sign(&signer)).encode_to_vec();
        let answer = net.abci(path, &request, 0).await;
        assert_eq!(answer["code"], 6, "{name}: {answer}");
        assert!(answer["log"].as_str().unwrap().contains(log), "{name}: {answer}");
    }
    assert_eq!(net.smart_get("failed").await, "");
}
