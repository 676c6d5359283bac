//! Jobs followed from beginning to end, with a scripted provider, a board that remembers, and the real store.

mod stage;
mod stories;
mod unhappy;
