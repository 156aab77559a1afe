//! The calls to a driver, each of which is one operation.

use std::future::poll_fn;
use std::pin::Pin;

use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use sqlx_core::describe::Describe;
use sqlx_core::sql_str::SqlStr;
use sqlx_core::{Either, Error, Result};

use crate::connection::Site;
use crate::operation::{Call, Operation, Traced};
use crate::statements::Use;
use crate::{Connection, Driver, Parts};

/// An item of a query: the result of a statement, or a row.
pub(super) type Step<DB> = Either<
    <DB as sqlx_core::database::Database>::QueryResult,
    <DB as sqlx_core::database::Database>::Row,
>;

pub(super) type Steps<'c, DB> = Traced<'c, BoxStream<'c, Result<Step<DB>>>, Step<DB>>;

/// Runs a query and returns its rows.
pub(super) fn fetch<DB: Driver>(
    connection: &mut Connection<DB>,
    query: Parts<DB>,
) -> Steps<'_, DB> {
    let (raw, site) = connection.split();
    let mut operation = Operation::start(run_of(site, &query));
    if let Some(operation) = &mut operation {
        operation.add_returned_rows(0);
    }
    Traced::new(operation, note_step::<DB>, DB::fetch_many(raw, query))
}

/// Runs a query and discards its rows.
pub(super) fn run<DB: Driver>(connection: &mut Connection<DB>, query: Parts<DB>) -> Steps<'_, DB> {
    let (raw, site) = connection.split();
    let operation = Operation::start(run_of(site, &query));
    Traced::new(operation, note_step::<DB>, DB::fetch_many(raw, query))
}

pub(super) async fn execute<DB: Driver>(
    connection: &mut Connection<DB>,
    query: Parts<DB>,
) -> Result<DB::QueryResult> {
    let mut steps = run(connection, query);
    let mut total = DB::QueryResult::default();
    poll_fn(|context| Pin::new(&mut steps).poll_each(context, |step| total.extend(step.left())))
        .await?;
    Ok(total)
}

pub(super) async fn fetch_all<DB: Driver>(
    connection: &mut Connection<DB>,
    query: Parts<DB>,
) -> Result<Vec<DB::Row>> {
    let mut steps = fetch(connection, query);
    let mut rows = Vec::new();
    poll_fn(|context| Pin::new(&mut steps).poll_each(context, |step| rows.extend(step.right())))
        .await?;
    Ok(rows)
}

pub(super) async fn fetch_optional<DB: Driver>(
    connection: &mut Connection<DB>,
    query: Parts<DB>,
) -> Result<Option<DB::Row>> {
    let (raw, site) = connection.split();
    let mut operation = Operation::start(run_of(site, &query));
    if let Some(operation) = operation.as_mut().filter(|_| DB::READS_TO_END)
        && operation.changes_rows()
    {
        operation.add_returned_rows(0);
    } else {
        let note = |operation: &mut Operation<'_>, row: &Option<DB::Row>| {
            operation.add_returned_rows(row.is_some().into());
        };
        let fetched: Traced<'_, BoxFuture<'_, _>, _> =
            Traced::new(operation, note, DB::fetch_optional(raw, query));
        return fetched.await;
    }
    // All steps are read to the end, as the driver would read them, so that all affected rows are counted.
    let mut steps = Traced::new(operation, note_step::<DB>, DB::fetch_many(raw, query));
    let mut first = None;
    let mut keep = |step: Step<DB>| {
        if first.is_none() {
            first = step.right();
        }
    };
    poll_fn(|context| Pin::new(&mut steps).poll_each(context, &mut keep)).await?;
    Ok(first)
}

pub(super) async fn fetch_one<DB: Driver>(
    connection: &mut Connection<DB>,
    query: Parts<DB>,
) -> Result<DB::Row> {
    fetch_optional(connection, query)
        .await?
        .ok_or(Error::RowNotFound)
}

pub(super) async fn prepare_with<DB: Driver>(
    connection: &mut Connection<DB>,
    sql: SqlStr,
    parameters: &[DB::TypeInfo],
) -> Result<DB::Statement> {
    let (raw, site) = connection.split();
    let operation = Operation::start(site.of(Use::Prepare, sql.as_str()));
    Traced::new(operation, |_, _| {}, DB::prepare_with(raw, sql, parameters)).await
}

pub(super) async fn describe<DB: Driver>(
    connection: &mut Connection<DB>,
    sql: SqlStr,
) -> Result<Describe<DB>> {
    let (raw, site) = connection.split();
    let operation = Operation::start(site.of(Use::Describe, sql.as_str()));
    Traced::new(operation, |_, _| {}, DB::describe(raw, sql)).await
}

fn run_of<'c, 'q, DB: Driver>(site: Site<'c>, query: &'q Parts<DB>) -> Call<'c, 'q> {
    Call {
        is_bound: query.is_bound(),
        ..site.of(Use::Run, query.text())
    }
}

fn note_step<DB: Driver>(operation: &mut Operation<'_>, step: &Step<DB>) {
    match step {
        Either::Left(result) => operation.add_affected_rows(DB::rows_affected(result)),
        Either::Right(_) => operation.add_returned_rows(1),
    }
}
