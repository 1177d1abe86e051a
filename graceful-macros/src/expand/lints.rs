//! `#[expect]` of lints that fire on the plain function but not on its expansion.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::{Attribute, Meta, Token, punctuated::Punctuated};

/// The lints that do not fire on the expansion (see `docs/LIMITS.md`): an `#[expect]` of one is right about the plain function.
const HIDDEN: [&str; 14] = [
    "boxed_local",
    "manual_async_fn",
    "missing_const_for_fn",
    "missing_errors_doc",
    "needless_pass_by_ref_mut",
    "needless_pass_by_value",
    "only_used_in_recursion",
    "ptr_arg",
    "question_mark",
    "redundant_locals",
    "unconditional_recursion",
    "unnecessary_wraps",
    "unused_async",
    "useless_conversion",
];

/// Input: `#[expect(clippy::needless_pass_by_value, dead_code, reason = "…")]`
/// Output: `#[expect(dead_code, reason = "…")] #[allow(clippy::needless_pass_by_value, reason = "…")]`
pub(super) fn expected(attribute: &Attribute) -> TokenStream {
    let unchanged = || attribute.to_token_stream();
    if !attribute.path().is_ident("expect") {
        return unchanged();
    }
    let Ok(lints) = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) else {
        return unchanged();
    };
    let is_hidden = |lint: &Meta| {
        let name = lint.path().segments.last();
        name.is_some_and(|name| HIDDEN.iter().any(|hidden| name.ident == hidden))
    };
    let (reason, lints): (Vec<_>, Vec<_>) =
        lints.into_iter().partition(|lint| lint.path().is_ident("reason"));
    let (hidden, visible): (Vec<_>, Vec<_>) = lints.into_iter().partition(is_hidden);
    if hidden.is_empty() {
        return unchanged();
    }
    let visible = (!visible.is_empty()).then(|| quote!(#[expect(#(#visible,)* #(#reason)*)]));
    quote!(#visible #[allow(#(#hidden,)* #(#reason)*)])
}
