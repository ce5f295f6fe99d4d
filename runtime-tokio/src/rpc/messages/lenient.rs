//! How values are read: clients write strings as str, as bin or in the raw form of old msgpack, and nil for what is empty.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::Serializer;

/// Bytes of a str, bin or nil.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Blob(Vec<u8>);

struct BlobVisitor;

impl Visitor<'_> for BlobVisitor {
    type Value = Blob;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or bytes")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Blob, E> {
        Ok(Blob(text.into()))
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Blob, E> {
        Ok(Blob(bytes.into()))
    }

    fn visit_unit<E: Error>(self) -> Result<Blob, E> {
        Ok(Blob::default())
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BlobVisitor)
    }
}

impl Blob {
    /// As text; what is no UTF-8 is replaced, because Go's strings may hold anything.
    fn text(self) -> String {
        String::from_utf8(self.0)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }
}

/// Text in any of its forms.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Blob::deserialize(deserializer).map(Blob::text)
}

/// Bytes in any of their forms.
pub(super) fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    Blob::deserialize(deserializer).map(|blob| blob.0)
}

/// A list of texts.
pub(super) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let list = Option::<Vec<Blob>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(list.into_iter().map(Blob::text).collect())
}

/// A map of texts.
pub(super) fn text_map<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let map = Option::<BTreeMap<Blob, Blob>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(map.into_iter().map(|(key, value)| (key.text(), value.text())).collect())
}

/// Anything else: nil is its default.
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// An IP address: 4 or 16 bytes; an IPv4 address of 16 bytes, as older agents send it, is IPv4.
pub(super) fn ip<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IpAddr, D::Error> {
    let bytes = bytes(deserializer)?;
    if let Ok(v4) = <[u8; 4]>::try_from(&bytes[..]) {
        return Ok(v4.into());
    }
    match <[u8; 16]>::try_from(&bytes[..]) {
        Ok(v6) => Ok(Ipv6Addr::from(v6).to_canonical()),
        Err(_) => Err(D::Error::custom(format_args!("an address has 4 or 16 bytes, not {}", bytes.len()))),
    }
}

/// An IP address as bytes.
// The signature is serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
pub(super) fn write_ip<S: Serializer>(ip: &IpAddr, serializer: S) -> Result<S::Ok, S::Error> {
    match ip {
        IpAddr::V4(v4) => serializer.serialize_bytes(&v4.octets()),
        IpAddr::V6(v6) => serializer.serialize_bytes(&v6.octets()),
    }
}
