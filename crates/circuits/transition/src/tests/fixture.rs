//! Batches over a random state, and the direct check of their witness.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tsz_air::{F, PrimeCharacteristicRing, Violation, check};
use tsz_hash::Digest;
use tsz_ledger::{Access, AlgorithmId, BatchContext, Family, Key, Realm};
use tsz_smt::Tree;
use tsz_stark::Profile;

use crate::class::{CLASSES, Class};
use crate::prove::public_values;
use crate::witness::Witness;

/// Ops with their algorithm ids.
pub type Ops = Vec<(AlgorithmId, Vec<Access>)>;

pub const TINY: &Class = &CLASSES[0];

/// Classes that are made for transfers, with their number and that of active accounts.
pub const TRANSFERS: [(&str, usize, usize); 5] = [
    ("tiny", 8, 16),
    ("small", 64, 128),
    ("moderate", 256, 400),
    ("medium", 1024, 1000),
    ("large", 8192, 2000),
];

pub fn context() -> BatchContext {
    BatchContext { system: value(1), batch: 7, time: 1_700_000_000_000, params: value(2) }
}

pub fn value(seed: u32) -> Digest {
    core::array::from_fn(|k| F::from_u32(1000 * seed + k as u32))
}

fn digest(rng: &mut StdRng) -> Digest {
    core::array::from_fn(|_| F::from_u32(rng.random_range(0..1 << 24)))
}

/// A random key: users of both realms, with neighbours, and system cells.
fn key(rng: &mut StdRng) -> Key {
    let realm = if rng.random() { Realm::Private } else { Realm::Published };
    match rng.random_range(0..8) {
        0 => Key::system(realm, rng.random_range(0..64), rng.random()),
        1 => Key::user(realm, 5, 0, rng.random_range(0..512)),
        _ => {
            Key::user(realm, rng.random_range(0..1 << 24), rng.random_range(0..32), rng.random_range(0..512))
        }
    }
}

/// What a random batch looks like.
#[derive(Clone, Copy)]
pub struct Shape {
    /// Ops.
    pub ops: usize,
    /// Accesses of an op, at most.
    pub accesses: usize,
    /// Cells that the ops choose from.
    pub cells: usize,
    /// Algorithm ids, at most.
    pub algorithms: usize,
}

/// A random state and a batch on it, with repeated cells, empty cells, deletions and writes of the old value.
pub fn batch(seed: u64, shape: Shape) -> (Tree, Ops) {
    let mut rng = StdRng::seed_from_u64(seed);
    let cells: Vec<Key> = (0..shape.cells).map(|_| key(&mut rng)).collect();
    let mut leaves = std::collections::BTreeMap::new();
    let others: Vec<Key> = (0..2 * shape.cells).map(|_| key(&mut rng)).collect();
    for at in cells.iter().chain(&others) {
        // some cells exist, some do not
        if rng.random() {
            leaves.insert(at.raw(), digest(&mut rng));
        }
    }
    let tree = Tree::from_leaves(&leaves.clone().into_iter().collect::<Vec<_>>()).unwrap();
    let mut ops = Ops::new();
    for _ in 0..shape.ops {
        let mut log = Vec::new();
        for _ in 0..rng.random_range(1..=shape.accesses) {
            let key = cells[rng.random_range(0..cells.len())];
            let old = leaves.get(&key.raw()).copied().unwrap_or_default();
            let new = match rng.random_range(0..6) {
                0 => old,
                1 => Digest::default(),
                _ => digest(&mut rng),
            };
            if rng.random() {
                leaves.insert(key.raw(), new);
                log.push(Access::write(key, old, new));
            } else {
                log.push(Access::read(key, old));
            }
        }
        ops.push((algorithm(rng.random_range(0..shape.algorithms)), log));
    }
    (tree, ops)
}

/// Transfers between random ones of `active` accounts below 2^20: the accesses of the fund family's rule.
pub fn transfers(seed: u64, ops: usize, active: usize) -> (Tree, Ops) {
    let mut rng = StdRng::seed_from_u64(seed);
    let accounts: Vec<u32> = (0..active).map(|_| rng.random_range(2..1 << 20)).collect();
    let mut state = std::collections::BTreeMap::new();
    state.insert(Key::HEAD.raw(), digest(&mut rng));
    for _ in 0..active {
        // neighbours that the batch does not touch
        let other = rng.random_range(2..1 << 20);
        state.insert(Key::bal(other, 0, 0).raw(), digest(&mut rng));
    }
    for &account in &accounts {
        for key in
            [Key::key_a(account, 0), Key::key_b(account, 0), Key::ctl(account, 0), Key::bal(account, 0, 0)]
        {
            state.insert(key.raw(), digest(&mut rng));
        }
    }
    let tree = Tree::from_leaves(&state.clone().into_iter().collect::<Vec<_>>()).unwrap();
    let mut log = Ops::new();
    for _ in 0..ops {
        let from = accounts[rng.random_range(0..active)];
        let to = accounts[rng.random_range(0..active)];
        let mut access = |key: Key, write: bool| {
            let old = state[&key.raw()];
            let new = if write { digest(&mut rng) } else { old };
            state.insert(key.raw(), new);
            Access { key, write, old, new }
        };
        let accesses = vec![
            access(Key::HEAD, false),
            access(Key::key_a(from, 0), false),
            access(Key::key_b(from, 0), false),
            access(Key::ctl(from, 0), true),
            access(Key::bal(from, 0, 0), true),
            access(Key::bal(to, 0, 0), true),
        ];
        log.push((Family::Fund.algorithm(), accesses));
    }
    (tree, log)
}

/// The k-th of many algorithm ids.
pub fn algorithm(k: usize) -> AlgorithmId {
    let mut id = Family::Fund.algorithm();
    id[7] = F::from_usize(k);
    id
}

/// Why the direct check refuses a witness: `table NAME` or `bus NAME`; `accepted` if it does not.
pub fn verdict_in(class: &Class, witness: &Witness<'_>) -> String {
    let circuit = class.circuit(Profile::InsecureTest);
    let traces = match witness.traces(&circuit.log_heights) {
        Ok(traces) => traces.traces,
        Err(error) => return error.to_string(),
    };
    let publics = public_values(&witness.claim, traces.len());
    match check(&circuit.airs, &traces, &publics) {
        Ok(()) => "accepted".into(),
        Err(Violation::Bus { bus, .. }) => format!("bus {bus}"),
        Err(Violation::Constraint { air, .. } | Violation::Shape { air }) => format!("table {air}"),
    }
}

pub fn verdict(witness: &Witness<'_>) -> String {
    verdict_in(TINY, witness)
}

pub const A: Key = Key::bal(5, 0, 1);
pub const B: Key = Key::bal(6, 3, 0);
pub const C: Key = Key::ctl(6, 3);

/// Three ops of two algorithm ids that share cells: op 1 reads and overwrites what op 0 wrote to `B`.
pub fn story() -> (Tree, Ops) {
    let tree = Tree::from_leaves(&[(A.raw(), value(10)), (B.raw(), value(11)), (Key::HEAD.raw(), value(12))])
        .unwrap();
    let ops = vec![
        (algorithm(1), vec![Access::read(A, value(10)), Access::write(B, value(11), value(20))]),
        (
            algorithm(2),
            vec![
                Access::read(B, value(20)),
                Access::write(B, value(20), value(21)),
                Access::write(C, Digest::default(), value(22)),
            ],
        ),
        (
            algorithm(1),
            vec![
                Access::write(A, value(10), value(10)),
                Access::read(C, value(22)),
                Access::read(Key::HEAD, value(12)),
                Access::write(A, value(10), value(23)),
            ],
        ),
    ];
    (tree, ops)
}

pub fn witness<'a>(tree: &Tree, ops: &'a Ops) -> Witness<'a> {
    Witness::new(&context(), ops, tree).unwrap()
}
