//! Size classes: fixed heights, hence one verifying key for each.

use std::collections::HashSet;

use tsz_air::air_enum;
use tsz_auth::oidc::Algorithm;
use tsz_chips::base64url::{self, Base64Table};
use tsz_chips::bigint::mulmod::MulmodTable;
use tsz_chips::bytes::{BYTES_LOG_HEIGHT, BytesTable, RANGE15_LOG_HEIGHT, Range15Table};
use tsz_chips::ecdsa::{
    CombTable, ENTRIES_LOG_HEIGHT, EntryTable, Heights, LadderTable, P256, Part, VerifyTable,
};
use tsz_chips::es256::Es256Table;
use tsz_chips::oidc::{
    self, DigestTable, EcProviderTable, MAX_PROVIDERS, ProviderTable, SCANNER_LOG_HEIGHT, SPLIT_LOG_HEIGHT,
    ScannerTable, SplitTable, TokenTable, ValueTable, need,
};
use tsz_chips::poseidon2::Poseidon2Table;
use tsz_chips::range::{self, RangeTable};
use tsz_chips::rsa::RsaTable;
use tsz_chips::sha256::Sha256Table;
use tsz_chips::tuple::{Mode, TupleAir, op_rows};
use tsz_ledger::Family;
use tsz_stark::{Circuit, Profile, SetupError, setup};
use tsz_trade::Op;

use crate::ProvingKey;
use crate::approval::ApprovalAir;
use crate::login::LoginAir;
use crate::pay::{ACCESSES, RECORD, TransferByAir, WRITES, WithdrawByAir};
use crate::provider::SetProviderAir;
use crate::record::Approved;

air_enum! {
    /// Tables of the circuits of social logins.
    pub enum OidcAir {
        /// Key changes.
        Login(LoginAir),
        /// Transfers.
        Transfer(TransferByAir),
        /// Withdrawals.
        Withdraw(WithdrawByAir),
        /// Tokens that approve them.
        Approval(ApprovalAir),
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
        /// Keys of providers, RS256.
        Provider(ProviderTable),
        /// Products modulo them.
        Rsa(RsaTable),
        /// Keys of providers, ES256.
        EcProvider(EcProviderTable),
        /// Signatures by key number.
        Es256(Es256Table),
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

/// log2 of the rows of the tables of ops and approvals.
pub(crate) const OPS: usize = 6;
/// log2 of the rows of the table of providers.
const PROVIDERS: usize = 6;
/// Permutations of a login beside those of its tuple and its values: message, key id, nonce, two times, a record for L1.
const STEPS_OF_A_LOGIN: usize = 2 + 4 + 2 + 2 + RECORD;
/// Permutations of an L1 record.
const STEPS_OF_A_RECORD: usize = 2;
/// Products of an ES256 signature.
const PRODUCTS: usize = 22;

/// The family whose ops the circuit of an algorithm proves.
pub(crate) const fn family(algorithm: Algorithm) -> Family {
    match algorithm {
        Algorithm::Rs256 => Family::Oidc,
        Algorithm::Es256 => Family::OidcEs256,
    }
}

/// What some ops need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Key changes and payments.
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
    /// Counts what ops need in the circuit of an algorithm.
    pub fn of<'a>(algorithm: Algorithm, ops: impl IntoIterator<Item = &'a Op>) -> Self {
        let (mut counts, mut providers) = (Self::default(), HashSet::new());
        for op in ops {
            if op.family() != family(algorithm) {
                counts.others += 1;
                continue;
            }
            let Some(approved) = Approved::of(op) else {
                counts.governance += 1;
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

    fn permutations(&self, algorithm: Algorithm) -> usize {
        let login = op_rows(ACCESSES, WRITES) + STEPS_OF_A_LOGIN;
        let record = op_rows(3, 3) + STEPS_OF_A_RECORD;
        let providers = self.providers * oidc::blocks(algorithm);
        self.logins * login + self.governance * record + self.values + providers
    }

    fn tuple_rows(&self) -> usize {
        self.logins * op_rows(ACCESSES, WRITES) + self.governance * op_rows(3, 3)
    }
}

/// Heights of the tables of signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signatures {
    /// RS256.
    Rs256 {
        /// Products modulo N.
        rsa: usize,
    },
    /// ES256.
    Es256 {
        /// Ladders: one table or two.
        ladders: &'static [usize],
        /// Combs: one table or two.
        combs: &'static [usize],
        /// Products modulo p and n.
        mulmod: usize,
    },
}

/// A size class: log2 heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Name, part of reports.
    pub name: &'static str,
    /// Signatures.
    pub signatures: Signatures,
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
    /// Compressions.
    pub sha256: usize,
}

/// The size classes of tokens with RS256, smallest first: at most 7 and 64 logins. 64 signatures are more than 2^10 rows of
/// products hold.
pub const CLASSES: [Class; 2] = [
    Class {
        name: "small",
        signatures: Signatures::Rs256 { rsa: 7 },
        tuple: 8,
        poseidon2: 9,
        token: 13,
        value: 7,
        digest: 7,
        sha256: 11,
    },
    Class {
        name: "large",
        signatures: Signatures::Rs256 { rsa: 11 },
        tuple: 10,
        poseidon2: 12,
        token: 16,
        value: 10,
        digest: 10,
        sha256: 14,
    },
];

/// The size classes of tokens with ES256, smallest first: at most 7 and 64 logins.
pub const ES256_CLASSES: [Class; 2] = [
    Class { signatures: Signatures::Es256 { ladders: &[10], combs: &[8], mulmod: 8 }, ..CLASSES[0] },
    Class { signatures: Signatures::Es256 { ladders: &[13, 9], combs: &[11, 7], mulmod: 11 }, ..CLASSES[1] },
];

impl Class {
    /// Of every algorithm.
    fn all() -> impl Iterator<Item = &'static Self> {
        CLASSES.iter().chain(&ES256_CLASSES)
    }

    /// The smallest class of an algorithm that holds these ops, if any does.
    pub fn fitting(algorithm: Algorithm, counts: &Counts) -> Option<&'static Self> {
        Self::all().find(|class| class.algorithm() == algorithm && class.holds(counts))
    }

    /// The class with these heights.
    pub(crate) fn with_heights(log_heights: &[usize]) -> Option<&'static Self> {
        Self::all().find(|class| class.log_heights() == log_heights)
    }

    /// Of the tokens.
    pub const fn algorithm(&self) -> Algorithm {
        match self.signatures {
            Signatures::Rs256 { .. } => Algorithm::Rs256,
            Signatures::Es256 { .. } => Algorithm::Es256,
        }
    }

    /// The family of the ops.
    pub const fn family(&self) -> Family {
        family(self.algorithm())
    }

    /// Signatures that the tables hold.
    fn signatures(&self) -> usize {
        match self.signatures {
            Signatures::Rs256 { rsa } => RsaTable::new(rsa).blocks(),
            // The padding of the ladder has products too.
            Signatures::Es256 { mulmod, .. } => {
                self.ecdsa().map_or(0, |h| h.capacity()).min((1 << mulmod) / PRODUCTS - 1)
            }
        }
    }

    /// Heights of the tables of P-256.
    pub(crate) fn ecdsa(&self) -> Option<Heights> {
        match self.signatures {
            Signatures::Rs256 { .. } => None,
            Signatures::Es256 { ladders, combs, .. } => Some(Heights { verify: OPS, ladders, combs }),
        }
    }

    /// Whether the ops fit all tables.
    pub fn holds(&self, counts: &Counts) -> bool {
        let blocks =
            [TokenTable::new(self.token).blocks(), Sha256Table::new(self.sha256).blocks(), 1 << self.digest];
        counts.others == 0
            && counts.logins <= (1 << OPS).min(self.signatures())
            && counts.governance <= 1 << OPS
            && counts.providers <= MAX_PROVIDERS
            && blocks.into_iter().all(|limit| counts.blocks <= limit)
            && counts.values <= 1 << self.value
            // One more row ends the segment.
            && counts.tuple_rows() < 1 << self.tuple
            && counts.permutations(self.algorithm()) <= 1 << self.poseidon2
    }

    /// Rows of an op table.
    pub(crate) fn rows() -> usize {
        1 << OPS
    }

    /// Every table with log2 of its rows, in the order of the circuit.
    fn tables(&self) -> Vec<(OidcAir, usize)> {
        let mut tables: Vec<(OidcAir, usize)> = vec![
            (LoginAir.into(), OPS),
            (TransferByAir.into(), OPS),
            (WithdrawByAir.into(), OPS),
            (ApprovalAir(self.algorithm()).into(), OPS),
            (TupleAir { mode: Mode::Exec }.into(), self.tuple),
            (Poseidon2Table::new().into(), self.poseidon2),
            (RangeTable.into(), range::LOG_HEIGHT),
            (TokenTable::new(self.token).into(), self.token),
            (SplitTable.into(), SPLIT_LOG_HEIGHT),
            (ScannerTable.into(), SCANNER_LOG_HEIGHT),
            (ValueTable.into(), self.value),
            (DigestTable.into(), self.digest),
            (Sha256Table::new(self.sha256).into(), self.sha256),
            (Base64Table.into(), base64url::LOG_HEIGHT),
            (BytesTable.into(), BYTES_LOG_HEIGHT),
            (Range15Table.into(), RANGE15_LOG_HEIGHT),
        ];
        match self.signatures {
            Signatures::Rs256 { rsa } => tables.extend([
                (SetProviderAir.into(), OPS),
                (ProviderTable.into(), PROVIDERS),
                (RsaTable::new(rsa).into(), rsa),
            ]),
            Signatures::Es256 { mulmod, .. } => {
                tables.push((EcProviderTable.into(), PROVIDERS));
                tables.push((Es256Table.into(), OPS));
                tables.extend(self.ecdsa().iter().flat_map(curve_tables));
                tables.push((products().into(), mulmod));
            }
        }
        tables
    }

    /// log2 of the rows of each table, in the order of the circuit.
    pub fn log_heights(&self) -> Vec<usize> {
        self.tables().into_iter().map(|(_, height)| height).collect()
    }

    /// The circuit of the class.
    ///
    /// The 55,296 products of a row of table `rsa` are evaluated once in a lift, whose arithmetic then takes 2^17 rows
    /// whatever the queries are: at blow-up 4 its permutations fit, too.
    pub fn circuit(&self, profile: Profile) -> Circuit<OidcAir> {
        let circuit = Circuit::new(profile, self.tables());
        match self.signatures {
            Signatures::Rs256 { .. } => circuit.preferring(Profile::Base4),
            Signatures::Es256 { .. } => circuit,
        }
    }

    /// Makes the keys of the class.
    ///
    /// # Errors
    /// None for the classes of [`CLASSES`] and [`ES256_CLASSES`].
    pub fn setup(&self, profile: Profile) -> Result<ProvingKey, SetupError> {
        setup(self.circuit(profile))
    }
}

/// The table of products modulo p and n of P-256.
pub(crate) fn products() -> MulmodTable {
    MulmodTable::new([P256.field.clone(), P256.order.clone()])
}

/// Equations, ladders, combs and entries of P-256.
fn curve_tables(heights: &Heights) -> Vec<(OidcAir, usize)> {
    let ladder = |part: Part| (LadderTable::new(&P256, part).into(), part.log_height);
    let comb = |part: Part| (CombTable::new(&P256, part).into(), part.log_height);
    let mut tables: Vec<(OidcAir, usize)> = vec![(VerifyTable::new(&P256, heights).into(), heights.verify)];
    tables.extend(heights.ladders().into_iter().map(ladder));
    tables.extend(heights.combs().into_iter().map(comb));
    tables.push((EntryTable::new(&P256).into(), ENTRIES_LOG_HEIGHT));
    tables
}
