//! A portal inside a test: instrumented code sends to it over a real socket, and the test says what must have arrived.
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
//! Every assertion waits up to 5 s ([`TestPortal::patience`]) for telemetry that is on its way. One that fails panics,
//! and lists what had arrived instead. Each portal has a port and a database of its own, so tests run side by side.

use std::fmt::Write;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use tokio::time::Instant;

use crate::ingestion::read_body;
use crate::store::{Item, ItemFilter, ItemKind, Order};
use crate::{BindError, Portal};

/// How long an assertion waits unless told otherwise.
const PATIENCE: Duration = Duration::from_secs(5);
/// Items that a failed assertion lists.
const MAX_LISTED: usize = 20;

/// A portal for one test. It ends, and its data is gone, when it is dropped.
#[derive(Debug)]
pub struct TestPortal {
    portal: Portal,
    patience: Duration,
}

impl TestPortal {
    /// Starts a portal on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// When it cannot start, as without a directory for temporary files.
    pub async fn start() -> Self {
        let started = Portal::builder().bind(([127, 0, 0, 1], 0).into()).await;
        Self::of(started)
    }

    /// Takes a portal that was prepared in another way, such as with OpenTelemetry's endpoints.
    ///
    /// # Panics
    /// When it could not start.
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

    /// Waits for so long in every assertion. Defaults to 5 s.
    #[must_use]
    pub const fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// What to give to the service under test.
    #[must_use]
    pub fn connection_string(&self) -> &str {
        self.portal.connection_string()
    }

    /// The portal itself.
    pub const fn portal(&self) -> &Portal {
        &self.portal
    }

    /// Everything that arrives.
    pub fn items(&self) -> Expected<'_> {
        Expected::new(self, None)
    }

    /// Work done for callers.
    pub fn requests(&self) -> Expected<'_> {
        Expected::new(self, Some(ItemKind::Request))
    }

    /// Calls to something else.
    pub fn dependencies(&self) -> Expected<'_> {
        Expected::new(self, Some(ItemKind::Dependency))
    }

    /// Errors.
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

    /// Values of metrics.
    pub fn metrics(&self) -> Expected<'_> {
        Expected::new(self, Some(ItemKind::CustomMetric))
    }

    /// All items of the transaction that an item belongs to, as they happened.
    ///
    /// # Panics
    /// When the item belongs to none.
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

    /// Removes everything that has arrived.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn clear(&self) {
        if let Err(error) = self.portal.store().delete(None).await {
            panic!("the portal cannot remove its items: {error}");
        }
    }

    /// Puts envelopes into the portal, as if a service had sent them: an array, or one.
    ///
    /// # Panics
    /// When one would be refused.
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

/// Items that are expected, or not: conditions, and at the end an assertion.
#[must_use = "nothing is asserted before `one`, `count`, `at_least` or `none`"]
pub struct Expected<'a> {
    portal: &'a TestPortal,
    kind: Option<ItemKind>,
    /// What the conditions say, for the message of a failure.
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

    /// Only those with this name; of traces the message, of exceptions type and message.
    pub fn named(self, name: impl Into<String>) -> Self {
        let name = name.into();
        self.with(&format!("named {name:?}"), move |item| item.name() == name)
    }

    /// Only those whose name, or message, contains a text.
    pub fn containing(self, text: impl Into<String>) -> Self {
        let text = text.into();
        self.with(&format!("containing {text:?}"), move |item| {
            item.name().contains(&text)
        })
    }

    /// Only those of this role.
    pub fn of_role(self, role: impl Into<String>) -> Self {
        let role = role.into();
        self.with(&format!("of role {role:?}"), move |item| {
            item.role() == role
        })
    }

    /// Only those with this response code or result code.
    pub fn with_result(self, result: impl Into<String>) -> Self {
        let result = result.into();
        self.with(&format!("with result {result:?}"), move |item| {
            item.result_code() == Some(result.as_str())
        })
    }

    /// Only those that succeeded.
    pub fn succeeded(self) -> Self {
        self.with("that succeeded", |item| item.success() == Some(true))
    }

    /// Only those that failed.
    pub fn failed(self) -> Self {
        self.with("that failed", |item| item.success() == Some(false))
    }

    /// Only dependencies with this target.
    pub fn to(self, target: impl Into<String>) -> Self {
        let target = target.into();
        self.with(&format!("to {target:?}"), move |item| {
            item.target() == Some(target.as_str())
        })
    }

    /// Only those of this dependency type, or exception type.
    pub fn of_type(self, name: impl Into<String>) -> Self {
        let name = name.into();
        self.with(&format!("of type {name:?}"), move |item| {
            item.type_name() == Some(name.as_str())
        })
    }

    /// Only those with this custom dimension.
    pub fn with_property(self, key: impl Into<String>, value: impl Into<String>) -> Self {
        let (key, value) = (key.into(), value.into());
        self.with(&format!("with {key}={value:?}"), move |item| {
            item.property(&key) == Some(value.as_str())
        })
    }

    /// Only those of the same transaction as an item.
    pub fn in_transaction_of(self, item: &Item) -> Self {
        let operation = item.operation_id().map(str::to_owned);
        self.with("of the same transaction", move |item| {
            operation.is_some() && item.operation_id() == operation.as_deref()
        })
    }

    /// Only those for which `condition` holds; `words` say it when it does not.
    pub fn that(
        self,
        words: &str,
        condition: impl Fn(&Item) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.with(words, condition)
    }

    /// Waits at most so long.
    pub const fn within(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Exactly one item.
    ///
    /// # Panics
    /// When none arrives in time, or there are more.
    pub async fn one(self) -> Arc<Item> {
        let mut found = self.wait(1).await;
        match (found.len(), found.pop()) {
            (1, Some(item)) => item,
            (count, _) => self.fail("one", count),
        }
    }

    /// Exactly so many items, in the order of their arrival.
    ///
    /// # Panics
    /// When fewer arrive in time, or there are more.
    pub async fn count(self, count: usize) -> Vec<Arc<Item>> {
        let found = self.wait(count).await;
        if found.len() != count {
            self.fail(&count.to_string(), found.len());
        }
        found
    }

    /// So many items or more, in the order of their arrival.
    ///
    /// # Panics
    /// When fewer arrive in time.
    pub async fn at_least(self, count: usize) -> Vec<Arc<Item>> {
        let found = self.wait(count).await;
        if found.len() < count {
            self.fail(&format!("at least {count}"), found.len());
        }
        found
    }

    /// No item has arrived by now. Nothing is waited for: flush the service's telemetry first.
    ///
    /// # Panics
    /// When there is one.
    pub async fn none(self) {
        let found = self.now();
        if !found.is_empty() {
            self.fail("no", found.len());
        }
    }

    /// What has arrived by now, in the order of its arrival.
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
            // Seen before the look, so that what arrives during it is looked for again.
            arrivals.borrow_and_update();
            let found = self.now();
            let is_over = Instant::now() >= deadline;
            if found.len() >= count || is_over {
                return found;
            }
            // Either way, the next look decides.
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
            // Writing to a string cannot fail.
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
