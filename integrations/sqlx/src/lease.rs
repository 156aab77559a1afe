use std::sync::Arc;
use std::time::Instant;

use crate::state::State;

/// Records on drop how long a connection was in use.
#[derive(Debug)]
pub(crate) struct Lease {
    state: Arc<State>,
    since: Instant,
}

impl Lease {
    pub(crate) fn new(state: Arc<State>) -> Self {
        Self {
            state,
            since: Instant::now(),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let now = Instant::now();
        if let Some(instruments) = self.state.instruments(now) {
            let used = now.saturating_duration_since(self.since);
            self.state.use_time.record(
                &instruments,
                |instruments| &instruments.use_time,
                &self.state.pool,
                used.as_secs_f64(),
            );
        }
    }
}
