//! Log records: exceptions, custom events, availability results, messages.
//!
//! | Content of the record | Item |
//! |---|---|
//! | `exception.type` or `exception.message` | an exception |
//! | `microsoft.custom_event.name`; an event name, if enabled | a custom event |
//! | readable `microsoft.availability.id`, `.name`, `.duration` and `.success` | an availability result |
//! | anything else | a message |

mod availability;
mod dimensions;
mod payload;
#[cfg(test)]
mod tests;

pub(super) use self::payload::payload;
