//! Tests.

mod honest;
mod world;
