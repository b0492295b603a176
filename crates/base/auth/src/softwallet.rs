//! A software wallet: signs typed data as browser wallets do. For tests, demos and development; its secret is in memory.

use k256::ecdsa::SigningKey;
use sha2::{Digest as _, Sha256};
use tsz_hash::Digest;

use crate::wallet::{SigningDomain, Wallet, WalletApproval, WalletKey, WalletSignature};

/// A secp256k1 secret.
#[derive(Clone)]
pub struct SoftWallet {
    secret: SigningKey,
}

/// Says nothing of the secret.
impl core::fmt::Debug for SoftWallet {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SoftWallet").finish_non_exhaustive()
    }
}

impl SoftWallet {
    /// The wallet of a seed.
    pub fn from_seed(seed: &[u8]) -> Self {
        let mut counter = 0u8;
        loop {
            let bytes = Sha256::new().chain_update(b"TS-zkVM/wallet").chain_update([counter]);
            let bytes = bytes.chain_update(seed).finalize();
            if let Ok(secret) = SigningKey::from_slice(&bytes) {
                return Self { secret };
            }
            counter = counter.wrapping_add(1);
        }
    }

    /// The public key.
    pub fn key(&self) -> WalletKey {
        WalletKey::from(self.secret.verifying_key())
    }

    /// The wallet in a domain.
    pub fn wallet(&self, domain: SigningDomain) -> Wallet {
        Wallet { address: self.key().address(), domain }
    }

    /// The deterministic signature (RFC 6979) of a digest: r, s at most n / 2, v = 27 or 28.
    pub fn sign_digest(&self, digest: &[u8; 32]) -> [u8; 65] {
        let (signature, parity) = self.secret.sign_prehash_recoverable(digest);
        let (r, s) = signature.split_bytes();
        let mut out = [0; 65];
        out[..32].copy_from_slice(&r);
        out[32..64].copy_from_slice(&s);
        out[64] = 27 + u8::from(parity.is_y_odd());
        out
    }

    /// What `eth_signTypedData_v4` returns for the approval of a message.
    pub fn sign(&self, domain: &SigningDomain, message: &Digest) -> [u8; 65] {
        self.sign_digest(&domain.digest(message))
    }

    /// The approval of a message.
    pub fn approve(&self, domain: &SigningDomain, message: &Digest) -> WalletApproval {
        let bytes = self.sign(domain, message);
        let half = |at: usize| core::array::from_fn(|k| bytes[at + k]);
        WalletApproval { key: self.key(), signature: WalletSignature { r: half(0), s: half(32) } }
    }
}
