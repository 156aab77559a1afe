//! The API's responses for the telemetry of the story.

mod data;
mod doctor;
mod failures;
mod form;
mod items;
mod map;
mod performance;
mod search;
mod transactions;
mod users;

use serde_json::Value;

use crate::client::Harness;
use crate::story::Story;

async fn shop() -> Harness {
    let harness = Harness::start().await;
    let story = Story::ago(30);
    harness.accept(&story.orders(8)).await;
    harness
        .accept(&[
            story.metric("shop", 0, "cart.lines", 3.0, "m-1"),
            story.metric("shop", 100, "cart.lines", 5.0, "m-2"),
        ])
        .await;
    harness
}

fn names(values: &Value, key: &str) -> Vec<String> {
    let values = values.as_array().unwrap().iter();
    values
        .map(|value| value[key].as_str().unwrap().to_owned())
        .collect()
}
