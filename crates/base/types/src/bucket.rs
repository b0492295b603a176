//! The two places where a sub-account holds a token.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use tsz_codec::{CodecError, Decode, Encode, Reader};

/// Where a fund leg takes from or puts to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bucket {
    /// The token's balance cell.
    #[default]
    Balance,
    /// The collateral cell; quote token only.
    Collateral,
}

impl Bucket {
    /// The bit of this bucket in messages and records.
    pub const fn bit(self) -> u32 {
        match self {
            Self::Balance => 0,
            Self::Collateral => 1,
        }
    }

    /// Whether this is the collateral.
    pub const fn is_collateral(self) -> bool {
        matches!(self, Self::Collateral)
    }
}

impl Encode for Bucket {
    fn encode(&self, out: &mut Vec<u8>) {
        self.is_collateral().encode(out);
    }
}

impl Decode for Bucket {
    const MIN_LEN: usize = 1;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(if bool::decode(input)? { Self::Collateral } else { Self::Balance })
    }
}
