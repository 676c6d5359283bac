//! Documentation: pages with a sidebar as HTML, and each page as Markdown.
//!
//! Never searches. Start at [`doors`].

use axum::Router;
use axum::extract::{Path, State as Held};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, body::Bytes};
use serde_json::{Value, json};

use super::doors::{Doors, Told, Verb};
use super::errors::HubError;
use super::shared::Hub;
use super::state::State;
use super::wire::json_body;

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// `index`, `sft_trainer`, `guides/upload`.
    pub path: String,
    /// As the sidebar has it.
    pub title: String,
    /// Heading in the sidebar under which it stands.
    pub group: String,
    /// Markdown.
    pub text: String,
}

/// The documentation of one library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Library {
    /// `trl`.
    pub name: String,
    /// In the sidebar's order.
    pub pages: Vec<Page>,
}

pub fn doors() -> Doors {
    let told = |summary| Told::new("docs", summary);
    Doors::default().add(Verb::Get, "/docs/{library}", told("Read a library's documentation"), front).add(
        Verb::Get,
        "/docs/{library}/{*page}",
        told("Read a page; with .md at the end, as Markdown"),
        page,
    )
}

fn find<'a>(state: &'a State, name: &str) -> Result<&'a Library, HubError> {
    let found = state.docs.iter().find(|it| it.name == name);
    found.ok_or_else(|| HubError::missing(format!("There is no documentation of {name}")))
}

fn sent(media: &'static str, text: String) -> Response {
    ([(header::CONTENT_TYPE, media)], text).into_response()
}

async fn front(Held(hub): Held<Hub>, Path(name): Path<String>) -> Result<Response, HubError> {
    hub.look(|state| {
        let library = find(state, &name)?;
        let first = library.pages.first().ok_or_else(|| HubError::missing("The documentation is empty"))?;
        Ok(sent("text/html; charset=utf-8", html(library, first)))
    })
}

async fn page(
    Held(hub): Held<Hub>,
    Path((name, path)): Path<(String, String)>,
) -> Result<Response, HubError> {
    hub.look(|state| {
        let library = find(state, &name)?;
        let (path, as_text) = path.strip_suffix(".md").map_or((path.as_str(), false), |it| (it, true));
        // The real site has the pages of a version, and of a language, under those.
        let path = path.strip_prefix("main/").unwrap_or(path);
        let path = path.strip_prefix("en/").unwrap_or(path);
        let page = library.pages.iter().find(|it| it.path == path);
        let page = page.ok_or_else(|| HubError::missing(format!("There is no page {path} of {name}")))?;
        Ok(if as_text {
            sent("text/markdown; charset=utf-8", page.text.clone())
        } else {
            sent("text/html; charset=utf-8", html(library, page))
        })
    })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn html(library: &Library, page: &Page) -> String {
    let mut links = String::new();
    let mut group = "";
    for item in &library.pages {
        if item.group != group {
            group = &item.group;
            links.push_str(&format!(
                "<div class=\"group flex items-center\"><span>{}</span></div>\n",
                escaped(group)
            ));
        }
        links.push_str(&format!(
            "<a data-sveltekit-reload class=\"transform py-1 pl-2\" href=\"/docs/{}/{}\">{}</a>\n",
            library.name,
            item.path,
            escaped(&item.title)
        ));
    }
    let body: String = page.text.split("\n\n").map(|it| format!("<p>{}</p>\n", escaped(it))).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"/><title>{0}</title></head>\n<body>\n\
         <div class=\"flex\">\n<nav class=\"flex-auto overflow-x-hidden overflow-y-auto\">\n{links}</nav>\n\
         <div class=\"prose-doc prose relative\"><h1>{0}</h1>\n{body}</div>\n</div>\n</body>\n</html>\n",
        escaped(&page.title)
    )
}

/// What Gradio's site and its search answer.
pub fn gradio() -> Router<Hub> {
    Router::new().route("/llms.txt", get(gradio_text)).route("/api/prompt", post(gradio_search))
}

async fn gradio_text(Held(hub): Held<Hub>) -> Result<Response, HubError> {
    hub.look(|state| {
        let pages = find(state, "gradio")?.pages.iter().map(|it| it.text.clone());
        Ok(sent("text/plain; charset=utf-8", pages.collect::<Vec<_>>().join("\n\n")))
    })
}

async fn gradio_search(Held(hub): Held<Hub>, body: Bytes) -> Result<Json<Value>, HubError> {
    let body = json_body(&body)?;
    let asked =
        body["prompt_to_embed"].as_str().ok_or_else(|| HubError::bad("\"prompt_to_embed\" is required"))?;
    let words = super::papers::words(asked);
    hub.look(|state| {
        let pages = find(state, "gradio")?.pages.iter();
        let fit: Vec<&str> = pages
            .filter(|it| words.iter().any(|word| it.text.to_lowercase().contains(word.as_str())))
            .map(|it| it.text.as_str())
            .collect();
        let none = body["FALLBACK_PROMPT"].as_str().unwrap_or("No results found");
        Ok(Json(json!({"SYS_PROMPT": if fit.is_empty() { none.to_owned() } else { fit.join("\n\n") }})))
    })
}
