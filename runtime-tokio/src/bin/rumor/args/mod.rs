//! The command line: Serf's commands and flags, with one dash or two, and ours.
//!
//! [`parse`] gives typed values; whoever carries out a command never sees a flag.

mod agent;
mod client;
mod condition;
mod dashes;
mod debug;
mod local;
mod manual;
mod rpc;
mod values;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

pub(crate) use agent::AgentArgs;
pub(crate) use client::{
    EventArgs, ForceLeaveArgs, InfoArgs, JoinArgs, KeyChange, KeysArgs, LeaveArgs, MembersArgs, MonitorArgs,
    QueryArgs, ReachabilityArgs, RttArgs, TagsArgs, WaitArgs,
};
pub(crate) use condition::{Condition, Counts};
pub(crate) use debug::{DebugArgs, DebugCommand, WhyArgs};
pub(crate) use local::{CheckConfigArgs, CompletionsArgs, ManArgs, ReplayArgs};
pub(crate) use manual::{completions, man};
pub(crate) use rpc::Rpc;
pub(crate) use values::{Format, LogFormat, LogLevel, Pair, Profile, Secret, parse_duration};

/// Done.
pub(crate) const DONE: u8 = 0;
/// It failed, or was not called rightly, as with Serf.
pub(crate) const FAILED: u8 = 1;
/// There is no such command, as with Serf.
pub(crate) const NO_COMMAND: u8 = 127;

/// Gossip membership, failure detection, events and queries: an agent for each machine, and commands that speak to it.
///
/// Commands, flags and configuration are those of HashiCorp Serf, and so is the protocol between commands and agent
/// (RPC): either program's commands work with the other's agent. Between agents it is not (yet) Serf's gossip
/// protocol: a cluster has only Rumormill agents.
#[derive(Debug, Parser)]
#[command(name = "rumor", disable_version_flag = true, args_override_self = true)]
#[command(subcommand_required = true, infer_subcommands = false, max_term_width = 110)]
#[command(help_template = TEMPLATE, before_help = EXAMPLES, after_help = NOTES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What it is, examples, then the rest.
const TEMPLATE: &str = "{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}";

const EXAMPLES: &str = "Examples:
  rumor agent -bind 127.0.0.1 -node one -event-handler 'member-join,member-failed=echo $SERF_EVENT >> log'
  rumor agent -bind 127.0.0.1:7947 -rpc-addr 127.0.0.1:7374 -node two -join 127.0.0.1
  rumor members
  rumor event deploy v1.2.3
  rumor query load
  rumor wait --until 'alive>=2'";

const NOTES: &str = "Flags are accepted with one dash or two, with \"=\" or a space before the value; switches take \"=false\" too. \
A value, name or payload that begins with a dash and looks like a flag goes after \"--\".

Exit status: 0 done, 1 failed or wrongly called, 127 no such command.";

/// A command with its arguments.
#[derive(Debug, Subcommand)]
#[command(help_template = TEMPLATE)]
pub(crate) enum Command {
    /// Run an agent in the foreground: one member of the cluster.
    Agent(Box<AgentArgs>),
    /// Send a user event to the whole cluster.
    Event(EventArgs),
    /// Ask the whole cluster, and print the answers until every member has answered, or the time is up.
    Query(QueryArgs),
    /// Say of a failed member that it has left.
    ForceLeave(ForceLeaveArgs),
    /// Have the agent join others.
    Join(JoinArgs),
    /// Have the agent leave the cluster and stop.
    Leave(LeaveArgs),
    /// List the members that the agent knows.
    Members(MembersArgs),
    /// Print the agent's log and its events as they come.
    Monitor(MonitorArgs),
    /// Change the agent's tags.
    Tags(TagsArgs),
    /// Change or list the cluster's encryption keys.
    Keys(KeysArgs),
    /// Print a new encryption key.
    #[command(before_help = "Examples:\n  export RUMOR_ENCRYPT_KEY=$(rumor keygen)", help_template = TEMPLATE)]
    Keygen,
    /// Print the agent's figures.
    Info(InfoArgs),
    /// Check that every member can be reached.
    Reachability(ReachabilityArgs),
    /// Estimate the round trip between two members.
    Rtt(RttArgs),
    /// Wait until the members are as a condition says.
    Wait(WaitArgs),
    /// Look into a running agent.
    Debug(DebugArgs),
    /// Check configuration files, and print everything that is wrong or unwise in them.
    CheckConfig(CheckConfigArgs),
    /// Replay a recording of an agent through the protocol, and compare what comes out.
    Replay(ReplayArgs),
    /// Print a shell's completions.
    Completions(CompletionsArgs),
    /// Print the manual page, or write one for each command.
    Man(ManArgs),
    /// Print the version (also -v and --version, anywhere).
    Version,
}

impl Command {
    fn rpc(&mut self) -> Option<&mut Rpc> {
        match self {
            Self::Event(args) => Some(&mut args.rpc),
            Self::Query(args) => Some(&mut args.rpc),
            Self::ForceLeave(args) => Some(&mut args.rpc),
            Self::Join(args) => Some(&mut args.rpc),
            Self::Leave(args) => Some(&mut args.rpc),
            Self::Members(args) => Some(&mut args.rpc),
            Self::Monitor(args) => Some(&mut args.rpc),
            Self::Tags(args) => Some(&mut args.rpc),
            Self::Keys(args) => Some(&mut args.rpc),
            Self::Info(args) => Some(&mut args.rpc),
            Self::Reachability(args) => Some(&mut args.rpc),
            Self::Rtt(args) => Some(&mut args.rpc),
            Self::Wait(args) => Some(&mut args.rpc),
            Self::Debug(args) => Some(args.rpc()),
            Self::Agent(_)
            | Self::Keygen
            | Self::CheckConfig(_)
            | Self::Replay(_)
            | Self::Completions(_)
            | Self::Man(_)
            | Self::Version => None,
        }
    }
}

/// Why there is nothing to carry out: a text to print, and a status to end with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Exit {
    /// Exit status.
    pub(crate) code: u8,
    /// What to print, with colours for a terminal.
    pub(crate) text: String,
}

impl Exit {
    /// Prints the text: help on standard output, everything else on standard error.
    pub(crate) fn print(&self) -> ExitCode {
        if self.code == DONE {
            anstream::print!("{}", self.text);
        } else {
            anstream::eprint!("{}", self.text);
        }
        ExitCode::from(self.code)
    }

    fn of(error: &clap::Error, known: bool) -> Self {
        let text = error.render().ansi().to_string();
        match error.kind() {
            ErrorKind::DisplayHelp => Self { code: DONE, text },
            _ if known => Self { code: FAILED, text },
            // As Serf: no command, no such command, a flag where a command belongs.
            ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                Self { code: NO_COMMAND, text: tree().render_long_help().ansi().to_string() }
            }
            _ => {
                let help = tree().render_long_help().ansi().to_string();
                Self { code: NO_COMMAND, text: format!("{text}\n{help}") }
            }
        }
    }
}

/// The whole command line, for completions and manual pages.
pub(crate) fn tree() -> clap::Command {
    let mut tree = Cli::command();
    tree.build();
    tree
}

/// Reads a command line, the program's name first, with this process's environment.
///
/// # Errors
/// Help was asked for, or the line is wrong: print that and end.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, Exit> {
    parse_with(args, &|name| std::env::var(name).ok())
}

/// As [`parse`], with any environment.
pub(crate) fn parse_with(
    args: impl IntoIterator<Item = OsString>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Command, Exit> {
    let args: Vec<OsString> = args.into_iter().skip(1).collect();
    if dashes::asks_version(&args) {
        return Ok(Command::Version);
    }
    let tree = tree();
    let line = dashes::rewrite(&tree, &args);
    // Whatever is wrong after a command that exists is that command's business.
    let known =
        line.get(1).and_then(|name| name.to_str()).is_some_and(|name| tree.find_subcommand(name).is_some());
    let read = || {
        let matches = tree.try_get_matches_from(line)?;
        let mut command = Cli::from_arg_matches(&matches)?.command;
        if let (Command::Agent(agent), Some(matches)) = (&mut command, matches.subcommand_matches("agent")) {
            agent.order_sources(matches);
        }
        Ok(command)
    };
    let mut command = read().map_err(|error: clap::Error| Exit::of(&error, known))?;
    if let Some(rpc) = command.rpc() {
        rpc.fill(env);
    }
    let agent = match &mut command {
        Command::Agent(agent) => Some(agent),
        Command::CheckConfig(check) => Some(&mut check.environment),
        _ => None,
    };
    if let Some(agent) = agent {
        agent.encrypt_env = set(env, "RUMOR_ENCRYPT_KEY").map(Secret::new);
    }
    Ok(command)
}

/// A variable of the environment that is there and not empty.
fn set(env: &dyn Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    env(name).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests;
