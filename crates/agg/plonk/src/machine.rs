//! Programs, shapes, keys, proofs.

use std::collections::BTreeMap;
use std::sync::Arc;

use thiserror::Error;
use tsz_air::log_height;
use tsz_stark::{
    Circuit, F, MIN_LOG_HEIGHT, Profile, ProveError, ProvingKey, SetupError, Trace, VerifyError, VerifyingKey,
};

use crate::builder::Builder;
use crate::ir::{Ir, Kind, Value};
use crate::layout::{Layout, QUADS};
use crate::optimise::optimise;
use crate::run::{RunError, Witness, run};
use crate::tables::{PlonkAir, Table, alu, beside, bits, horner, pack, poseidon2, poseidon24, public};

/// Which tables stand side by side as one, in the order of the machine: `alu`, `poseidon2`, `pack`, `bits`, `horner`,
/// `public`, `poseidon24`. Tables that do have one height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrangement {
    /// Each alone.
    Apart,
    /// Nodes of the aggregation tree: `alu`, `poseidon2` and `horner`; `bits` and `public`.
    Node,
    /// Nodes of insecure profiles, whose heights are others: `pack` and `horner`; `bits` and `public`.
    InsecureNode,
}

impl Arrangement {
    /// The tables of each AIR, but for `poseidon24`, which is the last one where a program has it.
    const fn groups(self) -> &'static [&'static [usize]] {
        match self {
            Self::Apart => &[&[0], &[1], &[2], &[3], &[4], &[5]],
            Self::Node => &[&[0, 1, 4], &[2], &[3, 5]],
            Self::InsecureNode => &[&[0], &[1], &[2, 4], &[3, 5]],
        }
    }
}

/// log2 of the height of each table, the number of public values, and the security profile: what the vks of two
/// programs must share for their proofs to have the same shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Security profile.
    pub profile: Profile,
    /// Arithmetic rows.
    pub log_alu: usize,
    /// Permutations.
    pub log_poseidon2: usize,
    /// Pack rows.
    pub log_pack: usize,
    /// Bit decompositions.
    pub log_bits: usize,
    /// Batch reduction rows.
    pub log_horner: usize,
    /// Rows of the table of public values, which uses one.
    pub log_public: usize,
    /// Permutations of width 24; programs without one have no table of them, and neither have nodes of the
    /// aggregation tree.
    pub log_poseidon24: Option<usize>,
    /// Which tables stand side by side.
    pub arrangement: Arrangement,
    /// Public values; a program that exposes fewer has zeros in the rest.
    pub publics: usize,
}

impl Shape {
    /// The smallest shape that holds a program of these rows.
    pub fn fitting(profile: Profile, rows: &Rows) -> Self {
        Self {
            profile,
            log_alu: log_height(rows.alu),
            log_poseidon2: log_height(rows.poseidon2),
            log_pack: log_height(rows.pack),
            log_bits: log_height(rows.bits),
            log_horner: log_height(rows.horner),
            log_public: MIN_LOG_HEIGHT,
            log_poseidon24: (rows.poseidon24 > 0).then(|| log_height(rows.poseidon24)),
            arrangement: Arrangement::Apart,
            publics: rows.publics.max(1),
        }
    }

    /// log2 of the rows of each table that all programs have, in the order of the machine.
    fn log_rows(&self) -> [usize; 6] {
        [self.log_alu, self.log_poseidon2, self.log_pack, self.log_bits, self.log_horner, self.log_public]
    }

    /// log2 of the rows of each AIR, as the tables are arranged.
    pub fn log_heights(&self) -> Vec<usize> {
        let rows = self.log_rows();
        self.arrangement.groups().iter().map(|group| rows[group[0]]).chain(self.log_poseidon24).collect()
    }

    /// Whether tables that stand side by side have one height.
    fn is_arranged(&self) -> bool {
        let rows = self.log_rows();
        self.arrangement.groups().iter().all(|group| group.iter().all(|table| rows[*table] == rows[group[0]]))
    }

    /// Whether a program of these rows fits.
    pub fn holds(&self, rows: &Rows) -> bool {
        let needed = [rows.alu, rows.poseidon2, rows.pack, rows.bits, rows.horner];
        rows.publics <= self.publics
            && rows.poseidon24 <= self.log_poseidon24.map_or(0, |log| 1 << log)
            && needed.into_iter().zip(self.log_rows()).all(|(rows, log)| rows <= 1 << log)
    }

    /// The shape of a node of the aggregation tree: `alu`, `poseidon2` and `horner` of `2^log` rows, `pack` of an
    /// eighth of that, `bits` and `public` of a 64th. Folding by arity 8 then meets every height without a short step.
    ///
    /// Verifiers of the few queries of an insecure profile are mostly arithmetic and transcript: there `2^log` is
    /// the height of the arithmetic table.
    pub fn node(profile: Profile, log: usize, publics: usize) -> Self {
        let below = |levels: usize| log.saturating_sub(levels).max(MIN_LOG_HEIGHT);
        let [poseidon2, pack, bits, horner, public] =
            if profile.is_insecure() { [2, 1, 6, 1, 6] } else { [0, 3, 6, 0, 6] };
        Self {
            profile,
            log_alu: below(0),
            log_poseidon2: below(poseidon2),
            log_pack: below(pack),
            log_bits: below(bits),
            log_horner: below(horner),
            log_public: below(public),
            log_poseidon24: None,
            arrangement: if profile.is_insecure() { Arrangement::InsecureNode } else { Arrangement::Node },
            publics,
        }
    }
}

/// Rows in use of each table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Arithmetic.
    pub alu: usize,
    /// Permutations.
    pub poseidon2: usize,
    /// Quads and their coordinates.
    pub pack: usize,
    /// Bit decompositions.
    pub bits: usize,
    /// Batch reductions.
    pub horner: usize,
    /// Public values.
    pub publics: usize,
    /// Permutations of width 24.
    pub poseidon24: usize,
}

/// Rows of one kind of gate placed at one place of a program's source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRows {
    /// Kind of gate.
    pub gate: &'static str,
    /// File, line and column.
    pub source: String,
    /// Rows.
    pub rows: usize,
}

/// Why a circuit is no program of a shape.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CompileError {
    /// A table is too short.
    #[error("table {table}: {needed} rows do not fit in {rows}")]
    Full {
        /// Name of the table; `public` for public values.
        table: &'static str,
        /// Rows of the program.
        needed: usize,
        /// Rows of the shape.
        rows: usize,
    },
    /// A shape without public values.
    #[error("a shape has at least one public value")]
    NoPublics,
    /// Tables of several heights side by side.
    #[error("tables that stand side by side have several heights")]
    Arrangement,
    /// More wires than addresses: 2^30.
    #[error("{wires} wires exceed {}", MAX_WIRES)]
    TooLarge {
        /// Wires of the program.
        wires: u32,
    },
    /// The layout defines a wire twice or not at all. Not reachable through [`Builder`].
    #[error("the layout is inconsistent")]
    Layout,
}

/// Addresses are felts: far below p.
const MAX_WIRES: u32 = 1 << 30;

/// Why nothing was proven.
#[derive(Debug, Error)]
pub enum Error {
    /// The inputs do not satisfy the program.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The prover refused.
    #[error(transparent)]
    Prove(#[from] ProveError),
    /// The proof could not be encoded.
    #[error("encoding: {0}")]
    Encode(String),
}

/// A compiled circuit.
#[derive(Clone, Debug)]
pub struct Program {
    ir: Ir,
    layout: Layout,
    shape: Shape,
}

/// Optimises a circuit, lays it out, and counts the rows it needs.
fn lower(builder: Builder) -> (Ir, Layout, Rows) {
    let ir = optimise(builder.ir);
    let layout = Layout::new(&ir, ir.publics);
    let [alu, poseidon2, pack, bits, horner, _, poseidon24] =
        layout.tables().map(|t| if t.width == 0 { 0 } else { t.rows() });
    let rows = Rows { alu, poseidon2, pack, bits, horner, publics: ir.publics, poseidon24 };
    (ir, layout, rows)
}

/// Rows that a circuit needs after optimisation.
pub fn rows(builder: &Builder) -> Rows {
    lower(builder.clone()).2
}

/// Rows of each kind of gate at each place of the source after optimisation, most first: what a program spends its
/// rows on.
pub fn rows_by_source(builder: &Builder) -> Vec<SourceRows> {
    let mut rows: BTreeMap<(&'static str, String), usize> = BTreeMap::new();
    for node in &optimise(builder.ir.clone()).nodes {
        let count = match &node.kind {
            Kind::Input { .. } | Kind::Expose => continue,
            Kind::Horner { .. } | Kind::Polynomial => (node.args.len() - 1).div_ceil(QUADS),
            _ => 1,
        };
        *rows.entry((node.kind.name(), node.at.to_string())).or_default() += count;
    }
    let row = |((gate, source), rows)| SourceRows { gate, source, rows };
    let mut rows: Vec<SourceRows> = rows.into_iter().map(row).collect();
    rows.sort_by_key(|r| std::cmp::Reverse(r.rows));
    rows
}

impl Program {
    /// Compiles a circuit for a shape: optimises it, lays it out, pads it.
    ///
    /// Deterministic: one circuit and shape give one vk.
    ///
    /// # Errors
    /// [`CompileError`] if a table of the shape is too short.
    pub fn compile(builder: Builder, shape: Shape) -> Result<Self, CompileError> {
        Self::compile_for(builder, shape.publics, |_| shape)
    }

    /// As [`Program::compile`], for a shape with `publics` public values that is chosen by the rows in use.
    ///
    /// # Errors
    /// As [`Program::compile`].
    pub fn compile_for(
        mut builder: Builder,
        publics: usize,
        choose: impl FnOnce(&Rows) -> Shape,
    ) -> Result<Self, CompileError> {
        if publics == 0 {
            return Err(CompileError::NoPublics);
        }
        if builder.ir.publics < publics {
            // Unused public values are 0, so that each is bound.
            let zero = builder.zero();
            for _ in builder.ir.publics..publics {
                builder.expose(zero);
            }
        }
        if builder.ir.wires >= MAX_WIRES {
            return Err(CompileError::TooLarge { wires: builder.ir.wires });
        }
        let (ir, layout, rows) = lower(builder);
        let shape = Shape { publics, ..choose(&rows) };
        if !shape.is_arranged() {
            return Err(CompileError::Arrangement);
        }
        let full = |table, needed, rows| Err(CompileError::Full { table, needed, rows });
        let needed = [
            ("alu", rows.alu, 1 << shape.log_alu),
            ("poseidon2", rows.poseidon2, 1 << shape.log_poseidon2),
            ("pack", rows.pack, 1 << shape.log_pack),
            ("bits", rows.bits, 1 << shape.log_bits),
            ("horner", rows.horner, 1 << shape.log_horner),
            ("public", rows.publics, shape.publics),
            ("poseidon24", rows.poseidon24, shape.log_poseidon24.map_or(0, |log| 1 << log)),
        ];
        if let Some((table, needed, rows)) = needed.into_iter().find(|(_, needed, rows)| needed > rows) {
            return full(table, needed, rows);
        }
        if !layout.is_sound() {
            return Err(CompileError::Layout);
        }
        Ok(Self { ir, layout, shape })
    }

    /// Compiles a circuit for the smallest shape that holds it.
    ///
    /// # Errors
    /// [`CompileError::TooLarge`].
    pub fn fitted(builder: Builder, profile: Profile) -> Result<Self, CompileError> {
        let shape = Shape::fitting(profile, &rows(&builder));
        // A zero for a circuit without public values may need a row more than was counted.
        let grown = Shape { log_alu: shape.log_alu + 1, ..shape };
        match Self::compile(builder.clone(), shape) {
            Err(CompileError::Full { table: "alu", .. }) => Self::compile(builder, grown),
            result => result,
        }
    }

    /// The shape.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Rows in use.
    pub fn rows(&self) -> Rows {
        let [alu, poseidon2, pack, bits, horner, _, poseidon24] = self.layout.tables().map(|t| t.rows());
        Rows { alu, poseidon2, pack, bits, horner, publics: self.ir.publics, poseidon24 }
    }

    /// Nodes left by the optimiser.
    pub fn nodes(&self) -> usize {
        self.ir.nodes.iter().filter(|n| !matches!(n.kind, Kind::Input { .. } | Kind::Expose)).count()
    }

    /// Number of witness values that [`Program::run`] takes.
    pub fn inputs(&self) -> usize {
        self.ir.inputs as usize
    }

    /// Computes every wire from the witness values, in the order in which the builder declared them.
    ///
    /// # Errors
    /// [`RunError`] that names the gate that fails and where the program placed it.
    pub fn run(&self, inputs: &[Value]) -> Result<Witness, RunError> {
        run(&self.ir, inputs)
    }

    /// The tables with this program.
    pub fn circuit(&self) -> Circuit<PlonkAir> {
        let rows = self.shape.log_rows();
        let layout = &self.layout;
        let table = |which: &usize| -> Table {
            match which {
                0 => alu::AluAir::new(layout, rows[0]).into(),
                1 => poseidon2::Poseidon2Air::new(layout, rows[1]).into(),
                2 => pack::PackAir::new(layout, rows[2]).into(),
                3 => bits::BitsAir::new(layout, rows[3]).into(),
                4 => horner::HornerAir::new(layout, rows[4]).into(),
                _ => public::PublicAir::new(layout, rows[5]).into(),
            }
        };
        let groups = self.shape.arrangement.groups().iter();
        let airs = groups.map(|group| group.iter().map(table).collect());
        let wide = self.shape.log_poseidon24;
        let wide = wide.map(|log| vec![poseidon24::Poseidon24Air::new(layout, log).into()]);
        let airs = airs.chain(wide).map(PlonkAir::new);
        Circuit::new(self.shape.profile, airs.zip(self.shape.log_heights()))
    }

    /// The traces of a witness, in the order of the AIRs.
    pub fn traces(&self, witness: &Witness) -> Vec<Trace> {
        let rows = self.shape.log_rows();
        let (layout, values) = (&self.layout, &witness.values[..]);
        let table = |which: &usize| match which {
            0 => alu::trace(layout, values, rows[0]),
            1 => poseidon2::trace(layout, values, rows[1]),
            2 => pack::trace(layout, values, rows[2]),
            3 => bits::trace(layout, values, rows[3]),
            4 => horner::trace(layout, values, rows[4]),
            _ => public::trace(&witness.publics, rows[5]),
        };
        let groups = self.shape.arrangement.groups().iter();
        let mut traces: Vec<Trace> = groups.map(|group| beside(group.iter().map(table).collect())).collect();
        traces.extend(self.shape.log_poseidon24.map(|log| poseidon24::trace(layout, values, log)));
        traces
    }

    /// Makes the keys.
    ///
    /// # Errors
    /// [`SetupError`] if the heights are out of bounds.
    pub fn keys(self) -> Result<Prover, SetupError> {
        let pk = tsz_stark::setup(self.circuit())?;
        Ok(Prover { program: self, pk })
    }

    /// The keys of the committed columns of an earlier run; the caller compares the digest. Gives the program back
    /// where the bytes make no keys.
    ///
    /// # Errors
    /// The program.
    pub fn keys_with(self, committed: &[u8]) -> Result<Prover, Box<Self>> {
        match tsz_stark::setup_with(self.circuit(), committed) {
            Ok(pk) => Ok(Prover { program: self, pk }),
            Err(_) => Err(Box::new(self)),
        }
    }
}

/// Public values of all tables of a key: those of the program for the one that has some.
pub fn publics_of(vk: &VerifyingKey<PlonkAir>, publics: &[F]) -> Vec<Vec<F>> {
    let of = |count: usize| if count == 0 { Vec::new() } else { publics.to_vec() };
    vk.tables().iter().map(|table| of(table.public_values)).collect()
}

/// A program with its proving key.
pub struct Prover {
    program: Program,
    pk: ProvingKey<PlonkAir>,
}

impl Prover {
    /// The verifying key.
    pub fn vk(&self) -> &Arc<VerifyingKey<PlonkAir>> {
        self.pk.vk()
    }

    /// The program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The proving key, for tests that prove traces of their own.
    pub fn proving_key(&self) -> &ProvingKey<PlonkAir> {
        &self.pk
    }

    /// The program, without its keys.
    pub fn into_program(self) -> Program {
        self.program
    }

    /// Runs the program and proves the run: the public values and the proof.
    ///
    /// # Errors
    /// [`Error::Run`] if the inputs do not satisfy the program.
    pub fn prove(&self, inputs: &[Value]) -> Result<(Vec<F>, Vec<u8>), Error> {
        let witness = self.program.run(inputs)?;
        let traces = self.program.traces(&witness);
        let proof = tsz_stark::prove(&self.pk, &traces, &publics_of(self.vk(), &witness.publics))?;
        let bytes = proof.to_bytes().map_err(|e| Error::Encode(e.to_string()))?;
        Ok((witness.publics, bytes))
    }
}

/// Verifies proof bytes against a vk and the public values.
///
/// # Errors
/// [`VerifyError`] for anything but a valid proof; no bytes make it panic.
pub fn verify(vk: &VerifyingKey<PlonkAir>, publics: &[F], proof: &[u8]) -> Result<(), VerifyError> {
    tsz_stark::verify(vk, proof, &publics_of(vk, publics))
}
