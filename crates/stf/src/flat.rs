//! A state in hash maps, for execution at speed.

use hashbrown::HashMap;
use tsz_hash::ZERO;
use tsz_ledger::key::cell;
use tsz_ledger::{Access, Key, Leaf, Realm};

use crate::View;

/// Leaves of a block: one or two cache lines.
const BLOCK: u64 = 4;
/// Cells of a sub-account that lie together: SUB, ACCT, KEYA(0), KEYB(0) and CTL.
const TOGETHER: u32 = 5;

/// A state in memory. What a trade touches of a party lies together, so that it costs few cache misses: the cells of
/// its rights and its collateral, its order slots, its positions. Room that was used once is kept.
#[derive(Clone, Debug, Default)]
pub struct FlatView {
    /// By account * 32 + sub-account.
    subs: HashMap<u32, Sub>,
    /// All other cells, by key / [`BLOCK`].
    blocks: HashMap<u64, [Leaf; BLOCK as usize]>,
}

#[derive(Clone, Copy, Debug)]
struct Sub {
    leaves: [Leaf; TOGETHER as usize],
    /// Where it has positions: bit `m % 64` of word `m / 64` for market `m`.
    markets: [u64; 4],
}

impl Default for Sub {
    fn default() -> Self {
        Self { leaves: [ZERO; TOGETHER as usize], markets: [0; 4] }
    }
}

/// Where a leaf is kept.
enum Place {
    Sub(u32, u32),
    Block(u64, usize),
}

/// Account * 32 + sub-account.
fn owner(account: u32, sub: u32) -> u32 {
    (account & 0xff_ffff) << 5 | sub & 31
}

/// Realm, owner and cell number of a user's cell.
fn user_cell(key: Key) -> Option<(Realm, u32, u32)> {
    // 26 bits: realm, system, account
    let is_user = key.hi() >> 24 & 1 == 0;
    let (sub, number) = (key.lo() / cell::COUNT, key.lo() % cell::COUNT);
    is_user.then(|| (key.realm(), owner(key.hi(), sub), number))
}

impl Place {
    fn of(key: Key) -> Self {
        match user_cell(key) {
            Some((Realm::Published, owner, number @ ..=cell::KEY_B)) => Self::Sub(owner, number),
            Some((Realm::Private, owner, cell::CTL)) => Self::Sub(owner, cell::KEY_B + 1),
            _ => Self::Block(key.raw() / BLOCK, (key.raw() % BLOCK) as usize),
        }
    }
}

impl FlatView {
    /// Room for that many sub-accounts and blocks of four leaves, so that these grow no map.
    pub fn with_capacity(subs: usize, blocks: usize) -> Self {
        Self { subs: HashMap::with_capacity(subs), blocks: HashMap::with_capacity(blocks) }
    }

    /// The state with these leaves.
    pub fn from_leaves(leaves: impl IntoIterator<Item = (Key, Leaf)>) -> Self {
        let mut view = Self::default();
        leaves.into_iter().for_each(|(key, leaf)| view.set(key, leaf));
        view
    }

    /// Sets a leaf.
    pub fn set(&mut self, key: Key, leaf: Leaf) {
        let old = match Place::of(key) {
            Place::Sub(owner, at) => {
                core::mem::replace(&mut self.subs.entry(owner).or_default().leaves[at as usize], leaf)
            }
            Place::Block(block, at) => {
                core::mem::replace(&mut self.blocks.entry(block).or_insert([ZERO; BLOCK as usize])[at], leaf)
            }
        };
        // most trades change a position that was there and stays
        if (old == ZERO) != (leaf == ZERO)
            && let Some((Realm::Published, owner, number @ cell::POS..)) = user_cell(key)
        {
            let market = number - cell::POS; // below 256
            self.subs.entry(owner).or_default().markets[market as usize / 64] ^= 1 << (market % 64);
        }
    }

    /// Carries out the writes of an access log.
    pub fn commit(&mut self, accesses: &[Access]) {
        for access in accesses.iter().filter(|a| a.write) {
            self.set(access.key, access.new);
        }
    }

    /// The leaves that are not empty, in no order.
    pub fn leaves(&self) -> impl Iterator<Item = (Key, Leaf)> + '_ {
        let subs = self.subs.iter().flat_map(|(owner, sub)| {
            let key = move |at: u32| {
                let (realm, number) =
                    if at > cell::KEY_B { (Realm::Private, cell::CTL) } else { (Realm::Published, at) };
                Key::user(realm, owner >> 5, owner & 31, number)
            };
            (0..TOGETHER).map(move |at| (key(at), sub.leaves[at as usize]))
        });
        let blocks = self.blocks.iter().flat_map(|(block, leaves)| {
            let keys = (block * BLOCK..).map_while(Key::new);
            keys.zip(leaves.iter().copied())
        });
        subs.chain(blocks).filter(|(_, leaf)| *leaf != ZERO)
    }
}

impl View for FlatView {
    fn get(&self, key: Key) -> Leaf {
        match Place::of(key) {
            Place::Sub(owner, at) => self.subs.get(&owner).map_or(ZERO, |sub| sub.leaves[at as usize]),
            Place::Block(block, at) => self.blocks.get(&block).map_or(ZERO, |leaves| leaves[at]),
        }
    }

    fn markets(&self, account: u32, sub: u32) -> [u64; 4] {
        self.subs.get(&owner(account, sub)).map_or([0; 4], |sub| sub.markets)
    }
}
