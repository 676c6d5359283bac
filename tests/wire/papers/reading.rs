//! Reading papers: where their text is found, sections, pages of long ones.

use serde_json::json;

use super::services::Answer;
use super::{AR5IV_PAGE, ARXIV_PAGE, Desk};

#[tokio::test]
async fn a_section_is_read_by_number_title_or_part_and_fetched_once() {
    let desk = Desk::open().await;
    desk.services.answers("arxiv", "/html/2305.18290v2", [Answer::with(200, ARXIV_PAGE)]);
    let read = |section: &'static str| json!({"operation": "read_paper", "arxiv_id": "2305.18290v2", "section": section});
    let mut told = String::new();
    for section in ["2", "2.1", "Appendix A", "objective", "abstract", "9"] {
        told.push_str(&format!("=== {section}\n{}\n\n", desk.told(read(section)).await));
    }
    insta::assert_snapshot!(told);
    assert_eq!(desk.services.seen().len(), 1, "the page is kept");
}

#[tokio::test]
async fn where_arxiv_has_no_page_ar5iv_is_asked_then_the_hub() {
    let desk = Desk::open().await;
    let read = json!({"operation": "read_paper", "arxiv_id": "cs/0112017v3"});
    desk.services.answers("ar5iv", "/html/cs/0112017", [Answer::with(200, AR5IV_PAGE)]);
    let told = desk.told(read).await;
    assert!(told.contains("(text from ar5iv)") && told.contains("- I Introduction: Old style"), "{told}");
    let paths: Vec<String> =
        desk.services.seen().iter().map(|it| format!("{}{}", it.host, it.path)).collect();
    assert_eq!(paths, ["arxiv/html/cs/0112017v3", "ar5iv/html/cs/0112017"]);

    // ar5iv sends those whom it cannot help to arXiv's page about the paper.
    let moved = Answer::with(307, "").header("location", "https://arxiv.org/abs/2305.18290");
    desk.services.answers("ar5iv", "/html/2305.18290", [moved]);
    desk.services.answers(
        "hub",
        "/papers/2305.18290.md",
        [Answer::with(200, "# DPO\n\nBy A.\n\n## 1 Method\n\nThe loss.\n")],
    );
    let told = desk.told(json!({"operation": "read_paper", "arxiv_id": "2305.18290"})).await;
    assert!(told.contains("(text from the Hub)") && told.contains("- 1 Method: The loss."), "{told}");
}

#[tokio::test]
async fn without_any_page_there_is_the_abstract_and_it_says_so() {
    let desk = Desk::open().await;
    desk.services.answers(
        "arxiv",
        "/html/2305.18290",
        [Answer::with(200, "<html><h1>No HTML for this paper</h1></html>")],
    );
    let paper = json!({"id": "2305.18290", "title": "DPO", "summary": "We introduce DPO."});
    desk.services.says("hub", "/api/papers/2305.18290", &paper);
    let told = desk.told(json!({"operation": "read_paper", "arxiv_id": "2305.18290"})).await;
    let section =
        desk.told(json!({"operation": "read_paper", "arxiv_id": "2305.18290", "section": "3"})).await;
    let unknown = desk.told(json!({"operation": "read_paper", "arxiv_id": "9999.99999"})).await;
    insta::assert_snapshot!(format!("{told}\n\n===\n{section}\n\n===\n{unknown}"));
}

#[tokio::test]
async fn long_sections_go_on_where_they_were_cut() {
    let desk = Desk::open().await;
    let long = format!(
        "<article class='ltx_document'><h2 class='ltx_title ltx_title_section'><span class=ltx_tag>1 </span>Long</h2>\
         <p>{}the end</p></article>",
        "word ".repeat(3_000)
    );
    desk.services.answers("arxiv", "/html/2305.18290", [Answer::with(200, long)]);
    let read = |offset: usize| json!({"operation": "read_paper", "arxiv_id": "2305.18290", "section": "1", "offset": offset});
    let first = desk.told(read(0)).await;
    assert!(first.ends_with("[characters 0 to 7999 of 15,007: go on with offset=7999]"), "{first}");
    let second = desk.told(read(7_999)).await;
    assert!(second.contains("[from character 7999]") && second.ends_with("the end"), "{second}");
    let past = desk.told(read(99_999)).await;
    assert!(past.starts_with("[failure]") && past.contains("past the end"), "{past}");
}
