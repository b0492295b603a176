//! Honest ops satisfy the circuit.

use tsz_air::assert_degrees;
use tsz_stark::{Profile, setup};
use tsz_trade::ops::{Adl, AdlRank};
use tsz_trade::{Party, Side};

use super::world::*;
use crate::Class;
use crate::class::Counts;

#[test]
fn accepts_every_kind_of_op() {
    let world = every_op();
    judge(&world.try_witness().unwrap()).unwrap();
    let counts = Counts::of(&world.params, &world.records).unwrap();
    assert_eq!(Class::fitting(&counts).map(|class| class.name), Some("small"), "{counts:?}");
}

#[test]
fn accepts_every_end_of_a_forced_liquidation() {
    let world = every_force();
    judge(&world.try_witness().unwrap()).unwrap();
    let counts = Counts::of(&world.params, &world.records).unwrap();
    assert_eq!(Class::fitting(&counts).map(|class| class.name), Some("small"), "{counts:?}");
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

/// Insurance in distress is closed without being asked.
#[test]
fn accepts_insurance_as_the_target() {
    let mut w = World::new();
    w.hold(Party::INSURANCE, 0, 500, 3);
    w.balance(0);
    w.set_tav(Party::INSURANCE, -7 * UNIT);
    w.deleverage(Party::INSURANCE, 0);
    // another sub-account of its account asks it
    w.hold(party(1, 1), 0, 500, 3);
    w.balance(0);
    w.set_tav(party(1, 1), -7 * UNIT);
    w.deleverage(party(1, 1), 0);
    assert_eq!(w.records.len(), 4);
    assert_eq!(verdict(&w), "nowhere");
}

/// Each reason of insurance: margin, too many positions, a notional of 2^56, the last tier.
#[test]
fn accepts_every_reason_of_insurance() {
    let target = party(2, 0);
    let rich = |w: &mut World| w.give(Party::INSURANCE, 1 << 88);
    // 32 positions
    let mut w = bankrupt();
    let market = w.params.perps[2].clone();
    w.params.perps.resize(40, market);
    w.context.params = w.params.hash();
    for m in 4..36 {
        w.set_price(m, 1_000, TIME);
        w.set_funding(m, 0);
        w.hold(Party::INSURANCE, m, 1, 0);
    }
    rich(&mut w);
    w.deleverage(target, 0);
    assert_eq!(verdict(&w), "nowhere");
    w.hold(Party::INSURANCE, 35, 0, 0);
    assert!(w.dry(w.rank(target, 0)).is_ok());
    assert!(
        w.dry(Adl { target, market: tsz_types::MarketId::new(0).unwrap(), counterparty: party(3, 0) })
            .is_err()
    );
    // beyond the last tier of 20,000,000
    let mut w = bankrupt();
    w.hold(Party::INSURANCE, 0, 19_500, 0);
    w.balance(0);
    rich(&mut w);
    w.deleverage(target, 0);
    assert_eq!(verdict(&w), "nowhere");
    // 2^56: lots of 1,000 * (2^20 - 3), whose tier ends at 2^71
    let mut w = World::new();
    w.hold(target, 2, 1 << 27, 0);
    w.balance(2);
    w.set_tav(target, -1);
    rich(&mut w);
    w.deleverage(target, 2);
    assert_eq!(verdict(&w), "nowhere");
}

/// A no-op asks no width of what is due that the ledger does not.
#[test]
fn accepts_a_no_op_whatever_the_target_has() {
    let mut w = bankrupt();
    w.hold(party(7, 0), 0, -5, 123);
    w.set_funding(0, 1 << 40); // what shorts are due
    w.balance(0);
    w.give(party(7, 0), (1 << 95) - 1);
    assert_eq!(w.forced(party(7, 0), 0), tsz_trade::TradeCode::NotBankrupt);
    assert_eq!(verdict(&w), "nowhere");
}

/// Prices count whatever their age, a page may have nobody, and what is listed may be older than the cell.
#[test]
fn accepts_rankings_at_the_last_prices() {
    let mut w = bankrupt();
    for m in 0..MARKETS {
        w.set_price(m, 1_000, TIME - 10_000_000);
    }
    w.apply(w.rank(party(2, 0), 0));
    let other = AdlRank { side: Side::Buy, class: 15, holders: vec![party(2, 0)], ..w.rank(party(2, 0), 0) };
    w.apply(other.clone());
    // over a ranking of other moves
    w.hold(party(7, 0), 0, 3, 0);
    w.balance(0);
    w.apply(other);
    // without a price
    let nobody = AdlRank { holders: vec![], ..w.rank(party(2, 0), 1) };
    w.set_price(1, 0, 0);
    w.apply(nobody);
    assert_eq!(verdict(&w), "nowhere");
}
