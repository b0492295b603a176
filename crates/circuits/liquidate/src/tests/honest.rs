//! Honest takeovers satisfy the circuit.

use tsz_air::{Tamper, assert_degrees};
use tsz_stark::{Profile, setup};

use super::world::*;
use crate::Class;
use crate::class::Counts;
use crate::prove::public_values;

#[test]
fn accepts_every_kind_of_takeover() {
    let world = every_takeover();
    judge(&world.try_witness().unwrap()).unwrap();
    let counts = Counts::of(&world.params, &world.records).unwrap();
    assert_eq!(Class::fitting(&counts).map(|class| class.name), Some("small"));
}

#[test]
fn accepts_every_kind_of_liquidation() {
    judge(&every_liquidation().try_witness().unwrap()).unwrap();
}

#[test]
fn accepts_every_kind_of_forced_close() {
    judge(&every_demand().try_witness().unwrap()).unwrap();
}

#[test]
fn accepts_an_empty_range() {
    let witness = World::new().try_witness().unwrap();
    assert_eq!(witness.claim.start, witness.claim.end);
    judge(&witness).unwrap();
}

#[test]
fn no_constraint_exceeds_degree_3() {
    let pk = setup(SMALL.circuit(Profile::Base)).unwrap();
    println!("{}", tsz_air::report(pk.vk().tables()));
    assert_degrees(pk.vk().tables());
}

/// Witnesses that only some ops use; in the others any value does.
const CONDITIONAL: &[&str] = &[
    "order order.max_maker_inv",
    "order order.rate_inv",
    "order extra.trigger_inv",
    "order extra.insurance_inv",
    "takeover high_inv",
    "takeover target.flat_after_inv",
    "takeover insurance.flat_before_inv",
    "takeover insurance.flat_after_inv",
    "takeover target.negative_inv",
    "takeover insurance.negative_inv",
    "takeover insurance.last",
    "takeover target.positions_inv",
    "takeover insurance.positions_inv",
    "takeover insurance.last_negative",
    // a forced close has no zero quote, one that is tested no lot less
    "close figures.tav",
    "close figures.required",
    "close figures.mmf",
    "close figures.initial",
    "close gain",
    "close fewer",
    "close left",
    "close step",
    "close party.flat_after_inv",
    "close party.positions_inv",
    "close party.negative_inv",
    "close terms.bare_inv",
    "close maker.slot.rest_inv",
    "close maker.is_rebate",
    "close maker.leg.flat_before_inv",
    "close maker.leg.flat_after_inv",
    "close maker.leg.negative_inv",
    "close maker.leg.bare_inv",
    "close maker.leg.last",
    "close maker.leg.last_negative",
    // who is not paid has no cell
    "close maker.share_cell.old_negative",
    "close maker.share_cell.pos_count",
    "close maker.share_cell.sum_inv",
    "close fee_cell.sum_inv",
    "close insurance_cell.old_negative",
    "close insurance_cell.pos_count",
    "close insurance_cell.sum_inv",
    "close head",
    "close next_account",
    // a request that is refused reads only as far as its reason
    "forced lots_inv",
    "forced owner.weights",
    "forced price.market",
    "forced price.index",
    "forced price.mark",
    "forced price.ts",
    "forced price.funding",
    "forced price.funding_negative",
    "forced price.hour",
    "forced price.status",
    "forced price.qm",
    "forced price.is_settled",
    "forced price.unit_long",
    "forced price.usable",
    "forced listed.market",
    "forced listed.status",
    "forced listed.taker_cap",
    "forced listed.maker_cap",
    "forced listed.oi_cap",
    "forced listed.liquidation_fee",
    "forced listed.band",
    "forced status_inv",
    "forced is_short",
    "forced last",
    "forced last_negative",
    "forced collateral",
    "forced negative",
    "forced mask",
    "forced huge_inv",
    "forced cap.prev",
    "forced cap.bound",
    "forced cap.fractions",
    "forced edge_inv",
    "forced figures.tav",
    "forced figures.required",
    "forced figures.mmf",
    "forced figures.initial",
    "market imf_inv",
    "judge mask_inv",
    "judge others_inv",
    "target mask_inv",
    "target others_inv",
];

#[test]
fn every_cell_is_constrained() {
    let world = everything();
    let witness = world.try_witness().unwrap();
    let airs = SMALL.circuit(Profile::Base).airs;
    let counts = Counts::of(&world.params, &world.records).unwrap();
    let mut rows = vec![0; airs.len()];
    rows[1] = counts.orders;
    rows[2..5].copy_from_slice(&counts.ops);
    rows[5] = counts.lists[0];
    rows[11] = counts.margin[3];
    rows[15..17].copy_from_slice(&counts.targets);
    rows[17] = counts.minimals;
    let publics = public_values(&witness.claim, airs.len());
    let tamper = Tamper {
        airs: &airs,
        traces: &witness.traces,
        public_values: &publics,
        real_rows: &rows,
        trials: 128,
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
    println!("always noticed: {needless:?}");
}
