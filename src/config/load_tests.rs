//! Layering as a person meets it: files in a folder, variables, flags.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::config::Outcome;

/// A working directory and a home to load from.
struct Desk {
    cwd: TempDir,
    home: TempDir,
    sources: Sources,
}

impl Desk {
    fn new() -> Self {
        let (cwd, home) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let sources = Sources {
            cwd: cwd.path().to_path_buf(),
            places: Places { home: Some(home.path().to_path_buf()), data: None },
            ..Sources::default()
        };
        Self { cwd, home, sources }
    }

    fn file(self, path: &str, content: &Value) -> Self {
        self.text(path, &content.to_string())
    }

    fn text(self, path: &str, content: &str) -> Self {
        let path = match path.strip_prefix("~/") {
            Some(rest) => self.home.path().join(rest),
            None => self.cwd.path().join(path),
        };
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.sources.env.insert(name.to_owned(), value.to_owned());
        self
    }

    fn flags(mut self, overrides: Overrides) -> Self {
        self.sources.overrides = overrides;
        self
    }

    fn config_flag(mut self, path: &str) -> Self {
        self.sources.config_flag = Some(path.into());
        self
    }

    fn load(&self) -> Loaded {
        Config::load(&self.sources).unwrap()
    }

    fn refused(&self) -> String {
        let home = self.home.path().display().to_string();
        let cwd = self.cwd.path().display().to_string();
        Config::load(&self.sources).unwrap_err().to_string().replace(&home, "~").replace(&cwd, ".")
    }
}

fn model(name: &str) -> Value {
    json!({ "model_name": name })
}

#[test]
fn each_layer_is_over_the_one_before() {
    let desk = Desk::new();
    assert_eq!(desk.load().config, Config::default());
    let desk = desk.file("configs/a.json", &model("from/a")).file("configs/b.json", &model("from/b"));
    assert_eq!(desk.load().config.model_name, "from/b");
    let desk = desk.file("~/.config/ml-intern/config.json", &model("from/person"));
    assert_eq!(desk.load().config.model_name, "from/person");
    let desk = desk.env("ML_INTERN_MODEL", "from/environment");
    assert_eq!(desk.load().config.model_name, "from/environment");
    let desk = desk.flags(Overrides { model: Some("from/flag".to_owned()), ..Overrides::default() });
    let loaded = desk.load();
    assert_eq!(loaded.config.model_name, "from/flag");
    assert_eq!(loaded.origin(&["model_name"]), Some(&Origin::Flag("--model")));
}

#[test]
fn a_file_given_by_flag_stands_in_for_the_folder() {
    let desk = Desk::new().file("configs/a.json", &json!({"max_iterations": 5}));
    let desk = desk.file("mine.json", &model("from/mine")).config_flag("mine.json");
    let loaded = desk.load();
    assert_eq!((loaded.config.model_name.as_str(), loaded.config.max_iterations), ("from/mine", 300));
    assert!(Desk::new().config_flag("none.json").refused().starts_with("none.json: there is no such file"));
}

#[test]
fn a_file_of_ml_intern_carries_over() {
    let file = json!({
        "model_name": "anthropic/claude-opus-4.8:fal-ai",
        "save_sessions": true, "session_dataset_repo": "smolagents/ml-intern-sessions",
        "share_traces": true, "personal_trace_repo_template": "{hf_user}/ml-intern-sessions",
        "yolo_mode": false, "confirm_cpu_jobs": true, "auto_file_upload": true, "tool_runtime": "local",
        "messaging": {"enabled": false, "auto_event_types": ["approval_required", "error", "turn_complete"],
                      "destinations": {}},
        "mcpServers": {"hf-mcp-server": {"transport": "http", "url": "https://huggingface.co/mcp?login"}},
    });
    let loaded = Desk::new().file("configs/cli_agent_config.json", &file).load();
    assert_eq!(loaded.config.model_name, "anthropic/claude-opus-4.8:fal-ai");
    assert!(loaded.config.mcp_servers.contains_key("hf-mcp-server"));
}

#[test]
fn the_file_of_the_old_variable_must_exist() {
    let desk = Desk::new().file("~/own.json", &model("from/own"));
    assert_eq!(desk.env("ML_INTERN_CLI_CONFIG", "~/own.json").load().config.model_name, "from/own");
    let refused = Desk::new().env("ML_INTERN_CLI_CONFIG", "~/none.json").refused();
    assert_eq!(refused, "~/none.json: there is no such file (ML_INTERN_CLI_CONFIG names it)");
}

#[test]
fn other_programs_files_and_generated_schemas_are_left_alone() {
    let desk = Desk::new()
        .file("configs/deepspeed.json", &json!({"zero_optimization": {"stage": 3}, "bf16": true}))
        .text("configs/broken.json", "{")
        .file("configs/ml-intern.schema.json", &json!({"$defs": {}}))
        .file("configs/ml-intern.json", &json!({"$schema": "./ml-intern.schema.json", "max_iterations": 7}));
    let loaded = desk.load();
    assert_eq!(loaded.config.max_iterations, 7);
    let files: Vec<_> =
        loaded.files.iter().map(|file| (file.path.to_str().unwrap().to_owned(), file.outcome)).collect();
    assert_eq!(
        files,
        [
            ("configs/broken.json".to_owned(), Outcome::Foreign),
            ("configs/deepspeed.json".to_owned(), Outcome::Foreign),
            ("configs/ml-intern.json".to_owned(), Outcome::Read),
        ],
    );
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_name() {
    let desk = Desk::new().file("configs/team.json", &json!({"max_iteration": 5, "slack": {"chanels": []}}));
    assert_eq!(
        desk.refused(),
        "configs/team.json: max_iteration: no such key; did you mean `max_iterations`?\n\
         configs/team.json: slack.chanels: no such key; did you mean `channels`?",
    );
    let desk = Desk::new().file("configs/modle.json", &json!({"modle_name": "x/y"}));
    assert!(desk.refused().contains("did you mean `model_name`?"));
}

#[test]
fn files_that_cannot_be_read_are_named() {
    assert!(Desk::new().text("configs/ml-intern.json", "{,}").refused().contains("this is not valid JSON"));
    let list = Desk::new().text("configs/ml-intern.json", "[]").refused();
    assert_eq!(list, "configs/ml-intern.json: a configuration file must hold one JSON object {…}");
}

#[test]
fn references_are_replaced_after_the_merge_and_never_twice() {
    let desk = Desk::new()
        .file("configs/ml-intern.json", &json!({"model_name": "${UNSET}", "services": {"hf_endpoint": "${E:-x}"}}))
        .file("~/.config/ml-intern/config.json", &json!({
            "model_name": "a/${M}", "services": {"hf_endpoint": "https://${HOST:-h}"}, "max_iterations": "${N}",
        }))
        .env("M", "${B}")
        .env("N", "9")
        .env("ML_INTERN_BIND", "127.0.0.1:0")
        .load();
    assert_eq!(desk.config.model_name, "a/${B}");
    assert_eq!(desk.config.services.hf_endpoint, "https://h");
    assert_eq!(desk.config.max_iterations, 9);
}

#[test]
fn a_reference_to_nothing_is_named() {
    let desk =
        Desk::new().file("configs/ml-intern.json", &json!({"slack": {"bot_token": "${NOBODY_SET_THIS}"}}));
    let refused = desk.refused();
    assert!(refused.starts_with("configs/ml-intern.json: slack.bot_token: "), "{refused}");
    assert!(refused.contains("`NOBODY_SET_THIS` is not set"), "{refused}");
}

#[test]
fn a_dot_env_fills_and_never_overrides() {
    let desk = Desk::new()
        .text(".env", "# ours\nML_INTERN_MODEL=from/dotenv\nexport HF_TOKEN=\"hf_of_dotenv\"\nEMPTY=\n")
        .env("ML_INTERN_MODEL", "from/environment");
    let loaded = desk.load();
    assert_eq!(loaded.config.model_name, "from/environment");
    assert_eq!(loaded.config.models.huggingface.api_key.as_ref().unwrap().reveal(), "hf_of_dotenv");
    let refused = Desk::new().text(".env", "OK=1\nSECRET two words\n").refused();
    assert_eq!(refused, "./.env: line 2 is not NAME=value; put values with spaces or # in quotes");
}

#[test]
fn the_hubs_token_has_its_order() {
    let token =
        |desk: &Desk| desk.load().config.models.huggingface.api_key.map(|token| token.reveal().to_owned());
    let desk = Desk::new();
    assert_eq!(token(&desk), None);
    let desk = desk.text("~/.cache/huggingface/token", "hf_login\n");
    assert_eq!(token(&desk).as_deref(), Some("hf_login"));
    let desk = desk.env("HUGGING_FACE_HUB_TOKEN", "hf_older");
    assert_eq!(token(&desk).as_deref(), Some("hf_older"));
    let desk = desk.env("HF_TOKEN", " hf_token\r\n");
    assert_eq!(token(&desk).as_deref(), Some("hf_token"));
    let empty = Desk::new().text("~/hub/token", "hf_moved").env("HF_HOME", "~/hub").env("HF_TOKEN", "");
    assert_eq!(token(&empty).as_deref(), Some("hf_moved"), "a variable set to nothing counts as unset");
}

#[test]
fn local_servers_share_what_they_do_not_set() {
    let desk = Desk::new()
        .file("configs/ml-intern.json", &json!({"models": {"llamacpp": {"base_url": "http://file:1"}}}))
        .env("LOCAL_LLM_BASE_URL", "http://shared:1")
        .env("VLLM_BASE_URL", "http://own:1")
        .env("LOCAL_LLM_API_KEY", "shared-key");
    let models = desk.load().config.models;
    assert_eq!(models.vllm.base_url, "http://own:1");
    assert_eq!(models.ollama.base_url, "http://shared:1");
    assert_eq!(models.llamacpp.base_url, "http://file:1");
    assert_eq!(models.vllm.api_key.unwrap().reveal(), "shared-key");
    assert_eq!(Desk::new().load().config.models.ollama.base_url, "http://localhost:11434/v1");
}

#[test]
fn what_makes_no_sense_is_refused_with_where_it_came_from() {
    let desk = Desk::new()
        .env("ML_INTERN_MAX_ITERATIONS", "0")
        .env("SLACK_API_URL", "slack.com/api")
        .flags(Overrides { bind: Some("8787".to_owned()), ..Overrides::default() });
    assert_eq!(
        desk.refused(),
        "environment variable ML_INTERN_MAX_ITERATIONS: max_iterations: 0 was given, but at least 1 is expected, or -1 for no limit\n\
         environment variable SLACK_API_URL: slack.api_url: \"slack.com/api\" was given, but an address with http:// or https:// is expected\n\
         flag --bind: server.bind: \"8787\" was given, but ADDRESS:PORT is expected, as 127.0.0.1:8787",
    );
    let desk = Desk::new().env("ML_INTERN_YOLO_MODE", "maybe");
    assert!(desk.refused().ends_with("\"maybe\" was given, but true or false is expected"));
}

#[test]
fn an_address_of_spaces_says_where_the_space_goes() {
    let given =
        |url: &str| Desk::new().file("configs/ml-intern.json", &json!({"services": {"spaces_url": url}}));
    let refused = given("https://spaces.example").refused();
    assert!(
        refused.contains("services.spaces_url: ") && refused.contains("{space} is expected"),
        "{refused}"
    );
    let kept = given("http://127.0.0.1:1/at/{space}").load().config.services.spaces_url;
    assert_eq!(kept, "http://127.0.0.1:1/at/{space}");
}

#[test]
fn a_secret_in_the_wrong_form_is_not_shown() {
    let desk = Desk::new().file("configs/ml-intern.json", &json!({"slack": {"bot_token": 12_345_678}}));
    assert!(!desk.refused().contains("12345678"));
    let loaded = Desk::new().env("SLACK_BOT_TOKEN", "xoxb-of-the-environment").load();
    assert!(!serde_json::to_string(&loaded.config).unwrap().contains("xoxb-of"));
    assert_eq!(loaded.secret_values(), ["xoxb-of-the-environment"]);
}

#[test]
fn data_goes_where_it_is_told() {
    let desk = Desk::new().env("ML_INTERN_DATA_DIR", "~/data");
    assert_eq!(desk.load().config.data_dir(), desk.home.path().join("data"));
    let desk = Desk::new().env("ML_INTERN_DATA_DIR", "here");
    assert_eq!(desk.load().config.data_dir(), desk.cwd.path().join("here"));
}

#[test]
fn the_environment_alone_makes_a_destination() {
    let desk = Desk::new().env("SLACK_BOT_TOKEN", "xoxb-1").env("SLACK_CHANNEL", "C1");
    let messaging = desk.load().config.messaging;
    assert!(messaging.enabled && messaging.destinations.contains_key("slack.default"));
    let refused = desk.env("ML_INTERN_SLACK_AUTO_EVENTS", "error,foo").refused();
    assert!(
        refused.starts_with("environment variable ML_INTERN_SLACK_AUTO_EVENTS: \"foo\" was given: "),
        "{refused}"
    );
    let none = Desk::new().file("configs/ml-intern.json", &json!({"messaging": {"enabled": true}})).refused();
    assert!(none.starts_with("configs/ml-intern.json: messaging.enabled: "), "{none}");
}
