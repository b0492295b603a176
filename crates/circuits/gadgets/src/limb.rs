//! Integers of 24 bits and their tuples.

use tsz_air::InteractionBuilder;
use tsz_air::PrimeCharacteristicRing;
use tsz_hash::F;

use crate::columns;
use crate::row::{Row, c};

columns! {
    /// A 24-bit integer as two 12-bit limbs, each owned by a `range12` lookup.
    pub struct U24 {
        /// Low 12 bits.
        lo: felt,
        /// High 12 bits.
        hi: felt,
    }
}

impl<E: PrimeCharacteristicRing + Clone> U24<E> {
    /// The integer.
    pub fn value(&self) -> E {
        self.lo.clone() + self.hi.clone() * c::<E>(1 << 12)
    }
}

impl U24<F> {
    /// The limbs of a felt below 2^24; of a larger one the high bits are dropped.
    pub fn of_felt(value: F) -> Self {
        use tsz_air::PrimeField32;
        Self::of(value.as_canonical_u32())
    }

    /// The limbs of `value` (< 2^24; higher bits are dropped).
    pub fn of(value: u32) -> Self {
        Self { lo: F::from_u32(value & 0xfff), hi: F::from_u32(value >> 12 & 0xfff) }
    }
}

impl<AB: InteractionBuilder<F = F>> Row<'_, AB> {
    /// `x < 2^24`.
    pub fn u24(&mut self, x: &U24<AB::Expr>) {
        self.range(x.lo.clone());
        self.range(x.hi.clone());
    }

    /// `x < 2^16`.
    pub fn u16(&mut self, x: &U24<AB::Expr>) {
        self.range(x.lo.clone());
        self.narrow(&x.hi, 4);
    }
}

columns! {
    /// An L1 address: six felts of 24 bits and one of 16.
    pub struct Address {
        /// The felts, least significant first.
        felts: (U24 * 7),
    }
}

impl<E: PrimeCharacteristicRing + Clone> Address<E> {
    /// The seven felts.
    pub fn values(&self) -> [E; 7] {
        core::array::from_fn(|k| self.felts[k].value())
    }
}

impl Address<F> {
    /// The limbs of seven felts.
    pub fn of(felts: &[F; 7]) -> Self {
        use tsz_hash::PrimeField32;
        Self { felts: felts.map(|x| U24::of(x.as_canonical_u32())) }
    }
}

impl<AB: InteractionBuilder<F = F>> Row<'_, AB> {
    /// The address is below 2^160.
    pub fn address(&mut self, address: &Address<AB::Expr>) {
        for felt in &address.felts[..6] {
            self.u24(felt);
        }
        self.u16(&address.felts[6]);
    }
}
