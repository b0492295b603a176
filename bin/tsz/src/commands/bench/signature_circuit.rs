//! The signature tables alone, under a table that looks each message up once: what a signature costs in a proof.

use anyhow::{Context, Result};
use tsz_air::{
    Air, BaseAir, Columns, F, InteractionBuilder, PrimeCharacteristicRing, Requests, TableAir, Trace,
    WindowAccess, air_enum, bus, columns, from_rows,
};
use tsz_chips::poseidon2::{self, Poseidon2Table};
use tsz_chips::range::{self, RangeTable};
use tsz_chips::schnorr::{
    COMB_LOG_HEIGHT, CombTable, LOG_ROWS, LadderTable, SigTable, SignedMessage, generate,
};
use tsz_stark::{Circuit, MIN_LOG_HEIGHT, Profile};

columns! {
    /// A message that a circuit needs signed.
    struct UserCols {
        /// Boolean: look the message up.
        is_real,
        /// The key.
        key_id: [8],
        /// The message.
        msg: [8],
    }
}

/// Looks messages up, as an op table does.
#[derive(Clone)]
pub struct User;

impl TableAir for User {
    fn name(&self) -> String {
        "user".to_owned()
    }
}

impl BaseAir<F> for User {
    fn width(&self) -> usize {
        UserCols::<F>::WIDTH
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for User {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = UserCols::from_row(main.current_slice());
        builder.assert_bool(row.is_real);
        bus::sig::lookup(builder, row.key_id, row.msg, row.is_real);
    }
}

air_enum! {
    /// The user, the signature tables and what they look up.
    pub enum SignatureAir {
        /// User.
        User(User),
        /// Signatures.
        Sig(SigTable),
        /// Scalar multiplications.
        Ladder(LadderTable),
        /// Multiples of the generator.
        Comb(CombTable),
        /// Permutations.
        Poseidon2(Poseidon2Table),
        /// 12-bit values.
        Range(RangeTable),
    }
}

/// log2 of the table of `count` signatures.
pub fn log_height(count: usize) -> usize {
    (count.next_power_of_two().trailing_zeros() as usize).max(MIN_LOG_HEIGHT)
}

/// The circuit for `2^log` signatures.
pub fn circuit(log: usize) -> Circuit<SignatureAir> {
    let tables: [(SignatureAir, usize); 6] = [
        (User.into(), log),
        (SigTable.into(), log),
        (LadderTable::new().into(), log + LOG_ROWS),
        (CombTable.into(), COMB_LOG_HEIGHT),
        (Poseidon2Table::new().into(), log + 1),
        (RangeTable.into(), range::LOG_HEIGHT),
    ];
    Circuit::new(Profile::Base, tables)
}

/// Traces of the circuit for `2^log` signatures.
pub fn traces(signed: &[SignedMessage], log: usize) -> Result<Vec<Trace>> {
    let mut requests = Requests::new();
    let tables = generate(signed, log, &mut requests).context("signature tables")?;
    let user = |s: &SignedMessage| UserCols { is_real: F::ONE, key_id: s.key.key_id(), msg: s.message };
    let users: Vec<UserCols<F>> = signed.iter().map(user).collect();
    let mut traces = vec![from_rows(&users, log), tables.sig, tables.schnorr, tables.comb];
    traces.extend(poseidon2::traces(&requests.p2, &[log + 1]).context("permutation table")?);
    traces.push(range::trace(&requests.range));
    Ok(traces)
}
