//! Leaves that a report shows.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tsz_hash::PrimeField32;
use tsz_ledger::{
    AcctCell, BalCell, Cell, CellError, CtlCell, HeadCell, Key, KeyPolicy, L1InCell, Leaf, SubCell, TokCell,
};
use tsz_smt::Tree;
use tsz_stf::forms;
use tsz_types::{AccountId, KeySlot, SubId, TokenId};

use crate::ScenarioError;
use crate::fields::Node;
use crate::names::Names;

fn main_sub() -> SubId {
    SubId::MIN
}

/// A leaf by what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cell", rename_all = "snake_case", deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are the parts of the key")]
pub enum Show {
    /// Balance of a token.
    Balance {
        account: AccountId,
        #[serde(default = "main_sub")]
        sub: SubId,
        token: TokenId,
    },
    /// Collateral and position count.
    Collateral {
        account: AccountId,
        #[serde(default = "main_sub")]
        sub: SubId,
    },
    /// L1 owner.
    Owner { account: AccountId },
    /// Key id and policy of a slot: two leaves.
    Key { account: AccountId, slot: KeySlot },
    /// Nonce and kill epoch.
    Control {
        account: AccountId,
        #[serde(default = "main_sub")]
        sub: SubId,
    },
    /// Batch, time, next account.
    Head,
    /// Next L1 serial.
    L1Serial,
    /// Chain of consumed L1 operations.
    L1Chain,
    /// Chain of withdrawal records.
    OutChain,
    /// A token.
    Token { token: TokenId },
}

impl Show {
    /// Reads a selector; accounts and tokens may have names.
    pub(crate) fn parse(node: Node, names: &Names) -> Result<Self, ScenarioError> {
        let Node { path, mut value } = node;
        for field in ["account", "token"] {
            let Some(text) = value.get(field).filter(|v| v.is_string()).cloned() else { continue };
            let node = Node { path: format!("{path}.{field}"), value: text };
            value[field] = if field == "token" {
                names.token_in(node)?.get().into()
            } else {
                names.account_in(node)?.get().into()
            };
        }
        Node { path, value }.get()
    }

    fn keys(&self) -> Vec<Key> {
        match *self {
            Self::Balance { account, sub, token } => {
                vec![Key::bal(account.get(), sub.get().into(), token.get().into())]
            }
            Self::Collateral { account, sub } => vec![Key::sub(account.get(), sub.get().into())],
            Self::Owner { account } => vec![Key::acct(account.get())],
            Self::Key { account, slot } => {
                let slot = slot.get().into();
                vec![Key::key_a(account.get(), slot), Key::key_b(account.get(), slot)]
            }
            Self::Control { account, sub } => vec![Key::ctl(account.get(), sub.get().into())],
            Self::Head => vec![Key::HEAD],
            Self::L1Serial => vec![Key::L1IN],
            Self::L1Chain => vec![Key::L1CHAIN],
            Self::OutChain => vec![Key::OUT],
            Self::Token { token } => vec![Key::tok(token.get().into())],
        }
    }

    fn value(&self, leaves: &[Leaf]) -> Result<Value, CellError> {
        let leaf = &leaves[0];
        Ok(match self {
            Self::Balance { .. } => json!({ "micros": BalCell::from_leaf(leaf)?.balance }),
            Self::Collateral { .. } => {
                let cell = SubCell::from_leaf(leaf)?;
                json!({ "micros": cell.collateral, "pos_count": cell.pos_count, "mask": cell.mask })
            }
            Self::Owner { .. } => json!({ "owner": AcctCell::from_leaf(leaf)?.owner }),
            Self::Key { .. } => {
                let policy = Option::<KeyPolicy>::from_leaf(&leaves[1])?;
                json!({ "key_id": forms::digest_hex(leaf), "policy": policy })
            }
            Self::Control { .. } => {
                let cell = CtlCell::from_leaf(leaf)?;
                json!({ "nonce": cell.nonce, "kill_epoch": cell.kill_epoch })
            }
            Self::Head => {
                let cell = HeadCell::from_leaf(leaf)?;
                json!({ "batch": cell.batch, "time": cell.time, "next_account": cell.next_account })
            }
            Self::L1Serial => json!({ "next": L1InCell::from_leaf(leaf)?.next }),
            Self::L1Chain | Self::OutChain => json!({ "digest": forms::digest_hex(leaf) }),
            Self::Token { .. } => {
                let cell = TokCell::from_leaf(leaf)?;
                json!({ "listed": cell.listed, "minimum": cell.minimum })
            }
        })
    }

    /// Selector, keys, felts and decoded value of the leaf.
    pub fn of(&self, tree: &Tree) -> Value {
        let keys = self.keys();
        let leaves: Vec<Leaf> = keys.iter().map(|key| tree.get(key.raw())).collect();
        let felts: Vec<_> = leaves.iter().map(|leaf| leaf.map(|x| x.as_canonical_u32())).collect();
        let raw: Vec<String> = keys.iter().map(|key| format!("{:#012x}", key.raw())).collect();
        let value = self.value(&leaves).unwrap_or_else(|error| json!({ "corrupt": error.to_string() }));
        json!({ "leaf": self, "keys": raw, "felts": felts, "value": value })
    }
}
