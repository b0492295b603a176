//! One operation as a program sees it.

use crate::journal::{PARTY_READS, WRITE};
use crate::key::cell::{POLICY, PROGRAM, TERMS};
use crate::{Absorb, CELL, Fault, Key, Layout, Leaf, MAX_ACCESSES, P, TERMS_TAG, digest};

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
    ranks: [u8; MAX_ACCESSES],
}

impl<'a> Op<'a> {
    /// Reads the operation whose keys and old values lie in `words`; writes keep their old values until they are set.
    ///
    /// # Errors
    /// A [`Fault`] for words, counts or keys that no ledger can have declared.
    pub fn new(words: &'a mut [u32], layout: Layout, args: &'a [u32], absorb: Absorb) -> Result<Self, Fault> {
        if words.len() < layout.words() {
            return Err(Fault::Shape);
        }
        layout.frame(words);
        if !canonical(&words[layout.keys()..layout.olds_end()]) || !canonical(args) {
            return Err(Fault::Word);
        }
        let mut op = Self { words, layout, args, absorb, events: None, emitted: 0, ranks: [0; MAX_ACCESSES] };
        op.check_keys()?;
        op.keep()?;
        Ok(op)
    }

    /// Keeps what the program emits: 16 words an event. Without room for it, events are counted and forgotten.
    pub fn with_events(mut self, events: &'a mut [u32]) -> Self {
        self.events = Some(events);
        self
    }

    /// Checks that approvals come first and that the other keys are in strict order.
    fn check_keys(&self) -> Result<(), Fault> {
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
        }
        Ok(())
    }

    /// Puts the old values where the new ones go.
    fn keep(&mut self) -> Result<(), Fault> {
        let mut writes = 0;
        for access in self.layout.approvals()..self.layout.accesses {
            if self.key(access).1 {
                if writes == self.layout.writes {
                    return Err(Fault::Shape);
                }
                self.ranks[access] = writes as u8; // below MAX_ACCESSES
                let (from, to) = (self.layout.olds() + CELL * access, self.layout.news() + CELL * writes);
                let old = self.leaf(from);
                *self.words[to..].first_chunk_mut().ok_or(Fault::Shape)? = old;
                writes += 1;
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

    /// The access to a cell of the read set, and whether it is a write.
    fn find(&self, key: Key) -> Result<(usize, bool), Fault> {
        let first = self.layout.approvals();
        let keys = &self.words[self.layout.keys() + 2 * first..self.layout.keys_end()];
        let found = keys.chunks_exact(2).position(|k| k[1] == key.lo && k[0] & (WRITE - 1) == key.hi);
        let access = first + found.ok_or(Fault::Undeclared { hi: key.hi, lo: key.lo })?;
        Ok((access, self.key(access).1))
    }

    /// Where the present value of an access lies.
    fn place(&self, (access, write): (usize, bool)) -> usize {
        if write {
            self.layout.news() + CELL * usize::from(self.ranks[access])
        } else {
            self.layout.olds() + CELL * access
        }
    }

    fn leaf(&self, at: usize) -> Leaf {
        self.words[at..].first_chunk().copied().unwrap_or_default() // the layout fits
    }

    /// A cell of the write set.
    pub(crate) fn leaf_mut(&mut self, key: Key) -> Result<&mut Leaf, Fault> {
        let found = self.find(key)?;
        if !found.1 {
            return Err(Fault::NotWritable { hi: key.hi, lo: key.lo });
        }
        let at = self.place(found);
        self.words[at..].first_chunk_mut().ok_or(Fault::Shape)
    }

    /// Number of parties.
    pub fn parties(&self) -> usize {
        self.layout.parties
    }

    /// A party, in order of account and sub-account.
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
        let read = |place| self.get(Key::approval(party.account, party.sub, slot, place));
        // all parties approved the program of the operation: the guard says so
        let own = self.leaf(self.layout.olds() + CELL * PROGRAM as usize);
        let policy = crate::Policy::from_leaf(&read(POLICY)?)?;
        if differ(&read(PROGRAM)?, &own) || self.time()? >= policy.expiry {
            return Err(Fault::NotApproved);
        }
        Ok(Party { slot, epoch: policy.epoch, terms: read(TERMS)?, ..*party })
    }

    /// Demands that `terms` are what the party approved.
    ///
    /// # Errors
    /// [`Fault::Terms`].
    pub fn check_terms(&self, party: &Party, terms: &[u32]) -> Result<(), Fault> {
        let got = digest(self.absorb, TERMS_TAG, terms);
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
        self.find(key).map(|(access, _)| self.leaf(self.layout.olds() + CELL * access))
    }

    /// Value of a cell now.
    ///
    /// # Errors
    /// [`Fault::Undeclared`].
    pub fn get(&self, key: Key) -> Result<Leaf, Fault> {
        Ok(self.leaf(self.place(self.find(key)?)))
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
