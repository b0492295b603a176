//! Names and contents of leaves, for people.

use tsz_ext::{ApprovalPolicy, Installed, LimitCell, cell as approval, words};
use tsz_ext_sdk::{Leg, STORAGE_FELTS};
use tsz_hash::PrimeField32;
use tsz_ledger::key::{cell, kind};
use tsz_ledger::{
    AcctCell, BalCell, Cell, CellError, CtlCell, HeadCell, Key, KeyPolicy, L1InCell, Leaf, MkfCell, MkoCell,
    MkpCell, MkrCell, MksCell, OrdCell, Permission, Permissions, PosCell, Realm, SubCell, TokCell,
};
use tsz_stf::forms::digest_hex;
use tsz_types::{MarketId, TimeMs, TokenId};

use crate::Names;
use crate::runner::{system_cell, user_cell};
use crate::table::units;

/// What a leaf holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Sub,
    Acct,
    KeyA(u32),
    KeyB(u32),
    Mbal(u32),
    Bal(u32),
    Pos(u32),
    Ctl,
    Ord(u32),
    /// Slot and place of a cell of an approval.
    Approval(u32, u32),
    Mkp(u32),
    Mkf(u32),
    Mks(u32),
    Mko(u32),
    Mkr(u32),
    Tok(u32),
    Head,
    Provider(u32),
    L1In,
    Digest(&'static str),
    Other,
}

fn of_user(realm: Realm, number: u32) -> What {
    match (realm, number) {
        (Realm::Published, cell::SUB) => What::Sub,
        (Realm::Published, cell::ACCT) => What::Acct,
        (Realm::Published, n) if n >= cell::POS => What::Pos(n - cell::POS),
        (Realm::Published, n) if n >= cell::BAL => What::Bal(n - cell::BAL),
        (Realm::Published, n) if (cell::MBAL..cell::MBAL + 4).contains(&n) => What::Mbal(n - cell::MBAL),
        (Realm::Published, n) if n < cell::KEY_A + 96 => match n % 2 {
            0 => What::KeyA((n - cell::KEY_A) / 2),
            _ => What::KeyB((n - cell::KEY_B) / 2),
        },
        (Realm::Private, cell::CTL) => What::Ctl,
        (Realm::Private, n) if n >= cell::ORD => What::Ord(n - cell::ORD),
        (Realm::Private, n) if n >= approval::APPROVAL => {
            let n = n - approval::APPROVAL;
            What::Approval(n / approval::SLOT_CELLS, n % approval::SLOT_CELLS)
        }
        _ => What::Other,
    }
}

fn of_system(key: Key, number: u32, index: u32) -> What {
    match (number, key) {
        (_, Key::HEAD) => What::Head,
        (_, Key::L1IN) => What::L1In,
        (_, Key::L1CHAIN) => What::Digest("L1CHAIN"),
        (_, Key::OUT) => What::Digest("OUT"),
        (_, Key::VKROOT) => What::Digest("VKROOT"),
        (_, Key::PARAMS) => What::Digest("PARAMS"),
        (kind::TOK, _) => What::Tok(index),
        (kind::MKP, _) => What::Mkp(index),
        (kind::MKF, _) => What::Mkf(index),
        (kind::MKS, _) => What::Mks(index),
        (kind::MKO, _) => What::Mko(index),
        (kind::MKR, _) => What::Mkr(index),
        (kind::PROVIDER, _) => What::Provider(index),
        _ => What::Other,
    }
}

fn what(key: Key) -> What {
    if let Some((_, realm, number)) = user_cell(key) {
        return of_user(realm, number);
    }
    system_cell(key).map_or(What::Other, |(number, index)| of_system(key, number, index))
}

fn perp(index: u32, names: &Names) -> String {
    MarketId::try_from(i128::from(index)).map_or_else(|_| index.to_string(), |id| names.perp(id))
}

fn token(index: u32, names: &Names) -> String {
    TokenId::try_from(i128::from(index)).map_or_else(|_| index.to_string(), |id| names.token(id))
}

/// Name of a leaf, such as `POS(BTC) alice/1`.
pub(crate) fn name(key: Key, names: &Names) -> String {
    let cell = match what(key) {
        What::Sub => "SUB".to_owned(),
        What::Acct => "ACCT".to_owned(),
        What::KeyA(k) => format!("KEYA({k})"),
        What::KeyB(k) => format!("KEYB({k})"),
        What::Mbal(k) => format!("MBAL({k})"),
        What::Bal(t) => format!("BAL({})", token(t, names)),
        What::Pos(m) => format!("POS({})", perp(m, names)),
        What::Ctl => "CTL".to_owned(),
        What::Ord(s) => format!("ORD({s})"),
        What::Approval(slot, place) => match place {
            approval::PROGRAM => format!("PROGRAM({slot})"),
            approval::TERMS => format!("TERMS({slot})"),
            approval::POLICY => format!("POLICY({slot})"),
            approval::LEG => format!("LEG({slot})"),
            approval::STORAGE.. => format!("STORE({slot}, {})", place - approval::STORAGE),
            _ => format!("LIMIT({slot}, {})", place - approval::LIMIT),
        },
        What::Mkp(m) => format!("MKP({})", perp(m, names)),
        What::Mkf(m) => format!("MKF({})", perp(m, names)),
        What::Mks(m) => format!("MKS({})", perp(m, names)),
        What::Mko(m) => format!("MKO({})", perp(m, names)),
        What::Mkr(k) => {
            let side = if k & 16 == 0 { "longs" } else { "shorts" };
            format!("MKR({}, {side}, class {})", perp(k / 32, names), k & 15)
        }
        What::Tok(t) => format!("TOK({})", token(t, names)),
        What::Provider(k) => format!("PROVIDER({k})"),
        What::Head => "HEAD".to_owned(),
        What::L1In => "L1IN".to_owned(),
        What::Digest(name) => name.to_owned(),
        What::Other => format!("{:#012x}", key.raw()),
    };
    match user_cell(key) {
        Some((party, ..)) => format!("{cell} {}", names.party(party)),
        None => cell,
    }
}

/// Content of a leaf in words; `-` if it is empty.
pub(crate) fn content(key: Key, leaf: &Leaf) -> String {
    if leaf.iter().all(|felt| felt.as_canonical_u32() == 0) {
        return "-".to_owned();
    }
    decoded(key, leaf).unwrap_or_else(|error| format!("corrupt: {error}"))
}

fn decoded(key: Key, leaf: &Leaf) -> Result<String, CellError> {
    Ok(match what(key) {
        What::Sub => {
            let c = SubCell::from_leaf(leaf)?;
            let mask = if c.mask == 0 { String::new() } else { format!(", margin tokens {:04b}", c.mask) };
            format!("collateral {}, positions {}{mask}", units(c.collateral.get()), c.pos_count)
        }
        What::Acct => match AcctCell::from_leaf(leaf)?.owner {
            Some(owner) => format!("owner {owner}"),
            None => "no account".to_owned(),
        },
        What::KeyB(_) => match Option::<KeyPolicy>::from_leaf(leaf)? {
            Some(p) => format!("{:?}, {}, {}", p.scheme, rights(p.permissions), expiry(p.expiry)),
            None => "no key".to_owned(),
        },
        What::Mbal(_) | What::Bal(_) => units(BalCell::from_leaf(leaf)?.balance.get() as i128), // u96
        What::Pos(_) => {
            let c = PosCell::from_leaf(leaf)?;
            format!("size {}, F_last {}", c.size(), c.funding())
        }
        What::Ctl => {
            let c = CtlCell::from_leaf(leaf)?;
            format!("nonce {}, kill epoch {}", c.nonce, c.kill_epoch)
        }
        What::Ord(_) => {
            let c = OrdCell::from_leaf(leaf)?;
            format!("next nonce {}, filled {}", c.next_nonce, c.filled)
        }
        What::Approval(_, approval::PROGRAM) => {
            Installed::name(leaf).map_or_else(|| digest_hex(leaf), str::to_owned)
        }
        What::Approval(_, approval::TERMS) => digest_hex(leaf),
        What::Approval(_, approval::POLICY) => {
            let c = ApprovalPolicy::from_leaf(leaf)?;
            let limits: Vec<String> = c.limits.iter().flatten().map(ToString::to_string).collect();
            let limited = if limits.is_empty() { "nothing".to_owned() } else { limits.join(", ") };
            let until = TimeMs::new(c.expiry).map_or_else(|e| e.to_string(), expiry);
            format!("approval {}, {until}, what may flow out: {limited}", c.epoch)
        }
        What::Approval(_, approval::LEG) => match Leg::from_leaf(&words(leaf)) {
            Ok(leg) => format!("{} lots of market {}, cash {}", leg.lots, leg.market, units(leg.cash)),
            Err(_) => "no leg".to_owned(),
        },
        What::Approval(_, approval::STORAGE..) => {
            let leaf = words(leaf);
            format!("{:?} of approval {}", &leaf[..STORAGE_FELTS], leaf[STORAGE_FELTS])
        }
        What::Approval(..) => {
            let c = LimitCell::from_leaf(leaf)?;
            format!("{} out of {}", units(c.used.get() as i128), units(c.limit.get() as i128)) // u96
        }
        What::Mkp(_) => {
            let c = MkpCell::from_leaf(leaf)?;
            let settled = if c.settled { ", settled: longs at index, shorts at mark" } else { "" };
            format!("index {}, mark {}, of {}{settled}", c.index, c.mark, c.price_ts)
        }
        What::Mkf(_) => {
            let c = MkfCell::from_leaf(leaf)?;
            format!("F {}, hour {}", c.funding, c.hour)
        }
        What::Mks(_) => {
            let c = MksCell::from_leaf(leaf)?;
            format!("premium sum {}, minute {}", c.sum, c.minute)
        }
        What::Mko(_) => {
            let c = MkoCell::from_leaf(leaf)?;
            format!("open interest {}, moves {}", c.open_interest, c.moves)
        }
        What::Mkr(_) => {
            let c = MkrCell::from_leaf(leaf)?;
            let last = format!("last #{}/{}", c.account, c.sub);
            format!("best rank {}, {} lots to list, {last}, move {}", c.rank, c.remaining, c.moves)
        }
        What::Tok(_) => {
            let c = TokCell::from_leaf(leaf)?;
            format!("listed {}, minimum {}", c.listed, c.minimum)
        }
        What::Head => {
            let c = HeadCell::from_leaf(leaf)?;
            format!("batch {}, time {}, next account {}", c.batch, c.time, c.next_account)
        }
        What::L1In => format!("next serial {}", L1InCell::from_leaf(leaf)?.next),
        What::KeyA(_) | What::Provider(_) | What::Digest(_) | What::Other => digest_hex(leaf),
    })
}

/// How much a write changes money in a leaf, millionths; `None` where it holds none.
pub(crate) fn money(key: Key, leaf: &Leaf) -> Option<i128> {
    match what(key) {
        What::Sub => SubCell::from_leaf(leaf).ok().map(|c| c.collateral.get()),
        What::Bal(_) | What::Mbal(_) => BalCell::from_leaf(leaf).ok().map(|c| c.balance.get() as i128), // u96
        _ => None,
    }
}

fn rights(set: Permissions) -> String {
    if set == Permissions::ALL {
        return "all rights".to_owned();
    }
    let name = |p: &Permission| serde_json::to_value(p).ok()?.as_str().map(str::to_owned);
    let names: Vec<String> = Permission::ALL.iter().filter(|p| set.has(**p)).filter_map(name).collect();
    if names.is_empty() { "no rights".to_owned() } else { names.join(" ") }
}

fn expiry(time: TimeMs) -> String {
    if time == TimeMs::MAX { "never expires".to_owned() } else { format!("expires at {time}") }
}
