//! The program `rumor`.
#![forbid(unsafe_code)]
// What only the agent uses is not used yet.
#![allow(dead_code, unused_imports)]

mod args;
mod commands;

use std::process::ExitCode;

fn main() -> ExitCode {
    let command = match args::parse(std::env::args_os()) {
        Ok(command) => command,
        Err(exit) => return exit.print(),
    };
    // A client command waits for one connection: one thread is enough.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            anstream::eprintln!("Error starting: {error}");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(commands::run(&command)).unwrap_or_else(|| {
        anstream::eprintln!("{command:?}");
        ExitCode::FAILURE
    })
}
