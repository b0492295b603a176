//! Admitted programs of the extension layer.

use serde::{Deserialize, Serialize};
use tsz_ext::{GuestPin, parse_guests, root_hex};
use tsz_vktree::VkEntry;

use super::Pin;
use crate::hexdigest::Hex;

/// An admitted program: the guard's keys count for its algorithm id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramPin {
    /// Name of its guest.
    pub name: String,
    /// Root of the guest's memory image, as in `guests/elf/ids.txt`.
    pub image: String,
    /// Algorithm id: the hash of kind, version and image root.
    pub algorithm: Hex,
}

impl From<&GuestPin> for ProgramPin {
    fn from(guest: &GuestPin) -> Self {
        Self { name: guest.name.clone(), image: root_hex(&guest.root), algorithm: Hex(guest.algorithm()) }
    }
}

impl ProgramPin {
    /// Whether name and image are canonical, and the algorithm id is that of the image.
    pub(super) fn is_consistent(&self) -> bool {
        let guests = parse_guests(&format!("{} {}", self.name, self.image)).unwrap_or_default();
        matches!(&guests[..], [guest] if *self == Self::from(guest))
    }

    /// The entry of the vk tree for a key of the guard.
    pub fn entry(&self, guard: &Pin) -> VkEntry {
        VkEntry { algorithm: self.algorithm.0, vk: guard.digest.0 }
    }
}
