//! Size classes: fixed heights, hence one verifying key for each.

use std::collections::HashSet;

use tsz_air::air_enum;
use tsz_chips::poseidon2::Poseidon2Table;
use tsz_chips::range::{self, RangeTable};
use tsz_chips::schnorr::{COMB_LOG_HEIGHT, CombTable, LOG_ROWS, LadderTable, SigTable};
use tsz_chips::tuple::{Mode, TupleAir, op_rows};
use tsz_gadgets::params::{self, LISTS, ParamsAir};
use tsz_hash::Block;
use tsz_ledger::Access;
use tsz_order::SpotOrderAir;
use tsz_stark::{Circuit, Profile, SetupError, setup};
use tsz_trade::ops::SpotTrade;
use tsz_trade::order::Order as _;

use crate::ProvingKey;
use crate::tables::{MarketAir, TradeAir};

air_enum! {
    /// Tables of the spot circuit.
    pub enum SpotAir {
        /// Lists of the parameters.
        Params(ParamsAir),
        /// Markets.
        Market(MarketAir),
        /// Orders.
        Order(SpotOrderAir),
        /// Fills.
        Trade(TradeAir),
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

/// Tables of the circuit before the permutation tables.
pub(crate) const FIXED_TABLES: usize = 9;
/// Sponge steps of an order's message and of its signature's challenge.
const STEPS_OF_AN_ORDER: usize = 5;

/// What some records need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Markets listed.
    pub markets: usize,
    /// Different orders.
    pub orders: usize,
    /// Fills.
    pub trades: usize,
    /// Blocks of their tuples.
    pub blocks: usize,
}

impl Counts {
    /// Counts what trades, with their accesses, in `markets` listed markets need.
    pub fn of<'a>(markets: usize, trades: impl IntoIterator<Item = (&'a SpotTrade, &'a [Access])>) -> Self {
        // an order counts once for each key cell that it is read with
        let mut orders: HashSet<([Block; 3], [Block; 2])> = HashSet::new();
        let (mut blocks, mut count) = (0, 0);
        for (op, accesses) in trades {
            let writes = accesses.iter().filter(|a| a.write).count();
            blocks += op_rows(accesses.len(), writes);
            count += 1;
            for (at, signed) in [(0, &op.taker), (4, &op.maker)] {
                let key = [at, at + 1].map(|k| accesses.get(k).map_or_else(Block::default, |a| a.old));
                orders.insert((signed.order.message(), key));
            }
        }
        Self { markets, orders: orders.len(), trades: count, blocks }
    }
}

/// A size class: log2 heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Name, part of reports.
    pub name: &'static str,
    /// Markets.
    pub markets: usize,
    /// Orders, and so signatures.
    pub orders: usize,
    /// Fills.
    pub trades: usize,
    /// Tuple table.
    pub tuple: usize,
    /// The permutation tables.
    pub poseidon2: &'static [usize],
}

/// The size classes, smallest first: 64, 1,024, 4,096 and 8,192 trades of two orders that nobody else fills.
pub const CLASSES: [Class; 4] = [
    Class { name: "small", markets: 6, orders: 7, trades: 6, tuple: 11, poseidon2: &[11, 9] },
    Class { name: "medium", markets: 8, orders: 11, trades: 10, tuple: 15, poseidon2: &[15, 13] },
    Class { name: "large", markets: 8, orders: 13, trades: 12, tuple: 17, poseidon2: &[17, 14, 11] },
    Class { name: "full", markets: 8, orders: 14, trades: 13, tuple: 18, poseidon2: &[18, 15, 12] },
];

impl Class {
    /// The smallest class that holds these trades, if any does.
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

    /// Whether the trades fit all tables.
    pub fn holds(&self, counts: &Counts) -> bool {
        let permutations: usize = self.poseidon2.iter().map(|h| 1 << h).sum();
        counts.markets <= 1 << self.markets
            && counts.orders <= 1 << self.orders
            && counts.trades <= 1 << self.trades
            // one more row ends the segment
            && counts.blocks < 1 << self.tuple
            && counts.blocks + counts.orders * STEPS_OF_AN_ORDER + counts.markets + LISTS <= permutations
    }

    /// log2 of the rows of each table, in the order of the circuit.
    pub fn log_heights(&self) -> Vec<usize> {
        let own = [params::LOG_HEIGHT, self.markets, self.orders, self.trades, self.tuple];
        let shared = [range::LOG_HEIGHT, self.orders, self.orders + LOG_ROWS, COMB_LOG_HEIGHT];
        own.into_iter().chain(shared).chain(self.poseidon2.iter().copied()).collect()
    }

    /// The circuit of the class.
    pub fn circuit(&self, profile: Profile) -> Circuit<SpotAir> {
        let mut airs: Vec<SpotAir> = vec![
            ParamsAir.into(),
            MarketAir.into(),
            SpotOrderAir.into(),
            TradeAir.into(),
            TupleAir { mode: Mode::Exec }.into(),
            RangeTable.into(),
            SigTable.into(),
            LadderTable::new().into(),
            CombTable.into(),
        ];
        airs.extend(self.poseidon2.iter().map(|_| SpotAir::from(Poseidon2Table::new())));
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
