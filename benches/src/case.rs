//! One way to do the work of an area.

use std::borrow::Cow;
use std::fmt;

use crate::measure::Workload;

/// One way to do the work of an area.
pub struct Case {
    /// Stable, and unique: `server/azmon/recorded`.
    pub id: &'static str,
    /// What the table calls it.
    pub label: Cow<'static, str>,
    /// What one has to know to compare it: attributes recorded, versions.
    pub remark: Cow<'static, str>,
    /// Whose work it is.
    pub role: Role,
    /// What it is to be compared with: azmon's cases and the peers' of one group do the same.
    pub group: &'static str,
    /// The case above which its cost is counted.
    pub above: Option<&'static str>,
    /// How many spans one operation delivers, where that is known.
    pub records: Option<u64>,
    /// How many log records one operation delivers.
    pub logs: u64,
    /// Whether every request is counted by the standard metric of requests, sampled or not.
    pub counts_requests: bool,
    /// What the short table in the README calls it, if it is in there.
    pub headline: Option<&'static str>,
    start: Box<dyn Fn() -> Box<dyn Workload>>,
}

/// Whose work a case is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The work alone.
    Bare,
    /// The work within something that does nothing, such as a layer that only calls the next.
    Nothing,
    /// With azmon.
    Azmon,
    /// With another library.
    Peer,
}

impl Case {
    /// Makes a case of the work alone.
    pub fn bare<W, F>(id: &'static str, label: impl Into<Cow<'static, str>>, start: F) -> Self
    where
        W: Workload + 'static,
        F: Fn() -> W + 'static,
    {
        Self::new(Role::Bare, id, label.into(), start)
    }

    /// Makes a case of the work within something that does nothing.
    pub fn nothing<W, F>(id: &'static str, label: impl Into<Cow<'static, str>>, start: F) -> Self
    where
        W: Workload + 'static,
        F: Fn() -> W + 'static,
    {
        Self::new(Role::Nothing, id, label.into(), start)
    }

    /// Makes a case of azmon. `start` is called in the process of the case alone, once.
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

    /// Sets the case above which this one's cost is counted.
    #[must_use]
    pub fn above(mut self, id: &'static str) -> Self {
        self.above = Some(id);
        self
    }

    /// Sets with which cases it is compared.
    #[must_use]
    pub fn group(mut self, group: &'static str) -> Self {
        self.group = group;
        self
    }

    /// Sets how many spans one operation delivers. Defaults to not knowing.
    #[must_use]
    pub fn records(mut self, spans: u64) -> Self {
        self.records = Some(spans);
        self
    }

    /// Sets how many log records one operation delivers. Defaults to none.
    #[must_use]
    pub fn logs(mut self, records: u64) -> Self {
        self.logs = records;
        self
    }

    /// Says that every request is counted by the standard metric of requests.
    #[must_use]
    pub fn counts_requests(mut self) -> Self {
        self.counts_requests = true;
        self
    }

    /// Sets what one has to know to compare it.
    #[must_use]
    pub fn remark(mut self, remark: impl Into<Cow<'static, str>>) -> Self {
        self.remark = remark.into();
        self
    }

    /// Shows it in the short table of the README, under this name, if its area is one of services.
    #[must_use]
    pub fn headline(mut self, name: &'static str) -> Self {
        self.headline = Some(name);
        self
    }

    /// Sets up the work, with the providers it needs, for this process.
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
