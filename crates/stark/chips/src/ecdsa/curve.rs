//! Curves y^2 = x^3 + a x + b of prime order near 2^256, and affine arithmetic for traces and constants.

use std::sync::LazyLock;

use crypto_bigint::{Odd, U256};
use num_bigint::{BigInt, BigUint};
use tsz_air::LookupBus;

use crate::bigint::{LIMBS, Modulus, balanced_bytes};

use super::points::{Params, Point};
use super::{STEPS, WINDOWS};

/// A finite point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affine {
    /// Abscissa, below p.
    pub x: BigUint,
    /// Ordinate, below p.
    pub y: BigUint,
}

/// Names of the buses of a curve's tables.
#[derive(Clone, Debug)]
pub struct Buses {
    /// `.._start`: id, x, y. Where the ladder of block `id` starts.
    pub start: LookupBus<'static>,
    /// `.._end`: id, limbs of A and B, x, y. Where it ends, and its digits.
    pub end: LookupBus<'static>,
    /// `.._point`: id, which, x, y. Q + R (0) and Q - R (1) of signature `id`.
    pub point: LookupBus<'static>,
    /// `.._digit`: id, window, digit. A byte of the multiplier of block `id` of the comb.
    pub digit: LookupBus<'static>,
    /// `.._multiple`: id, x, y. The end of block `id` of the comb.
    pub multiple: LookupBus<'static>,
    /// `.._entry`: window, digit, x, y. An entry of the comb.
    pub entry: LookupBus<'static>,
    /// `ecdsa_..`: x\[32\], y\[32\], digest\[32\], raw bytes, little-endian. The key signed the digest.
    pub verified: LookupBus<'static>,
}

/// A curve with everything that its tables hold as constants.
#[derive(Debug)]
pub struct Curve {
    /// Name, a prefix of table names.
    pub name: &'static str,
    /// p.
    pub field: Modulus,
    /// n.
    pub order: Modulus,
    /// Number of p in table `mulmod`; that of n is one more.
    pub modulus_id: u32,
    /// a.
    pub a: i64,
    /// b.
    pub b: BigUint,
    /// The base point.
    pub generator: Affine,
    /// A point of unknown logarithm: SHA-256("TS-zkVM/" name "/H" counter), the first abscissa, even ordinate.
    pub offset: Affine,
    /// Where the comb starts: H - (1 + 256 + .. + 256^31) G.
    pub comb_start: Affine,
    /// 2^STEPS H: where a ladder without digits would end.
    pub ladder_end: Affine,
    /// Entries of the comb: window w, digit v: (v + 1) 256^w G.
    pub comb: Vec<Affine>,
    /// Buses.
    pub buses: Buses,
    /// Arithmetic modulo p.
    pub(super) residues: Params,
    /// Arithmetic modulo n.
    pub(super) scalars: Params,
}

/// NIST P-256.
pub static P256: LazyLock<Curve> = LazyLock::new(|| {
    let bus = LookupBus::new;
    Constants {
        name: "p256",
        p: "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
        n: "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        a: -3,
        b: "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
        g: [
            "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
            "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
        ],
        h: [
            "850feb748504625c283a080178efb07426f784e655de7183b6565a24a42f8710",
            "8ecfce5723673fd205b8c7826ff67bf53f52adf0ccf703df6374897a03ae9596",
        ],
    }
    .curve(
        0,
        Buses {
            start: bus("p256_start"),
            end: bus("p256_end"),
            point: bus("p256_point"),
            digit: bus("p256_digit"),
            multiple: bus("p256_multiple"),
            entry: bus("p256_entry"),
            verified: bus("ecdsa_p256"),
        },
    )
});

/// secp256k1 (SEC 2).
pub static SECP256K1: LazyLock<Curve> = LazyLock::new(|| {
    let bus = LookupBus::new;
    Constants {
        name: "secp256k1",
        p: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f",
        n: "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
        a: 0,
        b: "7",
        g: [
            "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
            "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8",
        ],
        h: [
            "b88223260b3d3f508b996968bd48528ca1a6f7b43117ca2d566ed345ad846630",
            "d141afd5699307fe0a0bdebe997678c6762d1a3aac71b42ee0f9d865f95534d8",
        ],
    }
    .curve(
        2,
        Buses {
            start: bus("secp256k1_start"),
            end: bus("secp256k1_end"),
            point: bus("secp256k1_point"),
            digit: bus("secp256k1_digit"),
            multiple: bus("secp256k1_multiple"),
            entry: bus("secp256k1_entry"),
            verified: bus("ecdsa_secp256k1"),
        },
    )
});

struct Constants {
    name: &'static str,
    p: &'static str,
    n: &'static str,
    a: i64,
    b: &'static str,
    g: [&'static str; 2],
    h: [&'static str; 2],
}

fn number(hex: &str) -> BigUint {
    BigUint::parse_bytes(hex.as_bytes(), 16).unwrap_or_default()
}

impl Constants {
    fn curve(self, modulus_id: u32, buses: Buses) -> Curve {
        let point = |[x, y]: [&str; 2]| Affine { x: number(x), y: number(y) };
        let (generator, offset) = (point(self.g), point(self.h));
        let mut curve = Curve {
            name: self.name,
            field: Modulus::new(number(self.p)),
            order: Modulus::new(number(self.n)),
            modulus_id,
            a: self.a,
            b: number(self.b),
            comb_start: offset.clone(),
            ladder_end: offset.clone(),
            comb: Vec::new(),
            generator,
            offset,
            buses,
            residues: Params::new_vartime(Odd::<U256>::from_be_hex(self.p)),
            scalars: Params::new_vartime(Odd::<U256>::from_be_hex(self.n)),
        };
        curve.fill();
        curve
    }
}

impl Curve {
    /// Computes the constants that follow from the others. No addition meets an exception: the points are multiples
    /// of G that differ, or hold a multiple of H.
    fn fill(&mut self) {
        let of = |point: &Affine| Point::of(&self.residues, point);
        let (mut base, mut start) = (of(&self.generator), of(&self.offset));
        let mut comb = Vec::with_capacity(256 * WINDOWS);
        for _ in 0..WINDOWS {
            start = start.plus(&base.negative());
            let entries = self.multiples(&base).unwrap_or_default();
            comb.extend(entries.iter().map(Point::affine));
            base = entries.last().copied().unwrap_or(base);
        }
        self.ladder_end = self.doubled(&of(&self.offset), STEPS).map_or(self.offset.clone(), |p| p.affine());
        (self.comb, self.comb_start) = (comb, start.affine());
    }

    /// Stored bytes of a balanced coordinate.
    pub fn balanced(&self, x: &BigUint) -> [u8; LIMBS] {
        balanced_bytes(x, &self.field.value)
    }

    /// `x mod p`.
    pub fn reduce(&self, x: BigInt) -> BigUint {
        modulo(x, &self.field.value)
    }

    /// `num / den mod p`; 0 for a denominator 0.
    pub fn divide(&self, num: &BigInt, den: &BigInt) -> BigUint {
        let den = self.reduce(den.clone()).modinv(&self.field.value).unwrap_or_default();
        self.reduce(num * BigInt::from(den))
    }

    /// a + b for different abscissas.
    pub fn sum(&self, a: &Affine, b: &Affine) -> Affine {
        Point::of(&self.residues, a).plus(&Point::of(&self.residues, b)).affine()
    }

    /// 2 a.
    pub fn double(&self, a: &Affine) -> Affine {
        self.doubled(&Point::of(&self.residues, a), 1).map_or(a.clone(), |p| p.affine())
    }

    /// k a for k < 2^256, or nothing for a multiple of n.
    pub fn multiple(&self, k: &BigUint, a: &Affine) -> Option<Affine> {
        Some(self.combination(&[(k.clone(), Point::of(&self.residues, a))])?.affine())
    }

    /// Whether the point is on the curve with coordinates below p.
    pub fn holds(&self, a: &Affine) -> bool {
        let (x, y) = (signed(&a.x), signed(&a.y));
        let rest = &y * &y - &x * &x * &x - self.a * &x - signed(&self.b);
        a.x < self.field.value && a.y < self.field.value && self.reduce(rest) == BigUint::default()
    }
}

pub(super) fn signed(x: &BigUint) -> BigInt {
    BigInt::from(x.clone())
}

/// `x mod m` for any sign.
pub(super) fn modulo(x: BigInt, m: &BigUint) -> BigUint {
    let m = BigInt::from(m.clone());
    let x = ((x % &m) + &m) % &m;
    x.to_biguint().unwrap_or_default()
}
