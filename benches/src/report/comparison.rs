use super::statistics::median;
use crate::measure::CaseResult;
use crate::{Area, Case, Method, Quantity, Role};

/// The cost of a case per operation, compared with other cases.
#[derive(Debug)]
pub struct Row<'a> {
    /// The case.
    pub case: &'a Case,
    /// The measured results.
    pub result: CaseResult,
    /// The median of the rounds.
    pub nanoseconds: Option<f64>,
    /// The median difference to the reference within a round.
    pub nanoseconds_above: Option<f64>,
    /// Allocations above the reference.
    pub allocations_above: Option<f64>,
    /// Instructions above the reference.
    pub instructions_above: Option<f64>,
    /// The median ratio to the bare case within a round.
    pub times_bare: Option<f64>,
    /// For a case of azmon: the peer of its group with the smallest overhead.
    pub best_peer: Option<&'a Case>,
    /// The median ratio of the overheads of this case and that peer within a round.
    pub of_peer: Option<f64>,
}

/// Compares the results of an area's cases.
pub(super) fn compare(area: &Area, results: Vec<CaseResult>) -> Vec<Row<'_>> {
    let comparison = Comparison {
        area,
        results: &results,
    };
    let mut rows: Vec<Row<'_>> = Vec::with_capacity(results.len());
    for (case, result) in area.cases.iter().zip(&results) {
        rows.push(comparison.row(case, result));
    }
    rows
}

struct Comparison<'a, 'r> {
    area: &'a Area,
    results: &'r [CaseResult],
}

impl<'a> Comparison<'a, '_> {
    fn row(&self, case: &'a Case, result: &CaseResult) -> Row<'a> {
        let reference = case.above.and_then(|id| self.result(id));
        let above = |of: fn(&CaseResult) -> Option<f64>| Some(of(result)? - of(reference?)?);
        let best_peer = self.best_peer(case);
        Row {
            case,
            result: result.clone(),
            nanoseconds: median(result.nanoseconds.iter().copied()),
            nanoseconds_above: self.median_above(case),
            allocations_above: above(|result| result.allocations),
            instructions_above: above(|result| result.instructions),
            times_bare: self.bare(case).and_then(|bare| {
                let rounds = result.nanoseconds.iter().zip(&bare.nanoseconds);
                median(rounds.map(|(case, bare)| case / bare))
            }),
            best_peer,
            of_peer: best_peer.and_then(|peer| {
                let (case, peer) = (self.above(case)?, self.above(peer)?);
                median(case.zip(peer).map(|(case, peer)| case / peer))
            }),
        }
    }

    fn result(&self, id: &str) -> Option<&CaseResult> {
        self.results.iter().find(|result| result.id == id)
    }

    /// The time above the reference, by round. The reference of a service runs in the same process.
    fn above(&self, case: &Case) -> Option<impl Iterator<Item = f64>> {
        let result = self.result(case.id)?;
        let reference = match (case.above, self.area.method) {
            (Some(id), _) => Some(self.result(id)?),
            (None, Method::Service { .. }) => None,
            (None, Method::Rounds { .. } | Method::Once { .. }) => return None,
        };
        let of_reference = move |round| match reference {
            Some(reference) => reference.nanoseconds.get(round).copied(),
            None => Some(0.0),
        };
        let rounds = result.nanoseconds.iter().enumerate();
        Some(rounds.filter_map(move |(round, case)| Some(case - of_reference(round)?)))
    }

    fn median_above(&self, case: &Case) -> Option<f64> {
        median(self.above(case)?)
    }

    /// The case at the end of the chain of references.
    fn bare(&self, case: &Case) -> Option<&CaseResult> {
        let mut id = case.above?;
        // Limits the chain of references, which could be circular.
        for _ in &self.area.cases {
            match self.area.case(id)?.above {
                Some(next) => id = next,
                None => return self.result(id),
            }
        }
        None
    }

    /// A peer without a reference, such as one that runs once, also qualifies.
    fn best_peer(&self, case: &Case) -> Option<&'a Case> {
        if case.role != Role::Azmon || case.group.is_empty() {
            return None;
        }
        let peers = self
            .area
            .cases
            .iter()
            .filter(|peer| peer.role == Role::Peer && peer.group == case.group);
        let cost = |peer: &Case| self.median_above(peer).unwrap_or(f64::INFINITY);
        peers.min_by(|one, other| cost(one).total_cmp(&cost(other)))
    }
}

impl Row<'_> {
    /// The value that a target of this quantity bounds.
    #[must_use]
    pub fn quantity(&self, quantity: Quantity) -> Option<f64> {
        match quantity {
            Quantity::Time => self.nanoseconds_above,
            Quantity::Allocations => self.allocations_above,
            Quantity::Instructions => self.instructions_above,
            Quantity::Figure(name) => self
                .result
                .figures
                .iter()
                .find(|figure| figure.name == name)
                .map(|figure| figure.value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{area, results};
    use super::*;

    fn row<'r, 'a>(rows: &'r [Row<'a>], id: &str) -> &'r Row<'a> {
        rows.iter().find(|row| row.case.id == id).unwrap()
    }

    #[test]
    fn costs_are_counted_above_the_reference() {
        let area = area();
        let rows = compare(&area, results());
        let azmon = row(&rows, "t/azmon");
        assert_eq!(azmon.nanoseconds, Some(250.0));
        assert_eq!(azmon.nanoseconds_above, Some(50.0));
        assert_eq!(azmon.allocations_above, Some(2.0));
        assert_eq!(azmon.instructions_above, Some(600.0));
        assert_eq!(row(&rows, "t/bare").nanoseconds_above, None);
    }

    #[test]
    fn a_service_has_its_reference_in_itself() {
        let mut area = area();
        let load = crate::measure::Load {
            connections: 1,
            rate: 1,
        };
        let block = std::time::Duration::ZERO;
        area.method = Method::Service { load, block };
        for case in &mut area.cases {
            case.above = (case.id == "t/azmon").then_some("t/nothing");
        }
        let rows = compare(&area, results());
        assert_eq!(row(&rows, "t/peer/good").nanoseconds_above, Some(400.0));
        assert_eq!(row(&rows, "t/azmon").nanoseconds_above, Some(50.0));
        assert_eq!(row(&rows, "t/azmon").of_peer, Some(0.125));
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        let area = area();
        let rows = compare(&area, results());
        // The machine was ten times slower in the last round, which affects no ratio.
        assert_eq!(row(&rows, "t/azmon").times_bare, Some(2.5));
        assert_eq!(row(&rows, "t/azmon").of_peer, Some(0.25));
    }

    #[test]
    fn the_best_peer_is_the_one_of_the_group_that_adds_least() {
        let area = area();
        let rows = compare(&area, results());
        assert_eq!(row(&rows, "t/azmon").best_peer.unwrap().id, "t/peer/good");
        assert!(row(&rows, "t/peer/good").best_peer.is_none());
        assert!(row(&rows, "t/azmon/alone").best_peer.is_none());
    }
}
