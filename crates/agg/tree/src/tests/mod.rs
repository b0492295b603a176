//! Claims and rules: the circuit against the native merge, and lies.

mod claims;
mod kept;
mod rules;
mod runs;
mod steps;

use tsz_hash::{Digest, F, PrimeCharacteristicRing, ZERO, hash_bytes};
use tsz_ledger::{BatchContext, BatchHeader, Family, SetLeaf, TransitionSet};

use crate::{Advice, Batches, Claim, ExecRange, PartialSet, merge};

fn digest(name: &str) -> Digest {
    hash_bytes(name.as_bytes())
}

/// A batch of 9 ops of three algorithms, of which the first one is proven in two ranges.
struct Batch {
    header: BatchHeader,
    leaves: Vec<SetLeaf>,
    /// Two ranges of the first leaf, then the other leaves.
    ranges: Vec<ExecRange>,
}

fn batch(number: u64, time: u64, s0: &str, sn: &str) -> Batch {
    let context = BatchContext { system: digest("system"), batch: number, time, params: digest("params") };
    let families = [Family::Fund, Family::Spot, Family::Perp];
    let leaf = |(k, family): (usize, Family)| SetLeaf {
        algorithm: family.algorithm(),
        count: 2 + k as u32,
        commitment: digest(&format!("end {number} {k}")),
    };
    let mut leaves: Vec<SetLeaf> = families.into_iter().enumerate().map(leaf).collect();
    leaves.sort_by_key(|l| crate::rules::order(&l.algorithm));
    let set_root = TransitionSet::new(leaves.clone()).unwrap().root();
    let ops = leaves.iter().map(|l| l.count).sum();
    let header = BatchHeader { context, s0: digest(s0), sn: digest(sn), ops, set_root };
    let c = context.digest();
    let whole = |l: &SetLeaf| ExecRange {
        algorithm: l.algorithm,
        context: c,
        count: l.count,
        begins: u32::from(l.algorithm == Family::Fund.algorithm()),
        start: c,
        end: l.commitment,
    };
    let mut ranges: Vec<ExecRange> = leaves.iter().map(whole).collect();
    let (first, middle) = (ranges[0], digest("middle"));
    ranges[0] = ExecRange { count: 1, end: middle, ..first };
    ranges.insert(1, ExecRange { count: first.count - 1, begins: 0, start: middle, ..first });
    Batch { header, leaves, ranges }
}

impl Batch {
    fn advice(&self) -> Advice<'_> {
        Advice { leaves: &self.leaves, header: Some(&self.header) }
    }

    /// Every claim on the way to the batch's: ranges, first leaf, partial sets, transition, batch.
    fn claims(&self) -> Vec<Claim> {
        let mut claims: Vec<Claim> = self.ranges.iter().map(|r| Claim::Exec(*r)).collect();
        let advice = self.advice();
        let join = |l: &Claim, r: &Claim| merge(l, r, &advice).unwrap().1;
        let mut set = join(&claims[0], &claims[1]);
        claims.push(set);
        for k in 2..4 {
            set = join(&set, &claims[k]);
            claims.push(set);
        }
        let transition = Claim::Transition(self.header.transition());
        let whole = join(&transition, &set);
        claims.extend([transition, whole]);
        claims
    }
}

/// Claims that differ from an honest one in one respect.
fn variants(claim: &Claim) -> Vec<Claim> {
    let other = digest("other");
    let mut out = Vec::new();
    match *claim {
        Claim::Exec(c) => {
            let changed = [
                ExecRange { algorithm: Family::Oracle.algorithm(), ..c },
                ExecRange { algorithm: ZERO, ..c },
                ExecRange { context: other, ..c },
                ExecRange { count: c.count + 1, ..c },
                ExecRange { count: (1 << 24) - 1, ..c },
                ExecRange { begins: c.begins + 1, ..c },
                ExecRange { begins: 0, ..c },
                ExecRange { start: other, ..c },
                ExecRange { end: other, ..c },
            ];
            out.extend(changed.map(Claim::Exec));
        }
        Claim::Set(c) => {
            let changed = [
                PartialSet { ops: c.ops + 1, ..c },
                PartialSet { begins: 2, ..c },
                PartialSet { begins: 0, ..c },
                PartialSet { leaves: c.leaves + 1, ..c },
                PartialSet { leaves: 1, ..c },
                PartialSet { last: other, ..c },
                PartialSet { context: other, ..c },
                PartialSet { root: other, ..c },
            ];
            out.extend(changed.map(Claim::Set));
        }
        Claim::Transition(c) => {
            let changed = [
                tsz_ledger::TransitionClaim { ops: c.ops + 1, ..c },
                tsz_ledger::TransitionClaim { context: other, ..c },
                tsz_ledger::TransitionClaim { set_root: other, ..c },
                tsz_ledger::TransitionClaim { s0: other, ..c },
                tsz_ledger::TransitionClaim { sn: other, ..c },
            ];
            out.extend(changed.map(Claim::Transition));
        }
        Claim::Batches(c) => {
            let changed = [
                Batches { count: 2, ..c },
                Batches { system: other, ..c },
                Batches { first: c.first + 1, last: c.last + 1, ..c },
                Batches { first: c.first.saturating_sub(1), last: c.last.saturating_sub(1), ..c },
                Batches { first_time: c.first_time - 1, last_time: c.last_time - 1, ..c },
                Batches { first_time: c.first_time + (1 << 24), last_time: c.last_time + (1 << 24), ..c },
                Batches { headers: other, ..c },
                Batches { s0: other, ..c },
                Batches { sn: other, ..c },
            ];
            out.extend(changed.map(Claim::Batches));
        }
    }
    out
}

fn one() -> F {
    F::ONE
}
