//! Size classes: fixed heights, hence one verifying key for each.

use tsz_air::{MIN_LOG_HEIGHT, air_enum};
use tsz_chips::poseidon2::Poseidon2Table;
use tsz_chips::range::{self, RangeTable};
use tsz_chips::tuple::{Mode, TupleAir, op_rows as tuple_rows};
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
use crate::record::{DeleverageRecord, RecordError};
use crate::tables::{AdlAir, BearerAir, ForceAir, HolderAir, LossAir, PageAir, RefusalAir, WellAir};
use crate::trace::Rows;

air_enum! {
    /// Tables of the deleverage circuit.
    pub enum DeleverageAir {
        /// Opened parameter hash.
        Params(ParamsAir),
        /// Pages of rankings.
        Page(PageAir),
        /// Holders listed.
        Holder(HolderAir),
        /// Closes against a counterparty.
        Adl(AdlAir),
        /// Forced liquidations.
        Force(ForceAir),
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
        /// Ranks of holders.
        Bearer(BearerAir),
        /// Loss classes.
        Loss(LossAir),
        /// Refusals of insurance.
        Refusal(RefusalAir),
        /// Sub-accounts that are not to be liquidated in full.
        Well(WellAir),
        /// Tuple sponge.
        Tuple(TupleAir),
        /// 12-bit values.
        Range(RangeTable),
        /// Permutations.
        Poseidon2(Poseidon2Table),
    }
}

/// Place of the first op table.
pub(crate) const PAGE: usize = 1;
/// Place of the first table of `tsz-margin`.
pub(crate) const MARGIN: usize = PAGE + 4;
/// Place of the price table.
pub(crate) const PRICE: usize = MARGIN + 3;
/// Place of the table of tokens at a price.
pub(crate) const WORTH: usize = MARGIN + 8;
/// Place of the table of targets.
pub(crate) const TARGET: usize = MARGIN + tsz_margin::TABLES;
/// Place of the table of ranks.
pub(crate) const BEARER: usize = TARGET + 2;
/// Place of the tuple table.
pub(crate) const TUPLE: usize = BEARER + 4;
/// Tables.
pub(crate) const TABLES: usize = TUPLE + 3;

/// What some records need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Markets, blocks of the oracle list, collateral tokens listed.
    pub lists: [usize; 3],
    /// Pages.
    pub pages: usize,
    /// Holders.
    pub holders: usize,
    /// Closes against a counterparty.
    pub adls: usize,
    /// Forced liquidations.
    pub forces: usize,
    /// Whether a market is shown not to be listed.
    pub has_unlisted: bool,
    /// Blocks of their tuples.
    pub blocks: usize,
    /// Rows of prices, settlements, positions, judgements, ratios, tokens at a price, tokens read.
    pub margin: [usize; COUNTS],
    /// Rows of targets and quotes.
    pub targets: [usize; 2],
    /// Rows of ranks, loss classes, refusals.
    pub judged: [usize; 3],
}

impl Counts {
    /// Counts what ops need.
    ///
    /// # Errors
    /// [`RecordError`] when no row can be made of a record.
    pub fn of(params: &Params, records: &[DeleverageRecord]) -> Result<Self, RecordError> {
        // neither system nor time change the number of rows
        let context =
            BatchContext { system: Digest::default(), batch: 0, time: 0, params: Digest::default() };
        let rows = Rows::of(&context, params, records)?;
        let blocks = records.iter().map(|record| {
            let writes = record.accesses.iter().filter(|a| a.write).count();
            tuple_rows(record.accesses.len(), writes)
        });
        Ok(Self {
            lists: [params.perps.len(), 1 + params.oracle.signers.len(), params.collateral.len()],
            pages: rows.pages.len(),
            holders: rows.holders.len(),
            adls: rows.adls.len(),
            forces: rows.forces.len(),
            has_unlisted: rows.book.has_unlisted(),
            blocks: blocks.sum(),
            margin: rows.book.counts(),
            targets: rows.book.target_counts(),
            judged: [rows.bearers.len(), rows.losses.len(), rows.refusals.len()],
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
    let listed = [("page", 1), ("holder", 10), ("bearer", 10), ("position", 10)];
    let adl = [
        ("adl", 1),
        ("target", 1),
        ("quote", 1),
        ("loss", 1),
        ("bearer", 1),
        ("refusal", 1),
        ("position", 2),
    ];
    let taken = [("force", 1), ("target", 1), ("quote", 1), ("judge", 1), ("position", 1)];
    let forced = [
        ("force", 1),
        ("target", 1),
        ("quote", 2),
        ("loss", 1),
        ("bearer", 1),
        ("refusal", 1),
        ("position", 2),
    ];
    vec![
        ("AdlRank, 10 holders of two positions", op(&listed, (54, 1))),
        ("Adl, parties of two positions", op(&adl, (19, 5))),
        ("ForceLiquidate, SETTLING", op(&[("force", 1)], (2, 2))),
        (
            "ForceLiquidate, NOT_BANKRUPT, two positions",
            op(&[("force", 1), ("well", 1), ("position", 1)], (9, 2)),
        ),
        ("ForceLiquidate, taken, two positions", op(&taken, (16, 7))),
        ("ForceLiquidate, deleveraged, parties of two positions", op(&forced, (23, 7))),
    ]
}

/// A size class: log2 heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Name, part of reports.
    pub name: &'static str,
    /// Pages.
    pub pages: usize,
    /// Holders, and one more for ranks.
    pub holders: usize,
    /// Closes against a counterparty.
    pub adls: usize,
    /// Forced liquidations.
    pub forces: usize,
    /// Targets, loss classes, refusals, and one more for quotes.
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
        pages: 6,
        holders: 8,
        adls: 6,
        forces: 6,
        targets: 7,
        margin: heights([6, 6, 7, 9, 9, 6, MIN_LOG_HEIGHT, 6, 8]),
        tuple: 13,
        poseidon2: 13,
    },
    Class {
        name: "medium",
        pages: 8,
        holders: 12,
        adls: 9,
        forces: 7,
        targets: 10,
        margin: heights([8, 7, 9, 14, 14, 9, MIN_LOG_HEIGHT, 6, 13]),
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

    /// log2 of the rows of the tables of ranks.
    pub(crate) fn bearers(&self) -> usize {
        self.holders + 1
    }

    /// log2 of the rows of the table of quotes.
    pub(crate) fn quotes(&self) -> usize {
        self.targets + 1
    }

    /// Whether the ops fit all tables.
    pub fn holds(&self, counts: &Counts) -> bool {
        let [markets, rules, collateral] = counts.lists;
        let steps = markets * PERP_BLOCKS + rules + collateral + LISTS + counts.blocks;
        let ([targets, quotes], [bearers, losses, refusals]) = (counts.targets, counts.judged);
        let rows = [
            (counts.pages, self.pages),
            (counts.holders, self.holders),
            (counts.adls, self.adls),
            (counts.forces, self.forces),
            (targets.max(losses).max(refusals), self.targets),
            (quotes, self.quotes()),
            (bearers, self.bearers()),
            (steps, self.poseidon2),
        ];
        self.margin.holds(counts.lists, &counts.margin)
            && rows.iter().all(|(rows, log)| *rows <= 1 << log)
            // the last row of the table says how many markets there are, if it holds none
            && !(counts.has_unlisted && markets == 1 << self.margin.markets)
            // one more row ends the segment
            && counts.blocks < 1 << self.tuple
    }

    /// Rows of the op tables together.
    pub(crate) fn rows(&self) -> u64 {
        (1 << self.pages) + (1 << self.adls) + (1 << self.forces)
    }

    /// log2 of the rows of each table, in the order of the circuit.
    pub fn log_heights(&self) -> Vec<usize> {
        let own = [params::LOG_HEIGHT, self.pages, self.holders, self.adls, self.forces];
        let judged = [self.targets, self.quotes(), self.bearers(), self.targets, self.targets, self.forces];
        let shared = [self.tuple, range::LOG_HEIGHT, self.poseidon2];
        own.into_iter().chain(self.margin.list()).chain(judged).chain(shared).collect()
    }

    /// The circuit of the class.
    pub fn circuit(&self, profile: Profile) -> Circuit<DeleverageAir> {
        let airs: [DeleverageAir; TABLES] = [
            ParamsAir.into(),
            PageAir.into(),
            HolderAir.into(),
            AdlAir.into(),
            ForceAir.into(),
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
            BearerAir.into(),
            LossAir.into(),
            RefusalAir.into(),
            WellAir.into(),
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
