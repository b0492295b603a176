//! Names of the reasons for rejections.

use alloc::format;
use alloc::string::{String, ToString};
use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::{OpReject, TradeReject};

impl TradeReject {
    /// Name of the kind of rejection, in snake case: that of the variant, or of the fund family's reason.
    pub fn kind(&self) -> String {
        match self {
            Self::Base(reject) => fund_kind(reject),
            // the derived form starts with the variant's name
            other => snake(&format!("{other:?}")),
        }
    }
}

fn fund_kind(reject: &tsz_stf::Reject) -> String {
    snake(&format!("{reject:?}"))
}

impl OpReject {
    /// Name of the kind of rejection, in snake case.
    pub fn kind(&self) -> String {
        match self {
            Self::Fund(reject) => fund_kind(reject),
            Self::Trade(reject) => reject.kind(),
            Self::Ext(reject) => ext_kind(reject),
        }
    }
}

fn ext_kind(reject: &tsz_ext::ExtReject) -> String {
    match reject {
        tsz_ext::ExtReject::Base(reject) => fund_kind(reject),
        other => snake(&format!("{other:?}")),
    }
}

/// The leading identifier of a text, in snake case.
fn snake(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().take_while(char::is_ascii_alphanumeric) {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// The kind, and the message with the numbers; of a fund reason its own form.
impl Serialize for TradeReject {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if let Self::Base(reject) = self {
            return reject.serialize(s);
        }
        let mut out = s.serialize_struct("TradeReject", 2)?;
        out.serialize_field("kind", &self.kind())?;
        out.serialize_field("message", &self.to_string())?;
        out.end()
    }
}

impl Serialize for OpReject {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Fund(reject) => reject.serialize(s),
            Self::Trade(reject) => reject.serialize(s),
            Self::Ext(tsz_ext::ExtReject::Base(reject)) => reject.serialize(s),
            Self::Ext(reject) => {
                let mut out = s.serialize_struct("ExtReject", 2)?;
                out.serialize_field("kind", &ext_kind(reject))?;
                out.serialize_field("message", &reject.to_string())?;
                out.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_the_names_of_the_variants() {
        assert_eq!(TradeReject::SameSide.kind(), "same_side");
        assert_eq!(TradeReject::ZeroPrice { place: 1 }.kind(), "zero_price");
        let base = TradeReject::Base(tsz_stf::Reject::Signature);
        assert_eq!((base.kind(), OpReject::Trade(base).kind()), ("signature".into(), "signature".into()));
        let json = serde_json::to_value(TradeReject::PostOnlyTaker).unwrap();
        assert_eq!(json["kind"], "post_only_taker");
        assert_eq!(json["message"], "a post-only order cannot take");
        assert_eq!(serde_json::to_value(base).unwrap()["kind"], "signature");
    }
}
