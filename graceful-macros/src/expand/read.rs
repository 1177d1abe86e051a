//! A handler that is answered from the cache.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use super::{
    arguments::{in_one, names},
    bound, fill, on, standing_at,
};
use crate::model::Handler;

/// `let (reading, entered) = read(spec, |names| …, |builder| …);`
fn begun(handler: &Handler, spec: &impl ToTokens, eager: bool) -> TokenStream {
    let (krate, names_of) = (&handler.krate, bound("names"));
    let (reading, entered) = (bound("reading"), bound("entered"));
    let names = in_one(&names(handler, &names_of));
    let fill = fill(handler);
    let closures = quote!(|#names_of| #names, #fill);
    let read = match (on(handler), eager) {
        (Some(on), true) => quote!(#krate::__private010::read_eager_on(#spec, #on, #closures)),
        (Some(on), false) => quote!(#krate::__private010::read_on(#spec, #on, #closures)),
        (None, true) => quote!(#krate::__private010::read_eager(#spec, #closures)),
        (None, false) => quote!(#krate::__private010::read(#spec, #closures)),
    };
    quote!(let (#reading, #entered) = #read;)
}

/// `|value| value.__graceful_read()`, so that a type that cannot be read back is reported at the word `read`.
fn decode(span: Span) -> TokenStream {
    let value = Ident::new("__value", span);
    quote_spanned!(span=> |#value| #value.__graceful_read())
}

/// A body that is a future, and the call that prepares it. Where the handler does not read, it is the call itself.
pub(super) fn through(
    handler: &Handler,
    spec: &impl ToTokens,
    eager: bool,
    call: TokenStream,
) -> TokenStream {
    let Some(read) = handler.read else { return call };
    let (begun, reading) = (begun(handler, spec, eager), bound("reading"));
    let span = Span::mixed_site().located_at(read);
    let (through, decode) = (Ident::new("through", span), decode(span));
    quote!(#begun #reading.#through(#call, #decode))
}

/// A body that is a function: `call` prepares it. The names are evaluated first, because the body takes the parameters.
pub(super) fn finished(
    handler: &Handler,
    read: Span,
    spec: &impl ToTokens,
    eager: bool,
    body: &TokenStream,
    call: &TokenStream,
) -> TokenStream {
    let begun = begun(handler, spec, eager);
    let (reading, name, once) = (bound("reading"), bound("call"), bound("body"));
    let span = Span::mixed_site().located_at(read);
    let (finish, decode) = (Ident::new("finish", span), decode(span));
    let finished = standing_at(handler.answer, quote!(#reading), quote!(.#finish(#name, #decode)));
    quote! {
        #begun
        let mut #once = #body;
        let #name = #call;
        return #finished
    }
}
