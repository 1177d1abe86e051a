//! The type hint of the body, for `?`, `into()` and coercions.

use proc_macro2::{Group, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::{bound, braced};
use crate::model::Handler;

/// The body's type, with errors of it at the place where the user says it.
pub(super) struct Hint<'a> {
    pub(super) handler: &'a Handler,
    pub(super) returned_at: Span,
}

impl Hint<'_> {
    /// Before the call: what a macro says, only the function itself knows.
    pub(super) fn declared(&self) -> Option<TokenStream> {
        self.handler.returned.by_macro.then(|| {
            let (name, never) = (bound("returned"), self.never());
            quote!(let #name = ::core::marker::PhantomData; if false { return #never; })
        })
    }

    /// At the start of an async body, which captures what is mentioned there.
    pub(super) fn in_a_branch(&self, mentioned: &[TokenStream]) -> TokenStream {
        let never = self.never();
        let never = braced(self.returned_at, quote!(let _ = (#(#mentioned,)*); #never));
        quote!(if false { return #never; })
    }

    fn never(&self) -> TokenStream {
        let (krate, returned) = (&self.handler.krate, &self.handler.returned.hint);
        let name = bound("returned");
        match self.handler.returned.by_macro {
            true => quote!(#krate::__private010::never_of(#name)),
            false => quote!(#krate::__private010::never::<#returned>()),
        }
    }

    /// A body that is not async.
    pub(super) fn of_a_closure(&self, body: &Group) -> TokenStream {
        let (krate, returned) = (&self.handler.krate, &self.handler.returned.hint);
        let name = bound("returned");
        // `_` instead of the type, and our own `||`: otherwise lints of signatures would also fire for the closure. `_` has the span of the
        // type, because errors of the body's type point to it.
        let inferred = quote_spanned!(self.returned_at=> _);
        let (move_here, parameters) = (quote_spanned!(body.span()=> move), quote!(||));
        let closure = quote!(#move_here #parameters -> #inferred #body);
        match self.handler.returned.by_macro {
            true => quote!(#krate::__private010::function_of(#name, #closure)),
            false => quote!(#krate::__private010::function::<#returned, _>(#closure)),
        }
    }
}
