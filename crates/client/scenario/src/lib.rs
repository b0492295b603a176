//! Scenarios: a documented JSON format of a genesis and batches of operations, a runner and a workload generator
//! (docs/src/scenario.md).
//!
//! [`Scenario::from_json`] parses with errors that name the field, [`run`] executes on the state transition
//! function and the state tree, [`report`] turns the run into JSON, [`generate`] makes seeded workloads. The runner
//! signs for the keys whose secrets the scenario holds and fills in nonces and serials.

mod cells;
mod data;
mod error;
mod expect;
mod explain;
mod fields;
mod figures;
mod generate;
mod genesis;
mod keyring;
mod names;
mod op;
mod params;
mod parse;
mod report;
mod runner;
mod show;
mod spec;
mod state;
mod summary;
mod table;

pub use data::published;
pub use error::ScenarioError;
pub use expect::Expect;
pub use explain::{Explanation, Place, explain};
pub use figures::{Figures, PositionRow, TokenRow};
pub use generate::{Mix, Params, generate};
pub use keyring::Keyring;
pub use names::{MarketKind, Names};
pub use op::*;
pub use params::{ParamsSpec, PriceSpec};
pub use report::{report, report_text};
pub use runner::{BatchRun, Options, Record, Rejected, Run, run, run_with};
pub use show::Show;
pub use spec::{
    AccountSpec, Amount, BatchSpec, CollateralSpec, GenesisSpec, HoldingSpec, KeySource, KeySpec,
    PasskeySource, Population, Scenario, SystemSpec, TokenSpec, VERSION, WalletSource,
};
pub use table::Table;

#[cfg(test)]
mod tests;
