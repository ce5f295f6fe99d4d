//! Coordinates in 23 bytes: as acks carry them, and as they are kept for every peer.
//!
//! ```text
//! version 1 (1 byte), vector (8 x 2), error (2), adjustment (2), height (2); little-endian
//! ```
//!
//! A length of time is a sign and a number of 11 significant bits with a binary exponent, in units of 2^-36 s: exact to
//! 0.05 %, from 15 ps to 32 s. The error is a fraction of its largest value. There is no code for "not a number".

use super::{Coordinate, DIMENSIONS, ERROR_MAX, RTT_MAX};

/// First byte of what acks carry.
const VERSION: u8 = 1;
const UNITS_PER_SECOND: f64 = 68_719_476_736.0;
const SIGN: u16 = 0x8000;
/// The code of ten seconds, [`RTT_MAX`].
const FAR: u16 = 30_976;
/// The code of the smallest height, 10 us.
const LOW: u16 = 10_558;
/// Where the codes stand, after the vector's and the error's.
const ADJUSTMENT: usize = DIMENSIONS + 1;
const HEIGHT: usize = DIMENSIONS + 2;

/// Why a peer's coordinate is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Another version, or another length.
    Version,
    /// A place further away than any round trip that is believed.
    Range,
}

/// A coordinate as acks carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quantised([u8; Self::BYTES]);

const _: () = assert!(Quantised::BYTES <= 24, "an ack stays a small packet");

impl Quantised {
    pub(crate) const BYTES: usize = 1 + 2 * (DIMENSIONS + 3);

    pub(crate) fn of(coordinate: &Coordinate) -> Self {
        let Coordinate { vector, error, adjustment, height } = coordinate;
        let mut bytes = [VERSION; Self::BYTES];
        let error = (error.clamp(0.0, ERROR_MAX) / ERROR_MAX * f64::from(u16::MAX) + 0.5) as u16;
        let times = vector.map(shorten).into_iter().chain([error, shorten(*adjustment), shorten(*height)]);
        for (place, code) in bytes[1..].chunks_exact_mut(2).zip(times) {
            place.copy_from_slice(&code.to_le_bytes());
        }
        Self(bytes)
    }

    /// What a peer sent.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let bytes: &[u8; Self::BYTES] = bytes.try_into().map_err(|_| Refusal::Version)?;
        if bytes[0] != VERSION {
            return Err(Refusal::Version);
        }
        let this = Self(*bytes);
        let times = (0..DIMENSIONS).chain([ADJUSTMENT, HEIGHT]);
        let near = times.map(|i| this.code(i) & !SIGN).max().is_none_or(|farthest| farthest <= FAR);
        if near && (LOW..=FAR).contains(&this.code(HEIGHT)) { Ok(this) } else { Err(Refusal::Range) }
    }

    pub(crate) const fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn coordinate(&self) -> Coordinate {
        Coordinate {
            vector: core::array::from_fn(|i| lengthen(self.code(i))),
            error: f64::from(self.code(DIMENSIONS)) / f64::from(u16::MAX) * ERROR_MAX,
            adjustment: lengthen(self.code(ADJUSTMENT)),
            height: lengthen(self.code(HEIGHT)),
        }
    }

    fn code(&self, i: usize) -> u16 {
        u16::from_le_bytes([self.0[1 + 2 * i], self.0[2 + 2 * i]])
    }
}

/// The code of a length of time; what a peer would refuse as too far becomes the largest that it takes.
fn shorten(seconds: f64) -> u16 {
    let far = RTT_MAX.as_secs_f64();
    let units = (seconds.abs().min(far) * UNITS_PER_SECOND + 0.5) as u64;
    // Bits beyond 11 are dropped, to the nearest; a mantissa that reaches 2048 thereby is the next exponent's smallest.
    let drop = (u64::BITS - units.leading_zeros()).saturating_sub(11);
    let mantissa = if drop == 0 { units } else { (units + (1 << (drop - 1))) >> drop };
    let code = (drop as u16) * 1024 + mantissa as u16;
    if seconds < 0.0 { code | SIGN } else { code }
}

/// The length of time of a code, seconds.
fn lengthen(code: u16) -> f64 {
    let size = u64::from(code & !SIGN);
    let units = if size < 2048 { size } else { (size % 1024 + 1024) << (size / 1024 - 1) };
    let seconds = units as f64 / UNITS_PER_SECOND;
    if code & SIGN != 0 { -seconds } else { seconds }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn codes(code: u16) -> Quantised {
        let mut bytes = *Quantised::of(&Coordinate::START).bytes().first_chunk().unwrap();
        bytes[1..3].copy_from_slice(&code.to_le_bytes());
        Quantised(bytes)
    }

    #[test]
    fn a_coordinate_has_these_bytes() {
        let mut at = Coordinate::START;
        at.vector = [0.001, -0.001, 0.0, 1.0, -10.0, 1e-11, 0.025, -0.3];
        (at.error, at.adjustment, at.height) = (0.75, -0.0005, 0.002);
        let expected =
            [1, 25, 68, 25, 196, 0, 0, 0, 108, 0, 249, 1, 0, 102, 86, 205, 228, 0, 128, 25, 192, 25, 72];
        assert_eq!(Quantised::of(&at).bytes(), expected);
    }

    #[test]
    fn the_bounds_are_the_codes_of_what_they_say() {
        assert_eq!(FAR, shorten(RTT_MAX.as_secs_f64()));
        assert_eq!(LOW, shorten(super::super::HEIGHT_MIN));
    }

    #[test]
    fn codes_grow_with_what_they_mean_and_come_back() {
        for code in 0..SIGN - 1 {
            assert!(lengthen(code) < lengthen(code + 1), "{code}");
        }
        for code in (0..SIGN).filter(|&code| lengthen(code) <= 10.0) {
            assert_eq!(shorten(lengthen(code)), code);
            assert_eq!(shorten(-lengthen(code)) & !SIGN, code);
        }
    }

    #[test]
    fn a_place_out_of_range_of_another_version_or_length_is_refused() {
        assert!(Quantised::read(Quantised::of(&Coordinate::START).bytes()).is_ok());
        for far in [0x7FFF, 0xFFFF, shorten(10.0) + 1] {
            assert_eq!(Quantised::read(codes(far).bytes()), Err(Refusal::Range), "{far:#x}");
        }
        assert!(Quantised::read(codes(shorten(10.0)).bytes()).is_ok());
        let sound = codes(0);
        assert_eq!(Quantised::read(&sound.bytes()[..22]), Err(Refusal::Version));
        assert_eq!(Quantised::read(&[sound.bytes(), &[0]].concat()), Err(Refusal::Version));
        assert_eq!(Quantised::read(&[]), Err(Refusal::Version));
        let mut other = sound;
        other.0[0] = 2;
        assert_eq!(Quantised::read(other.bytes()), Err(Refusal::Version));
        let flat = Coordinate { height: 0.0, ..Coordinate::START };
        assert_eq!(Quantised::read(Quantised::of(&flat).bytes()), Err(Refusal::Range), "no height");
        let below = Coordinate { height: -1.0, ..Coordinate::START };
        assert_eq!(Quantised::read(Quantised::of(&below).bytes()), Err(Refusal::Range), "a negative height");
    }

    #[test]
    fn numbers_that_are_none_become_some_that_are() {
        let wild = Coordinate {
            vector: [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, 1e-300, 0.0, -0.0],
            error: f64::NAN,
            adjustment: f64::INFINITY,
            height: 1e9,
        };
        let back = Quantised::of(&wild).coordinate();
        assert!(back.vector.iter().all(|x| x.abs() <= 10.001));
        assert!(Quantised::read(Quantised::of(&wild).bytes()).is_ok());
    }

    proptest! {
        #[test]
        fn a_length_of_time_is_exact_to_half_a_thousandth(seconds in -10.0f64..10.0) {
            let back = lengthen(shorten(seconds));
            prop_assert!((back - seconds).abs() <= seconds.abs() / 2048.0 + 1e-11, "{seconds} became {back}");
        }

        #[test]
        fn any_bytes_are_refused_or_are_a_place(bytes in prop::collection::vec(any::<u8>(), 23), version in any::<bool>()) {
            let mut bytes = bytes;
            if version {
                bytes[0] = 1;
            }
            if let Ok(read) = Quantised::read(&bytes) {
                prop_assert!(read.coordinate().is_finite());
                prop_assert!(read.coordinate().distance(&Coordinate::START).as_secs() < 50);
            }
        }
    }
}
