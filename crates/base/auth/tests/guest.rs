//! Input of the guest `guests-bench/login`: one login of each kind, and what the guest must output.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use tsz_auth::authenticator::Authenticator;
use tsz_auth::issuer_rsa::RsaIssuer;
use tsz_auth::oidc::{Identity, ProviderKey};
use tsz_auth::softwallet::SoftWallet;
use tsz_auth::wallet::SigningDomain;
use tsz_auth::{LoginProvider, SocialLogin};
use tsz_hash::{Digest, F, PrimeCharacteristicRing, PrimeField32, compress};

const SECONDS: u32 = 1_700_000_000;

fn message() -> Digest {
    core::array::from_fn(|k| F::from_usize(77 + k))
}

/// Output, then input: `[kind, message, seconds]` and the byte strings. `BLESS=1` writes it anew.
fn check(name: &str, kind: u32, key_id: &Digest, strings: &[&[u8]]) {
    let canonical = |digest: Digest| digest.map(|f| f.as_canonical_u32());
    let mut words = compress(&message(), key_id).map(|f| f.as_canonical_u32()).to_vec();
    words.push(kind);
    words.extend(canonical(message()));
    words.push(SECONDS);
    for string in strings {
        words.push(string.len() as u32);
        words.extend(string.chunks(4).map(|chunk| {
            let mut bytes = [0; 4];
            bytes[..chunk.len()].copy_from_slice(chunk);
            u32::from_le_bytes(bytes)
        }));
    }
    let text: String = words.iter().map(|w| w.to_string() + "\n").collect();
    let path = format!("{}/../../../guests-bench/fixtures/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn passkey() {
    let authenticator = Authenticator::from_seed(b"guest");
    let passkey = authenticator.passkey("trade.example", "https://trade.example", true).unwrap();
    let assertion = authenticator.assert(&passkey, &message());
    passkey.verify(&message(), &assertion).unwrap();
    let strings: [&[u8]; 9] = [
        &passkey.key.x,
        &passkey.key.y,
        &passkey.rp_id_hash,
        &[1],
        passkey.tail(),
        &assertion.authenticator_data,
        &assertion.client_data,
        &assertion.signature.r,
        &assertion.signature.s,
    ];
    check("passkey", 0, &passkey.key_id(), &strings);
}

#[test]
fn wallet() {
    let soft = SoftWallet::from_seed(b"guest");
    let domain = SigningDomain { chain: 31337, contract: [0x11; 20] };
    let wallet = soft.wallet(domain);
    let approval = soft.approve(&domain, &message());
    wallet.verify(&message(), &approval).unwrap();
    let strings: [&[u8]; 7] = [
        &wallet.address,
        &domain.chain.to_le_bytes(),
        &domain.contract,
        &approval.key.x,
        &approval.key.y,
        &approval.signature.r,
        &approval.signature.s,
    ];
    check("wallet", 1, &wallet.key_id(), &strings);
}

#[test]
fn social() {
    let (issuer, audience) = ("https://accounts.example", "app-1");
    let identity = Identity { issuer, audience, subject: "108204", salt: [9; 32] };
    let token = RsaIssuer.token("k1", &identity, &message(), SECONDS.into());
    let key = RsaIssuer.key();
    let provider = LoginProvider {
        issuer: issuer.into(),
        audience: audience.into(),
        kid: "k1".into(),
        key: ProviderKey::Rs256(key),
    };
    let login = SocialLogin { token, salt: [9; 32] };
    let now = 1_000 * u64::from(SECONDS);
    login.verify(&provider, &identity.key_id(), &message(), now).unwrap();
    let strings: [&[u8]; 7] = [
        issuer.as_bytes(),
        audience.as_bytes(),
        b"k1",
        &key.modulus,
        identity.subject.as_bytes(),
        &login.salt,
        &login.token,
    ];
    check("social", 2, &compress(&provider.digest(), &identity.key_id()), &strings);
}
