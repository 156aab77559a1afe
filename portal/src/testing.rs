//! A portal inside a test: instrumented code sends to it over a real socket, and the test asserts which telemetry
//! arrives.
//!
//! ```
//! # #[tokio::main] async fn main() {
//! use azmon_portal::testing::TestPortal;
//!
//! let portal = TestPortal::start().await;
//! // Give `portal.connection_string()` to the service, call it, flush its telemetry; then:
//! # portal.send(serde_json::json!([{"name": "Request", "time": "2026-11-20T12:00:00Z", "iKey": "k",
//! #     "data": {"baseType": "RequestData", "baseData": {"id": "1", "name": "GET /orders/{id}", "duration": "00:00:00.1",
//! #     "success": true, "responseCode": "200"}}}])).await;
//! let request = portal.requests().named("GET /orders/{id}").one().await;
//! assert_eq!(request.result_code(), Some("200"));
//! portal.exceptions().none().await;
//! # }
//! ```
//! Every assertion waits up to 5 s ([`TestPortal::patience`]) for telemetry in transit. A failed assertion
//! panics, and lists the items that arrived instead. Each portal has its own port and database, so tests can run
//! in parallel.

use std::fmt::Write;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use tokio::time::Instant;

use crate::ingestion::read_body;
use crate::store::{Item, ItemFilter, ItemKind, Order};
use crate::{BindError, Portal};

/// The default time that an assertion waits.
const PATIENCE: Duration = Duration::from_secs(5);
/// The maximum number of items that a failed assertion lists.
const MAX_LISTED: usize = 20;

/// A portal for one test. Dropping it ends the portal and deletes its data.
#[derive(Debug)]
pub struct TestPortal {
    portal: Portal,
    patience: Duration,
}

impl TestPortal {
    /// Starts a portal on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// If it cannot start, for example without a temporary directory.
    pub async fn start() -> Self {
        let started = Portal::builder().bind(([127, 0, 0, 1], 0).into()).await;
        Self::of(started)
    }

    /// Wraps a portal with other settings, for example with the OpenTelemetry endpoints.
    ///
    /// # Panics
    /// If it did not start.
    #[must_use]
    pub fn of(started: Result<Portal, BindError>) -> Self {
        match started {
            Ok(portal) => Self {
                portal,
                patience: PATIENCE,
            },
            Err(error) => panic!("the portal does not start: {error}"),
        }
    }

    /// Sets the time that every assertion waits. Defaults to 5 s.
    #[must_use]
    pub const fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The connection string for the service under test.
    #[must_use]
    pub fn connection_string(&self) -> &str {
        self.portal.connection_string()
    }

    /// The portal itself.
    pub const fn portal(&self) -> &Portal {
        &self.portal
    }

    /// All items.
    pub fn items(&self) -> Expected<'_> {
        Expected::new(self, None)
    }

    /// Requests.
    pub fn requests(&self) -> Expected<'_> {
        Expected::new(self, Some(ItemKind::Request))
    }

    /// Calls to other services.
    pub fn dependencies(&self) -> Expected<'_> {
        Expected::new(self, Some(ItemKind::Dependency))
    }

    /// Exceptions.
    pub fn exceptions(&self) -> Expected<'_> {
        Expected::new(self, Some(ItemKind::Exception))
    }

    /// Log records.
    pub fn traces(&self) -> Expected<'_> {
        Expected::new(self, Some(ItemKind::Trace))
    }

    /// Custom events.
    pub fn events(&self) -> Expected<'_> {
        Expected::new(self, Some(ItemKind::CustomEvent))
    }

    /// Metric values.
    pub fn metrics(&self) -> Expected<'_> {
        Expected::new(self, Some(ItemKind::CustomMetric))
    }

    /// All items of an item's transaction, by time.
    ///
    /// # Panics
    /// If the item belongs to no transaction.
    #[must_use]
    pub fn transaction_of(&self, item: &Item) -> Vec<Arc<Item>> {
        let Some(operation) = item.operation_id() else {
            panic!("{} belongs to no operation", line(item));
        };
        let filter = ItemFilter {
            operation: Some(operation.to_owned()),
            ..ItemFilter::default()
        };
        let mut items = self.find(&filter, &|_| true);
        items.sort_by_key(|item| item.envelope().time);
        items
    }

    /// Removes all items.
    ///
    /// # Panics
    /// If the database fails.
    pub async fn clear(&self) {
        if let Err(error) = self.portal.store().delete(None).await {
            panic!("the portal cannot remove its items: {error}");
        }
    }

    /// Sends envelopes to the portal like a service would: an array, or one.
    ///
    /// # Panics
    /// If an envelope would be rejected.
    pub async fn send(&self, envelopes: serde_json::Value) {
        let read = match read_body(envelopes.to_string().as_bytes()) {
            Ok(read) => read,
            Err(error) => panic!("{}: {error}", StatusCode::BAD_REQUEST),
        };
        if let Some(refused) = read.errors.first() {
            panic!("item {} is refused: {}", refused.index, refused.message);
        }
        if let Err(error) = self.portal.store().append(read.items).await {
            panic!("the items are not kept: {error}");
        }
    }

    fn find(&self, filter: &ItemFilter, accept: &dyn Fn(&Item) -> bool) -> Vec<Arc<Item>> {
        let mut found = Vec::new();
        let read: rusqlite::Result<_> = self.portal.store().read_now(|reader| {
            reader.matching(filter, Order::ArrivedAfter(0), &mut |item, _| {
                if accept(&item) {
                    found.push(Arc::new(item));
                }
                ControlFlow::Continue(())
            })
        });
        if let Err(error) = read {
            panic!("the portal cannot read its items: {error}");
        }
        found
    }
}

type Condition = Box<dyn Fn(&Item) -> bool + Send + Sync>;

/// A set of items: conditions, and a final assertion.
#[must_use = "nothing is asserted before `one`, `count`, `at_least` or `none`"]
pub struct Expected<'a> {
    portal: &'a TestPortal,
    kind: Option<ItemKind>,
    /// The conditions as text, for the message of a failed assertion.
    words: String,
    conditions: Vec<Condition>,
    patience: Duration,
}

impl std::fmt::Debug for Expected<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Expected").field(&self.words).finish()
    }
}

impl<'a> Expected<'a> {
    fn new(portal: &'a TestPortal, kind: Option<ItemKind>) -> Self {
        Self {
            portal,
            kind,
            words: kind.map_or_else(|| "item".to_owned(), |kind| kind.as_str().to_owned()),
            conditions: Vec::new(),
            patience: portal.patience,
        }
    }

    fn with(
        mut self,
        words: &str,
        condition: impl Fn(&Item) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.words.push(' ');
        self.words.push_str(words);
        self.conditions.push(Box::new(condition));
        self
    }

    /// Restricts to items with this name. A trace has its message as its name, an exception its type and message.
    pub fn named(self, name: impl Into<String>) -> Self {
        let name = name.into();
        self.with(&format!("named {name:?}"), move |item| item.name() == name)
    }

    /// Restricts to items whose name or message contains a text.
    pub fn containing(self, text: impl Into<String>) -> Self {
        let text = text.into();
        self.with(&format!("containing {text:?}"), move |item| {
            item.name().contains(&text)
        })
    }

    /// Restricts to items of this role.
    pub fn of_role(self, role: impl Into<String>) -> Self {
        let role = role.into();
        self.with(&format!("of role {role:?}"), move |item| {
            item.role() == role
        })
    }

    /// Restricts to items with this response code or result code.
    pub fn with_result(self, result: impl Into<String>) -> Self {
        let result = result.into();
        self.with(&format!("with result {result:?}"), move |item| {
            item.result_code() == Some(result.as_str())
        })
    }

    /// Restricts to items that succeeded.
    pub fn succeeded(self) -> Self {
        self.with("that succeeded", |item| item.success() == Some(true))
    }

    /// Restricts to items that failed.
    pub fn failed(self) -> Self {
        self.with("that failed", |item| item.success() == Some(false))
    }

    /// Restricts to dependencies with this target.
    pub fn to(self, target: impl Into<String>) -> Self {
        let target = target.into();
        self.with(&format!("to {target:?}"), move |item| {
            item.target() == Some(target.as_str())
        })
    }

    /// Restricts to items of this dependency type or exception type.
    pub fn of_type(self, name: impl Into<String>) -> Self {
        let name = name.into();
        self.with(&format!("of type {name:?}"), move |item| {
            item.type_name() == Some(name.as_str())
        })
    }

    /// Restricts to items with this custom dimension.
    pub fn with_property(self, key: impl Into<String>, value: impl Into<String>) -> Self {
        let (key, value) = (key.into(), value.into());
        self.with(&format!("with {key}={value:?}"), move |item| {
            item.property(&key) == Some(value.as_str())
        })
    }

    /// Restricts to items of the same transaction as `item`.
    pub fn in_transaction_of(self, item: &Item) -> Self {
        let operation = item.operation_id().map(str::to_owned);
        self.with("of the same transaction", move |item| {
            operation.is_some() && item.operation_id() == operation.as_deref()
        })
    }

    /// Restricts to items for which `condition` is true; `words` describes the condition in messages.
    pub fn that(
        self,
        words: &str,
        condition: impl Fn(&Item) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.with(words, condition)
    }

    /// Sets the time that this assertion waits.
    pub const fn within(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Asserts exactly one item.
    ///
    /// # Panics
    /// If no item arrives in time, or more than one does.
    pub async fn one(self) -> Arc<Item> {
        let mut found = self.wait(1).await;
        match (found.len(), found.pop()) {
            (1, Some(item)) => item,
            (count, _) => self.fail("one", count),
        }
    }

    /// Asserts exactly this number of items, and returns them in the order of arrival.
    ///
    /// # Panics
    /// If fewer items arrive in time, or more do.
    pub async fn count(self, count: usize) -> Vec<Arc<Item>> {
        let found = self.wait(count).await;
        if found.len() != count {
            self.fail(&count.to_string(), found.len());
        }
        found
    }

    /// Asserts at least this number of items, and returns them in the order of arrival.
    ///
    /// # Panics
    /// If fewer items arrive in time.
    pub async fn at_least(self, count: usize) -> Vec<Arc<Item>> {
        let found = self.wait(count).await;
        if found.len() < count {
            self.fail(&format!("at least {count}"), found.len());
        }
        found
    }

    /// Asserts that no item has arrived. It does not wait: flush the service's telemetry first.
    ///
    /// # Panics
    /// If an item has arrived.
    pub async fn none(self) {
        let found = self.now();
        if !found.is_empty() {
            self.fail("no", found.len());
        }
    }

    /// The items that have arrived, in the order of arrival.
    #[must_use]
    pub fn now(&self) -> Vec<Arc<Item>> {
        let filter = ItemFilter {
            kinds: self.kind.into_iter().collect(),
            ..ItemFilter::default()
        };
        self.portal.find(&filter, &|item| {
            self.conditions.iter().all(|condition| condition(item))
        })
    }

    async fn wait(&self, count: usize) -> Vec<Arc<Item>> {
        let deadline = Instant::now() + self.patience;
        let mut arrivals = self.portal.portal.store().arrivals();
        loop {
            // Marked as seen before the check, so that an arrival during the check causes another one.
            arrivals.borrow_and_update();
            let found = self.now();
            let is_over = Instant::now() >= deadline;
            if found.len() >= count || is_over {
                return found;
            }
            // The next check decides in either case.
            let _ = tokio::time::timeout_at(deadline, arrivals.changed()).await;
        }
    }

    fn fail(&self, expected: &str, found: usize) -> ! {
        let all = self.portal.find(&ItemFilter::default(), &|_| true);
        let mut message = format!(
            "expected {expected} {}, found {found}; there are {} items:",
            self.words,
            all.len()
        );
        for item in all.iter().take(MAX_LISTED) {
            // Writing to a `String` cannot fail.
            let _ = write!(message, "\n  {}", line(item));
        }
        if all.len() > MAX_LISTED {
            let _ = write!(message, "\n  … and {} more", all.len() - MAX_LISTED);
        }
        panic!("{message}");
    }
}

/// An item on one line.
fn line(item: &Item) -> String {
    let mut parts = vec![
        item.kind().as_str().to_owned(),
        format!("{:?}", item.name()),
    ];
    parts.extend(item.result_code().map(str::to_owned));
    parts.extend(item.target().map(|target| format!("to {target}")));
    parts.extend(item.tag("ai.cloud.role").map(|role| format!("of {role}")));
    parts.join(" ")
}
