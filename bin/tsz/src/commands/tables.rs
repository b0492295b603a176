//! `tsz vk tables`: what the tables of each family cost.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};
use tsz_engine::registry;
use tsz_engine::registry::Keyed;
use tsz_stark::TableInfo;

use crate::output::{Output, thousands};

/// Prints the tables of each family once, from its largest class, and the rows and cells of each op.
pub fn run(output: &Output) -> Result<()> {
    let registry = registry();
    let bar = output.spinner("deriving keys");
    let mut families: BTreeMap<&str, Family> = BTreeMap::new();
    for circuit in registry.all_execs() {
        let family = family(circuit.as_ref())?;
        let ops = circuit.op_rows();
        let ops = ops.iter().map(|op| (op.op, cost(&op.rows, &family.tables))).collect();
        families.insert(circuit.id().family, Family { ops, ..family });
    }
    for circuit in registry.guards() {
        let family = family(circuit.as_ref())?;
        let ops = circuit.op_rows();
        let ops = ops.iter().map(|op| (op.op, cost(&op.rows, &family.tables))).collect();
        let name = if circuit.id().class.starts_with("margin") { "guard (legs)" } else { "guard" };
        families.insert(name, Family { ops, ..family });
    }
    for circuit in registry.transitions() {
        families.insert(circuit.id().family, family(circuit.as_ref())?);
    }
    bar.finish_and_clear();
    for (name, family) in &families {
        family.print(name, output);
    }
    let families: Vec<Value> = families.iter().map(|(name, family)| family.json(name)).collect();
    output.object(&json!({ "ok": true, "families": families }));
    Ok(())
}

/// The rows of an op in each table, with the cells.
type OpCost = Vec<(String, usize, usize)>;

/// A family's largest class.
struct Family {
    tables: Vec<TableInfo>,
    ops: Vec<(&'static str, OpCost)>,
}

fn family(circuit: &dyn Keyed) -> Result<Family> {
    let mut tables = circuit.key()?.tables;
    // tables that are there several times, in other heights
    let mut seen = std::collections::BTreeSet::new();
    tables.retain(|t| seen.insert(t.name.clone()));
    Ok(Family { tables, ops: Vec::new() })
}

fn cost(rows: &[(&'static str, usize)], tables: &[TableInfo]) -> OpCost {
    let cells = |name: &str| tables.iter().find(|t| t.name == name).map_or(0, |t| t.width + t.aux_width);
    rows.iter().map(|(name, n)| ((*name).to_owned(), *n, n * cells(name))).collect()
}

impl Family {
    fn print(&self, name: &str, output: &Output) {
        output.line(format!("{name:28} {:>14} {:>12} {:>7}", "columns + LogUp", "constraints", "degree"));
        for t in &self.tables {
            let columns = format!("{} + {}", t.width, t.aux_width);
            output.line(format!("  {:26} {columns:>15} {:>12} {:>7}", t.name, t.constraints, t.degree));
        }
        for (op, rows) in &self.ops {
            let cells: usize = rows.iter().map(|(_, _, cells)| cells).sum();
            let rows: Vec<String> = rows.iter().map(|(table, n, _)| format!("{n} {table}")).collect();
            let cells = thousands(cells as u64);
            output.line(format!("  {op:32} {cells:>8} cells: {}", rows.join(", ")));
        }
    }

    fn json(&self, name: &str) -> Value {
        let table = |t: &TableInfo| {
            json!({
                "table": t.name,
                "width": t.width,
                "preprocessed_width": t.preprocessed_width,
                "aux_width": t.aux_width,
                "constraints": t.constraints,
                "interactions": t.interactions,
                "degree": t.degree,
            })
        };
        let row = |(table, rows, cells): &(String, usize, usize)| json!({ "table": table, "rows": rows, "cells": cells });
        let op = |(op, rows): &(&str, OpCost)| {
            let cells: usize = rows.iter().map(|(_, _, cells)| cells).sum();
            json!({ "op": op, "cells": cells, "rows": rows.iter().map(row).collect::<Vec<_>>() })
        };
        json!({
            "family": name,
            "tables": self.tables.iter().map(table).collect::<Vec<_>>(),
            "ops": self.ops.iter().map(op).collect::<Vec<_>>(),
        })
    }
}
