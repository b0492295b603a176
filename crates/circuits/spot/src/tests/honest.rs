//! Honest trades satisfy the circuit.

use tsz_air::{Tamper, assert_degrees};
use tsz_stark::{Profile, setup};

use super::world::*;
use crate::class::Counts;
use crate::prove::public_values;
use crate::record::SpotRecord;

#[test]
fn accepts_every_kind_of_trade() {
    let world = every_trade();
    judge(&world.witness()).unwrap();
}

#[test]
fn accepts_an_empty_range() {
    let witness = World::new().witness();
    assert_eq!(witness.claim.start, witness.claim.end);
    judge(&witness).unwrap();
}

#[test]
fn an_order_that_is_filled_often_is_hashed_once() {
    let world = every_trade();
    let counts = Counts::of(world.params.spots.len(), world.records.iter().map(SpotRecord::parts));
    assert_eq!(counts.trades, world.records.len());
    assert!(counts.orders < 2 * counts.trades);
    assert!(SMALL.holds(&counts));
}

#[test]
fn no_constraint_exceeds_degree_3() {
    let pk = setup(SMALL.circuit(Profile::Base)).unwrap();
    println!("{}", tsz_air::report(pk.vk().tables()));
    assert_degrees(pk.vk().tables());
}

/// Witnesses that only some cases use; in the others any value does.
const CONDITIONAL: [&str; 29] = [
    "order order.nonce_inv",
    "order extra.insurance_inv",
    "order order.rate_inv",
    "spot taker.slot.rest_inv",
    "spot maker.slot.rest_inv",
    "order order.max_maker_inv",
    "spot meeting.own_inv",
    "spot meeting.slot_inv",
    "spot head",
    "spot next_account",
    "spot taker.distance.lo",
    "spot taker.distance.hi",
    "spot maker.distance.lo",
    "spot maker.distance.hi",
    // a self-trade moves no balance, an unpaid broker has no cell
    "spot taker.paid.new",
    "spot taker.paid.carries",
    "spot maker.paid.new",
    "spot maker.paid.carries",
    "spot taker.received.new",
    "spot taker.received.carries",
    "spot maker.received.new",
    "spot maker.received.carries",
    "spot taker.fee_cell.new",
    "spot taker.fee_cell.carries",
    "spot maker.fee_cell.new",
    "spot maker.fee_cell.carries",
    "spot taker.share_cell.carries",
    "spot maker.share_cell.carries",
    "spot taker.share_cell.new",
];

#[test]
fn every_cell_is_constrained() {
    let world = every_trade();
    let witness = world.witness();
    let airs = SMALL.circuit(Profile::Base).airs;
    let counts = Counts::of(world.params.spots.len(), world.records.iter().map(SpotRecord::parts));
    let mut rows = vec![1, counts.markets, counts.orders, counts.trades];
    rows.resize(airs.len(), 0);
    let publics = public_values(&witness.claim, airs.len());
    let tamper = Tamper {
        airs: &airs,
        traces: &witness.traces,
        public_values: &publics,
        real_rows: &rows,
        trials: 128,
        seed: 7,
    };
    let mut bad = Vec::new();
    for r in tamper.columns().into_iter().filter(|r| r.trials > 0) {
        let column = r.column.split('[').next().unwrap_or_default();
        let conditional = CONDITIONAL.contains(&format!("{} {column}", r.table).as_str());
        if r.noticed == 0 || r.noticed < r.trials && !conditional {
            bad.push(format!("{} {}: {} of {}", r.table, r.column, r.noticed, r.trials));
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
}
