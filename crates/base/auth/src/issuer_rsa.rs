//! A local OpenID provider with an RS256 key. For tests, demos and development only: its secret is printed here.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use num_bigint::BigUint;
use sha2::{Digest as _, Sha256};
use tsz_hash::Digest;

use crate::base64url;
use crate::issuer::Issuer;
use crate::oidc::Identity;
use crate::rs256::{MODULUS, Rs256Key, encode};

/// The modulus, hexadecimal: a product of two primes made from hashes of a text.
const N: &str = concat!(
    "af25923568aa2f806fc5ca7ea1a1556fc87b5d4ad6f6ea26da770405c8a9350c7ada4dba204d7de38d64f4c52ee42af4b0c3",
    "d3a9bdebb9d2ac6bc84b22fa366ca5ae7370b44577262aaacda59cb16e993c6e5c3ae859ecc5138f0c1b1ca2dd14da7ec172",
    "52ecd514c11a1d612834e32c83bb1234f1c2ea3c7aaa45866a363d85b7015ee836a595ebda73915ea898831bf0c6531dbd71",
    "870f8028368bab0b9813b35e88fe8a8ebf8d91a6d183da8e2cfbd602c43083b2e8679039acbc7aea15017ef8be4c30de8e94",
    "3b7b4c1d8959c594255548f5bab38a54a595207a65d0b2e36bf17e77054e8db0053d205582d28a44a07d60f5ad575f197709",
    "b518faffdf1d",
);
/// The inverse of 65537.
const D: &str = concat!(
    "375dac1b600bb45a687ae0e928d4e43a22e90473bd026ec07b7cf5f3921c131defd404901ad8043ca39ccf5769dc4ccbeef8",
    "e8771707664577a5d6ba11c380e2d579111b069192f9a8b137b2eb96973caf82bf7b0baa29939efc303a7dd1ea0b468a9d42",
    "337e94592c35c225cd5cf29746c923174379772c49267c35e26b6504d2f2a15ee37fedd60737ed20008c89bbbfa153e9933c",
    "a0bd4da754d66b17debc898aff471e4b16934c53b28b7ec4d91a11d0719a3a3a78f048d7a5ebcb069349ec265b3346de1613",
    "1723b4701e0266978d846f901756ca590e93a6952693e17792f2b2067f898d1d5f51ada34e8481a3db3885754e79224aeaa7",
    "5a6c108053a1",
);

/// The provider.
#[derive(Clone, Copy, Debug, Default)]
pub struct RsaIssuer;

fn number(hex: &str) -> BigUint {
    BigUint::parse_bytes(hex.as_bytes(), 16).unwrap_or_default()
}

/// The 256 bytes, big-endian, of a number below 2^2048.
fn bytes(x: &BigUint) -> [u8; MODULUS] {
    let le = x.to_bytes_le();
    core::array::from_fn(|k| le.get(MODULUS - 1 - k).copied().unwrap_or(0))
}

impl RsaIssuer {
    /// Its public key.
    pub fn key(self) -> Rs256Key {
        Rs256Key { modulus: bytes(&number(N)) }
    }

    /// The number whose power with 65537 is this encoded message, whatever it encodes.
    pub fn sign_encoded(self, encoded: &[u8; MODULUS]) -> [u8; MODULUS] {
        bytes(&BigUint::from_bytes_be(encoded).modpow(&number(D), &number(N)))
    }

    /// A signature of a digest.
    pub fn sign_digest(self, digest: &[u8; 32]) -> [u8; MODULUS] {
        self.sign_encoded(&encode(digest))
    }

    /// A signed token of any header and payload.
    pub fn sign(self, header: &str, payload: &str) -> Vec<u8> {
        let mut token = base64url::encode(header.as_bytes());
        token.push(b'.');
        token.extend(base64url::encode(payload.as_bytes()));
        let signature = self.sign_digest(&Sha256::digest(&token).into());
        token.push(b'.');
        token.extend(base64url::encode(&signature));
        token
    }

    /// The header of an honest token.
    pub fn header(kid: &str) -> String {
        format!(r#"{{"alg":"RS256","kid":"{kid}","typ":"JWT"}}"#)
    }

    /// An honest token under `kid`.
    pub fn token(self, kid: &str, identity: &Identity<'_>, message: &Digest, iat: u64) -> Vec<u8> {
        self.sign(&Self::header(kid), &Issuer::payload(identity, message, iat))
    }
}
