//! Block Kit as Slack checks it: unknown types and fields, missing fields, lengths, counts, ids.
//!
//! `shapes` holds the tables, `check` walks a payload along them. Start at [`check_blocks`].

mod check;
mod elements;
mod shapes;

pub use check::{BlockError, check_blocks, check_view_parts, fill_ids};

/// Where blocks are to be shown; the limits differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// A message: 50 blocks.
    Message,
    /// A modal: 100 blocks.
    Modal,
    /// The app's home: 100 blocks.
    Home,
}
