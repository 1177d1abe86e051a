//! A handler whose first answer is repeated.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use super::{
    arguments::{in_one, names},
    bound, fill, on,
};
use crate::model::Handler;

/// `let (repeatable, entered) = repeatable(spec, |names| …, |builder| …);`
pub(super) fn begun(handler: &Handler, spec: &impl ToTokens) -> Option<TokenStream> {
    handler.idempotent?;
    let (krate, names_of) = (&handler.krate, bound("names"));
    let (repeatable, entered) = (bound("repeatable"), bound("entered"));
    let names = in_one(&names(handler, &names_of));
    let fill = fill(handler);
    let call = match on(handler) {
        Some(on) => quote!(#krate::__private010::repeatable_on(#spec, #on, |#names_of| #names, #fill)),
        None => quote!(#krate::__private010::repeatable(#spec, |#names_of| #names, #fill)),
    };
    Some(quote!(let (#repeatable, #entered) = #call;))
}

/// `|value| value.__graceful_answer()`, so that a type that cannot be read back is reported at the argument.
fn decode(span: Span) -> TokenStream {
    let value = Ident::new("__value", span);
    quote_spanned!(span=> |#value| #value.__graceful_answer())
}

/// A body that is a future, and the call that prepares it.
pub(super) fn through(handler: &Handler, spec: &impl ToTokens, at: Span, call: &TokenStream) -> TokenStream {
    let (begun, repeatable) = (begun(handler, spec), bound("repeatable"));
    let span = Span::mixed_site().located_at(at);
    let (krate, decode) = (handler.krate.at(span), decode(span));
    let through = Ident::new("through", span);
    let refusal = quote_spanned!(span=> #krate::__private010::refusal);
    quote!(#begun #repeatable.#through(#call, #decode, #refusal))
}

/// Looks for the key through the transaction.
pub(super) fn in_transaction(handler: &Handler, open: &TokenStream) -> Option<TokenStream> {
    handler.idempotent?;
    let repeatable = bound("repeatable");
    Some(quote!(.repeatable(#repeatable, #open).await))
}

/// Gives every caller the stored answer.
pub(super) fn repeated(handler: &Handler) -> Option<TokenStream> {
    let decode = decode(Span::mixed_site().located_at(handler.idempotent?));
    Some(quote!(.repeated(#decode)))
}
