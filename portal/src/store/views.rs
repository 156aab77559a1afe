//! Views with the tables and columns of Application Insights, for other tools that open the file.

use std::fmt::Write;

use crate::store::ItemKind;

/// A column, and the path of its value in the envelope.
type Column = (&'static str, &'static str);

const TAGS: [Column; 19] = [
    ("operation_Name", "ai.operation.name"),
    ("operation_Id", "ai.operation.id"),
    ("operation_ParentId", "ai.operation.parentId"),
    ("operation_SyntheticSource", "ai.operation.syntheticSource"),
    ("session_Id", "ai.session.id"),
    ("user_Id", "ai.user.id"),
    ("user_AuthenticatedId", "ai.user.authUserId"),
    ("user_AccountId", "ai.user.accountId"),
    ("application_Version", "ai.application.ver"),
    ("client_Type", "ai.device.type"),
    ("client_Model", "ai.device.model"),
    ("client_OS", "ai.device.osVersion"),
    ("client_IP", "ai.location.ip"),
    ("client_City", "ai.location.city"),
    ("client_StateOrProvince", "ai.location.province"),
    ("client_CountryOrRegion", "ai.location.country"),
    ("cloud_RoleName", "ai.cloud.role"),
    ("cloud_RoleInstance", "ai.cloud.roleInstance"),
    ("sdkVersion", "ai.internal.sdkVersion"),
];

const TABLES: [(&str, ItemKind, &[Column]); 10] = [
    (
        "requests",
        ItemKind::Request,
        &[
            ("id", "id"),
            ("source", "source"),
            ("name", "name"),
            ("url", "url"),
            ("success", "success"),
            ("resultCode", "responseCode"),
        ],
    ),
    (
        "dependencies",
        ItemKind::Dependency,
        &[
            ("id", "id"),
            ("target", "target"),
            ("type", "type"),
            ("name", "name"),
            ("data", "data"),
            ("success", "success"),
            ("resultCode", "resultCode"),
        ],
    ),
    (
        "traces",
        ItemKind::Trace,
        &[("message", "message"), ("severityLevel", "severityLevel")],
    ),
    (
        "exceptions",
        ItemKind::Exception,
        &[
            ("problemId", "problemId"),
            ("type", "exceptions[0].typeName"),
            ("message", "exceptions[0].message"),
            ("method", "exceptions[0].parsedStack[0].method"),
            ("assembly", "exceptions[0].parsedStack[0].assembly"),
            ("severityLevel", "severityLevel"),
            ("details", "exceptions"),
        ],
    ),
    ("customEvents", ItemKind::CustomEvent, &[("name", "name")]),
    (
        "customMetrics",
        ItemKind::CustomMetric,
        &[
            ("name", "metrics[0].name"),
            ("value", "metrics[0].value"),
            ("valueCount", "metrics[0].count"),
            ("valueMin", "metrics[0].min"),
            ("valueMax", "metrics[0].max"),
            ("valueStdDev", "metrics[0].stdDev"),
        ],
    ),
    (
        "performanceCounters",
        ItemKind::PerformanceCounter,
        &[("name", "metrics[0].name"), ("value", "metrics[0].value")],
    ),
    (
        "pageViews",
        ItemKind::PageView,
        &[("id", "id"), ("name", "name"), ("url", "url")],
    ),
    (
        "browserTimings",
        ItemKind::BrowserTiming,
        &[
            ("name", "name"),
            ("url", "url"),
            ("totalDuration", "perfTotal"),
            ("networkDuration", "networkConnect"),
            ("sendDuration", "sentRequest"),
            ("receiveDuration", "receivedResponse"),
            ("processingDuration", "domProcessing"),
        ],
    ),
    (
        "availabilityResults",
        ItemKind::AvailabilityResult,
        &[
            ("id", "id"),
            ("name", "name"),
            ("location", "runLocation"),
            ("success", "success"),
            ("message", "message"),
        ],
    ),
];

/// The statements that create all views.
pub(super) fn all() -> String {
    let mut sql = String::new();
    for (table, kind, columns) in TABLES {
        // Writing to a `String` cannot fail.
        let _ = write!(
            sql,
            "CREATE VIEW {table} AS SELECT
                strftime('%Y-%m-%dT%H:%M:%fZ', i.time / 1000000.0, 'unixepoch') AS timestamp,
                '{kind}' AS itemType, CAST(i.id AS TEXT) AS itemId, i.weight AS itemCount,
                i.duration / 1000.0 AS duration,
                json_extract(e.json, '$.data.baseData.properties') AS customDimensions,
                json_extract(e.json, '$.data.baseData.measurements') AS customMeasurements,
                json_extract(e.json, '$.iKey') AS iKey"
        );
        for (column, path) in columns {
            let _ = write!(
                sql,
                ", json_extract(e.json, '$.data.baseData.{path}') AS {column}"
            );
        }
        for (column, tag) in TAGS {
            let _ = write!(
                sql,
                ", json_extract(e.json, '$.tags.\"{tag}\"') AS {column}"
            );
        }
        let _ = writeln!(
            sql,
            " FROM items i JOIN series s ON s.id = i.series JOIN envelopes e ON e.id = i.id WHERE s.kind = {};",
            kind.code()
        );
    }
    sql
}
