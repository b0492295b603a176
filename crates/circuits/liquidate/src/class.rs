//! Size classes: fixed heights, hence one verifying key for each.

use tsz_air::{MIN_LOG_HEIGHT, air_enum};
use tsz_chips::poseidon2::Poseidon2Table;
use tsz_chips::range::{self, RangeTable};
use tsz_chips::tuple::{Mode, TupleAir, op_rows};
use tsz_gadgets::params::{self, LISTS, ParamsAir};
use tsz_hash::Digest;
use tsz_ledger::BatchContext;
use tsz_margin::tables::{
    CollateralAir, JudgeAir, MarketAir, PositionAir, PriceAir, QuoteAir, RatioAir, RulesAir, SettleAir,
    TargetAir, TokenAir, WorthAir,
};
use tsz_margin::{COUNTS, Heights};
use tsz_stark::{Circuit, Profile, SetupError, setup};
use tsz_trade::Params;
use tsz_trade::params::PERP_BLOCKS;

use crate::ProvingKey;
use crate::record::{LiquidateRecord, RecordError};
use crate::tables::TakeoverAir;
use crate::trace::Rows;

air_enum! {
    /// Tables of the liquidate circuit.
    pub enum LiquidateAir {
        /// Opened parameter hash.
        Params(ParamsAir),
        /// Takeovers.
        Takeover(TakeoverAir),
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
        /// Targets.
        Target(TargetAir),
        /// Zero quotes.
        Quote(QuoteAir),
        /// Tuple sponge.
        Tuple(TupleAir),
        /// 12-bit values.
        Range(RangeTable),
        /// Permutations.
        Poseidon2(Poseidon2Table),
    }
}

/// Place of the price table.
pub(crate) const PRICE: usize = 5;
/// Place of the table of tokens at a price.
pub(crate) const WORTH: usize = 10;
/// Place of the tuple table.
pub(crate) const TUPLE: usize = 14;
/// Tables.
pub(crate) const TABLES: usize = 17;

/// What some records need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Markets, blocks of the oracle list, collateral tokens listed.
    pub lists: [usize; 3],
    /// Takeovers.
    pub takeovers: usize,
    /// Blocks of their tuples.
    pub blocks: usize,
    /// Rows of prices, settlements, positions, judgements, ratios, tokens at a price, tokens read.
    pub margin: [usize; COUNTS],
    /// Rows of targets and quotes.
    pub targets: [usize; 2],
}

impl Counts {
    /// Counts what ops need.
    ///
    /// # Errors
    /// [`RecordError`] when no row can be made of a record.
    pub fn of(params: &Params, records: &[LiquidateRecord]) -> Result<Self, RecordError> {
        // neither system nor time change the number of rows
        let context =
            BatchContext { system: Digest::default(), batch: 0, time: 0, params: Digest::default() };
        let rows = Rows::of(&context, params, records)?;
        let blocks = records.iter().map(|record| {
            let writes = record.accesses.iter().filter(|a| a.write).count();
            op_rows(record.accesses.len(), writes)
        });
        Ok(Self {
            lists: [params.perps.len(), 1 + params.oracle.signers.len(), params.collateral.len()],
            takeovers: rows.takeovers.len(),
            blocks: blocks.sum(),
            margin: rows.book.counts(),
            targets: rows.book.target_counts(),
        })
    }
}

/// A size class: log2 heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Name, part of reports.
    pub name: &'static str,
    /// Takeovers.
    pub takeovers: usize,
    /// Targets and quotes.
    pub targets: usize,
    /// Tables of `tsz-margin`.
    pub margin: Heights,
    /// Tuple table.
    pub tuple: usize,
    /// Permutations.
    pub poseidon2: usize,
}

/// The size classes, smallest first.
pub const CLASSES: [Class; 2] = [
    Class {
        name: "small",
        takeovers: 6,
        targets: 6,
        margin: heights([6, 6, 7, 9, 9, 6, MIN_LOG_HEIGHT, 6, 7]),
        tuple: 12,
        poseidon2: 13,
    },
    Class {
        name: "large",
        takeovers: 10,
        targets: 10,
        margin: heights([8, 7, 8, 13, 13, 10, MIN_LOG_HEIGHT, 6, 10]),
        tuple: 17,
        poseidon2: 17,
    },
];

const fn heights(list: [usize; 2 + COUNTS]) -> Heights {
    let [markets, rules, prices, settles, positions, judges, ratios, worths, tokens] = list;
    let collateral = MIN_LOG_HEIGHT;
    Heights { markets, rules, collateral, prices, settles, positions, judges, ratios, worths, tokens }
}

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
        let [markets, rules, collateral] = counts.lists;
        let steps = markets * PERP_BLOCKS + rules + collateral + LISTS + counts.blocks;
        self.margin.holds(counts.lists, &counts.margin)
            && counts.takeovers <= 1 << self.takeovers
            && counts.targets.iter().all(|rows| *rows <= 1 << self.targets)
            // one more row ends the segment
            && counts.blocks < 1 << self.tuple
            && steps <= 1 << self.poseidon2
    }

    /// log2 of the rows of each table, in the order of the circuit.
    pub fn log_heights(&self) -> Vec<usize> {
        let own = [params::LOG_HEIGHT, self.takeovers].into_iter().chain(self.margin.list());
        own.chain([self.targets, self.targets, self.tuple, range::LOG_HEIGHT, self.poseidon2]).collect()
    }

    /// The circuit of the class.
    pub fn circuit(&self, profile: Profile) -> Circuit<LiquidateAir> {
        let airs: [LiquidateAir; TABLES] = [
            ParamsAir.into(),
            TakeoverAir.into(),
            MarketAir.into(),
            RulesAir.into(),
            CollateralAir.into(),
            PriceAir.into(),
            SettleAir.into(),
            PositionAir.into(),
            JudgeAir.into(),
            RatioAir.into(),
            WorthAir.into(),
            TokenAir.into(),
            TargetAir.into(),
            QuoteAir.into(),
            TupleAir { mode: Mode::Exec }.into(),
            RangeTable.into(),
            Poseidon2Table::new().into(),
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
