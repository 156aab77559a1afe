//! The worker's loop: commands, deadlines and the network.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::{Context, otel_error, otel_warn};
use tokio::time::Instant;

use crate::error::Undelivered;
use crate::item::{DropReason, Item, Taken};
use crate::transmission::Shared;
use crate::transmission::due::{Due, Situation, due};
use crate::transmission::encoder::Encoder;
use crate::transmission::handle::{Command, SourceId};
use crate::transmission::jobs::SLICE;
use crate::transmission::live::{LOOK, LiveFeed, Running};
use crate::transmission::worker::{Flush, Job, Worker};

/// How long the worker keeps sending after every handle was dropped without `shutdown`.
const ABANDONED_SHUTDOWN: Duration = Duration::from_secs(2);
/// Interval of reports about dropped items.
const REPORT_INTERVAL: Duration = Duration::from_secs(60);
/// Maximum time that an item waits for its batch in durable mode, so that it is on disk within 200 ms.
const DURABLE_DELAY: Duration = Duration::from_millis(50);

impl Worker {
    /// Starts the thread `azmon-worker`. It ends after a shutdown, or once every handle is dropped.
    ///
    /// # Errors
    ///
    /// Fails if the worker thread or its event loop cannot be initialised.
    pub(crate) fn spawn(self) -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .thread_name("azmon-files")
            .build()?;
        std::thread::Builder::new()
            .name("azmon-worker".to_owned())
            .spawn(move || {
                let _suppressed = Context::enter_telemetry_suppressed_scope();
                let _alive = DeathNotice(self.shared.clone());
                runtime.block_on(self.run());
                // A pending name resolution or a hanging disk must not delay the end.
                runtime.shutdown_background();
            })?;
        Ok(())
    }

    pub(crate) async fn run(mut self) {
        self.metrics.start(Instant::now());
        let _live = self.live.as_mut().and_then(LiveFeed::start);
        let streams = self.streams.take();
        let _streams = streams.map(|streams| Running::of(streams.run()));
        loop {
            let now = Instant::now();
            let todo = self.due(now);
            if todo.take || todo.measure {
                // The metrics count spans when the worker takes them.
                self.take_queue();
            }
            if todo.measure {
                self.measure(now);
            }
            self.measure_for_flushes();
            self.measure_for_closing();
            if !self.is_too_late(now) {
                self.encode(now);
            }
            self.show_live(now);
            self.advance_flushes();
            self.uploads.dispatch(now);
            // A caller that waited sees its result in the statistics.
            self.uploads.update_status(now);
            self.uploads.answer_waiters(now);
            self.report_drops(now);
            if self.is_done(now) {
                return self.end().await;
            }
            self.wait().await;
        }
    }

    /// Decides which actions are due at `now`.
    fn due(&mut self, now: Instant) -> Due {
        let queued = self.consumer.len();
        if queued == 0 {
            self.queued_since = None;
        } else {
            self.queued_since.get_or_insert(now);
        }
        let is_flushed = self.flushes.iter().any(|flush| flush.queued > 0);
        let delay = if self.uploads.disk.is_durable(now) {
            self.max_export_delay.min(DURABLE_DELAY)
        } else {
            self.max_export_delay
        };
        // A subscribed reader sees an item within a second.
        let is_watched = self.live.as_ref().is_some_and(LiveFeed::is_watched);
        let delay = if is_watched { delay.min(LOOK) } else { delay };
        due(&Situation {
            now,
            queued,
            queued_since: self.queued_since,
            batch: self.consumer.batch(),
            delay,
            is_urgent: is_flushed || self.closing.is_some(),
            taken: self.jobs.len(),
            has_room: self.uploads.has_room() && !self.is_too_late(now),
            metrics: self.metrics.next().filter(|_| self.closing.is_none()),
            uploads: self.uploads.next_deadline(now),
            end: self.closing.as_ref().map(|closing| {
                let times = [closing.drain, closing.encode, closing.network];
                let next = times.into_iter().filter(|time| *time > now).min();
                next.unwrap_or(closing.deadline)
            }),
        })
    }

    /// Collects the metrics that are due.
    fn measure(&mut self, now: Instant) {
        self.take_unsampled(now);
        let statistics = &mut self.uploads.statistics;
        let envelopes = self
            .metrics
            .due(now, &self.mapper, &self.counters, statistics);
        self.add_made(envelopes.into_iter().map(Item::from));
    }

    /// Lets Live Metrics see the items that sampling left out, for a short time.
    fn show_live(&mut self, start: Instant) {
        if self.live.as_ref().is_some_and(|live| live.is_due(start)) {
            self.take_unsampled(start);
        }
        let Some(mut live) = self.live.take() else {
            return;
        };
        if let Some(encoder) = self.encoders.get_mut(&SourceId::MAIN) {
            while Instant::now().saturating_duration_since(start) < SLICE
                && let Some(mut taken) = live.pop()
            {
                encoder.observe(&self.mapper, &mut taken.item);
            }
        }
        self.live = Some(live);
    }

    /// Takes the items that sampling left out during a subscription, and counts them for the metrics.
    pub(super) fn take_unsampled(&mut self, now: Instant) {
        if let Some(mut live) = self.live.take() {
            live.take(now, |items| self.count(items));
            self.live = Some(live);
        }
    }

    /// Collects the metrics for flushes whose items are all taken, and therefore counted.
    fn measure_for_flushes(&mut self) {
        let waits = |flush: &Flush| flush.queued == 0 && !flush.is_measured;
        if self.flushes.iter().any(waits) && self.uploads.has_room() {
            for flush in &mut self.flushes {
                flush.is_measured |= flush.queued == 0;
            }
            self.take_unsampled(Instant::now());
            let envelopes = self.metrics.flush();
            self.add_made(envelopes.into_iter().map(Item::from));
        }
    }

    /// Registers flushes whose items are all encoded as waiters of their batches.
    fn advance_flushes(&mut self) {
        if self.flushes.is_empty() {
            return;
        }
        let is_blocked = !self.uploads.has_room();
        let is_encoded = self.jobs.is_empty();
        let done = |flush: &mut Flush| is_blocked || (flush.is_measured && is_encoded);
        for flush in self.flushes.extract_if(.., done) {
            let positions = self.uploads.positions(Instant::now());
            if is_blocked && positions.active.is_empty() {
                let waiting = positions.held_items + self.consumer.len();
                (flush.callback)(Err(Undelivered::Held(waiting)));
                continue;
            }
            let batches = &positions.active | &positions.held;
            self.uploads.waiters.add(batches, flush.callback);
        }
    }

    async fn wait(&mut self) {
        let now = Instant::now();
        let todo = self.due(now);
        if todo.is_now() {
            // The network is served between two steps, without waiting for it.
            tokio::select! {
                biased;
                command = self.commands.recv(), if self.closing.is_none() => self.obey(command),
                () = self.uploads.progress() => {}
                () = tokio::task::yield_now() => {}
            }
            return;
        }
        let has_room = self.uploads.has_room();
        tokio::select! {
            biased;
            command = self.commands.recv(), if self.closing.is_none() => self.obey(command),
            () = self.uploads.progress() => {}
            () = self.consumer.woken(), if has_room => {}
            () = live_due(self.live.as_ref()) => {}
            () = tokio::time::sleep_until(todo.wake.unwrap_or(now)), if todo.wake.is_some() => {}
        }
    }

    fn obey(&mut self, command: Option<Command>) {
        match command {
            Some(Command::Open { source, processors }) => {
                let encoder = Encoder::new(self.counters.clone(), processors);
                self.encoders.insert(source, encoder);
            }
            Some(Command::Forget { source }) => {
                self.encoders.remove(&source);
            }
            Some(Command::Export {
                source,
                mapper,
                items,
                reserved,
                callback,
            }) => {
                let now = Instant::now();
                if !self.uploads.has_room() && self.uploads.is_stuck(now) {
                    for item in &items {
                        self.counters.count(DropReason::QueueFull, item.label(), 1);
                    }
                    self.shared.release(reserved);
                    return callback(Err(Undelivered::Dropped(items.len())));
                }
                self.counters.take(items.iter().map(Item::label));
                let items = items.into_iter().map(Taken::free).collect();
                let job = Job {
                    callback: Some(callback),
                    reserved,
                    ..Self::job(source, mapper, items)
                };
                self.jobs.push_back(job);
            }
            Some(Command::Flush { callback }) => {
                self.uploads.try_now(Instant::now());
                self.flushes.push(Flush {
                    queued: self.consumer.gather(),
                    is_measured: false,
                    callback,
                });
            }
            Some(Command::Shutdown { deadline, callback }) => self.close(deadline, Some(callback)),
            None => self.close(Instant::now() + ABANDONED_SHUTDOWN, None),
        }
    }

    pub(super) fn report_drops(&mut self, now: Instant) {
        let is_due = self
            .reported
            .is_none_or(|last| now.saturating_duration_since(last) >= REPORT_INTERVAL);
        if !is_due {
            return;
        }
        for (counters, whose) in [
            (&self.counters, "this process"),
            (&self.shared.recovered, "earlier processes"),
        ] {
            if !counters.take_unreported() {
                continue;
            }
            self.reported = Some(now);
            for dropped in counters.dropped() {
                otel_warn!(
                    name: "Export.ItemsDropped",
                    reason = dropped.reason.as_str(),
                    telemetry_type = dropped.telemetry_type.as_str(),
                    of = whose,
                    total = dropped.count
                );
            }
        }
    }
}

async fn live_due(live: Option<&LiveFeed>) {
    match live {
        Some(live) => live.due().await,
        None => std::future::pending().await,
    }
}

/// Marks the worker as ended, even if its thread panics.
struct DeathNotice(Arc<Shared>);

impl Drop for DeathNotice {
    fn drop(&mut self) {
        if self.0.ended() {
            otel_error!(name: "Worker.Died");
        }
    }
}
