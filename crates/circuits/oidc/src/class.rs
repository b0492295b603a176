//! Size classes: fixed heights, hence one verifying key for each.

use std::collections::HashSet;

use tsz_air::air_enum;
use tsz_chips::base64url::{self, Base64Table};
use tsz_chips::bytes::{BYTES_LOG_HEIGHT, BytesTable, RANGE15_LOG_HEIGHT, Range15Table};
use tsz_chips::oidc::{
    DigestTable, MAX_PROVIDERS, ProviderTable, SCANNER_LOG_HEIGHT, SPLIT_LOG_HEIGHT, ScannerTable,
    SplitTable, TokenTable, ValueTable, need,
};
use tsz_chips::poseidon2::Poseidon2Table;
use tsz_chips::range::{self, RangeTable};
use tsz_chips::rsa::RsaTable;
use tsz_chips::sha256::Sha256Table;
use tsz_chips::tuple::{Mode, TupleAir, op_rows};
use tsz_stark::{Circuit, Profile, SetupError, setup};
use tsz_trade::Op;

use crate::ProvingKey;
use crate::login::{ACCESSES, LoginAir, WRITES};
use crate::provider::SetProviderAir;
use crate::record::Approved;

air_enum! {
    /// Tables of the circuit of social logins.
    pub enum OidcAir {
        /// Key changes.
        Login(LoginAir),
        /// Provider cells.
        SetProvider(SetProviderAir),
        /// Tuple sponge.
        Tuple(TupleAir),
        /// Permutations.
        Poseidon2(Poseidon2Table),
        /// 12-bit values.
        Range(RangeTable),
        /// Characters of tokens.
        Token(TokenTable),
        /// Values of characters.
        Split(SplitTable),
        /// Transitions of the scanner.
        Scanner(ScannerTable),
        /// Values of fields.
        Value(ValueTable),
        /// States of compressions.
        Digest(DigestTable),
        /// Keys of providers.
        Provider(ProviderTable),
        /// Products modulo them.
        Rsa(RsaTable),
        /// Compressions.
        Sha256(Sha256Table),
        /// Characters of challenges.
        Base64(Base64Table),
        /// Pairs of bytes.
        Bytes(BytesTable),
        /// 15-bit values.
        Range15(Range15Table),
    }
}

/// Tables of the circuit.
pub(crate) const TABLES: usize = 16;
/// log2 of the rows of the two op tables.
pub(crate) const OPS: usize = 6;
/// log2 of the rows of the table of providers.
const PROVIDERS: usize = 6;
/// Permutations of a login beside those of its tuple and its values: message, key id, nonce, two times.
const STEPS_OF_A_LOGIN: usize = 2 + 4 + 2 + 2;
/// Permutations of an L1 record.
const STEPS_OF_A_RECORD: usize = 2;
/// Permutations of a provider's digest.
const STEPS_OF_A_PROVIDER: usize = tsz_auth::social::PROVIDER_FELTS / 8;

/// What some ops need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Key changes.
    pub logins: usize,
    /// Provider cells set or cleared.
    pub governance: usize,
    /// Compressions of tokens.
    pub blocks: usize,
    /// Rows of values.
    pub values: usize,
    /// Keys of providers.
    pub providers: usize,
    /// Ops of other families, and tokens that are too long: no class holds them.
    pub others: usize,
}

impl Counts {
    /// Counts what ops need.
    pub fn of<'a>(ops: impl IntoIterator<Item = &'a Op>) -> Self {
        let (mut counts, mut providers) = (Self::default(), HashSet::new());
        for op in ops {
            let Some((approved, _)) = Approved::of(op) else {
                let is_ours = matches!(op.as_trade(), Some(op) if op.family() == tsz_ledger::Family::Oidc);
                counts.governance += usize::from(is_ours);
                counts.others += usize::from(!is_ours);
                continue;
            };
            match need(approved.signed()) {
                Ok(need) => {
                    counts.blocks += need.blocks;
                    counts.values += need.values;
                }
                Err(_) => counts.others += 1,
            }
            counts.logins += 1;
            providers.insert(approved.provider.digest());
        }
        counts.providers = providers.len();
        counts
    }

    fn permutations(&self) -> usize {
        let login = op_rows(ACCESSES, WRITES) + STEPS_OF_A_LOGIN;
        let record = op_rows(3, 3) + STEPS_OF_A_RECORD;
        let providers = self.providers * STEPS_OF_A_PROVIDER;
        self.logins * login + self.governance * record + self.values + providers
    }

    fn tuple_rows(&self) -> usize {
        self.logins * op_rows(ACCESSES, WRITES) + self.governance * op_rows(3, 3)
    }
}

/// A size class: log2 heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Name, part of reports.
    pub name: &'static str,
    /// Tuple table.
    pub tuple: usize,
    /// Permutations.
    pub poseidon2: usize,
    /// Characters.
    pub token: usize,
    /// Values.
    pub value: usize,
    /// Compressions of tokens, by their states.
    pub digest: usize,
    /// Products modulo N.
    pub rsa: usize,
    /// Compressions.
    pub sha256: usize,
}

/// The size classes, smallest first: at most 7 and 60 logins.
pub const CLASSES: [Class; 2] = [
    Class { name: "small", tuple: 8, poseidon2: 9, token: 13, value: 7, digest: 7, rsa: 7, sha256: 11 },
    Class { name: "large", tuple: 11, poseidon2: 12, token: 16, value: 10, digest: 10, rsa: 10, sha256: 14 },
];

impl Class {
    /// The smallest class that holds these ops, if any does.
    pub fn fitting(counts: &Counts) -> Option<&'static Self> {
        CLASSES.iter().find(|class| class.holds(counts))
    }

    /// The class with these heights.
    pub(crate) fn with_heights(log_heights: &[usize]) -> Option<&'static Self> {
        CLASSES.iter().find(|class| class.log_heights() == log_heights)
    }

    /// Whether the ops fit all tables.
    pub fn holds(&self, counts: &Counts) -> bool {
        let blocks =
            [TokenTable::new(self.token).blocks(), Sha256Table::new(self.sha256).blocks(), 1 << self.digest];
        counts.others == 0
            && counts.logins <= (1 << OPS).min(RsaTable::new(self.rsa).blocks())
            && counts.governance <= 1 << OPS
            && counts.providers <= MAX_PROVIDERS
            && blocks.into_iter().all(|limit| counts.blocks <= limit)
            && counts.values <= 1 << self.value
            // One more row ends the segment.
            && counts.tuple_rows() < 1 << self.tuple
            && counts.permutations() <= 1 << self.poseidon2
    }

    /// Rows of an op table.
    pub(crate) fn rows() -> usize {
        1 << OPS
    }

    /// Every table with log2 of its rows, in the order of the circuit.
    fn tables(&self) -> [(OidcAir, usize); TABLES] {
        [
            (LoginAir.into(), OPS),
            (SetProviderAir.into(), OPS),
            (TupleAir { mode: Mode::Exec }.into(), self.tuple),
            (Poseidon2Table::new().into(), self.poseidon2),
            (RangeTable.into(), range::LOG_HEIGHT),
            (TokenTable::new(self.token).into(), self.token),
            (SplitTable.into(), SPLIT_LOG_HEIGHT),
            (ScannerTable.into(), SCANNER_LOG_HEIGHT),
            (ValueTable.into(), self.value),
            (DigestTable.into(), self.digest),
            (ProviderTable.into(), PROVIDERS),
            (RsaTable::new(self.rsa).into(), self.rsa),
            (Sha256Table::new(self.sha256).into(), self.sha256),
            (Base64Table.into(), base64url::LOG_HEIGHT),
            (BytesTable.into(), BYTES_LOG_HEIGHT),
            (Range15Table.into(), RANGE15_LOG_HEIGHT),
        ]
    }

    /// log2 of the rows of each table, in the order of the circuit.
    pub fn log_heights(&self) -> Vec<usize> {
        self.tables().into_iter().map(|(_, height)| height).collect()
    }

    /// The circuit of the class.
    pub fn circuit(&self, profile: Profile) -> Circuit<OidcAir> {
        Circuit::new(profile, self.tables())
    }

    /// Makes the keys of the class.
    ///
    /// # Errors
    /// None for the classes of [`CLASSES`].
    pub fn setup(&self, profile: Profile) -> Result<ProvingKey, SetupError> {
        setup(self.circuit(profile))
    }
}
