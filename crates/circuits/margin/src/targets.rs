//! Rows of targets and of their zero quotes, in a [`Book`].

use tsz_air::{F, PrimeCharacteristicRing, Requests, Trace};
use tsz_gadgets::product::{digits12, felts};
use tsz_gadgets::{collect, inverse};
use tsz_ledger::Access;

use crate::book::{Book, TooMany, matrix};
use crate::rows::number;
use crate::tables::{
    Claim, Figures, Ill, NO_MARKET, Quote, QuoteAir, QuoteRow, Standing, Subject, Target, TargetAir, Value,
    WideSum,
};

impl Book<'_> {
    /// A target whose table reads `rows`, and its figures.
    pub fn target(&mut self, ill: Ill<F>, rows: &[Access]) -> Figures<F> {
        let row = self.target_row(ill, rows);
        let figures = row.figures();
        self.targets.push(row);
        figures
    }

    /// The same of a target of which CMR is asked if it is below that, else MMR; which of the two it is, as `is_full`.
    pub fn worst_target(&mut self, ill: Ill<F>, rows: &[Access]) -> (F, Figures<F>) {
        let mut row = self.target_row(Ill { is_full: F::ONE, ..ill }, rows);
        if row.missing() <= 0 {
            row.ill.is_full = F::ZERO;
            row.compare();
        }
        let (is_full, figures) = (row.ill.is_full, row.figures());
        self.targets.push(row);
        (is_full, figures)
    }

    fn target_row(&mut self, ill: Ill<F>, rows: &[Access]) -> Target<F> {
        let claim = Claim {
            index: ill.index,
            who: ill.who,
            account: ill.account,
            sub: ill.sub,
            market: ill.market,
            at: ill.at,
            mask: ill.mask,
            tokens: ill.tokens,
            others: ill.others,
            is_forced: ill.is_forced,
            ..Claim::default()
        };
        let (tokens, totals) = self.rest(&claim, rows);
        let mut row = Target {
            is_real: F::ONE,
            has_others: F::from_bool(ill.others != F::ZERO),
            others_inv: inverse(ill.others),
            totals,
            has_tokens: F::from_bool(ill.mask != F::ZERO),
            mask_inv: inverse(ill.mask),
            tokens,
            has_market: F::from_bool(ill.market != F::from_u32(NO_MARKET)),
            held: self.held(ill.market, &ill.lots, &ill.unit),
            ill,
            ..Target::default()
        };
        row.tav = Value::of(row.tav_sums());
        row.compare();
        row
    }

    /// The figures of a subject whose table reads `rows`.
    pub fn standing(&mut self, subject: &Subject<F>, rows: &[Access]) -> Standing<F> {
        let claim = Claim {
            index: subject.index,
            who: subject.who,
            account: subject.account,
            sub: subject.sub,
            market: subject.market,
            at: subject.at,
            mask: subject.mask,
            tokens: subject.tokens,
            others: subject.others,
            is_forced: F::ONE,
            ..Claim::default()
        };
        let (tokens, totals) = self.rest(&claim, rows);
        let mut standing = Standing {
            has_others: F::from_bool(subject.others != F::ZERO),
            others_inv: inverse(subject.others),
            totals,
            has_tokens: F::from_bool(subject.mask != F::ZERO),
            mask_inv: inverse(subject.mask),
            tokens,
            held: self.held(subject.market, &subject.lots, &subject.unit),
            ..Standing::default()
        };
        standing.tav = Value::of(standing.tav_sums(subject));
        standing
    }

    /// The quote of closing lots of `notional` by a target of these figures.
    pub fn quote(&mut self, figures: &Figures<F>, notional: u128) -> Quote<F> {
        let mmf = tsz_air::PrimeField32::as_canonical_u32(&figures.mmf);
        let mut row = QuoteRow::of(&figures.tav, &figures.required, notional, mmf);
        row.uses = F::ONE;
        let quote = row.quote.clone();
        self.quotes.push(row);
        quote
    }

    /// Rows of targets and quotes.
    pub fn target_counts(&self) -> [usize; 2] {
        [self.targets.len(), self.quotes.len()]
    }

    /// Traces of the tables `target` and `quote`, of 2^heights rows.
    ///
    /// # Errors
    /// [`TooMany`] where rows do not fit.
    pub fn target_traces(&self, heights: [usize; 2]) -> Result<Vec<Trace>, TooMany> {
        let [targets, quotes] = heights;
        Ok(vec![self.target_trace(targets)?, matrix("quote", &self.quotes, quotes)?])
    }

    /// Trace of the table `target`, of 2^height rows, for a circuit without zero quotes.
    ///
    /// # Errors
    /// [`TooMany`] where rows do not fit.
    pub fn target_trace(&self, height: usize) -> Result<Trace, TooMany> {
        matrix("target", &self.targets, height)
    }
}

/// The lookups of the tables of [`Book::target_traces`].
pub fn target_requests(traces: &[Trace]) -> Requests {
    let mut out = Requests::new();
    if let [target, quote] = traces {
        out.merge(collect(&TargetAir, target, &[]));
        out.merge(collect(&QuoteAir, quote, &[]));
    }
    out
}

impl Target<F> {
    /// The requirement less TAV.
    fn missing(&self) -> i128 {
        100 * number(&self.threshold.digits()) - (number(&self.tav.digits) - (1 << 98))
    }

    /// Fills in the requirement that is asked, and requirement - TAV - 1, or TAV - requirement; a negative one satisfies
    /// nothing.
    fn compare(&mut self) {
        self.is_close = F::from_bool(self.ill.is_full == F::ONE);
        self.is_well = F::from_bool(self.ill.is_full == F::TWO);
        let [required, asked] = self.required_sums();
        self.required = required;
        self.threshold = WideSum::of(&asked);
        let is_well = self.is_well == F::ONE;
        let gap = if is_well { -self.missing() } else { self.missing() - 1 };
        self.shortage = felts(digits12(gap.unsigned_abs()));
        let mut carry = F::ZERO;
        let shift = inverse(F::from_u32(1 << 12));
        for (k, required) in self.threshold.digits().into_iter().enumerate().take(8) {
            let one = F::from_bool(k == 0 && !is_well);
            let gap = F::from_u32(100) * required - self.tav.digits[k];
            let x = if is_well { -gap } else { gap } - one + carry;
            carry = (x - self.shortage[k]) * shift;
            self.carries[k] = carry;
        }
    }
}
