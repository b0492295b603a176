//! The other side of [`super::program`]: words of terms, intents and arguments.

use alloc::vec::Vec;

use super::terms::{KIND_GRID, KIND_INTENT, Pair};
use super::{Intent, Level};

/// A fill: level and lots.
pub type Fill = (u32, u64);

fn limbs(lots: u64) -> [u32; 2] {
    [lots as u32 & 0xff_ffff, (lots >> 24) as u32]
}

fn head(kind: u32, pair: &Pair, max_fee: u32) -> Vec<u32> {
    let [lot_lo, lot_hi] = limbs(pair.units.lot_base);
    Vec::from([kind, pair.base, pair.quote, lot_lo, lot_hi, pair.units.tick_quote, max_fee])
}

/// Words of the terms of a grid whose levels from `first_seller` on start with base.
pub fn terms(pair: &Pair, max_fee: u32, first_seller: u32, levels: &[Level]) -> Vec<u32> {
    let mut words = head(KIND_GRID, pair, max_fee);
    words.push(levels.len() as u32 | first_seller << 8);
    for level in levels {
        let [lo, hi] = limbs(level.lots);
        words.extend([level.buy, level.sell, lo, hi]);
    }
    words
}

/// Words of an intent.
pub fn intent(intent: &Intent) -> Vec<u32> {
    let mut words = head(KIND_INTENT, &intent.market, intent.max_fee);
    let [lo, hi] = limbs(intent.lots);
    words.extend([u32::from(!intent.buys), intent.limit, lo, hi]);
    words
}

/// Arguments of an operation: `grid` is the place of the grid among the parties.
pub fn args(grid: u32, fees: [u32; 2], fills: &[Fill], terms: &[u32], intent: &[u32]) -> Vec<u32> {
    let mut words = Vec::from([grid, fees[0], fees[1], fills.len() as u32]);
    for (level, lots) in fills {
        let [lo, hi] = limbs(*lots);
        words.extend([*level, lo, hi]);
    }
    words.extend_from_slice(terms);
    words.extend_from_slice(intent);
    words
}

/// Storage cells of the grid that fills touch, in order.
pub fn cells(fills: &[Fill]) -> Vec<u32> {
    let mut cells: Vec<u32> = fills.iter().map(|(level, _)| level / super::LEVELS_A_CELL).collect();
    cells.sort_unstable();
    cells.dedup();
    cells
}
