//! Size classes: fixed heights, hence one verifying key for each.

use tsz_air::air_enum;
use tsz_chips::poseidon2::Poseidon2Table;
use tsz_chips::range::{self, RangeTable};
use tsz_chips::tuple::{Mode, TupleAir, op_rows as tuple_rows};
use tsz_gadgets::clock::{self, ClockAir};
use tsz_gadgets::params::{self, ParamsAir};
use tsz_gadgets::perps::{BLOCKS, PerpsAir};
use tsz_stark::{Circuit, Profile, SetupError, setup};
use tsz_trade::{Params, TradeOp};

use crate::ProvingKey;
use crate::tables::{SetParamsAir, SetTokenAir, SettleAir, SettleMarketAir, TickAir};

air_enum! {
    /// Tables of the manage circuit.
    pub enum ManageAir {
        /// The lists of the parameters.
        Params(ParamsAir),
        /// Perpetual markets.
        Perps(PerpsAir),
        /// Hour and minute.
        Clock(ClockAir),
        /// FundingTick.
        Tick(TickAir),
        /// FundingSettle.
        Settle(SettleAir),
        /// SetParams.
        SetParams(SetParamsAir),
        /// SetToken.
        SetToken(SetTokenAir),
        /// SettleMarket.
        SettleMarket(SettleMarketAir),
        /// Tuple sponge.
        Tuple(TupleAir),
        /// Permutations.
        Poseidon2(Poseidon2Table),
        /// 12-bit values.
        Range(RangeTable),
    }
}

/// Tables of the circuit.
pub(crate) const TABLES: usize = 12;
/// Tables of the family before the tuple table.
pub(crate) const OWN_TABLES: usize = 8;
/// Sponge steps of an L1 record.
const STEPS_OF_A_RECORD: usize = 2;

/// What some ops need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Markets listed.
    pub markets: usize,
    /// Funding ticks.
    pub ticks: usize,
    /// Settlements.
    pub settles: usize,
    /// Parameter updates.
    pub set_params: usize,
    /// Token listings.
    pub set_token: usize,
    /// Markets that get their last prices.
    pub settle_market: usize,
    /// Those of them that are not listed: the table of markets needs a row that says so.
    pub unlisted: usize,
    /// Operations that have no table yet: no class holds them.
    pub others: usize,
}

impl Counts {
    /// Counts what ops under `params` need.
    pub fn of<'a>(params: &Params, ops: impl IntoIterator<Item = &'a TradeOp>) -> Self {
        let mut counts = Self { markets: params.perps.len(), ..Self::default() };
        for op in ops {
            match op {
                TradeOp::FundingTick(_) => counts.ticks += 1,
                TradeOp::FundingSettle(_) => counts.settles += 1,
                TradeOp::SetParams(_) => counts.set_params += 1,
                TradeOp::SetToken(_) => counts.set_token += 1,
                TradeOp::SettleMarket(op) => {
                    counts.settle_market += 1;
                    counts.unlisted += usize::from(params.perp(op.market).is_none());
                }
                _ => counts.others += 1,
            }
        }
        counts
    }
}

/// Rows that an op of each kind takes, by name of table: the documentation's figures.
pub fn op_rows() -> Vec<(&'static str, Vec<(&'static str, usize)>)> {
    let op = |table, (accesses, writes), steps| {
        let blocks = tuple_rows(accesses, writes);
        vec![(table, 1), ("tuple_exec", blocks), ("poseidon2", blocks + steps)]
    };
    vec![
        ("FundingTick", op("tick", (4, 2), 0)),
        ("FundingSettle", op("settle", (4, 2), 0)),
        ("SetParams", op("set_params", (3, 3), STEPS_OF_A_RECORD)),
        ("SetToken", op("set_token", (3, 3), STEPS_OF_A_RECORD)),
        ("SettleMarket", op("settle_market", (3, 3), STEPS_OF_A_RECORD)),
    ]
}

/// A size class: log2 heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Name, part of reports.
    pub name: &'static str,
    /// Markets.
    pub markets: usize,
    /// Funding ticks.
    pub ticks: usize,
    /// Settlements.
    pub settles: usize,
    /// Parameter updates, as many token listings, and as many markets that settle.
    pub governance: usize,
    /// Tuple table.
    pub tuple: usize,
    /// The two permutation tables.
    pub poseidon2: [usize; 2],
}

/// The size classes, smallest first.
pub const CLASSES: [Class; 2] = [
    Class { name: "small", markets: 6, ticks: 6, settles: 6, governance: 6, tuple: 11, poseidon2: [11, 10] },
    Class {
        name: "medium",
        markets: 8,
        ticks: 10,
        settles: 10,
        governance: 6,
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

    /// Whether the ops fit all tables.
    pub fn holds(&self, counts: &Counts) -> bool {
        let permutations: usize = self.poseidon2.iter().map(|h| 1 << h).sum();
        let governance = counts.set_params + counts.set_token + counts.settle_market;
        let moved = counts.ticks + counts.settles;
        let blocks = moved * tuple_rows(4, 2) + governance * tuple_rows(3, 3);
        let lists = params::LISTS + counts.markets * BLOCKS;
        let records = governance * STEPS_OF_A_RECORD;
        counts.others == 0
            && counts.markets + counts.unlisted.min(1) <= 1 << self.markets
            && counts.ticks <= 1 << self.ticks
            && counts.settles <= 1 << self.settles
            && counts.set_params.max(counts.set_token).max(counts.settle_market) <= 1 << self.governance
            // one more row ends the segment
            && blocks < 1 << self.tuple
            && lists + blocks + records <= permutations
    }

    /// Rows of the op tables together.
    pub(crate) fn rows(&self) -> u64 {
        (1 << self.ticks) + (1 << self.settles) + (3 << self.governance)
    }

    /// log2 of the rows of each table, in the order of the circuit.
    pub fn log_heights(&self) -> Vec<usize> {
        let [p0, p1] = self.poseidon2;
        let lists = [params::LOG_HEIGHT, self.markets, clock::LOG_HEIGHT];
        let governance = [self.governance; 3];
        let own = [self.ticks, self.settles].into_iter().chain(governance);
        let own = lists.into_iter().chain(own);
        own.chain([self.tuple, p0, p1, range::LOG_HEIGHT]).collect()
    }

    /// The circuit of the class.
    pub fn circuit(&self, profile: Profile) -> Circuit<ManageAir> {
        let airs: [ManageAir; TABLES] = [
            ParamsAir.into(),
            PerpsAir.into(),
            ClockAir.into(),
            TickAir.into(),
            SettleAir.into(),
            SetParamsAir.into(),
            SetTokenAir.into(),
            SettleMarketAir.into(),
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
