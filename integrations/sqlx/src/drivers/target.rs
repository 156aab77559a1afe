use crate::Dialect;

/// The server and database of connections, as span attributes name them.
///
/// # Examples
/// ```
/// use azmon_sqlx::{Dialect, Target};
///
/// let target = Target::new("cockroachdb", Dialect::Postgres).address("db.internal", Some(26257)).namespace("shop");
/// # let _ = target;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub(crate) system: &'static str,
    pub(crate) dialect: Dialect,
    pub(crate) address: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) namespace: Option<String>,
}

impl Target {
    /// A database of the product `system`, with queries in `dialect`.
    ///
    /// `system` is a value of OpenTelemetry's `db.system.name`, such as `postgresql`.
    #[must_use]
    pub fn new(system: &'static str, dialect: Dialect) -> Self {
        Self {
            system,
            dialect,
            address: None,
            port: None,
            namespace: None,
        }
    }

    /// Sets `server.address` and `server.port`: a host, or the path of a socket without a port.
    #[must_use]
    pub fn address(mut self, address: impl Into<String>, port: Option<u16>) -> Self {
        self.address = Some(address.into());
        self.port = port;
        self
    }

    /// Sets the name of the database, `db.namespace`.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// OpenTelemetry's default name of a pool: `address:port/namespace`, without the unknown parts.
    pub(crate) fn pool_name(&self) -> String {
        let mut name = self.address.clone().unwrap_or_default();
        if let Some(port) = self.port {
            name.push_str(&format!(":{port}"));
        }
        match (&self.namespace, name.is_empty()) {
            (Some(namespace), false) => name + "/" + namespace,
            (Some(namespace), true) => namespace.clone(),
            (None, false) => name,
            (None, true) => self.system.to_owned(),
        }
    }
}
