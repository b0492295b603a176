//! Rows of the journal.

use core::array::from_fn;

use tsz_air::{F, PrimeCharacteristicRing, Trace};
use tsz_chips::poseidon24::{RATE, absorb};
use tsz_hash::Digest;

use super::matrix;
use crate::record::{ExtensionRecord, RecordError};
use crate::tables::journal::{HEADER, Journal, KEYS};

/// Blocks of an op with `n` accesses, limits aside, of which `w` are writes.
pub(crate) const fn journal_blocks(n: usize, w: usize) -> usize {
    (2 * HEADER + 2 * n).div_ceil(RATE) + (8 * n).div_ceil(RATE) + (8 * w).div_ceil(RATE)
}

/// The trace, and the capacity at the end.
///
/// # Errors
/// [`RecordError`].
pub(crate) fn journal_trace(
    records: &[ExtensionRecord],
    start: Digest,
    log_height: usize,
) -> Result<(Trace, Digest), RecordError> {
    let mut rows = Vec::new();
    let mut cap = start;
    for (k, record) in records.iter().enumerate() {
        for mut row in op_rows(record)? {
            row.count = F::from_usize(k + 1);
            row.cap = cap;
            cap = absorb(&row.msg, &cap);
            rows.push(row);
        }
    }
    rows.push(Journal { is_end: F::ONE, count: F::from_usize(records.len()), cap, ..Journal::default() });
    Ok((matrix("journal", &rows, log_height)?, cap))
}

/// The blocks of an op; count and capacity are filled in later.
fn op_rows(record: &ExtensionRecord) -> Result<Vec<Journal<F>>, RecordError> {
    let [approvals, cells, _] = record.judged()?;
    let judged: Vec<_> = approvals.iter().chain(cells).collect();
    let writes: Vec<_> = judged.iter().filter(|a| a.write).collect();
    let op = Journal {
        index: F::from_u32(record.index),
        accesses: F::from_usize(judged.len()),
        writes: F::from_usize(writes.len()),
        ..Journal::default()
    };
    let header = [judged.len(), writes.len(), record.op.parties.len(), 0].map(F::from_usize);
    let keys = judged.iter().flat_map(|a| {
        let [hi, lo] = a.key.felts();
        [hi + F::from_u32(u32::from(a.write) << 26), lo]
    });
    let words: Vec<F> = header.into_iter().chain(keys).collect();
    let mut rows = Vec::new();
    for (k, block) in words.chunks(RATE).enumerate() {
        rows.push(Journal {
            is_first: F::from_bool(k == 0),
            is_key: F::from_bool(k > 0),
            pos: F::from_usize(KEYS * k) - F::from_usize(HEADER),
            present: from_fn(|q| F::from_bool(2 * q < block.len() && (k > 0 || q >= HEADER))),
            msg: from_fn(|at| block.get(at).copied().unwrap_or_default()),
            ..op.clone()
        });
    }
    let olds: Vec<_> = judged.iter().map(|a| a.old).collect();
    let news: Vec<_> = writes.iter().map(|a| a.new).collect();
    for (is_new, values) in [(false, olds), (true, news)] {
        for (k, pair) in values.chunks(2).enumerate() {
            let block = pair.as_flattened();
            rows.push(Journal {
                is_old: F::from_bool(!is_new),
                is_new: F::from_bool(is_new),
                pos: F::from_usize(2 * k),
                second: F::from_bool(pair.len() == 2),
                msg: from_fn(|at| block.get(at).copied().unwrap_or_default()),
                ..op.clone()
            });
        }
    }
    Ok(rows)
}
