//! The command line: arguments, output, and the signals that end the program.

mod arguments;
mod client;
mod connection;
mod doctor;
mod exchange;
mod forward;
mod output;
mod portal;
mod query;
mod signal;
mod tail;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

pub(crate) use self::arguments::Arguments;
use self::arguments::Command;

/// Runs the command until it ends or receives a signal to end.
pub(crate) async fn run(arguments: Arguments) -> ExitCode {
    let outcome = match arguments.command {
        Command::Doctor(arguments) => doctor::run(arguments).await,
        Command::Export(arguments) => exchange::export(arguments).await,
        Command::Forward(arguments) => forward::run(arguments).await,
        Command::Import(arguments) => exchange::import(arguments).await,
        Command::Portal(arguments) => portal::run(arguments).await,
        Command::Query(arguments) => query::run(arguments).await,
        Command::Tail(arguments) => tail::run(arguments).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            output::complain(&format!("error: {reason}"));
            ExitCode::FAILURE
        }
    }
}
