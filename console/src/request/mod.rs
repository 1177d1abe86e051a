//! What every request has: the access of its sender, the place of the console, its query or form, and the security of forms.

mod form;
mod headers;
mod key;
mod prefix;
mod query;
mod view;

pub(crate) use self::{
    form::{FormToken, check_origin},
    headers::secured,
    key::{FormKey, Signed},
    prefix::{base, is_path},
    query::{Query, link as link_to},
    view::{View, gate},
};
