//! One test for each lie about margin tokens, MarginTransfer and MarginExit.

use tsz_air::F;
use tsz_gadgets::layout::{Columns, from_slice};
use tsz_hash::PrimeCharacteristicRing;
use tsz_ledger::{BalCell, Cell, Key, MkfCell, MkpCell, Permission, SubCell};
use tsz_stf::View;
use tsz_trade::ops::{Direction, MarginTransfer};
use tsz_trade::{Party, TradeOp, invariants};
use tsz_types::*;

use super::lies::under;
use super::world::*;
use crate::tables::Exit;
use crate::trace::op_traces;
use crate::witness::Witness;

/// Account 2 holds tokens in places 0 and 1 and a position in market 1, and trades in market 0.
fn holder() -> World {
    let mut world = World::new();
    world.set_margin(2, 0, 777_777_777_777);
    world.set_margin(2, 1, 1_000_003);
    world.hold(2, 1, 12, 5);
    world.apply(world.trade(0, 10, 1_000));
    assert_eq!(verdict(&world), "nowhere");
    world
}

/// First access of the taker's judgement: MBAL(0), MKP(0), MBAL(1), MKP(1), POS(1), MKP(1), MKF(1).
const TABLE: usize = 16;

fn surplus(world: &World, who: u32) -> i128 {
    let party = Party { account: account(who), sub: SubId::MIN };
    let margin = invariants::margin(&world.view, &world.params, TIME, party).unwrap();
    margin.tav - margin.imr
}

/// Changes the collateral in an access of SUB, before and after alike.
fn shift(world: &mut World, access: usize, by: i128) {
    let access = &mut world.records[0].accesses[access];
    for leaf in [&mut access.old, &mut access.new] {
        let cell = SubCell::from_leaf(leaf).unwrap();
        let collateral = Collateral::new(cell.collateral.get() + by).unwrap();
        *leaf = SubCell { collateral, ..cell }.to_leaf();
    }
}

#[test]
fn tokens_count_to_the_millionth_rounded_down() {
    let mut world = holder();
    let surplus = surplus(&world, 2);
    shift(&mut world, 10, -surplus);
    assert_eq!(verdict(&world), "nowhere");
    let exact = world.clone();
    shift(&mut world, 10, -1);
    assert_eq!(verdict(&world), "judge");
    // the token in place 0 counts 9/10 of 1/10^3: a balance of 223 more gives the next millionth, one less does not
    let mut world = exact;
    let value = |balance: u128| balance * 1_000 * 9_000 / (1_000_000 * 10_000);
    let balance = 777_777_777_777;
    assert_eq!(value(balance), value(balance - 1) + u128::from(value(balance) > value(balance - 1)));
    let least = (balance - 2_000..=balance).find(|b| value(*b) == value(balance)).unwrap();
    for (held, found) in [(least, "nowhere"), (least - 1, "judge")] {
        let cell = BalCell { balance: Balance::new(held).unwrap() };
        world.records[0].accesses[TABLE].old = cell.to_leaf();
        world.records[0].accesses[TABLE].new = cell.to_leaf();
        assert_eq!(verdict(&world), found, "{held}");
    }
}

#[test]
fn rejects_a_token_left_out_counted_twice_or_out_of_order() {
    let mut world = holder();
    world.records[0].accesses.drain(TABLE..TABLE + 2);
    assert_ne!(verdict(&world), "nowhere");
    let mut world = holder();
    world.records[0].accesses.drain(TABLE + 2..TABLE + 4);
    assert_ne!(verdict(&world), "nowhere");
    let mut world = holder();
    let again = world.records[0].accesses[TABLE..TABLE + 2].to_vec();
    world.records[0].accesses.splice(TABLE + 2..TABLE + 4, again);
    assert_ne!(verdict(&world), "nowhere");
    let mut world = holder();
    world.records[0].accesses.swap(TABLE, TABLE + 2);
    world.records[0].accesses.swap(TABLE + 1, TABLE + 3);
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_another_token_than_the_mask_says() {
    let mut world = holder();
    // the liar counts place 3 for place 1
    let view = world.view.clone();
    let accesses = &mut world.records[0].accesses;
    for (at, key) in [(TABLE + 2, Key::mbal(2, 0, 3)), (TABLE + 3, Key::mkp(5))] {
        accesses[at] = tsz_ledger::Access::read(key, view.get(key));
    }
    assert_eq!(verdict(&world), "bus:token");
}

#[test]
fn rejects_margin_of_another_and_prices_of_another_market() {
    for (access, key) in [
        (TABLE, Key::mbal(3, 0, 0)),
        (TABLE, Key::mbal(2, 1, 0)),
        (TABLE, Key::bal(2, 0, 5)),
        (TABLE + 1, Key::mkp(1)),
        (TABLE + 1, Key::mkf(0)),
    ] {
        let mut world = holder();
        world.records[0].accesses[access].key = key;
        assert_ne!(verdict(&world), "nowhere", "{access} {key:?}");
    }
}

#[test]
fn rejects_a_token_at_an_old_price_unless_it_counts_nothing() {
    let old = |ms| MkpCell { index: 1_000, mark: 1_000, price_ts: TIME - 60_000 - ms, settled: false };
    for (cell, found) in [(old(0), "nowhere"), (old(1), "token"), (MkpCell::default(), "token")] {
        let mut world = holder();
        let access = &mut world.records[0].accesses[TABLE + 1];
        (access.old, access.new) = (cell.to_leaf(), cell.to_leaf());
        assert_eq!(verdict(&world), found);
        let free = under(&world, |p| p.collateral[0].haircut = Fraction::new(0).unwrap());
        assert_eq!(free, "nowhere");
    }
}

#[test]
fn rejects_other_haircuts_and_scales() {
    let mut world = holder();
    let surplus = surplus(&world, 2);
    shift(&mut world, 10, -surplus);
    assert_eq!(verdict(&world), "nowhere");
    assert_eq!(under(&world, |p| p.collateral[0].haircut = Fraction::new(8_999).unwrap()), "judge");
    assert_eq!(under(&world, |p| p.collateral[0].units_per_lot += 1), "judge");
    world.params.collateral[0].units_per_lot -= 1;
    assert_ne!(verdict(&world), "nowhere", "parameters that the context does not name");
}

/// One transfer of account 2, who holds a position with unsettled funding.
fn moved(direction: Direction, token: u8, micros: u128) -> World {
    let mut world = World::new();
    world.set_balance(2, token, 5_000_000);
    if token != 0 {
        world.set_margin(2, 0, 6_000_000);
    }
    world.hold(2, 1, 12, 500);
    world.apply_op(world.transfer(2, direction, token, micros));
    assert_eq!(verdict(&world), "nowhere");
    world
}

/// The transfer signed with a change; the accesses stay.
fn forged(world: &World, change: impl Fn(&mut MarginTransfer)) -> String {
    let mut world = world.clone();
    let TradeOp::MarginTransfer(mut op) = world.records[0].op.clone() else { panic!("no transfer") };
    change(&mut op);
    world.records[0].op = world.sign_transfer(op).into();
    verdict(&world)
}

#[test]
fn rejects_transfers_that_are_not_as_signed() {
    use Direction::{In, Out};
    for world in [moved(In, 0, 1_000), moved(Out, 0, 1_000), moved(In, 5, 1_000), moved(Out, 5, 1_000)] {
        assert_eq!(forged(&world, |_| ()), "nowhere");
        let changes: [fn(&mut MarginTransfer); 7] = [
            |op| op.amount = Balance::new(op.amount.get() + 1).unwrap(),
            |op| op.amount = Balance::MIN,
            |op| op.direction = if op.direction == In { Out } else { In },
            |op| op.token = TokenId::new(if op.token.get() == 0 { 5 } else { 0 }).unwrap(),
            |op| op.token = TokenId::new(100).unwrap(),
            |op| op.sub = SubId::new(1).unwrap(),
            |op| op.account = account(3),
        ];
        for (k, change) in changes.into_iter().enumerate() {
            assert_ne!(forged(&world, change), "nowhere", "change {k}");
        }
        let mut lie = world.clone();
        let TradeOp::MarginTransfer(op) = &mut lie.records[0].op else { panic!("no transfer") };
        op.signature = World::blank();
        assert_eq!(verdict(&lie), "bus:schnorr");
        for access in 2..world.records[0].accesses.len().min(6) {
            for felt in [0, 5] {
                let mut lie = world.clone();
                let changed = &mut lie.records[0].accesses[access];
                if changed.write {
                    changed.new[felt] += F::ONE;
                    assert_ne!(verdict(&lie), "nowhere", "access {access} felt {felt}");
                }
            }
        }
    }
}

#[test]
fn rejects_a_key_that_may_not_transfer() {
    let mut world = World::new();
    world.set_balance(2, 0, 10);
    world.apply_op(world.transfer(2, Direction::In, 0, 7));
    let mut policy = policy();
    policy.permissions = [Permission::Trade, Permission::TransferOut].into_iter().collect();
    let leaf = Some(policy).to_leaf();
    (world.records[0].accesses[1].old, world.records[0].accesses[1].new) = (leaf, leaf);
    assert_eq!(verdict(&world), "margin_transfer");
}

#[test]
fn rejects_a_balance_and_a_margin_below_zero() {
    let mut world = moved(Direction::In, 0, 1_000);
    let access = &mut world.records[0].accesses[3];
    access.old = BalCell { balance: Balance::new(999).unwrap() }.to_leaf();
    access.new = BalCell { balance: Balance::new((1 << 96) - 1).unwrap() }.to_leaf();
    assert_ne!(verdict(&world), "nowhere");
    let mut world = moved(Direction::Out, 5, 1_000);
    let access = &mut world.records[0].accesses[4];
    access.old = BalCell { balance: Balance::new(999).unwrap() }.to_leaf();
    access.new = BalCell { balance: Balance::new((1 << 96) - 1).unwrap() }.to_leaf();
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_an_outflow_that_leaves_too_little_by_a_millionth() {
    for token in [0, 5] {
        let mut world = moved(Direction::Out, token, 1_000);
        let (surplus, sub) = (surplus(&world, 2), if token == 0 { 4 } else { 5 });
        // of a long position: what is left of the collateral is negative then, which a payment of collateral forbids
        shift(&mut world, sub, -surplus);
        assert_eq!(verdict(&world), if token == 0 { "bus:range12" } else { "nowhere" });
        shift(&mut world, sub, -1);
        assert_ne!(verdict(&world), "nowhere");
    }
}

#[test]
fn rejects_a_payment_of_collateral_that_funding_has_used_up() {
    let mut world = moved(Direction::Out, 0, 1_000);
    // 12 lots of multiplier 10 have gained 500 each
    let left = SubCell::from_leaf(&world.records[0].accesses[4].new).unwrap().collateral.get();
    shift(&mut world, 4, -left - 60_000);
    assert_eq!(verdict(&world), "nowhere");
    shift(&mut world, 4, -1);
    assert_eq!(verdict(&world), "bus:range12");
}

#[test]
fn rejects_more_positions_than_a_sub_account_may_have() {
    // neither what goes in nor what stays is judged: the count alone is wrong
    let transfer = moved(Direction::In, 0, 1_000);
    let mut exit = World::new();
    exit.set_margin(2, 0, 6_000_000);
    exit.hold(2, 1, 12, 0);
    exit.apply_op(exit.exit(2, 5));
    for (world, sub) in [(transfer, 4), (exit, 3)] {
        for (more, place) in [(31, "nowhere"), (32, "bus:range12")] {
            let mut lie = world.clone();
            let access = &mut lie.records[0].accesses[sub];
            access.old[5] += f(more);
            access.new[5] += f(more);
            assert_eq!(verdict(&lie), place, "{sub} {more}");
        }
    }
}

#[test]
fn rejects_an_outflow_without_a_judgement() {
    let mut world = moved(Direction::Out, 5, 1_000);
    world.records[0].accesses.truncate(6);
    assert_ne!(verdict(&world), "nowhere");
    let mut world = moved(Direction::Out, 5, 1_000);
    world.records[0].accesses.drain(6..8);
    assert_ne!(verdict(&world), "nowhere");
    let mut world = moved(Direction::Out, 5, 1_000);
    let hour = MkfCell { hour: 1, ..MkfCell::default() }.to_leaf();
    let last = world.records[0].accesses.last_mut().unwrap();
    (last.old, last.new) = (hour, hour);
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_collateral_that_insurance_takes_out() {
    let mut world = World::new();
    world.set_collateral(1, 1_000);
    let ctx = tsz_trade::TradeContext { batch: &world.context, params: &world.params };
    let refused = tsz_trade::apply_with(
        &world.view,
        &ctx,
        0,
        &world.transfer(1, Direction::Out, 0, 7).into(),
        &tsz_stf::Trusted,
    );
    assert!(refused.is_err());
    // the same accesses as another account's
    world.set_collateral(2, 1_000);
    world.apply_op(world.transfer(2, Direction::Out, 0, 7));
    let TradeOp::MarginTransfer(mut op) = world.records[0].op.clone() else { panic!("no transfer") };
    op.account = account(1);
    op.key_slot = KeySlot::new(1).unwrap();
    let keys = [Key::key_a(1, 1), Key::key_b(1, 1), Key::ctl(1, 0), Key::bal(1, 0, 0), Key::sub(1, 0)];
    let view = world.view.clone();
    for (access, key) in world.records[0].accesses.iter_mut().zip(keys) {
        access.key = key;
        if !access.write {
            (access.old, access.new) = (view.get(key), view.get(key));
        }
    }
    world.records[0].op = world.sign_transfer(op).into();
    assert_eq!(verdict(&world), "margin_transfer");
}

#[test]
fn rejects_a_token_that_is_not_listed() {
    let world = moved(Direction::In, 5, 1_000);
    assert_eq!(under(&world, |p| p.collateral[0].token = TokenId::new(6).unwrap()), "bus:place");
    assert_ne!(under(&world, |p| p.collateral.swap(0, 1)), "nowhere");
}

/// An exit that succeeds.
fn exited() -> World {
    let mut world = World::new();
    world.set_margin(2, 0, 6_000_000);
    world.set_margin(2, 1, 6_000_000);
    world.apply_op(world.exit(2, 5));
    assert_eq!((verdict(&world).as_str(), world.records[0].accesses.len()), ("nowhere", 6));
    world
}

/// A change of the row of an exit.
type Change = fn(&mut Exit<F>);

/// Place of the collateral table.
const COLLATERAL: usize = 7;

/// Where it is noticed that the row of the exit was changed, and its log with it.
fn lie(change: impl Fn(&mut Exit<F>), log: impl Fn(&mut World)) -> String {
    let world = exited();
    let mut ops = op_traces(&SMALL, &world.context, &world.params, &world.records).unwrap();
    let width = <Exit<F> as Columns<F>>::WIDTH;
    let mut row: Exit<F> = from_slice(&ops.traces[4].values[..width]);
    change(&mut row);
    if row.is_unlisted == F::ONE {
        // the list is asked for all tokens instead of the place of one
        let list = &mut ops.traces[COLLATERAL];
        list.values[2] = F::ZERO;
        let end = list.values.len() - list.width;
        list.values[end + 3] = F::ONE;
    }
    let table = &mut ops.traces[4];
    let mut cells = table.values.iter_mut();
    row.write(&mut |x| *cells.next().unwrap() = *x);
    let mut told = world.clone();
    log(&mut told);
    let start = world.context.digest();
    match Witness::assemble(&SMALL, &world.context, &told.records, start, ops) {
        Err(_) => "witness".into(),
        Ok(witness) => match judge(&witness) {
            Ok(()) => "nowhere".into(),
            Err(tsz_air::Violation::Constraint { air, .. }) => air,
            Err(tsz_air::Violation::Bus { bus, .. }) => format!("bus:{bus}"),
            Err(tsz_air::Violation::Shape { .. }) => "shape".into(),
        },
    }
}

/// The log of an exit that stops after SUB or before it.
fn stops(at: usize) -> impl Fn(&mut World) {
    move |w| {
        w.records[0].accesses.truncate(at);
        if at == 4 {
            w.records[0].accesses[3].new = w.records[0].accesses[3].old;
        }
    }
}

/// The row moves nothing.
fn nothing(e: &mut Exit<F>) {
    (e.is_ok, e.cleared, e.margin) = (F::ZERO, F::ZERO, [F::ZERO; 4]);
}

#[test]
fn rejects_exits_refused_for_a_reason_that_is_not_true() {
    assert_eq!(lie(|_| (), |_| ()), "nowhere");
    let refused: [(Change, usize); 4] = [
        (|e| e.is_open = F::ONE, 4),
        (|e| e.is_negative = F::ONE, 4),
        (|e| e.owner.is_other = F::ONE, 3),
        (|e| e.owner.is_absent = F::ONE, 3),
    ];
    for (k, (change, at)) in refused.into_iter().enumerate() {
        let change = |e: &mut Exit<F>| {
            nothing(e);
            change(e);
        };
        assert_eq!(lie(change, stops(at)), "margin_exit", "reason {k}");
    }
    assert_eq!(lie(nothing, stops(3)), "margin_exit", "without a reason");
    // a listed token is not unlisted, whatever list is claimed
    let unlisted = |e: &mut Exit<F>| {
        nothing(e);
        e.is_unlisted = F::ONE;
    };
    assert_eq!(lie(unlisted, stops(3)), "margin_exit");
    let other = |e: &mut Exit<F>| {
        unlisted(e);
        e.other_invs = [tsz_gadgets::inverse(e.token + F::ONE); 4];
    };
    assert_eq!(lie(other, stops(3)), "bus:tokens");
}

#[test]
fn rejects_exits_that_should_be_refused() {
    let sub = |felt: usize, by: u32| {
        move |w: &mut World| {
            let access = &mut w.records[0].accesses[3];
            access.old[felt] += f(by);
            access.new[felt] += f(by);
        }
    };
    assert_eq!(lie(|e| e.positions = F::ONE, sub(5, 1)), "margin_exit");
    assert_eq!(lie(|e| e.negative = F::ONE, sub(4, 1)), "margin_exit");
    // another sender, whose record the chain has
    let mut world = exited();
    let TradeOp::MarginExit(op) = &mut world.records[0].op else { panic!("no exit") };
    op.sender = EthAddress([9; 20]);
    assert_ne!(verdict(&world), "nowhere");
    assert_eq!(under(&exited(), |p| p.collateral[0].token = TokenId::new(6).unwrap()), "bus:key");
}

#[test]
fn rejects_exits_that_move_something_else() {
    for access in 0..6 {
        let mut world = exited();
        if world.records[0].accesses[access].write {
            world.records[0].accesses[access].new[0] += F::ONE;
            assert_ne!(verdict(&world), "nowhere", "access {access}");
        }
    }
    // the bit of the mask stays, or that of another place leaves
    let new = |by: F| move |w: &mut World| w.records[0].accesses[3].new[5] += by;
    assert_eq!(lie(|e| e.cleared = F::ZERO, new(f(64))), "margin_exit");
    assert_eq!(lie(|e| e.cleared = F::TWO, new(f(64) - f(128))), "margin_exit");
    let place = |e: &mut Exit<F>| e.at = [F::ZERO, F::ONE, F::ZERO, F::ZERO];
    assert_ne!(lie(place, |w| w.records[0].accesses[4].key = Key::mbal(2, 0, 1)), "nowhere");
    assert_ne!(lie(|_| (), |w| w.records[0].accesses[5].key = Key::bal(2, 1, 5)), "nowhere");
    let mut world = exited();
    let TradeOp::MarginExit(op) = &mut world.records[0].op else { panic!("no exit") };
    op.token = TokenId::new(100).unwrap();
    assert_ne!(verdict(&world), "nowhere");
}
