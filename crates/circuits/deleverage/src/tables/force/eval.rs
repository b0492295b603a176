//! Constraints of ForceLiquidate.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::perps::SETTLING;
use tsz_gadgets::row::{Row, c, compose12};
use tsz_gadgets::table::current;
use tsz_margin::tables::{MKO_HI, UNLISTED, claim, is_ill, lookup_listed, lookup_price, moves};
use tsz_trade::code::FORCE_LIQUIDATE;

use super::{Force, ForceAir, TARGET_AT};
use crate::tables::adl::written;
use crate::tables::bearer::ranks;
use crate::tables::interest::interest;
use crate::tables::kind::BEYOND;
use crate::tables::loss::loses;
use crate::tables::offer::offer;
use crate::tables::payment::payment;
use crate::tables::ranking::ranking_key;
use crate::tables::refusal::refuses;
use crate::tables::well::is_well;
use crate::tables::{INSURANCE, cells, section};

/// Writes of every op.
const QUEUE: u32 = 2;

fn limbs<E: PrimeCharacteristicRing + Clone>(digits: &[E; 4]) -> [E; 2] {
    [compose12(&digits[..2]), compose12(&digits[2..])]
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for ForceAir {
    fn eval(&self, builder: &mut AB) {
        let t: Force<AB::Expr> = current(builder);
        let (n, real) = (t.count(), t.is_real.clone());
        let writes = real.double() + t.outcome.moved() * c::<AB::Expr>(5);
        let mut row = Row::sized(builder, real, t.index.clone(), n.clone(), n.clone() + writes);
        queue(&mut row, &t);
        early(&mut row, &t);
        target(&mut row, &t);
        offered(&mut row, &t);
        ranked(&mut row, &t);
        against(&mut row, &t);
        moved(&mut row, &t);
        reads(&mut row, &t);
        writes_of(&mut row, &t, &n);
    }
}

/// The record is absorbed with the next serial.
fn queue<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Force<AB::Expr>) {
    row.u24(&t.account);
    row.narrow(&t.sub, 5);
    row.narrow(&t.market, 8);
    row.address(&t.sender);
    let [s0, s1, s2, s3, s4, s5, s6] = t.sender.values();
    let none = || AB::Expr::ZERO;
    let head = [t.account.value(), t.sub.clone(), t.market.clone(), none()];
    row.l1_queue((0, 0), &t.queue, c(FORCE_LIQUIDATE), [head, [none(), s0, s1, s2], [s3, s4, s5, s6]]);
}

/// One outcome; the market is not listed, or settles, or the target is reserved, or none of these.
fn early<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Force<AB::Expr>) {
    let (real, one, o) = (row.real.clone(), AB::Expr::ONE, &t.outcome);
    for flag in o.flags() {
        row.boolean(flag);
    }
    row.zero(o.sum(0) - real.clone());
    row.narrow(&t.excess, 8);
    let status = t.listed.status.clone();
    row.zero(t.excess.clone() * (status.clone() - real * c::<AB::Expr>(UNLISTED)));
    row.zero(t.market.clone() - t.excess.clone() - t.listed.market.clone());
    lookup_listed(row, &t.listed);
    let settles = status.clone() - c::<AB::Expr>(SETTLING);
    let account = t.account.value();
    let user = account.clone() * (account - one.clone());
    row.zero(o.is_unlisted.clone() * (status.clone() - c::<AB::Expr>(UNLISTED)));
    row.zero(o.is_settling.clone() * settles.clone());
    row.zero(o.is_reserved.clone() * user.clone());
    let read = o.reads();
    row.zero(read.clone() * (settles * t.status_inv.clone() - one));
    row.zero(user * t.account_inv.clone() - read.clone());
    lookup_price(row, &read, &t.price);
    row.zero(read.clone() * (t.price.status.clone() - status));
    row.zero(read * (t.price.market.clone() - t.market.clone()));
}

/// The target's position, as it is and as it is left; it is open, and above CMR or below, or there is none.
fn target<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Force<AB::Expr>) {
    let (one, o, x) = (AB::Expr::ONE, &t.outcome, &t.target);
    let (read, held, ill) = (o.reads(), o.holds(), o.ill());
    // what the side that takes the lots pays; where nothing moves, the settlement is taken back
    let [all, part] = [t.whole.limbs(&ill), t.payment.limbs(&o.is_adl)];
    let (still, settled) = (read.clone() - o.moved(), x.settled_limbs());
    let paid = core::array::from_fn(|k| {
        o.is_taken.clone() * all[k].clone() + o.is_adl.clone() * part[k].clone()
            - still.clone() * settled[k].clone()
    });
    let gone = limbs(&t.gone);
    section(row, &read, |row| {
        let down = read.clone() - x.short_before.clone();
        moves(row, x, &t.price, (&gone, &down), &paid);
        let flips = x.short_after.clone() - x.short_before.clone();
        row.zero((read.clone() - x.flat_after.clone()) * flips);
    });
    row.zero(o.is_empty.clone() * (one.clone() - x.flat_before.clone()));
    row.zero(held.clone() * x.flat_before.clone());
    let usable = t.price.usable.clone();
    row.zero(held.clone() * (usable.clone() - one) * (usable - AB::Expr::TWO));
    row.zero(held.clone() * t.price.is_settled.clone());
    let table = x.tokens().double() + x.others(&read) * c::<AB::Expr>(3);
    row.zero(held * table - t.table.clone());
    is_well(row, &o.is_well, &t.subject());
    is_ill(row, &ill, &t.ill(), &t.figures);
    for (k, digit) in t.gone.iter().enumerate() {
        row.zero(o.is_taken.clone() * t.offer.lots[k].clone() + t.part[k].clone() - digit.clone());
    }
}

/// The whole position is offered to insurance, which takes it or cannot.
fn offered<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Force<AB::Expr>) {
    let (o, of) = (&t.outcome, t.of());
    let ill = o.ill();
    for (offered, digit) in t.offer.lots.iter().zip(&t.target.lots_before) {
        row.zero(offered.clone() - ill.clone() * digit.clone());
    }
    row.zero((AB::Expr::ONE - ill.clone()) * t.offer.reads(&ill));
    let short = t.target.short_before.clone();
    section(row, &ill, |row| {
        payment(row, &t.whole, (&t.offer.lots, &short), &t.price.unit, &t.figures);
        offer(row, &t.offer, &of, &short, &t.whole.limbs(&ill));
    });
    row.zero(o.is_taken.clone() * t.offer.is_full.clone());
    claim(row, &o.is_taken, &t.offer.claim(&of));
    let flags = [t.offer.growth.grows.clone(), t.offer.is_full.clone()];
    refuses(row, &o.refused(), &t.offer.subject(&of), flags);
}

/// The close is beyond all classes, or the ranking of its class is complete and has nobody or somebody.
fn ranked<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Force<AB::Expr>) {
    let (o, class) = (&t.outcome, t.class.clone());
    loses(row, &o.refused(), &t.figures, class.clone());
    row.zero(o.is_beyond.clone() * (class.clone() - c::<AB::Expr>(BEYOND)));
    row.range(o.ranked() * (c::<AB::Expr>(BEYOND - 1) - class));
    for limb in &t.ranking.remaining {
        row.zero(limb.clone());
    }
    row.narrow(&t.ranking.sub, 5);
    row.range(t.ranking.rank.clone());
    row.zero(o.is_nobody.clone() * t.ranking.rank.clone());
}

/// The counterparty is opposite, has at least the best rank, and takes all lots that both have.
fn against<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Force<AB::Expr>) {
    let (adl, x, one) = (t.outcome.is_adl.clone(), &t.counterparty, AB::Expr::ONE);
    let best = t.ranking.rank.clone();
    row.range(adl.clone() * (best.clone() - one.clone()));
    row.range(adl.clone() * (t.rank.clone() - best));
    ranks(row, &adl, &t.bearer(), [t.class.clone(), t.rank.clone()]);
    row.u24(&t.other);
    row.narrow(&t.other_sub, 5);
    let idle = one.clone() - adl.clone();
    row.zero(idle.clone() * t.other_table());
    for digit in &t.part {
        row.range(digit.clone());
        row.zero(idle.clone() * digit.clone());
    }
    let short = t.target.short_before.clone();
    row.zero(adl.clone() * (short.clone() + x.short_before.clone() - one.clone()));
    row.zero(adl.clone() * (one.clone() - t.target.flat_after.clone()) * (one - x.flat_after.clone()));
    section(row, &adl, |row| {
        payment(row, &t.payment, (&t.part, &short), &t.price.unit, &t.figures);
        let cost = t.payment.limbs(&adl).map(|limb| AB::Expr::ZERO - limb);
        moves(row, x, &t.price, (&limbs(&t.part), &short), &cost);
        row.zero(x.flat_before.clone());
        let flips = x.short_after.clone() - x.short_before.clone();
        row.zero((adl.clone() - x.flat_after.clone()) * flips);
    });
}

/// The open interest follows what moves; a takeover counts as a move.
fn moved<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Force<AB::Expr>) {
    let o = &t.outcome;
    let change = core::array::from_fn(|k| {
        let by = |lots: [[AB::Expr; 2]; 2]| lots[1][k].clone() - lots[0][k].clone();
        o.moved() * by(t.target.lots())
            + o.is_taken.clone() * by(t.offer.insurance.lots())
            + o.is_adl.clone() * by(t.counterparty.lots())
    });
    let flag = o.is_taken.clone() + o.ranked();
    section(row, &flag, |row| interest(row, &t.interest, &change, &o.is_taken));
}

/// MKP, MKF, SUB and POS of the target; MKO, MKR; SUB and POS of the counterparty.
fn reads<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Force<AB::Expr>) {
    let (o, market) = (&t.outcome, t.price.market.clone());
    let ([mkp, mkf], [prices, funding]) = (t.price.keys(), t.price.leaves());
    let [sub, pos] = cells(t.account.value(), t.sub.clone(), market.clone());
    let [other_sub, other_pos] = cells(t.other.value(), t.other_sub.clone(), market.clone());
    let [sub_leaf, _] = t.target.sub_leaves();
    let [pos_leaf, _] = t.target.pos_leaves(&t.price);
    let [other_sub_leaf, _] = t.counterparty.sub_leaves();
    let [other_pos_leaf, _] = t.counterparty.pos_leaves(&t.price);
    let mkr = ranking_key(&market, &(AB::Expr::ONE - t.target.short_before.clone()), &t.class);
    let ranking = t.ranking.leaf(&t.interest.moves_before(&o.is_taken), &t.price.ts);
    let [interest, _] = t.interest.leaves(&o.is_taken);
    let at = |k: u32| t.ranking_at() + c::<AB::Expr>(k);
    let (read, ranked, adl) = (o.reads(), o.ranked(), o.is_adl.clone());
    let list = [
        (&read, c(2), mkp, prices),
        (&read, c(3), mkf, funding),
        (&read, c(TARGET_AT), sub, sub_leaf),
        (&read, c(TARGET_AT + 1), pos, pos_leaf),
        (&ranked, at(0), [c(MKO_HI), market], interest),
        (&ranked, at(1), mkr, ranking),
        (&adl, at(2), other_sub, other_sub_leaf),
        (&adl, at(3), other_pos, other_pos_leaf),
    ];
    for (flag, at, key, value) in list {
        row.key_if(flag, at.clone(), false, key);
        row.value_if(flag, at, value);
    }
}

/// SUB and POS of the target and of who takes the lots, MKO.
fn writes_of<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Force<AB::Expr>, n: &AB::Expr) {
    let (o, market) = (&t.outcome, t.price.market.clone());
    let [sub, pos] = cells(t.account.value(), t.sub.clone(), market.clone());
    let [own_sub, own_pos] = cells(c(INSURANCE), AB::Expr::ZERO, market.clone());
    let [other_sub, other_pos] = cells(t.other.value(), t.other_sub.clone(), market.clone());
    let (own, other) = (&t.offer.insurance, &t.counterparty);
    let first = n.clone() + c::<AB::Expr>(QUEUE);
    let mko = [c(MKO_HI), market];
    let (taken, adl, moved) = (o.is_taken.clone(), o.is_adl.clone(), o.moved());
    let writes = [
        (&moved, sub, t.target.sub_leaves(), 0),
        (&moved, pos, t.target.pos_leaves(&t.price), 1),
        (&taken, own_sub, own.sub_leaves(), 2),
        (&taken, own_pos, own.pos_leaves(&t.price), 3),
        (&adl, other_sub, other.sub_leaves(), 2),
        (&adl, other_pos, other.pos_leaves(&t.price), 3),
        (&moved, mko, t.interest.leaves(&taken), 4),
    ];
    for (flag, key, leaves, k) in writes {
        written(row, flag, (n, &first), k, (key, leaves));
    }
}
