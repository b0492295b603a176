//! Points for traces: Jacobian coordinates over residues in Montgomery form, with one inversion for many points.
//!
//! Sums are chords and doubles are tangents, whatever curve the points are on: a liar's points get the traces that the
//! identities of the tables describe.

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Limb, U256};
use num_bigint::BigUint;
use tsz_air::F;
use tsz_air::PrimeCharacteristicRing;

use super::curve::{Affine, Curve};
use crate::bigint::{BALANCE, LIMBS, raw_bytes};

/// A residue modulo p.
pub(super) type Element = FixedMontyForm<{ U256::LIMBS }>;
/// What arithmetic modulo a prime takes.
pub(super) type Params = FixedMontyParams<{ U256::LIMBS }>;

/// The number of 32 bytes, least significant first.
fn number(bytes: &[u8; LIMBS]) -> U256 {
    U256::from_le_slice(bytes)
}

/// A residue of a number below 2^256.
pub(super) fn element(params: &Params, x: &BigUint) -> Element {
    Element::new(&number(&raw_bytes(x)), params)
}

/// The least number of a residue.
pub(super) fn integer(x: &Element) -> BigUint {
    BigUint::from_bytes_le(x.retrieve().to_le_bytes().as_ref())
}

/// `1 / x`, or nothing for 0.
pub(super) fn invert(x: &Element) -> Option<Element> {
    x.invert_vartime().into_option()
}

/// Stored bytes of a balanced number congruent to `x`: [`crate::bigint::balanced_bytes`].
pub(super) fn stored(x: &Element) -> [F; LIMBS] {
    let shift = U256::from_le_slice(&[BALANCE as u8; LIMBS]);
    let (up, carry) = x.retrieve().carrying_add(&shift, Limb::ZERO);
    let up = if carry == Limb::ZERO { up } else { up.wrapping_sub(x.params().modulus().as_ref()) };
    let bytes = up.to_le_bytes();
    let bytes: &[u8] = bytes.as_ref();
    core::array::from_fn(|k| F::from_u8(bytes.get(k).copied().unwrap_or(0)))
}

/// A finite point.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub x: Element,
    pub y: Element,
}

impl Point {
    pub(super) fn of(params: &Params, point: &Affine) -> Self {
        Self { x: element(params, &point.x), y: element(params, &point.y) }
    }

    pub(super) fn affine(&self) -> Affine {
        Affine { x: integer(&self.x), y: integer(&self.y) }
    }

    pub(super) fn negative(&self) -> Self {
        Self { x: self.x, y: -self.y }
    }

    /// The third point of the line of this slope through the point and one with this abscissa, negated.
    pub(super) fn chord(&self, other: &Element, slope: &Element) -> Self {
        let x = slope.square() - self.x - other;
        Self { x, y: *slope * (self.x - x) - self.y }
    }

    /// The sum with a point of another abscissa.
    pub(super) fn plus(&self, other: &Self) -> Self {
        let apart = invert(&(other.x - self.x)).unwrap_or(Element::zero(self.x.params()));
        self.chord(&other.x, &((other.y - self.y) * apart))
    }

    fn projective(&self) -> Jacobian {
        Jacobian { x: self.x, y: self.y, z: Element::one(self.x.params()) }
    }
}

/// The point (x / z^2, y / z^3); none where z is 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jacobian {
    x: Element,
    y: Element,
    z: Element,
}

fn is_zero(x: &Element) -> bool {
    x.as_montgomery().is_zero_vartime()
}

impl Jacobian {
    /// Both coordinates from 1 / z.
    fn scaled(&self, z_inv: &Element) -> Point {
        let square = z_inv.square();
        Point { x: self.x * square, y: self.y * square * z_inv }
    }

    fn finite(&self) -> Option<Point> {
        Some(self.scaled(&invert(&self.z)?))
    }

    fn double(&self, a: &Element) -> Self {
        let yy = self.y.square();
        let s = (self.x * yy).double().double();
        let xx = self.x.square();
        let m = xx.double() + xx + *a * self.z.square().square();
        let x = m.square() - s.double();
        let y = m * (s - x) - yy.square().double().double().double();
        Self { x, y, z: (self.y * self.z).double() }
    }

    /// The sum, whatever the points are.
    fn add(&self, point: &Point, a: &Element) -> Self {
        if is_zero(&self.z) {
            return point.projective();
        }
        let sum = Chord::new(self, point);
        match (is_zero(&sum.run), is_zero(&sum.rise)) {
            (true, true) => self.double(a),
            // The sum is no point, and z is 0.
            _ => sum.sum,
        }
    }
}

/// A chord through a point in Jacobian coordinates and a finite one.
struct Chord {
    /// x_T z^2 - x_A: z of the sum is this times z of A.
    run: Element,
    /// y_T z^3 - y_A: the slope is this over z of the sum.
    rise: Element,
    /// The sum.
    sum: Jacobian,
    /// A with the z of the sum.
    start: [Element; 2],
}

impl Chord {
    fn new(a: &Jacobian, t: &Point) -> Self {
        let zz = a.z.square();
        let run = t.x * zz - a.x;
        let rise = t.y * zz * a.z - a.y;
        let square = run.square();
        let cube = square * run;
        let start = [a.x * square, a.y * cube];
        let x = rise.square() - cube - start[0].double();
        let y = rise * (start[0] - x) - start[1];
        Self { run, rise, sum: Jacobian { x, y, z: a.z * run }, start }
    }
}

/// A <- A + T, for the rows of a comb: x of A and the slope.
pub(super) struct Addition {
    pub x: Element,
    pub slope: Element,
}

/// A <- (A + T) + A, for the rows of a ladder: x of A, slope of A and T, x of A + T, slope of A and A + T.
pub(super) struct Double {
    pub x: Element,
    pub slope_sum: Element,
    pub x_sum: Element,
    pub slope_acc: Element,
}

/// The sums of a start and terms one by one, and the last; nothing where two points have one abscissa.
pub(super) fn additions(start: &Point, terms: &[Point]) -> Option<(Vec<Addition>, Point)> {
    let mut at = start.projective();
    let mut chords = Vec::with_capacity(terms.len());
    for term in terms {
        let chord = Chord::new(&at, term);
        at = chord.sum;
        chords.push(chord);
    }
    let mut z_inv = invert(&at.z)?;
    let end = at.scaled(&z_inv);
    let mut rows: Vec<Addition> = Vec::with_capacity(terms.len());
    for chord in chords.iter().rev() {
        let slope = chord.rise * z_inv;
        // 1 / z of A, whose abscissa stands in `start` with the z of the sum.
        rows.push(Addition { x: chord.start[0] * z_inv.square(), slope });
        z_inv *= chord.run;
    }
    rows.reverse();
    Some((rows, end))
}

/// The ladder from a start over terms, and its end; nothing where two points have one abscissa.
pub(super) fn ladder(start: &Point, terms: &[Point]) -> Option<(Vec<Double>, Point)> {
    /// A + (A + T) with both in one z.
    struct Second {
        run: Element,
        rise: Element,
    }
    let mut at = start.projective();
    let mut steps = Vec::with_capacity(terms.len());
    for term in terms {
        let chord = Chord::new(&at, term);
        let ([x, y], sum) = (chord.start, chord.sum);
        let (run, rise) = (sum.x - x, sum.y - y);
        let square = run.square();
        let (first, second) = (x * square, sum.x * square);
        let x = rise.square() - first - second;
        let y = rise * (first - x) - y * (second - first);
        at = Jacobian { x, y, z: sum.z * run };
        steps.push((chord, Second { run, rise }));
    }
    let mut z_inv = invert(&at.z)?;
    let end = at.scaled(&z_inv);
    let mut rows: Vec<Double> = Vec::with_capacity(terms.len());
    for (chord, second) in steps.iter().rev() {
        let slope_acc = second.rise * z_inv;
        z_inv *= second.run;
        let slope_sum = chord.rise * z_inv;
        let square = z_inv.square();
        rows.push(Double { x: chord.start[0] * square, slope_sum, x_sum: chord.sum.x * square, slope_acc });
        z_inv *= chord.run;
    }
    rows.reverse();
    Some((rows, end))
}

/// Finite points with one inversion for all; nothing if one of them is none.
fn finite(points: &[Jacobian]) -> Option<Vec<Point>> {
    let Some(first) = points.first() else { return Some(Vec::new()) };
    let mut product = Element::one(first.z.params());
    // The product of all z before each point.
    let mut before = Vec::with_capacity(points.len());
    for point in points {
        before.push(product);
        product *= point.z;
    }
    let mut rest = invert(&product)?;
    let mut out: Vec<Point> = Vec::with_capacity(points.len());
    for (point, before) in points.iter().zip(&before).rev() {
        out.push(point.scaled(&(rest * before)));
        rest *= point.z;
    }
    out.reverse();
    Some(out)
}

impl Curve {
    fn coefficient(&self) -> Element {
        let size = element(&self.residues, &BigUint::from(self.a.unsigned_abs()));
        if self.a < 0 { -size } else { size }
    }

    /// `sum k P`, or nothing where that is no point.
    pub(super) fn combination(&self, terms: &[(BigUint, Point)]) -> Option<Point> {
        let a = self.coefficient();
        let zero = Element::zero(&self.residues);
        let mut sum = Jacobian { x: zero, y: zero, z: zero };
        let bits = terms.iter().map(|(k, _)| k.bits()).fold(0, u64::max);
        for bit in (0..bits).rev() {
            sum = sum.double(&a);
            for (_, point) in terms.iter().filter(|(k, _)| k.bit(bit)) {
                sum = sum.add(point, &a);
            }
        }
        sum.finite()
    }

    /// 2^`times` of a point.
    pub(super) fn doubled(&self, point: &Point, times: usize) -> Option<Point> {
        let a = self.coefficient();
        (0..times).fold(point.projective(), |sum, _| sum.double(&a)).finite()
    }

    /// 1, 2, .. 256 times a point.
    pub(super) fn multiples(&self, point: &Point) -> Option<Vec<Point>> {
        let a = self.coefficient();
        let more = |sum: &Jacobian| Some(sum.add(point, &a));
        let all: Vec<Jacobian> = core::iter::successors(Some(point.projective()), more).take(256).collect();
        finite(&all)
    }
}
