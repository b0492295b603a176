//! MarginExit (L1): the owner takes a margin token into the balance.
//!
//! Proven: the record is absorbed into L1CHAIN; the exit succeeds iff the account exists, its owner is the sender, the
//! token is listed, and the sub-account has neither positions nor debt. Then MBAL of its place goes to BAL whole and its
//! bit leaves the mask; else nothing moves, for a reason that is true.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::bucket::Gain;
use tsz_gadgets::chain::L1Queue;
use tsz_gadgets::limb::U24;
use tsz_gadgets::owner::Owner;
use tsz_gadgets::row::{Row, c, pad8};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};
use tsz_margin::tables::{MBAL, PLACES, lookup_place, lookup_tokens, number, weight};

use super::leg::{MASK_WEIGHT, MAX_POSITIONS};
use super::transfer::BAL;

columns! {
    /// One MarginExit.
    pub struct Exit {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// 1 = the exit succeeds; boolean.
        is_ok: felt,
        /// Refused: the token is not listed; boolean.
        is_unlisted: felt,
        /// Refused: open positions; boolean.
        is_open: felt,
        /// Refused: debt; boolean.
        is_negative: felt,
        /// Account; range12.
        account: (U24),
        /// Sub-account; < 32 by two lookups.
        sub: felt,
        /// Token; < 128 by two lookups.
        token: felt,
        /// The account cell against the sender.
        owner: (Owner),
        /// Serial and chain of the L1 queue.
        queue: (L1Queue),
        /// 1 at the place of the token; bound by `place` where it is listed.
        at: [PLACES],
        /// Listed tokens plus 1; bound by `tokens` if unlisted.
        tokens: [PLACES],
        /// Inverses of token + 1 - them, if unlisted.
        other_invs: [PLACES],
        /// Collateral in SUB, kept; bound by the bus.
        collateral: [4],
        /// Its sign, kept; bound by the bus.
        negative: felt,
        /// Open positions, kept; at most 32 by two lookups.
        positions: felt,
        /// Inverse of the open positions where they are the reason.
        positions_inv: felt,
        /// Which margin tokens are held before; boolean.
        mask: [PLACES],
        /// Weight of the bit that leaves the mask.
        cleared: felt,
        /// What MBAL holds; bound by the bus, 0 unless the exit succeeds.
        margin: [4],
        /// BAL gains it.
        balance: (Gain),
    }
}

op_air! {
    /// AIR of [`Exit`]. No public values.
    ExitAir, Exit, "margin_exit", 0
}

impl<E: PrimeCharacteristicRing + Clone> Exit<E> {
    /// 1 = SUB is written.
    fn reaches(&self) -> E {
        self.is_ok.clone() + self.is_open.clone() + self.is_negative.clone()
    }

    /// SUB found and left.
    fn sub_leaves(&self) -> [[E; 8]; 2] {
        let [a, b, x, y] = self.collateral.clone();
        let holdings = self.positions.clone() + weight(&self.mask) * c::<E>(MASK_WEIGHT);
        let left = holdings.clone() - self.cleared.clone() * c::<E>(MASK_WEIGHT);
        [holdings, left].map(|holdings| {
            pad8(&[a.clone(), b.clone(), x.clone(), y.clone(), self.negative.clone(), holdings])
        })
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for ExitAir {
    fn eval(&self, builder: &mut AB) {
        let e: Exit<AB::Expr> = current(builder);
        let moved = e.reaches() + e.is_ok.double();
        let n = e.is_real.clone() * c::<AB::Expr>(3) + moved.clone();
        let values = n.clone() + e.is_real.double() + moved;
        let mut row = Row::sized(builder, e.is_real.clone(), e.index.clone(), n.clone(), values);
        row.u24(&e.account);
        row.narrow(&e.sub, 5);
        row.narrow(&e.token, 7);
        queue(&mut row, &e);
        let found = e.reaches() + e.is_unlisted.clone();
        row.owner(2, &e.owner, &found, e.account.value());
        reasons(&mut row, &e);
        listed(&mut row, &e);
        cells(&mut row, &e, &n);
    }
}

/// L1IN and L1CHAIN (accesses 0 and 1, writes 0 and 1).
fn queue<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, e: &Exit<AB::Expr>) {
    let zero = || AB::Expr::ZERO;
    let place = e.token.clone() * c::<AB::Expr>(64) + e.sub.double();
    let [s0, s1, s2, s3, s4, s5, s6] = e.owner.sender.values();
    let rest = [[e.account.value(), place, zero(), zero()], [zero(), s0, s1, s2], [s3, s4, s5, s6]];
    row.l1_queue((0, 0), &e.queue, c(42), rest);
}

/// Success or exactly one reason; a reason given is true, and success excludes every reason.
fn reasons<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, e: &Exit<AB::Expr>) {
    let (real, one) = (row.real.clone(), AB::Expr::ONE);
    for flag in [&e.is_ok, &e.is_unlisted, &e.is_open, &e.is_negative] {
        row.boolean(flag);
    }
    let owner = e.owner.is_absent.clone() + e.owner.is_other.clone();
    row.zero(owner + e.is_unlisted.clone() + e.reaches() - real);
    row.zero(e.is_ok.clone() * e.positions.clone());
    row.zero(e.is_ok.clone() * e.negative.clone());
    row.zero(e.is_open.clone() * (e.positions.clone() * e.positions_inv.clone() - one.clone()));
    row.zero(e.is_negative.clone() * (one - e.negative.clone()));
}

/// The token is listed at its place where SUB is reached, and is none of the list where that is the reason.
fn listed<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, e: &Exit<AB::Expr>) {
    let one = AB::Expr::ONE;
    lookup_place(row, &e.reaches(), &e.token, &e.at);
    lookup_tokens(row, &e.is_unlisted, &e.tokens);
    for (token, inv) in e.tokens.iter().zip(&e.other_invs) {
        let apart = e.token.clone() + one.clone() - token.clone();
        row.zero(e.is_unlisted.clone() * (apart * inv.clone() - one.clone()));
    }
}

/// SUB, and of a successful exit MBAL and BAL (accesses 3 to 5, writes 2 to 4).
fn cells<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, e: &Exit<AB::Expr>, n: &AB::Expr) {
    let (ok, one) = (e.is_ok.clone(), AB::Expr::ONE);
    row.range(e.positions.clone());
    row.range(e.positions.clone() + c::<AB::Expr>(4095 - MAX_POSITIONS));
    for bit in &e.mask {
        row.boolean(bit);
    }
    let held =
        (0..).zip(&e.at).zip(&e.mask).map(|((k, at), bit)| at.clone() * bit.clone() * c::<AB::Expr>(1 << k));
    row.zero(ok.clone() * held.sum::<AB::Expr>() - e.cleared.clone());
    for limb in &e.margin {
        row.zero((one.clone() - ok.clone()) * limb.clone());
    }
    row.gain(&e.balance);
    let cell = |number: AB::Expr| [e.account.value(), e.sub.clone() * c::<AB::Expr>(512) + number];
    let reaches = e.reaches();
    let empty = || core::array::from_fn(|_| AB::Expr::ZERO);
    let accesses = [
        (&reaches, cell(AB::Expr::ZERO), e.sub_leaves()),
        (&ok, cell(number(&e.at) + c::<AB::Expr>(MBAL)), [pad8(&e.margin), empty()]),
        (
            &ok,
            cell(e.token.clone() + c::<AB::Expr>(BAL)),
            [e.balance.old_leaf(&e.margin), e.balance.new_leaf()],
        ),
    ];
    for (k, (flag, key, [old, new])) in (0..).zip(accesses) {
        let at = c::<AB::Expr>(3 + k);
        row.key_if(flag, at.clone(), true, key);
        row.value_if(flag, at, old);
        row.value_if(flag, n.clone() + c::<AB::Expr>(2 + k), new);
    }
}
