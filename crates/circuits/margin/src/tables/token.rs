//! Margin tokens: one row for each that a judgement reads, the rows of one judgement one after the other.
//!
//! Proven: the rows of a judgement read MBAL and MKP of collateral tokens of one sub-account by increasing place, from
//! a first place in the op's log on; the end sends their number, their mask and the sum of their values, each rounded
//! down.

use tsz_air::{
    Air, AirBuilder, BaseAir, Count, F, InteractionBuilder, PermutationCheckBus, PrimeCharacteristicRing,
    TableAir, WindowAccess,
};
use tsz_gadgets::columns;
use tsz_gadgets::layout::{Columns, from_slice, names};
use tsz_gadgets::row::{Row, c, compose12};

use super::sums::{Shift, carried};
use super::worth::{Worth, lookup as lookup_worth};

/// `token`: index, who, account, sub, forced, place after the last access, number, mask, value\[9\].
const TOKEN: PermutationCheckBus<'static> = PermutationCheckBus::new("token");
/// First cell of the margin balances.
pub const MBAL: u32 = 98;

columns! {
    /// One margin token.
    pub struct Token {
        /// 1 = the row holds a token; boolean.
        is_real: felt,
        /// 1 = the last of its judgement; boolean.
        is_end: felt,
        /// Sequence number of the op; constant over the judgement.
        index: felt,
        /// Which judgement of the op; constant.
        who: felt,
        /// Account; constant.
        account: felt,
        /// Sub-account; constant.
        sub: felt,
        /// 1 = the last price counts whatever its age; constant, owned by the claim.
        is_forced: felt,
        /// Place of the first of the two accesses; two more in each row.
        at: felt,
        /// Tokens of the judgement before this row.
        count: felt,
        /// Their mask.
        mask: felt,
        /// What the token counts; bound by `worth`, its place increasing within the judgement.
        worth: (Worth),
        /// Base 2^12 digits of the balance in MBAL (u96); range12.
        balance: [8],
        /// Digits of the value; range12, below 2^98.
        value: [9],
        /// balance * factor - value * den; range12.
        rest: [7],
        /// Carries of that.
        carries: (Shift * 14),
        /// den - 1 - rest; range12.
        spare: [7],
        /// Borrows of that; boolean.
        borrows: [6],
        /// Sum of the values before this row, digit by digit, not carried.
        sum: [9],
    }
}

impl<E: PrimeCharacteristicRing + Clone> Token<E> {
    /// Sum after this row.
    pub fn after(&self) -> [E; 9] {
        core::array::from_fn(|k| self.sum[k].clone() + self.value[k].clone())
    }

    /// `balance * factor - value * den`, digit by digit.
    pub fn rest_sums(&self) -> [E; 15] {
        let convolve = |a: &[E], b: &[E], k: usize| -> E {
            let term = |(i, x): (usize, &E)| Some(x.clone() * b.get(k.checked_sub(i)?)?.clone());
            a.iter().enumerate().filter_map(term).sum()
        };
        core::array::from_fn(|k| {
            convolve(&self.balance, &self.worth.factor, k) - convolve(&self.value, &self.worth.den, k)
        })
    }

    fn constants(&self) -> [E; 5] {
        [&self.index, &self.who, &self.account, &self.sub, &self.is_forced].map(E::clone)
    }
}

/// Takes mask and value of `number` tokens whose accesses end before `end`, if the boolean `flag` (at most `real`).
pub(super) fn receive<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    flag: &AB::Expr,
    constants: [AB::Expr; 5],
    [end, number, mask]: [AB::Expr; 3],
    value: &[AB::Expr; 9],
) {
    let fields = constants.into_iter().chain([end, number, mask]).chain(value.clone());
    TOKEN.receive(row.builder(), fields, Count::bounded(flag.clone(), 1));
}

/// AIR of [`Token`]. No public values.
#[derive(Clone, Debug)]
pub struct TokenAir;

impl TableAir for TokenAir {
    fn name(&self) -> String {
        "token".into()
    }
    fn column_names(&self) -> Vec<String> {
        names::<Token<()>>()
    }
}

impl BaseAir<F> for TokenAir {
    fn width(&self) -> usize {
        <Token<()> as Columns<()>>::WIDTH
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for TokenAir {
    fn eval(&self, builder: &mut AB) {
        let t: Token<AB::Expr> = from_slice(builder.main().current_slice());
        let next: Token<AB::Expr> = from_slice(builder.main().next_slice());
        let mut row = Row::bare(builder, t.is_real.clone());
        row.index = t.index.clone();
        let real = row.real.clone();
        row.boolean(&t.is_end);
        row.zero(t.is_end.clone() * (AB::Expr::ONE - real));
        value(&mut row, &t);
        accesses(&mut row, &t);
        chain(&mut row, &t, &next);
    }
}

/// value = floor(balance * factor / den), at a usable price.
fn value<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Token<AB::Expr>) {
    let (real, one) = (row.real.clone(), AB::Expr::ONE);
    lookup_worth(row, &t.worth);
    row.zero((real.clone() - t.is_forced.clone()) * (one - t.worth.is_usable.clone()));
    for digit in t.balance.iter().chain(&t.value).chain(&t.spare) {
        row.range(digit.clone());
    }
    row.range(t.value[8].clone() * c::<AB::Expr>(1 << 10));
    // at most seven products of digits on either side of the difference: below 2^27
    carried(row, &t.rest_sums(), &t.rest, &t.carries);
    for bit in &t.borrows {
        row.boolean(bit);
    }
    for k in 0..7 {
        let mut e = t.worth.den[k].clone() - t.rest[k].clone() - t.spare[k].clone();
        match k.checked_sub(1) {
            Some(j) => e -= t.borrows[j].clone(),
            None => e -= real.clone(),
        }
        if let Some(borrow) = t.borrows.get(k) {
            e += borrow.clone() * c::<AB::Expr>(1 << 12);
        }
        row.zero(e);
    }
}

/// MBAL and MKP are read.
fn accesses<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Token<AB::Expr>) {
    let real = row.real.clone();
    let cell = t.sub.clone() * c::<AB::Expr>(512) + c::<AB::Expr>(MBAL) + t.worth.place.clone();
    let mut balance: [AB::Expr; 8] = core::array::from_fn(|_| AB::Expr::ZERO);
    for (limb, digits) in balance.iter_mut().zip(t.balance.chunks_exact(2)) {
        *limb = compose12(digits);
    }
    let reads = [([t.account.clone(), cell], balance), (t.worth.key(), t.worth.leaf())];
    for (k, (key, value)) in (0..).zip(reads) {
        let at = t.at.clone() + c::<AB::Expr>(k);
        row.key_if(&real, at.clone(), false, key);
        row.value_if(&real, at, value);
    }
}

/// A judgement starts with nothing, goes on in the next row unless it ends, and its end sends the sums.
fn chain<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Token<AB::Expr>, next: &Token<AB::Expr>) {
    let goes_on = row.real.clone() - t.is_end.clone();
    let starts = (AB::Expr::ONE - goes_on.clone()) * next.is_real.clone();
    let (end, count) = (t.at.clone() + AB::Expr::TWO, t.count.clone() + AB::Expr::ONE);
    let (mask, after) = (t.mask.clone() + t.worth.weight.clone(), t.after());
    row.zero(goes_on.clone() * (AB::Expr::ONE - next.is_real.clone()));
    for (here, there) in t.constants().into_iter().zip(next.constants()) {
        row.zero(goes_on.clone() * (there - here));
    }
    row.zero(goes_on.clone() * (next.at.clone() - end.clone()));
    let carried = [(&next.count, &count), (&next.mask, &mask)].into_iter().chain(next.sum.iter().zip(&after));
    for (there, here) in carried {
        row.zero(goes_on.clone() * (there.clone() - here.clone()));
        row.zero(starts.clone() * there.clone());
    }
    row.range(goes_on.clone() * (next.worth.place.clone() - t.worth.place.clone() - AB::Expr::ONE));
    let builder = row.builder();
    builder.when_last_row().assert_zero(goes_on);
    for start in [&t.count, &t.mask].into_iter().chain(&t.sum) {
        builder.when_first_row().assert_zero(start.clone());
    }
    let fields = t.constants().into_iter().chain([end, count, mask]).chain(after);
    TOKEN.send(builder, fields, Count::bounded(t.is_end.clone(), 1));
}
