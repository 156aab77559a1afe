//! Log records: exceptions, custom events, availability results, messages.
//!
//! | A record that has | becomes |
//! |---|---|
//! | `exception.type` or `exception.message` | an exception |
//! | `microsoft.custom_event.name`; an event name, if asked for | a custom event |
//! | `microsoft.availability.id`, `.name`, `.duration` and `.success`, which can be read | an availability result |
//! | anything else | a message |

mod availability;
mod dimensions;
mod payload;
#[cfg(test)]
mod tests;

pub(super) use self::payload::payload;
