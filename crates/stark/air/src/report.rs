//! Width and degree reports.

use std::fmt::Write;

use tsz_stark::TableInfo;

/// Largest constraint degree of base circuits: blow-up 2 admits 3.
pub const MAX_DEGREE: usize = 3;

/// A table of the tables: name, widths, height, cells, messages a row, degree.
pub fn report(tables: &[TableInfo]) -> String {
    let mut out = format!(
        "{:<16} {:>6} {:>5} {:>5} {:>7} {:>12} {:>9} {:>6} {:>11}\n",
        "table", "width", "pre", "aux", "rows", "cells", "messages", "degree", "constraints"
    );
    for t in tables {
        // Writing to a String does not fail.
        let _ = writeln!(
            out,
            "{:<16} {:>6} {:>5} {:>5} {:>7} {:>12} {:>9} {:>6} {:>11}",
            t.name,
            t.width,
            t.preprocessed_width,
            t.aux_width,
            format!("2^{}", t.log_height),
            t.cells(),
            t.interactions,
            t.degree,
            t.constraints
        );
    }
    let _ = writeln!(out, "total cells {}", tables.iter().map(TableInfo::cells).sum::<usize>());
    out
}

/// Asserts that no table exceeds constraint degree 3; for tests.
///
/// # Panics
/// With the report, if one does.
pub fn assert_degrees(tables: &[TableInfo]) {
    assert!(tables.iter().all(|t| t.degree <= MAX_DEGREE), "degree above {MAX_DEGREE}:\n{}", report(tables));
}
