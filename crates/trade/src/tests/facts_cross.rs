//! Legs of extension programs: honest block trades, and programs that try to take more than was approved.

use alloc::vec;
use alloc::vec::Vec;
use std::sync::OnceLock;
use tsz_ext::sim::Sim;
use tsz_ext::{Approver, ExtReject, LimitCell, Limited, Margin, MarginReject, key};
use tsz_ext_apps::block::{self, host};
use tsz_ext_sdk::{Fault, Leg, Op, Trade, cell};
use tsz_ledger::{BalCell, Cell, Key, MkfCell, MkoCell, PosCell, SubCell};
use tsz_stf::View;
use tsz_types::{AccountId, Balance, Collateral, FundingIndex};

use super::world::{market, notional, params};
use crate::params::{Params, Status};
use crate::{HOUR_MS, MarginRules};

type World = Sim<MarginRules<'static>>;

const MICROS: i128 = 1_000_000;
/// 10 minutes after an hour.
const TIME: u64 = 1_000 * HOUR_MS + 600_000;

/// Markets 0 and 1 open (multipliers 1 and 10), 2 as `status` says.
fn sim(program: tsz_ext_sdk::Program, params: &'static Params) -> World {
    let mut sim = Sim::with_margin(program, MarginRules { params });
    sim.set_time(TIME);
    for m in 0..3 {
        sim.set_price(m, 1_000, TIME - 1_000);
        let cell = MkfCell { funding: FundingIndex::ZERO, hour: 1_000 };
        sim.view.set(Key::mkf(m), cell.to_leaf());
    }
    for n in [2, 3, 4] {
        sim.deposit(n, 0, 100_000);
        sim.fund(n, 0, 0, 100_000);
    }
    sim
}

fn shared() -> &'static Params {
    static PARAMS: OnceLock<Params> = OnceLock::new();
    PARAMS.get_or_init(params)
}

fn with(change: impl FnOnce(&mut Params)) -> &'static Params {
    let mut params = params();
    change(&mut params);
    std::boxed::Box::leak(std::boxed::Box::new(params))
}

/// Legs by party as its arguments say: market, lots (24), side, cash (24, 24, 24), whether it pays.
fn scripted(op: &mut Op<'_>) -> Result<(), Fault> {
    for (k, words) in op.args().chunks_exact(7).enumerate() {
        let [market, lots, sells, a, b, c, pays] = *words else { return Err(Fault::Args) };
        if lots == 0 {
            continue;
        }
        let cash = i128::from(a) | i128::from(b) << 24 | i128::from(c) << 48;
        let leg = Leg {
            market,
            lots: if sells == 1 { -i64::from(lots) } else { lots.into() },
            cash: if pays == 1 { -cash } else { cash },
        };
        op.set_leg(&op.trader(k)?, &leg)?;
    }
    Ok(())
}

fn leg(m: u32, lots: i64, cash: i128) -> [u32; 7] {
    let (size, c) = (lots.unsigned_abs() as u32, cash.unsigned_abs());
    let limb = |k: u32| (c >> (24 * k)) as u32 & 0xff_ffff;
    [m, size, (lots < 0).into(), limb(0), limb(1), limb(2), (cash < 0).into()]
}

fn used(sim: &World, n: u32) -> i128 {
    let party = tsz_ext::sim::approver(n, 0, 0);
    let leaf = sim.view.get(key::limit(party.account, party.sub, party.slot, 0));
    LimitCell::from_leaf(&leaf).unwrap().used.get() as i128
}

/// Accounts 2 and 3 let 50,000 units go.
fn scripted_world(params: &'static Params) -> (World, [Approver; 2]) {
    let mut sim = sim(scripted, params);
    let parties = [2, 3].map(|n| sim.approve(n, 0, 0, &[], &[(cell::POSITIONS, 50_000)]));
    (sim, parties)
}

/// 2 buys lots at a price from 3.
fn fill(sim: &mut World, parties: &[Approver], m: u32, lots: i64, cash: i128) -> Result<(), ExtReject> {
    let before = sim.view.clone();
    let args = [leg(m, lots, -cash), leg(m, -lots, cash)].concat();
    let done = sim.run(parties, &args).map(|_| ());
    assert!(done.is_ok() || sim.view == before);
    done
}

fn margin(result: Result<(), ExtReject>) -> MarginReject {
    match result {
        Err(ExtReject::Margin(reject)) => reject,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_block_trade_is_filled_in_parts() {
    let trade = Trade { market: 1, lots: 30, price: 1_010, multiplier: 10 };
    let mut sim = sim(block::program, shared());
    let buyer = sim.approve(2, 0, 0, &host::terms(false, (3, 0), &trade), &[(cell::POSITIONS, 1_000_000)]);
    let seller = sim.approve(3, 0, 0, &host::terms(true, (2, 0), &trade), &[(cell::POSITIONS, 1_000_000)]);
    let parties = [buyer, seller];
    let receipt = sim.run(&parties, &host::args(0, 10, &trade)).unwrap();
    assert_eq!(receipt.events[0].felts(), &[10, 0, 1_010, 0]);
    assert_eq!([2, 3].map(|n| sim.position(n, 0, 1)), [10, -10]);
    let cash = 10 * 10 * 1_010 * MICROS;
    assert_eq!([2, 3].map(|n| sim.collateral(n, 0)), [100_000 * MICROS - cash, 100_000 * MICROS + cash]);
    // the buyer's limit pays the price, the seller's what it owes at the mark less what it got beyond
    assert_eq!([2, 3].map(|n| used(&sim, n)), [cash, 2 * 10 * 10 * 1_000 * MICROS - cash]);
    let sub = SubCell::from_leaf(&sim.view.get(Key::sub(2, 0))).unwrap();
    assert_eq!(sub.pos_count, 1);
    let interest = MkoCell::from_leaf(&sim.view.get(Key::mko(1))).unwrap();
    assert_eq!((interest.open_interest, interest.moves), (20, 1));
    sim.run(&parties, &host::args(0, 20, &trade)).unwrap();
    let more = sim.run(&parties, &host::args(0, 1, &trade)).map(|_| ());
    assert_eq!(more, Err(ExtReject::Program(Fault::Rule(block::rule::LOTS))));
    // what the program does is what it committed to, operation by operation
    let run = sim.guest_run(&[1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
    let outcome = sim.replay(&run).unwrap();
    assert_eq!(outcome.events.len(), 2);
    check_fixture(&[&outcome.digest, &run.input[..]].concat());
}

/// Compares the words of the run, one a line, with `guests/fixtures/block.txt`, which crates/ext/prover executes.
/// `BLESS=1` writes it anew.
fn check_fixture(words: &[u32]) {
    let text: std::string::String = words.iter().map(|w| std::format!("{w}\n")).collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../guests/fixtures/block.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), text);
}

#[test]
fn an_operator_cannot_change_the_deal() {
    let trade = Trade { market: 1, lots: 30, price: 1_010, multiplier: 10 };
    let mut sim = sim(block::program, shared());
    let buyer = sim.approve(2, 0, 0, &host::terms(false, (3, 0), &trade), &[(cell::POSITIONS, 1_000_000)]);
    let seller = sim.approve(3, 0, 0, &host::terms(true, (2, 0), &trade), &[(cell::POSITIONS, 1_000_000)]);
    for lie in [
        Trade { market: 0, ..trade },
        Trade { price: 1_011, ..trade },
        Trade { multiplier: 11, ..trade },
        Trade { lots: 31, ..trade },
    ] {
        let refused = sim.run(&[buyer, seller], &host::args(0, 1, &lie)).map(|_| ());
        assert_eq!(refused, Err(ExtReject::Program(Fault::Terms)));
    }
    // the sides swapped, another counterparty
    let refused = sim.run(&[buyer, seller], &host::args(1, 1, &trade)).map(|_| ());
    assert_eq!(refused, Err(ExtReject::Program(Fault::Terms)));
    let other = sim.approve(4, 0, 0, &host::terms(true, (2, 0), &trade), &[(cell::POSITIONS, 1_000_000)]);
    let refused = sim.run(&[buyer, other], &host::args(0, 1, &trade)).map(|_| ());
    assert_eq!(refused, Err(ExtReject::Program(Fault::Terms)));
}

#[test]
fn accesses_come_in_the_order_of_the_rule() {
    let (mut sim, parties) = scripted_world(shared());
    fill(&mut sim, &parties, 0, 3, 3_000 * MICROS).unwrap();
    fill(&mut sim, &parties, 1, 1, 10_000 * MICROS).unwrap();
    let accesses = &sim.history()[1].accesses;
    let limit = |n: usize| key::limit(parties[n].account, parties[n].sub, parties[n].slot, 0);
    let expected = [
        (Key::mkp(1), false),
        (Key::mkf(1), false),
        (Key::sub(2, 0), true),
        (Key::pos(2, 0, 1), true),
        (Key::sub(3, 0), true),
        (Key::pos(3, 0, 1), true),
        (Key::mko(1), true),
        (Key::pos(2, 0, 0), false),
        (Key::mkp(0), false),
        (Key::mkf(0), false),
        (Key::pos(3, 0, 0), false),
        (Key::mkp(0), false),
        (Key::mkf(0), false),
        (limit(0), true),
        (limit(1), true),
    ];
    // approvals of two parties and their legs come first
    let got: Vec<_> = accesses[8..].iter().map(|a| (a.key, a.write)).collect();
    assert_eq!(got, expected);
}

#[test]
fn funding_is_settled_first() {
    let (mut sim, parties) = scripted_world(shared());
    fill(&mut sim, &parties, 1, 2, 20_000 * MICROS).unwrap();
    let cell = MkfCell { funding: FundingIndex::new(500_000).unwrap(), hour: 1_000 };
    sim.view.set(Key::mkf(1), cell.to_leaf());
    let before = [2, 3].map(|n| sim.collateral(n, 0));
    fill(&mut sim, &parties, 1, -1, -10_000 * MICROS).unwrap();
    // longs of 2 lots pay 2 * 10 * 500,000
    let due = 10_000_000;
    assert_eq!(sim.collateral(2, 0), before[0] + 10_000 * MICROS - due);
    assert_eq!(sim.collateral(3, 0), before[1] - 10_000 * MICROS + due);
    assert_eq!([2, 3].map(|n| sim.position(n, 0, 1)), [1, -1]);
    assert_eq!(sim.view.get(Key::pos(2, 0, 1))[3], tsz_hash::PrimeCharacteristicRing::from_u32(500_000));
    // a due hour stops it
    sim.set_time(TIME + HOUR_MS);
    sim.set_price(1, 1_000, TIME + HOUR_MS);
    let refused = margin(fill(&mut sim, &parties, 1, -1, -10_000 * MICROS));
    assert_eq!(refused, MarginReject::FundingDue { market: market(1) });
}

#[test]
fn cannot_make_collateral_or_positions() {
    let (mut sim, parties) = scripted_world(shared());
    let cash = 3_000 * MICROS;
    let mut attempt = |legs: [[u32; 7]; 2]| sim.run(&parties, &legs.concat()).map(|_| ());
    let minted = attempt([leg(0, 3, -cash), leg(0, -3, cash + 1)]);
    assert_eq!(minted, Err(ExtReject::NotMatched { lots: 0, cash: 1 }));
    let unequal = attempt([leg(0, 3, -cash), leg(0, -2, cash)]);
    assert_eq!(unequal, Err(ExtReject::NotMatched { lots: 1, cash: 0 }));
    let same_side = attempt([leg(0, 3, -cash), leg(0, 3, cash)]);
    assert_eq!(same_side, Err(ExtReject::NotMatched { lots: 6, cash: 0 }));
    let two = attempt([leg(0, 3, -cash), leg(1, -3, cash)]);
    assert_eq!(two, Err(ExtReject::LegMarkets { first: 0, other: 1 }));
    let alone = attempt([leg(0, 3, 0), [0; 7]]);
    assert_eq!(alone, Err(ExtReject::NotMatched { lots: 3, cash: 0 }));
    attempt([leg(0, 3, -cash), leg(0, -3, cash)]).unwrap();
}

#[test]
fn cannot_lose_more_than_the_limit() {
    let (mut sim, parties) = scripted_world(shared());
    let over = |result: Result<(), ExtReject>| match result {
        Err(ExtReject::OverLimit { account, used, .. }) => (account.get(), used / MICROS),
        other => panic!("{other:?}"),
    };
    assert_eq!(over(fill(&mut sim, &parties, 0, 51, 51_000 * MICROS)), (2, 51_000));
    // a sale for nothing: the value is lost, and as much is owed
    assert_eq!(over(fill(&mut sim, &parties, 0, 26, 0)), (3, 52_000));
    fill(&mut sim, &parties, 0, 25, 0).unwrap();
    assert_eq!([2, 3].map(|n| used(&sim, n)), [0, 50_000 * MICROS]);
    // and nothing more
    assert_eq!(over(fill(&mut sim, &parties, 0, 1, 999 * MICROS)), (3, 51_001));
}

#[test]
fn a_position_of_the_users_own_is_not_sold_for_nothing() {
    let (mut sim, parties) = scripted_world(shared());
    fill(&mut sim, &parties, 0, 40, 40_000 * MICROS).unwrap();
    assert_eq!([2, 3].map(|n| used(&sim, n)), [40_000 * MICROS; 2]);
    // closing at the mark costs nothing and gives nothing back
    fill(&mut sim, &parties, 0, -10, -10_000 * MICROS).unwrap();
    assert_eq!([2, 3].map(|n| used(&sim, n)), [40_000 * MICROS; 2]);
    // 2 sells at half the mark: the loss counts, the gain of 3 frees its limit
    fill(&mut sim, &parties, 0, -10, -5_000 * MICROS).unwrap();
    assert_eq!([2, 3].map(|n| used(&sim, n)), [45_000 * MICROS, 35_000 * MICROS]);
    let refused = fill(&mut sim, &parties, 0, -10, -4_999 * MICROS);
    assert!(matches!(refused, Err(ExtReject::OverLimit { .. })), "{refused:?}");
    // a flip puts all of its notional at risk
    let refused = fill(&mut sim, &parties, 0, -21, -21_000 * MICROS);
    assert!(matches!(refused, Err(ExtReject::OverLimit { .. })), "{refused:?}");
}

#[test]
fn a_leg_needs_a_limit_of_positions() {
    for limits in [&[][..], &[(0, 50_000)], &[(0, 50_000), (5, 50_000), (127, 50_000)]] {
        let mut sim = sim(scripted, shared());
        let with = sim.approve(2, 0, 0, &[], &[(cell::POSITIONS, 50_000)]);
        let without = sim.approve(3, 0, 0, &[], limits);
        // not even to close
        let refused = fill(&mut sim, &[with, without], 0, 1, 1_000 * MICROS);
        assert_eq!(refused, Err(ExtReject::NoPositions { account: without.account, sub: without.sub }));
    }
}

/// Legs, then so many units (24) of BAL(0) from account 2 to 3, or back if the last word is 1.
fn mixed(op: &mut Op<'_>) -> Result<(), Fault> {
    scripted(op)?;
    let [.., units, back] = *op.args() else { return Err(Fault::Args) };
    let (from, to) = if back == 1 { (3, 2) } else { (2, 3) };
    op.debit(from, 0, 0, u128::from(units) * MICROS as u128)?;
    op.credit(to, 0, 0, u128::from(units) * MICROS as u128)
}

/// 2 and 3 let 50,000 units of the balance go, and 60,000 of positions.
fn two_pots() -> (World, [Approver; 2]) {
    let mut sim = sim(mixed, shared());
    let limits = [(0, 50_000), (cell::POSITIONS, 60_000)];
    let parties = [2, 3].map(|n| sim.approve(n, 0, 0, &[], &limits));
    (sim, parties)
}

/// 2 buys lots for cash from 3 and pays so many units of the balance.
fn mix(
    sim: &mut World,
    parties: &[Approver],
    (lots, cash): (i64, i128),
    units: i64,
) -> Result<(), ExtReject> {
    let balance = [units.unsigned_abs() as u32, (units < 0).into()];
    let args = [&leg(0, lots, -cash)[..], &leg(0, -lots, cash), &balance].concat();
    sim.run(parties, &args).map(|_| ())
}

fn used_of(sim: &World, n: u32) -> [i128; 2] {
    let party = tsz_ext::sim::approver(n, 0, 0);
    [0, 1].map(|k| {
        let leaf = sim.view.get(key::limit(party.account, party.sub, party.slot, k));
        LimitCell::from_leaf(&leaf).unwrap().used.get() as i128 / MICROS
    })
}

/// An accomplice gives by bad legs what it takes from the balance: money of the user would go from where nothing can
/// happen to it into the collateral of a losing position, any number of times.
#[test]
fn what_legs_gain_frees_no_outflow_of_the_balance() {
    let (mut sim, parties) = two_pots();
    mix(&mut sim, &parties, (10, 10_000 * MICROS), 50_000).unwrap();
    assert_eq!(used_of(&sim, 2), [50_000, 10_000]);
    // 3 buys at twice the mark: 2 gains 10,000, which frees what legs used and not a unit of the balance
    mix(&mut sim, &parties, (-10, -20_000 * MICROS), 0).unwrap();
    assert_eq!(used_of(&sim, 2), [50_000, 0]);
    let out = Err(ExtReject::OverLimit {
        account: parties[0].account,
        sub: parties[0].sub,
        of: tsz_types::TokenId::QUOTE.into(),
        used: 50_001 * MICROS,
        limit: 50_000 * MICROS as u128,
    });
    assert_eq!(mix(&mut sim, &parties, (1, 0), 1), out);
    // nor in the operation in which it is gained
    assert_eq!(mix(&mut sim, &parties, (-10, -20_000 * MICROS), 1), out);
}

/// The other way round: collateral would go to the balance, and the position is liquidated.
#[test]
fn what_comes_into_the_balance_frees_nothing_of_positions() {
    let (mut sim, parties) = two_pots();
    // 2 buys 20 lots at twice the mark: 20,000 lost, 20,000 at risk
    mix(&mut sim, &parties, (20, 40_000 * MICROS), 0).unwrap();
    assert_eq!(used_of(&sim, 2), [0, 40_000]);
    mix(&mut sim, &parties, (1, 1_000 * MICROS), -40_000).unwrap();
    assert_eq!(used_of(&sim, 2), [0, 41_000]);
    let refused = mix(&mut sim, &parties, (10, 20_000 * MICROS), -1);
    assert!(
        matches!(refused, Err(ExtReject::OverLimit { of: Limited::Positions, used, .. }) if used == 61_000 * MICROS),
        "{refused:?}"
    );
}

/// What gains leave below nothing is no allowance for later.
#[test]
fn gains_of_legs_are_no_allowance() {
    let (mut sim, parties) = two_pots();
    mix(&mut sim, &parties, (-1, -50_000 * MICROS), 0).unwrap();
    assert_eq!(used_of(&sim, 2), [0, 0]);
    let refused = mix(&mut sim, &parties, (62, 62_000 * MICROS), 0);
    assert!(matches!(refused, Err(ExtReject::OverLimit { of: Limited::Positions, .. })), "{refused:?}");
}

/// A program that moves no positions is given no limit of them.
#[test]
fn parties_with_a_limit_of_positions_are_for_programs_that_move_them() {
    fn asks(op: &mut Op<'_>) -> Result<(), Fault> {
        op.party(0).map(drop)
    }
    let mut sim = sim(asks, shared());
    let party = sim.approve(2, 0, 0, &[], &[(0, 5), (cell::POSITIONS, 0)]);
    assert_eq!(sim.run(&[party], &[]).map(|_| ()), Err(ExtReject::Program(Fault::Cell)));
    let party = sim.approve(2, 0, 0, &[], &[(0, 5)]);
    sim.run(&[party], &[]).unwrap();
}

#[test]
fn open_interest_moves_by_at_most_49_bits_and_a_sign() {
    const HALF: i64 = 1 << 47;
    let cheap = with(|params| {
        params.perps[0].tiers[2].bound = notional((1 << 55) - 1);
        params.perps[0].oi_cap = notional(1 << 71);
    });
    let world = || {
        let mut sim = sim(scripted, cheap);
        sim.set_price(0, 1, TIME);
        let parties = [2, 3, 4, 5].map(|n| {
            sim.deposit(n, 0, 1 << 58);
            sim.approve(n, 0, 0, &[], &[(cell::POSITIONS, (1 << 60) - 1)])
        });
        (sim, parties)
    };
    // legs of 2^47 lots do not fit the script: what is held is set
    let (mut sim, parties) = world();
    for (n, size) in [(2, HALF), (3, -HALF), (4, HALF), (5, -HALF)] {
        let pos = PosCell::new(size, FundingIndex::ZERO).unwrap();
        sim.view.set(Key::pos(n, 0, 0), pos.to_leaf());
        let cell = SubCell::from_leaf(&sim.view.get(Key::sub(n, 0))).unwrap();
        sim.view.set(Key::sub(n, 0), SubCell { pos_count: 1, ..cell }.to_leaf());
    }
    let old = MkoCell { open_interest: 1 << 50, ..MkoCell::default() };
    sim.view.set(Key::mko(0), old.to_leaf());
    let cross = |sim: &World, closed: [i64; 4]| {
        let mut log = tsz_stf::Log::new(&sim.view);
        let leg = |(party, lots): (&Approver, i64)| tsz_ext::Crossing {
            account: party.account,
            sub: party.sub,
            lots,
            cash: 0,
        };
        let legs: Vec<_> = parties.iter().zip(closed).map(leg).collect();
        MarginRules { params: cheap }.cross(&mut log, TIME, market(0), &legs).map(|_| {
            let accesses = log.into_accesses();
            let mko = accesses.iter().find(|a| a.key == Key::mko(0)).unwrap();
            MkoCell::from_leaf(&mko.new).unwrap().open_interest
        })
    };
    // -2^49 is the least
    assert_eq!(cross(&sim, [-HALF, HALF, -HALF, HALF]), Ok(1 << 49));
    let pos = PosCell::new(HALF + 1, FundingIndex::ZERO).unwrap();
    sim.view.set(Key::pos(2, 0, 0), pos.to_leaf());
    assert_eq!(cross(&sim, [-HALF - 1, HALF, -HALF, HALF]), Err(MarginReject::Bound));
    // 2^49 is one too many
    let (sim, _) = world();
    assert_eq!(cross(&sim, [HALF, -HALF, HALF, -HALF]), Err(MarginReject::Bound));
    assert_eq!(cross(&sim, [HALF - 1, 1 - HALF, HALF, -HALF]), Ok((1 << 49) - 2));
}

#[test]
fn markets_and_prices_are_those_of_trades() {
    let status = |m: usize, status| with(|params| params.perps[m].status = status);
    for (params, refused) in [
        (status(0, Status::Closed), MarginReject::Status { market: market(0) }),
        (status(0, Status::Settling), MarginReject::Status { market: market(0) }),
        (status(0, Status::ReduceOnly), MarginReject::NotReducing { size: 0 }),
        (with(|params| params.perps[0].oi_cap = notional(1_999)), MarginReject::Bound),
        (with(|params| params.perps[0].tiers[2].bound = notional(5_000_001)), MarginReject::Bound),
    ] {
        let (mut sim, _) = scripted_world(params);
        let parties = [2, 3].map(|n| {
            sim.deposit(n, 0, 100_000_000);
            sim.approve(n, 0, 0, &[], &[(cell::POSITIONS, 50_000_000)])
        });
        let lots = if params.perps[0].tiers[2].bound == notional(5_000_001) { 5_001 } else { 1 };
        let got = margin(fill(&mut sim, &parties, 0, lots, i128::from(lots) * 1_000 * MICROS));
        assert_eq!(got, refused);
    }
    let (mut sim, parties) = scripted_world(shared());
    let absent = margin(fill(&mut sim, &parties, 3, 1, 1_000 * MICROS));
    assert_eq!(absent, MarginReject::NoMarket { market: market(3) });
    // a fresh price whatever the leg does, one millisecond at the edge
    fill(&mut sim, &parties, 0, 2, 2_000 * MICROS).unwrap();
    sim.set_price(0, 1_000, TIME - 60_001);
    let stale = margin(fill(&mut sim, &parties, 0, -1, -1_000 * MICROS));
    assert_eq!(stale, MarginReject::Stale { market: market(0), price_ts: TIME - 60_001, time: TIME });
    sim.set_price(0, 1_000, TIME - 60_000);
    fill(&mut sim, &parties, 0, -1, -1_000 * MICROS).unwrap();
}

#[test]
fn every_party_stays_legal() {
    let (mut sim, parties) = scripted_world(shared());
    // 100,000 of collateral carry 1,000,000 of notional at 10%; limits do not bind here
    for n in [2, 3] {
        sim.approve(n, 0, 0, &[], &[(cell::POSITIONS, 10_000_000)]);
    }
    let too_large = margin(fill(&mut sim, &parties, 0, 1_001, 1_001_000 * MICROS));
    assert!(matches!(too_large, MarginReject::Illegal { account, .. } if account.get() == 2));
    fill(&mut sim, &parties, 0, 1_000, 1_000_000 * MICROS).unwrap();
    // no millionth may go below
    assert!(matches!(margin(fill(&mut sim, &parties, 1, 1, 10_000 * MICROS)), MarginReject::Illegal { .. }));
    // below the initial margin it may reduce at the mark, and not below it
    sim.set_price(0, 970, TIME);
    let cell = SubCell::from_leaf(&sim.view.get(Key::sub(2, 0))).unwrap();
    assert!(cell.collateral.is_negative());
    let bad = margin(fill(&mut sim, &parties, 0, -10, -8_999 * MICROS));
    assert!(matches!(bad, MarginReject::Illegal { account, .. } if account.get() == 2));
    fill(&mut sim, &parties, 0, -10, -9_700 * MICROS).unwrap();
    // positions in other markets count: without a fresh price of theirs there is no judgement
    fill(&mut sim, &parties, 0, -900, -900 * 970 * MICROS).unwrap();
    fill(&mut sim, &parties, 1, 1, 10_000 * MICROS).unwrap();
    sim.set_price(1, 1_000, TIME - 60_001);
    let stale = margin(fill(&mut sim, &parties, 0, -1, -970 * MICROS));
    assert!(matches!(stale, MarginReject::Stale { market: m, .. } if m == market(1)));
}

#[test]
fn nobody_is_left_with_a_debt_and_no_position() {
    let (mut sim, parties) = scripted_world(shared());
    fill(&mut sim, &parties, 0, 10, 10_000 * MICROS).unwrap();
    let cell = SubCell::from_leaf(&sim.view.get(Key::sub(2, 0))).unwrap();
    let poor = SubCell { collateral: Collateral::new(-9_000 * MICROS).unwrap(), ..cell };
    sim.view.set(Key::sub(2, 0), poor.to_leaf());
    // worth 1,000: closing below 900 a lot leaves a debt, which margin tokens worth more than it do not excuse
    for tokens in [0, 1_000_000_000] {
        let balance = Balance::new(tokens).unwrap();
        sim.view.set(Key::mbal(2, 0, 0), BalCell { balance }.to_leaf());
        sim.view.set(Key::sub(2, 0), poor.with(0, tokens > 0).to_leaf());
        let refused = margin(fill(&mut sim, &parties, 0, -10, -9_000 * MICROS + 1));
        assert_eq!(refused, MarginReject::Debt { account: AccountId::new(2).unwrap(), debt: 1 });
    }
    sim.view.set(Key::mbal(2, 0, 0), tsz_hash::ZERO);
    sim.view.set(Key::sub(2, 0), poor.to_leaf());
    fill(&mut sim, &parties, 0, -10, -10_000 * MICROS).unwrap();
    assert_eq!((sim.position(2, 0, 0), sim.collateral(2, 0)), (0, 1_000 * MICROS));
    assert_eq!(
        vec![0; 8],
        sim.view.get(Key::pos(2, 0, 0)).map(|f| tsz_hash::PrimeField32::as_canonical_u32(&f))
    );
}
