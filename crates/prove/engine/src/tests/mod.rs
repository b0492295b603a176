//! The pipeline over small circuits that only repeat their claims: classes, ranges, folder, verification.

mod aggregate;
mod approvals;
mod base;
mod circuits;
mod classes;
mod decoders;
mod guest_tree;
mod guests;
mod keys;
mod legs;
mod liquidate;
mod login;
mod pipeline;
mod programs;
mod real;
mod segments;
mod social;
mod wide;
mod workload;
