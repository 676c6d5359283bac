//! Which package an import comes from, and what comes with a package. Tables for the usual machine-learning stack.
//!
//! A module that no table knows is taken to come from a package of its own name. What a table says wrongly costs a
//! warning that people read; it stops nothing.

use std::collections::BTreeSet;

use super::standard::STANDARD;

/// Modules whose package has another name.
const OTHERWISE: &[(&str, &str)] = &[
    ("PIL", "pillow"),
    ("cv2", "opencv-python-headless"),
    ("sklearn", "scikit-learn"),
    ("skimage", "scikit-image"),
    ("yaml", "pyyaml"),
    ("bs4", "beautifulsoup4"),
    ("dateutil", "python-dateutil"),
    ("dotenv", "python-dotenv"),
    ("Bio", "biopython"),
    ("google", "protobuf"),
    ("attr", "attrs"),
    ("jwt", "pyjwt"),
    ("magic", "python-magic"),
    ("faiss", "faiss-cpu"),
    ("flash_attn", "flash-attn"),
    ("huggingface_hub", "huggingface-hub"),
    ("sentence_transformers", "sentence-transformers"),
    ("rouge_score", "rouge-score"),
    ("lm_eval", "lm-eval"),
    ("pytorch_lightning", "pytorch-lightning"),
    ("torch_geometric", "torch-geometric"),
    ("umap", "umap-learn"),
    ("hf_transfer", "hf-transfer"),
    ("llama_cpp", "llama-cpp-python"),
    ("wandb", "wandb"),
    ("OpenSSL", "pyopenssl"),
    ("Levenshtein", "levenshtein"),
    ("pkg_resources", "setuptools"),
    ("mpl_toolkits", "matplotlib"),
    ("open_clip", "open-clip-torch"),
    ("segment_anything", "segment-anything"),
    ("whisper", "openai-whisper"),
    ("soundfile", "soundfile"),
    ("fitz", "pymupdf"),
    ("docx", "python-docx"),
    ("git", "gitpython"),
    ("typing_extensions", "typing-extensions"),
    ("absl", "absl-py"),
    ("tensorflow_datasets", "tensorflow-datasets"),
    ("liger_kernel", "liger-kernel"),
    ("deepspeed", "deepspeed"),
    ("mamba_ssm", "mamba-ssm"),
];

/// What comes with a package, as far as scripts rely on it.
const BRINGS: &[(&str, &[&str])] = &[
    ("torch", &["numpy", "sympy", "networkx", "jinja2", "filelock", "fsspec", "typing-extensions", "triton"]),
    ("torchvision", &["torch", "numpy", "pillow"]),
    ("torchaudio", &["torch"]),
    ("torchmetrics", &["torch", "numpy", "lightning-utilities"]),
    (
        "transformers",
        &[
            "numpy",
            "huggingface-hub",
            "tokenizers",
            "safetensors",
            "regex",
            "pyyaml",
            "tqdm",
            "filelock",
            "packaging",
        ],
    ),
    (
        "datasets",
        &[
            "numpy",
            "pandas",
            "pyarrow",
            "huggingface-hub",
            "fsspec",
            "dill",
            "xxhash",
            "multiprocess",
            "tqdm",
            "pyyaml",
            "filelock",
            "packaging",
            "requests",
            "httpx",
        ],
    ),
    (
        "huggingface-hub",
        &["tqdm", "fsspec", "filelock", "pyyaml", "packaging", "typing-extensions", "hf-xet", "httpx"],
    ),
    ("pandas", &["numpy", "python-dateutil", "pytz", "six"]),
    ("accelerate", &["torch", "numpy", "psutil", "pyyaml", "safetensors", "huggingface-hub", "packaging"]),
    ("trl", &["torch", "transformers", "datasets", "accelerate", "rich"]),
    ("peft", &["torch", "transformers", "accelerate", "psutil", "tqdm", "safetensors", "huggingface-hub"]),
    (
        "sentence-transformers",
        &["torch", "transformers", "scikit-learn", "scipy", "pillow", "tqdm", "huggingface-hub"],
    ),
    ("setfit", &["sentence-transformers", "datasets", "evaluate", "scikit-learn"]),
    ("scikit-learn", &["numpy", "scipy", "joblib", "threadpoolctl"]),
    ("evaluate", &["datasets", "numpy", "pandas", "tqdm", "huggingface-hub"]),
    ("diffusers", &["numpy", "pillow", "safetensors", "huggingface-hub", "regex", "requests", "filelock"]),
    ("timm", &["torch", "torchvision", "huggingface-hub", "safetensors", "pyyaml"]),
    ("bitsandbytes", &["torch", "numpy"]),
    (
        "vllm",
        &[
            "torch",
            "transformers",
            "tokenizers",
            "numpy",
            "pillow",
            "fastapi",
            "pydantic",
            "openai",
            "ray",
            "xformers",
        ],
    ),
    (
        "unsloth",
        &[
            "torch",
            "transformers",
            "datasets",
            "trl",
            "peft",
            "accelerate",
            "bitsandbytes",
            "xformers",
            "triton",
        ],
    ),
    ("lightning", &["torch", "torchmetrics", "lightning-utilities", "tqdm", "pytorch-lightning"]),
    ("pytorch-lightning", &["torch", "torchmetrics", "lightning-utilities", "tqdm", "pyyaml"]),
    (
        "lm-eval",
        &["torch", "transformers", "datasets", "evaluate", "accelerate", "peft", "scikit-learn", "tqdm"],
    ),
    ("lighteval", &["torch", "transformers", "datasets", "accelerate", "huggingface-hub"]),
    ("trackio", &["huggingface-hub", "pandas", "gradio-client"]),
    (
        "gradio",
        &[
            "numpy",
            "pandas",
            "pillow",
            "fastapi",
            "pydantic",
            "httpx",
            "huggingface-hub",
            "pyyaml",
            "typer",
            "uvicorn",
        ],
    ),
    ("matplotlib", &["numpy", "pillow", "cycler", "python-dateutil", "packaging"]),
    ("seaborn", &["matplotlib", "numpy", "pandas"]),
    ("scipy", &["numpy"]),
    ("xgboost", &["numpy", "scipy"]),
    ("lightgbm", &["numpy", "scipy"]),
    ("tensorflow", &["numpy", "keras", "absl-py", "protobuf", "h5py", "six"]),
    ("jax", &["jaxlib", "numpy", "scipy"]),
    ("flax", &["jax", "optax", "numpy", "rich", "msgpack"]),
    ("spacy", &["numpy", "pydantic", "tqdm", "typer", "requests"]),
    ("nltk", &["regex", "click", "joblib", "tqdm"]),
    ("openai", &["httpx", "pydantic", "tqdm"]),
    ("rouge-score", &["nltk", "numpy", "absl-py", "six"]),
    ("deepspeed", &["torch", "numpy", "pydantic", "tqdm", "psutil"]),
    ("polars", &[]),
];

/// The package that a module comes from; `None` if it comes with Python.
#[must_use]
pub fn of_module(module: &str) -> Option<String> {
    if STANDARD.binary_search(&module).is_ok() {
        return None;
    }
    let known = OTHERWISE.iter().find(|(name, _)| *name == module).map(|(_, package)| (*package).to_owned());
    Some(known.unwrap_or_else(|| plain(module)))
}

/// These dependencies, and what comes with them, by their plain names.
#[must_use]
pub fn closure<'a>(dependencies: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    let mut open: Vec<String> = dependencies.map(name).filter(|name| !name.is_empty()).collect();
    while let Some(package) = open.pop() {
        if let Some((_, brings)) = BRINGS.iter().find(|(name, _)| *name == package) {
            open.extend(brings.iter().filter(|name| !found.contains(**name)).map(|name| (*name).to_owned()));
        }
        found.insert(package);
    }
    // Builds of the same thing under other names.
    for (other, same) in [
        ("faiss-gpu", "faiss-cpu"),
        ("opencv-python", "opencv-python-headless"),
        ("psycopg2-binary", "psycopg2"),
    ] {
        if found.contains(other) {
            found.insert(same.to_owned());
        }
    }
    found
}

/// The plain name of a dependency as it is written (`Torch>=2.1; python_version…`, `trl[peft] @ git+…`).
#[must_use]
pub fn name(dependency: &str) -> String {
    let dependency = dependency.trim();
    // A bare address names its repository, or a wheel.
    if dependency.contains("://") && !dependency.contains(" @ ") {
        let last = dependency.split(['#', '?']).next().unwrap_or_default().trim_end_matches('/');
        let last = last.rsplit('/').next().unwrap_or_default();
        let last = last.split('@').next().unwrap_or_default().trim_end_matches(".git");
        let version =
            last.match_indices('-').find(|(at, _)| last[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
        return plain(version.map_or(last, |(at, _)| &last[..at]));
    }
    let end = dependency.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')));
    plain(&dependency[..end.unwrap_or(dependency.len())])
}

/// Small letters, with dashes.
fn plain(name: &str) -> String {
    name.to_ascii_lowercase().replace(['_', '.'], "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_searched() {
        assert!(STANDARD.is_sorted());
    }

    #[test]
    fn a_module_is_known_by_its_package() {
        for (module, package) in [
            ("os", None),
            ("__future__", None),
            ("sklearn", Some("scikit-learn")),
            ("PIL", Some("pillow")),
            ("sentence_transformers", Some("sentence-transformers")),
            ("my_module", Some("my-module")),
        ] {
            assert_eq!(of_module(module).as_deref(), package, "{module}");
        }
    }

    #[test]
    fn a_dependency_is_known_by_its_name() {
        for (written, expected) in [
            ("torch", "torch"),
            ("Torch>=2.1,<3", "torch"),
            ("trl[peft]==0.12.0", "trl"),
            ("huggingface_hub", "huggingface-hub"),
            ("numpy ; python_version < '3.12'", "numpy"),
            ("trl @ git+https://github.com/huggingface/trl.git@main", "trl"),
            ("git+https://github.com/huggingface/transformers.git@v5", "transformers"),
            ("git+https://github.com/huggingface/peft", "peft"),
            ("https://example.com/w/flash_attn-2.7.0-cp312-linux_x86_64.whl", "flash-attn"),
            ("", ""),
        ] {
            assert_eq!(name(written), expected, "{written}");
        }
    }

    #[test]
    fn what_comes_with_a_dependency_needs_no_naming() {
        let closure = closure(["trl", "faiss-gpu"].into_iter());
        for brought in ["trl", "torch", "transformers", "numpy", "pandas", "huggingface-hub", "faiss-cpu"] {
            assert!(closure.contains(brought), "{brought}");
        }
        assert!(!closure.contains("peft") && !closure.contains("scikit-learn"));
    }
}
