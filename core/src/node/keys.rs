//! Key commands: carried by internal queries to all members, each of which changes or lists its own keys (facts 2.10).
//!
//! Keys travel only where everything is sealed. Serf hands them out while encryption is being rolled out too: then anybody may
//! read them, and put in others.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::Node;
use super::queries::Draft;
use super::responses::Asker;
use crate::error::{CommandError, KeyringError};
use crate::events::Purpose;
use crate::events::internal::{Internal, KeyPoll, KeyReply, KeyRequest, decode, encode};
use crate::io::{CommandId, Done, Event, KeyAction, KeyReport, Outbox, QueryId};
use crate::keyring::Key;
use crate::time::Instant;
use crate::wire::{Response, ResponseKind};

impl Node {
    pub(super) fn keys(
        &mut self,
        id: CommandId,
        action: &KeyAction,
        relay_factor: u8,
        now: Instant,
        out: &mut Outbox,
    ) {
        let changes = *action != KeyAction::List;
        // One change after the other, as under Serf's lock: members hear queries in any order.
        let busy = |purpose: &Purpose| matches!(purpose, Purpose::Keys(poll) if poll.changes);
        if changes && self.queries.asked.values().any(|question| busy(&question.purpose)) {
            self.counters.busy += 1;
            return out.completed(id, Err(CommandError::Busy("key changes")));
        }
        let internal = Internal::of_action(action);
        let payload = match action {
            KeyAction::List => Vec::new(),
            KeyAction::Install(key) | KeyAction::Use(key) | KeyAction::Remove(key) => {
                // Where nothing is sealed every member refuses anyway; the key stays here.
                let key = if self.keys_are_guarded().is_ok() { key.expose() } else { &[] };
                encode(&KeyRequest { key })
            }
        };
        let draft = Draft { relay_factor, ..Draft::internal(internal, &payload) };
        let poll = KeyPoll { command: id, changes, report: KeyReport::default() };
        if let Err(error) = self.pose(Purpose::Keys(Box::new(poll)), &draft, now, out) {
            out.completed(id, Err(error));
        }
    }

    /// Whether what this node says and hears of keys is sealed; or why not.
    fn keys_are_guarded(&self) -> Result<(), Box<str>> {
        if self.wire.keyring().is_empty() {
            return Err(KeyringError::Off.to_string().into());
        }
        if !(self.config.verify_incoming && self.config.verify_outgoing) {
            return Err(
                "keys are handled only where everything is sealed: verify_incoming and verify_outgoing"
                    .into(),
            );
        }
        Ok(())
    }

    /// Changes the keyring as a query wants it; what to answer.
    pub(super) fn change_key(&mut self, internal: Internal, payload: &[u8], out: &mut Outbox) -> Vec<u8> {
        let result = self.try_change_key(internal, payload, out);
        let message = result.as_ref().map_or_else(|why| &**why, |()| "");
        encode(&KeyReply { done: result.is_ok(), message, keys: Vec::new(), primary: None })
    }

    fn try_change_key(
        &mut self,
        internal: Internal,
        payload: &[u8],
        out: &mut Outbox,
    ) -> Result<(), Box<str>> {
        self.keys_are_guarded()?;
        let request: KeyRequest<'_> = decode(payload).ok_or("the request is malformed")?;
        let key = Key::new(request.key).map_err(|error| error.to_string())?;
        let before = self.wire.keyring().clone();
        let changed = self.wire.change_keys(|ring| match internal {
            Internal::InstallKey if broken!(self.config, KeyNotInstalled) => Ok(()),
            Internal::RemoveKey if broken!(self.config, RemovedKeyKept) => Ok(()),
            Internal::InstallKey => ring.install(key),
            Internal::UseKey => ring.use_key(&key),
            _ => ring.remove(&key),
        });
        changed.map_err(|error| error.to_string())?;
        if *self.wire.keyring() != before {
            out.event(Event::KeysChanged);
        }
        Ok(())
    }

    /// The keys, as many as fit into an answer, the primary first.
    pub(super) fn list_keys(&self, query: QueryId, asker: &Asker<'_>) -> Vec<u8> {
        if let Err(why) = self.keys_are_guarded() {
            return encode(&KeyReply { done: false, message: &why, keys: Vec::new(), primary: None });
        }
        let ring = self.wire.keyring();
        let (all, primary) = (ring.len(), ring.primary().map(Key::expose));
        let me = self.members.me();
        for shown in (0..=all).rev() {
            let cut = format!("{shown} of {all} keys are shown, more do not fit");
            let message = if shown == all { "" } else { &*cut };
            let keys = ring.iter().take(shown).map(Key::expose).collect();
            let answer = encode(&KeyReply { done: true, message, keys, primary });
            let QueryId { ltime, id } = query;
            let response =
                Response { ltime, id, from: &me.name, kind: ResponseKind::Answer, payload: &answer };
            if self.response_size(&response, asker) <= self.response_size_max() {
                return answer;
            }
        }
        encode(&KeyReply {
            done: false,
            message: "response_bytes_max leaves no room",
            keys: Vec::new(),
            primary: None,
        })
    }

    /// Every member has answered, or the time is over.
    pub(super) fn end_key_command(poll: KeyPoll, asked: u32, missing: u32, out: &mut Outbox) {
        let report = Box::new(KeyReport { asked, ..poll.report });
        let result = if !report.failed.is_empty() {
            Err(CommandError::KeysFailed(report))
        } else if missing > 0 {
            Err(CommandError::KeysUnanswered(report))
        } else {
            Ok(Done::Keys(report))
        };
        out.completed(poll.command, result);
    }
}
