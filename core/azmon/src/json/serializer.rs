use std::fmt::{self, Display};

use serde::Serialize;
use serde::ser::{self, Impossible, SerializeMap, SerializeSeq, SerializeStruct};

use super::JsonLine;

/// Appends a value as serde_json writes it.
///
/// # Errors
/// A value has a type that no envelope has, or its own serialisation fails. Part of it may then be written.
pub(crate) fn append(value: &impl Serialize, to: &mut Vec<u8>) -> Result<(), Unwritable> {
    value.serialize(&mut JsonLine::new(to))
}

/// A value cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unwritable(String);

impl ser::Error for Unwritable {
    fn custom<T: Display>(reason: T) -> Self {
        Self(reason.to_string())
    }
}

impl Unwritable {
    fn type_of(name: &str) -> Self {
        Self(format!("{name} is not a type of envelopes"))
    }
}

/// The elements of an array, or the members of an object.
#[derive(Debug)]
pub(crate) struct Elements<'a, 'b> {
    line: &'a mut JsonLine<'b>,
    is_empty: bool,
    end: &'static str,
}

impl<'a, 'b> Elements<'a, 'b> {
    fn new(line: &'a mut JsonLine<'b>, start: &str, end: &'static str) -> Self {
        line.raw(start);
        Self {
            line,
            is_empty: true,
            end,
        }
    }

    /// Begins an element.
    fn separate(&mut self) {
        if !self.is_empty {
            self.line.raw(",");
        }
        self.is_empty = false;
    }

    fn finish(self) {
        self.line.raw(self.end);
    }
}

impl<'a, 'b> ser::Serializer for &'a mut JsonLine<'b> {
    type Ok = ();
    type Error = Unwritable;
    type SerializeSeq = Elements<'a, 'b>;
    type SerializeTuple = Impossible<(), Unwritable>;
    type SerializeTupleStruct = Impossible<(), Unwritable>;
    type SerializeTupleVariant = Impossible<(), Unwritable>;
    type SerializeMap = Elements<'a, 'b>;
    type SerializeStruct = Elements<'a, 'b>;
    type SerializeStructVariant = Impossible<(), Unwritable>;

    fn serialize_bool(self, value: bool) -> Result<(), Unwritable> {
        self.raw(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<(), Unwritable> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), Unwritable> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), Unwritable> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), Unwritable> {
        self.integer(value);
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Result<(), Unwritable> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), Unwritable> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), Unwritable> {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Unwritable> {
        self.integer(value);
        Ok(())
    }

    fn serialize_f32(self, _: f32) -> Result<(), Unwritable> {
        Err(Unwritable::type_of("f32"))
    }

    fn serialize_f64(self, value: f64) -> Result<(), Unwritable> {
        self.float(value);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Unwritable> {
        self.text(value.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    fn serialize_str(self, text: &str) -> Result<(), Unwritable> {
        self.text(text);
        Ok(())
    }

    fn collect_str<T: Display + ?Sized>(self, text: &T) -> Result<(), Unwritable> {
        self.raw("\"");
        fmt::write(&mut Inner(self), format_args!("{text}"))
            .map_err(|_| Unwritable("a text cannot be displayed".to_owned()))?;
        self.raw("\"");
        Ok(())
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Unwritable> {
        Err(Unwritable::type_of("bytes"))
    }

    fn serialize_none(self) -> Result<(), Unwritable> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unwritable> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Unwritable> {
        self.raw("null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unwritable> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Unwritable> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Unwritable> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Unwritable> {
        Err(Unwritable::type_of(name))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Elements<'a, 'b>, Unwritable> {
        Ok(Elements::new(self, "[", "]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Unwritable> {
        Err(Unwritable::type_of("a tuple"))
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Unwritable> {
        Err(Unwritable::type_of(name))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Unwritable> {
        Err(Unwritable::type_of(name))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Elements<'a, 'b>, Unwritable> {
        Ok(Elements::new(self, "{", "}"))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Elements<'a, 'b>, Unwritable> {
        Ok(Elements::new(self, "{", "}"))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Unwritable> {
        Err(Unwritable::type_of(name))
    }
}

impl SerializeSeq for Elements<'_, '_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.separate();
        value.serialize(&mut *self.line)
    }

    fn end(self) -> Result<(), Unwritable> {
        self.finish();
        Ok(())
    }
}

impl SerializeMap for Elements<'_, '_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unwritable> {
        self.separate();
        let start = self.line.len();
        key.serialize(&mut *self.line)?;
        if self.line.is_text_since(start) {
            Ok(())
        } else {
            Err(Unwritable("a key is not a text".to_owned()))
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.line.raw(":");
        value.serialize(&mut *self.line)
    }

    fn end(self) -> Result<(), Unwritable> {
        self.finish();
        Ok(())
    }
}

impl SerializeStruct for Elements<'_, '_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Unwritable> {
        // The names of fields need no escapes.
        self.separate();
        self.line.raw("\"");
        self.line.raw(name);
        self.line.raw("\":");
        value.serialize(&mut *self.line)
    }

    fn end(self) -> Result<(), Unwritable> {
        self.finish();
        Ok(())
    }
}

/// A part of a text, without quotes.
struct Inner<'a, 'b>(&'a mut JsonLine<'b>);

impl fmt::Write for Inner<'_, '_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.0.inner(part);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::{Map, Number, Value, json};

    use super::*;
    use crate::envelope::Envelope;

    fn written(value: &impl Serialize) -> Option<String> {
        let mut bytes = Vec::new();
        append(value, &mut bytes).ok()?;
        Some(String::from_utf8(bytes).unwrap())
    }

    fn assert_same(value: &impl Serialize) {
        assert_eq!(written(value), serde_json::to_string(value).ok());
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>()
                .prop_map(|number| Number::from_f64(number).map_or(Value::Null, Value::from)),
            any::<String>().prop_map(Value::from),
            "[ -~\n\t\"\\\\\u{0}-\u{1f}]{0,40}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 60, 8, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                proptest::collection::btree_map(any::<String>(), inner, 0..8)
                    .prop_map(|members| Value::from(Map::from_iter(members))),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_value_is_written_as_by_serde_json(value in values()) {
            assert_same(&value);
        }
    }

    /// An item of each data type, each with everything that it can have.
    #[test]
    fn every_envelope_is_written_as_by_serde_json() {
        let text = "a \"quoted\" \\ text\n\u{1} 世界 🦀";
        let exception = json!({
            "id": 1, "outerId": 2, "typeName": text, "message": text, "hasFullStack": true, "stack": text,
            "parsedStack": [{"level": 0, "method": text, "assembly": text, "fileName": text, "line": 7}],
        });
        let metric = json!({
            "ns": text, "name": text, "kind": "Aggregation", "value": 1.5, "count": 2, "min": -1e300, "max": 0.1,
            "stdDev": 0.0,
        });
        let common = json!({
            "id": text, "name": text, "duration": "1.02:03:04.5678900", "success": false, "responseCode": "500",
            "resultCode": text, "source": text, "url": text, "data": text, "type": text, "target": text,
            "message": text, "severityLevel": "Warning", "problemId": text, "exceptions": [exception],
            "metrics": [metric], "runLocation": text, "referredPageViewId": text,
            "perfTotal": "00:00:00.1", "networkConnect": "00:00:00.2", "sentRequest": "00:00:00.3",
            "receivedResponse": "00:00:00.4", "domProcessing": "00:00:00.5",
            "properties": {text: text, "plain": "plain"}, "measurements": {text: 0.25, "whole": 3.0},
        });
        for base_type in [
            "RequestData",
            "RemoteDependencyData",
            "ExceptionData",
            "MessageData",
            "EventData",
            "MetricData",
            "AvailabilityData",
            "PageViewData",
            "PageViewPerfData",
        ] {
            let mut data = common.as_object().unwrap().clone();
            data.insert("ver".to_owned(), json!(2));
            let envelope: Envelope<'_> = serde_json::from_value(json!({
                "ver": 1, "name": "n", "time": "2026-01-02T03:04:05.678901Z", "sampleRate": 12.5, "seq": text,
                "iKey": text, "tags": {"ai.operation.id": text, "ai.cloud.role": text},
                "data": {"baseType": base_type, "baseData": data},
            }))
            .unwrap_or_else(|error| panic!("{base_type}: {error}"));
            assert!(written(&envelope).unwrap().contains(base_type));
            assert_same(&envelope);
        }
    }

    #[test]
    fn numbers_that_json_does_not_know_are_null() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_same(&number);
        }
    }

    #[test]
    fn a_value_of_another_type_is_refused() {
        #[derive(Serialize)]
        enum Other {
            New(u8),
            Tuple(u8, u8),
            Struct { a: u8 },
        }
        assert!(written(&(1, 2)).is_none());
        assert!(written(&1.5_f32).is_none());
        assert!(written(&Other::New(1)).is_none());
        assert!(written(&Other::Tuple(1, 2)).is_none());
        assert!(written(&Other::Struct { a: 1 }).is_none());
        assert!(written(&BTreeMap::from([(1, "a")])).is_none());
        assert!(written(&BTreeMap::from([(Some('a'), "a")])).is_some());
    }
}
