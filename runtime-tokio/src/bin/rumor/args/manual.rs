//! Manual pages and completions, made from the command line itself.

use std::fmt::Display;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Generator as _;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::{Cli, CompletionsArgs, DONE, FAILED, ManArgs};

/// `rumor man`: the main page on standard output, or a page for each command into a folder. The exit status.
pub(crate) fn man(args: &ManArgs) -> u8 {
    let tree = tree();
    let Some(dir) = &args.dir else {
        return finish(&"standard output", page(&tree).and_then(|page| print(&page)));
    };
    let pages = with_all_below(&tree).into_iter().map(|command| {
        let name = command.get_display_name().unwrap_or_else(|| command.get_name());
        write(dir, &format!("{name}.1"), page(command)?.as_slice())
    });
    finish(&dir.display(), pages.collect())
}

/// `rumor completions`: on standard output, or into a folder under the name that the shell looks for. The exit status.
pub(crate) fn completions(args: &CompletionsArgs) -> u8 {
    let script = script(args.shell);
    match &args.dir {
        None => finish(&"standard output", print(&script)),
        Some(dir) => finish(&dir.display(), write(dir, &args.shell.file_name("rumor"), &script)),
    }
}

/// A command and all that lie below it.
fn with_all_below(command: &clap::Command) -> Vec<&clap::Command> {
    [command].into_iter().chain(command.get_subcommands().flat_map(with_all_below)).collect()
}

/// The tree without the command `help`, which would double every list.
fn tree() -> clap::Command {
    let mut tree = Cli::command().disable_help_subcommand(true);
    tree.build();
    tree
}

pub(super) fn script(shell: clap_complete::Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut tree(), "rumor", &mut script);
    script
}

/// One command's page, with its examples, which clap_mangen leaves out.
fn page(command: &clap::Command) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone()).manual("Rumormill").source("rumormill");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    if let Some(examples) = command.get_before_help() {
        let examples = examples.to_string();
        let mut roff = Roff::new();
        roff.control("SH", ["EXAMPLES"]);
        // As they are, line for line.
        roff.control("nf", []);
        for line in examples.trim_start_matches("Examples:\n").lines() {
            roff.text([roman(line)]);
        }
        roff.control("fi", []);
        roff.to_writer(&mut page)?;
    }
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    if let Some(notes) = command.get_after_help() {
        let mut roff = Roff::new();
        roff.control("SH", ["NOTES"]);
        for paragraph in notes.to_string().split("\n\n") {
            roff.control("PP", []);
            roff.text([roman(paragraph)]);
        }
        roff.to_writer(&mut page)?;
    }
    Ok(page)
}

fn print(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush())
}

fn write(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    fs::write(dir.join(name), bytes)
}

fn finish(place: &dyn Display, result: io::Result<()>) -> u8 {
    match result {
        Ok(()) => DONE,
        // Whoever closed the pipe has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => DONE,
        Err(error) => {
            anstream::eprintln!("error: cannot write to {place}: {error}");
            FAILED
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum as _;

    fn commands() -> Vec<String> {
        let names: Vec<String> =
            tree().get_subcommands().map(|command| command.get_name().to_string()).collect();
        assert!(names.len() >= 20, "{names:?}");
        names
    }

    #[test]
    fn completions_of_each_shell_know_each_command_and_flags() {
        for shell in clap_complete::Shell::value_variants() {
            let text = String::from_utf8(script(*shell)).expect("UTF-8");
            for name in commands() {
                assert!(text.contains(&name), "{shell}: {name}");
            }
            assert!(text.contains("rpc-addr") && text.contains("event-handler"), "{shell}");
        }
    }

    #[test]
    fn the_main_page_lists_each_command_and_shows_examples() {
        let text = String::from_utf8(page(&tree()).expect("a page")).expect("UTF-8");
        for name in commands() {
            assert!(text.contains(&name.replace('-', "\\-")), "{name}");
        }
        assert!(text.contains(".SH EXAMPLES") && text.contains("rumor wait"), "{text}");
        assert!(text.contains(".SH NOTES") && text.contains("127"), "{text}");
    }

    #[test]
    fn a_folder_gets_a_page_for_each_command_and_a_script() {
        let dir = tempfile::tempdir().expect("a folder");
        let dir = dir.path().join("new");
        assert_eq!(man(&ManArgs { dir: Some(dir.clone()) }), DONE);
        for name in commands() {
            let page = fs::read_to_string(dir.join(format!("rumor-{name}.1"))).expect(&name);
            assert!(page.contains(".SH SYNOPSIS"), "{name}");
        }
        assert!(dir.join("rumor.1").is_file());
        assert!(fs::read_to_string(dir.join("rumor-debug-why.1")).expect("a page").contains("rpc"));
        let shell = clap_complete::Shell::Bash;
        assert_eq!(completions(&CompletionsArgs { shell, dir: Some(dir.clone()) }), DONE);
        assert!(fs::read_to_string(dir.join("rumor.bash")).expect("a script").contains("force-leave"));
    }

    #[test]
    fn a_folder_that_cannot_be_is_an_error() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        assert_eq!(man(&ManArgs { dir: Some(file.path().join("below")) }), FAILED);
    }
}
