//! A person of the workspace, in a test's hands: what people do, one method each.
//!
//! The same code as the control API's acts. Never looks; [`super::Workspace`] does. Start at [`Person`].

use serde_json::{Value, json};

use super::acts::{Act, ActError, find_channel, perform};
use super::workspace::Workspace;

/// Somebody who acts. Channels may be given by name or id.
#[derive(Debug, Clone, Copy)]
pub struct Person<'a> {
    workspace: &'a Workspace,
    name: &'a str,
}

type Done<T = ()> = Result<T, ActError>;

fn ts_of(done: &Value) -> String {
    done["ts"].as_str().unwrap_or_default().to_owned()
}

impl<'a> Person<'a> {
    pub(super) fn new(workspace: &'a Workspace, name: &'a str) -> Self {
        Self { workspace, name }
    }

    /// The person's id; the name itself if there is no such person.
    #[must_use]
    pub fn id(&self) -> String {
        self.workspace
            .look(|it| it.person(self.name).map_or_else(|| self.name.to_owned(), |it| it.id.clone()))
    }

    /// Does any act at all.
    ///
    /// # Errors
    /// A sentence that says why it cannot be done; so do all the methods below.
    pub async fn does(&self, act: Act) -> Done<Value> {
        perform(self.workspace.shared(), self.name, act).await
    }

    fn channel(&self, wanted: &str) -> Done<String> {
        self.workspace.look(|it| find_channel(it, wanted))
    }

    /// Writes in a channel, or in a thread of it; returns the message's ts.
    ///
    /// # Errors
    /// See [`Person::does`].
    pub async fn says(&self, channel: &str, thread_ts: Option<&str>, text: &str) -> Done<String> {
        let channel = self.channel(channel)?;
        let thread_ts = thread_ts.map(str::to_owned);
        let done =
            self.does(Act::Say { channel, text: text.to_owned(), thread_ts, broadcast: false }).await?;
        Ok(ts_of(&done))
    }

    /// Mentions the bot in a channel; returns the message's ts.
    ///
    /// # Errors
    /// See [`Person::does`].
    pub async fn mentions(&self, channel: &str, text: &str) -> Done<String> {
        let bot = self.workspace.bot_user_id();
        self.says(channel, None, &format!("<@{bot}> {text}")).await
    }

    /// Answers in a thread; returns the message's ts.
    ///
    /// # Errors
    /// See [`Person::does`].
    pub async fn replies(&self, channel: &str, thread_ts: &str, text: &str) -> Done<String> {
        self.says(channel, Some(thread_ts), text).await
    }

    /// Writes to the bot directly; returns channel and ts.
    ///
    /// # Errors
    /// See [`Person::does`].
    pub async fn writes_directly(&self, text: &str) -> Done<(String, String)> {
        let channel = self.opens_im().await?;
        let ts = self.says(&channel, None, text).await?;
        Ok((channel, ts))
    }

    /// Opens the direct message with the bot; returns its channel.
    ///
    /// # Errors
    /// See [`Person::does`].
    pub async fn opens_im(&self) -> Done<String> {
        let done = self.does(Act::OpenIm).await?;
        Ok(done["channel"].as_str().unwrap_or_default().to_owned())
    }

    /// Changes an own message.
    ///
    /// # Errors
    /// See [`Person::does`].
    pub async fn edits(&self, channel: &str, ts: &str, text: &str) -> Done {
        let channel = self.channel(channel)?;
        self.does(Act::Edit { channel, ts: ts.to_owned(), text: text.to_owned() }).await.map(drop)
    }

    /// Deletes an own message.
    ///
    /// # Errors
    /// See [`Person::does`].
    pub async fn deletes(&self, channel: &str, ts: &str) -> Done {
        let channel = self.channel(channel)?;
        self.does(Act::Delete { channel, ts: ts.to_owned() }).await.map(drop)
    }

    /// Reacts to a message.
    ///
    /// # Errors
    /// See [`Person::does`].
    pub async fn reacts(&self, channel: &str, ts: &str, name: &str) -> Done {
        let channel = self.channel(channel)?;
        self.does(Act::React { channel, ts: ts.to_owned(), name: name.to_owned(), remove: false })
            .await
            .map(drop)
    }

    /// Clicks the button of a message that shows `label`, or has it as its action id; returns the trigger id.
    ///
    /// # Errors
    /// See [`Person::does`].
    pub async fn clicks(&self, channel: &str, ts: &str, label: &str) -> Done<String> {
        let channel = self.channel(channel)?;
        let (block_id, action_id, value) = self.workspace.find_button(&channel, ts, label)?;
        let act = Act::Click {
            channel,
            ts: ts.to_owned(),
            view_id: None,
            block_id: Some(block_id),
            action_id,
            value,
        };
        let done = self.does(act).await?;
        Ok(done["trigger_id"].as_str().unwrap_or_default().to_owned())
    }

    /// Submits an open modal and waits for the app; returns its answer. `values` is
    /// `{block_id: {action_id: {"type": …, "value": …}}}`; what is left out keeps its initial value.
    ///
    /// # Errors
    /// See [`Person::does`].
    pub async fn submits(&self, view_id: &str, values: Value) -> Done<Value> {
        let done = self.does(Act::Submit { view_id: view_id.to_owned(), values }).await?;
        Ok(done["response"].clone())
    }

    /// Submits an open modal with one text input changed, whichever block it is in.
    ///
    /// # Errors
    /// See [`Person::does`].
    pub async fn submits_text(&self, view_id: &str, text: &str) -> Done<Value> {
        let place = self.workspace.look(|it| {
            let view = it.views.iter().find(|view| view.id == view_id)?;
            let blocks = view.view["blocks"].as_array()?;
            let input = blocks.iter().find(|block| block["element"]["type"] == "plain_text_input")?;
            Some((input["block_id"].as_str()?.to_owned(), input["element"]["action_id"].as_str()?.to_owned()))
        });
        let Some((block, action)) = place else { return Err(ActError("that modal asks for no text".into())) };
        self.submits(view_id, json!({block: {action: {"type": "plain_text_input", "value": text}}})).await
    }

    /// Closes an open modal.
    ///
    /// # Errors
    /// See [`Person::does`].
    pub async fn closes(&self, view_id: &str) -> Done {
        self.does(Act::CloseView { view_id: view_id.to_owned() }).await.map(drop)
    }

    /// Presses Slack's own Stop in a thread.
    ///
    /// # Errors
    /// See [`Person::does`].
    pub async fn stops(&self, channel: &str, thread_ts: &str) -> Done {
        let channel = self.channel(channel)?;
        self.does(Act::Stop { channel, thread_ts: thread_ts.to_owned() }).await.map(drop)
    }

    /// Types a slash command and waits for its answer.
    ///
    /// # Errors
    /// See [`Person::does`].
    pub async fn commands(&self, channel: &str, command: &str, text: &str) -> Done<Value> {
        let channel = self.channel(channel)?;
        let done =
            self.does(Act::Command { channel, command: command.to_owned(), text: text.to_owned() }).await?;
        Ok(done["response"].clone())
    }

    /// Uploads a text file, with or without words; returns the message's ts.
    ///
    /// # Errors
    /// See [`Person::does`].
    pub async fn uploads(
        &self,
        channel: &str,
        thread_ts: Option<&str>,
        (name, content): (&str, &str),
    ) -> Done<String> {
        let channel = self.channel(channel)?;
        let (name, content, text) = (name.to_owned(), content.to_owned(), String::new());
        let done = self
            .does(Act::Upload { channel, thread_ts: thread_ts.map(str::to_owned), name, content, text })
            .await?;
        Ok(ts_of(&done))
    }

    /// Joins a channel.
    ///
    /// # Errors
    /// See [`Person::does`].
    pub async fn joins(&self, channel: &str) -> Done {
        let channel = self.channel(channel)?;
        self.does(Act::Join { channel }).await.map(drop)
    }
}
