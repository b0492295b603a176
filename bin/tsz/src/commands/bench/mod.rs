//! `tsz bench`: the workloads that the documentation quotes.

mod aggregate;
mod report;
mod signature_circuit;
mod signatures;
mod smt;
mod transfers;

use anyhow::Result;

pub use report::Report;

use crate::cli::{BenchArgs, BenchName};
use crate::output::Output;

/// Runs one workload.
pub fn run(args: &BenchArgs, output: &Output) -> Result<()> {
    let report = match args.name {
        BenchName::Aggregate => return aggregate::run(args, output),
        BenchName::Transfers => transfers::run(args, output)?,
        BenchName::Smt => smt::run(args, output)?,
        BenchName::Signatures => signatures::run(args, output)?,
    };
    report.print(output)
}
