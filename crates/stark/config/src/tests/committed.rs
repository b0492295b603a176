//! Committed preprocessed columns that are kept as bytes.

use sha2::{Digest as _, Sha256};

use super::*;

/// Matrices, layers of the tree from the leaves up, arity of each step: what the bytes behind the checksum say.
type Tree = (Vec<RowMajorMatrix<F>>, Vec<Vec<[F; 8]>>, Vec<usize>);

/// Bytes with their checksum.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    [&Sha256::digest(bytes)[..], bytes].concat()
}

/// Two preprocessed tables.
fn two_tables() -> Circuit<SmallAir> {
    let mut circuit = circuit(Profile::InsecureTest, 5);
    circuit.airs.push(SmallAir::Table);
    circuit.log_heights.push(LOG_TABLE);
    circuit
}

/// What becomes of bytes behind a valid checksum, in the hands of a prover too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// No key.
    Refused,
    /// The key of another circuit.
    OtherKey,
    /// The expected key, whose proof does not hold.
    NoProof,
    /// The expected key, whose proof holds.
    Proof,
}

struct Kept {
    bytes: Vec<u8>,
    digest: tsz_hash::Digest,
    vk: std::sync::Arc<VerifyingKey<SmallAir>>,
}

impl Kept {
    fn new() -> Self {
        let pk = setup(two_tables()).unwrap();
        let bytes = pk.committed().unwrap()[32..].to_vec();
        Self { bytes, digest: *pk.vk().digest(), vk: pk.vk().clone() }
    }

    fn tree(&self) -> Tree {
        let tree: Tree = postcard::from_bytes(&self.bytes).unwrap();
        assert!(postcard::to_allocvec(&tree).unwrap() == self.bytes);
        tree
    }

    fn outcome(&self, bytes: &[u8]) -> Outcome {
        let pk = match setup_with(two_tables(), &sealed(bytes)) {
            Ok(pk) => pk,
            Err(SetupError::Commit(reason)) => {
                assert!(reason.starts_with("committed columns: "), "{reason}");
                return Outcome::Refused;
            }
            Err(other) => panic!("{other}"),
        };
        let (mut traces, mut publics) = witness(5, 3);
        traces.push(RowMajorMatrix::new(vec![F::ZERO; 1 << LOG_TABLE], 1));
        publics.push(vec![]);
        let proof = prove(&pk, &traces, &publics).unwrap().to_bytes().unwrap();
        match (*pk.vk().digest() == self.digest, verify(&self.vk, &proof, &publics)) {
            (false, _) => Outcome::OtherKey,
            (true, Err(_)) => Outcome::NoProof,
            (true, Ok(())) => Outcome::Proof,
        }
    }

    fn of(&self, change: impl Fn(&mut Tree)) -> Outcome {
        let mut tree = self.tree();
        change(&mut tree);
        self.outcome(&postcard::to_allocvec(&tree).unwrap())
    }
}

#[test]
fn a_key_of_committed_columns_is_the_key_of_the_circuit() {
    let (pk, _, _) = honest(Profile::InsecureTest);
    let committed = pk.committed().unwrap();
    let again = setup_with(circuit(Profile::InsecureTest, 5), &committed).unwrap();
    assert_eq!(again.vk().digest(), pk.vk().digest());
    assert_eq!(again.vk().tables(), pk.vk().tables());
    let (traces, publics) = witness(5, 3);
    let proof = prove(&again, &traces, &publics).unwrap();
    verify(pk.vk(), &proof.to_bytes().unwrap(), &publics).unwrap();
    // Those of another circuit make another key, or none.
    let mut other = circuit(Profile::InsecureTest, 5);
    other.log_heights[0] += 1;
    assert_ne!(setup_with(other, &committed).unwrap().vk().digest(), pk.vk().digest());
    let refused = setup_with(circuit(Profile::Base8, 5), &committed);
    assert!(matches!(refused, Err(SetupError::Commit(_))));
}

#[test]
fn a_verifying_key_of_a_commitment_is_that_of_the_circuit() {
    let pk = setup(two_tables()).unwrap();
    let commitment = pk.vk().preprocessed_commitment().unwrap().clone();
    let key = verifying_key(two_tables(), Some(commitment.clone())).unwrap();
    assert_eq!(key.digest(), pk.vk().digest());
    assert_eq!(key.tables(), pk.vk().tables());
    let (mut traces, mut publics) = witness(5, 3);
    traces.push(RowMajorMatrix::new(vec![F::ZERO; 1 << LOG_TABLE], 1));
    publics.push(vec![]);
    let proof = prove(&pk, &traces, &publics).unwrap().to_bytes().unwrap();
    verify(&key, &proof, &publics).unwrap();
    // Another commitment makes another digest, and a key that the proof does not hold under.
    let mut root = commitment.roots()[0];
    root[3] += F::ONE;
    let other = verifying_key(two_tables(), Some(Commitment::new(vec![root]))).unwrap();
    assert_ne!(other.digest(), pk.vk().digest());
    assert!(verify(&other, &proof, &publics).is_err());
    assert!(matches!(verifying_key(two_tables(), None), Err(SetupError::Commit(_))));
}

#[test]
fn damaged_committed_columns_are_refused() {
    let (pk, _, _) = honest(Profile::InsecureTest);
    let committed = pk.committed().unwrap();
    let refuse = |bytes: &[u8]| assert!(setup_with(circuit(Profile::InsecureTest, 5), bytes).is_err());
    let mut rng = StdRng::seed_from_u64(9);
    for _ in 0..100 {
        let mut damaged = committed.clone();
        let at = rng.random_range(0..damaged.len());
        damaged[at] ^= 1 << rng.random_range(0..8);
        refuse(&damaged);
        refuse(&committed[..at]);
    }
    refuse(&[&committed[..], &[0]].concat());
}

#[test]
fn trees_of_another_shape_behind_a_valid_checksum_are_refused() {
    let kept = Kept::new();
    assert_eq!(kept.of(|_| {}), Outcome::Proof);
    let refused = |what: &str, change: &dyn Fn(&mut Tree)| {
        assert_eq!(kept.of(change), Outcome::Refused, "{what}");
    };
    refused("no matrix", &|tree| tree.0.clear());
    refused("a matrix less", &|tree| drop(tree.0.pop()));
    refused("a matrix more", &|tree| tree.0.push(tree.0[0].clone()));
    refused("no rows", &|tree| tree.0[0].values.clear());
    refused("a row less", &|tree| {
        tree.0[1].values.pop();
    });
    for width in [0, 2, usize::MAX] {
        refused("another width", &|tree| tree.0[0].width = width);
    }
    refused("no layer", &|tree| tree.1.clear());
    refused("the root alone", &|tree| drop(tree.1.drain(..tree.1.len() - 1)));
    refused("a layer less", &|tree| drop(tree.1.remove(0)));
    refused("a layer more", &|tree| tree.1.insert(0, tree.1[0].clone()));
    refused("two roots", &|tree| tree.1.push(vec![tree.1[0][0]; 2]));
    for layer in 0..kept.tree().1.len() {
        refused("a short layer", &|tree| {
            tree.1[layer].pop();
        });
        refused("a long layer", &|tree| tree.1[layer].push([F::ONE; 8]));
        refused("an empty layer", &|tree| tree.1[layer].clear());
    }
    refused("no steps", &|tree| tree.2.clear());
    refused("a step less", &|tree| {
        tree.2.pop();
    });
    refused("a step more", &|tree| tree.2.push(2));
    for arity in [0, 1, 4, usize::MAX] {
        refused("another arity", &|tree| tree.2[3] = arity);
    }
}

/// What is not checked, and what comes of it.
#[test]
fn other_columns_under_the_same_root_make_proofs_that_do_not_hold() {
    let kept = Kept::new();
    assert_eq!(kept.of(|tree| tree.0[0].values.fill(F::TWO)), Outcome::NoProof);
    assert_eq!(kept.of(|tree| tree.1[2].fill([F::ONE; 8])), Outcome::NoProof);
    let root = |tree: &mut Tree| tree.1.last_mut().into_iter().for_each(|root| root[0][0] += F::ONE);
    assert_eq!(kept.of(root), Outcome::OtherKey);
}

/// Bits flipped, bytes overwritten, inserted, left out, moved: anywhere, and at every length.
#[test]
fn no_bytes_behind_a_valid_checksum_make_a_prover_panic() {
    let kept = Kept::new();
    let bytes = &kept.bytes;
    let mut rng = StdRng::seed_from_u64(21);
    let mut seen = std::collections::BTreeMap::new();
    let mut count = |outcome| *seen.entry(outcome).or_insert(0) += 1;
    for at in (0..16).chain(bytes.len() - 40..bytes.len()) {
        for byte in [0, 1, 3, 127, 128, 255] {
            let mut other = bytes.clone();
            other[at] = byte;
            count(kept.outcome(&other));
        }
    }
    for round in 0..600 {
        let mut other = bytes.clone();
        let (at, len) = (rng.random_range(0..bytes.len()), rng.random_range(1..40));
        let end = (at + len).min(bytes.len());
        match round % 6 {
            0 => other[at] ^= 1 << rng.random_range(0..8),
            1 => other[at..end].fill(rng.random()),
            2 => other.truncate(at),
            3 => drop(other.drain(at..end)),
            4 => drop(other.splice(at..at, (0..len).map(|_| rng.random()).collect::<Vec<u8>>())),
            _ => other[at..end].rotate_left(1),
        }
        count(kept.outcome(&other));
    }
    for bytes in [&[][..], &[0], &[0, 0, 0], &[255; 10], &bytes[..1]] {
        count(kept.outcome(bytes));
    }
    let kinds: Vec<Outcome> = seen.keys().copied().collect();
    assert_eq!(kinds, [Outcome::Refused, Outcome::OtherKey, Outcome::NoProof, Outcome::Proof], "{seen:?}");
}
