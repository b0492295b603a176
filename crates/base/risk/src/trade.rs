//! Effects of a fill on a position, on collateral and on open interest.

use crate::market::{Position, notional};
use crate::{FILL_NOTIONAL_BITS, MICRO, Result, SIZE_BITS, fit};

/// A fill seen from one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// Lots, >= 1.
    pub lots: u64,
    /// Price in ticks, >= 1.
    pub price: u32,
    /// Quote units per lot and tick.
    pub qm: u32,
    /// Whether this side buys.
    pub buys: bool,
    /// Fee rate in 1e-6; a maker's may be negative.
    pub fee: i32,
}

/// What a fill does to one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect {
    /// Position after.
    pub position: Position,
    /// Change of collateral from the trade, value units.
    pub trade: i128,
    /// Fee, value units (negative = rebate).
    pub fee: i128,
    /// Whether |size| grew.
    pub grew: bool,
    /// Whether the sign changed from long to short or back (not by closing or opening).
    pub flipped: bool,
    /// Change of pos_count: -1, 0 or 1.
    pub count: i8,
}

impl Fill {
    /// Notional, below 2^56.
    pub fn notional(&self) -> Result<u128> {
        notional(self.lots, self.price, self.qm, FILL_NOTIONAL_BITS)
    }

    /// Applies the fill to a settled position; `funding` is the market's index, for a position that opens.
    pub fn apply(&self, position: &Position, funding: i64) -> Result<Effect> {
        let n = self.notional()? as i128;
        let s: i128 = if self.buys { 1 } else { -1 };
        let Shift { position, grew, flipped, count } = shift(position, s * i128::from(self.lots), funding)?;
        Ok(Effect { position, trade: -s * n * MICRO, fee: n * i128::from(self.fee), grew, flipped, count })
    }
}

/// What a change of size does to a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Position after.
    pub position: Position,
    /// Whether |size| grew.
    pub grew: bool,
    /// Whether the sign changed from long to short or back (not by closing or opening).
    pub flipped: bool,
    /// Change of pos_count: -1, 0 or 1.
    pub count: i8,
}

/// Adds `delta` lots (|delta| < 2^126) to a settled position; `funding` is the market's index.
pub fn shift(position: &Position, delta: i128, funding: i64) -> Result<Shift> {
    let old = i128::from(position.size);
    let new = fit("position size", old + delta, SIZE_BITS)?;
    // |new| < 2^48.
    let size = i64::try_from(new).unwrap_or(0);
    Ok(Shift {
        position: Position { size, funding: if size == 0 { 0 } else { funding } },
        grew: new.abs() > old.abs(),
        flipped: old.signum() * new.signum() < 0,
        count: i8::from(new != 0) - i8::from(old != 0),
    })
}

/// Change of open interest (sum of |size|) when one side moves from `before` to `after` lots.
pub fn open_interest_delta(before: &Position, after: &Position) -> i128 {
    i128::from(after.lots()) - i128::from(before.lots())
}

/// Whether a reduce-only order may fill `lots`: opposite sign and not beyond the position.
pub fn reduces(position: &Position, buys: bool, lots: u64) -> bool {
    position.size != 0 && (position.size < 0) == buys && lots <= position.lots()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(lots: u64, buys: bool) -> Fill {
        Fill { lots, price: 10, qm: 2, buys, fee: -3 }
    }

    #[test]
    fn flip_through_zero_keeps_the_count() {
        let long = Position { size: 5, funding: 9 };
        let e = fill(8, false).apply(&long, 9).unwrap();
        assert_eq!((e.position.size, e.count, e.flipped, e.grew), (-3, 0, true, false));
        assert_eq!((e.trade, e.fee), (160 * MICRO, -480));
        let closed = fill(5, false).apply(&long, 9).unwrap();
        assert_eq!((closed.position, closed.count, closed.flipped), (Position::default(), -1, false));
    }

    #[test]
    fn both_sides_sum_to_zero() {
        let (a, b) =
            (fill(7, true).apply(&Position::default(), 1), fill(7, false).apply(&Position::default(), 1));
        let (a, b) = (a.unwrap(), b.unwrap());
        assert_eq!(a.trade + b.trade, 0);
        assert_eq!(a.position.size + b.position.size, 0);
        assert_eq!(open_interest_delta(&Position::default(), &b.position), 7);
    }

    #[test]
    fn size_and_notional_widths_are_enforced() {
        let p = Position { size: (1 << 48) - 1, funding: 0 };
        assert!(Fill { price: 1, qm: 1, ..fill(1, true) }.apply(&p, 0).is_err());
        assert!(Fill { lots: 1 << 40, price: 1 << 16, qm: 1, buys: true, fee: 0 }.notional().is_err());
    }

    #[test]
    fn reduce_only_needs_the_opposite_side_and_enough_size() {
        let long = Position { size: 5, funding: 0 };
        assert!(reduces(&long, false, 5) && !reduces(&long, false, 6) && !reduces(&long, true, 1));
        assert!(!reduces(&Position::default(), true, 1));
    }
}
