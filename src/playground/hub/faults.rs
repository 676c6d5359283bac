//! Faults that a test switches on: which requests they strike, what happens, how often.
//!
//! Owns [`HubFault`] and those in force. Never needs anybody to sleep: what is held is let go when the
//! faults are cleared. Start at [`HubFault::new`].

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::shared::Service;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// 429 with `Retry-After` in seconds.
    RateLimited {
        /// Seconds.
        retry_after: u64,
    },
    /// This status, with the body of a proxy rather than of the Hub; nothing was done.
    Status(u16),
    /// The request is carried out, and the connection breaks after so many bytes of the answer; 0:
    /// before the first.
    Cut {
        /// Bytes.
        after: u64,
    },
    /// The request is never looked at: the connection breaks at once.
    Drop,
    /// The answer comes so much later, by real time.
    Slow(Duration),
    /// The answer does not come until the faults are cleared.
    Hold,
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubFault {
    /// Where.
    pub service: Service,
    /// HTTP method; empty for any.
    pub method: String,
    /// What the path contains; empty for any.
    pub path: String,
    /// What happens.
    pub trouble: Trouble,
    /// How often.
    pub times: u32,
}

impl HubFault {
    /// Strikes once at whatever comes to the Hub whose path contains `path`.
    #[must_use]
    pub fn new(path: &str, trouble: Trouble) -> Self {
        Self { service: Service::Hub, method: String::new(), path: path.to_owned(), trouble, times: 1 }
    }

    /// Strikes so often.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// Strikes at one method only.
    #[must_use]
    pub fn method(self, method: &str) -> Self {
        Self { method: method.to_owned(), ..self }
    }

    /// Strikes at another service.
    #[must_use]
    pub fn at(self, service: Service) -> Self {
        Self { service, ..self }
    }

    fn hits(&self, service: Service, method: &str, path: &str) -> bool {
        self.service == service
            && (self.method.is_empty() || self.method == method)
            && path.contains(&self.path)
    }
}

/// The faults in force.
#[derive(Debug)]
pub struct Faults {
    list: Mutex<Vec<HubFault>>,
    released: watch::Sender<()>,
}

impl Default for Faults {
    fn default() -> Self {
        Self { list: Mutex::default(), released: watch::channel(()).0 }
    }
}

impl Faults {
    pub fn add(&self, fault: HubFault) {
        self.locked().push(fault);
    }

    /// Ends all faults; what they held goes on.
    pub fn clear(&self) {
        self.locked().clear();
        self.released.send_replace(());
    }

    pub fn list(&self) -> Vec<HubFault> {
        self.locked().clone()
    }

    /// Takes one stroke of the first fault that strikes this request.
    pub fn strike(&self, service: Service, method: &str, path: &str) -> Option<Trouble> {
        let mut list = self.locked();
        let index = list.iter().position(|it| it.hits(service, method, path))?;
        let trouble = list[index].trouble.clone();
        list[index].times = list[index].times.saturating_sub(1);
        if list[index].times == 0 {
            list.remove(index);
        }
        Some(trouble)
    }

    /// Changes when the faults are cleared. Taken before a stroke, it misses no clearing after it.
    pub fn releases(&self) -> watch::Receiver<()> {
        self.released.subscribe()
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Vec<HubFault>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_as_often_as_told_and_only_where() {
        let faults = Faults::default();
        faults.add(HubFault::new("/tree/", Trouble::Status(503)).times(2).method("GET"));
        faults.add(HubFault::new("", Trouble::Drop).at(Service::Viewer));
        assert_eq!(faults.strike(Service::Hub, "POST", "/api/models/a/b/tree/main"), None);
        assert_eq!(faults.strike(Service::Hub, "GET", "/api/models/a/b/refs"), None);
        assert_eq!(faults.strike(Service::Hub, "GET", "/x/tree/main"), Some(Trouble::Status(503)));
        assert_eq!(faults.strike(Service::Viewer, "GET", "/splits"), Some(Trouble::Drop));
        assert_eq!(faults.strike(Service::Hub, "GET", "/x/tree/main"), Some(Trouble::Status(503)));
        assert_eq!(faults.strike(Service::Hub, "GET", "/x/tree/main"), None);
        assert!(faults.list().is_empty());
    }
}
