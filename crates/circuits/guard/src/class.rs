//! Size classes: fixed heights, hence one verifying key for each.

use tsz_air::air_enum;
use tsz_chips::poseidon2::Poseidon2Table;
use tsz_chips::poseidon24::Poseidon24Table;
use tsz_chips::range::{self, RangeTable};
use tsz_chips::schnorr::{COMB_LOG_HEIGHT, CombTable, LOG_ROWS, LadderTable, SigTable};
use tsz_chips::tuple::{Mode, TupleAir, op_rows as tuple_rows};
use tsz_gadgets::params::ParamsAir;
use tsz_ledger::Access;
use tsz_margin::tables::{
    CollateralAir, JudgeAir, MarketAir, PositionAir, PriceAir, RatioAir, RulesAir, SettleAir, TokenAir,
    WorthAir,
};
use tsz_stark::{Circuit, Profile, SetupError, setup};

use crate::ProvingKey;
use crate::record::{ApprovalOp, ApprovalRecord, ExtensionRecord, RecordError};
use crate::tables::margin::{CrossingAir, LegAir, LegCellAir, MarginOperationAir};
use crate::tables::operation::PARTY_READS;
use crate::tables::{
    ApproveAir, CellAir, JournalAir, LimitAir, MoneyAir, OperationAir, PartyAir, RevokeAir, approve, revoke,
};
use crate::trace::journal_blocks;

air_enum! {
    /// Tables of the circuits of this crate.
    pub enum GuardAir {
        /// Operations of programs.
        Operation(OperationAir),
        /// Their parties.
        Party(PartyAir),
        /// Their cells.
        Cell(CellAir),
        /// Limits that they charge.
        Limit(LimitAir),
        /// Sums of changes.
        Money(MoneyAir),
        /// What guests committed to.
        Journal(JournalAir),
        /// Approvals.
        Approve(ApproveAir),
        /// Revocations.
        Revoke(RevokeAir),
        /// Tuple sponge.
        Tuple(TupleAir),
        /// Permutations.
        Poseidon2(Poseidon2Table),
        /// Permutations of the journal.
        Poseidon24(Poseidon24Table),
        /// 12-bit values.
        Range(RangeTable),
        /// Signatures.
        Sig(SigTable),
        /// Their scalar multiplications.
        Ladder(LadderTable),
        /// Multiples of the generator.
        Comb(CombTable),
        /// Opened parameter hash.
        Params(ParamsAir),
        /// Operations that may move positions.
        MarginOperation(MarginOperationAir),
        /// Their cells.
        LegCell(LegCellAir),
        /// Their legs.
        Leg(LegAir),
        /// What the legs do to their market.
        Crossing(CrossingAir),
        /// Markets.
        Market(MarketAir),
        /// Oracle rules.
        Rules(RulesAir),
        /// Collateral tokens.
        Collateral(CollateralAir),
        /// Prices.
        Price(PriceAir),
        /// Funding settlements.
        Settle(SettleAir),
        /// Positions.
        Position(PositionAir),
        /// Judgements.
        Judge(JudgeAir),
        /// Ratios.
        Ratio(RatioAir),
        /// Collateral tokens at a price.
        Worth(WorthAir),
        /// Margin tokens read.
        Token(TokenAir),
    }
}

/// Place of the party table in the circuit of programs.
pub(crate) const PARTY: usize = 1;
/// Place of the journal.
pub(crate) const JOURNAL: usize = 5;
/// Place of the tuple sponge, after the guard's own tables.
pub(crate) const TUPLE: usize = 6;
/// Tables of the circuit of programs.
pub(crate) const TABLES: usize = 10;
/// Tables of the circuit of approvals before the permutation tables.
pub(crate) const APPROVAL_TABLES: usize = 7;
/// Sponge steps of the message of an approval and of its signature's challenge.
const APPROVE_STEPS: usize = 5 + 2;
/// Those of a revocation.
const REVOKE_STEPS: usize = 2 + 2;

/// What some operations need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Operations.
    pub operations: usize,
    /// Parties.
    pub parties: usize,
    /// Cells.
    pub cells: usize,
    /// Limits charged.
    pub limits: usize,
    /// Blocks of journals.
    pub journal: usize,
    /// Blocks of tuples.
    pub blocks: usize,
}

impl Counts {
    /// Counts what records need.
    ///
    /// # Errors
    /// [`RecordError`] for a record that is none.
    pub fn of<'a>(records: impl IntoIterator<Item = &'a ExtensionRecord>) -> Result<Self, RecordError> {
        let mut counts = Self::default();
        for record in records {
            let [approvals, cells, limits] = record.parts()?;
            counts.add([approvals, cells, &[], limits]);
        }
        Ok(counts)
    }

    /// Adds an op with accesses to approvals, cells, those of legs, limits.
    pub(crate) fn add(&mut self, [approvals, cells, legs, limits]: [&[Access]; 4]) {
        let writes = |accesses: &[Access]| accesses.iter().filter(|a| a.write).count();
        let judged = approvals.len() + cells.len();
        self.operations += 1;
        self.parties += approvals.len() / PARTY_READS as usize;
        self.cells += cells.len();
        self.limits += limits.len();
        self.journal += journal_blocks(judged, writes(cells));
        let written = writes(cells) + writes(legs) + limits.len();
        self.blocks += tuple_rows(judged + legs.len() + limits.len(), written);
    }
}

/// A size class of the circuit of programs: log2 heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Name, part of reports.
    pub name: &'static str,
    /// Operations.
    pub operations: usize,
    /// Parties.
    pub parties: usize,
    /// Cells.
    pub cells: usize,
    /// Limits.
    pub limits: usize,
    /// Changes of balances.
    pub money: usize,
    /// Blocks of journals.
    pub journal: usize,
    /// Tuple table, and its permutations.
    pub tuple: usize,
}

/// The size classes of programs, smallest first: 58 and 936 fills of a grid by two parties with two limits each.
pub const CLASSES: [Class; 2] = [
    Class { name: "small", operations: 6, parties: 7, cells: 9, limits: 8, money: 9, journal: 10, tuple: 11 },
    Class {
        name: "medium",
        operations: 10,
        parties: 11,
        cells: 13,
        limits: 12,
        money: 13,
        journal: 14,
        tuple: 15,
    },
];

impl Class {
    /// The smallest class that holds these operations, if any does.
    pub fn fitting(counts: &Counts) -> Option<&'static Self> {
        CLASSES.iter().find(|class| class.holds(counts))
    }

    /// The class of a name.
    pub fn named(name: &str) -> Option<&'static Self> {
        CLASSES.iter().find(|class| class.name == name)
    }

    /// The class with these heights.
    pub(crate) fn with_heights(log_heights: &[usize]) -> Option<&'static Self> {
        CLASSES.iter().find(|class| class.log_heights() == log_heights)
    }

    /// Whether the operations fit all tables. (No more balances change than cells are declared.)
    pub fn holds(&self, counts: &Counts) -> bool {
        counts.operations <= 1 << self.operations
            && counts.parties <= 1 << self.parties
            && counts.cells <= 1 << self.cells.min(self.money)
            && counts.limits <= 1 << self.limits
            // one more row ends a segment
            && counts.journal < 1 << self.journal
            && counts.blocks < 1 << self.tuple
    }

    /// log2 of the rows of each table, in the order of the circuit.
    pub fn log_heights(&self) -> Vec<usize> {
        let own = [self.operations, self.parties, self.cells, self.limits, self.money, self.journal];
        own.into_iter().chain([self.tuple, self.tuple, self.journal, range::LOG_HEIGHT]).collect()
    }

    /// The circuit of the class.
    pub fn circuit(&self, profile: Profile) -> Circuit<GuardAir> {
        let airs: [GuardAir; TABLES] = [
            OperationAir.into(),
            PartyAir.into(),
            CellAir.into(),
            LimitAir.into(),
            MoneyAir.into(),
            JournalAir.into(),
            TupleAir { mode: Mode::Exec }.into(),
            Poseidon2Table::new().into(),
            Poseidon24Table::new().into(),
            RangeTable.into(),
        ];
        Circuit::new(profile, airs.into_iter().zip(self.log_heights()))
    }

    /// Makes the keys of the class.
    ///
    /// # Errors
    /// None for the classes of [`CLASSES`].
    pub fn setup(&self, profile: Profile) -> Result<ProvingKey, SetupError> {
        setup(self.circuit(profile))
    }
}

/// A size class of the circuit of approvals: log2 heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApprovalClass {
    /// Name, part of reports.
    pub name: &'static str,
    /// Approvals.
    pub approvals: usize,
    /// Revocations.
    pub revocations: usize,
    /// Signatures.
    pub signatures: usize,
    /// Tuple table.
    pub tuple: usize,
    /// The permutation tables.
    pub poseidon2: [usize; 2],
}

/// The size classes of approvals, smallest first: 64 approvals and 64 revocations; 1,024 and 512.
pub const APPROVAL_CLASSES: [ApprovalClass; 2] = [
    ApprovalClass {
        name: "small",
        approvals: 6,
        revocations: 6,
        signatures: 7,
        tuple: 11,
        poseidon2: [11, 10],
    },
    ApprovalClass {
        name: "medium",
        approvals: 10,
        revocations: 9,
        signatures: 11,
        tuple: 15,
        poseidon2: [15, 12],
    },
];

/// Approvals and revocations among some records.
pub fn approval_counts<'a>(records: impl IntoIterator<Item = &'a ApprovalRecord>) -> [usize; 2] {
    let mut counts = [0; 2];
    for record in records {
        counts[usize::from(matches!(record.op, ApprovalOp::Revoke(_)))] += 1;
    }
    counts
}

/// Blocks of the tuple of an approval and of a revocation.
fn approval_blocks() -> [usize; 2] {
    [approve::SHAPE, revoke::SHAPE].map(|[n, writes]| tuple_rows(n as usize, writes as usize))
}

impl ApprovalClass {
    /// The smallest class that holds so many approvals and revocations, if any does.
    pub fn fitting(counts: [usize; 2]) -> Option<&'static Self> {
        APPROVAL_CLASSES.iter().find(|class| class.holds(counts))
    }

    /// The class with these heights.
    pub(crate) fn with_heights(log_heights: &[usize]) -> Option<&'static Self> {
        APPROVAL_CLASSES.iter().find(|class| class.log_heights() == log_heights)
    }

    /// Whether so many approvals and revocations fit.
    pub fn holds(&self, [approvals, revocations]: [usize; 2]) -> bool {
        let permutations: usize = self.poseidon2.iter().map(|h| 1 << h).sum();
        let [approve, revoke] = approval_blocks();
        let blocks = approvals * approve + revocations * revoke;
        approvals <= 1 << self.approvals
            && revocations <= 1 << self.revocations
            && approvals + revocations <= 1 << self.signatures
            && blocks < 1 << self.tuple
            && blocks + approvals * APPROVE_STEPS + revocations * REVOKE_STEPS <= permutations
    }

    /// Ops that the class holds at most.
    pub(crate) fn rows(&self) -> u64 {
        (1 << self.approvals) + (1 << self.revocations)
    }

    /// log2 of the rows of each table, in the order of the circuit.
    pub fn log_heights(&self) -> Vec<usize> {
        let own = [self.approvals, self.revocations, self.tuple, range::LOG_HEIGHT];
        let shared = [self.signatures, self.signatures + LOG_ROWS, COMB_LOG_HEIGHT];
        own.into_iter().chain(shared).chain(self.poseidon2).collect()
    }

    /// The circuit of the class.
    pub fn circuit(&self, profile: Profile) -> Circuit<GuardAir> {
        let mut airs: Vec<GuardAir> = vec![
            ApproveAir.into(),
            RevokeAir.into(),
            TupleAir { mode: Mode::Exec }.into(),
            RangeTable.into(),
            SigTable.into(),
            LadderTable::new().into(),
            CombTable.into(),
        ];
        airs.extend(self.poseidon2.iter().map(|_| GuardAir::from(Poseidon2Table::new())));
        Circuit::new(profile, airs.into_iter().zip(self.log_heights()))
    }

    /// Makes the keys of the class.
    ///
    /// # Errors
    /// None for the classes of [`APPROVAL_CLASSES`].
    pub fn setup(&self, profile: Profile) -> Result<ProvingKey, SetupError> {
        setup(self.circuit(profile))
    }
}

/// Rows that an op of each kind takes, by name of table: the documentation's figures. A fill of a grid by two parties
/// with two limits each, with fees.
pub fn op_rows() -> Vec<(&'static str, Vec<(&'static str, usize)>)> {
    let (judged, writes, limits) = (14, 8, 4);
    let blocks = tuple_rows(judged + limits, writes + limits);
    let journal = journal_blocks(judged, writes);
    let own = [("operation", 1), ("party", 2), ("cell", 8), ("limit", limits), ("money", 6)];
    let shared =
        [("journal", journal), ("poseidon24", journal), ("tuple_exec", blocks), ("poseidon2", blocks)];
    vec![("Extension (a fill of a grid)", own.into_iter().chain(shared).collect())]
}

/// [`op_rows`] of approvals.
pub fn approval_op_rows() -> Vec<(&'static str, Vec<(&'static str, usize)>)> {
    let [approve, revoke] = approval_blocks();
    let row = |table, blocks, steps| {
        vec![
            (table, 1),
            ("tuple_exec", blocks),
            ("poseidon2", blocks + steps),
            ("sig", 1),
            ("schnorr", 1 << LOG_ROWS),
        ]
    };
    vec![
        ("ApproveExtension", row("approve", approve, APPROVE_STEPS)),
        ("RevokeExtension", row("revoke", revoke, REVOKE_STEPS)),
    ]
}
