//! Orders, slots and cancels.

use super::world::*;
use crate::ops::*;
use crate::*;
use tsz_ledger::{Cell, CtlCell, Key, KeyPolicy, OrdCell, Permission, Permissions, Scheme};
use tsz_stf::Reject;
use tsz_types::*;

fn trade() -> (World, PerpTrade) {
    let w = World::new();
    let op = w.perp(party(2, 0), party(3, 0), 0, 10, 1_000);
    (w, op)
}

#[test]
fn a_slot_counts_fills_and_moves_on_when_full() {
    let (mut w, mut op) = trade();
    let a = party(2, 0);
    op.lots = lots(4);
    w.apply(op.clone()).unwrap();
    assert_eq!((w.ord(a, 0).filled, w.ord(a, 0).next_nonce.get()), (lots(4), 0));
    assert_eq!(w.ord(a, 0).tag, op.taker.order.digest(&w.batch.system)[..4]);
    op.lots = lots(7);
    assert!(matches!(w.dry(op.clone()), Err(TradeReject::Overfill { .. })));
    op.lots = lots(6);
    w.apply(op.clone()).unwrap();
    assert_eq!(w.ord(a, 0), OrdCell::fresh(Nonce::new(1).unwrap()));
    op.lots = lots(1);
    assert!(matches!(w.dry(op), Err(TradeReject::DeadNonce { .. }))); // replayed after the fill
}

#[test]
fn a_slot_with_fills_belongs_to_one_order() {
    let (mut w, mut op) = trade();
    op.lots = lots(1);
    w.apply(op.clone()).unwrap();
    op.taker.order.terms.lots = lots(11); // another order with the same nonce
    assert!(matches!(w.dry(op.clone()), Err(TradeReject::OtherOrder { .. })));
    op.taker.order.terms.nonce = Nonce::new(5).unwrap(); // replaced in its slot by a higher nonce
    w.apply(op.clone()).unwrap();
    assert_eq!((w.ord(party(2, 0), 0).next_nonce.get(), w.ord(party(2, 0), 0).filled), (5, lots(1)));
}

#[test]
fn the_last_nonce_is_never_used() {
    let (mut w, mut op) = trade();
    op.taker.order.terms.nonce = Nonce::MAX;
    assert!(matches!(w.dry(op.clone()), Err(TradeReject::LastNonce { .. })));
    op.taker.order.terms.nonce = Nonce::new(u32::MAX - 1).unwrap();
    w.apply(op).unwrap();
    assert_eq!(w.ord(party(2, 0), 0), OrdCell::fresh(Nonce::MAX));
}

#[test]
fn expiry_is_exclusive() {
    let (w, mut op) = trade();
    op.maker.order.terms.expiry = TimeMs::new(TIME).unwrap();
    assert!(matches!(w.dry(op.clone()), Err(TradeReject::OrderExpired { .. })));
    op.maker.order.terms.expiry = TimeMs::new(TIME + 1).unwrap();
    assert!(w.dry(op).is_ok());
}

#[test]
fn prices_and_sides_must_fit() {
    let (w, mut op) = trade();
    op.taker.order.terms.price = price(999);
    assert!(matches!(w.dry(op.clone()), Err(TradeReject::NoCross { .. })));
    op.taker.order.terms.price = price(1_200); // the trade is at the maker's price
    assert_eq!(w.dry(op.clone()).unwrap().receipt.quote, 10_000);
    op.taker.order.terms.side = Side::Sell;
    assert_eq!(w.dry(op.clone()), Err(TradeReject::SameSide));
    op.taker.order.terms.side = Side::Buy;
    op.taker.order.market = market(1);
    assert_eq!(w.dry(op), Err(TradeReject::OtherMarket { taker: 1, maker: 0 }));
}

#[test]
fn times_in_force_are_obeyed() {
    let (mut w, op) = trade();
    let with = |taker, maker, n, close| {
        let mut op = op.clone();
        (op.taker.order.terms.tif, op.maker.order.terms.tif) = (taker, maker);
        (op.lots, op.close_taker) = (lots(n), close);
        op
    };
    assert_eq!(w.dry(with(Tif::PostOnly, Tif::Gtt, 1, false)), Err(TradeReject::PostOnlyTaker));
    assert_eq!(w.dry(with(Tif::Gtt, Tif::Ioc, 1, false)), Err(TradeReject::ImmediateMaker));
    assert_eq!(w.dry(with(Tif::Gtt, Tif::Fok, 10, false)), Err(TradeReject::ImmediateMaker));
    assert!(matches!(w.dry(with(Tif::Fok, Tif::PostOnly, 9, false)), Err(TradeReject::PartialFok { .. })));
    assert!(w.dry(with(Tif::Fok, Tif::PostOnly, 10, false)).is_ok());
    assert_eq!(w.dry(with(Tif::Gtt, Tif::Gtt, 1, true)), Err(TradeReject::CloseNotIoc));
    assert_eq!(w.dry(with(Tif::Gtt, Tif::Gtt, 0, false)), Err(TradeReject::NoLots));
    w.apply(with(Tif::Ioc, Tif::Gtt, 1, false)).unwrap();
    assert_eq!(w.ord(party(2, 0), 0).filled, lots(1));
    w.apply(with(Tif::Ioc, Tif::Gtt, 1, true)).unwrap();
    assert_eq!(w.ord(party(2, 0), 0), OrdCell::fresh(Nonce::new(1).unwrap()));
    assert_eq!(w.ord(party(3, 0), 0).filled, lots(2));
}

#[test]
fn fees_stay_within_the_caps_of_order_and_market() {
    let (w, op) = trade();
    let with = |taker, maker, cap_taker, cap_maker| {
        let mut op = op.clone();
        (op.taker_fee, op.maker_fee) = (rate(taker), rate(maker));
        op.taker.order.terms.max_taker_fee = rate(cap_taker);
        op.maker.order.terms.max_maker_fee = rate(cap_maker);
        w.dry(op)
    };
    assert!(with(2_000, 1_000, 2_000, 1_000).is_ok());
    assert!(matches!(with(2_001, 0, 9_999, 0), Err(TradeReject::Fee { max: 2_000, .. })));
    assert!(matches!(with(101, 0, 100, 0), Err(TradeReject::Fee { max: 100, .. })));
    assert!(matches!(with(-1, 0, 100, 0), Err(TradeReject::Fee { min: 0, .. })));
    assert!(matches!(with(0, 1_001, 0, 5_000), Err(TradeReject::Fee { max: 1_000, .. })));
    assert!(matches!(with(100, -49, 100, -50), Err(TradeReject::Fee { max: -50, .. }))); // a rebate was promised
    assert!(with(100, -50, 100, -50).is_ok());
    assert!(matches!(with(0, 0, -1, 0), Err(TradeReject::NegativeRate { .. })));
}

#[test]
fn triggers_are_met_at_the_first_fill_by_a_fresh_mark() {
    let (mut w, mut op) = trade();
    op.taker.order.trigger = Trigger::Above(price(1_001));
    assert!(matches!(w.dry(op.clone()), Err(TradeReject::Trigger { mark: 1_000, .. })));
    op.taker.order.trigger = Trigger::Above(price(1_000));
    op.maker.order.trigger = Trigger::Below(price(1_000));
    op.lots = lots(1);
    w.apply(op.clone()).unwrap();
    w.set_price(0, 1_010);
    w.apply(op.clone()).unwrap(); // later fills do not ask
    op.taker.order.trigger = Trigger::Below(price(1_009));
    op.taker.order.terms.nonce = Nonce::new(7).unwrap();
    assert!(matches!(w.dry(op), Err(TradeReject::Trigger { mark: 1_010, .. })));
}

#[test]
fn keys_need_the_right_to_trade() {
    let (mut w, op) = trade();
    let key = Key::key_b(2, 0);
    let mut policy = KeyPolicy {
        scheme: Scheme::Schnorr,
        permissions: Permissions::NONE,
        expiry: TimeMs::new(TIME).unwrap(),
    };
    w.view.set(key, Some(policy).to_leaf());
    assert!(matches!(w.dry(op.clone()), Err(TradeReject::Base(Reject::Permission { .. }))));
    policy.permissions = [Permission::Trade].into_iter().collect();
    w.view.set(key, Some(policy).to_leaf());
    assert!(matches!(w.dry(op.clone()), Err(TradeReject::Base(Reject::Expired { .. }))));
    policy.expiry = TimeMs::new(TIME + 1).unwrap();
    w.view.set(key, Some(policy).to_leaf());
    assert!(w.dry(op.clone()).is_ok());
    policy.scheme = Scheme::P256;
    w.view.set(key, Some(policy).to_leaf());
    assert!(matches!(w.dry(op.clone()), Err(TradeReject::Base(Reject::WrongScheme { .. }))));
    w.view.set(key, None::<KeyPolicy>.to_leaf());
    assert!(matches!(w.dry(op), Err(TradeReject::Base(Reject::NoKey { .. }))));
}

fn cancel(n: u32) -> CancelOrder {
    CancelOrder {
        account: party(2, 0).account,
        sub: SubId::MIN,
        slot: Slot::MIN,
        nonce: Nonce::new(n).unwrap(),
        key_slot: KeySlot::MIN,
        signature: blank(),
    }
}

#[test]
fn a_cancelled_order_stays_dead() {
    let (mut w, mut op) = trade();
    op.lots = lots(1);
    w.apply(op.clone()).unwrap();
    w.apply(cancel(3)).unwrap();
    assert_eq!(w.ord(party(2, 0), 0), OrdCell::fresh(Nonce::new(4).unwrap()));
    assert!(matches!(w.dry(op), Err(TradeReject::DeadNonce { .. })));
    assert!(matches!(w.dry(cancel(3)), Err(TradeReject::DeadNonce { .. })));
    assert!(matches!(w.dry(cancel(u32::MAX)), Err(TradeReject::LastNonce { .. })));
    w.apply(cancel(u32::MAX - 1)).unwrap();
    assert!(matches!(w.dry(cancel(u32::MAX - 1)), Err(TradeReject::DeadNonce { .. })));
}

#[test]
fn cancel_all_kills_the_epoch_from_its_time_on() {
    let (mut w, op) = trade();
    let mut all = CancelAll {
        account: party(2, 0).account,
        sub: SubId::MIN,
        kill_epoch: KillEpoch::MIN,
        not_before: TimeMs::new(TIME + 1).unwrap(),
        nonce: Nonce::MIN,
        key_slot: KeySlot::MIN,
        signature: blank(),
    };
    assert!(matches!(w.dry(all.clone()), Err(TradeReject::NotYet { .. })));
    all.not_before = TimeMs::new(TIME).unwrap();
    w.apply(all.clone()).unwrap();
    assert!(matches!(w.dry(op.clone()), Err(TradeReject::Killed { .. })));
    assert!(matches!(w.dry(all.clone()), Err(TradeReject::Base(Reject::Nonce { .. }))));
    all.nonce = Nonce::new(1).unwrap();
    assert!(matches!(w.dry(all.clone()), Err(TradeReject::KillEpoch { .. })));
    // the last epoch is never left
    let ctl = CtlCell { nonce: all.nonce, kill_epoch: KillEpoch::MAX };
    w.view.set(Key::ctl(2, 0), ctl.to_leaf());
    all.kill_epoch = KillEpoch::MAX;
    assert!(matches!(w.dry(all), Err(TradeReject::Base(Reject::Width { .. }))));
}

#[test]
fn set_params_takes_its_turn_and_names_the_next_parameters() {
    let mut w = World::new();
    let next = Params { spots: alloc::vec![], ..w.params.clone() };
    let op = |serial| SetParams { serial: L1Serial::new(serial).unwrap(), hash: next.hash() };
    assert!(matches!(w.dry(op(1)), Err(TradeReject::Base(Reject::Serial { .. }))));
    w.apply(op(0)).unwrap();
    let batch = BatchContext { params: w.view.get(Key::PARAMS), ..w.batch };
    let ctx = TradeContext { batch: &batch, params: &w.params };
    assert_eq!(ctx.check_params(), Err(TradeReject::OtherParams));
    assert_eq!(TradeContext { params: &next, ..ctx }.check_params(), Ok(()));
}
