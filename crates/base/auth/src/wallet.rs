//! Wallets: EIP-712 typed data signed with secp256k1 (EIP-712; SEC 1; EIP-2 for the low half of s).
//!
//! # Key id
//! A wallet is named by a hash of its address and of the domain that it signs under ([`Wallet::key_id`]): name,
//! version, chain and contract. So whoever knows an address knows the id, before the wallet has signed anything, and a
//! wallet that looks at the chain refuses to sign for another one.
//!
//! # What is signed
//! `Approval(bytes32 digest)` in that domain: the digest of a message of the system (docs/src/auth.md), its eight felts
//! as 32-bit words, big-endian. A felt is below p, so a digest has one encoding.
//!
//! # Acceptance
//! The approval holds the public key, as recovered from what the wallet returns ([`Wallet::recover`]). Its coordinates
//! are below p and on the curve; the last 20 bytes of keccak256(x || y) are the address; 1 <= r < n, 1 <= s <= n / 2
//! (wallets and EIP-2 produce nothing else); and the equation of ECDSA holds for keccak256(0x1901 || domain separator
//! || struct hash). R = +-Q is refused, as in [`crate::es256`]. Contract wallets (EIP-1271) cannot sign here: they use
//! the L1 operations.
//!
//! n - s in place of s makes a valid signature of the same digest, so "there is a signature with a low s" and "there is
//! a signature" are one statement, the one that the circuit proves.

use alloc::vec::Vec;
use k256::ecdsa::signature::hazmat::PrehashVerifier;
use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use k256::elliptic_curve::PrimeField;
use k256::elliptic_curve::ops::Reduce;
use k256::elliptic_curve::scalar::IsHigh;
use k256::{FieldBytes, Scalar, Sec1Point};
use serde::{Deserialize, Serialize};
use sha3::{Digest as _, Keccak256};
use thiserror::Error;
use tsz_hash::{Digest, Domain as HashDomain, F, PrimeCharacteristicRing, PrimeField32, hash};

use crate::forms::{WalletApprovalForm, WalletForm};

/// What the bytes that EIP-712 signs begin with.
pub const PREFIX: [u8; 2] = [0x19, 0x01];
/// Felts that a key id hashes.
pub const WALLET_FELTS: usize = 26;

/// Why a wallet's signature is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WalletError {
    /// A coordinate of p or more, or a pair that is not on the curve.
    #[error("the key is not a point of secp256k1")]
    Key,
    /// The key of another address.
    #[error("the key is not that of the wallet's address")]
    Address,
    /// The last byte of a 65-byte signature: neither 27 nor 28.
    #[error("v is {0}, expected 27 or 28")]
    Parity(u8),
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

/// A wallet: what its key id commits to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WalletForm", into = "WalletForm")]
pub struct Wallet {
    /// Address: the last 20 bytes of keccak256(x || y).
    pub address: [u8; 20],
    /// Domain.
    pub domain: SigningDomain,
}

/// A secp256k1 public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalletKey {
    /// Abscissa, big-endian.
    pub x: [u8; 32],
    /// Ordinate, big-endian.
    pub y: [u8; 32],
}

/// r and s, big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalletSignature {
    /// The abscissa of R modulo n.
    pub r: [u8; 32],
    /// (e + r d) / k or its negative, whichever is at most n / 2.
    pub s: [u8; 32],
}

/// A wallet's approval of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WalletApprovalForm", into = "WalletApprovalForm")]
pub struct WalletApproval {
    /// The key of the wallet's address.
    pub key: WalletKey,
    /// Its signature.
    pub signature: WalletSignature,
}

fn keccak(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Keccak256::new();
    parts.iter().for_each(|p| hasher.update(p));
    hasher.finalize().into()
}

/// Type hash of an approval.
pub fn approval_type() -> [u8; 32] {
    keccak(&[b"Approval(bytes32 digest)"])
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

    /// hashStruct of the approval of a message.
    pub fn approval(message: &Digest) -> [u8; 32] {
        let digest: Vec<u8> = message.iter().flat_map(|f| f.as_canonical_u32().to_be_bytes()).collect();
        keccak(&[&approval_type(), &digest])
    }

    /// What a wallet signs to approve a message.
    pub fn digest(&self, message: &Digest) -> [u8; 32] {
        keccak(&[&PREFIX, &self.separator(), &Self::approval(message)])
    }
}

/// Halves of 16 bits, the first byte the lower: the order of Keccak's lanes.
fn halves(bytes: &[u8]) -> impl Iterator<Item = F> + '_ {
    bytes.chunks(2).map(|h| F::from_u32(h.iter().rev().fold(0, |acc, b| acc << 8 | u32::from(*b))))
}

impl Wallet {
    /// The id that a key slot of scheme 4 holds: address (10 halves) and domain separator (16 halves).
    pub fn key_id(&self) -> Digest {
        hash(HashDomain::Wallet, &self.key_felts())
    }

    /// What the id hashes.
    pub fn key_felts(&self) -> [F; WALLET_FELTS] {
        let separator = self.domain.separator();
        let mut felts = halves(&self.address).chain(halves(&separator));
        core::array::from_fn(|_| felts.next().unwrap_or(F::ZERO))
    }

    /// Whether the wallet approves the message.
    ///
    /// # Errors
    /// [`WalletError`].
    pub fn verify(&self, message: &Digest, approval: &WalletApproval) -> Result<(), WalletError> {
        if approval.key.address() != self.address {
            return Err(WalletError::Address);
        }
        approval.key.verify(&self.domain.digest(message), &approval.signature)
    }

    /// The approval in the 65 bytes that wallets return: r, s, v. v is 27 or 28: neither 0 and 1, as some libraries
    /// write, nor the form with a chain id, which is of transactions.
    ///
    /// # Errors
    /// [`WalletError`]; [`WalletError::Address`] if it is of another wallet, domain or message.
    pub fn recover(&self, message: &Digest, rsv: &[u8; 65]) -> Result<WalletApproval, WalletError> {
        let half = |at: usize| core::array::from_fn(|k| rsv.get(at + k).copied().unwrap_or(0));
        let (signature, v) = (WalletSignature { r: half(0), s: half(32) }, rsv[64]);
        let parity = v.checked_sub(27).filter(|odd| *odd < 2).and_then(RecoveryId::from_byte);
        let parity = parity.ok_or(WalletError::Parity(v))?;
        let parsed = Signature::from_scalars(signature.r, signature.s).map_err(|_| WalletError::Range)?;
        let digest = self.domain.digest(message);
        let key = VerifyingKey::recover_from_prehash(&digest, &parsed, parity)
            .map_err(|_| WalletError::Mismatch)?;
        let approval = WalletApproval { key: WalletKey::from(&key), signature };
        self.verify(message, &approval)?;
        Ok(approval)
    }
}

impl From<&VerifyingKey> for WalletKey {
    fn from(key: &VerifyingKey) -> Self {
        let point = key.to_sec1_point(false);
        let bytes = point.as_bytes();
        let coordinate = |at: usize| core::array::from_fn(|k| bytes.get(at + k).copied().unwrap_or(0));
        Self { x: coordinate(1), y: coordinate(33) }
    }
}

impl WalletKey {
    /// keccak256(x || y); the last 20 bytes are the address.
    pub fn hash(&self) -> [u8; 32] {
        keccak(&[&self.x, &self.y])
    }

    /// The address.
    pub fn address(&self) -> [u8; 20] {
        let hash = self.hash();
        core::array::from_fn(|k| hash[12 + k])
    }

    /// Whether the key signed the digest.
    ///
    /// # Errors
    /// [`WalletError`].
    pub fn verify(&self, digest: &[u8; 32], signature: &WalletSignature) -> Result<(), WalletError> {
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
