//! Times of a token, in decimal seconds, against the batch time in milliseconds.

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing, bus};
use tsz_auth::social::DIGITS;
use tsz_chips::oidc::pack;
use tsz_gadgets::columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::row::{Row, c, pad8};
use tsz_hash::{Domain, hash_bytes};

columns! {
    /// A number of ten digits and how it compares with the batch time.
    pub struct Time {
        /// The digits as characters; bus `bytes`, bound to the token by `digest`.
        characters: [DIGITS],
        /// Digest of the characters; bus `p2`.
        digest: [8],
        /// 3,934 times the upper five digits, over 2^12: 18 bits; range12.
        quotient: (U24),
        /// The rest of that division; range12.
        rest: felt,
        /// What is between the number and the batch time, ms (48 bits); range12.
        margin: (U24 * 2),
        /// Carry of the low limbs, with an offset; < 2^4 by two lookups.
        carry: felt,
    }
}

/// How a time is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// T + 1 + margin: the number is after the batch time.
    After,
    /// At most so many ms after the batch time.
    AtMost(u32),
}

impl Rule {
    /// What is added to the carry.
    const fn offset(self) -> u32 {
        match self {
            Self::After => 2,
            Self::AtMost(_) => 12,
        }
    }
}

/// Upper and lower five digits.
fn halves<E: PrimeCharacteristicRing + Clone>(characters: &[E; DIGITS], real: &E) -> [E; 2] {
    let digits = |part: &[E]| {
        let digit = |x: &E| x.clone() - real.clone() * c::<E>(u32::from(b'0'));
        part.iter().fold(E::ZERO, |acc, x| acc * c::<E>(10) + digit(x))
    };
    [digits(&characters[..5]), digits(&characters[5..])]
}

impl Time<F> {
    /// The columns of a number of a token.
    pub(crate) fn of(characters: &[u8], time: u64, rule: Rule) -> Self {
        let at = |k: usize| characters.get(k).copied().unwrap_or(b'0');
        let digits: [u8; DIGITS] = core::array::from_fn(at);
        let value = |part: &[u8]| part.iter().fold(0i64, |acc, d| 10 * acc + i64::from(*d) - i64::from(b'0'));
        let (upper, lower) = (value(&digits[..5]), value(&digits[5..]));
        let (quotient, rest) = ((3_934 * upper) >> 12, (3_934 * upper) & 0xfff);
        let low = 256 * upper + 1_000 * lower + 4_096 * rest;
        let value = low + ((5 * upper + quotient) << 24);
        let (time_low, time) = (time as i64 & 0xff_ffff, time as i64);
        let (margin, distance) = match rule {
            Rule::After => (value - time - 1, low - 1 - time_low),
            Rule::AtMost(skew) => (time + i64::from(skew) - value, time_low + i64::from(skew) - low),
        };
        let margin_low = margin & 0xff_ffff;
        let carry = (distance - margin_low) >> 24;
        Self {
            characters: digits.map(F::from_u8),
            digest: hash_bytes(&digits),
            quotient: U24::of(quotient as u32),
            rest: F::from_u32(rest as u32),
            // That of a number on the wrong side satisfies nothing.
            margin: [margin_low, margin >> 24].map(|limb| U24::of(limb as u32 & 0xff_ffff)),
            carry: F::from_i64(carry + i64::from(rule.offset())),
        }
    }
}

/// The digest of the characters is `t.digest`, and the number keeps `rule` at batch time `time`.
///
/// 1,000 times the number n = 10^5 u + l is `256 u + 1000 l + 2^12 (3934 u) + 2^24 (5 u)`, as 10^8 = 256 + 3934 * 2^12 +
/// 5 * 2^24. With `3934 u = 2^12 quotient + rest` it has the limbs `low = 256 u + 1000 l + 2^12 rest` (below 2^28) and
/// `high = 5 u + quotient`; two equations of integers below 2^29 in size compare them with T and the margin.
pub(crate) fn constrain<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    t: &Time<AB::Expr>,
    time: &[AB::Expr; 2],
    rule: Rule,
) -> Digested<AB::Expr> {
    let real = row.real.clone();
    for pair in t.characters.chunks(2) {
        bus::bytes::lookup(row.builder(), [pair[0].clone(), pair[1].clone()], real.clone());
    }
    let iv = Domain::Bytes.iv(DIGITS).map(AB::Expr::from);
    row.step(&real, pad8(&pack(&t.characters)), &iv, &t.digest);

    let [upper, lower] = halves(&t.characters, &real);
    row.range(t.quotient.lo.clone());
    row.narrow(&t.quotient.hi, 6);
    row.range(t.rest.clone());
    for limb in &t.margin {
        row.u24(limb);
    }
    row.narrow(&t.carry, 4);
    let times = |x: &AB::Expr, by: u32| x.clone() * c::<AB::Expr>(by);
    row.zero(times(&upper, 3_934) - times(&t.quotient.value(), 1 << 12) - t.rest.clone());
    let low = times(&upper, 256) + times(&lower, 1_000) + times(&t.rest, 1 << 12);
    let high = times(&upper, 5) + t.quotient.value();
    let [m0, m1] = t.margin.each_ref().map(U24::value);
    let [t0, t1] = time.each_ref().map(|limb| limb.clone() * real.clone());
    let carry = t.carry.clone() - times(&real, rule.offset());
    let distance = match rule {
        Rule::After => {
            row.zero(high + carry.clone() - t1 - m1);
            low - real - t0
        }
        Rule::AtMost(skew) => {
            row.zero(t1 + carry.clone() - high - m1);
            t0 + times(&real, skew) - low
        }
    };
    row.zero(distance - m0 - carry * c::<AB::Expr>(1 << 24));
    Digested(t.digest.clone())
}

/// A digest that [`constrain`] has bound to its characters.
pub(crate) struct Digested<E>(pub [E; 8]);
