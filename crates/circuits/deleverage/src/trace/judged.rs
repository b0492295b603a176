//! Rows of the tables that an op asks: bearer, loss, refusal.

use tsz_air::{F, PrimeCharacteristicRing, PrimeField32};
use tsz_gadgets::product::{digits12, felts, product_carries};
use tsz_gadgets::{inverse, limb::U24};
use tsz_ledger::Access;
use tsz_margin::tables::{Figures, Standing, Subject, WideSum};
use tsz_margin::{carry, number, shifts};

use super::Rows;
use crate::tables::{BEYOND, Bearer, Kind, Length, Loss, Offer, Refusal, Verdict, Well};

fn values<const N: usize>(digits: &[F; N]) -> [u32; N] {
    digits.map(|x| x.as_canonical_u32())
}

fn unsigned(digits: &[F]) -> u128 {
    number(digits).unsigned_abs()
}

impl Bearer<F> {
    /// Fills in the rank of who is able.
    fn rate(&mut self) {
        let able = self.is_user * self.healthy.holds * self.bears.holds;
        self.is_able = able;
        if able == F::ZERO {
            return;
        }
        self.exposure_length = Length::of(&self.exposure);
        self.tav_length = Length::of(&self.tav());
        self.lots_length = Length::of(&self.subject.lots);
        let difference = tsz_margin::signed(self.difference());
        self.is_low = F::from_bool(difference < 0);
        self.is_high = F::from_bool(difference > 15);
        self.score = F::from_i64(difference.clamp(0, 15));
    }
}

impl Well<F> {
    /// Columns of a subject and its figures; of one below CMR they satisfy nothing.
    pub(super) fn of(standing: Standing<F>, subject: Subject<F>) -> Self {
        let closeout = WideSum::of(&standing.closeout());
        let mut row = Self { is_real: F::ONE, subject, standing, closeout, ..Self::default() };
        let (digits, carries) = carry(&row.surplus_sums(), 9);
        row.surplus = core::array::from_fn(|k| digits[k]);
        row.carries = shifts(&carries);
        row
    }
}

impl Rows<'_> {
    /// The rank of a subject whose table reads `rows`.
    pub(super) fn ranked(&mut self, subject: Subject<F>, class: u32, rows: &[Access]) -> F {
        let standing = self.book.standing(&subject, rows);
        let reserved = subject.account * (subject.account - F::ONE);
        let (kind, notional) = (Kind::of(class), standing.held.notional);
        let million = digits12::<2>(1_000_000);
        let mut row = Bearer {
            is_real: F::ONE,
            initial: WideSum::of(&standing.initial()),
            rest: WideSum::of(&standing.totals.initial),
            is_user: F::from_bool(reserved != F::ZERO),
            user_inv: inverse(reserved),
            lost: felts(digits12(unsigned(&notional) * unsigned(&kind.power()))),
            lost_carries: product_carries(&values(&notional), &values(&kind.power())),
            exposure: felts(digits12(unsigned(&notional) * 1_000_000)),
            exposure_carries: product_carries(&values(&notional), &million),
            subject,
            kind,
            standing,
            ..Bearer::default()
        };
        row.healthy = Verdict::of(&row.healthy_sums());
        row.bears = Verdict::of(&row.bears_sums());
        row.rate();
        let rank = row.rank();
        self.bearers.push(row);
        rank
    }

    /// The loss class of closing a target of these figures, [`BEYOND`] if there is none.
    pub(super) fn lost(&mut self, figures: &Figures<F>) -> u32 {
        let tav = number(&figures.tav) - (1 << 98);
        let required = WideSum::of(&figures.required);
        let fraction = u128::from(figures.mmf.as_canonical_u32());
        let weight = tav.unsigned_abs() * fraction;
        // 91 bits, 14 and 15 more
        let bound = |class: u32| (unsigned(&required.digits()) * 15_625) << class.min(15);
        let class = match tav {
            0.. => 0,
            _ => (1..BEYOND).find(|class| weight * 32 <= bound(*class)).unwrap_or(BEYOND),
        };
        let kind = Kind::of(class);
        let (power, mmf) = (kind.power(), digits12::<2>(fraction));
        let mut row = Loss {
            is_real: F::ONE,
            uses: F::ONE,
            figures: figures.clone(),
            mmf: felts(mmf),
            weight: felts(digits12(weight)),
            scaled: felts(digits12(unsigned(&required.digits()) * unsigned(&power))),
            scaled_carries: product_carries(&values(&required.digits()), &values(&power)),
            required,
            kind,
            ..Loss::default()
        };
        let (size, carries) = carry(&row.size_sums(), 9);
        row.size = core::array::from_fn(|k| size[k]);
        row.size_carries = shifts(&carries);
        row.size_inv = if tav < 0 { inverse(size.into_iter().sum()) } else { F::ZERO };
        row.weight_carries = product_carries(&values(&row.size), &mmf);
        let (digits, carries) = carry(&row.upper_sums(), 11);
        (row.upper, row.upper_carries) = (core::array::from_fn(|k| digits[k]), shifts(&carries));
        let (digits, carries) = carry(&row.lower_sums(), 11);
        (row.lower, row.lower_carries) = (core::array::from_fn(|k| digits[k]), shifts(&carries));
        self.losses.push(row);
        class
    }

    /// The refusal of an offer, by a reason that is true if any is.
    pub(super) fn refused(&mut self, subject: Subject<F>, offer: &Offer<F>, rows: &[Access]) -> Refusal<F> {
        let standing = self.book.standing(&subject, rows);
        let mut row = Refusal {
            is_real: F::ONE,
            grows: offer.growth.grows,
            is_full: offer.is_full,
            initial: WideSum::of(&standing.initial()),
            subject,
            standing,
            ..Refusal::default()
        };
        row.healthy = Verdict::of(&row.healthy_sums());
        let high = row.high().as_canonical_u32();
        if row.is_full == F::ONE {
            return row;
        }
        if row.healthy.holds == F::ZERO {
            row.lacks = F::ONE;
        } else if row.grows == F::ONE && high >= 256 {
            row.is_wide = F::ONE;
            row.width = U24::of(high - 256);
        } else {
            row.is_beyond = F::ONE;
        }
        row
    }
}
