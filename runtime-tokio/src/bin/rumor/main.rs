//! The program `rumor`: an agent, and the commands that speak to one; to be used as Serf's program is.
#![forbid(unsafe_code)]

mod agent;
mod args;
mod commands;
mod config;
mod replay;

use std::process::ExitCode;

use args::Command;

fn main() -> ExitCode {
    let command = match args::parse(std::env::args_os()) {
        Ok(command) => command,
        Err(exit) => return exit.print(),
    };
    match command {
        Command::Agent(args) => agent::run(&args),
        Command::CheckConfig(args) => ExitCode::from(config::check_config(&args)),
        Command::Replay(args) => replay::run(&args.file),
        Command::Completions(args) => ExitCode::from(args::completions(&args)),
        Command::Man(args) => ExitCode::from(args::man(&args)),
        // One connection: one thread is enough.
        client => match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            // All that are no clients were carried out above.
            Ok(runtime) => runtime.block_on(commands::run(&client)).unwrap_or(ExitCode::FAILURE),
            Err(error) => {
                anstream::eprintln!("Error starting: {error}");
                ExitCode::FAILURE
            }
        },
    }
}
