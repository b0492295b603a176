//! Keys of the state tree: 40 bits, two felts.

use tsz_hash::{F, PrimeCharacteristicRing};

/// Bits of a key: levels of the tree.
pub const KEY_BITS: u32 = 40;
/// Low bits of a key: sub-account 5, cell 9.
pub const LO_BITS: u32 = 14;
const SYSTEM_BIT: u64 = 1 << 38;
const PRIVATE_BIT: u64 = 1 << 39;

/// The two halves of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Realm {
    /// Rebuilt from published data; exits are proven against it.
    Published,
    /// Known to the operator and to users.
    Private,
}

/// A position in the state tree, below 2^40.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u64);

/// Cell numbers of a user's sub-account.
pub mod cell {
    /// Collateral and position count (published).
    pub const SUB: u32 = 0;
    /// L1 owner (published, sub-account 0).
    pub const ACCT: u32 = 1;
    /// First key cell (published, sub-account 0).
    pub const KEY_A: u32 = 2;
    /// First key-policy cell.
    pub const KEY_B: u32 = 3;
    /// First margin balance cell (published): one for each collateral token, by its place in the parameters.
    pub const MBAL: u32 = 98;
    /// First balance cell (published).
    pub const BAL: u32 = 128;
    /// First position cell (published).
    pub const POS: u32 = 256;
    /// Nonce and kill epoch (private).
    pub const CTL: u32 = 0;
    /// First order slot (private).
    pub const ORD: u32 = 256;
    /// Cells of one sub-account.
    pub const COUNT: u32 = 512;
}

/// Kinds of system cells.
pub mod kind {
    /// Batch head, L1 queue, chains, roots.
    pub const SYS: u32 = 1;
    /// Tokens.
    pub const TOK: u32 = 2;
    /// Prices of perpetual markets.
    pub const MKP: u32 = 3;
    /// Funding of perpetual markets.
    pub const MKF: u32 = 4;
    /// Premium samples of perpetual markets.
    pub const MKS: u32 = 5;
    /// Open interest of perpetual markets.
    pub const MKO: u32 = 6;
    /// ADL rankings of perpetual markets (private).
    pub const MKR: u32 = 7;
    /// Keys of OpenID providers.
    pub const PROVIDER: u32 = 8;
}

impl Key {
    /// A key from its number; `None` from 2^40 up.
    pub const fn new(raw: u64) -> Option<Self> {
        if raw >> KEY_BITS == 0 { Some(Self(raw)) } else { None }
    }

    /// Cell `cell` (< 512) of sub-account `sub` (< 32) of `account` (< 2^24). Higher bits are cut off.
    pub const fn user(realm: Realm, account: u32, sub: u32, cell: u32) -> Self {
        let realm = if matches!(realm, Realm::Private) { PRIVATE_BIT } else { 0 };
        Self(realm | (account as u64 & 0xff_ffff) << LO_BITS | (sub as u64 & 31) << 9 | (cell as u64 & 511))
    }

    /// System cell `index` of `kind` (< 64).
    pub const fn system(realm: Realm, kind: u32, index: u32) -> Self {
        let realm = if matches!(realm, Realm::Private) { PRIVATE_BIT } else { 0 };
        Self(realm | SYSTEM_BIT | (kind as u64 & 63) << 32 | index as u64)
    }

    /// Collateral cell of a sub-account.
    pub const fn sub(account: u32, sub: u32) -> Self {
        Self::user(Realm::Published, account, sub, cell::SUB)
    }

    /// Account cell.
    pub const fn acct(account: u32) -> Self {
        Self::user(Realm::Published, account, 0, cell::ACCT)
    }

    /// Key id in slot `slot` (< 48).
    pub const fn key_a(account: u32, slot: u32) -> Self {
        Self::user(Realm::Published, account, 0, cell::KEY_A + 2 * slot)
    }

    /// Key policy in slot `slot` (< 48).
    pub const fn key_b(account: u32, slot: u32) -> Self {
        Self::user(Realm::Published, account, 0, cell::KEY_B + 2 * slot)
    }

    /// Balance of `token` (< 128).
    pub const fn bal(account: u32, sub: u32, token: u32) -> Self {
        Self::user(Realm::Published, account, sub, cell::BAL + token)
    }

    /// Margin balance of the collateral token in place `place` (< 4).
    pub const fn mbal(account: u32, sub: u32, place: u32) -> Self {
        Self::user(Realm::Published, account, sub, cell::MBAL + place)
    }

    /// The cell of a bucket: balance of `token`, or the collateral cell.
    pub const fn bucket(account: u32, sub: u32, collateral: bool, token: u32) -> Self {
        if collateral { Self::sub(account, sub) } else { Self::bal(account, sub, token) }
    }

    /// Nonce cell of a sub-account.
    pub const fn ctl(account: u32, sub: u32) -> Self {
        Self::user(Realm::Private, account, sub, cell::CTL)
    }

    /// Position in perpetual market `market` (< 256).
    pub const fn pos(account: u32, sub: u32, market: u32) -> Self {
        Self::user(Realm::Published, account, sub, cell::POS + market)
    }

    /// Order slot `slot` (< 256).
    pub const fn ord(account: u32, sub: u32, slot: u32) -> Self {
        Self::user(Realm::Private, account, sub, cell::ORD + slot)
    }

    /// Prices of a perpetual market.
    pub const fn mkp(market: u32) -> Self {
        Self::system(Realm::Published, kind::MKP, market)
    }

    /// Funding of a perpetual market.
    pub const fn mkf(market: u32) -> Self {
        Self::system(Realm::Published, kind::MKF, market)
    }

    /// Premium samples of a perpetual market.
    pub const fn mks(market: u32) -> Self {
        Self::system(Realm::Published, kind::MKS, market)
    }

    /// Open interest of a perpetual market.
    pub const fn mko(market: u32) -> Self {
        Self::system(Realm::Published, kind::MKO, market)
    }

    /// ADL ranking of one side of a perpetual market (1 = short) for a loss class (< 16).
    pub const fn mkr(market: u32, side: u32, class: u32) -> Self {
        Self::system(Realm::Private, kind::MKR, 32 * market + 16 * side + class)
    }

    /// Key of an OpenID provider in place `slot` (< 2^12).
    pub const fn provider(slot: u32) -> Self {
        Self::system(Realm::Published, kind::PROVIDER, slot & 0xfff)
    }

    /// Batch head.
    pub const HEAD: Self = Self::system(Realm::Published, kind::SYS, 0);
    /// Next L1 serial.
    pub const L1IN: Self = Self::system(Realm::Published, kind::SYS, 1);
    /// Hash chain of consumed L1 operations.
    pub const L1CHAIN: Self = Self::system(Realm::Published, kind::SYS, 2);
    /// Hash chain of withdrawal records.
    pub const OUT: Self = Self::system(Realm::Published, kind::SYS, 3);
    /// Root of the vk tree.
    pub const VKROOT: Self = Self::system(Realm::Published, kind::SYS, 4);
    /// Hash of the parameters.
    pub const PARAMS: Self = Self::system(Realm::Published, kind::SYS, 5);

    /// Token cell.
    pub const fn tok(token: u32) -> Self {
        Self::system(Realm::Published, kind::TOK, token)
    }

    /// The number below 2^40.
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// Upper 26 bits: realm, system, account.
    pub const fn hi(self) -> u32 {
        (self.0 >> LO_BITS) as u32
    }

    /// Lower 14 bits: sub-account, cell.
    pub const fn lo(self) -> u32 {
        (self.0 & ((1 << LO_BITS) - 1)) as u32
    }

    /// The pair as felts.
    pub fn felts(self) -> [F; 2] {
        [F::from_u32(self.hi()), F::from_u32(self.lo())]
    }

    /// Which half of the tree.
    pub const fn realm(self) -> Realm {
        if self.0 & PRIVATE_BIT == 0 { Realm::Published } else { Realm::Private }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_of_keys_is_pinned() {
        assert_eq!(Key::bal(5, 3, 7).raw(), 5 << 14 | 3 << 9 | 135);
        assert_eq!(Key::mbal(5, 3, 2).raw(), 5 << 14 | 3 << 9 | 100);
        assert_eq!(Key::ctl(5, 3).hi(), (1 << 25) + 5);
        assert_eq!(Key::ctl(5, 3).lo(), 3 * 512);
        assert_eq!(Key::mkr(3, 1, 5).raw(), 1 << 39 | 1 << 38 | 7 << 32 | (96 + 16 + 5));
        assert_eq!(Key::HEAD.raw(), 1 << 38 | 1 << 32);
        assert_eq!(Key::tok(9).hi(), 1 << 24 | 2 << 18);
        assert_eq!(Key::provider(9).raw(), 1 << 38 | 8 << 32 | 9);
        assert_eq!(Key::new(1 << 40), None);
    }
}
