//! Size classes: fixed heights, hence one verifying key for each.

use tsz_air::{MIN_LOG_HEIGHT, air_enum};
use tsz_chips::poseidon2::Poseidon2Table;
use tsz_chips::range::{self, RangeTable};
use tsz_chips::tuple::{Mode, TupleAir, op_rows as tuple_rows};
use tsz_gadgets::params::{self, LISTS, ParamsAir};
use tsz_hash::Digest;
use tsz_ledger::BatchContext;
use tsz_margin::Heights;
use tsz_margin::tables::{MarketAir, PriceAir, RulesAir, SettleAir};
use tsz_stark::{Circuit, Profile, SetupError, setup};
use tsz_trade::Params;
use tsz_trade::params::PERP_BLOCKS;

use crate::ProvingKey;
use crate::record::{RecordError, SettleRecord};
use crate::tables::{AbsorbAir, PairAir};
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
        /// Prices.
        Price(PriceAir),
        /// Funding settlements.
        Settle(SettleAir),
        /// SettlePair.
        Pair(PairAir),
        /// AbsorbDebt.
        Absorb(AbsorbAir),
        /// Tuple sponge.
        Tuple(TupleAir),
        /// Permutations.
        Poseidon2(Poseidon2Table),
        /// 12-bit values.
        Range(RangeTable),
    }
}

/// Tables of the circuit.
pub(crate) const TABLES: usize = 11;
/// Tables of the family before the tuple table.
pub(crate) const OWN_TABLES: usize = 7;
/// Tables of `tsz-margin` that the circuit has: the first ones.
pub(crate) const MARGIN_TABLES: usize = 4;
/// Place of the price table.
pub(crate) const PRICE: usize = 3;

/// What some records need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Markets listed.
    pub markets: usize,
    /// Blocks of the oracle list.
    pub rules: usize,
    /// Different prices.
    pub prices: usize,
    /// Different funding settlements.
    pub settles: usize,
    /// Pairs.
    pub pairs: usize,
    /// Debts.
    pub debts: usize,
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
        let [prices, settles, ..] = rows.book.counts();
        let blocks = records.iter().map(|record| {
            let writes = record.accesses.iter().filter(|a| a.write).count();
            tuple_rows(record.accesses.len(), writes)
        });
        Ok(Self {
            markets: params.perps.len(),
            rules: 1 + params.oracle.signers.len(),
            prices,
            settles,
            pairs: rows.pairs.len(),
            debts: rows.debts.len(),
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
    ]
}

/// A size class: log2 heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Name, part of reports.
    pub name: &'static str,
    /// Markets.
    pub markets: usize,
    /// Blocks of the oracle list.
    pub rules: usize,
    /// Prices.
    pub prices: usize,
    /// Funding settlements.
    pub settles: usize,
    /// Pairs.
    pub pairs: usize,
    /// Debts.
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
        markets: 6,
        rules: 6,
        prices: 6,
        settles: 7,
        pairs: 6,
        debts: 6,
        tuple: 11,
        poseidon2: [11, 10],
    },
    Class {
        name: "medium",
        markets: 8,
        rules: 7,
        prices: 8,
        settles: 11,
        pairs: 10,
        debts: 8,
        tuple: 15,
        poseidon2: [15, 12],
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

    /// Heights of the tables of `tsz-margin`; the circuit has no judgements.
    pub(crate) fn margin(&self) -> Heights {
        let Self { markets, rules, prices, settles, .. } = *self;
        let none = MIN_LOG_HEIGHT;
        Heights { markets, rules, prices, settles, positions: none, judges: none, ratios: none }
    }

    /// Whether the ops fit all tables.
    pub fn holds(&self, counts: &Counts) -> bool {
        let permutations: usize = self.poseidon2.iter().map(|h| 1 << h).sum();
        let lists = counts.markets * PERP_BLOCKS + counts.rules + LISTS;
        let rows = [
            (counts.markets, self.markets),
            (counts.rules, self.rules),
            (counts.prices, self.prices),
            (counts.settles, self.settles),
            (counts.pairs, self.pairs),
            (counts.debts, self.debts),
        ];
        rows.into_iter().all(|(rows, log)| rows <= 1 << log)
            // one more row ends the segment
            && counts.blocks < 1 << self.tuple
            && lists + counts.blocks <= permutations
    }

    /// Rows of the op tables together.
    pub(crate) fn rows(&self) -> u64 {
        (1 << self.pairs) + (1 << self.debts)
    }

    /// log2 of the rows of each table, in the order of the circuit.
    pub fn log_heights(&self) -> Vec<usize> {
        let [p0, p1] = self.poseidon2;
        let lists = [params::LOG_HEIGHT, self.markets, self.rules, self.prices, self.settles];
        let own = [self.pairs, self.debts, self.tuple, p0, p1, range::LOG_HEIGHT];
        lists.into_iter().chain(own).collect()
    }

    /// The circuit of the class.
    pub fn circuit(&self, profile: Profile) -> Circuit<SettlementAir> {
        let airs: [SettlementAir; TABLES] = [
            ParamsAir.into(),
            MarketAir.into(),
            RulesAir.into(),
            PriceAir.into(),
            SettleAir.into(),
            PairAir.into(),
            AbsorbAir.into(),
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
