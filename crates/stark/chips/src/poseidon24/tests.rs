//! The table against the ledger's implementation, and lies.

use core::array::from_fn;

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use tsz_air::{F, PrimeCharacteristicRing, PrimeField32, Tamper, check};

use super::*;
use crate::collect::Asked;

fn felts<const N: usize>(rng: &mut impl Rng) -> [F; N] {
    from_fn(|_| F::from_u32(rng.random_range(0..F::ORDER_U32)))
}

#[test]
fn is_the_permutation_that_programs_have() {
    let mut rng = StdRng::seed_from_u64(7);
    for _ in 0..50 {
        let state: [F; STATE] = felts(&mut rng);
        let (mut ours, mut theirs) = (state, state);
        permute(&mut ours);
        tsz_ext::poseidon24::permute(&mut theirs);
        assert_eq!(ours, theirs);
    }
}

#[test]
fn a_step_is_an_absorption_of_the_sdk() {
    let mut rng = StdRng::seed_from_u64(8);
    let (block, capacity): ([F; RATE], [F; 8]) = (felts(&mut rng), felts(&mut rng));
    let mut expected = capacity.map(|x| x.as_canonical_u32());
    tsz_ext::poseidon24::absorb(&mut expected, &block.map(|x| x.as_canonical_u32()));
    assert_eq!(absorb(&block, &capacity), expected.map(F::from_u32));
}

/// Lookups of some steps, one of them twice.
fn asked(rng: &mut impl Rng, out: impl Fn([F; 8]) -> [F; 8]) -> Asked {
    let mut asked = Asked::default();
    for k in 0..3 {
        let (block, capacity): ([F; RATE], [F; 8]) = (felts(rng), felts(rng));
        let message = block.into_iter().chain(capacity).chain(out(absorb(&block, &capacity))).collect();
        *asked.others.entry(P2_24.name().into()).or_default().entry(message).or_default() += 1 + k % 2;
    }
    asked
}

#[test]
fn rows_are_permutations_and_every_column_is_constrained() {
    let asked = asked(&mut StdRng::seed_from_u64(9), |x| x);
    let table = trace(&asked, 6).unwrap();
    for (row, (message, count)) in table.values.chunks_exact(WIDTH).zip(asked.messages(P2_24.name())) {
        assert_eq!(&row[..STATE], &message[..STATE]);
        assert_eq!(&row[MULT - 8..MULT], &message[STATE..]);
        assert_eq!(row[MULT], F::from_u32(count));
    }
    // nothing looks up here: with multiplicity 0 the table alone balances
    let mut idle = table;
    idle.values.chunks_exact_mut(WIDTH).for_each(|row| row[MULT] = F::ZERO);
    check(&[Poseidon24Table::new()], &[idle.clone()], &[vec![]]).unwrap();
    let airs = [Poseidon24Table::new()];
    let tamper = Tamper {
        airs: &airs,
        traces: &[idle],
        public_values: &[vec![]],
        real_rows: &[64],
        trials: 3,
        seed: 1,
    };
    for column in tamper.columns() {
        assert_eq!(column.noticed, column.trials, "{}", column.column);
    }
}

#[test]
fn a_row_answers_with_the_true_capacity_only() {
    let lie = asked(&mut StdRng::seed_from_u64(9), |mut out| {
        out[3] += F::ONE;
        out
    });
    let table = trace(&lie, 6).unwrap();
    for (row, (message, _)) in table.values.chunks_exact(WIDTH).zip(lie.messages(P2_24.name())) {
        assert_ne!(&row[MULT - 8..MULT], &message[STATE..]);
    }
}

#[test]
fn too_many_inputs_are_refused() {
    let asked = asked(&mut StdRng::seed_from_u64(9), |x| x);
    assert!(trace(&asked, 1).is_err());
}
