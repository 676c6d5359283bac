//! The libraries and products whose documentation can be explored, and where each has it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A library or product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Endpoint {
    Hub,
    Transformers,
    Diffusers,
    Datasets,
    Gradio,
    Trackio,
    Smolagents,
    #[serde(rename = "huggingface_hub")]
    HuggingfaceHub,
    #[serde(rename = "huggingface.js")]
    HuggingfaceJs,
    #[serde(rename = "transformers.js")]
    TransformersJs,
    InferenceProviders,
    InferenceEndpoints,
    Peft,
    Accelerate,
    Optimum,
    Tokenizers,
    Courses,
    Evaluate,
    Tasks,
    DatasetViewer,
    Trl,
    Simulate,
    Sagemaker,
    Timm,
    Safetensors,
    Tgi,
    Setfit,
    Lerobot,
    Autotrain,
    Tei,
    Bitsandbytes,
    #[serde(rename = "sentence_transformers")]
    SentenceTransformers,
    ChatUi,
    Leaderboards,
    Lighteval,
    Argilla,
    Distilabel,
    MicrosoftAzure,
    Kernels,
    GoogleCloud,
}

/// One documentation with a sidebar of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// What it is called.
    pub name: String,
    /// Paths of the Hub where it may be; the first that is there counts.
    pub homes: Vec<String>,
}

const OPTIMUM: [&str; 6] =
    ["optimum", "optimum-habana", "optimum-neuron", "optimum-intel", "optimum-executorch", "optimum-tpu"];
const COURSES: [&str; 12] = [
    "llm-course",
    "robotics-course",
    "mcp-course",
    "smol-course",
    "agents-course",
    "deep-rl-course",
    "computer-vision-course",
    "audio-course",
    "ml-games-course",
    "diffusion-course",
    "ml-for-3d-course",
    "cookbook",
];

impl Endpoint {
    /// Its name, as the model writes it.
    pub(super) fn name(self) -> String {
        // Serde has the names; there is no second list of them.
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(name)) => name,
            _ => String::new(),
        }
    }

    /// What it is made of: several documentations for some, one for most.
    pub(super) fn parts(self) -> Vec<Part> {
        let docs = |name: &str| Part { name: name.to_owned(), homes: vec![format!("/docs/{name}")] };
        let also = |name: &str, other: &str| {
            let homes = vec![format!("/docs/{name}"), format!("/docs/{other}")];
            vec![Part { name: name.to_owned(), homes }]
        };
        match self {
            Self::Optimum => OPTIMUM.into_iter().map(docs).collect(),
            Self::Courses => COURSES
                .into_iter()
                .map(|name| Part {
                    name: name.to_owned(),
                    homes: vec![format!("/learn/{name}"), format!("/docs/{name}")],
                })
                .collect(),
            Self::Tgi => also("tgi", "text-generation-inference"),
            Self::Tei => also("tei", "text-embeddings-inference"),
            other => vec![docs(&other.name())],
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn there_are_forty_names_and_each_is_read_back() {
        let schema = schemars::schema_for!(Endpoint).to_value();
        let names: Vec<Value> = schema["enum"].as_array().unwrap().clone();
        assert_eq!(
            json!(names),
            json!([
                "hub",
                "transformers",
                "diffusers",
                "datasets",
                "gradio",
                "trackio",
                "smolagents",
                "huggingface_hub",
                "huggingface.js",
                "transformers.js",
                "inference-providers",
                "inference-endpoints",
                "peft",
                "accelerate",
                "optimum",
                "tokenizers",
                "courses",
                "evaluate",
                "tasks",
                "dataset-viewer",
                "trl",
                "simulate",
                "sagemaker",
                "timm",
                "safetensors",
                "tgi",
                "setfit",
                "lerobot",
                "autotrain",
                "tei",
                "bitsandbytes",
                "sentence_transformers",
                "chat-ui",
                "leaderboards",
                "lighteval",
                "argilla",
                "distilabel",
                "microsoft-azure",
                "kernels",
                "google-cloud"
            ])
        );
        for name in names {
            let endpoint: Endpoint = serde_json::from_value(name.clone()).unwrap();
            assert_eq!(Value::String(endpoint.name()), name);
        }
    }

    #[test]
    fn some_are_made_of_several() {
        let names =
            |endpoint: Endpoint| endpoint.parts().into_iter().map(|part| part.name).collect::<Vec<_>>();
        assert_eq!(names(Endpoint::Trl), ["trl"]);
        assert_eq!(names(Endpoint::Optimum).len(), 6);
        assert_eq!(names(Endpoint::Courses).len(), 12);
        assert_eq!(Endpoint::Courses.parts()[0].homes, ["/learn/llm-course", "/docs/llm-course"]);
        assert_eq!(Endpoint::ChatUi.parts()[0].homes, ["/docs/chat-ui"]);
    }
}
