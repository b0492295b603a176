//! Size classes: the heights of the tables. One vk for each.

use tsz_chips::poseidon2::Poseidon2Table;
use tsz_chips::range::{self, RangeTable};
use tsz_chips::tuple::{Mode, TupleAir};
use tsz_stark::{Circuit, Profile, SetupError, setup};

use crate::access::AccessAir;
use crate::air::TransitionAir;
use crate::leaf::LeafAir;
use crate::merkle::MerkleAir;
use crate::set::{self, SetAir};
use crate::{ProvingKey, access};

/// Rows that a batch needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Accesses.
    pub access: usize,
    /// Distinct cells.
    pub leaf: usize,
    /// Inner nodes above them.
    pub merkle: usize,
    /// Blocks of all tuples, and one row a used slot.
    pub tuple: usize,
    /// Permutations: an upper bound of the distinct ones.
    pub poseidon2: usize,
}

/// A size class: log2 heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Name, part of reports.
    pub name: &'static str,
    /// Access table.
    pub access: usize,
    /// Leaf table.
    pub leaf: usize,
    /// Merkle table.
    pub merkle: usize,
    /// Tuple table.
    pub tuple: usize,
    /// Each Poseidon2 table.
    pub poseidon2: &'static [usize],
}

/// The size classes, smallest first. The comment is a batch that fits: of transfers if it says no more, and active
/// accounts of 2^20.
pub const CLASSES: [Class; 9] = [
    // 8 ops
    Class { name: "tiny", access: 6, leaf: 6, merkle: 10, tuple: 7, poseidon2: &[11] },
    // 64 ops, 128 accounts
    Class { name: "small", access: 9, leaf: 9, merkle: 13, tuple: 10, poseidon2: &[14] },
    // 256 ops, 400 accounts
    Class { name: "moderate", access: 12, leaf: 11, merkle: 15, tuple: 13, poseidon2: &[16] },
    // 1,024 ops, 1,000 accounts
    Class { name: "medium", access: 13, leaf: 12, merkle: 16, tuple: 14, poseidon2: &[17, 14] },
    // 1,024 spot trades, 1,000 accounts
    Class { name: "trades", access: 14, leaf: 13, merkle: 17, tuple: 15, poseidon2: &[17, 15] },
    // 1,024 ops that write 4,096 leaves of as many accounts
    Class { name: "leaves", access: 12, leaf: 12, merkle: 17, tuple: 14, poseidon2: &[17, 16] },
    // 8,192 ops, 2,000 accounts
    Class { name: "large", access: 16, leaf: 14, merkle: 17, tuple: 17, poseidon2: &[18, 16] },
    // 8,192 spot trades, 2,000 accounts
    Class { name: "full", access: 17, leaf: 15, merkle: 18, tuple: 18, poseidon2: &[18, 17, 16] },
    // 8,192 perpetual trades, 2,000 accounts with two positions each
    Class { name: "perps", access: 18, leaf: 15, merkle: 18, tuple: 19, poseidon2: &[19, 16] },
];

const _: () = {
    // prev_ts < ts is proven with two 12-bit limbs
    let mut k = 0;
    while k < CLASSES.len() {
        assert!(CLASSES[k].access <= access::MAX_LOG_HEIGHT);
        k += 1;
    }
};

impl Class {
    /// The smallest class that holds a batch.
    pub fn fitting(counts: &Counts) -> Option<&'static Self> {
        CLASSES.iter().find(|class| class.holds(counts))
    }

    /// The class of a name.
    pub fn named(name: &str) -> Option<&'static Self> {
        CLASSES.iter().find(|class| class.name == name)
    }

    /// Whether a batch fits.
    pub fn holds(&self, counts: &Counts) -> bool {
        counts.access <= 1 << self.access
            && counts.leaf <= 1 << self.leaf
            && counts.merkle <= 1 << self.merkle
            && counts.tuple <= 1 << self.tuple
            && counts.poseidon2 <= self.poseidon2.iter().map(|h| 1 << h).sum()
    }

    /// The circuit of the class.
    pub fn circuit(&self, profile: Profile) -> Circuit<TransitionAir> {
        let mut tables: Vec<(TransitionAir, usize)> = vec![
            (AccessAir.into(), self.access),
            (LeafAir.into(), self.leaf),
            (MerkleAir.into(), self.merkle),
            (TupleAir { mode: Mode::Transition }.into(), self.tuple),
            (SetAir.into(), set::LOG_HEIGHT),
            (RangeTable.into(), range::LOG_HEIGHT),
        ];
        tables.extend(self.poseidon2.iter().map(|h| (Poseidon2Table::new().into(), *h)));
        Circuit::new(profile, tables)
    }

    /// Makes the keys of the class.
    ///
    /// # Errors
    /// None for the classes of [`CLASSES`].
    pub fn setup(&self, profile: Profile) -> Result<ProvingKey, SetupError> {
        setup(self.circuit(profile))
    }
}
