//! Hashes against another implementation, and the lies that must be refused.

use sha3::{Digest as _, Keccak256};
use tsz_air::{
    Air, BaseAir, Columns, F, InteractionBuilder, PrimeCharacteristicRing, TableAir, Tamper, Trace,
    Violation, WindowAccess, air_enum, assert_degrees, check, columns, from_rows,
};
use tsz_stark::{Circuit, Profile, prove, setup, verify};

use super::*;

columns! {
    /// A hash that a circuit needs.
    struct UserCols {
        /// Boolean: look it up.
        is_real,
        /// Block of the table.
        id,
        /// What is absorbed.
        block: [BLOCK],
        /// The hash.
        hash: [HASH],
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
        let (block, hash) = (row.block.map(Into::into), row.hash.map(Into::into));
        lookup(builder, row.id.into(), block, hash, row.is_real.into());
    }
}

air_enum! {
    /// Tables of the tests.
    enum TestAir { User(User), Keccak(KeccakTable) }
}

const LOG: usize = 6;

fn airs() -> [TestAir; 2] {
    [User.into(), KeccakTable::new(LOG).into()]
}

fn publics() -> [Vec<F>; 2] {
    [vec![], vec![]]
}

/// Traces for the hashes of messages.
fn traces(messages: &[&[u8]]) -> Vec<Trace> {
    let blocks: Vec<[u64; RATE]> = messages.iter().map(|m| block(m)).collect();
    let users: Vec<UserCols<F>> = blocks
        .iter()
        .zip(messages)
        .enumerate()
        .map(|(k, (block, message))| {
            let digest = Keccak256::digest(message);
            UserCols {
                is_real: F::ONE,
                id: F::from_usize(k + 1),
                block: core::array::from_fn(|i| F::from_u64(block[i / 4] >> (16 * (i % 4)) & 0xffff)),
                hash: core::array::from_fn(|i| {
                    F::from_u32(u32::from(digest[2 * i]) | u32::from(digest[2 * i + 1]) << 8)
                }),
            }
        })
        .collect();
    let jobs: Vec<Absorb> = blocks.into_iter().map(|block| Absorb { block, uses: 1 }).collect();
    vec![from_rows(&users, 6), trace(&KeccakTable::new(LOG), &jobs).unwrap()]
}

fn verdict(traces: &[Trace]) -> Result<(), Violation> {
    check(&airs(), traces, &publics())
}

fn edit(traces: &mut [Trace], row: usize, f: impl FnOnce(&mut KeccakCols<F>)) {
    let width = KeccakCols::<F>::WIDTH;
    let out = &mut traces[1].values[row * width..(row + 1) * width];
    let mut cols = KeccakCols::from_row(out);
    f(&mut cols);
    cols.to_row(out);
}

/// Verdict after a change of one row of the hash of "abc".
fn broken(row: usize, f: impl FnOnce(&mut KeccakCols<F>)) -> bool {
    let mut lie = traces(&[b"abc"]);
    edit(&mut lie, row, f);
    matches!(verdict(&lie), Err(Violation::Constraint { .. }))
}

#[test]
fn accepts_messages_of_every_length_of_one_block() {
    for n in [0, 1, 64, 66, 135] {
        let message: Vec<u8> = (0..n).map(|k| (k * 7) as u8).collect();
        assert_eq!(hash(&block(&message)).to_vec(), Keccak256::digest(&message).to_vec());
        verdict(&traces(&[&message, b"abc"])).unwrap();
    }
}

#[test]
fn constants_have_bits_in_seven_places() {
    let mask = CONSTANT_BITS.iter().fold(0u64, |acc, z| acc | 1 << z);
    assert!(RC.iter().all(|c| c & !mask == 0));
}

#[test]
fn accepts_a_proof() {
    let circuit = Circuit::new(Profile::InsecureTest, airs().into_iter().zip([6, LOG]));
    let pk = setup(circuit).unwrap();
    assert_degrees(pk.vk().tables());
    let table = &pk.vk().tables()[1];
    println!("{} columns, {} cells a hash", table.width, ROWS * (table.width + table.aux_width));
    let proof = prove(&pk, &traces(&[&[1; 64], &[2; 66]]), &publics()).unwrap();
    verify(pk.vk(), &proof.to_bytes().unwrap(), &publics()).unwrap();
}

#[test]
fn every_column_is_constrained() {
    let tamper = Tamper {
        airs: &airs(),
        traces: &traces(&[&[7; 100]]),
        public_values: &publics(),
        real_rows: &[0, ROWS - 1],
        trials: 2,
        seed: 3,
    };
    tamper.assert_constrained(&[]);
}

#[test]
fn rejects_another_hash_and_another_block() {
    let mut lie = traces(&[b"abc"]);
    lie[0].values[2] += F::ONE;
    assert!(matches!(verdict(&lie), Err(Violation::Bus { .. })));
    let mut lie = traces(&[b"abc"]);
    lie[0].values[2 + BLOCK] += F::ONE;
    assert!(matches!(verdict(&lie), Err(Violation::Bus { .. })));
    // What is absorbed by one block with the hash of another.
    let mut lie = traces(&[b"abc", b"abd"]);
    let width = UserCols::<F>::WIDTH;
    lie[0].values[1] = F::TWO;
    lie[0].values[width + 1] = F::ONE;
    assert!(matches!(verdict(&lie), Err(Violation::Bus { .. })));
}

#[test]
fn rejects_a_bit_of_any_kind_that_differs_or_is_none() {
    let flip = |x: &mut F| *x = F::ONE - *x;
    for row in [0, 11, 23] {
        assert!(broken(row, |r| flip(&mut r.theta[13][40])));
        assert!(broken(row, |r| flip(&mut r.parity[3][63])));
        assert!(broken(row, |r| flip(&mut r.parity_after[0][0])));
        assert!(broken(row, |r| flip(&mut r.chi[6])));
        assert!(broken(row, |r| r.theta[24][0] = F::TWO));
    }
}

/// Two bits of a column flipped keep its parity: only the limbs of the state notice.
#[test]
fn rejects_two_bits_of_a_column() {
    let flip = |x: &mut F| *x = F::ONE - *x;
    assert!(broken(5, |r| {
        flip(&mut r.theta[2][9]);
        flip(&mut r.theta[12][9]);
    }));
}

#[test]
fn rejects_a_state_that_does_not_follow_and_a_capacity_that_is_not_zero() {
    // A whole other permutation in the second half of the block.
    let mut lie = traces(&[b"abc", b"abd"]);
    let width = KeccakCols::<F>::WIDTH;
    let (half, rows) = (12 * width, ROWS * width);
    let other = lie[1].values[rows + half..2 * rows].to_vec();
    lie[1].values[half..rows].copy_from_slice(&other);
    assert!(matches!(verdict(&lie), Err(Violation::Constraint { .. })));
    // A state of which the user sees the rate only.
    let mut lie = traces(&[b"abc"]);
    let mut state: [u64; LANES] = core::array::from_fn(|k| block(b"abc").get(k).copied().unwrap_or(0));
    state[24] = 1;
    lie[1].values[..rows].copy_from_slice(&super::trace::rows_of(state, 1));
    assert!(matches!(verdict(&lie), Err(Violation::Constraint { .. })));
}

#[test]
fn rejects_a_provider_outside_its_rows_and_too_many_hashes() {
    for row in [1, 22, ROWS * KeccakTable::new(LOG).blocks()] {
        assert!(broken(row, |r| r.uses = F::ONE), "row {row}");
    }
    let jobs = vec![Absorb { block: [0; RATE], uses: 0 }; 3];
    assert_eq!(trace(&KeccakTable::new(LOG), &jobs).unwrap_err(), TooManyHashes { needed: 3, blocks: 2 });
}
