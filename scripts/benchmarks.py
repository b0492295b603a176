#!/usr/bin/env python3
"""Runs the benchmarks and writes their tables into the documentation.

    scripts/benchmarks.py [NAME ..]  run `tsz bench`, `tsz vk` and `cargo bench` (all, or those named), keep the JSON,
                                     write the tables
    scripts/benchmarks.py --render   write the tables from the kept JSON
    scripts/benchmarks.py --check    fail if the tables differ from the kept JSON
"""

import json
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "docs/benchmarks"
PAGES = {
    "transfers": "docs/src/benchmarks.md",
    "spot": "docs/src/benchmarks.md",
    "perp": "docs/src/benchmarks.md",
    "oracle": "docs/src/benchmarks.md",
    "manage": "docs/src/benchmarks.md",
    "margin": "docs/src/benchmarks.md",
    "settle": "docs/src/benchmarks.md",
    "liquidate": "docs/src/benchmarks.md",
    "deleverage": "docs/src/benchmarks.md",
    "guard": "docs/src/benchmarks.md",
    "legs": "docs/src/benchmarks.md",
    "ledger": "docs/src/benchmarks.md",
    "smt": "docs/src/benchmarks.md",
    "signatures": "docs/src/benchmarks.md",
    "auth": "docs/src/benchmarks.md",
    "wallet": "docs/src/benchmarks.md",
    "oidc": "docs/src/benchmarks.md",
    "oidc-es256": "docs/src/benchmarks.md",
    "aggregate": "docs/src/benchmarks.md",
    "rows": "docs/src/recursion.md",
    "vk": "docs/src/security.md",
    "tables": "docs/src/tables.md",
}
VK = {"vk": ["vk", "list"], "tables": ["vk", "tables"], "rows": ["vk", "rows"]}
# benchmarks of criterion, which count time on a core: package and target
CRITERION = {"ledger": ("tsz-trade", "trades")}


def criterion(name):
    package, target = CRITERION[name]
    folder = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "criterion"
    shutil.rmtree(folder, ignore_errors=True)
    command = ["cargo", "bench", "--locked", "-p", package, "--bench", target]
    print("running", " ".join(command), file=sys.stderr)
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    rows = []
    for file in folder.glob("**/new/benchmark.json"):
        about = json.loads(file.read_text())
        median = json.loads((file.parent / "estimates.json").read_text())["median"]["point_estimate"]
        per = next(iter((about["throughput"] or {"Elements": 1}).values()))
        rows.append({"name": about["full_id"], "microseconds": median / per / 1000})
    info = Path("/proc/cpuinfo").read_text()
    cpu = re.search(r"^model name\s*:\s*(.*)$", info, re.M)
    simd = "avx512" if "avx512f" in info else "avx2" if "avx2" in info else "none"
    machine = {"cpu": cpu[1] if cpu else "unknown", "threads": 1, "simd": simd}
    return {"bench": name, "machine": machine, "rows": sorted(rows, key=lambda row: row["name"])}


def measure(name):
    if name in CRITERION:
        keep(name, criterion(name))
        return
    command = ["cargo", "run", "--release", "--quiet", "--locked", "--"]
    command += [*VK.get(name, ["bench", name]), "--json"]
    print("running", " ".join(command[6:]), file=sys.stderr)
    result = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    keep(name, json.loads(result.stdout))


def keep(name, data):
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / f"{name}.json").write_text(json.dumps(data, indent=1) + "\n")


def number(value):
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(number(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def render_vk(data):
    def bits(value):
        return math.floor(10 * value) / 10

    rows = [[k["name"], k["digest"][:16] + "...", k["blow_up"], k["queries"], bits(k["proven_bits"]),
             bits(k["conjectured_bits"])] for k in data["keys"]]
    return table(["key", "digest", "blow-up", "queries", "proven bits", "conjectured bits"], rows)


def shape(log):
    return "none" if log is None else f"2^{log}"


def render_rows(data):
    rows = [[n["name"], *n["verifies"], n["permutations"], n["arithmetic"], n["reductions"], n["packs"],
             shape(n["log"]), n["cells"]] for n in data["nodes"]]
    return table(["program", "blow-up", "queries", "permutations", "arithmetic", "reductions", "packs", "shape",
                  "cells"], rows)


def render_aggregate(data):
    machine = data["machine"]
    report, figures = data["report"], data["figures"]
    proofs = [[p["circuit"], p["ops"], p["bytes"]] for p in data["proofs"]]
    nodes = [[n["name"], n["permutations"], n["arithmetic"], n["cells"], n["program"]["cpu_seconds"],
              n["prove"]["cpu_seconds"], n["prove"]["wall_seconds"], n["bytes"]] for n in report["nodes"]]
    sums = [[kind, f["nodes"], f["cpu_seconds"], f["most_cpu_seconds"], f["wall_seconds"]]
            for kind, f in figures.items() if isinstance(f, dict)]
    total = [["aggregation, wall s", figures["wall_seconds"]], ["aggregation, CPU s", figures["cpu_seconds"]],
             ["base proofs, wall s", data["base"]["wall_seconds"]],
             ["base proofs, CPU s", data["base"]["cpu_seconds"]],
             ["peak memory, bytes", figures["peak_rss_bytes"]], ["proof, bytes", data["proof_bytes"]],
             ["verification, ms", 1000 * data["verify"]["wall_seconds"]]]
    return "\n\n".join([
        f"{machine['cpu']}, {machine['threads']} threads, {machine['simd']}; {number(data['trades'])} trades.",
        table(["figure", "value"], total),
        table(["nodes", "number", "CPU s", "most CPU s of one", "wall s"], sums),
        table(["base proof", "operations", "bytes"], proofs),
        table(["node", "permutations", "arithmetic", "cells", "program and keys, CPU s", "CPU s", "wall s", "bytes"],
              nodes)])


def render_tables(data):
    out = []
    for family in data["families"]:
        out += [f"### {family['family']}", ""]
        rows = [[t["table"], f"{t['width']} + {t['aux_width']}", t["constraints"], t["interactions"], t["degree"]]
                for t in family["tables"]]
        out += [table(["table", "columns + LogUp", "constraints", "messages", "degree"], rows), ""]
        if family["ops"]:
            def part(row):
                return f"{row['rows']} {row['table']} ({number(row['cells'])})"

            rows = [[op["op"], op["cells"], ", ".join(part(r) for r in op["rows"])] for op in family["ops"]]
            out += [table(["operation", "cells", "rows by table (cells)"], rows), ""]
    return "\n".join(out).rstrip()


def render_criterion(data):
    machine = data["machine"]
    rows = [[row["name"], row["microseconds"], round(1e6 / row["microseconds"])] for row in data["rows"]]
    return "\n".join([f"{machine['cpu']}, {machine['threads']} thread, {machine['simd']}.", "",
                      table(["benchmark", "CPU us", "a second"], rows)])


RENDER = {"vk": render_vk, "tables": render_tables, "rows": render_rows, "aggregate": render_aggregate,
          "ledger": render_criterion}


def render_bench(data):
    machine = data["machine"]
    out = [f"{machine['cpu']}, {machine['threads']} threads, {machine['simd']}.", ""]
    skip = {"bench", "machine", "cells", "stages", "ok"}
    scalars = [[k, v] for k, v in data.items() if k not in skip and not isinstance(v, (dict, list))]
    out.append(table(["key", "value"], scalars))
    if data.get("stages"):
        rows = [[s["stage"], s["wall_seconds"], s["cpu_seconds"]] for s in data["stages"]]
        out += ["", table(["stage", "wall s", "CPU s"], rows)]
    if data.get("cells"):
        total = sum(t["cells"] for t in data["cells"])
        rows = [[f"{t['circuit']}/{t['table']}", t["rows"], f"{t['width']} + {t['aux_width']}", t["cells"],
                 t["cells"] / data["ops"], f"{100 * t['cells'] / total:.1f}%"] for t in data["cells"]]
        out += ["", table(["table", "rows", "columns + LogUp", "cells", "cells per op", "share"], rows)]
    return "\n".join(out)


def pages():
    texts = {}
    for name, page in PAGES.items():
        kept = KEPT / f"{name}.json"
        text = texts.get(page) or (ROOT / page).read_text()
        body = "Not measured yet."
        if kept.exists():
            data = json.loads(kept.read_text())
            body = RENDER.get(name, render_bench)(data)
        pattern = rf"(<!-- begin: {name} -->\n).*?(\n<!-- end: {name} -->)"
        texts[page], found = re.subn(pattern, lambda m: m[1] + body + m[2], text, flags=re.S)
        assert found == 1, f"{page} has no place for {name}"
    return texts


def main():
    mode = sys.argv[1] if len(sys.argv) > 1 else ""
    names = [] if mode.startswith("--") else sys.argv[1:] or list(PAGES)
    if mode.startswith("--") and mode not in ("--render", "--check") or not set(names) <= set(PAGES):
        sys.exit(__doc__)
    for name in names:
        measure(name)
    for page, text in pages().items():
        if mode == "--check":
            if (ROOT / page).read_text() != text:
                sys.exit(f"{page} differs from docs/benchmarks: run scripts/benchmarks.py --render")
        else:
            (ROOT / page).write_text(text)


main()
