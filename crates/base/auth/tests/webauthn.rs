//! The test vectors of WebAuthn Level 3 (section 16), regenerated from their recipe: HKDF-SHA-256 of "WebAuthn test
//! vectors" with a counter as salt, RFC 6979 signatures. Their challenges have 32 bytes, ours 36, so the parts of the
//! check are compared, not the whole.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use sha2::{Digest as _, Sha256};
use tsz_auth::base64url;
use tsz_auth::es256::{Es256Key, Es256Signature};
use tsz_auth::passkey::{CROSS_ORIGIN, MIDDLE, PREFIX, flag};

/// HMAC-SHA-256 (RFC 2104) with a key of at most a block.
fn hmac(key: &[u8], text: &[&[u8]]) -> [u8; 32] {
    let pad = |with: u8| -> Vec<u8> {
        let bytes = key.iter().copied().chain(core::iter::repeat(0));
        bytes.take(64).map(|b| b ^ with).collect()
    };
    let mut inner = Sha256::new().chain_update(pad(0x36));
    text.iter().for_each(|t| inner.update(t));
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner.finalize()).finalize().into()
}

/// HKDF-SHA-256 (RFC 5869) of at most 32 bytes.
fn random(info: &str, salt: u8) -> [u8; 32] {
    let key = hmac(&[salt], &[b"WebAuthn test vectors"]);
    hmac(&key, &[info.as_bytes(), &[1]])
}

struct Published {
    info: &'static str,
    /// Counters of the registration's flags, and of challenge and flags of the assertion.
    salts: [u8; 4],
    authenticator_data: &'static str,
    client_data: &'static str,
    signature: &'static str,
}

const VECTORS: [Published; 2] = [
    // 16.2, ES256 Credential with No Attestation.
    Published {
        info: "none.ES256",
        salts: [6, 7, 8, 9],
        authenticator_data: "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b51900000000",
        client_data: "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a224f63446e556\
                      85158756c5455506f334a5558543049393770767a7a59425039745a63685879617630314167222c226f\
                      726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e2\
                      23a66616c73657d",
        signature: "3046022100f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a87780218deffcd38022100848\
                    0ac0f0b93538174f575bf11a1dd5d78c6e486013f937295ea13653e331e87",
    },
    // Apple Anonymous Attestation with ES256 Credential.
    Published {
        info: "apple.ES256",
        salts: [6, 8, 9, 10],
        authenticator_data: "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b50900000000",
        client_data: "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a22302d73705a4\
                      751654a76375149304136637433676b37476353366b416a442d6432445f503030656d625155222c226f\
                      726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e2\
                      23a66616c73657d",
        signature: "3046022100ee35db795ce28044e1f8231d68b3d79a9882f7415aa35c1b5ac74d24251073c8022100dcc\
                    65691650a412d0ceef843710c09827acf26c7845bddac07eec95863e7fc4c",
    },
];

#[test]
fn the_vectors_of_level_3_are_regenerated_and_accepted() {
    for Published { info, salts, authenticator_data, client_data, signature } in VECTORS {
        let [registration, challenge, client_flags, flags] = salts.map(|salt| random(info, salt));
        assert_eq!(client_flags[0] & 1, 0, "no member after crossOrigin");
        let backup_eligible = registration[0] & flag::BE;
        let backed_up = if backup_eligible == 0 { 0 } else { flags[0] & flag::BS };
        let mut data = Sha256::digest(b"example.org").to_vec();
        data.push(flag::UP | backup_eligible | flags[0] & flag::UV | backed_up);
        data.extend([0; 4]);
        assert_eq!(hex::encode(&data), authenticator_data);

        let tail = [&b"https://example.org"[..], CROSS_ORIGIN, b"}"].concat();
        let client = [&PREFIX[..], &base64url::encode(&challenge), MIDDLE, &tail].concat();
        assert_eq!(hex::encode(&client), client_data);

        let secret = SigningKey::from_slice(&random(info, 1)).unwrap();
        data.extend(Sha256::digest(&client));
        let signed: Signature = secret.sign(&data);
        assert_eq!(hex::encode(signed.to_der()), signature);

        let parsed = Es256Signature::from_der(&hex::decode(signature).unwrap()).unwrap();
        let point = secret.verifying_key().to_sec1_point(false);
        let half = |at: usize| point.as_bytes()[at..at + 32].try_into().unwrap();
        let key = Es256Key { x: half(1), y: half(33) };
        key.verify(&Sha256::digest(&data).into(), &parsed).unwrap();
        data[32] ^= flag::UV;
        assert!(key.verify(&Sha256::digest(&data).into(), &parsed).is_err());
    }
}
