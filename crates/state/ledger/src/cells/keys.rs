//! What a registered key may do.

use alloc::vec::Vec;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tsz_codec::{CodecError, Decode, Encode, Reader};
use tsz_hash::ZERO;
use tsz_types::TimeMs;

use super::{Cell, CellError, felt, number, put, small, take, zero_from};
use crate::access::Leaf;

/// Signature scheme of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Scheme {
    /// Native Schnorr signatures on the septic curve.
    Schnorr = 1,
    /// Passkeys.
    P256 = 2,
    /// Social logins.
    Oidc = 3,
    /// Wallets.
    Secp256k1 = 4,
}

impl Scheme {
    /// The scheme of a number 1..=4.
    pub const fn from_code(code: u32) -> Option<Self> {
        match code {
            1 => Some(Self::Schnorr),
            2 => Some(Self::P256),
            3 => Some(Self::Oidc),
            4 => Some(Self::Secp256k1),
            _ => None,
        }
    }

    /// Its number.
    pub const fn code(self) -> u32 {
        self as u32
    }
}

/// One right of a key: a bit of [`Permissions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Permission {
    /// Sign orders.
    Trade = 1,
    /// Move funds within the account.
    TransferInternal = 2,
    /// Move funds to another account.
    TransferOut = 4,
    /// Withdraw to L1.
    Withdraw = 8,
    /// Register and revoke keys.
    ManageKeys = 16,
    /// Approve extension programs.
    Extension = 32,
}

impl Permission {
    /// All of them, by bit.
    pub const ALL: [Self; 6] = [
        Self::Trade,
        Self::TransferInternal,
        Self::TransferOut,
        Self::Withdraw,
        Self::ManageKeys,
        Self::Extension,
    ];

    /// The bit.
    pub const fn bit(self) -> u8 {
        self as u8
    }
}

/// A set of rights, below 64. A list of names in JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Permissions(u8);

impl Permissions {
    /// Every right.
    pub const ALL: Self = Self(63);
    /// No right.
    pub const NONE: Self = Self(0);

    /// The set of bits; `None` from 64 up.
    pub const fn from_bits(bits: u32) -> Option<Self> {
        if bits < 64 { Some(Self(bits as u8)) } else { None }
    }

    /// The bits.
    pub const fn bits(self) -> u32 {
        self.0 as u32
    }

    /// Whether the right is in the set.
    pub const fn has(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(items: I) -> Self {
        Self(items.into_iter().fold(0, |bits, p| bits | p.bit()))
    }
}

impl Serialize for Permissions {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(Permission::ALL.into_iter().filter(|p| self.has(*p)))
    }
}

impl<'de> Deserialize<'de> for Permissions {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Vec::<Permission>::deserialize(d)?.into_iter().collect())
    }
}

/// Policy of a key slot; the cell of an empty slot is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KeyPolicy {
    /// How the key signs.
    pub scheme: Scheme,
    /// What it may sign.
    pub permissions: Permissions,
    /// The key is good in batches before this time.
    pub expiry: TimeMs,
}

impl Cell for Option<KeyPolicy> {
    const NAME: &'static str = "KEYB";

    fn to_leaf(&self) -> Leaf {
        let mut leaf = ZERO;
        if let Some(policy) = self {
            leaf[0] = felt(policy.scheme.code());
            leaf[1] = felt(policy.permissions.bits());
            put(&mut leaf, 2, policy.expiry.to_felts());
        }
        leaf
    }

    fn from_leaf(leaf: &Leaf) -> Result<Self, CellError> {
        zero_from(Self::NAME, leaf, 4)?;
        let bits = small(Self::NAME, leaf, 1, Permissions::ALL.bits())?;
        let expiry = number(Self::NAME, TimeMs::from_felts(&take(leaf, 2)))?;
        match Scheme::from_code(small(Self::NAME, leaf, 0, Scheme::Secp256k1.code())?) {
            Some(scheme) => Ok(Some(KeyPolicy { scheme, permissions: Permissions(bits as u8), expiry })),
            None if *leaf == ZERO => Ok(None),
            None => Err(CellError::NotCanonical { cell: Self::NAME, what: "a policy without a key" }),
        }
    }
}

impl Encode for Scheme {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(*self as u8);
    }
}

impl Decode for Scheme {
    const MIN_LEN: usize = 1;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        Self::from_code(u8::decode(input)?.into()).ok_or(input.invalid("Scheme"))
    }
}

impl Encode for Permissions {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.0);
    }
}

impl Decode for Permissions {
    const MIN_LEN: usize = 1;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        Self::from_bits(u8::decode(input)?.into()).ok_or(input.invalid("Permissions"))
    }
}

tsz_codec::codec_struct!(KeyPolicy { scheme: Scheme, permissions: Permissions, expiry: TimeMs });
