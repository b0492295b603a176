//! `docs/src/cli.md` is the help of every subcommand. `UPDATE_DOCS=1` writes it.

use std::path::Path;
use std::process::Command;

const COMMANDS: [&[&str]; 24] = [
    &[],
    &["demo"],
    &["scenario", "run"],
    &["scenario", "gen"],
    &["data", "write"],
    &["data", "rebuild"],
    &["prove"],
    &["aggregate"],
    &["verify"],
    &["explain"],
    &["vk"],
    &["vk", "list"],
    &["vk", "tables"],
    &["vk", "rows"],
    &["vk", "tree"],
    &["vk", "check"],
    &["vk", "pin"],
    &["guest"],
    &["guest", "new"],
    &["guest", "build"],
    &["guest", "list"],
    &["guest", "check"],
    &["guest", "pin"],
    &["bench"],
];

fn help(command: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_tsz")).args(command).arg("--help").output().expect("tsz runs");
    assert!(output.status.success(), "tsz {command:?} --help failed");
    String::from_utf8(output.stdout).expect("help is UTF-8")
}

#[test]
fn command_line_reference_is_current() {
    let mut page = String::from(
        "# Command line\n\nWritten from `--help` by `UPDATE_DOCS=1 cargo test -p tsz --test cli_reference`.\n",
    );
    for command in COMMANDS {
        let title = ["tsz"].iter().chain(command).copied().collect::<Vec<_>>().join(" ");
        let text = help(command);
        let body: Vec<&str> = text.lines().map(str::trim_end).collect();
        page += &format!("\n## `{title}`\n\n```text\n{}\n```\n", body.join("\n").trim());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/cli.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).expect("docs are writable");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, page, "docs/src/cli.md is stale: run this test with UPDATE_DOCS=1");
}
