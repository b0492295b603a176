//! Who runs programs.

use tsz_ext_sdk::{Leaf, Op, Program};
use tsz_ledger::AlgorithmId;

use crate::{ExtReject, guest_algorithm};

/// Runs a program on an operation.
pub trait Programs {
    /// Has the program set the writes of the operation.
    ///
    /// # Errors
    /// [`ExtReject::UnknownProgram`], or what the program says.
    fn run(&self, program: &AlgorithmId, op: &mut Op<'_>) -> Result<(), ExtReject>;
}

/// Programs as native functions, by algorithm id.
#[derive(Clone, Copy, Debug, Default)]
pub struct Native<'a>(pub &'a [(AlgorithmId, Program)]);

impl Programs for Native<'_> {
    fn run(&self, program: &AlgorithmId, op: &mut Op<'_>) -> Result<(), ExtReject> {
        let (_, run) = self.0.iter().find(|(id, _)| id == program).ok_or(ExtReject::UnknownProgram)?;
        Ok(run(op)?)
    }
}

/// Roots of the images of the guests that come with the system.
const IDS: &str = include_str!("../../../../guests/elf/ids.txt");

/// The programs that come with the system, run natively under the algorithm ids of their guests.
#[derive(Clone, Copy, Debug, Default)]
pub struct Installed;

impl Installed {
    /// Name, algorithm id and function of each.
    pub fn all() -> impl Iterator<Item = (&'static str, AlgorithmId, Program)> {
        IDS.lines().filter_map(|line| {
            let (name, root) = line.split_once(' ')?;
            Some((name, guest_algorithm(&words(root)?), function(name)?))
        })
    }

    /// The algorithm id of a name.
    pub fn id(name: &str) -> Option<AlgorithmId> {
        Self::all().find(|(known, ..)| *known == name).map(|(_, id, _)| id)
    }

    /// The name of an algorithm id.
    pub fn name(id: &AlgorithmId) -> Option<&'static str> {
        Self::all().find(|(_, known, _)| known == id).map(|(name, ..)| name)
    }
}

impl Programs for Installed {
    fn run(&self, program: &AlgorithmId, op: &mut Op<'_>) -> Result<(), ExtReject> {
        let (.., run) = Self::all().find(|(_, id, _)| id == program).ok_or(ExtReject::UnknownProgram)?;
        Ok(run(op)?)
    }
}

/// Eight words of eight hex digits.
fn words(text: &str) -> Option<Leaf> {
    let mut root = Leaf::default();
    for (k, word) in root.iter_mut().enumerate() {
        *word = u32::from_str_radix(text.get(8 * k..8 * k + 8)?, 16).ok()?;
    }
    Some(root)
}

/// The function that a guest runs.
fn function(name: &str) -> Option<Program> {
    match name {
        "block" => Some(tsz_ext_apps::block::program),
        "broker" => Some(tsz_ext_apps::broker::program),
        "grid" => Some(tsz_ext_apps::grid::program),
        "options" => Some(tsz_ext_apps::options::program),
        "vesting" => Some(tsz_ext_apps::vesting::program),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_committed_guest_is_installed() {
        let guests = IDS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        assert_eq!(guests.count(), Installed::all().count());
        let grid = Installed::id("grid").unwrap();
        assert_eq!((Installed::name(&grid), Installed::name(&tsz_hash::ZERO)), (Some("grid"), None));
    }
}
