//! The commands as a user meets them: output, messages, exit status.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn tsz(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tsz")).args(args).output().expect("tsz runs")
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("UTF-8")
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("UTF-8")
}

/// Runs a command that must succeed and print JSON.
fn json(args: &[&str]) -> Value {
    let output = tsz(args);
    assert!(output.status.success(), "tsz {args:?}: {}", stderr(&output));
    serde_json::from_str(stdout(&output)).expect("JSON")
}

/// Runs a command that must fail with status 1 and say `reason`.
fn fails(args: &[&str], reason: &str) {
    let output = tsz(args);
    assert_eq!(output.status.code(), Some(1), "tsz {args:?}: {}", stdout(&output));
    assert!(stderr(&output).starts_with("error: "), "{}", stderr(&output));
    assert!(stderr(&output).contains(reason), "{reason:?} is not in: {}", stderr(&output));
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8 path")
}

fn workload(dir: &Path) -> PathBuf {
    let file = dir.join("scenario.json");
    let args = ["scenario", "gen", "--ops", "40", "--seed", "7", "--accounts", "64", "--active", "16"];
    let output = tsz(&[&args[..], &["--out", text(&file)]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    file
}

#[test]
fn scenario_run_reaches_the_golden_root() {
    let dir = tempfile::tempdir().expect("a folder");
    let report = json(&["scenario", "run", text(&workload(dir.path())), "--json"]);
    assert_eq!(report["final_root"], "db38313fd5a1cb67838dc53493cccc62be4cec6c66a0991d1f519021a9be783a");
    assert_eq!(report["batches"].as_array().map(Vec::len), Some(2));
    assert_eq!(report["batches"][0]["receipts"].as_array().map(Vec::len), Some(21));
    assert_eq!(report["leaves"][0]["value"]["batch"], 2);
}

#[test]
fn bad_scenarios_are_refused_with_the_place_of_the_fault() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("bad.json");
    let run = ["scenario", "run", text(&file)];
    fails(&run, "cannot read");
    std::fs::write(&file, "{\n  \"version\": 1,\n  oops\n}").expect("a file");
    fails(&run, "line 3");
    let good = std::fs::read_to_string(workload(dir.path())).expect("a scenario");
    std::fs::write(&file, good.replacen("\"version\": 1", "\"version\": 2", 1)).expect("a file");
    fails(&run, "version");
    std::fs::write(&file, good.replacen("\"units\": \"", "\"units\": \"-", 1)).expect("a file");
    fails(&run, "units");
}

#[test]
fn errors_are_json_under_json() {
    let output = tsz(&["verify", "/nowhere", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let value: Value = serde_json::from_str(stdout(&output)).expect("JSON");
    assert_eq!(value["ok"], false);
    assert!(value["error"].as_str().is_some_and(|e| e.contains("/nowhere")), "{value}");
}

#[test]
fn wrong_usage_exits_with_2() {
    for args in [&["verify"][..], &["bogus"], &["bench", "nothing"], &["demo", "--ops", "many"]] {
        assert_eq!(tsz(args).status.code(), Some(2), "tsz {args:?}");
    }
}

#[test]
fn a_proven_scenario_verifies_and_a_damaged_one_does_not() {
    let dir = tempfile::tempdir().expect("a folder");
    let scenario = workload(dir.path());
    let out = dir.path().join("proofs");
    let proven = json(&["prove", text(&scenario), "--out", text(&out), "--json"]);
    let run = json(&["scenario", "run", text(&scenario), "--json"]);
    assert_eq!(proven["last_root"], run["final_root"]);
    let verified = json(&["verify", text(&out), "--json"]);
    assert_eq!(verified["ok"], true);
    assert_eq!(verified["first_root"], run["genesis_root"]);
    assert_eq!(verified["last_root"], run["final_root"]);

    let (first, last) = (run["genesis_root"].as_str().unwrap(), run["final_root"].as_str().unwrap());
    assert!(tsz(&["verify", text(&out), "--from-root", first, "--to-root", last]).status.success());
    fails(&["verify", text(&out), "--from-root", last], "the first state root is not the expected one");
    fails(&["verify", text(&out), "--to-root", "12"], "--to-root");
    damaged_folders_are_refused(&out);
}

#[test]
fn operations_of_a_program_are_proven_with_their_runs() {
    let dir = tempfile::tempdir().expect("a folder");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../crates/client/scenario/examples/grid.json");
    let out = dir.path().join("proofs");
    let prove = ["prove", example, "--out", text(&out)];
    fails(&[&prove[..], &["--run-prover", "/nowhere"]].concat(), "scripts/build-run-prover.sh");
    assert!(tsz(&prove).status.success());
    let verified = json(&["verify", text(&out), "--json"]);
    let figures = ["runs", "proven_bits", "conjectured_bits"].map(|key| verified[key].as_f64());
    assert_eq!(figures, [2.0, 48.0, 97.0].map(Some));
    let said = tsz(&["verify", text(&out)]);
    assert!(stdout(&said).contains("97 conjectured bits, about 48 proven ones"), "{}", stdout(&said));
}

fn damaged_folders_are_refused(out: &Path) {
    let bundle = out.join("bundle.bin");
    let honest = std::fs::read(&bundle).expect("the bundle");
    for at in [honest.len() / 4, honest.len() / 2, honest.len() - 1] {
        let mut damaged = honest.clone();
        damaged[at] ^= 1;
        std::fs::write(&bundle, damaged).expect("a file");
        fails(&["verify", text(out)], "is refused");
    }
    std::fs::write(&bundle, &honest[..honest.len() - 1]).expect("a file");
    fails(&["verify", text(out)], "is refused");
    std::fs::write(&bundle, &honest).expect("a file");
    let manifest = out.join("manifest.json");
    let lie =
        std::fs::read_to_string(&manifest).expect("the manifest").replacen("\"ops\": 21", "\"ops\": 22", 1);
    std::fs::write(&manifest, lie).expect("a file");
    fails(&["verify", text(out)], "disagrees");
    std::fs::remove_file(&manifest).expect("the manifest");
    fails(&["verify", text(out)], "manifest.json");
}

#[test]
fn published_data_rebuilds_the_roots_of_the_run() {
    let dir = tempfile::tempdir().expect("a folder");
    let (scenario, out) = (workload(dir.path()), dir.path().join("data"));
    let written = json(&["data", "write", text(&scenario), "--out", text(&out), "--json"]);
    let run = json(&["scenario", "run", text(&scenario), "--json"]);
    assert_eq!(written["root"], run["final_root"]);
    let root = run["final_root"].as_str().expect("a root");
    let rebuilt = json(&["data", "rebuild", text(&out), "--exit", "2", "--to-root", root, "--json"]);
    assert_eq!(rebuilt["root"], run["final_root"]);
    assert_eq!(rebuilt["states"], written["states"]);
    assert_eq!(rebuilt["states"][0]["root"], run["genesis_root"]);
    assert_eq!(rebuilt["exit"]["root"], run["final_root"]);
    let leaves = rebuilt["exit"]["leaves"].as_array().expect("leaves");
    assert_eq!(leaves[0]["content"]["cell"], "owner");
    assert!(leaves.iter().any(|leaf| leaf["content"]["cell"] == "balance"));
    assert!(leaves.iter().all(|leaf| leaf["siblings"].as_array().map(Vec::len) == Some(40)));
    fails(&["data", "write", text(&scenario), "--out", text(&out)], "holds published data already");
    damaged_data_is_refused(&out, root);
}

fn damaged_data_is_refused(out: &Path, root: &str) {
    let rebuild = ["data", "rebuild", text(out)];
    assert!(tsz(&rebuild).status.success());
    fails(&[&rebuild[..], &["--exit", "60000"]].concat(), "account 60000 does not exist");
    fails(&[&rebuild[..], &["--to-root", &root.replace(['0', '1'], "2")]].concat(), "the data leads to root");
    let last = out.join("000002.data");
    let honest = std::fs::read(&last).expect("a file");
    for at in 0..honest.len() / 16 {
        let mut damaged = honest.clone();
        damaged[16 * at] ^= 1;
        std::fs::write(&last, damaged).expect("a file");
        fails(&rebuild, "000002.data is refused");
    }
    std::fs::write(&last, &honest).expect("a file");
    std::fs::rename(out.join("000001.data"), out.join("000001.gone")).expect("a file");
    fails(&rebuild, "000001.data");
    fails(&["data", "rebuild", "/nowhere"], "no published data in /nowhere");
}

#[test]
fn keys_are_as_pinned() {
    assert_eq!(json(&["vk", "check", "--json"])["ok"], true);
    let keys = json(&["vk", "list", "--json"]);
    for key in keys["keys"].as_array().expect("keys") {
        assert_eq!(key["pinned"], true, "{}", key["name"]);
        let bits = |name: &str| key[name].as_f64().expect("bits");
        assert!(bits("proven_bits") >= 100.0 && bits("conjectured_bits") >= bits("proven_bits"), "{key}");
    }
}

#[test]
fn drifted_pins_are_an_error() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("vks.toml");
    let check = ["vk", "check", "--file", text(&file)];
    fails(&check, "cannot read");
    let empty = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/empty-vks.toml");
    std::fs::copy(empty, &file).expect("a file");
    fails(&check, "vk drift: ");
    assert!(tsz(&["vk", "pin", "--base", "--file", text(&file)]).status.success());
    assert!(tsz(&check).status.success());
}

#[test]
fn the_demo_proves_and_refuses() {
    demo_says(&["--no-aggregate"], &[]);
}

#[test]
fn the_demo_aggregates() {
    demo_says(&[], &["one proof of", "for 2 batches, verified in"]);
}

fn demo_says(more: &[&str], lines: &[&str]) {
    let args = ["demo", "--ops", "64", "--accounts-log2", "8", "--active", "16"];
    let output = tsz(&[&args, more].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let always = [
        "batch 2:",
        "proven bits",
        "one bit of a proof flipped",
        "another root claimed",
        "the ledger refuses",
    ];
    for line in always.iter().chain(lines) {
        assert!(stdout(&output).contains(line), "{line:?} is not in:\n{}", stdout(&output));
    }
}

#[test]
fn small_benchmarks_report_the_documented_keys() {
    for args in [
        &["bench", "transfers", "--ops", "32", "--active", "8", "--accounts-log2", "6", "--json"][..],
        &["bench", "spot", "--ops", "16", "--active", "8", "--accounts-log2", "6", "--json"],
        &["bench", "smt", "--ops", "32", "--accounts-log2", "10", "--json"],
        &["bench", "signatures", "--ops", "16", "--json"],
        &["bench", "segment", "--ops", "2", "--kept", "../../guests/runs", "--json"],
    ] {
        let report = json(args);
        for key in ["ops_per_second", "cpu_seconds", "wall_seconds", "peak_rss_bytes", "proof_bytes"] {
            assert!(report[key].is_number(), "{args:?}: {key}");
        }
        assert!(report["cells"].is_array(), "{args:?}");
        if ["smt", "signatures"].contains(&args[1]) {
            for key in ["proven_bits", "blowup", "queries"] {
                assert!(report[key].is_number(), "{args:?}: {key}");
            }
        }
        if args[1] == "segment" {
            assert_eq!([&report["seal_bytes_14"], &report["seal_bytes_15"]], [198_632, 209_256]);
        }
    }
}

/// The template is a crate of the workspace (crates/ext/template), whose tests run with all others; what is written is
/// that crate under another name.
#[test]
fn guest_new_writes_the_template_under_another_name() {
    let dir = tempfile::tempdir().expect("a folder");
    let rent = dir.path().join("rent");
    let report = json(&["guest", "new", "rent", "--dir", text(&rent), "--json"]);
    assert_eq!(report["files"].as_array().map(Vec::len), Some(7));
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for file in ["src/lib.rs", "tests/program.rs"] {
        let template =
            std::fs::read_to_string(repository.join("crates/ext/template").join(file)).expect("the template");
        let written = std::fs::read_to_string(rent.join(file)).expect("written");
        assert_eq!(written, template.replace("tsz_ext_template", "rent"));
        assert!(!written.contains("template"), "{file}");
    }
    for file in ["Cargo.toml", "guest/Cargo.toml"] {
        let written = std::fs::read_to_string(rent.join(file)).expect("written");
        assert!(
            !written.contains('{') || !written.contains("{name}") && !written.contains("{root}"),
            "{written}"
        );
        for path in written.split('"').filter(|part| part.starts_with('/')) {
            assert!(Path::new(path).join("Cargo.toml").is_file(), "{path}");
        }
    }
    let main = std::fs::read_to_string(rent.join("guest/src/main.rs")).expect("written");
    assert!(main.contains("entry!(rent::program)"), "{main}");
    fails(&["guest", "new", "rent", "--dir", text(&rent)], "exists");
    for name in ["Rent", "1rent", "../rent", "", "std"] {
        let refused = tsz(&["guest", "new", name, "--dir", text(&dir.path().join("x"))]);
        assert_eq!(refused.status.code(), Some(1), "{name:?}");
    }
}

#[test]
fn guest_list_and_check_know_the_committed_guests() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let list = json(&["guest", "list", "--root", text(&repository), "--json"]);
    let guests = list["guests"].as_array().expect("guests");
    assert!(guests.len() >= 4 && guests.iter().all(|g| g["listed"] == true), "{list}");
    assert_eq!(json(&["guest", "check", "--root", text(&repository), "--json"])["ok"], true);
    // one byte of a program, an ELF file too many, a list without it
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(dir.path().join("guests/elf")).expect("a folder");
    std::fs::create_dir_all(dir.path().join("scripts")).expect("a folder");
    std::fs::write(dir.path().join("scripts/build-guests.sh"), "").expect("written");
    for entry in std::fs::read_dir(repository.join("guests/elf")).expect("guests").flatten() {
        std::fs::copy(entry.path(), dir.path().join("guests/elf").join(entry.file_name())).expect("copied");
    }
    let check = ["guest", "check", "--root", text(dir.path())];
    assert_eq!(tsz(&check).status.code(), Some(0));
    let elf = dir.path().join("guests/elf/grid.elf");
    let mut damaged = std::fs::read(&elf).expect("grid");
    damaged[500] ^= 1;
    std::fs::write(&elf, &damaged).expect("written");
    fails(&check, "not in the list");
    std::fs::remove_file(&elf).expect("removed");
    fails(&check, "no ELF file");
    std::fs::write(&elf, "no guest").expect("written");
    fails(&check, "not a guest");
}
