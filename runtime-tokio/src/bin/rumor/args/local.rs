//! Arguments of commands that need no agent.

use std::path::PathBuf;

use super::TEMPLATE;
use super::agent::AgentArgs;
use super::values::Format;

/// `rumor check-config`
#[derive(Debug, clap::Args)]
#[command(help_template = TEMPLATE, before_help = "Examples:
  rumor check-config /etc/rumor
  rumor check-config base.toml this-machine.json --format json")]
pub(crate) struct CheckConfigArgs {
    /// Files, or folders whose *.json and *.toml files are meant, in the order in which the agent would read them.
    #[arg(required = true, value_name = "FILE|DIR")]
    pub(crate) paths: Vec<PathBuf>,
    /// How problems are printed.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// What the environment says to an agent.
    #[arg(skip)]
    pub(crate) environment: Box<AgentArgs>,
}

/// `rumor replay`
#[derive(Debug, clap::Args)]
#[command(help_template = TEMPLATE, before_help = "Examples:
  rumor agent -record run.rec
  rumor replay run.rec")]
pub(crate) struct ReplayArgs {
    /// What `rumor agent -record FILE` wrote.
    pub(crate) file: PathBuf,
}

/// `rumor completions`
#[derive(Debug, clap::Args)]
#[command(help_template = TEMPLATE, before_help = "Examples:
  rumor completions bash > /etc/bash_completion.d/rumor
  rumor completions zsh ~/.zfunc")]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
    /// A folder to write the file into, under the name that the shell looks for; without: standard output.
    pub(crate) dir: Option<PathBuf>,
}

/// `rumor man`
#[derive(Debug, clap::Args)]
#[command(help_template = TEMPLATE, before_help = "Examples:
  rumor man | man -l -
  rumor man /usr/local/share/man/man1")]
pub(crate) struct ManArgs {
    /// A folder to write a page for each command into; without: the main page on standard output.
    pub(crate) dir: Option<PathBuf>,
}
