//! The steps of joins of several children as a circuit of their own, without the proofs of the children.

use tsz_plonk::gadgets::hash;
use tsz_plonk::{Builder, Program, Value};
use tsz_stark::Profile;

use super::*;
use crate::join::{JoinError, Step};
use crate::merge::{kind_values, rule_values};
use crate::steps;
use crate::wires::{ClaimWires, one_hot_values};

/// The steps of a join of so many children, whose claims are inputs.
fn circuit(children: usize) -> Program {
    let mut b = Builder::new();
    let mut pool: Vec<ClaimWires> = (0..children).map(|_| ClaimWires::input(&mut b)).collect();
    let mut last = steps::first(&mut b, &pool);
    for _ in 2..children {
        pool.push(last.clone());
        last = steps::next(&mut b, &pool, &last);
    }
    let digest = last.digest(&mut b);
    hash::expose(&mut b, digest);
    Program::fitted(b, Profile::InsecureNode).unwrap()
}

fn claim_values(claims: &[Claim]) -> Vec<Value> {
    claims.iter().flat_map(ClaimWires::values).collect()
}

/// A chain of merges with their advice: `(left, right)` by place.
fn steps_of<'a>(batch: &'a Batch, pairs: &[(usize, usize)]) -> Vec<Step<'a>> {
    pairs.iter().map(|&(left, right)| Step { left, right, advice: batch.advice() }).collect()
}

fn inputs(claims: &[Claim], steps: &[Step<'_>]) -> Result<(Claim, Vec<Value>), JoinError> {
    let (claim, taken) = steps::values(claims.to_vec(), steps)?;
    Ok((claim, [claim_values(claims), taken].concat()))
}

/// Two ranges of the first leaf, the other two leaves, the transition: in the order of [`Batch::claims`] without the
/// merged ones.
fn children(batch: &Batch) -> Vec<Claim> {
    let claims = batch.claims();
    [&claims[..4], &claims[7..8]].concat()
}

#[test]
fn a_whole_batch_is_merged_in_one_join_in_any_order_of_children() {
    let program = circuit(5);
    println!("{:?}", program.rows());
    let own = batch(7, 1_000, "a", "b");
    let claims = children(&own);
    let whole = *own.claims().last().unwrap();
    let (claim, values) = inputs(&claims, &steps_of(&own, &[(0, 1), (5, 2), (6, 3), (4, 7)])).unwrap();
    assert_eq!(claim, whole);
    assert_eq!(program.run(&values).unwrap().publics, whole.digest());
    // The same children in another order of places.
    let places = [claims[4], claims[3], claims[1], claims[0], claims[2]];
    let (claim, values) = inputs(&places, &steps_of(&own, &[(3, 2), (5, 4), (6, 1), (0, 7)])).unwrap();
    assert_eq!(claim, whole);
    assert_eq!(program.run(&values).unwrap().publics, whole.digest());
}

/// Ranges of a later leaf are merged among themselves first: the steps are no chain.
#[test]
fn ranges_of_a_later_leaf_are_merged_before_the_leaf_joins_the_set() {
    let own = batch(7, 1_000, "a", "b");
    let claims = own.claims();
    let Claim::Exec(last) = claims[3] else { panic!("a range") };
    let middle = digest("middle of the last leaf");
    let halves = [
        ExecRange { count: 1, end: middle, ..last },
        ExecRange { count: last.count - 1, begins: 0, start: middle, ..last },
    ];
    let set = claims[5];
    let children = [set, Claim::Exec(halves[0]), Claim::Exec(halves[1])];
    let (claim, values) = inputs(&children, &steps_of(&own, &[(1, 2), (0, 3)])).unwrap();
    assert_eq!(claim, claims[6]);
    assert_eq!(circuit(3).run(&values).unwrap().publics, claim.digest());
}

#[test]
fn fewer_children_than_places_leave_a_claim_unused_and_keep_the_last_result() {
    let program = circuit(4);
    let own = batch(7, 1_000, "a", "b");
    let claims = own.claims();
    let places = [claims[0], claims[1], claims[1], claims[0]];
    for pairs in [&[(0, 1)][..], &[(3, 1)], &[(0, 2)], &[(3, 2)]] {
        let (claim, values) = inputs(&places, &steps_of(&own, pairs)).unwrap();
        assert_eq!(claim, claims[4]);
        assert_eq!(program.run(&values).unwrap().publics, claim.digest());
    }
    // Something has to be merged, by no more steps than there are, of claims that there are.
    for pairs in [&[][..], &[(0, 4)], &[(0, 1), (5, 2)]] {
        assert!(inputs(&places, &steps_of(&own, pairs)).is_err(), "{pairs:?}");
    }
}

/// What the witness says of one step: places, rule, and the claims for which the rest of it is made.
struct Said<'a> {
    left: Vec<Value>,
    right: Vec<Value>,
    rule: (usize, usize),
    claims: [&'a Claim; 2],
    advice: Advice<'a>,
}

impl Said<'_> {
    fn values(&self) -> Vec<Value> {
        let [l, r] = self.claims;
        let mut values = [self.left.clone(), kind_values(l), self.right.clone(), kind_values(r)].concat();
        values.extend(rule_values(self.rule, l, r, &self.advice));
        values
    }
}

/// Every pair of places under every rule, and the choice to keep, in both steps of a join of three: what comes out is
/// what the native rules make of these two claims, or nothing.
#[test]
fn any_two_claims_are_merged_as_the_native_rules_say_or_not_at_all() {
    let program = circuit(3);
    let batches = [batch(7, 1_000, "a", "b"), batch(8, 1_000, "b", "c")];
    let (c, next) = (batches[0].claims(), batches[1].claims());
    let pools = [
        [c[0], c[1], c[2]],
        [c[4], c[2], c[7]],
        [c[5], c[3], c[7]],
        [c[7], c[6], next[8]],
        [c[8], next[7], next[6]],
    ];
    let mut merged = 0;
    for pool in pools {
        for own in &batches {
            let advice = own.advice();
            let say = |pool: &[Claim], k: usize, rule: usize, rules: usize| {
                let (left, right) = (k / pool.len(), k % pool.len());
                let places = [left, right].map(|at| one_hot_values(pool.len(), at));
                let [l, r] = places;
                let claims = [&pool[left], &pool[right]];
                let said = Said { left: l, right: r, rule: (rule, rules), claims, advice };
                let native = merge(claims[0], claims[1], &advice).ok();
                (said.values(), native.filter(|(native, _)| *native as usize == rule).map(|(_, claim)| claim))
            };
            for (first, rule) in (0..9).flat_map(|k| (0..4).map(move |rule| (k, rule))) {
                let (values, made) = say(&pool, first, rule, 4);
                let values = [claim_values(&pool), values].concat();
                let Some(made) = made else {
                    let (rest, _) = say(&[pool[0], pool[1], pool[2], pool[0]], 0, 4, 5);
                    assert!(program.run(&[values, rest].concat()).is_err(), "{first} {rule}");
                    continue;
                };
                merged += 1;
                let grown = [pool[0], pool[1], pool[2], made];
                for (second, rule) in (0..16).flat_map(|k| (0..5).map(move |rule| (k, rule))) {
                    let (rest, native) = say(&grown, second, rule, 5);
                    let expected = if rule == 4 { Some(made) } else { native };
                    let got = program.run(&[values.clone(), rest].concat()).ok().map(|w| w.publics);
                    assert_eq!(got, expected.map(|claim| claim.digest().to_vec()), "{first} {second} {rule}");
                }
            }
        }
    }
    assert!(merged > 5, "{merged}");
}

/// Places that are no choice of one: two claims at once, none, shares of claims.
#[test]
fn sums_of_claims_are_no_claim() {
    let program = circuit(3);
    let own = batch(7, 1_000, "a", "b");
    let claims = own.claims();
    let pool = [claims[0], claims[1], claims[0]];
    let honest = || Said {
        left: one_hot_values(3, 0),
        right: one_hot_values(3, 1),
        rule: (0, 4),
        claims: [&pool[0], &pool[1]],
        advice: own.advice(),
    };
    let keep = Said {
        left: one_hot_values(4, 0),
        right: one_hot_values(4, 0),
        rule: (4, 5),
        claims: [&pool[0], &pool[0]],
        advice: own.advice(),
    };
    let run = |said: &Said<'_>, keep: &Said<'_>| {
        program.run(&[claim_values(&pool), said.values(), keep.values()].concat()).map(|w| w.publics)
    };
    assert_eq!(run(&honest(), &keep).unwrap(), claims[4].digest());
    let half = Value::ONE.halve();
    let (one, none) = (Value::ONE, Value::ZERO);
    // Both copies of the first claim in equal shares are that claim, and two of it less one is too.
    for left in [[half, none, half], [one + one, none, -one], [none; 3], [one, none, one], [one, one, -one]] {
        assert!(run(&Said { left: left.to_vec(), ..honest() }, &keep).is_err(), "{left:?}");
    }
    // No rule, two rules.
    let at = honest().values().len() - rule_values((0, 4), &pool[0], &pool[1], &own.advice()).len();
    for (rule, by) in [(0, -one), (3, one), (0, half)] {
        let mut values = [claim_values(&pool), honest().values(), keep.values()].concat();
        values[claim_values(&pool).len() + at + rule] += by;
        assert!(program.run(&values).is_err(), "{rule}");
    }
    // Keeping is a rule like the others: kept and merged at once is nothing.
    let mut values = [claim_values(&pool), honest().values(), keep.values()].concat();
    let at = values.len() - rule_values((4, 5), &pool[0], &pool[0], &own.advice()).len();
    values[at] += one;
    assert!(program.run(&values).is_err());
    values[at + 4] -= one;
    assert!(program.run(&values).is_err(), "a range of the first claim with itself");
}

/// Whatever else the witness says, the digest is that of the native merges.
#[test]
fn no_other_witness_gives_another_claim_of_several() {
    let program = circuit(3);
    let own = batch(7, 1_000, "a", "b");
    let claims = own.claims();
    for (pool, pairs) in [
        ([claims[0], claims[1], claims[2]], &[(0, 1), (3, 2)][..]),
        ([claims[7], claims[5], claims[3]], &[(1, 2), (0, 3)]),
        ([claims[0], claims[1], claims[0]], &[(0, 1)]),
    ] {
        let (claim, honest) = inputs(&pool, &steps_of(&own, pairs)).unwrap();
        let expected = claim.digest();
        let (mut refused, bound) = (0, claim_values(&pool).len());
        for at in bound..honest.len() {
            for delta in [Value::ONE, -Value::ONE] {
                let mut wrong = honest.clone();
                wrong[at] += delta;
                match program.run(&wrong) {
                    Ok(witness) => assert_eq!(witness.publics, expected, "input {at}"),
                    Err(_) => refused += 1,
                }
            }
        }
        assert!(refused >= 80, "{refused}");
    }
}

#[test]
fn a_count_that_overflows_is_refused_in_a_later_step_too() {
    let own = batch(7, 1_000, "a", "b");
    let claims = own.claims();
    let Claim::Exec(first) = claims[0] else { panic!("a range") };
    let (x, y) = (digest("x"), digest("y"));
    let large = (1 << 24) - 2;
    let ranges = [
        ExecRange { count: 1, end: x, ..first },
        ExecRange { count: large, begins: 0, start: x, end: y, ..first },
        ExecRange { count: 1, begins: 0, start: y, ..first },
    ]
    .map(Claim::Exec);
    let program = circuit(3);
    let steps = steps_of(&own, &[(0, 1), (3, 2)]);
    assert!(inputs(&ranges, &steps).is_err());
    let mut values = [claim_values(&ranges), Vec::new()].concat();
    let made = merge(&ranges[0], &ranges[1], &own.advice()).unwrap().1;
    for (left, right, rules, pool) in [(0, 1, 4, ranges.to_vec()), (3, 2, 5, [&ranges[..], &[made]].concat())]
    {
        let said = Said {
            left: one_hot_values(pool.len(), left),
            right: one_hot_values(pool.len(), right),
            rule: (0, rules),
            claims: [&pool[left], &pool[right]],
            advice: own.advice(),
        };
        values.extend(said.values());
    }
    assert!(program.run(&values).is_err());
    // Kept, the sum of the first two is what comes out.
    let (claim, values) = inputs(&ranges, &steps[..1]).unwrap();
    assert_eq!((claim, program.run(&values).unwrap().publics), (made, made.digest().to_vec()));
}
