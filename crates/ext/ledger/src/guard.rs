//! The guard: what a program's writes must keep, whatever the program is.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use tsz_ext_sdk::{Key as Place, Layout, MAX_ACCESSES, MAX_ARGS, MAX_PARTIES, Op, P, STORAGE_FELTS, cell};
use tsz_hash::{Digest, F, PrimeCharacteristicRing, PrimeField32, ZERO};
use tsz_ledger::{BalCell, Cell, Key, Leaf};
use tsz_stf::{Log, Reject, SigVerifier, View};
use tsz_types::{AccountId, Balance, SubId, TokenId};

use crate::cells::{ApprovalPolicy, ApprovalSlot, LimitCell, Limited, key};
use crate::margin::{Legs, Margin};
use crate::poseidon24::absorb;
use crate::{ExtContext, ExtReject, Programs};

/// Accesses to each party's approval.
pub(crate) const PARTY_READS: usize = 3;

/// A party of an operation: where its approval lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approver {
    /// Account.
    pub account: AccountId,
    /// Sub-account.
    pub sub: SubId,
    /// Approval slot.
    pub slot: ApprovalSlot,
}

/// A cell that the program declares to read, or to read and write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Touch {
    /// Key, below 2^40.
    pub key: u64,
    /// Whether it is written.
    #[serde(default)]
    pub write: bool,
}

impl Touch {
    /// A read.
    pub fn read(key: Key) -> Self {
        Self { key: key.raw(), write: false }
    }

    /// A write.
    pub fn write(key: Key) -> Self {
        Self { key: key.raw(), write: true }
    }
}

/// An operation of a program: who takes part, what it touches, what it is asked. Nobody signs it: the approvals do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// Algorithm id of the program.
    #[serde(with = "tsz_stf::forms::digest")]
    pub program: Digest,
    /// Parties in strict order of account and sub-account.
    pub parties: Vec<Approver>,
    /// Cells in strict order of keys.
    pub cells: Vec<Touch>,
    /// Arguments, canonical field elements.
    pub args: Vec<u32>,
}

/// A party with what it approved.
pub(crate) struct Approved {
    who: Approver,
    policy: ApprovalPolicy,
    /// What changes of each limit: the balance of its token if that is written, what a leg charges to positions.
    changes: [Option<i128>; crate::MAX_LIMITS],
}

impl Extension {
    /// Accesses: PROGRAM, TERMS, POLICY read of each party; each cell in order, read or write; those of the legs that it
    /// wrote ([`Margin::cross`]); then for each party the LIMIT write, in order of limits, of each token whose balance it
    /// wrote, and of positions if it has a leg.
    pub(crate) fn run<V: View, R: Programs, S: SigVerifier, M: Margin>(
        &self,
        ctx: &ExtContext<'_, R, S, M>,
        log: &mut Log<'_, V>,
    ) -> Result<(), ExtReject> {
        let keys = self.check_shape()?;
        let mut parties = self
            .parties
            .iter()
            .map(|party| self.approval(party, ctx.batch.time, log))
            .collect::<Result<Vec<_>, _>>()?;
        let values = self.propose(ctx.programs, log, &keys)?;
        let (mut sums, mut legs) = (BTreeMap::new(), Legs::default());
        let mut values = values.into_iter();
        for (touch, key) in self.cells.iter().zip(&keys) {
            if !touch.write {
                let _ = log.read(*key);
                continue;
            }
            // one value for each write: the layout of the operation says so
            let new = values.next().ok_or(ExtReject::Cells { max: MAX_ACCESSES })?;
            judge(*key, &log.peek(*key), &new, &mut parties, (&mut sums, &mut legs))?;
            log.write(*key, new);
        }
        if let Some((token, sum)) = sums.into_iter().find(|(_, sum)| *sum != 0) {
            return Err(ExtReject::NotConserved { token, sum });
        }
        legs.cross(ctx.margin, ctx.batch.time, &mut parties, log)?;
        parties.iter().try_for_each(|party| party.charge(log))
    }

    /// Whether it moves positions: a leg is among its writes.
    pub fn has_legs(&self) -> bool {
        let is_leg = |key: Key| place(key).as_approval().is_some_and(|(.., number)| number == cell::LEG);
        self.cells.iter().any(|touch| touch.write && Key::new(touch.key).is_some_and(is_leg))
    }

    /// Checks counts, order and words, and gives the keys.
    pub(crate) fn check_shape(&self) -> Result<Vec<Key>, ExtReject> {
        let ordered = self.parties.windows(2).all(|w| (w[0].account, w[0].sub) < (w[1].account, w[1].sub));
        if !ordered || !(1..=MAX_PARTIES).contains(&self.parties.len()) {
            return Err(ExtReject::Parties);
        }
        let max = MAX_ACCESSES - PARTY_READS * self.parties.len();
        let ordered = self.cells.windows(2).all(|w| w[0].key < w[1].key);
        let keys: Option<Vec<Key>> = self.cells.iter().map(|touch| Key::new(touch.key)).collect();
        let keys = keys.filter(|keys| ordered && keys.len() <= max).ok_or(ExtReject::Cells { max })?;
        if self.args.len() > MAX_ARGS || self.args.iter().any(|w| *w >= P) {
            return Err(ExtReject::Args { max: MAX_ARGS });
        }
        if self.program == ZERO { Err(ExtReject::NoProgram) } else { Ok(keys) }
    }

    /// Reads the approval of a party. Accesses: PROGRAM read, TERMS read, POLICY read.
    pub(crate) fn approval<V: View>(
        &self,
        party: &Approver,
        time: u64,
        log: &mut Log<'_, V>,
    ) -> Result<Approved, ExtReject> {
        let Approver { account, sub, slot } = *party;
        if account == AccountId::FEES || account == AccountId::INSURANCE {
            return Err(Reject::Reserved { account }.into());
        }
        let program = log.read(key::program(account, sub, slot));
        let _ = log.read(key::terms(account, sub, slot));
        let policy_key = key::policy(account, sub, slot);
        let policy = ApprovalPolicy::from_leaf(&log.read(policy_key))
            .map_err(|error| ExtReject::corrupt(policy_key, error))?;
        if program != self.program {
            return Err(ExtReject::NotApproved { account, sub });
        }
        if time >= policy.expiry {
            return Err(ExtReject::Expired { account, sub, expiry: policy.expiry, time });
        }
        Ok(Approved { who: *party, policy, changes: Default::default() })
    }

    /// Has the program run on the declared cells; gives the new values of the writes in order.
    pub(crate) fn propose<V: View, R: Programs>(
        &self,
        programs: &R,
        log: &Log<'_, V>,
        keys: &[Key],
    ) -> Result<Vec<Leaf>, ExtReject> {
        let writes = self.cells.iter().filter(|touch| touch.write).count();
        let accesses = log.accesses().len() + keys.len();
        // all three are below 2^8: the shape is checked
        let layout = Layout::new(accesses as u32, writes as u32, self.parties.len() as u32)?;
        let mut words = vec![0; layout.words()];
        let approvals = log.accesses().iter().map(|a| (a.key, false, a.old));
        let cells = self.cells.iter().zip(keys).map(|(touch, key)| (*key, touch.write, log.peek(*key)));
        for (k, (key, write, old)) in approvals.chain(cells).enumerate() {
            layout.put_key(&mut words, k, place(key), write);
            put(&mut words, layout.olds() + 8 * k, &old);
        }
        let mut op = Op::new(&mut words, layout, &self.args, absorb)?;
        programs.run(&self.program, &mut op)?;
        let leaf = |words: &[u32]| core::array::from_fn(|k| F::from_u32(words[k]));
        Ok(words[layout.news()..layout.news_end()].chunks_exact(8).map(leaf).collect())
    }
}

/// A key as programs have it.
pub(crate) fn place(key: Key) -> Place {
    Place { hi: key.hi(), lo: key.lo() }
}

/// Puts a leaf into words.
pub(crate) fn put(words: &mut [u32], at: usize, leaf: &Leaf) {
    for (word, felt) in words[at..].iter_mut().zip(leaf) {
        *word = felt.as_canonical_u32();
    }
}

/// Judges one write: a balance of a party, its storage, its leg, or a fee; everything else is forbidden.
fn judge(
    key: Key,
    old: &Leaf,
    new: &Leaf,
    parties: &mut [Approved],
    (sums, legs): (&mut BTreeMap<TokenId, i128>, &mut Legs),
) -> Result<(), ExtReject> {
    if let Some((account, sub, token)) = place(key).as_balance() {
        let token = TokenId::new(token as u8)?; // 7 bits
        let micros = |leaf: &Leaf| {
            let cell = BalCell::from_leaf(leaf).map_err(|error| ExtReject::corrupt(key, error))?;
            Ok::<_, ExtReject>(cell.balance.get() as i128) // u96
        };
        let change = micros(new)? - micros(old)?;
        *sums.entry(token).or_default() += change; // at most 128 changes of 97 bits
        if let Some(party) = party_of(parties, account, sub) {
            return party.change(token, change);
        }
        let is_fee = account == AccountId::FEES.get() && sub == 0;
        return match (is_fee, change >= 0) {
            (true, true) => Ok(()),
            (true, false) => Err(ExtReject::FeesPay { token }),
            (false, _) => Err(ExtReject::Forbidden { key }),
        };
    }
    let Some((account, sub, slot, number)) = place(key).as_approval() else {
        return Err(ExtReject::Forbidden { key });
    };
    let party = parties.iter().position(|p| p.is_of(account, sub) && u32::from(p.who.slot.get()) == slot);
    let party = party.filter(|_| number >= cell::LEG).ok_or(ExtReject::Forbidden { key })?;
    if number == cell::LEG {
        return legs.add(party, new).ok_or(ExtReject::Leg { key });
    }
    let party = &parties[party];
    let (expected, got) = (party.policy.epoch, new[STORAGE_FELTS].as_canonical_u32());
    if expected == got { Ok(()) } else { Err(ExtReject::Epoch { key, expected, got }) }
}

/// The party with this sub-account.
fn party_of(parties: &mut [Approved], account: u32, sub: u32) -> Option<&mut Approved> {
    parties.iter_mut().find(|p| p.is_of(account, sub))
}

impl Approved {
    /// The party.
    pub(crate) fn who(&self) -> Approver {
        self.who
    }

    fn is_of(&self, account: u32, sub: u32) -> bool {
        self.who.account.get() == account && u32::from(self.who.sub.get()) == sub
    }

    /// Where the change of a limit is noted.
    pub(crate) fn change_of(&mut self, what: Limited) -> Option<&mut Option<i128>> {
        self.policy.limit_of(what).and_then(|index| self.changes.get_mut(index))
    }

    /// Notes the change of a balance; tokens without a limit only come in.
    fn change(&mut self, token: TokenId, change: i128) -> Result<(), ExtReject> {
        let Approver { account, sub, .. } = self.who;
        match self.policy.limit_of(token) {
            Some(index) => self.changes[index] = Some(change),
            None if change < 0 => return Err(ExtReject::NoLimit { account, sub, token }),
            None => {}
        }
        Ok(())
    }

    /// Charges the limits. Access: LIMIT write of each whose token changed hands, of positions that moved.
    fn charge<V: View>(&self, log: &mut Log<'_, V>) -> Result<(), ExtReject> {
        let Approver { account, sub, slot } = self.who;
        for (index, (change, of)) in self.changes.iter().zip(self.policy.limits).enumerate() {
            let (Some(change), Some(of)) = (change, of) else { continue };
            let limit_key = key::limit(account, sub, slot, index as u32); // below 4
            let cell = LimitCell::from_leaf(&log.peek(limit_key))
                .map_err(|error| ExtReject::corrupt(limit_key, error))?;
            let limit = cell.limit.get();
            let used = (cell.used.get() as i128 - change).max(0); // 96 and 97 bits
            if used as u128 > limit {
                return Err(ExtReject::OverLimit { account, sub, of, used, limit });
            }
            log.write_cell(limit_key, &LimitCell { used: Balance::try_from(used)?, ..cell });
        }
        Ok(())
    }
}
