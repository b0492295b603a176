//! Size classes: fixed heights, hence one verifying key for each.

use tsz_air::air_enum;
use tsz_chips::poseidon2::Poseidon2Table;
use tsz_chips::range::{self, RangeTable};
use tsz_chips::schnorr::{COMB_LOG_HEIGHT, CombTable, LOG_ROWS, LadderTable, SigTable};
use tsz_chips::tuple::{Mode, TupleAir, op_rows};
use tsz_gadgets::params::{self, LISTS, ParamsAir};
use tsz_hash::Digest;
use tsz_ledger::BatchContext;
use tsz_margin::tables::{
    CollateralAir, JudgeAir, MarketAir, PositionAir, PriceAir, RatioAir, RulesAir, SettleAir, TokenAir,
    WorthAir,
};
use tsz_margin::{COUNTS, Heights};
use tsz_order::PerpOrderAir;
use tsz_stark::{Circuit, Profile, SetupError, setup};
use tsz_trade::Params;
use tsz_trade::params::PERP_BLOCKS;

use crate::ProvingKey;
use crate::record::PerpRecord;
use crate::tables::{ExitAir, TradeAir, TransferAir};
use crate::trace::{RecordError, Rows};

air_enum! {
    /// Tables of the perp circuit.
    pub enum PerpAir {
        /// Opened parameter hash.
        Params(ParamsAir),
        /// Orders.
        Order(PerpOrderAir),
        /// Fills.
        Trade(TradeAir),
        /// Margin transfers.
        Transfer(TransferAir),
        /// Margin exits.
        Exit(ExitAir),
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

/// Tables of the circuit before the permutation tables, which classes have different numbers of.
pub(crate) const TABLES: usize = 20;
/// Place of the table of margin transfers.
pub(crate) const TRANSFER: usize = 3;
/// Place of the price table.
pub(crate) const PRICE: usize = 8;
/// Place of the table of tokens at a price.
pub(crate) const WORTH: usize = 13;
/// Place of the tuple table.
pub(crate) const TUPLE: usize = 15;
/// Sponge steps of an order's message and of its signature's challenge.
const STEPS_OF_AN_ORDER: usize = 5;
/// The same of a transfer.
const STEPS_OF_A_TRANSFER: usize = 4;
/// Sponge steps of the record of an L1 operation.
const STEPS_OF_AN_EXIT: usize = 2;

/// What some records need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Markets listed.
    pub markets: usize,
    /// Blocks of the oracle list.
    pub rules: usize,
    /// Collateral tokens listed.
    pub collateral: usize,
    /// Different orders.
    pub orders: usize,
    /// Fills.
    pub trades: usize,
    /// Margin transfers.
    pub transfers: usize,
    /// Margin exits.
    pub exits: usize,
    /// Blocks of the ops' tuples.
    pub blocks: usize,
    /// Rows of prices, settlements, positions, judgements, ratios, tokens at a price, tokens read.
    pub margin: [usize; COUNTS],
}

impl Counts {
    /// Counts what ops need.
    ///
    /// # Errors
    /// [`RecordError`] when no row can be made of a record.
    pub fn of(params: &Params, records: &[PerpRecord]) -> Result<Self, RecordError> {
        // neither system nor time change the number of rows
        let context =
            BatchContext { system: Digest::default(), batch: 0, time: 0, params: Digest::default() };
        let rows = Rows::of(&context, params, records)?;
        let blocks = records.iter().map(|record| {
            let writes = record.accesses.iter().filter(|a| a.write).count();
            op_rows(record.accesses.len(), writes)
        });
        Ok(Self {
            markets: params.perps.len(),
            rules: 1 + params.oracle.signers.len(),
            collateral: params.collateral.len(),
            orders: rows.orders.signatures().len(),
            trades: rows.trades.len(),
            transfers: rows.transfers.len(),
            exits: rows.exits.len(),
            blocks: blocks.sum(),
            margin: rows.book.counts(),
        })
    }
}

/// A size class: log2 heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Name, part of reports.
    pub name: &'static str,
    /// Orders; also signatures, of orders and transfers.
    pub orders: usize,
    /// Fills.
    pub trades: usize,
    /// Margin transfers.
    pub transfers: usize,
    /// Margin exits.
    pub exits: usize,
    /// Tables of `tsz-margin`.
    pub margin: Heights,
    /// Tuple table.
    pub tuple: usize,
    /// The permutation tables.
    pub poseidon2: &'static [usize],
}

/// The size classes, smallest first: 64, 1,024 and 2,048 trades of two orders that nobody else fills, each party with a
/// position in one other market, and some margin tokens; and 8,192 such trades of parties with positions in two others.
pub const CLASSES: [Class; 4] = [
    Class {
        name: "small",
        orders: 7,
        trades: 6,
        transfers: 6,
        exits: 6,
        margin: heights([6, 6, 6, 7, 7, 7, 6, 6, 6]),
        tuple: 12,
        poseidon2: &[12, 10],
    },
    Class {
        name: "medium",
        orders: 11,
        trades: 10,
        transfers: 8,
        exits: 6,
        margin: heights([8, 7, 8, 12, 11, 11, 8, 6, 9]),
        tuple: 16,
        poseidon2: &[15, 14],
    },
    Class {
        name: "large",
        orders: 12,
        trades: 11,
        transfers: 8,
        exits: 6,
        margin: heights([8, 7, 8, 13, 12, 12, 8, 6, 10]),
        tuple: 17,
        poseidon2: &[16, 15],
    },
    Class {
        name: "full",
        orders: 14,
        trades: 13,
        transfers: 10,
        exits: 6,
        margin: heights([8, 7, 8, 15, 15, 14, 10, 6, 12]),
        tuple: 19,
        poseidon2: &[18, 17, 15],
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

    /// Ops at most.
    pub fn ops(&self) -> u64 {
        (1 << self.trades) + (1 << self.transfers) + (1 << self.exits)
    }

    /// Whether the ops fit all tables.
    pub fn holds(&self, counts: &Counts) -> bool {
        let permutations: usize = self.poseidon2.iter().map(|h| 1 << h).sum();
        let lists = counts.markets * PERP_BLOCKS + counts.rules + counts.collateral + LISTS;
        let steps = lists
            + counts.blocks
            + counts.orders * STEPS_OF_AN_ORDER
            + counts.transfers * STEPS_OF_A_TRANSFER
            + counts.exits * STEPS_OF_AN_EXIT;
        self.margin.holds([counts.markets, counts.rules, counts.collateral], &counts.margin)
            && counts.orders + counts.transfers <= 1 << self.orders
            && counts.trades <= 1 << self.trades
            && counts.transfers <= 1 << self.transfers
            && counts.exits <= 1 << self.exits
            // one more row ends the segment
            && counts.blocks < 1 << self.tuple
            && steps <= permutations
    }

    /// log2 of the rows of each table, in the order of the circuit.
    pub fn log_heights(&self) -> Vec<usize> {
        let own = [params::LOG_HEIGHT, self.orders, self.trades, self.transfers, self.exits];
        let own = own.into_iter().chain(self.margin.list());
        let shared = [self.tuple, range::LOG_HEIGHT, self.orders, self.orders + LOG_ROWS, COMB_LOG_HEIGHT];
        own.chain(shared).chain(self.poseidon2.iter().copied()).collect()
    }

    /// The circuit of the class.
    pub fn circuit(&self, profile: Profile) -> Circuit<PerpAir> {
        let mut airs: Vec<PerpAir> = vec![
            ParamsAir.into(),
            PerpOrderAir.into(),
            TradeAir.into(),
            TransferAir.into(),
            ExitAir.into(),
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
            TupleAir { mode: Mode::Exec }.into(),
            RangeTable.into(),
            SigTable.into(),
            LadderTable::new().into(),
            CombTable.into(),
        ];
        airs.extend(self.poseidon2.iter().map(|_| PerpAir::from(Poseidon2Table::new())));
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
