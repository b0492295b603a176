//! Extension programs that come with the system (docs/src/extensions.md): plain functions, run natively and as guests.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(not(target_os = "zkvm"))]
extern crate alloc;

pub mod block;
pub mod broker;
pub mod grid;
pub mod options;
pub mod order;
#[cfg(not(target_os = "zkvm"))]
pub mod rules;
pub mod vesting;
