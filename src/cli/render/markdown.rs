//! Markdown in a terminal: a little colour, nothing moved.
//!
//! Owns [`draw`]. Without colours the text stays exactly as it was written, so that it can be piped
//! into a file.

use super::blocks::Fence;
use super::paint::Paint;

/// Draws cleaned Markdown.
#[must_use]
pub fn draw(text: &str, paint: Paint) -> String {
    if paint == Paint::Plain {
        return text.to_owned();
    }
    let mut fence = Fence::default();
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        let (body, end) = line.strip_suffix('\n').map_or((line, ""), |body| (body, "\n"));
        if fence.line(body) {
            out.push_str(&paint.dim(body));
        } else if fence.is_open() {
            out.push_str(&paint.cyan(body));
        } else if body.starts_with('#') {
            out.push_str(&paint.bold(body.trim_start_matches('#').trim_start()));
        } else {
            out.push_str(&inline(body, paint));
        }
        out.push_str(end);
    }
    out
}

/// `code` and **bold** within a line; whatever is not closed stays as it is.
fn inline(line: &str, paint: Paint) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(['`', '*']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let mark = if from.starts_with("**") { "**" } else { &from[..1] };
        let body = &from[mark.len()..];
        match (mark, body.find(mark)) {
            ("`", Some(end)) if end > 0 => {
                out.push_str(&paint.cyan(&body[..end]));
                rest = &body[end + 1..];
            }
            ("**", Some(end)) if end > 0 => {
                out.push_str(&paint.bold(&body[..end]));
                rest = &body[end + 2..];
            }
            _ => {
                out.push_str(mark);
                rest = body;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colours_nothing_changes() {
        let text = "# Title\n\n**bold** `code`\n```sh\nls\n```\n";
        assert_eq!(draw(text, Paint::Plain), text);
    }

    #[test]
    fn with_colours_marks_become_looks() {
        let drawn =
            draw("# Title\nuse `ls` and **care**, 2 * 3, a ` alone\n```\n# code\n```\n", Paint::Colour);
        let plain = drawn.replace("\u{1b}[0m", ">").replace("\u{1b}[", "<");
        assert_eq!(
            plain,
            "<1mTitle>\nuse <36mls> and <1mcare>, 2 * 3, a ` alone\n<2m```>\n<36m# code>\n<2m```>\n",
        );
    }
}
