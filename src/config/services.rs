//! Where other people's services are. Tests and the playground point these at their own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// Other people's services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ServicesConfig {
    /// The Hugging Face Hub.
    pub hf_endpoint: String,
    /// The Hub's dataset viewer.
    pub dataset_viewer_url: String,
    /// Where sandboxes answer; `{space}` stands for the owner and the name of the Space, as one word.
    pub spaces_url: String,
    /// arXiv, for papers as HTML.
    pub arxiv_url: String,
    /// ar5iv, for papers that arXiv has no HTML of.
    pub ar5iv_url: String,
    /// Semantic Scholar's API: citations, snippets, recommendations.
    pub semantic_scholar_url: String,
    /// Semantic Scholar key; without one it answers less often.
    pub semantic_scholar_key: Option<Secret>,
    /// Gradio's site, for its documentation.
    pub gradio_url: String,
    /// Gradio's search of its documentation.
    pub gradio_search_url: String,
    /// GitHub's API.
    pub github_api_url: String,
    /// GitHub token.
    pub github_token: Option<Secret>,
}

impl Default for ServicesConfig {
    fn default() -> Self {
        Self {
            hf_endpoint: "https://huggingface.co".to_owned(),
            dataset_viewer_url: "https://datasets-server.huggingface.co".to_owned(),
            spaces_url: "https://{space}.hf.space".to_owned(),
            arxiv_url: "https://arxiv.org".to_owned(),
            ar5iv_url: "https://ar5iv.labs.arxiv.org".to_owned(),
            semantic_scholar_url: "https://api.semanticscholar.org".to_owned(),
            semantic_scholar_key: None,
            gradio_url: "https://gradio.app".to_owned(),
            gradio_search_url: "https://playground-worker.pages.dev".to_owned(),
            github_api_url: "https://api.github.com".to_owned(),
            github_token: None,
        }
    }
}
