use serde::Serialize;

/// The category of a dependency, for its icon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Category {
    Http,
    Sql,
    Cache,
    Queue,
    Rpc,
    Browser,
    Inproc,
    Other,
}

impl Category {
    /// The category of a dependency type that SDKs write.
    pub(super) fn of(type_name: &str, is_browser: bool) -> Self {
        let lower = type_name.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        if has(&["redis", "memcached", "cache"]) {
            Self::Cache
        } else if has(&[
            "sql",
            "postgres",
            "mysql",
            "mongo",
            "oracle",
            "db2",
            "cosmos",
            "documentdb",
            "cassandra",
            "sqlite",
            "maria",
            "database",
            "table",
        ]) {
            Self::Sql
        } else if has(&[
            "queue",
            "servicebus",
            "service bus",
            "event hub",
            "eventhub",
            "kafka",
            "rabbit",
            "amqp",
            "messag",
            "sqs",
            "pubsub",
        ]) {
            Self::Queue
        } else if has(&["grpc", "rpc", "wcf"]) {
            Self::Rpc
        } else if lower.starts_with("inproc") {
            Self::Inproc
        } else if has(&["ajax", "fetch"]) || is_browser {
            Self::Browser
        } else if has(&["http", "blob", "web"]) {
            Self::Http
        } else {
            Self::Other
        }
    }
}
