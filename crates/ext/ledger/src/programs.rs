//! Who runs programs.

use tsz_ext_sdk::{Op, Program};
use tsz_ledger::AlgorithmId;

use crate::ExtReject;

/// Runs a program on an operation.
pub trait Programs {
    /// Has the program set the writes of the operation.
    ///
    /// # Errors
    /// [`ExtReject::UnknownProgram`], or what the program says.
    fn run(&self, program: &AlgorithmId, op: &mut Op<'_>) -> Result<(), ExtReject>;
}

/// Programs as native functions, by algorithm id.
#[derive(Clone, Copy, Debug, Default)]
pub struct Native<'a>(pub &'a [(AlgorithmId, Program)]);

impl Programs for Native<'_> {
    fn run(&self, program: &AlgorithmId, op: &mut Op<'_>) -> Result<(), ExtReject> {
        let (_, run) = self.0.iter().find(|(id, _)| id == program).ok_or(ExtReject::UnknownProgram)?;
        Ok(run(op)?)
    }
}
