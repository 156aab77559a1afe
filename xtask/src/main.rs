//! The task list of the repository: `cargo xtask demo | test | ci | package | structure | public-api | bench`.
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
mod dependencies;
mod error;
mod links;
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
    /// Build the portal's pages, which the next build of the portal embeds.
    Pages,
    /// Test every page of the portal in a browser, with the demo's traffic.
    Browser,
    /// Make the pictures of the documentation from the demo's traffic.
    Pictures,
    /// Install the programs that the tests need, and run all tests.
    Test,
    /// Run everything that must pass before a change is merged.
    Ci,
    /// Make the packages of the published crates, and build each crate from its package, as its users will.
    Package,
    /// Check that the folders and files of each crate have no circular dependencies.
    Structure,
    /// Compare the public items of every library with the checked-in lists.
    PublicApi(public_api::Options),
    /// Measure the cost of azmon and its peers, and write benches/RESULTS.md.
    Bench(bench::Options),
    /// Replace this process by another program that ends with its parent.
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
        Task::Package => ci::package(),
        Task::PublicApi(options) => ci::public_api(&options),
        Task::Structure => ci::structure(),
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
