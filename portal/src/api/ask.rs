//! The scope of a request: application, roles, time range, and the comparison range.

use std::time::{Instant, SystemTime};

use serde::Serialize;

use crate::api::parameters::Parameters;
use crate::api::time::Time;
use crate::server::ApiError;
use crate::store::facts::Run;
use crate::store::said::micros;
use crate::store::search::Expression;
use crate::store::{GRAINS, ItemFilter, ItemKind, Range, Reader, Series};

const DEFAULT_BUCKETS: usize = 60;
const MAX_BUCKETS: usize = 500;
const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;

/// A request, resolved against the stored data.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) app: Option<String>,
    pub(super) roles: Vec<String>,
    /// Only telemetry from browsers, or only telemetry from other sources.
    pub(super) is_browser: Option<bool>,
    pub(super) range: Range,
    pub(super) vs: Option<Range>,
    pub(super) now: i64,
    pub(super) kept: Option<(i64, i64)>,
    pub(super) buckets: usize,
    /// Newest first.
    pub(super) runs: Vec<Run>,
    started: Instant,
}

#[derive(Debug, Serialize)]
pub(super) struct RangeView {
    from: Time,
    to: Time,
}

#[derive(Debug, Serialize)]
struct Marker {
    number: i64,
    start: Time,
}

/// The scope that every response describes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Scope {
    range: RangeView,
    vs: Option<RangeView>,
    oldest_kept: Option<Time>,
    newest: Option<Time>,
    runs: Vec<Marker>,
    is_complete: bool,
    read_items: usize,
    took_ms: f64,
}

impl Ask {
    pub(super) fn new(reader: &Reader, parameters: &Parameters) -> Result<Self, ApiError> {
        let now = micros(SystemTime::now());
        let kept = reader.kept()?;
        let app = parameters.owned("app");
        let runs = reader.runs(app.as_deref())?;
        let buckets = parameters
            .limit("buckets", DEFAULT_BUCKETS, MAX_BUCKETS)?
            .max(1);
        let mut ask = Self {
            app,
            roles: parameters.all("role").map(str::to_owned).collect(),
            is_browser: None,
            range: Range::ALL,
            vs: None,
            now,
            kept,
            buckets,
            runs,
            started: Instant::now(),
        };
        ask.range = ask.range_of(parameters)?;
        ask.vs = ask.vs_of(parameters)?;
        Ok(ask)
    }

    /// Restricts to `side`: server (default), browser or all.
    pub(super) fn with_side(mut self, parameters: &Parameters) -> Result<Self, ApiError> {
        self.is_browser = match parameters.get("side") {
            None | Some("server") => Some(false),
            Some("browser") => Some(true),
            Some("all") => None,
            Some(other) => {
                return Err(ApiError::bad_request(format!(
                    "side {other:?} is none of server, browser, all"
                )));
            }
        };
        Ok(self)
    }

    fn range_of(&self, parameters: &Parameters) -> Result<Range, ApiError> {
        if let Some(run) = parameters.get("run") {
            return self.run_range(run);
        }
        let end = self
            .kept
            .map_or(self.now, |(_, newest)| (newest + 1).max(self.now));
        let start = self
            .kept
            .map_or(self.now - 30 * MINUTE, |(oldest, _)| oldest);
        let from = parameters.time("from", self.now)?;
        let to = parameters.time("to", self.now)?;
        let range = Range {
            from: from.unwrap_or(start),
            to: to.unwrap_or(end),
        };
        if from.is_some() && to.is_some() && range.to <= range.from {
            return Err(ApiError::bad_request("from is not before to"));
        }
        Ok(Range {
            from: range.from,
            to: range.to.max(range.from + 1),
        })
    }

    fn run_range(&self, run: &str) -> Result<Range, ApiError> {
        let number = match run {
            "current" => self.runs.first().map(|run| run.number),
            number => number.parse().ok(),
        };
        let missing = || ApiError::not_found(format!("there is no run {run:?}"));
        number
            .and_then(|number| self.range_of_run(number))
            .ok_or_else(missing)
    }

    /// The range from the start of a run to the start of the next.
    pub(super) fn range_of_run(&self, number: i64) -> Option<Range> {
        let index = self.runs.iter().position(|run| run.number == number)?;
        let run = self.runs.get(index)?;
        let end = index.checked_sub(1).and_then(|next| self.runs.get(next));
        let newest = self
            .kept
            .map_or(self.now, |(_, newest)| (newest + 1).max(self.now));
        let mut range = Range {
            from: run.start,
            to: end.map_or(newest, |next| next.start),
        };
        if end.is_some() {
            // The bucket that contains the start of the next run belongs to that run.
            let length = GRAINS
                .get(usize::from(self.grain(range)))
                .copied()
                .unwrap_or(MINUTE);
            range.to = range.to.div_euclid(length) * length;
        }
        range.to = range.to.max(range.from + 1);
        Some(range)
    }

    fn vs_of(&self, parameters: &Parameters) -> Result<Option<Range>, ApiError> {
        match parameters.get("vs") {
            None => Ok(None),
            Some("previous") => Ok(Some(Range {
                from: self.range.from - self.range.length(),
                to: self.range.from,
            })),
            Some("run") => {
                let current = self.run_at(self.range.to - 1);
                Ok(current.and_then(|run| self.range_of_run(run.number - 1)))
            }
            Some(number) => self.run_range(number).map(Some),
        }
    }

    /// The run that contains a time.
    pub(super) fn run_at(&self, time: i64) -> Option<&Run> {
        self.runs
            .iter()
            .find(|run| run.start <= time)
            .or_else(|| self.runs.last())
    }

    pub(super) fn accepts(&self, series: &Series) -> bool {
        let dims = &series.dims;
        self.app.as_deref().is_none_or(|app| app == dims.app)
            && (self.roles.is_empty() || self.roles.contains(&dims.role))
            && self
                .is_browser
                .is_none_or(|is_browser| is_browser == dims.is_browser)
    }

    /// The finest grain that is still stored for the range and has few enough buckets.
    pub(super) fn grain(&self, range: Range) -> u8 {
        let age = self.now - range.from;
        match range.length() {
            length if length <= 20 * MINUTE && age < 2 * HOUR - MINUTE => 0,
            length if length <= 2 * HOUR && age < 47 * HOUR => 1,
            length if length <= 96 * HOUR => 2,
            _ => 3,
        }
    }

    /// Start, step and number of the buckets of a series.
    pub(super) fn steps(&self) -> Steps {
        let grain = self.grain(self.range);
        let length = GRAINS.get(usize::from(grain)).copied().unwrap_or(MINUTE);
        let start = self.range.from.div_euclid(length) * length;
        let span = (self.range.to - start).max(1);
        let grains = span.div_euclid(length) + i64::from(span.rem_euclid(length) > 0);
        let buckets = i64::try_from(self.buckets).unwrap_or(1);
        let per_step = grains.div_euclid(buckets) + i64::from(grains.rem_euclid(buckets) > 0);
        let step = length * per_step.max(1);
        let count = span.div_euclid(step) + i64::from(span.rem_euclid(step) > 0);
        Steps {
            grain,
            start,
            step,
            count: usize::try_from(count)
                .unwrap_or(1)
                .clamp(1, MAX_BUCKETS + 1),
        }
    }

    /// The length of a range in seconds, without the time before the oldest stored item.
    pub(super) fn seconds(&self, range: Range) -> f64 {
        let from = self
            .kept
            .map_or(range.from, |(oldest, _)| range.from.max(oldest));
        ((range.to - from).max(1_000_000)) as f64 / 1e6
    }

    /// A filter with the request's application, roles and range.
    pub(super) fn filter(&self, parameters: &Parameters) -> Result<ItemFilter, ApiError> {
        let mut filter = ItemFilter {
            app: self.app.clone(),
            roles: self.roles.clone(),
            range: self.range,
            operation: parameters.owned("operation"),
            name: parameters.owned("op"),
            target: parameters.owned("target"),
            type_name: parameters.owned("type"),
            success: parameters.parsed("success")?,
            is_browser: self.is_browser,
            duration: parameters.duration()?,
            ..ItemFilter::default()
        };
        for kind in parameters.all("kind") {
            let kind: ItemKind = kind
                .parse()
                .map_err(|error| ApiError::bad_request(format!("{error}")))?;
            filter.kinds.push(kind);
        }
        if let Some(text) = parameters.get("q") {
            filter.expression = Expression::parse(text)
                .map_err(|error| ApiError::bad_request(error.to_string()))?;
        }
        for text in parameters.all("f") {
            filter
                .filters
                .push(Expression::parse_filter(text).map_err(ApiError::bad_request)?);
        }
        Ok(filter)
    }

    pub(super) fn scope(&self, read_items: usize, is_complete: bool) -> Scope {
        let view = |range: Range| RangeView {
            from: Time(range.from),
            to: Time(range.to),
        };
        let marker = |run: &Run| Marker {
            number: run.number,
            start: Time(run.start),
        };
        let runs = self
            .runs
            .iter()
            .rev()
            .filter(|run| self.range.contains(run.start))
            .map(marker);
        Scope {
            range: view(self.range),
            vs: self.vs.map(view),
            oldest_kept: self.kept.map(|(oldest, _)| Time(oldest)),
            newest: self.kept.map(|(_, newest)| Time(newest)),
            runs: runs.collect(),
            is_complete,
            read_items,
            took_ms: self.started.elapsed().as_secs_f64() * 1_000.0,
        }
    }
}

/// The buckets of a chart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steps {
    pub(super) grain: u8,
    pub(super) start: i64,
    pub(super) step: i64,
    pub(super) count: usize,
}

impl Steps {
    pub(super) fn index(&self, time: i64) -> Option<usize> {
        let index = usize::try_from((time - self.start).div_euclid(self.step)).ok()?;
        (index < self.count).then_some(index)
    }

    pub(super) fn seconds(&self) -> f64 {
        self.step as f64 / 1e6
    }
}
