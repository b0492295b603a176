//! Honest trades satisfy the circuit.

use tsz_air::{Tamper, assert_degrees};
use tsz_stark::{Profile, setup};

use super::world::*;
use crate::class::Counts;
use crate::prove::public_values;

#[test]
fn accepts_every_kind_of_trade() {
    let world = every_trade();
    judge(&world.witness()).unwrap();
}

#[test]
fn accepts_one_trade() {
    let mut world = World::new();
    world.apply(world.trade(0, 10, 1_000));
    judge(&world.witness()).unwrap();
}

#[test]
fn accepts_an_empty_range() {
    let witness = World::new().witness();
    assert_eq!(witness.claim.start, witness.claim.end);
    judge(&witness).unwrap();
}

#[test]
fn no_constraint_exceeds_degree_3() {
    let pk = setup(SMALL.circuit(Profile::Base)).unwrap();
    println!("{}", tsz_air::report(pk.vk().tables()));
    assert_degrees(pk.vk().tables());
}

/// Witnesses that only some cases use; in the others any value does.
const CONDITIONAL: &[&str] = &[
    "order order.rate_inv",
    "order order.max_maker_inv",
    "order extra.insurance_inv",
    "order extra.trigger_inv",
    "perp meeting.own_inv",
    "perp meeting.slot_inv",
    "perp taker.slot.rest_inv",
    "perp maker.slot.rest_inv",
    "perp head",
    "perp next_account",
    "perp taker.leg.flat_before_inv",
    "perp maker.leg.flat_before_inv",
    "perp taker.leg.flat_after_inv",
    "perp maker.leg.flat_after_inv",
    "perp taker.leg.negative_inv",
    "perp maker.leg.negative_inv",
    // a self-trade moves nothing, an unpaid broker has no cell
    "perp taker.leg.short_before",
    "perp maker.leg.short_before",
    "perp taker.leg.negative_before",
    "perp maker.leg.negative_before",
    "perp taker.share_cell.old_negative",
    "perp maker.share_cell.old_negative",
    "perp fee_cell.old_negative",
    "perp interest.moves_carry",
    // without a fee and a broker there is nothing to tell
    "perp maker.is_rebate",
    "perp taker.leg.mask",
    "perp maker.leg.mask",
    "perp taker.leg.last",
    "perp maker.leg.last",
    "perp taker.leg.last_negative",
    "perp maker.leg.last_negative",
    "perp taker.share_cell.pos_count",
    "perp maker.share_cell.pos_count",
    "perp fee_cell.pos_count",
    "perp taker.share_cell.sum_inv",
    "perp maker.share_cell.sum_inv",
    "perp fee_cell.sum_inv",
    "judge others_inv",
    "market imf_inv",
    // a judgement without a market of its own has no tiers
    "judge before.tier.prev",
    "judge before.tier.bound",
    "judge before.tier.fractions",
    "judge before.tier.is_beyond",
    "judge after.tier.prev",
    "judge after.tier.bound",
    "judge after.tier.fractions",
    "judge after.tier.is_beyond",
    "judge mask_inv",
    "worth age.mark_inv",
    "margin_transfer signer.account_inv",
    "margin_transfer held_inv",
    "margin_transfer sign.sum_inv",
    // an exit that is refused moves nothing, and tells only its reason
    "margin_exit at",
    "margin_exit balance.carries",
    "margin_exit collateral",
    "margin_exit mask",
    "margin_exit negative",
    "margin_exit other_invs",
    "margin_exit owner.weights",
    "margin_exit positions_inv",
    "margin_exit tokens",
];

#[test]
fn every_cell_is_constrained() {
    let world = every_trade();
    let witness = world.witness();
    let airs = SMALL.circuit(Profile::Base).airs;
    let counts = Counts::of(&world.params, &world.records).unwrap();
    let mut rows = vec![1, counts.orders, counts.trades, counts.transfers, counts.exits];
    rows.extend([counts.markets, counts.rules, counts.collateral]);
    rows.extend(counts.margin);
    rows.resize(airs.len(), 0);
    let publics = public_values(&witness.claim, airs.len());
    let tamper = Tamper {
        airs: &airs,
        traces: &witness.traces,
        public_values: &publics,
        real_rows: &rows,
        trials: 96,
        seed: 7,
    };
    let (mut bad, mut needless) = (Vec::new(), CONDITIONAL.to_vec());
    for r in tamper.columns().into_iter().filter(|r| r.trials > 0) {
        let column = r.column.split('[').next().unwrap_or_default();
        let name = format!("{} {column}", r.table);
        if r.noticed < r.trials {
            needless.retain(|other| *other != name);
        }
        if r.noticed == 0 || r.noticed < r.trials && !CONDITIONAL.contains(&name.as_str()) {
            bad.push(format!("{} {}: {} of {}", r.table, r.column, r.noticed, r.trials));
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
    assert!(needless.is_empty(), "listed, but always noticed: {needless:#?}");
}
