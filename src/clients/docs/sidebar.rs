//! The sidebar of a library's documentation, out of a page's HTML. Pure, and slow for large pages.

use std::collections::HashSet;

use reqwest::Url;
use scraper::{ElementRef, Html, Selector};

/// Links that are taken at most.
const LINKS: usize = 3_000;
/// Characters of a title.
const TITLE: usize = 200;

/// A page that a sidebar names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its title.
    pub title: String,
    /// Where it is, absolute, without what follows a `#`.
    pub url: String,
}

/// The pages in the sidebar of a page that came from `from`, in order, each once. Only those of the same
/// host, for the rest is not this documentation.
pub(super) fn links(html: &str, from: &Url) -> Vec<Link> {
    let document = Html::parse_document(html);
    // The Hub's sidebar is told by the class that makes it fill its column; a site that has none may have
    // one navigation whose links are documentation.
    ["nav[class*='flex-auto'] a[href]", "nav a[href*='/docs/'], nav a[href*='/learn/']"]
        .into_iter()
        .filter_map(|selector| Selector::parse(selector).ok())
        .map(|selector| collect(document.select(&selector), from))
        .find(|links| !links.is_empty())
        .unwrap_or_default()
}

fn collect<'a>(anchors: impl Iterator<Item = ElementRef<'a>>, from: &Url) -> Vec<Link> {
    let mut seen = HashSet::new();
    let mut links = Vec::new();
    for anchor in anchors {
        let Some(mut url) = anchor.value().attr("href").and_then(|href| from.join(href).ok()) else {
            continue;
        };
        if url.origin() != from.origin() {
            continue;
        }
        url.set_fragment(None);
        url.set_query(None);
        let url = url.as_str().trim_end_matches('/').to_owned();
        let words: Vec<&str> = anchor.text().flat_map(str::split_whitespace).collect();
        if words.is_empty() || !seen.insert(url.clone()) {
            continue;
        }
        links.push(Link { title: crate::text::cut(&words.join(" "), TITLE).into_owned(), url });
        if links.len() == LINKS {
            break;
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(html: &str) -> Vec<(String, String)> {
        let from = Url::parse("https://huggingface.co/docs/trl/index").unwrap();
        links(html, &from).into_iter().map(|link| (link.title, link.url)).collect()
    }

    fn pair(title: &str, path: &str) -> (String, String) {
        (title.to_owned(), format!("https://huggingface.co/docs/trl/{path}"))
    }

    #[test]
    fn the_sidebar_is_read_in_order_without_what_is_not_documentation() {
        let html = r##"<html><body>
            <nav class="top"><a href="/models">Models</a></nav>
            <div><nav class="flex-auto overflow-y-auto pl-4"><div>Get started</div>
              <a class="x" href="/docs/trl/index"> <span>Quick</span>
                 start</a>
              <a href="/docs/trl/sft_trainer#usage">SFT &amp; more</a>
              <a href="/docs/trl/sft_trainer?b=1">the same again</a>
              <a href="dpo_trainer/">DPO Trainer</a>
              <a href="https://discuss.huggingface.co/">Forum</a>
              <a href="/docs/trl/empty"> </a>
              <a>no address</a>
              <a href="http://[broken">broken</a>
            </nav></div></body></html>"##;
        assert_eq!(
            read(html),
            [
                pair("Quick start", "index"),
                pair("SFT & more", "sft_trainer"),
                pair("DPO Trainer", "dpo_trainer")
            ]
        );
    }

    #[test]
    fn another_navigation_will_do_and_none_gives_nothing() {
        let html = "<nav><a href='/docs/trl/index'>Index</a><a href='/pricing'>Pricing</a></nav>";
        assert_eq!(read(html), [pair("Index", "index")]);
        for html in ["", "<p>nothing here</p>", "<nav class='flex-auto'>no links</nav>", "\u{0}<<<>>>"] {
            assert_eq!(read(html), [], "{html}");
        }
    }

    #[test]
    fn hostile_html_costs_no_more_than_its_size() {
        let deep = "<nav class='flex-auto'>".repeat(3_000) + &"<a href='/docs/trl/a'>a</a>".repeat(10);
        assert_eq!(read(&deep), [pair("a", "a")]);
        let many: String = (0..5_000).map(|n| format!("<a href='/docs/trl/{n}'>{n}</a>")).collect();
        assert_eq!(read(&format!("<nav class='flex-auto'>{many}</nav>")).len(), LINKS);
    }
}
