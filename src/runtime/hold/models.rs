//! Operations that ask providers: listing models, changing one. Part of holding a session, for they need
//! the network, can take some seconds and can be stopped.

use super::{Held, until_stopped};
use crate::agent::Unswitched;
use crate::protocol::{Event, Operation, OperationKind, Setting};
use crate::runtime::stop::stop_arrives;

impl Held<'_> {
    /// Does what an operation wants of the models; `None` if that was let go, to be done by the next
    /// worker.
    pub(super) async fn models(&mut self, operation: &Operation) -> Option<Vec<Event>> {
        let agent = self.worker.0.agent.clone();
        let cancel = self.worker.0.suspend.child_token();
        let stopped = stop_arrives(self.worker, &self.lease, &self.bell, &self.lost);
        let outcome = match &operation.kind {
            OperationKind::Models => {
                let list = async {
                    tokio::select! {
                        biased;
                        () = cancel.cancelled() => Err(Unswitched::Stopped),
                        list = agent.list_models(&self.session) => Ok(list),
                    }
                };
                until_stopped(list, &cancel, stopped).await
            }
            OperationKind::Set { setting: Setting::Model { role, id } } => {
                let switch = agent.switch(&mut self.session, *role, id.as_deref(), &self.sink, &cancel);
                until_stopped(switch, &cancel, stopped).await
            }
            OperationKind::Set { setting: Setting::Effort { .. } } => {
                // What was found out under another wish, or while a provider was busy, is found out anew.
                agent.model.forget_efforts(&agent.model_of(&self.session));
                return Some(Vec::new());
            }
            _ => return Some(Vec::new()),
        };
        let words = match outcome {
            Ok(event) => return Some(vec![event]),
            Err(Unswitched::Stopped) if self.is_let_go() => return None,
            Err(Unswitched::Stopped) => "Stopped; the models stay as they are.".to_owned(),
            Err(Unswitched::Refused { reason, hint }) => {
                format!("The model stays as it is. {reason} {hint}")
            }
        };
        Some(vec![Event::PrivateLine { to: operation.actor.id.clone(), text: words.trim().to_owned() }])
    }
}
