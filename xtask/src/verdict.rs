//! The requests of the demo, the expected telemetry, and the comparison with the received telemetry.

use std::collections::BTreeMap;
use std::fmt;

use crate::client::Arrived;

/// One request to the web front, and its expected telemetry.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Visit {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) status: u16,
    /// The operation name; `None` for a request that is excluded from telemetry.
    operation: Option<&'static str>,
    success: bool,
    /// The minimum duration, in milliseconds.
    at_least: f64,
}

/// The method of a request to the web front.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Method {
    Get,
    /// An order of this article.
    Post(&'static str),
}

impl Visit {
    const fn get(path: &'static str, operation: &'static str, status: u16) -> Self {
        Self {
            method: Method::Get,
            path,
            status,
            operation: Some(operation),
            success: status < 400,
            at_least: 0.0,
        }
    }

    const fn order(article: &'static str, status: u16) -> Self {
        Self {
            method: Method::Post(article),
            ..Self::get("/checkout", "POST /checkout", status)
        }
    }

    const PLAN: [Self; 10] = [
        Self::get("/", "GET /", 200),
        Self::get("/products/7", "GET /products/{id}", 200),
        Self::order("tea", 201),
        Self {
            operation: None,
            ..Self::get("/healthz", "", 204)
        },
        Self {
            at_least: 300.0,
            ..Self::get("/products/7/photo", "GET /products/{id}/photo", 200)
        },
        Self::get("/products/8", "GET /products/{id}", 200),
        Self::order("gold", 502),
        Self::get("/products/none", "GET /products/{id}", 400),
        // A path without a route has only the method as its operation name, since the path may be any text.
        Self::get("/nowhere", "GET", 404),
        Self::order("glass", 409),
    ];

    /// The requests of the continuous traffic; repeated entries are requested more often.
    pub(crate) const DAY: [Self; 16] = [
        Self::get("/", "GET /", 200),
        Self::get("/", "GET /", 200),
        Self::get("/", "GET /", 200),
        Self::get("/products/1", "GET /products/{id}", 200),
        Self::get("/products/2", "GET /products/{id}", 200),
        Self::get("/products/7", "GET /products/{id}", 200),
        Self::get("/products/8", "GET /products/{id}", 200),
        Self::get("/products/3/photo", "GET /products/{id}/photo", 200),
        Self::get("/products/404", "GET /products/{id}", 404),
        Self::order("tea", 201),
        Self::order("tea", 201),
        Self::order("coffee", 201),
        Self::order("coffee", 201),
        Self::order("silk", 201),
        Self::order("glass", 409),
        Self::order("gold", 502),
    ];

    /// The first `count` requests of the demo; the plan is repeated as needed.
    pub(crate) fn plan(count: usize) -> Vec<Self> {
        Self::PLAN.into_iter().cycle().take(count).collect()
    }

    pub(crate) const fn must_arrive(&self) -> bool {
        self.operation.is_some()
    }
}

/// The fields by which requests are grouped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    operation: String,
    result_code: String,
    success: bool,
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let success = if self.success { "success" } else { "failure" };
        write!(
            f,
            "{}, result {}, {success}",
            self.operation, self.result_code
        )
    }
}

/// The differences between the received telemetry and that of `visits`; empty if they agree.
pub(crate) fn differences(visits: &[Visit], arrived: &[Arrived]) -> Vec<String> {
    let mut counts: BTreeMap<Group, (usize, usize)> = BTreeMap::new();
    for group in visits.iter().filter_map(expected_group) {
        counts.entry(group).or_default().0 += 1;
    }
    for request in arrived {
        counts.entry(group(request)).or_default().1 += 1;
    }
    let miscounted = counts
        .iter()
        .filter(|(_, (expected, found))| expected != found)
        .map(|(group, (expected, found))| format!("{group}: {expected} expected, {found} arrived"));
    miscounted.chain(too_short(visits, arrived)).collect()
}

fn expected_group(visit: &Visit) -> Option<Group> {
    Some(Group {
        operation: visit.operation?.to_owned(),
        result_code: visit.status.to_string(),
        success: visit.success,
    })
}

fn group(request: &Arrived) -> Group {
    Group {
        operation: request.operation_name.clone().unwrap_or_default(),
        result_code: request.result_code.clone(),
        success: request.success,
    }
}

fn too_short(visits: &[Visit], arrived: &[Arrived]) -> impl Iterator<Item = String> {
    let least = |request: &Arrived| {
        let visit = visits
            .iter()
            .find(|visit| visit.operation == request.operation_name.as_deref());
        visit.map_or(0.0, |visit| visit.at_least)
    };
    arrived.iter().filter_map(move |request| {
        let (duration, least) = (request.duration_ms, least(request));
        let is_plausible = duration > 0.0 && duration >= least;
        (!is_plausible).then(|| {
            format!(
                "{}: {duration} ms, but at least {least} ms expected",
                group(request)
            )
        })
    })
}

/// A table of the received requests, with one line for each operation, result and success.
pub(crate) fn table(arrived: &[Arrived]) -> String {
    let mut groups: BTreeMap<Group, Vec<f64>> = BTreeMap::new();
    for request in arrived {
        groups
            .entry(group(request))
            .or_default()
            .push(request.duration_ms);
    }
    let mut text = format!(
        "{:<26} {:>5} {:>12} {:>6}  Success\n",
        "Operation", "Count", "Duration", "Result"
    );
    for (group, durations) in groups {
        let count = durations.len();
        let average = durations.iter().sum::<f64>() / count as f64;
        let Group {
            operation,
            result_code,
            success,
        } = group;
        text +=
            &format!("{operation:<26} {count:>5} {average:>9.2} ms {result_code:>6}  {success}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrived(visit: &Visit) -> Option<Arrived> {
        Some(Arrived {
            operation_name: Some(visit.operation?.to_owned()),
            duration_ms: visit.at_least + 1.0,
            result_code: visit.status.to_string(),
            success: visit.success,
        })
    }

    fn all() -> (Vec<Visit>, Vec<Arrived>) {
        let visits = Visit::plan(25);
        let arrived = visits.iter().filter_map(arrived).collect();
        (visits, arrived)
    }

    #[test]
    fn the_plan_has_visits_that_must_and_must_not_arrive() {
        let visits = Visit::plan(25);
        assert_eq!(visits.len(), 25);
        assert!(
            visits
                .iter()
                .any(|visit| visit.path == "/healthz" && !visit.must_arrive())
        );
        assert!(
            visits
                .iter()
                .any(|visit| visit.must_arrive() && !visit.success)
        );
    }

    #[test]
    fn all_that_was_sent_is_no_difference_in_any_order() {
        let (visits, mut arrived) = all();
        arrived.reverse();
        assert_eq!(differences(&visits, &arrived), Vec::<String>::new());
    }

    #[test]
    fn missing_requests_are_named() {
        let (visits, mut arrived) = all();
        arrived.retain(|request| request.result_code != "502");
        assert_eq!(
            differences(&visits, &arrived),
            ["POST /checkout, result 502, failure: 2 expected, 0 arrived"]
        );
    }

    #[test]
    fn unexpected_requests_are_named() {
        let (visits, mut arrived) = all();
        arrived.push(Arrived {
            operation_name: Some("GET /healthz".to_owned()),
            duration_ms: 1.0,
            result_code: "204".to_owned(),
            success: true,
        });
        assert_eq!(
            differences(&visits, &arrived),
            ["GET /healthz, result 204, success: 0 expected, 1 arrived"]
        );
    }

    #[test]
    fn a_wrong_success_a_wrong_name_and_a_wrong_duration_are_named() {
        let (visits, arrived) = all();
        let changes: [fn(&mut Arrived); 4] = [
            |request| request.success = !request.success,
            |request| request.operation_name = None,
            |request| request.result_code = "0".to_owned(),
            |request| request.duration_ms = 0.0,
        ];
        for change in changes {
            let mut arrived = arrived.clone();
            change(&mut arrived[0]);
            assert!(!differences(&visits, &arrived).is_empty());
        }
    }

    #[test]
    fn a_slow_request_that_seems_fast_is_named() {
        let (visits, mut arrived) = all();
        let slow = arrived
            .iter_mut()
            .find(|request| request.duration_ms > 300.0)
            .unwrap();
        slow.duration_ms = 2.0;
        assert_eq!(
            differences(&visits, &arrived),
            ["GET /products/{id}/photo, result 200, success: 2 ms, but at least 300 ms expected"]
        );
    }

    #[test]
    fn the_table_has_a_line_for_each_group() {
        let (_, arrived) = all();
        let table = table(&arrived);
        assert_eq!(table.lines().count(), 1 + 8);
        assert!(table.contains("GET /products/{id}/photo"), "{table}");
    }
}
