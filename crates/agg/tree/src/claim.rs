//! What nodes claim, and its digest: the public values of a node proof.
//!
//! A claim is seven blocks of eight felts, hashed in the domain `Claim`:
//!
//! | block | Exec | Set | Transition | Batches |
//! |---|---|---|---|---|
//! | 0 | 1, ops, begins | 2, ops, begins, leaves | 3, ops | 4, batches |
//! | 1 | | | | first number, last number, first time, last time (2 limbs of 24 bits each) |
//! | 2 | algorithm | algorithm of the last leaf | | system |
//! | 3 | context | context | context | headers |
//! | 4 | start | set root | s0 | s0 |
//! | 5 | end | | sn | sn |
//! | 6 | | | set root | |

use tsz_codec::{CodecError, Decode, Encode, Reader, decode_all};
use tsz_hash::{Digest, Domain, F, PrimeCharacteristicRing, ZERO, hash};
use tsz_ledger::{AlgorithmId, BatchHeader, ExecClaim, TransitionClaim};

/// Blocks of a claim.
pub const BLOCKS: usize = 7;
/// Batch numbers and times are below this.
const U48: u64 = 1 << 48;
/// Counts are below this.
pub(crate) const MAX_COUNT: u32 = 1 << 24;

/// A range of one algorithm's tuple vector follows its rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecRange {
    /// Algorithm id.
    pub algorithm: AlgorithmId,
    /// Context digest C of the batch.
    pub context: Digest,
    /// Ops of the range.
    pub count: u32,
    /// BeginBatch ops in the range.
    pub begins: u32,
    /// Capacity before the range.
    pub start: Digest,
    /// Capacity after it.
    pub end: Digest,
}

impl From<&ExecClaim> for ExecRange {
    fn from(claim: &ExecClaim) -> Self {
        Self {
            algorithm: claim.algorithm,
            context: claim.context.digest(),
            count: claim.count,
            begins: claim.has_begin.into(),
            start: claim.start,
            end: claim.end,
        }
    }
}

/// The first leaves of a transition set, each one met by a complete range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartialSet {
    /// Ops of all leaves.
    pub ops: u32,
    /// BeginBatch ops among them.
    pub begins: u32,
    /// Number of leaves.
    pub leaves: u32,
    /// Algorithm id of the last leaf.
    pub last: AlgorithmId,
    /// Context digest C of the batch.
    pub context: Digest,
    /// Root of the set with these leaves and no other.
    pub root: Digest,
}

/// Consecutive batches, each one proven whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batches {
    /// Number of batches.
    pub count: u32,
    /// System digest.
    pub system: Digest,
    /// Number of the first batch.
    pub first: u64,
    /// Number of the last batch.
    pub last: u64,
    /// Time of the first batch.
    pub first_time: u64,
    /// Time of the last batch.
    pub last_time: u64,
    /// Digest of the headers: [`headers_digest`].
    pub headers: Digest,
    /// State root before the first batch.
    pub s0: Digest,
    /// State root after the last batch.
    pub sn: Digest,
}

/// What a node says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// A range of ops.
    Exec(ExecRange),
    /// Complete leaves of a set.
    Set(PartialSet),
    /// A transition of the state tree.
    Transition(TransitionClaim),
    /// Whole batches.
    Batches(Batches),
}

/// The two limbs of 24 bits of a number below 2^48.
pub(crate) fn limbs(x: u64) -> [F; 2] {
    [x, x >> 24].map(|x| F::from_u32(x as u32 & 0xff_ffff))
}

fn block(felts: &[F]) -> Digest {
    core::array::from_fn(|k| felts.get(k).copied().unwrap_or(F::ZERO))
}

impl Claim {
    /// The blocks.
    pub fn blocks(&self) -> [Digest; BLOCKS] {
        let head = |felts: &[u32]| block(&felts.iter().map(|x| F::from_u32(*x)).collect::<Vec<_>>());
        match self {
            Self::Exec(c) => {
                [head(&[1, c.count, c.begins]), ZERO, c.algorithm, c.context, c.start, c.end, ZERO]
            }
            Self::Set(c) => {
                [head(&[2, c.ops, c.begins, c.leaves]), ZERO, c.last, c.context, c.root, ZERO, ZERO]
            }
            Self::Transition(c) => [head(&[3, c.ops]), ZERO, ZERO, c.context, c.s0, c.sn, c.set_root],
            Self::Batches(c) => {
                let numbers = [c.first, c.last, c.first_time, c.last_time].map(limbs);
                [head(&[4, c.count]), block(numbers.as_flattened()), c.system, c.headers, c.s0, c.sn, ZERO]
            }
        }
    }

    /// Whether every number has its width: a wider one would have the blocks of another claim.
    pub fn is_canonical(&self) -> bool {
        decode_all::<Self>(&Encode::to_bytes(self)).is_ok_and(|read| read == *self)
    }

    /// Digest of the claim.
    pub fn digest(&self) -> Digest {
        hash(Domain::Claim, self.blocks().as_flattened())
    }
}

/// Digest of one batch header.
pub fn header_digest(h: &BatchHeader) -> Digest {
    let c = &h.context;
    let [b0, b1] = limbs(c.batch);
    let [t0, t1] = limbs(c.time);
    let last = block(&[b0, b1, t0, t1, F::from_u32(h.ops)]);
    hash(Domain::Header, [c.system, h.s0, h.sn, h.set_root, c.params, last].as_flattened())
}

/// Digest of the headers of consecutive batches: that of the first one, then `hash(Headers, [digest, header])`.
pub fn headers_digest(headers: &[BatchHeader]) -> Digest {
    let mut digests = headers.iter().map(header_digest);
    let first = digests.next().unwrap_or(ZERO);
    digests.fold(first, |chain, header| hash(Domain::Headers, [chain, header].as_flattened()))
}

impl Encode for Claim {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Exec(c) => {
                1u8.encode(out);
                (c.algorithm, c.context, c.count, c.begins).encode(out);
                (c.start, c.end).encode(out);
            }
            Self::Set(c) => {
                2u8.encode(out);
                (c.ops, c.begins, c.leaves).encode(out);
                (c.last, c.context, c.root).encode(out);
            }
            Self::Transition(c) => {
                3u8.encode(out);
                (c.ops, c.context).encode(out);
                (c.s0, c.sn, c.set_root).encode(out);
            }
            Self::Batches(c) => {
                4u8.encode(out);
                (c.count, c.system, c.headers).encode(out);
                (c.first, c.last, c.first_time, c.last_time).encode(out);
                (c.s0, c.sn).encode(out);
            }
        }
    }
}

impl Decode for Claim {
    // A set.
    const MIN_LEN: usize = 1 + 3 * 4 + 3 * 32;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        match u8::decode(input)? {
            1 => {
                let (algorithm, context) = Decode::decode(input)?;
                let (count, begins) = (count(input)?, count(input)?);
                let (start, end) = Decode::decode(input)?;
                Ok(Self::Exec(ExecRange { algorithm, context, count, begins, start, end }))
            }
            2 => {
                let (ops, begins, leaves) = (count(input)?, count(input)?, count(input)?);
                let (last, context, root) = Decode::decode(input)?;
                Ok(Self::Set(PartialSet { ops, begins, leaves, last, context, root }))
            }
            3 => {
                let ops = count(input)?;
                let context = Digest::decode(input)?;
                let (s0, sn, set_root) = Decode::decode(input)?;
                Ok(Self::Transition(TransitionClaim { s0, sn, ops, context, set_root }))
            }
            4 => {
                let count = count(input)?;
                let (system, headers) = Decode::decode(input)?;
                let [first, last, first_time, last_time] =
                    [number(input)?, number(input)?, number(input)?, number(input)?];
                let (s0, sn) = Decode::decode(input)?;
                let batches = Batches { count, system, first, last, first_time, last_time, headers, s0, sn };
                Ok(Self::Batches(batches))
            }
            _ => Err(input.invalid("kind of claim")),
        }
    }
}

fn count(input: &mut Reader<'_>) -> Result<u32, CodecError> {
    let count = u32::decode(input)?;
    if count < MAX_COUNT { Ok(count) } else { Err(input.invalid("count below 2^24")) }
}

fn number(input: &mut Reader<'_>) -> Result<u64, CodecError> {
    let number = u64::decode(input)?;
    if number < U48 { Ok(number) } else { Err(input.invalid("number below 2^48")) }
}
