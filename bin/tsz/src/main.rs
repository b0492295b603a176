//! The command line of the TS-zkVM:
//! `tsz demo | scenario | data | prove | aggregate | verify | explain | vk | guest | bench`.
//!
//! This crate only parses arguments, calls the libraries and prints; every rule lives below it.

mod cli;
mod commands;
mod measure;
mod memory;
mod output;
mod runs;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

use crate::cli::{Cli, Command, DataCommand, GuestCommand, ScenarioCommand, VkCommand};
use crate::output::Output;

fn main() -> ExitCode {
    memory::keep();
    let cli = Cli::parse();
    let output = Output::new(cli.json);
    match run(cli, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output.failure(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli, output: &Output) -> Result<()> {
    if let Some(threads) = cli.threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads.into())
            .build_global()
            .context("cannot start the threads")?;
    }
    match cli.command {
        Command::Demo(args) => commands::demo::run(&args, output),
        Command::Scenario(ScenarioCommand::Run { file, explain }) => {
            commands::scenario::run(&file, explain, output)
        }
        Command::Scenario(ScenarioCommand::Gen(args)) => commands::scenario::gen_file(&args, output),
        Command::Data(DataCommand::Write(args)) => commands::data::write(&args, output),
        Command::Data(DataCommand::Rebuild(args)) => commands::data::rebuild(&args, output),
        Command::Prove(args) => commands::prove::run(&args, output),
        Command::Aggregate(args) => commands::aggregate::run(&args, output),
        Command::Verify(args) if args.dir.is_file() => commands::aggregate::verify(&args, output),
        Command::Verify(args) => commands::verify::run(&args, output),
        Command::Explain(args) => commands::aggregate::explain(&args, output),
        Command::Vk(VkCommand::List) => commands::vk::list(output),
        Command::Vk(VkCommand::Tree) => commands::vk::tree(output),
        Command::Vk(VkCommand::Tables) => commands::tables::run(output),
        Command::Vk(VkCommand::Rows(args)) => commands::vk::rows(&args, output),
        Command::Vk(VkCommand::Check(args)) => commands::vk::check(&args, output),
        Command::Vk(VkCommand::Pin(args)) => commands::vk::pin(&args, output),
        Command::Guest(GuestCommand::New(args)) => commands::guest::new(&args, output),
        Command::Guest(GuestCommand::Build(args)) => commands::guest::build(&args, output),
        Command::Guest(GuestCommand::List(place)) => commands::guest::list(&place, output),
        Command::Guest(GuestCommand::Check { place, build }) => commands::guest::check(&place, build, output),
        Command::Guest(GuestCommand::Pin(place)) => commands::guest::pin(&place, output),
        Command::Bench(args) => commands::bench::run(&args, output),
    }
}
