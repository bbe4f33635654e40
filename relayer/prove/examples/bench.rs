//! Measures what is promised of the prover: one JSON object a figure on standard output, as `relayer/examples/bench` does.
//! `cargo run --release -p concord-prove --example bench`. The exit code is 1 when a figure misses its bar.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a bench that cannot go on says so"
)]

#[path = "../tests/prove/maker.rs"]
#[expect(dead_code, reason = "the tests make more kinds of chains")]
mod maker;
#[path = "../tests/prove/tree.rs"]
mod tree;

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use concord_prove::{
    Block, ProvedAnswer, Question, Root, Shown, StateKey, Step, Terms, Time, Trusted, read_commit,
    read_validators, read_value, verify_header, verify_value,
};
use serde_json::{Value, json};

use maker::{CONTRACT, Chain, Plan, key, time_at, voters};

const SKIP: u64 = 1_000;
/// Each figure is the median of so many runs.
const RUNS: usize = 101;

fn main() -> ExitCode {
    let mut missed = Vec::new();
    for (name, validators, bar_ms) in [("light_skip_4", 4, 0.25), ("light_skip_180", 180, 20.0)] {
        let ms = skip(validators);
        let what =
            format!("verify_header over {SKIP} headers, {validators} validators, every signature verified");
        show(&mut missed, name, ms, "ms", &what, bar_ms);
    }
    let chain = Plan { heights: 2, state: Box::new(|_| pairs()), ..Plan::new() }.make();
    for (name, own) in [("proof_presence", b"k\x10\x00"), ("proof_absence", b"k\x10\x01")] {
        let what = "verify_value in a made tree of 16,384 keys, two proofs";
        show(&mut missed, name, proof(&chain, own), "us", what, 50.0);
    }
    // The real ones, with the tree as deep as a young chain's.
    let text = include_str!("../tests/fixtures/skip.json");
    let file: Value = serde_json::from_str(text).unwrap();
    show(
        &mut missed,
        "light_skip_real",
        real_skip(&file),
        "ms",
        "wasmd 0.61.14, 4 validators, 1,001 headers",
        0.25,
    );
    for (name, place) in [("proof_presence_real", 0), ("proof_absence_real", 2)] {
        show(&mut missed, name, real_proof(&file, place), "us", "wasmd 0.61.14, verify_value", 50.0);
    }
    for why in &missed {
        eprintln!("bench: {why}");
    }
    if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn show(missed: &mut Vec<String>, name: &str, value: f64, unit: &str, what: &str, bar: f64) {
    let value = (value * 1_000.0).round() / 1_000.0;
    println!("{}", json!({"name": name, "value": value, "unit": unit, "what": what}));
    if value > bar {
        missed.push(format!("{name} is {value} {unit}, expected at most {bar}"));
    }
}

fn median(mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[RUNS / 2]
}

fn pairs() -> tree::Pairs {
    (0..16_384_u16).map(|n| (key(&[b"k", &(n * 2).to_be_bytes()[..]].concat()), vec![b'v'; 200])).collect()
}

fn terms() -> Terms {
    Terms::new(14 * 86_400, 10).unwrap()
}

fn trusted(block: &Block) -> Trusted {
    // A block whose parent is itself verified: what the driver holds after its first step.
    let text = json!({
        "header": block.header(),
        "next_validators": block_validators(block),
    });
    serde_json::from_value(text).unwrap()
}

fn block_validators(block: &Block) -> Value {
    serde_json::to_value(block).unwrap()["next_validators"].clone()
}

fn skip(validators: u32) -> f64 {
    let plan = Plan {
        voters: Box::new(move |_| voters(0, validators)),
        heights: SKIP + 1,
        state: Box::new(|_| vec![(key(b"tip"), b"0".to_vec())]),
        ..Plan::new()
    };
    let chain = plan.make();
    let block = |height| block(height, &|question| chain.answer(question.body()));
    verify(&block(1), &block(SKIP + 1), time_at(SKIP + 2))
}

fn verify(from: &Block, to: &Block, now: Time) -> f64 {
    let trusted = trusted(from);
    let time = median(|| {
        let step = verify_header(black_box(&trusted), black_box(to), &terms(), now).unwrap();
        assert!(matches!(step, Step::Verified(_)));
    });
    time.as_secs_f64() * 1e3
}

fn proof(chain: &Chain, own: &[u8]) -> f64 {
    let asked = StateKey::contract(&CONTRACT, own);
    let body = chain.answer(asked.question(1).body());
    let root = Root {
        height: 2,
        time: time_at(2),
        app_hash: chain.header(2).app_hash.as_bytes().try_into().unwrap(),
    };
    prove(&body, &asked, &root)
}

fn prove(body: &str, asked: &StateKey, root: &Root) -> f64 {
    let Shown::Answer(answer) = read_value(body.as_bytes(), asked.bytes(), root.state_height()).unwrap()
    else {
        panic!("the state is there")
    };
    let answer: ProvedAnswer = answer;
    let time = median(|| {
        black_box(verify_value(black_box(&answer), asked, root).unwrap());
    });
    time.as_secs_f64() * 1e6
}

/// A block from the answers about it.
fn block(height: u64, answer: &dyn Fn(&Question) -> String) -> Block {
    let set = |height: u64| {
        let mut members = Vec::new();
        for number in 1.. {
            let body = answer(&Question::validators(height, number));
            let page = read_validators(body.as_bytes(), height).unwrap();
            members.extend(page.members);
            if members.len() == page.total {
                break;
            }
        }
        members
    };
    let signed = read_commit(answer(&Question::commit(height)).as_bytes(), height).unwrap();
    Block::told(signed, set(height), set(height + 1)).unwrap()
}

fn real_block(file: &Value, height: u64) -> Block {
    block(height, &|question| file["answers"][question.name()].to_string())
}

fn real_skip(file: &Value) -> f64 {
    let to = file["to"].as_u64().unwrap();
    let now = Time::parse_from_rfc3339(file["now"].as_str().unwrap()).unwrap();
    verify(&real_block(file, 2), &real_block(file, to), now)
}

fn real_proof(file: &Value, place: usize) -> f64 {
    let read = &file["reads"][place];
    let asked = StateKey::raw("wasm", &hex::decode(read["key"].as_str().unwrap()).unwrap()).unwrap();
    let to = file["to"].as_u64().unwrap();
    let header = real_block(file, to).header().clone();
    let root =
        Root { height: to, time: header.time, app_hash: header.app_hash.as_bytes().try_into().unwrap() };
    let name = asked.question(to - 1).name();
    prove(&file["answers"][name].to_string(), &asked, &root)
}
