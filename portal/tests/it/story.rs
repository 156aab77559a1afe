//! Telemetry of a small shop, for tests of the API: `web` calls `shop`, which calls `payments` and a database.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// Makes envelopes at times relative to a start.
pub(crate) struct Story {
    begin: Timestamp,
}

impl Story {
    /// Starts this number of seconds ago.
    pub(crate) fn ago(seconds: i64) -> Self {
        Self {
            begin: Timestamp::now() - SignedDuration::from_secs(seconds),
        }
    }

    fn envelope(
        &self,
        role: &str,
        at_ms: i64,
        operation: &str,
        parent: &str,
        data: Value,
    ) -> Value {
        let time = self.begin + SignedDuration::from_millis(at_ms);
        let mut tags = json!({
            "ai.cloud.role": role, "ai.cloud.roleInstance": format!("{role}-1"), "ai.operation.id": operation,
            "ai.application.ver": "1.0", "ai.internal.sdkVersion": "test:1", "ai.user.id": format!("user-{operation}"),
        });
        if !parent.is_empty() {
            tags["ai.operation.parentId"] = json!(parent);
        }
        json!({"name": "x", "time": format!("{time:.6}"), "iKey": "shop-key", "tags": tags, "data": data})
    }

    pub(crate) fn request(
        &self,
        (role, name): (&str, &str),
        at: (i64, i64),
        ids: (&str, &str, &str),
        code: &str,
    ) -> Value {
        let (operation, id, parent) = ids;
        let mut envelope = self.envelope(role, at.0, operation, parent, json!({"baseType": "RequestData", "baseData": {
            "id": id, "name": name, "duration": duration(at.1), "success": !code.starts_with('5'), "responseCode": code,
            "url": "http://shop/orders", "properties": {"merchant": if code.starts_with('5') { "m-1" } else { "m-2" }},
            "measurements": {"lines": at.1 / 10}
        }}));
        envelope["tags"]["ai.operation.name"] = json!(name);
        envelope
    }

    pub(crate) fn dependency(
        &self,
        role: &str,
        call: (&str, &str, &str),
        at: (i64, i64),
        ids: (&str, &str, &str),
        code: &str,
    ) -> Value {
        let (operation, id, parent) = ids;
        let mut envelope = self.envelope(role, at.0, operation, parent, json!({"baseType": "RemoteDependencyData", "baseData": {
            "id": id, "name": call.2, "type": call.0, "target": call.1, "duration": duration(at.1),
            "success": !code.starts_with('5'), "resultCode": code, "data": "command"
        }}));
        envelope["tags"]["ai.operation.name"] = json!("POST /orders");
        envelope
    }

    pub(crate) fn exception(&self, role: &str, at: i64, ids: (&str, &str)) -> Value {
        self.envelope(role, at, ids.0, ids.1, json!({"baseType": "ExceptionData", "baseData": {
            "severityLevel": "Error", "exceptions": [{"typeName": "CardError", "message": "card declined", "hasFullStack": true,
            "parsedStack": [
                {"level": 0, "method": "core::panicking::panic", "fileName": "/rustc/core/panicking.rs", "line": 1},
                {"level": 1, "method": "payments::charge", "fileName": "src/charge.rs", "line": 88}]}]
        }}))
    }

    pub(crate) fn trace(&self, role: &str, at: i64, ids: (&str, &str), message: &str) -> Value {
        self.envelope(
            role,
            at,
            ids.0,
            ids.1,
            json!({"baseType": "MessageData", "baseData": {
                "message": message, "severityLevel": 2, "properties": {"order": "o-77"}
            }}),
        )
    }

    pub(crate) fn metric(
        &self,
        role: &str,
        at: i64,
        name: &str,
        value: f64,
        merchant: &str,
    ) -> Value {
        self.envelope(role, at, "", "", json!({"baseType": "MetricData", "baseData": {
            "metrics": [{"name": name, "value": value, "count": 1}], "properties": {"merchant": merchant}
        }}))
    }

    /// One order: shop answers in 100 ms, of which payments takes 60 ms; the third of four fails with an exception.
    pub(crate) fn orders(&self, count: usize) -> Vec<Value> {
        let mut items = Vec::new();
        for index in 0..count {
            let operation = operation(index);
            let at = index as i64 * 500;
            let is_failed = index % 4 == 2;
            let code = if is_failed { "502" } else { "200" };
            let id = |name: &str| format!("{name}{index}");
            let shop = id("shop");
            items.push(self.request(
                ("shop", "POST /orders"),
                (at, 100),
                (&operation, &shop, ""),
                code,
            ));
            items.push(self.dependency(
                "shop",
                ("HTTP", "payments:80", "POST /charge"),
                (at + 10, 70),
                (&operation, &id("call"), &shop),
                code,
            ));
            items.push(self.request(
                ("payments", "POST /charge"),
                (at + 15, 60),
                (&operation, &id("pay"), &id("call")),
                code,
            ));
            items.push(self.dependency(
                "shop",
                ("postgresql", "shop-db", "SELECT orders"),
                (at + 82, 10),
                (&operation, &id("sql"), &shop),
                "",
            ));
            items.push(self.trace("shop", at + 5, (&operation, &shop), "order placed"));
            if is_failed {
                items.push(self.exception("payments", at + 50, (&operation, &id("pay"))));
            }
        }
        items
    }
}

/// The operation id of an order.
pub(crate) fn operation(index: usize) -> String {
    format!("{:032x}", index + 1)
}

fn duration(milliseconds: i64) -> String {
    format!(
        "00:00:{:02}.{:03}",
        milliseconds / 1_000,
        milliseconds % 1_000
    )
}
