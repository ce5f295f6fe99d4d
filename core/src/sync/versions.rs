//! Version verification before a merge: everybody must speak a version that everybody alive understands (memberlist).

use alloc::format;
use alloc::string::String;

use crate::id::Versions;
use crate::wire::VersionSpan;

/// What alive members have in common. Unlike memberlist's verification this leaves out the dead, whose record would
/// otherwise block every join until it is forgotten.
pub(crate) fn span(alive: impl Iterator<Item = Versions>) -> VersionSpan {
    let empty = VersionSpan {
        protocol_min: 0,
        protocol_max: u8::MAX,
        protocol_spoken_min: u8::MAX,
        protocol_spoken_max: 0,
        app_min: 0,
        app_max: u8::MAX,
        app_spoken_min: u8::MAX,
        app_spoken_max: 0,
    };
    alive.fold(empty, |span, v| VersionSpan {
        protocol_min: span.protocol_min.max(v.protocol_min),
        protocol_max: span.protocol_max.min(v.protocol_max),
        protocol_spoken_min: span.protocol_spoken_min.min(v.protocol),
        protocol_spoken_max: span.protocol_spoken_max.max(v.protocol),
        app_min: span.app_min.max(v.app_min),
        app_max: span.app_max.min(v.app_max),
        app_spoken_min: span.app_spoken_min.min(v.app),
        app_spoken_max: span.app_spoken_max.max(v.app),
    })
}

/// Whether two tables may be merged.
///
/// # Errors
/// In words for people: which version is spoken that not everybody understands.
pub(crate) fn verify(ours: &VersionSpan, theirs: &VersionSpan) -> Result<(), String> {
    fn within(what: &str, understood: (u8, u8), spoken: (u8, u8)) -> Result<(), String> {
        if understood.0 <= spoken.0 && spoken.1 <= understood.1 {
            return Ok(());
        }
        let (min, max) = understood;
        Err(format!(
            "{what} versions {} to {} are spoken, but all understand {min} to {max}",
            spoken.0, spoken.1
        ))
    }
    within(
        "protocol",
        (ours.protocol_min.max(theirs.protocol_min), ours.protocol_max.min(theirs.protocol_max)),
        (
            ours.protocol_spoken_min.min(theirs.protocol_spoken_min),
            ours.protocol_spoken_max.max(theirs.protocol_spoken_max),
        ),
    )?;
    within(
        "application",
        (ours.app_min.max(theirs.app_min), ours.app_max.min(theirs.app_max)),
        (ours.app_spoken_min.min(theirs.app_spoken_min), ours.app_spoken_max.max(theirs.app_spoken_max)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(protocol: [u8; 3], app: [u8; 3]) -> VersionSpan {
        let [protocol_min, protocol_max, protocol] = protocol;
        let [app_min, app_max, app] = app;
        span([Versions { protocol_min, protocol_max, protocol, app_min, app_max, app }].into_iter())
    }

    #[test]
    fn equal_versions_merge() {
        assert_eq!(verify(&of([1, 5, 2], [2, 5, 5]), &of([1, 5, 2], [2, 5, 5])), Ok(()));
    }

    #[test]
    fn overlapping_ranges_with_a_speaker_outside_are_refused_for_each_kind() {
        let base = of([1, 5, 2], [2, 5, 5]);
        let protocol = verify(&base, &of([3, 6, 6], [2, 5, 5])).unwrap_err();
        assert!(protocol.contains("protocol versions 2 to 6"), "{protocol}");
        let app = verify(&base, &of([1, 5, 2], [2, 7, 7])).unwrap_err();
        assert!(app.contains("application versions 5 to 7"), "{app}");
    }
}
