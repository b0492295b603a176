//! Verification of many signatures, one for each lane of a SIMD vector.
//!
//! The verdicts are those of [`PublicKey::verify`], one by one. A random linear combination cannot be used: a
//! signature is (e, s), and R has to be recomputed from it before it can be hashed (docs/src/signatures.md). But all
//! signatures take the same steps, so [`LANES`] of them run at once.
//!
//! A lane that meets a case which the branchless addition does not have (equal or opposite points; nobody can
//! arrange it without the logarithm of H) ends with Z = 0, and its signature is verified alone. So is a signature
//! by a key whose identifier is of two points.

use alloc::vec::Vec;

use p3_field::{PackedValue, PrimeCharacteristicRing};
use tsz_hash::{Digest, F, step_packed};

use crate::challenge::{Challenge, point_id};
use crate::comb::{START, fixed_base};
use crate::scalar::Scalar;
use crate::wide::{Pack, WideJacobian, WidePoint};
use crate::{KeyId, Point, PublicKey, Signature};

pub use crate::wide::LANES;

/// A signature to be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who signed.
    pub key: PublicKey,
    /// The digest that was signed.
    pub message: Digest,
    /// The signature.
    pub signature: Signature,
}

impl Claim {
    /// Whether the signature holds: [`PublicKey::verify`].
    pub fn verify(&self) -> bool {
        self.key.verify(&self.message, &self.signature).is_ok()
    }
}

/// Base-4 digits of the challenge that are taken at once.
const STEP: usize = 2;
/// Odd multiples of a key in its table.
const ODD: usize = 8;

/// Whether each signature holds, on one core: callers with more cores give a part to each, in multiples of
/// [`LANES`].
pub fn verify_batch(claims: &[Claim]) -> Vec<bool> {
    claims.chunks(LANES).flat_map(|chunk| verify_lanes(chunk).into_iter().take(chunk.len())).collect()
}

/// Verifies 1..=[`LANES`] signatures; lanes without one repeat the first.
fn verify_lanes(chunk: &[Claim]) -> [bool; LANES] {
    let claims: [&Claim; LANES] = core::array::from_fn(|lane| chunk.get(lane).unwrap_or(&chunk[0]));
    let r = nonce_points(&claims);
    let affine = r.to_affine();
    let ids: [KeyId; LANES] = claims.map(|claim| claim.key.key_id());
    let points: [Point; LANES] = core::array::from_fn(|lane| affine.lane(lane));
    let lanes = challenge_lanes(&ids, &points.map(|p| point_id(&p)), &claims.map(|claim| claim.message));
    core::array::from_fn(|lane| {
        let claim = claims[lane];
        let exceptional = r.z.0.iter().all(|pack| pack.as_slice()[lane] == F::ZERO);
        let holds = Challenge::from_lanes(&lanes[lane]) == Some(claim.signature.e);
        let two_points = ids[lane][7] == F::ZERO;
        if exceptional || (two_points && !holds) { claim.verify() } else { holds }
    })
}

/// step(R, step(key, message)) in every lane.
fn challenge_lanes(keys: &[KeyId; LANES], r: &[KeyId; LANES], messages: &[Digest; LANES]) -> [Digest; LANES] {
    let pack = |rows: &[Digest; LANES]| -> [Pack; 8] {
        core::array::from_fn(|i| Pack::from_fn(|lane| rows[lane][i]))
    };
    let hash = step_packed(&pack(r), &step_packed(&pack(keys), &pack(messages)));
    core::array::from_fn(|lane| core::array::from_fn(|i| hash[i].as_slice()[lane]))
}

/// R = s*G + c*P + 2^120 H, as [`PublicKey::nonce_point`].
fn nonce_points(claims: &[&Claim; LANES]) -> WideJacobian {
    let tables = odd_multiples(&WidePoint::gather(&claims.map(|claim| *claim.key.point())));
    let mut acc = start(&claims.map(|claim| claim.signature.s * Scalar::LADDER_START));
    let digits = claims.map(|claim| claim.signature.e.digits());
    for i in (0..crate::LADDER_DIGITS).step_by(STEP).rev() {
        // (2 u1 - 3) 4 + (2 u0 - 3) = 2 u - 15 with u = 4 u1 + u0
        let addend = core::array::from_fn(|lane| {
            let u = usize::from(4 * digits[lane][i + 1] + digits[lane][i]);
            if u < ODD { tables[lane][ODD - 1 - u].neg() } else { tables[lane][u - ODD] }
        });
        acc = acc.double_times(2 * STEP).add(&WidePoint::gather(&addend));
    }
    acc
}

/// P, 3P, .. 15P of every lane. The order of P is prime and above 15, so no addition is exceptional.
fn odd_multiples(p: &WidePoint) -> [[Point; ODD]; LANES] {
    let first = WideJacobian::from(*p);
    let twice = first.double_times(1).to_affine();
    let mut multiple = first;
    let mut odd = Vec::with_capacity(ODD);
    for _ in 0..ODD {
        odd.push(multiple);
        multiple = multiple.add(&twice);
    }
    let odd = WideJacobian::batch_to_affine(&odd);
    core::array::from_fn(|lane| core::array::from_fn(|k| odd[k].lane(lane)))
}

/// s*G + H of every lane.
fn start(scalars: &[Scalar; LANES]) -> WideJacobian {
    let comb = fixed_base();
    let indices: [Vec<usize>; LANES] = core::array::from_fn(|lane| comb.indices(&scalars[lane]).collect());
    let mut acc = WideJacobian::from(WidePoint::broadcast(&START));
    for (w, entries) in comb.windows().iter().enumerate() {
        acc = acc.add(&WidePoint::gather(&core::array::from_fn(|lane| entries[indices[lane][w]])));
    }
    acc
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::{Curve, Jacobian};
    use crate::ext::Ext;
    use crate::wide::Wide;
    use crate::{SecretKey, Septic};

    fn claims(n: usize) -> Vec<Claim> {
        let claim = |k: usize| {
            let key = SecretKey::from_seed(&[k as u8 % 5, 9]);
            let message = core::array::from_fn(|i| F::from_usize(31 * k + i));
            Claim { key: key.public_key(), message, signature: key.sign(&message) }
        };
        (0..n).map(claim).collect()
    }

    #[test]
    fn lanes_compute_the_nonce_points_of_single_signatures() {
        let claims = claims(LANES);
        let lanes: [&Claim; LANES] = core::array::from_fn(|lane| &claims[lane]);
        let points = nonce_points(&lanes).to_affine();
        for (lane, claim) in claims.iter().enumerate() {
            assert_eq!(Some(points.lane(lane)), claim.key.nonce_point(&claim.signature));
        }
    }

    #[test]
    fn lanes_of_the_field_are_the_field() {
        let a: [Septic; LANES] =
            core::array::from_fn(|k| Ext(core::array::from_fn(|i| F::from_usize(k * k + 7 * i))));
        let b: [Septic; LANES] =
            core::array::from_fn(|k| Ext(core::array::from_fn(|i| -F::from_usize(k + i * i))));
        let lane = |w: Wide, k: usize| WidePoint { x: w, y: w }.lane(k).x;
        let (wa, wb) = (Wide::gather(&a), Wide::gather(&b));
        for k in 0..LANES {
            assert_eq!(lane(wa * wb, k), a[k] * b[k]);
            assert_eq!(lane(wa - wb, k), a[k] - b[k]);
            assert_eq!(lane(-wa + wb.double(), k), b[k].double() - a[k]);
            assert_eq!(lane(wa.inverse(), k), a[k].inverse());
            assert_eq!(lane(Wide::batch_inverse(&[wb, wa * wb, wb])[2], k), b[k].inverse());
        }
        assert_eq!(lane((wa - wa).inverse(), 0), Septic::ZERO);
    }

    #[test]
    fn an_exceptional_addition_leaves_a_zero_for_good() {
        let g = <Ext<7> as Curve<7>>::G;
        let other = g.double();
        for q in [g, g.neg()] {
            let mut points = [other; LANES];
            points[LANES - 1] = q;
            let sum = WideJacobian::from(WidePoint::broadcast(&g)).add(&WidePoint::gather(&points));
            let later = sum.double_times(4).add(&WidePoint::broadcast(&other.double()));
            for sum in [sum, later] {
                let zero = |lane: usize| sum.z.0.iter().all(|pack| pack.as_slice()[lane] == F::ZERO);
                assert!(zero(LANES - 1));
                assert!((0..LANES - 1).all(|lane| !zero(lane)));
            }
        }
        let sum = Jacobian::from(g).add_affine(&other).to_affine();
        let wide = WideJacobian::from(WidePoint::broadcast(&g)).add(&WidePoint::broadcast(&other));
        assert_eq!(Some(wide.to_affine().lane(0)), sum);
    }
}
