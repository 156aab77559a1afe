use std::collections::{BTreeMap, BTreeSet};

/// Named nodes, and the uses between them.
#[derive(Debug, Default)]
pub(super) struct Graph {
    arrows: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

/// The maximum number of printed uses for each arrow.
const MAX_USES: usize = 3;

impl Graph {
    pub(super) fn add(&mut self, from: &str, to: &str, reason: String) {
        let targets = self.arrows.entry(from.to_owned()).or_default();
        targets.entry(to.to_owned()).or_default().insert(reason);
    }

    /// The strongly connected sets of nodes, each with its arrows.
    pub(super) fn circles(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let mut circles = Vec::new();
        for node in self.arrows.keys() {
            if seen.contains(node) {
                continue;
            }
            let reached = self.reached_from(node);
            let circle: BTreeSet<_> = reached
                .into_iter()
                .filter(|other| self.reached_from(other).contains(node.as_str()))
                .collect();
            if !circle.is_empty() {
                circles.push(self.describe(&circle));
                seen.extend(circle.into_iter().map(str::to_owned));
            }
        }
        circles
    }

    fn reached_from(&self, node: &str) -> BTreeSet<&str> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<&str> = self.targets(node).collect();
        while let Some(node) = open.pop() {
            if reached.insert(node) {
                open.extend(self.targets(node));
            }
        }
        reached
    }

    fn targets(&self, node: &str) -> impl Iterator<Item = &str> {
        let targets = self.arrows.get(node).into_iter().flatten();
        targets.map(|(target, _)| target.as_str())
    }

    fn describe(&self, circle: &BTreeSet<&str>) -> String {
        let names: Vec<_> = circle.iter().copied().collect();
        let mut text = names.join(", ");
        for from in circle {
            for (to, uses) in self.arrows.get(*from).into_iter().flatten() {
                if circle.contains(to.as_str()) {
                    text += &format!("\n  {from} -> {to}");
                    for reason in uses.iter().take(MAX_USES) {
                        text += &format!("\n    {reason}");
                    }
                }
            }
        }
        text
    }
}
