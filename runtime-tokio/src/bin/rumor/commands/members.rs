//! `rumor members`: who is in the cluster.

use std::collections::BTreeMap;

use rumormill_tokio::rpc::client::{ClientError, RpcMember};
use serde::Serialize;

use super::failure::{Failure, Outcome, warn};
use super::output::{Cell, Output, table};
use super::{connect, refused, tag_map};
use crate::args::{Format, MembersArgs};

/// Lists the members that match.
pub(crate) async fn run(args: &MembersArgs) -> Outcome {
    let mut tags = tag_map(&args.tag);
    if let Some(role) = &args.role {
        warn("Deprecation warning: -role has been replaced with -tag role=REGEX\n");
        tags.insert("role".into(), role.clone());
    }
    let (status, name) =
        (args.status.as_deref().unwrap_or_default(), args.name.as_deref().unwrap_or_default());
    let client = connect(&args.rpc).await?;
    let members = client.members_filtered(&tags, status, name).await;
    let expressions = || [status, name].into_iter().chain(tags.values().map(String::as_str));
    let mut members = members.map_err(|error| explained(expressions(), &error))?;
    members.sort_by(|a, b| a.name.cmp(&b.name));
    let output = Output::standard();
    match args.format {
        Format::Text => output.print(&text(&members, args.detailed, output.colours))?,
        Format::Json => output.print_json(&Document::new(&members))?,
    }
    Ok(())
}

/// Serf's agent closes the connection over an expression that it cannot read, without a word.
fn explained<'a>(expressions: impl Iterator<Item = &'a str>, error: &ClientError) -> Failure {
    let failure = refused("Error retrieving members", error);
    let mut wrong =
        expressions.filter_map(|text| regex::bytes::RegexBuilder::new(text).unicode(false).build().err());
    match (error, wrong.next()) {
        (ClientError::Closed(_), Some(wrong)) => failure.hint(format!("not a regular expression: {wrong}")),
        _ => failure,
    }
}

/// One line a member.
fn text(members: &[RpcMember], detailed: bool, colours: bool) -> String {
    let rows: Vec<Vec<Cell>> = members.iter().map(|member| row(member, detailed)).collect();
    table(&rows, colours)
}

fn row(member: &RpcMember, detailed: bool) -> Vec<Cell> {
    let tags: Vec<String> = member.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let mut row = vec![
        Cell::new(&member.name),
        Cell::new(&member.socket_addr().to_string()),
        Cell::status(&member.status),
        Cell::new(&tags.join(",")),
    ];
    if detailed {
        let RpcMember { delegate_cur, delegate_min, delegate_max, .. } = member;
        row.push(Cell::new(&format!("Protocol Version: {delegate_cur}")));
        row.push(Cell::new(&format!("Available Protocol Range: [{delegate_min}, {delegate_max}]")));
    }
    row
}

/// The list in JSON: Serf's fields in Serf's order.
#[derive(Serialize)]
struct Document<'a> {
    /// `null` where there is none, as with Serf.
    members: Option<Vec<Entry<'a>>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    addr: String,
    port: u16,
    tags: &'a BTreeMap<String, String>,
    status: &'a str,
    protocol: Protocol,
}

#[derive(Serialize)]
struct Protocol {
    max: u8,
    min: u8,
    version: u8,
}

impl<'a> Document<'a> {
    fn new(members: &'a [RpcMember]) -> Self {
        let entry = |member: &'a RpcMember| Entry {
            name: &member.name,
            addr: member.socket_addr().to_string(),
            port: member.port,
            tags: &member.tags,
            status: &member.status,
            protocol: Protocol {
                max: member.delegate_max,
                min: member.delegate_min,
                version: member.delegate_cur,
            },
        };
        Self { members: (!members.is_empty()).then(|| members.iter().map(entry).collect()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::output::json;
    use super::*;

    fn member(name: &str, addr: &str, status: &str, tags: &[(&str, &str)]) -> RpcMember {
        let addr: std::net::SocketAddr = addr.parse().unwrap();
        RpcMember {
            name: name.into(),
            addr: addr.ip(),
            port: addr.port(),
            status: status.into(),
            tags: tags.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
            delegate_min: 2,
            delegate_max: 5,
            delegate_cur: 5,
            ..RpcMember::default()
        }
    }

    fn cluster() -> Vec<RpcMember> {
        vec![
            member("a", "127.0.0.1:7946", "alive", &[("zone", "x"), ("role", "web")]),
            member("db-1", "[::1]:17947", "failed", &[]),
            member("odd", "10.0.0.1:7946", "left", &[("e", ""), ("n", "a\nb|c=d,<")]),
        ]
    }

    #[test]
    fn text_is_aligned() {
        assert_eq!(
            text(&cluster(), false, false),
            "a     127.0.0.1:7946  alive   role=web,zone=x\n\
             db-1  [::1]:17947     failed\n\
             odd   10.0.0.1:7946   left    e=,n=a\\nb|c=d,<\n"
        );
        assert_eq!(
            text(&cluster()[..2], true, false),
            "a     127.0.0.1:7946  alive   role=web,zone=x  Protocol Version: 5  Available Protocol Range: [2, 5]\n\
             db-1  [::1]:17947     failed                   Protocol Version: 5  Available Protocol Range: [2, 5]\n"
        );
        assert_eq!(text(&[], true, true), "");
    }

    #[test]
    fn only_the_status_is_coloured() {
        assert_eq!(text(&cluster()[1..2], false, true), "db-1  [::1]:17947  \u{1b}[31mfailed\u{1b}[0m\n");
    }

    #[test]
    fn json_has_the_fields_of_serf_in_their_order() {
        let expected = r#"{
  "members": [
    {
      "name": "odd",
      "addr": "10.0.0.1:7946",
      "port": 7946,
      "tags": {
        "e": "",
        "n": "a\nb|c=d,\u003c"
      },
      "status": "left",
      "protocol": {
        "max": 5,
        "min": 2,
        "version": 5
      }
    }
  ]
}"#;
        assert_eq!(json(&Document::new(&cluster()[2..])).unwrap(), expected);
        let none = json(&Document::new(&cluster()[1..2])).unwrap();
        assert!(none.contains("\"addr\": \"[::1]:17947\"") && none.contains("\"tags\": {}"), "{none}");
        assert_eq!(json(&Document::new(&[])).unwrap(), "{\n  \"members\": null\n}");
    }
}
