//! HTTP as the [stable semantic conventions](https://opentelemetry.io/docs/specs/semconv/http/) describe it.

mod authority;

pub use self::authority::Authority;
