//! What the Hub answers when it does not do what it was asked: status, code, message, as the real one.
//!
//! Owns [`HubError`]. Never decides when; that is the routes'. Start at its constructors.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::auth::Caller;

const CODE: HeaderName = HeaderName::from_static("x-error-code");
const MESSAGE: HeaderName = HeaderName::from_static("x-error-message");

/// A refusal.
#[derive(Debug, Clone, PartialEq)]
pub struct HubError {
    pub status: StatusCode,
    pub code: Option<&'static str>,
    pub message: String,
    /// Fields of the body besides `error`.
    pub more: Option<Box<Value>>,
    /// Where to look instead.
    pub location: Option<Box<str>>,
}

impl HubError {
    /// A refusal without a code.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, code: None, message: message.into(), more: None, location: None }
    }

    fn coded(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { code: Some(code), ..Self::new(status, message) }
    }

    /// 400: what was sent makes no sense.
    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 403: the caller is known, and may not.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    /// 404 for what has no code of its own.
    pub fn missing(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// 409: it is there already.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// 401: a token is needed and none came.
    pub fn needs_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Invalid username or password.")
    }

    /// 401: a token came, and nobody has it.
    pub fn wrong_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Invalid credentials in Authorization header")
    }

    /// A repo that is not there, or that this caller must not know of: strangers hear 401.
    pub fn repo(caller: &Caller) -> Self {
        match caller {
            Caller::Anonymous => {
                Self::coded(StatusCode::UNAUTHORIZED, "RepoNotFound", "Invalid username or password.")
            }
            Caller::Account { .. } => {
                Self::coded(StatusCode::NOT_FOUND, "RepoNotFound", "Repository not found")
            }
        }
    }

    /// 404: no such branch, tag, reference or commit.
    pub fn revision(revision: &str) -> Self {
        Self::coded(StatusCode::NOT_FOUND, "RevisionNotFound", format!("Invalid rev id: {revision}"))
    }

    /// 404: no such file or folder at this revision.
    pub fn entry(path: &str) -> Self {
        Self::coded(StatusCode::NOT_FOUND, "EntryNotFound", format!("{path} does not exist"))
    }

    /// A gate that the caller has not passed: strangers hear 401.
    pub fn gated(caller: &Caller, kind: &str, id: &str, page: &str) -> Self {
        let (status, why) = match caller {
            Caller::Anonymous => (
                StatusCode::UNAUTHORIZED,
                format!(
                    "Access to {kind} {id} is restricted. You must have access to it and be authenticated to access it. Please log in."
                ),
            ),
            Caller::Account { .. } => (
                StatusCode::FORBIDDEN,
                format!(
                    "Access to {kind} {id} is restricted and you are not in the authorized list. Visit {page} to ask for access."
                ),
            ),
        };
        Self::coded(status, "GatedRepo", why)
    }

    /// 307: the repo has another name now.
    pub fn moved(location: String) -> Self {
        let error = Self::new(
            StatusCode::TEMPORARY_REDIRECT,
            format!("Temporary Redirect. Redirecting to {location}"),
        );
        Self { location: Some(location.into()), ..error }
    }

    /// The same refusal, with fields in its body.
    #[must_use]
    pub fn with(self, more: Value) -> Self {
        Self { more: Some(Box::new(more)), ..self }
    }
}

/// A header's value; what no header can carry is left out.
pub fn header_value(text: &str) -> HeaderValue {
    let clean: String = text.chars().filter(|it| !it.is_control()).collect();
    HeaderValue::from_bytes(clean.as_bytes()).unwrap_or_else(|_| HeaderValue::from_static(""))
}

impl IntoResponse for HubError {
    fn into_response(self) -> Response {
        let mut body = json!({"error": self.message});
        if let Some(Value::Object(more)) = self.more.map(|it| *it) {
            for (name, value) in more {
                body[name] = value;
            }
        }
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(MESSAGE, header_value(&self.message));
        if let Some(code) = self.code {
            headers.insert(CODE, HeaderValue::from_static(code));
        }
        if let Some(location) = self.location {
            headers.insert(header::LOCATION, header_value(&location));
        }
        response
    }
}
