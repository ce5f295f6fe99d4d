//! `rumor monitor`: the agent's log and its events, as they come.

use rumormill_tokio::rpc::client::{ClientError, EventStream, LogStream, RpcMember, StreamRecord};

use super::failure::{Failure, Outcome, warn};
use super::output::Output;
use super::{connect, go_syntax as go, refused};
use crate::args::MonitorArgs;

const WHAT_FOLLOWS: &str =
    "Remote side ended the monitor! This usually means that the remote side has exited or crashed.";

/// Prints until it is interrupted (success) or the agent ends (failure).
pub(crate) async fn run(args: &MonitorArgs) -> Outcome {
    let client = connect(&args.rpc).await?;
    let events = client.stream("*").await.map_err(|error| refused("Error starting stream", &error))?;
    let log = client.monitor(args.log_level.name()).await;
    let log = log.map_err(|error| refused("Error starting monitor", &error))?;
    tokio::select! {
        outcome = tell(events, log) => outcome,
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

async fn tell(mut events: EventStream, mut log: LogStream) -> Outcome {
    let output = Output::standard();
    loop {
        let record = tokio::select! {
            // The log's last lines first, where the connection has ended.
            biased;
            line = log.next() => line.map(|line| line.map(|line| line + "\n")),
            event = events.next() => event.map(|event| event.map(|event| block(&event))),
        };
        match record {
            Some(Ok(text)) => output.print_foreign(text.as_bytes())?,
            Some(Err(ClientError::Missed(count))) => {
                warn(&format!("warning: {count} records were dropped: they were not read in time\n"));
            }
            Some(Err(ClientError::Closed(_))) | None => return Err(Failure::new(WHAT_FOLLOWS)),
            Some(Err(error)) => return Err(refused("Error reading from the agent", &error)),
        }
    }
}

/// An event, in the words of Serf's monitor.
fn block(event: &StreamRecord) -> String {
    let fields = match event {
        StreamRecord::Members(record) => vec![
            ("Event", go::quoted(&record.event)),
            ("Members", go::list(&record.members.iter().map(member).collect::<Vec<_>>())),
        ],
        StreamRecord::User(record) => vec![
            ("Coalesce", record.coalesce.to_string()),
            ("Event", go::quoted(&record.event)),
            ("LTime", go::number(record.l_time)),
            ("Name", go::quoted(&record.name)),
            ("Payload", payload(&record.payload)),
        ],
        StreamRecord::Query(record) => vec![
            ("Event", go::quoted(&record.event)),
            ("ID", go::number(record.id)),
            ("LTime", go::number(record.l_time)),
            ("Name", go::quoted(&record.name)),
            ("Payload", payload(&record.payload)),
        ],
    };
    let lines = fields.into_iter().map(|(name, value)| format!("\t{name}: {value}\n"));
    std::iter::once("Event Info:\n".into()).chain(lines).collect()
}

fn payload(bytes: &[u8]) -> String {
    if bytes.is_empty() { "<nil>".into() } else { go::bytes("[]byte", bytes) }
}

fn member(member: &RpcMember) -> String {
    let number = |n: u8| go::number(n.into());
    let address = match member.addr {
        std::net::IpAddr::V4(v4) => go::bytes("[]uint8", &v4.octets()),
        std::net::IpAddr::V6(v6) => go::bytes("[]uint8", &v6.octets()),
    };
    go::map([
        ("Addr", address),
        ("DelegateCur", number(member.delegate_cur)),
        ("DelegateMax", number(member.delegate_max)),
        ("DelegateMin", number(member.delegate_min)),
        ("Name", go::quoted(&member.name)),
        ("Port", go::number(member.port.into())),
        ("ProtocolCur", number(member.protocol_cur)),
        ("ProtocolMax", number(member.protocol_max)),
        ("ProtocolMin", number(member.protocol_min)),
        ("Status", go::quoted(&member.status)),
        ("Tags", go::map(member.tags.iter().map(|(key, value)| (key.as_str(), go::quoted(value))))),
    ])
}

#[cfg(test)]
mod tests {
    use rumormill_tokio::rpc::client::{MemberRecord, QueryEventRecord, UserRecord};

    use super::*;

    #[test]
    fn blocks_are_those_of_serf() {
        let user = UserRecord {
            coalesce: false,
            event: "user".into(),
            l_time: 2,
            name: "raw".into(),
            payload: b"a\nb".into(),
        };
        assert_eq!(
            block(&StreamRecord::User(user)),
            "Event Info:\n\tCoalesce: false\n\tEvent: \"user\"\n\tLTime: 2\n\tName: \"raw\"\n\
             \tPayload: []byte{0x61, 0xa, 0x62}\n"
        );
        let query = QueryEventRecord {
            event: "query".into(),
            id: 1,
            l_time: 160,
            name: "load".into(),
            payload: vec![],
        };
        assert_eq!(
            block(&StreamRecord::Query(query)),
            "Event Info:\n\tEvent: \"query\"\n\tID: 1\n\tLTime: 0xa0\n\tName: \"load\"\n\tPayload: <nil>\n"
        );
    }

    #[test]
    fn members_are_maps_ordered_by_key() {
        let failed = RpcMember {
            addr: [127, 0, 0, 1].into(),
            port: 17948,
            name: "c-failed".into(),
            status: "failed".into(),
            tags: [("role".into(), "db".into())].into(),
            delegate_cur: 5,
            delegate_max: 5,
            delegate_min: 2,
            protocol_cur: 2,
            protocol_max: 5,
            protocol_min: 1,
        };
        let record = MemberRecord { event: "member-failed".into(), members: vec![failed] };
        assert_eq!(
            block(&StreamRecord::Members(record)),
            "Event Info:\n\tEvent: \"member-failed\"\n\tMembers: []interface {}{map[interface {}]interface {}{\
             \"Addr\":[]uint8{0x7f, 0x0, 0x0, 0x1}, \"DelegateCur\":5, \"DelegateMax\":5, \"DelegateMin\":2, \
             \"Name\":\"c-failed\", \"Port\":0x461c, \"ProtocolCur\":2, \"ProtocolMax\":5, \"ProtocolMin\":1, \
             \"Status\":\"failed\", \"Tags\":map[interface {}]interface {}{\"role\":\"db\"}}}\n"
        );
    }
}
