//! One module per subcommand.

pub mod aggregate;
pub mod bench;
pub mod data;
pub mod demo;
pub mod guest;
pub mod prove;
pub mod scenario;
pub mod tables;
pub mod verify;
pub mod vk;
