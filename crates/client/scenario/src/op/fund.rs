//! Fund operations as written in a file.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use tsz_ledger::{Permissions, Scheme};
use tsz_sig::{SIGNATURE_BYTES, Signature};
use tsz_stf::{FundOp, forms};
use tsz_types::{AccountId, Bucket, EthAddress, KeySlot, L1Serial, Nonce, SubId, TimeMs, TokenId, Units};

use crate::fields::{Fields, Node};
use crate::names::Names;
use crate::{Keyring, ScenarioError};

/// Who signs an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignWith {
    /// The runner, with the secret of whatever key the state has in the slot.
    Slot,
    /// The runner, with this label's secret.
    Label(String),
    /// The file has the signature.
    Given,
}

/// A fund operation and what the runner fills in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FundSpec {
    /// The operation; the parts to be filled in are zero.
    pub op: FundOp,
    /// Whether the nonce (of a signed operation) or the serial (of an L1 operation) is filled in.
    pub fill_count: bool,
    /// Whether the key slot is filled in: the first one that has the label's key.
    pub fill_slot: bool,
    /// Who signs.
    pub sign: SignWith,
}

/// Zeros in the place of a signature.
pub(crate) fn blank_signature() -> Signature {
    match Signature::from_bytes(&[0; SIGNATURE_BYTES]) {
        Ok(signature) => signature,
        Err(_) => unreachable!("zeros encode a signature that verifies nothing"),
    }
}

impl FundSpec {
    /// An operation with everything filled in by the runner.
    pub fn filled(op: impl Into<FundOp>) -> Self {
        Self { op: op.into(), fill_count: true, fill_slot: true, sign: SignWith::Slot }
    }

    /// Parses one operation.
    pub(crate) fn parse(mut fields: Fields, names: &Names, keys: &Keyring) -> Result<Self, ScenarioError> {
        let path = fields.path.clone();
        let label: Option<String> = fields.optional("key")?;
        if let (Some(label), true) = (&label, fields.map.contains_key("signature")) {
            return Err(ScenarioError::field(path, format!("both a signature and the key {label:?}")));
        }
        if let Some(new) = fields.maybe_node("new_key") {
            let at = new.path.clone();
            let id = keys.key_id(&new.get::<String>()?).map_err(|m| ScenarioError::field(at, m))?;
            fields.map.insert("key_id".to_owned(), forms::digest_hex(&id).into());
        }
        let mut map = fields.map;
        replace_names(&path, &mut map, names)?;
        let absent = |name: &str| !map.contains_key(name);
        let (given, fill_slot) = (!absent("signature"), absent("key_slot"));
        let kind = map.get("op").and_then(Value::as_str).unwrap_or_default().to_owned();
        let defaults =
            defaults(&kind).ok_or_else(|| ScenarioError::field(format!("{path}.op"), "no fund operation"))?;
        let fill_count = absent(if kind_is_l1(&kind) { "serial" } else { "nonce" });
        for (name, value) in defaults {
            map.entry(name).or_insert(value);
        }
        check_types(&path, &map)?;
        let op = serde_json::from_value(map.into()).map_err(|e| ScenarioError::field(path.as_str(), e))?;
        let sign = match label {
            Some(label) => {
                keys.secret(&label).map_err(|m| ScenarioError::field(format!("{path}.key"), m))?;
                SignWith::Label(label)
            }
            None if given => SignWith::Given,
            None => SignWith::Slot,
        };
        Ok(Self { op, fill_count, fill_slot, sign })
    }
}

/// The operations.
pub(super) const KINDS: [&str; 8] = [
    "deposit",
    "transfer",
    "withdraw",
    "register_key",
    "revoke_key",
    "full_exit",
    "l1_register_key",
    "l1_revoke_key",
];

fn kind_is_l1(kind: &str) -> bool {
    matches!(kind, "deposit" | "full_exit" | "l1_register_key" | "l1_revoke_key")
}

/// Values of fields that may be left out; `None` for an unknown kind.
fn defaults(kind: &str) -> Option<Vec<(&'static str, Value)>> {
    if !KINDS.contains(&kind) {
        return None;
    }
    let mut out = Vec::new();
    if !kind.ends_with("_key") {
        out.extend([("sub", 0.into()), ("bucket", "balance".into())]);
    }
    if kind == "transfer" {
        out.extend([("to_sub", 0.into()), ("to_bucket", "balance".into())]);
    }
    if kind.ends_with("register_key") {
        out.extend([
            ("scheme", "schnorr".into()),
            ("permissions", serde_json::to_value(Permissions::ALL).unwrap_or_default()),
            ("expiry", TimeMs::MAX.get().into()),
        ]);
    }
    if kind_is_l1(kind) {
        out.push(("serial", "0".into()));
    } else {
        let blank = forms::to_hex(&[0; SIGNATURE_BYTES]);
        out.extend([("nonce", 0.into()), ("key_slot", 0.into()), ("signature", blank.into())]);
    }
    Some(out)
}

/// Replaces names of accounts and tokens by their numbers.
fn replace_names(path: &str, map: &mut Map<String, Value>, names: &Names) -> Result<(), ScenarioError> {
    for field in ["account", "to_account", "token"] {
        let Some(value) = map.get(field).filter(|v| v.is_string()) else { continue };
        let node = Node { path: format!("{path}.{field}"), value: value.clone() };
        let id = if field == "token" {
            u32::from(names.token_in(node)?.get())
        } else {
            names.account_in(node)?.get()
        };
        map.insert(field.to_owned(), id.into());
    }
    Ok(())
}

/// Checks each field alone, so that an error names it.
fn check_types(path: &str, map: &Map<String, Value>) -> Result<(), ScenarioError> {
    fn is<T: serde::de::DeserializeOwned>(value: &Value) -> Result<(), serde_json::Error> {
        serde_json::from_value::<T>(value.clone()).map(|_| ())
    }
    for (name, value) in map {
        let result = match name.as_str() {
            "account" | "to_account" => is::<AccountId>(value),
            "sub" | "to_sub" => is::<SubId>(value),
            "bucket" | "to_bucket" => is::<Bucket>(value),
            "token" => is::<TokenId>(value),
            "units" => is::<Units>(value),
            "nonce" => is::<Nonce>(value),
            "serial" => is::<L1Serial>(value),
            "slot" | "key_slot" => is::<KeySlot>(value),
            "owner" | "sender" | "to" => is::<EthAddress>(value),
            "scheme" => is::<Scheme>(value),
            "permissions" => is::<Permissions>(value),
            "expiry" => is::<TimeMs>(value),
            _ => Ok(()),
        };
        result.map_err(|e| ScenarioError::field(format!("{path}.{name}"), e))?;
    }
    Ok(())
}

impl Serialize for FundSpec {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let error = |e| serde::ser::Error::custom(e);
        let Value::Object(mut map) = serde_json::to_value(&self.op).map_err(error)? else {
            return Err(serde::ser::Error::custom("an operation is an object"));
        };
        let kind = map.get("op").and_then(Value::as_str).unwrap_or_default().to_owned();
        for (name, value) in defaults(&kind).unwrap_or_default() {
            let filled = match name {
                "nonce" | "serial" => self.fill_count,
                "key_slot" => self.fill_slot,
                "signature" => self.sign != SignWith::Given,
                _ => map.get(name) == Some(&value),
            };
            if filled {
                map.remove(name);
            }
        }
        if let SignWith::Label(label) = &self.sign {
            map.insert("key".to_owned(), label.as_str().into());
        }
        map.serialize(s)
    }
}
