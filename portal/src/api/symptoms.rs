//! The symptoms that the doctor looks for, each with the items that show it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use azmon_envelope::tags;

use crate::api::ask::Ask;
use crate::server::ApiError;
use crate::store::checks::CheckId;
use crate::store::facts;
use crate::store::said::own_id;
use crate::store::{ItemFilter, ItemKind, Order, Reader, SeriesKind, span_id};

/// The number of names from which Azure's map and tables become unreadable.
pub(super) const MANY_NAMES: usize = 200;
/// The number of series of one metric from which cost becomes a concern.
pub(super) const MANY_SERIES: usize = 100;
/// The number of newest items that are checked for missing parents.
pub(super) const LOOKED_AT: usize = 3_000;
/// The time in microseconds that a child may arrive before its parent.
const LATE: i64 = 60_000_000;

/// A finding without its advice.
pub(super) struct Raw {
    pub(super) advice: &'static str,
    pub(super) detail: String,
    pub(super) role: String,
    pub(super) client: String,
    pub(super) items: i64,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) samples: Vec<i64>,
    pub(super) query: String,
    pub(super) title: String,
}

pub(super) fn refusals(reader: &Reader, ask: &Ask, raw: &mut Vec<Raw>) -> Result<(), ApiError> {
    for refusal in reader.refusals()? {
        if refusal.last < ask.range.from {
            continue;
        }
        raw.push(Raw {
            advice: "refused",
            title: format!("{} items refused: {}", refusal.items, refusal.message),
            detail: refusal.message,
            role: String::new(),
            client: refusal.client,
            items: refusal.items,
            first: refusal.first,
            last: refusal.last,
            samples: Vec::new(),
            query: String::new(),
        });
    }
    Ok(())
}

/// Findings that were made while items arrived.
pub(super) fn checked(reader: &Reader, ask: &Ask, raw: &mut Vec<Raw>) -> Result<(), ApiError> {
    let mut by_place: BTreeMap<(CheckIdOrder, String, String, String), facts::Finding> =
        BTreeMap::new();
    for finding in reader.findings(ask.app.as_deref())? {
        if finding.last < ask.range.from || finding.first >= ask.range.to {
            continue;
        }
        // The detail of a skewed clock is the skew; the largest is reported.
        let detail = if finding.id == CheckId::ClockSkew {
            String::new()
        } else {
            finding.detail.clone()
        };
        let key = (
            CheckIdOrder(finding.id.as_str()),
            detail,
            finding.role.clone(),
            finding.sdk.clone(),
        );
        match by_place.get_mut(&key) {
            Some(known) => {
                known.items += finding.items;
                known.first = known.first.min(finding.first);
                known.last = known.last.max(finding.last);
                if finding.detail.parse::<i64>().unwrap_or(0) > known.detail.parse().unwrap_or(0) {
                    known.detail = finding.detail;
                }
            }
            None => {
                by_place.insert(key, finding);
            }
        }
    }
    for finding in by_place.into_values() {
        let items = finding.items;
        let title = match finding.id {
            CheckId::Cut => format!(
                "{items} values of {} are longer than Azure keeps",
                finding.detail
            ),
            CheckId::NoRole => {
                format!("{items} items without a role name: the map cannot place them")
            }
            CheckId::NameWithId => format!("{items} requests have an id in their name"),
            CheckId::Future => format!("{items} items are from the future"),
            CheckId::TooOld => format!("{items} items are older than two days"),
            CheckId::KeyDropped => {
                format!("{items} properties have a name longer than 150 characters")
            }
            CheckId::Duplicate => format!("{items} spans were received twice"),
            CheckId::ClockSkew => format!(
                "Clock of {} differs by up to {} ms",
                finding.role, finding.detail
            ),
            CheckId::NoOperation => format!("{items} requests belong to no operation"),
        };
        let query = match finding.id {
            CheckId::NoRole => "NOT role:*".to_owned(),
            _ if finding.role.is_empty() => String::new(),
            _ => format!("role:\"{}\"", finding.role),
        };
        raw.push(Raw {
            advice: finding.id.as_str(),
            title,
            detail: finding.detail,
            role: finding.role,
            client: finding.sdk,
            items,
            first: finding.first,
            last: finding.last,
            samples: vec![finding.sample],
            query,
        });
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct CheckIdOrder(&'static str);

/// Names, targets and types with too many values.
pub(super) fn names(reader: &Reader, ask: &Ask, raw: &mut Vec<Raw>) {
    let mut names: HashMap<(&'static str, String), HashSet<&str>> = HashMap::new();
    for series in reader.all_series() {
        let dims = &series.dims;
        if !ask.accepts(series) {
            continue;
        }
        match dims.kind {
            SeriesKind::Item(ItemKind::Request) => {
                names
                    .entry(("operation names", dims.role.clone()))
                    .or_default()
                    .insert(&dims.name);
            }
            SeriesKind::Item(ItemKind::Dependency) => {
                names
                    .entry(("dependency targets", dims.role.clone()))
                    .or_default()
                    .insert(&dims.target);
                names
                    .entry(("dependency types", dims.role.clone()))
                    .or_default()
                    .insert(&dims.type_name);
            }
            SeriesKind::Item(ItemKind::CustomEvent) => {
                names
                    .entry(("event names", dims.role.clone()))
                    .or_default()
                    .insert(&dims.name);
            }
            _ => {}
        }
    }
    for ((of, role), found) in names {
        if found.len() > MANY_NAMES {
            let (first, last) = ask.kept.unwrap_or((ask.now, ask.now));
            raw.push(Raw {
                advice: "many-names",
                title: format!("{role} has {} {of}", found.len()),
                detail: of.to_owned(),
                role,
                client: String::new(),
                items: i64::try_from(found.len()).unwrap_or(i64::MAX),
                first,
                last,
                samples: Vec::new(),
                query: String::new(),
            });
        }
    }
}

/// Metrics with many series.
pub(super) fn metrics(reader: &Reader, ask: &Ask, raw: &mut Vec<Raw>) {
    let mut names: BTreeSet<(String, String)> = BTreeSet::new();
    for series in reader.all_series() {
        if ask.accepts(series) && series.dims.kind == SeriesKind::Item(ItemKind::CustomMetric) {
            names.insert((series.dims.name.clone(), series.dims.role.clone()));
        }
    }
    for (name, role) in names.into_iter().take(200) {
        let filter = ItemFilter {
            app: ask.app.clone(),
            roles: vec![role.clone()],
            kinds: vec![ItemKind::CustomMetric],
            name: Some(name.clone()),
            range: ask.range,
            ..ItemFilter::default()
        };
        let Ok((items, ..)) = reader.list(&filter, Order::Newest, 2 * MANY_SERIES) else {
            continue;
        };
        let combinations: HashSet<String> = items
            .iter()
            .map(|item| {
                let pairs = item.envelope().data.properties().iter();
                pairs
                    .map(|(key, value)| format!("{key}\u{1f}{value}\u{1e}"))
                    .collect()
            })
            .collect();
        if combinations.len() > MANY_SERIES {
            raw.push(Raw {
                advice: "many-series",
                title: format!("{name} has more than {MANY_SERIES} series"),
                detail: name.clone(),
                role,
                client: String::new(),
                items: i64::try_from(combinations.len()).unwrap_or(i64::MAX),
                first: ask.range.from,
                last: ask.range.to,
                samples: items
                    .iter()
                    .take(5)
                    .map(|item| item.id().cast_signed())
                    .collect(),
                query: format!("name:\"{name}\""),
            });
        }
    }
}

/// Items whose parent id matches no item.
pub(super) fn orphans(reader: &Reader, ask: &Ask, raw: &mut Vec<Raw>) -> Result<(), ApiError> {
    let filter = ItemFilter {
        app: ask.app.clone(),
        roles: ask.roles.clone(),
        kinds: vec![
            ItemKind::Request,
            ItemKind::Dependency,
            ItemKind::Trace,
            ItemKind::Exception,
            ItemKind::PageView,
        ],
        range: ask.range,
        ..ItemFilter::default()
    };
    let (items, ..) = reader.list(&filter, Order::LastArrived, LOOKED_AT)?;
    let spans: HashSet<(&str, &str)> = items
        .iter()
        .filter_map(|item| {
            Some((
                item.operation_id()?,
                span_id(own_id(&item.envelope().data)?),
            ))
        })
        .collect();
    // An operation that began before the checked items may have its parents among older ones.
    let horizon = items
        .iter()
        .map(crate::api::items::time_of)
        .min()
        .unwrap_or(0)
        + LATE;
    let mut found: BTreeMap<(String, String), Vec<&crate::store::Item>> = BTreeMap::new();
    for item in &items {
        let time = crate::api::items::time_of(item);
        let is_settled = time < ask.now - LATE && (items.len() < LOOKED_AT || time > horizon);
        // The caller of a request may send no telemetry.
        if !is_settled || item.kind() == ItemKind::Request {
            continue;
        }
        let (Some(operation), Some(parent)) =
            (item.operation_id(), item.tag(tags::OPERATION_PARENT_ID))
        else {
            continue;
        };
        let parent = span_id(parent);
        if parent != operation && !spans.contains(&(operation, parent)) {
            let client = item
                .tag(tags::INTERNAL_SDK_VERSION)
                .unwrap_or_default()
                .to_owned();
            found
                .entry((item.role().into_owned(), client))
                .or_default()
                .push(item);
        }
    }
    for ((role, client), items) in found {
        let times = || items.iter().map(|item| crate::api::items::time_of(item));
        raw.push(Raw {
            advice: "orphans",
            title: format!("{} items have a parent that never arrived", items.len()),
            detail: String::new(),
            query: if role.is_empty() {
                String::new()
            } else {
                format!("role:\"{role}\"")
            },
            role,
            client,
            items: i64::try_from(items.len()).unwrap_or(i64::MAX),
            first: times().min().unwrap_or(0),
            last: times().max().unwrap_or(0),
            samples: items
                .iter()
                .take(10)
                .map(|item| item.id().cast_signed())
                .collect(),
        });
    }
    Ok(())
}
