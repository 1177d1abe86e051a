//! Writes the members of arrays and objects.

use serde::ser::{self, Serialize, Serializer as _};
use serde_json::Error;

use super::{
    Json,
    text::{Text, text},
};

/// An array or an object whose members are being written.
pub(super) struct Members<'a> {
    pub(super) out: &'a mut String,
    pub(super) left: u8,
    pub(super) kind: Kind,
    pub(super) is_first: bool,
}

pub(super) enum Kind {
    /// It ends with these bytes.
    Plain(&'static str),
    /// A value of `serde_json`, by its name.
    Private(&'static str),
}

impl Members<'_> {
    #[inline]
    fn separate(&mut self) {
        if !std::mem::take(&mut self.is_first) {
            self.out.push(',');
        }
    }

    #[inline]
    pub(super) fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(Json { out: self.out, left: self.left })
    }

    #[inline]
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.separate();
        self.value(value)
    }

    #[inline]
    fn field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        if let Kind::Private(name) = self.kind {
            return private(self.out, name, key, value);
        }
        self.separate();
        text(self.out, key)?;
        self.out.push(':');
        self.value(value)
    }

    #[inline]
    pub(super) fn finish(self) {
        if let Kind::Plain(end) = self.kind {
            self.out.push_str(end);
        }
    }
}

fn private<T: Serialize + ?Sized>(
    out: &mut String,
    name: &'static str,
    key: &'static str,
    value: &T,
) -> Result<(), Error> {
    let mut serializer = serde_json::Serializer::new(Text(out));
    let mut members = serializer.serialize_struct(name, 1)?;
    ser::SerializeStruct::serialize_field(&mut members, key, value)?;
    ser::SerializeStruct::end(members)
}

macro_rules! members {
    ($($compound:ident: $method:ident($($key:ident: $type:ty)?) as $write:ident;)*) => {$(
        impl ser::$compound for Members<'_> {
            type Ok = ();
            type Error = Error;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, $($key: $type,)? value: &T) -> Result<(), Error> {
                self.$write($($key,)? value)
            }

            #[inline]
            fn end(self) -> Result<(), Error> {
                self.finish();
                Ok(())
            }
        }
    )*};
}

members! {
    SerializeSeq: serialize_element() as element;
    SerializeTuple: serialize_element() as element;
    SerializeTupleStruct: serialize_field() as element;
    SerializeTupleVariant: serialize_field() as element;
    SerializeStruct: serialize_field(key: &'static str) as field;
    SerializeStructVariant: serialize_field(key: &'static str) as field;
}

impl ser::SerializeMap for Members<'_> {
    type Ok = ();
    type Error = Error;

    /// `serde_json` knows what may be a key. It writes an object with this key, whose brace is removed.
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.separate();
        let brace = self.out.len();
        let mut serializer = serde_json::Serializer::new(Text(self.out));
        ser::SerializeMap::serialize_key(&mut serializer.serialize_map(None)?, key)?;
        self.out.remove(brace);
        self.out.push(':');
        Ok(())
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.value(value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish();
        Ok(())
    }
}
