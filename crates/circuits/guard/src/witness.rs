//! From applied ops to traces.

use thiserror::Error;
use tsz_air::{F, PrimeCharacteristicRing, Requests, Trace};
use tsz_chips::collect::{Asked, collect};
use tsz_chips::schnorr::{self, SignedMessage, TooManySignatures};
use tsz_chips::{poseidon2, poseidon24, range, tuple};
use tsz_hash::Digest;
use tsz_ledger::{Access, AlgorithmId, BatchContext, ExecClaim, Family, GuardClaim};

use crate::bus::PARTY;
use crate::class::{ApprovalClass, Class};
use crate::record::{ApprovalRecord, ExtensionRecord, RecordError};
use crate::tables::{ApproveAir, CellAir, JournalAir, LimitAir, MoneyAir, OperationAir, PartyAir, RevokeAir};
use crate::trace::{Rows, approval_traces, journal_trace};

/// Why there is no witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WitnessError {
    /// A record that is not one of its op, or too many rows.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The tuple table is too small.
    #[error(transparent)]
    Tuple(#[from] tuple::Overflow),
    /// A permutation table is too small.
    #[error(transparent)]
    Permutations(#[from] poseidon2::TableFull),
    /// The signature tables are too small.
    #[error(transparent)]
    Signatures(#[from] TooManySignatures),
    /// A key cell that no key has: its signature cannot be proven.
    #[error("op {0} is signed by a key id that no key has")]
    Key(u32),
}

/// Everything that a proof of operations is made from.
#[derive(Clone, Debug)]
pub struct Witness {
    /// What is proven.
    pub claim: GuardClaim,
    /// Traces in the order of the circuit.
    pub(crate) traces: Vec<Trace>,
}

/// Everything that a proof of approvals is made from.
#[derive(Clone, Debug)]
pub struct ApprovalWitness {
    /// What is proven.
    pub claim: ExecClaim,
    /// Traces in the order of the circuit.
    pub(crate) traces: Vec<Trace>,
}

/// Batch time in limbs.
fn time(context: &BatchContext) -> [F; 2] {
    [0, 24].map(|s| F::from_u32((context.time >> s) as u32 & 0xff_ffff))
}

/// Public values of the party table: program, T.
pub(crate) fn party_publics(program: &AlgorithmId, context: &BatchContext) -> Vec<F> {
    program.iter().copied().chain(time(context)).collect()
}

/// Public values of the tables of signed ops: S, T.
pub(crate) fn signed_publics(context: &BatchContext) -> Vec<F> {
    context.system.iter().copied().chain(time(context)).collect()
}

/// Public values of a sponge: start, end, count.
pub(crate) fn sponge_publics(start: &Digest, end: &Digest, count: u32) -> Vec<F> {
    start.iter().chain(end).copied().chain([F::from_u32(count)]).collect()
}

pub(crate) fn segment<'a>(ops: impl Iterator<Item = (u32, &'a [Access])>) -> [tuple::Segment<'a>; 1] {
    [tuple::Segment { slot: 0, ops: ops.collect() }]
}

impl Witness {
    /// Fills the tables for the operations of `records`, all of `program`, in their order; the tuple sponge starts from
    /// `start`, the journal from `journal_start`.
    ///
    /// # Errors
    /// [`WitnessError`] if the operations do not fit the class or a record is not one of its op. That they follow the
    /// rules is not checked: a proof of others is refused by the verifier.
    pub fn new(
        class: &Class,
        context: &BatchContext,
        program: AlgorithmId,
        records: &[ExtensionRecord],
        start: Digest,
        journal_start: Digest,
    ) -> Result<Self, WitnessError> {
        let rows = Rows::of(context, records)?;
        Self::assemble(class, context, program, records, [start, journal_start], rows)
    }

    /// Fills the shared tables for given rows of the family.
    pub(crate) fn assemble(
        class: &Class,
        context: &BatchContext,
        program: AlgorithmId,
        records: &[ExtensionRecord],
        [start, journal_start]: [Digest; 2],
        mut rows: Rows,
    ) -> Result<Self, WitnessError> {
        let publics = party_publics(&program, context);
        let [operations, parties, cells, limits, money] = rows.traces(class)?;
        let mut asked = collect(&CellAir, &cells, &[]);
        asked.merge(collect(&LimitAir, &limits, &[]));
        rows.count_uses(&asked);
        asked.merge(collect(&OperationAir, &operations, &[]));
        asked.merge(collect(&PartyAir, &parties, &publics));
        asked.merge(collect(&MoneyAir, &money, &[]));
        let [_, parties, ..] = rows.traces(class)?;

        let (journal, journal_end) = journal_trace(records, journal_start, class.journal)?;
        let count = records.len() as u32;
        let journal_publics = sponge_publics(&journal_start, &journal_end, count);
        asked.merge(collect(&JournalAir, &journal, &journal_publics));
        let ops = segment(records.iter().map(|r| (r.index, &r.accesses[..])));
        let hashed = tuple::generate(class.tuple, start, &ops, &mut asked.shared)?;
        let mut traces = vec![operations, parties, cells, limits, money, journal, hashed.trace];
        traces.extend(poseidon2::traces(&asked.shared.p2, &[class.tuple])?);
        traces.push(poseidon24::trace(&asked, class.journal)?);
        traces.push(range::trace(&asked.shared.range));
        let exec = ExecClaim {
            algorithm: program,
            context: *context,
            count,
            start,
            end: hashed.ends.first().copied().unwrap_or(start),
            has_begin: false,
        };
        Ok(Self { claim: GuardClaim { exec, journal_start, journal_end }, traces })
    }
}

impl Rows {
    /// Counts the lookups of each party.
    pub(crate) fn count_uses(&mut self, asked: &Asked) {
        for party in &mut self.parties {
            party.uses = F::from_u32(asked.times(PARTY.name(), &party.message()));
        }
    }
}

impl ApprovalWitness {
    /// Fills the tables for the approvals and revocations of `records`, in their order; the tuple sponge starts from
    /// `start`.
    ///
    /// # Errors
    /// [`WitnessError`], as [`Witness::new`].
    pub fn new(
        class: &ApprovalClass,
        context: &BatchContext,
        records: &[ApprovalRecord],
        start: Digest,
    ) -> Result<Self, WitnessError> {
        let (own, signed) = approval_traces(class, context, records)?;
        Self::assemble(class, context, records, start, own, &signed)
    }

    /// Fills the shared tables for given tables of ops and signatures.
    pub(crate) fn assemble(
        class: &ApprovalClass,
        context: &BatchContext,
        records: &[ApprovalRecord],
        start: Digest,
        own: Vec<Trace>,
        signed: &[SignedMessage],
    ) -> Result<Self, WitnessError> {
        let mut traces = own;
        let publics = signed_publics(context);
        let mut requests = Requests::new();
        requests.merge(tsz_gadgets::collect(&ApproveAir, &traces[0], &publics));
        requests.merge(tsz_gadgets::collect(&RevokeAir, &traces[1], &publics));
        let ops = segment(records.iter().map(|r| (r.index, &r.accesses[..])));
        let hashed = tuple::generate(class.tuple, start, &ops, &mut requests)?;
        let sig = schnorr::generate(signed, class.signatures, &mut requests)?;
        traces.push(hashed.trace);
        let permutations = poseidon2::traces(&requests.p2, &class.poseidon2)?;
        traces.push(range::trace(&requests.range));
        traces.extend([sig.sig, sig.schnorr, sig.comb]);
        traces.extend(permutations);
        let claim = ExecClaim {
            algorithm: Family::Extension.algorithm(),
            context: *context,
            count: records.len() as u32,
            start,
            end: hashed.ends.first().copied().unwrap_or(start),
            has_begin: false,
        };
        Ok(Self { claim, traces })
    }
}
