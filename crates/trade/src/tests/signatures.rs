//! Real signatures: each signed field is covered.

use super::world::*;
use crate::ops::*;
use crate::*;
use tsz_stf::{Reject, chain};
use tsz_types::*;

fn verified(w: &World, op: &TradeOp) -> Result<Applied, TradeReject> {
    apply(&w.view, &TradeContext { batch: &w.batch, params: &w.params }, 1, op)
}

fn signed(w: &World) -> PerpTrade {
    let mut op = w.perp(party(2, 0), party(3, 0), 0, 10, 1_000);
    for side in [&mut op.taker, &mut op.maker] {
        side.signature = secret(0).sign(&side.order.digest(&w.batch.system));
    }
    op
}

#[test]
fn orders_are_signed_in_every_field() {
    let w = World::new();
    let op = signed(&w);
    assert!(verified(&w, &op.clone().into()).is_ok());
    type Change = fn(&mut PerpOrder);
    let changes: [Change; 12] = [
        |o| o.terms.account = party(4, 0).account,
        |o| o.terms.slot = Slot::new(1).unwrap(),
        |o| o.terms.nonce = Nonce::new(1).unwrap(),
        |o| o.terms.lots = lots(11),
        |o| o.terms.price = price(1_001),
        |o| o.terms.tif = Tif::Ioc,
        |o| o.terms.self_trade = SelfTrade::Decrement,
        |o| o.terms.max_taker_fee = rate(1_999),
        |o| o.terms.max_maker_fee = rate(-1_000),
        |o| o.terms.broker = party(5, 0).account,
        |o| o.terms.expiry = TimeMs::new(TIME + 9).unwrap(),
        |o| o.trigger = Trigger::Below(price(1_000)),
    ];
    for (k, change) in changes.iter().enumerate() {
        let mut op = op.clone();
        change(&mut op.taker.order);
        assert_eq!(verified(&w, &op.into()), Err(TradeReject::Base(Reject::Signature)), "change {k}");
    }
    let mut op = op;
    op.lots = lots(3); // the operator's choice
    assert!(verified(&w, &op.into()).is_ok());
}

#[test]
fn a_remembered_digest_is_of_its_order_and_system_only() {
    let w = World::new();
    let mut signed = signed(&w).taker;
    let fresh = signed.order.digest(&w.batch.system);
    signed.prepare(&w.batch.system);
    assert_eq!(signed.digest(&w.batch.system), fresh);
    let other = [tsz_hash::F::default(); 8];
    assert_eq!(signed.digest(&other), signed.order.digest(&other));
    signed.order.terms.lots = lots(11);
    assert_ne!(signed.digest(&w.batch.system), fresh);
    assert_eq!(signed.digest(&w.batch.system), signed.order.digest(&w.batch.system));
}

#[test]
fn reports_are_signed_by_their_signers_about_their_feed() {
    let w = World::new();
    let signer_key = |s: u8| {
        let id = w.params.oracle.signers[usize::from(s)];
        (0..5).map(secret).find(|k| k.public_key().key_id() == id).unwrap()
    };
    let report = |s: u8| {
        let ts = TimeMs::new(TIME + 1).unwrap();
        let mut r = PriceReport {
            signer: s,
            index: 1_000,
            mark: 1_001,
            confidence: 0,
            ts,
            breaker: false,
            signature: blank(),
        };
        r.signature = signer_key(s).sign(&chain(&w.batch.system, &r.message(&feed(0))));
        r
    };
    let op = OracleUpdate { market: market(0), reports: (0..3).map(report).collect() };
    assert!(verified(&w, &op.clone().into()).is_ok());
    let other = OracleUpdate { market: market(1), ..op.clone() };
    assert_eq!(verified(&w, &other.into()), Err(TradeReject::ReportSignature { place: 0, signer: 0 }));
    let mut op = op;
    op.reports[2].breaker = true;
    assert_eq!(verified(&w, &op.into()), Err(TradeReject::ReportSignature { place: 2, signer: 2 }));
}

#[test]
fn cancels_are_signed() {
    let w = World::new();
    let mut op = CancelOrder {
        account: party(2, 0).account,
        sub: SubId::MIN,
        slot: Slot::MIN,
        nonce: Nonce::MIN,
        key_slot: KeySlot::MIN,
        signature: blank(),
    };
    assert_eq!(verified(&w, &op.clone().into()), Err(TradeReject::Base(Reject::Signature)));
    op.signature = secret(0).sign(&tsz_stf::message(&w.batch.system, &op.message()));
    assert!(verified(&w, &op.into()).is_ok());
}
