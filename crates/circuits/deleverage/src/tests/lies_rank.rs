//! One test for each lie about an AdlRank.

use tsz_ledger::{Access, Cell, Key, MkoCell, MkpCell, MkrCell, PosCell};
use tsz_trade::ops::AdlRank;
use tsz_trade::{Party, Side, TradeOp};
use tsz_types::*;

use super::lies_adl::{set, shift};
use super::world::*;

/// Places in the log of [`page`]: three reads, then the holders 3/0, 4/0 with another position, 4/1.
const MKO: usize = 2;
const MKR: usize = 12;

fn page() -> World {
    let mut w = bankrupt();
    w.apply(w.rank(party(2, 0), 0));
    assert_eq!((verdict(&w).as_str(), w.records[0].accesses.len()), ("nowhere", MKR + 1));
    w
}

fn op(w: &mut World) -> &mut AdlRank {
    let TradeOp::AdlRank(op) = &mut w.records[0].op else { panic!("no AdlRank") };
    op
}

fn log(w: &mut World) -> &mut Vec<Access> {
    &mut w.records[0].accesses
}

fn end(w: &mut World, change: impl Fn(MkrCell) -> MkrCell) {
    let access = log(w).last_mut().unwrap();
    access.new = change(MkrCell::from_leaf(&access.new).unwrap()).to_leaf();
}

#[test]
fn rejects_a_holder_left_out_of_a_ranking_that_is_said_to_be_complete() {
    for (k, lots) in [400, 600, 5].into_iter().enumerate() {
        let mut w = bankrupt();
        let mut page = w.rank(party(2, 0), 0);
        page.holders.remove(k);
        w.apply(page);
        assert_eq!(verdict(&w), "nowhere");
        assert_eq!(MkrCell::from_leaf(&log(&mut w).last().unwrap().new).unwrap().remaining, lots);
        end(&mut w, |cell| MkrCell { remaining: 0, ..cell });
        assert_eq!(verdict(&w), "bus:val", "holder {k}");
    }
}

#[test]
fn rejects_a_holder_listed_twice_or_out_of_order() {
    let mut w = page();
    let again = op(&mut w).holders[0];
    op(&mut w).holders.insert(1, again);
    let copy = log(&mut w)[3..5].to_vec();
    log(&mut w).splice(5..5, copy);
    end(&mut w, |cell| MkrCell { remaining: 0, ..cell });
    assert_ne!(verdict(&w), "nowhere");
    let mut w = page();
    op(&mut w).holders.swap(0, 1);
    let first: Vec<_> = log(&mut w).drain(3..5).collect();
    log(&mut w).splice(8..8, first);
    assert_ne!(verdict(&w), "nowhere");
    // after the last holder that the cell names
    let mut w = page();
    op(&mut w).restart = false;
    let whole = MkoCell::from_leaf(&log(&mut w)[MKO].old).unwrap();
    let price_ts = MkpCell::from_leaf(&log(&mut w)[0].old).unwrap().price_ts;
    let before = |account: u32, sub: u8| MkrCell {
        moves: whole.moves,
        price_ts,
        remaining: whole.open_interest / 2,
        account,
        sub,
        rank: 0,
    };
    for (account, sub, honest) in [(0, 0, true), (2, 31, true), (3, 0, false), (3, 1, false), (4, 0, false)] {
        log(&mut w)[MKR].old = before(account, sub).to_leaf();
        assert_eq!(verdict(&w) == "nowhere", honest, "after {account}/{sub}");
    }
}

#[test]
fn rejects_more_lots_than_remain_and_other_halves() {
    for open_interest in [2_008, 2_000, 2_012, 1 << 30, 0] {
        let mut w = page();
        let cell = MkoCell::from_leaf(&log(&mut w)[MKO].old).unwrap();
        assert_eq!(cell.open_interest, 2_010);
        set(&mut log(&mut w)[MKO], &MkoCell { open_interest, ..cell });
        assert_ne!(verdict(&w), "nowhere", "{open_interest}");
    }
    // the half is rounded down
    let mut w = page();
    let cell = MkoCell::from_leaf(&log(&mut w)[MKO].old).unwrap();
    set(&mut log(&mut w)[MKO], &MkoCell { open_interest: 2_011, ..cell });
    assert_eq!(verdict(&w), "nowhere");
}

#[test]
fn rejects_another_best_rank() {
    let best = MkrCell::from_leaf(&page().records[0].accesses[MKR].new).unwrap().rank;
    for rank in [0, best - 1, best + 1, 1_008] {
        let mut w = page();
        end(&mut w, |cell| MkrCell { rank, ..cell });
        assert_eq!(verdict(&w), "bus:val");
    }
}

/// The rank of account 4 at a TAV, by the ledger, with nobody else listed.
fn alone(tav: i128, class: u8) -> (World, u16) {
    let mut w = bankrupt();
    w.set_tav(party(4, 0), tav);
    w.apply(AdlRank { class, holders: vec![party(4, 0)], ..w.rank(party(2, 0), 0) });
    let rank = w.mkr(0, Side::Sell, class).rank;
    (w, rank)
}

#[test]
fn rejects_the_rank_of_a_holder_that_is_able_by_a_millionth() {
    for class in [0, 1, 7, 11, 12, 15] {
        let (mut low, mut high) = (0, 100_000_000 * UNIT);
        assert!(alone(low, class).1 == 0 && alone(high, class).1 > 0);
        while high - low > 1 {
            let middle = (low + high) / 2;
            if alone(middle, class).1 > 0 { high = middle } else { low = middle }
        }
        for (tav, by) in [(low, 1), (high, -1)] {
            let mut w = alone(tav, class).0;
            assert_eq!(verdict(&w), "nowhere", "class {class}");
            shift(&mut log(&mut w)[3], by);
            assert_eq!(verdict(&w), "bus:val", "class {class}");
        }
    }
}

#[test]
fn scores_are_those_of_the_ledger() {
    let mut seen = std::collections::BTreeSet::new();
    let mut all = World::new();
    for bits in (36..90).step_by(3).chain([40, 41]) {
        for by in [-1, 0] {
            let (w, rank) = alone((1 << bits) + by, 0);
            all = w;
            seen.insert(rank);
            assert_eq!(verdict(&all), "nowhere", "2^{bits} + {by}");
        }
    }
    assert!(seen.len() >= 9, "{seen:?}");
    assert_eq!(all.records.len(), 1);
}

#[test]
fn rejects_positions_of_the_other_side_and_empty_ones() {
    for size in [0, 400] {
        let mut w = page();
        set(&mut log(&mut w)[4], &PosCell::new(size, FundingIndex::new(9).unwrap()).unwrap());
        assert_ne!(verdict(&w), "nowhere", "{size}");
    }
}

#[test]
fn rejects_a_page_after_another_ranking() {
    let mut w = bankrupt();
    let all = w.rank(party(2, 0), 0);
    w.apply(AdlRank { holders: all.holders[..2].to_vec(), ..all.clone() });
    w.apply(AdlRank { restart: false, holders: all.holders[2..].to_vec(), ..all });
    w.records.remove(0);
    assert_eq!(verdict(&w), "nowhere");
    let cell = MkrCell::from_leaf(&log(&mut w).last().unwrap().old).unwrap();
    for (k, lie) in [
        MkrCell { moves: cell.moves - 1, ..cell },
        MkrCell { price_ts: cell.price_ts + 1, ..cell },
        MkrCell { remaining: cell.remaining + 1, ..cell },
        MkrCell { rank: cell.rank + 1, ..cell },
        MkrCell { account: cell.account + 1, ..cell },
        MkrCell::default(),
    ]
    .into_iter()
    .enumerate()
    {
        let mut w = w.clone();
        log(&mut w).last_mut().unwrap().old = lie.to_leaf();
        assert_ne!(verdict(&w), "nowhere", "lie {k}");
    }
    // starting anew forgets who was listed
    op(&mut w).restart = true;
    assert_ne!(verdict(&w), "nowhere");
}

#[test]
fn rejects_other_classes_sides_and_missing_prices() {
    let changes: [fn(&mut AdlRank); 5] = [
        |op| op.class += 1,
        |op| op.class = 16,
        |op| op.class = 255,
        |op| op.side = Side::Buy,
        |op| op.market = MarketId::new(1).unwrap(),
    ];
    for (k, change) in changes.into_iter().enumerate() {
        let mut w = page();
        change(op(&mut w));
        assert_ne!(verdict(&w), "nowhere", "change {k}");
    }
    let mut w = page();
    set(&mut log(&mut w)[0], &MkpCell::default());
    assert_ne!(verdict(&w), "nowhere");
    // a class beyond all has the key of another side
    let mut w = bankrupt();
    w.apply(AdlRank { class: 0, side: Side::Sell, holders: vec![], ..w.rank(party(2, 0), 0) });
    op(&mut w).class = 16;
    op(&mut w).side = Side::Buy;
    assert_ne!(verdict(&w), "nowhere");
}

#[test]
fn rejects_reserved_accounts_as_able_and_a_table_cut_short() {
    let mut w = bankrupt();
    w.hold(Party::INSURANCE, 0, -9, 0);
    w.balance(0);
    w.give(Party::INSURANCE, 1 << 80);
    w.apply(AdlRank { holders: vec![Party::INSURANCE], ..w.rank(party(2, 0), 0) });
    assert_eq!(verdict(&w), "nowhere");
    end(&mut w, |cell| MkrCell { rank: 4, ..cell });
    assert_eq!(verdict(&w), "bus:val");
    let mut w = page();
    log(&mut w).drain(7..10);
    assert_ne!(verdict(&w), "nowhere");
}

#[test]
fn rejects_cells_that_are_not_the_rules() {
    let world = page();
    for felt in 0..8 {
        let mut lie = world.clone();
        lie.records[0].accesses[MKR].new[felt] += f(1);
        assert_ne!(verdict(&lie), "nowhere", "felt {felt}");
    }
    for access in 0..world.records[0].accesses.len() {
        let mut lie = world.clone();
        lie.records[0].accesses[access].key = Key::pos(2, 3, 9);
        assert_ne!(verdict(&lie), "nowhere", "access {access}");
        let mut lie = world.clone();
        lie.records[0].accesses[access].write ^= true;
        assert_ne!(verdict(&lie), "nowhere", "access {access}");
    }
}
