//! Constants of a system and of a batch, and the names of algorithms.

use tsz_hash::{Digest, Domain, F, PrimeCharacteristicRing, hash};

/// Splits `value` into `N` limbs of 24 bits, least significant first; the rest is dropped.
pub fn limbs24<const N: usize>(mut value: u128) -> [F; N] {
    core::array::from_fn(|_| {
        let limb = F::from_u32((value & 0xff_ffff) as u32);
        value >>= 24;
        limb
    })
}

/// An L1 address as 7 felts: its big-endian integer in limbs of 24 bits.
pub fn address_felts(address: &[u8; 20]) -> [F; 7] {
    let mut out = [F::ZERO; 7];
    for (k, felt) in out.iter_mut().enumerate() {
        let byte = |b: usize| if b < 20 { u32::from(address[19 - b]) } else { 0 };
        *felt = F::from_u32(byte(3 * k) | byte(3 * k + 1) << 8 | byte(3 * k + 2) << 16);
    }
    out
}

/// Identity of a rollup: part of every signed message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SystemId {
    /// Number of the rollup.
    pub rollup: u32,
    /// L1 chain id.
    pub chain: u64,
    /// Address of the rollup contract.
    pub address: [u8; 20],
}

impl SystemId {
    /// The digest S: initial capacity of every signed message.
    pub fn digest(&self) -> Digest {
        let mut felts = [F::ZERO; 12];
        felts[..2].copy_from_slice(&limbs24::<2>(self.rollup.into()));
        felts[2..5].copy_from_slice(&limbs24::<3>(self.chain.into()));
        felts[5..].copy_from_slice(&address_felts(&self.address));
        hash(Domain::System, &felts)
    }
}

/// Constants of one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchContext {
    /// System digest S.
    pub system: Digest,
    /// Batch number (u48), the value BeginBatch writes.
    pub batch: u64,
    /// Batch time in ms (u48), the value BeginBatch writes.
    pub time: u64,
    /// Hash of the parameters in force: what PARAMS holds when BeginBatch reads it.
    pub params: Digest,
}

impl BatchContext {
    /// The context digest C: initial capacity of every tuple vector of the batch.
    pub fn digest(&self) -> Digest {
        let mut felts = [F::ZERO; 20];
        felts[..8].copy_from_slice(&self.system);
        felts[8..10].copy_from_slice(&limbs24::<2>(self.batch.into()));
        felts[10..12].copy_from_slice(&limbs24::<2>(self.time.into()));
        felts[12..].copy_from_slice(&self.params);
        hash(Domain::Context, &felts)
    }
}

/// Name of a rule set: what a tuple vector is proven for. The vk tree says which keys prove it.
pub type AlgorithmId = Digest;

/// Precompiled families.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum Family {
    /// Deposits, transfers, withdrawals, keys, exits.
    Fund = 1,
    /// Spot trades.
    Spot = 2,
    /// Perpetual trades.
    Perp = 3,
    /// Funding, parameters, listings, last prices of a market.
    Manage = 4,
    /// Oracle updates.
    Oracle = 5,
    /// Logins by passkey.
    Auth = 6,
    /// Logins by wallet.
    Wallet = 7,
    /// Settlement of markets and debts.
    Settle = 8,
    /// Liquidations, takeovers, forced closes.
    Liquidate = 9,
    /// Rankings, auto-deleveraging, forced liquidations.
    Deleverage = 10,
    /// Social logins with RS256, and keys of providers.
    Oidc = 11,
    /// Operations that one login approves.
    Pay = 12,
    /// Social logins with ES256.
    OidcEs256 = 13,
    /// Operations of extension programs, under the guard.
    Extension = 40,
}

impl Family {
    /// Algorithm id of this family's rule set, version 1.
    pub fn algorithm(self) -> AlgorithmId {
        hash(Domain::Algorithm, &[F::ONE, F::from_u32(self as u32), F::ONE])
    }
}
