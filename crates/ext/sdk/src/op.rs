//! One operation as a program sees it.

use crate::journal::{PARTY_READS, WRITE};
use crate::key::cell::{POLICY, PROGRAM, TERMS};
use crate::{Absorb, CELL, Fault, Key, Layout, Leaf, MAX_ACCESSES, P, RATE, TERMS_TAG, digest};

/// No access.
const ABSENT: usize = usize::MAX;
/// Bits of the lower part of a key.
const LO_BITS: u32 = 14;

/// Whether all words are felts. Eight at a time: most of what the host gives passes here.
fn canonical(words: &[u32]) -> bool {
    let (chunks, rest) = words.as_chunks::<8>();
    let all = |[a, b, c, d, e, f, g, h]: &[u32; 8]| {
        *a < P && *b < P && *c < P && *d < P && *e < P && *f < P && *g < P && *h < P
    };
    chunks.iter().all(all) && rest.iter().all(|w| *w < P)
}

/// Whether two leaves differ. Word by word: the machine compares arrays byte by byte.
fn differ(a: &Leaf, b: &Leaf) -> bool {
    a.iter().zip(b).fold(0, |d, (a, b)| d | (a ^ b)) != 0
}

/// Who approved the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Party {
    /// Account.
    pub account: u32,
    /// Sub-account.
    pub sub: u32,
    /// Approval slot.
    pub slot: u32,
    /// Number of the approval: what is stored under another epoch is void.
    pub epoch: u32,
    /// Digest of the terms that the party signed.
    pub terms: Leaf,
}

/// An operation: declared cells with their old values, arguments, and the new values to be set.
#[derive(Debug)]
pub struct Op<'a> {
    words: &'a mut [u32],
    layout: Layout,
    args: &'a [u32],
    absorb: Absorb,
    pub(crate) events: Option<&'a mut [u32]>,
    pub(crate) emitted: usize,
    /// Place among the writes of each write.
    /// Where the present value of an access lies.
    places: [u16; MAX_ACCESSES],
    /// The access to HEAD.
    head: usize,
}

impl<'a> Op<'a> {
    /// Reads the operation whose keys and old values lie in `words`; writes keep their old values until they are set.
    ///
    /// # Errors
    /// A [`Fault`] for words, counts or keys that no ledger can have declared.
    pub fn new(words: &'a mut [u32], layout: Layout, args: &'a [u32], absorb: Absorb) -> Result<Self, Fault> {
        let mut op = Self::blank(words, layout, args, absorb);
        op.open()?;
        Ok(op)
    }

    /// An operation that is still to be opened. Apart from [`Op::new`] so that it need not be moved.
    #[inline]
    pub(crate) fn blank(words: &'a mut [u32], layout: Layout, args: &'a [u32], absorb: Absorb) -> Self {
        Self {
            words,
            layout,
            args,
            absorb,
            events: None,
            emitted: 0,
            places: [0; MAX_ACCESSES],
            head: ABSENT,
        }
    }

    /// Judges what the host gave.
    pub(crate) fn open(&mut self) -> Result<(), Fault> {
        if self.words.len() < self.layout.words() {
            return Err(Fault::Shape);
        }
        self.layout.frame(self.words);
        if !canonical(&self.words[self.layout.keys()..self.layout.olds_end()]) || !canonical(self.args) {
            return Err(Fault::Word);
        }
        self.check_keys()?;
        self.keep()
    }

    /// Checks that approvals come first and that the other keys are in strict order.
    fn check_keys(&mut self) -> Result<(), Fault> {
        let approvals = self.layout.approvals();
        let mut last = None;
        for party in 0..self.layout.parties {
            let first = PARTY_READS * party;
            let (account, sub, slot, _) = self.key(first).0.as_approval().ok_or(Fault::Parties)?;
            for (k, place) in [PROGRAM, TERMS, POLICY].into_iter().enumerate() {
                let (got, write) = self.key(first + k);
                let expected = Key::approval(account, sub, slot, place);
                if write || got.hi != expected.hi || got.lo != expected.lo {
                    return Err(Fault::Parties);
                }
            }
            if last.replace((account, sub)).is_some_and(|last| last >= (account, sub)) {
                return Err(Fault::Parties);
            }
        }
        let mut last = None;
        for access in approvals..self.layout.accesses {
            let Key { hi, lo } = self.key(access).0;
            // a key of 40 bits: one number has one key
            if self.words[self.layout.keys() + 2 * access] >= 2 * WRITE || lo >> LO_BITS != 0 {
                return Err(Fault::Order);
            }
            if last.replace((hi, lo)).is_some_and(|last| last >= (hi, lo)) {
                return Err(Fault::Order);
            }
            if hi == Key::HEAD.hi && lo == Key::HEAD.lo {
                self.head = access;
            }
        }
        Ok(())
    }

    /// Puts the old values where the new ones go.
    fn keep(&mut self) -> Result<(), Fault> {
        let mut writes = 0;
        for access in self.layout.approvals()..self.layout.accesses {
            let from = self.layout.olds() + CELL * access;
            if self.key(access).1 {
                if writes == self.layout.writes {
                    return Err(Fault::Shape);
                }
                let to = self.layout.news() + CELL * writes;
                self.places[access] = to as u16; // an operation has fewer words
                let old = self.leaf(from);
                *self.words[to..].first_chunk_mut().ok_or(Fault::Shape)? = old;
                writes += 1;
            } else {
                self.places[access] = from as u16;
            }
        }
        if writes == self.layout.writes { Ok(()) } else { Err(Fault::Shape) }
    }

    /// Key of an access, and whether it is a write.
    fn key(&self, access: usize) -> (Key, bool) {
        let at = self.layout.keys() + 2 * access;
        let hi = self.words[at];
        (Key { hi: hi & (WRITE - 1), lo: self.words[at + 1] }, hi >= WRITE)
    }

    /// The access to a cell of the read set, or [`ABSENT`]: a register is cheaper than a `Result`.
    #[inline(never)]
    fn seek(&self, key: Key) -> usize {
        let first = self.layout.approvals();
        let keys = self.words.get(self.layout.keys() + 2 * first..self.layout.keys_end()).unwrap_or_default();
        let (pairs, _) = keys.as_chunks::<2>();
        let mut access = first;
        #[expect(clippy::explicit_counter_loop, reason = "a zipped range costs cycles in the guest")]
        for [hi, lo] in pairs {
            if *lo == key.lo && *hi & (WRITE - 1) == key.hi {
                return access;
            }
            access += 1;
        }
        ABSENT
    }

    /// The access to a cell of the read set.
    #[inline]
    fn find(&self, key: Key) -> Result<usize, Fault> {
        let access = self.seek(key);
        if access == ABSENT { Err(Fault::Undeclared { hi: key.hi, lo: key.lo }) } else { Ok(access) }
    }

    /// The present value of an access.
    #[inline]
    fn present(&self, access: usize) -> Leaf {
        self.leaf(usize::from(self.places[access]))
    }

    fn leaf(&self, at: usize) -> Leaf {
        self.words[at..].first_chunk().copied().unwrap_or_default() // the layout fits
    }

    /// A cell of the write set.
    pub(crate) fn leaf_mut(&mut self, key: Key) -> Result<&mut Leaf, Fault> {
        let access = self.find(key)?;
        let at = usize::from(self.places[access]);
        // the new values are behind all old ones
        if at < self.layout.news() {
            return Err(Fault::NotWritable { hi: key.hi, lo: key.lo });
        }
        self.words[at..].first_chunk_mut().ok_or(Fault::Shape)
    }

    /// The cell of the running batch.
    pub(crate) fn head(&self) -> Result<Leaf, Fault> {
        let Key { hi, lo } = Key::HEAD;
        if self.head == ABSENT { Err(Fault::Undeclared { hi, lo }) } else { Ok(self.present(self.head)) }
    }

    /// Number of parties.
    pub fn parties(&self) -> usize {
        self.layout.parties
    }

    /// A party, in order of account and sub-account. Its approval has no limit of positions: see [`Op::trader`].
    ///
    /// # Errors
    /// [`Fault::NoParty`], or [`Fault::Cell`] if the policy is none.
    pub fn party(&self, index: usize) -> Result<Party, Fault> {
        if index >= self.layout.parties {
            return Err(Fault::NoParty);
        }
        let first = PARTY_READS * index;
        let (account, sub, slot, _) = self.key(first).0.as_approval().ok_or(Fault::Parties)?;
        let olds = self.layout.olds() + CELL * first;
        let policy = crate::Policy::from_leaf(&self.leaf(olds + CELL * POLICY as usize))?;
        let terms = self.leaf(olds + CELL * TERMS as usize);
        Ok(Party { account, sub, slot, epoch: policy.epoch, terms })
    }

    /// A party of a program that moves positions: its approval may have a limit of them. [`Op::party`] refuses such an
    /// approval, for a program that moves none has no use for it.
    ///
    /// # Errors
    /// [`Fault::NoParty`], or [`Fault::Cell`] if the policy is none.
    pub fn trader(&self, index: usize) -> Result<Party, Fault> {
        if index >= self.layout.parties {
            return Err(Fault::NoParty);
        }
        let first = PARTY_READS * index;
        let (account, sub, slot, _) = self.key(first).0.as_approval().ok_or(Fault::Parties)?;
        let olds = self.layout.olds() + CELL * first;
        let policy = crate::Policy::with_positions(&self.leaf(olds + CELL * POLICY as usize))?;
        let terms = self.leaf(olds + CELL * TERMS as usize);
        Ok(Party { account, sub, slot, epoch: policy.epoch, terms })
    }

    /// Another approval of the party's sub-account, given in `slot` to the same program and good at the batch's time:
    /// what the party wants now, where its own approval is what lasts. HEAD and PROGRAM, TERMS, POLICY of that slot
    /// must be in the read set. Only the party's own slot has storage and limits.
    ///
    /// # Errors
    /// [`Fault::Undeclared`], [`Fault::NotApproved`], [`Fault::Cell`] if the policy is none, [`Fault::Shape`] for the
    /// party's own slot or none at all.
    pub fn instruction(&self, party: &Party, slot: u32) -> Result<Party, Fault> {
        if slot == party.slot || slot >= crate::cell::SLOTS {
            return Err(Fault::Shape);
        }
        let key = |place| Key::approval(party.account, party.sub, slot, place);
        let first = self.find(key(PROGRAM))?;
        // their keys follow each other, so the accesses do
        for (behind, place) in [(1, TERMS), (2, POLICY)] {
            let (access, Key { hi, lo }) = (first + behind, key(place));
            if access >= self.layout.accesses || self.key(access).0 != key(place) {
                return Err(Fault::Undeclared { hi, lo });
            }
        }
        // all parties approved the program of the operation: the guard says so
        let own = self.leaf(self.layout.olds() + CELL * PROGRAM as usize);
        let policy = crate::Policy::from_leaf(&self.present(first + 2))?;
        if differ(&self.present(first), &own) || self.time()? >= policy.expiry {
            return Err(Fault::NotApproved);
        }
        Ok(Party { slot, epoch: policy.epoch, terms: self.present(first + 1), ..*party })
    }

    /// Demands that `terms` are what the party approved.
    ///
    /// # Errors
    /// [`Fault::Terms`].
    pub fn check_terms(&self, party: &Party, terms: &[u32]) -> Result<(), Fault> {
        let got = digest(self.absorb, TERMS_TAG, terms);
        if differ(&got, &party.terms) { Err(Fault::Terms) } else { Ok(()) }
    }

    /// As [`Op::check_terms`], for terms of `len` words (at most 16) in a block that is filled with zeros.
    ///
    /// # Errors
    /// [`Fault::Terms`].
    pub fn check_block(&self, party: &Party, len: u32, block: &[u32; RATE]) -> Result<(), Fault> {
        let mut got = [TERMS_TAG, len, 0, 0, 0, 0, 0, 0];
        (self.absorb)(&mut got, block);
        if differ(&got, &party.terms) { Err(Fault::Terms) } else { Ok(()) }
    }

    /// What the operator passes to the program: nobody signed it.
    pub fn args(&self) -> &'a [u32] {
        self.args
    }

    /// Value of a cell before the operation.
    ///
    /// # Errors
    /// [`Fault::Undeclared`].
    pub fn old(&self, key: Key) -> Result<Leaf, Fault> {
        self.find(key).map(|access| self.leaf(self.layout.olds() + CELL * access))
    }

    /// Value of a cell now.
    ///
    /// # Errors
    /// [`Fault::Undeclared`].
    pub fn get(&self, key: Key) -> Result<Leaf, Fault> {
        Ok(self.present(self.find(key)?))
    }

    /// Sets a cell of the write set.
    ///
    /// # Errors
    /// [`Fault::Undeclared`], [`Fault::NotWritable`], or [`Fault::Word`] for what is no felt.
    pub fn set(&mut self, key: Key, value: &Leaf) -> Result<(), Fault> {
        let leaf = self.leaf_mut(key)?;
        if value.iter().any(|w| *w >= P) {
            return Err(Fault::Word);
        }
        *leaf = *value;
        Ok(())
    }

    /// The journal of the operation as it stands.
    pub fn journal(&self) -> &[u32] {
        &self.words[..self.layout.words()]
    }

    /// Digest of words in a domain of the program's own (1000 and above, so that no digest of the system collides).
    pub fn hash(&self, tag: u32, words: &[u32]) -> Leaf {
        digest(self.absorb, 1_000 + tag, words)
    }
}
