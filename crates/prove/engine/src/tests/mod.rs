//! The pipeline over small circuits that only repeat their claims: classes, ranges, folder, verification.

mod aggregate;
mod approvals;
mod base;
mod circuits;
mod decoders;
mod keys;
mod login;
mod pipeline;
mod real;
