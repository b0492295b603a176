//! Loss classes (docs/src/domain.md section 7).

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::columns;
use tsz_gadgets::row::{Row, c};

/// Number that stands for a loss beyond all classes.
pub const BEYOND: u32 = 16;
/// Classes, and what is beyond.
const KINDS: usize = BEYOND as usize + 1;

columns! {
    /// A loss class.
    pub struct Kind {
        /// Class 0 to 15, or 16 = beyond all, one-hot; boolean.
        is: [KINDS],
    }
}

impl<E: PrimeCharacteristicRing + Clone> Kind<E> {
    /// Its number.
    pub fn number(&self) -> E {
        self.is.iter().zip(0..).map(|(k, j)| k.clone() * c::<E>(j)).sum()
    }

    /// Classes `from` to 15.
    pub fn at_least(&self, from: usize) -> E {
        self.is[from..BEYOND as usize].iter().cloned().sum()
    }

    /// Base 2^12 digits of 2^j for classes from 1 on, 2^15 beyond all, else 0.
    pub fn power(&self) -> [E; 2] {
        let sum = |from: usize, to: usize| -> E {
            self.is[from..to].iter().zip(0..).map(|(k, j)| k.clone() * c::<E>(1 << j)).sum()
        };
        [sum(1, 12).double(), sum(12, 16) + self.is[16].clone() * c::<E>(8)]
    }
}

impl Kind<F> {
    /// Columns of a class, [`BEYOND`] for none.
    pub fn of(class: u32) -> Self {
        Self { is: core::array::from_fn(|k| F::from_bool(k as u32 == class)) }
    }
}

/// On real rows there is one class.
pub fn kind<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, k: &Kind<AB::Expr>) {
    for flag in &k.is {
        row.boolean(flag);
    }
    row.zero(k.is.iter().cloned().sum::<AB::Expr>() - row.real.clone());
}
