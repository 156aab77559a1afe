//! Remote procedure calls, by the new and the old conventions.

use crate::mapping::attributes::Attributes;
use crate::mapping::keys::Key;
use crate::mapping::network::peer_and_port;

pub(super) const SYSTEM: [Key; 2] = [Key::RpcSystemName, Key::RpcSystem];
pub(super) const STATUS: [Key; 2] = [Key::RpcResponseStatusCode, Key::RpcGrpcStatusCode];

/// The names that the portal recognises; other systems keep theirs.
pub(super) fn dependency_type<'a>(attributes: &Attributes<'a>) -> Option<&'a str> {
    Some(match attributes.take_first(&SYSTEM)? {
        "grpc" => "GRPC",
        "dotnet_wcf" => "WCF Service",
        system => system,
    })
}

/// `host[:port]`, else the system.
pub(super) fn target<'a>(attributes: &Attributes<'a>) -> Option<&'a str> {
    peer_and_port(attributes, |_| false).or_else(|| attributes.take_first(&SYSTEM))
}
