//! A stored flow with its completed steps, and the formats in which older versions stored it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CallOutcome, Flow, Row, compact::Compact, json};
use crate::{
    code::Code,
    step::{StepError, Steps},
};

/// The format in which flows are stored. A change of what is stored raises it, and adds an upcaster. So does a change of a default, because a
/// value that is the default is not stored.
const FORMAT: u16 = 3;

/// Changes what an older version has stored, by one format. It decodes the flow, so the bytes of its payloads are not kept: the order of
/// fields and long numbers are lost.
type Upcaster = fn(&mut Value) -> Result<(), StepError>;

/// For each older format the way to the next; `None` if the next can read it as it is. The first is for flows without a format number.
const UPCASTERS: [Option<Upcaster>; FORMAT as usize] = [
    // Format 1 only added the number.
    None, // Format 2 does not store defaults.
    None, // Format 3 does not store what its row says, or what follows from the rest.
    None,
];

pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A flow on disk.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Stored {
    /// 0 for a flow that was stored before there were numbers.
    #[serde(default)]
    format: u16,
    pub flow: Flow,
    /// The steps that are not run again.
    #[serde(default)]
    pub done: Steps,
}

/// The ending of a flow whose record has none.
pub(super) const fn returned_ok() -> CallOutcome {
    CallOutcome::Ok
}

/// The code of a flow whose record has none.
pub(super) const fn ok() -> Code {
    Code::Ok
}

/// Why a stored flow cannot be decoded.
#[derive(Debug)]
pub(crate) enum Undecodable {
    /// A newer version has stored it, and can run it.
    Newer(StepError),
    /// The way from its format to this one fails, now and later.
    NotUpcast(StepError),
    /// It is no flow.
    Damaged(StepError),
}

impl Undecodable {
    pub(crate) fn into_error(self) -> StepError {
        let (Self::Newer(error) | Self::NotUpcast(error) | Self::Damaged(error)) = self;
        error
    }
}

/// The bytes of a flow without its payload, as a rule.
const FLOW: usize = 512;

impl Stored {
    pub(crate) fn decode(row: Row<'_>, body: &[u8]) -> Result<Self, Undecodable> {
        let mut stored = Self::decoded(body, &UPCASTERS)?;
        stored.flow.complete(row);
        Ok(stored)
    }

    /// Decodes what was stored in any format that these upcasters begin with.
    fn decoded(body: &[u8], upcasters: &[Option<Upcaster>]) -> Result<Self, Undecodable> {
        let current = u16::try_from(upcasters.len()).unwrap_or(u16::MAX);
        // Nearly all flows have this format, and are parsed once.
        let decoded = serde_json::from_slice::<Self>(body);
        if let Ok(stored) = &decoded
            && stored.format == current
        {
            return decoded.map_err(|error| unreadable(&error));
        }
        let Numbered { format } = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
        let older = upcasters.iter().enumerate().skip(usize::try_from(format).unwrap_or(usize::MAX));
        let needed: Vec<_> = older.filter_map(|(older, upcast)| Some((older, (*upcast)?))).collect();
        if format > current.into() {
            return Err(Undecodable::Newer(StepError::new(format_args!(
                "the flow was stored in format {format} by a newer version, and this one reads formats up to {current}"
            ))));
        }
        if needed.is_empty() {
            // Its payloads keep their bytes.
            let stored = decoded.map_err(|error| unreadable(&error))?;
            return Ok(Self { format: current, ..stored });
        }
        let mut value: Value = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
        for (older, upcast) in needed {
            upcast(&mut value).map_err(|error| {
                Undecodable::NotUpcast(StepError::new(format_args!(
                    "the stored flow cannot be changed from format {older} to the next: {error}"
                )))
            })?;
        }
        let upcast: Self = serde_json::from_value(value).map_err(|error| {
            Undecodable::NotUpcast(StepError::new(format_args!(
                "the stored flow cannot be read after its change from format {format} to {current}: {:?} error",
                error.classify()
            )))
        })?;
        Ok(Self { format: current, ..upcast })
    }
}

/// What every format has, whatever else it has.
#[derive(Deserialize)]
struct Numbered {
    #[serde(default)]
    format: u64,
}

/// Only the kind and the position of the error, because its text quotes the value.
fn unreadable(error: &serde_json::Error) -> Undecodable {
    let (kind, line, column) = (error.classify(), error.line(), error.column());
    Undecodable::Damaged(StepError::new(format_args!(
        "the stored flow cannot be read: {kind:?} error at {line}:{column}"
    )))
}

/// A borrowed flow for encoding.
#[derive(Serialize)]
struct Borrowed<'a> {
    format: u16,
    flow: Compact<'a, Flow>,
    #[serde(skip_serializing_if = "is_default")]
    done: Steps,
}

impl Flow {
    /// The flow as bytes for a row with this handler.
    pub(crate) fn encode(&self, handler: &str, done: Steps) -> Result<Vec<u8>, StepError> {
        let mut body = String::with_capacity(FLOW + self.values.payload.as_bytes().len());
        json::write_record(
            &mut body,
            &Borrowed { format: FORMAT, flow: Compact { handler, of: self }, done },
        )
        .map_err(StepError::caused_by)?;
        Ok(body.into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use uuid::Uuid;

    use super::*;
    use crate::flow::{Declaration, Declared, Delivery, Identity, Options, Origin};

    /// A row of a flow that no attribute has declared.
    const ROW: Row<'static> = Row { id: Uuid::nil(), handler: "" };

    fn body(change: impl FnOnce(&mut Value)) -> Vec<u8> {
        let flow = Flow::begin(Declared::default(), Origin::unknown());
        let mut value: Value =
            serde_json::from_slice(&flow.encode(ROW.handler, Steps::NONE).unwrap()).unwrap();
        change(&mut value);
        value.to_string().into_bytes()
    }

    #[test]
    fn defaults_are_not_stored_and_are_read_as_they_were() {
        let declaration = Declaration {
            handler: "update_user".into(),
            identity: Identity::Name("users::update_user".into()),
            pattern: "user".into(),
            options: Options { delivery: Delivery::Durable, ..Options::DEFAULT },
            ..Declaration::default()
        };
        let origin = Origin { service: "users".into(), ..Origin::default() };
        let mut flow = Flow::begin(Declared::Owned(Arc::new(declaration)), Arc::new(origin));
        flow.values.cache_key = Some("42".into());
        let row = Row { id: flow.id, handler: "users::update_user" };
        let body = flow.encode(row.handler, Steps::NONE).unwrap();
        let text = str::from_utf8(&body).unwrap();
        for default in ["null", "false", "[]", "{}", "\"\"", "ttl"] {
            assert!(!text.contains(default), "{default}: {text}");
        }
        let stored = Stored::decode(row, &body).unwrap().flow;
        assert_eq!((&*stored.declaration, &stored.values), (&*flow.declaration, &flow.values));
        assert_eq!((stored.depth, &stored.origin), (flow.depth, &flow.origin));
    }

    #[test]
    fn options_are_stored_where_they_differ() {
        let options =
            Options { cache_ttl_ms: 1, schedule_after_ms: 0, timeouts_ms: [1; 9], ..Options::DEFAULT };
        let stored = serde_json::to_string(&options).unwrap();
        assert_eq!(serde_json::from_str::<Options>(&stored).unwrap(), options, "{stored}");
        assert_eq!(serde_json::to_string(&Options::DEFAULT).unwrap(), "{}");
        assert_eq!(serde_json::from_str::<Options>("{}").unwrap(), Options::DEFAULT);
    }

    fn format(number: u16) -> impl FnOnce(&mut Value) {
        move |value| value["format"] = number.into()
    }

    #[test]
    fn flow_without_a_format_is_read() {
        let stored =
            Stored::decode(ROW, &body(|value| drop(value.as_object_mut().unwrap().remove("format"))))
                .unwrap();
        assert_eq!(stored.format, FORMAT);
        assert!(Stored::decode(ROW, &body(|_| {})).is_ok());
    }

    /// A value of JSON whose bytes are lost if it is decoded: the order of its fields, long numbers, the form of a float.
    const EXACT: &str = r#"{"z":1.10,"a":123456789012345678901234567890,"m":1E2,"f":0.30000000000000004}"#;

    /// A body with that payload, in a format.
    fn exact(number: Option<u16>) -> Vec<u8> {
        let mut flow = Flow::begin(Declared::default(), Origin::unknown());
        flow.values.payload = crate::flow::Payload::from_json(EXACT);
        let body = String::from_utf8(flow.encode(ROW.handler, Steps::NONE).unwrap()).unwrap();
        let own = format!("\"format\":{FORMAT},");
        assert!(body.contains(&own) && body.contains(EXACT), "{body}");
        let format = number.map(|number| format!("\"format\":{number},"));
        body.replacen(&own, &format.unwrap_or_default(), 1).into_bytes()
    }

    #[test]
    fn payload_of_an_older_format_keeps_its_bytes_unless_it_is_upcast() {
        for number in [None, Some(0), Some(FORMAT)] {
            let stored = Stored::decode(ROW, &exact(number)).unwrap();
            assert_eq!(stored.flow.values.payload.as_json(), EXACT, "{number:?}");
            assert_eq!(stored.format, FORMAT);
        }
        // Only the formats before an upcaster need it.
        let upcasters: [Option<Upcaster>; 3] = [None, Some(|_| Ok(())), None];
        let payload = |number| {
            let stored = Stored::decoded(&exact(Some(number)), &upcasters).unwrap();
            stored.flow.values.payload.as_json().to_owned()
        };
        assert_eq!((payload(2), payload(3)), (EXACT.to_owned(), EXACT.to_owned()));
        assert_ne!(payload(0), EXACT);
    }

    #[test]
    fn flow_of_a_newer_format_is_left_to_newer_processes() {
        let error = Stored::decode(ROW, &body(format(FORMAT + 1))).unwrap_err();
        assert!(matches!(error, Undecodable::Newer(_)), "{error:?}");
        // Even if it has another shape.
        let other = body(|value| *value = serde_json::json!({ "format": 7, "more": 1 }));
        assert!(matches!(Stored::decode(ROW, &other).unwrap_err(), Undecodable::Newer(_)));
    }

    #[test]
    fn upcasters_run_in_order_from_the_format_of_the_flow() {
        const UPCASTERS: [Option<Upcaster>; 3] = [
            Some(|value| {
                value["flow"]["message"] = "first".into();
                Ok(())
            }),
            Some(|value| {
                value["flow"]["message"] =
                    format!("{} second", value["flow"]["message"].as_str().unwrap_or_default()).into();
                Ok(())
            }),
            Some(|value| match value["flow"]["message"] == "refused" {
                true => Err(StepError::new("no message")),
                false => Ok(()),
            }),
        ];
        let message = |number| Stored::decoded(&body(format(number)), &UPCASTERS).unwrap().flow.message;
        assert_eq!(
            (message(0), message(1), message(2)),
            ("first second".into(), " second".into(), "".into())
        );
        let refused = body(|value| {
            format(2)(value);
            value["flow"]["message"] = "refused".into();
        });
        let error = Stored::decoded(&refused, &UPCASTERS).unwrap_err();
        let Undecodable::NotUpcast(error) = error else { panic!("{error:?}") };
        assert_eq!(
            error.message(),
            "the stored flow cannot be changed from format 2 to the next: no message"
        );
    }

    #[test]
    fn damaged_flow_is_told_by_kind_and_place_only() {
        let error = Stored::decode(ROW, b"{\"flow\": 7, \"secret\": x}").unwrap_err();
        let Undecodable::Damaged(error) = error else { panic!("{error:?}") };
        assert_eq!(error.message(), "the stored flow cannot be read: Syntax error at 1:23");
    }
}
