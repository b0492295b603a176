//! Byte encodings of the operations: the op code, then the fields in order (docs/src/extensions.md).
//!
//! What [`apply`](crate::apply) can accept has exactly one encoding. Lists are bounded by the rules' own bounds before
//! anything is allocated; that they are in order and fit together is left to the rules.

use alloc::vec::Vec;
use tsz_codec::{CodecError, Decode, Encode, Reader, codec_struct, decode_bounded};
use tsz_ext_sdk::{MAX_ACCESSES, MAX_ARGS, MAX_PARTIES, P};
use tsz_hash::Digest;
use tsz_ledger::Key;
use tsz_sig::SIGNATURE_BYTES;
use tsz_stf::decode_signature;
use tsz_types::{AccountId, KeySlot, Nonce, SubId, TimeMs, Units};

use crate::op::code;
use crate::{
    ApprovalSlot, ApproveExtension, Approver, ExtOp, Extension, Limit, Limited, MAX_LIMITS, RevokeExtension,
    Touch,
};

impl Encode for ApprovalSlot {
    fn encode(&self, out: &mut Vec<u8>) {
        self.get().encode(out);
    }
}

impl Decode for ApprovalSlot {
    const MIN_LEN: usize = 1;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        Self::new(u8::decode(input)?).ok_or_else(|| input.invalid("approval slot"))
    }
}

impl Encode for Limited {
    fn encode(&self, out: &mut Vec<u8>) {
        self.number().encode(out);
    }
}

impl Decode for Limited {
    const MIN_LEN: usize = 1;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        Self::new(u8::decode(input)?).ok_or_else(|| input.invalid("limit"))
    }
}

codec_struct!(Limit { of: Limited, units: Units });
codec_struct!(Approver { account: AccountId, sub: SubId, slot: ApprovalSlot });

impl Encode for Touch {
    fn encode(&self, out: &mut Vec<u8>) {
        self.key.encode(out);
        self.write.encode(out);
    }
}

impl Decode for Touch {
    const MIN_LEN: usize = 9;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        let key = u64::decode(input)?;
        Key::new(key).ok_or_else(|| input.invalid("key"))?;
        Ok(Self { key, write: Decode::decode(input)? })
    }
}

/// A word that the zkVM takes.
struct Word(u32);

impl Decode for Word {
    const MIN_LEN: usize = 4;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        let word = u32::decode(input)?;
        if word < P { Ok(Self(word)) } else { Err(input.invalid("felt")) }
    }
}

impl Encode for Extension {
    fn encode(&self, out: &mut Vec<u8>) {
        self.program.encode(out);
        self.parties.encode(out);
        self.cells.encode(out);
        self.args.encode(out);
    }
}

impl Decode for Extension {
    const MIN_LEN: usize = <Digest as Decode>::MIN_LEN + 3 * 4;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            program: Decode::decode(input)?,
            parties: decode_bounded(input, MAX_PARTIES)?,
            cells: decode_bounded(input, MAX_ACCESSES)?,
            args: decode_bounded(input, MAX_ARGS)?.into_iter().map(|Word(word)| word).collect(),
        })
    }
}

impl Encode for ApproveExtension {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.account, self.sub, self.slot).encode(out);
        (self.program, self.terms, self.expiry).encode(out);
        self.limits.encode(out);
        (self.nonce, self.key_slot, self.signature.to_bytes()).encode(out);
    }
}

impl Decode for ApproveExtension {
    const MIN_LEN: usize = <Approver as Decode>::MIN_LEN
        + 2 * <Digest as Decode>::MIN_LEN
        + TimeMs::MIN_LEN
        + 4
        + Nonce::MIN_LEN
        + KeySlot::MIN_LEN
        + SIGNATURE_BYTES;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            account: Decode::decode(input)?,
            sub: Decode::decode(input)?,
            slot: Decode::decode(input)?,
            program: Decode::decode(input)?,
            terms: Decode::decode(input)?,
            expiry: Decode::decode(input)?,
            limits: decode_bounded(input, MAX_LIMITS)?,
            nonce: Decode::decode(input)?,
            key_slot: Decode::decode(input)?,
            signature: decode_signature(input)?,
        })
    }
}

impl Encode for RevokeExtension {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.account, self.sub, self.slot).encode(out);
        (self.nonce, self.key_slot, self.signature.to_bytes()).encode(out);
    }
}

impl Decode for RevokeExtension {
    const MIN_LEN: usize =
        <Approver as Decode>::MIN_LEN + Nonce::MIN_LEN + KeySlot::MIN_LEN + SIGNATURE_BYTES;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            account: Decode::decode(input)?,
            sub: Decode::decode(input)?,
            slot: Decode::decode(input)?,
            nonce: Decode::decode(input)?,
            key_slot: Decode::decode(input)?,
            signature: decode_signature(input)?,
        })
    }
}

impl Encode for ExtOp {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.code() as u8); // 80..=82
        match self {
            Self::ApproveExtension(op) => op.encode(out),
            Self::RevokeExtension(op) => op.encode(out),
            Self::Extension(op) => op.encode(out),
        }
    }
}

impl Decode for ExtOp {
    const MIN_LEN: usize = 1;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(match u32::from(u8::decode(input)?) {
            code::APPROVE_EXTENSION => Self::ApproveExtension(Decode::decode(input)?),
            code::REVOKE_EXTENSION => Self::RevokeExtension(Decode::decode(input)?),
            code::EXTENSION => Self::Extension(Decode::decode(input)?),
            _ => return Err(input.invalid("op code")),
        })
    }
}
