//! Traces of the op tables from applied ops.

mod cancels;
mod l1;
mod signed;

pub use signed::{Payment, transfer_row, withdraw_row};

use rayon::prelude::*;
use thiserror::Error;
use tsz_air::{F, PrimeCharacteristicRing, Requests, RowMajorMatrix, Trace};
use tsz_hash::Digest;
use tsz_ledger::{Access, BatchContext};

use crate::op::{self, FundRecord, OP_TABLES, OpRecord, Signed};
use crate::tables::{
    BeginAir, CancelAir, CancelAllAir, DepositAir, ExitAir, KeyAir, L1KeyAir, TransferAir, WithdrawAir,
};
use tsz_gadgets::layout::Columns;

pub use tsz_gadgets::collect;

/// An access log that is not of its op.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RecordError {
    /// Another number of accesses than the op kind has.
    #[error("op {index}: {got} accesses, expected {expected}")]
    Accesses {
        /// Sequence number.
        index: u32,
        /// Accesses of the kind.
        expected: usize,
        /// Accesses given.
        got: usize,
    },
    /// More ops of a kind than the table has rows.
    #[error("{got} ops of table {table}, at most {rows}")]
    TooMany {
        /// Index of the op table.
        table: usize,
        /// Rows of the table.
        rows: usize,
        /// Ops given.
        got: usize,
    },
    /// An op of another family.
    #[error("op {index} is not of the fund family")]
    Foreign {
        /// Sequence number.
        index: u32,
    },
}

/// A signature that the `sig` tables must prove.
#[derive(Clone, Copy, Debug)]
pub struct SignatureRequest {
    /// Key id.
    pub key_id: Digest,
    /// Message digest.
    pub message: Digest,
    /// The signature.
    pub signature: tsz_sig::Signature,
}

/// Traces of the op tables and the signatures that they need.
#[derive(Clone, Debug)]
pub struct OpTraces {
    /// One trace a table, in the order begin, deposit, transfer, withdraw, key, l1key, exit, cancel, cancel_all.
    pub traces: Vec<Trace>,
    /// Signatures, in the order of the tables and of the ops.
    pub signatures: Vec<SignatureRequest>,
}

/// The accesses of a record as an array.
fn accesses<'a, const N: usize>(record: &OpRecord<'a>) -> Result<&'a [Access; N], RecordError> {
    exactly(record.index, record.accesses)
}

fn exactly<const N: usize>(index: u32, accesses: &[Access]) -> Result<&[Access; N], RecordError> {
    let got = accesses.len();
    accesses.try_into().map_err(|_| RecordError::Accesses { index, expected: N, got })
}

/// A row with its signature.
type Signable<C> = (C, Option<SignatureRequest>);

fn table<C: Columns<F> + Send>(
    kind: usize,
    log_height: usize,
    records: &[OpRecord<'_>],
    row: impl Fn(&OpRecord<'_>) -> Result<Signable<C>, RecordError> + Sync,
) -> Result<(Trace, Vec<SignatureRequest>), RecordError> {
    let (rows, got) = (1 << log_height, records.len());
    if got > rows {
        return Err(RecordError::TooMany { table: kind, rows, got });
    }
    let mut values = F::zero_vec(rows * C::WIDTH);
    let signatures: Result<Vec<_>, _> = values
        .par_chunks_exact_mut(C::WIDTH)
        .zip(records)
        .map(|(out, record)| {
            let (columns, signature) = row(record)?;
            let mut cells = out.iter_mut();
            columns.write(&mut |x| {
                if let Some(cell) = cells.next() {
                    *cell = *x;
                }
            });
            Ok(signature)
        })
        .collect();
    Ok((RowMajorMatrix::new(values, C::WIDTH), signatures?.into_iter().flatten().collect()))
}

/// Public values of the tables with signed ops: S, T.
pub fn signed_publics(context: &BatchContext) -> Vec<F> {
    let time = [0, 24].map(|s| F::from_u32((context.time >> s) as u32 & 0xff_ffff));
    context.system.into_iter().chain(time).collect()
}

/// Public values of the begin table: batch, T, has_begin, P.
pub fn begin_publics(context: &BatchContext, has_begin: bool) -> Vec<F> {
    let limbs = [context.batch, context.batch >> 24, context.time, context.time >> 24];
    let limbs = limbs.map(|x| F::from_u32(x as u32 & 0xff_ffff));
    limbs.into_iter().chain([F::from_bool(has_begin)]).chain(context.params).collect()
}

/// Fills the op tables.
///
/// # Errors
/// [`RecordError`] when an access log is not of its op or a table is too small. That the ops follow the rules
/// is not checked: the proof of an op that does not is refused by the verifier.
pub fn op_traces(
    context: &BatchContext,
    records: &[FundRecord],
    log_heights: &[usize; OP_TABLES],
) -> Result<OpTraces, RecordError> {
    let mut kinds: [Vec<OpRecord<'_>>; OP_TABLES] = Default::default();
    for record in records {
        let table = op::table(&record.op).ok_or(RecordError::Foreign { index: record.index })?;
        kinds[table].push(record.into());
    }
    let [h0, h1, h2, h3, h4, h5, h6, h7, h8] = *log_heights;
    let filled = [
        table(0, h0, &kinds[0], |r| l1::begin(context, r))?,
        table(1, h1, &kinds[1], l1::deposit)?,
        table(2, h2, &kinds[2], |r| signed::transfer(context, r))?,
        table(3, h3, &kinds[3], |r| signed::withdraw(context, r))?,
        table(4, h4, &kinds[4], |r| signed::key(context, r))?,
        table(5, h5, &kinds[5], l1::l1key)?,
        table(6, h6, &kinds[6], l1::exit)?,
        table(7, h7, &kinds[7], |r| cancels::cancel(context, r))?,
        table(8, h8, &kinds[8], |r| cancels::cancel_all(context, r))?,
    ];
    let (traces, signatures): (Vec<_>, Vec<_>) = filled.into_iter().unzip();
    Ok(OpTraces { traces, signatures: signatures.concat() })
}

/// What the op tables look up on `p2` and `range12`; traces in the order of [`op_traces`].
pub fn requests(context: &BatchContext, has_begin: bool, traces: &[Trace]) -> Requests {
    let begin = begin_publics(context, has_begin);
    let signed = signed_publics(context);
    let mut requests = Requests::new();
    for (table, trace) in traces.iter().enumerate() {
        requests.merge(match table {
            0 => collect(&BeginAir, trace, &begin),
            1 => collect(&DepositAir, trace, &[]),
            2 => collect(&TransferAir, trace, &signed),
            3 => collect(&WithdrawAir, trace, &signed),
            4 => collect(&KeyAir, trace, &signed),
            5 => collect(&L1KeyAir, trace, &[]),
            6 => collect(&ExitAir, trace, &[]),
            7 => collect(&CancelAir, trace, &signed),
            _ => collect(&CancelAllAir, trace, &signed),
        });
    }
    requests
}

fn request(signed: &Signed, signer: &tsz_gadgets::signer::Signer<F>) -> Option<SignatureRequest> {
    Some(SignatureRequest { key_id: signer.key_id, message: signer.digest, signature: signed.signature })
}

/// Seven felts and what follows, as a block.
fn address_block(address: &[F; 7], last: F) -> [F; 8] {
    let [a, b, c, d, e, f, g] = *address;
    [a, b, c, d, e, f, g, last]
}

/// `[first, address]`.
fn shifted_block(first: F, address: &[F; 7]) -> [F; 8] {
    let [a, b, c, d, e, f, g] = *address;
    [first, a, b, c, d, e, f, g]
}
