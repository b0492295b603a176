//! Gadgets against what they re-enact.

use core::marker::PhantomData;

use p3_challenger::{
    CanObserve, CanSample, CanSampleBits, DuplexChallenger, FieldChallenger, GrindingChallenger,
};
use p3_field::{PrimeCharacteristicRing, PrimeField32};
use p3_fri::{FriFoldingStrategy, TwoAdicFriFolding};
use rand::RngExt;
use tsz_hash::{Digest, Permuter, hi, join, permute, permuter};
use tsz_stark::F;

use super::{ext, felt, rng, satisfied};
use crate::gadgets::fri::{fold_row, powers, reduce, reduce_quads};
use crate::gadgets::hash;
use crate::gadgets::transcript::Transcript;
use crate::{Bit, Builder, Ext, Value, coordinates, from_coordinates};

type Challenger = DuplexChallenger<F, Permuter, 16, 8>;

/// Bits of a public index.
fn index_bits(b: &mut Builder, count: usize) -> Vec<Bit> {
    let index = b.public();
    b.bits(index)[..count].to_vec()
}

#[test]
fn transcript_equals_plonky3s_step_by_step() {
    for seed in 0..12 {
        let mut rng = rng(seed);
        let mut b = Builder::new();
        let mut native = Challenger::new(permuter());
        let mut transcript = Transcript::new(&mut b);
        let (mut inputs, mut expected) = (Vec::new(), Vec::new());
        for _ in 0..60 {
            match rng.random_range(0..7) {
                0 | 1 => {
                    let x = felt(&mut rng);
                    inputs.push(Value::from(x));
                    native.observe(x);
                    let x = b.input();
                    transcript.observe(&mut b, x);
                }
                2 => {
                    let x = ext(&mut rng);
                    inputs.push(x);
                    native.observe_algebra_element(x);
                    let x = b.input_ext();
                    transcript.observe_ext(&mut b, x);
                }
                3 => {
                    let digest: Digest = core::array::from_fn(|_| felt(&mut rng));
                    inputs.extend(hash::input_values(&digest));
                    native.observe(digest);
                    let digest = hash::input(&mut b);
                    transcript.observe_digest(&mut b, digest);
                }
                4 => {
                    expected.push(native.sample());
                    let x = transcript.sample(&mut b);
                    b.expose(x);
                }
                5 => {
                    let x: Value = native.sample_algebra_element();
                    expected.extend(coordinates(x));
                    let x = transcript.sample_ext(&mut b);
                    b.expose_ext(x);
                }
                _ => {
                    let count = rng.random_range(0..20);
                    let bits = native.sample_bits(count);
                    expected.extend((0..count).map(|k| F::from_usize(bits >> k & 1)));
                    for bit in transcript.sample_bits(&mut b, count) {
                        b.expose(bit.into());
                    }
                }
            }
        }
        let (_, witness) = satisfied(b, &inputs);
        assert_eq!(witness.publics[..expected.len()], expected, "seed {seed}");
    }
}

#[test]
fn proof_of_work_is_accepted_and_refused_as_plonky3_does() {
    let mut native = Challenger::new(permuter());
    native.observe(F::from_u8(9));
    let good = native.clone().grind(6);
    let after: F = {
        let mut native = native.clone();
        assert!(native.check_witness(6, good));
        native.sample()
    };
    let mut b = Builder::new();
    let mut transcript = Transcript::new(&mut b);
    let nine = b.constant(F::from_u8(9));
    transcript.observe(&mut b, nine);
    transcript.check_witness(&mut b, 0, nine);
    let witness = b.input();
    transcript.check_witness(&mut b, 6, witness);
    let next = transcript.sample(&mut b);
    b.expose(next);
    let (program, run) = satisfied(b, &[good.into()]);
    assert_eq!(run.publics, [after]);
    for offset in 1..40 {
        let other = good + F::from_u32(offset);
        let accepted = native.clone().check_witness(6, other);
        assert_eq!(program.run(&[other.into()]).is_ok(), accepted);
    }
}

#[test]
fn fold_row_equals_plonky3s_for_arities_2_to_16() {
    let native = TwoAdicFriFolding::<(), ()>(PhantomData);
    let mut rng = rng(5);
    for log_arity in 1..=4 {
        for log_height in [0, 1, 3, 9, 17] {
            let index = rng.random_range(0..1usize << log_height);
            let beta = ext(&mut rng);
            let evals: Vec<Value> = (0..1 << log_arity).map(|_| ext(&mut rng)).collect();
            let expected = FriFoldingStrategy::<F, Value>::fold_row(
                &native,
                index,
                log_height,
                log_arity,
                beta,
                evals.iter().copied(),
            );
            let mut b = Builder::new();
            let bits = index_bits(&mut b, log_height);
            let beta_wire = b.input_ext();
            let wires: Vec<Ext> = evals.iter().map(|_| b.input_ext()).collect();
            let folded = fold_row(&mut b, &bits, log_arity, beta_wire, &wires);
            b.expose_ext(folded);
            let inputs: Vec<Value> =
                [Value::from_usize(index), beta].into_iter().chain(evals.iter().copied()).collect();
            let (program, witness) = satisfied(b, &inputs);
            if log_height > 0 {
                assert_eq!(program.rows().alu, (1 << log_arity) - 1 + log_height + log_arity);
            }
            assert_eq!(
                witness.publics[1..],
                coordinates(expected),
                "arity 2^{log_arity}, height 2^{log_height}"
            );
        }
    }
}

#[test]
fn masked_coordinates_count_as_zero() {
    let mut rng = rng(16);
    for masks in [vec![0b0111u8, 0b1100], vec![0b1000], vec![0b1111, 0b0000, 0b0101]] {
        let mut b = Builder::new();
        let alpha = b.input_ext();
        let quads: Vec<(Ext, u8)> = masks.iter().map(|m| (b.input_ext(), *m)).collect();
        let reduced = b.horner_masked(alpha, &quads);
        b.expose_ext(reduced);
        let inputs: Vec<Value> = (0..=masks.len()).map(|_| ext(&mut rng)).collect();
        let (_, witness) = satisfied(b, &inputs);
        let quads = inputs[1..].iter().zip(&masks).rev();
        let felts = quads.flat_map(|(q, m)| {
            let q = coordinates(*q);
            (0..4).map(move |k| if m >> k & 1 == 1 { q[k] } else { F::ZERO })
        });
        let native: Value = felts.zip(inputs[0].powers()).map(|(x, power)| power * x).sum();
        assert_eq!(witness.publics, coordinates(native), "{masks:?}");
    }
}

#[test]
fn batch_reductions_are_sums_of_powers() {
    let mut rng = rng(6);
    for count in [1, 2, 7] {
        let mut b = Builder::new();
        let alpha = b.input_ext();
        let quads: Vec<Ext> = (0..count).map(|_| b.input_ext()).collect();
        let powers = powers(&mut b, alpha, 4 * count);
        let by_rows = reduce_quads(&mut b, alpha, &quads);
        let felts: Vec<Ext> = quads.iter().flat_map(|q| b.unpack(*q)).map(Into::into).collect();
        let by_powers = b.dot(&powers, &felts);
        let by_values = reduce(&mut b, alpha, &felts);
        b.assert_eq(by_rows, by_powers);
        b.assert_eq(by_rows, by_values);
        b.expose_ext(by_rows);
        let inputs: Vec<Value> = (0..=count).map(|_| ext(&mut rng)).collect();
        let (_, witness) = satisfied(b, &inputs);
        let felts = inputs[1..].iter().flat_map(|q| coordinates(*q));
        let native: Value = felts.zip(inputs[0].powers()).map(|(x, power)| power * x).sum();
        assert_eq!(witness.publics, coordinates(native));
    }
}

#[test]
fn chains_of_sums_of_products_are_polynomials() {
    let mut rng = rng(17);
    for count in 2..10 {
        let mut b = Builder::new();
        let x = b.input_ext();
        let values: Vec<Ext> = (0..count).map(|_| b.input_ext()).collect();
        let reduced = reduce(&mut b, x, &values);
        b.expose_ext(reduced);
        let rows = crate::rows(&b);
        // Chains of three steps and more leave the arithmetic table, but for the zero that fills rows up.
        let polynomial = (count % 2, usize::div_ceil(count, 2));
        let expected = if count > 3 { polynomial } else { (count - 1, 0) };
        assert_eq!((rows.alu, rows.horner), expected, "{count} coefficients");
        let inputs: Vec<Value> = (0..=count).map(|_| ext(&mut rng)).collect();
        let (_, witness) = satisfied(b, &inputs);
        let native: Value = inputs[1..].iter().rev().fold(Value::ZERO, |acc, v| acc * inputs[0] + *v);
        assert_eq!(witness.publics, coordinates(native));
    }
}

#[test]
fn a_chain_ends_where_its_result_is_read_elsewhere_or_the_factor_changes() {
    let mut rng = rng(18);
    let inputs: Vec<Value> = (0..24).map(|_| ext(&mut rng)).collect();
    let (x, y) = (inputs[0], inputs[1]);
    let mut b = Builder::new();
    let wires: Vec<Ext> = inputs.iter().map(|_| b.input_ext()).collect();
    let (mut acc, mut native) = (wires[2], inputs[2]);
    let mut seen = Vec::new();
    for k in 3..23 {
        // Nine steps with x of which the last is read twice, then eleven with y.
        let (factor, f) = if k < 12 { (wires[0], x) } else { (wires[1], y) };
        acc = b.mul_add(acc, factor, wires[k]);
        native = native * f + inputs[k];
        if k == 11 {
            b.expose_ext(acc);
            seen.extend(coordinates(native));
        }
    }
    b.expose_ext(acc);
    seen.extend(coordinates(native));
    // x^2 + v: both factors are the same wire. Eight steps, then one with a value that is read twice.
    let mut square = b.mul_add(wires[0], wires[0], wires[3]);
    let mut expected = x * x + inputs[3];
    for k in 4..11 {
        square = b.mul_add(wires[0], square, wires[k]);
        expected = expected * x + inputs[k];
    }
    square = b.mul_add(wires[0], square, square);
    expected = expected * x + expected;
    b.expose_ext(square);
    seen.extend(coordinates(expected));
    let rows = crate::rows(&b);
    // A zero and the last step; polynomials of 10, 12 and 9 coefficients.
    assert_eq!((rows.alu, rows.horner), (2, 5 + 6 + 5));
    let (_, witness) = satisfied(b, &inputs);
    assert_eq!(witness.publics, seen);
}

/// Plonky3's `PaddingFreeSponge` by its definition.
fn native_sponge(felts: &[F]) -> Digest {
    let mut state = [F::ZERO; 16];
    for block in felts.chunks(8) {
        state[..block.len()].copy_from_slice(block);
        permute(&mut state);
    }
    core::array::from_fn(|k| state[k])
}

#[test]
fn sponges_equal_the_leaf_hash_of_commitments() {
    let mut rng = rng(7);
    for count in [0, 1, 3, 4, 8, 12, 13, 24] {
        let felts: Vec<F> = (0..count).map(|_| felt(&mut rng)).collect();
        let mut b = Builder::new();
        let wires: Vec<_> = felts.iter().map(|_| b.public()).collect();
        let digest = hash::sponge_felts(&mut b, &wires);
        hash::expose(&mut b, digest);
        if count % 4 == 0 {
            let quads: Vec<Ext> = wires.as_chunks::<4>().0.iter().map(|q| b.pack(*q)).collect();
            let same = hash::sponge_quads(&mut b, &quads);
            hash::assert_eq(&mut b, digest, same);
        }
        let inputs: Vec<Value> = felts.iter().map(|x| (*x).into()).collect();
        let (_, witness) = satisfied(b, &inputs);
        assert_eq!(witness.publics[count..], native_sponge(&felts), "{count} felts");
    }
}

#[test]
fn commitment_path_leads_to_the_root_and_a_wrong_sibling_does_not() {
    let mut rng = rng(8);
    let mut digest = || -> Digest { core::array::from_fn(|_| felt(&mut rng)) };
    let (leaf, siblings): (Digest, [Digest; 9]) = (digest(), core::array::from_fn(|_| digest()));
    let index = 0b1_0110_0101usize;
    let root = siblings.iter().enumerate().fold(leaf, |node, (level, sibling)| {
        let (l, r) = if index >> level & 1 == 0 { (node, *sibling) } else { (*sibling, node) };
        let mut state = join(&l, &r);
        permute(&mut state);
        core::array::from_fn(|k| state[k])
    });
    let mut b = Builder::new();
    let bits = index_bits(&mut b, 9);
    let start = hash::input(&mut b);
    let path: Vec<_> = siblings.iter().map(|_| hash::input(&mut b)).collect();
    let found = hash::merkle_root(&mut b, start, &bits, &path);
    let expected = hash::constant(&mut b, &root);
    hash::assert_eq(&mut b, found, expected);
    let mut inputs = vec![Value::from_usize(index)];
    inputs.extend(hash::input_values(&leaf));
    inputs.extend(siblings.iter().flat_map(hash::input_values));
    let (program, _) = satisfied(b, &inputs);
    assert_eq!(program.rows().poseidon2, 9);
    for at in 0..inputs.len() {
        let mut wrong = inputs.clone();
        wrong[at] += Value::ONE;
        assert!(program.run(&wrong).is_err(), "input {at}");
    }
}

#[test]
fn state_tree_proof_is_verified_in_the_circuit() {
    let mut rng = rng(9);
    let leaves: Vec<(u64, Digest)> =
        (0..50).map(|_| (rng.random_range(0..1 << 40), core::array::from_fn(|_| felt(&mut rng)))).collect();
    let tree = tsz_smt::Tree::from_leaves(&leaves).unwrap();
    let (key, value) = leaves[17];
    let proof = tree.proof(key);
    let mut b = Builder::new();
    // Keys have 40 bits: two felts of 20.
    let (low, high) = (index_bits(&mut b, 20), index_bits(&mut b, 20));
    let bits = [low, high].concat();
    let leaf = hash::input(&mut b);
    let path: Vec<_> = proof.siblings.iter().map(|_| hash::input(&mut b)).collect();
    let root = hash::state_root(&mut b, leaf, &bits, &path);
    hash::expose(&mut b, root);
    let mut inputs = vec![Value::from_u64(key & 0xf_ffff), Value::from_u64(key >> 20)];
    inputs.extend(hash::input_values(&value));
    inputs.extend(proof.siblings.iter().rev().flat_map(hash::input_values));
    let (_, witness) = satisfied(b, &inputs);
    assert_eq!(witness.publics[2..], tree.root());
}

#[test]
fn hashes_of_the_system_have_gadgets() {
    let mut rng = rng(10);
    let (l, r): (Digest, Digest) =
        (core::array::from_fn(|_| felt(&mut rng)), core::array::from_fn(|_| felt(&mut rng)));
    let mut b = Builder::new();
    let (x, y) = (hash::input(&mut b), hash::input(&mut b));
    let node = hash::compress(&mut b, x, y);
    let next = hash::step(&mut b, x, y);
    let truncated = hash::truncated_compress(&mut b, x, y);
    for digest in [node, next, truncated] {
        hash::expose(&mut b, digest);
    }
    let inputs = [hash::input_values(&l), hash::input_values(&r)].concat();
    let (program, witness) = satisfied(b, &inputs);
    assert_eq!(program.rows().poseidon2, 1, "one permutation serves the three");
    let mut state = join(&l, &r);
    permute(&mut state);
    assert_eq!(witness.publics[..8], tsz_hash::compress(&l, &r));
    assert_eq!(witness.publics[8..16], hi(&state));
    assert_eq!(witness.publics[16..], state[..8]);
}

#[test]
fn swap_bit_exchanges_the_halves() {
    let mut rng = rng(11);
    let quads: [Value; 4] = core::array::from_fn(|_| ext(&mut rng));
    let mut b = Builder::new();
    let bit = b.public();
    let bit = b.assert_bool(bit);
    let x: [Ext; 4] = core::array::from_fn(|_| b.input_ext());
    for quad in b.permute_pair(bit, [x[0], x[1]], [x[2], x[3]]) {
        b.expose_ext(quad);
    }
    for swapped in [false, true] {
        let inputs = [&[Value::from_bool(swapped)], &quads[..]].concat();
        let (_, witness) = satisfied(b.clone(), &inputs);
        let order = if swapped { [2, 3, 0, 1] } else { [0, 1, 2, 3] };
        let mut state: [F; 16] = core::array::from_fn(|k| coordinates(quads[order[k / 4]])[k % 4]);
        permute(&mut state);
        assert_eq!(witness.publics[1..], state);
    }
    assert_eq!(from_coordinates(coordinates(quads[0])), quads[0]);
    assert_eq!(F::ORDER_U32, 0x7800_0001);
}
