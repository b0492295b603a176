//! Sums over the state, for invariant I1.

use alloc::collections::BTreeMap;
use tsz_ledger::cells::BucketCell;
use tsz_ledger::key::cell;
use tsz_ledger::{CellError, Key, Leaf, Realm};
use tsz_types::{Bucket, TokenId};

/// Millionths of a unit held by all users, by token: balances and, for the quote token, collateral.
///
/// # Errors
/// The first corrupt balance or collateral cell.
pub fn totals(leaves: impl IntoIterator<Item = (Key, Leaf)>) -> Result<BTreeMap<TokenId, i128>, CellError> {
    let mut sums = BTreeMap::new();
    for (key, leaf) in leaves {
        if let Some((bucket, token)) = bucket_of(key) {
            *sums.entry(token).or_insert(0) += BucketCell::from_leaf(bucket, &leaf)?.micros();
        }
    }
    Ok(sums)
}

/// The bucket and the token of a user's cell that holds money.
fn bucket_of(key: Key) -> Option<(Bucket, TokenId)> {
    let is_system = key.hi() >> 24 & 1 == 1;
    let number = key.lo() % cell::COUNT;
    match (key.realm(), is_system) {
        (Realm::Published, false) if number == cell::SUB => Some((Bucket::Collateral, TokenId::QUOTE)),
        (Realm::Published, false) if (cell::BAL..cell::POS).contains(&number) => {
            Some((Bucket::Balance, TokenId::new((number - cell::BAL) as u8).ok()?))
        }
        _ => None,
    }
}
