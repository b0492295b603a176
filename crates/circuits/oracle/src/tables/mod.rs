//! The tables of the family: columns and constraints.

mod group;
mod median;
mod premium;
mod report;
mod rules;
mod sample;
mod update;

pub use group::Group;
pub use median::Median;
pub use premium::{MAX_PREMIUM, Premium, PremiumAir, PremiumSums, Said};
pub use report::{Report, ReportAir, Sums, Ticks};
pub use rules::{Rule, Rules, RulesAir};
pub use sample::{Sample, SampleAir};
pub use update::{Move, Update, UpdateAir};
