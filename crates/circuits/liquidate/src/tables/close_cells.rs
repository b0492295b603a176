//! The cells that a close reads and writes besides those of the maker's order.

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::chain::sys;
use tsz_gadgets::row::{Row, SYS_HI, c, pad8};
use tsz_margin::tables::MKO_HI;

use super::close::Close;

/// Account of insurance.
const INSURANCE: u32 = 1;

/// MKP and MKF of a Liquidate; SUB and POS of party and maker; SUB of insurance in a Liquidate; HEAD and SUB of the broker if
/// it is paid; SUB of the fee account; MKO.
pub(super) fn cells<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Close<AB::Expr>, n: &AB::Expr) {
    let (liquidation, real, pays) = (t.is_liquidation(), row.real.clone(), t.maker.pays_broker.clone());
    let ([mkp, mkf], [prices, funding]) = (t.price.keys(), t.price.leaves());
    for (at, (key, value)) in (0..).zip([(mkp, prices), (mkf, funding)]) {
        row.key_if(&liquidation, c(at), false, key);
        row.value_if(&liquidation, c(at), value);
    }
    head(row, t);
    let amount = t.charge.amount();
    row.credit(&t.insurance_cell, &AB::Expr::ONE, &amount);
    row.credit(&t.fee_cell, &AB::Expr::ONE, &t.net.amount());
    let [sub, pos] = t.maker.keys(&t.price.market);
    let own = t.sub.clone() * c::<AB::Expr>(512);
    let own_pos = own.clone() + c::<AB::Expr>(256) + t.price.market.clone();
    let account = t.account.value();
    let writes = [
        (real.clone(), [account.clone(), own], t.party.sub_leaves()),
        (real.clone(), [account, own_pos], t.party.pos_leaves(&t.price)),
        (real.clone(), sub, t.maker.leg.sub_leaves()),
        (real.clone(), pos, t.maker.leg.pos_leaves(&t.price)),
        (liquidation, [c(INSURANCE), c(0)], [t.insurance_cell.old_leaf(), t.insurance_cell.new_leaf()]),
        (
            pays.clone(),
            [t.maker.terms.broker.clone(), c(0)],
            [t.maker.share_cell.old_leaf(), t.maker.share_cell.new_leaf()],
        ),
        (real.clone(), [c(0), c(0)], [t.fee_cell.old_leaf(), t.fee_cell.new_leaf()]),
        (real, [c(MKO_HI), t.price.market.clone()], t.interest.leaves()),
    ];
    let mut at = t.at() + c::<AB::Expr>(4);
    let mut written = n.clone() + t.is_forced.double() + AB::Expr::ONE;
    for (k, (flag, key, [old, new])) in writes.into_iter().enumerate() {
        if k == 5 {
            at += pays.clone(); // HEAD
        }
        row.key_if(&flag, at.clone(), true, key);
        row.value_if(&flag, at.clone(), old);
        row.value_if(&flag, written.clone(), new);
        at += flag.clone();
        written += flag;
    }
}

/// HEAD, if the broker is paid, which exists.
fn head<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Close<AB::Expr>) {
    let (pays, maker) = (&t.maker.pays_broker, &t.maker);
    let gap = t.next_account.clone() - AB::Expr::ONE - maker.terms.broker.clone() - maker.distance.value();
    row.zero(pays.clone() * gap);
    let at = t.fee_place() - pays.double();
    let [b0, b1, t0, t1] = t.head.clone();
    row.key_if(pays, at.clone(), false, [c(SYS_HI), c(sys::HEAD)]);
    row.value_if(pays, at, pad8(&[b0, b1, t0, t1, t.next_account.clone()]));
}
