//! Withdrawal records: what L1 pays out.

use serde::{Deserialize, Serialize};
use tsz_hash::{Block, Digest, F, PrimeCharacteristicRing, ZERO, step};
use tsz_types::{AccountId, Bucket, EthAddress, SubId, TokenId, Units};

/// A withdrawal record: what L1 pays out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutRecord {
    /// Code of the operation that made it.
    pub op: u32,
    /// Account named in the operation.
    pub account: AccountId,
    /// Its sub-account.
    pub sub: SubId,
    /// Its bucket.
    pub bucket: Bucket,
    /// What is paid.
    pub token: TokenId,
    /// How much.
    pub units: Units,
    /// Who is paid.
    pub to: EthAddress,
}

impl OutRecord {
    /// `token * 64 + sub * 2 + bucket`.
    pub fn bucket_bits(&self) -> u32 {
        u32::from(self.token.get()) * 64 + u32::from(self.sub.get()) * 2 + self.bucket.bit()
    }

    /// The blocks that the OUT chain absorbs.
    pub fn blocks(&self) -> [Block; 2] {
        let (mut first, mut second) = (ZERO, ZERO);
        first[0] = F::from_u32(self.op);
        first[1] = F::from_u32(self.account.get());
        first[2] = F::from_u32(self.bucket_bits());
        first[3..6].copy_from_slice(&self.units.to_felts());
        second[..7].copy_from_slice(&self.to.to_felts());
        [first, second]
    }

    /// The OUT chain after this record.
    pub fn chain(&self, out: &Digest) -> Digest {
        self.blocks().iter().fold(*out, |out, block| step(block, &out))
    }
}
