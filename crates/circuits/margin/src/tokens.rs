//! Rows of collateral tokens.

use tsz_air::{F, PrimeCharacteristicRing, PrimeField32};
use tsz_gadgets::limb::U24;
use tsz_gadgets::params::Link;
use tsz_gadgets::product::{digits12, felts, product_carries};
use tsz_hash::{Block, Digest};
use tsz_trade::Params;
use tsz_trade::params::List;

use crate::rows::{array, carry, number, shifts};
use crate::tables::{Age, Collateral, PLACES, Token, Worth, WorthRow};

/// 10^4, the unit of haircuts.
const FRACTION: u128 = 10_000;

/// What the list says of a token, and the market that prices it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Listed {
    pub place: u32,
    pub haircut: u32,
    pub market: u32,
    pub units: u64,
    /// Status and multiplier of the market.
    pub status: F,
    pub qm: u32,
}

impl WorthRow<F> {
    /// Columns of a token at the prices of a cell; `is_whole` is for one of haircut 0.
    pub(crate) fn of(listed: &Listed, mkp: &Digest, is_whole: bool, (age, time): ([F; 2], u64)) -> Self {
        let index = U24::of_felt(mkp[0]);
        let price = [index.lo, index.hi, mkp[1]].map(|x| x.as_canonical_u32());
        let (qm, haircut) = (digits12::<2>(listed.qm.into()), digits12::<2>(listed.haircut.into()));
        let units = digits12::<6>(listed.units.into());
        let index_value = number(&felts(price)).unsigned_abs();
        let unit = index_value * u128::from(listed.qm);
        let share = if is_whole { FRACTION } else { listed.haircut.into() };
        let factor = digits12(unit * share);
        let fraction = digits12::<2>(FRACTION);
        let is_free = listed.haircut == 0;
        let timed = !is_free && mkp[2] + mkp[3] != F::ZERO && Age::holds(mkp, &age, time);
        let worth = Worth {
            place: F::from_u32(listed.place),
            weight: F::from_u32(1 << listed.place),
            market: F::from_u32(listed.market),
            index: [mkp[0], mkp[1]],
            mark: [mkp[2], mkp[3]],
            ts: [mkp[4], mkp[5]],
            is_settled: mkp[6],
            factor: felts(factor),
            den: felts(digits12(u128::from(listed.units) * FRACTION)),
            is_usable: F::from_bool(is_free || timed),
        };
        Self {
            is_real: F::ONE,
            uses: F::ZERO,
            worth,
            is_whole: F::from_bool(is_whole),
            status: listed.status,
            index,
            qm: felts(qm),
            haircut: felts(haircut),
            units: felts(units),
            unit: felts(digits12(unit)),
            unit_carries: product_carries(&price, &qm),
            factor_carries: product_carries(&digits12::<5>(unit), &digits12::<2>(share)),
            den_carries: product_carries(&units, &fraction),
            is_free: F::from_bool(is_free),
            age: Age::of(mkp, age, time, timed),
        }
    }
}

/// `floor(n / d)` for a dividend of 14 digits of 12 bits, a divisor below 2^80 and a quotient below 2^108.
fn quotient(dividend: &[u64; 14], divisor: u128) -> u128 {
    let (mut rest, mut out) = (0u128, 0u128);
    for digit in dividend.iter().rev() {
        let part = (rest << 12) | u128::from(*digit);
        out = (out << 12) | (part / divisor);
        rest = part % divisor;
    }
    out
}

impl Token<F> {
    /// Fills in value and rest of a balance.
    pub(crate) fn count_in(&mut self, balance: u128) {
        let digits = digits12::<8>(balance);
        self.balance = felts(digits);
        let factor = self.worth.factor.map(|x| u64::from(x.as_canonical_u32()));
        let mut product = [0u64; 14];
        for (i, a) in digits.iter().enumerate() {
            for (j, b) in factor.iter().enumerate() {
                product[i + j] += u64::from(*a) * b;
            }
        }
        let mut over = 0;
        for digit in &mut product {
            let x = *digit + over;
            *digit = x & 0xfff;
            over = x >> 12;
        }
        let den = number(&self.worth.den).unsigned_abs().max(1);
        self.value = felts(digits12(quotient(&product, den)));
        let (rest, carries) = carry(&self.rest_sums(), 15);
        self.rest = array(&rest);
        self.carries = shifts(&carries);
        let spare = (den as i128 - 1 - number(&self.rest)).unsigned_abs();
        self.spare = felts(digits12(spare));
        let mut borrow = 0;
        for k in 0..6 {
            let digit = |x: &[F; 7]| i64::from(x[k].as_canonical_u32());
            let x = digit(&self.worth.den) - digit(&self.rest) - borrow - i64::from(k == 0);
            borrow = i64::from(x < 0);
            self.borrows[k] = F::from_i64(borrow);
        }
    }
}

/// The table of the list, without uses.
pub(crate) fn list_rows(params: &Params, height: usize) -> Vec<Collateral<F>> {
    let blocks: Vec<[Block; 1]> = params.blocks(List::Collateral).into_iter().map(|b| [b]).collect();
    let mut tokens = [F::ZERO; PLACES];
    let links = Link::chain(&List::Collateral.iv(), &blocks, height);
    let row = |(k, link): (usize, Link<F>)| {
        let mut row = Collateral { link, ..Collateral::default() };
        if let Some([block]) = blocks.get(k) {
            row.is_real = F::ONE;
            row.block = *block;
            if let (Some(at), Some(token)) = (row.at.get_mut(k), tokens.get_mut(k)) {
                *at = F::ONE;
                *token = block[1] + F::ONE;
            }
        }
        row.tokens = tokens;
        row
    };
    links.into_iter().enumerate().map(row).collect()
}
