//! Steps of a join: which claims are merged, and the results.

use tsz_plonk::gadgets::hash::Digest;
use tsz_plonk::{Builder, Ext, Value};

use crate::claim::Claim;
use crate::join::{JoinError, Step};
use crate::merge::{Side, kind_values, rule_values, rules};
use crate::rules::{Advice, merge};
use crate::wires::{ClaimWires, one_hot_of, one_hot_values};

/// Rules, and with them the choice to keep the last result.
const RULES: usize = 4;
const RULES_OR_KEEP: usize = RULES + 1;

/// Merges two claims of the pool by a rule.
#[track_caller]
pub(crate) fn first(b: &mut Builder, pool: &[ClaimWires]) -> ClaimWires {
    let [left, right] = operands(b, pool);
    rules(b, &left, &right, None)
}

/// Merges two claims of the pool by a rule, or keeps `last`.
#[track_caller]
pub(crate) fn next(b: &mut Builder, pool: &[ClaimWires], last: &ClaimWires) -> ClaimWires {
    let [left, right] = operands(b, pool);
    rules(b, &left, &right, Some(last))
}

#[track_caller]
fn operands(b: &mut Builder, pool: &[ClaimWires]) -> [Side; 2] {
    core::array::from_fn(|_| {
        let claim = chosen(b, pool);
        Side::new(b, claim)
    })
}

/// One claim of the pool, the witness says which.
#[track_caller]
fn chosen(b: &mut Builder, pool: &[ClaimWires]) -> ClaimWires {
    let bits = one_hot_of(b, pool.len());
    let block = |b: &mut Builder, k: usize| -> Digest {
        core::array::from_fn(|q| {
            let zero: Ext = b.zero().into();
            bits.iter()
                .zip(pool)
                .fold(zero, |sum, (bit, claim)| b.mul_add((*bit).into(), claim.blocks[k][q], sum))
        })
    };
    ClaimWires { blocks: core::array::from_fn(|k| block(b, k)) }
}

/// The claim of the last step and the inputs of all steps of a join of children with these claims: those given, then
/// steps that keep the result.
pub(crate) fn values(mut pool: Vec<Claim>, steps: &[Step<'_>]) -> Result<(Claim, Vec<Value>), JoinError> {
    let mut values = Vec::new();
    let mut last = None;
    for k in 0..pool.len().saturating_sub(1) {
        let rules = if k == 0 { RULES } else { RULES_OR_KEEP };
        let none = Advice { leaves: &[], header: None };
        let (left, right, advice) = steps.get(k).map_or((0, 0, none), |s| (s.left, s.right, s.advice));
        let [l, r] = [left, right].map(|at| pool.get(at).copied().ok_or(JoinError::Steps));
        let (l, r) = (l?, r?);
        let (rule, claim) = match (steps.get(k), last) {
            (Some(_), _) => merge(&l, &r, &advice).map(|(rule, claim)| (rule as usize, claim))?,
            (None, Some(last)) => (RULES, last),
            (None, None) => return Err(JoinError::Steps),
        };
        for (at, claim) in [(left, &l), (right, &r)] {
            values.extend(one_hot_values(pool.len(), at));
            values.extend(kind_values(claim));
        }
        values.extend(rule_values((rule, rules), &l, &r, &advice));
        last = Some(claim);
        pool.push(claim);
    }
    Ok((last.ok_or(JoinError::Steps)?, values))
}
