//! What a client's commands do with the agent.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rumormill_core::error::CommandError;
use rumormill_core::id::NodeName;
use rumormill_core::io::{EventRequest, KeyAction, KeyReport, QueryRequest, TagFilter};
use rumormill_core::keyring::Key;
use rumormill_core::tags::Tags;
use zeroize::Zeroizing;

use super::filters::MemberFilter;
use super::session::{Fault, Session};
use super::{stats, streams};
use crate::Error;
use crate::rpc::filter::EventFilter;
use crate::rpc::log::Level;
use crate::rpc::messages::{
    self as messages, Command, CoordinateReply, JoinReply, KeysReply, MembersReply, RpcMember, WhyReply,
    errors,
};

/// How long a client that made the agent leave has to end the connection.
const FAREWELL: Duration = Duration::from_secs(1);
/// What names of Serf's own queries begin with.
const SERF_PREFIX: &str = "_serf_";
/// The one of them that clients may ask, and the core's name of it.
const PINGS: (&str, &str) = ("_serf_ping", "_rumor_ping");
const PREFIX_REFUSED: &str = "Queries cannot contain the '_serf_' prefix";

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Refused(error.to_string())
    }
}

impl Session {
    pub(super) async fn dispatch(&mut self, command: Command, seq: u64) -> Result<(), Fault> {
        match command {
            Command::Handshake => self.shake_hands(seq).await,
            Command::Auth => self.authenticate(seq).await,
            Command::Event => self.event(seq).await,
            Command::ForceLeave => self.force_leave(seq).await,
            Command::Join => self.join(seq).await,
            Command::Members => self.members(seq).await,
            Command::MembersFiltered => self.members_filtered(seq).await,
            Command::Tags => self.tags(seq).await,
            Command::Stream => self.stream(seq).await,
            Command::Monitor => self.monitor(seq).await,
            Command::Stop => self.stop(seq).await,
            Command::Leave => self.leave(seq).await,
            Command::Query => self.query(seq).await,
            Command::Respond => self.respond(seq).await,
            Command::InstallKey => self.change_keys(seq, KeyAction::Install).await,
            Command::UseKey => self.change_keys(seq, KeyAction::Use).await,
            Command::RemoveKey => self.change_keys(seq, KeyAction::Remove).await,
            Command::ListKeys => self.keys(seq, KeyAction::List).await,
            Command::Stats => {
                let stats = stats::collect(&self.shared.agent, &self.shared.options).await?;
                self.answer(seq, &stats).await
            }
            Command::GetCoordinate => self.coordinate(seq).await,
            Command::Why => self.why(seq).await,
        }
    }

    async fn event(&mut self, seq: u64) -> Result<(), Fault> {
        let messages::Event { coalesce, name, payload } = self.body().await?;
        let raw = name.len() + payload.len();
        let request = EventRequest { name: name.into(), payload: payload.into(), coalesce };
        self.shared.agent.user_event(request).await.map_err(|error| match error {
            Error::Command(CommandError::TooLong { allowed, .. }) if raw > allowed => Fault::Refused(
                format!("user event exceeds configured limit of {allowed} bytes before encoding"),
            ),
            Error::Command(CommandError::TooLong { allowed, .. }) => Fault::Refused(format!(
                "encoded user event exceeds configured limit of {allowed} bytes after encoding"
            )),
            error => error.into(),
        })?;
        self.done(seq).await
    }

    async fn force_leave(&mut self, seq: u64) -> Result<(), Fault> {
        let messages::ForceLeave { node, prune } = self.body().await?;
        self.shared.agent.force_leave(&node, prune).await?;
        self.done(seq).await
    }

    async fn join(&mut self, seq: u64) -> Result<(), Fault> {
        let messages::Join { existing, replay } = self.body().await?;
        // Nobody to ask is no failure (Serf).
        let reached = match &existing[..] {
            [] => 0,
            addresses => self.shared.agent.join(addresses, replay).await?.reached,
        };
        self.answer(seq, &JoinReply { num: count(reached) }).await
    }

    async fn members(&self, seq: u64) -> Result<(), Fault> {
        let members = self.shared.agent.members().iter().map(RpcMember::from).collect();
        self.answer(seq, &MembersReply { members }).await
    }

    async fn members_filtered(&mut self, seq: u64) -> Result<(), Fault> {
        let filter = MemberFilter::new(&self.body().await?)?;
        let members = self.shared.agent.members();
        let members = members.iter().filter(|member| filter.shows(member)).map(RpcMember::from).collect();
        self.answer(seq, &MembersReply { members }).await
    }

    async fn tags(&mut self, seq: u64) -> Result<(), Fault> {
        let messages::TagsChange { delete_tags, tags: set } = self.body().await?;
        let _alone = self.shared.tags.lock().await;
        let mut tags = messages::owned_tags(&self.shared.agent.me().tags());
        tags.retain(|key, _| !delete_tags.contains(key));
        tags.extend(set);
        let tags: Tags = tags.into_iter().collect();
        self.shared.agent.set_tags(tags).await.map_err(|error| match error {
            Error::Command(CommandError::TagsTooLong { allowed, .. }) => {
                Fault::Refused(format!("Encoded length of tags exceeds limit of {allowed} bytes"))
            }
            error => error.into(),
        })?;
        self.done(seq).await
    }

    async fn stream(&mut self, seq: u64) -> Result<(), Fault> {
        let messages::Stream { r#type } = self.body().await?;
        self.streams.check_free(seq)?;
        let filters =
            EventFilter::parse_list(&r#type).map_err(|_| Fault::Refused(errors::INVALID_FILTER.into()))?;
        // Before the answer, so that no event falls between both.
        let events = self.shared.agent.events();
        self.done(seq).await?;
        self.streams.follow_events(seq, filters, events, &self.outlet);
        Ok(())
    }

    async fn monitor(&mut self, seq: u64) -> Result<(), Fault> {
        let messages::Monitor { log_level } = self.body().await?;
        let level: Level = log_level.parse().map_err(|error| Fault::Refused(format!("{error}")))?;
        self.streams.check_no_monitor()?;
        let (kept, lines) = self.shared.options.log.subscribe(level);
        self.done(seq).await?;
        self.streams.follow_log(seq, kept, lines, &self.outlet);
        Ok(())
    }

    async fn stop(&mut self, seq: u64) -> Result<(), Fault> {
        let messages::Stop { stop } = self.body().await?;
        self.streams.stop(stop).await;
        self.done(seq).await
    }

    /// The client is told how leaving went; the agent stops in any case.
    async fn leave(&mut self, seq: u64) -> Result<(), Fault> {
        tracing::info!("agent.ipc: Graceful leave triggered");
        let agent = &self.shared.agent;
        let error = match agent.leave().await {
            Ok(()) => String::new(),
            // Somebody else told it before: to stop it now would cut that short.
            Err(Error::Command(CommandError::Leaving)) => {
                agent.stopped().await;
                String::new()
            }
            Err(error) => error.to_string(),
        };
        let told = self.outlet.header(seq, &error).await;
        agent.shutdown().await;
        // Go's client may take an end that comes with the answer for a failure, so that it ends the connection itself.
        self.farewell(FAREWELL).await;
        Ok(told?)
    }

    async fn query(&mut self, seq: u64) -> Result<(), Fault> {
        let messages::Query { filter_nodes, filter_tags, name, payload, relay_factor, request_ack, timeout } =
            self.body().await?;
        let ping = name == PINGS.0 && payload.is_empty();
        if name.starts_with(SERF_PREFIX) && !ping {
            return Err(Fault::Refused(PREFIX_REFUSED.into()));
        }
        let nodes = filter_nodes.iter().map(|node| {
            NodeName::new(node).map_err(|error| Fault::Refused(format!("{node:?} is no node name: {error}")))
        });
        let tags = filter_tags
            .into_iter()
            .map(|(tag, expression)| TagFilter { tag: tag.into(), expression: expression.into() });
        let request = QueryRequest {
            name: if ping { PINGS.1.into() } else { name.into() },
            payload: payload.into(),
            nodes: nodes.collect::<Result<_, _>>()?,
            tags: tags.collect(),
            ack: request_ack,
            relay_factor,
            timeout: u64::try_from(timeout).ok().filter(|t| *t > 0).map(Duration::from_nanos),
        };
        self.streams.check_queries()?;
        let everybody = ping && request.nodes.is_empty() && request.tags.is_empty();
        let answers = self.shared.agent.query(request).await.map_err(|error| match error {
            Error::Command(CommandError::TooLong { allowed, .. }) => {
                Fault::Refused(format!("query exceeds limit of {allowed} bytes"))
            }
            error => error.into(),
        })?;
        // Nobody answers a ping: it is over when everybody has acknowledged it.
        let expected = (everybody && request_ack).then(|| streams::names_up(&self.shared.agent.members()));
        self.done(seq).await?;
        self.streams.follow_query(seq, answers, expected, &self.outlet);
        Ok(())
    }

    async fn respond(&mut self, seq: u64) -> Result<(), Fault> {
        let messages::Respond { id, payload } = self.body().await?;
        let invalid = || Fault::Refused(errors::INVALID_QUERY_ID.into());
        let query = self.streams.pending(id).ok_or_else(invalid)?;
        self.shared.agent.respond(query, &payload).await.map_err(|error| match error {
            Error::Command(CommandError::NoSuchQuery) => invalid(),
            Error::Command(CommandError::TooLong { allowed, .. }) => {
                Fault::Refused(format!("response exceeds limit of {allowed} bytes"))
            }
            error => error.into(),
        })?;
        self.done(seq).await
    }

    async fn change_keys(&mut self, seq: u64, action: impl FnOnce(Key) -> KeyAction) -> Result<(), Fault> {
        let messages::KeyChange { key } = self.body().await?;
        let key = Zeroizing::new(key);
        let bytes = STANDARD.decode(key.as_bytes()).map(Zeroizing::new).map_err(|error| {
            Fault::Refused(format!("the key is no base64 of 16, 24 or 32 bytes: {error}"))
        })?;
        let key = Key::new(&bytes).map_err(|error| Fault::Refused(error.to_string()))?;
        self.keys(seq, action(key)).await
    }

    async fn keys(&self, seq: u64, action: KeyAction) -> Result<(), Fault> {
        let list = action == KeyAction::List;
        let result = self.shared.agent.keys(action, 0).await;
        let error = result.as_ref().err().map(ToString::to_string).unwrap_or_default();
        let report = match result {
            Ok(report) => report,
            Err(Error::Command(CommandError::KeysFailed(report) | CommandError::KeysUnanswered(report))) => {
                *report
            }
            Err(error) => return Err(error.into()),
        };
        Ok(self.outlet.reply(seq, &error, &keys_reply(report, list)).await?)
    }

    async fn coordinate(&mut self, seq: u64) -> Result<(), Fault> {
        let messages::CoordinateOf { node } = self.body().await?;
        let coordinate = self.shared.agent.coordinate(&node).await?;
        let (ok, coord) = (coordinate.is_some(), coordinate.map(Into::into).unwrap_or_default());
        self.answer(seq, &CoordinateReply { coord, ok }).await
    }

    async fn why(&mut self, seq: u64) -> Result<(), Fault> {
        let messages::WhyOf { node } = self.body().await?;
        let agent = &self.shared.agent;
        if node.is_empty() {
            let troubled = agent.troubled().await?;
            return self.answer(seq, &WhyReply { troubled, why: None }).await;
        }
        let why = agent.why(&node).await?;
        if why.is_none() {
            let words = format!("no member is named {node:?}, and nothing is remembered of one");
            return Err(Fault::Refused(words));
        }
        self.answer(seq, &WhyReply { why, troubled: Vec::new() }).await
    }
}

fn keys_reply(report: KeyReport, list: bool) -> KeysReply {
    let KeyReport { asked, answered, failed, remarks, keys, .. } = report;
    let num_err = i32::try_from(failed.len()).unwrap_or(i32::MAX);
    let messages = remarks.into_iter().chain(failed);
    let messages = messages.map(|(name, message)| (name.as_str().into(), message.into()));
    let keys = keys.iter().map(|(key, members)| (STANDARD.encode(key.expose()), count(*members)));
    KeysReply {
        keys: list.then(|| keys.collect::<BTreeMap<_, _>>()),
        messages: messages.collect(),
        num_err,
        num_nodes: count(asked),
        num_resp: count(answered),
    }
}

/// A count as the protocol has it.
fn count(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
