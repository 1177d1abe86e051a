//! The handler's declaration as data: calls on its `HandlerSpec`, in a `const`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::{
    hidden, hooks,
    registered::{durable_name, identity},
};
use crate::model::{Handler, Name, SpecArgument, SpecCall};

pub(super) fn spec(handler: &Handler) -> TokenStream {
    let krate = &handler.krate;
    let calls = handler.spec.iter().enumerate().map(|(index, call)| {
        let call = self::call(handler, call);
        if index == 0 { quote!(#krate::__private010::HandlerSpec::#call) } else { quote!(.#call) }
    });
    let calls: TokenStream = calls.collect();
    let hooks = match handler.durable {
        true => {
            let durable = durable_name();
            quote!(.durable(&#durable))
        }
        false => {
            let identity = identity(handler);
            let hooks = hooks::detached(handler).map(|start| quote!(.hooks(#start)));
            quote!(.identity(#identity) #hooks)
        }
    };
    quote!(const { &#calls #hooks })
}

/// `event("user_updated", "user_updated.failed")`
pub(super) fn call(handler: &Handler, call: &SpecCall) -> TokenStream {
    let krate = &handler.krate;
    let method = hidden(call.method);
    let arguments = call.arguments.iter().map(|argument| match argument {
        SpecArgument::Name(name) => self::name(handler, name),
        SpecArgument::Names(names) => {
            let names = names.iter().map(|name| self::name(handler, name));
            quote!(const { &[#(#names),*] })
        }
        SpecArgument::Millis(millis) => millis.to_token_stream(),
        SpecArgument::BudgetMillis(number)
        | SpecArgument::Revision(number)
        | SpecArgument::Attempts(number) => number.to_token_stream(),
        SpecArgument::Variant(of, variant) => {
            let (of, variant) = (hidden(of), hidden(variant));
            quote!(#krate::__private010::#of::#variant)
        }
    });
    quote!(#method(#(#arguments),*))
}

/// A constant is checked where it is known, while it is compiled.
pub(super) fn name(handler: &Handler, name: &Name) -> TokenStream {
    match name {
        Name::Text(text) => text.to_token_stream(),
        Name::Constant(path) => {
            let span = Span::mixed_site().located_at(path.span());
            let krate = handler.krate.at(span);
            quote_spanned!(span=> #krate::__private010::name(#path))
        }
    }
}
