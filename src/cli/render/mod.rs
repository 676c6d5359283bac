//! Drawing events in a terminal: text for people, or one JSON object per line.
//!
//! Owns [`Screen`] and its two kinds. Never decides anything. What tools and models say is data: it
//! goes through [`clean`] before it reaches a terminal. Start at [`text`].

pub mod blocks;
pub mod clean;
pub mod diff;
pub mod json;
pub mod look;
pub mod markdown;
pub mod paint;
pub mod question;
mod runs;
pub mod text;
pub mod wide;

use crate::protocol::Event;

/// Somewhere events are drawn.
pub trait Screen: Send {
    /// Draws one event.
    fn event(&mut self, event: &Event);

    /// Draws a question to the person who sits here; JSON screens have the event already.
    fn question(&mut self, request: &crate::protocol::ApprovalRequest);

    /// Draws the plan, because somebody asked for it.
    fn plan(&mut self, plan: &[crate::protocol::PlanItem]);

    /// Draws a remark of the program itself.
    fn remark(&mut self, text: &str);

    /// Empties the whole screen, where it has one.
    fn clear(&mut self);
}
