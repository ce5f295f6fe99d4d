//! The wires and members that the targets play with. Names and addresses are those of the wire's golden vectors.

use std::net::SocketAddr;
use std::sync::Arc;

use rumormill_core::config::{AntiEntropy, Cipher, Pacing, Packing};
use rumormill_core::id::{Identity, Incarnation, NodeName, SharedIdentity, Versions};
use rumormill_core::keyring::{Key, Keyring};
use rumormill_core::wire::Wire;
use rumormill_core::{Config, Seed};

/// The node itself, then those that it knows, then one that failed.
pub const NAMES: [&str; 6] = ["anna", "bert", "n2", "n3", "n4", "n5"];

pub fn addr(i: u8) -> SocketAddr {
    match i % 16 {
        0 => ([10, 1, 2, 3], 7946).into(),
        15 => (core::net::Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1), 7946).into(),
        i => ([10, 0, 0, i], 7946).into(),
    }
}

pub fn name(i: usize) -> NodeName {
    NodeName::new(NAMES[i % NAMES.len()]).expect("a name")
}

pub fn member(i: usize) -> (SharedIdentity, Incarnation) {
    let identity =
        Identity { name: name(i), addr: addr(i as u8), meta: [].into(), versions: Versions::CURRENT };
    (Arc::new(identity), Incarnation(1))
}

pub fn key(byte: u8) -> Key {
    Key::new(&[byte; 32]).expect("32 bytes")
}

/// How many different settings there are.
pub const CHOICES: u8 = 6;

/// Settings that differ in what decoding and stepping look at, at the tightest bounds that there are.
pub fn config(choice: u8) -> Config {
    let tight = Config {
        queue_messages_max: 16,
        members_max: 20,
        streams_max: 16,
        relays_max: 2,
        intents_max: 16,
        event_buffer: 16,
        event_origins_max: 16,
        query_buffer: 16,
        queries_max: 4,
        simulation: true,
        notes: true,
        ..Config::lan()
    };
    match choice {
        0 => tight,
        1 => Config { anti_entropy: AntiEntropy::Delta, frame_bytes_max: 4096, ..tight },
        2 => Config { label: "blue".into(), ..tight },
        3 => Config { verify_incoming: false, verify_outgoing: false, ..tight },
        4 => Config {
            cipher: Cipher::ChaCha20Poly1305,
            packing: Packing::Strict,
            pacing: Pacing::Tick,
            event_repair: false,
            packet_bytes_max: 1200,
            ..tight
        },
        _ => Config {
            suspicion: false,
            awareness: false,
            nacks: false,
            buddy: false,
            coordinates: false,
            stream_probe: false,
            packet_updates_max: 6,
            notes: false,
            dead_reclaim: core::time::Duration::from_secs(1),
            ..tight
        },
    }
}

/// Whether the nodes of a choice have keys.
pub fn keyring(choice: u8) -> Keyring {
    match choice {
        2..=4 => Keyring::of(key(7), vec![key(8)]).expect("two keys"),
        _ => Keyring::empty(),
    }
}

/// How a peer of the same cluster writes, whose nonces are its own.
pub fn wire(choice: u8, peer: u64) -> Wire {
    wire_with(choice, keyring(choice), peer)
}

/// The same with these keys.
pub fn wire_with(choice: u8, keyring: Keyring, peer: u64) -> Wire {
    Wire::with_keys(&config(choice), keyring, &Seed::simulated(2, peer, 0)).expect("the keys fit")
}
