//! Compiled lifts and joins, and the keys of their proofs.

use std::collections::BTreeMap;
use std::sync::Arc;

use thiserror::Error;
use tsz_hash::Digest;
use tsz_plonk::{Builder, CompileError, PlonkAir, Program, Prover, Rows, Shape};
use tsz_recursion::{KeyValues, Verifier};
use tsz_stark::{Commitment, Profile, SetupError, VerifyingKey};

use crate::NODE_PUBLICS;

/// log2 of the rows of the shapes of nodes. A program has the smallest one that holds it.
pub const SHAPE_LOGS: std::ops::RangeInclusive<usize> = 14..=19;

/// Joins of more than two children, by the log2 of the rows of each, in increasing order. What they say is what joins of
/// two say; they cost less: 2^16 rows hold the verifiers of three children, 2^17 those of six, and of seven where these
/// are small. The list has every combination of three and six of the usual shapes, and of seven what fits; a program also
/// serves fewer children.
pub const WIDE_JOINS: &[&[usize]] = &[
    &[14, 14, 14],
    &[14, 14, 15],
    &[14, 14, 16],
    &[14, 14, 17],
    &[14, 15, 15],
    &[14, 15, 16],
    &[14, 15, 17],
    &[14, 16, 16],
    &[14, 16, 17],
    &[14, 17, 17],
    &[15, 15, 15],
    &[15, 15, 16],
    &[15, 15, 17],
    &[15, 16, 16],
    &[15, 16, 17],
    &[15, 17, 17],
    &[16, 16, 16],
    &[16, 16, 17],
    &[16, 17, 17],
    &[17, 17, 17],
    &[15, 15, 15, 15, 15, 15],
    &[15, 15, 15, 15, 15, 16],
    &[15, 15, 15, 15, 15, 17],
    &[15, 15, 15, 15, 16, 16],
    &[15, 15, 15, 15, 16, 17],
    &[15, 15, 15, 15, 17, 17],
    &[15, 15, 15, 16, 16, 16],
    &[15, 15, 15, 16, 16, 17],
    &[15, 15, 15, 16, 17, 17],
    &[15, 15, 15, 17, 17, 17],
    &[15, 15, 16, 16, 16, 16],
    &[15, 15, 16, 16, 16, 17],
    &[15, 15, 16, 16, 17, 17],
    &[15, 15, 16, 17, 17, 17],
    &[15, 15, 17, 17, 17, 17],
    &[15, 16, 16, 16, 16, 16],
    &[15, 16, 16, 16, 16, 17],
    &[15, 16, 16, 16, 17, 17],
    &[15, 16, 16, 17, 17, 17],
    &[15, 16, 17, 17, 17, 17],
    &[15, 17, 17, 17, 17, 17],
    &[16, 16, 16, 16, 16, 16],
    &[16, 16, 16, 16, 16, 17],
    &[16, 16, 16, 16, 17, 17],
    &[16, 16, 16, 17, 17, 17],
    &[16, 16, 17, 17, 17, 17],
    &[16, 17, 17, 17, 17, 17],
    &[17, 17, 17, 17, 17, 17],
    &[15, 15, 15, 15, 15, 15, 15],
    &[15, 15, 15, 15, 15, 15, 16],
    &[15, 15, 15, 15, 15, 15, 17],
    &[15, 15, 15, 15, 15, 16, 16],
    &[15, 15, 15, 15, 15, 16, 17],
    &[15, 15, 15, 15, 15, 17, 17],
    &[15, 15, 15, 15, 16, 16, 16],
    &[15, 15, 15, 15, 16, 16, 17],
    &[15, 15, 15, 16, 16, 16, 16],
];

/// Why there is no program.
#[derive(Debug, Error)]
pub enum ProgramError {
    /// It fits no shape.
    #[error("the program fits no shape of nodes: {0}")]
    Compile(#[from] CompileError),
    /// No keys.
    #[error(transparent)]
    Setup(#[from] SetupError),
}

/// A lift or join with its proving key.
pub struct NodeProgram {
    prover: Prover,
    log: usize,
}

impl NodeProgram {
    /// Compiles a circuit for the smallest shape of `logs` that holds it, and makes its keys.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub fn new(
        circuit: Builder,
        profile: Profile,
        logs: std::ops::RangeInclusive<usize>,
    ) -> Result<Self, ProgramError> {
        let (program, log) = compile(circuit, profile, logs)?;
        Ok(Self { prover: program.keys()?, log })
    }

    /// As [`NodeProgram::new`], for the key with the digest `vk`, from what an earlier run kept of it. Without that,
    /// or where it makes another key, the key is computed; the caller compares the digest. Also returns whether what
    /// was kept did.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub fn with_committed(
        circuit: Builder,
        profile: Profile,
        logs: std::ops::RangeInclusive<usize>,
        vk: &Digest,
        committed: Option<&[u8]>,
    ) -> Result<(Self, bool), ProgramError> {
        let (mut program, log) = compile(circuit, profile, logs)?;
        if let Some(committed) = committed {
            program = match program.keys_with(committed) {
                Ok(prover) if prover.vk().digest() == vk => return Ok((Self { prover, log }, true)),
                Ok(other) => other.into_program(),
                Err(program) => *program,
            };
        }
        Ok((Self { prover: program.keys()?, log }, false))
    }

    /// log2 of the rows of its shape.
    pub fn log(&self) -> usize {
        self.log
    }
    /// The prover.
    pub fn prover(&self) -> &Prover {
        &self.prover
    }
    /// The verifying key.
    pub fn vk(&self) -> &Arc<VerifyingKey<PlonkAir>> {
        self.prover.vk()
    }
    /// Rows in use.
    pub fn rows(&self) -> Rows {
        self.prover.program().rows()
    }
    /// Root of the commitment to the program.
    pub fn commitment(&self) -> Digest {
        let roots = self.vk().preprocessed_commitment().map(|c| c.roots().to_vec());
        roots.and_then(|roots| roots.first().copied()).unwrap_or_default()
    }
}

/// Compiles a circuit for the smallest shape of `logs` that holds it, with the log2 of its rows.
fn compile(
    circuit: Builder,
    profile: Profile,
    logs: std::ops::RangeInclusive<usize>,
) -> Result<(Program, usize), CompileError> {
    let mut log = *logs.end();
    let program = Program::compile_for(circuit, NODE_PUBLICS, |rows| {
        log = fitting(profile, rows, logs).unwrap_or(log);
        Shape::node(profile, log, NODE_PUBLICS)
    })?;
    Ok((program, log))
}

/// log2 of the smallest shape of `logs` that holds a program of these rows.
fn fitting(profile: Profile, rows: &Rows, mut logs: std::ops::RangeInclusive<usize>) -> Option<usize> {
    logs.find(|log| Shape::node(profile, *log, NODE_PUBLICS).holds(rows))
}

/// The keys of all nodes of one profile, from the commitment to their program: no program is needed.
pub struct NodeKeys {
    smallest: Arc<VerifyingKey<PlonkAir>>,
    profile: Profile,
}

impl NodeKeys {
    /// # Errors
    /// [`ProgramError`] does not occur for the profiles of nodes.
    pub fn new(profile: Profile) -> Result<Self, ProgramError> {
        let mut b = Builder::new();
        let x = b.input();
        b.expose(x);
        let smallest = Program::compile(b, Shape::node(profile, 6, NODE_PUBLICS))?.keys()?;
        Ok(Self { smallest: smallest.vk().clone(), profile })
    }

    /// The key of the program of shape `log` with this commitment.
    ///
    /// # Errors
    /// [`SetupError`] for a shape that is none.
    pub fn key(&self, log: usize, commitment: &Digest) -> Result<VerifyingKey<PlonkAir>, SetupError> {
        let heights = Shape::node(self.profile, log, NODE_PUBLICS).log_heights();
        self.smallest.resized(&heights, Commitment::new(vec![*commitment]))
    }

    /// log2 of the smallest shape of `logs` that holds a program of these rows.
    pub fn fitting(&self, rows: &Rows, logs: std::ops::RangeInclusive<usize>) -> Option<usize> {
        fitting(self.profile, rows, logs)
    }

    /// Committed cells of a proof of a shape.
    ///
    /// # Errors
    /// [`SetupError`] for a shape that is none.
    pub fn cells(&self, log: usize) -> Result<u64, SetupError> {
        let key = self.key(log, &Digest::default())?;
        Ok(key.tables().iter().map(|t| t.cells() as u64).sum())
    }

    /// What a transcript absorbs of a key.
    ///
    /// # Errors
    /// [`SetupError`] for a shape that is none.
    pub fn values(&self, log: usize, commitment: &Digest) -> Result<KeyValues, SetupError> {
        Ok(KeyValues::from(&self.key(log, commitment)?))
    }

    /// The verifiers of nodes of some shapes.
    ///
    /// # Errors
    /// [`SetupError`] for a shape that is none.
    pub fn verifiers(
        &self,
        logs: impl IntoIterator<Item = usize>,
    ) -> Result<BTreeMap<usize, Verifier>, SetupError> {
        let zero = Digest::default();
        logs.into_iter().map(|log| Ok((log, Verifier::new(&self.key(log, &zero)?)))).collect()
    }
}
