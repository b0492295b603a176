//! MarginTransfer: moves a token between the balance and the margin of a sub-account.
//!
//! Proven: the key may transfer within the account and has signed; balance and margin move by the same amount, neither
//! below zero, the quote token in the collateral, another one in MBAL of its place; the mask of SUB says whether MBAL
//! is left empty; what goes out leaves a sub-account that is judged, unless it has neither positions nor debt. Insurance
//! takes no collateral out.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::limb::U24;
use tsz_gadgets::row::{Row, c, pad8};
use tsz_gadgets::signed::{Sign, Step};
use tsz_gadgets::signer::{Signer, permission};
use tsz_gadgets::table::{SIGNED_PUBLICS, current, signed_context};
use tsz_gadgets::{columns, op_air};
use tsz_margin::tables::{Claim, MBAL, NO_MARKET, PLACES, claim, lookup_place, number, weight};

use super::leg::{MASK_WEIGHT, MAX_POSITIONS};

/// First balance cell.
pub(super) const BAL: u32 = 128;

columns! {
    /// A cell without sign that loses or gains an amount: `less + amount = more`.
    pub struct Pair {
        /// The smaller value; range12.
        less: (U24 * 4),
        /// The larger value; range12, below 2^96.
        more: (U24 * 4),
        /// Carries; boolean. There is none out of the top limb.
        carries: [3],
    }
}

impl<E: PrimeCharacteristicRing + Clone> Pair<E> {
    /// The larger value if `up`, else the smaller one.
    pub fn leaf(&self, up: &E) -> [E; 8] {
        pad8(&core::array::from_fn::<E, 4, _>(|k| {
            let less = self.less[k].value();
            less.clone() + up.clone() * (self.more[k].value() - less)
        }))
    }
}

/// `less + amount = more` in limbs of 24 bits, each an equation of integers.
fn pair<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, p: &Pair<AB::Expr>, amount: &[AB::Expr; 4]) {
    for limb in p.less.iter().chain(&p.more) {
        row.u24(limb);
    }
    for carry in &p.carries {
        row.boolean(carry);
    }
    for (k, amount) in amount.iter().enumerate() {
        let mut e = p.less[k].value() + amount.clone() - p.more[k].value();
        if k > 0 {
            e += p.carries[k - 1].clone();
        }
        if let Some(carry) = p.carries.get(k) {
            e -= carry.clone() * c::<AB::Expr>(1 << 24);
        }
        row.zero(e);
    }
}

columns! {
    /// One MarginTransfer.
    pub struct Transfer {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// The owner, who signs.
        signer: (Signer),
        /// Sub-account; < 32 by two lookups.
        sub: felt,
        /// 1 = from the margin to the balance; boolean.
        is_out: felt,
        /// 1 = the token is the quote token; boolean.
        is_quote: felt,
        /// 1 = both; such an op is not insurance's.
        is_payment: felt,
        /// Token; 0 or one of the list.
        token: felt,
        /// 1 at the place of the token, all 0 for the quote token; bound by `place`.
        at: [PLACES],
        /// Amount in millionths; range12.
        amount: (U24 * 4),
        /// Inverse of the sum of its limbs.
        amount_inv: felt,
        /// BAL of the token.
        balance: (Pair),
        /// MBAL of the place; of the quote token any pair.
        margin: (Pair),
        /// 1 = MBAL is not empty after; boolean, owned by the zero test.
        is_held: felt,
        /// Inverse of the sum of its limbs after, or 0.
        held_inv: felt,
        /// Collateral in SUB (24, 24, 24, 23 bits); bound by the bus.
        collateral_before: [4],
        /// Its sign; bound by the bus.
        negative_before: felt,
        /// Collateral left; range12, below 2^95.
        collateral_after: (U24 * 4),
        /// Its sign.
        sign: (Sign),
        /// Carries of the collateral.
        carries: (Step * 3),
        /// Open positions, kept; at most 32 by two lookups.
        positions: felt,
        /// 1 = none; boolean, owned by the zero test.
        is_bare: felt,
        /// Inverse of their number, or 0.
        bare_inv: felt,
        /// Which margin tokens are held before; boolean.
        mask: [PLACES],
        /// And after; kept but at the place of the token.
        mask_after: [PLACES],
        /// 1 = the sub-account is judged: the op takes something out and leaves positions or debt.
        judged: felt,
        /// Accesses of the judgement.
        reads: felt,
    }
}

op_air! {
    /// AIR of [`Transfer`]. Public values: S (8), T (2).
    TransferAir, Transfer, "margin_transfer", SIGNED_PUBLICS
}

impl<E: PrimeCharacteristicRing + Clone> Transfer<E> {
    /// 1 = MBAL is written.
    fn is_token(&self) -> E {
        self.is_real.clone() - self.is_quote.clone()
    }

    fn holdings(&self, mask: &[E; PLACES]) -> E {
        self.positions.clone() + weight(mask) * c::<E>(MASK_WEIGHT)
    }

    /// SUB found and left.
    fn sub_leaves(&self) -> [[E; 8]; 2] {
        let [a, b, x, y] = self.collateral_before.clone();
        let old = pad8(&[a, b, x, y, self.negative_before.clone(), self.holdings(&self.mask)]);
        let [a, b, x, y] = core::array::from_fn(|k| self.collateral_after[k].value());
        [old, pad8(&[a, b, x, y, self.sign.negative.clone(), self.holdings(&self.mask_after)])]
    }

    /// Margin tokens after.
    fn tokens(&self) -> E {
        self.mask_after.iter().cloned().sum()
    }

    /// What is judged.
    pub fn claim(&self) -> Claim<E> {
        let zero = || E::ZERO;
        let sign = E::ONE - self.sign.negative.double();
        let left: [E; 4] = core::array::from_fn(|k| sign.clone() * self.collateral_after[k].value());
        Claim {
            index: self.index.clone(),
            who: zero(),
            account: self.signer.account.value(),
            sub: self.sub.clone(),
            market: c(NO_MARKET),
            has_market: zero(),
            at: c::<E>(5) + self.is_token(),
            mask: weight(&self.mask_after),
            tokens: self.tokens(),
            others: self.positions.clone(),
            unit: core::array::from_fn(|_| zero()),
            lots_before: core::array::from_fn(|_| zero()),
            short_before: zero(),
            lots_after: core::array::from_fn(|_| zero()),
            short_after: zero(),
            collateral_before: left.clone(),
            collateral_after: left,
            grows: zero(),
            is_strict: E::ONE,
            pays: self.is_quote.clone(),
            is_forced: zero(),
        }
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for TransferAir {
    fn eval(&self, builder: &mut AB) {
        let t: Transfer<AB::Expr> = current(builder);
        let (system, time) = signed_context(builder);
        let writes = t.is_real.clone() * c::<AB::Expr>(3) + t.is_token();
        let n = writes.clone() + t.is_real.double() + t.reads.clone();
        let mut row =
            Row::sized(builder, t.is_real.clone(), t.index.clone(), n.clone(), n.clone() + writes.clone());
        token(&mut row, &t);
        signed(&mut row, &t, &system, &time);
        cells(&mut row, &t, &n);
        holdings(&mut row, &t);
        judged(&mut row, &t);
    }
}

/// The quote token, or one of the list with its place.
fn token<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Transfer<AB::Expr>) {
    for bit in [&t.is_out, &t.is_quote] {
        row.boolean(bit);
    }
    // rows without an op take nothing from the list
    row.zero(t.is_quote.clone() * (AB::Expr::ONE - t.is_real.clone()));
    row.zero(t.is_out.clone() * t.is_quote.clone() - t.is_payment.clone());
    row.zero(t.is_quote.clone() * t.token.clone());
    for bit in &t.at {
        row.zero(t.is_quote.clone() * bit.clone());
    }
    lookup_place(row, &t.is_token(), &t.token, &t.at);
}

/// The message is signed by a key that may transfer within the account (accesses 0 to 2, write 0).
fn signed<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    t: &Transfer<AB::Expr>,
    system: &[AB::Expr; 8],
    time: &[AB::Expr; 2],
) {
    let real = row.real.clone();
    for limb in &t.amount {
        row.u24(limb);
    }
    let sum: AB::Expr = t.amount.iter().map(U24::value).sum();
    row.zero(sum * t.amount_inv.clone() - real.clone());
    row.narrow(&t.sub, 5);
    row.zero(t.signer.permissions[permission::TRANSFER_INTERNAL].clone() - real);
    let [a0, a1, a2, a3] = core::array::from_fn(|k| t.amount[k].value());
    let place = t.sub.clone() + t.is_out.clone() * c::<AB::Expr>(32);
    let first = [c(12), t.signer.account.value(), place, t.token.clone(), a0, a1, a2, a3];
    let message = [first, pad8(&t.signer.nonce())];
    row.any_signer(0, &t.signer, &t.is_payment, t.sub.clone(), (system, time), message);
}

/// BAL, MBAL and SUB move by the amount (accesses 3 to 5, writes 1 to 3).
fn cells<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Transfer<AB::Expr>, n: &AB::Expr) {
    let (real, one) = (row.real.clone(), AB::Expr::ONE);
    let (out, into, is_token) = (t.is_out.clone(), one.clone() - t.is_out.clone(), t.is_token());
    let amount: [AB::Expr; 4] = core::array::from_fn(|k| t.amount[k].value());
    pair(row, &t.balance, &amount);
    pair(row, &t.margin, &amount);
    let moved: [AB::Expr; 4] =
        core::array::from_fn(|k| t.is_quote.clone() * (one.clone() - out.double()) * amount[k].clone());
    let after: [AB::Expr; 4] = core::array::from_fn(|k| t.collateral_after[k].value());
    for limb in &t.collateral_after {
        row.u24(limb);
    }
    row.range(t.collateral_after[3].hi.double());
    row.signed_sum((&t.collateral_before, &t.negative_before), &moved, (&after, &t.sign), &t.carries);
    let account = t.signer.account.value();
    let cell = |number: AB::Expr| [account.clone(), t.sub.clone() * c::<AB::Expr>(512) + number];
    let [old, new] = t.sub_leaves();
    let accesses = [
        (&real, c(3), cell(t.token.clone() + c::<AB::Expr>(BAL)), [&into, &out].map(|up| t.balance.leaf(up))),
        (
            &is_token,
            c(4),
            cell(number(&t.at) + c::<AB::Expr>(MBAL)),
            [&out, &into].map(|up| t.margin.leaf(up)),
        ),
        (&real, c::<AB::Expr>(4) + is_token.clone(), cell(AB::Expr::ZERO), [old, new]),
    ];
    for (flag, at, key, [old, new]) in accesses {
        row.key_if(flag, at.clone(), true, key);
        row.value_if(flag, at.clone(), old);
        row.value_if(flag, n.clone() + at - AB::Expr::TWO, new);
    }
}

/// Positions are kept; the bit of the token says whether MBAL is left empty.
fn holdings<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Transfer<AB::Expr>) {
    let (real, one) = (row.real.clone(), AB::Expr::ONE);
    let left: AB::Expr =
        t.margin.less.iter().zip(&t.margin.more).fold(AB::Expr::ZERO, |sum, (less, more)| {
            let (less, more) = (less.value(), more.value());
            sum + more.clone() + t.is_out.clone() * (less - more)
        });
    row.boolean(&t.is_held);
    row.zero(left.clone() * t.held_inv.clone() - t.is_held.clone());
    row.zero(left * (one.clone() - t.is_held.clone()));
    for (bit, after, at) in t.mask.iter().zip(&t.mask_after).zip(&t.at).map(|((m, a), at)| (m, a, at)) {
        row.boolean(bit);
        let kept = bit.clone() + at.clone() * (t.is_held.clone() - bit.clone());
        row.zero(kept - after.clone());
    }
    row.range(t.positions.clone());
    row.range(t.positions.clone() + c::<AB::Expr>(4095 - MAX_POSITIONS));
    row.boolean(&t.is_bare);
    row.zero(t.positions.clone() * t.bare_inv.clone() - real + t.is_bare.clone());
    row.zero(t.positions.clone() * t.is_bare.clone());
}

/// What goes out is judged unless neither positions nor debt are left.
fn judged<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Transfer<AB::Expr>) {
    let (real, one) = (row.real.clone(), AB::Expr::ONE);
    row.zero(t.is_out.clone() * (one.clone() - real));
    let idle = t.is_bare.clone() * (one - t.sign.negative.clone());
    row.zero(t.is_out.clone() * (AB::Expr::ONE - idle) - t.judged.clone());
    let reads = t.tokens().double() + t.positions.clone() * c::<AB::Expr>(3);
    row.zero(t.judged.clone() * reads - t.reads.clone());
    claim(row, &t.judged, &t.claim());
}
