//! Reading of saved pages, whole, broken and hostile.

use tokio_util::sync::CancellationToken;

use super::*;
use crate::clients::html::Tree;

const ARXIV: &str = include_str!("../../../../tests/wire/papers/pages/arxiv.html");
const AR5IV: &str = include_str!("../../../../tests/wire/papers/pages/ar5iv.html");
const BROKEN: &str = include_str!("../../../../tests/wire/papers/pages/broken.html");

fn paper(page: &str) -> Paper {
    read(&Tree::parse(page.as_bytes(), &CancellationToken::new()).unwrap())
}

fn shown(paper: &Paper) -> String {
    let mut out = format!("title: {}\nabstract: {}\n", paper.title, paper.summary);
    for section in &paper.sections {
        out.push_str(&format!("\n[{}] {}\n{}\n", section.level, section.heading(), section.text));
    }
    out
}

#[test]
fn a_page_of_arxiv_reads_as_the_paper() {
    insta::assert_snapshot!(shown(&paper(ARXIV)));
}

#[test]
fn a_page_of_ar5iv_reads_as_the_paper() {
    insta::assert_snapshot!(shown(&paper(AR5IV)));
}

#[test]
fn a_broken_page_still_gives_its_sections() {
    insta::assert_snapshot!(shown(&paper(BROKEN)));
}

#[test]
fn what_is_no_paper_has_no_sections() {
    for page in [
        "",
        "<html><body><h1>404 Not Found</h1><h2>Sorry</h2></body></html>",
        "{\"error\": \"no\"}",
        "<article class=ltx_document><h1 class='ltx_title ltx_title_document'>Only a title</h1></article>",
    ] {
        assert_eq!(paper(page).sections, [], "{page}");
    }
}

#[test]
fn a_paper_without_headings_is_one_section() {
    let page = format!("<article class=ltx_document><p class=ltx_p>{}</p></article>", "word ".repeat(60));
    let paper = paper(&page);
    assert_eq!(paper.sections.len(), 1);
    assert_eq!(paper.sections[0].title, "Before the first section");
}

#[test]
fn hostile_pages_are_read_within_limits() {
    let head = "<article class=ltx_document><h2 class='ltx_title ltx_title_section'>1 One</h2>";
    let nested = format!("{head}{}deep", "<ul><li>".repeat(50_000));
    let deep = paper(&nested);
    assert!(deep.sections[0].text.ends_with("deep"), "{}", deep.sections[0].text.len());
    let many = paper(&format!("{head}{}", "<h2 class='ltx_title ltx_title_section'>x</h2>".repeat(100_000)));
    assert_eq!(many.sections.len(), 100_001);
    let tables = paper(&format!("{head}{}x", "<table><tr><td>".repeat(20_000)));
    assert!(!tables.sections.is_empty());
}
