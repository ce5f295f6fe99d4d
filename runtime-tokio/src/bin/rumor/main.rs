//! The program `rumor`.
#![forbid(unsafe_code)]
// What only the agent and the client commands use is not used yet.
#![allow(dead_code, unused_imports)]

mod args;

use std::process::ExitCode;

fn main() -> ExitCode {
    match args::parse(std::env::args_os()) {
        Ok(command) => {
            anstream::println!("{command:?}");
            ExitCode::SUCCESS
        }
        Err(exit) => exit.print(),
    }
}
