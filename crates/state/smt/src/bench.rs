//! Seeded workloads for `tsz bench smt`, the criterion benches and the tests.

use crate::{Error, Touch, Tree};
use std::time::{Duration, Instant};
use tsz_hash::{Digest, F, PrimeCharacteristicRing};

/// Cells that a typical account populates in sub-account 0: `SUB`, `ACCT`, the first key (2 cells), `BAL(0)`.
const CELLS: [u64; 5] = [0, 1, 2, 3, 128];

/// SplitMix64: seeded, good enough for workloads, never for secrets.
#[derive(Clone, Debug)]
pub struct Mix(pub u64);

impl Mix {
    /// Next 64 bits.
    #[allow(clippy::should_implement_trait)] // never ends, so it has no use for Option
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A value with 8 random felts (below 2^30, so canonical).
    pub fn digest(&mut self) -> Digest {
        core::array::from_fn(|_| F::from_u32((self.next() >> 34) as u32))
    }
}

/// Position of a published user cell: `account 24 | sub-account 5 | cell 9` below two zero bits.
pub fn position(account: u64, sub: u64, cell: u64) -> u64 {
    account << 14 | sub << 9 | cell
}

/// Tree of `accounts` accounts with the first `cells` (at most 5) of their typical cells.
///
/// # Errors
/// None for fewer than 2^24 accounts.
pub fn populate(accounts: u64, cells: usize, seed: u64) -> Result<Tree, Error> {
    let mut mix = Mix(seed);
    let mut tree = Tree::new();
    let mut account = 0;
    while account < accounts {
        let end = (account + (1 << 14)).min(accounts);
        let keys =
            (account..end).flat_map(|a| CELLS.iter().take(cells).map(move |cell| position(a, 0, *cell)));
        let leaves: Vec<(u64, Digest)> = keys.map(|key| (key, mix.digest())).collect();
        tree.update(&leaves)?;
        account = end;
    }
    Ok(tree)
}

/// `count` updates of the `SUB` cell of distinct random accounts among `accounts`.
pub fn random_updates(accounts: u64, count: usize, mix: &mut Mix) -> Vec<(u64, Digest)> {
    let mut picked = std::collections::BTreeSet::new();
    while picked.len() < count.min(accounts as usize) {
        picked.insert(position(mix.next() % accounts, 0, 0));
    }
    picked.into_iter().map(|key| (key, mix.digest())).collect()
}

/// Result of [`run`].
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// Leaves of one batch.
    pub leaves: usize,
    /// Time to populate the tree.
    pub populate: Duration,
    /// Median time of one batch update without a snapshot held.
    pub update: Duration,
    /// Leaf updates per second at the median.
    pub updates_per_second: f64,
    /// Median time of one batch update while a snapshot of the previous state is held.
    pub update_with_snapshot: Duration,
    /// Median time of one multi-proof of the same number of written leaves.
    pub multiproof: Duration,
    /// Inner nodes (rows) of the last multi-proof.
    pub rows: usize,
}

/// Measures batches of `leaves` random leaves among `accounts` accounts of `cells` cells.
///
/// # Errors
/// None for fewer than 2^24 accounts.
pub fn run(accounts: u64, cells: usize, leaves: usize, rounds: usize) -> Result<Report, Error> {
    let start = Instant::now();
    let mut tree = populate(accounts, cells, 1)?;
    let populate = start.elapsed();
    let mut mix = Mix(2);
    let (mut plain, mut held, mut proofs, mut rows) = (vec![], vec![], vec![], 0);
    for _ in 0..rounds.max(1) {
        let updates = random_updates(accounts, leaves, &mut mix);
        plain.push(timed(|| tree.update(&updates))?.0);
        let snapshot = tree.snapshot();
        let updates = random_updates(accounts, leaves, &mut mix);
        held.push(timed(|| tree.update(&updates))?.0);
        drop(snapshot);
        let touch = |(key, new): (u64, Digest)| Touch { key, old: tree.get(key), new };
        let touches: Vec<Touch> = random_updates(accounts, leaves, &mut mix).into_iter().map(touch).collect();
        let (time, proof) = timed(|| tree.multiproof(&touches))?;
        proofs.push(time);
        rows = proof.rows.len();
    }
    let update = median(&mut plain);
    Ok(Report {
        leaves,
        populate,
        update,
        updates_per_second: leaves as f64 / update.as_secs_f64(),
        update_with_snapshot: median(&mut held),
        multiproof: median(&mut proofs),
        rows,
    })
}

fn timed<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<(Duration, T), Error> {
    let start = Instant::now();
    let done = work()?;
    Ok((start.elapsed(), done))
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
