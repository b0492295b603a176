//! Checks witnesses without a proof.

use tsz_air::{ColumnResult, Tamper, Violation, check};
use tsz_stark::Profile;

use crate::class::Class;
use crate::prove::public_values;
use crate::witness::Witness;

/// Every constraint of every row and the balance of every bus.
pub fn judge(class: &Class, witness: &Witness) -> Result<(), Violation> {
    check(&class.circuit(Profile::Base).airs, &witness.traces, &public_values(&witness.claim))
}

/// Changes cells of the op tables one by one.
pub fn sweep(class: &Class, witness: &Witness, real_rows: crate::Counts, trials: usize) -> Vec<ColumnResult> {
    let airs = class.circuit(Profile::Base).airs;
    let publics = public_values(&witness.claim);
    let mut rows = real_rows.to_vec();
    rows.resize(airs.len(), 0);
    let (traces, real_rows) = (&witness.traces, &rows);
    Tamper { airs: &airs, traces, public_values: &publics, real_rows, trials, seed: 7 }.columns()
}
