use std::time::Duration;

/// Largest message, compressed or not: what OpenTelemetry's collector and gRPC take by default.
const MESSAGE_BYTES: usize = 4 << 20;
/// Most bytes of messages that are being received or delivered.
const IN_FLIGHT_BYTES: usize = 64 << 20;
/// Most connections of one input.
const CONNECTIONS: usize = 1_024;
/// Most requests, or streams, at the same time on one connection.
const STREAMS: u32 = 256;
/// Longest time in which the body of a request over HTTP must arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// How much an input takes at once.
///
/// Beyond them clients are told to come back, with `RESOURCE_EXHAUSTED` or 429, or are turned away: memory
/// does not grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Largest message in bytes, as it arrives and also decompressed. Defaults to 4 MiB.
    pub message_bytes: usize,
    /// Most bytes of messages that are being received or delivered, over all connections of all inputs
    /// that share the limits' [`Budget`](crate::inputs::Budget). Defaults to 64 MiB.
    pub in_flight_bytes: usize,
    /// Most connections of one listener; more are closed at once. Defaults to 1,024.
    pub connections: usize,
    /// Most requests or streams at the same time on one connection. Defaults to 256.
    pub streams_per_connection: u32,
    /// Longest time in which the body of a request over HTTP must arrive. Defaults to 30 s.
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
    /// Sets the size of the largest message, in bytes.
    #[must_use]
    pub fn with_message_bytes(mut self, bytes: usize) -> Self {
        self.message_bytes = bytes;
        self
    }

    /// Sets how many bytes of messages may be under way.
    #[must_use]
    pub fn with_in_flight_bytes(mut self, bytes: usize) -> Self {
        self.in_flight_bytes = bytes;
        self
    }

    /// Sets how many connections a listener has at most.
    #[must_use]
    pub fn with_connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }
}
