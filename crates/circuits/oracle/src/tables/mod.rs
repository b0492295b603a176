//! The tables of the family: columns and constraints.

mod median;
mod report;
mod rules;
mod update;

pub use median::Median;
pub use report::{Report, ReportAir, Sums, Ticks};
pub use rules::{Rule, Rules, RulesAir};
pub use update::{Move, Update, UpdateAir};
