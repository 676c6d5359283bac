//! What every call stands on: paging, kept answers, patience, redirects, streams, sizes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use ml_intern::clients::hub::ask::Ask;
use ml_intern::clients::hub::{Hub, HubError, Patience, Repo, RepoKind, Span};
use ml_intern::secret::Secret;
use serde_json::{Value, json};

const TOKEN: &str = "hf_testtoken_of_alice";

type Script = VecDeque<Response>;

/// A server that answers by script and remembers who asked for what.
#[derive(Clone, Default)]
pub struct Stage {
    script: Arc<Mutex<Script>>,
    asked: Arc<Mutex<Vec<(String, HeaderMap)>>>,
}

impl Stage {
    pub async fn open(script: impl IntoIterator<Item = Response>) -> (Self, String) {
        ml_intern::clients::http::install_tls();
        let stage = Self::default();
        stage.script.lock().unwrap().extend(script);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(play).with_state(stage.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        (stage, url)
    }

    pub fn add(&self, response: Response) {
        self.script.lock().unwrap().push_back(response);
    }

    pub fn lines(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|(line, _)| line.clone()).collect()
    }

    pub fn header(&self, at: usize, name: &str) -> Option<String> {
        Some(self.asked.lock().unwrap()[at].1.get(name)?.to_str().unwrap().to_owned())
    }
}

async fn play(State(stage): State<Stage>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    stage.asked.lock().unwrap().push((format!("{method} {uri}"), headers));
    stage.script.lock().unwrap().pop_front().unwrap_or_else(|| StatusCode::IM_A_TEAPOT.into_response())
}

pub fn hub(url: &str) -> Hub {
    let quick = Patience { base: Duration::from_millis(5), ..Patience::default() };
    Hub::new(url, Some(Secret::new(TOKEN))).unwrap().with_patience(quick)
}

pub fn answer(status: u16, headers: &[(&str, &str)], body: &Value) -> Response {
    let mut response = body.to_string().into_response();
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    for (name, value) in headers {
        let name: axum::http::HeaderName = name.parse().unwrap();
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

fn model() -> Repo {
    Repo::parse(RepoKind::Model, "alice/model1").unwrap()
}

#[tokio::test]
async fn listings_are_read_page_by_page_and_never_from_another_host() {
    let (stage, url) = Stage::open([]).await;
    let next = format!(r#"<{url}/api/things?cursor=2>; rel="next""#);
    stage.add(answer(200, &[("link", &next)], &json!([1, 2])));
    stage.add(answer(200, &[], &json!([3])));
    let ask = Ask::get(&["api", "things"]);
    let listed = hub(&url).pages::<u64>(&ask, 100).await.unwrap();
    assert_eq!((listed.items, listed.more), (vec![1, 2, 3], false));
    assert_eq!(stage.lines(), ["GET /api/things", "GET /api/things?cursor=2"]);
    assert_eq!(stage.header(1, "authorization"), Some(format!("Bearer {TOKEN}")));
    stage.add(answer(200, &[("link", &next)], &json!([1, 2])));
    let listed = hub(&url).pages::<u64>(&ask, 2).await.unwrap();
    assert_eq!((listed.items, listed.more), (vec![1, 2], true), "no page is fetched that nobody wants");
    let abroad = r#"<http://localhost:1/api/things?cursor=2>; rel="next""#;
    stage.add(answer(200, &[("link", abroad)], &json!([1, 2])));
    let error = hub(&url).pages::<u64>(&ask, 100).await.unwrap_err();
    assert!(error.to_string().contains("another host"), "{error}");
    let itself = format!(r#"<{url}/api/things>; rel="next""#);
    stage.add(answer(200, &[("link", &itself)], &json!([1])));
    assert!(hub(&url).pages::<u64>(&ask, 100).await.unwrap_err().to_string().contains("same page"));
}

#[tokio::test]
async fn an_answer_that_has_not_changed_is_not_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let (stage, url) = Stage::open([]).await;
    let keeping = || hub(&url).keeping(folder.path().join("hub"));
    let ask = Ask::get(&["api", "x"]);
    stage.add(answer(200, &[("etag", "\"one\"")], &json!({ "n": 1 })));
    stage.add(answer(304, &[], &Value::Null));
    stage.add(answer(200, &[("etag", "\"two\"")], &json!({ "n": 2 })));
    stage.add(answer(200, &[], &json!({ "n": 3 })));
    for n in [1, 1, 2] {
        // A new client each time, as after a restart.
        assert_eq!(keeping().json::<Value>(&ask).await.unwrap(), json!({ "n": n }));
    }
    let nobody = keeping().with_token(None);
    assert_eq!(nobody.json::<Value>(&ask).await.unwrap(), json!({ "n": 3 }), "another account sees its own");
    let conditions: Vec<_> = (0..4).map(|at| stage.header(at, "if-none-match")).collect();
    assert_eq!(conditions, [None, Some("\"one\"".to_owned()), Some("\"one\"".to_owned()), None]);
    stage.add(answer(404, &[("x-error-code", "RepoNotFound")], &json!({ "error": "gone" })));
    assert!(matches!(keeping().json::<Value>(&ask).await, Err(HubError::NotFound { .. })), "gone is gone");
}

#[tokio::test]
async fn reads_are_tried_again_and_changes_only_if_nothing_was_done() {
    let busy = || answer(503, &[], &json!({ "error": "busy" }));
    let limited = |after: &str| answer(429, &[("retry-after", after)], &json!({ "error": "slow down" }));
    let fine = || answer(200, &[], &json!({}));
    for (script, ask, tries, done) in [
        (vec![busy(), limited("0"), fine()], Ask::get(&["x"]), 3, true),
        (vec![busy(), fine()], Ask::post(&["x"]), 1, false),
        (vec![busy(), fine()], Ask::post(&["x"]).reads(), 2, true),
        (vec![limited("0"), fine()], Ask::post(&["x"]), 2, true),
        (vec![limited("3600"), fine()], Ask::get(&["x"]), 1, false),
        ((0..9).map(|_| busy()).collect(), Ask::get(&["x"]), 5, false),
        (vec![answer(404, &[], &Value::Null), fine()], Ask::get(&["x"]), 1, false),
    ] {
        let (stage, url) = Stage::open(script).await;
        let outcome = hub(&url).done(&ask).await;
        assert_eq!((stage.lines().len(), outcome.is_ok()), (tries, done), "{ask:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_file_kept_elsewhere_is_fetched_there_without_the_token() {
    let (cdn, cdn_url) = Stage::open([answer(200, &[], &json!("weights"))]).await;
    let location = format!("{}/blob?sig=1", cdn_url.replace("127.0.0.1", "localhost"));
    let linked = [
        ("location", location.as_str()),
        ("x-linked-size", "9"),
        ("x-linked-etag", "\"abc\""),
        ("x-repo-commit", "c1"),
    ];
    let (stage, url) =
        Stage::open([answer(302, &linked, &Value::Null), answer(302, &linked, &Value::Null)]).await;
    let facts = hub(&url).file_facts((&model(), "main"), "w.bin").await.unwrap();
    assert_eq!(
        (facts.size, facts.etag.as_deref(), facts.commit.as_deref()),
        (Some(9), Some("abc"), Some("c1"))
    );
    assert!(cdn.lines().is_empty(), "facts are asked of the Hub alone");
    let piece = hub(&url).read_file((&model(), "main"), "w.bin", Span { from: 0, at_most: 4 }).await.unwrap();
    assert_eq!((&piece.bytes[..], piece.more, piece.total), (&b"\"wei"[..], true, Some(9)));
    assert_eq!(stage.header(1, "authorization"), Some(format!("Bearer {TOKEN}")));
    assert_eq!((cdn.lines(), cdn.header(0, "authorization")), (vec!["GET /blob?sig=1".to_owned()], None));
    let (renamed, url) = Stage::open([]).await;
    renamed.add(answer(307, &[("location", "/api/models/alice/new")], &Value::Null));
    renamed.add(answer(200, &[], &json!({ "id": "alice/new" })));
    assert_eq!(hub(&url).info(&model(), None).await.unwrap().id, "alice/new");
    assert_eq!(renamed.header(1, "authorization"), Some(format!("Bearer {TOKEN}")));
    for _ in 0..9 {
        renamed.add(answer(307, &[("location", "/round")], &Value::Null));
    }
    assert!(hub(&url).info(&model(), None).await.unwrap_err().to_string().contains("circle"));
}

#[tokio::test]
async fn a_part_of_a_file_is_asked_for_and_a_whole_one_in_its_place_refused() {
    let (stage, url) = Stage::open([
        answer(206, &[("content-range", "bytes 10-15/16")], &json!("abcd")),
        answer(200, &[], &json!("abcd")),
    ])
    .await;
    let span = Span { from: 10, at_most: 100 };
    let piece = hub(&url).read_file((&model(), "main"), "a.txt", span).await.unwrap();
    assert_eq!((piece.total, piece.more), (Some(16), false));
    assert_eq!(stage.header(0, "range").as_deref(), Some("bytes=10-"));
    let error = hub(&url).read_file((&model(), "main"), "a.txt", span).await.unwrap_err();
    assert!(matches!(error, HubError::Strange(_)), "{error}");
}

#[tokio::test]
async fn answers_have_a_size_and_streams_end_when_nothing_comes() {
    let (stage, url) = Stage::open([answer(200, &[], &json!("x".repeat(2_000)))]).await;
    let error = hub(&url).json::<Value>(&Ask::get(&["x"]).cap(1_000)).await.unwrap_err();
    assert!(matches!(error, HubError::TooLarge { limit: 1_000, .. }), "{error}");
    let text = ": keep-alive\n\ndata: {\"a\":\ndata: 1}\nid: 7\n\nevent: end\ndata: x\n\ndata: cut";
    stage.add(text.into_response());
    let mut events = hub(&url).stream(Ask::get(&["logs"]), Duration::from_secs(5)).await.unwrap().events();
    let first = events.next().await.unwrap().unwrap();
    assert_eq!((first.data.as_str(), first.id.as_deref()), ("{\"a\":\n1}", Some("7")));
    assert_eq!(events.next().await.unwrap().unwrap().kind, "end");
    assert_eq!(events.next().await.unwrap(), None, "half an event is none");
    let pieces = futures::stream::iter([Ok::<_, std::io::Error>("one\r\ntw"), Ok("o\nthree")]);
    stage.add(Body::from_stream(pieces).into_response());
    let mut lines = hub(&url).stream(Ask::get(&["logs"]), Duration::from_secs(5)).await.unwrap().lines();
    for line in [Some("one"), Some("two"), Some("three"), None] {
        assert_eq!(lines.next().await.unwrap().as_deref(), line);
    }
    let silent = futures::stream::iter([Ok::<_, std::io::Error>("one\n")]).chain(futures::stream::pending());
    stage.add(Body::from_stream(silent).into_response());
    let mut lines = hub(&url).stream(Ask::get(&["logs"]), Duration::from_millis(200)).await.unwrap().lines();
    assert_eq!(lines.next().await.unwrap().as_deref(), Some("one"));
    assert!(matches!(lines.next().await, Err(HubError::Unreachable(_))));
}
