//! What is known of the type of a value that a handler emits or stores, for the catalogue.

/// The type of a value that a handler emits, or that the program reads back.
///
/// ```
/// # fn print(found: &graceful::catalogue::PayloadType) {
/// use graceful::catalogue::PayloadType;
///
/// match found {
///     PayloadType::Opaque(reason) => println!("opaque: {reason}"),
///     PayloadType::Unchecked => println!("not checked: it does not implement `JsonSchema`"),
///     known => println!("{known:?}"),
/// }
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadType {
    /// There is no payload, since the value is not `Serialize`: it is `null`.
    Nothing,
    /// The type has a schema.
    #[cfg(feature = "schemars")]
    #[cfg_attr(docsrs, doc(cfg(feature = "schemars")))]
    Schema(SchemaOf),
    /// The value is serialised, and its type implements no `JsonSchema`, or the feature `schemars` is disabled.
    Unchecked,
    /// The attribute cannot name the type, for this reason.
    Opaque(&'static str),
}

/// Makes the schema of a type.
///
/// ```
/// use graceful::catalogue::SchemaOf;
/// use schemars::generate::SchemaSettings;
///
/// let mut generator = SchemaSettings::draft07().for_serialize().into_generator();
/// let schema = SchemaOf::new::<u8>().generate(&mut generator);
/// assert_eq!(schema.get("type").unwrap(), "integer");
/// ```
#[cfg(feature = "schemars")]
#[cfg_attr(docsrs, doc(cfg(feature = "schemars")))]
#[derive(Clone, Copy, Debug)]
pub struct SchemaOf(fn(&mut schemars::SchemaGenerator) -> schemars::Schema);

#[cfg(feature = "schemars")]
impl SchemaOf {
    /// The schema of `T`.
    ///
    /// ```
    /// # use graceful::catalogue::SchemaOf;
    /// assert_eq!(SchemaOf::new::<u8>(), SchemaOf::new::<u8>());
    /// ```
    pub const fn new<T: schemars::JsonSchema + ?Sized>() -> Self {
        Self(schemars::SchemaGenerator::subschema_for::<T>)
    }

    /// Makes the schema; definitions of other types are left in the generator.
    ///
    /// ```
    /// # use graceful::catalogue::SchemaOf;
    /// # use schemars::generate::SchemaSettings;
    /// let mut generator = SchemaSettings::draft07().into_generator();
    /// assert!(SchemaOf::new::<Option<String>>().generate(&mut generator).get("type").is_some());
    /// ```
    pub fn generate(&self, generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        (self.0)(generator)
    }
}

/// Two are the same if they are made by one function.
#[cfg(feature = "schemars")]
impl PartialEq for SchemaOf {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::fn_addr_eq(self.0, other.0)
    }
}

#[cfg(feature = "schemars")]
impl Eq for SchemaOf {}
