//! The tables of Application Insights: their names, their columns, and the sources of the values in an envelope.

use azmon_kql::{Field, Type};

use crate::store::ItemKind;

/// The source of a column's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Timestamp,
    ItemType,
    ItemId,
    ItemCount,
    Duration,
    PerformanceBucket,
    /// A path in `data.baseData`: member names or array indices.
    Data(&'static [&'static str]),
    /// The same, with a boolean as text.
    Success(&'static [&'static str]),
    /// The id that groups exceptions, which the service computes if the client states none.
    Problem,
    Tag(&'static str),
    InstrumentationKey,
    Nothing,
}

/// A column: classic name, workspace name, type, source.
type Column = (&'static str, &'static str, Type, Source);

/// A table: classic name, workspace name, kind, specific columns.
pub(super) struct Definition {
    pub(super) name: &'static str,
    pub(super) workspace: &'static str,
    pub(super) kind: ItemKind,
    own: &'static [Column],
}

use Source::{
    Data, Duration, InstrumentationKey, ItemCount, ItemId, ItemType, Nothing, PerformanceBucket,
    Problem, Success, Tag, Timestamp,
};
use Type::{Dynamic, Int, Real, String as Text};

const BEFORE: &[Column] = &[("timestamp", "TimeGenerated", Type::DateTime, Timestamp)];

const AFTER: &[Column] = &[
    ("itemType", "Type", Text, ItemType),
    (
        "customDimensions",
        "Properties",
        Dynamic,
        Data(&["properties"]),
    ),
    (
        "customMeasurements",
        "Measurements",
        Dynamic,
        Data(&["measurements"]),
    ),
    (
        "operation_Name",
        "OperationName",
        Text,
        Tag("ai.operation.name"),
    ),
    ("operation_Id", "OperationId", Text, Tag("ai.operation.id")),
    (
        "operation_ParentId",
        "ParentId",
        Text,
        Tag("ai.operation.parentId"),
    ),
    (
        "operation_SyntheticSource",
        "SyntheticSource",
        Text,
        Tag("ai.operation.syntheticSource"),
    ),
    ("session_Id", "SessionId", Text, Tag("ai.session.id")),
    ("user_Id", "UserId", Text, Tag("ai.user.id")),
    (
        "user_AuthenticatedId",
        "UserAuthenticatedId",
        Text,
        Tag("ai.user.authUserId"),
    ),
    (
        "user_AccountId",
        "UserAccountId",
        Text,
        Tag("ai.user.accountId"),
    ),
    (
        "application_Version",
        "AppVersion",
        Text,
        Tag("ai.application.ver"),
    ),
    ("client_Type", "ClientType", Text, Tag("ai.device.type")),
    ("client_Model", "ClientModel", Text, Tag("ai.device.model")),
    ("client_OS", "ClientOS", Text, Tag("ai.device.osVersion")),
    ("client_IP", "ClientIP", Text, Tag("ai.location.ip")),
    ("client_City", "ClientCity", Text, Tag("ai.location.city")),
    (
        "client_StateOrProvince",
        "ClientStateOrProvince",
        Text,
        Tag("ai.location.province"),
    ),
    (
        "client_CountryOrRegion",
        "ClientCountryOrRegion",
        Text,
        Tag("ai.location.country"),
    ),
    ("client_Browser", "ClientBrowser", Text, Nothing),
    ("cloud_RoleName", "AppRoleName", Text, Tag("ai.cloud.role")),
    (
        "cloud_RoleInstance",
        "AppRoleInstance",
        Text,
        Tag("ai.cloud.roleInstance"),
    ),
    ("appId", "ResourceGUID", Text, InstrumentationKey),
    ("appName", "AppName", Text, InstrumentationKey),
    ("iKey", "IKey", Text, InstrumentationKey),
    (
        "sdkVersion",
        "SDKVersion",
        Text,
        Tag("ai.internal.sdkVersion"),
    ),
    ("itemId", "ItemId", Text, ItemId),
    ("itemCount", "ItemCount", Int, ItemCount),
    ("_ResourceId", "_ResourceId", Text, Nothing),
];

const NAME: Column = ("name", "Name", Text, Data(&["name"]));
const ID: Column = ("id", "Id", Text, Data(&["id"]));
const URL: Column = ("url", "Url", Text, Data(&["url"]));
const SUCCESS: Column = ("success", "Success", Text, Success(&["success"]));
const DURATION: Column = ("duration", "DurationMs", Real, Duration);
const BUCKET: Column = (
    "performanceBucket",
    "PerformanceBucket",
    Text,
    PerformanceBucket,
);
const METRIC: Column = ("name", "Name", Text, Data(&["metrics", "0", "name"]));
const VALUE: Column = ("value", "Value", Real, Data(&["metrics", "0", "value"]));
const SEVERITY: Column = (
    "severityLevel",
    "SeverityLevel",
    Int,
    Data(&["severityLevel"]),
);

pub(super) const TABLES: &[Definition] = &[
    Definition {
        name: "requests",
        workspace: "AppRequests",
        kind: ItemKind::Request,
        own: &[
            ID,
            ("source", "Source", Text, Data(&["source"])),
            NAME,
            URL,
            SUCCESS,
            ("resultCode", "ResultCode", Text, Data(&["responseCode"])),
            DURATION,
            BUCKET,
        ],
    },
    Definition {
        name: "dependencies",
        workspace: "AppDependencies",
        kind: ItemKind::Dependency,
        own: &[
            ID,
            ("target", "Target", Text, Data(&["target"])),
            ("type", "DependencyType", Text, Data(&["type"])),
            NAME,
            ("data", "Data", Text, Data(&["data"])),
            SUCCESS,
            ("resultCode", "ResultCode", Text, Data(&["resultCode"])),
            DURATION,
            BUCKET,
        ],
    },
    Definition {
        name: "traces",
        workspace: "AppTraces",
        kind: ItemKind::Trace,
        own: &[("message", "Message", Text, Data(&["message"])), SEVERITY],
    },
    Definition {
        name: "exceptions",
        workspace: "AppExceptions",
        kind: ItemKind::Exception,
        own: &[
            ("problemId", "ProblemId", Text, Problem),
            ("handledAt", "HandledAt", Text, Data(&["handledAt"])),
            (
                "type",
                "ExceptionType",
                Text,
                Data(&["exceptions", "0", "typeName"]),
            ),
            (
                "message",
                "Message",
                Text,
                Data(&["exceptions", "0", "message"]),
            ),
            (
                "assembly",
                "Assembly",
                Text,
                Data(&["exceptions", "0", "parsedStack", "0", "assembly"]),
            ),
            (
                "method",
                "Method",
                Text,
                Data(&["exceptions", "0", "parsedStack", "0", "method"]),
            ),
            (
                "outerType",
                "OuterType",
                Text,
                Data(&["exceptions", "0", "typeName"]),
            ),
            (
                "outerMessage",
                "OuterMessage",
                Text,
                Data(&["exceptions", "0", "message"]),
            ),
            (
                "outerMethod",
                "OuterMethod",
                Text,
                Data(&["exceptions", "0", "parsedStack", "0", "method"]),
            ),
            (
                "outerAssembly",
                "OuterAssembly",
                Text,
                Data(&["exceptions", "0", "parsedStack", "0", "assembly"]),
            ),
            (
                "innermostType",
                "InnermostType",
                Text,
                Data(&["exceptions", "-1", "typeName"]),
            ),
            (
                "innermostMessage",
                "InnermostMessage",
                Text,
                Data(&["exceptions", "-1", "message"]),
            ),
            (
                "innermostMethod",
                "InnermostMethod",
                Text,
                Data(&["exceptions", "-1", "parsedStack", "0", "method"]),
            ),
            (
                "innermostAssembly",
                "InnermostAssembly",
                Text,
                Data(&["exceptions", "-1", "parsedStack", "0", "assembly"]),
            ),
            SEVERITY,
            ("details", "Details", Dynamic, Data(&["exceptions"])),
        ],
    },
    Definition {
        name: "customEvents",
        workspace: "AppEvents",
        kind: ItemKind::CustomEvent,
        own: &[NAME],
    },
    Definition {
        name: "customMetrics",
        workspace: "AppMetrics",
        kind: ItemKind::CustomMetric,
        own: &[
            METRIC,
            VALUE,
            (
                "valueCount",
                "ValueCount",
                Int,
                Data(&["metrics", "0", "count"]),
            ),
            ("valueSum", "Sum", Real, Data(&["metrics", "0", "value"])),
            ("valueMin", "Min", Real, Data(&["metrics", "0", "min"])),
            ("valueMax", "Max", Real, Data(&["metrics", "0", "max"])),
            (
                "valueStdDev",
                "StdDev",
                Real,
                Data(&["metrics", "0", "stdDev"]),
            ),
        ],
    },
    Definition {
        name: "performanceCounters",
        workspace: "AppPerformanceCounters",
        kind: ItemKind::PerformanceCounter,
        own: &[
            METRIC,
            (
                "category",
                "Category",
                Text,
                Data(&["properties", "CategoryName"]),
            ),
            (
                "counter",
                "Counter",
                Text,
                Data(&["properties", "CounterName"]),
            ),
            (
                "instance",
                "Instance",
                Text,
                Data(&["properties", "InstanceName"]),
            ),
            VALUE,
        ],
    },
    Definition {
        name: "pageViews",
        workspace: "AppPageViews",
        kind: ItemKind::PageView,
        own: &[ID, NAME, URL, DURATION, BUCKET],
    },
    Definition {
        name: "browserTimings",
        workspace: "AppBrowserTimings",
        kind: ItemKind::BrowserTiming,
        own: &[
            NAME,
            URL,
            (
                "networkDuration",
                "NetworkDurationMs",
                Real,
                Data(&["networkConnect"]),
            ),
            (
                "sendDuration",
                "SendDurationMs",
                Real,
                Data(&["sentRequest"]),
            ),
            (
                "receiveDuration",
                "ReceiveDurationMs",
                Real,
                Data(&["receivedResponse"]),
            ),
            (
                "processingDuration",
                "ProcessingDurationMs",
                Real,
                Data(&["domProcessing"]),
            ),
            (
                "totalDuration",
                "TotalDurationMs",
                Real,
                Data(&["perfTotal"]),
            ),
            BUCKET,
        ],
    },
    Definition {
        name: "availabilityResults",
        workspace: "AppAvailabilityResults",
        kind: ItemKind::AvailabilityResult,
        own: &[
            ID,
            NAME,
            ("location", "Location", Text, Data(&["runLocation"])),
            SUCCESS,
            ("message", "Message", Text, Data(&["message"])),
            DURATION,
            ("size", "Size", Real, Nothing),
            BUCKET,
        ],
    },
];

impl Definition {
    /// The columns, under their classic or their workspace names, and their sources.
    pub(super) fn columns(&self, workspace: bool) -> (Vec<Field>, Vec<Source>) {
        let is_metric = matches!(
            self.kind,
            ItemKind::CustomMetric | ItemKind::PerformanceCounter
        );
        let absent = |name: &str| is_metric && matches!(name, "itemCount" | "customMeasurements");
        BEFORE
            .iter()
            .chain(self.own)
            .chain(AFTER)
            .filter(|(name, ..)| !absent(name))
            .map(|(classic, modern, ty, source)| {
                let (name, other) = if workspace {
                    (modern, classic)
                } else {
                    (classic, modern)
                };
                // A workspace has a bool where the classic table has a text.
                let is_success = *classic == "success";
                let ty = if is_success && workspace {
                    Type::Bool
                } else {
                    *ty
                };
                let mut field = Field::new(name, ty);
                if name != other {
                    field = field.with_alias(other);
                }
                if is_success {
                    field = field.lenient();
                }
                (field, *source)
            })
            .unzip()
    }
}
