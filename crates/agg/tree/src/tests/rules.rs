//! The rules of joins as a circuit of their own, without the proofs of the children.

use tsz_plonk::gadgets::hash;
use tsz_plonk::{Builder, Program, RunError, Value};
use tsz_stark::{F, Profile};

use super::*;
use crate::Rule;
use crate::join::{read_side, side_values};
use crate::merge::{rule_values, rules};

const RULES: [Rule; 4] = [Rule::Range, Rule::Set, Rule::Batch, Rule::Chain];

fn circuit() -> Program {
    let mut b = Builder::new();
    let (left, right) = (read_side(&mut b).0, read_side(&mut b).0);
    let claim = rules(&mut b, &left, &right, None);
    let digest = claim.digest(&mut b);
    hash::expose(&mut b, digest);
    Program::fitted(b, Profile::InsecureNode).unwrap()
}

fn is_join(claim: &Claim) -> bool {
    matches!(claim, Claim::Set(_) | Claim::Batches(_))
}

fn inputs(rule: Rule, l: &Claim, r: &Claim, advice: &Advice<'_>) -> Vec<Value> {
    let mut values = side_values(l, is_join(l));
    values.extend(side_values(r, is_join(r)));
    values.extend(rule_values((rule as usize, 4), l, r, advice));
    values
}

fn run(program: &Program, rule: Rule, l: &Claim, r: &Claim, a: &Advice<'_>) -> Result<Vec<F>, RunError> {
    program.run(&inputs(rule, l, r, a)).map(|witness| witness.publics)
}

/// Every pair of claims of two batches and of all their variants, under every rule.
#[test]
fn the_circuit_merges_what_the_native_rules_merge_and_nothing_else() {
    let program = circuit();
    println!("{:?}", program.rows());
    let batches = [batch(7, 1_000, "a", "b"), batch(8, 1_000, "b", "c")];
    let mut merged = [0; 4];
    for (k, own) in batches.iter().enumerate() {
        let (first, second) = (own.claims(), batches[1].claims());
        let spread = |claims: &[Claim]| -> Vec<Claim> {
            claims.iter().flat_map(|c| std::iter::once(*c).chain(variants(c))).collect()
        };
        for l in spread(&first) {
            let rights = if k == 0 { [first.clone(), second.clone()].concat() } else { spread(&second) };
            for r in &rights {
                let expected = merge(&l, r, &own.advice());
                for rule in RULES {
                    let got = run(&program, rule, &l, r, &own.advice());
                    match &expected {
                        Ok((native, claim)) if *native == rule => {
                            assert_eq!(got.unwrap(), claim.digest(), "{rule:?} {l:?} {r:?}");
                            merged[rule as usize] += 1;
                        }
                        _ => assert!(got.is_err(), "{rule:?} {l:?} {r:?}: {expected:?}"),
                    }
                }
            }
        }
    }
    assert!(merged.iter().all(|n| *n > 1), "{merged:?}");
}

/// Whatever the witness says, the digest is that of the native merge.
#[test]
fn no_other_witness_gives_another_claim() {
    let program = circuit();
    let batches = [batch(7, 1_000, "a", "b"), batch(8, 1_000, "b", "c")];
    let (c, next) = (batches[0].claims(), batches[1].claims());
    let (whole, next) = (c[c.len() - 1], next[next.len() - 1]);
    let transition = c[c.len() - 2];
    for (rule, l, r) in [
        (Rule::Range, c[0], c[1]),
        (Rule::Set, c[4], c[2]),
        (Rule::Set, c[5], c[3]),
        (Rule::Batch, transition, c[6]),
        (Rule::Chain, whole, next),
    ] {
        let advice = batches[0].advice();
        let honest = inputs(rule, &l, &r, &advice);
        let expected = program.run(&honest).unwrap().publics;
        // The two claims are bound by the children's proofs; what follows them is the witness's.
        let sides = 2 * side_values(&l, true).len();
        let mut refused = 0;
        for at in sides..honest.len() {
            for delta in [Value::ONE, -Value::ONE] {
                let mut wrong = honest.clone();
                wrong[at] += delta;
                match program.run(&wrong) {
                    Ok(witness) => assert_eq!(witness.publics, expected, "{rule:?} input {at}"),
                    Err(_) => refused += 1,
                }
            }
        }
        // The bits of the rule and of the first felt that differs, at least.
        assert!(refused >= 24, "{rule:?}: {refused}");
    }
}

#[test]
fn batch_numbers_carry_and_times_borrow() {
    let program = circuit();
    let edge = (1 << 24) - 1;
    for (number, times) in [(edge, [5, 5]), (edge | 9 << 24, [edge, 1 << 24]), (3, [edge, edge + 7])] {
        let batches = [batch(number, times[0], "a", "b"), batch(number + 1, times[1], "b", "c")];
        let [l, r] = batches.each_ref().map(|b| *b.claims().last().unwrap());
        let (rule, claim) = merge(&l, &r, &batches[1].advice()).unwrap();
        let got = run(&program, rule, &l, &r, &batches[1].advice()).unwrap();
        assert_eq!(got, claim.digest());
        // A carry denied, a borrow invented.
        let honest = inputs(rule, &l, &r, &batches[1].advice());
        for back in 1..=2 {
            let mut wrong = honest.clone();
            let at = honest.len() - back;
            wrong[at] = Value::ONE - wrong[at];
            assert!(program.run(&wrong).is_err(), "{number} {times:?} {back}");
        }
    }
}

#[test]
fn a_lift_claims_no_set_and_no_batches_and_a_join_no_transition() {
    let program = circuit();
    let own = batch(7, 1_000, "a", "b");
    let claims = own.claims();
    let (set, transition) = (claims[6], claims[7]);
    for (l_join, r_join) in [(false, false), (true, true)] {
        let mut values = side_values(&transition, l_join);
        values.extend(side_values(&set, r_join));
        values.extend(rule_values((Rule::Batch as usize, 4), &transition, &set, &own.advice()));
        assert!(program.run(&values).is_err(), "{l_join} {r_join}");
    }
    run(&program, Rule::Batch, &transition, &set, &own.advice()).unwrap();
}

#[test]
fn a_batch_of_one_leaf_needs_no_set() {
    let program = circuit();
    let mut own = batch(7, 1_000, "a", "b");
    own.leaves.retain(|l| l.algorithm == Family::Fund.algorithm());
    let set = TransitionSet::new(own.leaves.clone()).unwrap();
    (own.header.set_root, own.header.ops) = (set.root(), own.leaves[0].count);
    let fund = own.leaves[0];
    let c = own.header.context.digest();
    let range = Claim::Exec(ExecRange {
        algorithm: fund.algorithm,
        context: c,
        count: fund.count,
        begins: 1,
        start: c,
        end: fund.commitment,
    });
    let transition = Claim::Transition(own.header.transition());
    let (rule, claim) = merge(&transition, &range, &own.advice()).unwrap();
    assert_eq!(run(&program, rule, &transition, &range, &own.advice()).unwrap(), claim.digest());
}
