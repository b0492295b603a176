//! The rv32im circuit as data: which registers are read in which rows, and the steps that combine its constraints.
//!
//! `rv32im.bin` is extracted from the crate risc0-circuit-rv32im 4.0.5 (Apache-2.0) by the example `extract` of
//! `reference/`, whose tests compare it with the crate's own `poly_ext` and tap set. It is a list of numbers in
//! LEB128: for each of the three groups the number of registers and, for each, the number of rows and how far back
//! they are; the number of steps and, for each, its [`Step`] number and operands; the result. Operands that are
//! results of steps are counted back from the step.

use alloc::vec::Vec;

use spin::Once;

use crate::error::SegmentError;
use crate::field::{Ext, F, embed};
use p3_field::PrimeCharacteristicRing;

/// Groups of registers, in the order of their numbers: accumulators, control, data.
pub const GROUPS: usize = 3;
/// Public felts.
pub const GLOBALS: usize = 90;
/// Challenges of the accumulators.
pub const MIX: usize = 36;

/// A register: a column of the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    /// Group that it belongs to.
    pub group: usize,
    /// Column in its group.
    pub offset: usize,
    /// Number of its [combination](Circuit::combos).
    pub combo: usize,
    /// Place of its first tap among all taps.
    pub tap: usize,
}

/// One step. Values and chains are numbered apart, in order of their steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A constant.
    Const(F),
    /// A constant of the extension.
    ConstExt(Ext),
    /// A tap: a register's value in a row, at the out-of-domain point.
    Tap(usize),
    /// A public felt.
    Global(usize),
    /// A challenge of the accumulators.
    Mix(usize),
    /// Sum of two values.
    Add(usize, usize),
    /// Difference of two values.
    Sub(usize, usize),
    /// Product of two values.
    Mul(usize, usize),
    /// A new chain, 0.
    True,
    /// (chain, value, e): chain + mix^e value.
    AndEqz(usize, usize, u32),
    /// (chain, condition, inner, e): chain + mix^e condition inner.
    AndCond(usize, usize, usize, u32),
}

/// Arithmetic over which the steps are walked: numbers, or gates of a program.
pub trait Algebra {
    /// A value.
    type V: Copy;
    /// A constant.
    fn constant(&mut self, x: Ext) -> Self::V;
    /// `x + y`.
    fn add(&mut self, x: Self::V, y: Self::V) -> Self::V;
    /// `x - y`.
    fn sub(&mut self, x: Self::V, y: Self::V) -> Self::V;
    /// `x y`.
    fn mul(&mut self, x: Self::V, y: Self::V) -> Self::V;
    /// `x y + z`.
    fn mul_add(&mut self, x: Self::V, y: Self::V, z: Self::V) -> Self::V;
    /// The challenge that mixes constraints, to the power of `e`.
    fn power(&mut self, e: u32) -> Self::V;
}

/// The circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circuit {
    /// Registers by group and offset.
    pub registers: Vec<Register>,
    /// Columns of each group.
    pub widths: [usize; GROUPS],
    /// Distinct lists of rows, counted back, in which registers are read.
    pub combos: Vec<Vec<u32>>,
    /// Number of taps: the rows of all registers.
    pub taps: usize,
    /// Steps in order.
    pub steps: Vec<Step>,
    /// Chain that is the result.
    pub result: usize,
    /// Highest power of the mixing challenge.
    pub max_power: u32,
}

impl Circuit {
    /// The rv32im circuit.
    ///
    /// # Errors
    /// [`SegmentError::Data`] if the data of this crate are damaged.
    pub fn rv32im() -> Result<&'static Self, SegmentError> {
        static CIRCUIT: Once<Option<Circuit>> = Once::new();
        CIRCUIT.call_once(|| Self::decode(include_bytes!("rv32im.bin"))).as_ref().ok_or(SegmentError::Data)
    }

    /// Reads a circuit; `None` if the bytes are none.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader { bytes };
        let mut circuit = Self {
            registers: Vec::new(),
            widths: [0; GROUPS],
            combos: Vec::new(),
            taps: 0,
            steps: Vec::new(),
            result: 0,
            max_power: 0,
        };
        for group in 0..GROUPS {
            circuit.decode_group(group, &mut reader)?;
        }
        circuit.decode_steps(&mut reader)?;
        reader.bytes.is_empty().then_some(circuit)
    }

    fn decode_group(&mut self, group: usize, reader: &mut Reader<'_>) -> Option<()> {
        self.widths[group] = reader.below(1 << 10)?;
        for offset in 0..self.widths[group] {
            let count = reader.below(1 << 5)?;
            let backs = (0..count).map(|_| reader.number()).collect::<Option<Vec<u32>>>()?;
            let combo = match self.combos.iter().position(|c| *c == backs) {
                Some(combo) => combo,
                None => {
                    self.combos.push(backs);
                    self.combos.len() - 1
                }
            };
            self.registers.push(Register { group, offset, combo, tap: self.taps });
            self.taps += count;
        }
        Some(())
    }

    fn decode_steps(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        let count = reader.below(1 << 16)?;
        let mut values = 0;
        // exponent of the next constraint of each chain
        let mut chains: Vec<u32> = Vec::new();
        for _ in 0..count {
            let step = match reader.number()? {
                0 => Step::Const(F::from_u32(reader.number()?)),
                1 => Step::ConstExt(reader.ext()?),
                2 => Step::Tap(reader.below(self.taps)?),
                3 => Step::Global(reader.below(GLOBALS)?),
                4 => Step::Mix(reader.below(MIX)?),
                5 => Step::Add(reader.back(values)?, reader.back(values)?),
                6 => Step::Sub(reader.back(values)?, reader.back(values)?),
                7 => Step::Mul(reader.back(values)?, reader.back(values)?),
                8 => Step::True,
                9 => {
                    let chain = reader.back(chains.len())?;
                    Step::AndEqz(chain, reader.back(values)?, chains[chain])
                }
                10 => {
                    let chain = reader.back(chains.len())?;
                    let condition = reader.back(values)?;
                    Step::AndCond(chain, condition, reader.back(chains.len())?, chains[chain])
                }
                _ => return None,
            };
            match step {
                Step::True => chains.push(0),
                Step::AndEqz(_, _, e) => chains.push(e.checked_add(1)?),
                Step::AndCond(_, _, inner, e) => chains.push(e.checked_add(chains[inner])?),
                _ => values += 1,
            }
            if let Step::AndEqz(_, _, e) | Step::AndCond(_, _, _, e) = step {
                self.max_power = self.max_power.max(e);
            }
            self.steps.push(step);
        }
        self.result = reader.below(chains.len())?;
        Some(())
    }

    /// The sum of all constraints times powers of the mixing challenge.
    ///
    /// # Panics
    /// If there are not as many taps, globals and challenges as the circuit has.
    pub fn walk<A: Algebra>(&self, a: &mut A, taps: &[A::V], globals: &[A::V], mix: &[A::V]) -> A::V {
        let (mut values, mut chains): (Vec<A::V>, Vec<A::V>) = (Vec::new(), Vec::new());
        for step in &self.steps {
            let value = match *step {
                Step::Const(x) => a.constant(x.into()),
                Step::ConstExt(x) => a.constant(x),
                Step::Tap(k) => taps[k],
                Step::Global(k) => globals[k],
                Step::Mix(k) => mix[k],
                Step::Add(x, y) => a.add(values[x], values[y]),
                Step::Sub(x, y) => a.sub(values[x], values[y]),
                Step::Mul(x, y) => a.mul(values[x], values[y]),
                Step::True => {
                    let zero = a.constant(Ext::ZERO);
                    chains.push(zero);
                    continue;
                }
                Step::AndEqz(chain, value, e) => {
                    let power = a.power(e);
                    chains.push(a.mul_add(power, values[value], chains[chain]));
                    continue;
                }
                Step::AndCond(chain, condition, inner, e) => {
                    let power = a.power(e);
                    let inner = a.mul(values[condition], chains[inner]);
                    chains.push(a.mul_add(power, inner, chains[chain]));
                    continue;
                }
            };
            values.push(value);
        }
        chains[self.result]
    }
}

/// Numbers.
pub struct Numbers {
    powers: Vec<Ext>,
}

impl Numbers {
    /// Arithmetic for one mixing challenge.
    pub fn new(circuit: &Circuit, mix: Ext) -> Self {
        let powers = core::iter::successors(Some(Ext::ONE), |x| Some(*x * mix));
        Self { powers: powers.take(circuit.max_power as usize + 1).collect() }
    }
}

impl Algebra for Numbers {
    type V = Ext;
    fn constant(&mut self, x: Ext) -> Ext {
        x
    }
    fn add(&mut self, x: Ext, y: Ext) -> Ext {
        x + y
    }
    fn sub(&mut self, x: Ext, y: Ext) -> Ext {
        x - y
    }
    fn mul(&mut self, x: Ext, y: Ext) -> Ext {
        x * y
    }
    fn mul_add(&mut self, x: Ext, y: Ext, z: Ext) -> Ext {
        x * y + z
    }
    fn power(&mut self, e: u32) -> Ext {
        self.powers[e as usize]
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl Reader<'_> {
    fn number(&mut self) -> Option<u32> {
        let mut number = 0;
        for shift in (0..32).step_by(7) {
            let (byte, rest) = self.bytes.split_first()?;
            self.bytes = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return number.try_into().ok();
            }
        }
        None
    }

    fn below(&mut self, bound: usize) -> Option<usize> {
        self.number().map(|x| x as usize).filter(|x| *x < bound)
    }

    /// The result that is this many results back, of `count` results.
    fn back(&mut self, count: usize) -> Option<usize> {
        count.checked_sub(self.number()? as usize).filter(|x| *x < count)
    }

    fn ext(&mut self) -> Option<Ext> {
        let mut felt = || self.number().map(F::from_u32);
        Some(embed([felt()?, felt()?, felt()?, felt()?]))
    }
}
