//! Aggregates of the standard metrics by their dimensions.

use std::borrow::Cow;
use std::cell::Cell;

use hashbrown::{HashMap, HashSet};

use crate::mapping::{DependencyDimensions, RequestDimensions, StandardDimensions};
use crate::metrics::aggregate::Aggregate;

/// Replaces further values of a dimension that has too many, as in the classic .NET SDK.
pub(super) const OVERFLOW: &str = "DIMENSION-CAPPED";

/// Maximum number of values of a dimension within an interval; further ones become [`OVERFLOW`].
const MOST_RESULT_CODES: usize = 50;
const MOST_DEPENDENCY_TYPES: usize = 20;
pub(super) const MOST_TARGETS: usize = 100;

/// Aggregates by dimensions. Each dimension has a bounded number of values.
#[derive(Debug, Default)]
pub(super) struct Series {
    /// Usual requests, which have few different dimensions: a search takes less than a hash.
    requests: Vec<(RequestDimensions, Aggregate)>,
    /// In cells, because a shared reference, possibly to keys with a shorter lifetime, must be enough to change them.
    values: HashMap<StandardDimensions<'static>, Cell<Aggregate>>,
    result_codes: HashSet<Box<str>>,
    dependency_types: HashSet<Box<str>>,
    targets: HashSet<Box<str>>,
}

impl Series {
    /// Adds a value of a usual request.
    pub(super) fn add_request(&mut self, dimensions: RequestDimensions, value: Aggregate) {
        let mut known = self.requests.iter_mut();
        if let Some((_, sum)) = known.find(|(known, _)| *known == dimensions) {
            *sum = sum.merged(value);
        } else if self.requests.len() < MOST_RESULT_CODES {
            self.requests.push((dimensions, value));
        } else {
            self.add(dimensions.into(), value);
        }
    }

    /// Adds a value.
    pub(super) fn add(&mut self, dimensions: StandardDimensions<'_>, value: Aggregate) {
        if merge(&self.values, &dimensions, value) {
            return;
        }
        let dimensions = self.capped(dimensions);
        if !merge(&self.values, &dimensions, value) {
            self.values
                .insert(dimensions.into_owned(), Cell::new(value));
        }
    }

    /// The aggregates.
    pub(super) fn into_values(
        self,
    ) -> impl Iterator<Item = (StandardDimensions<'static>, Aggregate)> {
        let requests = self.requests.into_iter();
        let others = self.values.into_iter();
        requests
            .map(|(dimensions, value)| (dimensions.into(), value))
            .chain(others.map(|(dimensions, value)| (dimensions, value.into_inner())))
    }

    fn capped<'a>(&mut self, dimensions: StandardDimensions<'a>) -> StandardDimensions<'a> {
        StandardDimensions {
            dependency: dimensions
                .dependency
                .map(|dependency| DependencyDimensions {
                    dependency_type: admit(
                        &mut self.dependency_types,
                        MOST_DEPENDENCY_TYPES,
                        dependency.dependency_type,
                    ),
                    target: admit(&mut self.targets, MOST_TARGETS, dependency.target),
                }),
            result_code: admit(
                &mut self.result_codes,
                MOST_RESULT_CODES,
                dimensions.result_code,
            ),
            ..dimensions
        }
    }
}

/// Adds a value to an existing series; a missing one costs a copy of its dimensions.
fn merge<'a>(
    values: &HashMap<StandardDimensions<'a>, Cell<Aggregate>>,
    dimensions: &StandardDimensions<'a>,
    value: Aggregate,
) -> bool {
    let known = values.get(dimensions);
    known
        .map(|known| known.set(known.get().merged(value)))
        .is_some()
}

fn admit<'a>(known: &mut HashSet<Box<str>>, most: usize, value: Cow<'a, str>) -> Cow<'a, str> {
    if known.contains(&*value) || value == OVERFLOW {
        value
    } else if known.len() < most {
        known.insert(value.as_ref().into());
        value
    } else {
        Cow::Borrowed(OVERFLOW)
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::Status;

    use super::*;
    use crate::mapping::MappingOptions;

    #[test]
    fn the_list_of_usual_requests_stays_short() {
        let mut series = Series::default();
        let options = MappingOptions::default();
        for _ in 0..2 {
            for code in 100..1_000 {
                let dimensions = RequestDimensions::new(code, &Status::Unset, false, &options);
                series.add_request(dimensions, Aggregate::of(1.0));
            }
        }
        assert_eq!(series.requests.len(), MOST_RESULT_CODES);
        let values = series.into_values().map(|(_, value)| value);
        let all = values.reduce(Aggregate::merged).unwrap();
        assert_eq!(all.into_point("x").count, Some(1_800));
    }
}
