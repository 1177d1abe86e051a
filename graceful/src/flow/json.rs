//! Writes JSON as `serde_json` does, but faster: a text is checked in blocks and copied whole, and JSON inside of a value is copied.
//!
//! It refuses values which could not be read back unchanged, because JSON or its readers cannot represent them. Everything that is rare is
//! left to `serde_json`.

mod members;
mod text;

use std::fmt::{self, Write as _};

use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::Error;

use self::{
    members::{Kind, Members},
    text::{Text, by_serde_json, is_clean, text},
};

/// The maximum depth of arrays and objects in a value. JSON readers stop at 128 levels, and a record that contains the value adds
/// some.
pub(crate) const MAX_NESTING: u8 = 100;

/// The name by which `serde_json` knows a value that is JSON already. Its test fails if a version uses another.
pub(super) const RAW: &str = "$serde_json::private::RawValue";

/// The names of such values begin with this.
const PRIVATE: &str = "$serde_json::private::";

/// Appends a value.
///
/// # Errors
/// Fails if the value's `Serialize` fails, or if JSON cannot express the value.
pub(crate) fn write<T: Serialize + ?Sized>(out: &mut String, value: &T) -> Result<(), Error> {
    value.serialize(Json { out, left: MAX_NESTING })
}

/// Appends records of this crate, which are deeper than the values in them.
pub(crate) fn write_record<T: Serialize + ?Sized>(out: &mut String, record: &T) -> Result<(), Error> {
    record.serialize(Json { out, left: u8::MAX })
}

/// The serializer of a value, in which this number of levels may be nested.
struct Json<'a> {
    out: &'a mut String,
    left: u8,
}

#[cold]
fn too_deep() -> Error {
    Error::custom(format_args!("it is nested deeper than {MAX_NESTING} levels"))
}

#[cold]
fn not_finite(number: f64) -> Error {
    Error::custom(format_args!("JSON cannot express the number {number}"))
}

impl<'a> Json<'a> {
    #[inline]
    fn members(self, levels: u8, begin: &'static str, end: &'static str) -> Result<Members<'a>, Error> {
        let left = self.left.checked_sub(levels).ok_or_else(too_deep)?;
        self.out.push_str(begin);
        Ok(Members { out: self.out, left, kind: Kind::Plain(end), is_first: true })
    }

    /// A variant with fields is an object in an object.
    fn variant(
        self,
        name: &'static str,
        levels: u8,
        begin: &'static str,
        end: &'static str,
    ) -> Result<Members<'a>, Error> {
        self.out.push('{');
        text(self.out, name)?;
        self.out.push(':');
        self.members(levels, begin, end)
    }
}

macro_rules! scalars {
    ($($method:ident($value:ident: $type:ty);)*) => {$(
        #[inline]
        fn $method(self, $value: $type) -> Result<(), Error> {
            serde_json::Serializer::new(Text(self.out)).$method($value)
        }
    )*};
}

impl<'a> Serializer for Json<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Members<'a>;
    type SerializeTuple = Members<'a>;
    type SerializeTupleStruct = Members<'a>;
    type SerializeTupleVariant = Members<'a>;
    type SerializeMap = Members<'a>;
    type SerializeStruct = Members<'a>;
    type SerializeStructVariant = Members<'a>;

    scalars! {
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
        serialize_bytes(value: &[u8]);
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        if value.is_finite() { by_serde_json(self.out, &value) } else { Err(not_finite(value.into())) }
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        if value.is_finite() { by_serde_json(self.out, &value) } else { Err(not_finite(value)) }
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), Error> {
        text(self.out, value)
    }

    /// What is written is escaped only if it must be.
    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<(), Error> {
        let begin = self.out.len();
        self.out.push('"');
        write!(self.out, "{value}").map_err(Error::custom)?;
        if is_clean(&self.out[begin + 1..]) {
            self.out.push('"');
            return Ok(());
        }
        let written = self.out.split_off(begin + 1);
        self.out.truncate(begin);
        by_serde_json(self.out, &written)
    }

    #[inline]
    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_unit(self) -> Result<(), Error> {
        self.out.push_str("null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        text(self.out, variant)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let mut members = self.variant(variant, 1, "", "}")?;
        members.value(value)?;
        members.finish();
        Ok(())
    }

    #[inline]
    fn serialize_seq(self, _: Option<usize>) -> Result<Members<'a>, Error> {
        self.members(1, "[", "]")
    }

    #[inline]
    fn serialize_tuple(self, _: usize) -> Result<Members<'a>, Error> {
        self.members(1, "[", "]")
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Members<'a>, Error> {
        self.members(1, "[", "]")
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Members<'a>, Error> {
        self.variant(variant, 2, "[", "]}")
    }

    #[inline]
    fn serialize_map(self, _: Option<usize>) -> Result<Members<'a>, Error> {
        self.members(1, "{", "}")
    }

    #[inline]
    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Members<'a>, Error> {
        if name.starts_with(PRIVATE) {
            return Ok(Members { out: self.out, left: self.left, kind: Kind::Private(name), is_first: true });
        }
        self.members(1, "{", "}")
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Members<'a>, Error> {
        self.variant(variant, 2, "{", "}}")
    }
}

#[cfg(test)]
mod tests;
