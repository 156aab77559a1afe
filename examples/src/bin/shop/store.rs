use azmon_sqlx::AnyPool;
use azmon_sqlx::any::AnyPoolOptions;
use serde::Serialize;
use sqlx::FromRow;

/// The articles of the initial orders.
const FIRST_ORDERS: [&str; 9] = [
    "tea", "coffee", "milk", "sugar", "bread", "butter", "honey", "salt", "rice",
];

/// An order.
#[derive(Debug, Serialize, FromRow)]
pub(crate) struct Order {
    id: i64,
    article: String,
}

/// The orders of the shop, in a database.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    pool: AnyPool,
}

impl Store {
    /// Opens a database by its URL, and inserts the initial orders if it is empty.
    ///
    /// A SQLite database in memory belongs to its connection, so the pool has one connection.
    pub(crate) async fn open(url: &str) -> sqlx::Result<Self> {
        sqlx::any::install_default_drivers();
        let connections = if url.starts_with("sqlite:") { 1 } else { 5 };
        let pool = AnyPoolOptions::new()
            .max_connections(connections)
            .connect(url)
            .await?;
        sqlx::query(
            "CREATE TABLE IF NOT EXISTS orders (id BIGINT PRIMARY KEY, article TEXT NOT NULL)",
        )
        .execute(&pool)
        .await?;
        let store = Self { pool };
        if store.find(1).await?.is_none() {
            for article in FIRST_ORDERS {
                store.add(article).await?;
            }
        }
        Ok(store)
    }

    /// Finds an order.
    pub(crate) async fn find(&self, id: i64) -> sqlx::Result<Option<Order>> {
        sqlx::query_as("SELECT id, article FROM orders WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.pool)
            .await
    }

    /// Adds an order, and returns it with its number.
    pub(crate) async fn add(&self, article: &str) -> sqlx::Result<Order> {
        let mut transaction = self.pool.begin().await?;
        let id: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(id), 0) + 1 FROM orders")
            .fetch_one(&mut *transaction)
            .await?;
        sqlx::query("INSERT INTO orders (id, article) VALUES ($1, $2)")
            .bind(id)
            .bind(article)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Order {
            id,
            article: article.to_owned(),
        })
    }
}
