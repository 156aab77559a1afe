//! `/api/users`, and the number of users in other responses.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use azmon_envelope::tags;
use serde::Serialize;

use crate::api::Context;
use crate::api::answer::answer;
use crate::api::ask::{Ask, Scope};
use crate::api::items::{NARROWED, of_problem};
use crate::api::parameters::{Parameters, RANGED, SEARCHED};
use crate::api::time::Time;
use crate::server::ApiError;
use crate::store::said::user;
use crate::store::{Item, ItemFilter, ItemKind, Order, Reader, Row, Series};

/// The maximum number of rows that are read to count users.
const MAX_ROWS: usize = 50_000;
const DEFAULT_LIMIT: usize = 200;
const MAX_LIMIT: usize = 1_000;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UserRow {
    field: &'static str,
    id: String,
    sessions: usize,
    items: i64,
    requests: i64,
    failed: i64,
    exceptions: i64,
    roles: BTreeSet<String>,
    first_seen: Time,
    last_seen: Time,
}

#[derive(Debug, Serialize)]
struct Users {
    scope: Scope,
    users: Vec<UserRow>,
    more: bool,
}

pub(super) async fn list(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(
        query.as_deref(),
        &[&RANGED, &SEARCHED, &NARROWED, &["limit"]],
    )?;
    answer(&context, move |_, reader| users_of(reader, &parameters)).await
}

fn users_of(reader: &Reader, parameters: &Parameters) -> Result<Users, ApiError> {
    let ask = Ask::new(reader, parameters)?;
    let limit = parameters.limit("limit", DEFAULT_LIMIT, MAX_LIMIT)?;
    let mut filter = ask.filter(parameters)?;
    of_problem(reader, parameters, &mut filter)?;
    filter.has_user = true;
    let mut found: HashMap<i64, (UserRow, HashSet<String>)> = HashMap::new();
    let scanned = reader.matching(&filter, Order::Newest, &mut |item, row| {
        if let (Some(hash), Some((field, id))) = (row.user, user(item.envelope())) {
            let (of_user, sessions) = found
                .entry(hash)
                .or_insert_with(|| (UserRow::new(field, id, row.time), HashSet::new()));
            of_user.add(&item, row);
            if let Some(session) = item.tag(tags::SESSION_ID).filter(|id| !id.is_empty()) {
                sessions.insert(session.to_owned());
            }
        }
        ControlFlow::Continue(())
    })?;
    let mut users: Vec<UserRow> = found
        .into_values()
        .map(|(row, sessions)| UserRow {
            sessions: sessions.len(),
            ..row
        })
        .collect();
    users.sort_by(|a, b| (b.last_seen, &a.id).cmp(&(a.last_seen, &b.id)));
    let more = users.len() > limit;
    users.truncate(limit);
    Ok(Users {
        scope: ask.scope(scanned.read, !scanned.is_cut),
        users,
        more: more || scanned.is_cut,
    })
}

impl UserRow {
    /// A user without items, who was seen last at this time.
    fn new(field: &'static str, id: &str, time: i64) -> Self {
        Self {
            field,
            id: id.to_owned(),
            sessions: 0,
            items: 0,
            requests: 0,
            failed: 0,
            exceptions: 0,
            roles: BTreeSet::new(),
            first_seen: Time(time),
            last_seen: Time(time),
        }
    }

    fn add(&mut self, item: &Item, row: &Row) {
        self.items += row.weight;
        match item.kind() {
            ItemKind::Request | ItemKind::PageView => {
                self.requests += row.weight;
                if item.success() == Some(false) {
                    self.failed += row.weight;
                }
            }
            ItemKind::Exception => self.exceptions += row.weight,
            _ => {}
        }
        let role = item.role();
        if !role.is_empty() && !self.roles.contains(role.as_ref()) {
            self.roles.insert(role.into_owned());
        }
        self.first_seen = self.first_seen.min(Time(row.time));
        self.last_seen = self.last_seen.max(Time(row.time));
    }
}

/// The number of distinct users of the matching items, by a key of their series. Reads no JSON.
pub(super) fn users<K: Eq + std::hash::Hash>(
    reader: &Reader,
    filter: &ItemFilter,
    key: impl Fn(&Series) -> K,
) -> Result<HashMap<K, usize>, ApiError> {
    let mut found: HashMap<K, HashSet<i64>> = HashMap::new();
    let mut count = 0;
    reader.rows(filter, Order::Newest, &mut |row| {
        if let (Some(user), Some(series)) = (row.user, reader.series(row.series)) {
            found.entry(key(series)).or_default().insert(user);
        }
        count += 1;
        if count < MAX_ROWS {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    Ok(found
        .into_iter()
        .map(|(key, users)| (key, users.len()))
        .collect())
}
