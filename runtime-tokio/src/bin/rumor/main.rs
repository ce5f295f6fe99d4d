//! The program `rumor`.
#![forbid(unsafe_code)]
// What only the agent and the client commands use is not used yet.
#![allow(dead_code, unused_imports)]

mod args;
mod config;

use std::process::ExitCode;

use args::Command;

fn main() -> ExitCode {
    match args::parse(std::env::args_os()) {
        Ok(Command::CheckConfig(args)) => ExitCode::from(config::check_config(&args)),
        Ok(Command::Man(args)) => ExitCode::from(args::man(&args)),
        Ok(Command::Completions(args)) => ExitCode::from(args::completions(&args)),
        Ok(Command::Version) => {
            anstream::println!(
                "rumor {}\nAgent Protocol: 5 (Understands back to: 2)",
                env!("CARGO_PKG_VERSION")
            );
            ExitCode::SUCCESS
        }
        Ok(command) => {
            anstream::println!("{command:?}");
            ExitCode::SUCCESS
        }
        Err(exit) => exit.print(),
    }
}
