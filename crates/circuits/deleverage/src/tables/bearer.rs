//! Counterparties: one row for each holder whose rank an op needs.
//!
//! Proven: `rank` is that of docs/src/domain.md section 7 for the loss class, 0 for an account that is reserved or cannot
//! bear it. Rows count at their last prices. Both answers are proven: nobody is passed over who is able.

use tsz_air::{Air, Count, F, InteractionBuilder, PermutationCheckBus, PrimeCharacteristicRing};
use tsz_gadgets::layout::Columns;
use tsz_gadgets::product::Carry;
use tsz_gadgets::row::{Row, c};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};
use tsz_margin::tables::{Standing, Subject, WideSum, standing, wide_sum};

use super::kind::{BEYOND, Kind, kind};
use super::length::{Length, length};
use super::section;
use super::verdict::{Verdict, verdict};

/// `bearer`: the fields of [`Subject`], class, rank. Sent by the op, received by the bearer table.
const BEARER: PermutationCheckBus<'static> = PermutationCheckBus::new("bearer");
/// Base 2^12 digits of 10^6, a quote unit in millionths.
pub const UNIT: [u32; 2] = [576, 244];
/// Base 2^12 digits of 10^6 / 2^6.
pub const ODD_UNIT: [u32; 2] = [3_337, 3];
/// 2^11 / 2^6.
pub const LOSS_SCALE: u32 = 32;
/// Weight of the score in a rank.
const SCORE: u32 = 64;
/// The largest score.
const MAX_SCORE: u32 = 15;

columns! {
    /// One holder.
    pub struct Bearer {
        /// 1 = the row holds one; boolean.
        is_real: felt,
        /// What the op says; bound by the bus.
        subject: (Subject),
        /// The loss class.
        kind: (Kind),
        /// Its table, position and TAV.
        standing: (Standing),
        /// IMR in hundreds.
        initial: (WideSum),
        /// IMR of its other rows in hundreds.
        rest: (WideSum),
        /// 1 = neither reserved account; boolean, owned by the zero test.
        is_user: felt,
        /// Inverse of account * (account - 1), or 0.
        user_inv: felt,
        /// Whether TAV - 10^6 >= IMR.
        healthy: (Verdict),
        /// Digits of |size| * mark * qm * 2^class, 0 in class 0; range12.
        lost: [8],
        /// Carries of that product.
        lost_carries: (Carry * 7),
        /// Whether TAV - 10^6 - loss >= IMR of the other rows.
        bears: (Verdict),
        /// 1 = it can be the counterparty; boolean.
        is_able: felt,
        /// Digits of |size| * mark * qm * 10^6; range12.
        exposure: [8],
        /// Carries of that product.
        exposure_carries: (Carry * 7),
        /// Bit length of the exposure, if able.
        exposure_length: (Length),
        /// Bit length of TAV, if able.
        tav_length: (Length),
        /// Bit length of the lots, if able.
        lots_length: (Length),
        /// 1 = the score is 0 because the difference is negative; boolean, at most `is_able`.
        is_low: felt,
        /// 1 = the score is 15 because the difference is larger; boolean, at most `is_able - is_low`.
        is_high: felt,
        /// The score, 0 unless able.
        score: felt,
    }
}

op_air! {
    /// AIR of [`Bearer`]. No public values.
    BearerAir, Bearer, "bearer", 0
}

impl<E: PrimeCharacteristicRing + Clone> Bearer<E> {
    /// Sums of TAV - 10^6, without what is added to TAV.
    fn spare(&self, k: usize) -> E {
        let digit = self.standing.tav.digits[k].clone();
        match k {
            0 | 1 => digit - self.is_real.clone() * c::<E>(UNIT[k]),
            // 2^98
            8 => digit - self.is_real.clone() * c::<E>(4),
            _ => digit,
        }
    }

    fn without(&self, required: &WideSum<E>, k: usize) -> E {
        match required.digits().get(k) {
            Some(digit) => self.spare(k) - digit.clone() * c::<E>(100),
            None => self.spare(k),
        }
    }

    /// Sums of TAV - 10^6 - IMR; below 2^19 in size.
    pub fn healthy_sums(&self) -> [E; 9] {
        core::array::from_fn(|k| self.without(&self.initial, k))
    }

    /// Sums of (TAV - 10^6 - IMR of the other rows) * 2^5 - notional * 2^class * 10^6 / 2^6; below 2^25 in size.
    pub fn bears_sums(&self) -> [E; 9] {
        core::array::from_fn(|k| {
            let at = |k: Option<usize>| k.and_then(|k| self.lost.get(k)).cloned().unwrap_or(E::ZERO);
            let lost = at(Some(k)) * c::<E>(ODD_UNIT[0]) + at(k.checked_sub(1)) * c::<E>(ODD_UNIT[1]);
            self.without(&self.rest, k) * c::<E>(LOSS_SCALE) - lost
        })
    }

    /// Digits of TAV, which is positive for who is able.
    pub fn tav(&self) -> [E; 9] {
        core::array::from_fn(|k| {
            let digit = self.standing.tav.digits[k].clone();
            if k == 8 { digit - self.is_real.clone() * c::<E>(4) } else { digit }
        })
    }

    /// The score before it is cut off.
    pub fn difference(&self) -> E {
        self.exposure_length.value() - self.tav_length.value() + self.is_able.clone() * c::<E>(8)
    }

    /// The rank.
    pub fn rank(&self) -> E {
        self.score.clone() * c::<E>(SCORE) + self.lots_length.value()
    }
}

fn fields<E: PrimeCharacteristicRing + Clone>(subject: &Subject<E>, class: E, rank: E) -> Vec<E>
where
    Subject<E>: Columns<E>,
{
    let mut out = Vec::new();
    subject.write(&mut |x: &E| out.push(x.clone()));
    out.extend([class, rank]);
    out
}

/// The subject has this rank for the class and its table is read, if the boolean `flag` (at most `real`).
pub fn ranks<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    flag: &AB::Expr,
    subject: &Subject<AB::Expr>,
    [class, rank]: [AB::Expr; 2],
) {
    BEARER.send(row.builder(), fields(subject, class, rank), Count::bounded(flag.clone(), 1));
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for BearerAir {
    fn eval(&self, builder: &mut AB) {
        let b: Bearer<AB::Expr> = current(builder);
        let mut row = Row::bare(builder, b.is_real.clone());
        let real = row.real.clone();
        let said = fields(&b.subject, b.kind.number(), b.rank());
        BEARER.receive(row.builder(), said, Count::bounded(real, 1));
        kind(&mut row, &b.kind);
        row.zero(b.kind.is[BEYOND as usize].clone());
        standing(&mut row, &b.subject, &b.standing);
        able(&mut row, &b);
        rank(&mut row, &b);
    }
}

/// Who can be the counterparty: not reserved, healthy, and still at IMR with the largest loss of the class.
fn able<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, b: &Bearer<AB::Expr>) {
    let one = AB::Expr::ONE;
    wide_sum(row, &b.standing.initial(), &b.initial);
    wide_sum(row, &b.standing.totals.initial, &b.rest);
    row.boolean(&b.is_user);
    let account = b.subject.account.clone();
    let reserved = account.clone() * (account - one.clone());
    row.zero(reserved.clone() * b.user_inv.clone() - b.is_user.clone());
    row.zero(reserved * (one - b.is_user.clone()));
    verdict(row, &b.healthy_sums(), &b.healthy);
    for digit in b.lost.iter().chain(&b.exposure) {
        row.range(digit.clone());
    }
    let notional = &b.standing.held.notional;
    row.product(notional, &b.kind.power(), &b.lost, &b.lost_carries);
    verdict(row, &b.bears_sums(), &b.bears);
    row.boolean(&b.is_able);
    row.zero(b.is_user.clone() * b.healthy.holds.clone() * b.bears.holds.clone() - b.is_able.clone());
    row.product(notional, &UNIT.map(c::<AB::Expr>), &b.exposure, &b.exposure_carries);
}

/// score = clamp(bitlen(exposure) - bitlen(TAV) + 8, 0, 15).
fn rank<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, b: &Bearer<AB::Expr>) {
    let able = b.is_able.clone();
    section(row, &able, |row| {
        length(row, &b.exposure, &b.exposure_length);
        length(row, &b.tav(), &b.tav_length);
        length(row, &b.subject.lots, &b.lots_length);
    });
    let (low, high) = (b.is_low.clone(), b.is_high.clone());
    let middle = able.clone() - low.clone() - high.clone();
    for bit in [&low, &high, &middle] {
        row.boolean(bit);
    }
    let (difference, most) = (b.difference(), c::<AB::Expr>(MAX_SCORE));
    row.zero(middle.clone() * difference.clone() + high.clone() * most.clone() - b.score.clone());
    // the difference is at least 0, below it, or above 15
    let beyond = difference.clone() - most.clone() - AB::Expr::ONE;
    let below = AB::Expr::ZERO - difference.clone() - AB::Expr::ONE;
    row.range(middle.clone() * difference.clone() + low * below + high * beyond);
    row.range(middle * (most - difference));
}
