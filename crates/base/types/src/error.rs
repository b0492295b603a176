//! Errors of numbers.

use thiserror::Error;

/// Why a number is not a value of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NumberError {
    /// Outside the range of the type.
    #[error("{name} must be in {min}..={max}, got {got}")]
    Range {
        /// The type.
        name: &'static str,
        /// Its smallest value.
        min: i128,
        /// Its largest value.
        max: i128,
        /// The value offered (saturated to 128 bits).
        got: i128,
    },
    /// The result of an operation does not fit.
    #[error("{name}: {left} {op} {right} is outside the type")]
    Overflow {
        /// The type of the result.
        name: &'static str,
        /// The operator.
        op: char,
        /// Left operand.
        left: i128,
        /// Right operand.
        right: i128,
    },
    /// A limb at or above its bound.
    #[error("{name}: limb {index} is {got}, the bound is 2^{bits}")]
    Limb {
        /// The type.
        name: &'static str,
        /// Index of the limb.
        index: usize,
        /// Bits a limb may have here.
        bits: u32,
        /// The value found.
        got: u32,
    },
    /// A sign other than 0 or 1, or a negative zero.
    #[error("{name}: sign felt {got} with magnitude {magnitude} is not canonical")]
    Sign {
        /// The type.
        name: &'static str,
        /// The sign felt.
        got: u32,
        /// The magnitude.
        magnitude: u128,
    },
    /// Text that is not the canonical decimal form.
    #[error("{name}: not a canonical decimal number")]
    Text {
        /// The type.
        name: &'static str,
    },
}
