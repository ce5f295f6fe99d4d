//! Packets that are told apart, and excepted from what befalls others: what would have happened if just that one had arrived?

use super::{Carried, Fate, LossModel, Network, SLOT};
use crate::draws::Purpose;

/// What the network knows a datagram or segment by: equal keys meet equal draws. A segment that is sent again has the key of its
/// first transmission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// A datagram or a segment.
    pub carried: Carried,
    /// Who sends it.
    pub from: u32,
    /// To whom.
    pub to: u32,
    /// Milliseconds since t = 0 when it is sent.
    pub slot: u64,
    /// Its number among those of this kind from the one to the other in this slot.
    pub ordinal: u16,
}

/// When an exception arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spare {
    /// After its own latency: nothing befalls it.
    InItsTime,
    /// In the moment in which it is sent.
    AtOnce,
    /// Never: it is lost.
    Never,
}

/// How likely something was to be lost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Odds {
    /// The chance of loss at that moment, 0 to 1.
    pub chance: f64,
    /// Whether the link was in its bad state (Gilbert-Elliott).
    pub burst: bool,
    /// The link fault that shapes the way, if any.
    pub fault: Option<usize>,
    /// Whether a datagram is longer than the way takes.
    pub too_long: bool,
}

impl Network {
    /// From now on these are exceptions: nothing befalls them, no loss, no cut, and no delay but perhaps their own latency; or they never
    /// arrive.
    pub fn spare(&mut self, keys: &[(Key, Spare)]) {
        self.spared.extend(keys.iter().copied());
    }

    #[cold]
    pub(super) fn fate_if_spared(
        &mut self,
        carried: Carried,
        (from, to): (u32, u32),
        slot: u64,
        ordinal: u16,
    ) -> Option<Fate> {
        let key = Key { carried, from, to, slot, ordinal };
        let after = match self.spared.get(&key)? {
            Spare::InItsTime => self.own_latency(key),
            Spare::AtOnce => 0,
            Spare::Never => return Some(Fate::Lost),
        };
        Some(Fate::Spared { after })
    }

    /// The fate of a segment that is an exception: its first transmission has the key.
    #[cold]
    pub(super) fn segment_if_spared(&mut self, way: (u32, u32), bytes: usize, now: u64) -> Option<Fate> {
        let key = self.next_key(Carried::Segment, way, now);
        let fate = self.fate_if_spared(Carried::Segment, way, key.slot, key.ordinal)?;
        // It takes the numbers that its transmissions would have taken, so that those behind it meet the draws that they would have met.
        let _ = self.transmissions(way.0, way.1, bytes, now);
        Some(fate)
    }

    /// The key that the next datagram or segment has that is sent now.
    #[must_use]
    pub fn next_key(&self, carried: Carried, (from, to): (u32, u32), now: u64) -> Key {
        let slot = now / SLOT;
        let ordinals = match carried {
            Carried::Datagram => &self.datagrams[from as usize],
            Carried::Segment => &self.segments[from as usize],
        };
        Key { carried, from, to, slot, ordinal: ordinals.following(slot, to) }
    }

    /// How long something takes if nothing holds it up (ns).
    pub fn own_latency(&mut self, key: Key) -> u64 {
        let purpose = match key.carried {
            Carried::Datagram => Purpose::DatagramLatency,
            Carried::Segment => Purpose::SegmentLatency,
        };
        let word = self.draws.word(purpose, key.from, key.to, key.slot, key.ordinal);
        self.ways.way(key.from, key.to).delay.of(word)
    }

    /// How likely it is that something of so many bytes that is sent now is lost.
    pub fn odds(&mut self, carried: Carried, (from, to): (u32, u32), bytes: usize, now: u64) -> Odds {
        let draws = self.draws;
        let way = self.ways.way(from, to);
        let model = match carried {
            Carried::Datagram => way.loss,
            Carried::Segment => way.stream_loss,
        };
        let chance = model.chance(&draws, from, to, now);
        let burst = matches!(model, LossModel::Bursts { good, bad, .. } if chance == bad && bad > good);
        let too_long = carried == Carried::Datagram && bytes > way.packet_bytes_max as usize;
        Odds { chance, burst, fault: way.fault, too_long }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::draws::Draws;
    use crate::scenario::{Latency, Loss, Travel};

    const MS: u64 = 1_000_000;

    fn lossy() -> Network {
        let latency = Latency::Uniform { min: Duration::from_millis(1), max: Duration::from_millis(9) };
        let travel = Travel { latency: Some(latency), loss: Some(Loss::Bernoulli(0.5)), ..Travel::default() };
        Network::new(Draws::new(3), travel, Vec::new(), 3)
    }

    /// Sends eight packets in one slot; what becomes of each, with the key that was foretold for it.
    fn fates(network: &mut Network, carried: Carried) -> Vec<(Key, Fate)> {
        let send = |network: &mut Network| match carried {
            Carried::Datagram => network.datagram(0, 1, 50, 7 * MS),
            Carried::Segment => network.segment(0, 1, 50, 7 * MS),
        };
        (0..8).map(|_| (network.next_key(carried, (0, 1), 7 * MS), send(network))).collect()
    }

    #[test]
    fn a_packet_that_is_spared_arrives_and_the_others_fare_as_before() {
        let before = fates(&mut lossy(), Carried::Datagram);
        let (place, (key, _)) = before.iter().enumerate().find(|(_, (_, fate))| *fate == Fate::Lost).unwrap();
        let mut network = lossy();
        network.spare(&[(*key, Spare::InItsTime)]);
        let after = fates(&mut network, Carried::Datagram);
        for (other, (was, is)) in before.iter().zip(&after).enumerate() {
            if other == place {
                assert!(matches!(is.1, Fate::Spared { after } if (MS..=9 * MS).contains(&after)), "{is:?}");
            } else {
                assert_eq!(was, is);
            }
        }
    }

    #[test]
    fn a_segment_is_spared_by_its_first_transmission() {
        let before = fates(&mut lossy(), Carried::Segment);
        let late = |fate: Fate| matches!(fate, Fate::Arrives { after, .. } if after >= 200 * MS);
        let (key, _) = before.iter().find(|(_, fate)| late(*fate)).unwrap();
        let mut network = lossy();
        network.spare(&[(*key, Spare::InItsTime)]);
        let after = fates(&mut network, Carried::Segment);
        let spared = after.iter().find(|(other, _)| other == key).unwrap();
        assert!(matches!(spared.1, Fate::Spared { .. }), "{spared:?}");
    }

    #[test]
    fn a_segment_that_is_spared_arrives_and_the_others_fare_as_before() {
        let before = fates(&mut lossy(), Carried::Segment);
        let late = |fate: Fate| matches!(fate, Fate::Arrives { after, .. } if after >= 200 * MS);
        // One that was sent again, and so took several numbers, with others behind it.
        let (place, (key, _)) = before[..7].iter().enumerate().find(|(_, (_, fate))| late(*fate)).unwrap();
        for (spare, within) in [(Spare::InItsTime, MS..=9 * MS), (Spare::AtOnce, 0..=0)] {
            let mut network = lossy();
            network.spare(&[(*key, spare)]);
            let after = fates(&mut network, Carried::Segment);
            for (other, (was, is)) in before.iter().zip(&after).enumerate() {
                if other == place {
                    assert!(matches!(is.1, Fate::Spared { after } if within.contains(&after)), "{is:?}");
                } else {
                    assert_eq!(was, is);
                }
            }
        }
    }

    #[test]
    fn what_is_spared_passes_a_cut() {
        use crate::network::{Cut, Side};
        use crate::scenario::{InFlight, Traffic};
        let mut network = lossy();
        let side = vec![Side::A, Side::B, Side::Neither];
        let (in_flight, traffic) = (InFlight::Drop, Traffic::All);
        network.cuts.begin(Cut { fault: 4, side, both: true, in_flight, traffic, share: (1.0, 0), from: 0 });
        let key = network.next_key(Carried::Datagram, (0, 1), 7 * MS);
        network.spare(&[(key, Spare::AtOnce)]);
        assert_eq!(network.datagram(0, 1, 50, 7 * MS), Fate::Spared { after: 0 });
        assert_eq!(network.datagram(0, 1, 50, 7 * MS), Fate::Cut(4));
        network.cuts.end(4);
        network.spare(&[(network.next_key(Carried::Datagram, (0, 2), 7 * MS), Spare::Never)]);
        assert_eq!(network.datagram(0, 2, 50, 7 * MS), Fate::Lost);
    }
}
