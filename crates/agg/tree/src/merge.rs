//! The rules of joins as circuits: what [`crate::rules`] does natively.

use p3_field::PrimeCharacteristicRing;
use tsz_hash::Domain;
use tsz_ledger::BatchHeader;
use tsz_plonk::gadgets::hash::{self, Digest};
use tsz_plonk::{Bit, Builder, Ext, Felt, Value};
use tsz_stark::F;

use crate::claim::{BLOCKS, Claim, limbs};
use crate::rules::{Advice, SET_LEVELS, empty_nodes, order, siblings};
use crate::wires::{
    ClaimWires, assert_digests_if, assert_u24_if, is_less, one_hot, one_hot_of, one_hot_values, pack_short,
    select, zero_digest,
};

/// A claim as the rules read it.
pub(crate) struct Side {
    pub(crate) claim: ClaimWires,
    is_exec: Bit,
    pub(crate) is_set: Bit,
    pub(crate) is_transition: Bit,
    pub(crate) is_batches: Bit,
    head: [Felt; 8],
    numbers: [Felt; 8],
}

impl Side {
    /// A claim with its kind.
    #[track_caller]
    pub(crate) fn new(b: &mut Builder, claim: ClaimWires) -> Self {
        let [is_exec, is_set, is_transition, is_batches] = one_hot::<4>(b);
        let head = claim.felts(b, 0);
        let numbers = claim.felts(b, 1);
        // The kind is what block 0 says.
        let kinds: [Felt; 4] = [is_exec.into(), is_set.into(), is_transition.into(), is_batches.into()];
        let weights = [F::ONE, F::TWO, F::from_u8(3)];
        let three = b.combine(weights, [kinds[0], kinds[1], kinds[2]]);
        let kind = b.combine([F::ONE, F::from_u8(4), F::ZERO], [three, kinds[3], kinds[0]]);
        b.assert_eq(head[0], kind);
        Self { claim, is_exec, is_set, is_transition, is_batches, head, numbers }
    }
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

/// The inputs of [`Side::new`].
pub(crate) fn kind_values(claim: &Claim) -> Vec<Value> {
    let kind = match claim {
        Claim::Exec(_) => 0,
        Claim::Set(_) => 1,
        Claim::Transition(_) => 2,
        Claim::Batches(_) => 3,
    };
    one_hot_values(4, kind)
}

/// The claim that the one rule makes of the two. With a claim that may be kept, the witness may say that no rule holds
/// and that the claim is this one.
#[track_caller]
pub(crate) fn rules(b: &mut Builder, left: &Side, right: &Side, kept: Option<&ClaimWires>) -> ClaimWires {
    let flags = one_hot_of(b, if kept.is_some() { 5 } else { 4 });
    let (range, set, batch, chain) = (flags[0], flags[1], flags[2], flags[3]);
    // Sums of counts, under every rule that adds them.
    let count: Felt = b.add(left.count(), right.count());
    let begins: Felt = b.add(left.head[2], right.head[2]);
    let adds = match flags.get(4) {
        None => b.not(batch),
        Some(_) => {
            let adds: Felt = b.sum(&[range, set, chain].map(Felt::from));
            b.assert_bool(adds)
        }
    };
    assert_u24_if(b, adds, count);
    let (left_view, right_view) = (set_view(b, left), set_view(b, right));
    let mut outcomes = vec![
        range_rule(b, range, left, right, count, begins),
        set_rule(b, set, left, right, &left_view, &right_view, [count, begins]),
        batch_rule(b, batch, left, right, &right_view),
        chain_rule(b, chain, left, right, count),
    ];
    if let (Some(claim), Some(keep)) = (kept, flags.get(4)) {
        outcomes.push(Outcome { flag: *keep, blocks: claim.blocks });
    }
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

/// The inputs of [`rules`], in the order in which it declares them: of one of `rules` rules, the last one of five keeps
/// a claim.
pub(crate) fn rule_values(
    (rule, rules): (usize, usize),
    left: &Claim,
    right: &Claim,
    advice: &Advice<'_>,
) -> Vec<Value> {
    let mut values = one_hot_values(rules, rule);
    values.extend(set_values(left, right, advice));
    values.extend(batch_values(advice.header));
    values.extend(chain_values(left, right));
    values
}

fn set_values(left: &Claim, right: &Claim, advice: &Advice<'_>) -> Vec<Value> {
    let algorithm = |claim: &Claim| order(&claim.blocks()[2]);
    let (x, y) = (algorithm(left), algorithm(right));
    let differs = (0..8).find(|k| x[*k] != y[*k]).unwrap_or(0);
    let mut values: Vec<Value> = one_hot_values(8, differs);
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
