//! From Go's way of writing flags to the one that clap reads.
//!
//! Serf's users write `-rpc-addr=x`, `-rpc-addr x` and `-coalesce=false`; clap would read the first as a row of one-letter
//! flags. What comes out has all flags in front, each as `--name` or `--name=value`, and everything else after `--`, so that
//! a value or payload that begins with a dash is never mistaken.

use std::ffi::{OsStr, OsString};

use clap::{ArgAction, Command};

/// Whether the line asks for the version: `-v`, `-version` or `--version` anywhere, as with Serf, but not after `--`.
pub(super) fn asks_version(args: &[OsString]) -> bool {
    let flags = args.iter().take_while(|arg| *arg != "--");
    flags.filter_map(|arg| arg.to_str()).any(|arg| matches!(arg, "-v" | "-version" | "--version"))
}

/// Rewrites arguments (the program's name is not among them, but is in what comes out) for a tree that has been built.
pub(super) fn rewrite(tree: &Command, args: &[OsString]) -> Vec<OsString> {
    let mut line = vec![OsString::from(tree.get_name())];
    rewrite_below(tree, &mut args.iter(), &mut line);
    line
}

/// What follows a command that has commands below it, the program itself first.
fn rewrite_below(tree: &Command, args: &mut dyn Iterator<Item = &OsString>, line: &mut Vec<OsString>) {
    // Before the command there is only help.
    let command = loop {
        let Some(arg) = args.next() else { return };
        match arg.to_str().and_then(flag) {
            Some((name, _)) if is_help(name) => line.push("--help".into()),
            Some((name, _)) => line.push(format!("--{name}").into()),
            None => break arg,
        }
    };
    line.push(command.clone());
    match command.to_str().and_then(|name| tree.find_subcommand(name)) {
        Some(command) if command.get_name() == "help" => line.extend(args.cloned()),
        Some(command) if command.has_subcommands() => rewrite_below(command, args, line),
        Some(command) => rewrite_command(command, args, line),
        None => line.extend(args.cloned()),
    }
}

fn rewrite_command<'a>(
    command: &Command,
    mut args: impl Iterator<Item = &'a OsString>,
    line: &mut Vec<OsString>,
) {
    let mut others: Vec<OsString> = Vec::new();
    while let Some(arg) = args.next() {
        if arg == "--" {
            others.extend(args.by_ref().cloned());
            break;
        }
        let Some((name, value)) = arg.to_str().and_then(flag) else {
            others.push(arg.clone());
            continue;
        };
        if is_help(name) {
            line.push("--help".into());
            continue;
        }
        let mut written = OsString::from(format!("--{name}"));
        let value = match value {
            Some(value) => Some(OsStr::new(value)),
            // Go takes the next argument whatever it looks like.
            None if needs_value(command, name) => args.next().map(OsString::as_os_str),
            None => None,
        };
        if let Some(value) = value {
            written.push("=");
            written.push(value);
        }
        line.push(written);
    }
    if !others.is_empty() {
        line.push("--".into());
        line.extend(others);
    }
}

/// Name and value of what looks like a flag: one dash or two, a letter, then letters, digits, dashes up to a `=`. Neither a
/// number nor a sentence does.
fn flag(arg: &str) -> Option<(&str, Option<&str>)> {
    let rest = arg.strip_prefix("--").or_else(|| arg.strip_prefix('-'))?;
    let (name, value) = match rest.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (rest, None),
    };
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(letters))
        .then_some((name, value))
}

fn is_help(name: &str) -> bool {
    matches!(name, "h" | "help")
}

fn needs_value(command: &Command, name: &str) -> bool {
    let arg = command.get_arguments().find(|arg| {
        arg.get_long() == Some(name) || arg.get_all_aliases().is_some_and(|aliases| aliases.contains(&name))
    });
    // A switch may have a value, but only after "=".
    arg.is_some_and(|arg| {
        matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
            && arg.get_num_args().is_none_or(|range| range.min_values() > 0)
    })
}
