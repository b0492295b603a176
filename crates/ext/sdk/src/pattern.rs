//! Patterns that balance changes must keep.

use crate::{Fault, Key, Op};

/// A value before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Before.
    pub old: u128,
    /// After.
    pub new: u128,
}

impl Change {
    /// How a balance changes in the operation so far.
    ///
    /// # Errors
    /// As [`Op::balance`].
    pub fn of_balance(op: &Op<'_>, account: u32, sub: u32, token: u32) -> Result<Self, Fault> {
        let old = crate::cells::balance_of(&op.old(Key::bal(account, sub, token))?)?;
        Ok(Self { old, new: op.balance(account, sub, token)? })
    }

    /// The difference; balances have 96 bits.
    pub fn delta(&self) -> Result<i128, Fault> {
        if self.old >> 96 != 0 || self.new >> 96 != 0 {
            return Err(Fault::Width);
        }
        Ok(self.new as i128 - self.old as i128)
    }
}

/// The sum of all differences is zero.
pub fn conserved(changes: &[Change]) -> Result<bool, Fault> {
    let mut sum = 0i128;
    for change in changes {
        sum = sum.checked_add(change.delta()?).ok_or(Fault::Width)?;
    }
    Ok(sum == 0)
}

/// The difference is in `min..=max`.
pub fn bounded(change: &Change, min: i128, max: i128) -> Result<bool, Fault> {
    Ok((min..=max).contains(&change.delta()?))
}

/// No change goes down.
pub fn never_falls(changes: &[Change]) -> bool {
    changes.iter().all(|c| c.new >= c.old)
}

/// A release that grows with time from 0 at `start` to `total` at `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Nothing is released before (ms).
    pub start: u64,
    /// All is released from here on (ms); above `start`.
    pub end: u64,
    /// What is released in the end, below 2^80.
    pub total: u128,
}

impl Schedule {
    /// What may be released at a time, rounded down.
    ///
    /// # Errors
    /// [`Fault::Width`] for a schedule without length or with too large a total.
    pub fn released(&self, time: u64) -> Result<u128, Fault> {
        if self.end <= self.start || self.total >> 80 != 0 || self.end >> 48 != 0 {
            return Err(Fault::Width);
        }
        let elapsed = time.saturating_sub(self.start).min(self.end - self.start);
        Ok(self.total * u128::from(elapsed) / u128::from(self.end - self.start)) // 80 + 48 bits
    }

    /// Whether a running total of what was paid out stays within the schedule and never falls.
    ///
    /// # Errors
    /// As [`Schedule::released`].
    pub fn allows(&self, paid: &Change, time: u64) -> Result<bool, Fault> {
        Ok(paid.new >= paid.old && paid.new <= self.released(time)?)
    }
}
