//! Documentation of Hugging Face: `explore_hf_docs` finds pages, `fetch_hf_docs` reads one.
//!
//! What was read is in [`library`]; what can be asked for in [`endpoints`]. Pages come from hosts of documentation
//! only, which `clients::docs` sees to.

mod endpoints;
mod explore;
mod fetch;
mod library;

use std::sync::Arc;

pub use explore::ExploreDocs;
pub use fetch::FetchDocs;

use self::library::Library;
use super::HubKit;
use crate::agent::tool::Tool;
use crate::clients::docs::DocsError;

/// The two tools, which share what they know.
#[must_use]
pub fn tools(kit: &HubKit) -> Vec<Arc<dyn Tool>> {
    let library = Arc::new(Library::new(kit.docs.clone(), kit.clock.clone()));
    vec![
        Arc::new(ExploreDocs::new(kit.access.clone(), library, kit.output_cap)),
        Arc::new(FetchDocs::new(kit.access.clone(), kit.docs.clone(), kit.output_cap)),
    ]
}

/// What the model is told about an error, with what to do about it.
fn told(error: &DocsError) -> String {
    let advice = match error {
        DocsError::Refused { status, .. } if *status < 500 => "",
        DocsError::NotFound | DocsError::Elsewhere { .. } | DocsError::TooLarge { .. } => "",
        DocsError::Denied { .. } => " The person's or the bot's Hub token does not give access to it.",
        DocsError::Limited { .. } => " Wait, then ask again.",
        DocsError::Web => " Documentation is under /docs/ and /learn/; `explore_hf_docs` lists its pages.",
        DocsError::Refused { .. } | DocsError::Unreachable(_) => " It may work again in a moment.",
        DocsError::Strange(_) => " The page may have changed its form.",
    };
    let error = error.to_string();
    format!("{error}{}{advice}", if error.ends_with('.') { "" } else { "." })
}
