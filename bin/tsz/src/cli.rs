//! The command line: arguments and help texts.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use tsz_scenario::Place;

/// TS-zkVM: a trading-specific zkVM. Signed operations go through a ledger and a state tree; STARK proofs show
/// that every change followed the rules, and a verifier ties the proofs together.
#[derive(Debug, Parser)]
#[command(name = "tsz", version, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = "Exit status: 0 done, 1 refused or failed, 2 wrong usage.\n\
    Results go to standard output, progress and errors to standard error.")]
pub struct Cli {
    /// Print one JSON object instead of text (errors too: {"ok": false, "error": ...}).
    #[arg(long, global = true)]
    pub json: bool,
    /// Threads to use (default: all cores).
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Prove and verify two batches of signed operations, then try to cheat.
    Demo(DemoArgs),
    /// Run or generate scenario files (no proofs).
    #[command(subcommand)]
    Scenario(ScenarioCommand),
    /// Published data: write that of a scenario, rebuild the published realm from it.
    #[command(subcommand)]
    Data(DataCommand),
    /// Execute a scenario and prove its batches.
    Prove(ProveArgs),
    /// Make one aggregation proof of the batches in folders that `tsz prove` wrote.
    Aggregate(AggregateArgs),
    /// Verify a folder that `tsz prove` wrote, or an aggregation proof, from it and the pinned keys alone.
    Verify(VerifyArgs),
    /// Say what an aggregation proof claims, and of what it consists. Nothing is verified.
    Explain(ExplainArgs),
    /// Verification keys: list them, compare them with vks.toml, pin them.
    #[command(subcommand)]
    Vk(VkCommand),
    /// Programs of the extension layer: make a new one, build guests, list and check the committed ones.
    #[command(subcommand)]
    Guest(GuestCommand),
    /// Measure one of the workloads that the documentation quotes.
    Bench(BenchArgs),
}

/// Arguments of `tsz demo`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  tsz demo\n  tsz demo --ops 400 --accounts-log2 12 --active 100\n  tsz demo --no-aggregate --json"
)]
pub struct DemoArgs {
    /// Operations in each of the two batches.
    #[arg(long, default_value_t = 4000, value_name = "N", value_parser = clap::value_parser!(u32).range(64..=1_000_000))]
    pub ops: u32,
    /// log2 of the number of accounts in the state tree.
    #[arg(long, default_value_t = 16, value_name = "K", value_parser = clap::value_parser!(u32).range(4..=22))]
    pub accounts_log2: u32,
    /// Accounts that sign operations.
    #[arg(long, default_value_t = 1000, value_name = "A", value_parser = clap::value_parser!(u32).range(2..))]
    pub active: u32,
    /// Seed of the population and of the operations.
    #[arg(long, default_value_t = 1, value_name = "S")]
    pub seed: u64,
    /// Leave the proofs of the two batches here, for `tsz verify`.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Leave out the aggregation of batches into one proof.
    #[arg(long)]
    pub no_aggregate: bool,
    /// Who proves the runs.
    #[command(flatten)]
    pub runs: RunArgs,
}

/// Subcommands of `tsz scenario`.
#[derive(Debug, Subcommand)]
pub enum ScenarioCommand {
    /// Execute a scenario natively; print each operation's outcome, markets, positions, margin figures and the root.
    #[command(
        after_help = "Examples:\n  tsz scenario run scenario.json\n  tsz scenario run scenario.json --json\n\
        \x20 tsz scenario run scenario.json --explain 2:5\n\
        The format is described in docs/src/scenario.md."
    )]
    Run {
        /// Scenario file (JSON, version 1).
        file: PathBuf,
        /// Show every number behind an operation instead: BATCH:N (batches from 1, operations of the batch from 0),
        /// or N counted over the file.
        #[arg(long, value_name = "BATCH:N")]
        explain: Option<Place>,
    },
    /// Write a seeded random workload: the same arguments give the same file.
    #[command(after_help = "Example:\n  tsz scenario gen --ops 500 --seed 7 --out scenario.json")]
    Gen(ScenarioGen),
}

/// Arguments of `tsz scenario gen`.
#[derive(Clone, Debug, Args)]
pub struct ScenarioGen {
    /// Number of operations; of kind `families`, of trades.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub ops: u32,
    /// Seed.
    #[arg(long, value_name = "S")]
    pub seed: u64,
    /// File to write; an existing one is replaced.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Batches over which the operations are spread.
    #[arg(long, default_value_t = 2, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub batches: u32,
    /// Accounts of the population.
    #[arg(long, default_value_t = 1024, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=4_000_000))]
    pub accounts: u32,
    /// Accounts that sign, at most all.
    #[arg(long, default_value_t = 64, value_name = "A", value_parser = clap::value_parser!(u32).range(2..))]
    pub active: u32,
    /// Kinds of operations.
    #[arg(long, default_value = "all")]
    pub kinds: Kinds,
}

/// Kinds of operations of a generated workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kinds {
    /// A bit of every fund operation.
    All,
    /// Transfers between accounts only.
    Transfers,
    /// Spot trades only, each of two signed orders.
    Spot,
    /// Perpetual trades only, each of two signed orders.
    Perp,
    /// Spot and perpetual trades, half and half.
    Trades,
    /// So many spot and perpetual trades, and operations of every other family in the same batch; the one before it prepares
    /// them. What `tsz bench aggregate` proves.
    Families,
}

/// Subcommands of `tsz data`.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Execute a scenario natively and write the published data of its genesis and of each batch.
    Write(DataWrite),
    /// Rebuild the published realm from published bytes alone, checking the state root of every batch.
    Rebuild(DataRebuild),
}

/// Arguments of `tsz data write`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Example:\n  tsz scenario gen --ops 500 --seed 7 --out s.json\n  tsz data write s.json --out data\n\
    One file for each state: 000000.data is the genesis. The format is described in docs/src/data.md."
)]
pub struct DataWrite {
    /// Scenario file (JSON, version 1).
    pub file: PathBuf,
    /// Folder for the data; made if it is absent.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// Arguments of `tsz data rebuild`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  tsz data rebuild data\n  tsz data rebuild data --to-root HEX --exit 2 --json\n\
    Without --to-root nothing says that the data is of the chain you mean: take the root from L1."
)]
pub struct DataRebuild {
    /// Folder that `tsz data write` wrote.
    pub dir: PathBuf,
    /// Print what this account holds, with a Merkle proof of each leaf, as JSON.
    #[arg(long, value_name = "ACCOUNT", value_parser = clap::value_parser!(u32).range(..1 << 24))]
    pub exit: Option<u32>,
    /// Markets that price the collateral tokens, by place in the parameters posted on L1: an account with margin tokens
    /// needs the prices of these.
    #[arg(long, value_name = "MARKETS", value_delimiter = ',', requires = "exit")]
    pub pricing: Vec<u8>,
    /// Root (64 hex digits) to which the last batch must lead.
    #[arg(long, value_name = "HEX")]
    pub to_root: Option<String>,
}

/// Arguments of `tsz prove`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Example:\n  tsz scenario gen --ops 100 --seed 7 --out s.json\n  tsz prove s.json --out proofs\n  tsz verify proofs\n\n\
    Runs of extension programs are proven by tsz-run-prover, which scripts/build-run-prover.sh builds. Their proofs are kept\n\
    in DIR/runs as soon as they are made: after a failure, the same command uses them."
)]
pub struct ProveArgs {
    /// Scenario file (JSON, version 1).
    pub file: PathBuf,
    /// Folder for the proofs; made if it is absent.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Who proves the runs.
    #[command(flatten)]
    pub runs: RunArgs,
}

/// Who proves runs of extension programs.
#[derive(Clone, Debug, Default, Args)]
pub struct RunArgs {
    /// Prover of runs of extension programs, also where a proof is committed (default: committed proofs, then
    /// $TSZ_RUN_PROVER, then tsz-run-prover beside tsz or in PATH).
    #[arg(long, value_name = "PATH")]
    pub run_prover: Option<PathBuf>,
    /// Seconds that the proof of a run may take before its prover is stopped (default: $TSZ_RUN_PROVER_LIMIT, then 7200).
    #[arg(long, value_name = "SECONDS")]
    pub run_prover_limit: Option<u64>,
}

/// Arguments of `tsz aggregate`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  tsz aggregate proofs --out all.proof\n  tsz verify all.proof\n\n\
    Finished nodes are kept in the work folder: after a kill, the same command goes on where it stopped.")]
pub struct AggregateArgs {
    /// Folders that `tsz prove` wrote, of consecutive batches in order.
    #[arg(required = true, value_name = "DIR")]
    pub dirs: Vec<PathBuf>,
    /// File for the aggregation proof; an existing one is replaced.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Folder for finished nodes (default: the file's name with `.nodes`).
    #[arg(long, value_name = "DIR")]
    pub work: Option<PathBuf>,
    /// Folder for proving keys by vk digest, some 80 MB each at 2^15 rows, to be used again; without it they are computed.
    #[arg(long, value_name = "DIR")]
    pub keys: Option<PathBuf>,
}

/// Arguments of `tsz explain`.
#[derive(Clone, Debug, Args)]
pub struct ExplainArgs {
    /// Aggregation proof.
    pub file: PathBuf,
}

/// Arguments of `tsz verify`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  tsz verify proofs\n  tsz verify proofs --from-root HEX --to-root HEX")]
pub struct VerifyArgs {
    /// Folder that `tsz prove` wrote, or file that `tsz aggregate` wrote.
    pub dir: PathBuf,
    /// Root (64 hex digits) from which the first batch must start.
    #[arg(long, value_name = "HEX")]
    pub from_root: Option<String>,
    /// Root (64 hex digits) at which the last batch must end.
    #[arg(long, value_name = "HEX")]
    pub to_root: Option<String>,
}

/// Subcommands of `tsz vk`.
#[derive(Debug, Subcommand)]
pub enum VkCommand {
    /// Print every key: digest, algorithm, size class, tables, proven and conjectured security bits.
    #[command(after_help = "Examples:\n  tsz vk list\n  tsz vk list --json")]
    List,
    /// Print the tree of pinned keys: root, and index, algorithm id and digest of every entry.
    Tree,
    /// Print columns, degree and cells of every table, and the rows and cells that each op takes.
    #[command(after_help = "Examples:\n  tsz vk tables\n  tsz vk tables --json")]
    Tables,
    /// Print permutations, arithmetic rows, batch reductions, shape and cells of every lift and join.
    #[command(after_help = "Examples:\n  tsz vk rows\n  tsz vk rows --lift lift-perp/small")]
    Rows(VkRows),
    /// Derive every base key anew and compare it with the pinned ones; a difference is an error.
    Check(VkCheck),
    /// Write the derived keys to vks.toml, after a deliberate change of a circuit.
    Pin(VkPin),
}

/// Arguments of `tsz vk rows`.
#[derive(Clone, Debug, Args)]
pub struct VkRows {
    /// Count the rows of this lift by gate and place of the source instead.
    #[arg(long, value_name = "NAME")]
    pub lift: Option<String>,
}

/// Arguments of `tsz vk check`.
#[derive(Clone, Debug, Args)]
pub struct VkCheck {
    /// File of pins (default: the one compiled into the program).
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Derive the keys of the aggregation tree's lifts and joins too: minutes.
    #[arg(long)]
    pub nodes: bool,
    /// Derive the key of this lift or join too: seconds. May be given several times.
    #[arg(long, value_name = "NAME")]
    pub node: Vec<String>,
}

/// Arguments of `tsz vk pin`.
#[derive(Clone, Debug, Args)]
pub struct VkPin {
    /// File of pins (default: ./vks.toml).
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Pin the base keys alone: seconds instead of minutes, and `tsz aggregate` refuses to work with the result.
    #[arg(long)]
    pub base: bool,
}

/// Where the sources are.
#[derive(Clone, Debug, Args)]
pub struct GuestPlace {
    /// Sources of the TS-zkVM (default: the folder above this one that has them, else where this program was built).
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
}

/// Subcommands of `tsz guest`.
#[derive(Debug, Subcommand)]
pub enum GuestCommand {
    /// Write a new program: the program, a test with the guard in milliseconds, and its guest.
    New(GuestNew),
    /// Build the committed guests, or one program's, with Debian's compiler (scripts/build-guests.sh).
    Build(GuestBuild),
    /// Print the committed guests: size, algorithm id, root of the memory image.
    #[command(after_help = "Examples:\n  tsz guest list\n  tsz guest list --json")]
    List(GuestPlace),
    /// Compare the committed guests with guests/elf/ids.txt; a difference is an error.
    Check {
        /// Where the sources are.
        #[command(flatten)]
        place: GuestPlace,
        /// Build them too, and demand the same bytes: needs the toolchain.
        #[arg(long)]
        build: bool,
    },
    /// Write the roots of the committed guests to guests/elf/ids.txt, after a deliberate change.
    Pin(GuestPlace),
}

/// Arguments of `tsz guest new`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  tsz guest new rent\n  cargo test --manifest-path rent/Cargo.toml\n\
    \x20 tsz guest build --dir rent")]
pub struct GuestNew {
    /// Name of the program: a-z, 0-9 and _.
    pub name: String,
    /// Folder for it (default: its name); must not exist.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Where the sources are.
    #[command(flatten)]
    pub place: GuestPlace,
}

/// Arguments of `tsz guest build`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  scripts/build-guests.sh --install\n  tsz guest build --dir rent")]
pub struct GuestBuild {
    /// Folder that `tsz guest new` wrote (default: build the committed guests).
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Where the sources are.
    #[command(flatten)]
    pub place: GuestPlace,
}

/// Workloads of `tsz bench`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BenchName {
    /// Fund and transition proofs of a batch of signed transfers.
    Transfers,
    /// All proofs of a batch of spot trades, two signed orders each.
    Spot,
    /// All proofs of a batch of perpetual trades, two signed orders each.
    Perp,
    /// Price updates and premium samples, seven signers of which five report, in 64 markets.
    Oracle,
    /// Funding ticks in 64 markets.
    Manage,
    /// Signed transfers in and out of the margin of a position, and an exit of margin for four of them.
    Margin,
    /// Pairs of positions closed in 64 settled markets, funding due.
    Settle,
    /// Takeovers by insurance and partial liquidations in turn.
    Liquidate,
    /// Rankings and closes against the best-ranked in 8 markets.
    Deleverage,
    /// Fills of a grid under the guard of extension programs, without their runs.
    Guard,
    /// Block trades of parties with two positions under the guard of programs that move positions, without their runs.
    Legs,
    /// The run of fills of a grid, by tsz-run-prover.
    Run,
    /// Seals of runs verified natively, by the size of their segments.
    Segment,
    /// Batched updates of the state tree: native, and proven by the transition circuit.
    Smt,
    /// Key generation, signing, verification, and the signature table in a proof.
    Signatures,
    /// Base proofs, lifts and joins of a batch of trades with operations of every other family (each login, liquidations,
    /// deleveraging, a program with its run, ..), up to one aggregation proof.
    Aggregate,
    /// Logins by passkey: native check and auth proof.
    Auth,
    /// Logins by wallet: native check and wallet proof.
    Wallet,
    /// Logins by OpenID token with RS256: native check and oidc proof.
    Oidc,
    /// Logins by OpenID token with ES256: native check and oidc_es256 proof.
    OidcEs256,
}

/// Arguments of `tsz bench`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  tsz bench transfers\n  tsz bench transfers --ops 1024 --active 250 --accounts-log2 16 --json\n\
    \x20 tsz bench spot --ops 8192\n\
    \x20 tsz bench oracle --json\n  tsz bench manage --json\n\
    \x20 tsz bench margin --json\n  tsz bench settle --json\n  tsz bench guard --json\n  tsz bench legs --json\n\
    \x20 tsz bench deleverage --json\n  tsz bench segment --json\n\
    \x20 tsz bench smt --ops 4096 --accounts-log2 20\n  tsz bench signatures --json\n\
    Proofs are made with the keys that `tsz prove` uses (signatures: tables of no circuit of their own, at blow-up 2).\n\
    Keys of the JSON: ops_per_second, cpu_seconds, wall_seconds, peak_rss_bytes, proof_bytes, cells (by table); of proofs\n\
    by one circuit alone also proven_bits, blowup, queries."
)]
pub struct BenchArgs {
    /// Workload.
    pub name: BenchName,
    /// Operations: transfers, trades, updates and samples, ticks, margin transfers and exits, pairs, closes, fills, leaves,
    /// signatures or logins (default: 8192 transfers or trades (spot, perp, aggregate), 256 updates and samples, 768 ticks, 320
    /// margin transfers and exits, 768 pairs, 64 closes, 936 fills, 1024 block trades, 9 fills of a run, 64 verifications
    /// of each size, 4096 leaves, 1024 signatures, 64 logins).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub ops: Option<u32>,
    /// Accounts that sign (transfers, spot, perp, aggregate).
    #[arg(long, default_value_t = 2000, value_name = "A", value_parser = clap::value_parser!(u32).range(2..))]
    pub active: u32,
    /// log2 of the number of accounts (or leaves) in the tree.
    #[arg(long, default_value_t = 20, value_name = "K", value_parser = clap::value_parser!(u32).range(4..=22))]
    pub accounts_log2: u32,
    /// Seed of the workload.
    #[arg(long, default_value_t = 1, value_name = "S")]
    pub seed: u64,
    /// Folder of proving keys by vk digest, as for tsz aggregate (aggregate).
    #[arg(long, value_name = "DIR")]
    pub keys: Option<PathBuf>,
    /// A folder of kept runs besides the committed ones, e.g. `runs` of what tsz prove writes (segment).
    #[arg(long, value_name = "DIR")]
    pub kept: Option<PathBuf>,
    /// Who proves the run (run, aggregate; that of aggregate has a committed proof).
    #[command(flatten)]
    pub runs: RunArgs,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn bench_transfers_defaults_to_the_published_workload() {
        let cli = Cli::parse_from(["tsz", "bench", "transfers", "--json"]);
        let Command::Bench(args) = cli.command else { panic!("not a bench") };
        assert!(cli.json);
        assert_eq!((args.ops, args.active, args.accounts_log2), (None, 2000, 20));
    }
}
