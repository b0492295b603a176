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

#[cfg(test)]
mod tests {
    use tsz_ext::pinned_guests;
    use tsz_hash::{ZERO, hash_bytes};

    use super::*;
    use crate::pins::{PinError, Pins};

    fn key(name: &str, algorithm: tsz_hash::Digest) -> Pin {
        let (family, class) = name.split_once('/').unwrap();
        Pin {
            name: name.into(),
            family: family.into(),
            class: class.into(),
            algorithm: Hex(algorithm),
            digest: Hex(hash_bytes(name.as_bytes())),
            lifts: None,
            runs: vec![],
            proven_bits: 100.5,
            conjectured_bits: 110.0,
            tables: vec!["p2:12".to_owned()],
        }
    }

    fn base() -> Pins {
        Pins::new(vec![key("fund/small", hash_bytes(b"fund"))]).unwrap()
    }

    fn guards() -> Vec<Pin> {
        vec![key("guard/small", ZERO), key("guard/medium", ZERO)]
    }

    fn programs() -> Vec<ProgramPin> {
        pinned_guests().unwrap().iter().map(ProgramPin::from).collect()
    }

    #[test]
    fn keys_of_the_guard_count_for_each_admitted_program() {
        let pins = base().admit(guards(), programs()).unwrap();
        assert_ne!(pins.root(), base().root());
        let tree = pins.tree().unwrap();
        assert_eq!(tree.entries().len(), 1 + 2 * programs().len());
        for program in pins.programs() {
            for guard in pins.guards() {
                let entry = program.entry(guard);
                assert!(tree.prove(&entry).is_some());
                assert_eq!(pins.find(&entry), Some((guard, Some(program))));
            }
        }
        // neither key counts for an algorithm of its own
        assert!(tree.entries().iter().all(|entry| entry.algorithm != ZERO));
        let text = pins.to_toml().unwrap();
        assert_eq!(Pins::parse(&text).unwrap(), pins);
        // a program that is left out or put in changes the root
        let cut = &text[..text.find("[[program]]").unwrap()];
        assert!(matches!(Pins::parse(cut), Err(PinError::Root { .. })));
    }

    #[test]
    fn rejects_programs_with_another_algorithm_or_image() {
        type Change<'a> = &'a dyn Fn(&mut Vec<ProgramPin>);
        let with = |change: Change<'_>| {
            let mut programs = programs();
            change(&mut programs);
            base().admit(guards(), programs)
        };
        let bad: [Change<'_>; 5] = [
            &|p| p[0].algorithm = Hex(hash_bytes(b"other")),
            &|p| p[0].image = p[1].image.clone(),
            &|p| p[0].image.truncate(63),
            &|p| p[0].name = "Grid".into(),
            &|p| p.push(p[0].clone()),
        ];
        for change in bad {
            // a pair that stands twice is refused with the tree
            assert!(matches!(with(change), Err(PinError::Program(_) | PinError::Tree(_))));
        }
    }

    #[test]
    fn rejects_keys_of_the_wrong_kind() {
        let own = key("guard/small", hash_bytes(b"guard"));
        assert!(matches!(base().admit(vec![own], programs()), Err(PinError::Kind(_))));
        assert!(matches!(Pins::new(vec![key("fund/small", ZERO)]), Err(PinError::Kind(_))));
        let lift = Pin { lifts: Some(base().vks()[0].digest), ..key("guard/small", ZERO) };
        assert!(matches!(base().admit(vec![lift], programs()), Err(PinError::Kind(_))));
        assert!(matches!(base().admit(vec![key("fund/small", ZERO)], programs()), Err(PinError::Name(_))));
    }

    #[test]
    fn drift_names_the_program() {
        let pins = base().admit(guards(), programs()).unwrap();
        pins.check_guards(&guards()).unwrap();
        pins.check_programs(&programs()).unwrap();
        let mut others = programs();
        others.remove(0);
        others[0].image.replace_range(..8, "00000001");
        let PinError::Drift(drifts) = pins.check_programs(&others).unwrap_err() else { panic!("no drift") };
        assert_eq!(drifts.len(), 2);
        assert!(drifts.iter().all(|d| d.name.starts_with("program ") && d.what == "image"));
    }
}
