//! A flow as a store keeps it: without what its row says, and without what follows from the rest of it.

use serde::{Serialize, Serializer, ser::SerializeStruct};
use uuid::Uuid;

use super::{CallOutcome, Declaration, Delivery, Flow, Identity, stored::is_default};
use crate::{code::Code, text::Text};

/// The columns of a stored flow that its record does not repeat.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    pub id: Uuid,
    /// The identity of the handler; empty if the flow has none, because no attribute declared it.
    pub handler: &'a str,
}

/// A flow, or the declaration in it, for a row with this handler. Without a handler the declaration is written as it is.
#[derive(Debug)]
pub(super) struct Compact<'a, T> {
    pub handler: &'a str,
    pub of: &'a T,
}

impl Serialize for Compact<'_, Flow> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Flow {
            id: _,
            at,
            ending,
            code,
            message,
            fallback_applied,
            parent,
            depth,
            origin,
            context,
            declaration,
            values,
            metadata,
            named: _,
            resubmitted: _,
            caller: _,
            cause: _,
            answering: _,
        } = self.of;
        let mut record = serializer.serialize_struct("Flow", 0)?;
        record.serialize_field("at", at)?;
        unless(&mut record, "ending", ending, &CallOutcome::Ok)?;
        unless(&mut record, "code", code, &Code::Ok)?;
        unless_default(&mut record, "message", message)?;
        unless_default(&mut record, "fallback_applied", fallback_applied)?;
        unless_default(&mut record, "parent", parent)?;
        unless_default(&mut record, "depth", depth)?;
        record.serialize_field("origin", origin)?;
        unless_default(&mut record, "context", context)?;
        let declaration: &Declaration = declaration;
        record.serialize_field("declaration", &Compact { handler: self.handler, of: declaration })?;
        unless_default(&mut record, "values", values)?;
        unless_default(&mut record, "metadata", metadata)?;
        record.end()
    }
}

impl Serialize for Compact<'_, Declaration> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Declaration {
            handler,
            identity,
            incident,
            was,
            pattern,
            event,
            failed,
            relation,
            to_pattern,
            tags,
            options,
        } = self.of;
        let identity = identity.name();
        let is_declared = !self.handler.is_empty();
        let mut record = serializer.serialize_struct("Declaration", 0)?;
        if !is_declared || **handler != *function_of(&identity) {
            record.serialize_field("handler", handler)?;
        }
        unless(&mut record, "identity", &*identity, self.handler)?;
        unless_default(&mut record, "incident", incident)?;
        unless_default(&mut record, "was", was)?;
        record.serialize_field("pattern", pattern)?;
        unless_default(&mut record, "event", event)?;
        if !is_declared || failed.strip_suffix(FAILED) != Some(event) {
            unless_default(&mut record, "failed", failed)?;
        }
        unless_default(&mut record, "relation", relation)?;
        unless_default(&mut record, "to_pattern", to_pattern)?;
        unless_default(&mut record, "tags", tags)?;
        let mut options = *options;
        if is_declared && options.delivery == Delivery::Durable {
            options.delivery = Delivery::default();
        }
        unless_default(&mut record, "options", &options)?;
        record.end()
    }
}

/// How the event of a failure is named after that of a success.
const FAILED: &str = ".failed";

/// The name of the function in the identity of a handler.
fn function_of(identity: &str) -> &str {
    identity.rsplit("::").next().unwrap_or(identity)
}

fn unless<R: SerializeStruct, T: Serialize + PartialEq + ?Sized>(
    record: &mut R,
    key: &'static str,
    value: &T,
    known: &T,
) -> Result<(), R::Error> {
    if value == known { Ok(()) } else { record.serialize_field(key, value) }
}

fn unless_default<R: SerializeStruct, T: Serialize + Default + PartialEq>(
    record: &mut R,
    key: &'static str,
    value: &T,
) -> Result<(), R::Error> {
    if is_default(value) { Ok(()) } else { record.serialize_field(key, value) }
}

impl Flow {
    /// Sets what its record does not repeat.
    pub(super) fn complete(&mut self, row: Row<'_>) {
        self.id = row.id;
        if row.handler.is_empty() {
            return;
        }
        let declaration = self.declaration.to_mut();
        // Only these flows have a handler in their row.
        declaration.options.delivery = Delivery::Durable;
        if declaration.identity == Identity::default() {
            declaration.identity = Identity::Name(row.handler.into());
        }
        if declaration.handler.is_empty() {
            declaration.handler = function_of(&declaration.identity.name()).into();
        }
        if declaration.failed.is_empty() && !declaration.event.is_empty() {
            declaration.failed = Text::joined([&declaration.event, FAILED]);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::to_value;

    use super::*;
    use crate::{
        context::Context,
        flow::{Declared, Options, Origin, Payload, Stored, Tags},
        step::{Step, Steps},
    };

    const IDENTITY: &str = "users::update_user";

    /// A flow as the attribute declares it.
    fn declared(change: impl FnOnce(&mut Declaration)) -> Flow {
        let mut declaration = Declaration {
            handler: "update_user".into(),
            identity: Identity::Name(IDENTITY.into()),
            pattern: "user".into(),
            event: "user_updated".into(),
            failed: "user_updated.failed".into(),
            options: Options { delivery: Delivery::Durable, ..Options::DEFAULT },
            ..Declaration::default()
        };
        change(&mut declaration);
        let origin = Origin { service: "users".into(), environment: "test".into() };
        let mut flow = Flow::begin(Declared::Owned(declaration.into()), Arc::new(origin));
        flow.id = Uuid::from_u128(7);
        flow.values.id = Some("42".into());
        flow
    }

    /// The record, which is read back without a loss.
    #[track_caller]
    fn record(flow: &Flow, handler: &str) -> String {
        let row = Row { id: flow.id, handler };
        for done in [Steps::NONE, Steps::of(&[Step::Event])] {
            let body = flow.encode(handler, done).unwrap();
            let read = Stored::decode(row, &body).unwrap();
            assert_eq!(to_value(&read.flow).unwrap(), to_value(flow).unwrap());
            assert_eq!(read.done, done);
        }
        String::from_utf8(flow.encode(handler, Steps::NONE).unwrap()).unwrap()
    }

    #[test]
    fn record_of_a_success_says_what_its_row_does_not() {
        assert_eq!(
            record(&declared(|_| {}), IDENTITY),
            "{\"format\":3,\"flow\":{\"at\":\"1970-01-01T00:00:00Z\",\
             \"origin\":{\"service\":\"users\",\"environment\":\"test\"},\
             \"declaration\":{\"pattern\":\"user\",\"event\":\"user_updated\"},\
             \"values\":{\"id\":\"42\"}}}"
        );
    }

    #[test]
    fn record_of_a_failure_says_how_it_ended() {
        let mut flow = declared(|_| {});
        flow.come_to(CallOutcome::Panicked, Code::Internal);
        let record = record(&flow, IDENTITY);
        assert!(record.contains("\"ending\":\"panicked\",\"code\":\"INTERNAL\",\"message\":"), "{record}");
    }

    #[test]
    fn record_keeps_what_does_not_follow_from_the_rest() {
        // A handler that was renamed: its flows are retried under its new identity.
        assert!(
            record(&declared(|_| {}), "users::change_user").contains("\"identity\":\"users::update_user\"")
        );
        let renamed = declared(|declaration| declaration.handler = "change_user".into());
        assert!(record(&renamed, IDENTITY).contains("\"handler\":\"change_user\""));
        let lost = declared(|declaration| declaration.failed = "user_lost".into());
        assert!(record(&lost, IDENTITY).contains("\"failed\":\"user_lost\""));
        let silent = declared(|declaration| declaration.event = "".into());
        assert!(record(&silent, IDENTITY).contains("\"failed\":\"user_updated.failed\""));
    }

    /// Without the attribute, names may be empty that otherwise follow from others.
    #[test]
    fn record_without_a_handler_in_its_row_is_whole() {
        let flow = declared(|declaration| {
            (declaration.handler, declaration.failed) = ("".into(), "".into());
        });
        let record = record(&flow, "");
        assert!(record.contains("\"handler\":\"\",\"identity\":\"users::update_user\""), "{record}");
    }

    #[test]
    fn record_has_every_field() {
        let mut flow = declared(|declaration| {
            declaration.incident = "payments".into();
            (declaration.was, declaration.tags) = (Tags::Static(&["old"]), Tags::Static(&["a", "b"]));
            (declaration.relation, declaration.to_pattern) = ("member_of".into(), "team".into());
        });
        (flow.message, flow.fallback_applied, flow.depth) = ("user updated".into(), true, 2);
        flow.parent = Some(Uuid::from_u128(6));
        flow.context = Some(Arc::new(Context::new().tenant("acme")));
        flow.values.named_at_entry = true;
        flow.values.payload = Payload::from_json("{\"z\":1,\"a\":2}");
        let metadata = serde_json::json!({
            "state": flow.id, "previous": null, "next": null, "related": [], "score": 1, "error_count": 0,
            "last_success": null, "last_error": null, "updated_at": flow.at, "fields": {},
        });
        flow.metadata = Some(Arc::new(serde_json::from_value(metadata).unwrap()));
        let whole = to_value(&flow).unwrap();
        assert_eq!(whole.as_object().unwrap().len(), 13, "a field has its default: {whole}");
        record(&flow, IDENTITY);
    }

    /// Records as older versions wrote them.
    #[test]
    fn records_of_older_formats_are_read_and_stored_in_the_present_one() {
        const FORMAT_2: &str = include_str!("compact/format_2.json");
        let format_1 = FORMAT_2.replace("\"format\":2", "\"format\":1");
        let format_0 = FORMAT_2.replace("\"format\":2,", "");
        let id = Uuid::from_u128(7);
        let row = Row { id, handler: IDENTITY };
        for old in [&format_0, &format_1, FORMAT_2] {
            let read = Stored::decode(row, old.trim().as_bytes()).unwrap();
            assert_eq!(read.done, Steps::of(&[Step::Event]), "{old}");
            let whole: serde_json::Value = serde_json::from_str(old).unwrap();
            assert_eq!(to_value(&read.flow).unwrap(), whole["flow"]);
            record(&read.flow, IDENTITY);
        }
    }
}
