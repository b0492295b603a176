//! Runs of guests: what a proof of the guard goes with.

use tsz_codec::{CodecError, Decode, Encode, Reader, decode_bounded};
use tsz_ext::{RunEvents, guest_algorithm, run_output, words};
use tsz_hash::{Digest, F, PrimeCharacteristicRing};
use tsz_ledger::{AlgorithmId, ExecClaim, GuardClaim};

/// Segments of one run.
pub const MAX_SEGMENTS: usize = 1 << 11;
/// Words of the seal of one segment.
pub const MAX_SEAL_WORDS: usize = 1 << 18;

/// The run of a guest over the operations of one range: the proof that the program did what the guard let pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestRun {
    /// Root of the guest's memory image; it names the program.
    pub image: Digest,
    /// Capacity of the journal before the run.
    pub start: Digest,
    /// Capacity of the journal after it.
    pub end: Digest,
    /// Events: how many, and the capacity of their sponge.
    pub events: Option<(u32, Digest)>,
    /// Seals of the segments, in order.
    pub seals: Vec<Vec<u32>>,
}

impl GuestRun {
    /// Algorithm id of the program.
    pub fn algorithm(&self) -> AlgorithmId {
        guest_algorithm(&words(&self.image))
    }

    /// The claim of the guard about the range of `exec` that this run goes with.
    pub fn guard(&self, exec: &ExecClaim) -> GuardClaim {
        GuardClaim { exec: *exec, journal_start: self.start, journal_end: self.end }
    }

    /// What the guest must have output if its run is over `count` operations.
    pub fn output(&self, count: u32) -> [u32; 8] {
        let events = self.events.map(|(count, capacity)| RunEvents { count, capacity: words(&capacity) });
        run_output(&words(&self.start), &words(&self.end), count, events.as_ref())
    }
}

impl Encode for GuestRun {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.image, self.start, self.end).encode(out);
        let (count, capacity) = self.events.unwrap_or_default();
        count.encode(out);
        if count != 0 {
            capacity.encode(out);
        }
        (self.seals.len() as u32).encode(out);
        for seal in &self.seals {
            (seal.len() as u32).encode(out);
            seal.iter().for_each(|word| word.encode(out));
        }
    }
}

impl Decode for GuestRun {
    const MIN_LEN: usize = 3 * <Digest as Decode>::MIN_LEN + 4 + 4;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        let (image, start, end) = Decode::decode(input)?;
        let events = match u32::decode(input)? {
            0 => None,
            count => Some((count, Digest::decode(input)?)),
        };
        let seals = decode_bounded::<Seal>(input, MAX_SEGMENTS)?.into_iter().map(|seal| seal.0).collect();
        Ok(Self { image, start, end, events, seals })
    }
}

/// Reads the words of one segment.
struct Seal(Vec<u32>);

impl Decode for Seal {
    const MIN_LEN: usize = 4;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self(decode_bounded(input, MAX_SEAL_WORDS)?))
    }
}

/// The image root in felts.
pub fn image(root: &[u32; 8]) -> Digest {
    root.map(F::from_u32)
}
