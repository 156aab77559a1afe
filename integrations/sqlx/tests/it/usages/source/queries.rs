//! All kinds of queries.

use sqlx::{
    AssertSqlSafe, Column, Executor, QueryBuilder, Row, SqlSafeStr, Sqlite, Statement, TypeInfo,
};

use super::{count, pool};

#[derive(Debug, PartialEq, sqlx::FromRow)]
struct User {
    id: i64,
    name: String,
}

/// Checked at compile time against `.sqlx`. To update that folder, build the tests with `DATABASE_URL` set to a
/// database with the migrations, and `SQLX_OFFLINE_DIR` set to the folder.
#[tokio::test]
async fn macros() {
    let pool = pool().await;
    let ada = sqlx::query!("SELECT id, name FROM users WHERE id = ?", 1)
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!((ada.id, ada.name.as_str()), (1, "Ada"));
    let mut tx = pool.begin().await.unwrap();
    let users = sqlx::query_as!(User, "SELECT id, name FROM users ORDER BY id")
        .fetch_all(&mut *tx)
        .await
        .unwrap();
    assert_eq!(users.len(), 2);
    let name = sqlx::query_scalar!("SELECT name FROM users WHERE id = ?", 2)
        .fetch_optional(&mut *tx)
        .await
        .unwrap();
    assert_eq!(name.as_deref(), Some("Grace"));
    sqlx::query!("DELETE FROM users WHERE id = ?", 2)
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(count(&pool).await, 1);
}

#[tokio::test]
async fn functions() {
    let pool = pool().await;
    let row = sqlx::query("SELECT id, name FROM users WHERE name = ?")
        .bind("Ada")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(row.get::<i64, _>("id"), 1);
    let user: User = sqlx::query_as("SELECT id, name FROM users WHERE id = 1")
        .fetch_one(&pool)
        .await
        .unwrap();
    let (id, name): (i64, String) = sqlx::query_as("SELECT id, name FROM users")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(user, User { id, name });
    let ids: Vec<i64> = sqlx::query_scalar("SELECT id FROM users")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(ids, [1, 2]);
    let doubled = sqlx::query("SELECT id FROM users")
        .map(|row: sqlx::sqlite::SqliteRow| row.get::<i64, _>(0) * 2);
    assert_eq!(doubled.fetch_all(&pool).await.unwrap(), [2, 4]);
    let halved = sqlx::query("SELECT id FROM users")
        .try_map(|row: sqlx::sqlite::SqliteRow| row.try_get::<i64, _>(0));
    assert_eq!(halved.fetch_optional(&pool).await.unwrap(), Some(1));
    let none = sqlx::query("SELECT id FROM users WHERE id = 9")
        .fetch_optional(&pool)
        .await
        .unwrap();
    assert!(none.is_none());
    let missing = sqlx::query("SELECT id FROM users WHERE id = 9")
        .fetch_one(&pool)
        .await;
    assert!(matches!(missing, Err(sqlx::Error::RowNotFound)));
}

#[tokio::test]
async fn texts() {
    let pool = pool().await;
    let done = sqlx::raw_sql("UPDATE users SET name = name || '!'; DELETE FROM users WHERE id = 1")
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(done.rows_affected(), 3);
    assert_eq!(
        pool.fetch_all("SELECT * FROM users").await.unwrap().len(),
        1
    );
    pool.execute(AssertSqlSafe(format!("DELETE FROM users WHERE id = {}", 2)))
        .await
        .unwrap();
    let dynamic: std::sync::Arc<str> = "SELECT * FROM users".into();
    assert!(
        pool.fetch_optional(AssertSqlSafe(dynamic))
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn builders() {
    let pool = pool().await;
    let mut builder = QueryBuilder::<Sqlite>::new("INSERT INTO users (name) ");
    builder.push_values(["a", "b"], |mut row, name| {
        row.push_bind(name);
    });
    builder.build().execute(&pool).await.unwrap();
    builder.reset().push_values(["c"], |mut row, name| {
        row.push_bind(name);
    });
    builder
        .build()
        .persistent(false)
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(count(&pool).await, 5);
    let mut select = QueryBuilder::<Sqlite>::new("SELECT id, name FROM users WHERE id > ");
    let users: Vec<User> = select
        .push_bind(2)
        .build_query_as()
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(users.len(), 3);
}

#[tokio::test]
async fn statements() {
    let pool = pool().await;
    let statement = pool
        .prepare("SELECT id, name FROM users WHERE id = ?".into_sql_str())
        .await
        .unwrap();
    assert_eq!(statement.columns()[1].name(), "name");
    let mut conn = pool.acquire().await.unwrap();
    for id in [1, 2] {
        let row = statement
            .query()
            .bind(id)
            .fetch_one(&mut *conn)
            .await
            .unwrap();
        assert_eq!(row.get::<i64, _>(0), id);
    }
    let statement = conn
        .prepare_with("SELECT ? + 1".into_sql_str(), &[])
        .await
        .unwrap();
    let (sum,): (i64,) = statement
        .query_as()
        .bind(1)
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    assert_eq!(sum, 2);
    let described = (&mut *conn)
        .describe("SELECT id FROM users".into_sql_str())
        .await
        .unwrap();
    assert_eq!(described.columns()[0].type_info().name(), "INTEGER");
}

/// A value that cannot be encoded.
struct Unencodable;

impl sqlx::Type<Sqlite> for Unencodable {
    fn type_info() -> sqlx::sqlite::SqliteTypeInfo {
        <i64 as sqlx::Type<Sqlite>>::type_info()
    }
}

impl sqlx::Encode<'_, Sqlite> for Unencodable {
    fn encode_by_ref(
        &self,
        _: &mut sqlx::sqlite::SqliteArgumentsBuffer,
    ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
        Err("it cannot be encoded".into())
    }
}

#[tokio::test]
async fn parameters_that_cannot_be_encoded() {
    let pool = pool().await;
    let failed = sqlx::query("SELECT ?")
        .bind(Unencodable)
        .fetch_one(&pool)
        .await;
    assert!(matches!(failed, Err(sqlx::Error::Encode(_))), "{failed:?}");
    assert_eq!(count(&pool).await, 2);
}
