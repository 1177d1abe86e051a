//! A serializer that refuses values which could not be read back unchanged, because JSON or its readers cannot represent them.

use serde::{
    Serialize, Serializer,
    ser::{
        SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant,
    },
};

/// The maximum depth of arrays and objects in a value. JSON readers stop at 128 levels, and a record that contains the value adds
/// some.
pub(crate) const MAX_NESTING: u8 = 100;

/// A value or a part of one, with the number of levels that may be nested in it.
pub(crate) struct Readable<'a, T: ?Sized> {
    value: &'a T,
    left: u8,
}

impl<'a, T: ?Sized> Readable<'a, T> {
    pub(crate) const fn new(value: &'a T) -> Self {
        Self { value, left: MAX_NESTING }
    }
}

impl<T: Serialize + ?Sized> Serialize for Readable<'_, T> {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Guarded { inner: serializer, left: self.left })
    }
}

/// A serializer, or its part for the members of an array or an object.
pub(crate) struct Guarded<S> {
    inner: S,
    left: u8,
}

impl<S: Serializer> Guarded<S> {
    fn nested<C>(
        self,
        levels: u8,
        begin: impl FnOnce(S) -> Result<C, S::Error>,
    ) -> Result<Guarded<C>, S::Error> {
        let left = self.left.checked_sub(levels).ok_or_else(too_deep)?;
        Ok(Guarded { inner: begin(self.inner)?, left })
    }
}

#[cold]
fn too_deep<E: serde::ser::Error>() -> E {
    E::custom(format_args!("it is nested deeper than {MAX_NESTING} levels"))
}

#[cold]
fn not_finite<E: serde::ser::Error>(number: f64) -> E {
    E::custom(format_args!("JSON cannot express the number {number}"))
}

macro_rules! forward {
    ($($method:ident($($argument:ident: $type:ty),*);)*) => {$(
        #[inline]
        fn $method(self $(, $argument: $type)*) -> Result<S::Ok, S::Error> {
            self.inner.$method($($argument),*)
        }
    )*};
}

macro_rules! nested {
    ($($method:ident($($argument:ident: $type:ty),*) -> $compound:ident, $levels:literal;)*) => {$(
        #[inline]
        fn $method(self $(, $argument: $type)*) -> Result<Guarded<S::$compound>, S::Error> {
            self.nested($levels, |inner| inner.$method($($argument),*))
        }
    )*};
}

impl<S: Serializer> Serializer for Guarded<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Guarded<S::SerializeSeq>;
    type SerializeTuple = Guarded<S::SerializeTuple>;
    type SerializeTupleStruct = Guarded<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Guarded<S::SerializeTupleVariant>;
    type SerializeMap = Guarded<S::SerializeMap>;
    type SerializeStruct = Guarded<S::SerializeStruct>;
    type SerializeStructVariant = Guarded<S::SerializeStructVariant>;

    forward! {
        serialize_bool(value: bool);
        serialize_i8(value: i8);
        serialize_i16(value: i16);
        serialize_i32(value: i32);
        serialize_i64(value: i64);
        serialize_i128(value: i128);
        serialize_u8(value: u8);
        serialize_u16(value: u16);
        serialize_u32(value: u32);
        serialize_u64(value: u64);
        serialize_u128(value: u128);
        serialize_char(value: char);
        serialize_str(value: &str);
        serialize_bytes(value: &[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(name: &'static str);
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str);
    }

    nested! {
        serialize_seq(len: Option<usize>) -> SerializeSeq, 1;
        serialize_tuple(len: usize) -> SerializeTuple, 1;
        serialize_tuple_struct(name: &'static str, len: usize) -> SerializeTupleStruct, 1;
        serialize_tuple_variant(name: &'static str, index: u32, variant: &'static str, len: usize) -> SerializeTupleVariant, 2;
        serialize_map(len: Option<usize>) -> SerializeMap, 1;
        serialize_struct(name: &'static str, len: usize) -> SerializeStruct, 1;
        serialize_struct_variant(name: &'static str, index: u32, variant: &'static str, len: usize) -> SerializeStructVariant, 2;
    }

    #[inline]
    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        if value.is_finite() { self.inner.serialize_f32(value) } else { Err(not_finite(value.into())) }
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        if value.is_finite() { self.inner.serialize_f64(value) } else { Err(not_finite(value)) }
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.serialize_some(&Readable { value, left: self.left })
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_newtype_struct(name, &Readable { value, left: self.left })
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let left = self.left.checked_sub(1).ok_or_else(too_deep)?;
        self.inner.serialize_newtype_variant(name, index, variant, &Readable { value, left })
    }

    #[inline]
    fn collect_str<T: std::fmt::Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! members {
    ($($compound:ident: $($method:ident($($key:ident: $type:ty)?))|+;)*) => {$(
        impl<S: $compound> $compound for Guarded<S> {
            type Ok = S::Ok;
            type Error = S::Error;

            $(#[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, $($key: $type,)? value: &T) -> Result<(), S::Error> {
                self.inner.$method($($key,)? &Readable { value, left: self.left })
            })+

            #[inline]
            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        }
    )*};
}

members! {
    SerializeSeq: serialize_element();
    SerializeTuple: serialize_element();
    SerializeTupleStruct: serialize_field();
    SerializeTupleVariant: serialize_field();
    SerializeMap: serialize_key() | serialize_value();
    SerializeStruct: serialize_field(key: &'static str);
    SerializeStructVariant: serialize_field(key: &'static str);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;

    fn written<T: Serialize>(value: &T) -> Result<String, String> {
        serde_json::to_string(&Readable::new(value)).map_err(|error| error.to_string())
    }

    #[derive(Serialize)]
    enum Kind {
        Unit,
        New(f64),
        Tuple(u8, [f64; 1]),
        Struct { a: Option<f64>, b: Box<Kind> },
    }

    #[derive(Serialize)]
    struct All<'a> {
        bytes: &'a [u8],
        text: char,
        unit: (),
        wide: (i128, u128),
        #[serde(flatten)]
        flat: BTreeMap<u8, Kind>,
        kind: Kind,
        raw: Box<serde_json::value::RawValue>,
    }

    fn all(number: f64) -> [All<'static>; 3] {
        let inner = || Kind::Struct { a: Some(1.0), b: Box::new(Kind::Unit) };
        [Kind::New(number), Kind::Tuple(1, [number]), Kind::Struct { a: Some(number), b: Box::new(inner()) }]
            .map(|kind| All {
                bytes: b"ab",
                text: 'x',
                unit: (),
                wide: (i128::MIN, u128::MAX),
                flat: [(1, inner())].into(),
                kind,
                raw: serde_json::value::to_raw_value(&[1]).unwrap(),
            })
    }

    #[test]
    fn value_is_written_as_without_the_guard() {
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
    fn nesting_is_refused_beyond_the_limit_by_every_kind_of_level() {
        let nested =
            |levels: u8, with: fn(Value) -> Value| (0..levels).fold(json!(1), |value, _| with(value));
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
}
