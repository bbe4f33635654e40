//! The RPC: reads at heights, blocks, searches, websocket, control.

use std::time::Duration;

use crate::harness::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use concord_devnet::{DevnetError, Limits};
use cosmrs::proto::cosmos::tx::v1beta1::{GetTxRequest, GetTxResponse};
use cosmrs::proto::cosmwasm::wasm::v1::{
    QueryCodeRequest, QueryCodeResponse, QueryContractInfoRequest, QueryContractInfoResponse,
    QueryRawContractStateRequest, QueryRawContractStateResponse, QuerySmartContractStateRequest,
    QuerySmartContractStateResponse,
};
use futures_util::{SinkExt as _, StreamExt as _};
use prost::Message as _;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

fn store(value: &str) -> ExecuteMsg {
    ExecuteMsg::Store { key: "a".to_owned(), value: value.to_owned() }
}

#[tokio::test]
async fn raw_reads_see_the_state_after_each_height() {
    let net = Net::start().await;
    let first = number(&net.run(&key(1), &[store("first")]).await["height"]);
    let second = number(&net.run(&key(1), &[store("second")]).await["height"]);
    let remove = ExecuteMsg::Remove { key: "a".to_owned() };
    let third = number(&net.run(&key(1), &[remove]).await["height"]);
    assert_eq!(net.raw("born", 1).await.as_deref(), Some("yes"));
    assert_eq!(net.raw("a", first - 1).await, None);
    assert_eq!(net.raw("a", first).await.as_deref(), Some("first"));
    assert_eq!(net.raw("a", second - 1).await.as_deref(), Some("first"));
    assert_eq!(net.raw("a", second).await.as_deref(), Some("second"));
    assert_eq!(net.raw("a", third - 1).await.as_deref(), Some("second"));
    assert_eq!(net.raw("a", third).await, None);
    assert_eq!(net.raw("a", 0).await, None);
    net.devnet.stop().await;
}

#[tokio::test]
async fn the_window_of_raw_reads_is_a_thousand_heights() {
    let net = Net::start_slow().await;
    let latest = net.advance(998, 0).await;
    assert_eq!(latest, 1_000);
    assert_eq!(net.raw("born", 1).await.as_deref(), Some("yes"));
    let latest = net.advance(1, 0).await;
    let key = net.raw_key("born");
    let answer = net.abci("/store/wasm/key", &key, 1).await;
    assert_eq!(answer["code"], 38, "{answer}");
    assert!(answer["log"].as_str().unwrap().contains("version does not exist"), "{answer}");
    assert_eq!(answer["value"], Value::Null);
    assert_eq!(net.raw("born", 2).await.as_deref(), Some("yes"));
    assert_eq!(net.raw("born", latest).await.as_deref(), Some("yes"));
    let answer = net.abci("/store/wasm/key", &key, latest + 1).await;
    assert_eq!(answer["code"], 26, "{answer}");
}

#[tokio::test]
async fn raw_reads_refuse_proofs_and_other_keys() {
    let net = Net::start_slow().await;
    let params = json!({
        "path": "/store/wasm/key", "data": hex::encode(net.raw_key("born")), "prove": true,
    });
    let answer = net.call("abci_query", params).await["response"].clone();
    assert_ne!(answer["code"], 0);
    assert!(answer["log"].as_str().unwrap().contains("no proofs"), "{answer}");
    assert_eq!(answer["value"], Value::Null);
    for data in [&[][..], &[2; 40][..], &[3; 32][..]] {
        let answer = net.abci("/store/wasm/key", data, 0).await;
        assert_eq!(answer["code"], 18, "{data:?}: {answer}");
    }
    let answer = net.abci("/store/bank/key", &[], 0).await;
    assert_eq!(answer["code"], 6, "{answer}");
}

#[tokio::test]
async fn contract_queries_answer() {
    let net = Net::start().await;
    net.run(&key(1), &[store("one")]).await;
    let contract = net.contract.clone();
    let smart = |msg: QueryMsg| QuerySmartContractStateRequest {
        address: contract.clone(),
        query_data: serde_json::to_vec(&msg).unwrap(),
    };
    let path = "/cosmwasm.wasm.v1.Query/SmartContractState";
    let get = QueryMsg::Get { key: "a".to_owned() };
    let answer: QuerySmartContractStateResponse = net.grpc(path, smart(get)).await;
    assert_eq!(answer.data, b"\"one\"");
    let answer = net.abci(path, &smart(QueryMsg::Panic {}).encode_to_vec(), 0).await;
    assert_eq!(answer["code"], 6);
    assert!(answer["log"].as_str().unwrap().contains("query wasm contract failed"), "{answer}");

    let request = QueryRawContractStateRequest { address: contract.clone(), query_data: b"a".to_vec() };
    let path = "/cosmwasm.wasm.v1.Query/RawContractState";
    let answer: QueryRawContractStateResponse = net.grpc(path, request).await;
    assert_eq!(answer.data, b"one");

    let request = QueryContractInfoRequest { address: contract };
    let path = "/cosmwasm.wasm.v1.Query/ContractInfo";
    let answer: QueryContractInfoResponse = net.grpc(path, request).await;
    let info = answer.contract_info.unwrap();
    assert_eq!((info.code_id, info.label.as_str()), (1, "test"));

    let path = "/cosmwasm.wasm.v1.Query/Code";
    let answer: QueryCodeResponse = net.grpc(path, QueryCodeRequest { code_id: 1 }).await;
    assert_eq!(answer.code_info.unwrap().code_id, 1);
    let answer = net.abci(path, &QueryCodeRequest { code_id: 2 }.encode_to_vec(), 0).await;
    // As wasmd 0.61 answers it.
    assert_eq!(
        (&answer["code"], &answer["log"]),
        (&json!(6), &json!("code id 2: no such code: unknown request"))
    );
    let missing = QueryContractInfoRequest { address: address(&key(3)) };
    let path = "/cosmwasm.wasm.v1.Query/ContractInfo";
    let answer = net.abci(path, &missing.encode_to_vec(), 0).await;
    assert!(answer["log"].as_str().unwrap().contains("no such contract"), "{answer}");
}

#[tokio::test]
async fn blocks_have_the_shapes_of_comet() {
    let net = Net::start().await;
    let answer = net.run(&key(1), &[store("x")]).await;
    let height = answer["height"].as_str().unwrap().to_owned();
    let status = net.call("status", json!({})).await;
    assert_eq!(status["node_info"]["network"], CHAIN_ID);
    assert!(status["node_info"]["version"].as_str().unwrap().starts_with("0.38."));
    assert_eq!(status["sync_info"]["earliest_block_height"], "1");
    assert_eq!(status["sync_info"]["catching_up"], false);

    let results = net.call("block_results", json!({"height": height})).await;
    assert_eq!(results["height"], height.as_str());
    assert_eq!(results["txs_results"][0], answer["tx_result"]);
    let empty = net.call("block_results", json!({"height": "1"})).await;
    assert_eq!(empty["txs_results"], Value::Null);
    // The genesis instantiation is told with the first block, as nowhere else could it be read.
    assert_eq!(empty["finalize_block_events"][0]["type"], "instantiate");

    let block = net.call("block", json!({"height": height})).await;
    assert_eq!(block["block"]["data"]["txs"][0], answer["tx"]);
    assert_eq!(block["block"]["header"]["height"], height.as_str());
    let next = (height.parse::<u64>().unwrap() + 1).to_string();
    let next = wait_block(&net, &next).await;
    assert_eq!(next["block"]["header"]["last_block_id"], block["block_id"]);
    let commit = net.call("commit", json!({"height": height})).await;
    assert_eq!(commit["signed_header"]["header"], block["block"]["header"]);

    // The typed client of the ecosystem reads these answers.
    let parsed: cosmrs::tendermint::Block = serde_json::from_value(block["block"].clone()).unwrap();
    assert_eq!(parsed.header.height.to_string(), height);
    let header = commit["signed_header"]["header"].clone();
    let _: cosmrs::tendermint::block::Header = serde_json::from_value(header).unwrap();
    let validators = net.call("validators", json!({"height": height})).await;
    let _: Vec<cosmrs::tendermint::validator::Info> =
        serde_json::from_value(validators["validators"].clone()).unwrap();
    let genesis = net.call("genesis", json!({})).await;
    let _: cosmrs::tendermint::Genesis<Value> = serde_json::from_value(genesis["genesis"].clone()).unwrap();
    assert_eq!(net.call("health", json!({})).await, json!({}));
    let info = net.call("abci_info", json!({})).await;
    assert!(number(&info["response"]["last_block_height"]) > 1);
}

async fn wait_block(net: &Net, height: &str) -> Value {
    for _ in 0..2_000 {
        let answer = net.envelope("block", json!({"height": height})).await;
        if answer.get("result").is_some() {
            return answer["result"].clone();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("no block {height}");
}

#[tokio::test]
async fn heights_outside_are_refused_in_the_words_of_comet() {
    let limits = Limits { blocks_kept: 10, ..Limits::default() };
    let mut config = config();
    config.block_time = Duration::from_secs(3_600);
    let devnet = concord_devnet::start_bounded(config, limits).await.unwrap();
    let net = Net {
        url: format!("http://{}", devnet.rpc_address()),
        contract: devnet.contract_address().to_owned(),
        http: reqwest::Client::new(),
        devnet,
    };
    net.advance(18, 0).await;
    for method in ["block", "block_results", "commit", "validators"] {
        for (height, expected) in [
            ("0", "height must be greater than 0, but got 0"),
            ("10", "height 10 is not available, lowest height is 11"),
            ("22", "height 22 must be less than or equal to the current blockchain height 20"),
        ] {
            assert_eq!(net.error(method, json!({"height": height})).await, expected, "{method}");
        }
        net.call(method, json!({"height": "11"})).await;
        net.call(method, json!({"height": "20"})).await;
        net.call(method, json!({})).await;
    }
    let status = net.call("status", json!({})).await;
    assert_eq!(status["sync_info"]["earliest_block_height"], "11");
}

#[tokio::test]
async fn transactions_are_found() {
    let net = Net::start().await;
    let first = net.run(&key(1), &[ExecuteMsg::Emit {}]).await;
    let second = net.run(&key(1), &[store("x")]).await;
    let hash = first["hash"].as_str().unwrap();
    let bytes = STANDARD.encode(hex::decode(hash).unwrap());
    assert_eq!(net.call("tx", json!({"hash": bytes})).await, first);
    let (status, by_uri) = net.get(&format!("/tx?hash=0x{hash}")).await;
    assert_eq!(status, 200);
    assert_eq!(by_uri["result"], first);
    let missing = STANDARD.encode([7; 32]);
    assert!(net.error("tx", json!({"hash": missing})).await.ends_with("not found"));

    let contract = &net.contract;
    let (low, high) = (&first["height"], &second["height"]);
    let height = |value: &Value| value.as_str().unwrap().to_owned();
    for (query, expected) in [
        (format!("tx.height={}", height(low)), vec![&first]),
        (format!("tx.height>={}", height(low)), vec![&first, &second]),
        (format!("tx.height>{}", height(low)), vec![&second]),
        (format!("tx.height<={}", height(high)), vec![&first, &second]),
        (format!("execute._contract_address='{contract}'"), vec![&first, &second]),
        ("wasm-custom.k='v'".to_owned(), vec![&first]),
        (format!("wasm-custom.k='v' AND tx.height>{}", height(low)), vec![]),
    ] {
        let found = net.call("tx_search", json!({"query": query})).await;
        assert_eq!(found["txs"], json!(expected), "{query}");
        assert_eq!(found["total_count"], expected.len().to_string(), "{query}");
    }
    let reversed = json!({"query": "tx.height>0", "order_by": "desc", "per_page": "1", "page": "2"});
    assert_eq!(net.call("tx_search", reversed).await["txs"], json!([first]));
    let outside = json!({"query": "tx.height>0", "page": "2"});
    let error = net.error("tx_search", outside).await;
    assert_eq!(error, "page should be within [1, 1] range, given 2");
    let blocks = net.call("block_search", json!({"query": "block.height<=3"})).await;
    assert_eq!(blocks["total_count"], "3");
    assert_eq!(blocks["blocks"][0]["block"]["header"]["height"], "3");

    let request = GetTxRequest { hash: hash.to_owned() };
    let answer: GetTxResponse = net.grpc("/cosmos.tx.v1beta1.Service/GetTx", request).await;
    assert_eq!(answer.tx_response.unwrap().txhash, hash);
}

#[tokio::test]
async fn calls_come_by_uri_and_in_batches() {
    let net = Net::start_slow().await;
    let (status, answer) = net.get("/status").await;
    assert_eq!(status, 200);
    assert_eq!(answer["result"]["node_info"]["network"], CHAIN_ID);
    assert_eq!(answer["id"], -1);
    let (status, answer) = net.get("/block?height=1").await;
    assert_eq!(status, 200);
    assert_eq!(answer["result"]["block"]["header"]["height"], "1");
    let (status, _) = net.get("/block?height=99").await;
    assert_eq!(status, 500);
    let (status, answer) = net.get("/nothing").await;
    assert_eq!(status, 404);
    assert_eq!(answer["error"]["code"], -32601);
    let data = hex::encode(net.raw_key("born"));
    let (_, answer) =
        net.get(&format!("/abci_query?path=%22/store/wasm/key%22&data=0x{data}&prove=false")).await;
    assert_eq!(answer["result"]["response"]["value"], STANDARD.encode("yes"));

    let call = |id: u64| json!({"jsonrpc": "2.0", "id": id, "method": "health"});
    let (_, answer) = net.post("/", json!([call(1), call(2)])).await;
    assert_eq!(answer[1]["id"], 2);
    let many: Vec<Value> = (0..11).map(call).collect();
    let (_, answer) = net.post("/", json!(many)).await;
    assert_eq!(answer["error"]["code"], -32600);
    let (status, answer) = net.post("/", json!("text")).await;
    assert_eq!(status, 500);
    assert_eq!(answer["error"]["code"], -32700);
    let unknown = net.envelope("nothing", json!({})).await;
    assert_eq!(unknown["error"]["code"], -32601);
}

async fn next(socket: &mut Socket) -> Value {
    loop {
        let message =
            tokio::time::timeout(Duration::from_secs(20), socket.next()).await.unwrap().unwrap().unwrap();
        if let Message::Text(text) = message {
            return serde_json::from_str(text.as_str()).unwrap();
        }
    }
}

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn connect(net: &Net) -> Socket {
    let url = format!("ws://{}/websocket", net.devnet.rpc_address());
    tokio_tungstenite::connect_async(url).await.unwrap().0
}

async fn request(socket: &mut Socket, id: u64, method: &str, query: &str) -> Value {
    let params = json!({"query": query});
    let body = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
    socket.send(Message::text(body.to_string())).await.unwrap();
    loop {
        let answer = next(socket).await;
        // Events carry the id of their subscription too.
        if answer["id"] == id && answer["result"].get("data").is_none() {
            return answer;
        }
    }
}

#[tokio::test]
async fn subscriptions_bring_blocks_headers_and_transactions() {
    let net = Net::start().await;
    let mut socket = connect(&net).await;
    for (id, query) in [
        (1, "tm.event='NewBlock'"),
        (2, "tm.event = 'NewBlockHeader'"),
        (3, "tm.event='Tx' AND wasm-custom.k='v'"),
    ] {
        assert_eq!(request(&mut socket, id, "subscribe", query).await["result"], json!({}));
    }
    let again = request(&mut socket, 4, "subscribe", "tm.event='NewBlock'").await;
    assert_eq!(again["error"]["data"], "already subscribed");
    let unknown = request(&mut socket, 5, "subscribe", "tm.event='Vote'").await;
    assert_eq!(unknown["error"]["code"], -32603);
    net.run(&key(1), &[store("not asked for")]).await;
    let emitted = net.run(&key(1), &[ExecuteMsg::Emit {}]).await;
    let (mut blocks, mut headers, mut txs) = (vec![], 0, vec![]);
    while txs.is_empty() || headers < 2 {
        let event = next(&mut socket).await;
        let value = &event["result"]["data"]["value"];
        match event["result"]["data"]["type"].as_str().unwrap() {
            "tendermint/event/NewBlock" => {
                assert_eq!(event["id"], 1);
                blocks.push(number(&value["block"]["header"]["height"]));
            }
            "tendermint/event/NewBlockHeader" => headers += 1,
            "tendermint/event/Tx" => txs.push(event.clone()),
            other => panic!("{other}"),
        }
    }
    let result = &txs[0]["result"];
    assert_eq!(result["data"]["value"]["TxResult"]["tx"], emitted["tx"]);
    assert_eq!(result["events"]["tx.hash"][0], emitted["hash"]);
    assert!(blocks.windows(2).all(|pair| pair[1] == pair[0] + 1), "{blocks:?}");
    let gone = request(&mut socket, 6, "unsubscribe_all", "").await;
    assert_eq!(gone["result"], json!({}));
    // Calls work on the same connection.
    let status = request(&mut socket, 7, "status", "").await;
    assert_eq!(status["result"]["node_info"]["network"], CHAIN_ID);
    net.devnet.stop().await;
}

#[tokio::test]
async fn a_client_has_five_subscriptions_at_most() {
    let net = Net::start_slow().await;
    let mut socket = connect(&net).await;
    for id in 1..=5 {
        let query = format!("tm.event='NewBlock' AND block.height>{id}");
        assert_eq!(request(&mut socket, id, "subscribe", &query).await["result"], json!({}));
    }
    let sixth = request(&mut socket, 6, "subscribe", "tm.event='Tx'").await;
    assert!(sixth["error"]["data"].as_str().unwrap().contains("max_subscriptions_per_client"));
}

async fn block_time(net: &Net, height: u64) -> cosmrs::tendermint::Time {
    let block = net.call("block", json!({"height": height.to_string()})).await;
    block["block"]["header"]["time"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn control_moves_both_clocks() {
    let net = Net::start_slow().await;
    assert_eq!(block_time(&net, 1).await.unix_timestamp(), 1_700_000_000);
    let before = block_time(&net, 2).await;
    assert_eq!(net.advance(10, 100).await, 12);
    for height in 2..=12 {
        let passed = block_time(&net, height).await.duration_since(before).unwrap();
        assert_eq!(passed, Duration::from_secs(10 * (height - 2)), "height {height}");
    }
    assert_eq!(net.advance(2, 0).await, 14);
    let passed = block_time(&net, 14).await.duration_since(before).unwrap();
    assert_eq!(passed, Duration::new(100, 2));
    let request = QuerySmartContractStateRequest {
        address: net.contract.clone(),
        query_data: serde_json::to_vec(&QueryMsg::Clock {}).unwrap(),
    };
    let path = "/cosmwasm.wasm.v1.Query/SmartContractState";
    let answer: QuerySmartContractStateResponse = net.grpc(path, request).await;
    let (height, nanos): (u64, u64) = serde_json::from_slice(&answer.data).unwrap();
    assert_eq!(height, 14);
    assert_eq!(i128::from(nanos), before.unix_timestamp_nanos() + 100_000_000_002);

    for wrong in [
        json!({"blocks": 0}),
        json!({"blocks": concord_devnet::ADVANCE_BLOCKS_MAX + 1}),
        json!({"seconds": concord_devnet::ADVANCE_SECONDS_MAX + 1}),
    ] {
        let (status, answer) = net.post("/control/advance", wrong).await;
        assert_eq!(status, 400, "{answer}");
    }
    let (status, _) = net.post("/control/advance", json!({"block": 1})).await;
    assert_eq!(status, 422);
    let (_, info) = net.get("/control/info").await;
    assert_eq!(info["chain_id"], CHAIN_ID);
    assert_eq!(info["contract_address"], net.contract);
}

#[tokio::test]
async fn ticks_make_blocks_whose_time_always_grows() {
    let net = Net::start().await;
    net.advance(5, 1_000).await;
    wait_block(&net, "12").await;
    let mut last = block_time(&net, 1).await;
    for height in 2..=12 {
        let time = block_time(&net, height).await;
        assert!(time.after(last), "height {height}");
        last = time;
    }
}

#[tokio::test]
async fn readers_run_while_blocks_are_made() {
    let net = std::sync::Arc::new(Net::start().await);
    let mut readers = tokio::task::JoinSet::new();
    for reader in 0..8 {
        let net = std::sync::Arc::clone(&net);
        readers.spawn(async move {
            for _ in 0..50 {
                let height = net.height().await;
                assert_eq!(net.raw("born", height).await.as_deref(), Some("yes"));
                let results = net.call("block_results", json!({"height": height.to_string()})).await;
                assert_eq!(number(&results["height"]), height, "reader {reader}");
            }
        });
    }
    for round in 0..5 {
        let answer = net.run(&key(1), &[store(&round.to_string())]).await;
        assert_eq!(answer["tx_result"]["code"], 0);
        let height = number(&answer["height"]);
        assert_eq!(net.raw("a", height).await, Some(round.to_string()));
    }
    while let Some(reader) = readers.join_next().await {
        reader.unwrap();
    }
}

#[tokio::test]
async fn a_wrong_start_is_refused() {
    let mut wrong = config();
    wrong.chain_id.clear();
    let refused = concord_devnet::start(wrong).await.err().unwrap();
    assert!(matches!(refused, DevnetError::Config { field: "chain_id", .. }));
    let mut wrong = config();
    wrong.block_time = Duration::ZERO;
    assert!(concord_devnet::start(wrong).await.is_err());
    let mut wrong = config();
    wrong.instantiate.msg = json!({"refuse": true});
    let refused = concord_devnet::start(wrong).await.err().unwrap();
    assert!(refused.to_string().contains("refused to be born"), "{refused}");
    let mut wrong = config();
    wrong.accounts[0].address = "cosmos1nothing".to_owned();
    assert!(concord_devnet::start(wrong).await.is_err());

    let net = Net::start_slow().await;
    let mut taken = config();
    taken.listen = net.devnet.rpc_address();
    let refused = concord_devnet::start(taken).await.err().unwrap();
    assert!(matches!(refused, DevnetError::Listen { .. }));
}

#[tokio::test]
async fn a_stopped_devnet_frees_its_address() {
    let net = Net::start().await;
    let address = net.devnet.rpc_address();
    let mut socket = connect(&net).await;
    drop(net.http);
    net.devnet.stop().await;
    let closed = tokio::time::timeout(Duration::from_secs(5), socket.next()).await.unwrap();
    assert!(!matches!(closed, Some(Ok(Message::Text(_)))));
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
