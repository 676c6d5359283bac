//! The page and its assets, from the binary, behind a strict content security policy.
//!
//! Never looks at the state; the page asks the control API. Start at [`router`].

use axum::Router;
use axum::extract::{Path, State as Held};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::http::App;

const PAGE: &str = include_str!("page/page.html");
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

const ASSETS: &[(&str, &str, &str)] = &[
    ("api.js", JS, include_str!("page/api.js")),
    ("blocks.css", CSS, include_str!("page/blocks.css")),
    ("blocks.js", JS, include_str!("page/blocks.js")),
    ("composer.js", JS, include_str!("page/composer.js")),
    ("dialog.js", JS, include_str!("page/dialog.js")),
    ("dom.js", JS, include_str!("page/dom.js")),
    ("elements.js", JS, include_str!("page/elements.js")),
    ("emoji.js", JS, include_str!("page/emoji.js")),
    ("faults.js", JS, include_str!("page/faults.js")),
    ("files.js", JS, include_str!("page/files.js")),
    ("inline.js", JS, include_str!("page/inline.js")),
    ("markdown.js", JS, include_str!("page/markdown.js")),
    ("message.js", JS, include_str!("page/message.js")),
    ("messages.css", CSS, include_str!("page/messages.css")),
    ("modal.js", JS, include_str!("page/modal.js")),
    ("mrkdwn.js", JS, include_str!("page/mrkdwn.js")),
    ("overlays.css", CSS, include_str!("page/overlays.css")),
    ("page.css", CSS, include_str!("page/page.css")),
    ("page.js", JS, include_str!("page/page.js")),
    ("pane.js", JS, include_str!("page/pane.js")),
    ("popup.js", JS, include_str!("page/popup.js")),
    ("richtext.js", JS, include_str!("page/richtext.js")),
    ("sidebar.js", JS, include_str!("page/sidebar.js")),
    ("state.js", JS, include_str!("page/state.js")),
    ("tasks.js", JS, include_str!("page/tasks.js")),
    ("toast.js", JS, include_str!("page/toast.js")),
    ("tools.js", JS, include_str!("page/tools.js")),
];

pub fn router() -> Router<App> {
    Router::new()
        .route("/", get(page))
        .route("/assets/{name}", get(asset))
        .route("/favicon.ico", get(|| async { StatusCode::NO_CONTENT }))
}

fn guarded(port: u16, media: &'static str, body: &'static str) -> Response {
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self' ws://127.0.0.1:{port}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let headers = [
        (header::CONTENT_TYPE, media.to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".into()),
        (header::REFERRER_POLICY, "no-referrer".into()),
        (header::CACHE_CONTROL, "no-store".into()),
    ];
    (headers, body).into_response()
}

async fn page(Held(shared): Held<App>) -> Response {
    guarded(shared.port, "text/html; charset=utf-8", PAGE)
}

async fn asset(Held(shared): Held<App>, Path(name): Path<String>) -> Response {
    match ASSETS.iter().find(|it| it.0 == name) {
        Some((_, media, body)) => guarded(shared.port, media, body),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_page_is_in_the_binary() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/playground/page");
        let names =
            std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap());
        let missing: Vec<_> =
            names.filter(|it| it != "page.html" && !ASSETS.iter().any(|asset| asset.0 == it)).collect();
        assert_eq!(missing, Vec::<String>::new());
    }
}
