//! Size classes: fixed heights, hence one verifying key for each.

use tsz_air::air_enum;
use tsz_chips::poseidon2::Poseidon2Table;
use tsz_chips::range::{self, RangeTable};
use tsz_chips::schnorr::{COMB_LOG_HEIGHT, CombTable, LOG_ROWS, LadderTable, SigTable};
use tsz_chips::tuple::{Mode, TupleAir, op_rows as tuple_rows};
use tsz_stark::{Circuit, Profile, SetupError, setup};

use crate::ProvingKey;
use crate::op::{FundRecord, OP_TABLES, table};
use crate::prove::TABLES;
use crate::tables::{
    BeginAir, CancelAir, CancelAllAir, DepositAir, ExitAir, KeyAir, L1KeyAir, TransferAir, WithdrawAir,
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
        /// CancelOrder.
        Cancel(CancelAir),
        /// CancelAll.
        CancelAll(CancelAllAir),
        /// Tuple sponge.
        Tuple(TupleAir),
        /// Permutations.
        Poseidon2(Poseidon2Table),
        /// 12-bit values.
        Range(RangeTable),
        /// Signatures.
        Sig(SigTable),
        /// Their scalar multiplications.
        Ladder(LadderTable),
        /// Multiples of the generator.
        Comb(CombTable),
    }
}

/// Numbers of ops, by table: begin, deposit, transfer, withdraw, key, l1key, exit, cancel, cancel_all.
pub type Counts = [usize; OP_TABLES];

/// Counts the ops of each table.
pub fn counts(records: &[FundRecord]) -> Counts {
    let mut counts = [0; OP_TABLES];
    for record in records {
        if let Some(table) = table(&record.op) {
            counts[table] += 1;
        }
    }
    counts
}

/// Accesses, writes, sponge steps of records and messages, and signatures of an op of each table.
const SHAPES: [(usize, usize, usize, usize); OP_TABLES] = [
    (2, 1, 0, 0),
    (6, 6, 4, 0),
    (6, 3, 2, 1),
    (6, 3, 4, 1),
    (5, 3, 2, 1),
    (5, 4, 3, 0),
    (5, 4, 4, 0),
    (3, 1, 2, 1),
    (3, 1, 2, 1),
];
/// Permutations of a signature's challenge.
const STEPS_OF_A_SIGNATURE: usize = 2;

/// Rows that an op of each kind takes, by name of table: the documentation's figures.
pub fn op_rows() -> Vec<(&'static str, Vec<(&'static str, usize)>)> {
    const NAMES: [(&str, &str); OP_TABLES] = [
        ("BeginBatch", "begin"),
        ("Deposit", "deposit"),
        ("Transfer", "transfer"),
        ("Withdraw", "withdraw"),
        ("RegisterKey, RevokeKey", "key"),
        ("L1RegisterKey, L1RevokeKey", "l1key"),
        ("FullExit", "exit"),
        ("CancelOrder", "cancel"),
        ("CancelAll", "cancel_all"),
    ];
    let kind = |((op, table), (accesses, writes, steps, sigs)): ((_, _), (usize, usize, usize, usize))| {
        let blocks = tuple_rows(accesses, writes);
        let permutations = blocks + steps + sigs * STEPS_OF_A_SIGNATURE;
        let rows = [
            (table, 1),
            ("tuple_exec", blocks),
            ("poseidon2", permutations),
            ("sig", sigs),
            ("schnorr", sigs << LOG_ROWS),
        ];
        (op, rows.into_iter().filter(|(_, n)| *n > 0).collect())
    };
    NAMES.into_iter().zip(SHAPES).map(kind).collect()
}

/// A size class: log2 heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Name, part of reports.
    pub name: &'static str,
    /// Op tables.
    pub ops: [usize; OP_TABLES],
    /// Signatures.
    pub sigs: usize,
    /// Tuple table.
    pub tuple: usize,
    /// The two permutation tables.
    pub poseidon2: [usize; 2],
}

/// The size classes, smallest first. Heights meet in few distinct values, which makes proofs smaller.
pub const CLASSES: [Class; 3] = [
    Class { name: "small", ops: [6; OP_TABLES], sigs: 6, tuple: 10, poseidon2: [10, 10] },
    Class { name: "medium", ops: [6, 8, 10, 8, 8, 8, 8, 10, 8], sigs: 10, tuple: 14, poseidon2: [14, 12] },
    Class {
        name: "large",
        ops: [6, 10, 13, 10, 10, 10, 10, 13, 10],
        sigs: 13,
        tuple: 17,
        poseidon2: [17, 13],
    },
];

impl Class {
    /// The smallest class that holds these ops, if any does.
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

    /// Whether the ops fit all tables.
    pub fn holds(&self, counts: &Counts) -> bool {
        let (mut blocks, mut steps, mut sigs) = (0, 0, 0);
        for (n, (accesses, writes, step, sig)) in counts.iter().zip(SHAPES) {
            blocks += n * tuple_rows(accesses, writes);
            steps += n * (step + sig * STEPS_OF_A_SIGNATURE);
            sigs += n * sig;
        }
        let permutations: usize = self.poseidon2.iter().map(|h| 1 << h).sum();
        counts.iter().zip(self.ops).all(|(n, height)| *n <= 1 << height)
            && sigs <= 1 << self.sigs
            // one more row ends the segment
            && blocks < 1 << self.tuple
            && blocks + steps <= permutations
    }

    /// log2 of the rows of each table, in the order of the circuit.
    pub fn log_heights(&self) -> Vec<usize> {
        let [p0, p1] = self.poseidon2;
        let shared =
            [self.tuple, p0, p1, range::LOG_HEIGHT, self.sigs, self.sigs + LOG_ROWS, COMB_LOG_HEIGHT];
        self.ops.into_iter().chain(shared).collect()
    }

    /// The circuit of the class.
    pub fn circuit(&self, profile: Profile) -> Circuit<FundAir> {
        let airs: [FundAir; TABLES] = [
            BeginAir.into(),
            DepositAir.into(),
            TransferAir.into(),
            WithdrawAir.into(),
            KeyAir.into(),
            L1KeyAir.into(),
            ExitAir.into(),
            CancelAir.into(),
            CancelAllAir.into(),
            TupleAir { mode: Mode::Exec }.into(),
            Poseidon2Table::new().into(),
            Poseidon2Table::new().into(),
            RangeTable.into(),
            SigTable.into(),
            LadderTable::new().into(),
            CombTable.into(),
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
