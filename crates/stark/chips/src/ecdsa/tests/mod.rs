//! Honest signatures, bounds, and the lies that must be refused.

mod honest;
mod lies;
mod vectors;

use num_bigint::BigUint;
use tsz_air::{
    Air, BaseAir, Columns, F, InteractionBuilder, PrimeCharacteristicRing, TableAir, Trace, Violation,
    WindowAccess, air_enum, check, columns, from_rows,
};
use tsz_auth::authenticator::Authenticator;
use tsz_stark::{Circuit, Profile};

use super::trace::assemble;
use super::*;
use crate::bigint::mulmod::{self, MulmodTable};
use crate::bigint::{LIMBS, raw_bytes};
use crate::bytes::{self, BYTES_LOG_HEIGHT, BytesTable, RANGE15_LOG_HEIGHT, Range15Table};

columns! {
    /// A digest that a circuit needs signed.
    struct UserCols {
        /// Boolean: look the message up.
        is_real,
        /// x, y, digest.
        message: [LIMBS; 3],
    }
}

#[derive(Clone)]
struct User(&'static Curve);

impl TableAir for User {
    fn name(&self) -> String {
        "user".into()
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
        let message = row.message.into_iter().flatten();
        let once = tsz_air::Count::bounded(row.is_real.into(), 1);
        self.0.buses.verified.lookup_key(builder, message.map(Into::<AB::Expr>::into), once);
    }
}

air_enum! {
    /// Tables of the tests.
    enum TestAir {
        User(User), Verify(VerifyTable), Ladder(LadderTable), Comb(CombTable), Entries(EntryTable),
        Mulmod(MulmodTable), Bytes(BytesTable), Range15(Range15Table),
    }
}

/// Positions of the tables.
const VERIFY: usize = 1;
const LADDER: usize = 2;
const COMB: usize = 3;
const TABLES: usize = 8;

const HEIGHTS: Heights = Heights { verify: 6, ladders: &[9], combs: &[7] };
const MULMOD_LOG_HEIGHT: usize = 7;

fn moduli() -> MulmodTable {
    MulmodTable::new([&P256, &SECP256K1].iter().flat_map(|c| [c.field.clone(), c.order.clone()]))
}

fn circuit(curve: &'static Curve, profile: Profile) -> Circuit<TestAir> {
    let (ladder, comb) = (HEIGHTS.ladders()[0], HEIGHTS.combs()[0]);
    let tables: [(TestAir, usize); TABLES] = [
        (User(curve).into(), 6),
        (VerifyTable::new(curve, &HEIGHTS).into(), HEIGHTS.verify),
        (LadderTable::new(curve, ladder).into(), ladder.log_height),
        (CombTable::new(curve, comb).into(), comb.log_height),
        (EntryTable::new(curve).into(), ENTRIES_LOG_HEIGHT),
        (moduli().into(), MULMOD_LOG_HEIGHT),
        (BytesTable.into(), BYTES_LOG_HEIGHT),
        (Range15Table.into(), RANGE15_LOG_HEIGHT),
    ];
    Circuit::new(profile, tables)
}

fn publics() -> Vec<Vec<F>> {
    vec![vec![]; TABLES]
}

/// A signature by key number `i` on P-256.
fn signed(i: u8) -> SignedDigest {
    use tsz_auth::es256::Es256Signature;
    let authenticator = Authenticator::from_seed(&[i]);
    let digest = [i ^ 0x5a; 32];
    let Es256Signature { r, s } = authenticator.sign_digest(&digest);
    let key = authenticator.key();
    let number = |b: &[u8]| BigUint::from_bytes_be(b);
    SignedDigest {
        key: Affine { x: number(&key.x), y: number(&key.y) },
        digest: number(&digest),
        r: number(&r),
        s: number(&s),
        uses: 1,
    }
}

fn message(s: &SignedDigest) -> [[F; LIMBS]; 3] {
    [&s.key.x, &s.key.y, &s.digest].map(|x| raw_bytes(x).map(F::from_u8))
}

fn traces(curve: &'static Curve, signatures: &[SignedDigest]) -> Vec<Trace> {
    let mut tables = assemble(curve, signatures, &HEIGHTS).unwrap();
    let users: Vec<UserCols<F>> = signatures
        .iter()
        .flat_map(|s| vec![UserCols { is_real: F::ONE, message: message(s) }; s.uses as usize])
        .collect();
    let products = moduli();
    let mut asked = tables.asked;
    let product_trace =
        mulmod::trace(&products, &asked.messages(mulmod::MULMOD.name()), MULMOD_LOG_HEIGHT).unwrap();
    asked.merge(mulmod::asked(&products, &product_trace));
    vec![
        from_rows(&users, 6),
        tables.verify,
        tables.ladders.remove(0),
        tables.combs.remove(0),
        tables.entries,
        product_trace,
        bytes::trace(&asked.bytes),
        bytes::trace(&asked.range15),
    ]
}

fn verdict(curve: &'static Curve, traces: &[Trace]) -> Result<(), Violation> {
    check(&circuit(curve, Profile::InsecureTest).airs, traces, &publics())
}
