//! A case: one way to do the work of an area.

use std::borrow::Cow;
use std::fmt;

use crate::measure::Workload;

/// One way to do the work of an area.
pub struct Case {
    /// A stable and unique id: `server/azmon/recorded`.
    pub id: &'static str,
    /// The label in the table.
    pub label: Cow<'static, str>,
    /// Facts that matter for a comparison: recorded attributes, versions.
    pub remark: Cow<'static, str>,
    /// The instrumentation of the case.
    pub role: Role,
    /// The group of comparison: azmon's cases and the peers' cases of one group do the same.
    pub group: &'static str,
    /// The reference, above which its cost is measured.
    pub above: Option<&'static str>,
    /// The number of spans that one operation delivers, if known.
    pub records: Option<u64>,
    /// The number of log records that one operation delivers.
    pub logs: u64,
    /// Whether every request is counted by the standard metric of requests, sampled or not.
    pub counts_requests: bool,
    /// The name in the README's short table, if the case is in it.
    pub headline: Option<&'static str>,
    start: Box<dyn Fn() -> Box<dyn Workload>>,
}

/// The instrumentation of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// None.
    Bare,
    /// A wrapper that does nothing, such as a layer that only calls the next service.
    Nothing,
    /// azmon.
    Azmon,
    /// Another library.
    Peer,
}

impl Case {
    /// Makes a case without instrumentation.
    pub fn bare<W, F>(id: &'static str, label: impl Into<Cow<'static, str>>, start: F) -> Self
    where
        W: Workload + 'static,
        F: Fn() -> W + 'static,
    {
        Self::new(Role::Bare, id, label.into(), start)
    }

    /// Makes a case with a wrapper that does nothing.
    pub fn nothing<W, F>(id: &'static str, label: impl Into<Cow<'static, str>>, start: F) -> Self
    where
        W: Workload + 'static,
        F: Fn() -> W + 'static,
    {
        Self::new(Role::Nothing, id, label.into(), start)
    }

    /// Makes a case of azmon. `start` is called once, in the process of the case.
    pub fn azmon<W, F>(id: &'static str, label: impl Into<Cow<'static, str>>, start: F) -> Self
    where
        W: Workload + 'static,
        F: Fn() -> W + 'static,
    {
        Self::new(Role::Azmon, id, label.into(), start)
    }

    /// Makes a case of another library.
    pub fn peer<W, F>(id: &'static str, label: impl Into<Cow<'static, str>>, start: F) -> Self
    where
        W: Workload + 'static,
        F: Fn() -> W + 'static,
    {
        Self::new(Role::Peer, id, label.into(), start)
    }

    fn new<W, F>(role: Role, id: &'static str, label: Cow<'static, str>, start: F) -> Self
    where
        W: Workload + 'static,
        F: Fn() -> W + 'static,
    {
        Self {
            id,
            label,
            remark: Cow::Borrowed(""),
            role,
            group: "",
            above: None,
            records: None,
            logs: 0,
            counts_requests: false,
            headline: None,
            start: Box::new(move || Box::new(start())),
        }
    }

    /// Sets the reference, above which the cost of this case is measured.
    #[must_use]
    pub fn above(mut self, id: &'static str) -> Self {
        self.above = Some(id);
        self
    }

    /// Sets the group of comparison.
    #[must_use]
    pub fn group(mut self, group: &'static str) -> Self {
        self.group = group;
        self
    }

    /// Sets the number of spans that one operation delivers. Defaults to unknown.
    #[must_use]
    pub fn records(mut self, spans: u64) -> Self {
        self.records = Some(spans);
        self
    }

    /// Sets the number of log records that one operation delivers. Defaults to none.
    #[must_use]
    pub fn logs(mut self, records: u64) -> Self {
        self.logs = records;
        self
    }

    /// Declares that the standard metric of requests counts every request.
    #[must_use]
    pub fn counts_requests(mut self) -> Self {
        self.counts_requests = true;
        self
    }

    /// Sets the facts that matter for a comparison.
    #[must_use]
    pub fn remark(mut self, remark: impl Into<Cow<'static, str>>) -> Self {
        self.remark = remark.into();
        self
    }

    /// Shows the case in the short table of the README, under this name, if its area is one of services.
    #[must_use]
    pub fn headline(mut self, name: &'static str) -> Self {
        self.headline = Some(name);
        self
    }

    /// Sets up the work and its providers for this process.
    #[must_use]
    pub fn start(&self) -> Box<dyn Workload> {
        (self.start)()
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case")
            .field("id", &self.id)
            .field("role", &self.role)
            .field("group", &self.group)
            .field("above", &self.above)
            .field("records", &self.records)
            .finish_non_exhaustive()
    }
}
