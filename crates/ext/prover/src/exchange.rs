//! What `tsz` and `tsz-run-prover` say to each other, over standard input and output (docs/src/extensions.md).
//!
//! Everything is little-endian words of 32 bits but for the ELF file and the four numbers of 64 bits of a reply.
//!
//! | request | |
//! |---|---|
//! | `TSZQ`, version 1 | |
//! | task | 0 measure: run the guest; 1 prove |
//! | po2 | segments have at most 2^po2 cycles |
//! | ELF file | length in bytes, bytes |
//! | input | length in words, words |
//!
//! | reply | |
//! |---|---|
//! | `TSZR`, version 1 | |
//! | image root, output | eight words each |
//! | cycles of instructions, of memory; CPU time in ms and largest resident set in bytes of the prover | 64 bits each |
//! | segments | number; for each po2, length of the seal in words (0 where it was only measured), seal |

use thiserror::Error;

use crate::{Execution, Proof, Words};

/// Version of both formats.
const VERSION: u32 = 1;
/// Bytes of the longest ELF file.
const MAX_ELF: usize = 1 << 24;
/// Words of the longest input.
const MAX_INPUT: usize = 1 << 26;

/// A request that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a request: {0}")]
pub struct RequestError(&'static str);

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Prove the run; measure it otherwise.
    pub prove: bool,
    /// Segments have at most `2^po2` cycles.
    pub po2: usize,
    /// The guest.
    pub elf: Vec<u8>,
    /// What it reads.
    pub input: Vec<u32>,
}

/// Bytes that have not been read.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take(&mut self, len: usize) -> Result<&[u8], RequestError> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(RequestError("it ends early"))?;
        self.0 = rest;
        Ok(head)
    }

    fn word(&mut self) -> Result<u32, RequestError> {
        let bytes = self.take(4)?.first_chunk().ok_or(RequestError("it ends early"))?;
        Ok(u32::from_le_bytes(*bytes))
    }

    fn length(&mut self, max: usize) -> Result<usize, RequestError> {
        Some(self.word()? as usize).filter(|len| *len <= max).ok_or(RequestError("a length is too large"))
    }
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RequestError> {
        let mut bytes = Bytes(bytes);
        if bytes.take(4)? != b"TSZQ" || bytes.word()? != VERSION {
            return Err(RequestError("another format or version"));
        }
        let prove = match bytes.word()? {
            0 => false,
            1 => true,
            _ => return Err(RequestError("an unknown task")),
        };
        let po2 = bytes.word()? as usize;
        let len = bytes.length(MAX_ELF)?;
        let elf = bytes.take(len)?.to_vec();
        let len = bytes.length(MAX_INPUT)?;
        let input = bytes.take(4 * len)?.as_chunks().0.iter().map(|b| u32::from_le_bytes(*b)).collect();
        if !bytes.0.is_empty() {
            return Err(RequestError("it is too long"));
        }
        Ok(Self { prove, po2, elf, input })
    }
}

/// The reply about a run: measured, or proven.
pub fn reply(root: &Words, execution: &Execution, proof: Option<&Proof>) -> Vec<u8> {
    let mut out = b"TSZR".to_vec();
    let head = [VERSION].into_iter().chain(*root).chain(execution.output);
    out.extend(head.flat_map(u32::to_le_bytes));
    let [cpu, memory] = used();
    let numbers = [execution.user_cycles, execution.paging_cycles, cpu, memory];
    out.extend(numbers.into_iter().flat_map(u64::to_le_bytes));
    out.extend((execution.po2.len() as u32).to_le_bytes());
    for (k, po2) in execution.po2.iter().enumerate() {
        let seal = proof.and_then(|proof| proof.seals.get(k)).map_or(&[][..], Vec::as_slice);
        out.extend([*po2, seal.len() as u32].into_iter().flat_map(u32::to_le_bytes));
        out.extend(seal.iter().flat_map(|word| word.to_le_bytes()));
    }
    out
}

/// CPU time of this process in ms, and its largest resident set in bytes; 0 elsewhere than on Linux.
fn used() -> [u64; 2] {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // the name in parentheses may hold blanks; user and system time are fields 14 and 15, in hundredths of a second
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let ticks: u64 = fields.split_whitespace().skip(11).take(2).filter_map(|f| f.parse::<u64>().ok()).sum();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or_default();
    let kib = line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0);
    [10 * ticks, 1024 * kib]
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn request() -> Vec<u8> {
        let words = |words: &[u32]| words.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<u8>>();
        [b"TSZQ".to_vec(), words(&[1, 1, 16, 3]), b"elf".to_vec(), words(&[2, 7, 8])].concat()
    }

    #[test]
    fn requests_are_read_whole() {
        let read = Request::from_bytes(&request()).unwrap();
        assert_eq!(read, Request { prove: true, po2: 16, elf: b"elf".to_vec(), input: vec![7, 8] });
    }

    #[test]
    fn damaged_requests_are_refused() {
        let bytes = request();
        for len in 0..bytes.len() {
            assert!(Request::from_bytes(&bytes[..len]).is_err());
        }
        assert!(Request::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
        for at in [0, 4, 8, 18, 26] {
            let mut damaged = bytes.clone();
            damaged[at] |= 0x80;
            assert!(Request::from_bytes(&damaged).is_err(), "byte {at}");
        }
    }
}
