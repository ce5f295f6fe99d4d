//! What a reload changes, and what it leaves.

use super::reload::TagChange;
use super::*;

fn compared(old: &[(&str, &str)], new: &[(&str, &str)]) -> Reload {
    reload::compare(&valid(old), &valid(new), Vec::new())
}

fn of(old: &str, new: &str) -> Reload {
    compared(&[("a.toml", old)], &[("a.toml", new)])
}

#[test]
fn nothing_changed_is_nothing_to_do() {
    let text = "tags = { a = '1' }\nevent_handlers = ['x']\nlog_level = 'warn'\nretry_join = ['a']\nbind = '10.0.0.1'\nencrypt_key = 'AAAAAAAAAAAAAAAAAAAAAA=='";
    assert!(of(text, text).is_empty());
    assert!(of("", "").is_empty());
}

#[test]
fn what_is_live_changes_at_once() {
    let reload = of(
        "tags = { a = '1', b = '2', c = '3' }\nevent_handlers = ['x']\nlog_level = 'warn'\nretry_join = ['a']",
        "tags = { a = '1', b = '3', d = '4' }\nevent_handlers = ['y', 'user=z']\nlog_level = 'debug'\nlog_format = 'json'\nretry_join = ['b']",
    );
    let change = reload.tags.expect("tags");
    assert_eq!(
        change.set.into_iter().collect::<Vec<_>>(),
        [("b".to_string(), "3".to_string()), ("d".into(), "4".into())]
    );
    assert_eq!(change.delete, ["c"]);
    assert_eq!(reload.event_handlers.map(|handlers| handlers.len()), Some(2));
    assert_eq!(reload.log_level, Some(LogLevel::Debug));
    assert_eq!((reload.log_format, reload.config.log_format), (Some(LogFormat::Json), LogFormat::Json));
    assert_eq!(reload.retry_join, Some(vec!["b".to_string()]));
    assert!(reload.needs_restart.is_empty());
    let config = reload.config;
    assert_eq!(
        (config.log_level, config.event_handlers.len(), config.retry_join.as_slice()),
        (LogLevel::Debug, 2, &["b".to_string()][..])
    );
    assert_eq!(config.tags.len(), 3);
}

#[test]
fn what_is_not_mentioned_any_more_stays() {
    let reload = of("tags = { a = '1' }\nevent_handlers = ['x']\nlog_level = 'warn'\nretry_join = ['a']", "");
    assert!(reload.is_empty(), "{reload:?}");
    assert_eq!((reload.config.tags.len(), reload.config.event_handlers.len()), (1, 1));
    assert_eq!(reload.config.log_level, LogLevel::Warn);
    // Said to be empty is something else.
    let reload = of(
        "tags = { a = '1' }\nevent_handlers = ['x']\nretry_join = ['a']",
        "tags = {}\nevent_handlers = []\nretry_join = []",
    );
    assert_eq!(reload.tags, Some(TagChange { set: BTreeMap::new(), delete: vec!["a".into()] }));
    assert_eq!(reload.event_handlers, Some(Vec::new()));
    assert_eq!(reload.retry_join, Some(Vec::new()));
}

#[test]
fn a_tags_file_keeps_its_tags() {
    let reload = of("tags_file = 'tags.json'", "tags_file = 'tags.json'\nlog_level = 'warn'");
    assert_eq!((reload.tags, reload.log_level), (None, Some(LogLevel::Warn)));
}

#[test]
fn what_is_read_at_the_start_only_is_listed_and_not_taken_over() {
    let old = "bind = '10.0.0.1'\nrpc_auth = 'a'";
    let new = "bind = '10.0.0.2'\nrpc_auth = 'b'\nprofile = 'wan'\nleave_on_terminate = true\ncore = { gossip_nodes = 5 }\nhandlers = { queue = 5 }\nhttp_addr = '127.0.0.1'\nstatsd_addr = ':1'";
    let reload = of(old, new);
    assert_eq!(
        reload.needs_restart,
        ["bind", "rpc_auth", "handlers", "profile", "leave_on_terminate", "http_addr", "statsd_addr", "core"]
    );
    assert_eq!(reload.config.bind.to_string(), "10.0.0.1");
    assert!(!reload.config.leave_on_terminate);
    // It is said again as long as it is so, and not once it is taken back.
    let again = reload::compare(&reload.config, &valid(&[("a.toml", new)]), Vec::new());
    assert_eq!(again.needs_restart.len(), 8);
    assert!(reload::compare(&again.config, &valid(&[("a.toml", old)]), Vec::new()).is_empty());
}

#[test]
fn another_spelling_is_no_change() {
    assert!(
        of("retry_interval = '90s'\nbind = '[::1]'", "retry_interval = '1m30s'\nbind = '::1'").is_empty()
    );
}

#[test]
fn files_are_read_again_and_bad_ones_change_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let (file, record) = (dir.path().join("a.toml"), dir.path().join("run.rec"));
    let settings = |rest: &str| format!("record = '{}'\n{rest}", record.display());
    std::fs::write(&file, settings("log_level = 'warn'")).expect("written");
    let flags = args(&["-node=one"]);
    let paths = [file.clone()];
    let old = load(&paths, &flags).expect("right");
    // The agent runs, and records.
    std::fs::write(&record, "").expect("written");
    std::fs::write(&file, settings("log_level = 'debug'\ntags = { a = '1' }")).expect("written");
    let reloaded = reload(&old, &paths, &flags).expect("right");
    assert_eq!(reloaded.log_level, Some(LogLevel::Debug));
    assert!(reloaded.tags.is_some() && reloaded.needs_restart.is_empty());

    std::fs::write(&file, settings("log_level = 'loud'\ntags = { a = '2' }")).expect("written");
    let problems = reload(&reloaded.config, &paths, &flags).expect_err("wrong");
    assert_eq!(
        problems.iter().filter(|d| d.is_error()).map(|d| d.key.as_str()).collect::<Vec<_>>(),
        ["log_level"]
    );
    assert_eq!(reloaded.config.tags["a"], "1");
    std::fs::remove_file(&file).expect("removed");
    assert!(reload(&reloaded.config, &paths, &flags).is_err());
}
