//! Faults that a test or a person switches on: what goes wrong, where, and how often.
//!
//! Owns [`Fault`] and the list of those in force. Never causes one itself; `api` and `delivery` ask.

use serde::{Deserialize, Serialize};

fn once() -> u32 {
    1
}

fn any_method() -> String {
    "*".into()
}

/// One fault. `method` may be `*`; `times` is how often it strikes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fault {
    /// 429 with `Retry-After` in seconds.
    RateLimited {
        /// Web API method.
        #[serde(default = "any_method")]
        method: String,
        /// Seconds.
        retry_after: u64,
        /// How often.
        #[serde(default = "once")]
        times: u32,
    },
    /// `ok: false` with this error name.
    Error {
        /// Web API method.
        #[serde(default = "any_method")]
        method: String,
        /// Slack's error name.
        error: String,
        /// How often.
        #[serde(default = "once")]
        times: u32,
    },
    /// An HTTP status with a body that is not JSON.
    Http {
        /// Web API method.
        #[serde(default = "any_method")]
        method: String,
        /// Status.
        status: u16,
        /// How often.
        #[serde(default = "once")]
        times: u32,
    },
    /// The call works, but its answer comes late.
    Slow {
        /// Web API method.
        #[serde(default = "any_method")]
        method: String,
        /// Milliseconds.
        millis: u64,
        /// How often.
        #[serde(default = "once")]
        times: u32,
    },
    /// Every Socket Mode connection is cut without a word, at once.
    DropSocket,
    /// Every Socket Mode connection gets a disconnect frame.
    Disconnect {
        /// `warning`, `refresh_requested`, `link_disabled` or `too_many_websockets`.
        reason: String,
    },
    /// Deliveries leave late.
    DelayEvents {
        /// Milliseconds.
        millis: u64,
        /// How often.
        #[serde(default = "once")]
        times: u32,
    },
    /// Deliveries come twice, with the same event id.
    DuplicateEvents {
        /// How often.
        #[serde(default = "once")]
        times: u32,
    },
    /// The next `count` deliveries are held and leave in reverse order.
    ReorderEvents {
        /// How many.
        count: u32,
    },
    /// Connections stay open, but nothing is sent and acknowledgements are not heard.
    MuteSocket,
}

impl Fault {
    fn left(&mut self) -> Option<&mut u32> {
        match self {
            Self::RateLimited { times, .. }
            | Self::Error { times, .. }
            | Self::Http { times, .. }
            | Self::Slow { times, .. }
            | Self::DelayEvents { times, .. }
            | Self::DuplicateEvents { times } => Some(times),
            Self::ReorderEvents { count } => Some(count),
            Self::DropSocket | Self::Disconnect { .. } | Self::MuteSocket => None,
        }
    }

    fn hits(&self, name: &str) -> bool {
        match self {
            Self::RateLimited { method, .. }
            | Self::Error { method, .. }
            | Self::Http { method, .. }
            | Self::Slow { method, .. } => method == "*" || method == name,
            _ => false,
        }
    }
}

/// The faults in force.
#[derive(Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    pub fn list(&self) -> Vec<Fault> {
        self.0.clone()
    }

    pub fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes one stroke of the first fault that strikes this method.
    pub fn strike_call(&mut self, method: &str) -> Option<Fault> {
        self.strike(|it| it.hits(method))
    }

    /// Takes one stroke of the first fault that `matches`.
    pub fn strike(&mut self, matches: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let index = self.0.iter().position(matches)?;
        let fault = self.0[index].clone();
        if let Some(left) = self.0[index].left() {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.0.remove(index);
            }
        }
        Some(fault)
    }

    pub fn reordering(&self) -> bool {
        self.0.iter().any(|it| matches!(it, Fault::ReorderEvents { .. }))
    }

    pub fn muted(&self) -> bool {
        self.0.contains(&Fault::MuteSocket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_as_often_as_told_and_only_its_method() {
        let mut faults = Faults::default();
        faults.add(Fault::RateLimited { method: "chat.update".into(), retry_after: 2, times: 2 });
        assert_eq!(faults.strike_call("chat.postMessage"), None);
        assert!(faults.strike_call("chat.update").is_some());
        assert!(faults.strike_call("chat.update").is_some());
        assert_eq!(faults.strike_call("chat.update"), None);
        assert!(faults.list().is_empty());
    }

    #[test]
    fn the_wire_form_is_the_documented_one() {
        let fault: Fault = serde_json::from_str(r#"{"kind":"http","status":500}"#).unwrap();
        assert_eq!(fault, Fault::Http { method: "*".into(), status: 500, times: 1 });
        let fault: Fault = serde_json::from_str(r#"{"kind":"mute_socket"}"#).unwrap();
        assert_eq!(fault, Fault::MuteSocket);
    }
}
