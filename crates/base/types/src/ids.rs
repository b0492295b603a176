//! Identifiers, counters and time.

use crate::NumberError;

unsigned! {
    /// Account number.
    AccountId: u32, 24 bits, 1 limbs, 3 bytes, 0..=(1 << 24) - 1, number
}
unsigned! {
    /// Sub-account of an account.
    SubId: u8, 5 bits, 1 limbs, 1 bytes, 0..=31, number
}
unsigned! {
    /// Token; 0 is the quote token.
    TokenId: u8, 7 bits, 1 limbs, 1 bytes, 0..=127, number
}
unsigned! {
    /// Perpetual market.
    MarketId: u8, 8 bits, 1 limbs, 1 bytes, 0..=u8::MAX, number
}
unsigned! {
    /// Spot market.
    SpotMarketId: u16, 16 bits, 1 limbs, 2 bytes, 0..=u16::MAX, number
}
unsigned! {
    /// Order slot of a sub-account.
    Slot: u8, 8 bits, 1 limbs, 1 bytes, 0..=u8::MAX, number
}
unsigned! {
    /// Key slot of an account.
    KeySlot: u8, 6 bits, 1 limbs, 1 bytes, 0..=47, number
}
unsigned! {
    /// Place of a key of an OpenID provider.
    ProviderSlot: u16, 12 bits, 1 limbs, 2 bytes, 0..=(1 << 12) - 1, number
}
unsigned! {
    /// Nonce of a sub-account or of an order slot.
    Nonce: u32, 32 bits, 2 limbs, 4 bytes, 0..=u32::MAX, number
}
unsigned! {
    /// Epoch that kills the orders of a sub-account signed before it.
    KillEpoch: u32, 32 bits, 2 limbs, 4 bytes, 0..=u32::MAX, number
}
unsigned! {
    /// Serial number in the L1 queue. A string in JSON: it may exceed what a JSON number holds exactly.
    L1Serial: u64, 64 bits, 3 limbs, 8 bytes, 0..=u64::MAX, amount
}
unsigned! {
    /// Milliseconds since the Unix epoch.
    TimeMs: u64, 48 bits, 2 limbs, 6 bytes, 0..=(1 << 48) - 1, number
}
unsigned! {
    /// Number of a batch; genesis is 0.
    BatchNumber: u64, 48 bits, 2 limbs, 6 bytes, 0..=(1 << 48) - 1, number
}

impl AccountId {
    /// Receives trading fees; owned by the operator.
    pub const FEES: Self = Self(0);
    /// Takes over bankrupt positions; never signs.
    pub const INSURANCE: Self = Self(1);
    /// The first account that a deposit can create.
    pub const FIRST_USER: Self = Self(2);
}

impl TokenId {
    /// The token in which collateral is held.
    pub const QUOTE: Self = Self(0);
}

impl Nonce {
    /// The next nonce; `None` at the maximum, which is never used.
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

impl L1Serial {
    /// The next serial.
    pub fn next(self) -> Result<Self, NumberError> {
        self.checked_add(Self(1))
    }
}
