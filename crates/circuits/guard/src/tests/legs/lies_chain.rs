//! Lies about which rows there are, how they follow each other, and what they count.

use tsz_air::{F, PrimeCharacteristicRing, PrimeField32};
use tsz_gadgets::limb::U24;
use tsz_ledger::{Cell, Key, Leaf, MkoCell};
use tsz_perp::fill::interest_by;
use tsz_stf::View;

use crate::tables::margin::crossing::HIGH_OFFSET;
use crate::trace::signed;

use super::super::world::{self as plain, f, limit};
use super::world::*;

fn price(n: i64) -> Asked {
    (n, -i128::from(n) * 1_000 * MICROS)
}

/// Three legs, then two, by parties with positions elsewhere.
fn two() -> World {
    let mut world = World::new();
    world.hold(2, 1, 3, 0);
    world.hold(3, 1, -3, 0);
    world.apply(&ALL, 0, &[price(4), price(-9), price(5)]);
    world.apply(&BOTH, 0, &[price(-1), price(1)]);
    world
}

#[test]
fn the_honest_operations_are_accepted() {
    assert_eq!(two().verdict(), "nowhere");
    assert_eq!(two().verdict_with(|_| ()), "nowhere");
}

#[test]
fn rejects_other_numbers_of_legs_accesses_and_values() {
    type Change = fn(&mut crate::trace::MarginRows<'_>);
    let changes: [(&str, Change); 14] = [
        ("leg", |rows| rows.legs[1].place += f(1)),
        ("leg", |rows| rows.legs[1].legs += f(1)),
        ("leg", |rows| rows.legs.iter_mut().take(3).for_each(|leg| leg.legs += f(1))),
        ("leg", |rows| rows.legs[1].access += f(1)),
        ("bus", |rows| rows.legs.iter_mut().take(3).for_each(|leg| leg.access += f(1))),
        ("leg", |rows| rows.legs[2].value += f(1)),
        ("bus", |rows| rows.legs.iter_mut().take(3).for_each(|leg| leg.value += f(1))),
        ("leg", |rows| rows.legs[1].reads_before += f(1)),
        ("leg", |rows| rows.legs[1].reads += f(3)),
        ("leg", |rows| rows.legs[1].interest[0] += f(1)),
        ("bus", |rows| rows.crossed[0][1] += f(1)),
        ("bus", |rows| rows.crossed[0][2] += f(1)),
        ("bus", |rows| rows.crossings[0].end += f(1)),
        ("crossing", |rows| rows.crossings[0].change[0] += f(1)),
    ];
    for (k, (at, change)) in changes.into_iter().enumerate() {
        let verdict = two().verdict_with(change);
        assert!(verdict.starts_with(at), "change {k}: {verdict}");
    }
}

#[test]
fn rejects_a_run_that_is_cut_or_joined() {
    let cut = two().verdict_with(|rows| {
        rows.legs[1].run.is_last = f(1);
        rows.legs[2].run.is_first = f(1);
    });
    assert_eq!(cut, "leg");
    let joined = two().verdict_with(|rows| {
        rows.legs[2].run.is_last = f(0);
        rows.legs[3].run.is_first = f(0);
    });
    assert_eq!(joined, "leg");
    let headless = two().verdict_with(|rows| rows.legs[0].run.is_first = f(0));
    assert_eq!(headless, "leg");
    let without = two().verdict_with(|rows| {
        rows.legs.truncate(3);
        rows.crossings.truncate(1);
    });
    assert!(without.starts_with("bus"), "{without}");
}

#[test]
fn rejects_legs_out_of_order_or_twice() {
    let mut world = two();
    // SUB and POS of two parties change places
    let log = &mut world.w.records[0].accesses;
    let at = log.iter().position(|a| a.key == Key::sub(2, 0)).unwrap();
    log.swap(at, at + 2);
    log.swap(at + 1, at + 3);
    assert_ne!(world.verdict(), "nowhere");
    let swapped = two().verdict_with(|rows| {
        let (first, second) = (rows.legs[0].party.clone(), rows.legs[1].party.clone());
        (rows.legs[0].party, rows.legs[1].party) = (second, first);
    });
    assert!(swapped != "nowhere", "{swapped}");
    let twice = two().verdict_with(|rows| {
        let mut copy = rows.legs[4].clone();
        copy.place += f(1);
        rows.legs[4].run.is_last = f(0);
        copy.run.is_first = f(0);
        rows.legs.push(copy);
    });
    assert_ne!(twice, "nowhere");
}

#[test]
fn rejects_another_market_within_the_run() {
    let other = two().verdict_with(|rows| {
        let price = rows.legs[3].price.clone();
        rows.legs[2].price = price;
        rows.legs[2].price.status += f(1);
    });
    assert_eq!(other, "leg");
    let renamed = two().verdict_with(|rows| rows.crossings[0].price.market += f(1));
    assert_ne!(renamed, "nowhere");
}

#[test]
fn rejects_a_table_that_lacks_a_position() {
    let world = two();
    let lie = |from: usize| {
        let mut lie = world.clone();
        let log = &mut lie.w.records[0].accesses;
        let at = log.iter().rposition(|a| a.key == Key::pos(2 + from as u32, 0, 1)).unwrap();
        log.drain(at..at + 3);
        lie.verdict()
    };
    assert_ne!(lie(0), "nowhere");
    assert_ne!(lie(1), "nowhere");
}

#[test]
fn rejects_padding_that_acts() {
    type Change = fn(&mut crate::tables::margin::leg::Leg<tsz_air::F>);
    let changes: [Change; 5] = [
        |leg| leg.run.is_first = f(1),
        |leg| leg.run.is_last = f(1),
        |leg| leg.is_bare = f(1),
        |leg| leg.shrinks = f(1),
        |leg| leg.limit[0] = f(1),
    ];
    for change in changes {
        let verdict = two().verdict_with(|rows| {
            let mut row = crate::tables::margin::leg::Leg::default();
            change(&mut row);
            rows.legs.push(row);
        });
        assert_eq!(verdict, "leg");
    }
    let crossing = two().verdict_with(|rows| {
        let mut row = rows.crossings[0].clone();
        row.is_real = f(0);
        rows.crossings.push(row);
    });
    assert_ne!(crossing, "nowhere");
}

/// 20 lots more on an open interest of `before`, told as one of `after` with `by` more in the low limb and 120 times as
/// much carried: the same equation in the field.
fn told(before: u64, after: i64, by: i32) -> String {
    let mut world = World::new();
    let mko = |open_interest: u64, leaf: &Leaf| {
        let cell = MkoCell::from_leaf(leaf).unwrap();
        MkoCell { open_interest, ..cell }.to_leaf()
    };
    let leaf = world.w.view.get(Key::mko(0));
    world.w.view.set(Key::mko(0), mko(before, &leaf));
    world.apply(&BOTH, 0, &[price(10), price(-10)]);
    let log = &mut world.w.records[0].accesses;
    let at = log.iter().position(|a| a.key == Key::mko(0)).unwrap();
    assert_eq!(log[at].new, mko(before + 20, &log[at].new), "what the rule says");
    log[at].new = mko(after as u64, &log[at].new);
    let old = log[at].old;
    world.verdict_with(|rows| {
        let row = &mut rows.crossings[0];
        row.low = U24::of((20 + by) as u32);
        row.carry += F::from_i32(120 * by);
        let moved = row.moved().map(signed);
        let high = (moved[1] + i64::from(HIGH_OFFSET)) as u32;
        (row.high, row.high_top) = (U24::of(high & 0xff_ffff), F::from_u32(high >> 24));
        row.interest = interest_by(&old, moved, (&row.price, true), row.listed.oi_cap);
    })
}

#[test]
fn rejects_a_change_of_open_interest_by_another_felt() {
    let p = i64::from(F::ORDER_U32);
    assert_eq!(told(0, 20, 0), "nowhere");
    for by in [1, 2, 17] {
        assert!(told(0, 20 + i64::from(by) * p, by).starts_with("bus"), "{by}");
    }
    let before = 3_000_000_000;
    assert_eq!(told(before, 3_000_000_020, 0), "nowhere");
    assert!(told(before, 3_000_000_020 - p, -1).starts_with("bus"));
}

/// Four parties close 2^47 lots each at the mark: the change is -2^49, the least that both take.
#[test]
fn takes_a_change_of_open_interest_of_49_bits_and_a_sign() {
    const HALF: i64 = 1 << 47;
    let mut world = World::new();
    world.w.approve(5, 2, &[limit(plain::POSITIONS, 0)]);
    world.set_price(0, 1, TIME);
    let (all, held) = ([(2, 0), (3, 1), (4, 6), (5, 2)], [HALF, -HALF, HALF, -HALF]);
    for ((n, _), size) in all.into_iter().zip(held) {
        world.hold(n, 0, size, 0);
        world.set_collateral(n, 1 << 70);
    }
    world.apply(&all, 0, &held.map(|size| (-size, i128::from(size) * MICROS)));
    let mko = world.w.records[0].accesses.iter().find(|a| a.key == Key::mko(0)).unwrap();
    let [old, new] = [mko.old, mko.new].map(|leaf| MkoCell::from_leaf(&leaf).unwrap().open_interest);
    assert_eq!(old - new, 1 << 49);
    assert_eq!(world.verdict(), "nowhere");
}
