//! `fetch_hf_docs`: one page, in pieces, from the right hosts, with the token for the Hub alone.

use std::time::Duration;

use ml_intern::agent::tool::ToolError;
use serde_json::json;

use super::site::{Page, Site, page, redirect, refusal};
use super::{Desk, with_token, without_token};

#[tokio::test]
async fn a_page_is_asked_for_as_recorded_whatever_the_address_looks_like() {
    let desk = Desk::new().await;
    for address in [
        "https://huggingface.co/docs/trl/dpo_trainer",
        "https://huggingface.co/docs/trl/dpo_trainer.md",
        "https://hf.co/docs/trl/dpo_trainer?x=1#",
        &format!("{}/docs/trl/dpo_trainer", desk.hub.url),
        "/docs/trl/dpo_trainer",
    ] {
        let text = desk.says("fetch_hf_docs", json!({ "url": address })).await;
        assert!(
            text.starts_with("Documentation from: http://hub/docs/trl/dpo_trainer.md\n\n# dpo_trainer\n"),
            "{text}"
        );
        assert_eq!(desk.hub.seen(), [with_token("/docs/trl/dpo_trainer.md")], "{address}");
    }
}

#[tokio::test]
async fn without_a_token_and_with_one_that_has_expired_public_pages_are_read_all_the_same() {
    let nobody = Desk::with(None, 25_000).await;
    let text = nobody.says("fetch_hf_docs", json!({ "url": "/docs/trl/index" })).await;
    assert!(text.contains("# index"), "{text}");
    assert_eq!(nobody.hub.seen(), [without_token("/docs/trl/index.md")]);
    let desk = Desk::new().await;
    desk.hub.put("/docs/trl/open.md", Page { dislikes_tokens: true, ..page("text/markdown", "open to all") });
    let text = desk.says("fetch_hf_docs", json!({ "url": "/docs/trl/open" })).await;
    assert!(text.contains("open to all"), "{text}");
    assert_eq!(desk.hub.seen(), [with_token("/docs/trl/open.md"), without_token("/docs/trl/open.md")]);
}

#[tokio::test]
async fn other_hosts_are_refused_and_redirects_do_not_carry_the_token_away() {
    let desk = Desk::new().await;
    let elsewhere = Site::start().await;
    elsewhere.put("/docs/x.md", page("text/markdown", "bait"));
    for address in [
        format!("{}/docs/x", elsewhere.url),
        "https://evil.example/docs/trl".to_owned(),
        "https://huggingface.co@evil.example/docs/trl".to_owned(),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "file:///etc/passwd".to_owned(),
        String::new(),
    ] {
        let text = desk.says("fetch_hf_docs", json!({ "url": address })).await;
        assert!(text.starts_with("WRONG: `url`: "), "{address}: {text}");
    }
    desk.hub.put("/docs/trl/away.md", redirect(&format!("{}/docs/x.md", elsewhere.url)));
    let away = desk.says("fetch_hf_docs", json!({ "url": "/docs/trl/away" })).await;
    assert!(
        away.starts_with("FAILED: ")
            && away.contains("it redirects to 127.0.0.1, which is no host of documentation"),
        "{away}"
    );
    assert_eq!(elsewhere.lines(), Vec::<String>::new(), "nobody else was asked");
    desk.hub.seen();
    // Gradio's site is ours to ask, but not with the Hub's token.
    desk.hub.put("/docs/trl/guide.md", redirect(&format!("{}/guides/chat", desk.gradio.url)));
    desk.gradio.put("/guides/chat", page("text/markdown", "a guide"));
    let guide = desk.says("fetch_hf_docs", json!({ "url": "/docs/trl/guide" })).await;
    assert!(guide.contains("Documentation from: http://gradio/guides/chat\n\na guide"), "{guide}");
    assert_eq!(desk.gradio.seen(), [without_token("/guides/chat")]);
    // Within the Hub a redirect keeps it.
    desk.hub.seen();
    desk.hub.put("/docs/trl/old.md", redirect("/docs/trl/index.md"));
    assert!(desk.says("fetch_hf_docs", json!({ "url": "/docs/trl/old" })).await.contains("# index"));
    assert_eq!(desk.hub.seen(), [with_token("/docs/trl/index.md"), with_token("/docs/trl/old.md")]);
}

#[tokio::test]
async fn each_refusal_reads_differently() {
    let desk = Desk::new().await;
    for (name, answer) in [
        ("r401", refusal(401, "Invalid credentials")),
        ("r402", refusal(402, "Payment required")),
        ("r403", refusal(403, "Access to this is restricted")),
        ("r429", Page { headers: vec![("retry-after", "12".into())], ..refusal(429, "Too many") }),
        ("r500", Page { body: b"<html>oops</html>".to_vec(), ..refusal(500, "") }),
        ("web", page("text/html; charset=utf-8", "<html>a page</html>")),
        ("binary", page("application/octet-stream", vec![0x89, 0x50, 0, 1])),
        ("empty", page("text/markdown", "")),
    ] {
        desk.hub.put(&format!("/docs/trl/{name}.md"), answer);
    }
    let mut said = Vec::new();
    for name in ["none", "r401", "r402", "r403", "r429", "r500", "web", "binary", "empty"] {
        said.push(desk.says("fetch_hf_docs", json!({ "url": format!("/docs/trl/{name}") })).await);
    }
    insta::assert_snapshot!(said.join("\n"));
}

#[tokio::test]
async fn a_long_page_comes_in_pieces_that_are_the_whole() {
    let desk = Desk::with(Some(super::TOKEN), 500).await;
    let text: String = (0..80).map(|n| format!("Zeile {n} – ü\n")).collect::<String>()
        + "\n## Deep[[trl.Deep]]\n\nthe end\n";
    desk.hub.put("/docs/trl/long.md", page("text/markdown", text.clone()));
    let total = text.chars().count();
    let (mut whole, mut offset) = (String::new(), 0);
    for _ in 0..20 {
        let piece = desk.says("fetch_hf_docs", json!({ "url": "/docs/trl/long", "offset": offset })).await;
        let (head, rest) = piece.split_once("\n\n").unwrap();
        assert!(head.contains(&format!("of {total}.]")), "{head}");
        match rest.split_once("\n\n[Cut here, ") {
            Some((part, note)) => {
                whole.push_str(part);
                offset = note.rsplit_once("offset=").unwrap().1.trim_end_matches(".]").parse().unwrap();
            }
            None => {
                whole.push_str(rest);
                break;
            }
        }
        assert!(piece.chars().count() < 800);
    }
    assert_eq!(whole, text);
    let past = desk.says("fetch_hf_docs", json!({ "url": "/docs/trl/long", "offset": 99_999 })).await;
    assert!(past.contains(&format!("has {total} characters; offset=99999 is past its end")), "{past}");
    let deep = desk.says("fetch_hf_docs", json!({ "url": "/docs/trl/long#trl.Deep" })).await;
    assert!(
        deep.contains("[Begins at `#trl.Deep`") && deep.contains("## Deep") && deep.contains("the end"),
        "{deep}"
    );
    let none = desk.says("fetch_hf_docs", json!({ "url": "/docs/trl/long#nowhere" })).await;
    assert!(none.contains("no heading `#nowhere`") && none.contains("Zeile 0"), "{none}");
    let wrong = desk.says("fetch_hf_docs", json!({ "url": "/docs/trl/long", "offset": -1 })).await;
    assert!(wrong.starts_with("WRONG: wrong argument `offset`"), "{wrong}");
}

#[tokio::test]
async fn more_than_four_megabytes_are_not_read_and_stop_is_heard() {
    let desk = Desk::new().await;
    desk.hub.put("/docs/trl/huge.md", page("text/markdown", "x".repeat(5 * 1024 * 1024)));
    let end = 4 * 1024 * 1024 - 10;
    let huge = desk.says("fetch_hf_docs", json!({ "url": "/docs/trl/huge", "offset": end })).await;
    assert!(huge.contains("longer than 4 MB; its end was not read"), "{}", &huge[..200]);
    desk.hub
        .put("/docs/trl/slow.md", Page { after: Duration::from_secs(60), ..page("text/markdown", "late") });
    let call = desk.call("fetch_hf_docs", json!({ "url": "/docs/trl/slow" }));
    let stop = async {
        desk.hub.until_asked(2).await;
        desk.cancel.cancel();
    };
    let (ended, ()) = tokio::join!(call, stop);
    assert!(matches!(ended, Err(ToolError::Cancelled)));
}
