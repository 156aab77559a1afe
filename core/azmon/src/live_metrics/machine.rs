//! When a client pings and when it posts: one pure state machine, whose time is given to it.

use std::time::Duration;

/// Between two pings, unless the server hints at something else.
const PING_INTERVAL: Duration = Duration::from_secs(5);
/// Between two posts.
const POST_INTERVAL: Duration = Duration::from_secs(1);
/// Between two pings after [`MAX_SILENCE`].
const SLOW_INTERVAL: Duration = Duration::from_secs(60);
/// Without an answer for so long, pings become rare.
const MAX_SILENCE: Duration = Duration::from_secs(60);
/// After posts have failed for so long, the client gives up.
const MAX_FAILURE: Duration = Duration::from_secs(20);
/// The hints that are accepted.
const HINTS: std::ops::RangeInclusive<u64> = 1_000..=600_000;

/// The next call of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Asks whether a reader is subscribed.
    Ping,
    /// Sends what was collected.
    Post,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A reader is subscribed.
    Subscribed,
    /// No reader is subscribed.
    NotSubscribed,
    /// There was no answer, or none that could be understood.
    Failed,
}

/// The effect of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    None,
    /// Collecting begins.
    Start,
    /// Collecting ends, and what was collected is dropped.
    Stop,
}

/// The state. Times are monotonic, since any moment.
#[derive(Debug)]
pub struct Machine {
    is_posting: bool,
    next: Duration,
    /// When the call that is under way began.
    began: Duration,
    last_success: Duration,
    hint: Option<Duration>,
}

impl Machine {
    /// A machine whose first ping is due at `now`.
    #[must_use]
    pub const fn new(now: Duration) -> Self {
        Self {
            is_posting: false,
            next: now,
            began: now,
            last_success: now,
            hint: None,
        }
    }

    /// The next call, and its time.
    #[must_use]
    pub const fn next(&self) -> (Duration, Call) {
        let call = match self.is_posting {
            true => Call::Post,
            false => Call::Ping,
        };
        (self.next, call)
    }

    /// Notes that the call that was due began: a tick that comes late is one tick.
    pub const fn begin(&mut self, now: Duration) {
        self.began = now;
    }

    /// Notes the server's hint, in milliseconds; it holds until another one comes.
    pub fn hint(&mut self, milliseconds: u64) {
        if HINTS.contains(&milliseconds) {
            self.hint = Some(Duration::from_millis(milliseconds));
        }
    }

    /// Notes how the call ended at `now`, and says what that changes.
    pub fn end(&mut self, outcome: Outcome, now: Duration) -> Change {
        let was_posting = self.is_posting;
        let ping_interval = self.hint.unwrap_or(PING_INTERVAL);
        // The answer may have taken long: silence is counted from the call.
        let silence = self.began.saturating_sub(self.last_success);
        let (is_posting, interval) = match outcome {
            Outcome::Subscribed => (true, POST_INTERVAL),
            Outcome::NotSubscribed => (false, ping_interval),
            Outcome::Failed if was_posting && silence < MAX_FAILURE => (true, POST_INTERVAL),
            Outcome::Failed if was_posting || silence >= MAX_SILENCE => (false, SLOW_INTERVAL),
            Outcome::Failed => (false, ping_interval),
        };
        if outcome != Outcome::Failed {
            self.last_success = self.began;
        }
        self.is_posting = is_posting;
        self.next = (self.began + interval).max(now);
        match (was_posting, is_posting) {
            (false, true) => Change::Start,
            (true, false) => Change::Stop,
            _ => Change::None,
        }
    }

    /// Whether the client has given up, or hears nothing: then a redirect may be to blame.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.next >= self.began + SLOW_INTERVAL
    }

    /// Waits a while after an unexpected error.
    pub fn pause(&mut self, now: Duration) {
        self.next = now + PING_INTERVAL;
    }
}
