use std::sync::Mutex;

use azmon_sqlx::SqlitePool;
use log::{Level, LevelFilter, Log, Metadata, Record};
use tokio::runtime::Runtime;

/// The log records of azmon-sqlx.
struct Logged(Mutex<Vec<Level>>);

static LOGGED: Logged = Logged(Mutex::new(Vec::new()));

impl Log for Logged {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("azmon_sqlx")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            assert!(record.args().to_string().contains("not traced"));
            self.0.lock().unwrap().push(record.level());
        }
    }

    fn flush(&self) {}
}

/// Each untraced path of sqlx logs this once.
pub(crate) fn assert_told_once(runtime: &Runtime) {
    log::set_logger(&LOGGED).unwrap();
    log::set_max_level(LevelFilter::Info);
    runtime.block_on(async {
        let pool = SqlitePool::connect("sqlite::memory:").await.unwrap();
        let told = || LOGGED.0.lock().unwrap().clone();
        assert!(told().is_empty());
        for _ in 0..2 {
            drop(sqlx::Acquire::acquire(&pool).await.unwrap());
            let mut connection = pool.acquire().await.unwrap();
            sqlx::Acquire::acquire(&mut *connection).await.unwrap();
        }
        assert_eq!(told(), [Level::Info]);
        for _ in 0..2 {
            drop(sqlx::Acquire::begin(&pool).await.unwrap());
            let mut connection = pool.acquire().await.unwrap();
            drop(sqlx::Acquire::begin(&mut *connection).await.unwrap());
        }
        assert_eq!(told(), [Level::Info, Level::Warn]);
    });
    log::set_max_level(LevelFilter::Off);
}
