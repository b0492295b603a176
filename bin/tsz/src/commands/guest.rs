//! `tsz guest`: programs of the extension layer.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use tsz_engine::Hex;
use tsz_ext::{GuestPin, image_root, list_guests, parse_guests, root_hex};

use crate::cli::{GuestBuild, GuestNew, GuestPlace};
use crate::output::{Output, bytes};

/// What `tsz guest new` writes: path, text, with the template's name to be replaced.
const FILES: [(&str, &str); 7] = [
    (".gitignore", "target/\n"),
    ("Cargo.toml", include_str!("guest/Cargo.toml.txt")),
    ("README.md", include_str!("guest/README.md.txt")),
    ("src/lib.rs", include_str!("../../../../crates/ext/template/src/lib.rs")),
    ("tests/program.rs", include_str!("../../../../crates/ext/template/tests/program.rs")),
    ("guest/Cargo.toml", include_str!("guest/guest.toml.txt")),
    ("guest/src/main.rs", include_str!("guest/main.rs.txt")),
];
/// Names in the template, as crate and as package.
const TEMPLATE: [&str; 2] = ["tsz_ext_template", "tsz-ext-template"];

/// Where the sources are: the folder given, one above the current one, or where this program was built.
fn root(given: Option<&PathBuf>) -> Result<PathBuf> {
    let is_root = |dir: &Path| dir.join("scripts/build-guests.sh").is_file();
    if let Some(dir) = given {
        let dir = dir.canonicalize().with_context(|| format!("cannot find {}", dir.display()))?;
        ensure!(is_root(&dir), "{} has no scripts/build-guests.sh", dir.display());
        return Ok(dir);
    }
    let here = std::env::current_dir().context("no current folder")?;
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    here.ancestors()
        .map(Path::to_path_buf)
        .chain([built])
        .find(|dir| is_root(dir))
        .and_then(|dir| dir.canonicalize().ok())
        .context("the sources of the TS-zkVM are not here; name them with --root")
}

/// Writes a new program.
pub fn new(args: &GuestNew, output: &Output) -> Result<()> {
    let name = args.name.as_str();
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let fits = name.bytes().all(is_name) && name.starts_with(|c: char| c.is_ascii_lowercase());
    ensure!(fits && name.len() <= 40, "a name is a-z, 0-9 and _, begins with a letter, and has at most 40");
    ensure!(!["test", "core", "std", "alloc", "guest", "proc_macro"].contains(&name), "{name} is taken");
    let root = root(args.place.root.as_ref())?;
    let dir = args.dir.clone().unwrap_or_else(|| PathBuf::from(name));
    ensure!(!dir.exists(), "{} exists", dir.display());
    let root_text =
        root.to_str().filter(|text| !text.contains(['"', '\\'])).context("a root with odd characters")?;
    for (path, text) in FILES {
        let text = text.replace(TEMPLATE[0], name).replace(TEMPLATE[1], name);
        let text = text.replace("{name}", name).replace("{root}", root_text);
        let file = dir.join(path);
        let folder = file.parent().context("a folder")?;
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    let shown = dir.display();
    output.line(format!("{shown}: a program, its test and its guest"));
    output.line(format!(
        "  cargo test --manifest-path {shown}/Cargo.toml    tests it, with the guard, without a proof"
    ));
    output.line(format!("  tsz guest build --dir {shown}    builds the guest and says its algorithm id"));
    output.object(&json!({ "ok": true, "dir": dir, "files": FILES.map(|(path, _)| path) }));
    Ok(())
}

/// Builds guests by the script.
pub fn build(args: &GuestBuild, output: &Output) -> Result<()> {
    let root = root(args.place.root.as_ref())?;
    script(&root, args.dir.as_deref(), &[])?;
    if let Some(dir) = &args.dir {
        let elves = elves(dir)?;
        ensure!(!elves.is_empty(), "{} has no guest after the build", dir.display());
        return show(&elves, None, output);
    }
    output.line("built; `tsz guest pin` writes their roots to guests/elf/ids.txt");
    list(&args.place, output)
}

fn script(root: &Path, dir: Option<&Path>, flags: &[&str]) -> Result<()> {
    let mut command = Command::new(root.join("scripts/build-guests.sh"));
    command.args(flags);
    if let Some(dir) = dir {
        let dir = dir.canonicalize().with_context(|| format!("cannot find {}", dir.display()))?;
        command.arg("--dir").arg(dir);
    }
    // what the script says is progress
    let done = command.stdout(std::io::stderr()).status().context("cannot run scripts/build-guests.sh")?;
    ensure!(done.success(), "scripts/build-guests.sh failed");
    Ok(())
}

/// ELF files of a folder, by name, with their sizes and the roots of their images.
fn elves(dir: &Path) -> Result<Vec<(GuestPin, u64)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "elf") {
            let elf = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let root = image_root(&elf).with_context(|| path.display().to_string())?;
            let name = path.file_stem().and_then(|s| s.to_str()).context("a file name")?.to_owned();
            found.push((GuestPin { name, root }, elf.len() as u64));
        }
    }
    found.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    Ok(found)
}

/// A guest as it is in a folder, and the bytes of its file.
type Found = (GuestPin, u64);

/// The committed guests and the list of them.
fn committed(place: &GuestPlace) -> Result<(PathBuf, Vec<Found>, Vec<GuestPin>)> {
    let dir = root(place.root.as_ref())?.join("guests/elf");
    let path = dir.join("ids.txt");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let pins = parse_guests(&text).with_context(|| path.display().to_string())?;
    let elves = elves(&dir)?;
    Ok((path, elves, pins))
}

/// Prints guests; `pins` says which are listed.
fn show(guests: &[(GuestPin, u64)], pins: Option<&[GuestPin]>, output: &Output) -> Result<()> {
    output.line(format!("{:16} {:>8}  {:64}  {:64}", "guest", "size", "algorithm id", "image root"));
    let mut objects = Vec::new();
    for (guest, size) in guests {
        let listed = pins.map(|pins| pins.contains(guest));
        let mark = if listed == Some(false) { "  NOT LISTED" } else { "" };
        let (id, root) = (Hex(guest.algorithm()), root_hex(&guest.root));
        output.line(format!("{:16} {:>8}  {id}  {root}{mark}", guest.name, bytes(*size)));
        objects.push(
            json!({ "name": guest.name, "bytes": size, "algorithm": id, "root": root, "listed": listed }),
        );
    }
    output.object(&json!({ "ok": true, "guests": objects }));
    Ok(())
}

/// Prints the committed guests.
pub fn list(place: &GuestPlace, output: &Output) -> Result<()> {
    let (_, guests, pins) = committed(place)?;
    show(&guests, Some(&pins), output)
}

/// Compares the committed guests with their list, and with a build where asked.
pub fn check(place: &GuestPlace, build: bool, output: &Output) -> Result<()> {
    let (path, guests, pins) = committed(place)?;
    for (guest, _) in &guests {
        if !pins.contains(guest) {
            let root = root_hex(&guest.root);
            bail!("{}: {} has the root {root}, which is not in the list", path.display(), guest.name);
        }
    }
    if let Some(pin) = pins.iter().find(|pin| !guests.iter().any(|(guest, _)| guest == *pin)) {
        bail!("{}: {} has no ELF file", path.display(), pin.name);
    }
    if build {
        script(&root(place.root.as_ref())?, None, &["--check"])?;
    }
    let how = if build { ", and a build gives the same bytes" } else { "" };
    output.line(format!("{} guests are as listed{how}", pins.len()));
    output.object(&json!({ "ok": true, "guests": pins.len(), "built": build }));
    Ok(())
}

/// Writes the list of the committed guests.
pub fn pin(place: &GuestPlace, output: &Output) -> Result<()> {
    let (path, guests, _) = committed(place)?;
    let pins: Vec<_> = guests.into_iter().map(|(guest, _)| guest).collect();
    std::fs::write(&path, list_guests(&pins)).with_context(|| format!("cannot write {}", path.display()))?;
    output.line(format!("listed {} guests in {}", pins.len(), path.display()));
    output.object(&json!({ "ok": true, "guests": pins.len() }));
    Ok(())
}
