use super::*;
use crate::config::{GenesisAccount, GenesisCoin, Instantiate};
use cosmrs::bank::MsgSend;
use cosmrs::crypto::secp256k1::SigningKey;
use cosmrs::proto::cosmos::tx::v1beta1::mode_info::{Single, Sum};
use cosmrs::proto::cosmos::tx::v1beta1::{AuthInfo, ModeInfo, TxRaw};
use cosmrs::tx::{Body, Fee, Msg as _, SignDoc, SignerInfo};
use cosmrs::{AccountId, Any, Coin};
use cosmwasm_std::{Binary, Deps, DepsMut, Empty, Env, MessageInfo, Response, StdResult};
use cw_multi_test::{Contract, ContractWrapper};
use k256::ecdsa::Signature;
use prost::Message as _;

fn contract() -> Box<dyn Contract<Empty>> {
    fn born(_: DepsMut, _: Env, _: MessageInfo, _: Empty) -> StdResult<Response> {
        Ok(Response::new())
    }
    fn query(_: Deps, _: Env, _: Empty) -> StdResult<Binary> {
        Ok(Binary::default())
    }
    Box::new(ContractWrapper::new(born, born, query))
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 32]).unwrap()
}

fn id(seed: u8) -> AccountId {
    key(seed).public_key().account_id("wasm").unwrap()
}

fn coin(amount: u128) -> Coin {
    Coin { denom: "ucosm".parse().unwrap(), amount }
}

/// A chain whose account 1 holds `funds`.
fn chain(funds: u128, limits: Limits) -> Chain {
    let account = GenesisAccount {
        address: id(1).to_string(),
        coins: vec![GenesisCoin { denom: "ucosm".to_owned(), amount: funds }],
    };
    let config = DevnetConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        chain_id: "unit-1".to_owned(),
        block_time: Duration::from_secs(1),
        genesis_time_seconds: Some(1),
        bech32_prefix: "wasm".to_owned(),
        accounts: vec![account],
        contract,
        instantiate: Instantiate {
            sender: id(1).to_string(),
            msg: serde_json::json!({}),
            label: "unit".to_owned(),
            admin: None,
        },
        fee_denom: "ucosm".to_owned(),
        gas_price_min_milli: 0,
    };
    Chain::genesis(config, limits).unwrap().0
}

fn send(from: u8, amount: u128) -> Any {
    let message = MsgSend { from_address: id(from), to_address: id(2), amount: vec![coin(amount)] };
    message.to_any().unwrap()
}

fn sign(messages: Vec<Any>, sequence: u64, fee: u128, timeout_height: u32) -> Vec<u8> {
    let body = Body::new(messages, "", timeout_height);
    let fee = Fee::from_amount_and_gas(coin(fee), 1_u64);
    let auth = SignerInfo::single_direct(Some(key(1).public_key()), sequence).auth_info(fee);
    let document = SignDoc::new(&body, &auth, &"unit-1".parse().unwrap(), 0).unwrap();
    document.sign(&key(1)).unwrap().to_bytes().unwrap()
}

fn code(outcome: Broadcast) -> u32 {
    match outcome {
        Broadcast::Checked { error, .. } => error.map_or(0, |error| error.code),
        Broadcast::Refused { reason } => panic!("{reason}"),
    }
}

fn results(chain: &Chain) -> Vec<(u32, String)> {
    let view = chain.blocks.view(None).unwrap();
    let txs = view.block.txs().iter();
    txs.map(|tx| (tx.result.code, tx.result.log.clone())).collect()
}

#[test]
fn a_timeout_height_is_the_last_block_that_runs_it() {
    for (timeout, expected) in [(2, 0), (1, 30)] {
        let mut chain = chain(100, Limits::default());
        assert_eq!(code(chain.broadcast(sign(vec![send(1, 1)], 0, 1, timeout))), 0);
        chain.make_block();
        assert_eq!(chain.height, 2);
        assert_eq!(results(&chain)[0].0, expected, "timeout {timeout}");
        // What the checks of the block refuse costs neither fee nor sequence.
        let sequence = chain.machine.ledger.account(id(1).as_ref()).unwrap().sequence;
        assert_eq!(sequence, u64::from(expected == 0));
    }
}

#[test]
fn waiting_fees_count_against_the_balance() {
    let mut chain = chain(100, Limits::default());
    assert_eq!(code(chain.broadcast(sign(vec![send(1, 1)], 0, 60, 0))), 0);
    assert_eq!(code(chain.broadcast(sign(vec![send(1, 1)], 1, 41, 0))), 5);
    assert_eq!(code(chain.broadcast(sign(vec![send(1, 1)], 1, 40, 0))), 0);
    chain.make_block();
    // The first took 61, so the fee of the second was no longer there.
    let log = "spendable balance 39ucosm is smaller than 40ucosm: insufficient funds";
    assert_eq!(results(&chain), [(0, String::new()), (5, log.to_owned())]);
}

#[test]
fn a_full_block_leaves_the_rest_waiting() {
    let limits = Limits { block_txs: 1, ..Limits::default() };
    let mut chain = chain(100, limits);
    for sequence in 0..3 {
        assert_eq!(code(chain.broadcast(sign(vec![send(1, 1)], sequence, 1, 0))), 0);
    }
    for left in [2, 1, 0] {
        chain.make_block();
        assert_eq!(results(&chain), [(0, String::new())]);
        assert_eq!(chain.mempool.load().0, left);
    }
    chain.make_block();
    assert!(results(&chain).is_empty());
}

#[test]
fn a_full_mempool_refuses() {
    let limits = Limits { mempool_txs: 1, ..Limits::default() };
    let mut chain = chain(100, limits);
    assert_eq!(code(chain.broadcast(sign(vec![send(1, 1)], 0, 1, 0))), 0);
    let Broadcast::Refused { reason } = chain.broadcast(sign(vec![send(1, 1)], 1, 1, 0)) else {
        panic!("taken");
    };
    assert!(reason.starts_with("mempool is full: number of txs 1 (max: 1)"), "{reason}");
}

#[test]
fn a_transaction_that_failed_may_be_sent_again_and_one_that_passed_may_not() {
    let mut chain = chain(100, Limits::default());
    let failing = sign(vec![send(1, 1_000)], 0, 1, 0);
    let passing = sign(vec![send(1, 1)], 1, 1, 0);
    assert_eq!(code(chain.broadcast(failing.clone())), 0);
    assert_eq!(code(chain.broadcast(passing.clone())), 0);
    chain.make_block();
    assert_eq!(results(&chain)[0].0, 5);
    assert_eq!(code(chain.broadcast(failing)), 32);
    assert!(matches!(chain.broadcast(passing), Broadcast::Refused { .. }));
}

#[test]
fn the_state_hash_changes_with_the_state_only() {
    let mut chain = chain(100, Limits::default());
    let before = Arc::clone(&chain.tip.app_hash);
    chain.make_block();
    assert_eq!(chain.tip.app_hash, before);
    assert_eq!(code(chain.broadcast(sign(vec![send(1, 1)], 0, 1, 0))), 0);
    chain.make_block();
    assert_ne!(chain.tip.app_hash, before);
}

#[test]
fn shapes_that_the_devnet_does_not_take_are_refused() {
    let mut chain = chain(100, Limits::default());
    let two = sign(vec![send(1, 1), send(3, 1)], 0, 1, 0);
    assert_eq!(code(chain.broadcast(two)), 37);

    let change = |change: fn(&mut TxRaw)| {
        let bytes = sign(vec![send(1, 1)], 0, 1, 0);
        let mut raw = TxRaw::decode(bytes.as_slice()).unwrap();
        change(&mut raw);
        raw.encode_to_vec()
    };
    let none = change(|raw| raw.signatures.clear());
    assert_eq!(code(chain.broadcast(none)), 15);
    let more = change(|raw| raw.signatures.push(vec![0; 64]));
    assert_eq!(code(chain.broadcast(more)), 4);
    let high = change(|raw| {
        let signature = Signature::from_slice(&raw.signatures[0]).unwrap();
        let (r, s) = signature.split_scalars();
        let high = Signature::from_scalars(r, -*s).unwrap();
        raw.signatures[0] = high.to_vec();
    });
    assert_eq!(code(chain.broadcast(high)), 4, "a high s is refused");
    assert_eq!(code(chain.broadcast(in_mode(2).encode_to_vec())), 37, "textual mode");
    assert_eq!(code(chain.broadcast(change(|_| {}))), 0);
}

/// A transaction that says another sign mode than the one that its signature is of.
fn in_mode(mode: i32) -> TxRaw {
    let bytes = sign(vec![send(1, 1)], 0, 1, 0);
    let mut raw = TxRaw::decode(bytes.as_slice()).unwrap();
    let mut auth = AuthInfo::decode(raw.auth_info_bytes.as_slice()).unwrap();
    auth.signer_infos[0].mode_info = Some(ModeInfo { sum: Some(Sum::Single(Single { mode })) });
    raw.auth_info_bytes = auth.encode_to_vec();
    raw
}

#[test]
fn a_wallet_that_knows_amino_only_can_sign() {
    let mut chain = chain(100, Limits::default());
    let mut raw = in_mode(127);
    assert_eq!(code(chain.broadcast(raw.encode_to_vec())), 4, "signed in direct mode");
    let tx = ante::decode(raw.encode_to_vec()).unwrap_or_else(|error| panic!("{}", error.log));
    let ante = Ante {
        mode: Mode::Check,
        chain_id: "unit-1",
        time_nanos: 0,
        height: 1,
        bech32_prefix: "wasm",
        fee_denom: "ucosm",
        gas_price_min_milli: 0,
    };
    let standing = ante::Standing { number: 0, sequence: 0, public_key: None, balance: vec![] };
    let document = crate::amino::sign_doc(&tx, &ante, &standing).unwrap();
    raw.signatures = vec![key(1).sign(&document).unwrap().to_vec()];
    assert_eq!(code(chain.broadcast(raw.encode_to_vec())), 0);
}

#[test]
fn a_hundred_thousand_blocks_are_made_at_once() {
    let mut chain = chain(100, Limits::default());
    let changed = chain.height;
    chain.advance(100_000, 50_000);
    assert_eq!(chain.height, changed + 100_000);
    let (height, tip) = chain.blocks.tip();
    assert_eq!(height, chain.height);
    assert_eq!(tip.time_nanos, 50_001_000_000_000);
    assert_eq!(chain.machine.app.block_info().height, height);
    assert_eq!(chain.history.latest(), height);
}

#[test]
fn chain_time_always_grows() {
    let clock = Clock { genesis_nanos: 1_000, started: Instant::now(), skipped: Duration::from_nanos(500) };
    assert!(clock.after(0) >= 1_500);
    let ahead = 1 << 60;
    assert_eq!(clock.after(ahead), ahead + 1);
}
