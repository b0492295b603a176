//! Runs, proves and verifies guests in risc0's rv32im machine (docs/src/extensions.md).
//!
//! A guest is an ELF file that runs in machine mode, so the memory image that the proof starts from holds nothing but
//! the guest. [`verify`] says: the program whose image has this root ended by itself, with exit code 0 and this
//! digest as output. What the digest means is told by `tsz_ext_sdk::run`.
//!
//! Security: 97 conjectured bits, by risc0's own parameters (50 queries, no grinding), and far fewer proven ones.
//! Without a proof of the guard's circuit over the same journal such a proof says nothing about a state.
//!
//! The executable `tsz-run-prover` of this package makes the proofs for `tsz prove`, over [`exchange`].

pub mod exchange;

use std::panic::{AssertUnwindSafe, catch_unwind};

use risc0_binfmt::{MemoryImage, Program};
#[cfg(feature = "prove")]
use risc0_circuit_rv32im::execute::Segment;
use risc0_circuit_rv32im::execute::{CycleLimit, Syscall, SyscallContext, testutil};
#[cfg(feature = "prove")]
use risc0_circuit_rv32im::prove::segment_prover;
use risc0_circuit_rv32im::{RV32IM_SEAL_VERSION, Rv32imV2Claim, TerminateState};
use thiserror::Error;

/// Eight canonical felts: the root of an image, the digest of a run.
pub type Words = [u32; 8];

/// Smallest segment.
pub const MIN_PO2: usize = 13;
/// Largest segment that is proven here; bigger ones need more memory than they save time.
pub const MAX_PO2: usize = 20;
/// Cycles of the longest instruction; a guest uses no big integers, and absorbs at most a few hundred blocks.
const MAX_INSN_CYCLES: usize = 4_000;
/// Cycles of the longest run.
const SESSION_CYCLES: u64 = 1 << 25;
/// Segments of the longest run.
const MAX_SEGMENTS: usize = 1 << 11;
/// Words of the longest seal: about 0.3 MB.
const MAX_SEAL_WORDS: usize = 1 << 18;
/// Public felts of a seal, and where they begin.
const GLOBALS: core::ops::Range<usize> = 1..91;
/// Order of the field; a felt is a word below it.
const P: u32 = 0x7800_0001;

/// Why a guest does not run or a proof does not hold.
#[derive(Debug, Error)]
pub enum GuestError {
    /// Bytes that are no guest.
    #[error("not a guest: {0}")]
    Elf(String),
    /// A run that stops, or asks for more than there is.
    #[error("the run fails: {0}")]
    Run(String),
    /// A prover that fails.
    #[error("proving fails: {0}")]
    Prove(String),
    /// A number of segments that no run has.
    #[error("{0} segments, at least 1 and at most {MAX_SEGMENTS}")]
    Segments(usize),
    /// A seal that is no proof.
    #[error("segment {segment}: {reason}")]
    Seal {
        /// Number of the segment.
        segment: usize,
        /// What is wrong.
        reason: String,
    },
    /// A run of another program.
    #[error("the run starts from image {got:?}, not from {expected:?}")]
    Image {
        /// Root of the guest's image.
        expected: Words,
        /// Root that the proof starts from.
        got: Words,
    },
    /// Segments that do not follow each other.
    #[error("segment {0} does not go on where the one before ended")]
    Chain(usize),
    /// A run that ends early, late, or with an exit code.
    #[error("segment {0} ends otherwise than a finished run")]
    End(usize),
    /// Another output.
    #[error("the output is {got:?}, not {expected:?}")]
    Output {
        /// What it should be.
        expected: Words,
        /// What it is.
        got: Words,
    },
}

/// A guest.
#[derive(Clone)]
pub struct Guest {
    image: MemoryImage,
    root: Words,
}

/// A finished run.
pub struct Execution {
    /// What the guest gave to the machine in the end.
    pub output: Words,
    /// Cycles of instructions.
    pub user_cycles: u64,
    /// Cycles that brought memory in and out.
    pub paging_cycles: u64,
    /// Logarithms of the segments' sizes.
    pub po2: Vec<u32>,
    #[cfg(feature = "prove")]
    segments: Vec<Segment>,
}

/// Proof of a run: one seal a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Seals in order.
    pub seals: Vec<Vec<u32>>,
}

/// The host's side: words on channel 0.
#[derive(Clone, Debug)]
pub struct Feed {
    bytes: Vec<u8>,
    at: std::cell::Cell<usize>,
}

impl Feed {
    /// Words for a guest.
    pub fn new(input: &[u32]) -> Self {
        Self { bytes: input.iter().flat_map(|w| w.to_le_bytes()).collect(), at: std::cell::Cell::new(0) }
    }
}

impl Syscall for Feed {
    fn host_read(&self, _: &mut impl SyscallContext, fd: u32, buffer: &mut [u8]) -> anyhow::Result<u32> {
        let at = self.at.get();
        let rest = &self.bytes[at..];
        let len = if fd == 0 { rest.len().min(buffer.len()) } else { 0 };
        buffer[..len].copy_from_slice(&rest[..len]);
        self.at.set(at + len);
        Ok(len as u32) // at most 1 kB
    }

    fn host_write(&self, _: &mut impl SyscallContext, _: u32, _: &[u8]) -> anyhow::Result<u32> {
        anyhow::bail!("guests do not write")
    }
}

fn words(digest: &risc0_zkp::core::digest::Digest) -> Words {
    core::array::from_fn(|k| digest.as_words()[k])
}

impl Guest {
    /// The guest of an ELF file.
    ///
    /// # Errors
    /// [`GuestError::Elf`].
    pub fn from_elf(elf: &[u8]) -> Result<Self, GuestError> {
        let program = Program::load_elf(elf, u32::MAX).map_err(|e| GuestError::Elf(e.to_string()))?;
        let mut image = MemoryImage::new_kernel(program);
        let root = words(&image.image_id());
        Ok(Self { image, root })
    }

    /// Root of the memory image: names the program.
    pub fn root(&self) -> Words {
        self.root
    }

    /// Runs the guest in segments of at most `2^po2` cycles.
    ///
    /// # Errors
    /// [`GuestError::Run`].
    pub fn execute(&self, input: &[u32], po2: usize) -> Result<Execution, GuestError> {
        let fail = |e: &dyn std::fmt::Display| GuestError::Run(e.to_string());
        if !(MIN_PO2 + 1..=MAX_PO2).contains(&po2) {
            return Err(fail(&format!("segments of 2^{po2} cycles, at least 2^14 and at most 2^{MAX_PO2}")));
        }
        let feed =
            Feed { bytes: input.iter().flat_map(|w| w.to_le_bytes()).collect(), at: std::cell::Cell::new(0) };
        let limit = CycleLimit::Hard(SESSION_CYCLES);
        let session = testutil::execute(self.image.clone(), po2, MAX_INSN_CYCLES, limit, &feed, None)
            .map_err(|e| fail(&e))?;
        let result = session.result;
        let output = result.claim.output.ok_or_else(|| fail(&"it has no output"))?;
        Ok(Execution {
            output: words(&output),
            user_cycles: result.user_cycles,
            paging_cycles: result.paging_cycles,
            po2: session.segments.iter().map(|s| s.po2).collect(),
            #[cfg(feature = "prove")]
            segments: session.segments,
        })
    }
}

#[cfg(feature = "prove")]
impl Execution {
    /// Proves the run.
    ///
    /// # Errors
    /// [`GuestError::Prove`].
    pub fn prove(&self) -> Result<Proof, GuestError> {
        let fail = |e: anyhow::Error| GuestError::Prove(e.to_string());
        let prover = segment_prover().map_err(fail)?;
        let seals = self.segments.iter().map(|s| prover.prove(s)).collect::<Result<_, _>>().map_err(fail)?;
        Ok(Proof { seals })
    }
}

/// Verifies one seal and gives what it claims.
fn verify_seal(segment: usize, seal: &[u32]) -> Result<Rv32imV2Claim, GuestError> {
    let refuse = |reason: String| GuestError::Seal { segment, reason };
    if seal.len() <= GLOBALS.end || seal.len() > MAX_SEAL_WORDS || seal[0] != RV32IM_SEAL_VERSION {
        return Err(refuse("no seal of this version".into()));
    }
    if seal[GLOBALS].iter().any(|w| *w >= P) {
        return Err(refuse("a public value is not a canonical felt".into()));
    }
    // risc0's verifier indexes and asserts before it has judged all it reads: a panic of it is a refusal
    let judged = catch_unwind(AssertUnwindSafe(|| {
        risc0_circuit_rv32im::verify(seal).map_err(|e| e.to_string())?;
        Rv32imV2Claim::decode(seal).map_err(|e| e.to_string())
    }));
    judged.unwrap_or_else(|_| Err("malformed".into())).map_err(refuse)
}

/// Verifies that the guest with this image root ran to its end and gave `output`.
///
/// # Errors
/// A [`GuestError`] that says what does not hold.
pub fn verify(root: &Words, output: &Words, proof: &Proof) -> Result<(), GuestError> {
    let count = proof.seals.len();
    if !(1..=MAX_SEGMENTS).contains(&count) {
        return Err(GuestError::Segments(count));
    }
    let mut state = *root;
    for (k, seal) in proof.seals.iter().enumerate() {
        let claim = verify_seal(k, seal)?;
        let got = words(&claim.pre_state);
        if got != state {
            return Err(if k == 0 {
                GuestError::Image { expected: *root, got }
            } else {
                GuestError::Chain(k)
            });
        }
        state = words(&claim.post_state);
        let is_last = k + 1 == count;
        let expected = is_last.then(TerminateState::default);
        if claim.terminate_state != expected {
            return Err(GuestError::End(k));
        }
        if is_last {
            let got = claim.output.map(|digest| words(&digest)).unwrap_or_default();
            if got != *output {
                return Err(GuestError::Output { expected: *output, got });
            }
        }
    }
    Ok(())
}
