//! Numbers as Python, JSON and people print them.

/// The number that `text` begins with, and how many bytes it takes. `nan` and `inf` count, as do numbers in
/// `tensor(…)` and `np.float64(…)`, and commas between thousands. What goes on as a word (`50ms`, `3D`) is none.
pub(super) fn leading(text: &str) -> Option<(f64, usize)> {
    for wrapper in ["tensor(", "np.float64(", "np.float32(", "np.float16(", "np.int64("] {
        if let Some(inner) = text.strip_prefix(wrapper) {
            let (value, used) = leading(inner)?;
            let close = inner[used..].find(')')?;
            return Some((value, wrapper.len() + used + close + 1));
        }
    }
    let bytes = text.as_bytes();
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    for word in ["infinity", "inf", "nan"] {
        let end = sign + word.len();
        let same = text.get(sign..end).is_some_and(|found| found.eq_ignore_ascii_case(word));
        if same && ends(bytes, end) {
            return Some((text[..end].parse().ok()?, end));
        }
    }
    let end = digits_end(bytes, sign)?;
    if !ends(bytes, end) {
        return None;
    }
    let value = text[..end].replace(',', "").parse().ok()?;
    let percent = usize::from(bytes.get(end) == Some(&b'%'));
    Some((value, end + percent))
}

/// The number that `text` is, and nothing else.
pub(super) fn exact(text: &str) -> Option<f64> {
    let text = text.trim();
    leading(text).filter(|(_, used)| *used == text.len()).map(|(value, _)| value)
}

/// Where `[0-9,]+(\.[0-9]*)?([eE][+-]?[0-9]+)?` ends; commas only before exactly three digits.
fn digits_end(bytes: &[u8], from: usize) -> Option<usize> {
    let digits = |at: usize| bytes[at.min(bytes.len())..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut end = from + digits(from);
    let begun = end > from;
    while begun && bytes.get(end) == Some(&b',') && digits(end + 1) == 3 {
        end += 4;
    }
    let mut fraction = 0;
    if bytes.get(end) == Some(&b'.') {
        fraction = digits(end + 1);
        if begun || fraction > 0 {
            end += 1 + fraction;
        }
    }
    if !begun && fraction == 0 {
        return None;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    Some(end)
}

/// Whether a number may end here.
fn ends(bytes: &[u8], at: usize) -> bool {
    match bytes.get(at) {
        None => true,
        // `50.` at the end of a sentence is a number; `1.2.3` and `12:30` are none.
        Some(b'.') => !bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric),
        Some(b'%' | b',' | b';' | b'|' | b')' | b']' | b'}' | b'/' | b'\'' | b'"') => true,
        Some(b':') => !bytes.get(at + 1).is_some_and(u8::is_ascii_digit),
        Some(byte) => byte.is_ascii_whitespace(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_are_printed() {
        for (text, value, used) in [
            ("1.25, next", 1.25, 4),
            ("2e-05}", 2e-5, 5),
            ("-0.5", -0.5, 4),
            (".5 x", 0.5, 2),
            ("1,234,567 steps", 1_234_567.0, 9),
            ("1, 234", 1.0, 1),
            ("85.2%", 85.2, 5),
            ("5.", 5.0, 2),
            ("tensor(0.53, device='cuda:0')", 0.53, 29),
            ("np.float64(0.5))", 0.5, 15),
            ("100/1000", 100.0, 3),
            ("inf,", f64::INFINITY, 3),
            ("-Infinity", f64::NEG_INFINITY, 9),
        ] {
            assert_eq!(leading(text), Some((value, used)), "{text}");
        }
        assert!(leading("NaN}").is_some_and(|(value, used)| value.is_nan() && used == 3));
        for text in ["50ms", "12:30:01", "nano", "1.2.3", "information", "", "-", "e5", "0x1f", "3D"] {
            assert_eq!(leading(text), None, "{text}");
        }
        assert_eq!(exact(" 0.5 "), Some(0.5));
        assert_eq!(exact("0.5 of it"), None);
    }
}
