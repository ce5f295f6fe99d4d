//! A fuzzer's bytes, read as instructions. Where they end, everything is 0.

pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    /// At most so many bytes.
    pub fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Bytes with their length in front: one byte, or 255 and then eights.
    pub fn prefixed(&mut self) -> &'a [u8] {
        let length = match self.byte() {
            255 => 255 + 8 * usize::from(self.byte()),
            length => length.into(),
        };
        self.take(length)
    }
}
