//! Prices, sizes, amounts and rates.

use crate::NumberError;

/// Parts of a unit in a balance cell: balances hold `units * 10^6`, so that fees in 1e-6 are exact.
pub const MICROS: u128 = 1_000_000;

unsigned! {
    /// Ticks of a market, at least 1.
    Price: u32, 32 bits, 2 limbs, 4 bytes, 1..=u32::MAX, amount
}
unsigned! {
    /// Base lots of an order or a fill, and the magnitude of a position.
    Lots: u64, 48 bits, 2 limbs, 6 bytes, 0..=(1 << 48) - 1, amount
}
unsigned! {
    /// Quote units per lot and tick of a market (`qm`), at least 1.
    QuoteMultiplier: u32, 20 bits, 1 limbs, 3 bytes, 1..=(1 << 20) - 1, amount
}
unsigned! {
    /// Quote units of `lots * price * qm`. A row of a risk table takes all 72 bits, so that a move of the mark
    /// price never makes an account unprovable; a fill takes 56 ([`Notional::MAX_FILL`]).
    Notional: u128, 72 bits, 3 limbs, 9 bytes, 0..=(1 << 72) - 1, amount
}
unsigned! {
    /// Amount of a token in the units that L1 counts (`10^q` of its smallest parts).
    Units: u64, 60 bits, 3 limbs, 8 bytes, 0..=(1 << 60) - 1, amount
}
unsigned! {
    /// Token balance in millionths of a unit.
    Balance: u128, 96 bits, 4 limbs, 12 bytes, 0..=(1 << 96) - 1, amount
}
signed! {
    /// Collateral of a sub-account in millionths of a quote unit.
    Collateral: i128, 95 bits, 4 limbs, 12 bytes, amount
}
signed! {
    /// Accumulated funding of a market in millionths of a tick.
    FundingIndex: i64, 63 bits, 3 limbs, 8 bytes, amount
}
signed! {
    /// Fee or funding rate in 1e-6, below 52.5%; a maker's may be negative.
    Rate: i32, 19 bits, 1 limbs, 3 bytes, number
}
unsigned! {
    /// Margin fraction or haircut in 1e-4.
    Fraction: u16, 14 bits, 1 limbs, 2 bytes, 0..=10_000, number
}

impl Notional {
    /// The largest notional of a fill, and of a position after it grew.
    pub const MAX_FILL: Self = Self((1 << 56) - 1);

    /// `lots * price * qm`; fails above 72 bits.
    pub fn of(lots: Lots, price: Price, multiplier: QuoteMultiplier) -> Result<Self, NumberError> {
        // 48 + 32 + 20 bits: no overflow in 128.
        let value = u128::from(lots.get()) * u128::from(price.get()) * u128::from(multiplier.get());
        Self::new(value)
    }

    /// Whether a fill may have this notional.
    pub fn fits_fill(self) -> bool {
        self <= Self::MAX_FILL
    }
}

impl Units {
    /// Millionths of a unit.
    pub const fn micros(self) -> u128 {
        self.0 as u128 * MICROS
    }
}

impl From<Units> for Balance {
    fn from(units: Units) -> Self {
        Self(units.micros()) // 60 + 20 bits < 96
    }
}

impl From<Units> for Collateral {
    fn from(units: Units) -> Self {
        Self(units.micros() as i128) // 60 + 20 bits < 95
    }
}

impl Balance {
    /// Whole units and the dust below one unit; fails if the units do not fit 60 bits.
    pub fn whole_units(self) -> Result<(Units, Self), NumberError> {
        let units = Units::try_from((self.0 / MICROS) as i128)?;
        Ok((units, Self(self.0 % MICROS)))
    }
}
