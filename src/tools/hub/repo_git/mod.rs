//! `hf_repo_git`: a repository on the Hub as Git sees it: branches, tags, pull requests, settings, new ones.
//!
//! Owns the arguments and what a call would do ([`wish`]); [`refs`], [`talk`] and [`whole`] do it. A new
//! repository is private unless it is said otherwise. Never writes a card or a collection on its own.

mod refs;
mod talk;
mod whole;
mod wish;

use async_trait::async_trait;
use serde_json::Value;

use self::wish::{Arguments, Checked, OPERATIONS, Wish};
use super::HubKit;
use crate::agent::tool::{
    Assessment, BadArguments, CallContext, ExamineContext, Examined, Place, Risk, Tool, ToolError, parameters,
};
use crate::clients::hub::{Hub, HubError, Visibility};
use crate::protocol::{ToolOutcome, ToolSpec};
use crate::text::{cut, redact_known};

/// The `hf_repo_git` tool.
pub struct HfRepoGit {
    kit: HubKit,
}

impl HfRepoGit {
    /// The tool, with what the tools of Hugging Face share.
    #[must_use]
    pub fn new(kit: &HubKit) -> Self {
        Self { kit: kit.clone() }
    }
}

#[async_trait]
impl Tool for HfRepoGit {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "hf_repo_git".to_owned(),
            description: format!(
                "Branches, tags, pull requests and settings of a repository on the Hugging Face Hub; and new \
                 repositories. Operations: {}.\n\
                 - list_refs, list_prs, get_pr only read. People are asked before anything else.\n\
                 - create_pr opens a draft; upload into it with hf_repo_files and revision `refs/pr/N`, then \
                 change_pr_status to open, then merge_pr. (hf_repo_files with `create_pr` does the first two at once.)\n\
                 - create_repo makes a private repository unless `private` is false; a Space needs `space_sdk`.\n\
                 - update_repo changes `private` or `gated`.\n\
                 Files are the business of hf_repo_files.",
                OPERATIONS.join(", ")
            ),
            parameters: parameters::<Arguments>(),
        }
    }

    fn assess(&self, value: &Value, _place: &Place) -> Result<Assessment, BadArguments> {
        let Checked { repo, wish, operation } = Checked::of(value)?;
        let title = wish.title(&repo);
        let assessment = match wish.risk() {
            Risk::Free => Assessment::reads(title),
            risk => Assessment { risk, preview: wish.preview(&repo), ..Assessment::changes(title) },
        };
        Ok(Assessment { operation: Some(operation), ..assessment })
    }

    async fn examine(&self, value: &Value, context: &ExamineContext) -> Examined {
        let Ok(checked) = Checked::of(value) else { return Examined::default() };
        if checked.wish.risk() == Risk::Free {
            return Examined::default();
        }
        let hub = self.kit.access.of(&context.requester).await;
        let mut found = Examined::default();
        let (account, ()) = tokio::join!(hub.whoami(), look(&hub, &checked, &mut found));
        match account {
            Ok(name) => found.facts.insert(0, ("Account".to_owned(), name)),
            Err(error) => found.warnings.insert(0, format!("This account cannot do it: {error}.")),
        }
        found
    }

    async fn call(&self, value: Value, context: CallContext) -> Result<ToolOutcome, ToolError> {
        let checked = Checked::of(&value)?;
        let hub = self.kit.access.of(&context.requester).await;
        let outcome = tokio::select! {
            biased;
            () = context.cancel.cancelled() => return Err(ToolError::Cancelled),
            outcome = act(&hub, &checked) => outcome,
        };
        let output = redact_known(&outcome.output, &self.kit.secrets);
        let output = crate::text::head_and_tail(&output, self.kit.output_cap).into_owned();
        Ok(ToolOutcome { output, ..outcome })
    }
}

async fn act(hub: &Hub, Checked { repo, wish, .. }: &Checked) -> ToolOutcome {
    match wish {
        Wish::ListRefs => refs::list(hub, repo).await,
        Wish::CreateBranch { branch, from, there } => {
            refs::create_branch(hub, repo, (branch, from.as_deref()), *there).await
        }
        Wish::DeleteBranch { branch } => refs::delete_branch(hub, repo, branch).await,
        Wish::CreateTag { tag, revision, message, there } => {
            refs::create_tag(hub, (repo, revision), (tag, message.as_deref()), *there).await
        }
        Wish::DeleteTag { tag } => refs::delete_tag(hub, repo, tag).await,
        Wish::ListPrs { status } => talk::list(hub, repo, status.as_deref()).await,
        Wish::GetPr { num } => talk::get(hub, repo, *num).await,
        Wish::CreatePr { title, description } => talk::create(hub, repo, title, description).await,
        Wish::Status { num, status, comment } => {
            talk::set_status(hub, (repo, *num), *status, comment.as_deref()).await
        }
        Wish::Merge { num, comment } => talk::merge(hub, (repo, *num), comment.as_deref()).await,
        Wish::Comment { num, comment } => talk::comment(hub, (repo, *num), comment).await,
        Wish::CreateRepo { visibility, sdk, there } => {
            whole::create(hub, repo, (*visibility, sdk.as_deref()), *there).await
        }
        Wish::UpdateRepo { visibility, gate } => whole::update(hub, repo, (*visibility, *gate)).await,
    }
}

/// What people should know before they say yes.
async fn look(hub: &Hub, Checked { repo, wish, .. }: &Checked, found: &mut Examined) {
    let page = hub.page(repo);
    if let Wish::CreateRepo { .. } = wish {
        found.facts.push(("Repository".to_owned(), page));
        match hub.visibility(repo).await {
            Ok(Some(_)) => found.warnings.push("There is a repository of this name already.".to_owned()),
            Ok(None) => {}
            Err(error) => found.warnings.push(format!("Whether it is there already is not known: {error}.")),
        }
        return;
    }
    let info = match hub.info(repo, None).await {
        Ok(info) => info,
        Err(error) => {
            found.facts.push(("Repository".to_owned(), page));
            found.warnings.push(format!("The repository could not be looked at: {error}."));
            return;
        }
    };
    found.facts.push(("Repository".to_owned(), format!("{repo} ({}) {page}", info.visibility().as_str())));
    match wish {
        Wish::UpdateRepo { visibility: Some(Visibility::Public), .. }
            if info.visibility() == Visibility::Private =>
        {
            found.warnings.push("Everybody will see all of it, with its history.".to_owned());
        }
        Wish::Merge { num, .. } | Wish::Status { num, .. } | Wish::Comment { num, .. } => {
            look_at_pr(hub, (repo, *num), found).await;
        }
        Wish::DeleteBranch { branch } => {
            match hub.refs(repo, crate::clients::hub::PullRequests::LeftOut).await {
                Ok(refs) => match refs.branches.iter().find(|known| known.name == *branch) {
                    Some(known) => found.facts.push(("Stands at".to_owned(), known.target_commit.clone())),
                    None => found.warnings.push(format!("There is no branch {branch}.")),
                },
                Err(error) => found.warnings.push(format!("The branch could not be looked at: {error}.")),
            }
        }
        _ => {}
    }
}

async fn look_at_pr(hub: &Hub, (repo, num): (&crate::clients::hub::Repo, u64), found: &mut Examined) {
    match hub.discussion(repo, num).await {
        Ok(pr) => {
            let author = pr.author.as_ref().map_or("somebody", |author| author.name.as_str());
            let title = cut(&pr.title, 120);
            found.facts.push((format!("#{num}"), format!("{title} ({}), by {author}", pr.status)));
            found.facts.push(("Page".to_owned(), hub.discussion_page(repo, num)));
            if talk::has_conflicts(&pr) {
                found.warnings.push("It has conflicts with its target.".to_owned());
            }
        }
        Err(HubError::NotFound { .. }) => found.warnings.push(format!("There is no #{num}.")),
        Err(error) => found.warnings.push(format!("#{num} could not be looked at: {error}.")),
    }
}
