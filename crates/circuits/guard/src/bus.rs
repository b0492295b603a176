//! Buses between the tables of the guard. All but [`PARTY`] are permutation buses: each message is received once.

use tsz_air::{Count, F, InteractionBuilder, LookupBus, PermutationCheckBus};

/// index, parties. From the last party of an op to the op.
pub(crate) const PARTIES: PermutationCheckBus<'static> = PermutationCheckBus::new("guard_parties");
/// index, access of the first cell, accesses up to the last, writes, accesses with the limits. From the last cell of an
/// op to the op.
pub(crate) const CELLS: PermutationCheckBus<'static> = PermutationCheckBus::new("guard_cells");
/// index, access of the first limit, its written value, limits. From the last limit of an op to the op.
pub(crate) const LIMITS: PermutationCheckBus<'static> = PermutationCheckBus::new("guard_limits");
/// index, place, account, sub, slot, epoch, tokens\[4\]. Provided by `party`: the op has this party.
pub(crate) const PARTY: LookupBus<'static> = LookupBus::new("guard_party");
/// index, rank of the limit, change\[8\]. From a written balance to the limit that it is charged to.
pub(crate) const SPEND: PermutationCheckBus<'static> = PermutationCheckBus::new("guard_spend");
/// index, token, change\[8\]. From a written balance to the sum of its token.
pub(crate) const MONEY: PermutationCheckBus<'static> = PermutationCheckBus::new("guard_money");
/// index, place of the party, value\[8\]. From a written LEG to the leg.
pub(crate) const LEG: PermutationCheckBus<'static> = PermutationCheckBus::new("guard_leg");
/// index, first access, first written value, legs, access after the last, market, change of |size|\[2\]. From the last leg
/// of an op to its crossing.
pub(crate) const LEGS: PermutationCheckBus<'static> = PermutationCheckBus::new("guard_legs");
/// index, first access, first written value, access after the last, writes. From a crossing to its op.
pub(crate) const CROSSED: PermutationCheckBus<'static> = PermutationCheckBus::new("guard_crossed");
/// index, accesses, writes, parties. From the op to its journal.
pub(crate) const JOURNAL: PermutationCheckBus<'static> = PermutationCheckBus::new("journal_op");
/// index, access, hi', lo. A key of the journal.
pub(crate) const JOURNAL_KEY: PermutationCheckBus<'static> = PermutationCheckBus::new("journal_key");
/// index, section (0 old, 1 new), number in it, value\[8\].
pub(crate) const JOURNAL_VALUE: PermutationCheckBus<'static> = PermutationCheckBus::new("journal_value");

/// Sends where the boolean `flag` is 1.
pub(crate) fn send<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    bus: &PermutationCheckBus<'static>,
    message: Vec<AB::Expr>,
    flag: &AB::Expr,
) {
    bus.send(builder, message, Count::bounded(flag.clone(), 1));
}

/// Receives where the boolean `flag` is 1.
pub(crate) fn receive<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    bus: &PermutationCheckBus<'static>,
    message: Vec<AB::Expr>,
    flag: &AB::Expr,
) {
    bus.receive(builder, message, Count::bounded(flag.clone(), 1));
}
