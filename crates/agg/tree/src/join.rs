//! Joins: two node proofs become one, with the claim that a rule makes of theirs.
//!
//! # What is proven
//! For public values (vk root R, claim digest D): there are two proofs under two keys of the shapes that this
//! program was built for, with claims L and R', such that
//! 1. each key's digest is computed here from its preprocessed commitment, and (algorithm, digest) is a leaf of the
//!    tree with root R, where the algorithm is the reserved one of joins, or for a lift the one that its claim is
//!    about (for a transition the reserved one of transitions);
//! 2. a join's public vk root is R, a lift's is 0;
//! 3. exactly one [`Rule`] holds for L and R', and D is the digest of the claim it makes.
//!
//! Only lifts claim transitions, only joins claim sets and batches; a range may be either's.

use p3_field::PrimeCharacteristicRing;
use tsz_hash::Domain;
use tsz_ledger::BatchHeader;
use tsz_plonk::gadgets::hash::{self, Digest};
use tsz_plonk::{Bit, Builder, Ext, Felt, Value};
use tsz_recursion::{KeyValues, Verifier, WitnessError};
use tsz_stark::{F, Proof};
use tsz_vktree::{VK_TREE_DEPTH, VkMembership, transition_algorithm};

use crate::claim::{BLOCKS, Claim, limbs};
use crate::join_algorithm;
use crate::rules::{Advice, MergeError, Rule, SET_LEVELS, empty_nodes, merge, order, siblings};
use crate::wires::{
    ClaimWires, assert_digests_if, assert_u24_if, is_less, one_hot, one_hot_values, pack_short, select,
    zero_digest,
};

/// Table of the machine that holds the public values.
pub(crate) const PUBLIC_TABLE: usize = 5;

/// A join's circuit before it is compiled, for children of two shapes.
#[derive(Clone, Debug)]
pub struct Join {
    children: [Verifier; 2],
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
}

/// A child's claim as the rules read it.
pub(crate) struct Side {
    claim: ClaimWires,
    is_exec: Bit,
    is_set: Bit,
    is_transition: Bit,
    is_batches: Bit,
    head: [Felt; 8],
    numbers: [Felt; 8],
}

impl Side {
    fn algorithm(&self) -> Digest {
        self.claim.blocks[2]
    }
    fn context(&self) -> Digest {
        self.claim.blocks[3]
    }
    /// Start of a range, root of a set, s0.
    fn first(&self) -> Digest {
        self.claim.blocks[4]
    }
    /// End of a range, sn.
    fn second(&self) -> Digest {
        self.claim.blocks[5]
    }
    fn count(&self) -> Felt {
        self.head[1]
    }
}

/// A side read as a set.
struct SetView {
    leaves: Felt,
    root: Digest,
    /// Leaf of the range, if it is one.
    leaf: Digest,
}

/// What a rule says.
struct Outcome {
    flag: Bit,
    blocks: [Digest; BLOCKS],
}

impl Join {
    /// The join of children that `left` and `right` verify.
    pub fn new(left: Verifier, right: Verifier) -> Self {
        Self { children: [left, right] }
    }

    /// The circuit.
    pub fn build(&self) -> Builder {
        let mut b = Builder::new();
        let root = hash::input(&mut b);
        let [left, right] = core::array::from_fn(|k| child(&mut b, &self.children[k], root));
        let claim = rules(&mut b, &left, &right);
        hash::expose(&mut b, root);
        let digest = claim.digest(&mut b);
        hash::expose(&mut b, digest);
        b
    }

    /// The merged claim and the inputs.
    ///
    /// # Errors
    /// [`JoinError`] if the claims do not merge, or a proof is one that the native verifier refuses.
    pub fn values(
        &self,
        root: &tsz_hash::Digest,
        children: [Child<'_>; 2],
        advice: &Advice<'_>,
    ) -> Result<(Claim, Vec<Value>), JoinError> {
        let [left, right] = children.map(|c| *c.claim);
        let (rule, claim) = merge(&left, &right, advice)?;
        let mut values = hash::input_values(root).to_vec();
        for (child, verifier) in children.into_iter().zip(&self.children) {
            values.extend(child_values(verifier, &child)?);
        }
        values.extend(rule_values(rule, &left, &right, advice));
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
    let publics = &proof.publics()[PUBLIC_TABLE];
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
    let [is_exec, is_set, is_transition, is_batches] = one_hot::<4>(b);
    let head = claim.felts(b, 0);
    let numbers = claim.felts(b, 1);

    // The kind is what block 0 says.
    let kinds: [Felt; 4] = [is_exec.into(), is_set.into(), is_transition.into(), is_batches.into()];
    let weights = [F::ONE, F::TWO, F::from_u8(3)];
    let three = b.combine(weights, [kinds[0], kinds[1], kinds[2]]);
    let kind = b.combine([F::ONE, F::from_u8(4), F::ZERO], [three, kinds[3], kinds[0]]);
    b.assert_eq(head[0], kind);
    // Sets and batches are made by joins, transitions are not.
    let (one, zero) = (b.one(), b.zero());
    for made_by_joins in [is_set, is_batches] {
        b.assert_eq_if(made_by_joins, is_join.into(), one);
    }
    b.assert_eq_if(is_transition, is_join.into(), zero);
    (Side { claim, is_exec, is_set, is_transition, is_batches, head, numbers }, is_join)
}

/// The inputs of [`read_side`].
pub(crate) fn side_values(claim: &Claim, is_join: bool) -> Vec<Value> {
    let mut values = ClaimWires::values(claim);
    values.push(Value::from_bool(is_join));
    let kind = match claim {
        Claim::Exec(_) => 0,
        Claim::Set(_) => 1,
        Claim::Transition(_) => 2,
        Claim::Batches(_) => 3,
    };
    values.extend(one_hot_values::<4>(kind));
    values
}

fn child_values(verifier: &Verifier, child: &Child<'_>) -> Result<Vec<Value>, WitnessError> {
    let mut publics = vec![Vec::new(); PUBLIC_TABLE];
    publics.push(child.publics.to_vec());
    let mut values = Verifier::key_values(child.key);
    values.extend(verifier.values(child.key, child.proof, &publics)?);
    values.extend(side_values(child.claim, child.is_join));
    values.push(Value::from_u16(child.membership.index));
    values.extend(child.membership.siblings.iter().flat_map(hash::input_values));
    Ok(values)
}

/// The claim that the one rule makes of the two.
#[track_caller]
pub(crate) fn rules(b: &mut Builder, left: &Side, right: &Side) -> ClaimWires {
    let [range, set, batch, chain] = one_hot::<4>(b);
    // Sums of counts, under every rule that adds them.
    let count: Felt = b.add(left.count(), right.count());
    let begins: Felt = b.add(left.head[2], right.head[2]);
    let adds = b.not(batch);
    assert_u24_if(b, adds, count);
    let (left_view, right_view) = (set_view(b, left), set_view(b, right));
    let outcomes = [
        range_rule(b, range, left, right, count, begins),
        set_rule(b, set, left, right, &left_view, &right_view, [count, begins]),
        batch_rule(b, batch, left, right, &right_view),
        chain_rule(b, chain, left, right, count),
    ];
    let block = |b: &mut Builder, k: usize| -> Digest {
        core::array::from_fn(|q| {
            let mut sum: Ext = b.zero().into();
            for outcome in &outcomes {
                sum = b.mul_add(outcome.flag.into(), outcome.blocks[k][q], sum);
            }
            sum
        })
    };
    ClaimWires { blocks: core::array::from_fn(|k| block(b, k)) }
}

/// A complete range as the set of its one leaf; a set as it is.
#[track_caller]
fn set_view(b: &mut Builder, side: &Side) -> SetView {
    let leaf = {
        let last = pack_short(b, &[side.count()]);
        hash::tagged_digests(b, Domain::SetLeaf, &[side.algorithm(), side.second(), last])
    };
    let mut node = leaf;
    for empty in &empty_nodes()[..SET_LEVELS] {
        let empty = hash::constant(b, empty);
        node = hash::compress(b, node, empty);
    }
    let one = b.one();
    SetView {
        leaves: b.select(side.is_exec, one, side.head[3]),
        root: select(b, side.is_exec, node, side.first()),
        leaf,
    }
}

/// Under `flag`: the side is a set, or a range that starts at the batch's context.
#[track_caller]
fn assert_set(b: &mut Builder, flag: Bit, side: &Side) {
    let (one, either) = (b.one(), b.add(side.is_exec.into(), side.is_set.into()));
    b.assert_eq_if::<Felt>(flag, either, one);
    let complete = b.and(flag, side.is_exec);
    assert_digests_if(b, complete, side.first(), side.context());
}

#[track_caller]
fn range_rule(b: &mut Builder, flag: Bit, l: &Side, r: &Side, count: Felt, begins: Felt) -> Outcome {
    let one = b.one();
    for side in [l, r] {
        b.assert_eq_if(flag, side.is_exec.into(), one);
    }
    assert_digests_if(b, flag, l.algorithm(), r.algorithm());
    assert_digests_if(b, flag, l.context(), r.context());
    assert_digests_if(b, flag, l.second(), r.first());
    let head = pack_short(b, &[one, count, begins]);
    let none = zero_digest(b);
    Outcome { flag, blocks: [head, none, l.algorithm(), l.context(), l.first(), r.second(), none] }
}

#[track_caller]
fn set_rule(
    b: &mut Builder,
    flag: Bit,
    l: &Side,
    r: &Side,
    left: &SetView,
    right: &SetView,
    [count, begins]: [Felt; 2],
) -> Outcome {
    let one = b.one();
    assert_set(b, flag, l);
    b.assert_eq_if(flag, r.is_exec.into(), one);
    assert_digests_if(b, flag, r.first(), r.context());
    assert_digests_if(b, flag, l.context(), r.context());
    assert_sorted(b, flag, l.algorithm(), r.algorithm());
    // The leaf goes where the root has a zero so far.
    let bits = b.bits(left.leaves);
    let high: Vec<Felt> = bits[SET_LEVELS..].iter().map(|bit| (*bit).into()).collect();
    let (high, zero) = (b.sum(&high), b.zero());
    b.assert_eq_if(flag, high, zero);
    let path: Vec<Digest> = (0..SET_LEVELS).map(|_| hash::input(b)).collect();
    let none = zero_digest(b);
    let before = hash::state_root(b, none, &bits[..SET_LEVELS], &path);
    assert_digests_if(b, flag, before, left.root);
    let root = hash::state_root(b, right.leaf, &bits[..SET_LEVELS], &path);
    let leaves = b.add_constant(left.leaves, F::ONE);
    let two = b.constant(F::TWO);
    let head = pack_short(b, &[two, count, begins, leaves]);
    Outcome { flag, blocks: [head, none, r.algorithm(), l.context(), root, none, none] }
}

/// Under `flag`: `x` comes before `y`, felt by felt on canonical representatives. The witness says which felt is
/// the first one to differ.
#[track_caller]
fn assert_sorted(b: &mut Builder, flag: Bit, x: Digest, y: Digest) {
    let at = one_hot::<8>(b);
    let felts = |b: &mut Builder, d: Digest| -> [Felt; 8] {
        let (low, high) = (b.unpack(d[0]), b.unpack(d[1]));
        core::array::from_fn(|k| if k < 4 { low[k] } else { high[k - 4] })
    };
    let (x, y) = (felts(b, x), felts(b, y));
    let mut not_yet = flag;
    for k in 0..8 {
        // Flag minus the one-hot bits so far: 1 before the felt that differs.
        let next: Felt = b.mul(flag.into(), at[k].into());
        let next: Felt = b.sub(not_yet.into(), next);
        not_yet = b.assert_bool(next);
        b.assert_eq_if(not_yet, x[k], y[k]);
    }
    let chosen = |b: &mut Builder, felts: [Felt; 8]| -> Felt { b.dot(&at.map(Felt::from), &felts) };
    let (x, y) = (chosen(b, x), chosen(b, y));
    let (less, one) = (is_less(b, x, y), b.one());
    b.assert_eq_if(flag, less.into(), one);
}

#[track_caller]
fn batch_rule(b: &mut Builder, flag: Bit, l: &Side, r: &Side, right: &SetView) -> Outcome {
    let one = b.one();
    b.assert_eq_if(flag, l.is_transition.into(), one);
    assert_set(b, flag, r);
    assert_digests_if(b, flag, l.context(), r.context());
    assert_digests_if(b, flag, l.claim.blocks[6], right.root);
    b.assert_eq_if(flag, l.count(), r.count());
    b.assert_eq_if(flag, r.head[2], one);
    // The context opens to system, batch number, time and parameters.
    let (system, params) = (hash::input(b), hash::input(b));
    let limbs: [Felt; 4] = core::array::from_fn(|_| b.input());
    for limb in limbs {
        assert_u24_if(b, flag, limb);
    }
    let (numbers, zero): (Ext, Ext) = (b.pack(limbs), b.zero().into());
    let context = context(b, [system, [numbers, params[0]], [params[1], zero]]);
    assert_digests_if(b, flag, context, l.context());
    let [b0, b1, t0, t1] = limbs;
    let last = pack_short(b, &[b0, b1, t0, t1, l.count()]);
    let set_root = l.claim.blocks[6];
    let parts = [system, l.first(), l.second(), set_root, params, last];
    let header = hash::tagged_digests(b, Domain::Header, &parts);
    let four = b.constant(F::from_u8(4));
    let head = pack_short(b, &[four, one]);
    let range = pack_short(b, &[b0, b1, b0, b1, t0, t1, t0, t1]);
    let none = zero_digest(b);
    Outcome { flag, blocks: [head, range, system, header, l.first(), l.second(), none] }
}

/// `hash(Context, ..)` of its 20 felts, given as blocks filled with zeros.
#[track_caller]
fn context(b: &mut Builder, blocks: [Digest; 3]) -> Digest {
    let capacity = hash::constant(b, &Domain::Context.iv(20));
    blocks.into_iter().fold(capacity, |capacity, block| hash::step(b, block, capacity))
}

#[track_caller]
fn chain_rule(b: &mut Builder, flag: Bit, l: &Side, r: &Side, count: Felt) -> Outcome {
    let one = b.one();
    for side in [l, r] {
        b.assert_eq_if(flag, side.is_batches.into(), one);
    }
    b.assert_eq_if(flag, r.count(), one);
    assert_digests_if(b, flag, l.algorithm(), r.algorithm());
    assert_digests_if(b, flag, l.second(), r.first());
    // Limbs have 24 bits since the batches were made, so each carry is the only one that fits.
    let radix = F::from_u32(1 << 24);
    let [carry, borrow] = core::array::from_fn(|_| {
        let x = b.input();
        b.assert_bool(x)
    });
    let low = b.combine([F::ONE, F::ONE, -radix], [l.numbers[2], one, carry.into()]);
    b.assert_eq_if(flag, r.numbers[0], low);
    let high = b.add(l.numbers[3], carry.into());
    b.assert_eq_if(flag, r.numbers[1], high);
    // Time does not go back.
    let low = b.combine([F::ONE, -F::ONE, radix], [r.numbers[4], l.numbers[6], borrow.into()]);
    let high = b.combine([F::ONE, -F::ONE, -F::ONE], [r.numbers[5], l.numbers[7], borrow.into()]);
    assert_u24_if(b, flag, low);
    assert_u24_if(b, flag, high);
    let headers = hash::tagged_digests(b, Domain::Headers, &[l.context(), r.context()]);
    let four = b.constant(F::from_u8(4));
    let head = pack_short(b, &[four, count]);
    let (from, to) = (&l.numbers, &r.numbers);
    let range = pack_short(b, &[from[0], from[1], to[2], to[3], from[4], from[5], to[6], to[7]]);
    let none = zero_digest(b);
    Outcome { flag, blocks: [head, range, l.algorithm(), headers, l.first(), r.second(), none] }
}

/// The inputs of [`rules`], in the order in which it declares them.
pub(crate) fn rule_values(rule: Rule, left: &Claim, right: &Claim, advice: &Advice<'_>) -> Vec<Value> {
    let mut values: Vec<Value> = one_hot_values::<4>(rule as usize).to_vec();
    values.extend(set_values(left, right, advice));
    values.extend(batch_values(advice.header));
    values.extend(chain_values(left, right));
    values
}

fn set_values(left: &Claim, right: &Claim, advice: &Advice<'_>) -> Vec<Value> {
    let algorithm = |claim: &Claim| order(&claim.blocks()[2]);
    let (x, y) = (algorithm(left), algorithm(right));
    let differs = (0..8).find(|k| x[*k] != y[*k]).unwrap_or(0);
    let mut values: Vec<Value> = one_hot_values::<8>(differs).to_vec();
    let index = match left {
        Claim::Exec(_) => 1,
        Claim::Set(set) => set.leaves as usize,
        _ => 0,
    };
    let before = &advice.leaves[..index.min(advice.leaves.len())];
    values.extend(siblings(before, index).iter().flat_map(hash::input_values));
    values
}

fn batch_values(header: Option<&BatchHeader>) -> Vec<Value> {
    let context = header.map(|h| h.context);
    let digest = |d: Option<tsz_hash::Digest>| hash::input_values(&d.unwrap_or_default());
    let mut values: Vec<Value> = digest(context.map(|c| c.system)).to_vec();
    values.extend(digest(context.map(|c| c.params)));
    for number in [context.map(|c| c.batch), context.map(|c| c.time)] {
        values.extend(limbs(number.unwrap_or(0)).map(Value::from));
    }
    values
}

fn chain_values(left: &Claim, right: &Claim) -> Vec<Value> {
    let (Claim::Batches(l), Claim::Batches(r)) = (left, right) else { return vec![Value::ZERO; 2] };
    let low = |x: u64| x & 0xff_ffff;
    let carry = low(l.last) == 0xff_ffff;
    let borrow = low(r.first_time) < low(l.last_time);
    [carry, borrow].map(Value::from_bool).to_vec()
}
