//! Cursor over input bytes.

use crate::CodecError;

/// Reads a byte string from the front and knows the offset for error messages.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, at: 0 }
    }

    /// Offset of the next byte.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Bytes that remain.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// The next `n` bytes.
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], CodecError> {
        let short = CodecError::Short { at: self.at, needed: n, left: self.rest.len() };
        let (head, tail) = self.rest.split_at_checked(n).ok_or(short)?;
        self.rest = tail;
        self.at += n;
        Ok(head)
    }

    /// The next `N` bytes as an array.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    /// The next `n <= 16` bytes as a little-endian integer.
    pub fn uint(&mut self, n: usize) -> Result<u128, CodecError> {
        Ok(self.take(n)?.iter().rev().fold(0, |acc, b| acc << 8 | u128::from(*b)))
    }

    /// The error for what has just been read.
    pub fn invalid(&self, what: &'static str) -> CodecError {
        CodecError::Invalid { at: self.at, what }
    }

    /// Checks that nothing remains.
    pub fn finish(self) -> Result<(), CodecError> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(CodecError::Trailing { at: self.at, left }),
        }
    }
}
