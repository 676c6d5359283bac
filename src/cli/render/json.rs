//! One event per line, as JSON, for programs.

use std::io::Write;

use super::Screen;
use crate::protocol::{ApprovalRequest, Event, PlanItem};

/// A screen that programs read.
pub struct JsonScreen {
    out: Box<dyn Write + Send>,
}

impl JsonScreen {
    /// A screen on this writer.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>) -> Self {
        Self { out }
    }
}

impl Screen for JsonScreen {
    fn event(&mut self, event: &Event) {
        let Ok(mut line) = serde_json::to_vec(event) else { return };
        line.push(b'\n');
        // A reader that went away is no reason to stop working.
        let _ = self.out.write_all(&line).and_then(|()| self.out.flush());
    }

    fn question(&mut self, _: &ApprovalRequest) {}

    fn plan(&mut self, plan: &[PlanItem]) {
        self.event(&Event::PlanUpdate { plan: plan.to_vec() });
    }

    fn remark(&mut self, text: &str) {
        self.event(&Event::Remark { text: text.to_owned() });
    }

    fn clear(&mut self) {}
}
