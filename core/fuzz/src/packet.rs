//! Packets: anything at all, and anything in a sound packet.

use rumormill_core::wire::Wire;

use super::{cluster, input::Bytes, messages};

pub fn check(data: &[u8]) {
    let mut data = Bytes(data);
    let choice = data.byte() % cluster::CHOICES;
    let wire = cluster::wire(choice, 2);
    let mut peer = cluster::wire(choice, 1);
    match data.byte() % 4 {
        0 => open(&wire, &mut peer, data.0),
        1 => {
            let packet = messages::packet(&mut peer, data.0);
            open(&wire, &mut peer, &packet);
            let is_taken = |wire: &Wire| wire.unseal_packet(&packet, &mut Vec::new()).is_ok();
            assert!(is_taken(&wire), "a sound packet is refused");
            let other = (choice + 1) % cluster::CHOICES;
            let alike = matches!((choice, other), (0, 1) | (5, 0));
            assert_eq!(is_taken(&cluster::wire(other, 3)), alike, "from another cluster");
        }
        2 => {
            // A header of anybody's making, with a checksum that fits.
            let header = [&[0xD7, 1], data.prefixed()].concat();
            let crc = crc32fast::hash(&[&header, data.0].concat()).to_le_bytes();
            open(&wire, &mut peer, &[&header, &crc[..], data.0].concat());
        }
        _ => {
            // A sound packet that was damaged on its way.
            let (at, change) = (data.byte(), data.byte());
            let mut packet = messages::packet(&mut peer, data.0);
            let at = usize::from(at) % packet.len();
            packet[at] ^= change;
            open(&wire, &mut peer, &packet);
            // With other flags the checksum is looked for elsewhere, where the fuzzer may have laid one.
            if at != 2 || wire.seals() {
                let taken = wire.unseal_packet(&packet, &mut Vec::new()).is_ok();
                assert_eq!(taken, change == 0, "byte {at} changed by {change:#x}");
            }
        }
    }
}

fn open(wire: &Wire, peer: &mut Wire, bytes: &[u8]) {
    let mut memory = Vec::new();
    if let Ok(opened) = wire.open_packet(bytes) {
        messages::come_back(peer, opened, false);
    }
    if let Ok(opened) = wire.unseal_packet(bytes, &mut memory) {
        messages::come_back(peer, opened, false);
    }
    assert!(memory.len() <= bytes.len(), "{} bytes were opened into {}", bytes.len(), memory.len());
}
