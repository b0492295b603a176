//! Keys of extension operations in the tree: programs of runs, and lifts of the guard that take them.

use serde::Serialize;
use tsz_segment::{CONJECTURED_BITS, PROVEN_BITS};
use tsz_segment_program::{PARTS, RUNS, part_name, run_algorithm, run_name};
use tsz_tree::{RUN_JOINS, run_join_name};

use super::{Pin, Pins};
use crate::aggregate::{RUN_SEGMENTS, guest_lift_name};
use crate::hexdigest::Hex;

/// Whether a node has the name and the algorithm id of a program of runs, or of a part of one.
pub(super) fn is_run(node: &Pin) -> bool {
    let named = RUNS.iter().any(|list| run_name(list) == node.name)
        || PARTS.iter().any(|po2| part_name(*po2) == node.name);
    named && is_under_run_algorithm(node) && node.runs.is_empty()
}

fn is_under_run_algorithm(node: &Pin) -> bool {
    node.algorithm == Hex(run_algorithm()) && node.lifts.is_none()
}

impl Pins {
    /// A lift of the guard takes runs under the pinned keys of all programs of one form, and under no other.
    pub(super) fn is_guest_lift(&self, node: &Pin) -> bool {
        let of = |guard: &Pin, segments: usize| {
            node.name == guest_lift_name(&guard.name, segments)
                && node.lifts == Some(guard.digest)
                && node.algorithm == guard.algorithm
                && self.runs(segments).is_ok_and(|runs| node.runs == runs)
        };
        self.guard.iter().any(|guard| RUN_SEGMENTS.iter().any(|segments| of(guard, *segments)))
    }

    /// A join of parts of runs takes the pinned keys of the programs below it, and no other.
    pub(super) fn is_run_join(&self, node: &Pin) -> bool {
        let level = RUN_JOINS.iter().position(|segments| run_join_name(*segments) == node.name);
        let takes = |level| self.run_children(level).is_ok_and(|runs| node.runs == runs);
        is_under_run_algorithm(node) && level.is_some_and(takes)
    }

    /// Digests of the pinned keys of the programs that prove runs of at most so many segments, of [`RUN_SEGMENTS`], in
    /// their order: what lifts of the guard take.
    ///
    /// # Errors
    /// The name of the first one that is not pinned.
    pub fn runs(&self, segments: usize) -> Result<Vec<Hex>, String> {
        match segments {
            1 => self.run_keys(RUNS.iter().map(|list| run_name(list))),
            _ => self.run_keys(RUN_JOINS.into_iter().map(run_join_name)),
        }
    }

    /// Digests of the pinned keys of the programs whose proofs the join of a level takes, in their order.
    ///
    /// # Errors
    /// The name of the first one that is not pinned.
    pub fn run_children(&self, level: usize) -> Result<Vec<Hex>, String> {
        match level.checked_sub(1) {
            None => self.run_keys(PARTS.iter().map(|po2| part_name(*po2))),
            Some(below) => self.run_keys(RUN_JOINS.get(below).into_iter().map(|n| run_join_name(*n))),
        }
    }

    fn run_keys(&self, names: impl Iterator<Item = String>) -> Result<Vec<Hex>, String> {
        let is_known = |node: &Pin| is_run(node) || self.is_run_join(node);
        let pinned = |name: String| {
            let pin = self.node.iter().find(|node| node.name == name && is_known(node));
            pin.map(|pin| pin.digest).ok_or(name)
        };
        names.map(pinned).collect()
    }

    /// What proofs under these pins are worth where batches may hold operations of programs; none if they may not.
    pub fn run_security(&self) -> Option<RunSecurity> {
        let programs: Vec<String> = self.program.iter().map(|program| program.name.clone()).collect();
        let (conjectured_bits, proven_bits) = (CONJECTURED_BITS, PROVEN_BITS);
        (!programs.is_empty()).then_some(RunSecurity { programs, conjectured_bits, proven_bits })
    }
}

/// Security of a batch that may hold operations of programs: that of the segment proofs of their runs, the weakest part.
/// Nobody sees from an aggregation proof whether it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunSecurity {
    /// The admitted programs.
    pub programs: Vec<String>,
    /// Under conjectures about list decoding, by risc0's own count.
    pub conjectured_bits: u32,
    /// By theorems alone, rounded.
    pub proven_bits: u32,
}

impl std::fmt::Display for RunSecurity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { programs, conjectured_bits, proven_bits } = self;
        let programs = programs.join(", ");
        write!(
            f,
            "operations of programs ({programs}) may be among them: their runs are proven to {conjectured_bits} \
             conjectured bits, about {proven_bits} proven ones"
        )
    }
}

#[cfg(test)]
mod tests {
    use tsz_ext::pinned_guests;
    use tsz_hash::{Digest, hash_bytes};
    use tsz_tree::join_algorithm;
    use tsz_vktree::VkEntry;

    use super::*;
    use crate::pins::tests::pin;
    use crate::pins::{PinError, ProgramPin};

    fn node(name: &str, algorithm: Digest) -> Pin {
        let (family, class) = name.split_once('/').unwrap();
        let (family, class) = (family.to_owned(), class.to_owned());
        let (algorithm, digest) = (Hex(algorithm), Hex(hash_bytes(name.as_bytes())));
        Pin { name: name.to_owned(), family, class, algorithm, digest, ..pin("small") }
    }

    fn grid() -> ProgramPin {
        ProgramPin::from(pinned_guests().unwrap().iter().find(|guest| guest.name == "grid").unwrap())
    }

    /// Pins with one program, and the lift of the guard with runs in one segment.
    fn guests(change: impl Fn(&mut Vec<Pin>)) -> Result<Pins, PinError> {
        let guard = node("guard/small", Digest::default());
        let mut nodes: Vec<Pin> = RUNS.iter().map(|list| node(&run_name(list), run_algorithm())).collect();
        let mut lift = node("lift-guard/small@1", Digest::default());
        (lift.lifts, lift.runs) = (Some(guard.digest), nodes.iter().map(|run| run.digest).collect());
        nodes.insert(0, lift);
        change(&mut nodes);
        Pins::with_programs(vec![pin("small")], nodes, vec![guard], vec![grid()])
    }

    /// Pins with one program, and the lift of the guard with joined runs: lift, joins, parts.
    fn joined(change: impl Fn(&mut Vec<Pin>)) -> Result<Pins, PinError> {
        let guard = node("guard/small", Digest::default());
        let parts: Vec<Pin> = PARTS.iter().map(|po2| node(&part_name(*po2), run_algorithm())).collect();
        let digests = |pins: &[Pin]| pins.iter().map(|pin| pin.digest).collect::<Vec<_>>();
        let mut joins = RUN_JOINS.map(|n| node(&run_join_name(n), run_algorithm()));
        joins[0].runs = digests(&parts);
        joins[1].runs = digests(&joins[..1]);
        let mut lift = node("lift-guard/small@16", Digest::default());
        (lift.lifts, lift.runs) = (Some(guard.digest), digests(&joins));
        let mut nodes = [vec![lift], joins.to_vec(), parts].concat();
        change(&mut nodes);
        Pins::with_programs(vec![pin("small")], nodes, vec![guard], vec![grid()])
    }

    #[test]
    fn joins_of_runs_count_for_no_program_and_take_the_pinned_keys_below_them() {
        let pins = joined(|_| ()).unwrap();
        assert_eq!(Pins::parse(&pins.to_toml().unwrap()).unwrap(), pins);
        let (tree, grid) = (pins.tree().unwrap(), grid().algorithm.0);
        let listed = |algorithm, name: &str| {
            let vk = hash_bytes(name.as_bytes());
            tree.prove(&VkEntry { algorithm, vk }).is_some()
        };
        assert!(listed(grid, "lift-guard/small@16"));
        for name in ["run-join/4", "run-join/16", "run-part/18"] {
            assert!(listed(run_algorithm(), name) && !listed(grid, name), "{name}");
        }
        let refused = |what: &str, change: &dyn Fn(&mut Vec<Pin>)| {
            assert!(matches!(joined(change), Err(PinError::Stale(_) | PinError::Kind(_))), "{what}");
        };
        refused("no parts", &|nodes| nodes[1].runs.clear());
        refused("a part less", &|nodes| nodes[1].runs.truncate(1));
        refused("another part", &|nodes| nodes[3].digest = pin("large").digest);
        refused("another lower join", &|nodes| nodes[1].digest = pin("large").digest);
        refused("a lower join that takes itself", &|nodes| nodes[1].runs = vec![nodes[1].digest]);
        refused("an upper join of parts", &|nodes| nodes[2].runs = nodes[1].runs.clone());
        refused("a join under no algorithm", &|nodes| nodes[1].algorithm = Hex(Digest::default()));
        refused("a join under the id of joins", &|nodes| nodes[1].algorithm = Hex(join_algorithm()));
        refused("a part that takes runs", &|nodes| nodes[3].runs = vec![nodes[1].digest]);
        refused("a lift that takes parts", &|nodes| nodes[0].runs = nodes[1].runs.clone());
        refused("a lift that takes one join", &|nodes| nodes[0].runs.truncate(1));
        let join = node("join/15-15", join_algorithm());
        assert!(joined(|nodes| nodes.push(join.clone())).is_ok());
        refused("a join of nodes that takes runs", &|nodes| {
            nodes.push(Pin { runs: nodes[2].runs.clone(), ..join.clone() });
        });
        refused("a join of another size", &|nodes| {
            (nodes[1].name, nodes[1].class) = ("run-join/8".to_owned(), "8".to_owned());
        });
    }

    #[test]
    fn rejects_base_keys_under_the_id_of_a_program_or_a_reserved_one() {
        for algorithm in [grid().algorithm.0, run_algorithm(), join_algorithm()] {
            let guard = node("guard/small", Digest::default());
            let key = node("grid/small", algorithm);
            let with = Pins::with_programs(vec![key], vec![], vec![guard], vec![grid()]);
            assert!(matches!(with, Err(PinError::Kind(_))));
        }
    }

    #[test]
    fn keys_of_the_guard_and_their_lifts_are_listed_for_each_program() {
        let pins = guests(|_| ()).unwrap();
        assert_eq!(Pins::parse(&pins.to_toml().unwrap()).unwrap(), pins);
        let (tree, grid) = (pins.tree().unwrap(), grid().algorithm.0);
        let listed = |algorithm, name: &str| {
            let vk = hash_bytes(name.as_bytes());
            tree.prove(&VkEntry { algorithm, vk }).is_some()
        };
        for name in ["guard/small", "lift-guard/small@1"] {
            assert!(listed(grid, name) && !listed(Digest::default(), name), "{name}");
        }
        assert!(listed(run_algorithm(), "run/15") && !listed(grid, "run/15"));
        assert_eq!(pins.run_security().unwrap().programs, ["grid"]);
        // who admits no program lists neither
        let none = Pins { program: vec![], ..pins.clone() };
        assert_eq!(none.run_security(), None);
        assert_eq!(none.tree().unwrap().entries().len(), pins.tree().unwrap().entries().len() - 2);
        assert!(matches!(Pins::parse(&none.to_toml().unwrap()), Err(PinError::Root { .. })));
    }

    #[test]
    fn rejects_lifts_of_the_guard_that_take_other_runs_than_the_pinned_ones() {
        let stale = |what: &str, change: &dyn Fn(&mut Vec<Pin>)| {
            assert!(matches!(guests(change), Err(PinError::Stale(_))), "{what}");
        };
        stale("no runs", &|nodes| nodes[0].runs.clear());
        stale("a run less", &|nodes| nodes[0].runs.truncate(1));
        stale("another order", &|nodes| nodes[0].runs.swap(0, 1));
        stale("a run that is not pinned", &|nodes| drop(nodes.pop()));
        stale("a run of another key", &|nodes| nodes[2].digest = pin("large").digest);
        stale("another key of the guard", &|nodes| nodes[0].lifts = Some(pin("small").digest));
        stale("an algorithm of its own", &|nodes| nodes[0].algorithm = pin("small").algorithm);
        let rename = |nodes: &mut Vec<Pin>, class: &str| {
            (nodes[0].name, nodes[0].class) = (format!("lift-guard/{class}"), class.to_owned());
        };
        stale("a shape that is none", &|nodes| rename(nodes, "small@3"));
        stale("the name of a plain lift", &|nodes| rename(nodes, "small"));
        stale("a plain lift", &|nodes| {
            rename(nodes, "small");
            nodes[0].runs.clear();
        });
        stale("a lift of a base key with runs", &|nodes| {
            let runs = nodes[0].runs.clone();
            let of = pin("small");
            nodes[0] = Pin {
                lifts: Some(of.digest),
                algorithm: of.algorithm,
                runs,
                ..node("lift-fund/small", of.algorithm.0)
            };
        });
        let kind = |change: &dyn Fn(&mut Vec<Pin>)| {
            assert!(matches!(guests(change), Err(PinError::Kind(_) | PinError::Stale(_))));
        };
        kind(&|nodes| nodes.push(node("run/99", run_algorithm())));
        kind(&|nodes| nodes[1].algorithm = Hex(join_algorithm()));
        kind(&|nodes| nodes[1].lifts = Some(pin("small").digest));
    }
}
