use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};
use serde::Serialize;
use serde_json::{Value, json, value::RawValue};

use super::*;

fn written<T: Serialize + ?Sized>(value: &T) -> Result<String, String> {
    let mut out = "before".to_owned();
    write(&mut out, value).map_err(|error| error.to_string())?;
    Ok(out.strip_prefix("before").unwrap().to_owned())
}

#[derive(Serialize)]
enum Kind {
    Unit,
    New(f64),
    Tuple(u8, [f64; 1]),
    Struct { a: Option<f64>, b: Box<Kind> },
}

#[derive(Serialize)]
struct New(i8);

#[derive(Serialize)]
struct Pair(u16, i16);

#[derive(Serialize)]
struct Nothing;

/// Displayed, not serialised by its parts.
struct Shown(String);

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[derive(Serialize)]
struct All<'a> {
    bytes: &'a [u8],
    text: char,
    unit: (),
    nothing: Nothing,
    is: bool,
    wide: (i128, u128, f32),
    structs: (New, Pair),
    #[serde(flatten)]
    flat: BTreeMap<u8, Kind>,
    kind: Kind,
    keys: BTreeMap<String, u32>,
    shown: [Shown; 2],
    raw: Box<RawValue>,
}

fn all(number: f64) -> [All<'static>; 3] {
    let inner = || Kind::Struct { a: Some(1.0), b: Box::new(Kind::Unit) };
    [Kind::New(number), Kind::Tuple(1, [number]), Kind::Struct { a: Some(number), b: Box::new(inner()) }].map(
        |kind| All {
            bytes: b"ab",
            text: '"',
            unit: (),
            nothing: Nothing,
            is: true,
            wide: (i128::MIN, u128::MAX, 0.1),
            structs: (New(-1), Pair(1, i16::MIN)),
            flat: [(1, inner())].into(),
            kind,
            keys: [("a\"b".to_owned(), 1), ("c".to_owned(), 2)].into(),
            shown: ["plain", "with \"quotes\""].map(|text| Shown(text.to_owned())),
            raw: serde_json::value::to_raw_value(&[1]).unwrap(),
        },
    )
}

#[test]
fn value_is_written_as_by_serde_json() {
    for value in all(0.1) {
        assert_eq!(written(&value).unwrap(), serde_json::to_string(&value).unwrap());
    }
}

#[test]
fn number_that_is_not_finite_is_refused_wherever_it_is() {
    for value in all(f64::INFINITY) {
        assert_eq!(written(&value).unwrap_err(), "JSON cannot express the number inf");
    }
    assert!(written(&[f32::NAN]).is_err());
}

#[test]
fn key_that_is_no_text_is_refused() {
    let keys: BTreeMap<[u8; 1], u8> = [([1], 1)].into();
    assert_eq!(written(&keys).unwrap_err(), "key must be a string");
}

#[test]
fn nesting_is_refused_beyond_the_limit_by_every_kind_of_level() {
    let nested = |levels: u8, with: fn(Value) -> Value| (0..levels).fold(json!(1), |value, _| with(value));
    for with in [|value| json!([value]), |value| json!({"a": value})] {
        assert!(written(&nested(MAX_NESTING, with)).is_ok());
        assert!(written(&nested(MAX_NESTING + 1, with)).is_err());
    }
    // A variant with fields is an object in an object.
    let variants = |count: u8| {
        let nested = (0..count).fold(Kind::Unit, |kind, _| Kind::Struct { a: None, b: Box::new(kind) });
        written(&nested)
    };
    assert!(variants(MAX_NESTING / 2).is_ok());
    assert!(variants(MAX_NESTING / 2 + 1).is_err());
}

#[test]
fn byte_that_is_escaped_is_found_at_every_position() {
    for length in 1..50 {
        for at in 0..length {
            for byte in ["\"", "\\", "\u{1f}", "\0", "\u{7f}", "é"] {
                let text = "x".repeat(at) + byte + &"x".repeat(length - at - 1);
                assert_eq!(written(&text).unwrap(), serde_json::to_string(&text).unwrap());
            }
        }
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[ -~]{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(Value::from),
            vec((any::<String>(), inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_value_is_written_as_by_serde_json(value in value()) {
        prop_assert_eq!(written(&value).unwrap(), serde_json::to_string(&value).unwrap());
    }

    #[test]
    fn any_displayed_text_is_written_as_by_serde_json(text: String) {
        prop_assert_eq!(written(&Shown(text.clone())).unwrap(), serde_json::to_string(&text).unwrap());
    }
}
