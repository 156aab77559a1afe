use std::future::poll_fn;
use std::pin::pin;

use allocation_counter::measure;
use futures_util::TryStreamExt;
use sqlx::{Database, Executor, IntoArguments, Result};
use tokio::runtime::Runtime;

/// The ways to run a query.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Execute,
    FetchAll,
    FetchOne,
    FetchOptional,
    Fetch,
    FetchMany,
}

impl Way {
    const ALL: [Self; 6] = [
        Self::Execute,
        Self::FetchAll,
        Self::FetchOne,
        Self::FetchOptional,
        Self::Fetch,
        Self::FetchMany,
    ];

    async fn run<DB, C>(self, connection: &mut C) -> Result<()>
    where
        DB: Database<Arguments: IntoArguments<DB>>,
        for<'c> &'c mut C: Executor<'c, Database = DB>,
    {
        let query = sqlx::query::<DB>("SELECT name FROM users WHERE id = 1");
        match self {
            Self::Execute => drop(query.execute(connection).await?),
            Self::FetchAll => drop(query.fetch_all(connection).await?),
            Self::FetchOne => drop(query.fetch_one(connection).await?),
            Self::FetchOptional => drop(query.fetch_optional(connection).await?),
            Self::Fetch => {
                let mut rows = query.fetch(connection);
                while rows.try_next().await?.is_some() {}
            }
            Self::FetchMany => {
                let mut steps = connection.fetch_many(query);
                while steps.try_next().await?.is_some() {}
            }
        }
        Ok(())
    }
}

/// The allocations of waiting for the result of one query, by the number of waits.
///
/// The number of waits differs from round to round, since the result may already be available.
pub(crate) type CostOfWaits = fn(u64) -> u64;

/// SQLite's thread sends the result through a channel of the query. Each wait registers a waker, and the first
/// one allocates the list of wakers.
pub(crate) const SQLITE: CostOfWaits = |waits| waits + u64::from(waits > 0);

/// A socket has its waker from the start.
pub(crate) const SOCKET: CostOfWaits = |_| 0;

/// The allocations of a query, without those of waiting, for each [`Way`] to run it, in [`ROUNDS`].
#[derive(Debug)]
pub(crate) struct Allocations([Vec<u64>; Way::ALL.len()]);

impl Allocations {
    pub(crate) fn of<DB, C>(runtime: &Runtime, connection: &mut C, of_waits: CostOfWaits) -> Self
    where
        DB: Database<Arguments: IntoArguments<DB>>,
        for<'c> &'c mut C: Executor<'c, Database = DB>,
    {
        let mut round = |way: Way| {
            let mut waits = 0;
            let run = || {
                runtime
                    .block_on(counting(&mut waits, way.run(connection)))
                    .unwrap()
            };
            let count = measure(run).count_total;
            count.checked_sub(of_waits(waits)).unwrap()
        };
        Self(Way::ALL.map(|way| {
            round(way);
            (0..ROUNDS).map(|_| round(way)).collect()
        }))
    }

    /// The minimum for each way. Some rounds allocate more, when a buffer grows.
    pub(crate) fn fewest(&self) -> [u64; Way::ALL.len()] {
        self.0
            .each_ref()
            .map(|rounds| rounds.iter().copied().min().unwrap_or_default())
    }

    #[track_caller]
    pub(crate) fn assert_at_most(&self, more: u64, than: &Self) {
        let (ours, bare) = (self.fewest(), than.fewest());
        let within = ours
            .iter()
            .zip(bare)
            .all(|(ours, bare)| *ours <= bare + more);
        assert!(
            within,
            "{:?}: {ours:?} is more than {bare:?} and {more} each",
            Way::ALL
        );
    }

    /// Asserts that all rounds agree, which shows that the cost of waits is right.
    ///
    /// One round may differ: the queue to SQLite's thread is allocated when it is busy for the first time.
    #[track_caller]
    pub(crate) fn assert_steady(&self) {
        let fewest = self.fewest();
        let more =
            self.0.iter().zip(fewest).map(|(rounds, fewest)| {
                rounds.iter().filter(move |count| **count > fewest).count()
            });
        assert!(more.sum::<usize>() <= 1, "not steady: {self:?}");
    }
}

/// Runs `future`, and counts its pending polls.
async fn counting<F: Future>(waits: &mut u64, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        let polled = future.as_mut().poll(context);
        *waits += u64::from(polled.is_pending());
        polled
    })
    .await
}

/// The rounds of each way.
pub(crate) const ROUNDS: usize = 200;
