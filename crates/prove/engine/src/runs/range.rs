//! The run of a program over a range of a batch's operations.

use tsz_aggregator::GuestRun;
use tsz_ext::{ExtOp, Extension, Run, RunEvents, poseidon24, words};
use tsz_ext_sdk::Events;
use tsz_hash::{Digest, F, PrimeCharacteristicRing};
use tsz_ledger::Access;
use tsz_segment::{Words, verify_run};
use tsz_trade::Op;

use super::{Guest, RunFailure, RunJob, RunProof};
use crate::execute::OpRecord;

/// A run that is not proven yet.
#[derive(Clone, Debug)]
pub(crate) struct ProgramRun {
    /// The program.
    pub guest: Guest,
    /// Capacity of the journal before the range.
    pub start: Digest,
    /// Capacity after it.
    pub end: Digest,
    input: Vec<u32>,
    output: Words,
    events: Option<RunEvents>,
}

/// The operations of programs among some records, with their logs.
fn logged<'a>(ops: &[(u32, &'a OpRecord)]) -> Vec<(&'a Extension, &'a [Access])> {
    let extension = |(_, record): &(u32, &'a OpRecord)| match &record.op {
        Op::Ext(ExtOp::Extension(op)) => Some((op, record.accesses.as_slice())),
        _ => None,
    };
    ops.iter().filter_map(extension).collect()
}

impl ProgramRun {
    /// The run of operations of `guest` in their order, from the capacity `start` on.
    pub(crate) fn new(guest: Guest, start: Digest, ops: &[(u32, &OpRecord)]) -> Result<Self, RunFailure> {
        let run = Run::new(&words(&start), &logged(ops))?;
        let outcome = run.replay(guest.program).map_err(RunFailure::Fault)?;
        let mut events = Events::default();
        outcome.events.iter().for_each(|event| events.push(poseidon24::absorb, event));
        let events =
            (events.count > 0).then_some(RunEvents { count: events.count, capacity: events.capacity });
        let end = digest(&run.end);
        Ok(Self { guest, start, end, input: run.input, output: outcome.digest, events })
    }

    pub(crate) fn job(&self) -> RunJob<'_> {
        RunJob { guest: &self.guest, input: &self.input, output: self.output }
    }

    /// The run with its proof, which is verified first.
    pub(crate) fn proven(&self, proof: RunProof) -> Result<GuestRun, RunFailure> {
        let seals = proof.into_seals();
        verify_run(&self.guest.image, &self.output, &seals)?;
        Ok(GuestRun {
            image: digest(&self.guest.image),
            start: self.start,
            end: self.end,
            events: self.events.map(|events| (events.count, digest(&events.capacity))),
            seals,
        })
    }
}

/// Words as felts.
fn digest(words: &Words) -> Digest {
    words.map(F::from_u32)
}
