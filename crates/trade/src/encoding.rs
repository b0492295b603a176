//! I9: each leaf of a state is the one encoding of the cell that its key has (docs/src/state.md).

use tsz_ext::cell as approval_cell;
use tsz_ext::{ApprovalPolicy, LimitCell};
use tsz_hash::{F, PrimeCharacteristicRing, ZERO};
use tsz_ledger::cells::MAX_MARGIN_TOKENS;
use tsz_ledger::key::{cell, kind};
use tsz_ledger::{
    AcctCell, BalCell, Cell, CellError, CtlCell, HeadCell, Key, KeyPolicy, L1InCell, Leaf, MkfCell, MkoCell,
    MkpCell, MkrCell, MksCell, OrdCell, PosCell, Realm, SubCell, TokCell,
};

/// First cell behind the key slots, and behind the margin balances.
const KEYS_END: u32 = cell::MBAL;
const MARGIN_END: u32 = cell::MBAL + MAX_MARGIN_TOKENS as u32;
/// Markets, tokens, and rankings of all markets.
const MARKETS: u32 = 256;
const TOKENS: u32 = 128;
const RANKINGS: u32 = 32 * MARKETS;
/// Cells of the approval slots, and those of one.
const APPROVALS: u32 = approval_cell::APPROVAL;
const SLOT_CELLS: u32 = approval_cell::SLOT_CELLS;
const APPROVALS_END: u32 = APPROVALS + SLOT_CELLS * approval_cell::SLOTS;
const LAST_LIMIT: u32 = approval_cell::LIMIT + approval_cell::LIMITS - 1;

/// A leaf that is stored reads as a cell and the cell writes as the leaf. An absent leaf is not stored.
fn same<C: Cell>(leaf: &Leaf) -> Result<(), CellError> {
    let cell = C::from_leaf(leaf)?;
    if cell.to_leaf() == *leaf && *leaf != ZERO {
        Ok(())
    } else {
        Err(CellError::NotCanonical { cell: C::NAME, what: "a second encoding" })
    }
}

/// Eight felts of which each is a canonical number by its type: a key id, a hash, a chain.
fn digest(leaf: &Leaf) -> Result<(), CellError> {
    if *leaf == ZERO {
        Err(CellError::NotCanonical { cell: "digest", what: "a stored zero" })
    } else {
        Ok(())
    }
}

fn user(realm: Realm, sub: u32, number: u32, leaf: &Leaf) -> Result<(), CellError> {
    match (realm, number) {
        (Realm::Published, cell::SUB) => same::<SubCell>(leaf),
        (Realm::Published, cell::ACCT) if sub == 0 => same::<AcctCell>(leaf),
        (Realm::Published, cell::KEY_A..KEYS_END) if sub == 0 && number.is_multiple_of(2) => digest(leaf),
        (Realm::Published, cell::KEY_B..KEYS_END) if sub == 0 => same::<Option<KeyPolicy>>(leaf),
        (Realm::Published, cell::MBAL..MARGIN_END | cell::BAL..cell::POS) => same::<BalCell>(leaf),
        (Realm::Published, cell::POS..cell::COUNT) => same::<PosCell>(leaf),
        (Realm::Private, cell::CTL) => same::<CtlCell>(leaf),
        (Realm::Private, cell::ORD..cell::COUNT) => same::<OrdCell>(leaf),
        (Realm::Private, APPROVALS..APPROVALS_END) => approval((number - APPROVALS) % SLOT_CELLS, leaf),
        _ => Err(NO_CELL),
    }
}

fn system(key: Key, leaf: &Leaf) -> Result<(), CellError> {
    let (number, index) = ((key.raw() >> 32 & 63) as u32, key.raw() as u32);
    match (key.realm(), number) {
        _ if key == Key::HEAD => same::<HeadCell>(leaf),
        _ if key == Key::L1IN => same::<L1InCell>(leaf),
        _ if [Key::L1CHAIN, Key::OUT, Key::VKROOT, Key::PARAMS].contains(&key) => digest(leaf),
        (Realm::Published, kind::TOK) if index < TOKENS => same::<TokCell>(leaf),
        (Realm::Published, kind::MKP) if index < MARKETS => same::<MkpCell>(leaf),
        (Realm::Published, kind::MKF) if index < MARKETS => same::<MkfCell>(leaf),
        (Realm::Published, kind::MKS) if index < MARKETS => same::<MksCell>(leaf),
        (Realm::Published, kind::MKO) if index < MARKETS => same::<MkoCell>(leaf),
        (Realm::Private, kind::MKR) if index < RANKINGS => same::<MkrCell>(leaf),
        _ => Err(NO_CELL),
    }
}

/// A cell of an approval slot. Storage is the program's, but for the epoch, which no approval has as 0.
fn approval(place: u32, leaf: &Leaf) -> Result<(), CellError> {
    match place {
        approval_cell::PROGRAM | approval_cell::TERMS => digest(leaf),
        approval_cell::POLICY => same::<ApprovalPolicy>(leaf),
        approval_cell::LIMIT..=LAST_LIMIT => same::<LimitCell>(leaf),
        approval_cell::STORAGE.. if leaf[7] != F::ZERO => Ok(()),
        _ => Err(NO_CELL),
    }
}

const NO_CELL: CellError = CellError::NotCanonical { cell: "none", what: "no cell has this key" };

/// Checks one leaf of a state.
pub(crate) fn check(key: Key, leaf: &Leaf) -> Result<(), CellError> {
    // 26 bits: realm, system, account
    if key.hi() >> 24 & 1 == 1 {
        system(key, leaf)
    } else {
        user(key.realm(), key.lo() / cell::COUNT, key.lo() % cell::COUNT, leaf)
    }
}
