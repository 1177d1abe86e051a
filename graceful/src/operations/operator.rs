//! Who acts.

/// Who acts on flows, as recorded in the audit log. A `&str` is the name of an operator whom nobody has verified.
///
/// ```
/// use graceful::operations::Operator;
/// assert_eq!(Operator::from("ada"), Operator { name: "ada", verified: false });
/// assert_eq!(Operator::verified("ada"), Operator { name: "ada", verified: true });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operator<'a> {
    /// The name.
    pub name: &'a str,
    /// Whether somebody has verified the name, e.g. the login of a console.
    pub verified: bool,
}

impl<'a> Operator<'a> {
    /// An operator whose name somebody has verified. Its audit records do not have the tag `unverified`.
    pub const fn verified(name: &'a str) -> Self {
        Self { name, verified: true }
    }
}

impl<'a> From<&'a str> for Operator<'a> {
    fn from(name: &'a str) -> Self {
        Self { name, verified: false }
    }
}
