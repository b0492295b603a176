//! Size classes: fixed heights, hence one verifying key for each.

use tsz_air::air_enum;
use tsz_chips::base64url::{self, Base64Table};
use tsz_chips::bigint::mulmod::MulmodTable;
use tsz_chips::bytes::{BYTES_LOG_HEIGHT, BytesTable, RANGE15_LOG_HEIGHT, Range15Table};
use tsz_chips::ecdsa::{
    COMB_ROWS, CombTable, ENTRIES_LOG_HEIGHT, EntryTable, LADDER_ROWS, LadderTable, P256, VerifyTable, blocks,
};
use tsz_chips::passkey::{COMPRESSIONS, KEY_BLOCKS, PasskeyTable};
use tsz_chips::poseidon2::Poseidon2Table;
use tsz_chips::range::{self, RangeTable};
use tsz_chips::sha256::Sha256Table;
use tsz_chips::tuple::{Mode, TupleAir, op_rows};
use tsz_stark::{Circuit, Profile, SetupError, setup};

use crate::ProvingKey;
use crate::login::{ACCESSES, LoginAir, WRITES};

air_enum! {
    /// Tables of the auth circuit.
    pub enum AuthAir {
        /// Key changes by passkey.
        Login(LoginAir),
        /// Tuple sponge.
        Tuple(TupleAir),
        /// Permutations.
        Poseidon2(Poseidon2Table),
        /// 12-bit values.
        Range(RangeTable),
        /// Assertions.
        Passkey(PasskeyTable),
        /// Compressions.
        Sha256(Sha256Table),
        /// Characters.
        Base64(Base64Table),
        /// Signatures.
        Verify(VerifyTable),
        /// Their ladders.
        Ladder(LadderTable),
        /// Multiples of the generator.
        Comb(CombTable),
        /// Entries of the comb.
        Entries(EntryTable),
        /// Products modulo p and n.
        Mulmod(MulmodTable),
        /// Pairs of bytes.
        Bytes(BytesTable),
        /// 15-bit values.
        Range15(Range15Table),
    }
}

/// Tables of the circuit.
pub(crate) const TABLES: usize = 14;
/// Products of a signature.
const PRODUCTS: usize = 22;
/// Permutations of the message.
const MESSAGE: usize = 2;

/// A size class: log2 heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Name, part of reports.
    pub name: &'static str,
    /// Ops, assertions and signatures.
    pub ops: usize,
    /// Tuple table.
    pub tuple: usize,
    /// Permutations.
    pub poseidon2: usize,
    /// Compressions of SHA-256.
    pub sha256: usize,
    /// Ladders.
    pub ladder: usize,
    /// Combs.
    pub comb: usize,
    /// Products.
    pub mulmod: usize,
}

/// The size classes, smallest first: 7 and 62 logins.
pub const CLASSES: [Class; 2] = [
    Class { name: "small", ops: 6, tuple: 8, poseidon2: 8, sha256: 10, ladder: 10, comb: 8, mulmod: 8 },
    Class { name: "large", ops: 6, tuple: 11, poseidon2: 11, sha256: 13, ladder: 13, comb: 11, mulmod: 11 },
];

impl Class {
    /// The smallest class that holds so many ops, if any does.
    pub fn fitting(ops: usize) -> Option<&'static Self> {
        CLASSES.iter().find(|class| class.holds(ops))
    }

    /// The class with these heights.
    pub(crate) fn with_heights(log_heights: &[usize]) -> Option<&'static Self> {
        CLASSES.iter().find(|class| class.log_heights() == log_heights)
    }

    /// Ops that the class holds, whatever the length of their client data.
    pub fn capacity(&self) -> usize {
        let limits = [
            1 << self.ops,
            blocks(self.ladder, LADDER_ROWS),
            blocks(self.comb, COMB_ROWS),
            // One block ends the segment.
            ((1 << self.tuple) - 1) / op_rows(ACCESSES, WRITES),
            (1 << self.poseidon2) / (op_rows(ACCESSES, WRITES) + MESSAGE + KEY_BLOCKS),
            Sha256Table::new(self.sha256).blocks() / COMPRESSIONS,
            // The padding of the ladder has products too.
            (1 << self.mulmod) / PRODUCTS - 1,
        ];
        limits.into_iter().fold(usize::MAX, usize::min)
    }

    /// Whether so many ops fit.
    pub fn holds(&self, ops: usize) -> bool {
        ops <= self.capacity()
    }

    /// Heights of verify, ladder and comb.
    pub(crate) fn ecdsa(&self) -> (usize, usize, usize) {
        (self.ops, self.ladder, self.comb)
    }

    /// The table of products.
    pub(crate) fn products() -> MulmodTable {
        MulmodTable::new([P256.field.clone(), P256.order.clone()])
    }

    /// log2 of the rows of each table, in the order of the circuit.
    pub fn log_heights(&self) -> Vec<usize> {
        vec![
            self.ops,
            self.tuple,
            self.poseidon2,
            range::LOG_HEIGHT,
            self.ops,
            self.sha256,
            base64url::LOG_HEIGHT,
            self.ops,
            self.ladder,
            self.comb,
            ENTRIES_LOG_HEIGHT,
            self.mulmod,
            BYTES_LOG_HEIGHT,
            RANGE15_LOG_HEIGHT,
        ]
    }

    /// The circuit of the class.
    pub fn circuit(&self, profile: Profile) -> Circuit<AuthAir> {
        let airs: [AuthAir; TABLES] = [
            LoginAir.into(),
            TupleAir { mode: Mode::Exec }.into(),
            Poseidon2Table::new().into(),
            RangeTable.into(),
            PasskeyTable.into(),
            Sha256Table::new(self.sha256).into(),
            Base64Table.into(),
            VerifyTable::new(&P256, self.ops, self.ladder).into(),
            LadderTable::new(&P256, self.ladder).into(),
            CombTable::new(&P256, self.comb).into(),
            EntryTable::new(&P256).into(),
            Self::products().into(),
            BytesTable.into(),
            Range15Table.into(),
        ];
        Circuit::new(profile, airs.into_iter().zip(self.log_heights()))
    }

    /// Makes the keys of the class.
    ///
    /// # Errors
    /// None for the classes of [`CLASSES`].
    pub fn setup(&self, profile: Profile) -> Result<ProvingKey, SetupError> {
        setup(self.circuit(profile))
    }
}
