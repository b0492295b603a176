//! FIPS 180-4 vectors, and the lies that must be refused.

use sha2::{Digest as _, Sha256};
use tsz_air::{
    Air, BaseAir, Columns, F, InteractionBuilder, PrimeCharacteristicRing, TableAir, Tamper, Trace,
    Violation, WindowAccess, air_enum, assert_degrees, check, columns, from_rows,
};
use tsz_stark::{Circuit, Profile, setup};

use super::*;

columns! {
    /// A compression that a circuit needs.
    struct UserCols {
        /// Boolean: look it up.
        is_real,
        /// Block of the table.
        id,
        /// State before.
        h_in: [16],
        /// Message block.
        block: [32],
        /// State after.
        h_out: [16],
    }
}

#[derive(Clone)]
struct User;

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
        let row = UserCols::<AB::Var>::from_row(main.current_slice());
        builder.assert_bool(row.is_real);
        let (h_in, block) = (row.h_in.map(Into::into), row.block.map(Into::into));
        lookup(builder, row.id.into(), h_in, block, row.h_out.map(Into::into), row.is_real.into());
    }
}

air_enum! {
    /// Tables of the tests.
    enum TestAir { User(User), Sha256(Sha256Table) }
}

const LOG: usize = 7;

fn airs() -> [TestAir; 2] {
    [User.into(), Sha256Table::new(LOG).into()]
}

fn halves<const N: usize>(words: &[u32]) -> [F; N] {
    core::array::from_fn(|k| F::from_u32(if k % 2 == 0 { words[k / 2] >> 16 } else { words[k / 2] & 0xffff }))
}

/// Traces for the digest of a message of few blocks.
fn traces(message: &[u8]) -> Vec<Trace> {
    let mut h = IV;
    let (mut users, mut jobs) = (Vec::new(), Vec::new());
    for (k, block) in digest_blocks(message).into_iter().enumerate() {
        let h_out = compress(&h, &block);
        users.push(UserCols {
            is_real: F::ONE,
            id: F::from_usize(k + 1),
            h_in: halves(&h),
            block: halves(&block),
            h_out: halves(&h_out),
        });
        jobs.push(Compression { h_in: h, block, uses: 1 });
        h = h_out;
    }
    let digest: Vec<u8> = h.iter().flat_map(|w| w.to_be_bytes()).collect();
    assert_eq!(digest, Sha256::digest(message).to_vec());
    vec![from_rows(&users, 6), trace(&Sha256Table::new(LOG), &jobs).unwrap()]
}

fn verdict(traces: &[Trace]) -> Result<(), Violation> {
    check(&airs(), traces, &[vec![], vec![]])
}

fn edit(traces: &mut [Trace], row: usize, f: impl FnOnce(&mut Sha256Cols<F>)) {
    let out = &mut traces[1].values[row * Sha256Cols::<F>::WIDTH..][..Sha256Cols::<F>::WIDTH];
    let mut cols = Sha256Cols::from_row(out);
    f(&mut cols);
    cols.to_row(out);
}

#[test]
fn accepts_messages_around_block_boundaries() {
    for n in [0, 3, 55, 56, 63, 64, 119, 120, 311] {
        let message: Vec<u8> = (0..n).map(|k| (k * 7) as u8).collect();
        verdict(&traces(&message)).unwrap();
    }
    let circuit = Circuit::new(Profile::InsecureTest, airs().into_iter().zip([6, LOG]));
    let pk = setup(circuit).unwrap();
    assert_degrees(pk.vk().tables());
    let table = &pk.vk().tables()[1];
    println!("{} cells a compression", ROWS * (table.width + table.aux_width));
}

#[test]
fn every_column_is_constrained() {
    let tamper = Tamper {
        airs: &airs(),
        traces: &traces(&[7; 200]),
        public_values: &[vec![], vec![]],
        real_rows: &[4, 4 * ROWS],
        trials: 6,
        seed: 3,
    };
    tamper.assert_constrained(&[]);
}

#[test]
fn rejects_a_register_a_word_or_an_output_that_differs_in_a_bit() {
    let flip = |x: &mut F| *x = F::ONE - *x;
    for row in [1, 5, 16] {
        let mut lie = traces(b"abc");
        edit(&mut lie, row, |r| flip(&mut r.e[2][31]));
        assert!(matches!(verdict(&lie), Err(Violation::Constraint { .. })));
        let mut lie = traces(b"abc");
        edit(&mut lie, row, |r| flip(&mut r.w[0][5]));
        assert!(matches!(verdict(&lie), Err(Violation::Constraint { .. })));
    }
    let mut lie = traces(b"abc");
    edit(&mut lie, 17, |r| flip(&mut r.a[3][0]));
    assert!(matches!(verdict(&lie), Err(Violation::Constraint { .. })));
}

#[test]
fn rejects_a_bit_that_is_none_and_a_state_of_another_block() {
    let mut lie = traces(b"abc");
    edit(&mut lie, 3, |r| r.a[0][0] = F::TWO);
    assert!(matches!(verdict(&lie), Err(Violation::Constraint { .. })));
    // h_in changes inside a block.
    let mut lie = traces(&[1; 100]);
    edit(&mut lie, 9, |r| r.h_in[0] += F::ONE);
    assert!(matches!(verdict(&lie), Err(Violation::Constraint { .. })));
    // The words of one block with the state of another.
    let mut lie = traces(&[1; 100]);
    let width = UserCols::<F>::WIDTH;
    lie[0].values[1] = F::TWO;
    lie[0].values[width + 1] = F::ONE;
    assert!(matches!(verdict(&lie), Err(Violation::Bus { .. })));
}

#[test]
fn rejects_a_provider_outside_its_rows_and_too_many_blocks() {
    for row in [0, 5, ROWS * Sha256Table::new(LOG).blocks()] {
        let mut lie = traces(b"abc");
        edit(&mut lie, row, |r| r.uses = F::ONE);
        assert!(matches!(verdict(&lie), Err(Violation::Constraint { .. })), "row {row}");
    }
    let jobs = vec![Compression { h_in: IV, block: [0; 16], uses: 0 }; 8];
    assert_eq!(trace(&Sha256Table::new(LOG), &jobs).unwrap_err(), TooManyBlocks { needed: 8, blocks: 7 });
}
