//! A small world for the tests of programs: balances, prices, approvals without signatures, and the guard itself.
//!
//! ```
//! use tsz_ext::sim::Sim;
//! use tsz_ext_sdk::{Fault, Op};
//!
//! /// Pays a unit of token 0 from the first party to the second.
//! fn program(op: &mut Op<'_>) -> Result<(), Fault> {
//!     let (from, to) = (op.party(0)?, op.party(1)?);
//!     op.debit(from.account, from.sub, 0, 1_000_000)?;
//!     op.credit(to.account, to.sub, 0, 1_000_000)
//! }
//!
//! let mut sim = Sim::new(program);
//! sim.fund(2, 0, 0, 10);
//! let from = sim.approve(2, 0, 0, &[], &[(0, 1)]);
//! let to = sim.approve(3, 0, 0, &[], &[]);
//! sim.run(&[from, to], &[])?;
//! assert_eq!(sim.micros(3, 0, 0), 1_000_000);
//! // the limit of account 2 is used up
//! assert!(sim.run(&[from, to], &[]).is_err());
//! # Ok::<(), tsz_ext::ExtReject>(())
//! ```

use alloc::vec::Vec;
use tsz_ext_sdk::{Event, Fault, Leaf, MICROS, Program, cell};
use tsz_hash::{Digest, Domain, F, PrimeCharacteristicRing, hash};
use tsz_ledger::{Access, BalCell, BatchContext, Cell, Key, PosCell, SubCell};
use tsz_stf::{MemView, Verified, View};
use tsz_types::{AccountId, Balance, Collateral, SubId, TimeMs};

use crate::cells::{ApprovalPolicy, LimitCell, Limited, key};
use crate::discover::{Any, discover};
use crate::{
    Approver, ExtContext, ExtOp, ExtReject, Extension, MAX_LIMITS, Margin, NoMargin, Outcome, Run, RunError,
    apply, terms_digest,
};

/// What an operation did.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// The operation with the cells that it declared.
    pub op: Extension,
    /// Its access log.
    pub accesses: Vec<Access>,
    /// Events of the program.
    pub events: Vec<Event>,
}

/// A state with one program.
///
/// Numbers are as programs have them; what no account, token or amount can be is cut to what it can be, so that tests
/// need no conversions.
#[derive(Debug)]
pub struct Sim<M = NoMargin> {
    /// The state: any leaf can be set.
    pub view: MemView,
    program: Program,
    id: Digest,
    time: u64,
    history: Vec<Receipt>,
    margin: M,
}

fn account(n: u32) -> AccountId {
    AccountId::new(n & 0xff_ffff).unwrap_or(AccountId::FEES)
}

/// A limb of 24 bits.
fn limb(value: u64, at: u32) -> F {
    F::from_u32((value >> (24 * at)) as u32 & 0xff_ffff)
}

fn sub(n: u32) -> SubId {
    SubId::new((n & 31) as u8).unwrap_or(SubId::MIN)
}

impl Sim {
    /// An empty state at time 1, without positions.
    pub fn new(program: Program) -> Self {
        Self::with_margin(program, NoMargin)
    }
}

impl<M: Margin> Sim<M> {
    /// An empty state at time 1, where legs are carried out by these rules (`tsz_trade::MarginRules`).
    pub fn with_margin(program: Program, margin: M) -> Self {
        let (view, id) = (MemView::from_leaves([]), hash(Domain::Bytes, &[F::ONE]));
        let mut sim = Self { view, program, id, time: 1, history: Vec::new(), margin };
        sim.set_time(1);
        sim
    }

    /// Sets the time of the running batch, in ms.
    pub fn set_time(&mut self, ms: u64) {
        self.time = ms;
        let mut head = self.view.get(Key::HEAD);
        head[2..4].copy_from_slice(&[limb(ms, 0), limb(ms, 1)]);
        self.view.set(Key::HEAD, head);
    }

    /// Sets the index price of a perpetual market, in ticks, and the time of the price in ms.
    pub fn set_price(&mut self, market: u32, index: u32, ms: u64) {
        self.set_prices(market, index, index, ms, false);
    }

    /// Sets all that a market's price cell says.
    pub fn set_prices(&mut self, market: u32, index: u32, mark: u32, ms: u64, settled: bool) {
        let [index, mark] = [index, mark].map(u64::from);
        let settled = F::from_bool(settled);
        let leaf = [
            limb(index, 0),
            limb(index, 1),
            limb(mark, 0),
            limb(mark, 1),
            limb(ms, 0),
            limb(ms, 1),
            settled,
            F::ZERO,
        ];
        self.view.set(Key::mkp(market & 255), leaf);
    }

    /// Gives a sub-account units of a token, beside what it has.
    pub fn fund(&mut self, n: u32, s: u32, token: u32, units: u64) {
        let micros = self.micros(n, s, token) + u128::from(units) * MICROS;
        let balance = Balance::try_from(micros as i128).unwrap_or(Balance::MIN);
        self.view.set(Key::bal(n, s, token), BalCell { balance }.to_leaf());
    }

    /// Balance in millionths of a unit.
    pub fn micros(&self, n: u32, s: u32, token: u32) -> u128 {
        BalCell::from_leaf(&self.view.get(Key::bal(n, s, token))).map_or(0, |cell| cell.balance.get())
    }

    /// Gives a sub-account units of collateral, beside what it has.
    pub fn deposit(&mut self, n: u32, s: u32, units: u64) {
        let cell = SubCell::from_leaf(&self.view.get(Key::sub(n, s))).unwrap_or_default();
        let micros = cell.collateral.get() + i128::from(units) * MICROS as i128; // 95 and 84 bits
        let collateral = Collateral::try_from(micros).unwrap_or(cell.collateral);
        self.view.set(Key::sub(n, s), SubCell { collateral, ..cell }.to_leaf());
    }

    /// Collateral in millionths of a unit.
    pub fn collateral(&self, n: u32, s: u32) -> i128 {
        SubCell::from_leaf(&self.view.get(Key::sub(n, s))).map_or(0, |cell| cell.collateral.get())
    }

    /// Lots of a position, negative if short.
    pub fn position(&self, n: u32, s: u32, market: u32) -> i64 {
        PosCell::from_leaf(&self.view.get(Key::pos(n, s, market & 255))).map_or(0, |cell| cell.size())
    }

    /// Approves the program for ever, over what the slot held, with terms and limits (token or [`cell::POSITIONS`],
    /// units); gives the party.
    pub fn approve(&mut self, n: u32, s: u32, slot: u32, terms: &[u32], limits: &[(u32, u64)]) -> Approver {
        let party = approver(n, s, slot);
        let policy = key::policy(party.account, party.sub, party.slot);
        let epoch = self.epoch(&party) + 1;
        let of = |t: u32| Limited::new(if t == cell::POSITIONS { t } else { t & 127 } as u8);
        let limit = |k: usize| limits.get(k).and_then(|(t, _)| of(*t));
        let policy_cell =
            ApprovalPolicy { expiry: TimeMs::MAX.get(), epoch, limits: core::array::from_fn(limit) };
        self.view.set(key::program(party.account, party.sub, party.slot), self.id);
        self.view.set(key::terms(party.account, party.sub, party.slot), terms_digest(terms));
        self.view.set(policy, policy_cell.to_leaf());
        for index in 0..MAX_LIMITS {
            let micros = limits.get(index).map_or(0, |(_, units)| u128::from(*units) * MICROS);
            let limit = Balance::try_from(micros as i128).unwrap_or(Balance::MIN);
            let place = key::limit(party.account, party.sub, party.slot, index as u32); // below 4
            self.view.set(place, LimitCell { limit, used: Balance::MIN }.to_leaf());
        }
        party
    }

    /// Empties an approval slot.
    pub fn revoke(&mut self, party: &Approver) {
        let epoch = self.epoch(party);
        self.view.set(key::program(party.account, party.sub, party.slot), tsz_hash::ZERO);
        let cell = ApprovalPolicy { epoch, ..ApprovalPolicy::default() };
        self.view.set(key::policy(party.account, party.sub, party.slot), cell.to_leaf());
    }

    /// Number of the approval of a slot.
    pub fn epoch(&self, party: &Approver) -> u32 {
        let leaf = self.view.get(key::policy(party.account, party.sub, party.slot));
        ApprovalPolicy::from_leaf(&leaf).map_or(0, |policy| policy.epoch)
    }

    /// An operation of these parties, in any order, with the cells that the program asks for.
    ///
    /// # Errors
    /// An [`ExtReject`].
    pub fn plan(&self, parties: &[Approver], args: &[u32]) -> Result<Extension, ExtReject> {
        let mut parties = parties.to_vec();
        parties.sort_unstable_by_key(|p| (p.account, p.sub));
        let mut op = Extension { program: self.id, parties, cells: Vec::new(), args: args.to_vec() };
        discover(&self.view, &Any(self.program), self.time, &mut op)?;
        Ok(op)
    }

    /// Plans an operation and applies it.
    ///
    /// # Errors
    /// An [`ExtReject`]; the state has not changed then.
    pub fn run(&mut self, parties: &[Approver], args: &[u32]) -> Result<&Receipt, ExtReject> {
        let op = self.plan(parties, args)?;
        self.apply(op)
    }

    /// Applies an operation, through the guard.
    ///
    /// # Errors
    /// An [`ExtReject`]; the state has not changed then.
    pub fn apply(&mut self, op: Extension) -> Result<&Receipt, ExtReject> {
        let zero = tsz_hash::ZERO;
        let batch = BatchContext { system: zero, batch: 1, time: self.time, params: zero };
        let ctx = ExtContext {
            batch: &batch,
            programs: &Any(self.program),
            verifier: &Verified,
            margin: &self.margin,
        };
        let op = ExtOp::Extension(op);
        let accesses = apply(&self.view, &ctx, &op)?;
        self.view.commit(&accesses);
        let ExtOp::Extension(op) = op else { return Err(ExtReject::NoProgram) };
        // the guard's log makes a run, and the program says the same again
        let run = Run::new(&[0; 8], &[(&op, &accesses)]).map_err(|_| ExtReject::Program(Fault::Shape))?;
        let events = run.replay(self.program)?.events;
        self.history.push(Receipt { op, accesses, events });
        self.history.last().ok_or(ExtReject::NoProgram)
    }

    /// What was applied.
    pub fn history(&self) -> &[Receipt] {
        &self.history
    }

    /// The run of all that was applied: what a guest of the program is fed, and what it must output.
    ///
    /// # Errors
    /// [`RunError::Count`].
    pub fn guest_run(&self, start: &Leaf) -> Result<Run, RunError> {
        let ops: Vec<_> = self.history.iter().map(|r| (&r.op, r.accesses.as_slice())).collect();
        Run::new(start, &ops)
    }

    /// Replays all that was applied as the guest will: its digest, all events.
    ///
    /// # Errors
    /// The fault at which the guest would stop: none, for the guard ran the same program.
    pub fn replay(&self, run: &Run) -> Result<Outcome, Fault> {
        run.replay(self.program)
    }
}

/// A party.
pub fn approver(n: u32, s: u32, slot: u32) -> Approver {
    let slot = crate::ApprovalSlot::new((slot % tsz_ext_sdk::cell::SLOTS) as u8).unwrap_or_default();
    Approver { account: account(n), sub: sub(s), slot }
}
