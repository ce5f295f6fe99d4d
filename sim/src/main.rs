//! `rumor-sim`: runs scenario files and reports what came out.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
