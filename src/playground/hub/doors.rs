//! Routes that describe themselves: what is served and what the OpenAPI document says cannot differ.
//!
//! Owns [`Doors`]. Never answers anything. Start at [`Doors::add`].

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, on};

use super::shared::Hub;
use super::state::Kind;

/// HTTP methods that the Hub's routes use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Verb {
    fn filter(self) -> MethodFilter {
        match self {
            // `GET` answers `HEAD` as well.
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
            Self::Put => MethodFilter::PUT,
            Self::Patch => MethodFilter::PATCH,
            Self::Delete => MethodFilter::DELETE,
        }
    }

    /// As OpenAPI writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Put => "put",
            Self::Patch => "patch",
            Self::Delete => "delete",
        }
    }
}

/// What the OpenAPI document says of a route.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    /// Group.
    pub tag: &'static str,
    /// One line.
    pub summary: &'static str,
    /// Query parameters: name, what it is.
    pub query: &'static [(&'static str, &'static str)],
    /// Fields of a JSON body: name, what it is; empty where there is none.
    pub body: &'static [(&'static str, &'static str)],
}

impl Told {
    /// A route without query and body.
    pub const fn new(tag: &'static str, summary: &'static str) -> Self {
        Self { tag, summary, query: &[], body: &[] }
    }

    /// With query parameters.
    #[must_use]
    pub const fn query(self, query: &'static [(&'static str, &'static str)]) -> Self {
        Self { query, ..self }
    }

    /// With fields of a body.
    #[must_use]
    pub const fn body(self, body: &'static [(&'static str, &'static str)]) -> Self {
        Self { body, ..self }
    }
}

/// One route, described.
#[derive(Debug, Clone)]
pub struct Door {
    pub verb: Verb,
    pub path: String,
    pub told: Told,
}

/// Routes and their descriptions.
#[derive(Default)]
pub struct Doors {
    pub router: Router<Hub>,
    pub described: Vec<Door>,
}

impl Doors {
    /// A route at a path as axum writes it: `{name}` is one segment, `{*name}` the rest.
    #[must_use]
    pub fn add<H, T>(mut self, verb: Verb, path: &str, told: Told, handler: H) -> Self
    where
        H: Handler<T, Hub>,
        T: 'static,
    {
        self.router = self.router.route(path, on(verb.filter(), handler));
        self.described.push(Door { verb, path: path.to_owned(), told });
        self
    }

    /// The same route for models, datasets and Spaces; `tail` comes after the repo's name.
    #[must_use]
    pub fn of_repos<H, T>(mut self, verb: Verb, tail: &str, told: Told, handler: H) -> Self
    where
        H: Handler<T, Hub>,
        T: 'static,
    {
        for kind in Kind::ALL {
            let path = format!("/api/{}/{{namespace}}/{{repo}}{tail}", kind.plural());
            self = self.add(verb, &path, told, handler.clone());
        }
        self
    }

    /// Both.
    #[must_use]
    pub fn and(mut self, more: Self) -> Self {
        self.router = self.router.merge(more.router);
        self.described.extend(more.described);
        self
    }
}
