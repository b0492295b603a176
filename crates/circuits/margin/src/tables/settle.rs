//! Settlements: what a position gains since it was settled last, one row for each different one.
//!
//! Proven, if the indices are canonical: `value = size * qm * (last - now)`, below 2^94 in size, in signed digits.

use tsz_air::{Air, Count, F, InteractionBuilder, LookupBus, PrimeCharacteristicRing};
use tsz_gadgets::layout::Columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::product::Carry;
use tsz_gadgets::row::{Row, c};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};

/// `settle`: the fields of [`Settlement`]. Provided by the settle table.
const SETTLE: LookupBus<'static> = LookupBus::new("settle");

columns! {
    /// A settlement; a copy, bound by the bus.
    pub struct Settlement {
        /// Base 2^12 digits of the lots.
        lots: [4],
        /// 1 = a short; boolean.
        is_short: felt,
        /// Base 2^12 digits of the multiplier.
        qm: [2],
        /// Magnitude of the index at the last settlement (24, 24, 15 bits).
        last: [3],
        /// Its sign; boolean.
        last_negative: felt,
        /// Magnitude of the index now (24, 24, 15 bits).
        now: [3],
        /// Its sign; boolean.
        now_negative: felt,
        /// Base 2^12 digits of the value, all of its sign.
        value: [8],
    }
}

columns! {
    /// One settlement.
    pub struct Settle {
        /// 1 = the row holds a settlement; boolean.
        is_real: felt,
        /// Lookups; 0 on padding.
        uses: felt,
        /// Base 2^12 digits of the lots; range12.
        lots: [4],
        /// 1 = a short; boolean.
        is_short: felt,
        /// Digits of the multiplier; range12.
        qm: [2],
        /// Index at the last settlement.
        last: [3],
        /// Its sign; boolean.
        last_negative: felt,
        /// Index now.
        now: [3],
        /// Its sign; boolean.
        now_negative: felt,
        /// |last - now|; range12.
        gap: (U24 * 3),
        /// 1 = last < now; boolean.
        gap_negative: felt,
        /// Carries of that difference plus 2, two bits each; boolean.
        gap_carries: [4],
        /// Digits of lots * qm; range12.
        weight: [6],
        /// Carries of that product.
        weight_carries: (Carry * 5),
        /// Digits of the value; range12, the last below 2^10.
        value: [8],
        /// Carries of weight * gap.
        value_carries: (Carry * 7),
        /// 1 = the value is negative.
        is_negative: felt,
    }
}

op_air! {
    /// AIR of [`Settle`]. No public values.
    SettleAir, Settle, "settle", 0
}

impl<E: PrimeCharacteristicRing + Clone> Settle<E> {
    /// What is said.
    pub fn settlement(&self) -> Settlement<E> {
        let sign = E::ONE - self.is_negative.double();
        Settlement {
            lots: self.lots.clone(),
            is_short: self.is_short.clone(),
            qm: self.qm.clone(),
            last: self.last.clone(),
            last_negative: self.last_negative.clone(),
            now: self.now.clone(),
            now_negative: self.now_negative.clone(),
            value: core::array::from_fn(|k| sign.clone() * self.value[k].clone()),
        }
    }

    /// Digits of |last - now|.
    fn gap(&self) -> [E; 6] {
        core::array::from_fn(|k| {
            let limb = &self.gap[k / 2];
            if k % 2 == 0 { limb.lo.clone() } else { limb.hi.clone() }
        })
    }
}

fn fields<E: Clone>(s: &Settlement<E>) -> Vec<E>
where
    Settlement<E>: Columns<E>,
{
    let mut out = Vec::new();
    s.write(&mut |x: &E| out.push(x.clone()));
    out
}

/// The settlement is right, if the boolean `flag` (at most `real`).
pub fn lookup<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    flag: &AB::Expr,
    s: &Settlement<AB::Expr>,
) {
    SETTLE.lookup_key(row.builder(), fields(s), Count::bounded(flag.clone(), 1));
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for SettleAir {
    fn eval(&self, builder: &mut AB) {
        let s: Settle<AB::Expr> = current(builder);
        let mut row = Row::bare(builder, s.is_real.clone());
        let real = row.real.clone();
        row.zero(s.uses.clone() * (AB::Expr::ONE - real));
        for bit in [&s.is_short, &s.last_negative, &s.now_negative, &s.gap_negative] {
            row.boolean(bit);
        }
        let digits = s.lots.iter().chain(&s.qm).chain(&s.weight).chain(&s.value);
        for digit in digits {
            row.range(digit.clone());
        }
        row.range(s.value[7].clone() * c::<AB::Expr>(1 << 2));
        difference(&mut row, &s);
        row.product(&s.lots, &s.qm, &s.weight, &s.weight_carries);
        row.product(&s.weight, &s.gap(), &s.value, &s.value_carries);
        let both = s.is_short.clone() * s.gap_negative.clone();
        row.zero(s.is_short.clone() + s.gap_negative.clone() - both.double() - s.is_negative.clone());
        SETTLE.table_entry(row.builder(), fields(&s.settlement()), s.uses.clone());
    }
}

/// `sign (last - now) = gap`: limb k is `sign (last_k - now_k) + carry_(k-1) = gap_k + 2^24 carry_k` with carries in
/// -2..=1, all below 2^26 in size.
fn difference<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, s: &Settle<AB::Expr>) {
    let (real, one) = (row.real.clone(), AB::Expr::ONE);
    let sign = |bit: &AB::Expr| one.clone() - bit.double();
    for limb in &s.gap {
        row.u24(limb);
    }
    for bit in &s.gap_carries {
        row.boolean(bit);
    }
    let carry = |k: usize| {
        let [b0, b1] = [0, 1].map(|i| s.gap_carries[2 * k + i].clone());
        b0 + b1.double() - real.double()
    };
    for k in 0..3 {
        let last = sign(&s.last_negative) * s.last[k].clone();
        let now = sign(&s.now_negative) * s.now[k].clone();
        let mut e = sign(&s.gap_negative) * (last - now) - s.gap[k].value();
        if k > 0 {
            e += carry(k - 1);
        }
        if k < 2 {
            e -= carry(k) * c::<AB::Expr>(1 << 24);
        }
        row.zero(e);
    }
}
