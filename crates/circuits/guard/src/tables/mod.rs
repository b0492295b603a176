//! Tables of the two circuits: their columns and constraints.

pub mod approve;
pub mod cell;
pub mod journal;
pub mod limit;
pub mod margin;
pub mod money;
pub mod operation;
pub mod party;
pub mod revoke;

pub use approve::ApproveAir;
pub use cell::CellAir;
pub use journal::JournalAir;
pub use limit::LimitAir;
pub use money::MoneyAir;
pub use operation::OperationAir;
pub use party::PartyAir;
pub use revoke::RevokeAir;
