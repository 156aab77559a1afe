//! Generated from `forwarder/proto`: `cargo run -p azmon-forwarder-codegen` makes it, and that crate's test
//! compares. No part of the crate's interface.
#![expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::must_use_candidate,
    reason = "generated code"
)]

/// `proto/contracts/contracts.proto`.
pub mod contracts {
    include!("contracts.rs");
}

/// `proto/opencensus/proto`.
pub mod opencensus {
    /// Its packages.
    pub mod proto {
        /// The agent's services.
        pub mod agent {
            /// Who sends.
            pub mod common {
                /// Version 1.
                pub mod v1 {
                    include!("opencensus.proto.agent.common.v1.rs");
                }
            }
            /// The metrics service.
            pub mod metrics {
                /// Version 1.
                pub mod v1 {
                    include!("opencensus.proto.agent.metrics.v1.rs");
                }
            }
            /// The trace service.
            pub mod trace {
                /// Version 1.
                pub mod v1 {
                    include!("opencensus.proto.agent.trace.v1.rs");
                }
            }
        }
        /// Metrics.
        pub mod metrics {
            /// Version 1.
            pub mod v1 {
                include!("opencensus.proto.metrics.v1.rs");
            }
        }
        /// Resources.
        pub mod resource {
            /// Version 1.
            pub mod v1 {
                include!("opencensus.proto.resource.v1.rs");
            }
        }
        /// Spans, and how they are sampled.
        pub mod trace {
            /// Version 1.
            pub mod v1 {
                include!("opencensus.proto.trace.v1.rs");
            }
        }
    }
}
