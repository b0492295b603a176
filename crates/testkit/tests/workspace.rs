//! Rules of the workspace, read from `cargo metadata`: they fail when a crate reaches the wrong way.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Folders under the root, from the bottom up: a crate depends on its own layer and on lower ones.
const LAYERS: [&str; 12] = [
    "crates/base",
    "crates/state",
    "crates/stf",
    "crates/ext",
    "crates/trade",
    "crates/stark",
    "crates/circuits",
    "crates/agg",
    "crates/client",
    "crates/prove",
    "crates/testkit",
    "bin",
];

/// Crates of Plonky3 that are field arithmetic and not proof plumbing.
const ARITHMETIC: [&str; 2] = ["p3-baby-bear", "p3-field"];
/// Where the plumbing may be named: the two crates of the wall, whatever they need.
const WALL: [&str; 2] = ["tsz-stark", "tsz-air"];
/// Single exceptions: the permutation itself, packed for the tree, and its table.
const EXCEPTIONS: [(&str, &str); 13] = [
    ("tsz-hash", "p3-poseidon2"),
    ("tsz-hash", "p3-symmetric"),
    ("tsz-smt", "p3-symmetric"),
    ("tsz-chips", "p3-poseidon2"),
    ("tsz-chips", "p3-poseidon2-air"),
    ("tsz-plonk", "p3-poseidon2-air"),
    // Tests compare the gadgets with what they re-enact.
    ("tsz-plonk", "p3-challenger"),
    ("tsz-plonk", "p3-fri"),
    // A verifier inside a circuit re-enacts the one outside.
    ("tsz-recursion", "p3-air"),
    ("tsz-recursion", "p3-batch-stark"),
    ("tsz-recursion", "p3-fri"),
    ("tsz-recursion", "p3-challenger"),
    ("tsz-recursion", "p3-lookup"),
];
/// Crates that a `no_std` crate of ours does not build on.
const STD_ONLY: [&str; 7] = ["rayon", "tokio", "redb", "getrandom", "serde_json", "anyhow", "p3-maybe-rayon"];
/// A verifier of other people's proofs is small: it does not build on the prover or on the store.
const NOT_IN_AGG: [&str; 4] = ["tsz-engine", "tsz-store", "tsz-scenario", "redb"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

struct Package {
    name: String,
    version: String,
    license: String,
    dir: PathBuf,
    member: bool,
    /// Name, kind (`None` is a normal dependency), version requirement.
    dependencies: Vec<(String, Option<String>, String)>,
}

fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked", "--all-features"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let members: BTreeSet<String> =
        metadata["workspace_members"].as_array().unwrap().iter().map(text).collect();
    let package = |p: &Value| Package {
        name: text(&p["name"]),
        version: text(&p["version"]),
        license: text(&p["license"]),
        dir: Path::new(&text(&p["manifest_path"])).parent().unwrap().to_owned(),
        member: members.contains(&text(&p["id"])),
        dependencies: p["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .map(|d| {
                let kind = d["kind"].as_str().map(str::to_owned);
                (text(&d["name"]), kind, text(&d["req"]))
            })
            .collect(),
    };
    metadata["packages"].as_array().unwrap().iter().map(package).collect()
}

fn members() -> Vec<Package> {
    packages().into_iter().filter(|p| p.member).collect()
}

fn layer(package: &Package) -> usize {
    let dir = package.dir.strip_prefix(root()).unwrap();
    LAYERS
        .iter()
        .position(|layer| dir.starts_with(layer))
        .unwrap_or_else(|| panic!("{} lies in no layer: {}", package.name, dir.display()))
}

fn normal(package: &Package) -> impl Iterator<Item = &str> {
    package.dependencies.iter().filter(|d| d.1.is_none()).map(|d| d.0.as_str())
}

#[test]
fn dependencies_point_down() {
    let members = members();
    let layers: BTreeMap<&str, usize> = members.iter().map(|p| (p.name.as_str(), layer(p))).collect();
    for package in &members {
        for dependency in normal(package) {
            let Some(&below) = layers.get(dependency) else { continue };
            let own = layers[package.name.as_str()];
            assert!(below <= own, "{} ({}) uses {dependency} ({})", package.name, LAYERS[own], LAYERS[below]);
            assert_ne!(dependency, "tsz-testkit", "{} uses the testkit outside its tests", package.name);
        }
    }
}

#[test]
fn plonky3_plumbing_stays_behind_the_wall() {
    for package in members() {
        for (dependency, ..) in &package.dependencies {
            let arithmetic = ARITHMETIC.contains(&dependency.as_str());
            if !dependency.starts_with("p3-") || arithmetic || WALL.contains(&package.name.as_str()) {
                continue;
            }
            let allowed = EXCEPTIONS.contains(&(package.name.as_str(), dependency.as_str()));
            assert!(allowed, "{} names {dependency}: go through tsz-stark or tsz-air", package.name);
        }
    }
}

#[test]
fn plonky3_versions_are_exact() {
    for package in members() {
        for (dependency, _, version) in &package.dependencies {
            if dependency.starts_with("p3-") {
                assert!(version.starts_with('='), "{}: {dependency} {version} is not exact", package.name);
            }
        }
    }
    let versions: BTreeSet<String> =
        packages().into_iter().filter(|p| p.name.starts_with("p3-")).map(|p| p.version).collect();
    assert_eq!(versions.len(), 1, "one version of Plonky3: {versions:?}");
}

#[test]
fn base_state_and_stf_are_no_std() {
    let members = members();
    let by_name: BTreeMap<&str, &Package> = members.iter().map(|p| (p.name.as_str(), p)).collect();
    let bare = |p: &&Package| {
        let dir = p.dir.strip_prefix(root()).unwrap();
        ["crates/base", "crates/stf", "crates/trade", "crates/ext"].iter().any(|d| dir.starts_with(d))
            || p.name == "tsz-ledger"
    };
    let bare: Vec<&Package> = members.iter().filter(bare).collect();
    assert!(bare.len() >= 6, "the layers have moved");
    for package in &bare {
        let source = std::fs::read_to_string(package.dir.join("src/lib.rs")).unwrap();
        let found = source
            .lines()
            .any(|l| l.trim() == "#![no_std]" || l.trim().starts_with("#![cfg_attr(not(test), no_std)"));
        assert!(found, "{} is not no_std", package.name);
        for dependency in normal(package) {
            assert!(!STD_ONLY.contains(&dependency), "{} builds on {dependency}", package.name);
            if let Some(ours) = by_name.get(dependency) {
                assert!(bare.iter().any(|p| p.name == ours.name), "{} builds on {dependency}", package.name);
            }
        }
    }
}

#[test]
fn air_files_import_neither_the_state_machine_nor_rayon() {
    let mut seen = 0;
    for package in members() {
        for file in sources(&package.dir.join("src")) {
            if file.file_name().is_some_and(|n| n == "air.rs") {
                seen += 1;
                let source = std::fs::read_to_string(&file).unwrap();
                for name in ["tsz_stf", "rayon"] {
                    let found = source.lines().any(|l| l.starts_with("use ") && l.contains(name));
                    assert!(!found, "{} imports {name}", file.display());
                }
            }
        }
    }
    assert!(seen > 0, "no air.rs found");
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            out.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
    out
}

#[test]
fn the_verifier_builds_on_no_prover_and_no_store() {
    let members = members();
    for package in members.iter().filter(|p| LAYERS[layer(p)] == "crates/agg") {
        for dependency in normal(package) {
            assert!(!NOT_IN_AGG.contains(&dependency), "{} builds on {dependency}", package.name);
        }
    }
}

#[test]
fn no_binary_enables_the_insecure_profile() {
    for package in members() {
        let manifest = std::fs::read_to_string(package.dir.join("Cargo.toml")).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        let normal = manifest.get("dependencies").map(toml::Value::to_string).unwrap_or_default();
        assert!(
            !normal.contains("insecure"),
            "{} enables an insecure feature outside its tests",
            package.name
        );
        let defaults = manifest.get("features").and_then(|f| f.get("default"));
        assert!(!defaults.is_some_and(|d| d.to_string().contains("insecure")), "{}", package.name);
    }
}

#[test]
fn every_dependency_has_an_allowed_licence() {
    let deny: toml::Table = std::fs::read_to_string(root().join("deny.toml")).unwrap().parse().unwrap();
    let allowed: BTreeSet<String> = deny["licenses"]["allow"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_str().unwrap().to_owned())
        .collect();
    for package in packages() {
        let good = licence_is_allowed(&package.license, &allowed);
        assert!(good, "{} {}: licence '{}'", package.name, package.version, package.license);
        if package.member {
            assert_eq!(package.license, "MIT OR Apache-2.0", "{}", package.name);
        }
    }
}

/// Evaluates an SPDX expression of names, `AND`, `OR` (or the old `/`), `WITH` and parentheses.
fn licence_is_allowed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let value = any_of(&tokens, &mut at, allowed);
    value && at == tokens.len()
}

fn any_of(tokens: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut value = all_of(tokens, at, allowed);
    while tokens.get(*at) == Some(&"OR") {
        *at += 1;
        value |= all_of(tokens, at, allowed);
    }
    value
}

fn all_of(tokens: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut value = one(tokens, at, allowed);
    while tokens.get(*at) == Some(&"AND") {
        *at += 1;
        value &= one(tokens, at, allowed);
    }
    value
}

fn one(tokens: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let Some(&token) = tokens.get(*at) else { return false };
    *at += 1;
    if token == "(" {
        let value = any_of(tokens, at, allowed);
        *at += 1;
        return value;
    }
    let mut name = token.to_owned();
    if tokens.get(*at) == Some(&"WITH") {
        name = format!("{name} WITH {}", tokens.get(*at + 1).copied().unwrap_or_default());
        *at += 2;
    }
    allowed.contains(&name)
}

#[test]
fn licence_expressions_are_read_as_spdx() {
    let allowed: BTreeSet<String> = ["MIT", "Zlib"].map(str::to_owned).into();
    for good in ["MIT", "MIT OR GPL-3.0", "GPL-3.0/MIT", "MIT AND Zlib", "(GPL-3.0 OR MIT) AND Zlib"] {
        assert!(licence_is_allowed(good, &allowed), "{good}");
    }
    for bad in
        ["", "GPL-3.0", "MIT AND GPL-3.0", "MIT WITH Exception", "MIT MIT", "(MIT OR Zlib) AND GPL-3.0"]
    {
        assert!(!licence_is_allowed(bad, &allowed), "{bad}");
    }
}
