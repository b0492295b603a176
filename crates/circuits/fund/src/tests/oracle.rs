//! Checks witnesses without a proof; the signature tables are replaced by native verification.

use tsz_air::{
    Air, BaseAir, ColumnResult, F, InteractionBuilder, PrimeCharacteristicRing, RowMajorMatrix, TableAir,
    Tamper, Trace, Violation, WindowAccess, air_enum, bus, check,
};
use tsz_sig::PublicKey;
use tsz_stark::Profile;

use crate::circuit::{Class, FundAir, Witness, public_values};
use crate::trace::SignatureRequest;

/// Provides (key id, message) pairs with a multiplicity; rows are valid signatures by construction.
#[derive(Clone)]
pub struct SigOracle;

impl TableAir for SigOracle {
    fn name(&self) -> String {
        "sig_oracle".into()
    }
}

impl BaseAir<F> for SigOracle {
    fn width(&self) -> usize {
        17
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for SigOracle {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = main.current_slice();
        let key: [AB::Var; 8] = core::array::from_fn(|k| row[k]);
        let message: [AB::Var; 8] = core::array::from_fn(|k| row[8 + k]);
        bus::sig::provide(builder, key, message, row[16]);
    }
}

air_enum! {
    pub enum DebugAir { Fund(FundAir), Oracle(SigOracle) }
}

fn oracle_trace(signatures: &[SignatureRequest]) -> Trace {
    let mut rows = Vec::new();
    for s in signatures {
        let valid =
            PublicKey::from_key_id(&s.key_id).is_ok_and(|key| key.verify(&s.message, &s.signature).is_ok());
        rows.extend(s.key_id);
        rows.extend(s.message);
        rows.push(F::from_bool(valid));
    }
    rows.resize(17 * signatures.len().max(1).next_power_of_two(), F::ZERO);
    RowMajorMatrix::new(rows, 17)
}

fn parts(class: Class, witness: &Witness) -> (Vec<DebugAir>, Vec<Trace>, Vec<Vec<F>>) {
    let mut airs: Vec<DebugAir> =
        class.circuit(Profile::Base).airs.into_iter().take(11).map(DebugAir::Fund).collect();
    airs.push(DebugAir::Oracle(SigOracle));
    let mut traces = witness.traces.clone();
    traces.push(oracle_trace(&witness.signatures));
    let mut publics = public_values(&witness.claim);
    publics.truncate(11);
    publics.push(vec![]);
    (airs, traces, publics)
}

/// Every constraint and every bus.
pub fn judge(class: Class, witness: &Witness) -> Result<(), Violation> {
    let (airs, traces, publics) = parts(class, witness);
    check(&airs, &traces, &publics)
}

/// Changes cells of the op tables one by one.
pub fn sweep(class: Class, witness: &Witness, real_rows: [usize; 7], trials: usize) -> Vec<ColumnResult> {
    let (airs, traces, publics) = parts(class, witness);
    let mut rows = real_rows.to_vec();
    rows.resize(airs.len(), 0);
    Tamper { airs: &airs, traces: &traces, public_values: &publics, real_rows: &rows, trials, seed: 7 }
        .columns()
}
