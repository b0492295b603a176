//! The witness runner: computes the value of every wire from the inputs, and names the gate that fails.

use p3_field::{Field, PrimeCharacteristicRing, PrimeField32};
use thiserror::Error;
use tsz_stark::F;

use crate::ir::{FELT_BITS, Ir, Kind, NONE, Node, Source, Value, coordinates, from_coordinates, is_base};
use crate::layout::WHOLE;

/// Why inputs give no witness.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RunError {
    /// A wrong number of inputs.
    #[error("{got} inputs, expected {expected}")]
    InputCount {
        /// Inputs that the program declares.
        expected: usize,
        /// Inputs given.
        got: usize,
    },
    /// A gate does not hold.
    #[error("{gate} at {source_at}: {fault}", source_at = .at)]
    Gate {
        /// Kind of the gate.
        gate: &'static str,
        /// Where the program placed it.
        at: Source,
        /// What is wrong.
        fault: Fault,
    },
}

/// What is wrong with a gate.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Fault {
    /// The two sides of an assertion differ.
    #[error("{left} is not {right}")]
    Unequal {
        /// What the gate computes.
        left: Value,
        /// What it must be equal to.
        right: Value,
    },
    /// Division by zero.
    #[error("zero has no inverse")]
    ZeroInverse,
    /// A swap bit other than 0 or 1.
    #[error("{0} is not a bit")]
    NotBoolean(Value),
    /// A base field element expected.
    #[error("{0} is not in the base field")]
    NotBase(Value),
}

/// The value of every wire, and the public values.
#[derive(Clone, Debug)]
pub struct Witness {
    pub(crate) values: Vec<Value>,
    /// The public values in the order in which the program exposes them.
    pub publics: Vec<F>,
}

/// Runs the nodes in order.
pub(crate) fn run(ir: &Ir, inputs: &[Value]) -> Result<Witness, RunError> {
    if inputs.len() != ir.inputs as usize {
        return Err(RunError::InputCount { expected: ir.inputs as usize, got: inputs.len() });
    }
    let mut values = vec![Value::ZERO; ir.wires as usize];
    let mut publics = Vec::with_capacity(ir.publics);
    let (mut args, mut outs) = (Vec::new(), Vec::new());
    for node in &ir.nodes {
        args.clear();
        args.extend(node.args.iter().map(|w| if *w == NONE { Value::ZERO } else { values[*w as usize] }));
        outs.clear();
        let fault = |fault| RunError::Gate { gate: node.kind.name(), at: node.at, fault };
        match &node.kind {
            Kind::Input { index, base } => {
                let value = inputs[*index as usize];
                if *base && !is_base(value) {
                    return Err(fault(Fault::NotBase(value)));
                }
                outs.push(value);
            }
            Kind::Expose => publics.push(base(args[0]).map_err(fault)?),
            kind => eval(kind, &args, &mut outs).map_err(fault)?,
        }
        store(node, &outs, &mut values);
    }
    Ok(Witness { values, publics })
}

fn store(node: &Node, outs: &[Value], values: &mut [Value]) {
    for (wire, value) in node.outs().zip(outs) {
        values[wire as usize] = *value;
    }
}

fn base(value: Value) -> Result<F, Fault> {
    if is_base(value) { Ok(coordinates(value)[0]) } else { Err(Fault::NotBase(value)) }
}

/// Evaluates a node that is neither an input nor a public value; appends its results to `outs`.
pub(crate) fn eval(kind: &Kind, args: &[Value], outs: &mut Vec<Value>) -> Result<(), Fault> {
    match kind {
        Kind::Const(value) => outs.push(*value),
        Kind::Alu(form) => outs.push(form.eval(args[0], args[1], args[2])),
        Kind::Check(form) => {
            let (left, right) = (form.eval(args[0], args[1], args[2]), args[3]);
            if left != right {
                return Err(Fault::Unequal { left, right });
            }
        }
        Kind::Inverse => outs.push(args[0].try_inverse().ok_or(Fault::ZeroInverse)?),
        Kind::Quotient { scale } => {
            let inverse = (args[1] - args[2] * *scale).try_inverse().ok_or(Fault::ZeroInverse)?;
            outs.push(args[0] * inverse);
        }
        Kind::Pack => {
            let mut felts = [F::ZERO; 4];
            for (felt, arg) in felts.iter_mut().zip(args) {
                *felt = base(*arg)?;
            }
            outs.push(from_coordinates(felts));
        }
        Kind::Unpack => outs.extend(coordinates(args[0]).map(Value::from)),
        Kind::Bits => {
            let x = base(args[0])?.as_canonical_u32();
            outs.extend((0..FELT_BITS).map(|k| Value::from_bool(x >> k & 1 == 1)));
        }
        Kind::Permute { swap } => {
            let swapped = *swap && bit(args[4])?;
            let mut state = state(args, swapped);
            tsz_hash::permute(&mut state);
            outs.extend(quads(&state));
        }
        Kind::Permute24 { swap } => {
            let swapped = *swap && bit(args[6])?;
            let mut state = state24(args, swapped);
            tsz_poseidon24::permute(&mut state);
            outs.extend(state.as_chunks::<4>().0.iter().map(|quad| from_coordinates(*quad)));
        }
        Kind::Horner { masks } => {
            let quads = args[1..].iter().zip(masks);
            outs.push(quads.fold(Value::ZERO, |acc, (quad, mask)| horner_step(args[0], acc, *quad, *mask)));
        }
        Kind::Polynomial => {
            outs.push(args[1..].iter().fold(Value::ZERO, |acc, value| acc * args[0] + *value));
        }
        // The runner handles both before it comes here.
        Kind::Input { .. } | Kind::Expose => {}
    }
    Ok(())
}

fn bit(value: Value) -> Result<bool, Fault> {
    match value {
        v if v == Value::ZERO => Ok(false),
        v if v == Value::ONE => Ok(true),
        v => Err(Fault::NotBoolean(v)),
    }
}

/// The hash state of four quads, halves exchanged if `swapped`.
pub(crate) fn state(quads: &[Value], swapped: bool) -> [F; 16] {
    let from = if swapped { 2 } else { 0 };
    core::array::from_fn(|lane| coordinates(quads[(lane / 4 + from) % 4])[lane % 4])
}

/// The state of width 24 of six quads, the first two pairs exchanged if `swapped`.
pub(crate) fn state24(quads: &[Value], swapped: bool) -> [F; 24] {
    let from = |quad: usize| if swapped && quad < 4 { quad ^ 2 } else { quad };
    core::array::from_fn(|lane| coordinates(quads[from(lane / 4)])[lane % 4])
}

/// The four quads of a hash state.
pub(crate) fn quads(state: &[F; 16]) -> [Value; 4] {
    core::array::from_fn(|q| from_coordinates(core::array::from_fn(|k| state[4 * q + k])))
}

/// `acc * alpha^4 + sum_k quad[k] * alpha^k` over the bits k of `mask`; `acc * alpha + quad` where it is [`WHOLE`].
pub(crate) fn horner_step(alpha: Value, acc: Value, quad: Value, mask: u8) -> Value {
    if mask == WHOLE {
        return acc * alpha + quad;
    }
    let q = coordinates(quad);
    let term = |k: usize| if mask >> k & 1 == 1 { q[k] } else { F::ZERO };
    (((acc * alpha + term(3)) * alpha + term(2)) * alpha + term(1)) * alpha + term(0)
}
