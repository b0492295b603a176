//! The optimiser: constant folding, common subexpressions, product fusion, dead nodes, polynomials.
//!
//! Results depend on the list of nodes alone, so one program gives one vk. Nothing that asserts is dropped, but
//! assertions between constants that hold and repetitions of an assertion.

use core::hash::BuildHasher;

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use p3_field::PrimeCharacteristicRing;
use tsz_stark::F;

use crate::ir::{Form, Ir, Kind, NONE, Node, Source, Value, Wire, coordinates, is_base};
use crate::layout::QUADS;
use crate::run::eval;

type Operands = [Wire; 3];

/// Runs all passes.
pub(crate) fn optimise(ir: Ir) -> Ir {
    let uses = count_uses(&ir);
    let mut pass = Pass {
        same: (0..ir.wires).collect(),
        constant: vec![None; ir.wires as usize],
        hasher: DefaultHashBuilder::default(),
        made: HashTable::with_capacity(ir.nodes.len()),
        products: HashMap::new(),
        sums: HashMap::new(),
        uses,
        nodes: Vec::with_capacity(ir.nodes.len()),
    };
    for node in ir.nodes {
        pass.visit(node);
    }
    polynomials(sweep(Ir { nodes: pass.nodes, ..ir }))
}

fn count_uses(ir: &Ir) -> Vec<u32> {
    let mut uses = vec![0; ir.wires as usize];
    for wire in ir.nodes.iter().flat_map(Node::reads) {
        uses[wire as usize] += 1;
    }
    uses
}

struct Pass {
    /// The wire that stands for each wire.
    same: Vec<Wire>,
    constant: Vec<Option<Value>>,
    hasher: DefaultHashBuilder,
    /// Nodes already emitted, by kind and operands, as positions in `nodes`.
    made: HashTable<usize>,
    /// Nodes that are one product of two operands plus linear terms.
    products: HashMap<Wire, (Form, Operands)>,
    /// Nodes that are linear.
    sums: HashMap<Wire, (Form, Operands)>,
    uses: Vec<u32>,
    nodes: Vec<Node>,
}

impl Pass {
    fn visit(&mut self, mut node: Node) {
        for arg in node.args.iter_mut().filter(|w| **w != NONE) {
            *arg = self.same[*arg as usize];
        }
        match node.kind {
            Kind::Input { .. } | Kind::Expose => self.nodes.push(node),
            Kind::Alu(form) => self.visit_alu(form, [node.args[0], node.args[1], node.args[2]], &node),
            Kind::Check(form) => self.visit_check(form, &node),
            Kind::Permute { swap: true } => self.visit_swap(node),
            _ => self.fold_or_emit(node),
        }
    }

    fn value(&self, wire: Wire) -> Option<Value> {
        if wire == NONE { None } else { self.constant[wire as usize] }
    }

    fn visit_alu(&mut self, form: Form, operands: Operands, node: &Node) {
        let (form, operands) = self.normalise(form, operands);
        let (form, operands) = self.fuse(form, operands);
        let (form, operands) = self.flatten(form, operands);
        if operands == [NONE; 3] {
            return self.emit_constant(form.k, node.out, node.at);
        }
        if form == (Form { a: F::ONE, ..Form::ZERO }) {
            self.same[node.out as usize] = operands[0];
            return;
        }
        let fresh = self.emit(Node { kind: Kind::Alu(form), args: operands.into(), ..*node });
        if fresh && form.is_linear() {
            self.sums.insert(node.out, (form, operands));
        } else if fresh && operands[2] == NONE {
            self.products.insert(node.out, (form, operands));
        }
    }

    fn visit_check(&mut self, form: Form, node: &Node) {
        let (form, operands) = self.normalise(form, [node.args[0], node.args[1], node.args[2]]);
        let right = node.args[3];
        let identity = form == (Form { a: F::ONE, ..Form::ZERO }) && operands[0] == right;
        let holds = operands == [NONE; 3] && self.value(right) == Some(form.k);
        if !identity && !holds {
            let args = [operands[0], operands[1], operands[2], right].into();
            self.emit(Node { kind: Kind::Check(form), args, ..*node });
        }
    }

    /// A permutation whose swap bit is known is one without.
    fn visit_swap(&mut self, node: Node) {
        let order = match self.value(node.args[4]) {
            Some(v) if v == Value::ZERO => [0, 1, 2, 3],
            Some(v) if v == Value::ONE => [2, 3, 0, 1],
            // Not a bit: kept, so that the runner says so.
            _ => return self.fold_or_emit(node),
        };
        let args = order.map(|k: usize| node.args[k]).into();
        self.fold_or_emit(Node { kind: Kind::Permute { swap: false }, args, ..node });
    }

    /// Emits the results as constants if all operands are, else the node.
    fn fold_or_emit(&mut self, node: Node) {
        if let Kind::Const(value) = node.kind {
            return self.emit_constant(value, node.out, node.at);
        }
        let args: Option<Vec<Value>> = node.args.iter().map(|w| self.value(*w)).collect();
        let mut outs = Vec::new();
        // A fault (division by the constant 0) stays in the program for the runner to report.
        match args.map(|args| eval(&node.kind, &args, &mut outs)) {
            Some(Ok(())) => {
                for (wire, value) in node.outs().zip(outs) {
                    self.emit_constant(value, wire, node.at);
                }
            }
            _ => {
                self.emit(node);
            }
        }
    }

    fn emit_constant(&mut self, value: Value, out: Wire, at: Source) {
        self.emit(Node { kind: Kind::Const(value), args: Box::new([]), out, at });
        self.constant[out as usize] = Some(value);
    }

    /// Emits a node, or points its results at those of an equal one; true if it is new.
    fn emit(&mut self, node: Node) -> bool {
        let (nodes, hasher) = (&mut self.nodes, &self.hasher);
        let hash = |node: &Node| hasher.hash_one((&node.kind, &node.args));
        let equal = |at: &usize| nodes[*at].kind == node.kind && nodes[*at].args == node.args;
        match self.made.entry(hash(&node), equal, |at| hash(&nodes[*at])) {
            Entry::Occupied(entry) => {
                let first = nodes[*entry.get()].out;
                for (k, out) in node.outs().enumerate() {
                    self.same[out as usize] = first + k as Wire;
                }
                false
            }
            Entry::Vacant(entry) => {
                entry.insert(nodes.len());
                nodes.push(node);
                true
            }
        }
    }

    /// Moves constants into coefficients and orders operands, so that equal computations look equal.
    fn normalise(&self, mut f: Form, mut x: Operands) -> (Form, Operands) {
        if let Some(v) = self.value(x[2]).filter(|v| f.ac == F::ZERO || is_base(*v)) {
            f.k += v * f.c;
            f.a += f.ac * coordinates(v)[0];
            (f.ac, f.c) = (F::ZERO, F::ZERO);
        }
        if let Some(v) = self.value(x[1]).filter(|v| f.ab == F::ZERO || is_base(*v)) {
            f.k += v * f.b;
            f.a += f.ab * coordinates(v)[0];
            (f.ab, f.b) = (F::ZERO, F::ZERO);
        }
        if let Some(v) = self.value(x[0]).filter(|v| f.is_linear() || is_base(*v)) {
            f.k += v * f.a;
            f.b += f.ab * coordinates(v)[0];
            f.c += f.ac * coordinates(v)[0];
            (f.ab, f.ac, f.a) = (F::ZERO, F::ZERO, F::ZERO);
        }
        if x[1] == x[2] && x[1] != NONE {
            f.ab += f.ac;
            f.b += f.c;
            (f.ac, f.c) = (F::ZERO, F::ZERO);
        }
        if f.is_linear() {
            return linear([(x[0], f.a), (x[1], f.b), (x[2], f.c)], f.k).unwrap_or((f, x));
        }
        if f.ab == F::ZERO {
            // a * c + b: the product goes first.
            (f.ab, f.ac) = (f.ac, F::ZERO);
            (f.b, f.c) = (f.c, f.b);
            x.swap(1, 2);
        }
        if f.ac == F::ZERO && f.c == F::ZERO {
            x[2] = NONE;
        }
        if f.ac == F::ZERO && x[0] > x[1] {
            x.swap(0, 1);
            (f.a, f.b) = (f.b, f.a);
        }
        (f, x)
    }

    /// Pulls sums that only this node reads into it, as long as three operands are left.
    fn flatten(&self, mut f: Form, mut x: Operands) -> (Form, Operands) {
        if !f.is_linear() {
            return (f, x);
        }
        for _ in 0..x.len() {
            let terms = [(x[0], f.a), (x[1], f.b), (x[2], f.c)];
            let pulled = (0..terms.len()).find_map(|k| {
                let (sum, q) = terms[k];
                let (p, y) = self.sums.get(&sum).filter(|_| self.uses[sum as usize] == 1)?;
                let own = terms.iter().enumerate().filter(|(j, _)| *j != k).map(|(_, term)| *term);
                let inner = [(y[0], p.a * q), (y[1], p.b * q), (y[2], p.c * q)];
                linear(own.chain(inner), f.k + p.k * q)
            });
            let Some(next) = pulled else { break };
            (f, x) = next;
        }
        (f, x)
    }

    /// Pulls a product that only this node reads into it: `q * (a * b + ..) + r * y`.
    fn fuse(&self, f: Form, x: Operands) -> (Form, Operands) {
        if !f.is_linear() || x[2] != NONE {
            return (f, x);
        }
        for (product, q, other, r) in [(x[0], f.a, x[1], f.b), (x[1], f.b, x[0], f.a)] {
            let Some((p, y)) = self.products.get(&product).filter(|_| self.uses[product as usize] == 1)
            else {
                continue;
            };
            let form = Form { ab: q * p.ab, ac: F::ZERO, a: q * p.a, b: q * p.b, c: r, k: f.k + p.k * q };
            return (form, [y[0], y[1], other]);
        }
        (f, x)
    }
}

/// A linear form with its distinct operands in order; `None` if there are more than three.
fn linear(of: impl IntoIterator<Item = (Wire, F)>, k: Value) -> Option<(Form, Operands)> {
    let mut terms: Vec<(Wire, F)> = Vec::with_capacity(5);
    for (wire, coefficient) in of {
        match terms.iter_mut().find(|t| t.0 == wire) {
            Some(term) => term.1 += coefficient,
            None => terms.push((wire, coefficient)),
        }
    }
    terms.retain(|t| t.0 != NONE && t.1 != F::ZERO);
    if terms.len() > 3 {
        return None;
    }
    terms.sort_unstable_by_key(|t| t.0);
    let term = |k: usize| terms.get(k).copied().unwrap_or((NONE, F::ZERO));
    let form = Form { a: term(0).1, b: term(1).1, c: term(2).1, k, ..Form::ZERO };
    Some((form, [term(0).0, term(1).0, term(2).0]))
}

/// Drops nodes that assert nothing and whose results nobody reads.
fn sweep(mut ir: Ir) -> Ir {
    let mut live = vec![false; ir.wires as usize];
    let mut kept = Vec::with_capacity(ir.nodes.len());
    for node in ir.nodes.into_iter().rev() {
        if node.kind.asserts() || node.outs().any(|w| live[w as usize]) {
            node.reads().for_each(|w| live[w as usize] = true);
            kept.push(node);
        }
    }
    kept.reverse();
    ir.nodes = kept;
    ir
}

/// Steps of a chain from which its rows as a polynomial are fewer.
const CHAIN: usize = 3;

/// Whether a node is `acc * x + v` in some order of the factors.
fn is_step(node: &Node) -> bool {
    node.kind == Kind::Alu(Form { ab: F::ONE, c: F::ONE, ..Form::ZERO }) && node.args[2] != NONE
}

/// Chains of steps with one factor, whose results nobody else reads.
struct Chains<'a> {
    nodes: &'a [Node],
    /// The step that makes each wire.
    made_by: Vec<Option<usize>>,
    uses: Vec<u32>,
    dropped: Vec<bool>,
}

impl Chains<'_> {
    /// The steps that lead to `last` with the factor x, the last one first, and what the first one starts from.
    fn walk(&self, last: usize, x: Wire) -> (Vec<usize>, Wire) {
        let mut steps = vec![last];
        let mut at = last;
        loop {
            let args = &self.nodes[at].args;
            let acc = if args[0] == x { args[1] } else { args[0] };
            let before = self.made_by.get(acc as usize).copied().flatten().filter(|&before| {
                let reads_x = self.nodes[before].args[..2].contains(&x);
                reads_x && self.uses[acc as usize] == 1 && !self.dropped[before]
            });
            let Some(before) = before else { return (steps, acc) };
            steps.push(before);
            at = before;
        }
    }
}

/// Turns chains `acc * x + v` into polynomials at x: two steps share a row.
///
/// A chain ends where another node reads its result; the longest one that ends at a node is taken. A zero as highest
/// coefficient fills the rows of a polynomial.
fn polynomials(mut ir: Ir) -> Ir {
    let zero = ir.nodes.iter().find(|n| is_zero(n)).map_or(ir.wires, |n| n.out);
    let mut made_by = vec![None; ir.wires as usize];
    for (k, node) in ir.nodes.iter().enumerate().filter(|(_, n)| is_step(n)) {
        made_by[node.out as usize] = Some(k);
    }
    let mut chains =
        Chains { nodes: &ir.nodes, made_by, uses: count_uses(&ir), dropped: vec![false; ir.nodes.len()] };
    let mut made: HashMap<usize, Node> = HashMap::new();
    for last in (0..ir.nodes.len()).rev().filter(|k| is_step(&ir.nodes[*k])) {
        if chains.dropped[last] {
            continue;
        }
        let node = &ir.nodes[last];
        let [one, other] = [node.args[0], node.args[1]].map(|x| (x, chains.walk(last, x)));
        let (x, (steps, first)) = if other.1.0.len() > one.1.0.len() { other } else { one };
        if steps.len() < CHAIN {
            continue;
        }
        steps[1..].iter().for_each(|step| chains.dropped[*step] = true);
        let count = 1 + steps.len();
        let zeros = std::iter::repeat_n(zero, count.next_multiple_of(QUADS) - count);
        let values = steps.iter().rev().map(|step| ir.nodes[*step].args[2]);
        let args = std::iter::once(x).chain(zeros).chain([first]).chain(values).collect();
        made.insert(last, Node { kind: Kind::Polynomial, args, ..*node });
    }
    if made.is_empty() {
        return ir;
    }
    let dropped = chains.dropped;
    let kept = ir.nodes.into_iter().enumerate().filter(|(k, _)| !dropped[*k]);
    ir.nodes = kept.map(|(k, node)| made.remove(&k).unwrap_or(node)).collect();
    zero_in_front(&mut ir);
    // The zero is dropped where nothing reads it.
    sweep(ir)
}

fn is_zero(node: &Node) -> bool {
    node.kind == Kind::Const(Value::ZERO)
}

/// Makes the constant 0 the first node, on a new wire if there is none.
fn zero_in_front(ir: &mut Ir) {
    let node = match ir.nodes.iter().position(is_zero) {
        Some(at) => ir.nodes.remove(at),
        None => {
            ir.wires += 1;
            let kind = Kind::Const(Value::ZERO);
            Node { kind, args: Box::new([]), out: ir.wires - 1, at: std::panic::Location::caller() }
        }
    };
    ir.nodes.insert(0, node);
}
