//! The prover pipeline: executes batches, proves them, writes and verifies folders of proofs.
//!
//! - [`execute`]: operations over a state tree give an [`ExecutedBatch`]: header, transition set, access logs.
//! - [`mod@registry`]: every circuit (family, size class) with its keys, which are built on first use.
//! - [`executed`]: the batches of a scenario run.
//! - [`pins`]: `vks.toml`, the keys that a verifier trusts.
//! - [`prove`]: chooses classes, cuts long vectors into ranges, proves batch after batch into a bundle.
//! - [`runs`]: runs of extension programs, proven by an executable of its own.
//! - [`mod@aggregate`]: a bundle becomes one aggregation proof.
//! - [`folder`]: `manifest.json`, `bundle.bin` and the rest; [`verify_dir`] uses them and the pins alone.
//!
//! Memory: one circuit is proven at a time, and its traces are dropped before the next one starts.

pub mod aggregate;
pub mod circuits;
mod error;
pub mod execute;
mod files;
pub mod folder;
pub mod hexdigest;
pub mod measure;
pub mod pins;
pub mod prove;
pub mod registry;
pub mod report;
pub mod runs;
mod scenario;
mod signatures;
#[cfg(test)]
mod tests;
mod workload;

pub use aggregate::{
    AggregateFigures, AggregateReport, Aggregator, DerivedNodes, NodeFigures, NodeRows, derive_node,
    derive_nodes, rows_of_lift, rows_of_nodes,
};
pub use error::EngineError;
pub use execute::{ExecutedBatch, Executor, OpRecord, Rejected};
pub use folder::{Manifest, Verified, verify_dir};
pub use hexdigest::Hex;
pub use pins::{Pin, PinError, Pins, ProgramPin, RunSecurity};
pub use prove::{plan_batch, prove_batch, prove_run};
pub use registry::{Registry, registry};
pub use report::{Event, Progress, Report};
pub use scenario::executed;
pub use tsz_plonk::SourceRows;
pub use workload::{every_family, every_family_scenario};
