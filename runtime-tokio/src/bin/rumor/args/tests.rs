use super::values::Payload;
use super::*;

/// The command that `words` is, in an empty environment.
fn read(words: &[&str]) -> Result<Command, Exit> {
    read_in(words, &[])
}

fn read_in(words: &[&str], env: &[(&str, &str)]) -> Result<Command, Exit> {
    let line = ["rumor"].iter().chain(words).map(OsString::from);
    let find = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_string());
    parse_with(line, &find)
}

fn shown(words: &[&str]) -> String {
    format!("{:?}", read(words).unwrap_or_else(|exit| panic!("{words:?}: {}", exit.text)))
}

fn refused(words: &[&str]) -> Exit {
    match read(words) {
        Err(exit) => Exit { text: without_colour(&exit.text), ..exit },
        Ok(command) => panic!("{words:?} is {command:?}"),
    }
}

fn without_colour(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// A command, what it needs beside the flag, a flag with a value that is not its default, and another value.
const FLAGS: [(&str, &[&str], &str, &str); 64] = [
    ("agent", &[], "bind", "10.0.0.1:7946"),
    ("agent", &[], "iface", "eth0"),
    ("agent", &[], "advertise", "[fd00::1]:7946"),
    ("agent", &[], "config-file", "a.json"),
    ("agent", &[], "config-dir", "conf.d"),
    ("agent", &[], "discover", "staging"),
    ("agent", &[], "mdns-iface", "eth1"),
    ("agent", &[], "encrypt", "5K9OtfP7efFrNKe5WCQvXvnaXJ5cWP0SvXiwe0kkjM4="),
    ("agent", &[], "keyring-file", "keys.json"),
    ("agent", &[], "event-handler", "user:deploy=echo a=b"),
    ("agent", &[], "join", "10.0.0.2"),
    ("agent", &[], "log-level", "debug"),
    ("agent", &[], "log-format", "json"),
    ("agent", &[], "node", "-odd-"),
    ("agent", &[], "protocol", "-1"),
    ("agent", &[], "role", "web"),
    ("agent", &[], "rpc-addr", "0.0.0.0:7373"),
    ("agent", &[], "profile", "wan"),
    ("agent", &[], "snapshot", "/var/lib/snapshot"),
    ("agent", &[], "tag", "a=b=c"),
    ("agent", &[], "tags-file", "tags.json"),
    ("agent", &[], "retry-join", "10.0.0.3"),
    ("agent", &[], "retry-interval", "1m30s"),
    ("agent", &[], "retry-max", "7"),
    ("agent", &[], "broadcast-timeout", "1.5s"),
    ("agent", &[], "record", "run.rec"),
    ("event", &["deploy"], "rpc-addr", "10.0.0.1:1"),
    ("event", &["deploy"], "rpc-auth", "token"),
    ("query", &["load"], "format", "json"),
    ("agent", &[], "http-addr", "127.0.0.1:7374"),
    ("query", &["load"], "node", "one"),
    ("query", &["load"], "tag", "role=web.*"),
    ("query", &["load"], "timeout", "15s"),
    ("query", &["load"], "relay-factor", "255"),
    ("query", &["load"], "rpc-addr", "10.0.0.1:1"),
    ("query", &["load"], "rpc-auth", "token"),
    ("force-leave", &["one"], "rpc-addr", "10.0.0.1:1"),
    ("force-leave", &["one"], "rpc-auth", "token"),
    ("join", &["10.0.0.1", "10.0.0.2"], "rpc-addr", "10.0.0.1:1"),
    ("join", &["10.0.0.1"], "rpc-auth", "token"),
    ("leave", &[], "rpc-addr", "10.0.0.1:1"),
    ("leave", &[], "rpc-auth", "token"),
    ("members", &[], "format", "json"),
    ("members", &[], "name", "web.*"),
    ("members", &[], "role", "web"),
    ("members", &[], "status", "alive"),
    ("members", &[], "tag", "role=web"),
    ("members", &[], "rpc-addr", "10.0.0.1:1"),
    ("monitor", &[], "log-level", "TRACE"),
    ("monitor", &[], "rpc-addr", "10.0.0.1:1"),
    ("tags", &["-delete=x"], "set", "a=b"),
    ("tags", &["-set=x=y"], "delete", "a"),
    ("tags", &["-set=x=y"], "rpc-addr", "10.0.0.1:1"),
    ("keys", &[], "install", "5K9OtfP7efFrNKe5WCQvXvnaXJ5cWP0SvXiwe0kkjM4="),
    ("keys", &[], "use", "5K9OtfP7efFrNKe5WCQvXvnaXJ5cWP0SvXiwe0kkjM4="),
    ("keys", &[], "remove", "5K9OtfP7efFrNKe5WCQvXvnaXJ5cWP0SvXiwe0kkjM4="),
    ("keys", &["-list"], "rpc-addr", "10.0.0.1:1"),
    ("info", &[], "format", "json"),
    ("info", &[], "rpc-addr", "10.0.0.1:1"),
    ("reachability", &[], "rpc-addr", "10.0.0.1:1"),
    ("rtt", &["one", "two"], "rpc-addr", "10.0.0.1:1"),
    ("wait", &[], "until", "alive>=3,failed=0"),
    ("wait", &["-until=alive>0"], "timeout", "2m"),
    ("check-config", &["a.toml"], "format", "json"),
];

#[test]
fn every_flag_is_read_in_four_spellings_and_at_both_ends() {
    for (command, others, flag, value) in FLAGS {
        let spellings: [&[String]; 4] = [
            &[format!("-{flag}"), value.to_string()],
            &[format!("-{flag}={value}")],
            &[format!("--{flag}"), value.to_string()],
            &[format!("--{flag}={value}")],
        ];
        let mut results = Vec::new();
        for spelling in spellings {
            let spelling: Vec<&str> = spelling.iter().map(String::as_str).collect();
            results.push(shown(&[&[command], spelling.as_slice(), others].concat()));
            results.push(shown(&[&[command], others, spelling.as_slice()].concat()));
        }
        for result in &results {
            assert_eq!(result, &results[0], "{command} -{flag}");
        }
        if let Ok(without) = read(&[&[command], others].concat()) {
            assert_ne!(format!("{without:?}"), results[0], "{command} -{flag} changed nothing");
        }
    }
}

const SWITCHES: [(&str, &[&str], &str); 13] = [
    ("agent", &[], "syslog"),
    ("agent", &[], "replay"),
    ("agent", &[], "rejoin"),
    ("agent", &[], "tcp-only"),
    ("agent", &[], "disable-compression"),
    ("agent", &[], "mdns-disable-ipv4"),
    ("agent", &[], "mdns-disable-ipv6"),
    ("event", &["deploy"], "coalesce"),
    ("query", &["load"], "no-ack"),
    ("force-leave", &["one"], "prune"),
    ("join", &["10.0.0.1"], "replay"),
    ("members", &[], "detailed"),
    ("reachability", &[], "verbose"),
];

#[test]
fn every_switch_is_read_as_go_reads_it() {
    for (command, others, switch) in SWITCHES {
        let of = |written: &str| shown(&[&[command, written], others].concat());
        let on = of(&format!("-{switch}"));
        let off = of(&format!("-{switch}=false"));
        assert_ne!(on, off, "{command} -{switch}");
        for value in ["1", "t", "T", "true", "TRUE", "True"] {
            assert_eq!(of(&format!("-{switch}={value}")), on, "{command} -{switch}={value}");
        }
        for value in ["0", "f", "F", "false", "FALSE", "False"] {
            assert_eq!(of(&format!("--{switch}={value}")), off, "{command} --{switch}={value}");
        }
        assert_eq!(of(&format!("--{switch}")), on);
        assert_eq!(refused(&[&[command, &format!("-{switch}=yes")], others].concat()).code, FAILED);
    }
}

#[test]
fn a_command_below_a_command_takes_its_flags_in_every_spelling() {
    let wanted = shown(&["debug", "why", "-format=json", "-rpc-addr=10.0.0.1:1", "web"]);
    assert!(wanted.contains("Json") && wanted.contains("Some(\"web\")") && wanted.contains("10.0.0.1:1"));
    for line in [
        &["debug", "why", "web", "--format", "json", "-rpc-addr", "10.0.0.1:1"][..],
        &["debug", "why", "--rpc-addr=10.0.0.1:1", "-format", "json", "--", "web"],
    ] {
        assert_eq!(shown(line), wanted, "{line:?}");
    }
    let Ok(Command::Debug(debug)) = read_in(&["debug", "why"], &[("RUMOR_RPC_ADDR", "10.0.0.2:2")]) else {
        panic!("debug")
    };
    let DebugCommand::Why(why) = debug.command;
    assert_eq!((why.node, why.rpc.addr()), (None, "10.0.0.2:2"));
    assert!(refused(&["debug", "why", "-h"]).text.contains("Usage: rumor debug why"));
    for (line, message) in [
        (&["debug"][..], "Look into a running agent\n\nExamples:\n  rumor debug why"),
        (&["debug", "wyh"], "error: unrecognized subcommand 'wyh'"),
        (&["debug", "-format=json", "why"], "error: unexpected argument '--format' found"),
        (&["debug", "why", "a", "b"], "error: unexpected argument 'b' found"),
    ] {
        let exit = refused(line);
        assert_eq!(exit.code, FAILED, "{line:?}");
        assert!(exit.text.starts_with(message), "{line:?}: {}", exit.text);
    }
}

#[test]
fn a_switch_does_not_take_the_next_word() {
    let Ok(Command::Event(event)) = read(&["event", "-coalesce", "false"]) else { panic!("an event") };
    assert_eq!((event.name.as_str(), event.coalesce), ("false", true));
}

#[test]
fn the_last_of_a_flag_holds_and_lists_grow() {
    let Ok(Command::Members(members)) = read(&["members", "-name=a", "--name", "b"]) else {
        panic!("members")
    };
    assert_eq!(members.name.as_deref(), Some("b"));
    let Ok(Command::Agent(agent)) = read(&["agent", "-join=a", "-join", "b", "--join=c"]) else {
        panic!("agent")
    };
    assert_eq!(agent.join, ["a", "b", "c"]);
}

#[test]
fn files_and_folders_keep_the_order_in_which_they_were_given() {
    let line = ["agent", "-config-dir=a", "-config-file", "b", "--config-dir", "c", "-config-file=d"];
    let Ok(Command::Agent(agent)) = read(&line) else { panic!("agent") };
    let paths: Vec<&str> = agent.config_paths.iter().filter_map(|path| path.to_str()).collect();
    assert_eq!(paths, ["a", "b", "c", "d"]);
}

#[test]
fn names_and_payloads_may_begin_with_a_dash() {
    for (line, payload) in [
        (&["event", "n", "-5"][..], "-5"),
        (&["event", "n", "-"], "-"),
        (&["event", "n", "-----BEGIN KEY"], "-----BEGIN KEY"),
        (&["event", "n", "-not a flag"], "-not a flag"),
        (&["event", "n", "--", "-coalesce=false"], "-coalesce=false"),
        (&["event", "--", "n", "-v"], "-v"),
        (&["event", "-coalesce=true", "n", "--", "--"], "--"),
    ] {
        let Ok(Command::Event(event)) = read(line) else { panic!("{line:?}") };
        assert_eq!((event.name.as_str(), event.payload.0.as_slice()), ("n", payload.as_bytes()), "{line:?}");
        assert!(event.coalesce);
    }
}

#[test]
#[cfg(unix)]
fn a_payload_may_be_any_bytes() {
    use std::os::unix::ffi::OsStringExt as _;
    let payload = OsString::from_vec(vec![0xff, b'-', 0xfe]);
    let line = ["rumor".into(), "query".into(), "n".into(), payload, "-no-ack".into()];
    let Ok(Command::Query(query)) = parse_with(line, &|_| None) else { panic!("a query") };
    assert_eq!(query.payload, Payload(vec![0xff, b'-', 0xfe]));
    assert!(query.no_ack);
}

#[test]
fn defaults_are_serfs() {
    let Ok(Command::Event(event)) = read(&["event", "n"]) else { panic!("event") };
    assert_eq!((event.payload, event.coalesce), (Payload::default(), true));
    assert_eq!((event.rpc.addr(), event.rpc.auth()), ("127.0.0.1:7373", None));
    let Ok(Command::Query(query)) = read(&["query", "n"]) else { panic!("query") };
    assert_eq!((query.format, query.no_ack, query.relay_factor), (Format::Text, false, 0));
    assert!(query.timeout.is_zero() && query.node.is_empty() && query.tag.is_empty());
    let Ok(Command::Monitor(monitor)) = read(&["monitor"]) else { panic!("monitor") };
    assert_eq!(monitor.log_level, LogLevel::Info);
    let Ok(Command::Wait(wait)) = read(&["wait", "-until", "alive>0"]) else { panic!("wait") };
    assert_eq!(wait.timeout.as_secs(), 30);
    let Ok(Command::Keys(keys)) = read(&["keys", "-list"]) else { panic!("keys") };
    assert_eq!(keys.change(), KeyChange::List);
}

#[test]
fn an_agents_flags_that_are_not_given_say_nothing() {
    let default = format!("{:?}", Command::Agent(Box::default()));
    assert_eq!(shown(&["agent"]), default);
}

#[test]
fn the_environment_names_the_agent_unless_a_flag_does() {
    let addr = |line: &[&str], env: &[(&str, &str)]| match read_in(line, env) {
        Ok(Command::Leave(leave)) => (leave.rpc.addr().to_string(), leave.rpc.auth().map(str::to_string)),
        other => panic!("{other:?}"),
    };
    let serf = [("SERF_RPC_ADDR", "s:1"), ("SERF_RPC_AUTH", "st")];
    let both = [
        ("SERF_RPC_ADDR", "s:1"),
        ("SERF_RPC_AUTH", "st"),
        ("RUMOR_RPC_ADDR", "r:1"),
        ("RUMOR_RPC_AUTH", "rt"),
    ];
    assert_eq!(addr(&["leave"], &serf), ("s:1".into(), Some("st".into())));
    assert_eq!(addr(&["leave"], &both), ("r:1".into(), Some("rt".into())));
    assert_eq!(addr(&["leave", "-rpc-addr=f:1", "-rpc-auth=ft"], &both), ("f:1".into(), Some("ft".into())));
    let empty = [("SERF_RPC_ADDR", ""), ("SERF_RPC_AUTH", "")];
    assert_eq!(addr(&["leave"], &empty), ("127.0.0.1:7373".into(), None));
    assert_eq!(addr(&["leave", "-rpc-auth="], &both), ("r:1".into(), None));
}

#[test]
fn the_agents_key_may_be_in_the_environment() {
    let Ok(Command::Agent(agent)) = read_in(&["agent"], &[("RUMOR_ENCRYPT_KEY", "abc")]) else {
        panic!("agent")
    };
    assert_eq!(agent.encrypt_env.as_ref().map(Secret::expose), Some("abc"));
    assert!(!format!("{agent:?}").contains("abc"));
    let Ok(Command::CheckConfig(check)) = read_in(&["check-config", "x"], &[("RUMOR_ENCRYPT_KEY", "abc")])
    else {
        panic!("check-config")
    };
    assert!(check.environment.encrypt_env.is_some());
}

#[test]
fn the_version_is_asked_for_anywhere() {
    for line in
        [&["-v"][..], &["--version"], &["-version"], &["version"], &["event", "n", "-v"], &["nosuch", "-v"]]
    {
        assert!(matches!(read(line), Ok(Command::Version)), "{line:?}");
    }
    assert!(matches!(read(&["event", "--", "-v"]), Ok(Command::Event(_))));
}

#[test]
fn help_is_shown_on_standard_output_with_examples_first() {
    for name in tree().get_subcommands().map(|command| command.get_name().to_string()) {
        if name == "help" {
            continue;
        }
        for help in ["-h", "-help", "--help"] {
            let exit = refused(&[&name, help]);
            assert_eq!(exit.code, DONE, "{name} {help}");
            assert!(exit.text.contains(&format!("Usage: rumor {name}")), "{name}: {}", exit.text);
            if name != "version" {
                let (examples, usage) = (exit.text.find("Examples:"), exit.text.find("Usage:"));
                assert!(examples.is_some() && examples < usage, "{name}: {}", exit.text);
                assert!(exit.text.contains(&format!("  rumor {name}")) || name == "keygen", "{name}");
            }
        }
    }
    let exit = refused(&["-h"]);
    assert_eq!(exit.code, DONE);
    let words: Vec<&str> = exit.text.split_whitespace().collect();
    assert!(words.join(" ").contains("not (yet) Serf's gossip protocol"), "{}", exit.text);
    assert!(refused(&["help", "agent"]).text.contains("Usage: rumor agent"));
}

#[test]
fn no_such_command_ends_with_127_and_the_nearest_name() {
    assert_eq!(refused(&[]).code, NO_COMMAND);
    assert!(refused(&[]).text.contains("Usage: rumor <COMMAND>"));
    let exit = refused(&["memebrs"]);
    assert_eq!(exit.code, NO_COMMAND);
    assert!(
        exit.text.starts_with(
            "error: unrecognized subcommand 'memebrs'\n\n  tip: a similar subcommand exists: 'members'"
        ),
        "{}",
        exit.text
    );
    let exit = refused(&["-rpc-addr=x", "members"]);
    assert_eq!(exit.code, NO_COMMAND);
    assert!(exit.text.starts_with("error: unexpected argument '--rpc-addr' found"), "{}", exit.text);
}

#[test]
fn wrong_calls_end_with_1_and_say_what_is_wrong() {
    for (line, message) in [
        (
            &["agent", "-bnd=x"][..],
            "error: unexpected argument '--bnd' found\n\n  tip: a similar argument exists: '--bind'",
        ),
        (&["agent", "x"], "error: unexpected argument 'x' found"),
        (&["agent", "-bind"], "error: a value is required for '--bind <HOST[:PORT]>' but none was supplied"),
        (
            &["agent", "-tag", "x"],
            "error: invalid value 'x' for '--tag <KEY=VALUE>': there is no \"=\"; write key=value",
        ),
        (
            &["agent", "-tag", "=x"],
            "error: invalid value '=x' for '--tag <KEY=VALUE>': the key before \"=\" is empty; write key=value",
        ),
        (&["agent", "-retry-max", "-1"], "error: invalid value '-1' for '--retry-max <N>'"),
        (
            &["agent", "-retry-interval", "5"],
            "error: invalid value '5' for '--retry-interval <DURATION>': write a number with a unit",
        ),
        (&["agent", "-log-level", "loud"], "error: invalid value 'loud' for '--log-level <LEVEL>'"),
        (&["agent", "-profile", "moon"], "error: invalid value 'moon' for '--profile <PROFILE>'"),
        (&["event"], "error: the following required arguments were not provided:\n  <NAME>"),
        (&["event", "a", "b", "c"], "error: unexpected argument 'c' found"),
        (&["query", "a", "-relay-factor", "256"], "error: invalid value '256' for '--relay-factor <0..255>'"),
        (
            &["members", "-format=yaml"],
            "error: invalid value 'yaml' for '--format <FORMAT>'\n  [possible values: text, json]",
        ),
        (
            &["tags"],
            "error: the following required arguments were not provided:\n  <--set <KEY=VALUE>|--delete <KEY>>",
        ),
        (
            &["keys"],
            "error: the following required arguments were not provided:\n  <--install <KEY>|--use <KEY>|--remove <KEY>|--list",
        ),
        (
            &["keys", "-list", "-use=x"],
            "error: the argument '--list[=<true>]' cannot be used with '--use <KEY>'",
        ),
        (
            &["keys", "-list=false"],
            "error: invalid value 'false' for '--list[=<true>]': leave it out instead",
        ),
        (&["join"], "error: the following required arguments were not provided:\n  <HOST[:PORT]>"),
        (&["wait"], "error: the following required arguments were not provided:\n  --until <CONDITION>"),
        (&["completions", "tcsh"], "error: invalid value 'tcsh' for '<SHELL>'"),
        (&["check-config"], "error: the following required arguments were not provided:\n  <FILE|DIR>"),
    ] {
        let exit = refused(line);
        assert_eq!(exit.code, FAILED, "{line:?}");
        assert!(exit.text.starts_with(message), "{line:?}: {}", exit.text);
    }
}

proptest::proptest! {
    #[test]
    fn no_line_panics(words in proptest::collection::vec("(-|--)?[a-z]{0,8}[= -]?.{0,4}", 0..6), command in 0usize..20) {
        let names: Vec<String> = tree().get_subcommands().map(|c| c.get_name().to_string()).collect();
        let line: Vec<&str> = std::iter::once(names[command].as_str()).chain(words.iter().map(String::as_str)).collect();
        let _ = read(&line);
    }
}
