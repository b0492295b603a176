//! `tsz vk`: the verifying keys of this program and their pins.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tsz_engine::registry::{KeyInfo, Keyed};
use tsz_engine::runs::guests;
use tsz_engine::{
    Hex, Pin, Pins, ProgramPin, SourceRows, derive_node, derive_nodes, registry, rows_of_lift, rows_of_nodes,
};
use tsz_hash::ZERO;
use tsz_stark::Profile;
use tsz_tree::{SHAPE_LOGS, WIDE_JOINS};

use crate::cli::{VkCheck, VkPin, VkRows};
use crate::output::{Output, thousands};

/// Derives every key, with a bar.
fn derive<T>(output: &Output, each: impl Fn(&dyn Keyed, &KeyInfo) -> T) -> Result<Vec<T>> {
    let registry = registry();
    let bar = output.bar(registry.keyed().count() as u64, "deriving keys");
    let mut out = Vec::new();
    for circuit in registry.keyed() {
        out.push(each(circuit, &circuit.key()?));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(out)
}

/// Prints every key.
pub fn list(output: &Output) -> Result<()> {
    let pins = Pins::built_in().context("the pins compiled into this program")?;
    let keys = derive(output, |circuit, key| {
        let pinned = all(&pins).any(|p| p.digest.0 == key.digest && p.algorithm.0 == circuit.algorithm());
        // the guard has no algorithm id of its own: its keys count for that of each program
        let algorithm = Some(circuit.algorithm()).filter(|id| *id != ZERO).map(Hex);
        json!({
            "name": circuit.id().to_string(),
            "algorithm": algorithm,
            "digest": Hex(key.digest),
            "pinned": pinned,
            "blow_up": 1 << key.params.log_blowup,
            "queries": key.params.num_queries,
            "proven_bits": key.security.proven_bits,
            "conjectured_bits": key.security.conjectured_bits,
            "cells": key.tables.iter().map(|t| t.cells() as u64).sum::<u64>(),
            "tables": key.tables.iter().map(table).collect::<Vec<_>>(),
            "proven_terms": terms(&key.security.proven_terms),
            "conjectured_terms": terms(&key.security.conjectured_terms),
        })
    })?;
    output.line(format!("vk root {}", Hex(pins.root())));
    output.line(format!(
        "{:20} {:18} {:>14} {:>7} {:>7} {:>7} {:>12} {:>7}",
        "key", "digest", "cells", "blow-up", "queries", "proven", "conjectured", "pinned"
    ));
    for key in &keys {
        let digest = key["digest"].as_str().unwrap_or_default();
        output.line(format!(
            "{:20} {:18} {:>14} {:>7} {:>7} {:>7.1} {:>12.1} {:>7}",
            key["name"].as_str().unwrap_or_default(),
            digest.get(..16).unwrap_or(digest),
            thousands(key["cells"].as_u64().unwrap_or_default()),
            key["blow_up"].as_u64().unwrap_or_default(),
            key["queries"].as_u64().unwrap_or_default(),
            key["proven_bits"].as_f64().unwrap_or_default(),
            key["conjectured_bits"].as_f64().unwrap_or_default(),
            if key["pinned"] == Value::Bool(true) { "yes" } else { "NO" },
        ));
    }
    output.line("\nprograms that the keys of the guard count for");
    for program in pins.programs() {
        let ProgramPin { name, image, algorithm } = program;
        output.line(format!("{name:20} algorithm {algorithm}, image {image}"));
    }
    output
        .object(&json!({ "ok": true, "root": Hex(pins.root()), "keys": keys, "programs": pins.programs() }));
    Ok(())
}

/// Pinned keys of base circuits and of the guard.
fn all(pins: &Pins) -> impl Iterator<Item = &Pin> {
    pins.vks().iter().chain(pins.guards())
}

fn table(t: &tsz_stark::TableInfo) -> Value {
    json!({
        "name": t.name,
        "log_height": t.log_height,
        "width": t.width,
        "preprocessed_width": t.preprocessed_width,
        "aux_width": t.aux_width,
        "constraints": t.constraints,
        "degree": t.degree,
    })
}

fn terms(terms: &[tsz_stark::security::Term]) -> Value {
    terms.iter().map(|t| (t.label.to_owned(), json!(t.bits))).collect::<serde_json::Map<_, _>>().into()
}

/// Prints what lifts and joins need, or by which gates of its source a lift needs it.
pub fn rows(args: &VkRows, output: &Output) -> Result<()> {
    let registry = registry();
    if let Some(name) = &args.lift {
        let gates = rows_of_lift(&registry, name)?;
        output.line(format!("{:>9} {:12} source", "rows", "gate"));
        let shown = if output.is_json() { 0 } else { 40 };
        for row in gates.iter().take(shown) {
            output.line(format!("{:>9} {:12} {}", thousands(row.rows as u64), row.gate, row.source));
        }
        let json = |r: &SourceRows| json!({ "gate": r.gate, "source": r.source, "rows": r.rows });
        output.object(
            &json!({ "ok": true, "lift": name, "gates": gates.iter().map(json).collect::<Vec<_>>() }),
        );
        return Ok(());
    }
    let spinner = output.spinner("building lifts and joins");
    let progress = |name: &str| spinner.set_message(format!("building {name}"));
    let nodes = rows_of_nodes(&registry, Profile::Node, &progress);
    spinner.finish_and_clear();
    let nodes = nodes?;
    output.line(format!(
        "{:26} {:>7} {:>7} {:>12} {:>10} {:>10} {:>8} {:>6} {:>12}",
        "program",
        "blow-up",
        "queries",
        "permutations",
        "arithmetic",
        "reductions",
        "packs",
        "shape",
        "cells"
    ));
    for node in &nodes {
        output.line(format!(
            "{:26} {:>7} {:>7} {:>12} {:>10} {:>10} {:>8} {:>6} {:>12}",
            node.name,
            node.verifies[0],
            node.verifies[1],
            thousands(node.permutations as u64),
            thousands(node.arithmetic as u64),
            thousands(node.reductions as u64),
            thousands(node.packs as u64),
            node.log.map_or("none".to_owned(), |log| format!("2^{log}")),
            thousands(node.cells)
        ));
    }
    output.object(&json!({ "ok": true, "nodes": nodes }));
    Ok(())
}

/// Compares the derived keys with the pinned ones.
pub fn check(args: &VkCheck, output: &Output) -> Result<()> {
    let pins = match &args.file {
        Some(path) => read(path)?,
        None => Pins::built_in().context("the pins compiled into this program")?,
    };
    let bar = output.spinner("deriving keys");
    let derived = registry().derive()?;
    bar.finish_and_clear();
    pins.check(&derived)?;
    let guards = registry().derive_guards()?;
    pins.check_guards(&guards)?;
    let programs = programs()?;
    pins.check_programs(&programs)?;
    let fewest = derived.iter().chain(&guards).map(|pin| pin.proven_bits).fold(f64::INFINITY, f64::min);
    output.line(format!(
        "every base key is proven to {fewest:.1} bits or more, by its own tables and parameters"
    ));
    output.line(format!("{} programs have the images of the committed ELF files", programs.len()));
    let mut keys = derived.len() + guards.len();
    if args.nodes {
        let nodes = nodes(output)?;
        pins.check_nodes(&nodes)?;
        keys += nodes.len();
    } else if !args.node.is_empty() {
        let spinner = output.spinner("deriving keys of the aggregation tree");
        let derive = |name: &String| derive_node(&registry(), Profile::Node, SHAPE_LOGS, name);
        let nodes = args.node.iter().map(derive).collect::<Result<Vec<_>, _>>()?;
        spinner.finish_and_clear();
        pins.check_some_nodes(&nodes)?;
        keys += nodes.len();
    }
    let rest = (derived.len() + guards.len() + pins.nodes().len()).saturating_sub(keys);
    output.line(format!("{keys} keys are as pinned; vk root {}", Hex(pins.root())));
    if rest > 0 {
        output.line(format!("{rest} keys of lifts and joins were not derived (--nodes)"));
    }
    output.object(&json!({
        "ok": true,
        "keys": keys,
        "programs": programs.len(),
        "not_derived": rest,
        "root": Hex(pins.root()),
    }));
    Ok(())
}

/// The committed guests, as they would be admitted.
fn programs() -> Result<Vec<ProgramPin>> {
    let guests = guests().context("a committed ELF file")?;
    Ok(guests.iter().map(ProgramPin::from).collect())
}

/// Derives the keys of all lifts and joins.
fn nodes(output: &Output) -> Result<Vec<Pin>> {
    let spinner = output.spinner("deriving keys of the aggregation tree");
    let progress = |name: &str| spinner.set_message(format!("deriving {name}"));
    let nodes = derive_nodes(&registry(), Profile::Node, SHAPE_LOGS, WIDE_JOINS, &progress);
    spinner.finish_and_clear();
    let nodes = nodes?;
    for name in &nodes.left_out {
        output.line(format!("{name} fits no shape of nodes: its proofs cannot be aggregated"));
    }
    Ok(nodes.pins)
}

/// Prints the vk tree.
pub fn tree(output: &Output) -> Result<()> {
    let pins = Pins::built_in().context("the pins compiled into this program")?;
    let tree = pins.tree()?;
    let mut entries = Vec::new();
    output.line(format!("vk root {}", Hex(tree.root())));
    output.line(format!(
        "{:>5} {:28} {:18} {:18} {:>7}",
        "index", "key (and program)", "algorithm", "digest", "proven"
    ));
    for (index, entry) in tree.entries().iter().enumerate() {
        let Some((pin, program)) = pins.find(entry) else { continue };
        let name = program.map_or_else(|| pin.name.clone(), |p| format!("{} {}", pin.name, p.name));
        let short = |hex: Hex| hex.to_string().get(..16).unwrap_or_default().to_owned();
        output.line(format!(
            "{index:>5} {name:28} {:18} {:18} {:>7.1}",
            short(Hex(entry.algorithm)),
            short(pin.digest),
            pin.proven_bits
        ));
        entries.push(json!({
            "index": index,
            "name": pin.name,
            "program": program.map(|p| &p.name),
            "algorithm": Hex(entry.algorithm),
            "digest": pin.digest,
            "proven_bits": pin.proven_bits,
        }));
    }
    output.object(&json!({ "ok": true, "root": Hex(tree.root()), "entries": entries }));
    Ok(())
}

fn read(path: &Path) -> Result<Pins> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Pins::parse(&text).with_context(|| path.display().to_string())
}

/// Writes the derived keys.
pub fn pin(args: &VkPin, output: &Output) -> Result<()> {
    let path = args.file.clone().unwrap_or_else(|| PathBuf::from("vks.toml"));
    let bar = output.spinner("deriving keys");
    let base = registry().derive()?;
    let guards = registry().derive_guards()?;
    bar.finish_and_clear();
    let nodes = if args.base { Vec::new() } else { nodes(output)? };
    let pins = Pins::with_programs(base, nodes, guards, programs()?)?;
    std::fs::write(&path, pins.to_toml()?).with_context(|| format!("cannot write {}", path.display()))?;
    let keys = all(&pins).count() + pins.nodes().len();
    let admitted = pins.programs().len();
    output.line(format!(
        "pinned {keys} keys and {admitted} programs in {}; build again to use them",
        path.display()
    ));
    output.object(&json!({ "ok": true, "keys": keys, "programs": admitted, "root": Hex(pins.root()) }));
    Ok(())
}
