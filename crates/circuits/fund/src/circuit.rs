//! The tables of the circuit, its size classes and its witness.

use thiserror::Error;
use tsz_air::{F, PrimeCharacteristicRing, Trace, air_enum};
use tsz_chips::poseidon2::{self, Poseidon2Table};
use tsz_chips::range::{self, RangeTable};
use tsz_chips::tuple::{self, Mode, Segment, TupleAir};
use tsz_hash::Digest;
use tsz_ledger::{BatchContext, ExecClaim, Family};
use tsz_stark::{Circuit, Profile};

use crate::op::{FundRecord, OP_TABLES};
use crate::tables::{BeginAir, DepositAir, ExitAir, KeyAir, L1KeyAir, TransferAir, WithdrawAir};
use crate::trace::{
    OpTraces, RecordError, SignatureRequest, begin_publics, op_traces, requests, signed_publics,
};

air_enum! {
    /// Tables of the fund circuit.
    pub enum FundAir {
        /// BeginBatch.
        Begin(BeginAir),
        /// Deposit.
        Deposit(DepositAir),
        /// Transfer.
        Transfer(TransferAir),
        /// Withdraw.
        Withdraw(WithdrawAir),
        /// RegisterKey, RevokeKey.
        Key(KeyAir),
        /// L1RegisterKey, L1RevokeKey.
        L1Key(L1KeyAir),
        /// FullExit.
        Exit(ExitAir),
        /// Tuple sponge.
        Tuple(TupleAir),
        /// Permutations.
        Poseidon2(Poseidon2Table),
        /// 12-bit values.
        Range(RangeTable),
    }
}

/// Numbers of ops of a batch's range, by table: begin, deposit, transfer, withdraw, key, l1key, exit.
pub type Counts = [usize; OP_TABLES];

/// Counts the ops of each table.
pub fn counts(records: &[FundRecord]) -> Counts {
    let mut counts = [0; OP_TABLES];
    for record in records {
        counts[crate::op::table(&record.op)] += 1;
    }
    counts
}

/// A size class: fixed heights, hence one verifying key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// At most 64 ops of each kind, for tests and quiet hours.
    Small,
    /// At most 1,024 transfers and 256 ops of every other kind.
    Medium,
    /// At most 8,192 transfers and 1,024 ops of every other kind.
    Large,
}

impl Class {
    /// All classes, the smallest first.
    pub const ALL: [Self; 3] = [Self::Small, Self::Medium, Self::Large];

    /// Name in `vks.toml`, after `fund/`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
        }
    }

    /// log2 of the rows of the op tables.
    pub const fn op_heights(self) -> [usize; OP_TABLES] {
        match self {
            Self::Small => [6; OP_TABLES],
            Self::Medium => [6, 8, 10, 8, 8, 8, 8],
            Self::Large => [6, 10, 13, 10, 10, 10, 10],
        }
    }

    /// log2 of the rows of the tuple table.
    pub const fn tuple_height(self) -> usize {
        match self {
            Self::Small => 10,
            Self::Medium => 14,
            Self::Large => 17,
        }
    }

    /// log2 of the rows of the two permutation tables.
    pub const fn poseidon2_heights(self) -> [usize; 2] {
        match self {
            Self::Small => [10, 9],
            Self::Medium => [14, 13],
            Self::Large => [17, 15],
        }
    }

    /// The smallest class that holds these ops, if any does.
    pub fn fitting(counts: &Counts) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.holds(counts))
    }

    /// Whether the ops fit: rows of the op tables, and of the tuple and permutation tables.
    pub fn holds(self, counts: &Counts) -> bool {
        let tables = counts.iter().zip(self.op_heights()).all(|(n, height)| *n <= 1 << height);
        let blocks: usize = counts.iter().zip(SHAPES).map(|(n, (j, w, _))| n * tuple::op_rows(j, w)).sum();
        let steps: usize = counts.iter().zip(SHAPES).map(|(n, (_, _, steps))| n * steps).sum();
        let permutations: usize = self.poseidon2_heights().iter().map(|h| 1 << h).sum();
        tables && blocks < 1 << self.tuple_height() && blocks + steps <= permutations
    }

    /// The circuit of the class.
    pub fn circuit(self, profile: Profile) -> Circuit<FundAir> {
        let [h0, h1, h2, h3, h4, h5, h6] = self.op_heights();
        let [p0, p1] = self.poseidon2_heights();
        let tables: Vec<(FundAir, usize)> = vec![
            (BeginAir.into(), h0),
            (DepositAir.into(), h1),
            (TransferAir.into(), h2),
            (WithdrawAir.into(), h3),
            (KeyAir.into(), h4),
            (L1KeyAir.into(), h5),
            (ExitAir.into(), h6),
            (TupleAir { mode: Mode::Exec }.into(), self.tuple_height()),
            (Poseidon2Table::default().into(), p0),
            (Poseidon2Table::default().into(), p1),
            (RangeTable.into(), range::LOG_HEIGHT),
        ];
        Circuit::new(profile, tables)
    }
}

/// Accesses, writes and sponge steps besides the tuple's of each op table; signatures cost theirs too.
const SHAPES: [(usize, usize, usize); OP_TABLES] =
    [(1, 1, 0), (6, 6, 4), (6, 3, 2), (6, 3, 4), (5, 3, 2), (5, 4, 3), (5, 4, 4)];

/// Why there is no witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WitnessError {
    /// A record that is not one of its op, or too many ops of a kind.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The tuple table is too small.
    #[error(transparent)]
    Tuple(#[from] tuple::Overflow),
    /// The permutation tables are too small.
    #[error(transparent)]
    Poseidon2(#[from] poseidon2::TableFull),
}

/// Everything that a proof is made from, but for the signature tables.
#[derive(Clone, Debug)]
pub struct Witness {
    /// What is proven.
    pub claim: ExecClaim,
    /// Traces in the order of the circuit.
    pub traces: Vec<Trace>,
    /// Signatures to be proven.
    pub signatures: Vec<SignatureRequest>,
}

/// Fills the tables for the ops of `records`, in their order; the tuple sponge starts from `start`.
///
/// # Errors
/// [`WitnessError`] if the ops do not fit the class or a record is not one of its op. That the ops follow the
/// rules is not checked.
pub fn witness(
    class: Class,
    context: &BatchContext,
    records: &[FundRecord],
    start: Digest,
) -> Result<Witness, WitnessError> {
    let ops = op_traces(context, records, &class.op_heights())?;
    assemble(class, context, records, start, ops)
}

/// Fills the shared tables for given op tables.
pub(crate) fn assemble(
    class: Class,
    context: &BatchContext,
    records: &[FundRecord],
    start: Digest,
    ops: OpTraces,
) -> Result<Witness, WitnessError> {
    let OpTraces { mut traces, signatures } = ops;
    let segment =
        Segment { slot: 0, ops: records.iter().map(|r| (r.index, r.accesses.as_slice())).collect() };
    let has_begin = counts(records)[0] > 0;
    let mut requests = requests(context, has_begin, &traces);
    let hashed = tuple::generate(class.tuple_height(), start, &[segment], &mut requests)?;
    traces.push(hashed.trace);
    traces.extend(poseidon2::traces(&requests.p2, &class.poseidon2_heights())?);
    traces.push(range::trace(&requests.range));
    let claim = ExecClaim {
        algorithm: Family::Fund.algorithm(),
        context: *context,
        count: records.len() as u32,
        start,
        end: hashed.ends.first().copied().unwrap_or(start),
        has_begin,
    };
    Ok(Witness { claim, traces, signatures })
}

/// Public values of each table, from the claim.
pub fn public_values(claim: &ExecClaim) -> Vec<Vec<F>> {
    let signed = signed_publics(&claim.context);
    let mut tuple: Vec<F> = claim.start.iter().chain(&claim.end).copied().collect();
    tuple.push(F::from_u32(claim.count));
    vec![
        begin_publics(&claim.context, claim.has_begin),
        vec![],
        signed.clone(),
        signed.clone(),
        signed,
        vec![],
        vec![],
        tuple,
        vec![],
        vec![],
        vec![],
    ]
}
