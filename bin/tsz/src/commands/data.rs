//! `tsz data`: published data and the realm rebuilt from it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tsz_diff::{Data, ExitLeaf, ExitProof, Realm, data_hash};
use tsz_engine::Hex;
use tsz_ledger::key::cell;
use tsz_ledger::{AcctCell, BalCell, Cell, PosCell, SubCell};
use tsz_scenario::published;
use tsz_stf::forms::to_hex;
use tsz_types::{AccountId, MarketId};

use crate::cli::{DataRebuild, DataWrite};
use crate::commands::{scenario, verify};
use crate::output::{Output, bytes};

const EXTENSION: &str = "data";

fn path(dir: &Path, number: usize) -> PathBuf {
    dir.join(format!("{number:06}.{EXTENSION}"))
}

/// Writes the published data of a scenario.
pub fn write(args: &DataWrite, output: &Output) -> Result<()> {
    let scenario = scenario::read(&args.file)?;
    let spinner = output.spinner("executing");
    let run = tsz_scenario::run(&scenario);
    spinner.finish_and_clear();
    let run = run.with_context(|| args.file.display().to_string())?;
    let dir = args.out.display();
    ensure!(files(&args.out)?.is_empty(), "{dir} holds published data already");
    std::fs::create_dir_all(&args.out).with_context(|| format!("cannot make {dir}"))?;
    let mut states = Vec::new();
    for (number, data) in published(&run)?.iter().enumerate() {
        let (bytes, path) = (data.to_bytes()?, path(&args.out, number));
        std::fs::write(&path, &bytes).with_context(|| format!("cannot write {}", path.display()))?;
        states.push(state(data, &bytes));
        output.line(line(data, &bytes));
    }
    let root = Hex(run.state.root());
    output.line(format!("root {root}; published data is in {dir}"));
    output.object(&json!({ "ok": true, "out": args.out, "root": root, "states": states }));
    Ok(())
}

/// Rebuilds the published realm.
pub fn rebuild(args: &DataRebuild, output: &Output) -> Result<()> {
    let expected = verify::root("--to-root", args.to_root.as_deref())?;
    let count = files(&args.dir)?.len();
    let mut states = Vec::new();
    let mut realm = None;
    for number in 0..count {
        let path = path(&args.dir, number);
        let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let refused = || format!("{} is refused", path.display());
        let data = Data::from_bytes(&bytes).with_context(refused)?;
        let next = match realm.take() {
            None => Realm::genesis(&data),
            Some(realm) => apply(realm, &data),
        };
        realm = Some(next.with_context(refused)?);
        states.push(state(&data, &bytes));
        output.line(line(&data, &bytes));
    }
    let Some(realm) = realm else { bail!("no published data in {}", args.dir.display()) };
    let (root, leaves) = (realm.root(), realm.leaves().count());
    if let Some(expected) = expected {
        ensure!(root == expected, "the data leads to root {}, not to {}", Hex(root), Hex(expected));
    }
    output.line(format!("rebuilt {leaves} leaves of the published realm, root {}", Hex(root)));
    let exit = args.exit.map(|account| exit(&realm, account, &args.pricing)).transpose()?;
    let document = json!({
        "ok": true,
        "root": Hex(root),
        "published_root": Hex(realm.published_root()),
        "private_root": Hex(realm.private_root()),
        "leaves": leaves,
        "states": states,
        "exit": exit,
    });
    output.object(&document);
    if let (false, Some(exit)) = (output.is_json(), exit) {
        output.document(&exit);
    }
    Ok(())
}

fn apply(mut realm: Realm, data: &Data) -> Result<Realm, tsz_diff::ApplyError> {
    realm.apply(data).map(|()| realm)
}

/// The files of published data in a folder, which may be absent.
fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    let paths = entries.map(|entry| entry.map(|e| e.path())).collect::<Result<Vec<_>, _>>()?;
    Ok(paths.into_iter().filter(|path| path.extension().is_some_and(|e| e == EXTENSION)).collect())
}

fn line(data: &Data, written: &[u8]) -> String {
    let (batch, leaves, out) = (data.context.batch, data.leaves.len(), data.withdrawals.len());
    let (size, root) = (bytes(written.len() as u64), Hex(data.roots.new));
    let name = if batch == 0 { "genesis".to_owned() } else { format!("batch {batch}") };
    format!("{name}: {leaves} leaves, {out} withdrawals, {size}, root {root}")
}

fn state(data: &Data, written: &[u8]) -> Value {
    json!({
        "batch": data.context.batch,
        "time": data.context.time,
        "root": Hex(data.roots.new),
        "bytes": written.len(),
        "data_hash": to_hex(&data_hash(written)),
        "leaves": data.leaves.len(),
        "withdrawals": data.withdrawals,
    })
}

fn exit(realm: &Realm, account: u32, pricing: &[u8]) -> Result<Value> {
    let pricing = pricing.iter().map(|market| MarketId::new(*market)).collect::<Result<Vec<_>, _>>()?;
    let proof: ExitProof = realm.exit(AccountId::new(account)?, &pricing)?;
    proof.verify(&realm.root())?;
    Ok(json!({
        "batch": proof.batch,
        "root": Hex(proof.root),
        "account": account,
        "owner": proof.owner.to_string(),
        "leaves": proof.leaves.iter().map(leaf).collect::<Vec<_>>(),
    }))
}

fn leaf(leaf: &ExitLeaf) -> Value {
    json!({
        "key": leaf.key.raw(),
        "content": content(leaf),
        "value": Hex(leaf.value),
        "siblings": leaf.proof.siblings.iter().map(|sibling| Hex(*sibling)).collect::<Vec<_>>(),
    })
}

/// What a leaf of a user means; only the raw value for another.
fn content(leaf: &ExitLeaf) -> Value {
    let (lo, value) = (leaf.key.lo(), &leaf.value);
    let (sub, number) = (lo / cell::COUNT, lo % cell::COUNT);
    if leaf.key.hi() >> 24 != 0 {
        return Value::Null;
    }
    match number {
        cell::SUB => SubCell::from_leaf(value)
            .map(|c| json!({ "cell": "collateral", "sub": sub, "micros": c.collateral, "positions": c.pos_count, "margin_tokens": c.mask })),
        cell::ACCT => AcctCell::from_leaf(value)
            .map(|c| json!({ "cell": "owner", "owner": c.owner.map(|owner| owner.to_string()) })),
        cell::MBAL..cell::BAL => BalCell::from_leaf(value)
            .map(|c| json!({ "cell": "margin", "sub": sub, "place": number - cell::MBAL, "micros": c.balance })),
        cell::BAL..cell::POS => BalCell::from_leaf(value)
            .map(|c| json!({ "cell": "balance", "sub": sub, "token": number - cell::BAL, "micros": c.balance })),
        cell::POS.. => PosCell::from_leaf(value).map(|c| {
            let market = number - cell::POS;
            json!({ "cell": "position", "sub": sub, "market": market, "lots": c.size(), "funding": c.funding() })
        }),
        _ => Ok(Value::Null),
    }
    .unwrap_or_else(|error| json!({ "corrupt": error.to_string() }))
}
