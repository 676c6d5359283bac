//! Text that others wrote, made safe to show: nothing pings, nothing forges markup, nothing is too long.

/// Invisible; breaks a mention without changing how it reads.
const BREAK: char = '\u{200b}';

/// For `mrkdwn` and `text`: all markup shown as it was written.
#[must_use]
pub fn escape_mrkdwn(text: &str) -> String {
    break_broadcasts(&text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))
}

/// For Markdown (markdown blocks, streams): Slack's own tags (`<@U…>`, `<!channel>`, `<#C…>`) are
/// broken, Markdown stays.
#[must_use]
pub fn defang(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        out.push(letter);
        if letter == '<' && letters.peek().is_some_and(|next| matches!(next, '!' | '@' | '#')) {
            out.push(BREAK);
        }
    }
    break_broadcasts(&out)
}

/// `@channel`, `@here` and `@everyone` as plain words, in case somebody turns names into links.
fn break_broadcasts(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let (before, after) = (&rest[..=at], &rest[at + 1..]);
        out.push_str(before);
        let word: String = after.chars().take(8).collect::<String>().to_ascii_lowercase();
        if ["channel", "here", "everyone"].iter().any(|name| word.starts_with(name)) {
            out.push(BREAK);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The first `limit` characters, with an ellipsis if something was cut.
#[must_use]
pub fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(limit.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// One line, at most `limit` characters.
#[must_use]
pub fn one_line(text: &str, limit: usize) -> String {
    cut(&text.split_whitespace().collect::<Vec<_>>().join(" "), limit)
}

/// The fence that is open at the end of this text, as it was opened (```` ```python ````).
#[must_use]
pub fn open_fence(text: &str) -> Option<String> {
    let mut open: Option<String> = None;
    for line in text.lines() {
        fence_after(&mut open, line);
    }
    open
}

fn fence_after(open: &mut Option<String>, line: &str) {
    let line = line.trim_start();
    let marks =
        line.chars().take_while(|c| *c == '`').count().max(line.chars().take_while(|c| *c == '~').count());
    if marks < 3 {
        return;
    }
    match open {
        None => *open = Some(line.trim_end().to_owned()),
        Some(opened) => {
            let mark = opened.chars().next();
            let needed = opened.chars().take_while(|c| Some(*c) == mark).count();
            if line.chars().next() == mark
                && marks >= needed
                && line.trim_end().chars().all(|c| Some(c) == mark)
            {
                *open = None;
            }
        }
    }
}

/// What closes this fence.
#[must_use]
pub fn closing(fence: &str) -> String {
    let mark = fence.chars().next().unwrap_or('`');
    fence.chars().take_while(|c| *c == mark).collect()
}

/// Markdown in parts of at most `limit` characters, cut between paragraphs where that is possible,
/// else between lines, else anywhere. A fence that is cut is closed and opened again.
#[must_use]
pub fn split(text: &str, limit: usize) -> Vec<String> {
    // Room for closing a fence and opening it again.
    let room = limit.saturating_sub(80).max(1);
    let mut parts: Vec<String> = Vec::new();
    let mut part = String::new();
    let mut size = 0;
    let mut fence: Option<String> = None;
    // Where the part could be cut between paragraphs: byte position and characters before it.
    let mut paragraph: Option<(usize, usize)> = None;
    for line in lines(text, room) {
        let length = line.chars().count();
        if size + length > room && !part.trim().is_empty() {
            let rest = match (&fence, paragraph) {
                (None, Some((at, before))) if before > room / 2 => part.split_off(at),
                _ => String::new(),
            };
            if let Some(fence) = &fence {
                if !part.ends_with('\n') {
                    part.push('\n');
                }
                part.push_str(&closing(fence));
            }
            parts.push(std::mem::take(&mut part).trim_end().to_owned());
            if let Some(fence) = &fence {
                part = format!("{}\n", cut(fence, 30));
            }
            part.push_str(&rest);
            size = part.chars().count();
            paragraph = None;
        }
        part.push_str(line);
        size += length;
        fence_after(&mut fence, line);
        if line.trim().is_empty() && fence.is_none() {
            paragraph = Some((part.len(), size));
        }
    }
    if !part.trim().is_empty() {
        parts.push(part.trim_end().to_owned());
    }
    parts
}

/// Lines with their breaks, those longer than `room` cut.
fn lines(text: &str, room: usize) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n').flat_map(move |line| {
        let mut rest = line;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let end = rest.char_indices().nth(room).map_or(rest.len(), |(at, _)| at);
            let (piece, left) = rest.split_at(end);
            rest = left;
            Some(piece)
        })
    })
}

/// Markdown as Slack's older `mrkdwn`, roughly: for when a markdown block is refused.
#[must_use]
pub fn to_mrkdwn(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    let mut fence = None;
    for line in escape_mrkdwn(markdown).split_inclusive('\n') {
        let before = fence.is_some();
        fence_after(&mut fence, line);
        if before || fence.is_some() {
            // mrkdwn fences know no language.
            out.push_str(if !before && fence.is_some() { "```\n" } else { line });
            continue;
        }
        let heading = line.trim_start_matches('#');
        if heading.len() < line.len() && heading.starts_with(' ') {
            out.push_str(&format!("*{}*\n", heading.trim()));
        } else {
            out.push_str(&line.replace("**", "*"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_others_wrote_pings() {
        for hostile in [
            "<!channel>",
            "<@U123>",
            "<!subteam^S1|x>",
            "<!here|here>",
            "@channel",
            "@Everyone",
            "`<@U1>`",
            "<#C1>",
        ] {
            for safe in [defang(hostile), escape_mrkdwn(hostile)] {
                for tag in ["<!", "<@", "<#", "@channel", "@Everyone", "@here"] {
                    assert!(!safe.contains(tag), "{hostile} became {safe}");
                }
            }
        }
        assert_eq!(defang("a < b and `x<y>` & mail me@x.org"), "a < b and `x<y>` & mail me@x.org");
        assert_eq!(escape_mrkdwn("<b> & c"), "&lt;b&gt; &amp; c");
    }

    #[test]
    fn a_long_text_is_cut_between_paragraphs() {
        let text = format!("{}\n\n{}\n\n{}", "a".repeat(300), "b".repeat(300), "c".repeat(300));
        let parts = split(&text, 700);
        assert_eq!(parts, [format!("{}\n\n{}", "a".repeat(300), "b".repeat(300)), "c".repeat(300)]);
    }

    #[test]
    fn a_cut_fence_is_closed_and_opened_again() {
        let code = (0..100).map(|n| format!("print({n})\n")).collect::<String>();
        let text = format!("Look:\n```python\n{code}```\nDone.");
        let parts = split(&text, 500);
        assert!(parts.len() > 2);
        for part in &parts {
            assert!(part.chars().count() <= 500, "{}", part.len());
            assert_eq!(open_fence(part), None, "{part}");
        }
        assert!(parts[1].starts_with("```python\n"));
        let together: usize = parts.iter().map(|part| part.matches("print(").count()).sum();
        assert_eq!(together, 100);
    }

    #[test]
    fn a_line_without_end_is_cut_anyway_and_nothing_is_lost() {
        let text = "é".repeat(2_000);
        let parts = split(&text, 300);
        assert!(parts.iter().all(|part| part.chars().count() <= 300));
        assert_eq!(parts.concat(), text);
        assert!(split("", 300).is_empty());
        assert!(split(" \n\n ", 300).is_empty());
    }

    #[test]
    fn markdown_becomes_mrkdwn_where_it_must() {
        assert_eq!(
            to_mrkdwn("# Title\n**bold** <x>\n```python\na = **k\n```\n"),
            "*Title*\n*bold* &lt;x&gt;\n```\na = **k\n```\n"
        );
    }
}
