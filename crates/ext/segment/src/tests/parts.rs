//! The parts of a seal. `reference/tests/seals.rs` has them too, so names come from the module above.

use super::shape::{ARITY, CHECK, DEGREE, DIGEST, QUERIES, Shape};
use super::{Circuit, GLOBALS};

/// Parts of a seal with the number of their words, in order.
pub fn parts(seal: &[u32]) -> Vec<(String, usize)> {
    let circuit = Circuit::rv32im().unwrap();
    let shape = Shape::new(seal[1 + GLOBALS]).unwrap();
    let top = DIGEST << 5;
    let mut parts: Vec<(String, usize)> =
        vec![("version".into(), 1), ("globals".into(), GLOBALS), ("size".into(), 1)];
    parts.extend(["code", "data", "accum", "check"].map(|name| (format!("top of {name}"), top)));
    parts.push(("coefficients".into(), DEGREE * circuit.taps));
    parts.push(("check".into(), DEGREE * CHECK));
    parts.extend((0..shape.rounds.len()).map(|k| (format!("top of round {k}"), top)));
    parts.push(("last".into(), DEGREE * shape.last));
    let rows = circuit.widths.into_iter().chain([CHECK]).map(|width| (shape.log_domain(), width));
    let folds = shape.rounds.iter().map(|log| (*log, ARITY * DEGREE));
    let openings: Vec<(usize, usize)> = rows.chain(folds).collect();
    for query in 0..QUERIES {
        for (k, (log, width)) in openings.iter().enumerate() {
            parts.push((format!("query {query}: row {k}"), *width));
            parts.push((format!("query {query}: path {k}"), DIGEST * (log - 5)));
        }
    }
    parts
}
