//! What is proven: operations with their access logs.

use thiserror::Error;
use tsz_ext::{ApproveExtension, Extension, RevokeExtension};
use tsz_ext_sdk::Key as Place;
use tsz_ledger::Access;

use crate::tables::limit::LIMIT;
use crate::tables::margin::leg_cell::LEG_CELL;
use crate::tables::operation::PARTY_READS;

/// An operation of a program that the ledger applied.
#[derive(Clone, Debug)]
pub struct ExtensionRecord {
    /// Sequence number in the batch.
    pub index: u32,
    /// The op.
    pub op: Extension,
    /// What it accessed, in order.
    pub accesses: Vec<Access>,
}

/// An approval or revocation.
#[derive(Clone, Debug)]
pub enum ApprovalOp {
    /// Fills a slot.
    Approve(ApproveExtension),
    /// Empties a slot.
    Revoke(RevokeExtension),
}

/// An approval or revocation that the ledger applied.
#[derive(Clone, Debug)]
pub struct ApprovalRecord {
    /// Sequence number in the batch.
    pub index: u32,
    /// The op.
    pub op: ApprovalOp,
    /// What it accessed, in order.
    pub accesses: Vec<Access>,
}

/// A record that no row can be made of, or a table that is too small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RecordError {
    /// Another number of accesses than the op has.
    #[error("op {index}: {got} accesses, expected {expected}")]
    Accesses {
        /// Sequence number.
        index: u32,
        /// Accesses of the op, limits aside.
        expected: usize,
        /// Accesses given.
        got: usize,
    },
    /// An operation that moves positions: the circuit with legs proves those (`tsz_guard::margin`).
    #[error("op {index} moves positions: it needs the guard's circuit with legs")]
    Legs {
        /// Sequence number.
        index: u32,
    },
    /// No party, or too many.
    #[error("op {index}: {got} parties, expected 1 to 16")]
    Parties {
        /// Sequence number.
        index: u32,
        /// Parties given.
        got: usize,
    },
    /// More rows than a table has.
    #[error("{got} rows of table {table}, at most {rows}")]
    TooMany {
        /// The table.
        table: &'static str,
        /// Its rows.
        rows: usize,
        /// Rows needed.
        got: usize,
    },
}

impl ExtensionRecord {
    /// Accesses to approvals; accesses to cells; accesses to limits, of an op without legs.
    ///
    /// # Errors
    /// [`RecordError`] for a log that is too short, an op without parties or with legs.
    pub(crate) fn parts(&self) -> Result<[&[Access]; 3], RecordError> {
        if self.op.has_legs() { Err(RecordError::Legs { index: self.index }) } else { self.judged() }
    }

    /// Accesses to approvals; accesses to cells; the others.
    ///
    /// # Errors
    /// [`RecordError`] for a log that is too short or an op without parties.
    pub(crate) fn judged(&self) -> Result<[&[Access]; 3], RecordError> {
        let index = self.index;
        let parties = self.op.parties.len();
        if !(1..=16).contains(&parties) {
            return Err(RecordError::Parties { index, got: parties });
        }
        let approvals = PARTY_READS as usize * parties;
        let expected = approvals + self.op.cells.len();
        let error = RecordError::Accesses { index, expected, got: self.accesses.len() };
        let (judged, others) = self.accesses.split_at_checked(expected).ok_or(error)?;
        let (approvals, cells) = judged.split_at_checked(approvals).ok_or(error)?;
        Ok([approvals, cells, others])
    }

    /// Accesses to approvals; accesses to cells; accesses of legs; accesses to limits, which are the last ones.
    ///
    /// # Errors
    /// [`RecordError`], as [`ExtensionRecord::judged`].
    pub(crate) fn margin_parts(&self) -> Result<[&[Access]; 4], RecordError> {
        let [approvals, cells, others] = self.judged()?;
        let is_limit = |access: &Access| {
            let key = Place { hi: access.key.hi(), lo: access.key.lo() };
            let number = key.as_approval().map(|(.., number)| number);
            access.write && number.is_some_and(|number| (LIMIT..LEG_CELL).contains(&number))
        };
        let first = others.iter().rposition(|access| !is_limit(access)).map_or(0, |last| last + 1);
        let (legs, limits) = others.split_at(first);
        Ok([approvals, cells, legs, limits])
    }
}
