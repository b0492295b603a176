//! Size classes: fixed heights, hence one verifying key for each.

use tsz_air::air_enum;
use tsz_chips::poseidon2::Poseidon2Table;
use tsz_chips::range::{self, RangeTable};
use tsz_chips::tuple::{Mode, TupleAir, op_rows as tuple_rows};
use tsz_gadgets::params::{self, LISTS, ParamsAir};
use tsz_hash::Digest;
use tsz_ledger::BatchContext;
use tsz_margin::tables::{
    CollateralAir, JudgeAir, MarketAir, PositionAir, PriceAir, RatioAir, RulesAir, SettleAir, TargetAir,
    TokenAir, WorthAir,
};
use tsz_margin::{COUNTS, Heights};
use tsz_stark::{Circuit, Profile, SetupError, setup};
use tsz_trade::Params;
use tsz_trade::params::PERP_BLOCKS;

use crate::ProvingKey;
use crate::record::{RecordError, SettleRecord};
use crate::tables::{AbsorbAir, PairAir, SeizeAir};
use crate::trace::Rows;

air_enum! {
    /// Tables of the settle circuit.
    pub enum SettlementAir {
        /// The lists of the parameters.
        Params(ParamsAir),
        /// Perpetual markets.
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
        /// Tokens at a price.
        Worth(WorthAir),
        /// Margin tokens.
        Token(TokenAir),
        /// SettlePair.
        Pair(PairAir),
        /// AbsorbDebt.
        Absorb(AbsorbAir),
        /// SeizeToken.
        Seize(SeizeAir),
        /// Targets with positions.
        Target(TargetAir),
        /// Tuple sponge.
        Tuple(TupleAir),
        /// Permutations.
        Poseidon2(Poseidon2Table),
        /// 12-bit values.
        Range(RangeTable),
    }
}

/// Tables of the circuit.
pub(crate) const TABLES: usize = 19;
/// Place of the price table.
pub(crate) const PRICE: usize = 4;
/// Place of the table of tokens at a price.
pub(crate) const WORTH: usize = 9;
/// Place of the first op table, after params and the tables of `tsz-margin`.
pub(crate) const PAIR: usize = 1 + tsz_margin::TABLES;
/// Tables of the family before the tuple table.
pub(crate) const OWN_TABLES: usize = PAIR + 4;

/// What some records need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Markets listed.
    pub markets: usize,
    /// Blocks of the oracle list.
    pub rules: usize,
    /// Collateral tokens listed.
    pub collateral: usize,
    /// Rows of the tables of `tsz-margin` that hold no list.
    pub margin: [usize; COUNTS],
    /// Pairs.
    pub pairs: usize,
    /// Debts absorbed.
    pub debts: usize,
    /// Tokens seized.
    pub seizures: usize,
    /// Those of targets with positions.
    pub targets: usize,
    /// Blocks of their tuples.
    pub blocks: usize,
}

impl Counts {
    /// Counts what ops under `params` need.
    ///
    /// # Errors
    /// [`RecordError`] when no row can be made of a record.
    pub fn of(params: &Params, records: &[SettleRecord]) -> Result<Self, RecordError> {
        // neither system nor time change the number of rows
        let context =
            BatchContext { system: Digest::default(), batch: 0, time: 0, params: Digest::default() };
        let rows = Rows::of(&context, params, records)?;
        let blocks = records.iter().map(|record| {
            let writes = record.accesses.iter().filter(|a| a.write).count();
            tuple_rows(record.accesses.len(), writes)
        });
        Ok(Self {
            markets: params.perps.len(),
            rules: 1 + params.oracle.signers.len(),
            collateral: params.collateral.len(),
            margin: rows.book.counts(),
            pairs: rows.pairs.len(),
            debts: rows.debts.len(),
            seizures: rows.seizures.len(),
            targets: rows.book.target_counts()[0],
            blocks: blocks.sum(),
        })
    }
}

/// Rows that an op of each kind takes, by name of table: the documentation's figures.
pub fn op_rows() -> Vec<(&'static str, Vec<(&'static str, usize)>)> {
    let op = |own: &[(&'static str, usize)], (accesses, writes)| {
        let blocks = tuple_rows(accesses, writes);
        let shared = [("tuple_exec", blocks), ("poseidon2", blocks)];
        own.iter().copied().chain(shared).collect()
    };
    vec![
        ("SettlePair, funding due", op(&[("pair", 1), ("settle", 2)], (8, 6))),
        ("AbsorbDebt", op(&[("absorb", 1)], (2, 2))),
        ("AbsorbDebt, two positions", op(&[("absorb", 1), ("judge", 1), ("position", 2)], (8, 2))),
        ("SeizeToken", op(&[("seize", 1)], (5, 4))),
        (
            "SeizeToken, target with two positions",
            op(&[("seize", 1), ("target", 1), ("token", 1), ("position", 2)], (13, 4)),
        ),
    ]
}

/// A size class: log2 heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Name, part of reports.
    pub name: &'static str,
    /// Tables of `tsz-margin`.
    pub margin: Heights,
    /// Pairs.
    pub pairs: usize,
    /// Debts absorbed, and as many tokens seized, of targets with or without positions.
    pub debts: usize,
    /// Tuple table.
    pub tuple: usize,
    /// The two permutation tables.
    pub poseidon2: [usize; 2],
}

/// The size classes, smallest first.
pub const CLASSES: [Class; 2] = [
    Class {
        name: "small",
        margin: heights([6, 6, 6, 6, 7, 6, 6, 6, 6, 6]),
        pairs: 6,
        debts: 6,
        tuple: 12,
        poseidon2: [12, 10],
    },
    Class {
        name: "medium",
        margin: heights([8, 7, 6, 8, 11, 11, 8, 6, 8, 8]),
        pairs: 10,
        debts: 8,
        tuple: 15,
        poseidon2: [15, 13],
    },
];

const fn heights(list: [usize; tsz_margin::TABLES]) -> Heights {
    let [markets, rules, collateral, prices, settles, positions, judges, ratios, worths, tokens] = list;
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
        let permutations: usize = self.poseidon2.iter().map(|h| 1 << h).sum();
        let lists = counts.markets * PERP_BLOCKS + counts.rules + counts.collateral + LISTS;
        self.margin.holds([counts.markets, counts.rules, counts.collateral], &counts.margin)
            && counts.pairs <= 1 << self.pairs
            && counts.debts.max(counts.seizures).max(counts.targets) <= 1 << self.debts
            // one more row ends the segment
            && counts.blocks < 1 << self.tuple
            && lists + counts.blocks <= permutations
    }

    /// Rows of the op tables together.
    pub(crate) fn rows(&self) -> u64 {
        (1 << self.pairs) + (2 << self.debts)
    }

    /// log2 of the rows of each table, in the order of the circuit.
    pub fn log_heights(&self) -> Vec<usize> {
        let [p0, p1] = self.poseidon2;
        let own = [self.pairs, self.debts, self.debts, self.debts, self.tuple, p0, p1, range::LOG_HEIGHT];
        [params::LOG_HEIGHT].into_iter().chain(self.margin.list()).chain(own).collect()
    }

    /// The circuit of the class.
    pub fn circuit(&self, profile: Profile) -> Circuit<SettlementAir> {
        let airs: [SettlementAir; TABLES] = [
            ParamsAir.into(),
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
            PairAir.into(),
            AbsorbAir.into(),
            SeizeAir.into(),
            TargetAir.into(),
            TupleAir { mode: Mode::Exec }.into(),
            Poseidon2Table::new().into(),
            Poseidon2Table::new().into(),
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
