//! What flags and the environment say, as trees like those of files.

use std::path::Path;

use rumormill_tokio::core::config::format_duration;

use super::merge::put;
use super::tree::{Item, Value};
use crate::args::AgentArgs;

/// What the environment says: more than files, less than flags.
pub(super) fn environment(args: &AgentArgs) -> Item {
    let mut tree = Item::empty();
    if let Some(key) = &args.encrypt_env {
        put(&mut tree, "encrypt_key", Item::named("$RUMOR_ENCRYPT_KEY", text(key.expose())));
    }
    tree
}

/// What the flags say.
pub(super) fn tree(args: &AgentArgs) -> Item {
    let mut tree = Item::empty();
    let mut set = |key: &str, flag: &'static str, value: Option<Value>| {
        if let Some(value) = value {
            put(&mut tree, key, Item::named(flag, value));
        }
    };
    let words = |value: &Option<String>| value.as_deref().map(text);
    let truth = |value: Option<bool>| value.map(Value::Truth);
    set("node_name", "-node", words(&args.node));
    set("tags_file", "-tags-file", path(args.tags_file.as_deref()));
    set("role", "-role", words(&args.role));
    set("bind", "-bind", words(&args.bind));
    set("interface", "-iface", words(&args.iface));
    set("advertise", "-advertise", words(&args.advertise));
    set("encrypt_key", "-encrypt", args.encrypt.as_ref().map(|key| text(key.expose())));
    set("keyring_file", "-keyring-file", path(args.keyring_file.as_deref()));
    set("log_level", "-log-level", args.log_level.map(|level| text(level.name())));
    set("log_format", "-log-format", args.log_format.map(|format| text(format.name())));
    set("rpc_addr", "-rpc-addr", words(&args.rpc_addr));
    set("http_addr", "-http-addr", words(&args.http_addr));
    set("protocol", "-protocol", args.protocol.map(|version| Value::Whole(version.into())));
    set("replay_on_join", "-replay", truth(args.replay));
    set("profile", "-profile", args.profile.map(|profile| text(profile.name())));
    set("snapshot_path", "-snapshot", path(args.snapshot.as_deref()));
    set("discover", "-discover", words(&args.discover));
    set("enable_syslog", "-syslog", truth(args.syslog));
    set("retry_max_attempts", "-retry-max", args.retry_max.map(|max| Value::Whole(max.into())));
    set("retry_interval", "-retry-interval", args.retry_interval.map(|d| text(&format_duration(d))));
    set("rejoin_after_leave", "-rejoin", truth(args.rejoin));
    set("enable_compression", "-disable-compression", truth(args.disable_compression.map(|off| !off)));
    set("broadcast_timeout", "-broadcast-timeout", args.broadcast_timeout.map(|d| text(&format_duration(d))));
    set("record", "-record", path(args.record.as_deref()));
    set("tcp_only", "-tcp-only", truth(args.tcp_only));
    set("event_handlers", "-event-handler", list("-event-handler", &args.event_handler));
    set("start_join", "-join", list("-join", &args.join));
    set("retry_join", "-retry-join", list("-retry-join", &args.retry_join));

    let mut tags = Item::named("-tag", Value::Table(Vec::new()));
    for tag in &args.tag {
        put(&mut tags, &tag.key, Item::named("-tag", text(&tag.value)));
    }
    set("tags", "-tag", (!args.tag.is_empty()).then_some(tags.value));

    let mut mdns = Item::named("-mdns-iface", Value::Table(Vec::new()));
    let of = |flag, value: Option<Value>| value.map(|value| Item::named(flag, value));
    let entries = [
        ("interface", of("-mdns-iface", words(&args.mdns_iface))),
        ("disable_ipv4", of("-mdns-disable-ipv4", truth(args.mdns_disable_ipv4))),
        ("disable_ipv6", of("-mdns-disable-ipv6", truth(args.mdns_disable_ipv6))),
    ];
    for (key, item) in entries {
        if let Some(item) = item {
            put(&mut mdns, key, item);
        }
    }
    let any = !matches!(&mdns.value, Value::Table(entries) if entries.is_empty());
    set("mdns", "-mdns-iface", any.then_some(mdns.value));
    tree
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn path(path: Option<&Path>) -> Option<Value> {
    path.map(|path| Value::Path(path.into()))
}

fn list(flag: &'static str, texts: &[String]) -> Option<Value> {
    let items = texts.iter().map(|one| Item::named(flag, text(one)));
    (!texts.is_empty()).then(|| Value::List(items.collect()))
}
