use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use sqlx_core::{Either, Result};

use super::run::{self, Step, Steps};
use crate::{Connection, Driver, Parts};

/// A stream of the items of a query, which runs at the first poll.
pub(super) struct Rows<'c, DB: Driver, T> {
    stage: Stage<'c, DB>,
    start: fn(&'c mut Connection<DB>, Parts<DB>) -> Steps<'c, DB>,
    pick: fn(Step<DB>) -> Option<T>,
}

enum Stage<'c, DB: Driver> {
    Waiting(Option<(&'c mut Connection<DB>, Parts<DB>)>),
    Running(Steps<'c, DB>),
}

impl<'c, DB: Driver, T> Rows<'c, DB, T> {
    fn new(
        connection: &'c mut Connection<DB>,
        query: Parts<DB>,
        start: fn(&'c mut Connection<DB>, Parts<DB>) -> Steps<'c, DB>,
        pick: fn(Step<DB>) -> Option<T>,
    ) -> Self {
        Self {
            stage: Stage::Waiting(Some((connection, query))),
            start,
            pick,
        }
    }
}

impl<'c, DB: Driver> Rows<'c, DB, Step<DB>> {
    /// Rows and results.
    pub(super) fn many(connection: &'c mut Connection<DB>, query: Parts<DB>) -> Self {
        Self::new(connection, query, run::fetch, Some)
    }
}

impl<'c, DB: Driver> Rows<'c, DB, DB::Row> {
    /// Rows alone.
    pub(super) fn only_rows(connection: &'c mut Connection<DB>, query: Parts<DB>) -> Self {
        Self::new(connection, query, run::fetch, Either::right)
    }
}

impl<'c, DB: Driver> Rows<'c, DB, DB::QueryResult> {
    /// Results alone.
    pub(super) fn only_results(connection: &'c mut Connection<DB>, query: Parts<DB>) -> Self {
        Self::new(connection, query, run::run, Either::left)
    }
}

/// Nothing here is structurally pinned: the drivers' streams are boxed.
impl<DB: Driver, T> Unpin for Rows<'_, DB, T> {}

impl<DB: Driver, T> Stream for Rows<'_, DB, T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            match &mut this.stage {
                Stage::Waiting(query) => {
                    let Some((connection, query)) = query.take() else {
                        return Poll::Ready(None);
                    };
                    this.stage = Stage::Running((this.start)(connection, query));
                }
                Stage::Running(steps) => match ready!(Pin::new(steps).poll_next(context)) {
                    Some(Ok(step)) => {
                        if let Some(item) = (this.pick)(step) {
                            return Poll::Ready(Some(Ok(item)));
                        }
                    }
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    None => return Poll::Ready(None),
                },
            }
        }
    }
}
