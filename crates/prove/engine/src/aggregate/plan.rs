//! Which joins make the tree: the cheapest of the pinned ones.
//!
//! The order in which claims merge is a binary tree. Any connected part of it with no more children than a join has
//! places is one node; a place that is left over takes a child of its shape again. What a node costs is taken to be the
//! rows of its shape.

use std::collections::BTreeMap;

use super::nodes::{failed, join_name, join_slots};
use super::{Group, JoinStep, Kind, Plan};
use crate::error::EngineError;
use crate::pins::Pins;

/// log2 of the rows of children, in increasing order.
type Shapes = Vec<usize>;
/// Rows of nodes, and their number where rows are equal.
type Price = (u64, usize);

/// A pinned join: the shapes of its places, and its own.
struct Program {
    slots: Shapes,
    log: usize,
}

/// What a node of the binary tree costs.
struct Costs {
    /// Cheapest way to have these shapes as children of a node above, this node or nodes below it.
    ways: BTreeMap<Shapes, (Price, Way)>,
    /// The join that makes this node, and the shapes of its children.
    join: Option<(usize, Shapes)>,
    below: Option<Box<[Costs; 2]>>,
}

/// Where the children of a way come from.
#[derive(Clone)]
enum Way {
    /// The node itself is the one child.
    Whole,
    /// Those of the left part, and those of the right part.
    Parts(Shapes, Shapes),
}

/// A claim of a join under construction.
#[derive(Clone, Copy)]
enum Operand {
    Child(usize),
    Step(usize),
}

/// Joins of nodes.
pub(super) struct Planner {
    programs: Vec<Program>,
}

/// log2 of the rows of the shape of a pinned node.
pub(super) fn pinned_log(pins: &Pins, name: &str) -> Result<usize, EngineError> {
    let pin = pins.nodes().iter().find(|pin| pin.name == name);
    let tables = &pin.ok_or_else(|| EngineError::NotPinned(name.to_owned()))?.tables;
    let log = tables.first().and_then(|table| table.rsplit_once(':')).and_then(|(_, log)| log.parse().ok());
    log.ok_or_else(|| failed(name)(&"the pin has no shape of nodes"))
}

/// Whether each shape is there as often as in `of`, or more often.
fn has(slots: &[usize], of: &[usize]) -> bool {
    let count = |shapes: &[usize], log: usize| shapes.iter().filter(|other| **other == log).count();
    of.iter().all(|log| count(slots, *log) >= count(of, *log))
}

impl Planner {
    /// The pinned joins.
    pub(super) fn new(pins: &Pins) -> Result<Self, EngineError> {
        let mut programs = Vec::new();
        for pin in pins.nodes() {
            if let Some(slots) = join_slots(&pin.name) {
                programs.push(Program { slots, log: pinned_log(pins, &pin.name)? });
            }
        }
        Ok(Self { programs })
    }

    /// Gives each join of a binary plan its program, and puts together what one program makes.
    pub(super) fn group<'b>(&self, plan: Plan<'b>) -> Result<Plan<'b>, EngineError> {
        let costs = self.costs(&plan)?;
        build(self, plan, costs)
    }

    fn costs(&self, plan: &Plan<'_>) -> Result<Costs, EngineError> {
        let Kind::Pair(parts) = &plan.kind else {
            let ways = BTreeMap::from([(vec![plan.log], ((0, 0), Way::Whole))]);
            return Ok(Costs { ways, join: None, below: None });
        };
        let below = [self.costs(&parts[0])?, self.costs(&parts[1])?];
        let mut ways: BTreeMap<Shapes, (Price, Way)> = BTreeMap::new();
        for (l, (left, _)) in &below[0].ways {
            for (r, (right, _)) in &below[1].ways {
                let mut shapes = [&l[..], r].concat();
                shapes.sort_unstable();
                let price = (left.0 + right.0, left.1 + right.1);
                let is_better = ways.get(&shapes).is_none_or(|(known, _)| price < *known);
                if is_better && self.programs.iter().any(|p| has(&p.slots, &shapes)) {
                    ways.insert(shapes, (price, Way::Parts(l.clone(), r.clone())));
                }
            }
        }
        // All shapes of a program are those of some child: a place that is left over takes one again.
        let fits = |p: &Program, shapes: &Shapes| {
            has(&p.slots, shapes) && p.slots.iter().all(|log| shapes.contains(log))
        };
        let joins = ways.iter().flat_map(|(shapes, (price, _))| {
            let fitting = self.programs.iter().enumerate().filter(|(_, p)| fits(p, shapes));
            fitting.map(move |(k, p)| ((price.0 + (1 << p.log), price.1 + 1), p.slots.len(), k, shapes))
        });
        let Some((price, _, program, shapes)) = joins.min() else {
            let whole = |costs: &Costs| costs.ways.keys().next().map_or(0, |shapes| shapes[0]);
            let mut pair = [whole(&below[0]), whole(&below[1])];
            pair.sort_unstable();
            return Err(EngineError::NotPinned(join_name(&pair)));
        };
        let join = Some((program, shapes.clone()));
        ways.insert(vec![self.programs[program].log], (price, Way::Whole));
        Ok(Costs { ways, join, below: Some(Box::new(below)) })
    }
}

/// The plan of the node itself.
fn build<'b>(planner: &Planner, mut plan: Plan<'b>, costs: Costs) -> Result<Plan<'b>, EngineError> {
    let (Kind::Pair(parts), Some((program, shapes)), Some(below)) = (plan.kind, costs.join, costs.below)
    else {
        return Err(failed("plan")(&"a node without a join"));
    };
    let program = &planner.programs[program];
    let mut group = Building { planner, children: Vec::new(), steps: Vec::new() };
    let Some((_, Way::Parts(l, r))) = costs.ways.get(&shapes).cloned() else {
        return Err(failed("plan")(&"a join of no children"));
    };
    group.pair(*parts, *below, [l, r], plan.batch)?;
    let Building { children, steps, .. } = group;
    // Each place takes the next child of its shape, or the last one again.
    let mut places = Vec::with_capacity(program.slots.len());
    let mut own = vec![0; children.len()];
    let mut taken = vec![false; children.len()];
    for log in &program.slots {
        let of_shape = |k: &usize| children[*k].log == *log;
        let free = (0..children.len()).filter(of_shape).find(|k| !taken[*k]);
        let child = free.or_else(|| (0..children.len()).rfind(of_shape));
        let child = child.ok_or_else(|| failed("plan")(&"a place without a child"))?;
        if !std::mem::replace(&mut taken[child], true) {
            own[child] = places.len();
        }
        places.push(child);
    }
    let at = |operand: Operand| match operand {
        Operand::Child(child) => own[child],
        Operand::Step(step) => places.len() + step,
    };
    let steps =
        steps.into_iter().map(|(left, right, batch)| JoinStep { left: at(left), right: at(right), batch });
    let steps = steps.collect();
    plan.log = program.log;
    plan.kind = Kind::Join(Group { slots: program.slots.clone(), children, places, steps });
    Ok(plan)
}

/// A join under construction.
struct Building<'p, 'b> {
    planner: &'p Planner,
    children: Vec<Plan<'b>>,
    /// Left, right, number of the batch.
    steps: Vec<(Operand, Operand, usize)>,
}

impl<'b> Building<'_, 'b> {
    fn pair(
        &mut self,
        parts: [Plan<'b>; 2],
        below: [Costs; 2],
        [l, r]: [Shapes; 2],
        batch: usize,
    ) -> Result<Operand, EngineError> {
        let ([left, right], [left_costs, right_costs]) = (parts, below);
        let left = self.operand(left, left_costs, &l)?;
        let right = self.operand(right, right_costs, &r)?;
        self.steps.push((left, right, batch));
        Ok(Operand::Step(self.steps.len() - 1))
    }

    /// A part of the join, by the way that gives these shapes.
    fn operand(&mut self, plan: Plan<'b>, mut costs: Costs, shapes: &Shapes) -> Result<Operand, EngineError> {
        let way = costs.ways.remove(shapes).map(|(_, way)| way);
        match (way, plan.kind) {
            (Some(Way::Parts(l, r)), Kind::Pair(parts)) => {
                let below = costs.below.ok_or_else(|| failed("plan")(&"a join of nothing"))?;
                self.pair(*parts, *below, [l, r], plan.batch)
            }
            (Some(Way::Whole), kind) => {
                let is_join = matches!(kind, Kind::Pair(_));
                let plan = Plan { kind, ..plan };
                let child = if is_join { build(self.planner, plan, costs)? } else { plan };
                self.children.push(child);
                Ok(Operand::Child(self.children.len() - 1))
            }
            _ => Err(failed("plan")(&"a part without a way")),
        }
    }
}

#[cfg(test)]
mod tests {
    use tsz_hash::{Digest, ZERO};
    use tsz_ledger::TransitionClaim;
    use tsz_tree::Claim;

    use super::*;

    /// A node that is there: a join of nothing stands for a lift.
    fn leaf(log: usize) -> Plan<'static> {
        let claim = TransitionClaim { s0: ZERO, sn: ZERO, ops: 1, context: ZERO, set_root: ZERO };
        let id: Digest = ZERO;
        let kind = Kind::Join(Group { slots: vec![], children: vec![], places: vec![], steps: vec![] });
        Plan { id, claim: Claim::Transition(claim), kind, batch: 0, log }
    }

    fn pair(left: Plan<'static>, right: Plan<'static>) -> Plan<'static> {
        Plan { kind: Kind::Pair(Box::new([left, right])), ..leaf(0) }
    }

    fn planner(joins: &[(&[usize], usize)]) -> Planner {
        let program = |(slots, log): &(&[usize], usize)| Program { slots: slots.to_vec(), log: *log };
        Planner { programs: joins.iter().map(program).collect() }
    }

    /// Leaves merged from left to right.
    fn chain(logs: &[usize]) -> Plan<'static> {
        logs[1..].iter().fold(leaf(logs[0]), |acc, log| pair(acc, leaf(*log)))
    }

    /// Each join as its places, and the leaves below it.
    fn joins(plan: &Plan<'_>, out: &mut Vec<Shapes>) -> usize {
        let Kind::Join(group) = &plan.kind else { panic!("a merge without a program") };
        if group.slots.is_empty() {
            return 1;
        }
        let leaves = group.children.iter().map(|child| joins(child, out)).sum();
        out.push(group.slots.clone());
        assert_eq!(group.places.len(), group.slots.len());
        for (place, log) in group.places.iter().zip(&group.slots) {
            assert_eq!(group.children[*place].log, *log);
        }
        // Every child and every result but the last is merged once.
        assert_eq!(group.steps.len() + 1, group.children.len());
        let mut used: Vec<usize> = group.steps.iter().flat_map(|s| [s.left, s.right]).collect();
        used.sort_unstable();
        used.dedup();
        assert_eq!(used.len(), 2 * group.steps.len());
        for (k, step) in group.steps.iter().enumerate() {
            assert!(step.left.max(step.right) < group.slots.len() + k);
        }
        leaves
    }

    fn grouped(planner: &Planner, plan: Plan<'static>, leaves: usize) -> Vec<Shapes> {
        let mut out = Vec::new();
        assert_eq!(joins(&planner.group(plan).unwrap(), &mut out), leaves);
        out.sort();
        out
    }

    #[test]
    fn the_cheapest_joins_are_taken() {
        let pairs: [(&[usize], usize); 3] = [(&[15, 15], 15), (&[15, 16], 15), (&[16, 16], 15)];
        let four: (&[usize], usize) = (&[15, 15, 15, 15], 16);
        let of =
            |joins: &[(&[usize], usize)], logs: &[usize]| grouped(&planner(joins), chain(logs), logs.len());
        assert_eq!(of(&pairs, &[15; 3]), [[15, 15], [15, 15]]);
        let with_four = [&pairs[..], &[four]].concat();
        assert_eq!(of(&with_four, &[15, 15]), [[15, 15]]);
        // As many rows as two pairs, one node less; a place takes a child again.
        assert_eq!(of(&with_four, &[15; 3]), [[15; 4]]);
        assert_eq!(of(&with_four, &[15; 4]), [[15; 4]]);
        // The one of four is a child of 2^16 rows.
        assert_eq!(of(&with_four, &[15; 5]), [vec![15; 4], vec![15, 16]]);
        // A shape that no child has fills no place.
        assert_eq!(of(&with_four, &[15, 16, 16]), [[15, 16], [15, 16]]);
        let nine: (&[usize], usize) = (&[15, 15, 15, 15, 16, 16, 16, 17, 17], 17);
        let all = [&with_four[..], &[nine, (&[15, 17], 15), (&[16, 17], 15), (&[17, 17], 15)]].concat();
        assert_eq!(of(&all, &[16, 15, 17, 15, 16, 17, 15, 16, 15]), [nine.0]);
    }

    #[test]
    fn merges_that_are_no_chain_are_one_join_too() {
        let planner = planner(&[(&[15, 15], 15), (&[15, 15, 15, 15], 16)]);
        let plan = pair(chain(&[15, 15]), chain(&[15, 15]));
        assert_eq!(grouped(&planner, plan, 4), [[15; 4]]);
    }

    #[test]
    fn without_a_join_of_its_shapes_nothing_is_planned() {
        let refused = planner(&[(&[15, 15], 15)]).group(chain(&[15, 16]));
        assert!(matches!(refused, Err(EngineError::NotPinned(name)) if name == "join/15-16"));
    }
}
