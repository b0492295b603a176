//! Tokens with ES256: honest ones, and the lies that RS256 does not have.

use tsz_air::{F, PrimeCharacteristicRing};
use tsz_auth::base64url;
use tsz_auth::es256::{Es256Error, Es256Key};
use tsz_auth::issuer::Issuer;
use tsz_auth::issuer_rsa::RsaIssuer;
use tsz_auth::oidc::Algorithm;
use tsz_auth::scan::Field;
use tsz_auth::{LoginProvider, SocialError};
use tsz_chips::ecdsa::Failed;
use tsz_hash::{Digest, ZERO};
use tsz_ledger::Key;
use tsz_stark::Profile;
use tsz_stf::{AuthOp, RegisterKeyByOidc, Reject};
use tsz_trade::Op;

use super::world::*;
use crate::record::RecordError;
use crate::witness::{Witness, WitnessError};
use crate::{prove, verify};

const ES256: Algorithm = Algorithm::Es256;

/// Two registrations under two keys.
fn honest() -> World {
    let mut w = World::of(ES256);
    let op = w.approve(w.register());
    w.verdict(&op).unwrap();
    w.login(op);
    let other = Issuer::from_seed(b"other");
    let second = LoginProvider { key: other.key().into(), ..provider("k2") };
    w.view.set(Key::provider(6), second.digest());
    let op = RegisterKeyByOidc { provider_slot: cell(6), provider: second, ..w.register() };
    let op = w.with(op, |m| other.sign(&Issuer::header("k2"), &payload(m)));
    w.verdict(&op).unwrap();
    w.login(op);
    w
}

/// What the ledger says of a registration whose token is `make` of its message, and the world after it.
fn applied(make: impl FnOnce(&Digest) -> Vec<u8>) -> (SocialError, World) {
    let mut world = World::of(ES256);
    let op = world.with(world.register(), make);
    let Err(Reject::Social { error }) = world.verdict(&op) else { panic!("the ledger accepts it") };
    world.login(op);
    (error, world)
}

/// The verdict, and where the circuit refuses.
fn lie(make: impl FnOnce(&Digest) -> Vec<u8>) -> (SocialError, String) {
    let (error, world) = applied(make);
    (error, place(&world.witness()))
}

/// A token of the provider with another signature.
fn signed(message: &Digest, signature: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut token = es256().sign(&Issuer::header("k1"), &payload(message));
    let dot = token.iter().rposition(|b| *b == b'.').unwrap();
    let old = base64url::decode(&token[dot + 1..]).unwrap();
    token.truncate(dot + 1);
    token.extend(base64url::encode(&signature(&old)));
    token
}

#[test]
fn proves_tokens_of_two_keys() {
    let world = honest();
    assert_eq!(place(&world.witness()), "nowhere");
    assert_eq!(place(&World::of(ES256).witness()), "nowhere");
    let key = SMALL_ES256.setup(Profile::InsecureTest).unwrap();
    tsz_air::assert_degrees(key.vk().tables());
    println!("{}", tsz_air::report(key.vk().tables()));
    let (claim, bytes) = prove(&key, &world.context, &world.records, world.context.digest()).unwrap();
    verify(key.vk(), &claim, &bytes).unwrap();
    // A proof of one family is none of the other, whatever the claim says.
    let mut other = claim;
    other.algorithm = tsz_ledger::Family::Oidc.algorithm();
    assert!(verify(key.vk(), &other, &bytes).is_err());
    let rsa = SMALL.setup(Profile::InsecureTest).unwrap();
    assert!(verify(rsa.vk(), &claim, &bytes).is_err());
    assert!(verify(rsa.vk(), &other, &bytes).is_err());
}

#[test]
fn either_s_counts_and_no_number_out_of_range() {
    let n = num_bigint::BigUint::parse_bytes(
        b"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        16,
    )
    .unwrap();
    let bytes = |x: num_bigint::BigUint| {
        let be = x.to_bytes_be();
        [vec![0; 32 - be.len()], be].concat()
    };
    let mut world = World::of(ES256);
    let op = world.with(world.register(), |m| {
        signed(m, |old| {
            let s = num_bigint::BigUint::from_bytes_be(&old[32..]);
            [old[..32].to_vec(), bytes(&n - s)].concat()
        })
    });
    world.verdict(&op).unwrap();
    world.login(op);
    assert_eq!(place(&world.witness()), "nowhere");
    // Refused by the ledger, and when traces are made: there are no such numbers in a witness.
    for out in [vec![0; 32], bytes(n.clone()), vec![0xff; 32]] {
        for at in [0, 32] {
            let (error, world) = applied(|m| {
                signed(m, |old| {
                    let mut bytes = old.to_vec();
                    bytes[at..at + 32].copy_from_slice(&out);
                    bytes
                })
            });
            assert_eq!(error, Es256Error::Range.into());
            let class = world.class();
            let refused = Witness::new(class, &world.context, &world.records, world.context.digest());
            assert!(matches!(refused, Err(WitnessError::Ecdsa(Failed::Range(0)))));
        }
    }
    for length in [63, 65] {
        let (error, world) = applied(|m| {
            signed(m, |old| {
                let mut bytes = old.to_vec();
                bytes.resize(length, 0);
                bytes
            })
        });
        assert_eq!(error, SocialError::SignatureLength(length));
        let class = world.class();
        let refused = Witness::new(class, &world.context, &world.records, world.context.digest());
        assert!(matches!(refused, Err(WitnessError::Record(RecordError::Signature { index: 5 }))));
    }
}

#[test]
fn rejects_signatures_of_other_keys_and_texts() {
    let mismatch: SocialError = Es256Error::Mismatch.into();
    // r and s change places; a signature of another text; of another provider's key.
    let swapped = lie(|m| signed(m, |old| [&old[32..], &old[..32]].concat()));
    assert_eq!(swapped, (mismatch, "mulmod".to_owned()));
    let other = lie(|m| {
        let donor = es256().sign(&Issuer::header("k1"), &payload(&ZERO));
        let dot = donor.iter().rposition(|b| *b == b'.').unwrap();
        let donor = base64url::decode(&donor[dot + 1..]).unwrap();
        signed(m, |_| donor)
    });
    assert_eq!(other, (mismatch, "mulmod".to_owned()));
    let other = lie(|m| Issuer::from_seed(b"other").sign(&Issuer::header("k1"), &payload(m)));
    assert_eq!(other, (mismatch, "mulmod".to_owned()));
    // The key of another provider under the cell's digest; a rotated one, and no key at all.
    let other = |change: fn(&mut LoginProvider)| {
        let mut world = World::of(ES256);
        let op = world.approve(world.register());
        world.login(op);
        let Op::Auth(AuthOp::RegisterKeyByOidc(op)) = &mut world.records[0].op else { unreachable!() };
        change(&mut op.provider);
        op.login.token = Issuer::from_seed(b"other").sign(&Issuer::header("k1"), &payload(&ZERO));
        let digest = world.digest(&world.records[0].op.as_auth().unwrap().clone());
        let Op::Auth(op) = &mut world.records[0].op else { unreachable!() };
        op.social_login_mut().unwrap().token =
            Issuer::from_seed(b"other").sign(&Issuer::header("k1"), &payload(&digest));
        place(&world.witness())
    };
    assert_eq!(other(|p| p.key = Issuer::from_seed(b"other").key().into()), "bus:oidc_provider");
    for leaf in [ZERO, ec_provider("k2").digest(), provider("k1").digest()] {
        let mut world = World::of(ES256);
        let op = world.approve(world.register());
        world.login(op);
        world.records[0].accesses[3].old = leaf;
        world.records[0].accesses[3].new = leaf;
        assert_eq!(place(&world.witness()), "bus:oidc_provider");
    }
    let (error, place) = lie(|m| es256().sign(&Issuer::header("k0"), &payload(m)));
    assert_eq!((error, place.as_str()), (SocialError::Field(Field::Kid), "bus:oidc_provider"));
}

/// A provider has one algorithm: neither a header nor a cell makes its key one of the other.
#[test]
fn rejects_the_algorithm_of_another_key_both_ways() {
    let field = SocialError::Field(Field::Alg);
    for header in [RsaIssuer::header("k1"), Issuer::header("k1").replace("ES256", "ES384")] {
        let lie = lie(|m| es256().sign(&header, &payload(m)));
        assert_eq!(lie, (field, "bus:oidc_value".to_owned()), "{header}");
    }
    let mut world = World::new();
    let op = world.with(world.register(), |m| RsaIssuer.sign(&Issuer::header("k1"), &payload(m)));
    assert!(matches!(world.verdict(&op), Err(Reject::Social { error }) if error == field));
    world.login(op);
    assert_eq!(place(&world.witness()), "bus:oidc_value");
    // The cell of a key of the other kind, with the same texts.
    for (algorithm, leaf) in [(ES256, provider("k1")), (Algorithm::Rs256, ec_provider("k1"))] {
        let mut world = World::of(algorithm);
        let op = world.approve(world.register());
        let leaf = leaf.digest();
        world.view.set(Key::provider(5), leaf);
        assert!(matches!(world.verdict(&op), Err(Reject::OtherProvider { .. })));
        world.view.set(Key::provider(5), world.provider("k1").digest());
        world.login(op);
        world.records[0].accesses[3].old = leaf;
        world.records[0].accesses[3].new = leaf;
        assert_eq!(place(&world.witness()), "bus:oidc_provider");
    }
    // An op of one circuit is none of the other.
    let mut world = World::of(ES256);
    let op = world.approve(world.register());
    world.login(op);
    let refused = Witness::new(&SMALL, &world.context, &world.records, world.context.digest());
    assert!(matches!(refused, Err(WitnessError::Record(RecordError::Kind { index: 5, code: 74 }))));
}

#[test]
fn rejects_a_point_that_is_not_on_the_curve() {
    let good = es256().key();
    let off = Es256Key { y: good.x, ..good };
    let mut world = World::of(ES256);
    let provider = LoginProvider { key: off.into(), ..provider("k1") };
    world.view.set(Key::provider(5), provider.digest());
    let op = RegisterKeyByOidc { provider, ..world.register() };
    let op = world.with(op, |m| es256().sign(&Issuer::header("k1"), &payload(m)));
    let verdict = world.verdict(&op);
    assert!(matches!(verdict, Err(Reject::Social { error: SocialError::Es256(Es256Error::Key) })));
    world.login(op);
    let place = place(&world.witness());
    assert!(["mulmod", "p256_ladder"].contains(&place.as_str()), "{place}");
}

#[test]
fn rejects_rows_of_keys_and_signatures_that_are_not_theirs() {
    let world = honest();
    // A point, digest or key number that others have; a row that provides nothing; the rows of two keys swapped.
    assert_eq!(place(&world.changed(|r| r.es256.swap(0, 1))), "nowhere");
    assert_eq!(place(&world.changed(|r| r.es256[0].digest[0] ^= 1)), "bus:ecdsa_p256");
    assert_eq!(place(&world.changed(|r| r.es256[0].key = 2)), "bus:es256");
    assert_eq!(place(&world.changed(|r| r.es256[0].point = r.es256[1].point)), "bus:ecdsa_p256");
    assert_eq!(place(&world.changed(|r| r.es256[0].uses = 0)), "bus:es256");
    assert_eq!(place(&world.changed(|r| r.providers.swap(0, 1))), "bus:es256_point");
    assert_eq!(place(&world.changed(|r| r.ecdsa[0].uses = 0)), "bus:ecdsa_p256");
    assert_eq!(place(&world.changed(|r| r.approvals[0].token.digest[0] += F::ONE)), "bus:es256");
}
