//! Invariant 3: no user event is delivered twice at a node in one life, and none is delivered that nobody sent.

use super::Tally;

/// The checker.
#[derive(Debug)]
pub struct UserEvents {
    /// What was found.
    pub tally: Tally,
    /// Events sent so far; their serial numbers are 0 and up.
    sent: u64,
}

/// The payload of the event with this serial number: nobody but its sender could have made it.
#[must_use]
pub fn payload(serial: u64, bytes: u32) -> Box<[u8]> {
    let fill = serial.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes();
    let rest = fill.into_iter().cycle().take((bytes as usize).saturating_sub(8));
    serial.to_le_bytes().into_iter().chain(rest).collect()
}

impl UserEvents {
    /// Nothing was sent.
    #[must_use]
    pub fn new() -> Self {
        let name = "a user event is delivered once at most, as it was sent";
        Self { tally: Tally::new(3, name), sent: 0 }
    }

    /// The serial number of the next event; it counts as sent.
    pub const fn next(&mut self) -> u64 {
        self.sent += 1;
        self.sent - 1
    }

    /// A node's application is given an event; its serial number, if it is one that was sent.
    pub fn delivered(&mut self, now: u64, node: u32, bytes: &[u8]) -> Option<u64> {
        let serial = bytes.first_chunk().map(|serial| u64::from_le_bytes(*serial));
        let known =
            serial.filter(|serial| *serial < self.sent && *payload(*serial, bytes.len() as u32) == *bytes);
        self.tally.check(known.is_some(), now, node, || {
            format!("it was given an event of {} bytes that nobody sent", bytes.len())
        });
        known
    }

    /// Whether it was for the first time.
    pub fn once(&mut self, now: u64, node: u32, serial: u64, new: bool) {
        self.tally.check(new, now, node, || format!("it was given event {serial} a second time"));
    }
}

impl Default for UserEvents {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sent_and_what_comes_twice_are_violations() {
        let mut checker = UserEvents::new();
        let serial = checker.next();
        let sent = payload(serial, 20);
        assert_eq!(checker.delivered(0, 1, &sent), Some(serial));
        checker.once(0, 1, serial, true);
        assert_eq!(checker.tally.violations(), 0);
        checker.once(0, 1, serial, false);
        let mut forged = sent.clone();
        forged[19] ^= 1;
        assert_eq!(checker.delivered(0, 1, &forged), None);
        assert_eq!(checker.delivered(0, 1, &payload(serial + 1, 20)), None);
        assert_eq!(checker.delivered(0, 1, b"short"), None);
        assert_eq!(checker.tally.violations(), 4);
    }
}
