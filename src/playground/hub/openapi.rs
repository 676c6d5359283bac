//! The OpenAPI document of what this Hub serves, made of the routes themselves.
//!
//! Never describes what is not served. Start at [`document`].

use axum::Json;
use axum::extract::State as Held;
use serde_json::{Map, Value, json};

use super::doors::{Door, Doors, Told, Verb};
use super::http::all_doors;
use super::shared::Hub;

pub fn doors() -> Doors {
    Doors::default().add(
        Verb::Get,
        "/.well-known/openapi.json",
        Told::new("docs", "Get the description of this API"),
        openapi,
    )
}

async fn openapi(Held(hub): Held<Hub>) -> Json<Value> {
    Json(document(&all_doors().described, &hub.addresses.hub))
}

/// The document for these routes at this address.
pub fn document(doors: &[Door], address: &str) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    let mut tags: Vec<&str> = Vec::new();
    for door in doors {
        if !tags.contains(&door.told.tag) {
            tags.push(door.told.tag);
        }
        let path = door.path.replace("{*", "{");
        let item = paths.entry(path.clone()).or_insert_with(|| json!({}));
        item[door.verb.word()] = operation(door, &path);
    }
    let tags: Vec<Value> = tags.into_iter().map(|it| json!({"name": it})).collect();
    json!({"openapi": "3.1.0", "info": {"title": "Hub API", "version": "0.0.1",
        "description": "What the small Hub of the playground serves."},
        "servers": [{"url": address}], "tags": tags, "paths": paths,
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}}})
}

fn operation(door: &Door, path: &str) -> Value {
    let told = &door.told;
    let names = path.split('{').skip(1).filter_map(|it| it.split_once('}')).map(|it| it.0);
    let mut parameters: Vec<Value> = names
        .map(|it| json!({"name": it, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    parameters.extend(told.query.iter().map(|(name, what)| {
        json!({"name": name, "in": "query", "required": false, "description": what, "schema": {"type": "string"}})
    }));
    let mut operation = json!({
        "tags": [told.tag], "summary": told.summary, "operationId": operation_id(door.verb, path),
        "parameters": parameters,
        "responses": {"200": {"description": "Done"}, "401": {"description": "No token, or nobody's"},
            "403": {"description": "Not allowed"}, "404": {"description": "Not found"}},
    });
    if !told.body.is_empty() {
        let fields: Map<String, Value> =
            told.body.iter().map(|(name, what)| ((*name).to_owned(), json!({"description": what}))).collect();
        operation["requestBody"] = json!({"required": true,
            "content": {"application/json": {"schema": {"type": "object", "properties": fields}}}});
    }
    operation
}

/// `get-api-models-namespace-repo-tree-place`.
fn operation_id(verb: Verb, path: &str) -> String {
    let words = path.split(|it: char| !it.is_ascii_alphanumeric()).filter(|it| !it.is_empty());
    std::iter::once(verb.word()).chain(words).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described_once() {
        let doors = all_doors().described;
        let document = document(&doors, "http://h");
        let mut ids: Vec<&str> = Vec::new();
        for item in document["paths"].as_object().unwrap().values() {
            for operation in item.as_object().unwrap().values() {
                assert!(operation["summary"].as_str().is_some_and(|it| it.len() > 5), "{operation}");
                ids.push(operation["operationId"].as_str().unwrap());
            }
        }
        assert_eq!(ids.len(), doors.len());
        ids.sort_unstable();
        let count = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), count, "two routes have one operationId");
        let tree = &document["paths"]["/api/datasets/{namespace}/{repo}/tree/{place}"]["get"];
        assert_eq!(tree["parameters"].as_array().unwrap().iter().filter(|it| it["in"] == "path").count(), 3);
    }
}
