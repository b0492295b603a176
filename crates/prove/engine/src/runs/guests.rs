//! The guests that come with the system, with their ELF files.

use tsz_ext::{GuestPin, ImageError, Installed, guest_algorithm, image_root, pinned_guests};
use tsz_ext_sdk::Program;
use tsz_ledger::AlgorithmId;
use tsz_segment::Words;

macro_rules! elf {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_bytes!(concat!("../../../../../guests/elf/", $name, ".elf")))),*]
    };
}

/// Names and ELF files, as committed.
const ELVES: &[(&str, &[u8])] = &elf!["block", "broker", "grid", "options", "vesting"];

/// A guest.
#[derive(Clone, Copy, Debug)]
pub struct Guest {
    /// Name of its program.
    pub name: &'static str,
    /// Root of its memory image, as listed in `guests/elf/ids.txt`.
    pub image: Words,
    /// Its ELF file.
    pub elf: &'static [u8],
    /// The function that it runs.
    pub program: Program,
}

impl Guest {
    /// Algorithm id of its operations.
    pub fn algorithm(&self) -> AlgorithmId {
        guest_algorithm(&self.image)
    }
}

/// The guest with this algorithm id, if it comes with the system.
pub fn guest(algorithm: &AlgorithmId) -> Option<Guest> {
    let (name, _, program) = Installed::all().find(|(_, id, _)| id == algorithm)?;
    let (_, elf) = ELVES.iter().find(|(known, _)| *known == name)?;
    let pin = pinned_guests().ok()?.into_iter().find(|pin| pin.algorithm() == *algorithm)?;
    Some(Guest { name, image: pin.root, elf, program })
}

/// Names of the committed ELF files and the roots of their memory images, computed anew.
///
/// # Errors
/// [`ImageError`] for a file that is no guest.
pub fn guests() -> Result<Vec<GuestPin>, ImageError> {
    let pin = |(name, elf): &(&str, &[u8])| Ok(GuestPin { name: (*name).to_owned(), root: image_root(elf)? });
    ELVES.iter().map(pin).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_guest_is_compiled_in_with_the_listed_image() {
        assert_eq!(guests().unwrap(), pinned_guests().unwrap());
        for pin in pinned_guests().unwrap() {
            let guest = guest(&pin.algorithm()).unwrap();
            assert_eq!((guest.name, guest.image), (&*pin.name, pin.root));
        }
        assert!(guest(&tsz_hash::ZERO).is_none());
    }
}
