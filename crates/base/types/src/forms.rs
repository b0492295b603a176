//! Text and serde forms of numbers.

use core::fmt;
use core::marker::PhantomData;
use core::str::FromStr;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::Serializer;

use crate::NumberError;

/// Parses the canonical decimal form: digits without a leading zero, `-` before a nonzero number if `signed`.
pub(crate) fn parse_decimal(name: &'static str, text: &str, signed: bool) -> Result<i128, NumberError> {
    let error = NumberError::Text { name };
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) if signed => (true, rest),
        Some(_) => return Err(error),
        None => (false, text),
    };
    let canonical = !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit())
        && (digits.len() == 1 || !digits.starts_with('0'))
        && !(negative && digits == "0");
    if !canonical {
        return Err(error);
    }
    let value: i128 = digits.parse().map_err(|_| error)?;
    Ok(if negative { -value } else { value })
}

/// Writes a string for people, an integer for binary formats.
pub(crate) fn write_amount<S: Serializer>(value: i128, s: S) -> Result<S::Ok, S::Error> {
    if s.is_human_readable() { s.collect_str(&value) } else { s.serialize_i128(value) }
}

struct AmountVisitor<T>(PhantomData<T>);

impl<T: FromStr<Err = NumberError>> Visitor<'_> for AmountVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decimal number as a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

/// Reads what [`write_amount`] writes.
pub(crate) fn read_amount<'de, D, T>(d: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = NumberError> + TryFrom<i128, Error = NumberError>,
{
    if d.is_human_readable() {
        d.deserialize_str(AmountVisitor(PhantomData))
    } else {
        T::try_from(i128::deserialize(d)?).map_err(D::Error::custom)
    }
}
