use super::*;

const EXECUTE: &str = "/cosmwasm.wasm.v1.MsgExecuteContract";
const SEND: &str = "/cosmos.bank.v1beta1.MsgSend";
const NOW: u64 = 1_700_000_000 * NANOS;

fn fee(amount: u128) -> Vec<Coin> {
    vec![Coin::new(amount, "ucosm")]
}

/// 100 in 60 s, 250 in total, until 1,000 s from now, for contract calls.
fn allowance() -> Allowance {
    Allowance {
        total: Some(fee(250)),
        ends_nanos: Some(NOW + 1_000 * NANOS),
        period: Some(Period { length_nanos: 60 * NANOS, limit: fee(100), left: fee(100), reset_nanos: 0 }),
        messages: Some(vec![EXECUTE.to_owned()]),
    }
}

fn spend(allowance: &Allowance, amount: u128, seconds: u64) -> Result<Rest, u32> {
    let types = [EXECUTE].into_iter();
    allowance.clone().spend(&fee(amount), NOW + seconds * NANOS, types).map_err(|error| error.code)
}

#[test]
fn every_kind_reads_back_as_it_was_written() {
    let whole = allowance();
    for allowance in [
        Allowance { messages: None, ..whole.clone() },
        Allowance { period: None, messages: None, ..whole.clone() },
        Allowance { total: None, ends_nanos: None, ..whole.clone() },
        whole,
    ] {
        assert_eq!(Allowance::decode(&allowance.encode()).unwrap(), allowance);
    }
}

#[test]
fn a_period_bounds_what_is_spent_and_then_begins_anew() {
    let first = spend(&allowance(), 100, 0).unwrap().unwrap();
    assert_eq!(spend(&first, 1, 59), Err(2), "the period began with the first fee");
    let second = spend(&first, 100, 60).unwrap().unwrap();
    // 50 of the total are left, which is less than a period's bound.
    assert_eq!(spend(&second, 51, 200), Err(2));
    assert_eq!(spend(&second, 50, 200), Ok(None), "a total that is used up ends the grant");
    assert_eq!(spend(&allowance(), 101, 0), Err(2));
}

#[test]
fn a_period_that_was_idle_begins_with_the_next_fee() {
    let first = spend(&allowance(), 1, 0).unwrap().unwrap();
    let reset = |allowance: &Allowance| allowance.period.as_ref().unwrap().reset_nanos - NOW;
    assert_eq!(reset(&first), 60 * NANOS);
    assert_eq!(reset(&spend(&first, 1, 61).unwrap().unwrap()), 120 * NANOS);
    assert_eq!(reset(&spend(&first, 1, 121).unwrap().unwrap()), 181 * NANOS);
}

#[test]
fn the_end_is_its_last_moment_and_other_messages_are_refused() {
    assert!(spend(&allowance(), 1, 1_000).is_ok());
    assert_eq!(spend(&allowance(), 1, 1_001), Err(3));
    let types = [EXECUTE, SEND].into_iter();
    assert_eq!(allowance().spend(&fee(1), NOW, types).unwrap_err().code, 7);
    let other = allowance().spend(&[Coin::new(1_u128, "uother")], NOW, [EXECUTE].into_iter());
    assert_eq!(other.unwrap_err().code, 2, "another coin is none of the bound");
}

#[test]
fn grants_are_added_once_and_swept_when_they_are_over() {
    let mut grants = Grants::default();
    assert_eq!(grants.add("a", "a", allowance(), NOW).unwrap_err().code, 7);
    grants.add("a", "b", allowance(), NOW).unwrap();
    assert_eq!(grants.add("a", "b", allowance(), NOW).unwrap_err().code, 18);
    assert_eq!(grants.add("a", "c", allowance(), NOW + 1_001 * NANOS).unwrap_err().code, 18);
    grants.sweep(NOW + 999 * NANOS);
    assert!(grants.find("a", "b").is_some());
    grants.sweep(NOW + 1_000 * NANOS);
    assert_eq!(grants.remove("a", "b").unwrap_err().code, 38);
}

#[test]
fn what_bounds_nothing_is_no_allowance() {
    let any = |type_url: &str, value: Vec<u8>| Any { type_url: type_url.to_owned(), value };
    let periodic = |change: fn(&mut PeriodicAllowance)| {
        let inner = Allowance { messages: None, ..allowance() }.encode();
        let mut periodic = PeriodicAllowance::decode(inner.value.as_slice()).unwrap();
        change(&mut periodic);
        any(PERIODIC, periodic.encode_to_vec())
    };
    let table = [
        (any("/x", vec![]), 2),
        (any(ALLOWED, vec![]), 5),
        (periodic(|periodic| periodic.period_spend_limit.clear()), 10),
        (periodic(|periodic| periodic.period_spend_limit[0].denom = "uother".into()), 10),
        (periodic(|periodic| periodic.period_spend_limit[0].amount = "0".into()), 10),
        (periodic(|periodic| periodic.period.as_mut().unwrap().seconds = -1), 4),
        (
            any(
                ALLOWED,
                AllowedMsgAllowance { allowance: Some(allowance().encode()), allowed_messages: vec![] }
                    .encode_to_vec(),
            ),
            6,
        ),
    ];
    for (any, code) in table {
        assert_eq!(Allowance::decode(&any).unwrap_err().code, code, "{any:?}");
    }
}
