//! Searches against one item.

use std::time::SystemTime;

use proptest::prelude::*;
use serde_json::json;
use serde_json::value::RawValue;

use super::*;
use crate::store::{Item, ItemKind, NewItem};

fn item() -> Item {
    let json = json!({
        "name": "Request", "time": "2026-11-20T12:00:00Z", "iKey": "k",
        "tags": {"ai.cloud.role": "shop", "ai.operation.id": "0af7651916cd43dd8448eb211c80319c"},
        "data": {"baseType": "RequestData", "baseData": {
            "id": "1", "name": "POST /orders/{id}", "duration": "00:00:01.5", "success": false, "responseCode": "502",
            "url": "http://shop/orders/7",
            "properties": {"charge.merchant": "m-0417", "note": "Card declined by the issuer"},
            "measurements": {"cart.lines": 12}
        }}
    });
    let raw = RawValue::from_string(json.to_string()).unwrap();
    let envelope = serde_json::from_str(raw.get()).unwrap();
    Item::new(
        1,
        SystemTime::UNIX_EPOCH,
        NewItem::new(ItemKind::Request, raw, envelope),
    )
}

fn matches(search: &str) -> bool {
    Expression::parse(search).unwrap().unwrap().matches(&item())
}

#[test]
fn everything_that_an_item_has_is_found() {
    for search in [
        "declined",
        "DECLINED card",
        "\"declined by\"",
        "decl*",
        "orders",
        "shop",
        "missing OR declined",
        "NOT missing",
        "-missing declined",
        "(missing OR card) AND issuer",
        "charge.merchant:m-0417",
        "charge.merchant:m-04*",
        "cart.lines>11",
        "cart.lines>=12 cart.lines<13",
        "duration>1s",
        "duration<=1500",
        "resultCode:502",
        "success:false",
        "success:0",
        "role:SHOP",
        "cloud_RoleName:shop",
        "itemType:request",
        "name:\"POST /orders/{id}\"",
        "0AF7651916CD43DD8448EB211C80319C",
        "http://shop/orders/7",
        "url:orders",
    ] {
        assert!(matches(search), "{search}");
    }
}

#[test]
fn items_without_a_property_are_not_found_by_it() {
    for search in [
        "missing",
        "\"by declined\"",
        "declin",
        "declined AND missing",
        "NOT declined",
        "-card",
        "charge.merchant:m-041",
        "cart.lines>12",
        "cart.lines<text",
        "duration>2s",
        "success:true",
        "severity:error",
        "role:web",
        "0af7651916cd43dd8448eb211c80319d",
    ] {
        assert!(!matches(search), "{search}");
    }
}

#[test]
fn a_filter_has_a_field_an_operator_and_a_value() {
    for (filter, expected) in [
        ("charge.merchant~is~m-0417", true),
        ("charge.merchant~not~m-0417", false),
        ("charge.merchant~not~", true),
        ("charge.merchant~is~", false),
        ("other~not~x", true),
        ("other~not~", false),
        ("other~is~", true),
        ("note~has~declined", true),
        ("cart.lines~ge~12", true),
        ("cart.lines~lt~12", false),
        ("resultCode~is~502", true),
    ] {
        let (_, filter_expression) = Expression::parse_filter(filter).unwrap();
        assert_eq!(filter_expression.matches(&item()), expected, "{filter}");
    }
    assert!(
        Expression::parse_filter("a~like~b")
            .unwrap_err()
            .contains("like")
    );
    assert!(Expression::parse_filter("a").is_err());
}

#[test]
fn errors_have_their_place() {
    for (search, message) in [
        ("a (b", "character 3: this parenthesis is not closed"),
        ("a )", "character 3: this parenthesis closes nothing"),
        ("a OR", "character 5: something is missing"),
        ("AND a", "character 1: an operator"),
        ("\"a", "character 1: this quotation mark"),
    ] {
        let error = Expression::parse(search).unwrap_err().to_string();
        assert!(error.contains(message), "{search}: {error}");
    }
    assert_eq!(Expression::parse("  "), Ok(None));
    assert_eq!(Expression::parse("/ - ."), Ok(None));
    assert!(Expression::parse(&"(".repeat(10_000)).is_err());
    assert!(Expression::parse(&"NOT ".repeat(90)).is_err());
}

#[test]
fn the_index_returns_at_least_all_matches() {
    let full_text = |search| Expression::parse(search).unwrap().unwrap().full_text();
    assert_eq!(full_text("a b*").unwrap(), "(\"a\") AND (\"b\"*)");
    assert_eq!(full_text("\"a b\"").unwrap(), "(\"a\" AND \"b\")");
    assert_eq!(full_text("a OR b").unwrap(), "((\"a\") OR (\"b\"))");
    assert_eq!(full_text("a OR NOT b"), None);
    assert_eq!(full_text("a NOT b").unwrap(), "(\"a\")");
    assert_eq!(full_text("cart.lines:12"), None);
    assert_eq!(
        full_text("key:some-value").unwrap(),
        "(\"some\" AND \"value\")"
    );
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(search in "[a-z0-9\":()<>=*~ \\-éANDORT\\\\]{0,40}") {
        if let Ok(Some(expression)) = Expression::parse(&search) {
            let _ = expression.matches(&item());
            let _ = expression.full_text();
        }
        let _ = Expression::parse_filter(&search);
    }
}
