//! One test for each lie about an Adl. A liar fills every table as if the lie were true: only the lie itself may fail.

use tsz_ledger::{Access, Cell, Key, MkfCell, MkoCell, MkpCell, MkrCell, PosCell, SubCell};
use tsz_trade::ops::Adl;
use tsz_trade::{Party, Side, TradeOp};
use tsz_types::*;

use super::world::*;

/// Places in the log of [`one`].
const TABLE: usize = 2;
const MKO: usize = 5;
const MKR: usize = 6;
const OTHER: usize = 7;
const OWN: usize = 12;
const WRITES: usize = 14;

fn target() -> Party {
    party(2, 0)
}

/// Account 2 is closed against account 4, which has 600 of its 1,000 lots and the best rank; insurance has `own`.
fn with_insurance(own: i128) -> World {
    let mut w = bankrupt();
    w.give(Party::INSURANCE, own);
    w.apply(w.rank(target(), 0));
    let op = w.adl(target(), 0);
    assert_eq!(op.counterparty, party(4, 0));
    w.apply(op);
    w.records.remove(0);
    w
}

fn one() -> World {
    let w = with_insurance(0);
    assert_eq!((verdict(&w).as_str(), w.records[0].accesses.len()), ("nowhere", WRITES + 5));
    w
}

pub fn set(access: &mut Access, cell: &impl Cell) {
    access.old = cell.to_leaf();
    access.new = access.old;
}

/// Shifts the collateral in an access before and after alike.
pub fn shift(access: &mut Access, by: i128) {
    for leaf in [&mut access.old, &mut access.new] {
        let cell = SubCell::from_leaf(leaf).unwrap();
        let collateral = Collateral::new(cell.collateral.get() + by).unwrap();
        *leaf = SubCell { collateral, ..cell }.to_leaf();
    }
}

fn log(w: &mut World) -> &mut Vec<Access> {
    &mut w.records[0].accesses
}

/// The collateral from which on insurance takes the lots.
fn enough(w: &World) -> i128 {
    let mut before = bankrupt();
    before.apply(before.rank(target(), 0));
    let takes = |own: i128| {
        let mut w = before.clone();
        w.give(Party::INSURANCE, own);
        w.try_apply(Adl { target: target(), market: market(0), counterparty: party(4, 0) }).is_err()
    };
    assert!(!takes(0) && takes(1 << 60), "{}", w.records.len());
    let (mut low, mut high) = (0, 1 << 60);
    while high - low > 1 {
        let middle = (low + high) / 2;
        if takes(middle) { high = middle } else { low = middle }
    }
    high
}

#[test]
fn rejects_an_adl_while_insurance_can_absorb_by_a_millionth() {
    let w = one();
    let own = enough(&w);
    let told = |own: i128| {
        let mut w = w.clone();
        shift(&mut log(&mut w)[OWN], own);
        verdict(&w)
    };
    assert_eq!(told(own - 1), "nowhere");
    assert_eq!(told(own), "refusal");
    assert_eq!(told(1 << 80), "refusal");
}

#[test]
fn rejects_an_insurance_that_is_not_asked() {
    let mut w = one();
    log(&mut w).drain(OWN..OWN + 2);
    assert_ne!(verdict(&w), "nowhere");
    let TradeOp::Adl(op) = &mut w.records[0].op else { panic!("no Adl") };
    op.target = Party::INSURANCE;
    assert_ne!(verdict(&w), "nowhere");
}

#[test]
fn rejects_another_price() {
    for by in [-1_000_000, 1_000_000, 1, -1] {
        let mut w = one();
        // the target gets more, the counterparty pays it, and the reverse
        for (access, by) in [(WRITES, by), (WRITES + 2, -by)] {
            let access = &mut log(&mut w)[access];
            let cell = SubCell::from_leaf(&access.new).unwrap();
            let collateral = Collateral::new(cell.collateral.get() + by).unwrap();
            access.new = SubCell { collateral, ..cell }.to_leaf();
        }
        assert_eq!(verdict(&w), "bus:val", "{by}");
    }
}

/// An Adl against account 3, with the rank that the ranking then had.
fn worse() -> (World, u16) {
    let mut w = bankrupt();
    w.apply(w.rank(target(), 0));
    let class = w.class(target(), 0).unwrap();
    let cell = w.mkr(0, Side::Sell, class);
    w.view.set(Key::mkr(0, 1, class.into()), MkrCell { rank: 1, ..cell }.to_leaf());
    w.apply(Adl { target: target(), market: market(0), counterparty: party(3, 0) });
    w.records.remove(0);
    assert_eq!(verdict(&w), "nowhere");
    (w, cell.rank)
}

#[test]
fn rejects_a_counterparty_past_a_better_one() {
    let (mut w, best) = worse();
    let cell = MkrCell::from_leaf(&log(&mut w)[MKR].old).unwrap();
    set(&mut log(&mut w)[MKR], &MkrCell { rank: best, ..cell });
    assert_ne!(verdict(&w), "nowhere");
    // by one
    let mut w = one();
    let cell = MkrCell::from_leaf(&log(&mut w)[MKR].old).unwrap();
    set(&mut log(&mut w)[MKR], &MkrCell { rank: cell.rank + 1, ..cell });
    assert_ne!(verdict(&w), "nowhere");
    // nobody is in the ranking
    let mut w = one();
    set(&mut log(&mut w)[MKR], &MkrCell { rank: 0, ..cell });
    assert_ne!(verdict(&w), "nowhere");
}

#[test]
fn rejects_a_ranking_that_is_stale_or_incomplete_or_of_another_class() {
    let honest = one();
    let cell = MkrCell::from_leaf(&honest.records[0].accesses[MKR].old).unwrap();
    for (k, lie) in [
        MkrCell { moves: cell.moves + 1, ..cell },
        MkrCell { moves: cell.moves - 1, ..cell },
        MkrCell { price_ts: cell.price_ts - 1, ..cell },
        MkrCell { remaining: 1, ..cell },
        MkrCell { remaining: 1 << 48, ..cell },
        MkrCell::default(),
    ]
    .into_iter()
    .enumerate()
    {
        let mut w = honest.clone();
        set(&mut log(&mut w)[MKR], &lie);
        assert_ne!(verdict(&w), "nowhere", "lie {k}");
    }
    let class = u32::from(bankrupt().class(target(), 0).unwrap());
    for key in
        [Key::mkr(0, 1, class - 1), Key::mkr(0, 1, class + 1), Key::mkr(0, 0, class), Key::mkr(1, 1, class)]
    {
        let mut w = honest.clone();
        log(&mut w)[MKR].key = key;
        assert_ne!(verdict(&w), "nowhere");
    }
    // a move since
    let mut w = honest.clone();
    let interest = MkoCell::from_leaf(&log(&mut w)[MKO].old).unwrap();
    set(&mut log(&mut w)[MKO], &MkoCell { moves: interest.moves + 1, ..interest });
    assert_ne!(verdict(&w), "nowhere");
}

#[test]
fn rejects_a_counterparty_that_cannot_bear_it_by_a_millionth() {
    let (w, _) = worse();
    // IMR of 400 lots at 1,000 is 40,000; the loss of the class is below that
    let told = |tav: i128| {
        let mut w = w.clone();
        let by = tav - 300_000 * UNIT;
        for access in [OTHER, WRITES_OF_WORSE] {
            shift(&mut log(&mut w)[access], by);
        }
        verdict(&w)
    };
    let able = |tav: i128| {
        let mut w = bankrupt();
        w.set_tav(party(3, 0), tav);
        w.apply(w.rank(target(), 0));
        let class = w.class(target(), 0).unwrap();
        let cell = w.mkr(0, Side::Sell, class);
        w.view.set(Key::mkr(0, 1, class.into()), MkrCell { rank: 1, ..cell }.to_leaf());
        w.try_apply(Adl { target: target(), market: market(0), counterparty: party(3, 0) }).is_ok()
    };
    let (mut low, mut high) = (0, 300_000 * UNIT);
    while high - low > 1 {
        let middle = (low + high) / 2;
        if able(middle) { high = middle } else { low = middle }
    }
    assert_eq!(told(high), "nowhere");
    assert_ne!(told(high - 1), "nowhere");
}

/// SUB of the counterparty as a write in the log of [`worse`], whose counterparty has no other position.
const WRITES_OF_WORSE: usize = WRITES - 3 + 2;

#[test]
fn rejects_parties_of_one_side_and_reserved_ones() {
    let mut w = one();
    for access in [OTHER + 1, WRITES + 3] {
        log(&mut w)[access].old[2] = f(0);
        if access < WRITES {
            log(&mut w)[access].new[2] = f(0);
        }
    }
    assert_ne!(verdict(&w), "nowhere");
    for account in [0, 1, 5] {
        let mut w = one();
        let TradeOp::Adl(op) = &mut w.records[0].op else { panic!("no Adl") };
        op.counterparty.account = AccountId::new(account).unwrap();
        for (access, key) in [(OTHER, Key::sub(account, 0)), (OTHER + 1, Key::pos(account, 0, 0))] {
            log(&mut w)[access].key = key;
            log(&mut w)[access + WRITES + 2 - OTHER].key = key;
        }
        log(&mut w)[OTHER + 2].key = Key::pos(account, 0, 1);
        assert_eq!(verdict(&w) == "nowhere", account == 5, "account {account}: {}", verdict(&w));
    }
}

#[test]
fn rejects_fewer_lots_than_both_have() {
    let mut w = bankrupt();
    w.hold(party(4, 0), 0, -500, 123);
    w.balance(0);
    w.set_tav(party(4, 0), 300_000 * UNIT);
    w.apply(w.rank(target(), 0));
    let class = w.class(target(), 0).unwrap();
    let cell = w.mkr(0, Side::Sell, class);
    w.view.set(Key::mkr(0, 1, class.into()), MkrCell { rank: 1, ..cell }.to_leaf());
    w.apply(Adl { target: target(), market: market(0), counterparty: party(4, 0) });
    w.records.remove(0);
    assert_eq!(verdict(&w), "nowhere");
    // the counterparty had 100 more, of which nothing was closed
    let short = |lots: i64| PosCell::new(-lots, FundingIndex::new(123).unwrap()).unwrap();
    set(&mut log(&mut w)[OTHER + 1], &short(600));
    log(&mut w)[WRITES + 3].old = short(600).to_leaf();
    log(&mut w)[WRITES + 3].new = short(100).to_leaf();
    let after = SubCell::from_leaf(&log(&mut w)[WRITES + 2].new).unwrap();
    log(&mut w)[WRITES + 2].new = SubCell { pos_count: after.pos_count + 1, ..after }.to_leaf();
    assert_eq!(verdict(&w), "adl");
}

#[test]
fn rejects_a_target_that_is_healthy_enough_by_a_millionth() {
    let w = one();
    let margin = {
        let b = bankrupt();
        b.margin(target())
    };
    // a loss of another class needs another ranking: the nearest is class 0
    let told = |tav: i128| {
        let mut w = w.clone();
        shift(&mut log(&mut w)[WRITES], tav - margin.tav);
        verdict(&w)
    };
    assert_ne!(told(margin.cmr), "nowhere");
    let mut at = bankrupt();
    at.set_tav(target(), margin.cmr - 1);
    at.apply(at.rank(target(), 0));
    let op = at.adl(target(), 0);
    at.apply(op);
    at.records.remove(0);
    assert_eq!(verdict(&at), "nowhere");
    shift(&mut log(&mut at)[WRITES], 1);
    assert_eq!(verdict(&at), "target");
}

#[test]
fn rejects_old_prices_and_a_position_left_out() {
    let old = |ms| MkpCell { index: 1_000, mark: 1_000, price_ts: TIME - 60_000 - ms, settled: false };
    for access in [0, TABLE + 1] {
        for cell in [old(1), MkpCell::default()] {
            let mut w = one();
            set(&mut log(&mut w)[access], &cell);
            assert_ne!(verdict(&w), "nowhere", "access {access}");
        }
    }
    // that of the counterparty's other position may be old
    let mut w = one();
    set(&mut log(&mut w)[OTHER + 3], &old(1));
    assert_eq!(verdict(&w), "nowhere");
    for at in [TABLE, OTHER + 2] {
        let mut w = one();
        log(&mut w).drain(at..at + 3);
        assert_ne!(verdict(&w), "nowhere");
        let mut w = one();
        set(&mut log(&mut w)[at + 2], &MkfCell { hour: 1, ..MkfCell::default() });
        assert_ne!(verdict(&w), "nowhere");
    }
}

#[test]
fn rejects_cells_that_are_not_the_rules() {
    let world = one();
    for access in 0..world.records[0].accesses.len() {
        for felt in 0..8 {
            let mut lie = world.clone();
            let changed = &mut lie.records[0].accesses[access];
            if changed.write {
                changed.new[felt] += f(1);
                assert_ne!(verdict(&lie), "nowhere", "access {access} felt {felt}");
            }
        }
        let mut lie = world.clone();
        lie.records[0].accesses[access].key = Key::pos(2, 3, 9);
        assert_ne!(verdict(&lie), "nowhere", "access {access}");
        let mut lie = world.clone();
        lie.records[0].accesses[access].write ^= true;
        assert_ne!(verdict(&lie), "nowhere", "access {access}");
    }
}
