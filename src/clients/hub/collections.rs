//! Collections: named lists of repositories and papers.

use serde::Deserialize;
use serde_json::json;

use super::ask::Ask;
use super::send::Listed;
use super::{Created, Hub, HubError, Visibility};

/// A collection.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Collection {
    /// Its address: `owner/title-id`.
    pub slug: String,
    /// Its title.
    #[serde(default)]
    pub title: String,
    /// What it says of itself.
    #[serde(default)]
    pub description: Option<String>,
    /// Upvotes.
    #[serde(default)]
    pub upvotes: u64,
    /// Whether only its owner sees it, if the Hub says.
    #[serde(default)]
    pub private: Option<bool>,
    /// What is in it; a listing gives the first few.
    #[serde(default)]
    pub items: Vec<CollectionItem>,
}

/// Something in a collection.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CollectionItem {
    /// Its name.
    #[serde(default)]
    pub id: String,
    /// `model`, `dataset`, `space`, `paper`, or something newer.
    #[serde(rename = "type", default)]
    pub kind: String,
}

impl Hub {
    /// Collections with this item in them (`models/alice/x`, `papers/2305.18290`), `at_most` of them.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn collections_with(&self, item: &str, at_most: usize) -> Result<Listed<Collection>, HubError> {
        let ask = Ask::get(&["api", "collections"]).query("item", item).query("limit", &at_most.to_string());
        self.pages(&ask, at_most).await
    }

    /// One collection.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn collection(&self, slug: &str) -> Result<Collection, HubError> {
        self.json(&Ask::get(&["api", "collections"]).file(slug)).await
    }

    /// Makes a collection of this account or organisation.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn create_collection(
        &self,
        namespace: &str,
        title: &str,
        description: &str,
        visibility: Visibility,
    ) -> Result<Collection, HubError> {
        let body = json!({
            "title": title,
            "namespace": namespace,
            "private": visibility == Visibility::Private,
            "description": description,
        });
        self.json(&Ask::post(&["api", "collections"]).json(&body)).await
    }

    /// Adds something to a collection, unless it is in it.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn add_to_collection(
        &self,
        slug: &str,
        item: &CollectionItem,
        note: Option<&str>,
    ) -> Result<Created, HubError> {
        let mut body = json!({ "item": { "id": item.id, "type": item.kind } });
        if let Some(note) = note {
            body["note"] = json!(note);
        }
        let ask = Ask::post(&["api", "collections"]).file(slug).then("items");
        Created::of(self.done(&ask.json(&body)).await)
    }
}
