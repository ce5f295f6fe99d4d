//! What is dismissed at a glance is sound, and nothing that the rules would act on.

use super::words::{Word, packet};
use super::{addr, born, known, lan, name};
use crate::config::{Config, Confirmations};
use crate::io::{Input, Outbox};
use crate::node::Node;
use crate::step;
use crate::time::Instant;
use crate::wire::{Message, Wire};
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;
use proptest::prelude::*;

fn update() -> impl Strategy<Value = Word> {
    (0u8..3, 0usize..9, 0u32..4, 0usize..9).prop_map(|(kind, of, incarnation, by)| match kind {
        0 => Word::Alive { of, incarnation },
        1 => Word::Suspect { of, incarnation, by },
        _ => Word::Dead { of, incarnation, by },
    })
}

fn hear(node: &mut Node, word: Word, now: Instant) {
    let bytes = packet(&[word]);
    let _ = step(node, Input::Packet { from: addr(1), bytes: &bytes }, now, &mut Outbox::new());
}

/// All that a node believes, and what it is about to say.
fn beliefs(node: &Node) -> (Vec<String>, usize, usize) {
    let members = node.members().map(|view| alloc::format!("{view:?}")).collect();
    (members, node.queue_depth(), node.open_suspicions())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_dismissed_at_a_glance_would_change_nothing(
        history in prop::collection::vec(update(), 0..30),
        last in update(),
        confirmations in 0u8..3,
        flip in prop::option::of((any::<prop::sample::Index>(), 0u8..8)),
        extension in prop::option::of(any::<u8>()),
    ) {
        let config = Config {
            notes: true,
            suspicion_confirmations: Confirmations::Exactly(confirmations),
            ..lan()
        };
        let mut node = born(0, &config, &known(8), Instant::ORIGIN);
        let mut now = Instant::ORIGIN;
        for word in history {
            now = now + Duration::from_millis(10);
            hear(&mut node, word, now);
        }
        // The update as it stands in a packet, perhaps with a flipped bit or a byte where extensions would be.
        let mut wire = Wire::new(&config);
        let whole = packet(&[last]);
        let sound = wire.open_packet(&whole).unwrap().next().unwrap().unwrap();
        let mut bytes = Vec::new();
        wire.encode(&sound, &mut bytes);
        if let Some(byte) = extension {
            bytes.push(byte);
            bytes[1] += 1;
        }
        if let Some((place, bit)) = flip {
            let place = place.index(bytes.len());
            bytes[place] ^= 1 << bit;
        }
        let mut damaged = Vec::new();
        let start = wire.begin_packet(&mut damaged);
        damaged.extend_from_slice(&bytes);
        wire.finish_packet(start, &mut damaged);

        let mut messages = wire.open_packet(&damaged).unwrap();
        let mut all = messages.clone();
        node.pass_over_stale(&mut messages);
        let before = beliefs(&node);
        let mut outbox = Outbox::new();
        outbox.begin(true);
        // What was passed over, message by message.
        while all.bytes() > messages.bytes() {
            let read = all.next().unwrap();
            prop_assert!(read.is_ok(), "malformed, but dismissed: {read:?}");
            match read.unwrap() {
                Message::Alive(alive) => node.heard_alive(&alive, crate::io::Via::Gossip, now, &mut outbox),
                Message::Suspect(suspect) => node.heard_suspect(&suspect, crate::io::Via::Gossip, now, &mut outbox),
                Message::Dead(dead) => node.heard_dead(&dead, crate::io::Via::Gossip, now, &mut outbox),
                other => prop_assert!(false, "no update: {other:?}"),
            }
        }
        prop_assert_eq!(outbox.outputs().count(), 0);
        prop_assert_eq!(beliefs(&node), before);
    }
}

/// The glance is not vain: what everybody repeats is dismissed by it.
#[test]
fn repeated_news_is_dismissed_at_a_glance() {
    let config = Config { suspicion_confirmations: Confirmations::Exactly(0), ..lan() };
    let mut node = born(0, &config, &known(8), Instant::ORIGIN);
    let stale = |node: &Node, word: Word| {
        let bytes = packet(&[word]);
        let wire = Wire::new(&config);
        let mut messages = wire.open_packet(&bytes).unwrap();
        node.pass_over_stale(&mut messages);
        messages.bytes() == 0
    };
    let (suspect, dead) =
        (Word::Suspect { of: 3, incarnation: 1, by: 4 }, Word::Dead { of: 3, incarnation: 1, by: 4 });
    assert!(stale(&node, Word::Alive { of: 3, incarnation: 1 }));
    assert!(!stale(&node, Word::Alive { of: 3, incarnation: 2 }) && !stale(&node, suspect));
    hear(&mut node, suspect, Instant::ORIGIN);
    assert!(stale(&node, suspect) && !stale(&node, dead));
    hear(&mut node, dead, Instant::ORIGIN);
    assert!(stale(&node, suspect) && stale(&node, dead));
    assert!(!stale(&node, Word::Dead { of: 3, incarnation: 1, by: 3 }), "it left: {}", name(3));
}
