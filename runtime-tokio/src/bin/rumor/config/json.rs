//! JSON whose every key and value knows where it was written.

use std::ops::Range;

use super::tree::{Item, Place, Value};

/// Lists and tables inside each other.
const DEPTH_MAX: usize = 32;

/// A document that is not JSON: what is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct JsonError {
    pub(super) message: &'static str,
    pub(super) span: Range<usize>,
}

/// Reads a document.
pub(super) fn parse(document: usize, text: &str) -> Result<Item, JsonError> {
    let mut reader = Reader { document, text, at: 0 };
    reader.skip_space();
    if reader.peek().is_none() {
        return reader.fail("the file is empty; the least is {}");
    }
    let item = reader.item(0..0, 0)?;
    reader.skip_space();
    match reader.peek() {
        None => Ok(item),
        Some(_) => reader.fail("something follows the end of the document"),
    }
}

struct Reader<'a> {
    document: usize,
    text: &'a str,
    /// Always on a character's boundary.
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn fail<T>(&self, message: &'static str) -> Result<T, JsonError> {
        let length = self.rest().chars().next().map_or(0, char::len_utf8);
        Err(JsonError { message, span: self.at..self.at + length })
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn take(&mut self, wanted: u8) -> bool {
        let there = self.peek() == Some(wanted);
        if there {
            self.at += 1;
        }
        there
    }

    fn item(&mut self, key: Range<usize>, depth: usize) -> Result<Item, JsonError> {
        let start = self.at;
        let value = self.value(depth)?;
        let place = |span| Place::Document(self.document, span);
        Ok(Item { value, at: place(start..self.at), key_at: place(key) })
    }

    fn value(&mut self, depth: usize) -> Result<Value, JsonError> {
        match self.peek() {
            Some(b'{' | b'[') if depth >= DEPTH_MAX => {
                self.fail("too many lists and tables inside each other")
            }
            Some(b'{') => self.table(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.string().map(Value::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Truth(true)),
            Some(b'f') => self.word("false", Value::Truth(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(b'\'') => self.fail("texts stand in double quotes"),
            Some(b'#' | b'/') => self.fail("JSON has no comments; a file that ends in .toml may have some"),
            Some(_) => {
                self.fail("a value is expected here: \"text\", number, true, false, [list] or {table}")
            }
            None => self.fail("the document ends where a value is expected"),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, JsonError> {
        if !self.rest().starts_with(word) {
            return self.fail("a value is expected here: \"text\", number, true, false, [list] or {table}");
        }
        self.at += word.len();
        Ok(value)
    }

    fn list(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.take(b']') {
            return Ok(Value::List(items));
        }
        loop {
            self.skip_space();
            if self.peek() == Some(b']') {
                return self.fail("there is a comma before the end of the list");
            }
            let start = self.at;
            items.push(self.item(start..start, depth + 1)?);
            self.skip_space();
            if self.take(b']') {
                return Ok(Value::List(items));
            }
            if !self.take(b',') {
                return self.fail("a comma or the list's end (]) is expected here");
            }
        }
    }

    fn table(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.at += 1;
        let mut entries: Vec<(String, Item)> = Vec::new();
        self.skip_space();
        if self.take(b'}') {
            return Ok(Value::Table(entries));
        }
        loop {
            self.skip_space();
            let start = self.at;
            match self.peek() {
                Some(b'"') => {}
                Some(b'}') => return self.fail("there is a comma before the end of the table"),
                _ => return self.fail("a key in double quotes is expected here"),
            }
            let key = self.string()?;
            let span = start..self.at;
            if entries.iter().any(|(name, _)| *name == key) {
                return Err(JsonError { message: "this key is there twice", span });
            }
            self.skip_space();
            if !self.take(b':') {
                return self.fail("a colon is expected after the key");
            }
            self.skip_space();
            let item = self.item(span, depth + 1)?;
            entries.push((key, item));
            self.skip_space();
            if self.take(b'}') {
                return Ok(Value::Table(entries));
            }
            if !self.take(b',') {
                return self.fail("a comma or the table's end (}) is expected here");
            }
        }
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let start = self.at;
        self.take(b'-');
        let digits = self.digits();
        if digits == 0 {
            return self.fail("a digit is expected here");
        }
        let mut whole = true;
        if self.take(b'.') {
            whole = false;
            if self.digits() == 0 {
                return self.fail("a digit is expected after the point");
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            whole = false;
            self.at += 1;
            if !self.take(b'-') {
                self.take(b'+');
            }
            if self.digits() == 0 {
                return self.fail("a digit is expected in the exponent");
            }
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        if digits > 1 && unsigned.starts_with('0') {
            return Err(JsonError { message: "a number does not begin with 0", span: start..self.at });
        }
        let too_large = Value::Other("a number beyond all bounds");
        Ok(match whole {
            true => text.parse().map_or(too_large, Value::Whole),
            false => text.parse().map_or(too_large, Value::Number),
        })
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    /// A text, from its opening quote on.
    fn string(&mut self) -> Result<String, JsonError> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let Some(c) = self.rest().chars().next() else {
                return Err(JsonError { message: "this text has no end", span: start..start + 1 });
            };
            match c {
                '"' => {
                    self.at += 1;
                    return Ok(text);
                }
                '\\' => text.push(self.escape()?),
                '\n' | '\r' => {
                    return Err(JsonError { message: "this text has no end", span: start..self.at });
                }
                c if u32::from(c) < 0x20 => {
                    return self.fail("a control character is written as \\u00.. in a text");
                }
                c => {
                    text.push(c);
                    self.at += c.len_utf8();
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        const WRONG: &str = "there is no such escape; a backslash itself is written \\\\";
        let start = self.at;
        self.at += 1;
        let Some(letter) = self.peek().filter(u8::is_ascii) else { return self.fail(WRONG) };
        let plain = match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.at += 1;
                return self.unicode(start);
            }
            _ => return Err(JsonError { message: WRONG, span: start..self.at + 1 }),
        };
        self.at += 1;
        Ok(plain)
    }

    /// The character of a `\u` with its four digits, or of two that belong together; of half of such a pair the replacement character,
    /// as Go has it.
    fn unicode(&mut self, start: usize) -> Result<char, JsonError> {
        let first = self.hex(start)?;
        if let 0xD800..=0xDBFF = first
            && self.rest().starts_with("\\u")
        {
            let before = self.at;
            self.at += 2;
            let second = self.hex(before)?;
            if let 0xDC00..=0xDFFF = second {
                let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&mut self, start: usize) -> Result<u32, JsonError> {
        let digits = self.text.get(self.at..self.at + 4).filter(|t| t.bytes().all(|b| b.is_ascii_hexdigit()));
        let Some(code) = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) else {
            return Err(JsonError { message: "\\u takes four hexadecimal digits", span: start..self.at });
        };
        self.at += 4;
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same as serde_json has it.
    fn plain(item: &Item) -> serde_json::Value {
        use serde_json::Value as Json;
        match &item.value {
            Value::Null => Json::Null,
            Value::Text(text) => Json::String(text.clone()),
            Value::Whole(n) => i64::try_from(*n).map(Json::from).unwrap_or(Json::Null),
            Value::Number(n) => Json::from(*n),
            Value::Truth(t) => Json::Bool(*t),
            Value::Path(_) | Value::Other(_) => Json::Null,
            Value::List(items) => Json::Array(items.iter().map(plain).collect()),
            Value::Table(entries) => {
                Json::Object(entries.iter().map(|(k, i)| (k.clone(), plain(i))).collect())
            }
        }
    }

    fn error(text: &str) -> (&'static str, Range<usize>) {
        let error = parse(0, text).expect_err(text);
        (error.message, error.span)
    }

    #[test]
    fn keys_and_values_know_where_they_stand() {
        let text = r#"{ "a": [1, "bé", {"c": true}] }"#;
        let item = parse(3, text).expect("right");
        let list = item.get("a").expect("there");
        let Value::List(items) = &list.value else { panic!("a list") };
        let of = |place: &Place| match place {
            Place::Document(3, span) => &text[span.clone()],
            other => panic!("{other:?}"),
        };
        assert_eq!(of(&list.key_at), r#""a""#);
        assert_eq!(of(&list.at), r#"[1, "bé", {"c": true}]"#);
        assert_eq!(of(&items[1].at), r#""bé""#);
        assert_eq!(of(&items[2].get("c").expect("there").at), "true");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        assert_eq!(error(" "), ("the file is empty; the least is {}", 1..1));
        assert_eq!(error("{\"a\": 1,}"), ("there is a comma before the end of the table", 8..9));
        assert_eq!(error("[1,]"), ("there is a comma before the end of the list", 3..4));
        assert_eq!(error("{\"a\" 1}"), ("a colon is expected after the key", 5..6));
        assert_eq!(error("{\"a\": 1 \"b\": 2}"), ("a comma or the table's end (}) is expected here", 8..9));
        assert_eq!(error("[1 2]"), ("a comma or the list's end (]) is expected here", 3..4));
        assert_eq!(error("{a: 1}"), ("a key in double quotes is expected here", 1..2));
        assert_eq!(error("{\"a\": 1, \"a\": 2}"), ("this key is there twice", 9..12));
        assert_eq!(error("{} x"), ("something follows the end of the document", 3..4));
        assert_eq!(error("{\"a\": 'b'}"), ("texts stand in double quotes", 6..7));
        assert_eq!(error("{\"a\": \"b"), ("this text has no end", 6..7));
        assert_eq!(error("{\"a\": \"b\n\"}"), ("this text has no end", 6..8));
        assert_eq!(
            error("{\"a\": \"\\x\"}").0,
            "there is no such escape; a backslash itself is written \\\\"
        );
        assert_eq!(
            error("{\"a\": \"\\é\"}").0,
            "there is no such escape; a backslash itself is written \\\\"
        );
        assert_eq!(error("{\"a\": \"\\u12\"}").0, "\\u takes four hexadecimal digits");
        assert_eq!(error("{\"a\": 012}"), ("a number does not begin with 0", 6..9));
        assert_eq!(error("// no\n{}").0, "JSON has no comments; a file that ends in .toml may have some");
        assert_eq!(error(&"[".repeat(40)), ("too many lists and tables inside each other", 32..33));
        assert_eq!(error("{\"a\":"), ("the document ends where a value is expected", 5..5));
        assert_eq!(error("{\"a\": nil}").1, 6..7);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,80}") {
            let _ = parse(0, &text);
        }

        #[test]
        fn no_near_json_panics_and_serde_agrees(text in r#"[\[\]{}:,"\\u0-9a-ftrlns .eE+\n-]{0,40}"#) {
            let ours = parse(0, &text);
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            match (ours, theirs) {
                // Twice the same key, and half a surrogate pair, are where the two differ.
                (Ok(ours), Ok(theirs)) if text.contains(['.', 'e', 'E', '-']) || text.len() > 18 || text.contains("\\u") => {
                    prop_assert_eq!(plain(&ours).is_object(), theirs.is_object());
                }
                (Ok(ours), Ok(theirs)) => prop_assert_eq!(plain(&ours), theirs),
                (Err(error), Ok(theirs)) => prop_assert!(error.message == "this key is there twice", "{} {}", theirs, error.message),
                (Ok(_), Err(error)) => prop_assert!(text.contains("\\u") || error.to_string().contains("out of range"), "{}", error),
                (Err(_), Err(_)) => {}
            }
        }

        #[test]
        fn what_serde_writes_is_read_the_same(
            text in ".{0,20}", number in any::<i64>(), float in -1e9f64..1e9, keys in prop::collection::btree_map("[^\\x00]{0,5}", any::<bool>(), 0..5),
        ) {
            let value = serde_json::json!({ "t": text, "n": number, "f": float, "l": [null, text], "k": keys });
            for written in [value.to_string(), format!("{value:#}")] {
                prop_assert_eq!(&plain(&parse(0, &written).expect("JSON")), &value);
            }
        }
    }
}
