//! What Markdown looks like, as a table.

use super::super::look::Links;
use super::*;

/// Drawn in so many columns, with looks written as `<1>…<>`.
fn marked(text: &str, columns: usize) -> String {
    let look = Look::new(Paint::Colour, columns, Links::Written);
    draw(text, &look).replace("\u{1b}[0m", "<>").replace("\u{1b}[", "<")
}

/// Drawn in so many columns, without looks.
fn bare(text: &str, columns: usize) -> String {
    let mut out = String::new();
    let drawn = marked(text, columns);
    let mut rest = drawn.as_str();
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        rest = after.split_once(['m', '>']).map_or("", |(_, after)| after);
    }
    out + rest
}

#[test]
fn without_colours_nothing_changes() {
    let text = "# Title\n\n**bold** `code`\n```sh\nls\n```\n| a |\n|---|\n";
    assert_eq!(draw(text, &Look::PLAIN), text);
}

#[test]
fn marks_become_looks() {
    let table = [
        ("# Title\nuse `ls` and **care**", "<1;4mTitle<>\n\nuse <36mls<> and <1mcare<>\n"),
        ("## Part", "<1mPart<>\n"),
        ("*a **b*** ~~c~~", "<3ma <><1;3mb<> <9mc<>\n"),
        ("2 * 3, a ` alone", "2 * 3, a ` alone\n"),
        ("```python\n# code\n```\n", "<2m```python<>\n<36m# code<>\n<2m```<>\n"),
        ("> quoted", "<2m│ <>quoted\n"),
        ("---", "<2m────────────────────────────────────────<>\n"),
        ("[docs](https://x.org)", "<4mdocs<><2m (https://x.org)<>\n"),
        ("<https://x.org>", "<4mhttps://x.org<>\n"),
        ("one\n\n", "one\n\n"),
    ];
    for (text, expected) in table {
        assert_eq!(marked(text, 80), expected, "{text:?}");
    }
}

#[test]
fn lists_nest_and_hang() {
    let text = "1. first item that wraps\n   - inner\n   - [x] done\n   - [ ] open\n2. second\n\nafter";
    assert_eq!(
        bare(text, 20),
        "1. first item that\n   wraps\n   • inner\n   • ☑ done\n   • ☐ open\n2. second\n\nafter\n"
    );
    assert_eq!(bare("9. nine\n10. ten", 80), "9. nine\n10. ten\n", "numbers go on");
    assert_eq!(bare("- a\n\n- b\n", 80), "• a\n\n• b\n", "a loose list stays loose");
    assert_eq!(bare("> - a b c d e f g h\n>\n> x", 18), "│ • a b c d e f g\n│   h\n│\n│ x\n");
    assert_eq!(bare("-\n- a", 80), "•\n• a\n");
}

#[test]
fn tables_are_aligned_squeezed_or_told_row_by_row() {
    let text = "| run | loss |\n|:--|--:|\n| a | 0.5 |\n| longer | 12.25 |\n";
    assert_eq!(bare(text, 40), "run    │  loss\n───────┼──────\na      │   0.5\nlonger │ 12.25\n");
    let wide = "| name | what it is good for |\n|---|---|\n| distilbert | quick first results on one GPU |\n";
    assert_eq!(
        bare(wide, 33),
        "name       │ what it is good for\n───────────┼────────────────────\ndistilbert │ quick first results\n           │ on one GPU\n"
    );
    assert_eq!(bare(wide, 20), "name: distilbert\nwhat it is good\nfor: quick first\nresults on one GPU\n");
    let wide_letters = "| 名 | x |\n|---|---|\n| 日本 | y |\n";
    assert_eq!(bare(wide_letters, 40), "名   │ x\n─────┼──\n日本 │ y\n");
}

#[test]
fn no_line_is_wider_than_the_terminal_but_code() {
    let text = "# A long title that goes on and on\n\nSome words, a [link](https://example.org/a/b/c/d/e/f), \
                and supercalifragilisticexpialidocious.\n\n- 日本語のとても長い文章です\n\n| a | b | c |\n|---|---|---|\n| 1 | 2 | 3 |\n";
    for columns in [20, 33, 80, 200] {
        for line in bare(text, columns).lines() {
            assert!(wide::columns(line) < columns, "{line:?} at {columns}");
        }
    }
}

#[test]
fn hostile_markdown_moves_nothing() {
    for text in
        ["a &#27;[2J b &#x9b;2J", "[x](<https://e.org/&#27;]0;t&#7;>)", "```&#27;[2J\nx\n```", "<b>&#27;</b>"]
    {
        for links in [Links::Written, Links::Clickable] {
            let drawn = draw(&clean(text), &Look::new(Paint::Colour, 80, links));
            let ours = drawn.replace("\u{1b}]8;;", "").replace("\u{1b}\\", "");
            assert!(!ours.contains("\u{1b}[2J") && !ours.contains("\u{1b}]"), "{drawn:?}");
            assert!(!drawn.contains(['\u{7}', '\u{9b}']), "{drawn:?}");
        }
    }
}

#[test]
fn links_are_clickable_but_never_hide_another_address() {
    let drawn = |text: &str| draw(text, &Look::new(Paint::Colour, 80, Links::Clickable));
    let open = |address: &str| format!("\u{1b}]8;;{address}\u{1b}\\");
    assert!(drawn("[the docs](https://x.org)").contains(&open("https://x.org")));
    assert!(!drawn("[the docs](https://x.org)").contains("(https://x.org)"));
    assert!(drawn("[https://good.org](https://evil.org)").contains("(https://evil.org)"));
    assert!(!drawn("[x](file:///etc/passwd)").contains("\u{1b}]8;"), "only web addresses");
}
