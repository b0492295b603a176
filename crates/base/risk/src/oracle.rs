//! Oracle aggregation: lower median, staleness and deviation.

use crate::{FRACTION, Result, RiskError};

/// The lower median: the value with `2 * n_lt < n <= 2 * n_le`.
///
/// # Errors
/// [`RiskError::Zero`] for an empty list.
pub fn lower_median<T: Copy + Ord>(values: &[T]) -> Result<T> {
    values.iter().copied().find(|v| is_lower_median(*v, values)).ok_or(RiskError::Zero("number of prices"))
}

/// Whether `v` is the lower median of `values`, by counting (what a circuit checks).
pub fn is_lower_median<T: Copy + Ord>(v: T, values: &[T]) -> bool {
    let lt = values.iter().filter(|x| **x < v).count();
    let le = values.iter().filter(|x| **x <= v).count();
    2 * lt < values.len() && values.len() <= 2 * le && values.contains(&v)
}

/// Whether a move is within the bound: `|new - old| * 10^4 <= max_dev * old`, or there is no old price.
pub fn within_deviation(old: u32, new: u32, max_dev: u16) -> bool {
    old == 0 || (i128::from(new) - i128::from(old)).abs() * FRACTION <= i128::from(max_dev) * i128::from(old)
}

/// Whether a price of time `price_ts` may be used at `now` (ms): `now <= price_ts + max_age`.
pub fn is_fresh(now: u64, price_ts: u64, max_age: u64) -> bool {
    u128::from(now) <= u128::from(price_ts) + u128::from(max_age)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_count_takes_the_lower_middle() {
        assert_eq!(lower_median(&[4, 1, 3, 2]).unwrap(), 2);
        assert_eq!(lower_median(&[5, 1, 9]).unwrap(), 5);
        assert_eq!(lower_median(&[7, 7, 1, 9]).unwrap(), 7);
        assert!(lower_median::<u32>(&[]).is_err());
        assert!(!is_lower_median(3, &[4, 1, 3, 2]));
    }

    #[test]
    fn deviation_and_age_are_inclusive() {
        assert!(within_deviation(1_000, 1_100, 1_000));
        assert!(!within_deviation(1_000, 1_101, 1_000));
        assert!(within_deviation(0, 5, 0));
        assert!(is_fresh(10, 5, 5) && !is_fresh(11, 5, 5));
    }
}
