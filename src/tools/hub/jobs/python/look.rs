//! What can be seen in a parsed script: what it imports, whether it trains, where the result goes, what it reads.
//!
//! Only what stands there plainly is taken: literals, and names that are given a literal once. What is made
//! from arguments or the environment stays unknown.

use std::collections::{BTreeMap, BTreeSet};

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Arguments, Expr, ExprCall, ModModule, Number, Stmt};

use super::metadata;

/// What is known of a script.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// What it imports, each module once, in order.
    pub imports: Vec<Import>,
    /// What it names as its dependencies itself.
    pub own_dependencies: Vec<String>,
    /// Whether it trains something: the first line that says so.
    pub trains: Option<String>,
    /// Whether something of it outlives the machine (a push, an upload).
    pub pushes: bool,
    /// Whether it asks for a GPU without looking whether there is one: the word that says so.
    pub wants_gpu: Option<String>,
    /// The datasets that it loads.
    pub datasets: Vec<Loaded>,
    /// Models and tokenizers that it loads, in order.
    pub models: Vec<String>,
    /// The repository that its result goes to.
    pub output: Option<String>,
    /// Epochs, where they stand there.
    pub epochs: Option<f64>,
    /// A bound of steps, where it stands there.
    pub max_steps: Option<u64>,
    /// Rows of one step on one device, accumulation included, where they stand there.
    pub batch: Option<u64>,
}

/// A module that is imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Its first name.
    pub module: String,
    /// Whether the script goes on without it (in a `try`).
    pub optional: bool,
}

/// A dataset that is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// `owner/name`, or a name.
    pub name: String,
    /// The revision, where it stands there.
    pub revision: Option<String>,
}

impl Facts {
    /// Of a script that could not be looked at.
    pub(super) fn unknown(source: &str) -> Self {
        Self { own_dependencies: metadata::dependencies(source), pushes: true, ..Self::default() }
    }
}

/// Looks at the whole script.
pub(super) fn at(source: &str, module: &ModModule) -> Facts {
    let mut look = Look::default();
    look.constants(&module.body);
    look.visit_body(&module.body);
    let Look { mut facts, checks_gpu, accumulation, .. } = look;
    facts.own_dependencies = metadata::dependencies(source);
    // Command lines inside the script (`--push_to_hub`, `hf upload`).
    facts.pushes |=
        ["--push_to_hub", "hf upload", "huggingface-cli upload"].iter().any(|words| source.contains(words));
    if checks_gpu {
        facts.wants_gpu = None;
    }
    facts.batch = facts.batch.map(|batch| batch.saturating_mul(accumulation.unwrap_or(1)));
    facts
}

#[derive(Default)]
struct Look {
    facts: Facts,
    /// Names that are given one literal.
    texts: BTreeMap<String, String>,
    seen: BTreeSet<String>,
    in_try: usize,
    checks_gpu: bool,
    accumulation: Option<u64>,
}

/// Calls that begin a training when their name is one of these.
const TRAINING: [&str; 4] = ["train", "fit", "backward", "finetune"];
/// Calls that send something to the Hub.
const PUSHING: [&str; 9] = [
    "push_to_hub",
    "push_to_hub_merged",
    "push_to_hub_gguf",
    "save_to_hub",
    "upload_file",
    "upload_folder",
    "upload_large_folder",
    "create_commit",
    "sync_bucket",
];
/// Libraries that do nothing without a GPU.
const GPU_ONLY: [&str; 7] = ["vllm", "bitsandbytes", "flash_attn", "unsloth", "xformers", "triton", "cupy"];

impl Look {
    /// Names of the module that are given a literal text exactly once.
    fn constants(&mut self, body: &[Stmt]) {
        let mut twice = BTreeSet::new();
        for statement in body {
            let (name, value) = match statement {
                Stmt::Assign(assign) => match assign.targets.as_slice() {
                    [Expr::Name(name)] => (name.id.as_str(), Some(&*assign.value)),
                    _ => continue,
                },
                Stmt::AnnAssign(assign) => match &*assign.target {
                    Expr::Name(name) => (name.id.as_str(), assign.value.as_deref()),
                    _ => continue,
                },
                _ => continue,
            };
            match value.and_then(literal) {
                Some(text) if !self.texts.contains_key(name) => {
                    self.texts.insert(name.to_owned(), text);
                }
                _ => {
                    twice.insert(name.to_owned());
                }
            }
        }
        self.texts.retain(|name, _| !twice.contains(name));
    }

    fn text(&self, expr: &Expr) -> Option<String> {
        match expr {
            Expr::Name(name) => self.texts.get(name.id.as_str()).cloned(),
            other => literal(other),
        }
    }

    fn keyword(&self, arguments: &Arguments, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.text(&arguments.find_keyword(name)?.value))
    }

    fn import(&mut self, module: &str) {
        let module = module.split('.').next().unwrap_or(module);
        if GPU_ONLY.contains(&module) && self.in_try == 0 {
            self.wants_gpu(module);
        }
        if self.seen.insert(module.to_owned()) {
            self.facts.imports.push(Import { module: module.to_owned(), optional: self.in_try > 0 });
        }
    }

    fn wants_gpu(&mut self, why: &str) {
        self.facts.wants_gpu.get_or_insert_with(|| why.to_owned());
    }

    fn call(&mut self, call: &ExprCall) {
        let Some(name) = callee(&call.func) else { return };
        let arguments = &call.arguments;
        let method = matches!(&*call.func, Expr::Attribute(_));
        if TRAINING.contains(&name) && method || name.ends_with("Trainer") {
            self.facts.trains.get_or_insert_with(|| name.to_owned());
        }
        match name {
            name if PUSHING.contains(&name) => {
                self.facts.pushes = true;
                let first = arguments.find_positional(0).filter(|_| name.starts_with("push_to_hub"));
                let target = self.keyword(arguments, &["repo_id"]).or_else(|| self.text(first?));
                self.output(target);
            }
            "load_dataset" => self.dataset(arguments),
            "is_available" | "device_count" | "infer_auto_device_map" => self.checks_gpu = true,
            "cuda" if method => self.wants_gpu(".cuda()"),
            "to" | "device" | "set_default_device" => {
                let first = arguments.find_positional(0).and_then(|first| self.text(first));
                if first.is_some_and(|device| device.starts_with("cuda")) {
                    self.wants_gpu("cuda");
                }
            }
            "from_pretrained" => {
                let target = arguments
                    .find_argument_value("pretrained_model_name_or_path", 0)
                    .and_then(|it| self.text(it));
                self.model(target.or_else(|| self.keyword(arguments, &["model_name"])), &call.func);
            }
            _ => {}
        }
        self.settings(name, arguments);
    }

    /// Keywords that mean the same wherever they stand.
    fn settings(&mut self, name: &str, arguments: &Arguments) {
        for keyword in &arguments.keywords {
            let (Some(key), value) = (keyword.arg.as_ref().map(|arg| arg.as_str()), &keyword.value) else {
                continue;
            };
            match key {
                "push_to_hub" if is_true(value) => self.facts.pushes = true,
                "hub_model_id" => {
                    self.facts.pushes = true;
                    let target = self.text(value);
                    self.output(target);
                }
                "load_in_4bit" | "load_in_8bit" if is_true(value) => self.wants_gpu(key),
                "device" | "device_map"
                    if self.text(value).is_some_and(|device| device.starts_with("cuda")) =>
                {
                    self.wants_gpu("cuda");
                }
                "attn_implementation" if self.text(value).is_some_and(|text| text.starts_with("flash")) => {
                    self.wants_gpu("flash attention");
                }
                "num_train_epochs" | "max_epochs" | "epochs" => self.facts.epochs = number(value),
                "max_steps" => {
                    self.facts.max_steps = number(value).and_then(whole).filter(|steps| *steps > 0)
                }
                "per_device_train_batch_size" => self.facts.batch = number(value).and_then(whole),
                "gradient_accumulation_steps" => self.accumulation = number(value).and_then(whole),
                "model" if name.ends_with("Trainer") => {
                    if let Some(model) = self.text(value)
                        && !self.facts.models.contains(&model)
                    {
                        self.facts.models.insert(0, model);
                    }
                }
                _ => {}
            }
        }
    }

    fn dataset(&mut self, arguments: &Arguments) {
        let Some(name) = arguments.find_argument_value("path", 0).and_then(|path| self.text(path)) else {
            return;
        };
        // Formats of plain files (`load_dataset("json", data_files=…)`) are no datasets.
        if ["json", "csv", "parquet", "text", "imagefolder", "audiofolder", "arrow", "webdataset"]
            .contains(&name.as_str())
        {
            return;
        }
        let revision = self.keyword(arguments, &["revision"]);
        if !self.facts.datasets.iter().any(|known| known.name == name) {
            self.facts.datasets.push(Loaded { name, revision });
        }
    }

    fn model(&mut self, name: Option<String>, func: &Expr) {
        let Some(name) = name.filter(|name| !name.starts_with(['.', '/'])) else { return };
        if self.facts.models.contains(&name) {
            return;
        }
        // A model says more than the tokenizer that was loaded before it.
        let class = match func {
            Expr::Attribute(attribute) => callee(&attribute.value).unwrap_or_default().to_owned(),
            _ => String::new(),
        };
        if class.contains("Model") { self.facts.models.insert(0, name) } else { self.facts.models.push(name) }
    }

    fn output(&mut self, target: Option<String>) {
        if let Some(target) = target {
            self.facts.output.get_or_insert(target);
        }
    }
}

impl<'a> Visitor<'a> for Look {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::Import(import) => import.names.iter().for_each(|alias| self.import(alias.name.as_str())),
            Stmt::ImportFrom(import) if import.level == 0 => {
                if let Some(module) = &import.module {
                    self.import(module.as_str());
                }
            }
            Stmt::Try(attempt) => {
                self.in_try += 1;
                self.visit_body(&attempt.body);
                attempt.handlers.iter().for_each(|handler| self.visit_except_handler(handler));
                self.in_try -= 1;
                self.visit_body(&attempt.orelse);
                self.visit_body(&attempt.finalbody);
                return;
            }
            _ => {}
        }
        walk_stmt(self, statement);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Call(call) = expr {
            self.call(call);
        }
        walk_expr(self, expr);
    }
}

/// The last name of what is called.
fn callee(func: &Expr) -> Option<&str> {
    match func {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        _ => None,
    }
}

fn literal(expr: &Expr) -> Option<String> {
    match expr {
        Expr::StringLiteral(text) => Some(text.value.to_str().to_owned()),
        _ => None,
    }
}

fn is_true(expr: &Expr) -> bool {
    matches!(expr, Expr::BooleanLiteral(literal) if literal.value)
}

fn number(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::NumberLiteral(literal) => match &literal.value {
            Number::Int(int) => int.as_u32().map(f64::from),
            Number::Float(float) => Some(*float),
            Number::Complex { .. } => None,
        },
        _ => None,
    }
}

fn whole(number: f64) -> Option<u64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
    (number.fract() == 0.0 && (0.0..=4e9).contains(&number)).then_some(number as u64)
}
