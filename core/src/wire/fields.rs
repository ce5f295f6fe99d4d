//! The fields of the frequent kinds, as postcard lays them out, read and written without its generality.

use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::id::Versions;

/// Appends a varint.
#[inline]
pub(super) fn put_u32(value: u32, out: &mut Vec<u8>) {
    if value < 0x80 {
        return out.push(value as u8);
    }
    // All at once: seven bits to a byte, the top bit set in all but the last.
    let wide = u64::from(value);
    let septets = wide & 0x7F
        | (wide & 0x3F80) << 1
        | (wide & 0x1F_C000) << 2
        | (wide & 0xFE0_0000) << 3
        | (wide & 0xF000_0000) << 4;
    let length = (38 - value.leading_zeros()) / 7;
    let more = 0x80_8080_8080 & ((1 << (8 * (length - 1))) - 1);
    let end = out.len() + length as usize;
    out.extend_from_slice(&(septets | more).to_le_bytes());
    out.truncate(end);
}

/// Appends a varint.
pub(super) fn put_u64(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a length and as many bytes.
#[inline]
pub(super) fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    // Names, meta data and reasons are bounded far below four thousand million bytes.
    put_u32(bytes.len() as u32, out);
    out.extend_from_slice(bytes);
}

/// Appends an address: its family's number, the octets, the port.
pub(super) fn put_addr(addr: SocketAddr, out: &mut Vec<u8>) {
    match addr {
        SocketAddr::V4(v4) => {
            out.push(0);
            out.extend_from_slice(&v4.ip().octets());
        }
        SocketAddr::V6(v6) => {
            out.push(1);
            out.extend_from_slice(&v6.ip().octets());
        }
    }
    put_u32(addr.port().into(), out);
}

/// Appends version bytes.
pub(super) fn put_versions(versions: Versions, out: &mut Vec<u8>) {
    let Versions { protocol_min, protocol_max, protocol, app_min, app_max, app } = versions;
    out.extend_from_slice(&[protocol_min, protocol_max, protocol, app_min, app_max, app]);
}

/// Reads fields from the front of some bytes; `None` where they are not what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reader<'a> {
    pub(super) rest: &'a [u8],
}

impl<'a> Reader<'a> {
    #[inline]
    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*array)
    }

    /// A varint of at most `bits` bits.
    #[inline(always)]
    fn varint(&mut self, bits: u32) -> Option<u64> {
        let (&first, rest) = self.rest.split_first()?;
        if first < 0x80 {
            self.rest = rest;
            return Some(first.into());
        }
        // By value, so that a reader can live in registers.
        let (value, rest) = long_varint(self.rest, bits)?;
        self.rest = rest;
        Some(value)
    }

    #[inline]
    pub(super) fn u32(&mut self) -> Option<u32> {
        self.varint(u32::BITS).map(|value| value as u32)
    }

    /// The same of a number that is large as often as not, in most cases without a loop.
    #[inline(always)]
    pub(super) fn wide_u32(&mut self) -> Option<u32> {
        let Some(ahead) = self.rest.first_chunk::<8>() else {
            let (value, rest) = any_varint(self.rest, u32::BITS)?;
            self.rest = rest;
            return Some(value as u32);
        };
        let wide = u64::from_le_bytes(*ahead);
        let ends = !wide & 0x80_8080_8080;
        let length = ends.trailing_zeros() / 8 + 1;
        let septets = wide & (u64::MAX >> (64 - 8 * length.min(5)));
        // The fifth byte holds the four bits that are left.
        if ends == 0 || septets >> 36 != 0 {
            return None;
        }
        self.rest = &self.rest[length as usize..];
        let value = septets & 0x7F
            | (septets & 0x7F00) >> 1
            | (septets & 0x7F_0000) >> 2
            | (septets & 0x7F00_0000) >> 3
            | (septets & 0xF_0000_0000) >> 4;
        Some(value as u32)
    }

    #[inline]
    pub(super) fn u64(&mut self) -> Option<u64> {
        self.varint(u64::BITS)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.byte()
    }

    pub(super) fn bool(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    #[inline(always)]
    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.varint(u64::BITS)?).ok()?;
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(bytes)
    }

    #[inline]
    pub(super) fn str(&mut self) -> Option<&'a str> {
        core::str::from_utf8(self.bytes()?).ok()
    }

    #[inline]
    pub(super) fn addr(&mut self) -> Option<SocketAddr> {
        let ip = match self.varint(u32::BITS)? {
            0 => Ipv4Addr::from(self.array::<4>()?).into(),
            1 => Ipv6Addr::from(self.array::<16>()?).into(),
            _ => return None,
        };
        let port = self.varint(u16::BITS)? as u16;
        Some(SocketAddr::new(ip, port))
    }

    #[inline]
    pub(super) fn versions(&mut self) -> Option<Versions> {
        let [protocol_min, protocol_max, protocol, app_min, app_max, app] = self.array()?;
        Some(Versions { protocol_min, protocol_max, protocol, app_min, app_max, app })
    }
}

#[inline(never)]
fn long_varint(bytes: &[u8], bits: u32) -> Option<(u64, &[u8])> {
    any_varint(bytes, bits)
}

/// A varint of at most `bits` bits, and what follows it.
#[inline(always)]
fn any_varint(bytes: &[u8], bits: u32) -> Option<(u64, &[u8])> {
    let (mut value, mut shift) = (0, 0);
    let mut rest = bytes;
    loop {
        let (&byte, behind) = rest.split_first()?;
        rest = behind;
        let part = u64::from(byte & 0x7F);
        // The last byte of the longest form holds what is left of the bits.
        if shift + 7 > bits && (byte >= 0x80 || part >> (bits - shift) != 0) {
            return None;
        }
        value |= part << shift;
        if byte < 0x80 {
            return Some((value, rest));
        }
        shift += 7;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_addr() -> impl Strategy<Value = SocketAddr> {
        prop_oneof![
            (any::<[u8; 4]>(), any::<u16>()).prop_map(SocketAddr::from),
            (any::<[u8; 16]>(), any::<u16>()).prop_map(SocketAddr::from),
        ]
    }

    type Fields<'a> = (u32, &'a str, SocketAddr, &'a [u8], bool, Versions, u8);

    fn read<'a>(reader: &mut Reader<'a>) -> Option<Fields<'a>> {
        let (number, text, addr, bytes) = (reader.u32()?, reader.str()?, reader.addr()?, reader.bytes()?);
        Some((number, text, addr, bytes, reader.bool()?, reader.versions()?, reader.u8()?))
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_postcard_writes(
            number in any::<u32>(),
            text in ".{0,300}",
            addr in any_addr(),
            bytes in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let versions = Versions::CURRENT;
            let mut out = Vec::new();
            put_u32(number, &mut out);
            put_bytes(text.as_bytes(), &mut out);
            put_addr(addr, &mut out);
            put_bytes(&bytes, &mut out);
            put_versions(versions, &mut out);
            let expected = postcard::to_allocvec(&(number, &*text, addr, &bytes[..], versions)).unwrap();
            prop_assert_eq!(out, expected);
        }

        /// Whatever the bytes: the same fields, the same rest, the same refusal.
        #[test]
        fn what_is_read_is_what_postcard_reads(
            number in any::<u32>(),
            text in ".{0,5}",
            addr in any_addr(),
            cut in any::<prop::sample::Index>(),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        ) {
            let fields: Fields<'_> = (number, &text, addr, b"meta", true, Versions::CURRENT, 3);
            let mut bytes = postcard::to_allocvec(&fields).unwrap();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            for bytes in [&bytes[..], &bytes[..cut.index(bytes.len())]] {
                let mut reader = Reader { rest: bytes };
                let got = read(&mut reader).map(|fields| (fields, reader.rest));
                prop_assert_eq!(got, postcard::take_from_bytes::<Fields<'_>>(bytes).ok());
            }
        }

        #[test]
        fn varints_are_read_as_postcard_reads_them(bytes in prop::collection::vec(
            prop_oneof![any::<u8>(), Just(0x80), Just(0xFF)], 0..12))
        {
            let read = |bits| Reader { rest: &bytes }.varint(bits);
            let u16 = postcard::take_from_bytes::<u16>(&bytes).ok().map(|(value, _)| value.into());
            let u32 = postcard::take_from_bytes::<u32>(&bytes).ok().map(|(value, _)| value.into());
            let u64 = postcard::take_from_bytes::<u64>(&bytes).ok().map(|(value, _)| value);
            let mut reader = Reader { rest: &bytes };
            let wide = reader.wide_u32().map(|value| (value, reader.rest));
            prop_assert_eq!(wide, postcard::take_from_bytes::<u32>(&bytes).ok());
            prop_assert_eq!((read(16), read(32), read(64)), (u16, u32, u64));
        }
    }
}
