//! Keys of the context tags, and their limits.

use crate::Tags;
use crate::limits::truncate;

/// Version of the application.
pub const APPLICATION_VERSION: &str = "ai.application.ver";
/// Name of the role: one node of the application map.
pub const CLOUD_ROLE: &str = "ai.cloud.role";
/// Name of the instance of the role.
pub const CLOUD_ROLE_INSTANCE: &str = "ai.cloud.roleInstance";
/// Id of the device.
pub const DEVICE_ID: &str = "ai.device.id";
/// Language of the device.
pub const DEVICE_LOCALE: &str = "ai.device.locale";
/// Model of the device.
pub const DEVICE_MODEL: &str = "ai.device.model";
/// Manufacturer of the device.
pub const DEVICE_OEM_NAME: &str = "ai.device.oemName";
/// Operating system of the device.
pub const DEVICE_OS_VERSION: &str = "ai.device.osVersion";
/// Type of the device.
pub const DEVICE_TYPE: &str = "ai.device.type";
/// Version of the agent that sent the item.
pub const INTERNAL_AGENT_VERSION: &str = "ai.internal.agentVersion";
/// Node that is billed for the item.
pub const INTERNAL_NODE_NAME: &str = "ai.internal.nodeName";
/// Name and version of the SDK that made the item.
pub const INTERNAL_SDK_VERSION: &str = "ai.internal.sdkVersion";
/// IP address of the client. The service derives the location from it and stores `0.0.0.0`.
pub const LOCATION_IP: &str = "ai.location.ip";
/// Id of the operation: the trace id.
pub const OPERATION_ID: &str = "ai.operation.id";
/// Name of the operation: the name of its root request.
pub const OPERATION_NAME: &str = "ai.operation.name";
/// Id of the span that caused this item.
pub const OPERATION_PARENT_ID: &str = "ai.operation.parentId";
/// Marks an item that a robot or a test caused.
pub const OPERATION_SYNTHETIC_SOURCE: &str = "ai.operation.syntheticSource";
/// Id of the user's session.
pub const SESSION_ID: &str = "ai.session.id";
/// Id of the user's account.
pub const USER_ACCOUNT_ID: &str = "ai.user.accountId";
/// Id of the signed-in user.
pub const USER_AUTH_USER_ID: &str = "ai.user.authUserId";
/// Id of the anonymous user.
pub const USER_ID: &str = "ai.user.id";
/// User agent of the client.
pub const USER_AGENT: &str = "ai.user.userAgent";

/// Maximum length of a tag's value in UTF-16 code units; 1024 for an unknown tag.
///
/// The service refuses a whole item for one over-long tag, so every tag is cut.
#[must_use]
pub fn limit(key: &str) -> usize {
    match key {
        INTERNAL_SDK_VERSION
        | INTERNAL_AGENT_VERSION
        | SESSION_ID
        | DEVICE_TYPE
        | DEVICE_LOCALE => 64,
        LOCATION_IP => 46,
        OPERATION_ID => 128,
        CLOUD_ROLE | CLOUD_ROLE_INSTANCE | INTERNAL_NODE_NAME | DEVICE_MODEL | DEVICE_OEM_NAME
        | DEVICE_OS_VERSION => 256,
        OPERATION_PARENT_ID => 512,
        _ => 1_024,
    }
}

pub(super) fn apply_limits(tags: &mut Tags<'_>) {
    tags.retain(|key, value| {
        if value.len() > 46 {
            truncate(value, limit(key));
        }
        true
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tag_is_cut_to_its_own_limit() {
        let long = "é".repeat(2_000);
        for (key, length) in [
            (INTERNAL_SDK_VERSION, 64),
            (LOCATION_IP, 46),
            (OPERATION_ID, 128),
            (CLOUD_ROLE, 256),
            (OPERATION_PARENT_ID, 512),
            (OPERATION_NAME, 1_024),
            ("ai.not.known", 1_024),
        ] {
            let mut tags = Tags::new();
            tags.push(key, long.as_str());
            apply_limits(&mut tags);
            assert_eq!(tags.get(key).unwrap().chars().count(), length, "{key}");
        }
    }
}
