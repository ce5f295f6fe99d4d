//! One client: its requests, one after the other.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::debug;

use super::Shared;
use super::outlet::{Gone, Outlet};
use super::streams::Streams;
use crate::rpc::codec::{DecodeError, ReadError, Reader};
use crate::rpc::messages::{
    self as messages, Command, CoordinateReply, JoinReply, KeysReply, MembersReply, RequestHeader,
    StatsReply, WhyReply, errors,
};

/// Longest object of a client that has said who it is.
const OBJECT_BYTES_MAX: usize = 1 << 20;
/// Longest object of one that has not.
const STRANGER_BYTES_MAX: usize = 1 << 16;
/// How long a client may take to say who it is.
const STRANGER_PATIENCE: Duration = Duration::from_secs(30);

/// Why a request was not done.
#[derive(Debug)]
pub(super) enum Fault {
    /// The client is told why.
    Refused(String),
    /// The connection is closed.
    Close,
}

impl From<Gone> for Fault {
    fn from(_: Gone) -> Self {
        Self::Close
    }
}

/// A client's place in the protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Standing {
    shaken_hands: bool,
    authenticated: bool,
}

/// One client's session.
pub(super) struct Session {
    pub(super) shared: Arc<Shared>,
    pub(super) outlet: Arc<Outlet>,
    pub(super) streams: Streams,
    reader: Reader<OwnedReadHalf>,
    standing: Standing,
    known: Arc<AtomicBool>,
}

impl Session {
    /// `known` becomes true when the client has said who it is.
    pub(super) fn new(
        stream: TcpStream,
        peer: SocketAddr,
        shared: Arc<Shared>,
        known: Arc<AtomicBool>,
    ) -> Self {
        let (reader, writer) = stream.into_split();
        let outlet = Arc::new(Outlet::new(peer, writer, shared.clone()));
        let reader = Reader::new(reader, STRANGER_BYTES_MAX);
        Self { shared, outlet, streams: Streams::default(), reader, standing: Standing::default(), known }
    }

    /// Serves the client until it goes, makes no sense, or the server closes.
    pub(super) async fn run(mut self, mut closing: watch::Receiver<bool>) {
        let peer = self.outlet.peer;
        loop {
            let (outlet, limit) = (self.outlet.clone(), self.patience());
            let header = tokio::select! {
                // Only between requests: the one under way is answered.
                _ = closing.wait_for(|closing| *closing) => break,
                () = outlet.broken() => break,
                header = timeout(limit, self.reader.read::<RequestHeader>()) => header,
            };
            let request = match header {
                Ok(Ok(Some(request))) => request,
                Ok(Ok(None)) => break,
                Ok(Err(ReadError::Io(error))) => {
                    debug!("agent.ipc: client {peer}: {error}");
                    break;
                }
                Ok(Err(error)) => {
                    break self.outlet.warn(&format!("failed to decode request header: {error}"));
                }
                Err(_) => break self.outlet.warn("it has not said who it is in time"),
            };
            if self.handle(request).await.is_err() {
                break;
            }
        }
        debug!("agent.ipc: client {peer} has gone");
    }

    /// Waits until the client ends the connection or says something, at most so long.
    pub(super) async fn farewell(&mut self, within: Duration) {
        // Whatever it says now is too late.
        let _ = timeout(within, self.reader.read::<RequestHeader>()).await;
    }

    /// A client that has said who it is may be silent for ever.
    fn patience(&self) -> Duration {
        if self.is_known() { Duration::MAX } else { STRANGER_PATIENCE }
    }

    fn is_known(&self) -> bool {
        self.standing.shaken_hands && (self.standing.authenticated || self.shared.options.auth_key.is_none())
    }

    /// Whether the connection goes on.
    async fn handle(&mut self, RequestHeader { command: name, seq }: RequestHeader) -> Result<(), Gone> {
        let command = Command::named(&name);
        self.shared.options.tally.request(command);
        match self.attempt(command, seq).await {
            Ok(()) => Ok(()),
            Err(Fault::Close) => {
                if command.is_none() {
                    self.outlet.warn(&format!("command {:?} not recognized", clip(&name)));
                }
                Err(Gone)
            }
            Err(Fault::Refused(error)) => {
                self.shared.options.tally.failed();
                debug!("agent.ipc: client {}: {}: {error}", self.outlet.peer, clip(&name));
                self.refuse(command, seq, &error).await
            }
        }
    }

    async fn attempt(&mut self, command: Option<Command>, seq: u64) -> Result<(), Fault> {
        if !self.standing.shaken_hands && command != Some(Command::Handshake) {
            return self.hang_up(seq, errors::HANDSHAKE_REQUIRED).await;
        }
        if self.is_known() || matches!(command, Some(Command::Handshake | Command::Auth)) {
            return match command {
                Some(command) => self.dispatch(command, seq).await,
                None => self.hang_up(seq, errors::UNSUPPORTED_COMMAND).await,
            };
        }
        // Nobody knows whether a body follows an unknown command.
        let Some(command) = command else { return self.hang_up(seq, errors::AUTH_REQUIRED).await };
        if command.has_body() {
            self.skip_body().await?;
        }
        Ok(self.outlet.header(seq, errors::AUTH_REQUIRED).await?)
    }

    /// A last word.
    async fn hang_up(&self, seq: u64, error: &str) -> Result<(), Fault> {
        self.outlet.header(seq, error).await?;
        Err(Fault::Close)
    }

    /// An error; with an empty body where the command's answer has one.
    async fn refuse(&self, command: Option<Command>, seq: u64, error: &str) -> Result<(), Gone> {
        use Command::{
            GetCoordinate, InstallKey, Join, ListKeys, Members, MembersFiltered, RemoveKey, Stats, UseKey,
            Why,
        };
        let outlet = &self.outlet;
        match command {
            Some(Join) => outlet.reply(seq, error, &JoinReply::default()).await,
            Some(Members | MembersFiltered) => outlet.reply(seq, error, &MembersReply::default()).await,
            Some(InstallKey | UseKey | RemoveKey | ListKeys) => {
                outlet.reply(seq, error, &KeysReply::default()).await
            }
            Some(Stats) => outlet.reply(seq, error, &StatsReply::default()).await,
            Some(GetCoordinate) => outlet.reply(seq, error, &CoordinateReply::default()).await,
            Some(Why) => outlet.reply(seq, error, &WhyReply::default()).await,
            _ => outlet.header(seq, error).await,
        }
    }

    /// The answer to a request that was done, where it has no body.
    pub(super) async fn done(&self, seq: u64) -> Result<(), Fault> {
        Ok(self.outlet.header(seq, "").await?)
    }

    /// The answer to a request that was done.
    pub(super) async fn answer(&self, seq: u64, body: &impl Serialize) -> Result<(), Fault> {
        Ok(self.outlet.reply(seq, "", body).await?)
    }

    /// The request's body.
    pub(super) async fn body<T: DeserializeOwned>(&mut self) -> Result<T, Fault> {
        match timeout(self.patience(), self.reader.require()).await {
            Ok(Ok(body)) => Ok(body),
            // It was an object: what follows it is still in step.
            Ok(Err(ReadError::Decode(DecodeError::Malformed(reason)))) => {
                Err(Fault::Refused(format!("the request's body is malformed: {reason}")))
            }
            Ok(Err(ReadError::Io(_))) => Err(Fault::Close),
            Ok(Err(error)) => self.give_up(&format!("failed to decode request body: {error}")),
            Err(_) => self.give_up("its request's body did not come in time"),
        }
    }

    async fn skip_body(&mut self) -> Result<(), Fault> {
        match self.body::<serde::de::IgnoredAny>().await {
            Ok(_) | Err(Fault::Refused(_)) => Ok(()),
            Err(Fault::Close) => Err(Fault::Close),
        }
    }

    fn give_up<T>(&self, why: &str) -> Result<T, Fault> {
        self.outlet.warn(why);
        Err(Fault::Close)
    }

    pub(super) async fn shake_hands(&mut self, seq: u64) -> Result<(), Fault> {
        let messages::Handshake { version } = self.body().await?;
        if version != messages::VERSION {
            return Err(Fault::Refused(errors::UNSUPPORTED_VERSION.into()));
        }
        if self.standing.shaken_hands {
            return Err(Fault::Refused(errors::DUPLICATE_HANDSHAKE.into()));
        }
        self.standing.shaken_hands = true;
        self.meet();
        self.done(seq).await
    }

    pub(super) async fn authenticate(&mut self, seq: u64) -> Result<(), Fault> {
        let messages::Auth { auth_key } = self.body().await?;
        let auth_key = zeroize::Zeroizing::new(auth_key);
        // An agent that wants none takes an empty one (Serf).
        let wanted = self.shared.options.auth_key.as_ref().map_or("", |wanted| wanted.as_str());
        if !bool::from(wanted.as_bytes().ct_eq(auth_key.as_bytes())) {
            self.outlet.warn("it gave another token than the agent's");
            return Err(Fault::Refused(errors::INVALID_AUTH_TOKEN.into()));
        }
        self.standing.authenticated = true;
        self.meet();
        self.done(seq).await
    }

    /// Who is known may say more.
    fn meet(&mut self) {
        if self.is_known() {
            self.known.store(true, Ordering::Relaxed);
            self.reader.set_object_bytes_max(OBJECT_BYTES_MAX);
        }
    }
}

/// The beginning of what a client wrote, for the log.
fn clip(text: &str) -> &str {
    &text[..text.floor_char_boundary(64)]
}
