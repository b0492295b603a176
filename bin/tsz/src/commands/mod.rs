//! One module per subcommand.

pub mod aggregate;
pub mod bench;
pub mod demo;
pub mod prove;
pub mod scenario;
pub mod verify;
pub mod vk;
