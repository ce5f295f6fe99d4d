//! Members as an application sees them.

use std::net::SocketAddr;
use std::sync::Arc;

use rumormill_core::id::{Incarnation, SharedIdentity, Versions};
use rumormill_core::io::Status;
use rumormill_core::tags::Tags;

/// A member of the cluster, as this node sees it. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Name, address, encoded tags, versions.
    pub identity: SharedIdentity,
    /// Its incarnation.
    pub incarnation: Incarnation,
    /// Alive, leaving, left or failed.
    pub status: Status,
}

impl Member {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.identity.name.as_str()
    }

    /// Where it receives packets and streams.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.identity.addr
    }

    /// Its tags; none where its meta data is not in the tags' encoding.
    #[must_use]
    pub fn tags(&self) -> Tags {
        Tags::from_meta(&self.identity.meta).unwrap_or_default()
    }

    /// The versions that it speaks.
    #[must_use]
    pub fn versions(&self) -> Versions {
        self.identity.versions
    }
}

/// All members that a node knows at one moment, itself included, sorted by name.
#[derive(Clone, Debug, Default)]
pub struct Members(Arc<[Member]>);

impl Members {
    /// Of these, in any order.
    #[must_use]
    pub fn new(mut members: Vec<Member>) -> Self {
        members.sort_by(|a, b| a.name().cmp(b.name()));
        Self(members.into())
    }

    /// The member of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Member> {
        self.0.binary_search_by(|member| member.name().cmp(name)).ok().map(|index| &self.0[index])
    }
}

impl std::ops::Deref for Members {
    type Target = [Member];

    fn deref(&self) -> &[Member] {
        &self.0
    }
}
