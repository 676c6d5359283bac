//! Who am I, and who is that: accounts and organisations.
//!
//! Never says anything of repos but how many there are. Start at [`doors`].

use axum::Json;
use axum::extract::{Path, State as Held};
use serde_json::{Value, json};

use super::auth::Caller;
use super::doors::{Doors, Told, Verb};
use super::errors::HubError;
use super::git;
use super::options::{OrgSeed, TokenRole};
use super::shared::Hub;
use super::state::{Kind, State};

pub fn doors() -> Doors {
    Doors::default()
        .add(
            Verb::Get,
            "/api/whoami-v2",
            Told::new("auth", "Get the account of the token, and its organisations"),
            whoami,
        )
        .add(
            Verb::Get,
            "/api/users/{user}/overview",
            Told::new("users", "Get an overview of a user"),
            overview,
        )
        .add(
            Verb::Get,
            "/api/organizations/{org}/overview",
            Told::new("organizations", "Get an overview of an organisation"),
            org_overview,
        )
        .add(
            Verb::Get,
            "/api/organizations/{org}/members",
            Told::new("organizations", "List the members of an organisation"),
            members,
        )
}

/// The database id of an account or organisation: always the same for the same name.
pub fn account_id(name: &str) -> String {
    git::sha256(name.as_bytes())[..24].to_owned()
}

fn avatar(hub: &Hub, name: &str) -> String {
    format!("{}/avatars/{}.svg", hub.addresses.hub, account_id(name))
}

async fn whoami(Held(hub): Held<Hub>, caller: Caller) -> Result<Json<Value>, HubError> {
    let Caller::Account { name, role } = &caller else { return Err(HubError::needs_token()) };
    hub.look(|state| {
        let account = state.accounts.iter().find(|it| it.name == *name).ok_or_else(HubError::wrong_token)?;
        let mine = state.orgs.iter().filter_map(|org| Some((org, caller.role_in(state, &org.name)?)));
        let orgs: Vec<Value> = mine
            .map(|(org, role)| {
                json!({"type": "org", "id": account_id(&org.name), "name": org.name, "fullname": org.fullname,
                    "email": null, "canPay": org.can_pay, "periodEnd": null, "avatarUrl": avatar(&hub, &org.name),
                    "roleInOrg": role.word(), "isEnterprise": false})
            })
            .collect();
        Ok(Json(json!({
            "type": "user", "id": account_id(name), "name": name, "fullname": account.fullname,
            "email": format!("{name}@example.org"), "emailVerified": true, "canPay": account.can_pay,
            "billingMode": "postpaid", "periodEnd": null, "isPro": false, "avatarUrl": avatar(&hub, name),
            "orgs": orgs,
            "auth": {"type": "access_token", "accessToken": {
                "displayName": if *role == TokenRole::Write { "work" } else { "look" },
                "role": role.word(), "createdAt": "2026-01-07T09:00:00.000Z"}},
        })))
    })
}

fn counts(state: &State, namespace: &str) -> [usize; 3] {
    Kind::ALL.map(|kind| {
        state
            .repos
            .values()
            .filter(|it| it.kind == kind && !it.private && it.namespace() == namespace)
            .count()
    })
}

async fn overview(
    Held(hub): Held<Hub>,
    _: Caller,
    Path(user): Path<String>,
) -> Result<Json<Value>, HubError> {
    hub.look(|state| {
        let account = state.accounts.iter().find(|it| it.name == user);
        let account = account.ok_or_else(|| HubError::missing("This user does not exist"))?;
        let [models, datasets, spaces] = counts(state, &user);
        let belongs = state.orgs.iter().filter(|org| org.members.iter().any(|(member, _)| *member == user));
        let orgs: Vec<Value> = belongs
            .map(|org| {
                json!({"id": account_id(&org.name), "name": org.name, "fullname": org.fullname,
                    "avatarUrl": avatar(&hub, &org.name)})
            })
            .collect();
        Ok(Json(json!({"_id": account_id(&user), "user": user, "fullname": account.fullname, "type": "user",
            "avatarUrl": avatar(&hub, &user), "isPro": false, "numModels": models, "numDatasets": datasets,
            "numSpaces": spaces, "numDiscussions": 0, "numPapers": 0, "numUpvotes": 0, "numLikes": 0,
            "numFollowers": 0, "numFollowing": 0, "isFollowing": false, "orgs": orgs,
            "createdAt": "2026-01-07T09:00:00.000Z"})))
    })
}

fn org<'a>(state: &'a State, name: &str) -> Result<&'a OrgSeed, HubError> {
    let found = state.orgs.iter().find(|it| it.name == name);
    found.ok_or_else(|| HubError::missing("This organization does not exist"))
}

async fn org_overview(
    Held(hub): Held<Hub>,
    _: Caller,
    Path(name): Path<String>,
) -> Result<Json<Value>, HubError> {
    hub.look(|state| {
        let org = org(state, &name)?;
        let [models, datasets, spaces] = counts(state, &name);
        Ok(Json(json!({"_id": account_id(&name), "name": name, "fullname": org.fullname, "type": "org",
            "avatarUrl": avatar(&hub, &name), "numUsers": org.members.len(), "numModels": models,
            "numDatasets": datasets, "numSpaces": spaces, "numFollowers": 0, "isVerified": false})))
    })
}

async fn members(Held(hub): Held<Hub>, _: Caller, Path(name): Path<String>) -> Result<Json<Value>, HubError> {
    hub.look(|state| {
        let members = org(state, &name)?.members.iter().map(|(member, role)| {
            let fullname = state.accounts.iter().find(|it| it.name == *member).map(|it| it.fullname.clone());
            json!({"_id": account_id(member), "user": member, "fullname": fullname, "type": "user",
                "avatarUrl": avatar(&hub, member), "isPro": false, "role": role.word()})
        });
        Ok(Json(members.collect()))
    })
}
