//! What every room does to text: cutting it to a cap, escaping it for Slack, taking secrets out.
//!
//! Owns pure functions only; never splits a character, never allocates more than its input asks for.
//! Start at [`cut`]; secrets are in [`redact`].

use std::borrow::Cow;

mod redact;

pub use redact::{Flow, is_hub_token, redact, redact_hub_tokens, redact_json, redact_known, redact_values};

/// A number as people read it: four digits that count, no noise behind them.
#[must_use]
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return if value.is_nan() { "NaN".to_owned() } else { "Inf".to_owned() };
    }
    let size = value.abs();
    if size != 0.0 && !(1e-3..1e6).contains(&size) {
        return format!("{value:.2e}");
    }
    let digits = if size >= 1_000.0 {
        0
    } else if size >= 100.0 {
        1
    } else {
        4
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Seconds as people say them: `45 s`, `12 min`, `2 h`, `1 h 30 min`, `3 d 4 h`.
#[must_use]
pub fn duration(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let two = |first: u64, unit: &str, second: u64, small: &str| match second {
        0 => format!("{first} {unit}"),
        more => format!("{first} {unit} {more} {small}"),
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => two(hours, "h", minutes, "min"),
        (days, hours, _) => two(days, "d", hours, "h"),
    }
}

/// At most `max` characters of `text`; what was cut is marked by a last `…`.
#[must_use]
pub fn cut(text: &str, max: usize) -> Cow<'_, str> {
    if max == 0 {
        return Cow::Borrowed("");
    }
    if text.len() <= max || text.char_indices().nth(max).is_none() {
        return Cow::Borrowed(text);
    }
    let end = text.char_indices().nth(max - 1).map_or(text.len(), |(at, _)| at);
    Cow::Owned(format!("{}…", text[..end].trim_end()))
}

/// The first line of `text` that is not blank, cut to `max` characters.
#[must_use]
pub fn first_line(text: &str, max: usize) -> Cow<'_, str> {
    cut(text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default(), max)
}

/// The first quarter and the last three quarters of what fits into `max` characters, with a line
/// between them that tells how much is missing. Text that fits comes back as it is.
#[must_use]
pub fn head_and_tail(text: &str, max: usize) -> Cow<'_, str> {
    let total = if text.len() <= max { 0 } else { text.chars().count() };
    if total <= max {
        return Cow::Borrowed(text);
    }
    let (head, tail) = (max / 4, max - max / 4);
    let head_end = text.char_indices().nth(head).map_or(text.len(), |(at, _)| at);
    let tail_start = text.char_indices().nth(total - tail).map_or(text.len(), |(at, _)| at);
    Cow::Owned(format!(
        "{}\n\n[… {} of {total} characters left out …]\n\n{}",
        &text[..head_end],
        total - max,
        &text[tail_start..]
    ))
}

/// Escapes the three characters that Slack reads as markup for entities, so that text can neither
/// ping anyone nor forge a link.
#[must_use]
pub fn escape_slack(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

/// Undoes [`escape_slack`] once.
#[must_use]
pub fn unescape_slack(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (plain, used) = match rest {
            r if r.starts_with("&amp;") => ('&', 5),
            r if r.starts_with("&lt;") => ('<', 4),
            r if r.starts_with("&gt;") => ('>', 4),
            _ => ('&', 1),
        };
        out.push(plain);
        rest = &rest[used..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Escapes text for the inside of Slack's mrkdwn: entities as [`escape_slack`] does, and a
/// zero-width space before the characters that would begin bold, italic, strike or code, so that
/// a name or a path is shown as it is.
#[must_use]
pub fn escape_mrkdwn(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in escape_slack(text).chars() {
        if matches!(c, '*' | '_' | '~' | '`') {
            out.push('\u{200b}');
        }
        out.push(c);
    }
    out
}

/// `1 line`, `2 lines`: a count with its word.
#[must_use]
pub fn count(number: usize, word: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {word}{plural}")
}

/// Of `names`, those that are most like `wanted`: three at most, the likeliest first.
pub fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    const ALIKE: f64 = 0.72;
    let wanted = wanted.to_lowercase();
    let mut scored: Vec<(f64, &str)> = names
        .map(|name| (strsim::jaro_winkler(&wanted, &name.to_lowercase()), name))
        .filter(|(score, _)| *score >= ALIKE)
        .collect();
    scored.sort_by(|one, two| two.0.total_cmp(&one.0).then(one.1.cmp(two.1)));
    scored.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
}

/// What changed between two texts, as a unified diff with three lines around each change.
#[must_use]
pub fn unified_diff(before: &str, after: &str) -> String {
    let ended = |text: &str| if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
    let (before, after) = (ended(before), ended(after));
    similar::TextDiff::from_lines(before.as_str(), after.as_str())
        .unified_diff()
        .context_radius(3)
        .header("proposed", "edited")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_honest() {
        for (value, text) in [
            (0.0, "0"),
            (0.91236, "0.9124"),
            (1.5, "1.5"),
            (123.456, "123.5"),
            (12_345.6, "12346"),
            (2e-5, "2.00e-5"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Inf"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn cutting_counts_characters_and_never_splits_one() {
        assert_eq!(cut("héllo", 5), "héllo");
        assert_eq!(cut("héllo", 3), "hé…");
        assert_eq!(cut("日本語テキスト", 4), "日本語…");
        assert_eq!(cut("x", 0), "");
        assert_eq!(first_line("\n  \n  two\nthree", 10), "two");
    }

    #[test]
    fn head_and_tail_keep_a_quarter_and_three_quarters() {
        let text: String = ('a'..='z').collect();
        assert_eq!(head_and_tail(&text, 26), text);
        assert_eq!(head_and_tail(&text, 8), "ab\n\n[… 18 of 26 characters left out …]\n\nuvwxyz");
        assert_eq!(head_and_tail("ééééé", 5), "ééééé");
    }

    #[test]
    fn escaping_is_undone_exactly_once() {
        let hostile = "<!channel> & <@U1> &lt;";
        assert_eq!(escape_slack(hostile), "&lt;!channel&gt; &amp; &lt;@U1&gt; &amp;lt;");
        assert_eq!(unescape_slack(&escape_slack(hostile)), hostile);
        assert_eq!(unescape_slack("a && b &amp;lt; &"), "a && b &lt; &");
        assert_eq!(escape_mrkdwn("a_b <x>"), "a\u{200b}_b &lt;x&gt;");
    }

    #[test]
    fn counts_read_as_words() {
        assert_eq!((count(1, "line"), count(2, "line")), ("1 line".to_owned(), "2 lines".to_owned()));
    }

    #[test]
    fn a_wrong_name_gets_the_nearest_ones() {
        let names = ["plan_tool", "bash", "read"];
        assert_eq!(nearest("Bsh", names.into_iter()), ["bash"]);
        assert_eq!(nearest("plan", names.into_iter()), ["plan_tool"]);
        assert_eq!(nearest("zzz", names.into_iter()), Vec::<String>::new());
    }
}
