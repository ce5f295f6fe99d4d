//! What must hold of configuration files whatever is in them.

use rumormill_tokio::core::id::NodeName;
use rumormill_tokio::core::keyring::Keyring;
use rumormill_tokio::core::tags::Tags;
use rumormill_tokio::core::{Birth, Instant, Node, Restore, Seed};

use super::source::Documents;
use super::{AgentConfig, Diagnostic, Endpoint, check, examine, reload};
use crate::args::{AgentArgs, Secret};

/// A secret that shows up nowhere, if it stands where secrets do.
const SECRET: &str = "cGFzc3dvcmQgb2YgdGhpcyBub2Rl";

/// One to three files, with a zero byte between them; the first byte says what kinds they are. Each problem has its place in its file, no
/// secret is shown, and what is right can be built.
pub(crate) fn config(data: &[u8]) {
    let Some((&kinds, texts)) = data.split_first() else { return };
    // A file that is no UTF-8 is refused before it is looked into.
    let Ok(texts) = std::str::from_utf8(texts) else { return };
    let names = [["a.json", "a.toml", "a"], ["b.json", "b.toml", "b"], ["c.json", "c.toml", "c"]];
    let kind = |n: usize| usize::from(kinds) / 3usize.pow(n as u32) % 3;
    let texts: Vec<(&str, &str)> =
        texts.splitn(3, '\0').enumerate().map(|(n, text)| (names[n][kind(n)], text)).collect();
    let (config, diagnostics) = examine(Documents::of_texts(&texts), &AgentArgs::default(), None);
    for diagnostic in &diagnostics {
        placed(diagnostic, &texts);
    }
    let shown = shown(&diagnostics);
    if is_secret(&config, &texts) {
        assert!(!shown.contains(SECRET), "{shown}");
    }
    if diagnostics.iter().any(Diagnostic::is_error) {
        return;
    }
    built(&config);
    // Read again by the agent that runs with it, nothing has changed.
    let (again, _) = examine(Documents::of_texts(&texts), &AgentArgs::default(), Some(&config));
    assert!(reload::compare(&config, &again, Vec::new()).is_empty());
}

/// A problem stands within the text of the file that it names, or names none.
fn placed(diagnostic: &Diagnostic, texts: &[(&str, &str)]) {
    let said = diagnostic.to_string();
    assert!(!diagnostic.message.is_empty() && !said.contains('\0'), "{said:?}");
    assert!(diagnostic.line().lines().count() <= 1, "{:?} is not one line", diagnostic.line());
    if diagnostic.origin.is_empty() {
        assert_eq!((diagnostic.line, diagnostic.column), (None, None), "{said}");
        return;
    }
    let (_, text) = texts.iter().find(|(name, _)| *name == diagnostic.origin).expect("one of the files");
    // Of a file without a byte only the name can be said.
    if text.is_empty() {
        return;
    }
    let (Some(line), Some(column)) = (diagnostic.line, diagnostic.column) else {
        panic!("without a place: {said}")
    };
    let there = text.split('\n').nth(line - 1).unwrap_or_else(|| panic!("there is no line {line}: {said}"));
    // What is missing is missing at the end.
    assert!((1..=there.chars().count() + 1).contains(&column), "there is no column {column}: {said}");
}

/// All that people and programs are shown.
fn shown(diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    let (mut out, mut err, mut json) = (Vec::new(), Vec::new(), Vec::new());
    check::text(&mut out, &mut err, diagnostics, errors).expect("into memory");
    check::json(&mut json, diagnostics).expect("into memory");
    let document: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!(document["valid"], errors == 0);
    let lines: Vec<String> = diagnostics.iter().map(Diagnostic::line).collect();
    format!("{}{}{document}{}", text(out), text(err), lines.concat())
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("UTF-8")
}

/// Whether the text of the secret stands once in the files, and there it is one.
fn is_secret(config: &AgentConfig, texts: &[(&str, &str)]) -> bool {
    let holds = |secret: &Option<Secret>| secret.as_ref().is_some_and(|s| s.expose().contains(SECRET));
    let times: usize = texts.iter().map(|(_, text)| text.matches(SECRET).count()).sum();
    times == 1 && (holds(&config.rpc_auth) || holds(&config.encrypt_key))
}

/// What is right can be built, as far as that asks nobody else.
fn built(config: &AgentConfig) {
    let core = config.core_config().expect("settings that were checked");
    let keyring = config.keyring().expect("a key that was checked");
    let tags: Tags = config.tags.clone().into_iter().collect();
    let name = config.node_name.as_deref().map_or_else(|| NodeName::new("a"), NodeName::new);
    let birth = Birth {
        name: name.expect("a name that was checked"),
        addr: ([10, 0, 0, 1], 7946).into(),
        tags: &tags,
        seed: Seed::from_os([1; 32]),
        keyring,
        restore: Restore::default(),
    };
    let born = Node::new(core, birth, Instant::ORIGIN);
    assert!(born.is_ok(), "{:?}", born.err());
    assert!(config.keyring_file.is_none() || config.keyring().is_ok_and(|keys| keys == Keyring::empty()));
    let has_address = |endpoint: &Endpoint| endpoint.ip().is_some();
    if config.interface.is_none()
        && has_address(&config.bind)
        && config.advertise.as_ref().is_none_or(has_address)
    {
        config.builder().expect("a builder");
    }
}
