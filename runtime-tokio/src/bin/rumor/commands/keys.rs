//! `rumor keys`: changes or lists the cluster's encryption keys.

use rumormill_tokio::rpc::client::KeyReply;

use super::failure::{Failure, Outcome, warn};
use super::output::{Cell, Output, table};
use super::{connect, refused};
use crate::args::{KeyChange, KeysArgs};

/// What is said of a change: before it, when it is done, and when it failed.
struct Words {
    begin: &'static str,
    done: &'static str,
    failed: &'static str,
}

const fn words(change: KeyChange<'_>) -> Words {
    let (begin, done, failed) = match change {
        KeyChange::Install(_) => {
            ("Installing key on all members...", "Successfully installed key!", "Error installing key")
        }
        KeyChange::Use(_) => (
            "Changing primary key on all members...",
            "Successfully changed primary key!",
            "Error changing primary key",
        ),
        KeyChange::Remove(_) => {
            ("Removing key on all members...", "Successfully removed key!", "Error removing key")
        }
        KeyChange::List => (
            "Asking all members for installed keys...",
            "Keys gathered, listing cluster keys...",
            "Failed to gather member keys",
        ),
    };
    Words { begin, done, failed }
}

/// Changes or lists.
pub(crate) async fn run(args: &KeysArgs) -> Outcome {
    let client = connect(&args.rpc).await?;
    let change = args.change();
    let words = words(change);
    let output = Output::standard();
    output.print(&format!("==> {}\n", words.begin))?;
    let reply = match change {
        KeyChange::Install(key) => client.install_key(key).await,
        KeyChange::Use(key) => client.use_key(key).await,
        KeyChange::Remove(key) => client.remove_key(key).await,
        KeyChange::List => client.list_keys().await,
    };
    let reply = reply.map_err(|error| refused(words.failed, &error))?;
    warn(&said_by_members(&reply));
    if let Some(error) = &reply.error {
        return Err(failed(&words, error, &reply));
    }
    output.print(&format!("==> {}\n", words.done))?;
    if change == KeyChange::List {
        output.print(&format!("\n{}", listed(&reply)))?;
    }
    Ok(())
}

/// What members had to say, a line each: why they could not do it, or a remark where they could.
fn said_by_members(reply: &KeyReply) -> String {
    let label = if reply.error.is_some() { "failed:" } else { "remark:" };
    let row = |(name, text): (&String, &String)| vec![Cell::new(label), Cell::new(name), Cell::new(text)];
    table(&reply.messages.iter().map(row).collect::<Vec<_>>(), false)
}

fn failed(words: &Words, error: &str, reply: &KeyReply) -> Failure {
    let failure = Failure::new(format!("{}: {error}", words.failed));
    if reply.num_resp < reply.num_nodes {
        let silent = reply.num_nodes - reply.num_resp;
        return failure.hint(format!(
            "{silent} of {} members did not answer; `rumor reachability -verbose` shows which, and the command may be repeated",
            reply.num_nodes
        ));
    }
    failure
}

/// Each key, and how many of the members that were asked have it.
fn listed(reply: &KeyReply) -> String {
    let row = |(key, count): (&String, &u32)| {
        vec![Cell::new(key), Cell::new(&format!("[{count}/{}]", reply.num_nodes))]
    };
    table(&reply.keys.iter().map(row).collect::<Vec<_>>(), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply() -> KeyReply {
        KeyReply {
            keys: [("bbbb".into(), 3), ("a".into(), 2)].into(),
            messages: [("web-1".into(), "no such\nkey".into()), ("db".into(), "full".into())].into(),
            num_nodes: 3,
            num_resp: 3,
            ..KeyReply::default()
        }
    }

    #[test]
    fn keys_are_listed_with_how_many_have_them() {
        assert_eq!(listed(&reply()), "a     [2/3]\nbbbb  [3/3]\n");
        assert_eq!(listed(&KeyReply::default()), "");
    }

    #[test]
    fn members_say_why_they_could_not() {
        let mut reply = reply();
        assert_eq!(said_by_members(&reply), "remark:  db     full\nremark:  web-1  no such\\nkey\n");
        reply.error = Some("2/3 nodes reported failure".into());
        assert_eq!(said_by_members(&reply), "failed:  db     full\nfailed:  web-1  no such\\nkey\n");
        assert_eq!(said_by_members(&KeyReply::default()), "");
    }

    #[test]
    fn who_did_not_answer_is_counted() {
        let mut reply = reply();
        let text = failed(&words(KeyChange::List), "2/3 nodes reported failure", &reply).text();
        assert_eq!(text, "Failed to gather member keys: 2/3 nodes reported failure\n");
        reply.num_resp = 1;
        let text = failed(&words(KeyChange::Use("k")), "1/3 nodes reported success", &reply).text();
        assert!(
            text.starts_with("Error changing primary key: 1/3 nodes reported success\nhint: 2 of 3 members"),
            "{text}"
        );
    }
}
