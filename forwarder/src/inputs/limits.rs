use std::time::Duration;

/// The maximum size of a message, compressed or not: the default of the OpenTelemetry Collector and of gRPC.
const MESSAGE_BYTES: usize = 4 << 20;
/// The maximum number of bytes of messages that are being received or delivered.
const IN_FLIGHT_BYTES: usize = 64 << 20;
/// The maximum number of connections of one input.
const CONNECTIONS: usize = 1_024;
/// The maximum number of concurrent requests or streams on one connection.
const STREAMS: u32 = 256;
/// The time limit for receiving the body of an HTTP request.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// The limits of an input.
///
/// Beyond a limit, the input tells clients to retry later, with `RESOURCE_EXHAUSTED` or 429, or closes the
/// connection. Memory stays bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The maximum size of a message in bytes, as received and also decompressed. Defaults to 4 MiB.
    pub message_bytes: usize,
    /// The maximum number of bytes of messages that are being received or delivered, over all connections of all
    /// inputs that share a [`Budget`](crate::inputs::Budget). Defaults to 64 MiB.
    pub in_flight_bytes: usize,
    /// The maximum number of connections of one listener. Further connections are closed at once. Defaults to
    /// 1,024.
    pub connections: usize,
    /// The maximum number of concurrent requests or streams on one connection. Defaults to 256.
    pub streams_per_connection: u32,
    /// The time limit for receiving the body of an HTTP request. Defaults to 30 s.
    pub body_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: MESSAGE_BYTES,
            in_flight_bytes: IN_FLIGHT_BYTES,
            connections: CONNECTIONS,
            streams_per_connection: STREAMS,
            body_timeout: BODY_TIMEOUT,
        }
    }
}

impl Limits {
    /// Sets the maximum size of a message, in bytes.
    #[must_use]
    pub fn with_message_bytes(mut self, bytes: usize) -> Self {
        self.message_bytes = bytes;
        self
    }

    /// Sets the maximum number of bytes in flight.
    #[must_use]
    pub fn with_in_flight_bytes(mut self, bytes: usize) -> Self {
        self.in_flight_bytes = bytes;
        self
    }

    /// Sets the maximum number of connections of a listener.
    #[must_use]
    pub fn with_connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }
}
