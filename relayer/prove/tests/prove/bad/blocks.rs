//! Lies about blocks.

use super::*;

/// Lies about blocks, told on the way from height 1 to 40 of one chain.
pub(super) fn block_lies(chain: &Chain, scene: &Scene) -> Vec<Case> {
    let (commit, set) = ("commit-40", "validators-40-1");
    let of = |name: &str| scene.answers[name].clone();
    let case =
        |what, about: &str, expected, lie: String| Case { what, about: about.to_owned(), lie, expected };
    let commit_of = |chain: &Chain, height| chain.answer(Question::commit(height).body());
    let error = |data: &str| {
        json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32603, "message": "Internal error", "data": data}}).to_string()
    };
    let signatures = |change: fn(&mut Vec<Value>)| {
        edit(&of(commit), |result| {
            change(result["signed_header"]["commit"]["signatures"].as_array_mut().unwrap());
        })
    };
    let members = |change: fn(&mut Vec<Value>)| {
        edit(&of(set), |result| {
            change(result["validators"].as_array_mut().unwrap());
            let count = result["validators"].as_array().unwrap().len();
            result["total"] = json!(count.to_string());
        })
    };
    let forged = Plan { voters: Box::new(|_| voters(900, 4)), ..Plan::new() }.make();
    let foreign = Plan { id: "made-2", ..Plan::new() }.make();
    vec![
        case("an older block", commit, "header_height", commit_of(chain, 39)),
        case(
            "a newer block",
            commit,
            "header_height",
            commit_of(&Plan { heights: 41, ..Plan::new() }.make(), 41),
        ),
        case("a block of other validators", commit, "validators_hash", commit_of(&forged, 40)),
        case("a block of another chain", commit, "chain_id", commit_of(&foreign, 40)),
        case("pruned", commit, "block_pruned", error("height 40 is not available, lowest height is 99")),
        case(
            "ahead",
            commit,
            "ahead",
            error("height 40 must be less than or equal to the current blockchain height 39"),
        ),
        case("an error", commit, "refused", error("out of luck")),
        case("half an answer", commit, "truncated", of(commit)[..of(commit).len() / 2].to_owned()),
        case("all but the last byte", commit, "truncated", of(commit)[..of(commit).len() - 1].to_owned()),
        case("nothing", commit, "truncated", String::new()),
        case("a page of html", commit, "malformed", "<html>502</html>".to_owned()),
        case("neither result nor error", commit, "malformed", r#"{"jsonrpc":"2.0","id":1}"#.to_owned()),
        case("no signed header", commit, "malformed", edit(&of(commit), |result| *result = json!({}))),
        case("too much", commit, "oversize", " ".repeat(concord_prove::BLOCK_BYTES_MAX + 1)),
        case("one signature left out", commit, "commit_length", signatures(|all| drop(all.pop()))),
        case("one signature more", commit, "commit_length", signatures(|all| all.push(all[0].clone()))),
        case("no signatures", commit, "commit_empty", signatures(Vec::clear)),
        case("only absences", commit, "commit_empty", signatures(|all| all.fill(absent_entry()))),
        case("half the signatures", commit, "power", signatures(|all| all[2..].fill(absent_entry()))),
        case("one signer twice", commit, "signer_twice", signatures(|all| all[1] = all[0].clone())),
        case("two signers swapped", commit, "signer_place", signatures(|all| all.swap(0, 1))),
        case(
            "two signatures swapped",
            commit,
            "signature",
            signatures(|all| {
                let one = all[0]["signature"].take();
                all[0]["signature"] = all[1]["signature"].take();
                all[1]["signature"] = one;
            }),
        ),
        case(
            "a signature of zeros",
            commit,
            "signature",
            signatures(|all| all[3]["signature"] = json!(BASE64.encode([0; 64]))),
        ),
        case(
            "a signature cut short",
            commit,
            "malformed",
            signatures(|all| all[3]["signature"] = json!(BASE64.encode([1; 65]))),
        ),
        case("a validator left out", set, "validators_hash", members(|all| drop(all.pop()))),
        case("a validator twice", set, "validator_twice", members(|all| all[1] = all[0].clone())),
        case(
            "a validator of no power",
            set,
            "validator_power",
            members(|all| all[1]["voting_power"] = json!("0")),
        ),
        case("a negative power", set, "malformed", members(|all| all[1]["voting_power"] = json!("-1"))),
        case(
            "powers beyond all bounds",
            set,
            "validator_power",
            members(|all| {
                all.iter_mut().for_each(|one| one["voting_power"] = json!(i64::MAX.to_string()));
            }),
        ),
        case(
            "a page cut short",
            set,
            "validators_incomplete",
            edit(&of(set), |result| drop(result["validators"].as_array_mut().unwrap().pop())),
        ),
        case(
            "a page too long",
            set,
            "validators_incomplete",
            edit(&of(set), |result| result["total"] = json!("3")),
        ),
        case("no validators at all", set, "validators_hash", members(Vec::clear)),
        case("a crowd", set, "validators_too_many", edit(&of(set), |result| result["total"] = json!("1001"))),
        case(
            "a crowd on one page",
            set,
            "validators_too_many",
            members(|all| *all = vec![all[0].clone(); 101]),
        ),
        case(
            "validators of another height",
            set,
            "validators_height",
            chain.answer(Question::validators(39, 1).body()),
        ),
        case("other validators", set, "validators_hash", forged.answer(Question::validators(40, 1).body())),
        case(
            "a key of another kind",
            set,
            "malformed",
            members(|all| all[0]["pub_key"]["type"] = json!("tendermint/PubKeySecp256k1")),
        ),
        case("half a page", set, "truncated", of(set)[..of(set).len() / 2].to_owned()),
        case("another chain's status", "status", "chain_id", foreign.answer(Question::status().body())),
        case("a status cut short", "status", "truncated", of("status")[..40].to_owned()),
        case(
            "a status without catching_up",
            "status",
            "malformed",
            edit(&of("status"), |result| {
                drop(result["sync_info"].as_object_mut().unwrap().remove("catching_up"))
            }),
        ),
        case(
            "catching up",
            "status",
            "catching_up",
            edit(&of("status"), |result| result["sync_info"]["catching_up"] = json!(true)),
        ),
    ]
}

fn absent_entry() -> Value {
    json!({"block_id_flag": 1, "validator_address": "", "timestamp": "0001-01-01T00:00:00Z", "signature": null})
}
