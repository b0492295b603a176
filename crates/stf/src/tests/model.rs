//! A slow model of the fund family, written from docs/src/fund.md and docs/src/state.md with plain integers: it
//! shares no rule, layout or number type with the implementation.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;
use tsz_hash::{Digest, F, PrimeCharacteristicRing, ZERO, step};

/// Key of a slot: id, scheme, permissions, expiry.
pub type Slot = (Digest, u128, u128, u128);

/// A fund operation in plain numbers. `signed` says which key id made a good signature of the message, if any.
#[derive(Clone, Debug)]
pub enum Op {
    Deposit { serial: u128, to: Place, token: u128, units: u128, owner: u128 },
    Transfer { from: Place, to: Place, token: u128, units: u128, auth: Auth },
    Withdraw { from: Place, token: u128, units: u128, to: u128, auth: Auth },
    RegisterKey { account: u128, slot: u128, key: Slot, auth: Auth },
    RevokeKey { account: u128, slot: u128, auth: Auth },
    FullExit { serial: u128, from: Place, token: u128, sender: u128 },
    L1Key { serial: u128, account: u128, slot: u128, key: Option<Slot>, sender: u128 },
}

/// (account, sub, bucket)
pub type Place = (u128, u128, u128);

#[derive(Clone, Debug)]
pub struct Auth {
    pub nonce: u128,
    pub slot: u128,
    pub signed: Option<Digest>,
}

#[derive(Clone, Debug, Default)]
pub struct Model {
    pub time: u128,
    pub batch: u128,
    pub head_time: u128,
    pub next_account: u128,
    pub serial: u128,
    pub l1_chain: Digest,
    pub out: Digest,
    pub owners: BTreeMap<u128, u128>,
    pub keys: BTreeMap<(u128, u128), Slot>,
    /// Millionths by (account, sub, bucket, token).
    pub money: BTreeMap<(u128, u128, u128, u128), i128>,
    pub nonces: BTreeMap<(u128, u128), u128>,
    pub tokens: BTreeMap<u128, u128>,
    /// Net units that came in, by token.
    pub net: BTreeMap<u128, i128>,
}

const M: i128 = 1_000_000;
pub type Broken = BTreeSet<&'static str>;

impl Model {
    /// The receipt code, or every rule that the operation breaks.
    pub fn apply(&mut self, op: &Op) -> Result<&'static str, Broken> {
        let mut broken = Broken::new();
        self.check(op, &mut broken);
        if broken.is_empty() { Ok(self.perform(op)) } else { Err(broken) }
    }

    fn held(&self, place: Place, token: u128) -> i128 {
        self.money.get(&(place.0, place.1, place.2, token)).copied().unwrap_or(0)
    }

    fn check(&self, op: &Op, broken: &mut Broken) {
        let mut need = |holds: bool, rule| {
            if !holds {
                broken.insert(rule);
            }
        };
        match op {
            Op::Deposit { serial, to, token, units, .. } => {
                need(*serial == self.serial, "serial");
                need(to.2 == 0 || *token == 0, "not_quote");
                need(*units >= 1, "zero_units");
            }
            Op::FullExit { serial, from, token, .. } => {
                need(*serial == self.serial, "serial");
                need(from.2 == 0 || *token == 0, "not_quote");
            }
            Op::L1Key { serial, .. } => need(*serial == self.serial, "serial"),
            Op::Transfer { from, to, token, units, .. } => {
                need((from.2 == 0 && to.2 == 0) || *token == 0, "not_quote");
                need(*units >= 1, "zero_units");
                need(from != to, "same_bucket");
                need(to.0 < self.next_account, "no_account");
                need(self.held(*from, *token) >= *units as i128 * M, "insufficient");
            }
            Op::Withdraw { from, token, units, .. } => {
                need(from.2 == 0 || *token == 0, "not_quote");
                need(*units >= 1, "zero_units");
                need(self.tokens.contains_key(token), "not_listed");
                need(self.tokens.get(token).is_none_or(|min| units >= min), "below_minimum");
                need(self.held(*from, *token) >= *units as i128 * M, "insufficient");
            }
            Op::RegisterKey { .. } | Op::RevokeKey { .. } => {}
        }
        if let Some((account, sub, permission, auth)) = signer(op) {
            need(account != 1, "reserved");
            need(auth.nonce == self.nonces.get(&(account, sub)).copied().unwrap_or(0), "nonce");
            match self.keys.get(&(account, auth.slot)) {
                None => need(false, "no_key"),
                Some((id, scheme, permissions, expiry)) => {
                    need(*scheme == 1, "wrong_scheme");
                    need(permissions & permission != 0, "permission");
                    need(self.time < *expiry, "expired");
                    need(auth.signed == Some(*id), "signature");
                }
            }
        }
    }

    fn perform(&mut self, op: &Op) -> &'static str {
        if let Some((account, sub, _, _)) = signer(op) {
            *self.nonces.entry((account, sub)).or_default() += 1;
        }
        match *op {
            Op::Deposit { to, token, units, owner, .. } => {
                self.consume(op);
                if to.0 > self.next_account {
                    self.pay(2, to, token, units, owner);
                    return "no_account";
                }
                if to.0 == self.next_account {
                    self.owners.insert(to.0, owner);
                    self.next_account += 1;
                }
                self.add(to, token, units as i128 * M);
                *self.net.entry(token).or_default() += units as i128;
            }
            Op::Transfer { from, to, token, units, .. } => {
                self.add(from, token, -(units as i128) * M);
                self.add(to, token, units as i128 * M);
            }
            Op::Withdraw { from, token, units, to, .. } => {
                self.add(from, token, -(units as i128) * M);
                *self.net.entry(token).or_default() -= units as i128;
                self.pay(4, from, token, units, to);
            }
            Op::RegisterKey { account, slot, key, .. } => {
                self.keys.insert((account, slot), key);
            }
            Op::RevokeKey { account, slot, .. } => {
                self.keys.remove(&(account, slot));
            }
            Op::FullExit { from, token, sender, .. } => {
                self.consume(op);
                let held = self.held(from, token);
                if self.owners.get(&from.0) != Some(&sender) {
                    return "not_owner";
                } else if from.0 == 1 {
                    return "reserved";
                } else if held < 0 {
                    return "negative";
                }
                self.add(from, token, -(held - held % M));
                *self.net.entry(token).or_default() -= held / M;
                self.pay(7, from, token, (held / M) as u128, sender);
            }
            Op::L1Key { account, slot, key, sender, .. } => {
                self.consume(op);
                if self.owners.get(&account) != Some(&sender) {
                    return "not_owner";
                }
                match key {
                    Some(key) => self.keys.insert((account, slot), key),
                    None => self.keys.remove(&(account, slot)),
                };
            }
        }
        "ok"
    }

    fn add(&mut self, place: Place, token: u128, micros: i128) {
        *self.money.entry((place.0, place.1, place.2, token)).or_default() += micros;
    }

    fn pay(&mut self, code: u128, from: Place, token: u128, units: u128, to: u128) {
        let a = [&[code, from.0, tsb(from, token)][..], &limbs(units, 3), &[0, 0]].concat();
        let b = [limbs(to, 7), vec![0]].concat();
        self.out = absorb(self.out, &[a, b]);
    }

    fn consume(&mut self, op: &Op) {
        let s = limbs(self.serial, 3);
        self.serial += 1;
        let mut key_id = None;
        let blocks = match op {
            Op::Deposit { to, token, units, owner, .. } => {
                let u = limbs(*units, 3);
                let a = [&[2][..], &s, &[to.0, tsb(*to, *token), u[0], u[1]]].concat();
                vec![a, [vec![u[2]], limbs(*owner, 7)].concat()]
            }
            Op::FullExit { from, token, sender, .. } => {
                let a = [&[7][..], &s, &[from.0, tsb(*from, *token), 0, 0]].concat();
                vec![a, [vec![0], limbs(*sender, 7)].concat()]
            }
            Op::L1Key { account, slot, key, sender, .. } => {
                let code = if key.is_some() { 8 } else { 9 };
                let (id, scheme, permissions, expiry) = key.unwrap_or((ZERO, 0, 0, 0));
                key_id = Some(id);
                let e = limbs(expiry, 2);
                let a = [&[code][..], &s, &[*account, slot + 64 * scheme, permissions, e[0]]].concat();
                vec![a, [vec![e[1]], limbs(*sender, 7)].concat()]
            }
            _ => vec![],
        };
        self.l1_chain = absorb(self.l1_chain, &blocks);
        if let Some(id) = key_id {
            self.l1_chain = step(&id, &self.l1_chain);
        }
    }

    /// Every nonzero leaf by raw key.
    pub fn leaves(&self) -> BTreeMap<u64, Digest> {
        let mut out = BTreeMap::new();
        let user = |realm: u128, account: u128, sub: u128, cell: u128| {
            (realm << 39 | account << 14 | sub << 9 | cell) as u64
        };
        let system = |kind: u128, index: u128| (1u128 << 38 | kind << 32 | index) as u64;
        for (account, owner) in &self.owners {
            out.insert(user(0, *account, 0, 1), leaf(&[limbs(*owner, 7), vec![1]].concat()));
        }
        for ((account, slot), (id, scheme, permissions, expiry)) in &self.keys {
            out.insert(user(0, *account, 0, 2 + 2 * slot), *id);
            let policy = [&[*scheme, *permissions][..], &limbs(*expiry, 2)].concat();
            out.insert(user(0, *account, 0, 3 + 2 * slot), leaf(&policy));
        }
        for ((account, sub, bucket, token), micros) in &self.money {
            let sign = u128::from(*micros < 0);
            let felts = [limbs(micros.unsigned_abs(), 4), vec![sign]].concat();
            let cell = if *bucket == 1 { 0 } else { 128 + token };
            out.insert(user(0, *account, *sub, cell), leaf(&felts));
        }
        for ((account, sub), nonce) in &self.nonces {
            out.insert(user(1, *account, *sub, 0), leaf(&limbs(*nonce, 2)));
        }
        let head = [limbs(self.batch, 2), limbs(self.head_time, 2), vec![self.next_account]].concat();
        out.insert(system(1, 0), leaf(&head));
        out.insert(system(1, 1), leaf(&limbs(self.serial, 3)));
        out.insert(system(1, 2), self.l1_chain);
        out.insert(system(1, 3), self.out);
        for (token, minimum) in &self.tokens {
            out.insert(system(2, *token), leaf(&[vec![1], limbs(*minimum, 3)].concat()));
        }
        out.retain(|_, leaf| *leaf != ZERO);
        out
    }
}

/// Account, sub-account of the nonce, permission bit.
fn signer(op: &Op) -> Option<(u128, u128, u128, &Auth)> {
    match op {
        Op::Transfer { from, to, auth, .. } => {
            Some((from.0, from.1, if from.0 == to.0 { 2 } else { 4 }, auth))
        }
        Op::Withdraw { from, auth, .. } => Some((from.0, from.1, 8, auth)),
        Op::RegisterKey { account, auth, .. } | Op::RevokeKey { account, auth, .. } => {
            Some((*account, 0, 16, auth))
        }
        _ => None,
    }
}

fn tsb(place: Place, token: u128) -> u128 {
    token * 64 + place.1 * 2 + place.2
}

/// 24-bit limbs; of an address, only the low 128 bits can be nonzero here.
fn limbs(value: u128, n: usize) -> Vec<u128> {
    (0..n).map(|k| if 24 * k < 128 { value >> (24 * k) & 0xff_ffff } else { 0 }).collect()
}

fn leaf(felts: &[u128]) -> Digest {
    core::array::from_fn(|k| F::from_u32(felts.get(k).copied().unwrap_or(0) as u32))
}

fn absorb(capacity: Digest, blocks: &[Vec<u128>]) -> Digest {
    blocks.iter().fold(capacity, |cap, block| step(&leaf(block), &cap))
}
