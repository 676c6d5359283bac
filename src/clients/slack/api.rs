//! One request to the Web API, through slack-morphism's connector: base URL, token, time-out, errors.

use std::time::Duration;

use serde_json::Value;
use slack_morphism::prelude::{SlackClientHyperConnector, SlackHyperClient};
use slack_morphism::{SlackApiToken, SlackApiTokenValue, SlackClient};

use super::error::SlackError;
use super::method::{Encoding, Method};
use crate::config::SlackConfig;
use crate::secret::Secret;

/// How long one request may take, connecting included.
const TIMEOUT: Duration = Duration::from_secs(15);

/// The Web API of one workspace. Holds no state but connections.
pub struct SlackApi {
    client: SlackHyperClient,
    bot: SlackApiToken,
    app: Option<SlackApiToken>,
    base: String,
    pub(super) plain: reqwest::Client,
}

/// Who we are, as `auth.test` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The workspace.
    pub team: String,
    /// Its name.
    pub team_name: String,
    /// Our user id: what people mention.
    pub user: String,
    /// Our bot id: what our messages carry.
    pub bot: String,
    /// The name that people see.
    pub name: String,
}

impl SlackApi {
    /// An API client for these settings.
    ///
    /// # Errors
    /// Without a bot token, or if TLS cannot be set up.
    pub fn new(config: &SlackConfig) -> anyhow::Result<Self> {
        let bot = config.bot_token.as_ref().ok_or_else(|| {
            anyhow::anyhow!("no Slack bot token: set SLACK_BOT_TOKEN to the xoxb-… token of your Slack app")
        })?;
        // One connector for Slack itself and for a workspace on loopback: the scheme of the URL decides.
        let https = hyper_rustls::HttpsConnectorBuilder::new()
            .with_native_roots()?
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .build();
        let base = config.api_url.trim_end_matches('/').to_owned();
        let connector = SlackClientHyperConnector::with_connector(https).with_slack_api_url(&base);
        Ok(Self {
            client: SlackClient::new(connector),
            bot: token(bot),
            app: config.app_token.as_ref().map(token),
            base,
            plain: crate::clients::http::client(Some(Duration::from_secs(60)))?,
        })
    }

    /// Calls a method with these arguments (an object) and gives Slack's answer.
    ///
    /// # Errors
    /// As [`SlackError`] says; never with the request's contents.
    pub async fn call(&self, method: Method, arguments: &Value) -> Result<Value, SlackError> {
        let token = match (method, &self.app) {
            (Method::ConnectionsOpen, Some(app)) => app,
            (Method::ConnectionsOpen, None) => {
                return Err(SlackError::Api { error: "not_authed".to_owned(), detail: None });
            }
            _ => &self.bot,
        };
        let session = self.client.open_session(token);
        let exchange = async {
            match method.encoding() {
                Encoding::Json => session.http_session_api.http_post(method.name(), arguments, None).await,
                Encoding::Query => {
                    let pairs = query_pairs(arguments);
                    let pairs: Vec<(&str, Option<&String>)> =
                        pairs.iter().map(|(name, value)| (name.as_str(), Some(value))).collect();
                    session.http_session_api.http_get(method.name(), &pairs, None).await
                }
            }
        };
        let answer: Value = tokio::time::timeout(TIMEOUT, exchange)
            .await
            .map_err(|_| SlackError::Transport(format!("no answer within {} s", TIMEOUT.as_secs())))?
            .map_err(|error| SlackError::from_client(&error))?;
        // A success that is not JSON reaches us as an empty object.
        match answer["ok"].as_bool() {
            Some(true) => Ok(answer),
            Some(false) => Err(SlackError::Api { error: "unknown_error".to_owned(), detail: None }),
            None => Err(SlackError::Transport("the answer was not Slack's".to_owned())),
        }
    }

    /// Who we are.
    ///
    /// # Errors
    /// As [`SlackApi::call`].
    pub async fn identity(&self) -> Result<Identity, SlackError> {
        let answer = self.call(Method::AuthTest, &serde_json::json!({})).await?;
        let field = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        Ok(Identity {
            team: field("team_id"),
            team_name: field("team"),
            user: field("user_id"),
            bot: field("bot_id"),
            name: field("user"),
        })
    }

    /// A fresh Socket Mode address.
    ///
    /// # Errors
    /// As [`SlackApi::call`]; `not_authed` without an app token.
    pub async fn open_connection(&self) -> Result<String, SlackError> {
        let answer = self.call(Method::ConnectionsOpen, &serde_json::json!({})).await?;
        answer["url"]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| SlackError::Transport("apps.connections.open gave no address".to_owned()))
    }

    /// The scopes that the bot token has; `None` if Slack does not say (a workspace on loopback).
    ///
    /// # Errors
    /// If Slack cannot be reached.
    pub async fn granted_scopes(&self) -> Result<Option<Vec<String>>, SlackError> {
        let answer = self
            .plain
            .post(format!("{}/auth.test", self.base))
            .bearer_auth(&self.bot.token_value.0)
            .send()
            .await
            .map_err(|error| SlackError::Transport(error.without_url().to_string()))?;
        Ok(answer.headers().get("x-oauth-scopes").and_then(|scopes| scopes.to_str().ok()).map(|scopes| {
            scopes.split(',').map(|scope| scope.trim().to_owned()).filter(|scope| !scope.is_empty()).collect()
        }))
    }
}

fn token(secret: &Secret) -> SlackApiToken {
    SlackApiToken::new(SlackApiTokenValue(secret.reveal().to_owned()))
}

fn query_pairs(arguments: &Value) -> Vec<(String, String)> {
    let Some(arguments) = arguments.as_object() else { return Vec::new() };
    arguments
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .collect()
}
