//! What ties the run of a guest to the access logs of its operations.

use alloc::vec;
use alloc::vec::Vec;
use thiserror::Error;
use tsz_ext_sdk::{
    Event, Events, Fault, Layout, Leaf, Memory, Program, TERMS_TAG, digest, replay, run_digest,
};
use tsz_hash::{Digest, Domain, F, PrimeCharacteristicRing, PrimeField32, hash};
use tsz_ledger::{Access, AlgorithmId, Family};

use crate::guard::{PARTY_READS, place, put};
use crate::{Extension, poseidon24};

/// Kind of guests in algorithm ids; precompiles are 1.
const KIND_GUEST: u32 = 2;
/// Version of the machine and of the journal that an algorithm id stands for.
const VERSION: u32 = 1;

/// Algorithm id of the guest whose memory image has this root (risc0's digest of the image, eight felts).
pub fn guest_algorithm(image: &[u32; 8]) -> AlgorithmId {
    let mut felts = [F::ZERO; 10];
    felts[0] = F::from_u32(KIND_GUEST);
    felts[1] = F::from_u32(VERSION);
    for (felt, word) in felts[2..].iter_mut().zip(image) {
        *felt = F::from_u32(*word);
    }
    hash(Domain::Algorithm, &felts)
}

/// Algorithm id of approvals and revocations, a precompiled family (crates/circuits/guard).
pub fn guard_algorithm() -> AlgorithmId {
    Family::Extension.algorithm()
}

/// Digest of terms, as programs recompute it and users sign it. Words are canonical felts.
pub fn terms_digest(words: &[u32]) -> Digest {
    digest(poseidon24::absorb, TERMS_TAG, words).map(F::from_u32)
}

/// Events of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunEvents {
    /// How many, at least 1.
    pub count: u32,
    /// Capacity of their sponge after the last one.
    pub capacity: Leaf,
}

/// What a guest outputs after `count` operations whose journals lead from `start` to `end`: `[RUN_TAG, count, events,
/// 0..]` absorbs `start ‖ end`, and where there are events a second block of their capacity and zeros.
pub fn run_output(start: &Leaf, end: &Leaf, count: u32, events: Option<&RunEvents>) -> Leaf {
    let events = events.map_or_else(Events::default, |e| Events { count: e.count, capacity: e.capacity });
    run_digest(poseidon24::absorb, start, end, count, &events)
}

/// Why operations do not make a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RunError {
    /// An access log that is not of the operation.
    #[error("operation {0}: the access log is not one of it")]
    Log(usize),
    /// Too many operations.
    #[error("too many operations for one run")]
    Count,
}

/// A run of one program: input of the guest, and the digest that it must output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// What the host feeds the guest.
    pub input: Vec<u32>,
    /// Capacity after the last journal.
    pub end: Leaf,
    /// What the guest must output if it emits no event ([`Run::digest_with`]).
    pub digest: Leaf,
}

/// What a program did in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What the guest outputs.
    pub digest: Leaf,
    /// The events in order.
    pub events: Vec<Event>,
}

impl Run {
    /// The run of operations with their access logs, from a capacity on: that at which the tuples of its range
    /// start, which is the context digest C for the first range of a program in a batch.
    ///
    /// # Errors
    /// A [`RunError`] if a log is not one that the guard made of the operation.
    pub fn new(start: &Leaf, ops: &[(&Extension, &[Access])]) -> Result<Self, RunError> {
        let count = u32::try_from(ops.len()).ok().filter(|c| *c < 1 << 24).ok_or(RunError::Count)?;
        let mut input = vec![count];
        input.extend_from_slice(start);
        let mut end = *start;
        for (k, (op, accesses)) in ops.iter().enumerate() {
            let (layout, words) = journal(op, accesses).ok_or(RunError::Log(k))?;
            poseidon24::absorb(&mut end, &words);
            let counts = [layout.accesses, layout.writes, layout.parties, op.args.len()];
            input.extend(counts.map(|c| c as u32)); // shape is checked
            input.extend_from_slice(&words[layout.keys()..layout.keys_end()]);
            input.extend_from_slice(&words[layout.olds()..layout.olds_end()]);
            input.extend_from_slice(&op.args);
        }
        let digest = run_output(start, &end, count, None);
        Ok(Self { input, end, digest })
    }

    /// What a guest that emits these events must output.
    pub fn digest_with(&self, events: &Events) -> Leaf {
        let (head, start) = self.input.split_first().unwrap_or((&0, &[]));
        let start = start.first_chunk().unwrap_or(&[0; 8]); // the input begins with count and start
        run_digest(poseidon24::absorb, start, &self.end, *head, events)
    }

    /// Replays the run natively: what the guest will output.
    ///
    /// # Errors
    /// The [`Fault`] at which the guest would stop.
    pub fn simulate(&self, program: Program) -> Result<Leaf, Fault> {
        self.replay(program).map(|outcome| outcome.digest)
    }

    /// Replays the run natively: what the guest will output, and what it tells.
    ///
    /// # Errors
    /// The [`Fault`] at which the guest would stop.
    pub fn replay(&self, program: Program) -> Result<Outcome, Fault> {
        let mut events = Vec::new();
        let input = &mut self.input.as_slice();
        let digest =
            replay(program, input, &mut Memory::new(), poseidon24::absorb, |event| events.push(event))?;
        Ok(Outcome { digest, events })
    }
}

/// The journal of an operation: its approvals and cells, without the limits, which are the guard's alone.
fn journal(op: &Extension, accesses: &[Access]) -> Option<(Layout, Vec<u32>)> {
    let count = PARTY_READS * op.parties.len() + op.cells.len();
    let accesses = accesses.get(..count)?;
    let writes = accesses.iter().filter(|a| a.write).count();
    let narrow = |count: usize| u32::try_from(count).ok();
    let layout = Layout::new(narrow(count)?, narrow(writes)?, narrow(op.parties.len())?).ok()?;
    let mut words = vec![0; layout.words()];
    layout.frame(&mut words);
    for (k, access) in accesses.iter().enumerate() {
        layout.put_key(&mut words, k, place(access.key), access.write);
        put(&mut words, layout.olds() + 8 * k, &access.old);
    }
    for (k, access) in accesses.iter().filter(|a| a.write).enumerate() {
        put(&mut words, layout.news() + 8 * k, &access.new);
    }
    Some((layout, words))
}

/// A digest as the words that programs and machines have.
pub fn words(digest: &Digest) -> Leaf {
    digest.map(|f| f.as_canonical_u32())
}
