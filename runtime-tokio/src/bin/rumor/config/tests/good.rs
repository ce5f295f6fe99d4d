//! What is right is read, from either format, and what comes later wins.

use std::time::Duration;

use rumormill_tokio::agent::deployed;
use rumormill_tokio::metrics::push::Sink;

use super::*;

/// Each key with a value that is not its default, as JSON has it and as TOML has it.
const KEYS: [(&str, &str, &str); 48] = [
    ("node_name", r#""web1""#, r#""web1""#),
    ("role", r#""web""#, r#""web""#),
    ("disable_coordinates", "true", "true"),
    ("tags", r#"{"a": "1", "b": ""}"#, r#"{ a = "1", b = "" }"#),
    ("tags_file", r#""tags.json""#, "'tags.json'"),
    ("bind", r#""10.0.0.1:7000""#, r#""10.0.0.1:7000""#),
    ("advertise", r#""[fd00::1]:7000""#, r#""[fd00::1]:7000""#),
    (
        "encrypt_key",
        r#""5K9OtfP7efFrNKe5WCQvXvnaXJ5cWP0SvXiwe0kkjM4=""#,
        "'5K9OtfP7efFrNKe5WCQvXvnaXJ5cWP0SvXiwe0kkjM4='",
    ),
    ("log_level", r#""debug""#, r#""DEBUG""#),
    ("log_format", r#""json""#, r#""JSON""#),
    ("rpc_addr", r#""127.0.0.1:7000""#, r#""127.0.0.1:7000""#),
    ("rpc_auth", r#""token""#, r#""token""#),
    ("rpc_clients_max", "8", "8"),
    ("protocol", "4", "0x4"),
    ("replay_on_join", "true", "true"),
    ("query_response_size_limit", "2048", "2_048"),
    ("query_size_limit", "2048", "2048"),
    ("user_event_size_limit", "1024", "1024"),
    ("start_join", r#"["10.0.0.2", "one/10.0.0.3:7946"]"#, r#"["10.0.0.2", "one/10.0.0.3:7946"]"#),
    ("retry_join", r#"["[fd00::1]:7946"]"#, r#"["[fd00::1]:7946",]"#),
    ("event_handlers", r#"["a.sh", "user:deploy,query=b.sh x=y"]"#, "['a.sh', 'user:deploy,query=b.sh x=y']"),
    ("profile", r#""wan""#, r#""wan""#),
    ("snapshot_path", r#""snapshot""#, r#""snapshot""#),
    ("leave_on_terminate", "true", "true"),
    ("skip_leave_on_interrupt", "true", "true"),
    ("discover", r#""staging""#, r#""staging""#),
    (
        "mdns",
        r#"{"interface": "eth0", "disable_ipv6": true}"#,
        r#"{ interface = "eth0", disable_ipv6 = true }"#,
    ),
    ("interface", r#""eth0""#, r#""eth0""#),
    ("reconnect_interval", r#""10s""#, r#""10s""#),
    ("reconnect_timeout", r#""48h""#, r#""2d""#),
    ("tombstone_timeout", r#""1.5h""#, r#""1h30m""#),
    ("disable_name_resolution", "true", "true"),
    ("enable_syslog", "true", "true"),
    ("retry_max_attempts", "3", "3"),
    ("retry_interval", r#""1m30s""#, r#""90s""#),
    ("rejoin_after_leave", "true", "true"),
    ("http_addr", r#""127.0.0.1:7374""#, r#""127.0.0.1:7374""#),
    ("statsite_addr", r#""127.0.0.1:8125""#, r#""127.0.0.1:8125""#),
    ("statsd_addr", r#""127.0.0.1:8125""#, r#""127.0.0.1:8125""#),
    ("broadcast_timeout", r#""7s""#, r#""7s""#),
    ("validate_node_names", "true", "true"),
    ("record", r#""no-such-recording""#, r#""no-such-recording""#),
    ("tcp_only", "true", "true"),
    ("handlers", r#"{"concurrent": 2, "timeout": "5s"}"#, r#"{ concurrent = 2, timeout = "5s" }"#),
    (
        "core",
        r#"{"gossip_nodes": 5, "anti_entropy": "full"}"#,
        r#"{ gossip_nodes = 5, anti_entropy = "full" }"#,
    ),
    ("enable_compression", "false", "false"),
    ("syslog_facility", r#""daemon""#, r#""DAEMON""#),
    ("keyring_file", "", ""),
];

#[test]
fn every_key_is_read_from_json_and_from_toml_alike() {
    let default = said(valid(&[]));
    for (key, json, toml) in KEYS.iter().filter(|(_, json, _)| !json.is_empty()) {
        let from_json = valid(&[("a.json", &format!("{{\"{key}\": {json}}}"))]);
        let from_toml = valid(&[("a.toml", &format!("{key} = {toml}"))]);
        assert!(from_json.mentioned.contains(*key), "{key}");
        let (from_json, from_toml) = (said(from_json), said(from_toml));
        assert_eq!(from_json, from_toml, "{key}");
        // These two say something only to the log.
        if !["enable_compression", "syslog_facility"].contains(key) {
            assert_ne!(from_json, default, "{key} changes nothing");
        }
    }
    let mut tested: Vec<&str> = KEYS.iter().map(|(key, _, _)| *key).chain(["$schema"]).collect();
    let mut all = read::KEYS;
    tested.sort_unstable();
    all.sort_unstable();
    assert_eq!(tested, all);
}

#[test]
fn the_manual_has_every_key() {
    let manual = include_str!("../../../../../docs/configuration.md");
    for key in read::KEYS.iter().filter(|key| **key != "$schema") {
        assert!(manual.contains(&format!("| `{key}` |")), "{key}");
    }
    // Its examples are valid.
    for (n, part) in manual.split("```").skip(1).step_by(2).enumerate() {
        let (kind, text) = part.split_once('\n').expect("a block");
        if matches!(kind, "toml" | "json") {
            assert_eq!(errors(&format!("example-{n}.{kind}"), text), Vec::<String>::new(), "{text}");
        }
    }
}

#[test]
fn the_files_that_come_with_the_program_are_valid() {
    valid(&[("agent.toml", include_str!("../../../../../docs/agent.toml"))]);
    valid(&[("serf.json", include_str!("../../../../../docs/serf.json"))]);
}

/// What somebody has who ran Serf: every key that its documentation has, as people write them.
const SERF: &str = r#"{
  "node_name": "web1",
  "role": "",
  "disable_coordinates": false,
  "tags": { "role": "load-balancer", "datacenter": "east" },
  "bind": "10.0.0.11:7946",
  "advertise": "",
  "encrypt_key": "5K9OtfP7efFrNKe5WCQvXvnaXJ5cWP0SvXiwe0kkjM4=",
  "log_level": "warn",
  "rpc_addr": "0.0.0.0:7373",
  "rpc_auth": "token",
  "protocol": 5,
  "replay_on_join": true,
  "query_response_size_limit": 4096,
  "query_size_limit": 0,
  "user_event_size_limit": 1024,
  "event_handlers": ["handle.sh", "user:deploy=deploy.sh --now=1", "member-join,member-leave=log.sh"],
  "start_join": ["10.0.0.12"],
  "retry_join": ["10.0.0.13:7946", "seed.example.com"],
  "retry_max_attempts": 0,
  "retry_interval": "15s",
  "profile": "wan",
  "snapshot_path": "",
  "leave_on_terminate": true,
  "skip_leave_on_interrupt": false,
  "discover": null,
  "mdns": { "interface": "", "disable_ipv4": false, "disable_ipv6": false },
  "interface": "",
  "reconnect_interval": "30s",
  "reconnect_timeout": "24h",
  "tombstone_timeout": "0s",
  "disable_name_resolution": true,
  "enable_syslog": true,
  "syslog_facility": "LOCAL4",
  "rejoin_after_leave": false,
  "enable_compression": true,
  "statsite_addr": "",
  "statsd_addr": "",
  "broadcast_timeout": "500ms",
  "validate_node_names": true
}"#;

#[test]
fn a_file_of_serfs_is_read_unchanged() {
    let config = valid(&[("serf.json", SERF)]);
    assert_eq!(config.node_name.as_deref(), Some("web1"));
    assert_eq!(config.tags["role"], "load-balancer");
    assert_eq!(config.bind.to_string(), "10.0.0.11:7946");
    assert_eq!((config.advertise.clone(), config.log_level), (None, LogLevel::Warn));
    assert_eq!(config.rpc_auth.as_ref().map(Secret::expose), Some("token"));
    assert_eq!(config.event_handlers.len(), 3);
    assert_eq!(config.event_handlers[1].script, "deploy.sh --now=1");
    assert_eq!(config.retry_interval, Duration::from_secs(15));
    assert_eq!(config.syslog, Some(Facility { name: "LOCAL4", number: 20 }));
    assert!(config.leave_on_terminate && config.replay_on_join && !config.skip_leave_on_interrupt);
    assert_eq!((config.discover.clone(), config.snapshot_path.clone()), (None, None));
    let core = config.core_config().expect("in bounds");
    assert_eq!(
        (core.query_bytes_max, core.response_bytes_max, core.user_event_bytes_max),
        (1024, 4096, 1024)
    );
    assert_eq!(core.broadcast_timeout, Duration::from_secs(1));
    assert_eq!(core.tombstone_timeout, Config::wan().tombstone_timeout);
    assert_eq!(core.probe_interval, Config::wan().probe_interval);
    assert!(!core.name_conflict_vote && core.coordinates);
    assert_eq!(core.versions.app, 5);
    assert_eq!(config.keyring().expect("a key").len(), 1);
    assert_eq!(
        warnings(&config),
        [
            "serf.json:36:25: warning: enable_compression: has no effect: this program's own protocol compresses nothing, in either setting\n   36 |   \"enable_compression\": true,\n      |                         ^^^^"
        ]
    );
}

#[test]
fn nothing_at_all_is_serfs_defaults() {
    let config = valid(&[]);
    assert_eq!(config.bind_socket().expect("an address").to_string(), "0.0.0.0:7946");
    assert_eq!(config.rpc_socket().expect("an address").to_string(), "127.0.0.1:7373");
    assert_eq!(config.core_config(), Ok(deployed(Config::lan())));
    assert_eq!((config.log_level, config.profile, config.protocol), (LogLevel::Info, Profile::Lan, 5));
    assert_eq!((config.retry_interval, config.retry_max_attempts), (Duration::from_secs(30), 0));
    assert!(config.keyring().expect("none").is_empty());
    assert_eq!(
        said(valid(&[("a.json", "{}"), ("b.toml", ""), ("c.conf", " {}"), ("d.conf", "# none")])),
        said(config)
    );
}

#[test]
fn what_comes_later_wins_and_lists_append() {
    let first = (
        "a.json",
        r#"{"log_level": "warn", "bind": "10.0.0.1", "leave_on_terminate": true, "tags": {"a": "1", "b": "1"},
        "start_join": ["a"], "retry_join": ["a"], "event_handlers": ["a"], "mdns": {"interface": "eth0", "disable_ipv4": true}, "discover": "x",
        "core": {"gossip_nodes": 5, "probe_interval": "2s"}}"#,
    );
    let second = (
        "b.toml",
        r#"
        log_level = "debug"
        bind = ""
        leave_on_terminate = false
        start_join = ["b"]
        retry_join = ["b"]
        event_handlers = ["b"]
        mdns.disable_ipv4 = false
        tags.b = "2"
        tags.c = ""
        core.gossip_nodes = 6"#,
    );
    let config = valid(&[first, second]);
    assert_eq!((config.log_level, config.bind.to_string().as_str()), (LogLevel::Debug, "10.0.0.1"));
    assert!(!config.leave_on_terminate, "a later file can switch off");
    let tags: Vec<(&str, &str)> = config.tags.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(tags, [("a", "1"), ("b", "2"), ("c", "")]);
    assert_eq!(
        (config.start_join.as_slice(), config.retry_join.as_slice()),
        (&["a".into(), "b".into()][..], &["a".into(), "b".into()][..])
    );
    let scripts: Vec<&str> = config.event_handlers.iter().map(|handler| handler.script.as_str()).collect();
    assert_eq!(scripts, ["a", "b"]);
    assert_eq!(
        config.mdns,
        Mdns { interface: Some("eth0".into()), disable_ipv4: false, disable_ipv6: false }
    );
    let core = config.core_config().expect("in bounds");
    assert_eq!((core.gossip_nodes, core.probe_interval), (6, Duration::from_secs(2)));
}

#[test]
fn flags_win_over_files() {
    let file = (
        "a.toml",
        r#"
        node_name = "file"
        profile = "wan"
        replay_on_join = true
        retry_interval = "1m"
        retry_join = ["file"]
        event_handlers = ["file"]
        protocol = 3
        encrypt_key = "AAAAAAAAAAAAAAAAAAAAAA=="
        [tags]
        a = "file"
        b = "file"
        [mdns]
        interface = "file"
        disable_ipv6 = true"#,
    );
    let flags = [
        "-node=flag",
        "-profile=local",
        "-replay=false",
        "-retry-interval=500ms",
        "-retry-join=flag",
        "-event-handler=flag",
        "-tag",
        "a=flag",
        "-mdns-iface=flag",
        "-discover=c",
        "-tcp-only",
        "-protocol=-1",
        "-encrypt",
        "BBBBBBBBBBBBBBBBBBBBBB==",
        "-rejoin",
        "-snapshot=s",
        "-disable-compression",
        "-retry-max=2",
        "-syslog",
        "-iface=eth1",
        "-advertise=10.0.0.9",
        "-rpc-addr=:7000",
        "-log-level=err",
        "-role=r",
        "-join=flag",
        "-broadcast-timeout=1ms",
        "-bind",
        "10.0.0.1:1",
        "-record=r",
        "-http-addr=10.0.0.1",
    ];
    let config = flagged(&[file], &flags);
    assert_eq!(config.node_name.as_deref(), Some("flag"));
    assert_eq!((config.profile, config.log_level), (Profile::Local, LogLevel::Err));
    assert!(
        !config.replay_on_join && config.tcp_only && config.rejoin_after_leave && config.syslog.is_some()
    );
    assert_eq!((config.retry_interval, config.retry_max_attempts), (Duration::from_secs(1), 2));
    assert_eq!(config.retry_join, ["file", "flag"]);
    assert_eq!(config.start_join, ["flag"]);
    assert_eq!(config.event_handlers.len(), 2);
    assert_eq!(
        (config.tags["a"].as_str(), config.tags["b"].as_str(), config.tags["role"].as_str()),
        ("flag", "file", "r")
    );
    assert_eq!(config.mdns, Mdns { interface: Some("flag".into()), disable_ipv4: false, disable_ipv6: true });
    assert_eq!((config.protocol, config.interface.as_deref()), (5, Some("eth1")));
    assert_eq!(config.encrypt_key.as_ref().map(Secret::expose), Some("BBBBBBBBBBBBBBBBBBBBBB=="));
    assert_eq!(config.rpc_socket().expect("an address").to_string(), "0.0.0.0:7000");
    let http = config.http_socket().expect("an address").map(|addr| addr.to_string());
    assert_eq!(http.as_deref(), Some("10.0.0.1:7374"));
    assert_eq!(config.core_config().expect("in bounds").broadcast_timeout, Duration::from_secs(1));
    let warned = warnings(&config).join("\n");
    for part in [
        "-encrypt: warning: encrypt_key: a key on the command line can be seen by every user of this machine\n  hint: use $RUMOR_ENCRYPT_KEY, encrypt_key in a file, or -keyring-file",
        "-role: warning: role: is deprecated",
        "-disable-compression: warning: enable_compression: has no effect",
        "-rpc-addr: warning: rpc_addr: takes commands from other machines, without a token\n  hint: set rpc_auth",
        "-http-addr: warning: http_addr: shows how this node does to whoever reaches it",
    ] {
        assert!(warned.contains(part), "{part}\n{warned}");
    }
}

#[test]
fn figures_are_sent_where_the_keys_say() {
    let sinks = |text: &str| valid(&[("a.toml", text)]).sinks();
    assert_eq!(sinks(""), []);
    assert_eq!(
        sinks("statsd_addr = 'stats.example'\nstatsite_addr = '[::1]:9'"),
        [Sink::Statsite("[::1]:9".into()), Sink::Statsd("stats.example:8125".into())]
    );
    for loopback in ["127.0.0.1", "localhost:80", "[::1]:80"] {
        let config = valid(&[("a.toml", &format!("http_addr = '{loopback}'"))]);
        assert!(!warnings(&config).join("").contains("http_addr"), "{loopback}");
    }
}

#[test]
fn who_is_to_join_others_is_not_ready_alone() {
    let expects = |text: &str| valid(&[("a.toml", text)]).expects_others();
    assert!(!expects(""));
    for text in ["start_join = ['a']", "retry_join = ['a']", "discover = 'c'"] {
        assert!(expects(text), "{text}");
    }
}

#[test]
fn the_environments_key_stands_between_files_and_flags() {
    let key = |texts: &[(&str, &str)], flags: &[&str]| {
        let env = |name: &str| (name == "RUMOR_ENCRYPT_KEY").then(|| "CCCCCCCCCCCCCCCCCCCCCA==".to_string());
        let (config, _) = examine(Documents::of_texts(texts), &args_in(flags, &env), None);
        config.encrypt_key.map(|key| key.expose().to_string()).unwrap_or_default()
    };
    let file = ("a.toml", "encrypt_key = 'AAAAAAAAAAAAAAAAAAAAAA=='");
    assert_eq!(key(&[], &[]), "CCCCCCCCCCCCCCCCCCCCCA==");
    assert_eq!(key(&[file], &[]), "CCCCCCCCCCCCCCCCCCCCCA==");
    assert_eq!(key(&[file], &["-encrypt", "BBBBBBBBBBBBBBBBBBBBBA=="]), "BBBBBBBBBBBBBBBBBBBBBA==");
}

#[test]
fn serfs_keys_win_over_the_cores_own_names() {
    let text = "reconnect_interval = '7s'\nquery_size_limit = 2000\ncore = { reconnect_interval = '9s', query_bytes_max = 3000, label = 'x' }";
    let core = valid(&[("a.toml", text)]).core_config().expect("in bounds");
    assert_eq!(
        (core.reconnect_interval, core.query_bytes_max, core.label.as_str()),
        (Duration::from_secs(7), 2000, "x")
    );
}

#[test]
fn folders_are_read_by_name_and_not_below() {
    let dir = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
    write("20.json", r#"{"node_name": "twenty", "event_handlers": ["20"]}"#);
    write("10.toml", "node_name = 'ten'\nevent_handlers = ['10']\nprofile = 'wan'");
    write("30.txt", "not a setting");
    std::fs::create_dir(dir.path().join("40.json")).expect("a folder");
    std::fs::write(dir.path().join("40.json/50.json"), "wrong").expect("written");
    let single = tempfile::Builder::new().suffix(".toml").tempfile().expect("a file");
    std::fs::write(single.path(), "profile = 'local'\nevent_handlers = ['single']").expect("written");

    let config = load(&[dir.path().into(), single.path().into()], &AgentArgs::default()).expect("right");
    assert_eq!((config.node_name.as_deref(), config.profile), (Some("twenty"), Profile::Local));
    let scripts: Vec<&str> = config.event_handlers.iter().map(|handler| handler.script.as_str()).collect();
    assert_eq!(scripts, ["10", "20", "single"]);
    let config = load(&[single.path().into(), dir.path().into()], &AgentArgs::default()).expect("right");
    assert_eq!(config.profile, Profile::Wan);
}

#[test]
#[cfg(target_os = "linux")]
fn an_interface_gives_or_checks_the_address() {
    let bind = |flags: &[&str]| {
        flagged(&[], flags).bind_socket().map(|addr| addr.to_string()).map_err(|error| error.to_string())
    };
    assert_eq!(bind(&["-iface=lo"]), Ok("127.0.0.1:7946".into()));
    assert_eq!(bind(&["-iface=lo", "-bind=:7000"]), Ok("127.0.0.1:7000".into()));
    assert_eq!(bind(&["-iface=lo", "-bind=127.0.0.1"]), Ok("127.0.0.1:7946".into()));
    let other = bind(&["-iface=lo", "-bind=10.0.0.1"]).expect_err("another interface's");
    assert!(
        other.starts_with("bind: 10.0.0.1:7946 is no address of the interface lo, which has 127.0.0.1"),
        "{other}"
    );
    let none = bind(&["-iface=nosuch0"]).expect_err("no interface");
    assert!(none.starts_with("interface: there is no interface \"nosuch0\""), "{none}");
}

#[test]
fn mdns_uses_the_nodes_interface_unless_it_has_its_own() {
    let addr = "10.0.0.1:7946".parse().expect("an address");
    let of = |flags: &[&str]| flagged(&[], flags).discovery("one", addr);
    assert_eq!(of(&[]), None);
    let interface = |flags: &[&str]| of(flags).expect("discovery").interface;
    assert_eq!(interface(&["-discover=c"]), None);
    assert_eq!(interface(&["-discover=c", "-iface=eth0"]).as_deref(), Some("eth0"));
    assert_eq!(interface(&["-discover=c", "-iface=eth0", "-mdns-iface=eth1"]).as_deref(), Some("eth1"));
}
