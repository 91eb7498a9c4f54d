//! JSON read with goodwill: a field of an unexpected type is passed over instead of failing the
//! whole payload, and a text borrows from its payload where it has no escapes.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A JSON value of any type. An object is read as `O`, the items of an array as `I`; what is
/// [`IgnoredAny`] there is passed over.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Shape<'a, O = IgnoredAny, I = IgnoredAny> {
    /// The field is absent or null.
    #[default]
    Missing,
    Text(Cow<'a, str>),
    Whole(i64),
    Flag(bool),
    /// A number that is not whole or has more than 64 bits.
    Fraction,
    Object(O),
    List(Vec<I>),
}

/// A value of which only a text, a whole number or a flag matters.
pub(crate) type Scalar<'a> = Shape<'a>;

impl<'a, O, I> Shape<'a, O, I> {
    pub(crate) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(crate) fn into_text(self) -> Option<Cow<'a, str>> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(crate) fn object(&self) -> Option<&O> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    pub(crate) fn into_object(self) -> Option<O> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    pub(crate) fn items(&self) -> &[I] {
        if let Self::List(items) = self { items } else { &[] }
    }

    pub(crate) fn into_items(self) -> Vec<I> {
        if let Self::List(items) = self { items } else { Vec::new() }
    }

    pub(crate) fn count(&self) -> Option<u64> {
        if let Self::Whole(number) = self { u64::try_from(*number).ok() } else { None }
    }

    pub(crate) fn flag(&self) -> Option<bool> {
        if let Self::Flag(flag) = self { Some(*flag) } else { None }
    }

    /// A number, also one in quotes.
    pub(crate) fn code(&self) -> Option<i64> {
        match self {
            Self::Whole(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    pub(crate) fn is_present(&self) -> bool {
        !matches!(self, Self::Missing)
    }
}

impl<'de: 'a, 'a, O: Deserialize<'de>, I: Deserialize<'de>> Deserialize<'de> for Shape<'a, O, I> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeVisitor(PhantomData))
    }
}

struct ShapeVisitor<O, I>(PhantomData<(O, I)>);

impl<'de, O: Deserialize<'de>, I: Deserialize<'de>> Visitor<'de> for ShapeVisitor<O, I> {
    type Value = Shape<'de, O, I>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Shape::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Shape::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Shape::Whole(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(number).map_or(Shape::Fraction, Shape::Whole))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Shape::Fraction)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Shape::Flag(flag))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Shape::Missing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Shape::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        O::deserialize(MapAccessDeserializer::new(&mut entries)).map(Shape::Object)
    }
}
