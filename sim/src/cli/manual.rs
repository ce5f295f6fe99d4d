//! `completions` and `man`, made from the command line itself.

use std::io;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;

use super::{COULD_NOT_RUN, HELD, complain, files};

/// What the completions subcommand takes.
#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// Whose completions.
    shell: clap_complete::Shell,
}

/// What the man subcommand takes.
#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// A folder that gets a page for each command, instead of the main page on standard output.
    #[arg(long)]
    dir: Option<PathBuf>,
}

/// The tree without the command `help`, which would double every list.
fn tree() -> clap::Command {
    let mut tree = super::Args::command().disable_help_subcommand(true);
    tree.build();
    tree
}

pub(super) fn completions(args: &CompletionsArgs) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut tree(), "rumor-sim", &mut script);
    files::print(|out| out.write_all(&script))
}

pub(super) fn man(args: &ManArgs) -> u8 {
    let tree = tree();
    let Some(dir) = &args.dir else {
        return match page(&tree) {
            Ok(page) => files::print(|out| out.write_all(&page)),
            Err(error) => failed(&"standard output", &error),
        };
    };
    match pages(&tree, dir) {
        Ok(()) => HELD,
        Err(error) => failed(&dir.display(), &error),
    }
}

fn failed(place: &dyn std::fmt::Display, error: &io::Error) -> u8 {
    complain(&format_args!("{place}: {error}"));
    COULD_NOT_RUN
}

fn page(command: &clap::Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).manual("Rumormill").source("rumormill").render(&mut page)?;
    Ok(page)
}

/// A page for a command and each that lies below it.
fn pages(command: &clap::Command, dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    std::fs::write(dir.join(format!("{name}.1")), page(command)?)?;
    command.get_subcommands().try_for_each(|below| pages(below, dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_and_completions_name_it() {
        let tree = tree();
        let mut script = Vec::new();
        clap_complete::generate(clap_complete::Shell::Bash, &mut super::tree(), "rumor-sim", &mut script);
        let script = String::from_utf8(script).unwrap();
        for command in tree.get_subcommands() {
            let page = String::from_utf8(page(command).unwrap()).unwrap();
            assert!(page.contains(".SH SYNOPSIS"), "{}", command.get_name());
            assert!(script.contains(command.get_name()), "{}", command.get_name());
        }
    }
}
