//! A small system with approvals, and ranges of operations in the making: honest ones, and ones that no guard saw.

use std::collections::BTreeMap;

use tsz_air::{F, PrimeCharacteristicRing, Violation, check};
use tsz_ext::{
    ApproveExtension, Approver, ExtContext, ExtOp, ExtReject, Extension, Limit, LimitCell, Limited,
    MAX_LIMITS, Native, RevokeExtension, Touch, key,
};
use tsz_ext_sdk::{Fault, Op, Program};
use tsz_gadgets::layout::{Columns, names};
use tsz_hash::{Digest, PrimeField32};
use tsz_ledger::{
    Access, BalCell, BatchContext, Cell, Key, KeyPolicy, Leaf, Permission, Permissions, Scheme, SystemId,
};
use tsz_sig::SecretKey;
use tsz_stark::Profile;
use tsz_stf::{Genesis, GenesisAccount, GenesisKey, MemView, TokenListing, Trusted, View, chain};
use tsz_types::*;

use crate::class::{ApprovalClass, Class};
use crate::prove::{approval_public_values, public_values};
use crate::record::{ApprovalOp, ApprovalRecord, ExtensionRecord};
use crate::trace::{Rows, approval_traces};
use crate::witness::{ApprovalWitness, Witness, WitnessError};

/// Enough for a few operations.
pub const TINY: Class =
    Class { name: "tiny", operations: 6, parties: 6, cells: 7, limits: 6, money: 7, journal: 8, tuple: 9 };
pub const SMALL: ApprovalClass = crate::APPROVAL_CLASSES[0];
pub const TIME: u64 = 0x2_ffff_fff0;
pub const BASE: u8 = 5;
pub const QUOTE: u8 = 0;
/// Stands for positions where a limit names a token.
pub const POSITIONS: u8 = 128;
pub const MICROS: i128 = 1_000_000;

pub fn f(x: u32) -> F {
    F::from_u32(x)
}
pub fn account(n: u32) -> AccountId {
    AccountId::new(n).unwrap()
}
pub fn sub(n: u8) -> SubId {
    SubId::new(n).unwrap()
}
pub fn slot(n: u8) -> tsz_ext::ApprovalSlot {
    tsz_ext::ApprovalSlot::new(n).unwrap()
}
pub fn limit(token: u8, units: u64) -> Limit {
    Limit { of: Limited::new(token).unwrap(), units: Units::new(units).unwrap() }
}
/// The program of the tests.
pub fn program() -> Digest {
    core::array::from_fn(|k| f(77 + k as u32))
}

/// Sets what its arguments say: key and value, ten words each.
fn scripted(op: &mut Op<'_>) -> Result<(), Fault> {
    for word in op.args().chunks_exact(10) {
        let leaf = core::array::from_fn(|k| word[2 + k]);
        op.set(tsz_ext_sdk::Key { hi: word[0], lo: word[1] }, &leaf)?;
    }
    Ok(())
}

/// Accounts 2..=5 with 1,000 units of tokens 0 and 5 in sub-accounts 0 and 1.
#[derive(Clone)]
pub struct World {
    pub view: MemView,
    pub context: BatchContext,
    pub records: Vec<ExtensionRecord>,
    pub approvals: Vec<ApprovalRecord>,
    pub index: u32,
}

pub fn secret(n: u32) -> SecretKey {
    SecretKey::from_seed(&[n as u8; 32])
}

fn user(n: u32) -> GenesisAccount {
    let key = |place: u8, permissions, expiry| GenesisKey {
        slot: KeySlot::new(place).unwrap(),
        key_id: secret(n).public_key().key_id(),
        policy: KeyPolicy { scheme: Scheme::Schnorr, permissions, expiry: TimeMs::new(expiry).unwrap() },
    };
    let balance = Balance::from(Units::new(1_000).unwrap());
    let all = [(0, QUOTE), (0, BASE), (1, QUOTE), (1, BASE)];
    GenesisAccount {
        owner: EthAddress([n as u8; 20]),
        keys: vec![
            key(0, Permissions::ALL, TIME + 1),
            key(1, [Permission::Trade, Permission::Withdraw].into_iter().collect(), TIME + 1),
            key(2, Permissions::ALL, TIME),
        ],
        balances: all.map(|(s, t)| (sub(s), TokenId::new(t).unwrap(), balance)).to_vec(),
        collateral: vec![],
    }
}

impl World {
    pub fn new() -> Self {
        let unit = Units::new(1).unwrap();
        let genesis = Genesis {
            operator: EthAddress([9; 20]),
            tokens: [QUOTE, BASE]
                .map(|t| TokenListing { token: TokenId::new(t).unwrap(), minimum: unit })
                .to_vec(),
            accounts: (2..6).map(user).collect(),
            ..Genesis::default()
        };
        let system = SystemId { rollup: 1, chain: 31337, address: [1; 20] };
        let context = BatchContext { system: system.digest(), batch: 1, time: TIME, params: tsz_hash::ZERO };
        let view = MemView::from_leaves(genesis.leaves().unwrap());
        Self { view, context, records: Vec::new(), approvals: Vec::new(), index: 5 }
    }

    /// 2 allows 100 units of the quote to go out; 3 the same of both tokens; 4 nothing.
    pub fn approved() -> Self {
        let mut world = Self::new();
        world.approve(2, 0, &[limit(QUOTE, 100)]);
        world.approve(3, 1, &[limit(QUOTE, 100), limit(BASE, 100)]);
        world.approve(4, 6, &[]);
        world
    }

    pub fn approval(&self, n: u32, place: u8, limits: &[Limit]) -> ApproveExtension {
        let ctl = self.view.get(Key::ctl(n, 0));
        let op = ApproveExtension {
            account: account(n),
            sub: sub(0),
            slot: slot(place),
            program: program(),
            terms: core::array::from_fn(|k| f(1_000_000_007 + k as u32)),
            expiry: TimeMs::new(TIME + 1).unwrap(),
            limits: limits.to_vec(),
            nonce: Nonce::new(ctl[0].as_canonical_u32()).unwrap(),
            key_slot: KeySlot::MIN,
            signature: secret(n).sign(&Digest::default()),
        };
        self.sign(op)
    }

    pub fn sign(&self, mut op: ApproveExtension) -> ApproveExtension {
        op.signature = secret(op.account.get()).sign(&chain(&self.context.system, &op.message()));
        op
    }

    pub fn revocation(&self, n: u32, place: u8) -> RevokeExtension {
        let ctl = self.view.get(Key::ctl(n, 0));
        let mut op = RevokeExtension {
            account: account(n),
            sub: sub(0),
            slot: slot(place),
            nonce: Nonce::new(ctl[0].as_canonical_u32()).unwrap(),
            key_slot: KeySlot::MIN,
            signature: secret(n).sign(&Digest::default()),
        };
        op.signature = secret(n).sign(&chain(&self.context.system, &op.message()));
        op
    }

    fn log(&self, op: &ExtOp, programs: &[(Digest, Program)]) -> Result<Vec<Access>, ExtReject> {
        let ctx = ExtContext {
            batch: &self.context,
            programs: &Native(programs),
            verifier: &Trusted,
            margin: &tsz_ext::NoMargin,
        };
        tsz_ext::apply(&self.view, &ctx, op)
    }

    fn next(&mut self) -> u32 {
        self.index += 1;
        self.index
    }

    /// Applies and records an approval or revocation.
    pub fn change(&mut self, op: ApprovalOp) -> Result<(), ExtReject> {
        let ext = match &op {
            ApprovalOp::Approve(op) => ExtOp::ApproveExtension(op.clone()),
            ApprovalOp::Revoke(op) => ExtOp::RevokeExtension(op.clone()),
        };
        let accesses = self.log(&ext, &[])?;
        self.view.commit(&accesses);
        let index = self.next();
        self.approvals.push(ApprovalRecord { index, op, accesses });
        Ok(())
    }

    pub fn approve(&mut self, n: u32, place: u8, limits: &[Limit]) {
        let op = self.approval(n, place, limits);
        self.change(ApprovalOp::Approve(op)).unwrap();
    }

    pub fn micros(&self, key: Key) -> i128 {
        BalCell::from_leaf(&self.view.get(key)).unwrap().balance.get() as i128
    }

    /// A balance after a change of so many millionths.
    pub fn moved(&self, n: u32, s: u32, token: u8, change: i128) -> (Key, Leaf) {
        let key = Key::bal(n, s, token.into());
        let value = (self.micros(key) + change) as u128 & ((1 << 96) - 1);
        (key, BalCell { balance: Balance::new(value).unwrap() }.to_leaf())
    }

    /// An operation by parties, sorted here, that sets cells and reads others.
    pub fn operation(&self, parties: &[(u32, u8)], sets: &[(Key, Leaf)], reads: &[Key]) -> Extension {
        let party =
            |(n, place): &(u32, u8)| Approver { account: account(*n), sub: sub(0), slot: slot(*place) };
        let touches =
            sets.iter().map(|(key, _)| Touch::write(*key)).chain(reads.iter().map(|k| Touch::read(*k)));
        let mut cells: Vec<Touch> = touches.collect();
        cells.sort_by_key(|touch| touch.key);
        let words = |(key, leaf): &(Key, Leaf)| {
            [key.hi(), key.lo()].into_iter().chain(leaf.map(|x| x.as_canonical_u32())).collect::<Vec<_>>()
        };
        let args = sets.iter().flat_map(words).collect();
        Extension { program: program(), parties: parties.iter().map(party).collect(), cells, args }
    }

    /// Applies an operation by the native guard and records it.
    pub fn try_apply(&mut self, op: Extension) -> Result<(), ExtReject> {
        let accesses = self.log(&ExtOp::Extension(op.clone()), &[(op.program, scripted)])?;
        self.view.commit(&accesses);
        let index = self.next();
        self.records.push(ExtensionRecord { index, op, accesses });
        Ok(())
    }

    pub fn apply(&mut self, parties: &[(u32, u8)], sets: &[(Key, Leaf)], reads: &[Key]) {
        self.try_apply(self.operation(parties, sets, reads)).expect("the guard accepts the operation");
    }

    /// Records an operation as if the guard had accepted it: limits are charged, nothing is judged.
    pub fn forge(&mut self, op: Extension, sets: &[(Key, Leaf)]) {
        let sets: BTreeMap<Key, Leaf> = sets.iter().copied().collect();
        let mut accesses = Vec::new();
        for party in &op.parties {
            let (a, s, k) = (party.account, party.sub, party.slot);
            for key in [key::program(a, s, k), key::terms(a, s, k), key::policy(a, s, k)] {
                accesses.push(Access::read(key, self.view.get(key)));
            }
        }
        for touch in &op.cells {
            let key = Key::new(touch.key).unwrap();
            let old = self.view.get(key);
            let new = if touch.write { sets.get(&key).copied().unwrap_or(old) } else { old };
            accesses.push(Access { key, write: touch.write, old, new });
        }
        for party in &op.parties {
            accesses.extend(self.charges(party, &accesses));
        }
        let index = self.next();
        self.records.push(ExtensionRecord { index, op, accesses });
    }

    /// LIMIT writes of a party, above the limit or not.
    fn charges(&self, party: &Approver, accesses: &[Access]) -> Vec<Access> {
        let (a, s, k) = (party.account, party.sub, party.slot);
        let policy = self.view.get(key::policy(a, s, k));
        let mut charges = Vec::new();
        for index in 0..MAX_LIMITS {
            let token = policy[3 + index].as_canonical_u32();
            let Some(token) = token.checked_sub(1) else { continue };
            let bal = Key::bal(a.get(), s.get().into(), token);
            let Some(access) = accesses.iter().find(|x| x.key == bal && x.write) else { continue };
            let key = key::limit(a, s, k, index as u32);
            let old = self.view.get(key);
            let cell = LimitCell::from_leaf(&old).unwrap();
            let change =
                tsz_gadgets::magnitude(&access.new) as i128 - tsz_gadgets::magnitude(&access.old) as i128;
            let used = (cell.used.get() as i128 - change).max(0) as u128;
            let used = Balance::new(used & ((1 << 96) - 1)).unwrap();
            charges.push(Access { key, write: true, old, new: LimitCell { used, ..cell }.to_leaf() });
        }
        charges
    }

    pub fn witness(&self) -> Result<Witness, WitnessError> {
        let start = self.context.digest();
        Witness::new(&TINY, &self.context, program(), &self.records, start, start)
    }

    pub fn approval_witness(&self) -> Result<ApprovalWitness, WitnessError> {
        ApprovalWitness::new(&SMALL, &self.context, &self.approvals, self.context.digest())
    }

    /// Where a lie in the operations is noticed: `table` of a broken constraint, or `bus:name`.
    pub fn verdict(&self) -> String {
        self.witness().map_or("witness".into(), |witness| place(judge(&witness)))
    }

    /// [`World::verdict`] of the approvals.
    pub fn approval_verdict(&self) -> String {
        self.approval_witness().map_or("witness".into(), |witness| place(judge_approvals(&witness)))
    }

    /// [`World::verdict`] after rows were changed, with all lookups made anew.
    pub fn verdict_with(&self, change: impl Fn(&mut Rows)) -> String {
        let mut rows = Rows::of(&self.context, &self.records).unwrap();
        change(&mut rows);
        let starts = [self.context.digest(); 2];
        let witness = Witness::assemble(&TINY, &self.context, program(), &self.records, starts, rows);
        place(judge(&witness.unwrap()))
    }

    /// [`World::approval_verdict`] after cells (row, column name, change) of a table were changed, likewise.
    pub fn approval_verdict_with<C: Columns<()>>(&self, table: usize, edits: &[(usize, &str, F)]) -> String {
        let (mut traces, signed) = approval_traces(&SMALL, &self.context, &self.approvals).unwrap();
        let names = names::<C>();
        for (row, column, change) in edits {
            let at = names.iter().position(|n| n == column).expect("the column exists");
            traces[table].values[row * names.len() + at] += *change;
        }
        let start = self.context.digest();
        let witness =
            ApprovalWitness::assemble(&SMALL, &self.context, &self.approvals, start, traces, &signed);
        place(judge_approvals(&witness.unwrap()))
    }
}

pub fn place(result: Result<(), Violation>) -> String {
    match result {
        Ok(()) => "nowhere".into(),
        Err(Violation::Shape { air }) => format!("shape {air}"),
        Err(Violation::Constraint { air, .. }) => air,
        Err(Violation::Bus { bus, .. }) => format!("bus:{bus}"),
    }
}

/// Every constraint of every row and the balance of every bus.
pub fn judge(witness: &Witness) -> Result<(), Violation> {
    check(&TINY.circuit(Profile::Base).airs, &witness.traces, &public_values(&witness.claim))
}

/// Likewise for approvals.
pub fn judge_approvals(witness: &ApprovalWitness) -> Result<(), Violation> {
    check(&SMALL.circuit(Profile::Base).airs, &witness.traces, &approval_public_values(&witness.claim))
}

/// A storage cell of a party, with an epoch.
pub fn stored(n: u32, place: u8, index: u32, felt: u32, epoch: u32) -> (Key, Leaf) {
    let mut leaf = Leaf::default();
    leaf[0] = f(felt);
    leaf[7] = f(epoch);
    (key::storage(account(n), sub(0), slot(place), index), leaf)
}

/// Every kind of operation: transfers in both directions with several parties, fees, storage, reads, no writes, no cells,
/// many cells, limits that fill up and empty.
pub fn every_operation() -> World {
    let mut w = World::approved();
    let all = [(2, 0), (3, 1), (4, 6)];
    let m = |w: &World, n, token, change| w.moved(n, 0, token, change);
    // both out and in, a fee, storage of two
    let sets = [
        m(&w, 2, QUOTE, -60 * MICROS),
        m(&w, 3, QUOTE, 59 * MICROS + 7),
        m(&w, 0, QUOTE, MICROS - 7),
        m(&w, 3, BASE, -100 * MICROS),
        m(&w, 2, BASE, 100 * MICROS),
        stored(2, 0, 0, 5, 1),
        stored(4, 6, 23, 6, 1),
    ];
    w.apply(&all, &sets, &[Key::HEAD, Key::mkp(3), Key::acct(2)]);
    // what went out comes back, and more: nothing is used then
    let sets = [m(&w, 2, QUOTE, 61 * MICROS), m(&w, 3, QUOTE, -61 * MICROS)];
    w.apply(&all[..2], &sets, &[Key::new((1 << 40) - 1).unwrap()]);
    // to the limit, to a party without limits
    let sets = [m(&w, 2, QUOTE, -100 * MICROS), m(&w, 4, QUOTE, 100 * MICROS), m(&w, 4, BASE, 0)];
    w.apply(&[(2, 0), (4, 6)], &sets, &[]);
    // reads only, and nothing at all
    w.apply(&[(4, 6)], &[], &[Key::L1IN, Key::bal(2, 0, 0), Key::bal(2, 1, 0)]);
    w.apply(&[(3, 1)], &[], &[]);
    // one token, all parties, an odd number of values
    let sets = [
        m(&w, 2, QUOTE, 3),
        m(&w, 3, QUOTE, -4),
        m(&w, 4, QUOTE, 0),
        m(&w, 0, QUOTE, 1),
        stored(3, 1, 7, 0, 1),
    ];
    w.apply(&all, &sets, &[Key::mkp(0)]);
    // many keys
    let reads: Vec<Key> = (0..20).map(Key::mkp).collect();
    w.apply(&all[..1], &[stored(2, 0, 1, 8, 1)], &reads);
    w
}
