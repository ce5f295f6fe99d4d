//! What is wrong is said, all at once, each with its place and what would be right.

use proptest::prelude::*;

use super::*;

/// One text, one error: exactly so.
fn says(name: &str, text: &str, error: &str) {
    assert_eq!(errors(name, text), [error], "{text}");
}

#[test]
fn an_error_shows_its_line_and_what_would_be_right() {
    says(
        "a.toml",
        "# mine\nbind = \"10.0.0.1\"\nlog_levle = \"warn\"\n",
        "a.toml:3:1: log_levle: unknown key \"log_levle\"\n    3 | log_levle = \"warn\"\n      | ^^^^^^^^^\n  hint: did you mean \"log_level\"?",
    );
    says(
        "a.json",
        "{\n  \"mdns\": { \"interfaec\": \"eth0\" }\n}",
        "a.json:2:13: mdns.interfaec: unknown key \"interfaec\"\n    2 |   \"mdns\": { \"interfaec\": \"eth0\" }\n      |             ^^^^^^^^^^^\n  hint: did you mean \"interface\"? valid: interface, disable_ipv4, disable_ipv6",
    );
}

#[test]
fn every_kind_of_mistake_is_said_with_its_key_and_a_hint() {
    let mut mismatches = Vec::new();
    let address = "for example \"10.0.0.5:7946\", \"[fd00::5]:7946\" or \"web1\"";
    for (text, message, hint) in [
        ("node_name = 5", "node_name: must be a text, not a whole number", "for example \"...\""),
        (
            "node_name = \"a\\nb\"",
            "node_name: a node name must not contain control characters",
            "at most 128 bytes, without control characters",
        ),
        (
            "log_level = \"wran\"",
            "log_level: unknown log level \"wran\"",
            "did you mean \"WARN\"? valid: TRACE, DEBUG, INFO, WARN, ERR, WARNING, ERROR",
        ),
        (
            "log_format = \"jsno\"",
            "log_format: unknown log format \"jsno\"",
            "did you mean \"json\"? valid: text, json, journald, auto",
        ),
        (
            "profile = \"lna\"",
            "profile: unknown profile \"lna\"",
            "did you mean \"lan\"? valid: lan, wan, local",
        ),
        ("profile = 1", "profile: must be a text, not a whole number", "for example \"...\""),
        (
            "enable_syslog = true\nsyslog_facility = \"LOCAL9\"",
            "syslog_facility: unknown syslog facility \"LOCAL9\"",
            "did you mean \"LOCAL7\"?",
        ),
        ("bind = \"10.0.0.300\"", "bind: \"10.0.0.300\" is no IPv4 address", address),
        ("bind = \"10.0.0.1:99999\"", "bind: \"99999\" is no port (0 to 65535)", address),
        (
            "advertise = \"0.0.0.0\"",
            "advertise: is no address at which others can reach this node",
            "for example \"10.0.0.5\", or leave it out",
        ),
        (
            "rpc_addr = \"a b\"",
            "rpc_addr: \"a b\" is neither an address nor a host's name",
            "for example \"127.0.0.1:7373\"",
        ),
        ("http_addr = 7374", "http_addr: must be a text, not a whole number", "for example \"...\""),
        (
            "http_addr = \"127.0.0.1:http\"",
            "http_addr: \"http\" is no port (0 to 65535)",
            "for example \"127.0.0.1:7374\"",
        ),
        (
            "start_join = \"10.0.0.1\"",
            "start_join: must be a list of texts, not a text",
            "for example [\"...\"]",
        ),
        (
            "retry_join = [\"ok\", \"a b\"]",
            "retry_join[1]: \"a b\" is neither an address nor a host's name",
            address,
        ),
        ("retry_join = [1]", "retry_join[0]: must be a text, not a whole number", address),
        (
            "protocol = 6",
            "protocol: protocol 6 is not spoken; this program speaks 2 to 5",
            "leave it out for the newest",
        ),
        (
            "protocol = 1",
            "protocol: protocol 1 is not spoken; this program speaks 2 to 5",
            "leave it out for the newest",
        ),
        ("protocol = \"5\"", "protocol: must be a whole number, not a text", "for example 5"),
        ("protocol = 5.0", "protocol: must be a whole number, not a number", "for example 5"),
        (
            "query_size_limit = 9217",
            "query_size_limit: is 9217, but must be from 32 to 9216",
            "0 is the default",
        ),
        (
            "user_event_size_limit = -1",
            "user_event_size_limit: is -1, but must be from 32 to 9216",
            "0 is the default",
        ),
        (
            "rpc_clients_max = 65537",
            "rpc_clients_max: is 65537, but must be from 1 to 65536",
            "0 is the default",
        ),
        (
            "retry_interval = 30",
            "retry_interval: must be a duration with its unit, not a bare number",
            "for example \"30s\"",
        ),
        (
            "retry_interval = \"30\"",
            "retry_interval: write a number with a unit (ns, us, ms, s, m, h, d), like \"30s\" or \"1m30s\"",
            "for example \"30s\"",
        ),
        (
            "reconnect_timeout = \"-1s\"",
            "reconnect_timeout: a duration cannot be negative",
            "for example \"30s\"",
        ),
        ("reconnect_timeout = \"31d\"", "reconnect_timeout: is 31d, but must be from 1s to 30d", ""),
        (
            "leave_on_terminate = \"yes\"",
            "leave_on_terminate: must be true or false, not a text",
            "for example true",
        ),
        ("tags = \"a=b\"", "tags: must be a table, not a text", "for example { role = \"web\" }"),
        ("tags = { a = 1 }", "tags.a: must be a text, not a whole number", "put it in quotes"),
        ("tags = { \"\" = \"1\" }", "tags: the name of a tag is empty", ""),
        (
            "mdns = \"eth0\"",
            "mdns: must be a table, not a text",
            "its keys: interface, disable_ipv4, disable_ipv6",
        ),
        (
            "discover = \"a.b\"",
            "discover: may have letters, digits, \"_\" and \"-\" only",
            "for example \"staging\"",
        ),
        (
            "mdns = { disable_ipv4 = true, disable_ipv6 = true }",
            "mdns.disable_ipv6: mDNS cannot do without both IPv4 and IPv6",
            "leave discover out to have no mDNS",
        ),
        (
            "event_handlers = [\"user:a,usr=x\"]",
            "event_handlers[0]: \"usr\" is no event filter: use member-join, member-leave, member-failed, member-update, member-reap, user, user:NAME, query, query:NAME or *; a script with a \"=\" and no filter begins with \"*=\"",
            "write SCRIPT or FILTER[,FILTER...]=SCRIPT",
        ),
        (
            "event_handlers = [\"user=\"]",
            "event_handlers[0]: there is no script",
            "write SCRIPT or FILTER[,FILTER...]=SCRIPT",
        ),
        (
            "event_handlers = [\"\"]",
            "event_handlers[0]: there is no script",
            "write SCRIPT or FILTER[,FILTER...]=SCRIPT",
        ),
        (
            "encrypt_key = \"abc!\"",
            "encrypt_key: is not base64: character 4 is wrong",
            "`rumor keygen` prints one",
        ),
        (
            "encrypt_key = \"AAAAAAAAAAAAAAAAAAAA\"",
            "encrypt_key: a key has 16, 24 or 32 bytes, this one has 15",
            "`rumor keygen` prints one",
        ),
        (
            "encrypt_key = \"AAAAAAAAAAAAAAAAAAAAAA==\"\nkeyring_file = \"Cargo.toml\"",
            "encrypt_key: a keyring file cannot be used together with a key",
            "put the key into the keyring file, as its first, or leave the keyring file out",
        ),
        (
            "tags_file = \"t.json\"\ntags = { a = \"b\" }",
            "tags_file: a tags file cannot be used together with tags of files or flags",
            "put all tags into the tags file, or leave it out",
        ),
        (
            "tags_file = \"/no/such/folder/t.json\"",
            "tags_file: the folder /no/such/folder does not exist",
            "create it, writable by the agent's user",
        ),
        (
            "validate_node_names = true\nnode_name = \"web_1\"",
            "node_name: \"web_1\" has other characters than letters, digits, dots and dashes",
            "set node_name (-node), or validate_node_names = false",
        ),
        (
            "keyring_file = \"/no/such/file\"",
            "keyring_file: /no/such/file cannot be read: No such file or directory (os error 2)",
            "it is a JSON array of keys in base64, the one to encrypt with first: [\"...\"]",
        ),
        (
            "record = \"Cargo.toml\"",
            "record: Cargo.toml exists, and a recording overwrites nothing",
            "name a new file",
        ),
        (
            "handlers = { concurrent = 5000 }",
            "handlers.concurrent: is 5000, but must be from 1 to 1024",
            "0 is the default",
        ),
        (
            "handlers = { concurent = 5 }",
            "handlers.concurent: unknown key \"concurent\"",
            "did you mean \"concurrent\"? valid: concurrent, queue, timeout, grace, shutdown",
        ),
        (
            "core = { gosip_nodes = 3 }",
            "core.gosip_nodes: unknown key \"gosip_nodes\"",
            "did you mean \"gossip_nodes\"?",
        ),
        ("core = { gossip_nodes = 65 }", "core.gossip_nodes: is 65, but must be from 0 to 64", ""),
        (
            "core = { gossip_nodes = \"3\" }",
            "core.gossip_nodes: invalid type: string \"3\", expected u8",
            "for example 3",
        ),
        (
            "core = { probe_interval = 1 }",
            "core.probe_interval: invalid type: integer `1`, expected a duration such as \"200ms\" or \"1m30s\"",
            "for example \"1s\"",
        ),
        (
            "core = { probe_timeout = \"1s\" }",
            "core.probe_timeout: is 1s, but must be less than probe_interval (1s), or helpers and the stream probe have no time",
            "",
        ),
        (
            "core = { probe_interval = \"400ms\" }",
            "core.probe_timeout: is 500ms, but must be less than probe_interval (400ms), or helpers and the stream probe have no time",
            "",
        ),
        (
            "core = { anti_entropy = \"detla\" }",
            "core.anti_entropy: unknown word \"detla\"",
            "did you mean \"delta\"? valid: off, full, delta",
        ),
        (
            "core = { suspicion_confirmations = 300 }",
            "core.suspicion_confirmations: a whole number is out of range or not one of its words",
            "for example \"auto\"",
        ),
        (
            "core = { simulation = true }",
            "core.simulation: cannot be set: it would make keys predictable",
            "leave it out",
        ),
        ("core = 3", "core: must be a table, not a whole number", "*"),
        ("node_name = 1979-05-27", "node_name: must be a text, not a date", "for example \"...\""),
    ] {
        let (_, diagnostics) = examined(&[("a.toml", text)]);
        let errors: Vec<&Diagnostic> = diagnostics.iter().filter(|d| d.is_error()).collect();
        let [error] = errors.as_slice() else { panic!("{text}: {errors:#?}") };
        let found = (format!("{}: {}", error.key, error.message), error.hint.as_deref().unwrap_or_default());
        if found.0 != message || (found.1 != hint && hint != "*") {
            mismatches.push(format!("{text}\n  found  {found:?}\n  wanted {:?}", (message, hint)));
        }
        assert_eq!((error.origin.as_str(), error.line.is_some()), ("a.toml", true), "{text}");
    }
    assert!(mismatches.is_empty(), "{}", mismatches.join("\n"));
}

#[test]
fn what_is_no_document_at_all_is_said_with_its_place() {
    says(
        "a.json",
        "{\"bind\": \"x\",}",
        "a.json:1:14: is not JSON: there is a comma before the end of the table\n    1 | {\"bind\": \"x\",}\n      |              ^",
    );
    says("a.json", "", "a.json: is not JSON: the file is empty; the least is {}");
    says(
        "a.json",
        "[1]",
        "a.json:1:1: the document must be a table, not a list\n    1 | [1]\n      | ^^^\n  hint: write {\"key\": value, ...}",
    );
    says(
        "serf.conf",
        "{\"bind\" 1}",
        "serf.conf:1:9: is not JSON: a colon is expected after the key\n    1 | {\"bind\" 1}\n      |         ^",
    );
    let toml = errors("a.toml", "bind = \nprofile = \"lan\"");
    assert_eq!(toml.len(), 1, "{toml:?}");
    assert!(toml[0].starts_with("a.toml:1:8: is not TOML: "), "{toml:?}");
    let twice = errors("a.toml", "bind = 'x'\nbind = 'y'");
    assert!(twice[0].starts_with("a.toml:2:1: is not TOML: duplicate key"), "{twice:?}");
}

#[test]
fn a_mistake_in_the_first_byte_has_its_place_too() {
    let found = errors("a.toml", "{\"bind\": 1}");
    assert!(!found.is_empty() && found.iter().all(|error| error.starts_with("a.toml:1:")), "{found:?}");
    assert!(found[0].starts_with("a.toml:1:1: is not TOML"), "{found:?}");
}

#[test]
fn a_key_that_the_cipher_does_not_take_is_a_mistake_of_the_key() {
    let text = |key: &str| format!("encrypt_key = \"{key}\"\n[core]\ncipher = \"chacha20-poly1305\"\n");
    let found = errors("a.toml", &text("AAAAAAAAAAAAAAAAAAAAAA=="));
    let start = "a.toml:1:15: encrypt_key: the cluster's cipher takes keys of 32 bytes, this one has 16\n";
    assert!(found.len() == 1 && found[0].starts_with(start), "{found:?}");
    assert_eq!(errors("a.toml", &text(&format!("{}=", "A".repeat(43)))), [""; 0]);
}

#[test]
fn what_may_stand_in_an_unreadable_file_is_not_missed() {
    let all = examined(&[("a.json", "{"), ("b.toml", "tags_file = 'x'\ntags.a = 'b'")]).1;
    let keys: Vec<&str> = all.iter().map(|d| d.key.as_str()).collect();
    assert_eq!(keys, ["", "tags_file"]);
}

#[test]
fn depth_without_end_is_refused() {
    for depth in [100, 100_000] {
        let (list, table) = ("[".repeat(depth), "{\"a\":".repeat(depth));
        for (name, text) in [
            ("a.json", list.clone()),
            ("a.json", table),
            ("a.toml", format!("bind = {list}")),
            ("a.toml", format!("bind = {}", "{a=".repeat(depth))),
            ("a.toml", format!("{} = 1", vec!["a"; depth].join("."))),
        ] {
            assert!(!errors(name, &text).is_empty(), "{name}");
        }
    }
}

#[test]
fn all_mistakes_of_all_files_and_flags_are_told_at_once_in_order() {
    let first = ("a.json", "{\n  \"profile\": \"moon\",\n  \"bind\": 7\n}");
    let second = ("b.toml", "profile = 'lan'\nsnapshot_pth = 'x'");
    let (_, diagnostics) =
        examine(Documents::of_texts(&[first, second]), &args(&["-rpc-addr=a:b", "-mdns-iface=eth0"]), None);
    let errors: Vec<String> = diagnostics
        .iter()
        .filter(|d| d.is_error())
        .map(|d| format!("{}:{}:{} {}", d.origin, d.line.unwrap_or(0), d.column.unwrap_or(0), d.key))
        .collect();
    let wanted = [
        "a.json:2:14 profile",
        "a.json:3:11 bind",
        "b.toml:2:1 snapshot_pth",
        "-rpc-addr:0:0 rpc_addr",
        "-mdns-iface:0:0 mdns.interface",
    ];
    assert_eq!(errors, wanted);
    let shown = diagnostics.iter().find(|d| d.key == "rpc_addr" && d.is_error()).expect("there").to_string();
    assert_eq!(
        shown,
        "-rpc-addr: rpc_addr: \"b\" is no port (0 to 65535)\n  hint: for example \"127.0.0.1:7373\""
    );
}

#[test]
fn several_settings_of_the_core_that_are_out_of_bounds_are_all_told() {
    let text = "core = { gossip_nodes = 65, indirect_checks = 33, label = '' }\nreconnect_interval = '1ms'";
    let keys: Vec<String> =
        examined(&[("a.toml", text)]).1.into_iter().filter(Diagnostic::is_error).map(|d| d.key).collect();
    assert_eq!(keys, ["core.gossip_nodes", "core.indirect_checks", "reconnect_interval"]);
}

#[test]
fn a_flood_of_mistakes_is_cut_and_counted() {
    let text: String = (0..60).map(|n| format!("nonsense{n} = 1\n")).collect();
    let errors = errors("a.toml", &text);
    assert_eq!(errors.len(), 51);
    // The last line counts what was left out, warnings too.
    assert_eq!(errors[50], "... and 12 more");
}

#[test]
fn secrets_are_shown_in_no_message() {
    let texts = [
        ("a.json", "{\"encrypt_key\": \"hush-hush\", \"bnd\": 1, \"rpc_auth\": \"hush\"}"),
        ("b.toml", "rpc_auth = 'hush'\nencrypt_key = '''\nhush\nhüsh'''\nbind = 3"),
        ("c.json", "{\"rpc_auth\": \"hush\" \"bind\": 1}"),
        ("d.toml", "encrypt_key = 'hush"),
        ("e.json", "{\"rpc_auth\": [\"hush\"]}"),
    ];
    for (name, text) in texts {
        let all: String = examined(&[(name, text)]).1.iter().map(|d| format!("{d}\n")).collect();
        assert!(!all.contains("hush") && !all.contains("hüsh"), "{all}");
        assert!(all.contains(name), "{all}");
    }
    let shown = errors("a.json", texts[0].1).join("\n");
    assert!(
        shown.contains("\n    1 | {\"encrypt_key\": ***********, \"bnd\": 1, \"rpc_auth\": ******}\n"),
        "{shown}"
    );
    let flags = args(&["-encrypt=hush"]);
    let all = format!("{:?}", examine(Documents::default(), &flags, None));
    assert!(!all.contains("hush"), "{all}");
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = |name: &str| dir.path().join(name);
    std::fs::write(path("latin1.toml"), b"node_name = \"\xfc\"").expect("written");
    std::fs::write(path("large.toml"), " ".repeat((1 << 20) + 1)).expect("written");
    std::fs::create_dir(path("empty")).expect("a folder");
    let paths = [path("none.json"), path("latin1.toml"), path("large.toml"), path("empty")];
    let diagnostics = load(&paths, &AgentArgs::default()).expect_err("wrong");
    let said: Vec<String> = diagnostics
        .iter()
        .take(4)
        .map(|d| d.to_string().replace(&dir.path().display().to_string(), "DIR"))
        .collect();
    assert_eq!(
        said,
        [
            "DIR/none.json: cannot be read: No such file or directory (os error 2)",
            "DIR/latin1.toml: the file is not text in UTF-8: byte 14 is wrong",
            "DIR/large.toml: the file is larger than 1048576 bytes",
            "DIR/empty: warning: there is no *.json or *.toml in this folder",
        ]
    );
}

#[test]
#[cfg(unix)]
fn what_is_unwise_is_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str, mode: u32| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("changed");
        path
    };
    let warned = |path: &PathBuf| {
        let config = load(std::slice::from_ref(path), &AgentArgs::default()).expect("right");
        config.warnings.iter().map(|d| format!("{}: {}", d.key, d.message)).collect::<Vec<_>>().join("\n")
    };
    let open = write("open.toml", "encrypt_key = 'AAAAAAAAAAAAAAAAAAAAAA=='\nbind = '10.0.0.1'", 0o644);
    assert_eq!(warned(&open), "encrypt_key: stands in a file that other users can read");
    let shut = write("shut.toml", "encrypt_key = 'AAAAAAAAAAAAAAAAAAAAAA=='\nbind = '10.0.0.1'", 0o600);
    assert_eq!(warned(&shut), "");
    let keys = write("keys.json", "[\"AAAAAAAAAAAAAAAAAAAAAA==\"]", 0o644);
    let keyring =
        write("keyring.toml", &format!("keyring_file = '{}'\nbind = '10.0.0.1'", keys.display()), 0o644);
    assert_eq!(
        warned(&keyring),
        format!("keyring_file: {} holds keys and can be read by other users", keys.display())
    );
    let plain = write("plain.toml", "snapshot_path = '/no/such/folder/s'", 0o644);
    assert_eq!(
        warned(&plain),
        "snapshot_path: the folder /no/such/folder does not exist\n\
         bind: advertise, bind and interface are not set: others are told the first address of this machine\n\
         : there is no key: whoever reaches this node can read everything and join"
    );
    let empty = write("empty.json", "", 0o600);
    let keyring = write("keyring.toml", &format!("keyring_file = '{}'", empty.display()), 0o644);
    let errors = load(&[keyring], &AgentArgs::default()).expect_err("an empty keyring");
    assert_eq!(errors[0].message, format!("{} is empty", empty.display()));
}

/// A value of any kind.
fn value() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::{Value as Json, json};
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        (0i64..100).prop_map(Json::from),
        any::<f64>().prop_map(|n| json!(n)),
        ".{0,12}".prop_map(Json::from),
        "[0-9a-z.:=,/\\[\\]*-]{0,12}".prop_map(Json::from),
        "[0-9]{1,3}(ms|s|m|h)".prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let names = prop_oneof![
            "[a-z]{0,6}".boxed(),
            Just("gossip_nodes".to_string()).boxed(),
            Just("probe_interval".to_string()).boxed()
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map(names, inner, 0..4)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_panics(json in ".{0,120}", toml in "[a-z_=\\[\\]{}\"'.,0-9 \n#ü-]{0,120}") {
        let _ = examined(&[("a.json", &json), ("b.toml", &toml), ("c", &json)]);
    }

    #[test]
    fn no_value_of_any_key_panics_and_every_mistake_has_a_place(
        entries in prop::collection::btree_map(prop::sample::select(read::KEYS.to_vec()), value(), 0..5),
    ) {
        let text = serde_json::to_string_pretty(&entries).expect("JSON");
        let (config, diagnostics) = examined(&[("a.json", &text)]);
        for diagnostic in diagnostics.iter().filter(|d| d.is_error()) {
            prop_assert!(diagnostic.line.is_some(), "{diagnostic}\n{text}");
        }
        if !diagnostics.iter().any(Diagnostic::is_error) {
            prop_assert!(config.core_config().is_ok(), "{text}");
            prop_assert!(config.keyring().is_ok(), "{text}");
        }
    }
}
