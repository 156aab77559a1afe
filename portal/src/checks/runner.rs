//! Runs every check at its interval, each in its own task.

use std::future::Future;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, SystemTime};

use azmon_kql::{CancelToken, Options, ticks_of};
use jiff::Timestamp;
use reqwest::Client;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::alert::{Change, value_of};
use super::availability;
use super::config::Rule;
use super::state::{CheckStates, RuleEntry, TestEntry};
use crate::ingestion::judge;
use crate::query::Tables;
use crate::store::Store;

/// The timeout of a webhook.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// The parts that all checks share.
#[derive(Debug, Clone)]
struct Runner {
    client: Client,
    store: Arc<Store>,
}

/// Starts a task for each check. The tasks end when the portal stops.
pub(crate) fn start(
    states: &Arc<CheckStates>,
    store: &Arc<Store>,
    stopped: &watch::Receiver<bool>,
) -> Result<Vec<JoinHandle<()>>, reqwest::Error> {
    if states.tests.is_empty() && states.rules.is_empty() {
        return Ok(Vec::new());
    }
    let runner = Runner {
        client: Client::builder()
            .no_proxy()
            .user_agent(concat!("azmon-portal/", env!("CARGO_PKG_VERSION")))
            .build()?,
        store: Arc::clone(store),
    };
    let until_stopped = |work: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>| {
        let mut stopped = stopped.clone();
        tokio::spawn(async move {
            tokio::select! {
                // Ends at the value, or when the portal that would send it has ended.
                _ = stopped.wait_for(|is_stopped| *is_stopped) => {}
                () = work => {}
            }
        })
    };
    let mut tasks = Vec::new();
    for index in 0..states.tests.len() {
        let (runner, states) = (runner.clone(), Arc::clone(states));
        tasks.push(until_stopped(Box::pin(async move {
            if let Some(entry) = states.tests.get(index) {
                every(entry.test.interval, || {
                    runner.test(entry, SystemTime::now())
                })
                .await;
            }
        })));
    }
    for index in 0..states.rules.len() {
        let (runner, states) = (runner.clone(), Arc::clone(states));
        tasks.push(until_stopped(Box::pin(async move {
            if let Some(entry) = states.rules.get(index) {
                every(entry.rule.interval, || {
                    runner.evaluate(entry, SystemTime::now())
                })
                .await;
            }
        })));
    }
    Ok(tasks)
}

/// Works at once, and then at each interval. Work that takes longer than the interval is repeated as soon as it ends.
async fn every<F, W>(interval: Duration, mut work: W)
where
    F: Future<Output = ()>,
    W: FnMut() -> F,
{
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        work().await;
    }
}

impl Runner {
    /// Runs an availability test, and stores its result as an item.
    async fn test(&self, entry: &TestEntry, now: SystemTime) {
        let outcome = availability::run(&self.client, &entry.test, now).await;
        let envelope = availability::envelope(&entry.test, &outcome);
        if let Err(message) = &outcome.result {
            let name = entry.test.name.as_str();
            tracing::debug!(name, message, "an availability test failed");
        }
        entry
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .ended(outcome);
        let item = serde_json::to_string(&envelope)
            .and_then(RawValue::from_string)
            .map_err(|error| error.to_string())
            .and_then(|json| judge(&json));
        let kept = match item {
            Ok(item) => self
                .store
                .append(vec![item])
                .await
                .map_err(|error| error.to_string()),
            Err(message) => Err(message),
        };
        if let Err(message) = kept {
            self.store
                .refuse(&message, Some("azmon portal's availability tests"), 1);
            tracing::error!(message, "the result of an availability test was not kept");
        }
    }

    /// Evaluates an alert rule, and reports a change.
    async fn evaluate(&self, entry: &RuleEntry, now: SystemTime) {
        let rule = &entry.rule;
        let value = self.value(rule, now).await;
        let (change, untold) = {
            let mut state = entry.state.lock().unwrap_or_else(PoisonError::into_inner);
            let change = state.evaluated(rule, value, now);
            (change, state.untold)
        };
        if let Some(change) = change {
            let (name, value, threshold) = (rule.name.as_str(), change.value, rule.threshold);
            if change.is_fired {
                tracing::warn!(name, value, threshold, "an alert is fired");
            } else {
                tracing::warn!(name, value, threshold, "an alert is resolved");
            }
        }
        if let Some(change) = untold {
            // The next evaluation retries a webhook that failed.
            let told = self.tell(rule, change).await;
            let mut state = entry.state.lock().unwrap_or_else(PoisonError::into_inner);
            if told.is_ok() && state.untold == Some(change) {
                state.untold = None;
            }
            if let Err(message) = &told {
                let name = rule.name.as_str();
                tracing::warn!(name, message, "the webhook of an alert failed");
            }
            state.webhook_error = told.err();
        }
    }

    async fn value(&self, rule: &Rule, now: SystemTime) -> Result<f64, String> {
        /// Ends the query with the portal.
        struct CancelOnDrop(CancelToken);

        impl Drop for CancelOnDrop {
            fn drop(&mut self) {
                self.0.cancel();
            }
        }

        let guard = CancelOnDrop(CancelToken::new());
        let until = ticks_of(now);
        let from = until.saturating_sub(ticks(rule.window));
        let options = Options::new()
            .with_now(until)
            .with_timespan(from, until)
            .with_cancel(guard.0.clone());
        let (store, query, app) = (
            Arc::clone(&self.store),
            rule.query.clone(),
            rule.app.clone(),
        );
        let ran = tokio::task::spawn_blocking(move || {
            let tables = Tables::of(&store, &app);
            azmon_kql::run(&query, &tables, &options)
                .map_err(|error| error.to_string())
                .and_then(|answer| value_of(&answer))
        });
        ran.await.unwrap_or_else(|error| Err(error.to_string()))
    }

    /// Posts a change to the rule's webhook.
    async fn tell(&self, rule: &Rule, change: Change) -> Result<(), String> {
        let Some(webhook) = &rule.webhook else {
            return Ok(());
        };
        let time = Timestamp::try_from(change.time)
            .map_or_else(|_| String::new(), |time| format!("{time:.6}"));
        let body = json!({
            "name": rule.name,
            "state": if change.is_fired { "fired" } else { "resolved" },
            "value": change.value,
            "operator": rule.operator.as_str(),
            "threshold": rule.threshold,
            "windowSeconds": rule.window.as_secs(),
            "query": rule.query,
            "time": time,
        });
        let response = self
            .client
            .post(webhook.clone())
            .timeout(WEBHOOK_TIMEOUT)
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .map_err(|error| error.to_string())?;
        let status = response.status();
        if status.is_success() {
            Ok(())
        } else {
            Err(format!("the webhook answers {status}"))
        }
    }
}

/// Ticks of 100 ns.
fn ticks(time: Duration) -> i64 {
    i64::try_from(time.as_nanos() / 100).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn work_is_done_at_once_and_after_each_interval() {
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&runs);
        let task = tokio::spawn(every(Duration::from_secs(60), move || {
            counted.fetch_add(1, Ordering::Relaxed);
            std::future::ready(())
        }));
        for (seconds, expected) in [(1, 1), (58, 1), (2, 2), (60, 3), (180, 6)] {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            assert_eq!(runs.load(Ordering::Relaxed), expected, "{seconds}");
        }
        task.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_takes_longer_than_the_interval_is_not_piled_up() {
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&runs);
        let task = tokio::spawn(every(Duration::from_secs(10), move || {
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_secs(25))
        }));
        tokio::time::sleep(Duration::from_secs(80)).await;
        assert_eq!(runs.load(Ordering::Relaxed), 4);
        task.abort();
    }
}
