//! `vks.toml`: the pinned keys (docs/src/vks.md).

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tsz_hash::{Digest, ZERO};
use tsz_segment_program::run_algorithm;
use tsz_tree::join_algorithm;
use tsz_vktree::{VkEntry, VkTree, VkTreeError};

use crate::hexdigest::Hex;

mod guests;
mod program;

pub use guests::RunSecurity;
pub use program::ProgramPin;

/// The pinned keys that are compiled in.
pub const VKS_TOML: &str = include_str!("../../../../vks.toml");
/// Version of the file format.
const VERSION: u32 = 1;

/// One pinned key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// `family/class`.
    pub name: String,
    /// Family: a rule set, or `transition`.
    pub family: String,
    /// Size class.
    pub class: String,
    /// Algorithm id; none for the guard and its lifts, whose keys count for the algorithm of each admitted program.
    #[serde(default = "no_algorithm", skip_serializing_if = "is_no_algorithm")]
    pub algorithm: Hex,
    /// Vk digest.
    pub digest: Hex,
    /// Of a lift: digest of the key whose proofs it lifts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifts: Option<Hex>,
    /// Of a lift of the guard, or a join of parts of runs: digests of the keys of the run programs that it takes, in their
    /// order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<Hex>,
    /// Proven security in bits, rounded down to a tenth. Not compared.
    pub proven_bits: f64,
    /// Conjectured security in bits, rounded down to a tenth. Not compared.
    pub conjectured_bits: f64,
    /// `name:log2 of the rows` of each table, in order.
    pub tables: Vec<String>,
}

fn no_algorithm() -> Hex {
    Hex(ZERO)
}

fn is_no_algorithm(algorithm: &Hex) -> bool {
    *algorithm == no_algorithm()
}

impl Pin {
    /// The entry of the vk tree; those of the guard's keys are [`ProgramPin::entry`].
    pub fn entry(&self) -> VkEntry {
        VkEntry { algorithm: self.algorithm.0, vk: self.digest.0 }
    }
}

/// All pinned keys, with the root of the vk tree over them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pins {
    version: u32,
    root: Hex,
    #[serde(default)]
    vk: Vec<Pin>,
    /// Keys of the guard: each counts for every admitted program.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    guard: Vec<Pin>,
    /// Admitted programs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    program: Vec<ProgramPin>,
    /// Lifts and joins of the aggregation tree, and programs of runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    node: Vec<Pin>,
}

/// One difference between pinned and derived keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// `family/class`.
    pub name: String,
    /// What differs.
    pub what: &'static str,
    /// The pinned value; empty if the key is not pinned.
    pub pinned: String,
    /// The derived value; empty if there is no such circuit.
    pub derived: String,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.pinned.is_empty(), self.derived.is_empty()) {
            (true, _) => write!(f, "{}: not pinned, derived {} {}", self.name, self.what, self.derived),
            (_, true) => write!(f, "{}: pinned {} {}, no such circuit", self.name, self.what, self.pinned),
            _ => write!(
                f,
                "{}: {} is pinned as {}, derived {}",
                self.name, self.what, self.pinned, self.derived
            ),
        }
    }
}

/// What is wrong with pins.
#[derive(Debug, Error)]
pub enum PinError {
    /// The text is no vks.toml.
    #[error("vks.toml: {0}")]
    Parse(#[from] toml::de::Error),
    /// The pins cannot be written.
    #[error("vks.toml: {0}")]
    Write(#[from] toml::ser::Error),
    /// Another version of the format.
    #[error("vks.toml: version {got}, expected {VERSION}")]
    Version {
        /// Version found.
        got: u32,
    },
    /// Two pins of one name, or a name that is not `family/class`.
    #[error("vks.toml: bad or repeated name '{0}'")]
    Name(String),
    /// A lift of a key that is not pinned: it was derived before its circuit changed.
    #[error("vks.toml: {0} lifts a key that is not the pinned one of its circuit")]
    Stale(String),
    /// A node that is neither a lift nor a join nor a program of runs, a base key that says that it lifts, a key of the
    /// guard with an algorithm id or another one without.
    #[error(
        "vks.toml: {0} is neither a base key nor one of the guard nor a lift, a join or a program of runs"
    )]
    Kind(String),
    /// A program that is repeated, out of order, or has another algorithm id than its image.
    #[error("vks.toml: program '{0}' is repeated, out of order, or has not the algorithm id of its image")]
    Program(String),
    /// The entries are no vk tree.
    #[error("vks.toml: {0}")]
    Tree(#[from] VkTreeError),
    /// The root is not that of the entries.
    #[error("vks.toml: root is {pinned}, the entries hash to {derived}")]
    Root {
        /// The root in the file.
        pinned: Hex,
        /// The root of the entries.
        derived: Hex,
    },
    /// Derived keys differ from the pinned ones.
    #[error("vk drift: {}", list(.0))]
    Drift(Vec<Drift>),
}

fn list(drifts: &[Drift]) -> String {
    drifts.iter().map(Drift::to_string).collect::<Vec<_>>().join("; ")
}

/// Whether a node has the name and the algorithm id of a join, and nothing that others have.
fn is_join(node: &Pin) -> bool {
    node.lifts.is_none()
        && node.runs.is_empty()
        && node.algorithm == Hex(join_algorithm())
        && crate::aggregate::join_slots(&node.name).is_some()
}

impl Pins {
    /// Pins these keys, sorted by name.
    ///
    /// # Errors
    /// [`PinError::Name`] and [`PinError::Tree`].
    pub fn new(vk: Vec<Pin>) -> Result<Self, PinError> {
        Self::with_nodes(vk, Vec::new())
    }

    /// Pins these base keys and these of nodes, each sorted by name.
    ///
    /// # Errors
    /// [`PinError::Name`] and [`PinError::Tree`].
    pub fn with_nodes(vk: Vec<Pin>, node: Vec<Pin>) -> Result<Self, PinError> {
        Self::with_programs(vk, node, Vec::new(), Vec::new())
    }

    /// As [`Pins::with_nodes`], with keys of the guard and the programs that they and their lifts are listed for.
    ///
    /// # Errors
    /// [`PinError`], all but `Drift`.
    pub fn with_programs(
        mut vk: Vec<Pin>,
        mut node: Vec<Pin>,
        mut guard: Vec<Pin>,
        mut program: Vec<ProgramPin>,
    ) -> Result<Self, PinError> {
        for pins in [&mut vk, &mut node, &mut guard] {
            pins.sort_by(|a, b| a.name.cmp(&b.name));
        }
        program.sort_by(|a, b| a.name.cmp(&b.name));
        Self { version: VERSION, root: Hex(ZERO), vk, guard, program, node }.sealed()
    }

    /// Pins these keys of the guard and admits these programs, in place of those that there were.
    ///
    /// # Errors
    /// [`PinError::Name`], [`PinError::Program`], [`PinError::Kind`] and [`PinError::Tree`].
    pub fn admit(mut self, mut guard: Vec<Pin>, mut program: Vec<ProgramPin>) -> Result<Self, PinError> {
        guard.sort_by(|a, b| a.name.cmp(&b.name));
        program.sort_by(|a, b| a.name.cmp(&b.name));
        (self.guard, self.program) = (guard, program);
        self.sealed()
    }

    /// With the root of the entries, after all checks.
    fn sealed(mut self) -> Result<Self, PinError> {
        self.root = Hex(self.tree()?.root());
        self.check_consistency()?;
        Ok(self)
    }

    /// The compiled-in pins.
    ///
    /// # Errors
    /// As [`Pins::parse`].
    pub fn built_in() -> Result<Self, PinError> {
        Self::parse(VKS_TOML)
    }

    /// Reads a vks.toml and checks that it is consistent.
    ///
    /// # Errors
    /// [`PinError`], all but `Drift`.
    pub fn parse(text: &str) -> Result<Self, PinError> {
        let pins: Self = toml::from_str(text)?;
        if pins.version != VERSION {
            return Err(PinError::Version { got: pins.version });
        }
        pins.check_consistency()?;
        let derived = Hex(pins.tree()?.root());
        if derived != pins.root {
            return Err(PinError::Root { pinned: pins.root, derived });
        }
        Ok(pins)
    }

    fn check_consistency(&self) -> Result<(), PinError> {
        self.check_names()?;
        self.check_programs_order()?;
        self.check_nodes_kinds()
    }

    fn check_programs_order(&self) -> Result<(), PinError> {
        let ordered = |k: usize| k == 0 || self.program[k - 1].name < self.program[k].name;
        match self.program.iter().enumerate().find(|(k, p)| !p.is_consistent() || !ordered(*k)) {
            Some((_, program)) => Err(PinError::Program(program.name.clone())),
            None => Ok(()),
        }
    }

    fn check_names(&self) -> Result<(), PinError> {
        let mut seen = BTreeSet::new();
        for pin in self.vk.iter().chain(&self.guard).chain(&self.node) {
            if pin.name != format!("{}/{}", pin.family, pin.class) || !seen.insert(&pin.name) {
                return Err(PinError::Name(pin.name.clone()));
            }
        }
        Ok(())
    }

    /// Every node is the lift of a pinned key, under its algorithm, or a join or a program of runs under that of these.
    fn check_nodes_kinds(&self) -> Result<(), PinError> {
        let stale = |node: &&Pin| node.lifts.is_some() || node.name.starts_with("lift-");
        for node in &self.node {
            let lifts = |vk: &Pin| self.is_lift(node, vk);
            let run = guests::is_run(node) || self.is_run_join(node);
            let known = is_join(node) || run || self.vk.iter().any(lifts);
            if !known && !self.is_guest_lift(node) {
                let name = node.name.clone();
                return Err(if stale(&node) { PinError::Stale(name) } else { PinError::Kind(name) });
            }
        }
        // keys of the guard have no algorithm of their own, all others do
        let lifts = |pin: &Pin| pin.lifts.is_some() || !pin.runs.is_empty();
        let bad = |pin: &Pin, guard| {
            lifts(pin) || is_no_algorithm(&pin.algorithm) != guard || self.is_taken(&pin.algorithm)
        };
        let keys = self.vk.iter().map(|pin| (pin, false)).chain(self.guard.iter().map(|pin| (pin, true)));
        match keys.into_iter().find(|(pin, guard)| bad(pin, *guard)) {
            Some((pin, _)) => Err(PinError::Kind(pin.name.clone())),
            None => Ok(()),
        }
    }

    /// Algorithm ids that count for no base key: a program's needs a run beside the guard, those of joins and of programs
    /// of runs stand for no operation.
    fn is_taken(&self, algorithm: &Hex) -> bool {
        let reserved = [join_algorithm(), run_algorithm()].map(Hex);
        reserved.contains(algorithm) || self.program.iter().any(|program| program.algorithm == *algorithm)
    }

    fn is_lift(&self, node: &Pin, vk: &Pin) -> bool {
        node.name == format!("lift-{}", vk.name)
            && node.lifts == Some(vk.digest)
            && node.algorithm == vk.algorithm
            && node.runs.is_empty()
    }

    /// The text of a vks.toml.
    ///
    /// # Errors
    /// [`PinError::Write`]; none occurs for consistent pins.
    pub fn to_toml(&self) -> Result<String, PinError> {
        let head = "# Pinned verifying keys (docs/src/vks.md). Written by `tsz vk pin`; compared by `tsz vk check`.\n";
        Ok(format!("{head}{}", toml::to_string(self)?))
    }

    /// The vk tree over the pins.
    ///
    /// # Errors
    /// [`VkTreeError`] for a pair pinned twice.
    pub fn tree(&self) -> Result<VkTree, VkTreeError> {
        let of = |program| self.of_programs().map(move |pin| ProgramPin::entry(program, pin));
        let pairs = self.program.iter().flat_map(of);
        VkTree::new(self.own().map(Pin::entry).chain(pairs))
    }

    /// Keys that count for the algorithm of each admitted program: those of the guard and of its lifts.
    fn of_programs(&self) -> impl Iterator<Item = &Pin> {
        self.guard.iter().chain(self.node.iter().filter(|node| is_no_algorithm(&node.algorithm)))
    }

    /// Keys that count for one algorithm.
    fn own(&self) -> impl Iterator<Item = &Pin> {
        self.vk.iter().chain(self.node.iter().filter(|node| !is_no_algorithm(&node.algorithm)))
    }

    /// The key of an entry of the tree, and the program that it counts for if it is of the guard or a lift of it.
    pub fn find(&self, entry: &VkEntry) -> Option<(&Pin, Option<&ProgramPin>)> {
        if let Some(pin) = self.own().find(|pin| pin.entry() == *entry) {
            return Some((pin, None));
        }
        let program = self.program.iter().find(|program| program.algorithm.0 == entry.algorithm)?;
        Some((self.of_programs().find(|pin| pin.digest.0 == entry.vk)?, Some(program)))
    }

    /// Root of the vk tree.
    pub fn root(&self) -> Digest {
        self.root.0
    }

    /// The pins of base circuits.
    pub fn vks(&self) -> &[Pin] {
        &self.vk
    }

    /// The pins of the guard's circuits.
    pub fn guards(&self) -> &[Pin] {
        &self.guard
    }

    /// The admitted programs.
    pub fn programs(&self) -> &[ProgramPin] {
        &self.program
    }

    /// The pins of lifts and joins, and of programs of runs.
    pub fn nodes(&self) -> &[Pin] {
        &self.node
    }

    /// Compares the base keys with freshly derived ones.
    ///
    /// # Errors
    /// [`PinError::Drift`] with every difference.
    pub fn check(&self, derived: &[Pin]) -> Result<(), PinError> {
        compare(&self.vk, derived)
    }

    /// Compares the guard's keys with freshly derived ones.
    ///
    /// # Errors
    /// [`PinError::Drift`] with every difference.
    pub fn check_guards(&self, derived: &[Pin]) -> Result<(), PinError> {
        compare(&self.guard, derived)
    }

    /// Compares the admitted programs with guests.
    ///
    /// # Errors
    /// [`PinError::Drift`] with every difference.
    pub fn check_programs(&self, guests: &[ProgramPin]) -> Result<(), PinError> {
        let image = |of: &[ProgramPin], name: &str| {
            of.iter().find(|p| p.name == name).map(|p| p.image.clone()).unwrap_or_default()
        };
        let names: BTreeSet<&str> = self.program.iter().chain(guests).map(|p| p.name.as_str()).collect();
        let drift = |name: &str| Drift {
            name: format!("program {name}"),
            what: "image",
            pinned: image(&self.program, name),
            derived: image(guests, name),
        };
        let drifts: Vec<Drift> = names.into_iter().map(drift).filter(|d| d.pinned != d.derived).collect();
        if drifts.is_empty() { Ok(()) } else { Err(PinError::Drift(drifts)) }
    }

    /// Compares some keys of nodes with freshly derived ones.
    ///
    /// # Errors
    /// [`PinError::Drift`] with every difference.
    pub fn check_some_nodes(&self, derived: &[Pin]) -> Result<(), PinError> {
        let named = |pin: &&Pin| derived.iter().any(|new| new.name == pin.name);
        compare(&self.node.iter().filter(named).cloned().collect::<Vec<_>>(), derived)
    }

    /// Compares the keys of nodes with freshly derived ones.
    ///
    /// # Errors
    /// [`PinError::Drift`] with every difference.
    pub fn check_nodes(&self, derived: &[Pin]) -> Result<(), PinError> {
        compare(&self.node, derived)
    }
}

fn compare(pinned: &[Pin], derived: &[Pin]) -> Result<(), PinError> {
    let mut drifts = Vec::new();
    let mut differ = |name: &str, what, pinned: String, derived: String| {
        if pinned != derived {
            drifts.push(Drift { name: name.to_owned(), what, pinned, derived });
        }
    };
    for new in derived {
        let Some(old) = pinned.iter().find(|p| p.name == new.name) else {
            differ(&new.name, "digest", String::new(), new.digest.to_string());
            continue;
        };
        differ(&new.name, "algorithm", old.algorithm.to_string(), new.algorithm.to_string());
        differ(&new.name, "tables", old.tables.join(" "), new.tables.join(" "));
        differ(&new.name, "digest", old.digest.to_string(), new.digest.to_string());
    }
    for old in pinned {
        if !derived.iter().any(|new| new.name == old.name) {
            differ(&old.name, "digest", old.digest.to_string(), String::new());
        }
    }
    if drifts.is_empty() { Ok(()) } else { Err(PinError::Drift(drifts)) }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use tsz_hash::hash_bytes;

    pub(super) fn pin(class: &str) -> Pin {
        Pin {
            name: format!("fund/{class}"),
            family: "fund".into(),
            class: class.into(),
            algorithm: Hex(hash_bytes(b"fund")),
            digest: Hex(hash_bytes(class.as_bytes())),
            lifts: None,
            runs: vec![],
            proven_bits: 100.5,
            conjectured_bits: 110.0,
            tables: vec!["p2:12".to_owned()],
        }
    }

    fn pins() -> Pins {
        Pins::new(vec![pin("small"), pin("large")]).unwrap()
    }

    #[test]
    fn the_built_in_pins_are_consistent() {
        Pins::built_in().unwrap();
    }

    #[test]
    fn what_is_written_reads_back() {
        let text = pins().to_toml().unwrap();
        assert_eq!(Pins::parse(&text).unwrap(), pins());
        assert!(Pins::parse(&text.replace("version = 1", "version = 2")).is_err());
    }

    #[test]
    fn rejects_a_changed_digest_or_root_and_repeated_names() {
        let text = pins().to_toml().unwrap();
        let other = Hex(hash_bytes(b"other")).to_string();
        let changed = text.replace(&pin("small").digest.to_string(), &other);
        assert!(matches!(Pins::parse(&changed), Err(PinError::Root { .. })));
        let changed = text.replace(&Hex(pins().root()).to_string(), &other);
        assert!(matches!(Pins::parse(&changed), Err(PinError::Root { .. })));
        let mut twin = pin("small");
        twin.digest = Hex(hash_bytes(b"twin"));
        assert!(matches!(Pins::new(vec![pin("small"), twin]), Err(PinError::Name(_))));
        assert!(matches!(Pins::new(vec![pin("small"), pin("small")]), Err(PinError::Tree(_))));
    }

    #[test]
    fn rejects_lifts_of_keys_that_are_not_pinned() {
        let mut lift = pin("small");
        (lift.name, lift.family) = ("lift-fund/small".into(), "lift-fund".into());
        lift.digest = Hex(hash_bytes(b"lift"));
        let with = |lift: &Pin| Pins::with_nodes(vec![pin("small"), pin("large")], vec![lift.clone()]);
        assert!(matches!(with(&lift), Err(PinError::Stale(_))));
        lift.lifts = Some(pin("large").digest);
        assert!(matches!(with(&lift), Err(PinError::Stale(_))));
        lift.lifts = Some(pin("small").digest);
        let pins = with(&lift).unwrap();
        assert_eq!(Pins::parse(&pins.to_toml().unwrap()).unwrap(), pins);
        // The circuit changes, its lift stays behind.
        let text =
            pins.to_toml().unwrap().replacen(&lift.digest.to_string(), &pin("large").digest.to_string(), 1);
        assert!(Pins::parse(&text).is_err());
        lift.algorithm = Hex(hash_bytes(b"spot"));
        assert!(matches!(with(&lift), Err(PinError::Stale(_))));
        let mut other = pin("small");
        other.digest = Hex(hash_bytes(b"other"));
        lift.algorithm = other.algorithm;
        assert!(matches!(Pins::with_nodes(vec![other], vec![lift]), Err(PinError::Stale(_))));
    }

    #[test]
    fn rejects_nodes_that_are_neither_lifts_nor_joins() {
        let mut join = pin("small");
        (join.name, join.family, join.class) = ("join/15-16".into(), "join".into(), "15-16".into());
        join.digest = Hex(hash_bytes(b"join"));
        let with = |node: &Pin| Pins::with_nodes(vec![pin("small")], vec![node.clone()]);
        assert!(matches!(with(&join), Err(PinError::Kind(_))));
        join.algorithm = Hex(join_algorithm());
        with(&join).unwrap();
        let wide = Pin { name: "join/15-15-16-17".into(), class: "15-15-16-17".into(), ..join.clone() };
        with(&wide).unwrap();
        for class in ["015-16", "15", "", "15-x", "15-", "16-15", "15-17-16", "+15-16", "-15-16"] {
            let node = Pin { name: format!("join/{class}"), class: class.into(), ..join.clone() };
            assert!(matches!(with(&node), Err(PinError::Kind(_))), "{class}");
        }
        let node = Pin { name: "merge/15-16".into(), family: "merge".into(), ..join.clone() };
        assert!(matches!(with(&node), Err(PinError::Kind(_))));
        let base = Pin { lifts: Some(join.digest), ..pin("small") };
        assert!(matches!(Pins::new(vec![base]), Err(PinError::Kind(_))));
    }

    #[test]
    fn drift_names_every_difference() {
        pins().check(&[pin("large"), pin("small")]).unwrap();
        let mut small = pin("small");
        small.digest = Hex(hash_bytes(b"new"));
        small.tables[0] = "p2:13".to_owned();
        let error = pins().check(&[small, pin("huge")]).unwrap_err();
        let PinError::Drift(drifts) = &error else { panic!("{error}") };
        let got: Vec<_> = drifts.iter().map(|d| (d.name.as_str(), d.what)).collect();
        let want = [
            ("fund/small", "tables"),
            ("fund/small", "digest"),
            ("fund/huge", "digest"),
            ("fund/large", "digest"),
        ];
        assert_eq!(got, want);
        assert!(error.to_string().contains("p2:12"), "{error}");
    }

    #[test]
    fn security_bits_are_not_compared() {
        let mut small = pin("small");
        small.proven_bits = 1.0;
        pins().check(&[pin("large"), small]).unwrap();
    }
}
