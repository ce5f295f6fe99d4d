mod bad;
mod corpus;
mod good;
mod live;

use super::*;
use crate::args::{Command, parse_with};

/// Settings of texts (name and content) without flags, and all that is to be said about them.
pub(super) fn examined(texts: &[(&str, &str)]) -> (AgentConfig, Vec<Diagnostic>) {
    examine(Documents::of_texts(texts), &AgentArgs::default(), None)
}

/// Settings of texts that are right.
fn valid(texts: &[(&str, &str)]) -> AgentConfig {
    flagged(texts, &[])
}

/// Settings of texts and flags that are right.
fn flagged(texts: &[(&str, &str)], flags: &[&str]) -> AgentConfig {
    let (config, diagnostics) = examine(Documents::of_texts(texts), &args(flags), None);
    let errors: Vec<String> = diagnostics.iter().filter(|d| d.is_error()).map(ToString::to_string).collect();
    assert!(errors.is_empty(), "{texts:?} {flags:?}: {errors:#?}");
    AgentConfig { warnings: diagnostics, ..config }
}

fn args(flags: &[&str]) -> AgentArgs {
    args_in(flags, &|_| None)
}

fn args_in(flags: &[&str], env: &dyn Fn(&str) -> Option<String>) -> AgentArgs {
    let line = ["rumor", "agent"].iter().chain(flags).map(Into::into);
    match parse_with(line, env) {
        Ok(Command::Agent(args)) => *args,
        other => panic!("{other:?}"),
    }
}

/// What is said about one text, errors only.
fn errors(name: &str, text: &str) -> Vec<String> {
    let (_, diagnostics) = examined(&[(name, text)]);
    diagnostics.iter().filter(|d| d.is_error()).map(ToString::to_string).collect()
}

/// What is warned of, without the general remarks about addresses and keys.
fn warnings(config: &AgentConfig) -> Vec<String> {
    let general =
        |text: &String| text.starts_with("warning: there is no key") || text.starts_with("warning: bind: ");
    config.warnings.iter().map(ToString::to_string).filter(|text| !general(text)).collect()
}

/// Everything that settings say, but not what was warned of nor by which keys.
fn said(config: AgentConfig) -> String {
    format!("{:?}", AgentConfig { warnings: Vec::new(), mentioned: BTreeSet::new(), ..config })
}
