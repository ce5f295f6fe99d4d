//! Values as Serf's `monitor` shows them: in the syntax of the Go language, whose `%#v` it uses.

/// Text in quotes.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{b}' => quoted.push_str("\\v"),
            c if c.is_ascii_control() => quoted.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if c.is_ascii() || is_printable(c) => quoted.push(c),
            c if u32::from(c) <= 0xFFFF => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether a character is shown as it is: what Rust's `Debug` shows, combining marks, and no blanks but ASCII's.
fn is_printable(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && format!("a{c}").escape_debug().count() == 2
}

/// A number as it comes out of msgpack: up to 127 it is a plain one, beyond that an unsigned one, which is shown in
/// hexadecimal.
pub(crate) fn number(n: u64) -> String {
    if n < 128 { n.to_string() } else { format!("{n:#x}") }
}

/// Bytes, under the name that Go gives their type at that place.
pub(crate) fn bytes(kind: &str, bytes: &[u8]) -> String {
    let list: Vec<String> = bytes.iter().map(|byte| format!("{byte:#x}")).collect();
    format!("{kind}{{{}}}", list.join(", "))
}

/// A list of values.
pub(crate) fn list(values: &[String]) -> String {
    format!("[]interface {{}}{{{}}}", values.join(", "))
}

/// A map from text to values, ordered by key.
pub(crate) fn map<'a>(entries: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut entries: Vec<_> = entries.into_iter().collect();
    entries.sort_by(|a, b| a.0.cmp(b.0));
    let entries: Vec<String> =
        entries.into_iter().map(|(key, value)| format!("{}:{value}", quoted(key))).collect();
    format!("map[interface {{}}]interface {{}}{{{}}}", entries.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_quoted_as_go_does() {
        assert_eq!(quoted("a\"b\\c"), r#""a\"b\\c""#);
        assert_eq!(quoted("\u{7}\u{8}\u{b}\u{c}\r\n\t\u{1b}\u{7f}"), r#""\a\b\v\f\r\n\t\x1b\x7f""#);
        assert_eq!(quoted("käse 🧀 e\u{301}"), "\"käse 🧀 e\u{301}\"");
        assert_eq!(quoted("\u{2028}\u{a0}\u{e0001}\u{85}"), r#""\u2028\u00a0\U000e0001\u0085""#);
    }

    #[test]
    fn numbers_beyond_127_are_hexadecimal() {
        assert_eq!(number(0), "0");
        assert_eq!(number(127), "127");
        assert_eq!(number(128), "0x80");
        assert_eq!(number(17948), "0x461c");
    }

    #[test]
    fn composites() {
        assert_eq!(bytes("[]byte", b"a\nb"), "[]byte{0x61, 0xa, 0x62}");
        assert_eq!(bytes("[]uint8", &[127, 0, 0, 1]), "[]uint8{0x7f, 0x0, 0x0, 0x1}");
        assert_eq!(list(&[number(1), quoted("x")]), r#"[]interface {}{1, "x"}"#);
        assert_eq!(
            map([("b", number(1)), ("a", number(2))]),
            r#"map[interface {}]interface {}{"a":2, "b":1}"#
        );
        assert_eq!(map([]), "map[interface {}]interface {}{}");
    }
}
