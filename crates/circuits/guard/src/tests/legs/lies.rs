//! One test for each lie about legs, prices, limits and judgements. A liar fills every table as if the lie were true:
//! only the lie itself may fail.

use tsz_ext::LimitCell;
use tsz_ledger::{Cell, Key, MkfCell, MkoCell, MkpCell, PosCell, SubCell};
use tsz_stf::View;
use tsz_trade::Params;
use tsz_trade::params::Status;
use tsz_types::{Balance, Collateral, Fraction, FundingIndex, Notional};

use super::super::world::{f, limit};
use super::world::*;

fn price(n: i64) -> Asked {
    (n, -i128::from(n) * 1_000 * MICROS)
}

/// Verdict on legs of 2 and 3 that the native guard refuses; the liar carries them out under `rules`.
fn refused_under(world: &World, market: u32, legs: [Asked; 2], rules: &Params) -> String {
    let op = world.operation(&BOTH, market, &legs, &[], &[]);
    assert!(world.clone().try_apply(op.clone()).is_err(), "the native guard accepts");
    let mut world = world.clone();
    let asked: Vec<_> = legs.into_iter().enumerate().filter(|(_, leg)| leg.0 != 0).collect();
    world.forge(op, market, &asked, rules).expect("the liar's rules accept");
    world.verdict()
}

fn refused(world: &World, market: u32, legs: [Asked; 2]) -> String {
    refused_under(world, market, legs, &world.params)
}

/// Parameters that a liar would like.
fn lenient(change: impl Fn(&mut Params)) -> Params {
    let mut params = params();
    change(&mut params);
    params
}

/// 2 buys 10 lots of market 0 at the mark from 3.
fn one() -> World {
    let mut world = World::new();
    world.apply(&BOTH, 0, &[price(10), price(-10)]);
    world
}

#[test]
fn what_is_forged_honestly_is_accepted() {
    let mut world = World::new();
    let legs = [price(10), price(-10)];
    let op = world.operation(&BOTH, 0, &legs, &[], &[]);
    world.forge(op, 0, &[(0, legs[0]), (1, legs[1])], &params()).unwrap();
    assert_eq!(world.verdict(), "nowhere");
    assert_eq!(world.w.records[0].accesses, one().w.records[0].accesses);
    assert_eq!(world.under(|_| ()), "nowhere");
}

#[test]
fn rejects_collateral_that_is_made_or_lost() {
    let world = one();
    for (a, b) in [(1, 0), (0, 1), (-1, 0), (MICROS, -(MICROS - 1)), (1 << 24, 0), (1 << 80, 0)] {
        let legs = [(3, -3_000 * MICROS + a), (-3, 3_000 * MICROS + b)];
        assert_eq!(refused(&world, 0, legs), "money", "{a} {b}");
    }
}

#[test]
fn rejects_sizes_that_do_not_match() {
    let world = one();
    let cash = 3_000 * MICROS;
    for (a, b) in [(3, -2), (3, 3), (3, -4), (1 << 12, -1), (3, 0)] {
        let legs = [(a, -cash), (b, if b == 0 { 0 } else { cash })];
        assert_eq!(refused(&world, 0, legs), "money", "{a} {b}");
    }
}

#[test]
fn rejects_legs_of_two_markets() {
    let world = one();
    let mut lie = world.clone();
    let cells = [leg_cell(2, 0, 0, price(3)), leg_cell(3, 1, 1, price(-3))];
    let op = lie.operation(&BOTH, 0, &[], &cells, &[]);
    assert!(world.clone().try_apply(op.clone()).is_err());
    lie.forge(op, 0, &[(0, price(3)), (1, price(-3))], &params()).unwrap();
    assert_eq!(lie.verdict(), "bus:guard_leg");
}

#[test]
fn rejects_a_leg_that_is_not_what_was_asked() {
    let world = one();
    let asked = [price(3), price(-3)];
    let done = |legs: [Asked; 2]| {
        let mut lie = world.clone();
        let op = lie.operation(&BOTH, 0, &asked, &[], &[]);
        lie.forge(op, 0, &[(0, legs[0]), (1, legs[1])], &params()).unwrap();
        lie.verdict()
    };
    assert_eq!(done(asked), "nowhere");
    for legs in [
        [price(4), price(-4)],
        [price(-3), price(3)],
        [(3, -3_000 * MICROS + 1), (-3, 3_000 * MICROS - 1)],
        [(3, 3_000 * MICROS), (-3, -3_000 * MICROS)],
    ] {
        assert_ne!(done(legs), "nowhere", "{legs:?}");
    }
}

#[test]
fn rejects_legs_that_are_left_out() {
    let mut world = one();
    world.w.records.clear();
    let legs = [price(3), price(-3)];
    let op = world.operation(&BOTH, 0, &legs, &[], &[]);
    // none, or only one of the two
    let mut none = world.clone();
    none.try_apply(op.clone()).unwrap();
    let log = &mut none.w.records[0].accesses;
    log.truncate(8);
    assert_ne!(none.verdict(), "nowhere");
    let mut honest = world.clone();
    honest.try_apply(op.clone()).unwrap();
    assert_eq!(honest.verdict(), "nowhere");
    let without = honest.verdict_with(|rows| {
        rows.legs.clear();
        rows.crossings.clear();
        rows.crossed[0] = [f(0); 3];
    });
    assert_ne!(without, "nowhere");
    let unsaid = honest.verdict_with(|rows| rows.is_leg[0] = f(0));
    assert_ne!(unsaid, "nowhere");
    world.forge(op, 0, &[(0, legs[0])], &params()).unwrap();
    assert_ne!(world.verdict(), "nowhere");
}

#[test]
fn rejects_a_leg_of_somebody_else() {
    let world = one();
    // the slot of another approval, another account's, another cell of the slot
    let keys = [leg_key(2, 1), leg_key(4, 6), leg_key(5, 0), leg_key(2, 6)];
    for key in keys {
        let mut lie = world.clone();
        let leaf = leg_cell(2, 0, 0, price(3)).1;
        let op = lie.operation(&BOTH, 0, &[(0, 0), price(-3)], &[(key, leaf)], &[]);
        assert!(world.clone().try_apply(op.clone()).is_err());
        lie.forge(op, 0, &[(0, price(3)), (1, price(-3))], &params()).unwrap();
        assert_ne!(lie.verdict(), "nowhere", "{key:?}");
    }
}

#[test]
fn rejects_a_limit_exceeded_by_a_millionth() {
    let mut world = World::new();
    world.set_collateral(2, 1 << 60);
    world.set_collateral(3, 1 << 60);
    // 90 lots at the mark are all of it
    let mut honest = world.clone();
    honest.apply(&BOTH, 0, &[price(90), price(-90)]);
    assert_eq!(honest.verdict(), "nowhere");
    let legs = [(90, -90_000 * MICROS - 1), (-90, 90_000 * MICROS + 1)];
    assert_eq!(refused(&world, 0, legs), "limit");
    let legs = [(90, -90_000 * MICROS + 1), (-90, 90_000 * MICROS - 1)];
    assert_eq!(refused(&world, 0, legs), "limit");
    // a loss of what is closed counts, a flip counts whole
    assert_eq!(refused(&honest, 0, [(-1, 999 * MICROS), (1, -999 * MICROS)]), "limit");
    assert_eq!(refused(&honest, 0, [price(-91), price(91)]), "limit");
}

#[test]
fn rejects_a_charge_that_is_too_small() {
    let world = one();
    let of = |change: &dyn Fn(&mut LimitCell)| {
        let mut lie = world.clone();
        let log = &mut lie.w.records[0].accesses;
        let last = log.len() - 1;
        let mut cell = LimitCell::from_leaf(&log[last].new).unwrap();
        change(&mut cell);
        log[last].new = cell.to_leaf();
        lie.verdict()
    };
    assert_eq!(of(&|_| ()), "nowhere");
    let less = of(&|cell| cell.used = Balance::new(cell.used.get() - 1).unwrap());
    assert_ne!(less, "nowhere");
    assert_ne!(of(&|cell| cell.used = Balance::MIN), "nowhere");
    // charged to another limit, to another party, not at all
    let other = world.verdict_with(|rows| {
        rows.legs[1].limit = [f(1), f(0), f(0), f(0)];
    });
    assert_eq!(other, "leg");
    let party = world.verdict_with(|rows| rows.legs[1].party = rows.legs[0].party.clone());
    assert_ne!(party, "nowhere");
    let mut free = world.clone();
    free.w.records[0].accesses.pop();
    assert_ne!(free.verdict(), "nowhere");
    // a gain that is said to be larger
    let gained = world.verdict_with(|rows| {
        rows.legs[0].shrinks = f(1);
        rows.legs[0].opposes = f(1);
        rows.legs[0].follows = f(0);
    });
    assert_eq!(gained, "leg");
}

#[test]
fn rejects_a_leg_without_a_limit_of_positions() {
    for limits in [&[][..], &[limit(0, 90_000)], &[limit(0, 90_000), limit(127, 90_000)]] {
        let mut world = one();
        world.w.approve(2, 0, limits);
        assert_eq!(refused(&world, 0, [price(3), price(-3)]), "leg");
        // not even to close
        assert_eq!(refused(&world, 0, [price(-3), price(3)]), "leg");
    }
}

/// 2 pays 3 so many millionths of BAL(0).
fn paid(world: &World, micros: i128) -> [(Key, tsz_ledger::Leaf); 2] {
    [world.w.moved(2, 0, 0, -micros), world.w.moved(3, 0, 0, micros)]
}

/// A leg and a balance are charged each to its own limit.
#[test]
fn rejects_a_leg_and_a_balance_in_one_pot() {
    let world = one();
    let legs = [price(3), price(-3)];
    let asked = [(0, legs[0]), (1, legs[1])];
    let op = world.operation(&BOTH, 0, &legs, &paid(&world, 5), &[]);
    let mut honest = world.clone();
    honest.try_apply(op.clone()).unwrap();
    assert_eq!(honest.verdict(), "nowhere");
    let mut same = world.clone();
    same.forge(op.clone(), 0, &asked, &params()).unwrap();
    assert_eq!(same.w.records[1].accesses, honest.w.records[1].accesses);
    // what the leg charges to the limit of the balance, with it or in place of it
    let mut lie = world.clone();
    lie.forge_into(op, 0, &asked, &params(), 1).unwrap();
    assert_ne!(lie.verdict(), "nowhere");
    let spent = honest.verdict_with(|rows| {
        let leg = rows.legs.iter_mut().rfind(|leg| leg.account == f(2)).unwrap();
        leg.limit = [f(1), f(0), f(0), f(0)];
    });
    assert_eq!(spent, "leg");
    // what the balance charges to the limit of positions
    let spent = honest.verdict_with(|rows| {
        let cell = rows.plain.cells.iter_mut().find(|cell| cell.limit[0] == f(1)).unwrap();
        cell.limit = [f(0), f(1), f(0), f(0)];
    });
    assert_eq!(spent, "leg_cell");
}

/// The exploit of reviews.md: an accomplice loses to the user by legs what it takes of the user's balance, so that the
/// limit of the balance would never be used up.
#[test]
fn rejects_a_gain_of_a_leg_that_frees_outflow_of_the_balance() {
    let mut world = one();
    let all = paid(&world, 100 * MICROS);
    let op = world.operation(&BOTH, 0, &[], &all, &[]);
    world.try_apply(op).unwrap();
    // 2 sells at twice the mark: it gains 10,000, and the next millionth of its balance is refused
    let gain = [(-10, 20_000 * MICROS), (10, -20_000 * MICROS)];
    let asked = [(0, gain[0]), (1, gain[1])];
    let op = world.operation(&BOTH, 0, &gain, &paid(&world, 1), &[]);
    assert!(world.clone().try_apply(op.clone()).is_err());
    let mut told = world.clone();
    told.forge(op.clone(), 0, &asked, &params()).unwrap();
    assert_eq!(told.verdict(), "limit");
    let mut lie = world.clone();
    lie.forge_into(op, 0, &asked, &params(), 1).unwrap();
    assert_ne!(lie.verdict(), "nowhere");
    let named = lie.verdict_with(|rows| {
        let leg = rows.legs.iter_mut().rfind(|leg| leg.account == f(2)).unwrap();
        leg.limit = [f(1), f(0), f(0), f(0)];
    });
    assert_ne!(named, "nowhere");
    // and in an operation of its own later
    world.apply(&BOTH, 0, &gain);
    let op = world.operation(&BOTH, 0, &[], &paid(&world, 1), &[]);
    assert!(world.clone().try_apply(op.clone()).is_err());
    world.forge(op, 0, &[], &params()).unwrap();
    assert_eq!(world.verdict(), "limit");
}

/// And the other way round: what comes into the balance frees nothing of positions.
#[test]
fn rejects_an_inflow_of_the_balance_that_frees_positions() {
    let mut world = one();
    world.set_collateral(2, 1 << 50);
    world.set_collateral(3, 1 << 50);
    world.apply(&BOTH, 0, &[(80, -80_000 * MICROS), (-80, 80_000 * MICROS)]);
    let legs = [price(1), price(-1)];
    let op = world.operation(&BOTH, 0, &legs, &paid(&world, -50 * MICROS), &[]);
    assert!(world.clone().try_apply(op.clone()).is_err());
    let asked = [(0, legs[0]), (1, legs[1])];
    let mut told = world.clone();
    told.forge(op.clone(), 0, &asked, &params()).unwrap();
    assert_eq!(told.verdict(), "limit");
    world.forge_into(op, 0, &asked, &params(), 1).unwrap();
    assert_ne!(world.verdict(), "nowhere");
}

#[test]
fn rejects_a_market_that_is_closed_settling_reduce_only_or_unlisted() {
    let mut world = one();
    for (m, status) in [(3, Status::Closed), (4, Status::Settling)] {
        let open = lenient(|p| p.perps[m].status = Status::Open);
        assert_eq!(params().perps[m].status, status);
        assert_ne!(refused_under(&world, m as u32, [price(3), price(-3)], &open), "nowhere");
    }
    let open = lenient(|p| p.perps[2].status = Status::Open);
    assert_eq!(refused_under(&world, 2, [price(3), price(-3)], &open), "leg");
    world.hold(2, 2, 5, 0);
    world.hold(3, 2, -5, 0);
    // a flip is no reduction
    assert_eq!(refused_under(&world, 2, [price(-6), price(6)], &open), "leg");
    let mut reduces = world.clone();
    reduces.apply(&BOTH, 2, &[price(-5), price(5)]);
    assert_eq!(reduces.verdict(), "nowhere");
    let more = lenient(|p| {
        let copy = p.perps[0].clone();
        p.perps.push(copy);
    });
    world.set_price(6, 1_000, TIME);
    world.set_funding(6, 0);
    assert_ne!(refused_under(&world, 6, [price(3), price(-3)], &more), "nowhere");
    // a price for each side
    let cell = MkpCell { index: 900, mark: 1_000, price_ts: TIME, settled: true };
    let mut settled = World::new();
    settled.w.view.set(Key::mkp(0), cell.to_leaf());
    let mut lie = settled.clone();
    let op = lie.operation(&BOTH, 0, &[price(3), price(-3)], &[], &[]);
    lie.forge(op, 0, &[(0, price(3)), (1, price(-3))], &params()).unwrap();
    assert_eq!(lie.verdict(), "crossing");
}

#[test]
fn rejects_a_stale_price_whatever_the_leg_does() {
    let patient = lenient(|p| p.oracle.max_age = 70_000);
    let mut world = one();
    world.set_price(0, 1_000, TIME - 60_000);
    let mut honest = world.clone();
    honest.apply(&BOTH, 0, &[price(-10), price(10)]);
    assert_eq!(honest.verdict(), "nowhere");
    world.set_price(0, 1_000, TIME - 60_001);
    for lots in [3, -3, -10] {
        assert_eq!(refused_under(&world, 0, [price(lots), price(-lots)], &patient), "crossing", "{lots}");
    }
    // of a position elsewhere, of a market without a price
    world.set_price(0, 1_000, TIME);
    world.hold(2, 1, 3, 0);
    world.set_price(1, 1_000, TIME - 60_001);
    assert_eq!(refused_under(&world, 0, [price(3), price(-3)], &patient), "position");
}

#[test]
fn rejects_funding_that_is_not_settled() {
    let mut world = one();
    world.set_funding(0, 500_000);
    // as if the index were still the old one
    let mut lie = world.clone();
    lie.set_funding(0, 0);
    lie.apply(&BOTH, 0, &[price(3), price(-3)]);
    let fresh = world.view().get(Key::mkf(0));
    for access in &mut lie.w.records[1].accesses {
        if access.key == Key::mkf(0) {
            (access.old, access.new) = (fresh, fresh);
        }
    }
    assert_ne!(lie.verdict(), "nowhere");
    // settled, and the old index left in the position
    let mut honest = world.clone();
    honest.apply(&BOTH, 0, &[price(3), price(-3)]);
    assert_eq!(honest.verdict(), "nowhere");
    let mut kept = honest.clone();
    let at = kept.w.records[1].accesses.iter().position(|a| a.key == Key::pos(2, 0, 0)).unwrap();
    let cell = PosCell::from_leaf(&kept.w.records[1].accesses[at].new).unwrap();
    kept.w.records[1].accesses[at].new = PosCell::new(cell.size(), FundingIndex::ZERO).unwrap().to_leaf();
    assert_ne!(kept.verdict(), "nowhere");
    // an hour that is due
    let hour = (TIME / tsz_trade::HOUR_MS) as u32 - 1;
    let cell = MkfCell { funding: FundingIndex::ZERO, hour };
    let mut due = one();
    for access in &mut due.w.records[0].accesses {
        if access.key == Key::mkf(0) {
            (access.old, access.new) = (cell.to_leaf(), cell.to_leaf());
        }
    }
    assert_eq!(due.verdict(), "price");
}

#[test]
fn rejects_a_transition_that_is_not_legal() {
    let world = World::new();
    let mut rich = world.clone();
    for n in [2, 3] {
        rich.unlimited(n);
    }
    // 50,000 of collateral carry 500,000 of notional at 10%
    let easy = lenient(|p| {
        for tier in &mut p.perps[0].tiers {
            (tier.imf, tier.mmf, tier.cmf) =
                (Fraction::new(900).unwrap(), Fraction::new(400).unwrap(), Fraction::new(300).unwrap());
        }
    });
    let mut honest = rich.clone();
    honest.apply(&BOTH, 0, &[price(500), price(-500)]);
    assert_eq!(honest.verdict(), "nowhere");
    assert_eq!(refused_under(&rich, 0, [price(501), price(-501)], &easy), "judge");
    let legs = [(500, -500_000 * MICROS - 1), (-500, 500_000 * MICROS + 1)];
    assert_eq!(refused_under(&rich, 0, legs, &easy), "judge");
    // below the requirement it may reduce at the mark, and not under it
    honest.set_price(0, 990, TIME);
    let sell = |n: i64, at: i128| [(-n, at * i128::from(n) * MICROS), (n, -at * i128::from(n) * MICROS)];
    let mut fair = honest.clone();
    let [a, b] = sell(10, 990);
    fair.apply(&BOTH, 0, &[a, b]);
    assert_eq!(fair.verdict(), "nowhere");
    let easier = lenient(|p| {
        for tier in &mut p.perps[0].tiers {
            (tier.imf, tier.mmf, tier.cmf) =
                (Fraction::new(100).unwrap(), Fraction::new(50).unwrap(), Fraction::new(30).unwrap());
        }
    });
    assert_ne!(refused_under(&honest, 0, sell(10, 890), &easier), "nowhere");
    // a judgement that is left out
    let left_out = honest.verdict_with(|rows| rows.legs[0].is_bare = f(1));
    assert_eq!(left_out, "leg");
}

#[test]
fn rejects_a_debt_that_is_left_without_positions() {
    let mut world = one();
    world.apply(&BOTH, 0, &[price(-10), price(10)]);
    // the whole history with less collateral
    let less = |by: i128| {
        let mut lie = world.clone();
        let subs = lie.w.records.iter_mut().flat_map(|record| &mut record.accesses);
        for access in subs.filter(|access| access.key == Key::sub(2, 0)) {
            for leaf in [&mut access.old, &mut access.new] {
                let cell = SubCell::from_leaf(leaf).unwrap();
                let collateral = Collateral::new(cell.collateral.get() - by).unwrap();
                *leaf = SubCell { collateral, ..cell }.to_leaf();
            }
        }
        lie.w.records.remove(0);
        lie.verdict()
    };
    let all = world.sub(2).collateral.get();
    assert_eq!(less(all), "nowhere");
    assert_eq!(less(all + 1), "leg");
}

#[test]
fn rejects_open_interest_above_the_cap_and_moves_that_are_not_counted() {
    let world = one();
    let capped = |cap: u128| {
        let mut world = world.clone();
        world.params.perps[0].oi_cap = Notional::new(cap).unwrap();
        world.w.context.params = world.params.hash();
        world.verdict()
    };
    assert_eq!(capped(20_000), "nowhere");
    assert_eq!(capped(19_999), "crossing");
    let of = |change: &dyn Fn(&mut MkoCell)| {
        let mut lie = world.clone();
        let log = &mut lie.w.records[0].accesses;
        let at = log.iter().position(|a| a.key == Key::mko(0)).unwrap();
        let mut cell = MkoCell::from_leaf(&log[at].new).unwrap();
        change(&mut cell);
        log[at].new = cell.to_leaf();
        lie.verdict()
    };
    assert_eq!(of(&|_| ()), "nowhere");
    assert_ne!(of(&|cell| cell.open_interest += 1), "nowhere");
    assert_ne!(of(&|cell| cell.moves += 1), "nowhere");
    assert_ne!(of(&|cell| cell.moves -= 1), "nowhere");
}

#[test]
fn rejects_growth_beyond_the_last_tier() {
    let mut world = World::new();
    for n in [2, 3] {
        world.set_collateral(n, 1 << 80);
        world.unlimited(n);
    }
    let mut honest = world.clone();
    honest.apply(&BOTH, 0, &[price(20_000), price(-20_000)]);
    assert_eq!(honest.verdict(), "nowhere");
    let wide = lenient(|p| p.perps[0].tiers[2].bound = Notional::new(1 << 60).unwrap());
    assert_ne!(refused_under(&world, 0, [price(20_001), price(-20_001)], &wide), "nowhere");
}
