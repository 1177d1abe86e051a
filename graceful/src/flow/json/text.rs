//! Texts in JSON.

use std::io;

use serde::Serialize;
use serde_json::Error;

/// Whether one of eight bytes must be escaped: a control character, `"` or `\`. The subtraction of a byte borrows, and so sets its highest
/// bit, if the byte is less; bytes of other characters than ASCII have this bit already.
#[inline]
const fn has_escape(bytes: u64) -> bool {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    let control = bytes.wrapping_sub(EACH * 0x20);
    let quote = (bytes ^ (EACH * 0x22)).wrapping_sub(EACH);
    let backslash = (bytes ^ (EACH * 0x5c)).wrapping_sub(EACH);
    (control | quote | backslash) & !bytes & (EACH << 7) != 0
}

/// Whether a text contains nothing that JSON escapes. It is read in blocks, of which the last overlaps the one before it.
#[inline]
pub(super) fn is_clean(text: &str) -> bool {
    let bytes = text.as_bytes();
    if let Some(last) = bytes.last_chunk::<8>() {
        let has_escape = |block: &[u8; 8]| has_escape(u64::from_ne_bytes(*block));
        return !bytes
            .as_chunks::<8>()
            .0
            .iter()
            .fold(has_escape(last), |found, block| found | has_escape(block));
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let (first, last) = (u32::from_ne_bytes(*first), u32::from_ne_bytes(*last));
        return !has_escape(u64::from(first) << 32 | u64::from(last));
    }
    bytes.iter().all(|byte| !has_escape(u64::from_ne_bytes([*byte; 8])))
}

/// Appends a text in quotes.
#[inline(never)]
pub(super) fn text(out: &mut String, text: &str) -> Result<(), Error> {
    if !is_clean(text) {
        return by_serde_json(out, text);
    }
    out.reserve(text.len() + 2);
    out.push('"');
    out.push_str(text);
    out.push('"');
    Ok(())
}

/// A writer that takes what `serde_json` writes, which is text.
pub(super) struct Text<'a>(pub(super) &'a mut String);

impl io::Write for Text<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.push_str(str::from_utf8(bytes).map_err(io::Error::other)?);
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write(bytes).map(|_| ())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Appends a value as `serde_json` writes it.
#[inline]
pub(super) fn by_serde_json<T: Serialize + ?Sized>(out: &mut String, value: &T) -> Result<(), Error> {
    serde_json::to_writer(Text(out), value)
}
