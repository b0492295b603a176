//! Joins: two or more node proofs become one, with the claim that the rules make of theirs.
//!
//! # What is proven
//! For public values (vk root R, claim digest D): there are m proofs under keys of the shapes that this program was
//! built for, with claims C_0 to C_(m-1), such that
//! 1. each key's digest is computed here from its preprocessed commitment, and (algorithm, digest) is a leaf of the
//!    tree with root R, where the algorithm is the reserved one of joins, or for a lift the one that its claim is
//!    about (for a transition the reserved one of transitions);
//! 2. a join's public vk root is R, a lift's is 0;
//! 3. C_m to C_(2m-2) are made one after the other: C_(m+k) is what exactly one [`crate::Rule`] makes of two of the claims
//!    before it, or for k > 0 it may be C_(m+k-1) again; D is the digest of the last one.
//!
//! Only lifts claim transitions, only joins claim sets and batches; a range may be either's. A rule makes a true claim
//! of any two true claims that it accepts, so it does not matter which ones the witness takes, nor how often: a proof
//! may stand in two places, which is how a program serves fewer children than it has places.

use p3_field::PrimeCharacteristicRing;
use tsz_hash::Domain;
use tsz_plonk::gadgets::hash::{self, Digest};
use tsz_plonk::{Bit, Builder, Value};
use tsz_recursion::{KeyValues, Verifier, WitnessError};
use tsz_stark::{F, FriParams, Proof};
use tsz_vktree::{VK_TREE_DEPTH, VkMembership, transition_algorithm};

use crate::claim::Claim;
use crate::merge::{Side, kind_values};
use crate::rules::{Advice, MergeError};
use crate::steps;
use crate::wires::{ClaimWires, select, zero_digest};
use crate::{NODE_PUBLICS, join_algorithm};

/// The public values of a proof of the machine, by table: one table has all of them.
pub(crate) fn by_table(verifier: &Verifier, publics: &[F]) -> Vec<Vec<F>> {
    verifier.public_counts().map(|count| if count == 0 { Vec::new() } else { publics.to_vec() }).collect()
}

/// A join's circuit before it is compiled, for children of some shapes.
#[derive(Clone, Debug)]
pub struct Join {
    children: Vec<Verifier>,
}

/// Two claims to be merged: each that of a child, by its number, or the result of an earlier step, by its number after
/// those of the children.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// The left one.
    pub left: usize,
    /// The right one.
    pub right: usize,
    /// What the merge needs to know besides.
    pub advice: Advice<'a>,
}

/// A child: its proof with everything that the join must know of it.
#[derive(Clone, Copy)]
pub struct Child<'a> {
    /// Digest and preprocessed commitment of its key.
    pub key: &'a KeyValues,
    /// That the key is listed.
    pub membership: &'a VkMembership,
    /// Whether it is a join.
    pub is_join: bool,
    /// What it says.
    pub claim: &'a Claim,
    /// Its public values.
    pub publics: &'a [F],
    /// Its proof, of checked shape.
    pub proof: &'a Proof,
}

/// Why there are no inputs for a join.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum JoinError {
    /// The claims do not merge.
    #[error(transparent)]
    Merge(#[from] MergeError),
    /// A proof gives no inputs.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// A join of fewer than two children.
    #[error("a join has two children at least")]
    Single,
    /// Children with other public values than nodes have.
    #[error("the proofs of a child have other public values than a node's")]
    Publics,
    /// Children or steps that are not those of the program.
    #[error("the children or the steps do not fit the join")]
    Steps,
}

impl Join {
    /// The join of children that these verify.
    ///
    /// # Errors
    /// [`JoinError::Single`] for fewer than two, [`JoinError::Publics`] for proofs that are no node's.
    pub fn new(children: Vec<Verifier>) -> Result<Self, JoinError> {
        if children.len() < 2 {
            return Err(JoinError::Single);
        }
        let is_node = |child: &Verifier| child.public_counts().filter(|n| *n > 0).eq([NODE_PUBLICS]);
        if children.iter().all(is_node) { Ok(Self { children }) } else { Err(JoinError::Publics) }
    }

    /// Parameters of the proofs of the first child.
    pub fn params(&self) -> &FriParams {
        self.children[0].params()
    }

    /// The circuit.
    pub fn build(&self) -> Builder {
        let mut b = Builder::new();
        let root = hash::input(&mut b);
        let mut pool: Vec<ClaimWires> =
            self.children.iter().map(|verifier| child(&mut b, verifier, root).claim).collect();
        let mut last = steps::first(&mut b, &pool);
        for _ in 2..self.children.len() {
            pool.push(last.clone());
            last = steps::next(&mut b, &pool, &last);
        }
        hash::expose(&mut b, root);
        let digest = last.digest(&mut b);
        hash::expose(&mut b, digest);
        b
    }

    /// The claim of the last step and the inputs. There are as many children as the program has, of its shapes in its
    /// order; a child whose claim no step takes may be any listed node.
    ///
    /// # Errors
    /// [`JoinError`] if the claims do not merge, or a proof is one that the native verifier refuses.
    pub fn values(
        &self,
        root: &tsz_hash::Digest,
        children: &[Child<'_>],
        steps: &[Step<'_>],
    ) -> Result<(Claim, Vec<Value>), JoinError> {
        if children.len() != self.children.len() || !(1..children.len()).contains(&steps.len()) {
            return Err(JoinError::Steps);
        }
        let mut values = hash::input_values(root).to_vec();
        for (child, verifier) in children.iter().zip(&self.children) {
            values.extend(child_values(verifier, child)?);
        }
        let claims = children.iter().map(|child| *child.claim).collect();
        let (claim, taken) = steps::values(claims, steps)?;
        values.extend(taken);
        Ok((claim, values))
    }
}

/// Verifies one child: its proof, the membership of its key, its vk root; its claim is that of its public values.
#[track_caller]
fn child(b: &mut Builder, verifier: &Verifier, root: Digest) -> Side {
    let key = verifier.input_key(b);
    let proof = verifier.input(b);
    verifier.verify(b, &key, &proof);
    let (side, is_join) = read_side(b);
    let claim = &side.claim;

    // Public values: the vk root of a join, 0 of a lift; the digest of the claim.
    let publics = proof.publics().concat();
    let digest =
        |b: &mut Builder, at: usize| crate::wires::pack(b, core::array::from_fn(|k| publics[at + k]));
    let (own_root, own_claim) = (digest(b, 0), digest(b, 8));
    let none = zero_digest(b);
    let expected_root = select(b, is_join, root, none);
    hash::assert_eq(b, own_root, expected_root);
    let expected = claim.digest(b);
    hash::assert_eq(b, own_claim, expected);

    // The key is listed for what the claim is about.
    let joins = hash::constant(b, &join_algorithm());
    let transitions = hash::constant(b, &transition_algorithm());
    let lifted = select(b, side.is_transition, transitions, claim.blocks[2]);
    let algorithm = select(b, is_join, joins, lifted);
    let leaf = hash::tagged_digests(b, Domain::VkLeaf, &[algorithm, key.digest]);
    let index = b.input();
    let bits = b.bits(index);
    let path: Vec<Digest> = (0..VK_TREE_DEPTH).map(|_| hash::input(b)).collect();
    let listed = hash::state_root(b, leaf, &bits[..VK_TREE_DEPTH], &path);
    hash::assert_eq(b, listed, root);
    side
}

/// A claim from the witness with its kind, and whether it is a join's.
#[track_caller]
pub(crate) fn read_side(b: &mut Builder) -> (Side, Bit) {
    let claim = ClaimWires::input(b);
    let is_join = b.input();
    let is_join = b.assert_bool(is_join);
    let side = Side::new(b, claim);
    // Sets and batches are made by joins, transitions are not.
    let (one, zero) = (b.one(), b.zero());
    for made_by_joins in [side.is_set, side.is_batches] {
        b.assert_eq_if(made_by_joins, is_join.into(), one);
    }
    b.assert_eq_if(side.is_transition, is_join.into(), zero);
    (side, is_join)
}

/// The inputs of [`read_side`].
pub(crate) fn side_values(claim: &Claim, is_join: bool) -> Vec<Value> {
    let mut values = ClaimWires::values(claim);
    values.push(Value::from_bool(is_join));
    values.extend(kind_values(claim));
    values
}

fn child_values(verifier: &Verifier, child: &Child<'_>) -> Result<Vec<Value>, WitnessError> {
    let publics = by_table(verifier, child.publics);
    let mut values = Verifier::key_values(child.key);
    values.extend(verifier.values(child.key, child.proof, &publics)?);
    values.extend(side_values(child.claim, child.is_join));
    values.push(Value::from_u16(child.membership.index));
    values.extend(child.membership.siblings.iter().flat_map(hash::input_values));
    Ok(values)
}
