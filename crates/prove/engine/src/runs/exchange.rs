//! What this program and `tsz-run-prover` say to each other; a reply is also the file in which a proof of a run is kept.
//! Layouts: docs/src/extensions.md, and crates/ext/prover/src/exchange.rs, the other side.

use tsz_codec::{CodecError, Decode, Encode, Reader, decode_all, decode_bounded};
use tsz_segment::Words;

use super::{MAX_PO2, RunFailure, RunJob};

/// Version of both formats.
const VERSION: u32 = 1;
/// Segments of a reply.
const MAX_SEGMENTS: usize = 1 << 11;
/// Words of a seal.
const MAX_SEAL_WORDS: usize = 1 << 18;

/// A segment of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// log2 of its cycles.
    pub po2: u32,
    /// Its seal; empty where the run was only measured.
    pub seal: Vec<u32>,
}

/// A run as a prover tells it: nothing of this is believed before the seals are verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunProof {
    /// Root of the guest's image.
    pub image: Words,
    /// What the guest output.
    pub output: Words,
    /// Cycles of instructions.
    pub user_cycles: u64,
    /// Cycles that brought memory in and out.
    pub paging_cycles: u64,
    /// CPU time of the prover in ms.
    pub cpu_ms: u64,
    /// Largest resident set of the prover in bytes.
    pub peak_rss_bytes: u64,
    /// The segments in order.
    pub segments: Vec<Segment>,
}

/// The request about a run.
pub(super) fn request(job: &RunJob<'_>, prove: bool) -> Vec<u8> {
    let mut out = b"TSZQ".to_vec();
    (VERSION, u32::from(prove), MAX_PO2).encode(&mut out);
    job.guest.elf.encode(&mut out);
    job.input.encode(&mut out);
    out
}

impl RunProof {
    /// Sizes of the segments.
    pub fn sizes(&self) -> Vec<u32> {
        self.segments.iter().map(|s| s.po2).collect()
    }

    /// The seals.
    pub fn into_seals(self) -> Vec<Vec<u32>> {
        self.segments.into_iter().map(|s| s.seal).collect()
    }

    /// The bytes of a reply.
    pub fn to_bytes(&self) -> Vec<u8> {
        Encode::to_bytes(self)
    }

    /// Reads a reply; `from` is who gave it.
    ///
    /// # Errors
    /// [`RunFailure::Reply`] for other bytes.
    pub fn from_bytes(bytes: &[u8], from: &str) -> Result<Self, RunFailure> {
        decode_all(bytes)
            .map_err(|e: CodecError| RunFailure::Reply { from: from.to_owned(), reason: e.to_string() })
    }

    /// Demands that the reply is about this run.
    pub(super) fn check(&self, job: &RunJob<'_>, from: &str) -> Result<(), RunFailure> {
        let other = |what| Err(RunFailure::Other { from: from.to_owned(), what });
        match () {
            () if self.image != job.guest.image => other("the image root"),
            () if self.output != job.output => other("the output"),
            () => Ok(()),
        }
    }
}

impl Encode for RunProof {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"TSZR");
        (VERSION, self.image, self.output).encode(out);
        (self.user_cycles, self.paging_cycles, self.cpu_ms, self.peak_rss_bytes).encode(out);
        self.segments.encode(out);
    }
}

impl Decode for RunProof {
    const MIN_LEN: usize = 8 + 2 * 32 + 4 * 8 + 4;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        if input.array()? != *b"TSZR" || u32::decode(input)? != VERSION {
            return Err(input.invalid("reply of version 1"));
        }
        let (image, output) = Decode::decode(input)?;
        let (user_cycles, paging_cycles, cpu_ms, peak_rss_bytes) = Decode::decode(input)?;
        let segments = decode_bounded(input, MAX_SEGMENTS)?;
        Ok(Self { image, output, user_cycles, paging_cycles, cpu_ms, peak_rss_bytes, segments })
    }
}

impl Encode for Segment {
    fn encode(&self, out: &mut Vec<u8>) {
        self.po2.encode(out);
        self.seal.encode(out);
    }
}

impl Decode for Segment {
    const MIN_LEN: usize = 8;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { po2: u32::decode(input)?, seal: decode_bounded(input, MAX_SEAL_WORDS)? })
    }
}
