//! Trace generation.

use num_bigint::{BigInt, BigUint};
use rayon::prelude::*;
use thiserror::Error;
use tsz_air::{Columns, F, Field, PrimeCharacteristicRing, Trace, from_rows};

use super::columns::{Canonical, CombCols, LadderCols, VerifyCols};
use super::curve::{Affine, Curve, modulo, signed};
use super::ladder::residue;
use super::points::{Addition, Element, Point, additions, element, integer, invert, ladder, stored};
use super::verify::half;
use super::{
    COMB_ROWS, CombTable, ENTRIES_LOG_HEIGHT, EntryTable, Heights, LADDER_ROWS, LIMBS_24, LadderTable, Part,
    STEPS, VerifyTable, WINDOWS, comb, weight,
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
    points: Points,
    /// a and b.
    pair: [BigInt; 2],
    v: BigUint,
    start: Point,
    end: Point,
    steps: Vec<LadderCols<F>>,
    additions: Vec<CombCols<F>>,
    uses: u32,
}

/// Q and R, with S = Q + R and D = Q - R.
#[derive(Clone, Copy, Debug)]
struct Points {
    key: Point,
    nonce: Point,
    /// 1 / (x_R - x_Q).
    apart: Element,
    /// Slopes of S and D.
    slopes: [Element; 2],
    /// S and D.
    sums: [Point; 2],
}

impl Points {
    /// Nothing where R = +-Q.
    fn new(key: Point, nonce: Point) -> Option<Self> {
        let apart = invert(&(nonce.x - key.x))?;
        let slopes = [nonce, nonce.negative()].map(|other| (other.y - key.y) * apart);
        let sums = slopes.map(|slope| key.chord(&nonce.x, &slope));
        Some(Self { key, nonce, apart, slopes, sums })
    }
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
    let verify_rows: Vec<_> = jobs.par_iter().map(|j| j.verify_row(curve)).collect();
    let verify_trace = from_rows(&verify_rows, heights.verify);
    let mut asked = collect(&verify, &verify_trace, &[]);
    let of = |part: &Part| jobs.get(part.first..part.first + part.blocks).unwrap_or_default();
    let (mut ladders, mut combs) = (Vec::new(), Vec::new());
    for part in heights.ladders() {
        let table = LadderTable::new(curve, part);
        let trace = super::ladder::finish(&table, ladder_rows(of(&part)));
        asked.merge(table.asked(&trace));
        ladders.push(trace);
    }
    for part in heights.combs() {
        let table = CombTable::new(curve, part);
        let trace = comb::finish(&table, comb_rows(of(&part)));
        asked.merge(table.asked(&trace));
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
        let SignedDigest { key, digest, r, s, uses } = signature.clone();
        let scalar = |x: &BigUint| element(&curve.scalars, x);
        let inverse = invert(&scalar(&s))?;
        let part = |k: &BigUint, point: &Affine| {
            (integer(&(scalar(k) * inverse)), Point::of(&curve.residues, point))
        };
        let nonce = curve.combination(&[part(&digest, &curve.generator), part(&r, &key)])?;
        let base = Self {
            points: Points::new(Point::of(&curve.residues, &key), nonce)?,
            key,
            digest,
            s,
            pair: Default::default(),
            v: BigUint::default(),
            start: nonce,
            end: nonce,
            steps: Vec::new(),
            additions: Vec::new(),
            uses,
        };
        let [a, b] = short_pair(&curve.order.value, &integer(&-(scalar(&r) * inverse)));
        [1, -1, 2, -2, 3, -3].iter().find_map(|k| base.clone().run(curve, &inverse, [&a * k, &b * k]))
    }

    /// The job with this pair of multipliers, if its ladder meets no exception; `inverse` is that of s.
    fn run(mut self, curve: &Curve, inverse: &Element, pair: [BigInt; 2]) -> Option<Self> {
        let n = &curve.order.value;
        let half = BigInt::from(1) << (STEPS - 1);
        let digits: Vec<BigUint> = pair.iter().map(|x| (x + &half).to_biguint()).collect::<Option<_>>()?;
        if digits.iter().any(|d| d.bits() > STEPS as u64) {
            return None;
        }
        // 2^(STEPS-1) v s = -b e.
        let scale = invert(&element(&curve.scalars, &(BigUint::from(1u8) << (STEPS - 1))))?;
        let scalar = |x: &BigUint| element(&curve.scalars, x);
        let b = scalar(&modulo(-&pair[1], n));
        self.v = integer(&(b * scalar(&self.digest) * inverse * scale));
        self.pair = pair;
        (self.start, self.additions) = comb_block(curve, &self.v)?;
        (self.end, self.steps) = self.ladder_block(curve, &digits)?;
        Some(self)
    }

    fn ladder_block(&self, curve: &Curve, digits: &[BigUint]) -> Option<(Point, Vec<LadderCols<F>>)> {
        let bits: Vec<[bool; 2]> =
            (0..STEPS as u64).rev().map(|bit| [0, 1].map(|k| digits[k].bit(bit))).collect();
        let point = |[a, b]: [bool; 2]| self.points.sums[usize::from(a != b)];
        let sign = |[a, _]: [bool; 2], point: Point| if a { point } else { point.negative() };
        let terms: Vec<Point> = bits.iter().map(|bits| sign(*bits, point(*bits))).collect();
        let (doubles, end) = ladder(&self.start, &terms)?;
        let mut rows = Vec::with_capacity(STEPS);
        let mut sums = [[F::ZERO; LIMBS_24]; 2];
        for (step, (double, bits)) in doubles.iter().zip(bits).enumerate() {
            let mut row = LadderCols::fill(F::ZERO);
            row.x = stored(&double.x);
            row.slope_sum = stored(&double.slope_sum);
            row.x_sum = stored(&double.x_sum);
            row.slope_acc = stored(&double.slope_acc);
            row.term_x = stored(&point(bits).x);
            row.term_y = stored(&point(bits).y);
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
        }
        Some((end, rows))
    }

    fn verify_row(&self, curve: &Curve) -> VerifyCols<F> {
        let (p, n) = (&curve.field.value, &curve.order.value);
        let mut row = VerifyCols::fill(F::ZERO);
        let Points { key, nonce, apart, slopes, sums } = &self.points;
        let store_n = |x: BigInt| stored(&element(&curve.scalars, &modulo(x, n)));
        let nonce_x = integer(&nonce.x);
        row.key_x = bytes(&self.key.x);
        row.key_y = bytes(&self.key.y);
        row.digest = bytes(&self.digest);
        row.nonce_x = bytes(&nonce_x);
        row.nonce_y = stored(&nonce.y);
        row.key_squares = [key.x, key.y].map(|x| stored(&x.square()));
        row.nonce_squares = [nonce.x, nonce.y].map(|x| stored(&x.square()));
        row.apart = stored(apart);
        for (k, out) in [&mut row.sum, &mut row.difference].into_iter().enumerate() {
            *out = [slopes[k], sums[k].x, sums[k].y].map(|x| stored(&x));
        }
        row.response = store_n(signed(&self.s));
        let [a, b] = [0, 1].map(|k| (&self.pair[k] + (BigInt::from(1) << (STEPS - 1))).to_biguint());
        let multiplier = |x: Option<BigUint>| {
            let bytes = raw_bytes(&x.unwrap_or_default());
            core::array::from_fn(|k| F::from_u8(bytes[k]))
        };
        (row.multiplier_a, row.multiplier_b) = (multiplier(a), multiplier(b));
        row.multiplier_g = bytes(&self.v);
        let s = signed(&self.s);
        let products = [&self.pair[0] * &s, signed(&self.v) * s, &self.pair[1] * signed(&self.digest)];
        row.products = products.map(store_n);
        row.start = [self.start.x, self.start.y].map(|x| stored(&x));
        row.end = [self.end.x, self.end.y].map(|x| stored(&x));
        let last = Point::of(&curve.residues, &curve.ladder_end);
        let apart = invert(&(sums[0].x - last.x)).unwrap_or(Element::zero(&curve.residues));
        row.end_apart = stored(&apart);
        row.end_slope = stored(&((sums[0].y - last.y) * apart));
        row.key_x_canonical = canonical(&self.key.x, p);
        row.key_y_canonical = canonical(&self.key.y, p);
        row.nonce_x_canonical = canonical(&nonce_x, p);
        row.nonzero = nonzero(&row, n);
        let differs = self.steps.iter().filter(|s| s.is_diff == F::ONE).count();
        row.point_uses = [STEPS - differs, differs].map(F::from_usize);
        row.uses = F::from_u32(self.uses);
        row
    }
}

/// Short a, b with a s = -b r modulo n for the ratio -r / s: the first remainder of Euclid's algorithm on n and it below
/// 2^128.
fn short_pair(n: &BigUint, ratio: &BigUint) -> [BigInt; 2] {
    let (mut old, mut new) = ((signed(n), BigInt::from(0)), (signed(ratio), BigInt::from(1)));
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

fn comb_block(curve: &Curve, v: &BigUint) -> Option<(Point, Vec<CombCols<F>>)> {
    let digits = raw_bytes(v);
    let entry = |w: usize| Point::of(&curve.residues, &curve.comb[256 * w + usize::from(digits[w])]);
    let entries: Vec<Point> = (0..WINDOWS).map(entry).collect();
    let (sums, end) = additions(&Point::of(&curve.residues, &curve.comb_start), &entries)?;
    let row = |(w, sum): (usize, &Addition)| {
        let mut row = idle_addition();
        row.x = stored(&sum.x);
        row.slope = stored(&sum.slope);
        row.entry_x = stored(&entries[w].x);
        row.entry_y = stored(&entries[w].y);
        row.digit = F::from_u8(digits[w]);
        row.digit_uses = F::ONE;
        row
    };
    Some((end, sums.iter().enumerate().map(row).collect()))
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

fn ladder_rows(jobs: &[Job]) -> Vec<LadderCols<F>> {
    let mut rows = Vec::with_capacity(jobs.len() * LADDER_ROWS + 1);
    for k in 0..=jobs.len() {
        let mut boundary = idle_step();
        if let Some(ended) = k.checked_sub(1).and_then(|k| jobs.get(k)) {
            boundary.x = stored(&ended.end.x);
            boundary.slope_sum = stored(&ended.end.y);
            boundary.end_uses = F::ONE;
            if let Some(last) = ended.steps.last() {
                let add = |sum: F, bit: F, k: usize| sum + bit * F::from_u32(weight(STEPS - 1, k));
                boundary.sum_a = core::array::from_fn(|k| add(last.sum_a[k], last.bits[0], k));
                boundary.sum_b = core::array::from_fn(|k| add(last.sum_b[k], last.bits[1], k));
            }
        }
        if let Some(next) = jobs.get(k) {
            boundary.x_sum = stored(&next.start.x);
            boundary.slope_acc = stored(&next.start.y);
            boundary.start_uses = F::ONE;
        }
        rows.push(boundary);
        rows.extend(jobs.get(k).into_iter().flat_map(|j| j.steps.iter().copied()));
    }
    rows
}

fn comb_rows(jobs: &[Job]) -> Vec<CombCols<F>> {
    let mut rows = Vec::with_capacity(jobs.len() * COMB_ROWS + 1);
    for k in 0..=jobs.len() {
        let mut boundary = idle_addition();
        if let Some(ended) = k.checked_sub(1).and_then(|k| jobs.get(k)) {
            boundary.x = stored(&ended.start.x);
            boundary.slope = stored(&ended.start.y);
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
