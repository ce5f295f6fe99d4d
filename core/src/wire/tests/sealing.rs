//! Sealed packets and frames: bytes, refusals, and who takes what from whom.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::config::Cipher;
use crate::keyring::{Key, Keyring, KeyringError};
use crate::wire::{WireError, WireErrorClass};
use std::format;
use std::string::String;

const PING: Message<'static> = Message::Ping { seq: ProbeSeq(7), target: "anna" };

fn key(byte: u8, length: usize) -> Key {
    Key::new(&alloc::vec![byte; length]).unwrap()
}

fn ring(bytes: &[u8]) -> Keyring {
    let mut keys = bytes.iter().map(|&byte| key(byte, 32));
    Keyring::of(keys.next().unwrap(), keys.collect()).unwrap()
}

fn config(label: &str) -> Config {
    Config { label: label.into(), ..Config::lan() }
}

fn with(config: &Config, keyring: Keyring) -> Wire {
    Wire::with_keys(config, keyring, &Seed::simulated(1, 2, 3)).unwrap()
}

/// A wire that seals with a key of so many bytes, at a nonce that is known.
fn known(cipher: Cipher, length: usize) -> Wire {
    let ring = Keyring::of(Key::new(&(0..length as u8).collect::<Vec<_>>()).unwrap(), Vec::new()).unwrap();
    let mut wire = with(&Config { cipher, ..config("blue") }, ring);
    let sealer = wire.sealer.as_mut().unwrap();
    sealer.set_nonce_random(*b"noncenon");
    sealer.set_nonce_counter(258);
    wire
}

fn seal_packet(wire: &mut Wire, messages: &[Message<'_>]) -> Vec<u8> {
    let mut out = Vec::from([9, 9]);
    let start = wire.begin_packet(&mut out);
    messages.iter().for_each(|message| wire.encode(message, &mut out));
    wire.finish_packet(start, &mut out);
    out.split_off(2)
}

fn seal_frame(wire: &mut Wire, messages: &[Message<'_>]) -> Vec<u8> {
    let mut out = Vec::from([9, 9]);
    let start = wire.begin_frame(&mut out);
    messages.iter().for_each(|message| wire.encode(message, &mut out));
    wire.finish_frame(start, &mut out);
    out.split_off(2)
}

/// Whether a packet is taken, with all its messages; else why not.
fn take(wire: &Wire, packet: &[u8]) -> Result<usize, WireError> {
    let mut opened = Vec::new();
    wire.unseal_packet(packet, &mut opened)?.try_fold(0, |n, message| message.map(|_| n + 1))
}

fn take_frame(wire: &Wire, frame: &[u8]) -> Result<usize, WireError> {
    let mut opened = Vec::new();
    wire.unseal_frame(frame, &mut opened)?.try_fold(0, |n, message| message.map(|_| n + 1))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Computed once with another implementation (OpenSSL, through Python's `cryptography`).
const GOLDEN: [(Cipher, usize, &str); 4] = [
    (
        Cipher::AesGcm,
        16,
        "d7010504626c75656e6f6e63656e6f6e020100009209dd1dbcf46334a92ae0dd235d829a316e4f73662c9cfd",
    ),
    (
        Cipher::AesGcm,
        24,
        "d7010504626c75656e6f6e63656e6f6e02010000552459e1cd178780c73237dd00d02e321d3fd59dd9102544",
    ),
    (
        Cipher::AesGcm,
        32,
        "d7010504626c75656e6f6e63656e6f6e020100000b6eec80166388f93fadb1ee76a2affd2948e8827ae10d55",
    ),
    (
        Cipher::ChaCha20Poly1305,
        32,
        "d7010504626c75656e6f6e63656e6f6e0201000071e7daeb386fb2e7fded9eddab36a4bdc3297ad61e409084",
    ),
];

#[test]
fn wire_version_1_has_these_sealed_packets() {
    for (cipher, length, expected) in GOLDEN {
        let mut wire = known(cipher, length);
        let packet = seal_packet(&mut wire, &[PING]);
        assert_eq!(hex(&packet), expected, "{cipher:?} {length}");
        assert_eq!(take(&wire, &packet), Ok(1));
    }
}

#[test]
fn a_sealed_frame_is_its_length_and_a_sealed_packet() {
    for (cipher, length, expected) in GOLDEN {
        let frame = seal_frame(&mut known(cipher, length), &[PING]);
        assert_eq!(frame[..5], [0xD8, frame.len() as u8 - 5, 0, 0, 0]);
        assert_eq!(hex(&frame[5..]), expected);
        assert_eq!(take_frame(&known(cipher, length), &frame), Ok(1));
    }
}

#[test]
fn a_sealed_packet_or_frame_with_any_bit_flipped_or_its_end_cut_off_is_refused() {
    for (cipher, length, _) in GOLDEN {
        let mut wire = known(cipher, length);
        let (packet, frame) = (seal_packet(&mut wire, &[PING]), seal_frame(&mut wire, &[PING]));
        for bit in 0..packet.len() * 8 {
            let mut damaged = packet.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(take(&wire, &damaged).is_err(), "bit {bit}");
        }
        for bit in 0..frame.len() * 8 {
            let mut damaged = frame.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(take_frame(&wire, &damaged).is_err(), "bit {bit}");
        }
        assert!((0..packet.len()).all(|end| take(&wire, &packet[..end]).is_err()));
        assert!((0..frame.len()).all(|end| take_frame(&wire, &frame[..end]).is_err()));
    }
}

/// Facts 5.2, 59: the label counts with encryption as without.
#[test]
fn a_packet_of_another_label_does_not_open_even_with_the_same_key() {
    for (ours, theirs) in [("blue", "blux"), ("blue", ""), ("", "blue")] {
        let (ours, mut theirs) = (with(&config(ours), ring(&[1])), with(&config(theirs), ring(&[1])));
        assert_eq!(take(&ours, &seal_packet(&mut theirs, &[PING])), Err(WireError::Label));
    }
    // Whoever swaps the label in the header breaks the seal.
    let mut blue = with(&config("blue"), ring(&[1]));
    let mut packet = seal_packet(&mut blue, &[PING]);
    packet[4..8].copy_from_slice(b"pink");
    assert_eq!(take(&with(&config("pink"), ring(&[1])), &packet), Err(WireError::Seal));
}

/// Facts 5.2, 60: what was sealed with an old key still opens while the key is there.
#[test]
fn every_key_of_the_ring_opens_and_the_primary_seals() {
    let (ours, mut old) = (with(&config(""), ring(&[1, 2, 3])), with(&config(""), ring(&[3])));
    let packet = seal_packet(&mut old, &[PING, PING]);
    assert_eq!(take(&ours, &packet), Ok(2));
    let mut ours = ours;
    assert_eq!(take(&old, &seal_packet(&mut ours, &[PING])), Err(WireError::Seal));
    ours.change_keys(|ring| ring.use_key(&key(3, 32))).unwrap();
    assert_eq!(take(&old, &seal_packet(&mut ours, &[PING])), Ok(1));
    ours.change_keys(|ring| ring.use_key(&key(1, 32)).and_then(|()| ring.remove(&key(3, 32)))).unwrap();
    assert_eq!(take(&ours, &packet), Err(WireError::Seal));
}

#[test]
fn a_change_of_keys_that_fails_changes_nothing() {
    let mut wire = with(&config(""), ring(&[1, 2]));
    let change = wire.change_keys(|ring| {
        ring.use_key(&key(2, 32))?;
        ring.remove(&key(2, 32))
    });
    assert_eq!(change, Err(KeyringError::Primary));
    assert_eq!(*wire.keyring(), ring(&[1, 2]));
    let mut first = with(&config(""), ring(&[1]));
    assert_eq!(take(&first, &seal_packet(&mut wire, &[PING])), Ok(1), "the first key seals as before");
    assert_eq!(Wire::new(&config("")).change_keys(|ring| ring.install(key(1, 32))), Err(KeyringError::Off));
    assert_eq!(take(&wire, &seal_packet(&mut first, &[PING])), Ok(1));
}

#[test]
fn chacha_takes_keys_of_32_bytes_only_at_birth_and_later() {
    let config = Config { cipher: Cipher::ChaCha20Poly1305, ..Config::lan() };
    let seed = Seed::simulated(1, 2, 3);
    for length in [16, 24] {
        let short = Keyring::of(key(1, 32), Vec::from([key(2, length)])).unwrap();
        assert_eq!(Wire::with_keys(&config, short, &seed).unwrap_err(), KeyringError::Unfit(length));
        let mut wire = with(&config, ring(&[1]));
        let change = wire.change_keys(|ring| ring.install(key(2, length)));
        assert_eq!(change, Err(KeyringError::Unfit(length)));
        assert_eq!(*wire.keyring(), ring(&[1]));
    }
}

#[test]
fn keys_of_different_lengths_and_ciphers_do_not_open_each_other() {
    let mut packets: Vec<_> =
        GOLDEN.iter().map(|(cipher, length, _)| seal_packet(&mut known(*cipher, *length), &[PING])).collect();
    packets.dedup();
    assert_eq!(packets.len(), GOLDEN.len());
    for (i, (cipher, length, _)) in GOLDEN.iter().enumerate() {
        for (j, packet) in packets.iter().enumerate() {
            assert_eq!(take(&known(*cipher, *length), packet).is_ok(), i == j, "{i} takes from {j}");
        }
    }
}

/// The steps of a roll-out: no keys, keys that only open what comes sealed, sealing, and insisting (facts 5.2, 62).
fn rollout() -> [Wire; 4] {
    let step = |verify_incoming, verify_outgoing| {
        with(&Config { verify_incoming, verify_outgoing, ..config("") }, ring(&[1]))
    };
    [Wire::new(&config("")), step(false, false), step(false, true), step(true, true)]
}

#[test]
fn the_steps_of_a_rollout_take_from_each_other_what_they_should() {
    const SEALED: Result<usize, WireError> = Err(WireError::Sealed);
    const UNSEALED: Result<usize, WireError> = Err(WireError::Unsealed);
    // Rows receive, columns send.
    let expected = [
        [Ok(1), Ok(1), SEALED, SEALED],
        [Ok(1), Ok(1), Ok(1), Ok(1)],
        [Ok(1), Ok(1), Ok(1), Ok(1)],
        [UNSEALED, UNSEALED, Ok(1), Ok(1)],
    ];
    let (receivers, mut senders) = (rollout(), rollout());
    for (receiver, row) in receivers.iter().zip(expected) {
        for (sender, expected) in senders.iter_mut().zip(row) {
            assert_eq!(take(receiver, &seal_packet(sender, &[PING])), expected);
            assert_eq!(take_frame(receiver, &seal_frame(sender, &[PING])), expected);
        }
    }
}

#[test]
fn refusals_of_seals_are_a_class_of_their_own() {
    for error in [WireError::Sealed, WireError::Unsealed, WireError::Seal] {
        assert_eq!(error.class(), WireErrorClass::Seal);
    }
    let other = seal_packet(&mut with(&config(""), ring(&[2])), &[PING]);
    assert_eq!(take(&with(&config(""), ring(&[1])), &other), Err(WireError::Seal));
    assert_eq!(Wire::new(&config("")).open_packet(&other).unwrap_err(), WireError::Sealed);
    assert_eq!(with(&config(""), ring(&[2])).open_packet(&other).unwrap_err(), WireError::Sealed);
}

#[test]
fn no_nonce_comes_twice_when_the_counter_is_used_up_nor_from_a_fork() {
    let mut wire = with(&config(""), ring(&[1]));
    wire.sealer.as_mut().unwrap().set_nonce_counter(u32::MAX - 1);
    let mut fork = wire.fork(&Seed::simulated(1, 2, 4));
    let mut nonces: Vec<_> = (0..4).map(|_| seal_packet(&mut wire, &[PING])[3..15].to_vec()).collect();
    nonces.extend((0..4).map(|_| seal_packet(&mut fork, &[PING])[3..15].to_vec()));
    assert_eq!(nonces[0][..8], nonces[1][..8]);
    assert_ne!(nonces[1][..8], nonces[2][..8]);
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), 8);
    assert_eq!(take(&wire, &seal_packet(&mut fork, &[PING])), Ok(1));
}

#[test]
fn nothing_of_a_key_is_printed() {
    let wire = with(&config(""), Keyring::of(Key::new(b"ABCDEFGHIJKLMNOP").unwrap(), Vec::new()).unwrap());
    let printed = format!("{wire:?}");
    assert!(printed.contains("Keyring(1 keys)"), "{printed}");
    assert!(!printed.contains("65, 66") && !printed.contains("ABCD"), "{printed}");
}

proptest! {
    #[test]
    fn a_sealed_packet_or_frame_filled_to_the_byte_has_exactly_its_budget(label in "[a-z]{0,12}", verify_outgoing in any::<bool>()) {
        let mut wire = with(&Config { verify_outgoing, verify_incoming: false, ..config(&label) }, ring(&[1]));
        let (mut packet, mut frame) = (Vec::new(), Vec::new());
        let (packet_start, frame_start) = (wire.begin_packet(&mut packet), wire.begin_frame(&mut frame));
        packet.extend(core::iter::repeat_n(0x55, wire.packet_room()));
        frame.extend(core::iter::repeat_n(0x55, wire.frame_room()));
        wire.finish_packet(packet_start, &mut packet);
        wire.finish_frame(frame_start, &mut frame);
        prop_assert_eq!((packet.len(), frame.len()), (1400, 65_536));
        let mut opened = Vec::new();
        prop_assert!(wire.unseal_packet(&packet, &mut opened).is_ok());
        prop_assert!(wire.unseal_frame(&frame, &mut opened).is_ok());
        prop_assert_eq!(packet.windows(16).any(|bytes| bytes == [0x55; 16]), !verify_outgoing);
    }

    /// Sound headers with anything behind them, and headers of anything.
    #[test]
    fn hostile_bytes_are_refused_by_all_who_have_keys(
        flags in 0_u8..8,
        header in vec(any::<u8>(), 0..12),
        body in vec(any::<u8>(), 0..80),
        strict in any::<bool>(),
    ) {
        let wire = with(&Config { verify_incoming: strict, ..config("") }, ring(&[1, 2, 3]));
        for bytes in [&[&[0xD7, 1, 4], &body[..]].concat(), &[&[0xD7, 1, flags], &header[..], &body].concat(), &body] {
            prop_assert!(take(&wire, bytes).is_err());
            let frame = [&[0xD8, bytes.len() as u8, 0, 0, 0], &bytes[..]].concat();
            prop_assert!(take_frame(&wire, &frame).is_err());
        }
    }

    #[test]
    fn a_sealed_header_may_have_extensions_and_they_are_authenticated(value in vec(any::<u8>(), 0..20), at in any::<prop::sample::Index>()) {
        let mut wire = with(&config(""), ring(&[1]));
        let mut header = Vec::from([0xD7, 1, 4 | 2, value.len() as u8 + 2, 77, value.len() as u8]);
        header.extend_from_slice(&value);
        let mut body = alloc::vec![0; 28];
        wire.encode(&PING, &mut body);
        wire.sealer.as_mut().unwrap().seal(&header, &mut body);
        let mut packet = [header.clone(), body].concat();
        prop_assert_eq!(take(&wire, &packet), Ok(1));
        packet[at.index(header.len())] ^= 1;
        prop_assert!(take(&wire, &packet).is_err());
    }
}
