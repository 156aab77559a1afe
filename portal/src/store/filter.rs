//! The conditions of a query for items.

use crate::store::dictionary::{OTHERS, Series};
use crate::store::prepared::SeriesKind;
use crate::store::row::Row;
use crate::store::search::Expression;
use crate::store::{Item, ItemKind};

/// A range of time without its end, in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) from: i64,
    pub(crate) to: i64,
}

impl Range {
    pub(crate) const ALL: Self = Self {
        from: i64::MIN / 4,
        to: i64::MAX / 4,
    };

    pub(crate) const fn length(self) -> i64 {
        self.to.saturating_sub(self.from)
    }

    pub(crate) const fn contains(self, time: i64) -> bool {
        self.from <= time && time < self.to
    }
}

/// The conditions of a query for items. An item must meet all of them.
#[derive(Debug, Clone)]
pub(crate) struct ItemFilter {
    pub(crate) app: Option<String>,
    pub(crate) roles: Vec<String>,
    pub(crate) kinds: Vec<ItemKind>,
    pub(crate) range: Range,
    /// Only items of the operation with this id.
    pub(crate) operation: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) target: Option<String>,
    pub(crate) type_name: Option<String>,
    pub(crate) success: Option<bool>,
    pub(crate) is_browser: Option<bool>,
    /// Only items that name a user or a session.
    pub(crate) has_user: bool,
    /// Microseconds.
    pub(crate) duration: (Option<i64>, Option<i64>),
    pub(crate) expression: Option<Expression>,
    /// Filters, each with the name of its field.
    pub(crate) filters: Vec<(String, Expression)>,
}

impl Default for ItemFilter {
    fn default() -> Self {
        Self {
            app: None,
            roles: Vec::new(),
            kinds: Vec::new(),
            range: Range::ALL,
            operation: None,
            name: None,
            target: None,
            type_name: None,
            success: None,
            is_browser: None,
            has_user: false,
            duration: (None, None),
            expression: None,
            filters: Vec::new(),
        }
    }
}

impl ItemFilter {
    /// Whether items of the series can match.
    pub(crate) fn accepts(&self, series: &Series) -> bool {
        let dims = &series.dims;
        let SeriesKind::Item(kind) = dims.kind else {
            return false;
        };
        let is = |wanted: &Option<String>, found: &str| {
            wanted
                .as_deref()
                .is_none_or(|wanted| wanted == found || found == OTHERS)
        };
        (self.kinds.is_empty() || self.kinds.contains(&kind))
            && is(&self.app, &dims.app)
            && (self.roles.is_empty() || self.roles.contains(&dims.role) || dims.role == OTHERS)
            && is(&self.name, &dims.name)
            && is(&self.target, &dims.target)
            && is(&self.type_name, &dims.type_name)
            && self
                .success
                .is_none_or(|success| dims.success == Some(success))
            && self
                .is_browser
                .is_none_or(|is_browser| dims.is_browser == is_browser)
    }

    /// Whether an item of an accepted series matches, without the filters.
    pub(super) fn matches(&self, item: &Item, series: &Series) -> bool {
        // A series of grouped values represents many names.
        let is_exact = series.dims.name != OTHERS || self.matches_exactly(item);
        is_exact
            && self
                .operation
                .as_deref()
                .is_none_or(|id| item.operation_id().is_some_and(|found| found == id))
            && self
                .expression
                .as_ref()
                .is_none_or(|expression| expression.matches(item))
    }

    fn matches_exactly(&self, item: &Item) -> bool {
        self.name.as_deref().is_none_or(|name| item.name() == name)
            && self
                .target
                .as_deref()
                .is_none_or(|target| item.target() == Some(target))
            && (self.roles.is_empty() || self.roles.iter().any(|role| item.role() == role.as_str()))
    }

    pub(super) fn takes(&self, row: &Row) -> bool {
        let (least, most) = self.duration;
        let has_duration = match row.duration {
            Some(duration) => {
                least.is_none_or(|least| duration >= least)
                    && most.is_none_or(|most| duration < most)
            }
            None => least.is_none() && most.is_none(),
        };
        let has_user = !self.has_user || row.user.is_some();
        has_duration && has_user && self.range.contains(row.time)
    }

    /// A full-text query that finds a superset of the matches.
    pub(super) fn full_text(&self) -> Option<String> {
        let own = self.expression.as_ref().and_then(Expression::full_text);
        let of_filters = self
            .filters
            .iter()
            .filter_map(|(_, expression)| expression.full_text());
        let parts: Vec<_> = own.into_iter().chain(of_filters).collect();
        (!parts.is_empty()).then(|| parts.join(" AND "))
    }

    /// Whether the series and the row decide every match, without the JSON.
    pub(crate) fn is_simple(&self) -> bool {
        self.expression.is_none() && self.filters.is_empty() && self.operation.is_none()
    }
}
