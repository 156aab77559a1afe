//! Users.

use serde_json::{Value, json};

use crate::answers_of_api::{names, shop};
use crate::client::Harness;
use crate::story::Story;

fn of(mut item: Value, tags: &[(&str, &str)]) -> Value {
    item["tags"].as_object_mut().unwrap().remove("ai.user.id");
    for (tag, value) in tags {
        item["tags"][*tag] = json!(value);
    }
    item
}

/// Three items of one user in two sessions and two roles, one of a signed-in user, one of a session alone, one without.
async fn visits() -> Harness {
    let harness = Harness::start().await;
    let story = Story::ago(60);
    let request = |role: &str, at: i64, code: &str| {
        let id = format!("r{at}");
        story.request((role, "GET /"), (at, 10), (&id, &id, ""), code)
    };
    let ann = |session| [("ai.user.id", "ann"), ("ai.session.id", session)];
    let mut sampled = of(request("web", 1_000, "200"), &ann("s1"));
    sampled["sampleRate"] = json!(25.0);
    harness
        .accept(&[
            sampled,
            of(request("shop", 2_000, "500"), &ann("s2")),
            of(
                story.exception("shop", 3_000, ("r2000", "r2000")),
                &ann("s2"),
            ),
            of(
                request("web", 4_000, "200"),
                &[("ai.user.id", "anonymous"), ("ai.user.authUserId", "bob")],
            ),
            of(
                request("web", 5_000, "200"),
                &[("ai.session.id", "s3"), ("ai.user.id", "")],
            ),
            of(request("web", 6_000, "200"), &[]),
        ])
        .await;
    harness
}

#[tokio::test]
async fn a_user_is_what_the_items_name_first() {
    let harness = visits().await;
    let answer = harness.json("/api/users").await;
    let users: Vec<_> = answer["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| (user["field"].clone(), user["id"].clone()))
        .collect();
    assert_eq!(
        users,
        [
            (json!("session_Id"), json!("s3")),
            (json!("user_AuthenticatedId"), json!("bob")),
            (json!("user_Id"), json!("ann")),
        ]
    );
    assert_eq!(answer["more"], false);
    // The item without a user is not read.
    assert_eq!(answer["scope"]["readItems"], 5);
}

#[tokio::test]
async fn a_user_has_the_counts_of_the_items() {
    let harness = visits().await;
    let answer = harness.json("/api/users?f=user_Id~is~ann").await;
    let mut ann = answer["users"][0].clone();
    let seen = ["firstSeen", "lastSeen"].map(|name| {
        let text = ann.as_object_mut().unwrap().remove(name).unwrap();
        text.as_str().unwrap().parse::<jiff::Timestamp>().unwrap()
    });
    assert_eq!(
        ann,
        json!({
            "field": "user_Id", "id": "ann", "sessions": 2, "items": 6, "requests": 5, "failed": 1, "exceptions": 1,
            "roles": ["shop", "web"],
        })
    );
    assert_eq!(seen[1].duration_since(seen[0]).as_secs(), 2);
}

#[tokio::test]
async fn users_are_those_of_the_matching_items() {
    let harness = visits().await;
    for (query, expected) in [
        ("?role=shop", vec!["ann"]),
        ("?kind=exception", vec!["ann"]),
        ("?f=session_Id~is~s3", vec!["s3"]),
        ("?q=declined", vec!["ann"]),
        ("?limit=1", vec!["s3"]),
        ("?from=-30s", vec![]),
    ] {
        let answer = harness.json(&format!("/api/users{query}")).await;
        assert_eq!(names(&answer["users"], "id"), expected, "{query}");
        assert_eq!(answer["more"], query == "?limit=1", "{query}");
    }
    let harness = shop().await;
    let answer = harness.json("/api/users").await;
    assert_eq!(answer["users"].as_array().unwrap().len(), 9);
}
