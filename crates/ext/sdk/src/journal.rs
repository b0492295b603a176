//! The journal: what a program saw and did, as blocks of a sponge.
//!
//! One operation with n accesses, w of them writes, and p parties is
//! `[n, w, p, 0, hi'_0, lo_0, .., hi'_(n-1), lo_(n-1)]`, then the n old values, then the w new values of the writes
//! in order, each of the three zero-filled to blocks of 16; `hi' = hi + 2^26 * write` as in a tuple. The first block
//! fixes the length of all, so the encoding is injective, and the memory of an operation *is* its journal: one
//! instruction absorbs it.

use crate::key::Key;
use crate::{Absorb, CELL, Fault, Leaf};

/// Felts that one permutation absorbs.
pub const RATE: usize = 16;
/// Accesses of one operation.
pub const MAX_ACCESSES: usize = 128;
/// Parties of one operation.
pub const MAX_PARTIES: usize = 16;
/// Accesses to each party's approval: program, terms, policy.
pub(crate) const PARTY_READS: usize = 3;
/// Words before the keys.
const HEADER: usize = 4;
/// Weight of the write flag in the upper part of a key.
pub(crate) const WRITE: u32 = 1 << 26;
/// Words of the longest journal of one operation.
pub const WORDS: usize =
    (HEADER + 2 * MAX_ACCESSES).next_multiple_of(RATE) + 2 * (CELL * MAX_ACCESSES).next_multiple_of(RATE);
/// First felt of the initial capacity of the digest of a run.
pub const RUN_TAG: u32 = 40;
/// First felt of the initial capacity of the digest of terms.
pub const TERMS_TAG: u32 = 41;

/// Where things lie in the memory of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Accesses, at least 1.
    pub accesses: usize,
    /// Writes among them.
    pub writes: usize,
    /// Parties; their approvals are the first accesses.
    pub parties: usize,
}

impl Layout {
    /// Checks counts against each other and the memory.
    pub fn new(accesses: u32, writes: u32, parties: u32) -> Result<Self, Fault> {
        let limit =
            |count: u32, max: usize| usize::try_from(count).ok().filter(|c| *c <= max).ok_or(Fault::Shape);
        let accesses = limit(accesses, MAX_ACCESSES)?;
        let parties = limit(parties, MAX_PARTIES)?;
        let approvals = PARTY_READS * parties;
        if accesses < approvals || parties == 0 {
            return Err(Fault::Shape);
        }
        let writes = limit(writes, accesses - approvals)?;
        Ok(Self { accesses, writes, parties })
    }

    /// Word of the first key.
    pub const fn keys(&self) -> usize {
        HEADER
    }

    /// Word after the last key.
    pub const fn keys_end(&self) -> usize {
        HEADER + 2 * self.accesses
    }

    /// Word of the first old value.
    pub const fn olds(&self) -> usize {
        self.keys_end().next_multiple_of(RATE)
    }

    /// Word after the last old value.
    pub const fn olds_end(&self) -> usize {
        self.olds() + CELL * self.accesses
    }

    /// Word of the first new value.
    pub const fn news(&self) -> usize {
        self.olds_end().next_multiple_of(RATE)
    }

    /// Word after the last new value.
    pub const fn news_end(&self) -> usize {
        self.news() + CELL * self.writes
    }

    /// Words of the journal, whole blocks.
    pub const fn words(&self) -> usize {
        self.news_end().next_multiple_of(RATE)
    }

    /// The number of accesses before which come the approvals.
    pub const fn approvals(&self) -> usize {
        PARTY_READS * self.parties
    }

    /// Writes the counts and clears what fills blocks.
    pub fn frame(&self, words: &mut [u32]) {
        words[..HEADER].copy_from_slice(&[self.accesses as u32, self.writes as u32, self.parties as u32, 0]);
        words[self.keys_end()..self.olds()].fill(0);
        words[self.olds_end()..self.news()].fill(0);
        words[self.news_end()..self.words()].fill(0);
    }

    /// Puts down the key of an access.
    pub fn put_key(&self, words: &mut [u32], access: usize, key: Key, write: bool) {
        let at = self.keys() + 2 * access;
        words[at] = key.hi + if write { WRITE } else { 0 };
        words[at + 1] = key.lo;
    }
}

/// Digest of words in a domain: `[tag, length, 0..]` as initial capacity, zero-filled last block.
pub fn digest(absorb: Absorb, tag: u32, words: &[u32]) -> Leaf {
    let mut capacity = [tag, words.len() as u32, 0, 0, 0, 0, 0, 0];
    let whole = words.len() / RATE * RATE;
    absorb(&mut capacity, &words[..whole]);
    if whole < words.len() {
        let mut block = [0; RATE];
        block[..words.len() - whole].copy_from_slice(&words[whole..]);
        absorb(&mut capacity, &block);
    }
    capacity
}
