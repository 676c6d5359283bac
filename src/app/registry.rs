//! The registry of runs, as the tools read it.

use std::sync::Arc;

use async_trait::async_trait;

use crate::protocol::{Run, RunFind};
use crate::store::Tickets;
use crate::store::embedded::Embedded;
use crate::tools::hub::RunBook;

/// The store's registry.
pub(super) struct Registry(pub Arc<Embedded>);

#[async_trait]
impl RunBook for Registry {
    async fn find(&self, wanted: &RunFind) -> anyhow::Result<Vec<Run>> {
        Ok(self.0.runs(wanted).await?)
    }
}
