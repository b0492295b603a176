//! Byte encodings of the operations: the op code, then the fields in order.

use alloc::vec::Vec;
use tsz_codec::{CodecError, Decode, Encode, Reader, codec_struct};
use tsz_hash::Digest;
use tsz_ledger::{Permissions, Scheme};
use tsz_sig::{SIGNATURE_BYTES, Signature};
use tsz_types::{AccountId, Bucket, EthAddress, KeySlot, L1Serial, Nonce, SubId, TimeMs, TokenId, Units};

use crate::op::{FundOp, code};
use crate::ops::{
    BeginBatch, Deposit, FullExit, L1RegisterKey, L1RevokeKey, RegisterKey, RevokeKey, Transfer, Withdraw,
};

/// Reads a signature.
///
/// # Errors
/// [`CodecError`] for bytes that are none, or a second representation of one.
pub fn decode_signature(input: &mut Reader<'_>) -> Result<Signature, CodecError> {
    let bytes: [u8; SIGNATURE_BYTES] = input.array()?;
    let signature = Signature::from_bytes(&bytes).map_err(|_| input.invalid("signature"))?;
    // a challenge or response with a second representation would be a second encoding
    if signature.to_bytes() == bytes { Ok(signature) } else { Err(input.invalid("signature")) }
}

/// [`codec_struct!`] for structs that end with key slot and signature.
macro_rules! signed_struct {
    ($name:ident { $($field:ident : $ty:ty),* $(,)? }) => {
        impl Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                $( self.$field.encode(out); )*
                self.key_slot.encode(out);
                self.signature.to_bytes().encode(out);
            }
        }
        impl Decode for $name {
            const MIN_LEN: usize = 1 + SIGNATURE_BYTES $( + <$ty as Decode>::MIN_LEN )*;
            fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
                Ok(Self {
                    $( $field: Decode::decode(input)?, )*
                    key_slot: Decode::decode(input)?,
                    signature: decode_signature(input)?,
                })
            }
        }
    };
}

codec_struct!(BeginBatch {});
codec_struct!(Deposit {
    serial: L1Serial,
    account: AccountId,
    sub: SubId,
    bucket: Bucket,
    token: TokenId,
    units: Units,
    owner: EthAddress,
});
signed_struct!(Transfer {
    account: AccountId,
    sub: SubId,
    bucket: Bucket,
    to_account: AccountId,
    to_sub: SubId,
    to_bucket: Bucket,
    token: TokenId,
    units: Units,
    nonce: Nonce,
});
signed_struct!(Withdraw {
    account: AccountId,
    sub: SubId,
    bucket: Bucket,
    token: TokenId,
    units: Units,
    to: EthAddress,
    nonce: Nonce,
});
signed_struct!(RegisterKey {
    account: AccountId,
    slot: KeySlot,
    key_id: Digest,
    scheme: Scheme,
    permissions: Permissions,
    expiry: TimeMs,
    nonce: Nonce,
});
signed_struct!(RevokeKey { account: AccountId, slot: KeySlot, nonce: Nonce });
codec_struct!(FullExit {
    serial: L1Serial,
    account: AccountId,
    sub: SubId,
    bucket: Bucket,
    token: TokenId,
    sender: EthAddress,
});
codec_struct!(L1RegisterKey {
    serial: L1Serial,
    account: AccountId,
    slot: KeySlot,
    key_id: Digest,
    scheme: Scheme,
    permissions: Permissions,
    expiry: TimeMs,
    sender: EthAddress,
});
codec_struct!(L1RevokeKey { serial: L1Serial, account: AccountId, slot: KeySlot, sender: EthAddress });

impl Encode for FundOp {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.code() as u8); // 1..=9
        match self {
            Self::BeginBatch(op) => op.encode(out),
            Self::Deposit(op) => op.encode(out),
            Self::Transfer(op) => op.encode(out),
            Self::Withdraw(op) => op.encode(out),
            Self::RegisterKey(op) => op.encode(out),
            Self::RevokeKey(op) => op.encode(out),
            Self::FullExit(op) => op.encode(out),
            Self::L1RegisterKey(op) => op.encode(out),
            Self::L1RevokeKey(op) => op.encode(out),
        }
    }
}

impl Decode for FundOp {
    const MIN_LEN: usize = 1;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(match u32::from(u8::decode(input)?) {
            code::BEGIN_BATCH => Self::BeginBatch(Decode::decode(input)?),
            code::DEPOSIT => Self::Deposit(Decode::decode(input)?),
            code::TRANSFER => Self::Transfer(Decode::decode(input)?),
            code::WITHDRAW => Self::Withdraw(Decode::decode(input)?),
            code::REGISTER_KEY => Self::RegisterKey(Decode::decode(input)?),
            code::REVOKE_KEY => Self::RevokeKey(Decode::decode(input)?),
            code::FULL_EXIT => Self::FullExit(Decode::decode(input)?),
            code::L1_REGISTER_KEY => Self::L1RegisterKey(Decode::decode(input)?),
            code::L1_REVOKE_KEY => Self::L1RevokeKey(Decode::decode(input)?),
            _ => return Err(input.invalid("op code")),
        })
    }
}
