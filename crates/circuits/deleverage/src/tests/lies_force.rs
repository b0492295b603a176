//! One test for each lie about a ForceLiquidate. A liar fills every table as if the lie were true: only the lie itself may
//! fail.

use tsz_hash::step;
use tsz_ledger::{Access, Cell, Key, MkpCell, MkrCell, PosCell, SubCell};
use tsz_trade::ops::ForceLiquidate;
use tsz_trade::{Party, Side, TradeCode, TradeOp};
use tsz_types::*;

use super::lies_adl::{set, shift};
use super::world::*;

/// Places in the logs: SUB and POS of the target and its table of one position, SUB and POS of insurance; then of [`adl`]
/// the ranking, SUB and POS of the counterparty and its table of one position, the writes.
const SUB: usize = 4;
const TABLE: usize = 6;
const OWN: usize = 9;
const MKR: usize = 12;
const OTHER: usize = 13;
const WRITES: usize = 18;

fn target() -> Party {
    party(2, 0)
}

/// The last op of a world alone.
fn last(mut w: World) -> World {
    let op = w.records.pop().unwrap();
    w.records = vec![op];
    assert_eq!(verdict(&w), "nowhere");
    w
}

/// Account 2 is closed against account 4 on demand.
fn adl() -> World {
    let mut w = bankrupt();
    w.apply(w.rank(target(), 0));
    w.apply(w.adl_of_force(target(), 0));
    let w = last(w);
    assert_eq!(w.records[0].accesses.len(), WRITES + 5);
    w
}

/// Insurance takes its 1,000 lots.
fn taken() -> World {
    let mut w = bankrupt();
    w.give(Party::INSURANCE, 1 << 70);
    assert_eq!(w.forced(target(), 0), TradeCode::Ok);
    last(w)
}

/// A no-op of this world.
fn no_op(mut w: World, target: Party, m: u8, code: TradeCode) -> World {
    assert_eq!(w.forced(target, m), code);
    last(w)
}

fn log(w: &mut World) -> &mut Vec<Access> {
    &mut w.records[0].accesses
}

fn op(w: &mut World) -> &mut ForceLiquidate {
    let TradeOp::ForceLiquidate(op) = &mut w.records[0].op else { panic!("no ForceLiquidate") };
    op
}

/// Changes the op, and the chain as it would be.
fn demand(w: &mut World, change: impl Fn(&mut ForceLiquidate)) {
    change(op(w));
    let [first, second] = op(w).record();
    let chain = &mut log(w)[1];
    chain.new = step(&second, &step(&first, &chain.old));
}

/// Ends the log before an access; only the queue is left written.
fn cut(mut w: World, at: usize) -> World {
    log(&mut w).truncate(at);
    w
}

#[test]
fn rejects_a_no_op_for_a_market_that_is_listed_and_a_user() {
    let honest = [
        no_op(bankrupt(), target(), 4, TradeCode::NoMarket),
        no_op(bankrupt(), target(), 3, TradeCode::Settling),
        no_op(bankrupt(), party(1, 0), 0, TradeCode::Reserved),
    ];
    for (k, w) in honest.iter().enumerate() {
        let told = |account: u32, m: u8| {
            let mut w = w.clone();
            demand(&mut w, |op| {
                op.target.account = AccountId::new(account).unwrap();
                op.market = MarketId::new(m).unwrap();
            });
            verdict(&w) == "nowhere"
        };
        for account in [0, 1, 2, 1 << 23] {
            for m in [0, 1, 2, 3, 4, 5, 255] {
                assert_eq!(told(account, m), account < 2 || m > 2, "no-op {k} for {account} in {m}");
            }
        }
    }
    // nor is anything else said of an op that is one
    let mut w = taken();
    demand(&mut w, |op| op.target = Party::INSURANCE);
    assert_ne!(verdict(&w), "nowhere");
}

#[test]
fn rejects_another_record_or_serial() {
    let w = no_op(bankrupt(), target(), 4, TradeCode::NoMarket);
    let changes: [fn(&mut ForceLiquidate); 4] = [
        |op| op.sender.0[19] ^= 1,
        |op| op.sender.0[0] ^= 128,
        |op| op.target.sub = SubId::new(1).unwrap(),
        |op| op.market = MarketId::new(5).unwrap(),
    ];
    for change in changes {
        let mut w = w.clone();
        change(op(&mut w));
        assert_ne!(verdict(&w), "nowhere");
    }
    for felt in 0..8 {
        for access in 0..2 {
            let mut lie = w.clone();
            log(&mut lie)[access].new[felt] += f(1);
            assert_ne!(verdict(&lie), "nowhere");
            let mut lie = w.clone();
            log(&mut lie)[access].old[felt] += f(1);
            assert_ne!(verdict(&lie), "nowhere");
        }
    }
}

#[test]
fn rejects_no_position_where_there_is_one() {
    let w = cut(adl(), TABLE);
    assert_ne!(verdict(&w), "nowhere");
    let w = no_op(bankrupt(), target(), 2, TradeCode::NoPosition);
    assert_eq!(w.records[0].accesses.len(), TABLE);
    let mut lie = w.clone();
    set(&mut log(&mut lie)[SUB + 1], &PosCell::new(1, FundingIndex::new(0).unwrap()).unwrap());
    assert_ne!(verdict(&lie), "nowhere");
    // and of another market or account
    for key in [Key::pos(2, 0, 1), Key::pos(3, 0, 2), Key::pos(2, 1, 2)] {
        let mut lie = w.clone();
        log(&mut lie)[SUB + 1].key = key;
        assert_ne!(verdict(&lie), "nowhere");
    }
}

#[test]
fn rejects_not_bankrupt_of_who_is_by_a_millionth() {
    let margin = bankrupt().margin(target());
    let mut w = bankrupt();
    w.set_tav(target(), margin.cmr);
    let mut w = no_op(w, target(), 0, TradeCode::NotBankrupt);
    shift(&mut log(&mut w)[SUB], -1);
    assert_eq!(verdict(&w), "well");
    assert_ne!(verdict(&cut(adl(), OWN)), "nowhere");
    // the other way
    let mut w = taken();
    let writes = log(&mut w).len() - 5;
    for access in [SUB, writes] {
        shift(&mut log(&mut w)[access], margin.cmr - bankrupt().margin(target()).tav);
    }
    assert_ne!(verdict(&w), "nowhere");
}

#[test]
fn rejects_nobody_where_there_is_somebody() {
    // beyond all classes
    assert_ne!(verdict(&cut(adl(), MKR - 1)), "nowhere");
    // the ranking has somebody
    assert_ne!(verdict(&cut(adl(), OTHER)), "nowhere");
    let mut w = bankrupt();
    for p in w.holders(target(), 0) {
        w.give(p, 0);
    }
    w.apply(w.rank(target(), 0));
    let w = no_op(w, target(), 0, TradeCode::NoCounterparty);
    let cell = MkrCell::from_leaf(&w.records[0].accesses[MKR].old).unwrap();
    for (k, lie) in [
        MkrCell { rank: 1, ..cell },
        MkrCell { moves: cell.moves + 1, ..cell },
        MkrCell { price_ts: cell.price_ts + 1, ..cell },
        MkrCell { remaining: 1, ..cell },
        MkrCell { remaining: 1 << 54, ..cell },
    ]
    .into_iter()
    .enumerate()
    {
        let mut w = w.clone();
        set(&mut log(&mut w)[MKR], &lie);
        assert_ne!(verdict(&w), "nowhere", "lie {k}");
    }
    for key in [Key::mkr(0, 0, 7), Key::mkr(0, 1, 0), Key::mkr(1, 1, 7)] {
        let mut w = w.clone();
        log(&mut w)[MKR].key = key;
        assert_ne!(verdict(&w), "nowhere");
    }
}

#[test]
fn a_loss_is_beyond_all_classes_or_in_one() {
    let ends = |tav: i128| {
        let mut w = bankrupt();
        w.hold(target(), 1, 0, 0);
        w.set_tav(target(), tav);
        w.class(target(), 0).is_none()
    };
    let (mut low, mut high) = (0, 1i128 << 60);
    while high - low > 1 {
        let middle = (low + high) / 2;
        if ends(-middle) { high = middle } else { low = middle }
    }
    let mut w = bankrupt();
    w.hold(target(), 1, 0, 0);
    w.balance(1);
    w.set_tav(target(), -high);
    let mut w = no_op(w, target(), 0, TradeCode::NoCounterparty);
    shift(&mut log(&mut w)[SUB], 1);
    assert_ne!(verdict(&w), "nowhere");
}

#[test]
fn rejects_a_refusal_of_an_insurance_that_can_and_a_takeover_of_one_that_cannot() {
    // the collateral from which on insurance takes all
    let takes = |own: i128| {
        let mut w = bankrupt();
        w.give(Party::INSURANCE, own);
        w.apply(w.rank(target(), 0));
        w.dry(w.force(target(), 0, None)).is_ok()
    };
    let (mut low, mut high) = (0, 1i128 << 60);
    assert!(!takes(low) && takes(high));
    while high - low > 1 {
        let middle = (low + high) / 2;
        if takes(middle) { high = middle } else { low = middle }
    }
    let told = |own: i128| {
        let mut w = adl();
        shift(&mut log(&mut w)[OWN], own);
        verdict(&w)
    };
    assert_eq!((told(low), told(high)), ("nowhere".into(), "refusal".into()));
    let told = |own: i128| {
        let mut w = taken();
        let writes = log(&mut w).len() - 5;
        for access in [OWN, writes + 2] {
            shift(&mut log(&mut w)[access], own - (1 << 70));
        }
        verdict(&w)
    };
    assert_eq!((told(high), told(low)), ("nowhere".into(), "judge".into()));
}

#[test]
fn rejects_another_price_and_fewer_lots() {
    for mut w in [adl(), taken()] {
        let writes = log(&mut w).len() - 5;
        for by in [-1_000_000, 1_000_000, 1, -1] {
            let mut w = w.clone();
            for (access, by) in [(writes, by), (writes + 2, -by)] {
                let access = &mut log(&mut w)[access];
                let cell = SubCell::from_leaf(&access.new).unwrap();
                let collateral = Collateral::new(cell.collateral.get() + by).unwrap();
                access.new = SubCell { collateral, ..cell }.to_leaf();
            }
            assert_eq!(verdict(&w), "bus:val", "{by}");
        }
        let mut w = w.clone();
        for access in [writes + 1, writes + 3] {
            let access = &mut log(&mut w)[access];
            let cell = PosCell::from_leaf(&access.new).unwrap();
            access.new = PosCell::new(cell.size() + 1, FundingIndex::new(123).unwrap()).unwrap().to_leaf();
        }
        assert_ne!(verdict(&w), "nowhere");
    }
}

#[test]
fn rejects_a_counterparty_past_a_better_one() {
    let mut w = bankrupt();
    w.apply(w.rank(target(), 0));
    let class = w.class(target(), 0).unwrap();
    let cell = w.mkr(0, Side::Sell, class);
    w.view.set(Key::mkr(0, 1, class.into()), MkrCell { rank: 1, ..cell }.to_leaf());
    w.apply(w.force(target(), 0, Some(party(3, 0))));
    let mut w = last(w);
    set(&mut log(&mut w)[MKR], &cell);
    assert_ne!(verdict(&w), "nowhere");
    for account in [0, 1] {
        let mut w = adl();
        op(&mut w).counterparty = Some(party(account, 0));
        for (access, key) in [(OTHER, Key::sub(account, 0)), (OTHER + 1, Key::pos(account, 0, 0))] {
            log(&mut w)[access].key = key;
            log(&mut w)[access + WRITES + 2 - OTHER].key = key;
        }
        log(&mut w)[OTHER + 2].key = Key::pos(account, 0, 1);
        assert_ne!(verdict(&w), "nowhere");
    }
}

#[test]
fn rejects_a_missing_price_but_not_an_old_one() {
    for honest in [adl(), taken()] {
        for access in [2, TABLE + 1] {
            let mut w = honest.clone();
            set(&mut log(&mut w)[access], &MkpCell::default());
            assert_ne!(verdict(&w), "nowhere");
        }
    }
    let mut w = taken();
    let old = MkpCell { index: 1_000, mark: 1_000, price_ts: 5, settled: false };
    set(&mut log(&mut w)[2], &old);
    set(&mut log(&mut w)[TABLE + 1], &old);
    assert_eq!(verdict(&w), "nowhere");
}

#[test]
fn rejects_cells_that_are_not_the_rules() {
    let mut worlds = vec![adl(), taken()];
    worlds.push(no_op(bankrupt(), target(), 2, TradeCode::NoPosition));
    for world in worlds {
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
}
