//! Size classes: fixed heights, hence one verifying key for each.

use tsz_air::air_enum;
use tsz_chips::poseidon2::Poseidon2Table;
use tsz_chips::range::{self, RangeTable};
use tsz_chips::schnorr::{COMB_LOG_HEIGHT, CombTable, LOG_ROWS, LadderTable, SigTable};
use tsz_chips::tuple::{Mode, TupleAir, op_rows};
use tsz_gadgets::clock::{self, ClockAir};
use tsz_gadgets::params::{self, ParamsAir};
use tsz_gadgets::perps::{BLOCKS, PerpsAir};
use tsz_stark::{Circuit, Profile, SetupError, setup};
use tsz_trade::{Params, TradeOp};

use crate::ProvingKey;
use crate::tables::{PremiumAir, ReportAir, RulesAir, SampleAir, UpdateAir};

air_enum! {
    /// Tables of the oracle circuit.
    pub enum OracleAir {
        /// The lists of the parameters.
        Params(ParamsAir),
        /// Perpetual markets.
        Perps(PerpsAir),
        /// Oracle rules and signers.
        Rules(RulesAir),
        /// Hour and minute.
        Clock(ClockAir),
        /// Price reports.
        Report(ReportAir),
        /// OracleUpdate.
        Update(UpdateAir),
        /// Premium reports.
        Premium(PremiumAir),
        /// PremiumSample.
        Sample(SampleAir),
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

/// Tables of the circuit.
pub(crate) const TABLES: usize = 15;
/// Tables of the family before the tuple table.
pub(crate) const OWN_TABLES: usize = 8;
/// Sponge steps of a report's message and of its signature's challenge.
const STEPS_OF_A_REPORT: usize = 5;
/// The same of a premium report.
const STEPS_OF_A_PREMIUM: usize = 4;

/// What some ops need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Markets listed.
    pub markets: usize,
    /// Signers listed.
    pub signers: usize,
    /// Updates.
    pub updates: usize,
    /// Their reports.
    pub reports: usize,
    /// Premium samples.
    pub samples: usize,
    /// Their reports.
    pub premiums: usize,
    /// Operations of other families: no class holds them.
    pub others: usize,
}

impl Counts {
    /// Counts what ops under `params` need.
    pub fn of<'a>(params: &Params, ops: impl IntoIterator<Item = &'a TradeOp>) -> Self {
        let (markets, signers) = (params.perps.len(), params.oracle.signers.len());
        let mut counts = Self { markets, signers, ..Self::default() };
        for op in ops {
            match op {
                TradeOp::OracleUpdate(op) => {
                    counts.updates += 1;
                    counts.reports += op.reports.len();
                }
                TradeOp::PremiumSample(op) => {
                    counts.samples += 1;
                    counts.premiums += op.reports.len();
                }
                _ => counts.others += 1,
            }
        }
        counts
    }
}

/// A size class: log2 heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Name, part of reports.
    pub name: &'static str,
    /// Markets.
    pub markets: usize,
    /// Rules and signers.
    pub signers: usize,
    /// Updates.
    pub updates: usize,
    /// Price reports.
    pub reports: usize,
    /// Samples.
    pub samples: usize,
    /// Premium reports.
    pub premiums: usize,
    /// Signatures.
    pub sigs: usize,
    /// Tuple table.
    pub tuple: usize,
    /// The two permutation tables.
    pub poseidon2: [usize; 2],
}

const fn class(
    name: &'static str,
    [markets, updates, reports, sigs, tuple]: [usize; 5],
    poseidon2: [usize; 2],
) -> Class {
    let (samples, premiums) = (updates, reports);
    Class { name, markets, signers: 7, updates, reports, samples, premiums, sigs, tuple, poseidon2 }
}

/// The size classes, smallest first.
pub const CLASSES: [Class; 3] = [
    class("small", [6, 6, 6, 6, 9], [10, 9]),
    class("medium", [8, 8, 10, 11, 12], [13, 12]),
    class("large", [8, 10, 13, 13, 13], [15, 14]),
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
        let permutations: usize = self.poseidon2.iter().map(|h| 1 << h).sum();
        let blocks = counts.updates * op_rows(1, 1) + counts.samples * op_rows(2, 1);
        let lists = params::LISTS + counts.markets * BLOCKS + counts.signers + 1;
        let messages = counts.reports * STEPS_OF_A_REPORT + counts.premiums * STEPS_OF_A_PREMIUM;
        counts.others == 0
            && counts.markets <= 1 << self.markets
            // the rules are one more row
            && counts.signers < 1 << self.signers
            && counts.updates <= 1 << self.updates
            && counts.reports <= 1 << self.reports
            && counts.samples <= 1 << self.samples
            && counts.premiums <= 1 << self.premiums
            && counts.reports + counts.premiums <= 1 << self.sigs
            // one more row ends the segment
            && blocks < 1 << self.tuple
            && lists + blocks + messages <= permutations
    }

    /// log2 of the rows of each table, in the order of the circuit.
    pub fn log_heights(&self) -> Vec<usize> {
        let [p0, p1] = self.poseidon2;
        let lists = [params::LOG_HEIGHT, self.markets, self.signers, clock::LOG_HEIGHT];
        let ops = [self.reports, self.updates, self.premiums, self.samples];
        let shared =
            [self.tuple, p0, p1, range::LOG_HEIGHT, self.sigs, self.sigs + LOG_ROWS, COMB_LOG_HEIGHT];
        lists.into_iter().chain(ops).chain(shared).collect()
    }

    /// The circuit of the class.
    pub fn circuit(&self, profile: Profile) -> Circuit<OracleAir> {
        let airs: [OracleAir; TABLES] = [
            ParamsAir.into(),
            PerpsAir.into(),
            RulesAir.into(),
            ClockAir.into(),
            ReportAir.into(),
            UpdateAir.into(),
            PremiumAir.into(),
            SampleAir.into(),
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
