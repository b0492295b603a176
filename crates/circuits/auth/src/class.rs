//! Size classes: fixed heights, hence one verifying key for each.

use tsz_air::air_enum;
use tsz_chips::base64url::{self, Base64Table};
use tsz_chips::bigint::mulmod::MulmodTable;
use tsz_chips::bytes::{BYTES_LOG_HEIGHT, BytesTable, RANGE15_LOG_HEIGHT, Range15Table};
use tsz_chips::ecdsa::{
    CombTable, Curve, ENTRIES_LOG_HEIGHT, EntryTable, Heights, LadderTable, P256, Part, SECP256K1,
    VerifyTable,
};
use tsz_chips::keccak::KeccakTable;
use tsz_chips::passkey::{self, PasskeyTable};
use tsz_chips::poseidon2::Poseidon2Table;
use tsz_chips::range::{self, RangeTable};
use tsz_chips::sha256::Sha256Table;
use tsz_chips::tuple::{Mode, TupleAir, op_rows};
use tsz_chips::wallet::{self, WalletTable};
use tsz_stark::{Circuit, Profile, SetupError, setup};

use crate::ProvingKey;
use crate::login::{Kind, LoginAir};
use crate::pay::{ACCESSES, RECORD, TransferByAir, WRITES, WithdrawByAir};

air_enum! {
    /// Tables of the circuits of this crate.
    pub enum AuthAir {
        /// Key changes.
        Login(LoginAir),
        /// Transfers.
        Transfer(TransferByAir),
        /// Withdrawals.
        Withdraw(WithdrawByAir),
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
        /// Approvals by wallets.
        Wallet(WalletTable),
        /// Hashes of theirs.
        Keccak(KeccakTable),
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

/// Products of a signature.
const PRODUCTS: usize = 22;
/// Permutations of the message.
const MESSAGE: usize = 2;

/// A size class: log2 heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Name, part of reports.
    pub name: &'static str,
    /// What approves.
    pub kind: Kind,
    /// Ops, assertions and signatures.
    pub ops: usize,
    /// Tuple table.
    pub tuple: usize,
    /// Permutations.
    pub poseidon2: usize,
    /// Compressions of SHA-256, or rounds of Keccak: one table or two.
    pub hashes: &'static [usize],
    /// Ladders: one table or two.
    pub ladders: &'static [usize],
    /// Combs: one table or two.
    pub combs: &'static [usize],
    /// Products.
    pub mulmod: usize,
}

/// The size classes of passkeys, smallest first: 7 and 64 logins. 64 signatures are two more than a table of 2^13 rows holds.
pub const CLASSES: [Class; 2] = [
    Class {
        name: "small",
        kind: Kind::Passkey,
        ops: 6,
        tuple: 8,
        poseidon2: 8,
        hashes: &[10],
        ladders: &[10],
        combs: &[8],
        mulmod: 8,
    },
    Class {
        name: "large",
        kind: Kind::Passkey,
        ops: 6,
        tuple: 11,
        poseidon2: 11,
        hashes: &[13],
        ladders: &[13, 9],
        combs: &[11, 7],
        mulmod: 11,
    },
];

/// The size classes of wallets, smallest first: 7 and 64 logins. One table of Keccak in either: two of 5,120 rows together
/// would have fewer cells, but a lift of the proof opens the 2,448 columns of each.
pub const WALLET_CLASSES: [Class; 2] = [
    Class { kind: Kind::Wallet, hashes: &[9], ..CLASSES[0] },
    Class { kind: Kind::Wallet, hashes: &[13], ..CLASSES[1] },
];

impl Class {
    /// The smallest class that holds so many ops, if any does.
    pub fn fitting(kind: Kind, ops: usize) -> Option<&'static Self> {
        Self::all().find(|class| class.kind == kind && class.holds(ops))
    }

    /// The classes of every kind.
    fn all() -> impl Iterator<Item = &'static Self> {
        static ALL: [Class; 4] = [CLASSES[0], CLASSES[1], WALLET_CLASSES[0], WALLET_CLASSES[1]];
        ALL.iter()
    }

    /// The class with these heights.
    pub(crate) fn with_heights(log_heights: &[usize]) -> Option<&'static Self> {
        Self::all().find(|class| class.log_heights() == log_heights)
    }

    /// Ops that the class holds, whatever they are and whatever the length of their client data.
    pub fn capacity(&self) -> usize {
        let (hashes, key_blocks) = match self.kind {
            Kind::Passkey => (self.sha256().blocks() / passkey::COMPRESSIONS, passkey::KEY_BLOCKS),
            Kind::Wallet => {
                let hashes: usize = self.keccaks().iter().map(KeccakTable::blocks).sum();
                (hashes / wallet::HASHES, wallet::KEY_BLOCKS)
            }
        };
        let limits = [
            1 << self.ops,
            self.ecdsa().capacity(),
            // One block ends the segment.
            ((1 << self.tuple) - 1) / op_rows(ACCESSES, WRITES),
            (1 << self.poseidon2) / (op_rows(ACCESSES, WRITES) + MESSAGE + RECORD + key_blocks),
            hashes,
            // The padding of the ladder has products too.
            (1 << self.mulmod) / PRODUCTS - 1,
        ];
        limits.into_iter().fold(usize::MAX, usize::min)
    }

    /// Whether so many ops fit.
    pub fn holds(&self, ops: usize) -> bool {
        ops <= self.capacity()
    }

    /// Heights of the tables of signatures.
    pub(crate) fn ecdsa(&self) -> Heights {
        Heights { verify: self.ops, ladders: self.ladders, combs: self.combs }
    }

    /// The table of SHA-256.
    pub(crate) fn sha256(&self) -> Sha256Table {
        Sha256Table::new(self.hashes.first().copied().unwrap_or_default())
    }

    /// The tables of Keccak, their blocks counted through.
    pub(crate) fn keccaks(&self) -> Vec<KeccakTable> {
        let mut first = 0;
        let table = |log: &usize| {
            let table = KeccakTable::new(*log).after(first);
            first += table.blocks();
            table
        };
        self.hashes.iter().map(table).collect()
    }

    /// The curve of the signatures.
    pub(crate) fn curve(&self) -> &'static Curve {
        match self.kind {
            Kind::Passkey => &P256,
            Kind::Wallet => &SECP256K1,
        }
    }

    /// The table of products; those of secp256k1 have the numbers 2 and 3.
    pub(crate) fn products(&self) -> MulmodTable {
        let curves: &[&'static Curve] = match self.kind {
            Kind::Passkey => &[&P256],
            Kind::Wallet => &[&P256, &SECP256K1],
        };
        MulmodTable::new(curves.iter().flat_map(|c| [c.field.clone(), c.order.clone()]))
    }

    /// Every table with log2 of its rows, in the order of the circuit.
    fn tables(&self) -> Vec<(AuthAir, usize)> {
        let curve = self.curve();
        let mut tables: Vec<(AuthAir, usize)> = vec![
            (LoginAir(self.kind).into(), self.ops),
            (TransferByAir(self.kind).into(), self.ops),
            (WithdrawByAir(self.kind).into(), self.ops),
            (TupleAir { mode: Mode::Exec }.into(), self.tuple),
            (Poseidon2Table::new().into(), self.poseidon2),
            (RangeTable.into(), range::LOG_HEIGHT),
        ];
        match self.kind {
            Kind::Passkey => tables.extend([
                (PasskeyTable.into(), self.ops),
                (self.sha256().into(), self.sha256().log_height()),
                (Base64Table.into(), base64url::LOG_HEIGHT),
            ]),
            Kind::Wallet => {
                tables.push((WalletTable.into(), self.ops));
                tables.extend(self.keccaks().into_iter().map(|table| (table.into(), table.log_height())));
            }
        }
        let heights = self.ecdsa();
        tables.push((VerifyTable::new(curve, &heights).into(), self.ops));
        let ladder = |part: Part| (LadderTable::new(curve, part).into(), part.log_height);
        tables.extend(heights.ladders().into_iter().map(ladder));
        let comb = |part: Part| (CombTable::new(curve, part).into(), part.log_height);
        tables.extend(heights.combs().into_iter().map(comb));
        tables.extend([
            (EntryTable::new(curve).into(), ENTRIES_LOG_HEIGHT),
            (self.products().into(), self.mulmod),
            (BytesTable.into(), BYTES_LOG_HEIGHT),
            (Range15Table.into(), RANGE15_LOG_HEIGHT),
        ]);
        tables
    }

    /// log2 of the rows of each table, in the order of the circuit.
    pub fn log_heights(&self) -> Vec<usize> {
        self.tables().into_iter().map(|(_, height)| height).collect()
    }

    /// The circuit of the class.
    ///
    /// The small class of wallets is ground for: with fewer queries its lift takes 2^16 rows, where the estimate, which
    /// knows no crowns, is just above that.
    pub fn circuit(&self, profile: Profile) -> Circuit<AuthAir> {
        let circuit = Circuit::new(profile, self.tables());
        match (self.kind, self.ladders.len()) {
            (Kind::Wallet, 1) => circuit.preferring(Profile::Base8Ground),
            (Kind::Wallet | Kind::Passkey, _) => circuit,
        }
    }

    /// Makes the keys of the class.
    ///
    /// # Errors
    /// None for the classes of [`CLASSES`] and [`WALLET_CLASSES`].
    pub fn setup(&self, profile: Profile) -> Result<ProvingKey, SetupError> {
        setup(self.circuit(profile))
    }
}
