//! Keys of cells, as the state has them (docs/src/state.md).

/// Cell numbers of a user's sub-account that programs use.
pub mod cell {
    /// Collateral and number of positions (published).
    pub const SUB: u32 = 0;
    /// First balance cell (published).
    pub const BAL: u32 = 128;
    /// First cell of positions (published).
    pub const POS: u32 = 256;
    /// First cell of approval slot 0 (private).
    pub const APPROVAL: u32 = 32;
    /// Approval slots of a sub-account.
    pub const SLOTS: u32 = 7;
    /// Cells of an approval slot.
    pub const SLOT_CELLS: u32 = 32;
    /// Program id, within an approval slot.
    pub const PROGRAM: u32 = 0;
    /// Digest of the terms, within an approval slot.
    pub const TERMS: u32 = 1;
    /// Expiry, epoch and tokens, within an approval slot.
    pub const POLICY: u32 = 2;
    /// First limit, within an approval slot.
    pub const LIMIT: u32 = 3;
    /// Limits of an approval slot.
    pub const LIMITS: u32 = 4;
    /// What a limit of positions and collateral names in place of a token: it comes after all tokens.
    pub const POSITIONS: u32 = 128;
    /// What the program asks the guard to do to a position, within an approval slot.
    pub const LEG: u32 = 7;
    /// First storage cell, within an approval slot.
    pub const STORAGE: u32 = 8;
    /// Storage cells of an approval slot.
    pub const STORAGE_CELLS: u32 = SLOT_CELLS - STORAGE;
}

/// A position in the state tree: 26 and 14 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Realm, system flag, account.
    pub hi: u32,
    /// Sub-account and cell.
    pub lo: u32,
}

const PRIVATE: u32 = 1 << 25;
const SYSTEM: u32 = 1 << 24;

impl Key {
    /// Batch number and time of the running batch.
    pub const HEAD: Self = Self::system(1, 0);
    /// Hash of the parameters in force.
    pub const PARAMS: Self = Self::system(1, 5);

    /// Published cell of a user. Higher bits of the arguments are cut off.
    pub const fn published(account: u32, sub: u32, cell: u32) -> Self {
        Self { hi: account & 0xff_ffff, lo: (sub & 31) << 9 | cell & 511 }
    }

    /// Private cell of a user. Higher bits of the arguments are cut off.
    pub const fn private(account: u32, sub: u32, cell: u32) -> Self {
        Self { hi: PRIVATE | account & 0xff_ffff, lo: (sub & 31) << 9 | cell & 511 }
    }

    /// Published system cell `index` of `kind`.
    pub const fn system(kind: u32, index: u32) -> Self {
        Self { hi: SYSTEM | (kind & 63) << 18 | index >> 14, lo: index & 0x3fff }
    }

    /// Balance of a token.
    pub const fn bal(account: u32, sub: u32, token: u32) -> Self {
        Self::published(account, sub, cell::BAL + (token & 127))
    }

    /// Collateral of a sub-account.
    pub const fn sub(account: u32, sub: u32) -> Self {
        Self::published(account, sub, cell::SUB)
    }

    /// Position in a perpetual market.
    pub const fn pos(account: u32, sub: u32, market: u32) -> Self {
        Self::published(account, sub, cell::POS + (market & 255))
    }

    /// Prices of a perpetual market.
    pub const fn mkp(market: u32) -> Self {
        Self::system(3, market & 255)
    }

    /// Cell `place` (below 32) of an approval slot (below 7).
    pub const fn approval(account: u32, sub: u32, slot: u32, place: u32) -> Self {
        Self::private(account, sub, cell::APPROVAL + cell::SLOT_CELLS * slot + place)
    }

    /// Account, sub-account, slot and place of a private cell inside an approval slot.
    pub const fn as_approval(self) -> Option<(u32, u32, u32, u32)> {
        let number = self.lo & 511;
        let end = cell::APPROVAL + cell::SLOT_CELLS * cell::SLOTS;
        if self.hi >> 24 != PRIVATE >> 24 || self.lo >> 14 != 0 || number < cell::APPROVAL || number >= end {
            return None;
        }
        let place = number - cell::APPROVAL;
        Some((self.hi & 0xff_ffff, self.lo >> 9, place / cell::SLOT_CELLS, place % cell::SLOT_CELLS))
    }

    /// Account, sub-account and token of a balance cell.
    pub const fn as_balance(self) -> Option<(u32, u32, u32)> {
        let number = self.lo & 511;
        if self.hi >> 24 != 0 || self.lo >> 14 != 0 || number < cell::BAL || number >= cell::BAL + 128 {
            return None;
        }
        Some((self.hi, self.lo >> 9, number - cell::BAL))
    }
}
