//! Trace generation.

use num_bigint::{BigInt, BigUint};
use rayon::prelude::*;
use thiserror::Error;
use tsz_air::{Columns, F, Field, PrimeCharacteristicRing, Trace, from_rows};

use super::columns::{Canonical, CombCols, LadderCols, VerifyCols};
use super::curve::{Affine, Curve, modulo, signed};
use super::ladder::residue;
use super::verify::half;
use super::{
    COMB_ROWS, CombTable, ENTRIES_LOG_HEIGHT, EntryTable, Heights, LADDER_ROWS, LIMBS_24, LadderTable, Part,
    STEPS, VerifyTable, WINDOWS, comb, ladder, weight,
};
use crate::bigint::{BALANCE, LIMBS, raw_bytes};
use crate::collect::{Asked, collect};

/// A signature to prove. An invalid one gives traces that no proof accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedDigest {
    /// The key.
    pub key: Affine,
    /// Digest e.
    pub digest: BigUint,
    /// r.
    pub r: BigUint,
    /// s.
    pub s: BigUint,
    /// Lookups of the signature.
    pub uses: u32,
}

/// Why there are no traces.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Failed {
    /// More signatures than blocks.
    #[error("{needed} signatures do not fit in {blocks} blocks")]
    TooMany {
        /// Signatures given.
        needed: usize,
        /// Blocks of the ladder.
        blocks: usize,
    },
    /// r or s is not in 1..n: no signature in the sense of the standard, whatever its residue is.
    #[error("signature {0} has r or s out of 1..n")]
    Range(usize),
    /// R is not a point, R = +-Q, or every pair of multipliers meets an exception of the ladder.
    #[error("signature {0} has no ladder")]
    NoLadder(usize),
}

/// Traces of the tables of a curve, and what they look up on `bytes`, `range15` and `mulmod`.
#[derive(Clone, Debug)]
pub struct Traces {
    /// One signature a row.
    pub verify: Trace,
    /// Scalar multiplications.
    pub ladders: Vec<Trace>,
    /// Multiples of G.
    pub combs: Vec<Trace>,
    /// Their entries.
    pub entries: Trace,
    /// Lookups of all of them.
    pub asked: Asked,
}

/// Everything about a signature that its rows hold.
#[derive(Clone, Debug)]
pub(super) struct Job {
    key: Affine,
    digest: BigUint,
    s: BigUint,
    nonce: Affine,
    /// a and b.
    pair: [BigInt; 2],
    v: BigUint,
    sum: Affine,
    difference: Affine,
    start: Affine,
    end: Affine,
    steps: Vec<LadderCols<F>>,
    additions: Vec<CombCols<F>>,
    uses: u32,
}

/// Traces for at most [`Heights::capacity`] signatures.
///
/// # Errors
/// [`Failed`].
pub fn generate(
    curve: &'static Curve,
    signatures: &[SignedDigest],
    heights: &Heights,
) -> Result<Traces, Failed> {
    let in_range = |x: &BigUint| *x > BigUint::default() && *x < curve.order.value;
    if let Some(i) = signatures.iter().position(|s| !in_range(&s.r) || !in_range(&s.s)) {
        return Err(Failed::Range(i));
    }
    assemble(curve, signatures, heights)
}

/// [`generate`] for numbers of any range.
pub(super) fn assemble(
    curve: &'static Curve,
    signatures: &[SignedDigest],
    heights: &Heights,
) -> Result<Traces, Failed> {
    let verify = VerifyTable::new(curve, heights);
    let capacity = verify.blocks();
    if signatures.len() > capacity {
        return Err(Failed::TooMany { needed: signatures.len(), blocks: capacity });
    }
    let mut jobs = signatures
        .par_iter()
        .enumerate()
        .map(|(i, s)| Job::new(curve, s).ok_or(Failed::NoLadder(i)))
        .collect::<Result<Vec<Job>, Failed>>()?;
    if jobs.len() < capacity {
        let padding = Job::new(curve, &padding(curve)).ok_or(Failed::NoLadder(jobs.len()))?;
        jobs.resize(capacity, padding);
    }
    let verify_rows: Vec<_> = jobs.iter().map(|j| j.verify_row(curve)).collect();
    let verify_trace = from_rows(&verify_rows, heights.verify);
    let mut asked = collect(&verify, &verify_trace, &[]);
    let of = |part: &Part| jobs.get(part.first..part.first + part.blocks).unwrap_or_default();
    let (mut ladders, mut combs) = (Vec::new(), Vec::new());
    for part in heights.ladders() {
        let table = LadderTable::new(curve, part);
        let trace = ladder::finish(&table, ladder_rows(curve, of(&part)));
        asked.merge(collect(&table, &trace, &[]));
        ladders.push(trace);
    }
    for part in heights.combs() {
        let table = CombTable::new(curve, part);
        let trace = comb::finish(&table, comb_rows(curve, of(&part)));
        asked.merge(collect(&table, &trace, &[]));
        combs.push(trace);
    }
    let entries = entry_trace(curve, &asked);
    Ok(Traces { verify: verify_trace, ladders, combs, entries, asked })
}

/// What the blocks without a signature verify: key 2 G, nonce 3, digest 1.
fn padding(curve: &Curve) -> SignedDigest {
    let n = &curve.order.value;
    let two = curve.double(&curve.generator);
    let r = curve.sum(&two, &curve.generator).x % n;
    let third = BigUint::from(3u8).modinv(n).unwrap_or_default();
    let s = (BigUint::from(1u8) + &r * 2u8) * third % n;
    SignedDigest { key: two, digest: BigUint::from(1u8), r, s, uses: 0 }
}

impl Job {
    fn new(curve: &Curve, signature: &SignedDigest) -> Option<Self> {
        let n = &curve.order.value;
        let SignedDigest { key, digest, r, s, uses } = signature.clone();
        let inverse = s.modinv(n)?;
        let part = |k: &BigUint, point: &Affine| curve.multiple(&(k * &inverse % n), point);
        let nonce = match (part(&digest, &curve.generator), part(&r, &key)) {
            (Some(a), Some(b)) if a == b => curve.double(&a),
            (Some(a), Some(b)) => curve.sum(&a, &b),
            (a, b) => a.or(b)?,
        };
        if nonce.x == key.x {
            return None;
        }
        let (sum, difference) = (curve.sum(&key, &nonce), curve.sum(&key, &curve.negative(&nonce)));
        let base = Self {
            key,
            digest,
            s,
            pair: Default::default(),
            v: BigUint::default(),
            start: nonce.clone(),
            end: nonce.clone(),
            nonce,
            sum,
            difference,
            steps: Vec::new(),
            additions: Vec::new(),
            uses,
        };
        let [a, b] = short_pair(n, &r, &inverse);
        [1, -1, 2, -2, 3, -3].iter().find_map(|k| base.clone().run(curve, [&a * k, &b * k]))
    }

    /// The job with this pair of multipliers, if its ladder meets no exception.
    fn run(mut self, curve: &Curve, pair: [BigInt; 2]) -> Option<Self> {
        let n = &curve.order.value;
        let half = BigInt::from(1) << (STEPS - 1);
        let digits: Vec<BigUint> = pair.iter().map(|x| (x + &half).to_biguint()).collect::<Option<_>>()?;
        if digits.iter().any(|d| d.bits() > STEPS as u64) {
            return None;
        }
        // 2^(STEPS-1) v s = -b e.
        let scale = (&self.s << (STEPS - 1)) % n;
        self.v = modulo(-&pair[1] * signed(&self.digest) * signed(&scale.modinv(n)?), n);
        self.pair = pair;
        (self.start, self.additions) = comb_block(curve, &self.v);
        (self.end, self.steps) = self.ladder_block(curve, &digits)?;
        Some(self)
    }

    fn ladder_block(&self, curve: &Curve, digits: &[BigUint]) -> Option<(Affine, Vec<LadderCols<F>>)> {
        let mut at = self.start.clone();
        let mut rows = Vec::with_capacity(STEPS);
        let mut sums = [[F::ZERO; LIMBS_24]; 2];
        for step in 0..STEPS {
            let bits = [0, 1].map(|k| digits[k].bit((STEPS - 1 - step) as u64));
            let point = if bits[0] == bits[1] { &self.sum } else { &self.difference };
            let term = if bits[0] { point.clone() } else { curve.negative(point) };
            let slope_sum = curve.slope(&at, &term);
            let sum = curve.chord(&at, &term.x, &slope_sum);
            let slope_acc = curve.slope(&at, &sum);
            let mut row = LadderCols::fill(F::ZERO);
            row.x = stored(curve, &at.x);
            row.slope_sum = stored(curve, &slope_sum);
            row.x_sum = stored(curve, &sum.x);
            row.slope_acc = stored(curve, &slope_acc);
            row.term_x = stored(curve, &point.x);
            row.term_y = stored(curve, &point.y);
            row.bits = bits.map(F::from_bool);
            row.is_diff = F::from_bool(bits[0] != bits[1]);
            (row.sum_a, row.sum_b) = (sums[0], sums[1]);
            if exceptional(curve, &row) {
                return None;
            }
            for (sum, bit) in sums.iter_mut().zip(row.bits) {
                sum.iter_mut().enumerate().for_each(|(k, s)| *s += bit * F::from_u32(weight(step, k)));
            }
            rows.push(row);
            at = curve.chord(&at, &sum.x, &slope_acc);
        }
        Some((at, rows))
    }

    fn verify_row(&self, curve: &Curve) -> VerifyCols<F> {
        let (p, n) = (&curve.field.value, &curve.order.value);
        let mut row = VerifyCols::fill(F::ZERO);
        let square = |x: &BigUint| stored(curve, &(x * x % p));
        let mod_n = |x: BigInt| modulo(x, n);
        let store_n = |x: &BigUint| crate::bigint::balanced_bytes(x, n).map(F::from_u8);
        row.key_x = bytes(&self.key.x);
        row.key_y = bytes(&self.key.y);
        row.digest = bytes(&self.digest);
        row.nonce_x = bytes(&self.nonce.x);
        row.nonce_y = stored(curve, &self.nonce.y);
        row.key_squares = [square(&self.key.x), square(&self.key.y)];
        row.nonce_squares = [square(&self.nonce.x), square(&self.nonce.y)];
        row.apart = stored(curve, &curve.divide(&1.into(), &(signed(&self.nonce.x) - signed(&self.key.x))));
        let negative = curve.negative(&self.nonce);
        for (out, nonce, point) in
            [(&mut row.sum, &self.nonce, &self.sum), (&mut row.difference, &negative, &self.difference)]
        {
            let slope = curve.slope(&self.key, nonce);
            *out = [&slope, &point.x, &point.y].map(|x| stored(curve, x));
        }
        row.response = store_n(&self.s);
        let [a, b] = [0, 1].map(|k| (&self.pair[k] + (BigInt::from(1) << (STEPS - 1))).to_biguint());
        let multiplier = |x: Option<BigUint>| {
            let bytes = raw_bytes(&x.unwrap_or_default());
            core::array::from_fn(|k| F::from_u8(bytes[k]))
        };
        (row.multiplier_a, row.multiplier_b) = (multiplier(a), multiplier(b));
        row.multiplier_g = bytes(&self.v);
        let z1 = mod_n(&self.pair[0] * signed(&self.s));
        let z3 = mod_n(&self.pair[1] * signed(&self.digest));
        row.products = [z1, &self.v * &self.s % n, z3].map(|z| store_n(&z));
        row.start = [&self.start.x, &self.start.y].map(|x| stored(curve, x));
        row.end = [&self.end.x, &self.end.y].map(|x| stored(curve, x));
        let gap = signed(&self.sum.x) - signed(&curve.ladder_end.x);
        row.end_apart = stored(curve, &curve.divide(&1.into(), &gap));
        row.end_slope = stored(curve, &curve.slope(&curve.ladder_end, &self.sum));
        row.key_x_canonical = canonical(&self.key.x, p);
        row.key_y_canonical = canonical(&self.key.y, p);
        row.nonce_x_canonical = canonical(&self.nonce.x, p);
        row.nonzero = nonzero(&row, n);
        let differs = self.steps.iter().filter(|s| s.is_diff == F::ONE).count();
        row.point_uses = [STEPS - differs, differs].map(F::from_usize);
        row.uses = F::from_u32(self.uses);
        row
    }
}

/// Short a, b with a s = -b r modulo n: the first remainder of Euclid's algorithm on (n, -r / s) below 2^128.
fn short_pair(n: &BigUint, r: &BigUint, inverse: &BigUint) -> [BigInt; 2] {
    let ratio = modulo(-signed(&(r * inverse % n)), n);
    let (mut old, mut new) = ((signed(n), BigInt::from(0)), (signed(&ratio), BigInt::from(1)));
    while new.0.bits() > 128 {
        let quotient = &old.0 / &new.0;
        let next = (&old.0 - &quotient * &new.0, &old.1 - &quotient * &new.1);
        (old, new) = (new, next);
    }
    [new.0, new.1]
}

/// The inverse, or zero for zero.
pub(crate) fn inverse(x: F) -> F {
    x.try_inverse().unwrap_or_default()
}

/// Stored bytes of a coordinate.
fn stored(curve: &Curve, x: &BigUint) -> [F; LIMBS] {
    curve.balanced(x).map(F::from_u8)
}

/// Raw bytes of a number.
fn bytes(x: &BigUint) -> [F; LIMBS] {
    raw_bytes(x).map(F::from_u8)
}

/// Whether d, d - p or d + p is 0 for d = x_A - x_T in the field.
fn exceptional(curve: &Curve, row: &LadderCols<F>) -> bool {
    let value = |x: &[F; LIMBS]| x.iter().rev().fold(F::ZERO, |acc, b| acc * F::from_u32(256) + *b);
    let (d, p) = (value(&row.x) - value(&row.term_x), residue(&curve.field.value));
    [d, d - p, d + p].contains(&F::ZERO)
}

fn comb_block(curve: &Curve, v: &BigUint) -> (Affine, Vec<CombCols<F>>) {
    let mut at = curve.comb_start.clone();
    let digits = raw_bytes(v);
    let row = |w: usize| {
        let entry = &curve.comb[256 * w + usize::from(digits[w])];
        let slope = curve.slope(&at, entry);
        let mut row = idle_addition();
        row.x = stored(curve, &at.x);
        row.slope = stored(curve, &slope);
        row.entry_x = stored(curve, &entry.x);
        row.entry_y = stored(curve, &entry.y);
        row.digit = F::from_u8(digits[w]);
        row.digit_uses = F::ONE;
        at = curve.chord(&at, &entry.x, &slope);
        row
    };
    let rows = (0..WINDOWS).map(row).collect();
    (at, rows)
}

fn canonical(x: &BigUint, modulus: &BigUint) -> Canonical<F> {
    let rest = modulo(signed(modulus) - 1 - signed(x), &(BigUint::from(1u8) << 256));
    let (x, rest) = (raw_bytes(x), raw_bytes(&rest));
    let mut carry = 0;
    let limb = |v: &[u8; LIMBS], k: usize| u32::from(v[2 * k]) + (u32::from(v[2 * k + 1]) << 8);
    let carries = core::array::from_fn(|k| {
        carry = (limb(&x, k) + limb(&rest, k) + carry) >> 16;
        F::from_u32(carry)
    });
    Canonical { rest: rest.map(F::from_u8), carries }
}

fn nonzero(row: &VerifyCols<F>, order: &BigUint) -> [F; 3] {
    let squares = |bytes: &[F], of: &[u8]| -> F {
        bytes.iter().zip(of).map(|(b, of)| (*b - F::from_u8(*of)).square()).sum()
    };
    let any: F = row.nonce_x.iter().copied().sum();
    [any, squares(&row.nonce_x, &raw_bytes(order)), squares(&row.multiplier_b, &half())].map(inverse)
}

/// A row of zeros.
pub(super) fn idle_step() -> LadderCols<F> {
    let mut row = LadderCols::fill(F::ZERO);
    let zero = [F::from_u32(BALANCE as u32); LIMBS];
    (row.x, row.slope_sum, row.x_sum, row.slope_acc) = (zero, zero, zero, zero);
    (row.term_x, row.term_y) = (zero, zero);
    row
}

/// A row of zeros.
pub(super) fn idle_addition() -> CombCols<F> {
    let mut row = CombCols::fill(F::ZERO);
    let zero = [F::from_u32(BALANCE as u32); LIMBS];
    (row.x, row.slope, row.entry_x, row.entry_y) = (zero, zero, zero, zero);
    row
}

fn ladder_rows(curve: &Curve, jobs: &[Job]) -> Vec<LadderCols<F>> {
    let mut rows = Vec::with_capacity(jobs.len() * LADDER_ROWS + 1);
    for k in 0..=jobs.len() {
        let mut boundary = idle_step();
        if let Some(ended) = k.checked_sub(1).and_then(|k| jobs.get(k)) {
            boundary.x = stored(curve, &ended.end.x);
            boundary.slope_sum = stored(curve, &ended.end.y);
            boundary.end_uses = F::ONE;
            if let Some(last) = ended.steps.last() {
                let add = |sum: F, bit: F, k: usize| sum + bit * F::from_u32(weight(STEPS - 1, k));
                boundary.sum_a = core::array::from_fn(|k| add(last.sum_a[k], last.bits[0], k));
                boundary.sum_b = core::array::from_fn(|k| add(last.sum_b[k], last.bits[1], k));
            }
        }
        if let Some(next) = jobs.get(k) {
            boundary.x_sum = stored(curve, &next.start.x);
            boundary.slope_acc = stored(curve, &next.start.y);
            boundary.start_uses = F::ONE;
        }
        rows.push(boundary);
        rows.extend(jobs.get(k).into_iter().flat_map(|j| j.steps.iter().copied()));
    }
    rows
}

fn comb_rows(curve: &Curve, jobs: &[Job]) -> Vec<CombCols<F>> {
    let mut rows = Vec::with_capacity(jobs.len() * COMB_ROWS + 1);
    for k in 0..=jobs.len() {
        let mut boundary = idle_addition();
        if let Some(ended) = k.checked_sub(1).and_then(|k| jobs.get(k)) {
            boundary.x = stored(curve, &ended.start.x);
            boundary.slope = stored(curve, &ended.start.y);
            boundary.end_uses = F::ONE;
        }
        rows.push(boundary);
        rows.extend(jobs.get(k).into_iter().flat_map(|j| j.additions.iter().copied()));
    }
    rows
}

fn entry_trace(curve: &Curve, asked: &Asked) -> Trace {
    use tsz_air::PrimeField32;
    let mut counts = vec![0; 1 << ENTRIES_LOG_HEIGHT];
    for (message, n) in asked.messages(curve.buses.entry.name()) {
        let at = |k: usize| message.get(k).map_or(0, |x: &F| x.as_canonical_u32() as usize);
        if let Some(count) = counts.get_mut(256 * at(0) + at(1)) {
            *count += n;
        }
    }
    EntryTable::trace(&counts)
}
