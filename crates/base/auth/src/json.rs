//! Fields of a flat JSON object, anchored: what a circuit can check byte by byte.
//!
//! [`Object::parse`] accepts one object (RFC 8259) and nothing after it, splits it at depth 1, and refuses a repeated
//! key and a key with an escape. Values that a caller reads are strings without escapes or plain natural numbers; other
//! values are skipped by counting brackets outside strings. Strings are ASCII without control characters where they
//! are read; bytes above 0x7f are allowed in values that nobody reads.

use alloc::vec::Vec;
use thiserror::Error;

/// Why an object is refused, or a field of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum JsonError {
    /// Not the expected character.
    #[error("unexpected byte at {at}")]
    Syntax {
        /// Position.
        at: usize,
    },
    /// A key that stands twice at depth 1.
    #[error("the key at {at} stands twice")]
    Duplicate {
        /// Position of the second.
        at: usize,
    },
    /// An escape in a key or in a value that is read.
    #[error("the text at {at} has an escape")]
    Escape {
        /// Position.
        at: usize,
    },
    /// A field that is not there.
    #[error("a field is missing")]
    Missing,
    /// A field of another type.
    #[error("a field has another type")]
    Type,
}

/// Depth that values may have.
const MAX_DEPTH: usize = 32;

/// The fields of an object: key and raw value, in order.
#[derive(Clone, Debug)]
pub struct Object<'a> {
    fields: Vec<(&'a [u8], &'a [u8])>,
}

struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn fail<T>(&self) -> Result<T, JsonError> {
        Err(JsonError::Syntax { at: self.at })
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.peek() != Some(byte) {
            return self.fail();
        }
        self.at += 1;
        Ok(())
    }

    /// A string with its quotes; whether it has an escape.
    fn string(&mut self) -> Result<(&'a [u8], bool), JsonError> {
        let start = self.at;
        self.expect(b'"')?;
        let mut escaped = false;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.at += 2;
                }
                Some(0x20..) => self.at += 1,
                _ => return self.fail(),
            }
        }
        self.at += 1;
        match self.text.get(start..self.at) {
            Some(text) => Ok((text, escaped)),
            None => self.fail(),
        }
    }

    /// Any value; nested ones by their brackets.
    fn value(&mut self) -> Result<&'a [u8], JsonError> {
        let start = self.at;
        let mut open = Vec::new();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.string()?;
                }
                Some(b @ (b'{' | b'[')) if open.len() < MAX_DEPTH => {
                    open.push(if b == b'{' { b'}' } else { b']' });
                    self.at += 1;
                    continue;
                }
                Some(b @ (b'}' | b']')) if open.last() == Some(&b) => {
                    open.pop();
                    self.at += 1;
                }
                Some(b',' | b':' | b' ' | b'\t' | b'\n' | b'\r') if !open.is_empty() => {
                    self.at += 1;
                    continue;
                }
                Some(b'0'..=b'9' | b'-' | b'a'..=b'z') => {
                    while matches!(self.peek(), Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'E' | b'a'..=b'z')) {
                        self.at += 1;
                    }
                }
                _ => return self.fail(),
            }
            if open.is_empty() {
                break;
            }
        }
        self.text.get(start..self.at).ok_or(JsonError::Syntax { at: self.at })
    }
}

impl<'a> Object<'a> {
    /// Splits an object at depth 1.
    ///
    /// # Errors
    /// [`JsonError`] for anything but one object with distinct plain keys.
    pub fn parse(text: &'a [u8]) -> Result<Self, JsonError> {
        let mut cursor = Cursor { text, at: 0 };
        let mut fields: Vec<(&[u8], &[u8])> = Vec::new();
        cursor.space();
        cursor.expect(b'{')?;
        cursor.space();
        if cursor.peek() == Some(b'}') {
            cursor.at += 1;
        } else {
            loop {
                cursor.space();
                let at = cursor.at;
                let (key, escaped) = cursor.string()?;
                if escaped {
                    return Err(JsonError::Escape { at });
                }
                let key = key.get(1..key.len() - 1).unwrap_or_default();
                if fields.iter().any(|(k, _)| *k == key) {
                    return Err(JsonError::Duplicate { at });
                }
                cursor.space();
                cursor.expect(b':')?;
                cursor.space();
                fields.push((key, cursor.value()?));
                cursor.space();
                match cursor.peek() {
                    Some(b',') => cursor.at += 1,
                    Some(b'}') => break,
                    _ => return cursor.fail(),
                }
            }
            cursor.at += 1;
        }
        cursor.space();
        if cursor.at == text.len() { Ok(Self { fields }) } else { cursor.fail() }
    }

    /// Whether there is such a field.
    pub fn has(&self, key: &str) -> bool {
        self.fields.iter().any(|(k, _)| *k == key.as_bytes())
    }

    fn raw(&self, key: &str) -> Result<&'a [u8], JsonError> {
        let field = self.fields.iter().find(|(k, _)| *k == key.as_bytes());
        field.map(|(_, v)| *v).ok_or(JsonError::Missing)
    }

    /// A string without escapes, printable ASCII.
    ///
    /// # Errors
    /// [`JsonError`].
    pub fn string(&self, key: &str) -> Result<&'a str, JsonError> {
        let inner = self.raw(key)?.strip_prefix(b"\"").and_then(|v| v.strip_suffix(b"\""));
        let inner = inner.ok_or(JsonError::Type)?;
        if inner.contains(&b'\\') {
            return Err(JsonError::Escape { at: 0 });
        }
        let plain = inner.iter().all(|b| (0x20..0x7f).contains(b) && *b != b'"');
        if plain { core::str::from_utf8(inner).map_err(|_| JsonError::Type) } else { Err(JsonError::Type) }
    }

    /// A natural number below 2^48 in its one form.
    ///
    /// # Errors
    /// [`JsonError`].
    pub fn number(&self, key: &str) -> Result<u64, JsonError> {
        let digits = self.raw(key)?;
        let canonical = digits == b"0" || digits.first().is_some_and(|d| (b'1'..=b'9').contains(d));
        if !canonical || digits.len() > 15 || !digits.iter().all(u8::is_ascii_digit) {
            return Err(JsonError::Type);
        }
        let value = digits.iter().fold(0, |acc, d| 10 * acc + u64::from(d - b'0'));
        if value < 1 << 48 { Ok(value) } else { Err(JsonError::Type) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_fields_at_depth_one_only() {
        let text = br#" { "a" : "x" , "n":12,"o":{"a":"y","b":[1,{"c":"}"}]},"t":true } "#;
        let object = Object::parse(text).unwrap();
        assert_eq!((object.string("a"), object.number("n")), (Ok("x"), Ok(12)));
        assert_eq!(object.string("b"), Err(JsonError::Missing));
        assert_eq!(object.string("o"), Err(JsonError::Type));
        assert!(Object::parse(b"{}").is_ok());
    }

    #[test]
    fn rejects_duplicates_escapes_and_what_follows() {
        assert_eq!(Object::parse(br#"{"a":1,"a":2}"#).unwrap_err(), JsonError::Duplicate { at: 7 });
        assert!(matches!(Object::parse(br#"{"\u0061":1}"#), Err(JsonError::Escape { .. })));
        let object = br#"{"a":"\u0061"}"#;
        assert!(matches!(Object::parse(object).unwrap().string("a"), Err(JsonError::Escape { .. })));
        for bad in [
            "",
            "{",
            "{}x",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "{\"a\":}",
            "[]",
            "{\"a\":1}{\"b\":1}",
            "{\"a\":\"\n\"}",
            "{a:1}",
            "{\"a\":{\"b\":1]}",
        ] {
            assert!(matches!(Object::parse(bad.as_bytes()), Err(JsonError::Syntax { .. })), "{bad}");
        }
    }

    #[test]
    fn rejects_numbers_in_other_forms() {
        for bad in ["01", "1.0", "1e3", "-1", "281474976710656", "\"1\""] {
            let text = alloc::format!("{{\"n\":{bad}}}");
            assert_eq!(Object::parse(text.as_bytes()).unwrap().number("n"), Err(JsonError::Type), "{bad}");
        }
    }
}
