//! The Hub's dataset viewer: which splits a dataset has, its columns, first rows, statistics and sizes.
//!
//! Every answer is typed as far as it is known; statuses are checked, what is missing stays missing. The token of
//! whoever asks goes along. Never words for people. Start at [`DatasetViewer`]; columns are in [`feature`].

pub mod feature;

use std::time::Duration;

use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use self::feature::{Column, columns_of_list, columns_of_object};
use super::service::{Ask, Patience, Service, ServiceError};
use crate::clock::Clock;
use crate::random::Random;
use crate::secret::Secret;

/// How long the slow answers may take.
const SLOW: Duration = Duration::from_secs(30);
/// Bytes of an answer that are read.
const MOST: usize = 16 * 1024 * 1024;

/// The viewer. Cheap to clone.
#[derive(Debug, Clone)]
pub struct DatasetViewer {
    service: Service,
}

/// Who asks about what.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The dataset, `owner/name`.
    pub dataset: &'a str,
    /// Whose token goes along.
    pub token: Option<&'a Secret>,
    /// Stops it.
    pub cancel: &'a CancellationToken,
}

/// A split of a config.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Part {
    /// The config.
    pub config: String,
    /// The split.
    pub split: String,
}

/// All splits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parts {
    /// Those that are there.
    pub ready: Vec<Part>,
    /// Configs that the viewer is still at work on.
    pub pending: usize,
    /// Configs that it could not read.
    pub failed: usize,
}

/// What the viewer can show of a dataset, by its own words: `viewer`, `preview`, `statistics`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Abilities {
    /// What it can.
    pub can: Vec<String>,
    /// What it cannot.
    pub cannot: Vec<String>,
}

/// How large a split is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Size {
    /// Which.
    pub part: Part,
    /// Its rows.
    pub rows: Option<u64>,
    /// Bytes of its Parquet files.
    pub bytes: Option<u64>,
    /// Its Parquet files.
    pub files: usize,
}

/// First rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rows {
    /// The columns, in the dataset's order.
    pub columns: Vec<Column>,
    /// Rows by column.
    pub rows: Vec<Map<String, Value>>,
}

/// What the viewer has counted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Statistics {
    /// Rows that were counted.
    pub rows: Option<u64>,
    /// Column, kind of column, and its numbers.
    pub columns: Vec<(String, String, Value)>,
    /// Whether only the beginning was counted.
    pub partial: bool,
}

impl DatasetViewer {
    /// The viewer at this address.
    ///
    /// # Errors
    /// Only if TLS cannot be set up on this machine.
    pub fn new(base: &str, patience: Patience, clock: &Clock, random: &Random) -> anyhow::Result<Self> {
        let http = super::http::client(None)?;
        Ok(Self { service: Service::new(http, base, patience, clock.clone(), random.clone()) })
    }

    /// How it is asked usually.
    #[must_use]
    pub fn usual_patience() -> Patience {
        Patience { tries: 3, first: Duration::from_secs(1), longest: Duration::from_secs(10) }
    }

    /// What the viewer can show.
    ///
    /// # Errors
    /// As [`ServiceError`] says.
    pub async fn abilities(&self, who: Question<'_>) -> Result<Abilities, ServiceError> {
        let answer = self.ask(Ask::get("/is-valid"), who).await?;
        let flags = answer.as_object().ok_or(ServiceError::Strange("it says nothing about the dataset"))?;
        let named = |wanted: bool| {
            flags
                .iter()
                .filter(|(_, flag)| flag.as_bool() == Some(wanted))
                .map(|(name, _)| name.clone())
                .collect()
        };
        Ok(Abilities { can: named(true), cannot: named(false) })
    }

    /// The splits.
    ///
    /// # Errors
    /// As [`ServiceError`] says.
    pub async fn parts(&self, who: Question<'_>) -> Result<Parts, ServiceError> {
        let answer = self.ask(Ask::get("/splits"), who).await?;
        let list = answer["splits"].as_array().ok_or(ServiceError::Strange("it names no splits"))?;
        let count = |name: &str| answer[name].as_array().map_or(0, Vec::len);
        Ok(Parts {
            ready: list.iter().filter_map(part).collect(),
            pending: count("pending"),
            failed: count("failed"),
        })
    }

    /// The Parquet files of each split, and their bytes.
    ///
    /// # Errors
    /// As [`ServiceError`] says.
    pub async fn parquet(&self, who: Question<'_>) -> Result<Vec<Size>, ServiceError> {
        let answer = self.ask(Ask::get("/parquet"), who).await?;
        let list = answer["parquet_files"].as_array().ok_or(ServiceError::Strange("it names no files"))?;
        let mut sizes: Vec<Size> = Vec::new();
        let mut places = std::collections::HashMap::new();
        for file in list {
            let Some(part) = part(file) else { continue };
            let at = *places.entry(part.clone()).or_insert_with(|| {
                sizes.push(Size { part, rows: None, bytes: Some(0), files: 0 });
                sizes.len() - 1
            });
            sizes[at].files += 1;
            // One file of unknown size makes the sum unknown.
            sizes[at].bytes = sizes[at].bytes.zip(file["size"].as_u64()).map(|(sum, more)| sum + more);
        }
        Ok(sizes)
    }

    /// Rows and bytes of each split.
    ///
    /// # Errors
    /// As [`ServiceError`] says.
    pub async fn sizes(&self, who: Question<'_>) -> Result<Vec<Size>, ServiceError> {
        let answer = self.ask(Ask::get("/size"), who).await?;
        let list = answer["size"]["splits"].as_array().ok_or(ServiceError::Strange("it names no sizes"))?;
        let size = |entry: &Value| {
            Some(Size {
                part: part(entry)?,
                rows: entry["num_rows"].as_u64(),
                bytes: entry["num_bytes_parquet_files"].as_u64(),
                files: 0,
            })
        };
        Ok(list.iter().filter_map(size).collect())
    }

    /// The columns of a config, where its first rows do not say.
    ///
    /// # Errors
    /// As [`ServiceError`] says.
    pub async fn columns(&self, who: Question<'_>, config: &str) -> Result<Vec<Column>, ServiceError> {
        let answer = self.ask_with(Ask::get("/info"), who, |ask| ask.with("config", config)).await?;
        let features = answer["dataset_info"]["features"].as_object();
        Ok(columns_of_object(features.ok_or(ServiceError::Strange("it names no columns"))?))
    }

    /// The first rows of a split.
    ///
    /// # Errors
    /// As [`ServiceError`] says.
    pub async fn first_rows(&self, who: Question<'_>, at: &Part) -> Result<Rows, ServiceError> {
        let answer = self.ask_with(Ask::get("/first-rows").within(SLOW), who, |ask| of(ask, at)).await?;
        let rows = answer["rows"].as_array().ok_or(ServiceError::Strange("it holds no rows"))?;
        Ok(Rows {
            columns: columns_of_list(answer["features"].as_array().map(Vec::as_slice).unwrap_or_default()),
            rows: rows.iter().filter_map(|entry| entry["row"].as_object().cloned()).collect(),
        })
    }

    /// What has been counted in a split.
    ///
    /// # Errors
    /// As [`ServiceError`] says.
    pub async fn statistics(&self, who: Question<'_>, at: &Part) -> Result<Statistics, ServiceError> {
        let answer = self.ask_with(Ask::get("/statistics"), who, |ask| of(ask, at)).await?;
        let list = answer["statistics"].as_array().ok_or(ServiceError::Strange("it holds no statistics"))?;
        let column = |entry: &Value| {
            let text = |name: &str| entry[name].as_str().map(str::to_owned);
            Some((text("column_name")?, text("column_type")?, entry["column_statistics"].clone()))
        };
        Ok(Statistics {
            rows: answer["num_examples"].as_u64(),
            columns: list.iter().filter_map(column).collect(),
            partial: answer["partial"] == true,
        })
    }

    async fn ask(&self, ask: Ask<'_>, who: Question<'_>) -> Result<Value, ServiceError> {
        self.ask_with(ask, who, |ask| ask).await
    }

    async fn ask_with<'a>(
        &self,
        ask: Ask<'a>,
        who: Question<'_>,
        more: impl FnOnce(Ask<'a>) -> Ask<'a>,
    ) -> Result<Value, ServiceError> {
        let ask = more(ask.with("dataset", who.dataset)).bearer(who.token).most(MOST);
        self.service.json(ask, who.cancel).await
    }
}

fn of<'a>(ask: Ask<'a>, at: &Part) -> Ask<'a> {
    ask.with("config", at.config.clone()).with("split", at.split.clone())
}

fn part(entry: &Value) -> Option<Part> {
    let text = |name: &str| entry[name].as_str().map(str::to_owned);
    Some(Part { config: text("config")?, split: text("split")? })
}
