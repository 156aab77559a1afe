//! The store's interface for the rest of the portal.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, ErrorCode, OpenFlags, params};
use tokio::sync::{Semaphore, oneshot};

use crate::live::Hub;
use crate::store::counters::Counters;
use crate::store::dictionary::{Dictionary, Published};
use crate::store::error::{AppendError, OpenError};
use crate::store::place::{Place, PlaceError};
use crate::store::prepared::Prepared;
use crate::store::reader::Reader;
use crate::store::retention::Limits;
use crate::store::said::{self, micros};
use crate::store::schema::{self, SchemaError};
use crate::store::writer::{Command, Writer};
use crate::store::{Item, NewItem, Order, Range, tail};

/// The maximum number of JSON bytes that wait for the writer. Beyond it, clients must retry later.
const MAX_QUEUED: usize = 64 * 1_024 * 1_024;
/// The retry delay for a client that was refused.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// The number of concurrent queries.
const READERS: usize = 4;
/// The page cache of each connection, in KiB.
const WRITER_CACHE: u32 = 48 * 1_024;
const READER_CACHE: u32 = 12 * 1_024;

/// The settings of a store.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// The directory of the database; `None` for a temporary one.
    pub(crate) directory: Option<PathBuf>,
    pub(crate) limits: Limits,
    /// The size at which the database is full, in pages of 4 KiB, like a full disk.
    pub(crate) max_pages: Option<u32>,
}

/// The received items. One thread writes; a few connections read.
#[derive(Debug)]
pub(crate) struct Store {
    commands: mpsc::Sender<Command>,
    writer: Option<JoinHandle<()>>,
    queued: Arc<AtomicUsize>,
    readers: Mutex<Vec<Connection>>,
    permits: Semaphore,
    published: Arc<Published>,
    counters: Arc<Counters>,
    arrivals: tail::Receiver,
    limits: Limits,
    live: Arc<Hub>,
    /// Dropped last, since it removes a temporary directory.
    place: Place,
}

impl Store {
    pub(crate) fn open(options: &Options) -> Result<Self, OpenError> {
        let place = match &options.directory {
            Some(directory) => Place::kept(directory)?,
            None => Place::temporary()?,
        };
        let path = place.database();
        let failed = |source: rusqlite::Error| open_error(&path, SchemaError::Database(source));
        let mut connection = Connection::open(&path).map_err(failed)?;
        schema::configure(&connection, WRITER_CACHE).map_err(failed)?;
        schema::migrate(&mut connection).map_err(|source| open_error(&path, source))?;
        if let Some(pages) = options.max_pages {
            let sql = format!("PRAGMA max_page_count = {pages}");
            connection.query_row(&sql, [], |_| Ok(())).map_err(failed)?;
        }
        connection.set_prepared_statement_cache_capacity(64);
        let published = Arc::new(Published::default());
        let dictionary = Dictionary::load(&connection, Arc::clone(&published)).map_err(failed)?;
        let counters = Arc::new(Counters::default());
        let queued = Arc::new(AtomicUsize::new(0));
        let (sender, arrivals) = tail::Sender::new();
        let writer = Writer::new(
            connection,
            dictionary,
            Arc::clone(&counters),
            options.limits,
            (Arc::clone(&queued), sender),
        )
        .map_err(failed)?;
        let mut readers = Vec::with_capacity(READERS);
        for _ in 0..READERS {
            readers.push(open_reader(&path).map_err(failed)?);
        }
        let (commands, received) = mpsc::channel();
        let thread = thread::Builder::new().name("azmon-portal-writer".to_owned());
        let writer = thread
            .spawn(move || writer.work(&received))
            .map_err(|source| {
                OpenError::Place(PlaceError::Directory {
                    directory: place.directory().to_owned(),
                    source,
                })
            })?;
        Ok(Self {
            commands,
            writer: Some(writer),
            queued,
            readers: Mutex::new(readers),
            permits: Semaphore::new(READERS),
            published,
            counters,
            arrivals,
            limits: options.limits,
            live: Hub::new(),
            place,
        })
    }

    /// Live Metrics, which receive all new items.
    pub(crate) const fn live(&self) -> &Arc<Hub> {
        &self.live
    }

    /// Stores items. When it returns, they are committed and every reader sees them. A batch is stored completely
    /// or not at all.
    ///
    /// # Cancel safety
    /// If the future is dropped, the items may still be stored.
    pub(crate) async fn append(&self, items: Vec<NewItem>) -> Result<(), AppendError> {
        if items.is_empty() {
            return Ok(());
        }
        let bytes: usize = items.iter().map(NewItem::size).sum();
        let before = self.queued.fetch_add(bytes, Ordering::Relaxed);
        if before > 0 && before + bytes > MAX_QUEUED {
            self.queued.fetch_sub(bytes, Ordering::Relaxed);
            self.counters.throttled.fetch_add(1, Ordering::Relaxed);
            return Err(AppendError::Busy(RETRY_AFTER));
        }
        let now = SystemTime::now();
        let live = Arc::clone(&self.live);
        let prepare = move || {
            show(&live, &items);
            items
                .into_iter()
                .map(|item| Prepared::new(item, now))
                .collect::<Vec<_>>()
        };
        let prepared = tokio::task::spawn_blocking(prepare)
            .await
            .map_err(|error| AppendError::Failed(error.to_string()));
        let items = match prepared {
            Ok(items) => items,
            Err(error) => {
                self.queued.fetch_sub(bytes, Ordering::Relaxed);
                return Err(error);
            }
        };
        let (done, outcome) = oneshot::channel();
        let ended = || AppendError::Failed("the portal ends".to_owned());
        let command = Command::Append { items, bytes, done };
        self.commands.send(command).map_err(|_| ended())?;
        outcome.await.map_err(|_| ended())?
    }

    /// Runs a query on its own connection, on a blocking thread.
    pub(crate) async fn read<T, E, F>(self: &Arc<Self>, question: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<rusqlite::Error> + Send + 'static,
        F: FnOnce(&Reader) -> Result<T, E> + Send + 'static,
    {
        let _permit = self
            .permits
            .acquire()
            .await
            .map_err(|_| rusqlite::Error::UnwindingPanic)?;
        let store = Arc::clone(self);
        tokio::task::spawn_blocking(move || store.read_now(question))
            .await
            .map_err(|_| rusqlite::Error::UnwindingPanic)?
    }

    /// Runs a query on the calling thread.
    pub(crate) fn read_now<T, E>(
        &self,
        question: impl FnOnce(&Reader) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<rusqlite::Error>,
    {
        let reader = self.begin_read()?;
        let answer = question(&reader);
        self.end_read(reader);
        answer
    }

    /// A reader whose statements all see the same data.
    fn begin_read(&self) -> rusqlite::Result<Reader> {
        let idle = self
            .readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open_reader(&self.place.database())?,
        };
        connection.execute_batch("BEGIN")?;
        Ok(Reader {
            connection,
            series: self.published.snapshot(),
        })
    }

    fn end_read(&self, reader: Reader) {
        let ended = reader.connection.execute_batch("COMMIT");
        let mut idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if ended.is_ok() && idle.len() < READERS {
            idle.push(reader.connection);
        }
    }

    /// One state of the data, for a question that reads piece by piece.
    pub(crate) fn state(self: &Arc<Self>) -> State {
        State {
            store: Arc::clone(self),
            reader: Mutex::new(None),
        }
    }

    /// All stored items, in the order of arrival.
    pub(crate) fn all(&self) -> rusqlite::Result<Vec<Item>> {
        self.read_now(|reader| {
            let mut items = Vec::new();
            let filter = crate::store::ItemFilter {
                range: Range::ALL,
                ..Default::default()
            };
            let mut ids = Vec::new();
            reader.rows(&filter, Order::ArrivedAfter(0), &mut |row| {
                ids.push(row.id);
                std::ops::ControlFlow::Continue(())
            })?;
            for id in ids {
                items.extend(reader.item(id)?);
            }
            Ok(items)
        })
    }

    /// Runs a write operation between two commits.
    pub(super) async fn write<T, F>(&self, work: F) -> rusqlite::Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Writer) -> rusqlite::Result<T> + Send + 'static,
    {
        let (done, outcome) = oneshot::channel();
        let run = Command::Run(Box::new(move |writer| {
            // Sending fails only if the caller no longer waits.
            let _ = done.send(work(writer));
        }));
        let ended = rusqlite::Error::InvalidQuery;
        if self.commands.send(run).is_err() {
            return Err(ended);
        }
        outcome.await.unwrap_or(Err(ended))
    }

    /// Removes all items, or those of one application.
    pub(crate) async fn delete(&self, app: Option<String>) -> rusqlite::Result<i64> {
        self.write(move |writer| writer.delete(app.as_deref()))
            .await
    }

    pub(crate) async fn begin_run(&self, app: String) -> rusqlite::Result<i64> {
        self.write(move |writer| writer.begin_run(&app)).await
    }

    pub(crate) async fn save(
        &self,
        [app, kind, name, value]: [String; 4],
    ) -> rusqlite::Result<i64> {
        let now = micros(SystemTime::now());
        self.write(move |writer| {
            let sql = "INSERT OR REPLACE INTO saved VALUES (?, ?, ?, ?, ?)";
            writer
                .connection
                .execute(sql, params![app, kind, name, value, now])?;
            Ok(now)
        })
        .await
    }

    pub(crate) async fn unsave(&self, [app, kind, name]: [String; 3]) -> rusqlite::Result<usize> {
        self.write(move |writer| {
            let sql = "DELETE FROM saved WHERE app = ? AND kind = ? AND name = ?";
            writer.connection.execute(sql, params![app, kind, name])
        })
        .await
    }

    /// Counts items that were refused, by message and client.
    pub(crate) fn refuse(&self, message: &str, client: Option<&str>, count: i64) {
        let now = micros(SystemTime::now());
        if self.counters.refuse(message, client, count, now) {
            let run = Command::Run(Box::new(Writer::write_refusals));
            // An error means that the portal ends.
            let _ = self.commands.send(run);
        }
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// A receiver of the commit counter.
    pub(crate) fn arrivals(&self) -> tail::Receiver {
        self.arrivals.clone()
    }

    pub(crate) const fn limits(&self) -> Limits {
        self.limits
    }

    /// The data directory; `None` if the database is temporary.
    pub(crate) fn directory(&self) -> Option<&Path> {
        (!self.place.is_temporary()).then(|| self.place.directory())
    }
}

/// One state of the data: that of the first read.
#[derive(Debug)]
pub(crate) struct State {
    store: Arc<Store>,
    reader: Mutex<Option<Reader>>,
}

impl State {
    /// Reads from the state.
    pub(crate) fn read<T>(
        &self,
        question: impl FnOnce(&Reader) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        match &*reader {
            Some(reader) => question(reader),
            None => question(reader.insert(self.store.begin_read()?)),
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        let reader = self
            .reader
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(reader) = reader {
            self.store.end_read(reader);
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Waiting items are committed first. Sending fails only if the thread has ended.
        let _ = self.commands.send(Command::End);
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the writer panicked");
        }
    }
}

/// Passes new items to Live Metrics.
fn show(live: &Hub, items: &[NewItem]) {
    if !live.is_read() {
        return;
    }
    for item in items {
        let envelope = item.envelope();
        let role = said::role(envelope, said::is_browser(envelope));
        let weight = said::weight(envelope.sample_rate);
        live.observe(envelope, &role, weight.cast_unsigned());
    }
}

fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    schema::configure(&connection, READER_CACHE)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn open_error(path: &Path, source: SchemaError) -> OpenError {
    let path = path.to_owned();
    match source {
        SchemaError::Database(source)
            if matches!(
                source.sqlite_error_code(),
                Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
            ) =>
        {
            OpenError::Damaged { path, source }
        }
        source => OpenError::Schema { path, source },
    }
}
