//! Bundles and their canonical encoding.

use tsz_codec::{CodecError, Decode, Encode, Reader, decode_all, decode_bounded};
use tsz_hash::Digest;
use tsz_ledger::{BatchContext, BatchHeader, ExecClaim, SET_SLOTS, SetLeaf};
use tsz_stark::MAX_PROOF_BYTES;
use tsz_vktree::VkMembership;

use crate::run::GuestRun;
use crate::{MAX_BATCHES, MAX_EXECS, MAX_OPS};

/// First bytes of a bundle.
const MAGIC: [u8; 4] = *b"TSZB";
/// Version of the format that this code reads and writes.
const VERSION: u16 = 3;
/// Batch numbers and times are u48: above, the context digest would not tell them apart.
pub(crate) const U48: u64 = 1 << 48;

/// A verifying key as a bundle refers to it: by digest, with its place in the vk tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VkRef {
    /// Digest of the verifying key.
    pub digest: Digest,
    /// Proof that (algorithm, digest) is listed.
    pub membership: VkMembership,
}

tsz_codec::codec_struct!(VkRef { digest: Digest, membership: VkMembership });

/// An execution proof with its claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecProof {
    /// What it says.
    pub claim: ExecClaim,
    /// The key it is made under.
    pub vk: VkRef,
    /// Canonical bytes of the proof.
    pub proof: Vec<u8>,
    /// If the proof is one of the guard, the run of the program over the same operations.
    pub run: Option<GuestRun>,
}

/// A transition proof; its claim is the batch header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransitionProof {
    /// The key it is made under.
    pub vk: VkRef,
    /// Canonical bytes of the proof.
    pub proof: Vec<u8>,
}

/// One batch: what is settled, the set of tuple vectors, and the proofs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchProofs {
    /// What is settled.
    pub header: BatchHeader,
    /// Used leaves of the transition set, in order.
    pub leaves: Vec<SetLeaf>,
    /// The transition proof.
    pub transition: TransitionProof,
    /// The execution proofs: in the order of the leaves, and within a leaf in the order of the ranges.
    pub execs: Vec<ExecProof>,
}

/// Consecutive batches with their proofs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bundle {
    /// The batches in order.
    pub batches: Vec<BatchProofs>,
}

impl Bundle {
    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        Encode::to_bytes(self)
    }

    /// Reads a bundle; only the bytes of [`Bundle::to_bytes`] are accepted.
    ///
    /// # Errors
    /// [`CodecError`] with the offset of what is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        decode_all(bytes)
    }
}

impl Encode for Bundle {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&MAGIC);
        VERSION.encode(out);
        self.batches.encode(out);
    }
}

impl Decode for Bundle {
    const MIN_LEN: usize = 10;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        if input.array()? != MAGIC {
            return Err(input.invalid("bundle (magic bytes)"));
        }
        if u16::decode(input)? != VERSION {
            return Err(input.invalid("bundle version"));
        }
        Ok(Self { batches: decode_bounded(input, MAX_BATCHES)? })
    }
}

impl Encode for BatchProofs {
    fn encode(&self, out: &mut Vec<u8>) {
        let h = &self.header;
        encode_context(&h.context, out);
        (h.s0, h.sn, h.ops).encode(out);
        h.set_root.encode(out);
        (self.leaves.len() as u32).encode(out);
        for leaf in &self.leaves {
            (leaf.algorithm, leaf.count, leaf.commitment).encode(out);
        }
        self.transition.vk.encode(out);
        self.transition.proof.encode(out);
        self.execs.encode(out);
    }
}

impl Decode for BatchProofs {
    const MIN_LEN: usize = CONTEXT_LEN + 3 * DIGEST_LEN + 4 + 4 + VkRef::MIN_LEN + 4 + 4;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        let context = decode_context(input)?;
        let (s0, sn) = Decode::decode(input)?;
        let ops = decode_count(input)?;
        let set_root = Digest::decode(input)?;
        let header = BatchHeader { context, s0, sn, ops, set_root };
        let leaves = decode_bounded::<Leaf>(input, SET_SLOTS)?.into_iter().map(|l| l.0).collect();
        let transition = TransitionProof { vk: VkRef::decode(input)?, proof: decode_proof(input)? };
        Ok(Self { header, leaves, transition, execs: decode_bounded(input, MAX_EXECS)? })
    }
}

/// Reads one leaf of the transition set.
struct Leaf(SetLeaf);

impl Decode for Leaf {
    const MIN_LEN: usize = 2 * DIGEST_LEN + 4;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        let algorithm = Digest::decode(input)?;
        let count = decode_count(input)?;
        Ok(Self(SetLeaf { algorithm, count, commitment: Digest::decode(input)? }))
    }
}

impl Encode for ExecProof {
    fn encode(&self, out: &mut Vec<u8>) {
        let c = &self.claim;
        c.algorithm.encode(out);
        encode_context(&c.context, out);
        (c.count, c.start, c.end, c.has_begin).encode(out);
        self.vk.encode(out);
        self.proof.encode(out);
        self.run.is_some().encode(out);
        if let Some(run) = &self.run {
            run.encode(out);
        }
    }
}

impl Decode for ExecProof {
    const MIN_LEN: usize = CONTEXT_LEN + 3 * DIGEST_LEN + 4 + 1 + VkRef::MIN_LEN + 4 + 1;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        let algorithm = Digest::decode(input)?;
        let context = decode_context(input)?;
        let count = decode_count(input)?;
        let (start, end, has_begin) = Decode::decode(input)?;
        let claim = ExecClaim { algorithm, context, count, start, end, has_begin };
        let (vk, proof) = (VkRef::decode(input)?, decode_proof(input)?);
        let run = if bool::decode(input)? { Some(GuestRun::decode(input)?) } else { None };
        Ok(Self { claim, vk, proof, run })
    }
}

const DIGEST_LEN: usize = <Digest as Decode>::MIN_LEN;
const CONTEXT_LEN: usize = 2 * DIGEST_LEN + 16;

fn encode_context(context: &BatchContext, out: &mut Vec<u8>) {
    (context.system, context.batch, context.time).encode(out);
    context.params.encode(out);
}

fn decode_context(input: &mut Reader<'_>) -> Result<BatchContext, CodecError> {
    let (system, batch, time) = Decode::decode(input)?;
    if batch >= U48 || time >= U48 {
        return Err(input.invalid("batch number and time below 2^48"));
    }
    Ok(BatchContext { system, batch, time, params: Digest::decode(input)? })
}

fn decode_count(input: &mut Reader<'_>) -> Result<u32, CodecError> {
    let count = u32::decode(input)?;
    if count < MAX_OPS { Ok(count) } else { Err(input.invalid("op count below 2^24")) }
}

fn decode_proof(input: &mut Reader<'_>) -> Result<Vec<u8>, CodecError> {
    let len = u32::decode(input)? as usize;
    if len > MAX_PROOF_BYTES {
        return Err(CodecError::Length { at: input.at(), got: len as u64, max: MAX_PROOF_BYTES as u64 });
    }
    Ok(input.take(len)?.to_vec())
}
