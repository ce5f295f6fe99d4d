//! `rumor query`: asks the cluster, and shows the answers until all are in.

use std::collections::BTreeMap;

use rumormill_tokio::rpc::client::{QueryParams, QueryRecord, QueryStream};
use serde::Serialize;

use super::failure::{Failure, Outcome};
use super::output::Output;
use super::{connect, refused, tag_map};
use crate::args::{Format, QueryArgs};

const WHAT: &str = "Error sending query";

/// Asks, and prints answers as they come (text) or together at the end (JSON).
pub(crate) async fn run(args: &QueryArgs) -> Outcome {
    let params = QueryParams {
        name: args.name.clone(),
        payload: args.payload.0.clone(),
        nodes: args.node.clone(),
        tags: tag_map(&args.tag),
        ack: !args.no_ack,
        relay_factor: args.relay_factor,
        timeout: Some(args.timeout).filter(|timeout| !timeout.is_zero()),
    };
    let client = connect(&args.rpc).await?;
    let answers = client.query(params).await.map_err(|error| refused(WHAT, &error))?;
    let told = tell(args, answers);
    // Serf's status of an interrupted query.
    tokio::select! {
        outcome = told => outcome,
        _ = tokio::signal::ctrl_c() => Err(Failure::silent()),
    }
}

async fn tell(args: &QueryArgs, mut answers: QueryStream) -> Outcome {
    let output = Output::standard();
    let text = args.format == Format::Text;
    if text {
        output.print_foreign(format!("Query '{}' dispatched\n", args.name).as_bytes())?;
    }
    let mut all = Answers::default();
    let mut broken = None;
    while let Some(answer) = answers.next().await {
        match answer {
            // Serf's agent brings one now and then as the time runs out.
            Ok(answer) if of_nobody(&answer) => {}
            Ok(answer) => {
                if text {
                    output.print_foreign(&line(&answer))?;
                }
                all.take(answer);
            }
            Err(error) => broken = Some(refused("Error receiving answers", &error)),
        }
    }
    if text {
        output.print(&all.totals(!args.no_ack))?;
    } else {
        output.print_json(&all.sorted())?;
    }
    broken.map_or(Ok(()), Err)
}

/// Whether it has no sender: no member has an empty name.
fn of_nobody(answer: &QueryRecord) -> bool {
    let (QueryRecord::Ack { from } | QueryRecord::Response { from, .. }) = answer;
    from.is_empty()
}

/// How an answer is shown in text: what was said without the newline that a script leaves at its end.
fn line(answer: &QueryRecord) -> Vec<u8> {
    match answer {
        QueryRecord::Ack { from } => format!("Ack from '{from}'\n").into_bytes(),
        QueryRecord::Response { from, payload } => {
            let payload = payload.strip_suffix(b"\n").unwrap_or(payload);
            [format!("Response from '{from}': ").as_bytes(), payload, b"\n"].concat()
        }
    }
}

/// All answers: Serf's document. Lists that are empty are `null`, maps are not.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answers {
    acks: Option<Vec<String>>,
    responses: BTreeMap<String, String>,
}

impl Answers {
    fn take(&mut self, answer: QueryRecord) {
        match answer {
            QueryRecord::Ack { from } => self.acks.get_or_insert_default().push(from),
            QueryRecord::Response { from, payload } => {
                self.responses.insert(from, String::from_utf8_lossy(&payload).into_owned());
            }
        }
    }

    fn totals(&self, acks: bool) -> String {
        let total = format!("Total Responses: {}\n", self.responses.len());
        if acks { format!("Total Acks: {}\n{total}", self.acks.as_ref().map_or(0, Vec::len)) } else { total }
    }

    fn sorted(mut self) -> Self {
        if let Some(acks) = &mut self.acks {
            acks.sort_unstable();
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::super::output::json;
    use super::*;

    fn response(from: &str, payload: &[u8]) -> QueryRecord {
        QueryRecord::Response { from: from.into(), payload: payload.into() }
    }

    fn ack(from: &str) -> QueryRecord {
        QueryRecord::Ack { from: from.into() }
    }

    #[test]
    fn one_newline_is_taken_from_the_end() {
        assert_eq!(line(&ack("a")), b"Ack from 'a'\n");
        assert_eq!(line(&response("a", b"load 1\n")), b"Response from 'a': load 1\n");
        assert_eq!(line(&response("a", b"x\ny\n\n")), b"Response from 'a': x\ny\n\n");
        assert_eq!(line(&response("a", b"\xff\x00")), b"Response from 'a': \xff\x00\n");
        assert_eq!(line(&response("a", b"")), b"Response from 'a': \n");
    }

    #[test]
    fn answers_of_nobody_are_known() {
        assert!(of_nobody(&ack("")) && of_nobody(&response("", b"x")));
        assert!(!of_nobody(&ack("a")) && !of_nobody(&response("a", b"")));
    }

    #[test]
    fn totals_and_documents() {
        let mut all = Answers::default();
        assert_eq!(all.totals(true), "Total Acks: 0\nTotal Responses: 0\n");
        assert_eq!(json(&all).unwrap(), "{\n  \"Acks\": null,\n  \"Responses\": {}\n}");
        for answer in [ack("b"), response("b", b"x\n"), ack("a")] {
            all.take(answer);
        }
        assert_eq!(all.totals(true), "Total Acks: 2\nTotal Responses: 1\n");
        assert_eq!(all.totals(false), "Total Responses: 1\n");
        let expected =
            "{\n  \"Acks\": [\n    \"a\",\n    \"b\"\n  ],\n  \"Responses\": {\n    \"b\": \"x\\n\"\n  }\n}";
        assert_eq!(json(&all.sorted()).unwrap(), expected);
    }
}
