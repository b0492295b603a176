//! Wallets: EIP-712 typed data signed with secp256k1 (EIP-712; SEC 1; EIP-2 for the low half of s).
//!
//! # Key id
//! A wallet is named by a hash of its public key and of the domain that it signs under ([`Wallet::key_id`]): name,
//! version, chain and contract. The address would do for a user, but its check costs one more Keccak.
//!
//! # What is signed
//! `Approval(bytes32 digest)` in that domain: the digest of a message of the system (docs/src/auth.md), its eight felts
//! as 32-bit words, big-endian. A felt is below p, so a digest has one encoding.
//!
//! # Acceptance
//! 1 <= r < n, 1 <= s <= n / 2 (wallets and EIP-2 produce nothing else), a point of the curve with coordinates below p,
//! and the equation of ECDSA for keccak256(0x1901 || domain separator || struct hash). R = +-Q is refused, as in
//! [`crate::es256`]. Contract wallets (EIP-1271) cannot sign here: they use the L1 operations.

use alloc::vec::Vec;
use k256::ecdsa::signature::hazmat::PrehashVerifier;
use k256::ecdsa::{Signature, VerifyingKey};
use k256::elliptic_curve::PrimeField;
use k256::elliptic_curve::ops::Reduce;
use k256::elliptic_curve::scalar::IsHigh;
use k256::{FieldBytes, Scalar, Sec1Point};
use sha3::{Digest as _, Keccak256};
use thiserror::Error;
use tsz_hash::{Digest, Domain as HashDomain, F, PrimeCharacteristicRing, PrimeField32, hash};

/// Why a wallet's signature is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WalletError {
    /// A coordinate of p or more, or a pair that is not on the curve.
    #[error("the key is not a point of secp256k1")]
    Key,
    /// r or s is zero or not below the group order.
    #[error("r or s is not in 1..n")]
    Range,
    /// s is in the upper half.
    #[error("s is above n / 2")]
    HighS,
    /// The equation does not hold.
    #[error("the signature does not match key and digest")]
    Mismatch,
    /// R = Q or R = -Q.
    #[error("the signature's nonce is the key")]
    NonceIsKey,
}

/// The domain of EIP-712 that a wallet signs under; name "TS-zkVM", version "1".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigningDomain {
    /// Chain id.
    pub chain: u64,
    /// Contract of the system on that chain.
    pub contract: [u8; 20],
}

/// A secp256k1 public key and the domain that it signs under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wallet {
    /// Abscissa, big-endian.
    pub x: [u8; 32],
    /// Ordinate, big-endian.
    pub y: [u8; 32],
    /// Domain.
    pub domain: SigningDomain,
}

/// r and s, big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalletSignature {
    /// The abscissa of R modulo n.
    pub r: [u8; 32],
    /// (e + r d) / k or its negative, whichever is at most n / 2.
    pub s: [u8; 32],
}

fn keccak(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Keccak256::new();
    parts.iter().for_each(|p| hasher.update(p));
    hasher.finalize().into()
}

fn word(bytes: &[u8]) -> [u8; 32] {
    let mut word = [0; 32];
    let at = word.len().saturating_sub(bytes.len());
    word.iter_mut().skip(at).zip(bytes).for_each(|(w, b)| *w = *b);
    word
}

impl SigningDomain {
    /// hashStruct(domain).
    pub fn separator(&self) -> [u8; 32] {
        let kind =
            keccak(&[b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"]);
        let (name, version) = (keccak(&[b"TS-zkVM"]), keccak(&[b"1"]));
        keccak(&[&kind, &name, &version, &word(&self.chain.to_be_bytes()), &word(&self.contract)])
    }

    /// What a wallet signs to approve a message.
    pub fn digest(&self, message: &Digest) -> [u8; 32] {
        let kind = keccak(&[b"Approval(bytes32 digest)"]);
        let digest: Vec<u8> = message.iter().flat_map(|f| f.as_canonical_u32().to_be_bytes()).collect();
        keccak(&[&[0x19, 0x01], &self.separator(), &keccak(&[&kind, &digest])])
    }
}

impl Wallet {
    /// The id that a key slot of scheme 4 holds: x, y and the domain separator, 16 big-endian halves each.
    pub fn key_id(&self) -> Digest {
        let separator = self.domain.separator();
        let bytes = self.x.iter().chain(&self.y).chain(&separator).copied().collect::<Vec<u8>>();
        let half = |h: &[u8]| F::from_u32(h.iter().fold(0, |acc, b| acc << 8 | u32::from(*b)));
        let felts: Vec<F> = bytes.chunks(2).map(half).collect();
        hash(HashDomain::Wallet, &felts)
    }

    /// Whether the wallet approves the message.
    ///
    /// # Errors
    /// [`WalletError`].
    pub fn verify(&self, message: &Digest, signature: &WalletSignature) -> Result<(), WalletError> {
        self.verify_digest(&self.domain.digest(message), signature)
    }

    /// Whether the wallet signed the digest.
    ///
    /// # Errors
    /// [`WalletError`].
    pub fn verify_digest(&self, digest: &[u8; 32], signature: &WalletSignature) -> Result<(), WalletError> {
        let point = Sec1Point::from_affine_coordinates(&self.x.into(), &self.y.into(), false);
        let key = VerifyingKey::from_sec1_point(&point).map_err(|_| WalletError::Key)?;
        let parsed = Signature::from_scalars(signature.r, signature.s).map_err(|_| WalletError::Range)?;
        if bool::from(parsed.s().is_high()) {
            return Err(WalletError::HighS);
        }
        key.verify_prehash(digest, &parsed).map_err(|_| WalletError::Mismatch)?;
        let x = <Scalar as Reduce<FieldBytes>>::reduce(&FieldBytes::from(self.x));
        if Scalar::from_repr(FieldBytes::from(signature.r)).into_option() == Some(x) {
            return Err(WalletError::NonceIsKey);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The domain separator of the example of EIP-712 ("Ether Mail", version 1, chain 1) with our name replaced.
    #[test]
    fn the_type_hashes_are_those_of_the_standard() {
        let domain =
            keccak(&[b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"]);
        // Published in EIP-712 implementations as EIP712DOMAIN_TYPEHASH.
        assert_eq!(hex::encode(domain), "8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f");
        let other = SigningDomain { chain: 1, contract: [1; 20] };
        let mine = SigningDomain { chain: 2, ..other };
        assert_ne!(other.separator(), mine.separator());
        assert_ne!(other.digest(&tsz_hash::ZERO), mine.digest(&tsz_hash::ZERO));
    }
}
