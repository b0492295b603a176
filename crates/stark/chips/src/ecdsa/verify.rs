//! The verification equation of one signature a row.

use num_bigint::BigUint;
use tsz_air::{
    Air, AirBuilder, BaseAir, Columns, Count, F, InteractionBuilder, PrimeCharacteristicRing, RowMajorMatrix,
    TableAir, Trace, WindowAccess,
};

use super::columns::{Canonical, VerifyCols};
use super::curve::Curve;
use super::{Heights, LIMBS_24, MULTIPLIER_BYTES, STEPS, WINDOWS};
use crate::bigint::mulmod::{check_bytes, lookup};
use crate::bigint::{LIMBS, Number, Ring, balanced, raw, raw_bytes};

/// Products modulo p, then modulo n.
pub(super) const PRODUCTS: [usize; 2] = [17, 5];

/// The AIR; rows beyond the blocks of the ladder hold no signature.
#[derive(Clone, Debug)]
pub struct VerifyTable {
    curve: &'static Curve,
    log_height: usize,
    blocks: usize,
}

impl VerifyTable {
    /// The table beside ladders and combs of these heights.
    pub fn new(curve: &'static Curve, heights: &Heights) -> Self {
        Self { curve, log_height: heights.verify, blocks: heights.capacity() }
    }

    /// Rows that hold a signature.
    pub fn blocks(&self) -> usize {
        self.blocks
    }
}

impl TableAir for VerifyTable {
    fn name(&self) -> String {
        format!("{}_verify", self.curve.name)
    }
    fn column_names(&self) -> Vec<String> {
        <VerifyCols<F> as Columns<F>>::names()
    }
}

impl BaseAir<F> for VerifyTable {
    fn width(&self) -> usize {
        VerifyCols::<F>::WIDTH
    }
    fn preprocessed_width(&self) -> usize {
        2
    }
    /// The number of the row's block, and 1 if the ladder has it.
    fn preprocessed_trace(&self) -> Option<Trace> {
        let row = |r: usize| [F::from_usize(r + 1), F::from_bool(r < self.blocks)];
        Some(RowMajorMatrix::new((0..1 << self.log_height).flat_map(row).collect(), 2))
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
    fn preprocessed_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
}

/// 2^(STEPS - 1) as bytes.
pub(super) fn half() -> [u8; MULTIPLIER_BYTES] {
    core::array::from_fn(|k| u8::from(k == (STEPS - 1) / 8) << ((STEPS - 1) % 8))
}

/// Operands X, Y, Z of the products of a row: the first of [`PRODUCTS`] modulo p, the rest modulo n.
pub(super) fn products<E: Ring, V: Into<E> + Copy>(
    curve: &Curve,
    row: &VerifyCols<V>,
) -> Vec<[Number<E>; 3]> {
    let (qx, qy, rx) = (raw::<E, _>(&row.key_x), raw::<E, _>(&row.key_y), raw::<E, _>(&row.nonce_x));
    let ry = balanced::<E, _>(&row.nonce_y);
    let one = Number::<E>::small(1);
    let mut out = Vec::with_capacity(PRODUCTS[0] + PRODUCTS[1]);
    // Q and R are on the curve: x^2, y^2, (x^2 + a) x = y^2 - b.
    let b = raw::<E, E>(&raw_bytes(&curve.b).map(|b| E::int(b.into())));
    for (x, y, squares) in [(&qx, &qy, &row.key_squares), (&rx, &ry, &row.nonce_squares)] {
        let [xx, yy] = [balanced::<E, _>(&squares[0]), balanced::<E, _>(&squares[1])];
        out.push([x.clone(), x.clone(), xx.clone()]);
        out.push([y.clone(), y.clone(), yy.clone()]);
        out.push([x.clone(), xx.add(&Number::small(curve.a)), yy.sub(&b)]);
    }
    // x_R != x_Q, so S and D are finite and their slopes are one value each.
    let run = rx.sub(&qx);
    out.push([run.clone(), balanced(&row.apart), one.clone()]);
    for ([slope, x, y], other) in [(&row.sum, ry.clone()), (&row.difference, ry.neg())] {
        let (l, x, y) = (balanced::<E, _>(slope), balanced::<E, _>(x), balanced::<E, _>(y));
        out.push([run.clone(), l.clone(), other.sub(&qy)]);
        out.push([l.clone(), l.clone(), x.add(&rx).add(&qx)]);
        out.push([l, qx.sub(&x), y.add(&qy)]);
    }
    // The ladder ends at K + S, K = 2^STEPS H.
    let (kx, ky) = (curve.balanced(&curve.ladder_end.x), curve.balanced(&curve.ladder_end.y));
    let (kx, ky) = (Number::<E>::constant(&kx), Number::<E>::constant(&ky));
    let (sx, sy) = (balanced::<E, _>(&row.sum[1]), balanced::<E, _>(&row.sum[2]));
    let (ex, ey) = (balanced::<E, _>(&row.end[0]), balanced::<E, _>(&row.end[1]));
    let (run, l) = (sx.sub(&kx), balanced::<E, _>(&row.end_slope));
    out.push([run.clone(), balanced(&row.end_apart), one]);
    out.push([run, l.clone(), sy.sub(&ky)]);
    out.push([l.clone(), l.clone(), sx.add(&kx).add(&ex)]);
    out.push([l, kx.sub(&ex), ey.add(&ky)]);

    // a s = z1, b r = -z1; v s = z2, 2^(STEPS-1) z2 = -b e.
    let half = Number::<E>(core::array::from_fn(|k| E::int(half().get(k).map_or(0, |b| i64::from(*b)))));
    let (a, b) = (raw::<E, _>(&row.multiplier_a).sub(&half), raw::<E, _>(&row.multiplier_b).sub(&half));
    let (s, v) = (balanced::<E, _>(&row.response), raw::<E, _>(&row.multiplier_g));
    let [z1, z2, z3] = [0, 1, 2].map(|k| balanced::<E, _>(&row.products[k]));
    out.push([a, s.clone(), z1.clone()]);
    out.push([b.clone(), rx, z1.neg()]);
    out.push([v, s, z2.clone()]);
    out.push([half, z2, z3.neg()]);
    out.push([b, raw(&row.digest), z3]);
    out
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for VerifyTable {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = VerifyCols::from_row(main.current_slice());
        let (id, has_block): (AB::Expr, AB::Expr) = {
            let preprocessed = builder.preprocessed();
            let fixed = preprocessed.current_slice();
            (fixed[0].into(), fixed[1].into())
        };
        let (p, n) = (&self.curve.field.value, &self.curve.order.value);
        eval_canonical(builder, &row.key_x, &row.key_x_canonical, p, &has_block);
        eval_canonical(builder, &row.key_y, &row.key_y_canonical, p, &has_block);
        eval_canonical(builder, &row.nonce_x, &row.nonce_x_canonical, p, &has_block);
        eval_nonzero(builder, &row, n, &has_block);
        for (k, operands) in products::<AB::Expr, AB::Var>(self.curve, &row).into_iter().enumerate() {
            let id = self.curve.modulus_id + u32::from(k >= PRODUCTS[0]);
            lookup(builder, id, operands, has_block.clone());
        }
        eval_bytes(builder, &row, &has_block);
        self.eval_messages(builder, &row, id, has_block);
    }
}

/// x <= m - 1: x + rest = m - 1 in limbs of 16 bits with carries; every side is below 2^18.
fn eval_canonical<AB: AirBuilder<F = F>>(
    builder: &mut AB,
    x: &[AB::Var; LIMBS],
    canonical: &Canonical<AB::Var>,
    modulus: &BigUint,
    flag: &AB::Expr,
) {
    let top = raw_bytes(&(modulus - 1u8));
    let radix = AB::Expr::from_u32(256);
    for k in 0..LIMBS / 2 {
        let limb = |v: &[AB::Var; LIMBS]| v[2 * k].into() + v[2 * k + 1].into() * radix.clone();
        let mut sum = limb(x) + limb(&canonical.rest);
        if k > 0 {
            sum += canonical.carries[k - 1].into();
        }
        if let Some(carry) = canonical.carries.get(k) {
            builder.assert_bool(*carry);
            sum -= (*carry).into() * AB::Expr::from_u32(1 << 16);
        }
        let limb = u32::from(top[2 * k]) + (u32::from(top[2 * k + 1]) << 8);
        builder.assert_eq(sum, flag.clone() * AB::Expr::from_u32(limb));
    }
}

/// r != 0 and r != n for r = x_R < p < 2 n; b != 0 for |b| < n. Sums of squares of bytes are below p.
fn eval_nonzero<AB: AirBuilder<F = F>>(
    builder: &mut AB,
    row: &VerifyCols<AB::Var>,
    order: &BigUint,
    flag: &AB::Expr,
) {
    let squares = |bytes: &[AB::Var], of: &[u8]| -> AB::Expr {
        let difference = |(b, of): (&AB::Var, &u8)| (*b).into() - AB::Expr::from_u8(*of);
        bytes.iter().zip(of).map(difference).map(|d| d.clone() * d).sum()
    };
    let any: AB::Expr = row.nonce_x.iter().map(|b| (*b).into()).sum();
    let sums = [any, squares(&row.nonce_x, &raw_bytes(order)), squares(&row.multiplier_b, &half())];
    for (sum, inverse) in sums.into_iter().zip(row.nonzero) {
        builder.assert_eq(sum * inverse, flag.clone());
    }
}

/// Every number is made of bytes.
fn eval_bytes<AB: InteractionBuilder<F = F>>(builder: &mut AB, row: &VerifyCols<AB::Var>, flag: &AB::Expr) {
    let singles = [
        row.key_x,
        row.key_y,
        row.digest,
        row.nonce_x,
        row.nonce_y,
        row.apart,
        row.response,
        row.end_apart,
        row.end_slope,
        row.key_x_canonical.rest,
        row.key_y_canonical.rest,
        row.nonce_x_canonical.rest,
    ];
    let mut bytes: Vec<AB::Var> = singles.into_iter().flatten().collect();
    bytes.extend(row.key_squares.into_iter().chain(row.nonce_squares).flatten());
    bytes.extend(row.sum.into_iter().chain(row.difference).chain(row.products).flatten());
    bytes.extend(row.multiplier_a.into_iter().chain(row.multiplier_b));
    check_bytes(builder, &bytes, flag.clone());
}

/// Limbs of 24 bits of a multiplier.
fn limbs24<E: PrimeCharacteristicRing, V: Into<E> + Copy>(bytes: &[V; MULTIPLIER_BYTES]) -> [E; LIMBS_24] {
    core::array::from_fn(|k| {
        let limb = bytes.iter().skip(3 * k).take(3).rev();
        limb.fold(E::ZERO, |acc, b| acc * E::from_u32(256) + (*b).into())
    })
}

impl VerifyTable {
    fn eval_messages<AB: InteractionBuilder<F = F>>(
        &self,
        builder: &mut AB,
        row: &VerifyCols<AB::Var>,
        id: AB::Expr,
        flag: AB::Expr,
    ) {
        let buses = &self.curve.buses;
        let once = || Count::bounded(flag.clone(), 1);
        let start = || row.start.into_iter().flatten().map(Into::into);
        let head = || core::iter::once(id.clone());
        buses.start.lookup_key(builder, head().chain(start()), once());
        buses.multiple.lookup_key(builder, head().chain(start()), once());
        let digits = limbs24::<AB::Expr, _>(&row.multiplier_a).into_iter().chain(limbs24(&row.multiplier_b));
        let end = row.end.into_iter().flatten().map(Into::into);
        buses.end.lookup_key(builder, head().chain(digits).chain(end), once());
        for w in 0..WINDOWS {
            let digit = [id.clone(), AB::Expr::from_usize(w), row.multiplier_g[w].into()];
            buses.digit.lookup_key(builder, digit, once());
        }
        for (which, point) in [&row.sum, &row.difference].into_iter().enumerate() {
            let xy = point[1].into_iter().chain(point[2]).map(Into::into);
            let fields = head().chain([AB::Expr::from_usize(which)]).chain(xy);
            buses.point.table_entry(builder, fields, row.point_uses[which]);
        }
        builder.assert_zero((AB::Expr::ONE - flag.clone()) * row.uses);
        let fields = row.key_x.into_iter().chain(row.key_y).chain(row.digest);
        buses.verified.table_entry(builder, fields, row.uses);
    }
}
