//! Blocks that are sound by themselves and follow nothing.

use super::*;

/// Blocks that are in order by themselves and must not follow the trusted one.
pub(super) fn order_lies() -> Vec<(&'static str, Reason)> {
    let forged_next =
        Plan { voters: Box::new(|height| voters(if height < 11 { 0 } else { 900 }, 4)), ..Plan::new() };
    let honest = Plan::new().make();
    let step_from = |begun, from: u64, chain: &Chain, to: u64, now| {
        let sources = [Node::honest("a", &honest), Node::honest("b", &honest)];
        let light =
            run(concord_prove::Light::begin(&sources, CHAIN_ID, honest.anchor(from), "", terms(), begun));
        let light = light.verdict.proved().unwrap();
        let block = run(concord_prove::light_block(&Node::honest("x", chain), to)).unwrap();
        verify_alone(&block).unwrap();
        concord_prove::verify_header(light.latest(), &block, &terms(), now)
    };
    let step = |from: u64, chain: &Chain, to: u64, now| step_from(now, from, chain, to, now);
    let late = (honest.header(1).time + terms().trusting()).unwrap();
    let refused = |step: Result<concord_prove::Step, Reason>| step.unwrap_err();
    vec![
        (
            "the same height",
            refused(step(10, &Plan { salt: (10, 1), late: 1, ..Plan::new() }.make(), 10, after(40))),
        ),
        ("a lower height, later", refused(step(10, &Plan { late: 1, ..Plan::new() }.make(), 9, after(40)))),
        ("a lower height", refused(step(10, &honest, 9, after(40)))),
        ("the trusted one again", refused(step(10, &honest, 10, after(40)))),
        ("from a trusted one that is too old", refused(step_from(after(1), 1, &honest, 40, late))),
        ("other validators right after", refused(step(10, &forged_next.make(), 11, after(40)))),
    ]
}
