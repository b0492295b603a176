//! Cells per op by table, so that the next cut is visible.

use tsz_stark::TableInfo;

/// Cells of one table for one op of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct TableCost {
    /// Name of the table.
    pub table: String,
    /// log2 of its rows.
    pub log_height: usize,
    /// Main and LogUp columns.
    pub width: usize,
    /// Committed cells divided by the ops.
    pub cells_per_op: f64,
}

/// Cells per op by table for a proof of `ops` ops; padding counts.
pub fn cells_per_op(tables: &[TableInfo], ops: usize) -> Vec<TableCost> {
    let cost = |t: &TableInfo| TableCost {
        table: t.name.clone(),
        log_height: t.log_height,
        width: t.width + t.aux_width,
        cells_per_op: t.cells() as f64 / ops.max(1) as f64,
    };
    tables.iter().map(cost).collect()
}
