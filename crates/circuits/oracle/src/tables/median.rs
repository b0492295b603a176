//! What a group of reports says, and the bus on which its op takes it.

use tsz_air::{Count, F, InteractionBuilder, PermutationCheckBus};
use tsz_gadgets::columns;
use tsz_gadgets::layout::Columns;
use tsz_gadgets::row::Row;

/// `median`: the fields of [`Median`], number of reports, number of those with the circuit breaker. Sent by the last
/// report of a group, received by the update that uses it.
const MEDIAN: PermutationCheckBus<'static> = PermutationCheckBus::new("median");

columns! {
    /// What the reports of an update say together.
    pub struct Median {
        /// Feed id that all of them signed.
        feed: [8],
        /// Median of the index prices (24, 8 bits).
        index: [2],
        /// Median of the marks (24, 8 bits).
        mark: [2],
        /// The smallest time (24, 24 bits).
        ts: [2],
    }
}

fn fields<E: Clone>(median: &Median<E>, [reports, breakers]: [&E; 2]) -> Vec<E>
where
    Median<E>: Columns<E>,
{
    let mut out = Vec::new();
    median.write(&mut |x: &E| out.push(x.clone()));
    out.extend([reports.clone(), breakers.clone()]);
    out
}

/// Gives the reports away if the boolean `flag` is 1.
pub fn send<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    median: &Median<AB::Expr>,
    counts: [&AB::Expr; 2],
    flag: &AB::Expr,
) {
    MEDIAN.send(row.builder(), fields(median, counts), Count::bounded(flag.clone(), 1));
}

/// Takes the reports, on real rows.
pub fn receive<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    median: &Median<AB::Expr>,
    counts: [&AB::Expr; 2],
) {
    let real = row.real.clone();
    MEDIAN.receive(row.builder(), fields(median, counts), Count::bounded(real, 1));
}
