//! Reports of one op: consecutive rows of a report table.
//!
//! Proven of a group, on its last row: its rows are signed by listed signers, each once; what the group says is the
//! same on all of them; its sums are over its rows and no others.

use tsz_air::{AirBuilder, F, InteractionBuilder, PrimeCharacteristicRing, bus};
use tsz_gadgets::columns;
use tsz_gadgets::layout::Columns;
use tsz_gadgets::row::Row;

use super::rules::lookup_signer;

columns! {
    /// Place of a report in its group, and who signed.
    pub struct Group {
        /// 1 = the row holds a report; boolean. Such rows come first.
        is_real: felt,
        /// 1 = the last report of its op; boolean, 0 on padding.
        is_last: felt,
        /// Place of the signer in the list; bound by `signer`, increasing within the group.
        signer: felt,
        /// The signer's key; bound by `signer` and `sig`.
        key_id: [8],
    }
}

impl<E: PrimeCharacteristicRing + Clone> Group<E> {
    /// 1 = the next row is of the same group.
    fn goes_on(&self) -> E {
        self.is_real.clone() - self.is_last.clone()
    }
}

/// The columns of some groups of columns, in order.
pub fn cells<E: Clone, C: Columns<E>>(columns: &C) -> Vec<E> {
    let mut out = Vec::with_capacity(C::WIDTH);
    columns.write(&mut |x: &E| out.push(x.clone()));
    out
}

/// A row as the rules of groups see it.
pub struct Member<'a, E, S> {
    /// Its place.
    pub group: &'a Group<E>,
    /// What the group says: the same on its rows.
    pub says: Vec<E>,
    /// Sums over the group up to this row.
    pub sums: &'a S,
    /// What the row adds.
    pub terms: S,
}

/// Real rows come first and end with the end of a group; what a group says is the same on its rows; sums restart after
/// its end.
pub fn members<AB: AirBuilder<F = F>, S: Columns<AB::Expr>>(
    builder: &mut AB,
    here: &Member<'_, AB::Expr, S>,
    next: &Member<'_, AB::Expr, S>,
) {
    let one = AB::Expr::ONE;
    let (is_real, is_last) = (here.group.is_real.clone(), here.group.is_last.clone());
    let goes_on = here.group.goes_on();
    builder.assert_zero(is_last.clone() * (one.clone() - is_real.clone()));
    builder.assert_zero(is_last.clone() * (is_last.clone() - one.clone()));
    builder.when_last_row().assert_zero(goes_on.clone());
    let mut steps = builder.when_transition();
    steps.assert_zero(next.group.is_real.clone() * (one.clone() - is_real));
    steps.assert_zero(goes_on.clone() * (one.clone() - next.group.is_real.clone()));
    for (x, y) in here.says.iter().zip(&next.says) {
        steps.assert_zero(goes_on.clone() * (y.clone() - x.clone()));
    }
    let keeps = one - is_last;
    let (sums, after) = (cells(here.sums), cells(next.sums));
    for ((sum, after), term) in sums.iter().zip(after).zip(cells(&next.terms)) {
        steps.assert_zero(after - keeps.clone() * sum.clone() - term);
    }
    for (sum, term) in sums.into_iter().zip(cells(&here.terms)) {
        builder.when_first_row().assert_eq(sum, term);
    }
}

/// The message is signed by the row's signer, who is listed; the next one of the group has a later place.
pub fn signed<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    [here, next]: [&Group<AB::Expr>; 2],
    digest: &[AB::Expr; 8],
) {
    lookup_signer(row, &here.signer, &here.key_id);
    row.signed(&here.key_id, digest);
    // Places are below 2^7, as the list is not longer; the last row of the table never goes on.
    let step = next.signer.clone() - here.signer.clone() - AB::Expr::ONE;
    bus::range12::lookup(row.builder(), [step], here.goes_on());
}

/// On the last row of a group, `below` and `above` of its `reports` show a lower median: `2 below < n`, `n <= 2 (n - above)`.
///
/// Each row is one of below, above and equal, so a report equals the median.
pub fn lower_median<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    group: &Group<AB::Expr>,
    [reports, below, above]: [&AB::Expr; 3],
) {
    let left = reports.clone() - below.double() - AB::Expr::ONE;
    let right = reports.clone() - above.double();
    for count in [left, right] {
        bus::range12::lookup(row.builder(), [count], group.is_last.clone());
    }
}
