//! Tables of the circuit of programs that move positions, beside those of the plain one.

pub mod crossing;
pub mod leg;
pub mod leg_cell;
pub mod operation;

pub use crossing::CrossingAir;
pub use leg::LegAir;
pub use leg_cell::LegCellAir;
pub use operation::MarginOperationAir;
