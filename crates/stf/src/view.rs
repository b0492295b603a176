//! The state as an operation sees it.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cell::Cell as StdCell;
use tsz_hash::ZERO;
use tsz_ledger::{Access, Cell, Key, Leaf};

use crate::Reject;

/// Read access to the state.
pub trait View {
    /// The leaf at `key`, zero where absent.
    fn get(&self, key: Key) -> Leaf;

    /// Where a sub-account may have positions: bit `m % 64` of word `m / 64` is set for every market `m` whose POS
    /// leaf is not empty, and maybe for others. A hint that spares the search: a missing bit makes an operation fail,
    /// never pass.
    fn markets(&self, _account: u32, _sub: u32) -> [u64; 4] {
        [u64::MAX; 4]
    }
}

impl<V: View + ?Sized> View for &V {
    fn get(&self, key: Key) -> Leaf {
        (**self).get(key)
    }

    fn markets(&self, account: u32, sub: u32) -> [u64; 4] {
        (**self).markets(account, sub)
    }
}

/// Overlay that records accesses in the order they are made; later accesses see earlier writes.
#[derive(Debug)]
pub struct Log<'a, V> {
    view: &'a V,
    accesses: Vec<Access>,
    /// The last two leaves that the view gave: most cells are looked at and then written.
    recent: StdCell<[Option<(Key, Leaf)>; 2]>,
}

impl<'a, V: View> Log<'a, V> {
    /// Starts with no access.
    pub fn new(view: &'a V) -> Self {
        Self::with_buffer(view, Vec::with_capacity(6))
    }

    /// Starts with no access in a buffer that is emptied and used again.
    pub fn with_buffer(view: &'a V, mut buffer: Vec<Access>) -> Self {
        buffer.clear();
        Self { view, accesses: buffer, recent: StdCell::new([None; 2]) }
    }

    /// The accesses made so far.
    pub fn accesses(&self) -> &[Access] {
        &self.accesses
    }

    /// The present value, without an access.
    pub fn peek(&self, key: Key) -> Leaf {
        self.accesses.iter().rev().find(|a| a.key == key).map_or_else(|| self.look(key), |a| a.new)
    }

    /// The view's leaf.
    fn look(&self, key: Key) -> Leaf {
        let [last, before] = self.recent.get();
        let known = last.filter(|(k, _)| *k == key).or_else(|| before.filter(|(k, _)| *k == key));
        known.map_or_else(
            || {
                let leaf = self.view.get(key);
                self.recent.set([Some((key, leaf)), last]);
                leaf
            },
            |(_, leaf)| leaf,
        )
    }

    /// Records a read.
    pub fn read(&mut self, key: Key) -> Leaf {
        let value = self.peek(key);
        self.accesses.push(Access::read(key, value));
        value
    }

    /// Records a write, maybe of the present value.
    pub fn write(&mut self, key: Key, new: Leaf) {
        let old = self.peek(key);
        self.accesses.push(Access::write(key, old, new));
    }

    /// [`Log::peek`] of a typed cell.
    pub fn peek_cell<C: Cell>(&self, key: Key) -> Result<C, Reject> {
        C::from_leaf(&self.peek(key)).map_err(|error| Reject::corrupt(key, error))
    }

    /// [`Log::read`] of a typed cell.
    pub fn read_cell<C: Cell>(&mut self, key: Key) -> Result<C, Reject> {
        C::from_leaf(&self.read(key)).map_err(|error| Reject::corrupt(key, error))
    }

    /// [`Log::write`] of a typed cell.
    pub fn write_cell<C: Cell>(&mut self, key: Key, cell: &C) {
        self.write(key, cell.to_leaf());
    }

    /// Markets in which a sub-account may have positions, by increasing id: those of the view and those that the
    /// operation has written to.
    pub fn markets(&self, account: u32, sub: u32) -> impl Iterator<Item = u32> + use<V> {
        let mut words = self.view.markets(account, sub);
        let (first, last) = (Key::pos(account, sub, 0), Key::pos(account, sub, 255));
        for access in self.accesses.iter().filter(|a| a.write && (first..=last).contains(&a.key)) {
            let market = (access.key.raw() - first.raw()) as usize; // below 256
            words[market / 64] |= 1 << (market % 64);
        }
        (0..4u32).zip(words).flat_map(|(k, word)| bits(word).map(move |bit| 64 * k + bit))
    }

    /// The accesses made.
    pub fn into_accesses(self) -> Vec<Access> {
        self.accesses
    }
}

/// The set bits of a word by increasing place.
fn bits(mut word: u64) -> impl Iterator<Item = u32> {
    core::iter::from_fn(move || {
        let bit = word.trailing_zeros();
        word &= word.wrapping_sub(1);
        (bit < u64::BITS).then_some(bit)
    })
}

/// A state in a sorted map; absent leaves are not stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemView {
    leaves: BTreeMap<Key, Leaf>,
}

impl MemView {
    /// The state with these leaves.
    pub fn from_leaves(leaves: impl IntoIterator<Item = (Key, Leaf)>) -> Self {
        Self { leaves: leaves.into_iter().filter(|(_, leaf)| *leaf != ZERO).collect() }
    }

    /// Sets a leaf.
    pub fn set(&mut self, key: Key, leaf: Leaf) {
        if leaf == ZERO {
            self.leaves.remove(&key);
        } else {
            self.leaves.insert(key, leaf);
        }
    }

    /// Carries out the writes of an access log.
    pub fn commit(&mut self, accesses: &[Access]) {
        for access in accesses.iter().filter(|a| a.write) {
            self.set(access.key, access.new);
        }
    }

    /// The present leaves by key.
    pub fn leaves(&self) -> impl Iterator<Item = (Key, Leaf)> + Clone + '_ {
        self.leaves.iter().map(|(key, leaf)| (*key, *leaf))
    }
}

impl View for MemView {
    fn get(&self, key: Key) -> Leaf {
        self.leaves.get(&key).copied().unwrap_or(ZERO)
    }

    fn markets(&self, account: u32, sub: u32) -> [u64; 4] {
        let first = Key::pos(account, sub, 0);
        let mut words = [0; 4];
        for key in self.leaves.range(first..=Key::pos(account, sub, 255)).map(|(key, _)| key) {
            let market = (key.raw() - first.raw()) as usize; // below 256
            words[market / 64] |= 1 << (market % 64);
        }
        words
    }
}
