//! What a node tells of itself: that it leaves, and new tags.

use super::cluster::Cluster;
use super::{SECOND, lan};
use crate::error::CommandError;
use crate::io::{Command, CommandId, Done, Status};
use crate::tags::Tags;
use alloc::string::ToString;

#[test]
fn a_leave_is_told_and_is_no_failure() {
    let mut net = Cluster::converged(6, &lan());
    net.command(2, 1, Command::Leave);
    net.run(7 * SECOND);
    assert_eq!(net.completed, [(CommandId(1), Ok(Done::Left))]);
    net.kill(2);
    net.run(60 * SECOND);
    for i in [0, 1, 3, 4, 5] {
        assert_eq!(net.events[i], ["leave n2"], "node {i}");
        assert_eq!(net.node(i).member("n2").unwrap().status, Status::Left);
    }
}

#[test]
fn a_lonely_leave_is_done_at_once_and_nothing_more_is_taken() {
    let mut net = Cluster::strangers(1, &lan());
    net.command(0, 1, Command::Leave);
    net.command(0, 2, Command::Leave);
    assert_eq!(net.completed, [(CommandId(1), Ok(Done::Left)), (CommandId(2), Err(CommandError::Leaving))]);
}

#[test]
fn new_tags_reach_everybody_and_too_many_are_refused() {
    let mut net = Cluster::converged(6, &lan());
    net.command(1, 1, Command::SetTags(Tags::from_iter([("role", "web")])));
    net.run(5 * SECOND);
    assert_eq!(net.completed, [(CommandId(1), Ok(Done::TagsSent))]);
    for i in [0, 2, 3, 4, 5] {
        assert_eq!(net.events[i], ["update n1"], "node {i}");
        let meta = &net.node(i).member("n1").unwrap().identity.meta;
        assert_eq!(Tags::from_meta(meta).unwrap().get("role"), Some("web"));
    }
    let long = "x".repeat(600);
    net.command(1, 2, Command::SetTags(Tags::from_iter([("k", long)])));
    let error = net.completed.pop().unwrap().1.unwrap_err().to_string();
    assert_eq!(error, "tags take 606 bytes encoded, but may take at most 512");
}
