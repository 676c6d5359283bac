//! Markdown to Slack's mrkdwn, for texts that cannot go into a Markdown block.
//!
//! Code stays byte for byte; entities that Slack knows stay; everything else is escaped once, so
//! that a second pass changes nothing. Arithmetic is not emphasis. Never looks at who wrote the
//! text: silencing mentions is the caller's job. Start at [`to_mrkdwn`].

use crate::text::{escape_slack, unescape_slack};

/// A piece of text on its way: a character that rules may still read, or text that is done.
#[derive(Debug, Clone, PartialEq)]
enum Token {
    Char(char),
    Done(String),
}

/// Converts Markdown to mrkdwn.
#[must_use]
pub fn to_mrkdwn(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut lines: Vec<Vec<Token>> = vec![Vec::new()];
    for token in tokenise(text) {
        if token == Token::Char('\n') {
            lines.push(Vec::new());
        } else if let Some(line) = lines.last_mut() {
            line.push(token);
        }
    }
    for (number, line) in lines.iter().enumerate() {
        if number > 0 {
            out.push('\n');
        }
        write(&convert_line(line), &mut out);
    }
    out
}

/// Writes tokens, escaping what is not done.
fn write(tokens: &[Token], out: &mut String) {
    let mut plain = String::new();
    for token in tokens {
        match token {
            Token::Char(c) => plain.push(*c),
            Token::Done(done) => {
                out.push_str(&escape_slack(&unescape_slack(&plain)));
                plain.clear();
                out.push_str(done);
            }
        }
    }
    out.push_str(&escape_slack(&unescape_slack(&plain)));
}

/// Sets aside code, links, Slack's entities and quote markers.
fn tokenise(text: &str) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let line_start = at == 0 || text.as_bytes()[at - 1] == b'\n';
        let taken = match c {
            '`' => code(rest).map(|length| (length, rest[..length].to_owned())),
            '[' => link(rest),
            '<' => entity(rest).map(|length| (length, rest[..length].to_owned())),
            '>' if line_start => quote(rest).map(|length| (length, rest[..length].to_owned())),
            _ => None,
        };
        match taken {
            Some((length, done)) => {
                tokens.push(Token::Done(done));
                at += length;
            }
            None => {
                tokens.push(Token::Char(c));
                at += c.len_utf8();
            }
        }
    }
    tokens
}

/// The length of the code at the start of `rest`: a fence to its end (or to the end of the text),
/// or a span within one line.
fn code(rest: &str) -> Option<usize> {
    if let Some(inner) = rest.strip_prefix("```") {
        // An open fence is shown as code to the end, as Slack does; it must not be left half converted.
        return Some(inner.find("```").map_or(rest.len(), |end| 3 + end + 3));
    }
    let line = rest.split('\n').next().unwrap_or(rest);
    let ticks = line.bytes().take_while(|b| *b == b'`').count();
    let end = line[ticks..].find(&line[..ticks])?;
    (end > 0).then_some(ticks + end + ticks)
}

const LONGEST_LINK: usize = 4_000;

/// `[label](url)` as Slack writes it, if the address is one that may be linked. Other schemes
/// stay as text: `[x](!channel)` must not become a ping.
fn link(rest: &str) -> Option<(usize, String)> {
    let window = window(rest);
    let close = window.find("](")?;
    let label = &window[1..close];
    if label.is_empty() || label.contains(['\n', '[']) {
        return None;
    }
    let target = &window[close + 2..];
    let (url, used) = if let Some(inner) = target.strip_prefix('<') {
        let end = inner.find(['>', '\n'])?;
        inner[end..].starts_with(">)").then_some((&inner[..end], end + 3))?
    } else {
        let mut depth = 0_usize;
        let end = target.char_indices().find_map(|(at, c)| match c {
            '(' => {
                depth += 1;
                None
            }
            ')' if depth == 0 => Some(Some(at)),
            ')' => {
                depth -= 1;
                None
            }
            c if c.is_whitespace() => Some(None),
            _ => None,
        })??;
        (&target[..end], end + 1)
    };
    if !is_linkable(url) {
        return None;
    }
    let url = escape_slack(&unescape_slack(url)).replace('|', "%7C");
    let label = escape_slack(&unescape_slack(label)).replace('|', "¦");
    Some((close + 2 + used, format!("<{url}|{label}>")))
}

fn is_linkable(url: &str) -> bool {
    ["http://", "https://", "mailto:", "tel:"]
        .iter()
        .any(|scheme| url.starts_with(scheme) && url.len() > scheme.len())
}

/// The length of the Slack entity at the start of `rest`.
fn entity(rest: &str) -> Option<usize> {
    let window = window(rest);
    let end = window[1..].find(['<', '>', '\n'])? + 1;
    let inner = &window[1..end];
    let known = inner.len() > 1 && inner.starts_with(['@', '#', '!']) || is_linkable(inner);
    (known && window[end..].starts_with('>')).then_some(end + 1)
}

/// The beginning of `rest` that a link or entity may span: bounds the search.
fn window(rest: &str) -> &str {
    if rest.len() <= LONGEST_LINK {
        return rest;
    }
    let end = (0..=LONGEST_LINK).rev().find(|at| rest.is_char_boundary(*at)).unwrap_or(0);
    &rest[..end]
}

/// The length of the quote markers at the start of a line, each followed by a blank.
fn quote(rest: &str) -> Option<usize> {
    let length = rest.as_bytes().chunks(2).take_while(|pair| *pair == b"> ").count() * 2;
    (length > 0).then_some(length)
}

fn convert_line(line: &[Token]) -> Vec<Token> {
    let hashes = line.iter().take_while(|token| **token == Token::Char('#')).count();
    let heading = (1..=6).contains(&hashes) && matches!(line.get(hashes), Some(Token::Char(' ' | '\t')));
    if !heading {
        return emphasise(line);
    }
    let blank = |token: &&Token| matches!(token, Token::Char(c) if c.is_whitespace());
    let start = hashes + line[hashes..].iter().take_while(blank).count();
    let end = line.len() - line[start..].iter().rev().take_while(blank).count();
    if start >= end {
        return line.to_vec();
    }
    let mut content = Vec::with_capacity(end - start);
    let mut at = start;
    while at < end {
        if stars(line, at) == 2 {
            at += 2;
        } else {
            content.push(line[at].clone());
            at += 1;
        }
    }
    wrap("*", emphasise(&content), "*")
}

fn wrap(open: &str, inner: Vec<Token>, close: &str) -> Vec<Token> {
    let mut out = Vec::with_capacity(inner.len() + 2);
    out.push(Token::Done(open.to_owned()));
    out.extend(inner);
    out.push(Token::Done(close.to_owned()));
    out
}

/// How many of the same mark stand at `at`, which must be the first of them.
fn marks(tokens: &[Token], at: usize, mark: char) -> usize {
    if at > 0 && tokens[at - 1] == Token::Char(mark) {
        return 0;
    }
    tokens[at..].iter().take_while(|token| **token == Token::Char(mark)).count()
}

fn stars(tokens: &[Token], at: usize) -> usize {
    marks(tokens, at, '*')
}

fn is_blank(token: Option<&Token>) -> bool {
    token.is_none_or(|token| matches!(token, Token::Char(c) if c.is_whitespace()))
}

fn is_word(token: Option<&Token>) -> bool {
    token.is_some_and(|token| matches!(token, Token::Char(c) if c.is_alphanumeric()))
}

/// Bold, italic and strike within one line.
fn emphasise(tokens: &[Token]) -> Vec<Token> {
    let mut out = Vec::with_capacity(tokens.len());
    let mut at = 0;
    // Marks that have no partner further on in this line: [*, **, ***, ~~].
    let mut lonely = [false; 4];
    while at < tokens.len() {
        let (kind, mark, width) = match (stars(tokens, at), marks(tokens, at, '~')) {
            (width @ 1..=3, _) => (width - 1, '*', width),
            (_, 2) => (3, '~', 2),
            _ => {
                out.push(tokens[at].clone());
                at += 1;
                continue;
            }
        };
        let inside = at + width;
        // A single star inside a word or between blanks is arithmetic or a list, not emphasis.
        let in_word = width == 1 && at > 0 && is_word(tokens.get(at - 1));
        let opens = !in_word && !is_blank(tokens.get(inside));
        let end = (opens && !lonely[kind]).then(|| partner(tokens, inside, mark, width)).flatten();
        let Some(end) = end else {
            lonely[kind] |= opens;
            out.extend_from_slice(&tokens[at..inside]);
            at = inside;
            continue;
        };
        let inner = emphasise(&tokens[inside..end]);
        out.extend(match (mark, width) {
            ('~', _) => wrap("~", inner, "~"),
            (_, 1) => wrap("_", inner, "_"),
            (_, 2) => wrap("*", inner, "*"),
            _ => wrap("*_", inner, "_*"),
        });
        at = end + width;
    }
    out
}

/// Where the closing mark of this width begins.
fn partner(tokens: &[Token], from: usize, mark: char, width: usize) -> Option<usize> {
    (from + 1..tokens.len()).find(|at| {
        marks(tokens, *at, mark) == width
            && !is_blank(tokens.get(at - 1))
            && !(width == 1 && is_word(tokens.get(at + width)))
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn markdown_becomes_what_slack_shows() {
        let cases = [
            ("# H **b**", "*H b*"),
            ("## A *b* c ", "*A _b_ c*"),
            ("**b** and *i*", "*b* and _i_"),
            ("***bi***", "*_bi_*"),
            ("~~x~~", "~x~"),
            ("**a *b* c**", "*a _b_ c*"),
            ("[a](http://x)", "<http://x|a>"),
            ("[a](<http://x y>)", "<http://x y|a>"),
            ("[w](http://x/(a)b)", "<http://x/(a)b|w>"),
            ("[q](https://x/?a=1&b=2)", "<https://x/?a=1&amp;b=2|q>"),
            ("**[l](http://x)**", "*<http://x|l>*"),
            ("[**b**](http://x)", "<http://x|**b**>"),
            ("![img](http://x/i.png)", "!<http://x/i.png|img>"),
            ("a & b < c > d", "a &amp; b &lt; c &gt; d"),
            (">noq", "&gt;noq"),
            ("(*i*), *j*.", "(_i_), _j_."),
        ];
        for (markdown, mrkdwn) in cases {
            assert_eq!(to_mrkdwn(markdown), mrkdwn, "{markdown}");
        }
    }

    #[test]
    fn what_is_no_markup_stays() {
        let same = [
            "",
            "####### seven",
            "#nospace",
            "__u__ _i_",
            "<@U1> <#C1|g> <!here> <https://a|b>",
            "&amp; &lt;",
            "> q",
            "> > q",
            "* item\n* other",
            "| a | b |\n|---|---|\n| 1 | 2 |",
            "---",
            "- [ ] t",
            "2 * 3 * 4",
            "2*3*4",
            "x ** 2 ** 3",
            "*args and **kwargs",
            "**multi\nline**",
            "```py\n**x** <y> & [a](http://b)\n```",
            "`**x** <y>`",
            "``a ` **b**``",
            "```\nopen **x** <y>",
            "**",
            "a ~ b ~~ c",
        ];
        for text in same {
            assert_eq!(to_mrkdwn(text), text, "{text}");
        }
    }

    #[test]
    fn a_link_cannot_become_a_mention() {
        assert_eq!(to_mrkdwn("[x](!channel)"), "[x](!channel)");
        assert_eq!(to_mrkdwn("[x](@U1)"), "[x](@U1)");
        assert_eq!(to_mrkdwn("[x](javascript:a)"), "[x](javascript:a)");
        assert_eq!(to_mrkdwn("[<!here>](http://x)"), "<http://x|&lt;!here&gt;>");
        assert_eq!(to_mrkdwn("[a|<@U1>](http://x|y)"), "<http://x%7Cy|a¦&lt;@U1&gt;>");
        assert_eq!(to_mrkdwn("[x](http://a><!here>)"), "<http://a&gt;&lt;!here&gt;|x>");
    }

    #[test]
    fn hostile_text_takes_bounded_time() {
        let started = Instant::now();
        for piece in
            ["*", "**a ", "*a ", "[", "](", "<", "`", "```", "~~a", "[a](", "*a* **b** ", "\n# ", "> "]
        {
            let text = piece.repeat(40_000 / piece.len());
            assert!(!to_mrkdwn(&text).is_empty());
        }
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    }
}
