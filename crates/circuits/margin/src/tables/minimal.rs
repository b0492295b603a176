//! Closes that would not be enough: one row for each close of some lots of a target that would still leave TAV < IMR
//! (docs/src/domain.md section 7: a partial liquidation closes no more than brings TAV back to IMR).
//!
//! Proven for digits and sums of a target's [`Figures`]: with `lots` closed at the price and a fee that is at most the one
//! of the rule, `left` lots stay, and TAV + sign (N - n) 10^6 - fee is below the IMR of the other positions and of those.

use tsz_air::{Air, Count, F, InteractionBuilder, LookupBus, PrimeCharacteristicRing};
use tsz_gadgets::layout::Columns;
use tsz_gadgets::product::Carry;
use tsz_gadgets::row::{Row, c};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};

use super::charge::{Charge, charge, micros, surplus};
use super::held::{Held, held};
use super::judge::Judge;
use super::quote::{Quote, lookup as lookup_quote};
use super::sums::{Shift, WideSum, carried, wide_sum};
use super::target::Figures;

/// `minimal`: the fields of [`Need`]. Provided by the minimal table.
const MINIMAL: LookupBus<'static> = LookupBus::new("minimal");

columns! {
    /// A close that is not enough; a copy, bound by the bus.
    pub struct Need {
        /// The target before it.
        figures: (Figures),
        /// Market.
        market: felt,
        /// Base 2^12 digits of mark * qm.
        unit: [5],
        /// Digits of price * qm.
        unit_price: [5],
        /// Digits of the lots that are closed.
        lots: [4],
        /// Digits of those that are left.
        left: [4],
        /// 1 = short.
        is_short: felt,
        /// Liquidation fee of the market.
        rate: felt,
    }
}

columns! {
    /// One such close.
    pub struct Minimal {
        /// 1 = the row holds a close; boolean.
        is_real: felt,
        /// Lookups; 0 on padding.
        uses: felt,
        /// What is said; its lots are ranged here.
        need: (Need),
        /// Base 2^12 digits of n = lots * mark * qm; range12.
        at_mark: [6],
        /// Carries of that product.
        mark_carries: (Carry * 5),
        /// Digits of N = lots * price * qm; range12.
        at_price: [5],
        /// Carries of that product.
        price_carries: (Carry * 4),
        /// Digits of gain + 2^83; bound by `quote`.
        gain: [7],
        /// The fee, or 0.
        charge: (Charge),
        /// The lots that are left, at the mark.
        held: (Held),
        /// IMR after, in hundreds.
        initial: (WideSum),
        /// IMR - TAV - 1; range12.
        shortage: [9],
        /// Carries of that.
        carries: (Shift * 8),
    }
}

op_air! {
    /// AIR of [`Minimal`]. No public values.
    MinimalAir, Minimal, "minimal", 0
}

impl<E: PrimeCharacteristicRing + Clone> Minimal<E> {
    fn sign(&self) -> E {
        E::ONE - self.need.is_short.double()
    }

    /// Digits of the surplus over the zero quote.
    pub fn surplus(&self) -> [E; 9] {
        surplus(&self.is_real, &self.sign(), (&self.at_price, &self.at_mark), &self.gain)
    }

    /// The quote that gives the gain.
    pub fn quote(&self) -> Quote<E> {
        let figures = &self.need.figures;
        Quote {
            tav: figures.tav.clone(),
            required: figures.required.clone(),
            notional: self.at_mark.clone(),
            mmf: figures.mmf.clone(),
            gain: self.gain.clone(),
        }
    }

    /// Sums of IMR after, in hundreds.
    pub fn initial_sums(&self) -> [E; 6] {
        Judge::required(&self.need.figures.initial, &self.held, 0)
    }

    /// Digits of IMR - TAV - 1, not carried.
    pub fn shortage_sums(&self) -> [E; 9] {
        let required = self.initial.digits();
        let apart: [E; 6] = core::array::from_fn(|k| {
            let mut e = E::ZERO - self.at_mark[k].clone();
            if let Some(digit) = self.at_price.get(k) {
                e += digit.clone();
            }
            self.sign() * e
        });
        let moved = micros(&apart);
        core::array::from_fn(|k| {
            let mut e = E::ZERO - self.need.figures.tav[k].clone() - moved[k].clone();
            if let Some(digit) = required.get(k) {
                e += digit.clone() * c::<E>(100);
            }
            if let Some(digit) = self.charge.fee.get(k) {
                e += digit.clone();
            }
            match k {
                0 => e - self.is_real.clone(),
                // 2^98
                8 => e + self.is_real.double().double(),
                _ => e,
            }
        })
    }
}

fn fields<E: Clone>(need: &Need<E>) -> Vec<E>
where
    Need<E>: Columns<E>,
{
    let mut out = Vec::new();
    need.write(&mut |x: &E| out.push(x.clone()));
    out
}

/// The close would not be enough, if the boolean `flag` (at most `real`).
pub fn lookup<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, flag: &AB::Expr, need: &Need<AB::Expr>) {
    MINIMAL.lookup_key(row.builder(), fields(need), Count::bounded(flag.clone(), 1));
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for MinimalAir {
    fn eval(&self, builder: &mut AB) {
        let m: Minimal<AB::Expr> = current(builder);
        let mut row = Row::bare(builder, m.is_real.clone());
        let (real, need) = (row.real.clone(), &m.need);
        row.zero(m.uses.clone() * (AB::Expr::ONE - real.clone()));
        let digits = need.lots.iter().chain(&need.left).chain(&m.at_mark).chain(&m.at_price);
        for digit in digits {
            row.range(digit.clone());
        }
        row.product(&need.lots, &need.unit, &m.at_mark, &m.mark_carries);
        row.product(&need.lots, &need.unit_price, &m.at_price, &m.price_carries);
        lookup_quote(&mut row, &real, &m.quote());
        row.zero(m.charge.limit.factor() - need.rate.clone());
        charge(&mut row, &m.charge, &m.at_price, &m.surplus());
        held(&mut row, &real, &need.market, (&need.left, &need.unit), &m.held);
        wide_sum(&mut row, &m.initial_sums(), &m.initial);
        carried(&mut row, &m.shortage_sums(), &m.shortage, &m.carries);
        MINIMAL.table_entry(row.builder(), fields(need), m.uses.clone());
    }
}
