//! Trace generation.

use std::collections::HashMap;
use std::sync::LazyLock;

use thiserror::Error;
use tsz_air::{Columns, F, PrimeCharacteristicRing};
use tsz_auth::base64url;
use tsz_auth::scan::{Field, Part, end_code, start_code, transitions};
use tsz_hash::{Domain, step};

use super::{DigestCols, MAX_BLOCKS, TokenCols, VALUE_BYTES, ValueCols, pack};
use crate::sha256::{Compression, IV, compress, digest_blocks};

/// What a signing input takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// Compressions; 64 rows of the token table each.
    pub blocks: usize,
    /// Rows of the value table.
    pub values: usize,
}

/// A signing input of more than [`MAX_BLOCKS`] blocks.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("a signing input of {0} blocks, at most {MAX_BLOCKS}")]
pub struct TooLong(pub usize);

/// Rows of the tables that grow with tokens, and what they hash.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// Characters.
    pub tokens: Vec<TokenCols<F>>,
    /// Values.
    pub values: Vec<ValueCols<F>>,
    /// Compressions of the texts.
    pub digests: Vec<DigestCols<F>>,
    /// The same for table `sha256`, in the order of their numbers.
    pub compressions: Vec<Compression>,
    /// Number of each token.
    pub numbers: Vec<u32>,
}

/// The automaton by numbers; a state of 0 is one that refused.
struct Scanner(HashMap<(u8, u8), (u8, Option<Field>)>);

static SCANNER: LazyLock<Scanner> = LazyLock::new(Scanner::new);

impl Scanner {
    fn new() -> Self {
        Self(transitions().into_iter().map(|t| ((t.state, t.byte), (t.next, t.field))).collect())
    }

    fn step(&self, state: u8, byte: u8) -> (u8, Option<Field>) {
        self.0.get(&(state, byte)).copied().unwrap_or((0, None))
    }
}

/// What a signing input takes.
///
/// # Errors
/// [`TooLong`].
pub fn need(signed: &[u8]) -> Result<Need, TooLong> {
    let mut out = Rows::default();
    add(&mut out, &SCANNER, signed)?;
    Ok(Need { blocks: out.compressions.len(), values: out.values.len() })
}

/// The rows of signing inputs. Texts that are not accepted give rows that no proof accepts.
///
/// # Errors
/// [`TooLong`].
pub fn rows<'a>(signed: impl IntoIterator<Item = &'a [u8]>) -> Result<Rows, TooLong> {
    let mut out = Rows::default();
    for text in signed {
        add(&mut out, &SCANNER, text)?;
    }
    Ok(out)
}

fn halves(state: &[u32; 8]) -> [F; 16] {
    core::array::from_fn(|k| F::from_u32(if k % 2 == 0 { state[k / 2] >> 16 } else { state[k / 2] & 0xffff }))
}

fn add(out: &mut Rows, scanner: &Scanner, signed: &[u8]) -> Result<(), TooLong> {
    let blocks = digest_blocks(signed);
    if blocks.len() > MAX_BLOCKS {
        return Err(TooLong(blocks.len()));
    }
    let token = out.compressions.len() as u32 + 1;
    let mut state = IV;
    for (k, block) in blocks.iter().enumerate() {
        let after = compress(&state, block);
        out.compressions.push(Compression { h_in: state, block: *block, uses: 1 });
        out.digests.push(DigestCols {
            is_real: F::ONE,
            is_first: F::from_bool(k == 0),
            is_last: F::from_bool(k + 1 == blocks.len()),
            token: F::from_u32(token),
            block: F::from_u32(token + k as u32),
            before: halves(&state),
            after: halves(&after),
        });
        state = after;
    }
    let padded: Vec<u8> = blocks.iter().flatten().flat_map(|w| w.to_be_bytes()).collect();
    let rows = token_rows(token, signed.len(), &padded, scanner);
    value_rows(&mut out.values, &rows);
    out.tokens.extend(rows);
    out.numbers.push(token);
    Ok(())
}

/// Value, quotient by 16, quotient by 4 of a character.
fn split(byte: u8) -> [u8; 3] {
    let v = base64url::value(byte).unwrap_or(0);
    [v, v >> 4, v >> 2]
}

fn token_rows(token: u32, length: usize, padded: &[u8], scanner: &Scanner) -> Vec<TokenCols<F>> {
    let dot = padded.iter().take(length).position(|b| *b == b'.').unwrap_or(length);
    let is_char = |at: usize| at < length && at != dot;
    let last = padded.len() - 1;
    let (mut state, mut index) = (start_code(Part::Header), 0u32);
    let mut rows = Vec::with_capacity(padded.len());
    for (at, byte) in padded.iter().enumerate() {
        let mut row = TokenCols::fill(F::ZERO);
        row.is_real = F::ONE;
        row.is_first = F::from_bool(at == 0);
        row.is_last = F::from_bool(at == last);
        row.is_final = F::from_bool(at / 64 == last / 64);
        row.token = F::from_u32(token);
        row.block = F::from_usize(token as usize + at / 64);
        (row.at, row.length) = (F::from_usize(at), F::from_usize(length));
        row.in_payload = F::from_bool(at > dot);
        row.is_char = F::from_bool(is_char(at));
        row.is_dot = F::from_bool(at == dot && at < length);
        row.is_mark = F::from_bool(at == length);
        row.is_pad = F::from_bool(at > length);
        row.is_length = F::from_bool(at + 1 >= last && at / 64 == last / 64);
        row.window = core::array::from_fn(|k| {
            F::from_u8((at + k).checked_sub(15).and_then(|at| padded.get(at)).copied().unwrap_or(0))
        });
        row.state = F::from_u8(state);
        row.index = F::from_u32(index);
        if is_char(at) {
            let phase = if at < dot { at % 4 } else { (at - dot - 1) % 4 };
            row.phase[phase] = F::ONE;
            let values = split(*byte);
            [row.value, row.by_16, row.by_4] = values.map(F::from_u8);
            let next = padded.get(at + 1).filter(|_| is_char(at + 1)).map_or([0; 3], |b| split(*b));
            let byte = decoded(phase, values, next);
            row.byte = F::from_u8(byte);
            if is_char(at + 1) && phase < 3 {
                row.has_byte = F::ONE;
                let (next, field) = scanner.step(state, byte);
                row.is_value = F::from_bool(field.is_some());
                row.field = F::from_u8(field.map_or(0, Field::code));
                (state, index) = (next, if field.is_some() { index + 1 } else { 0 });
            }
        } else if at == dot {
            // Of another state the constraints say so.
            state = if state == end_code(Part::Header) { start_code(Part::Payload) } else { 0 };
        }
        row.next_state = F::from_u8(state);
        rows.push(row);
    }
    rows
}

/// The byte that begins in a character of this phase.
fn decoded(phase: usize, [value, _, by_4]: [u8; 3], [next, next_16, next_4]: [u8; 3]) -> u8 {
    match phase {
        0 => value * 4 + next_16,
        1 => (value & 15) * 16 + next_4,
        2 => (value - 4 * by_4) * 64 + next,
        _ => 0,
    }
}

/// The rows of the values that a token's rows send.
fn value_rows(out: &mut Vec<ValueCols<F>>, rows: &[TokenCols<F>]) {
    let mut values: Vec<(F, Vec<F>)> = Vec::new();
    for row in rows.iter().filter(|row| row.is_value == F::ONE) {
        if row.index == F::ZERO {
            values.push((row.field, Vec::new()));
        }
        if let Some((_, bytes)) = values.last_mut() {
            bytes.push(row.byte);
        }
    }
    let token = rows.first().map_or(F::ZERO, |row| row.token);
    for (field, bytes) in values {
        let mut capacity = Domain::Bytes.iv(bytes.len());
        let blocks = bytes.len().div_ceil(VALUE_BYTES);
        for (k, chunk) in bytes.chunks(VALUE_BYTES).enumerate() {
            let mut row = ValueCols::fill(F::ZERO);
            row.is_real = F::ONE;
            row.is_first = F::from_bool(k == 0);
            row.is_last = F::from_bool(k + 1 == blocks);
            (row.token, row.field) = (token, field);
            (row.at, row.length) = (F::from_usize(VALUE_BYTES * k), F::from_usize(bytes.len()));
            row.live = core::array::from_fn(|i| F::from_bool(i < chunk.len()));
            row.bytes = core::array::from_fn(|i| chunk.get(i).copied().unwrap_or(F::ZERO));
            row.before = capacity;
            let felts = pack(&row.bytes);
            capacity = step(&core::array::from_fn(|i| felts[i]), &capacity);
            row.after = capacity;
            out.push(row);
        }
    }
}
