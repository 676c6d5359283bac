//! Decides what an error means: wait, shrink, repair or stop, and what to tell people.
//!
//! Decides by status and typed body; sentences count only where providers have no code for it, and
//! digits in sentences never do. Pure. Start at [`classify`].

use std::time::Duration;

use serde_json::Value;

use super::fault::{Fault, Phase};
use super::provider::{Home, Target};
use super::redact::presentable;
use super::{ModelError, Repairable, Trouble};

const BILLING_PAGE: &str = "https://huggingface.co/settings/billing";

/// Says what to do about a fault of a call to `target`.
pub(super) fn classify(fault: &Fault, target: &Target) -> ModelError {
    let who = target.home.label();
    let transient = |reason: String| ModelError::Wait { reason, kind: Trouble::Transient, after: None };
    match fault {
        Fault::Refused { status, after, body } => Refusal::read(*status, *after, body, target).judge(),
        Fault::Unreachable => {
            transient(format!("No connection to {who} at {} could be made.", target.place()))
        }
        Fault::Slow(Phase::FirstByte) => {
            transient(format!("{} did not begin to answer in time.", capital(who)))
        }
        Fault::Slow(Phase::Idle) => {
            transient(format!("{} fell silent in the middle of its answer.", capital(who)))
        }
        Fault::Slow(Phase::Total) => {
            transient(format!("{} did not finish its answer in time.", capital(who)))
        }
        Fault::Broken => transient(format!("The connection to {who} broke off before the answer ended.")),
        Fault::Garbled => transient(format!("{} sent something that is not an answer.", capital(who))),
        Fault::Unsendable => ModelError::Stop {
            reason: format!("The request to {who} could not be put together."),
            hint: format!("Check the address and the key of this provider. {}", target.home.key_hint()),
        },
    }
}

/// The same with a capital letter.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A provider's error, taken apart.
struct Refusal<'a> {
    target: &'a Target,
    status: Option<u16>,
    after: Option<Duration>,
    /// `type`, `code`, `status` and `reason` fields, lower-cased.
    codes: Vec<String>,
    /// The message, lower-cased, for comparing.
    words: String,
    /// The message, for people.
    shown: String,
}

impl<'a> Refusal<'a> {
    fn read(status: Option<u16>, after: Option<Duration>, body: &Value, target: &'a Target) -> Self {
        // Google sometimes wraps its error into a list.
        let body = body.get(0).unwrap_or(body);
        let error = body.get("error").filter(|error| !error.is_null()).unwrap_or(body);
        let mut codes = Vec::new();
        for holder in [error, body] {
            for field in ["type", "code", "status", "error_type"] {
                codes.extend(holder.get(field).and_then(Value::as_str).map(str::to_ascii_lowercase));
            }
        }
        let details = error.get("details").and_then(Value::as_array).into_iter().flatten();
        codes
            .extend(details.filter_map(|detail| detail.get("reason")?.as_str()).map(str::to_ascii_lowercase));
        // A number in the code field is a status that a gateway passes on.
        let passed_on = error.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
        let status = status.or(passed_on.filter(|code| (400..600).contains(code)));
        let message = message(error, body);
        Self {
            target,
            status,
            after,
            codes,
            words: message.to_ascii_lowercase(),
            shown: presentable(&message, target.key.reveal()),
        }
    }

    fn judge(&self) -> ModelError {
        if self.is_overflow() {
            return ModelError::Shrink {
                reason: self.sentence("The conversation is too long for this model"),
            };
        }
        if self.is_billing() {
            return self.billing();
        }
        if self.is_rate_limit() {
            let reason =
                self.sentence(&format!("{} asks us to slow down", capital(self.target.home.label())));
            return ModelError::Wait { reason, kind: Trouble::RateLimit, after: self.after };
        }
        if self.is_auth() {
            return self.stop(
                &format!("{} does not accept the key", capital(self.target.home.label())),
                self.target.home.key_hint(),
            );
        }
        if let Some(error) = self.unknown_model() {
            return error;
        }
        if let Some(part) = self.repairable() {
            let what = match part {
                Repairable::Effort => "This model refuses the reasoning effort",
                Repairable::Thinking => "This model takes no reasoning effort",
                Repairable::Thoughts => "This model refuses the reasoning that was sent back",
            };
            return ModelError::Repair { reason: self.sentence(what), part };
        }
        if self.is_transient() {
            let reason = self.sentence(&format!("{} is in trouble", capital(self.target.home.label())));
            return ModelError::Wait { reason, kind: Trouble::Transient, after: self.after };
        }
        self.stop(
            &format!("{} refused the request", capital(self.target.home.label())),
            "Rephrase the request, start a new session, or choose another model with `!model` or `--model`.",
        )
    }

    fn is_overflow(&self) -> bool {
        let coded = [
            "context_length_exceeded",
            "context_window_exceeded",
            "model_context_window_exceeded",
            "exceed_context_size_error",
            "request_too_large",
        ];
        if self.status == Some(413) || self.has_code(&coded) {
            return true;
        }
        // Anything from an overloaded proxy may mention contexts; only these statuses speak of the request.
        if !matches!(self.status, None | Some(400 | 422 | 500)) {
            return false;
        }
        let spelled = [
            "context_length_exceeded",
            "context window exceeded",
            "context length exceeded",
            "maximum context length",
            "max context length",
            "maximum model length",
            "prompt is too long",
            "input is too long",
            "too many input tokens",
            "exceed context limit",
            "exceeds the available context",
            "exceeds the context",
            "exceeds the model's context",
            "exceeds maximum context",
            "reduce the length of the messages",
            "reduce the length of the prompt",
            "request too large",
        ];
        self.says(&spelled)
            || (self.says(&["input token count"]) && self.says(&["exceeds the maximum"]))
            || (self.says(&["`inputs` tokens"]) && self.says(&["max_new_tokens"]))
    }

    fn is_billing(&self) -> bool {
        if self.status == Some(402) {
            return true;
        }
        let coded =
            ["insufficient_quota", "billing_not_active", "billing_hard_limit_reached", "billing_error"];
        if self.has_code(&coded) {
            return true;
        }
        let spelled = [
            "credit balance is too low",
            "insufficient credit",
            "insufficient balance",
            "insufficient_quota",
            "exceeded your monthly included credits",
            "exhausted your monthly",
            "exhausted monthly credits",
            "credits exhausted",
            "out of credits",
            "requires credits",
            "requires more credits",
            "payment required",
            "billing hard limit",
        ];
        if matches!(self.status, None | Some(400 | 403 | 429)) && self.says(&spelled) {
            return true;
        }
        // With 429 "quota" is mostly a limit per minute; without it, somebody has to act.
        matches!(self.status, None | Some(400 | 403))
            && self.says(&["quota exceeded", "quota-limit", "exceeded your quota"])
    }

    fn is_rate_limit(&self) -> bool {
        let coded = ["rate_limit_error", "rate_limit_exceeded", "too_many_requests", "resource_exhausted"];
        match self.status {
            Some(429) => true,
            Some(401..=404) => false,
            Some(503) | None => {
                self.has_code(&coded)
                    || self.says(&[
                        "rate limit",
                        "rate_limit",
                        "too many requests",
                        "too many tokens",
                        "request limit",
                        "throttl",
                    ])
            }
            Some(_) => self.has_code(&coded),
        }
    }

    fn is_auth(&self) -> bool {
        let coded = [
            "authentication_error",
            "permission_error",
            "permission_denied",
            "unauthenticated",
            "invalid_api_key",
            "api_key_invalid",
        ];
        matches!(self.status, Some(401 | 403))
            || self.has_code(&coded)
            || (matches!(self.status, None | Some(400))
                && self.says(&[
                    "invalid x-api-key",
                    "api key not valid",
                    "incorrect api key",
                    "unauthorized",
                ]))
    }

    fn unknown_model(&self) -> Option<ModelError> {
        if !matches!(self.status, None | Some(400 | 404 | 410 | 422)) {
            return None;
        }
        let unserved = ["not supported by provider", "no provider supports", "not supported by any provider"];
        if self.has_code(&["model_not_supported"]) || self.says(&unserved) {
            return Some(self.stop(
                "No provider serves this model as it was asked for",
                "Drop the `:provider` suffix so that the router chooses, or choose another model with `!model` or \
                 `--model`.",
            ));
        }
        let missing = self.says(&["model"]) && self.says(&["not found", "does not exist", "no such model"]);
        if self.has_code(&["model_not_found"])
            || missing
            || (self.status == Some(404) && self.has_code(&["not_found_error", "not_found"]))
        {
            let hint = match self.target.home {
                Home::Local(_) => "Load or pull the model on that server, or check its name in the model id.",
                _ => "Check the spelling of the id, or choose another model with `!model` or `--model`.",
            };
            return Some(self.stop(
                &format!(
                    "{} does not know the model `{}`",
                    capital(self.target.home.label()),
                    self.target.name
                ),
                hint,
            ));
        }
        (self.status == Some(404)).then(|| {
            self.stop(
                &format!("There is no model service at {}", self.target.place()),
                "Check the provider's base URL, or choose another model with `!model` or `--model`.",
            )
        })
    }

    fn repairable(&self) -> Option<Repairable> {
        if !matches!(self.status, None | Some(400 | 422)) {
            return None;
        }
        let thinking = self.says(&["thinking"]);
        let thoughts = (self.says(&["signature"]) && (thinking || self.says(&["thought", "invalid"])))
            || (thinking
                && self.says(&["cannot be modified", "expected `thinking`", "expected `redacted_thinking`"]))
            || (self.says(&["reasoning_content", "reasoning content"]) && self.says(&REFUSALS));
        if thoughts {
            return Some(Repairable::Thoughts);
        }
        let effort = self.says(&["effort", "output_config", "reasoning.effort"]) && self.says(&REFUSALS);
        let level = self.says(&["thinking level", "thinking_level"]);
        if thinking && !level && self.says(&["not supported", "does not support", "unsupported"]) && !effort {
            return Some(Repairable::Thinking);
        }
        let budget = thinking && self.says(&["budget", "must be"]);
        (effort || budget || (level && self.says(&REFUSALS))).then_some(Repairable::Effort)
    }

    fn is_transient(&self) -> bool {
        match self.status {
            Some(408 | 409 | 425 | 500..=599) => true,
            Some(_) => self.has_code(&["overloaded_error", "timeout_error"]),
            // The request was accepted, then something went wrong on their side. Only an error that says
            // that the request is bad is worth stopping for.
            None => !self.has_code(&["invalid_request_error", "invalid_argument", "bad_request"]),
        }
    }

    fn billing(&self) -> ModelError {
        let hint = match self.target.home {
            Home::Router => format!(
                "Add credits at {BILLING_PAGE}, or, if the account has no PRO plan yet, subscribe at \
                 https://huggingface.co/subscribe/pro; or choose another model with `!model` or `--model`."
            ),
            _ => "Add credits to the account behind the key, or choose another model with `!model` or `--model`."
                .to_owned(),
        };
        self.stop(&format!("The account at {} has no credits left", self.target.home.label()), &hint)
    }

    fn stop(&self, reason: &str, hint: &str) -> ModelError {
        ModelError::Stop { reason: self.sentence(reason), hint: hint.to_owned() }
    }

    /// Our words, the status, and the provider's own words.
    fn sentence(&self, ours: &str) -> String {
        let status = self.status.map(|status| format!(" (HTTP {status})")).unwrap_or_default();
        if self.shown.is_empty() {
            format!("{ours}{status}.")
        } else {
            format!("{ours}{status}: {}", self.shown)
        }
    }

    fn has_code(&self, codes: &[&str]) -> bool {
        self.codes.iter().any(|code| codes.contains(&code.as_str()))
    }

    fn says(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.words.contains(phrase))
    }
}

const REFUSALS: [&str; 14] = [
    "invalid",
    "not supported",
    "unsupported",
    "does not support",
    "must be one of",
    "not a valid",
    "unrecognized",
    "unknown",
    "only supported by",
    "not permitted",
    "not allowed",
    "extra fields",
    "extra inputs",
    "unexpected",
];

/// The provider's message; a page of HTML is only named.
fn message(error: &Value, body: &Value) -> String {
    let text =
        [error.get("message"), error.get("detail"), body.get("message"), body.get("detail"), Some(error)]
            .into_iter()
            .flatten()
            .find_map(Value::as_str)
            .unwrap_or_default()
            .trim();
    if text.starts_with('<') { "it answered with a web page".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
