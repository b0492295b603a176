//! Size classes: fixed heights, hence one verifying key for each.

use tsz_air::air_enum;
use tsz_chips::poseidon2::Poseidon2Table;
use tsz_chips::range::{self, RangeTable};
use tsz_chips::schnorr::{COMB_LOG_HEIGHT, CombTable, LOG_ROWS, LadderTable, SigTable};
use tsz_chips::tuple::{Mode, TupleAir, op_rows as tuple_rows};
use tsz_gadgets::params::{self, LISTS, ParamsAir};
use tsz_hash::Digest;
use tsz_ledger::BatchContext;
use tsz_margin::tables::{
    CollateralAir, JudgeAir, MarketAir, MinimalAir, PositionAir, PriceAir, QuoteAir, RatioAir, RulesAir,
    SettleAir, TargetAir, TokenAir, WorthAir,
};
use tsz_margin::{COUNTS, Heights};
use tsz_order::PerpOrderAir;
use tsz_stark::{Circuit, Profile, SetupError, setup};
use tsz_trade::Params;
use tsz_trade::params::PERP_BLOCKS;

use crate::ProvingKey;
use crate::record::{LiquidateRecord, RecordError};
use crate::tables::{CloseAir, ForcedAir, TakeoverAir};
use crate::trace::Rows;

air_enum! {
    /// Tables of the liquidate circuit.
    pub enum LiquidateAir {
        /// Opened parameter hash.
        Params(ParamsAir),
        /// Orders.
        Order(PerpOrderAir),
        /// Takeovers.
        Takeover(TakeoverAir),
        /// Closes against an order.
        Close(CloseAir),
        /// Forced closes.
        Forced(ForcedAir),
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
        /// Closes that would not be enough.
        Minimal(MinimalAir),
        /// Tuple sponge.
        Tuple(TupleAir),
        /// 12-bit values.
        Range(RangeTable),
        /// Signatures.
        Sig(SigTable),
        /// Their scalar multiplications.
        Ladder(LadderTable),
        /// Multiples of the generator.
        Comb(CombTable),
        /// Permutations.
        Poseidon2(Poseidon2Table),
    }
}

/// Place of the order table.
pub(crate) const ORDER: usize = 1;
/// Place of the first table of `tsz-margin`.
pub(crate) const MARGIN: usize = 5;
/// Place of the price table.
pub(crate) const PRICE: usize = MARGIN + 3;
/// Place of the table of tokens at a price.
pub(crate) const WORTH: usize = MARGIN + 8;
/// Place of the table of targets.
pub(crate) const TARGET: usize = MARGIN + tsz_margin::TABLES;
/// Place of the tuple table.
pub(crate) const TUPLE: usize = TARGET + 3;
/// Tables.
pub(crate) const TABLES: usize = TUPLE + 6;
/// Sponge steps of an order's message and of its signature's challenge.
const STEPS_OF_AN_ORDER: usize = 5;
/// Sponge steps of the record of a ForcedClose.
const STEPS_OF_A_RECORD: usize = 3;

/// What some records need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Markets, blocks of the oracle list, collateral tokens listed.
    pub lists: [usize; 3],
    /// Whether a market is shown not to be listed.
    pub has_unlisted: bool,
    /// Different orders.
    pub orders: usize,
    /// Takeovers, closes against an order, forced closes.
    pub ops: [usize; 3],
    /// Blocks of their tuples.
    pub blocks: usize,
    /// Rows of prices, settlements, positions, judgements, ratios, tokens at a price, tokens read.
    pub margin: [usize; COUNTS],
    /// Rows of targets and quotes.
    pub targets: [usize; 2],
    /// Rows of closes that would not be enough.
    pub minimals: usize,
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
            tuple_rows(record.accesses.len(), writes)
        });
        Ok(Self {
            lists: [params.perps.len(), 1 + params.oracle.signers.len(), params.collateral.len()],
            has_unlisted: rows.book.has_unlisted(),
            orders: rows.orders.signatures().len(),
            ops: [rows.takeovers.len(), rows.closes.len(), rows.forced.len()],
            blocks: blocks.sum(),
            margin: rows.book.counts(),
            targets: rows.book.target_counts(),
            minimals: rows.book.minimal_count(),
        })
    }
}

/// Rows that an op of each kind takes, by name of table: the documentation's figures.
pub fn op_rows() -> Vec<(&'static str, Vec<(&'static str, usize)>)> {
    let op = |own: &[(&'static str, usize)], (accesses, writes), more| {
        let blocks = tuple_rows(accesses, writes);
        let shared = [("tuple_exec", blocks), ("poseidon2", blocks + more)];
        own.iter().copied().chain(shared).collect()
    };
    let close = |judges, own: &[(&'static str, usize)]| -> Vec<(&'static str, usize)> {
        let maker = [("close", 1), ("order", 1), ("judge", judges), ("sig", 1), ("schnorr", 1 << LOG_ROWS)];
        maker.iter().chain(own).copied().collect()
    };
    let partial = close(1, &[("target", 1), ("quote", 2), ("minimal", 1)]);
    let filled = close(2, &[("forced", 1), ("target", 1)]);
    vec![
        ("Takeover", op(&[("takeover", 1), ("target", 1), ("quote", 1), ("judge", 1)], (9, 5), 0)),
        ("Liquidate, partial", op(&partial, (13, 8), STEPS_OF_AN_ORDER)),
        ("ForcedClose, filled", op(&filled, (17, 9), STEPS_OF_AN_ORDER + STEPS_OF_A_RECORD)),
        ("ForcedClose, refused for its position", op(&[("forced", 1)], (7, 2), STEPS_OF_A_RECORD)),
    ]
}

/// A size class: log2 heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Name, part of reports.
    pub name: &'static str,
    /// Orders, and signatures.
    pub orders: usize,
    /// Takeovers, closes against an order, forced closes: each so many.
    pub ops: usize,
    /// Targets and quotes.
    pub targets: usize,
    /// Closes that would not be enough.
    pub minimals: usize,
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
        orders: 6,
        ops: 6,
        targets: 7,
        minimals: 6,
        margin: heights([6, 6, 7, 9, 9, 7, 6, 6, 7]),
        tuple: 13,
        poseidon2: 13,
    },
    Class {
        name: "large",
        orders: 10,
        ops: 10,
        targets: 11,
        minimals: 10,
        margin: heights([8, 7, 8, 13, 13, 11, 8, 6, 10]),
        tuple: 17,
        poseidon2: 17,
    },
];

const fn heights(list: [usize; 2 + COUNTS]) -> Heights {
    let [markets, rules, prices, settles, positions, judges, ratios, worths, tokens] = list;
    let collateral = tsz_air::MIN_LOG_HEIGHT;
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

    /// Rows of the op tables that announce ops.
    pub(crate) fn max_ops(&self) -> u64 {
        3 << self.ops
    }

    /// Whether the ops fit all tables.
    pub fn holds(&self, counts: &Counts) -> bool {
        let [markets, rules, collateral] = counts.lists;
        let steps = markets * PERP_BLOCKS
            + rules
            + collateral
            + LISTS
            + counts.blocks
            + counts.orders * STEPS_OF_AN_ORDER
            + counts.ops[2] * STEPS_OF_A_RECORD;
        self.margin.holds(counts.lists, &counts.margin)
            // the last row of the table says how many markets there are, if it holds none
            && !(counts.has_unlisted && markets == 1 << self.margin.markets)
            && counts.orders <= 1 << self.orders
            && counts.ops.iter().all(|rows| *rows <= 1 << self.ops)
            && counts.targets.iter().all(|rows| *rows <= 1 << self.targets)
            && counts.minimals <= 1 << self.minimals
            // one more row ends the segment
            && counts.blocks < 1 << self.tuple
            && steps <= 1 << self.poseidon2
    }

    /// log2 of the rows of each table, in the order of the circuit.
    pub fn log_heights(&self) -> Vec<usize> {
        let own = [params::LOG_HEIGHT, self.orders, self.ops, self.ops, self.ops].into_iter();
        let own = own.chain(self.margin.list()).chain([self.targets, self.targets, self.minimals]);
        let shared = [self.tuple, range::LOG_HEIGHT, self.orders, self.orders + LOG_ROWS, COMB_LOG_HEIGHT];
        own.chain(shared).chain([self.poseidon2]).collect()
    }

    /// The circuit of the class.
    pub fn circuit(&self, profile: Profile) -> Circuit<LiquidateAir> {
        let airs: [LiquidateAir; TABLES] = [
            ParamsAir.into(),
            PerpOrderAir.into(),
            TakeoverAir.into(),
            CloseAir.into(),
            ForcedAir.into(),
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
            MinimalAir.into(),
            TupleAir { mode: Mode::Exec }.into(),
            RangeTable.into(),
            SigTable.into(),
            LadderTable::new().into(),
            CombTable.into(),
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
