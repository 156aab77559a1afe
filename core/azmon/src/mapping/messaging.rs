//! Messaging, and the Azure SDK, which names queues in the same way.

use crate::mapping::attributes::Attributes;
use crate::mapping::keys::Key;
use crate::mapping::network::{peer, peer_and_port};

const DESTINATION: [Key; 3] = [
    Key::MessagingDestinationName,
    Key::MessagingDestination,
    Key::MessageBusDestination,
];

/// `peer/destination`, or the destination alone.
pub(super) fn address<'a>(attributes: &Attributes<'a>) -> Option<&'a str> {
    let destination = attributes.take_first(&DESTINATION)?;
    Some(match peer(attributes) {
        Some(peer) => attributes.arena().concat(&[peer, "/", destination]),
        None => destination,
    })
}

/// [`address`], else `host[:port]`, else the system.
pub(super) fn target<'a>(attributes: &Attributes<'a>) -> Option<&'a str> {
    address(attributes)
        .or_else(|| peer_and_port(attributes, |_| false))
        .or_else(|| attributes.take(Key::MessagingSystem))
}
