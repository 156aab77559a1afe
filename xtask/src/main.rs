//! The task list of the repository: `cargo xtask demo | test | ci | structure | public-api | bench`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what a task prints is what it is for"
)]

mod azurite;
mod bench;
mod ci;
mod client;
mod command;
mod demo;
mod error;
mod modules;
mod packages;
mod pages;
mod process;
mod public_api;
mod structure;
mod test;
mod verdict;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The tasks of the repository.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Start the portal and three services, and send visitors to them.
    Demo(demo::Options),
    /// Build the portal's pages, which the portal then embeds.
    Pages,
    /// Test every page of the portal in a browser, on the demo's traffic.
    Browser,
    /// Make the pictures of the documentation, of the demo's traffic.
    Pictures,
    /// Install what the tests need, and run all of them.
    Test,
    /// Run everything that has to pass before a change is merged.
    Ci,
    /// Check that the folders of every crate depend on each other one way.
    Structure(structure::Options),
    /// Compare the public items of every library with the checked-in lists.
    PublicApi(public_api::Options),
    /// Measure what azmon costs, beside its peers, and write benches/RESULTS.md.
    Bench(bench::Options),
    /// Become another program that ends when this task does.
    #[command(hide = true)]
    RunChild(process::ChildArguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Demo(options) => demo::run(&options),
        Task::Pages => pages::build(),
        Task::Browser => pages::browser(),
        Task::Pictures => pages::pictures(),
        Task::Test => test::run(),
        Task::Ci => ci::run(),
        Task::PublicApi(options) => ci::public_api(&options),
        Task::Structure(options) => ci::structure(options.nodes()),
        Task::Bench(options) => bench::run(&options),
        Task::RunChild(arguments) => process::become_child(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
