//! The op tables: one row an op, one file a kind; columns and constraints.

mod begin;
mod cancel;
mod cancel_all;
mod deposit;
mod exit;
mod key;
mod l1key;
mod transfer;
mod withdraw;

pub use begin::{Begin, BeginAir};
pub use cancel::{Cancel, CancelAir};
pub use cancel_all::{CancelAll, CancelAllAir, Next};
pub use deposit::{Deposit, DepositAir};
pub use exit::{Exit, ExitAir};
pub use key::{Key, KeyAir};
pub use l1key::{L1Key, L1KeyAir};
pub use transfer::{Transfer, TransferAir, transfer_constraints};
pub use withdraw::{Withdraw, WithdrawAir, withdraw_constraints};

pub use tsz_gadgets::table::SIGNED_PUBLICS;

use tsz_gadgets::op_air;
use tsz_gadgets::table::{current, signed_context};
