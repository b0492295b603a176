//! `tsz bench`: the workloads that the documentation quotes.

mod aggregate;
mod auth;
mod deleverage;
mod guard;
mod legs;
mod liquidate;
mod margin;
mod markets;
mod oidc;
mod report;
mod run;
mod segment;
mod settle;
mod signature_circuit;
mod signatures;
mod smt;
mod workload;

use anyhow::Result;
use tsz_auth::oidc::Algorithm;
use tsz_auth_circuit::Kind;
use tsz_scenario::Mix;

pub use report::Report;

use crate::cli::{BenchArgs, BenchName};
use crate::output::Output;

/// Runs one workload.
pub fn run(args: &BenchArgs, output: &Output) -> Result<()> {
    let report = match args.name {
        BenchName::Aggregate => return aggregate::run(args, output),
        BenchName::Transfers => workload::run("transfers", Mix::TRANSFERS, args, output)?,
        BenchName::Perp => workload::run("perp", Mix::PERP, args, output)?,
        BenchName::Spot => workload::run("spot", Mix::SPOT, args, output)?,
        BenchName::Oracle => markets::oracle(args, output)?,
        BenchName::Manage => markets::manage(args, output)?,
        BenchName::Margin => margin::run(args, output)?,
        BenchName::Settle => settle::run(args, output)?,
        BenchName::Liquidate => liquidate::run(args, output)?,
        BenchName::Deleverage => deleverage::run(args, output)?,
        BenchName::Guard => guard::run(args, output)?,
        BenchName::Legs => legs::run(args, output)?,
        BenchName::Run => run::run(args, output)?,
        BenchName::Segment => segment::run(args, output)?,
        BenchName::Smt => smt::run(args, output)?,
        BenchName::Auth => auth::run(args, output, Kind::Passkey)?,
        BenchName::Oidc => oidc::run(args, output, Algorithm::Rs256)?,
        BenchName::OidcEs256 => oidc::run(args, output, Algorithm::Es256)?,
        BenchName::Wallet => auth::run(args, output, Kind::Wallet)?,
        BenchName::Signatures => signatures::run(args, output)?,
    };
    report.print(output)
}
