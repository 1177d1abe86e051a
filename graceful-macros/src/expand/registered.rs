//! What the program knows of a handler whether it is called or not: its identity, its hooks for a relay, its registration.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::{hidden, hooks, name};
use crate::{
    model::{Emitted, Handler, Keyed},
    words::{Step, Words as _},
};

fn here_name() -> Ident {
    hidden("__graceful_here")
}

/// An item that knows where the handler is: module path, type and trait, and function, whatever the generics of a call.
pub(super) fn here() -> TokenStream {
    let here = here_name();
    quote!(const fn #here() {})
}

/// What tells the handler from every other.
pub(super) fn identity(handler: &Handler) -> TokenStream {
    let (krate, here) = (&handler.krate, here_name());
    match &handler.name {
        Some(name) => {
            let name = self::name(handler, name);
            quote!(|| const { #name })
        }
        None => quote!(#krate::__private010::identity(#here)),
    }
}

pub(super) fn durable_name() -> Ident {
    hidden("__GRACEFUL_DURABLE")
}

/// What a relay finds the handler by: an item, since a relay may look for it before the handler was ever called.
pub(super) fn durable(handler: &Handler) -> TokenStream {
    let krate = &handler.krate;
    let (name, identity) = (durable_name(), identity(handler));
    let here = handler.name.is_none().then(here);
    let was = handler.was.iter().map(|was| super::name(handler, was));
    let hooks = match hooks::detached(handler) {
        Some(start) => quote!(::core::option::Option::Some(#start)),
        None => quote!(::core::option::Option::None),
    };
    quote! {
        const #name: #krate::__private010::Durable = {
            #here
            #krate::__private010::Durable { identity: #identity, was: &[#(#was),*], hooks: #hooks }
        };
    }
}

/// A function that returns the value. The compiler makes one function of it, and of a closure that becomes a function pointer two.
fn function(returned: &TokenStream, value: &TokenStream) -> TokenStream {
    let name = hidden("__graceful_type");
    quote!({ fn #name() -> #returned { #value } #name })
}

/// What the program says of the handler, whether it is called or not.
pub(super) fn registered(handler: &Handler) -> TokenStream {
    let (krate, registered) = (&handler.krate, &handler.registered);
    let name = handler.name_of_function();
    let pattern =
        registered.pattern.as_ref().map_or_else(|| quote!(""), |pattern| super::name(handler, pattern));
    let steps = |method, steps: &[Step]| {
        let (method, steps) = (hidden(method), steps.iter().map(|step| hidden(step.variant())));
        (steps.len() > 0).then(|| quote!(.#method(&[#(#krate::Step::#steps),*])))
    };
    let declares = steps("declares", &registered.declared);
    let requires = steps("requires", &registered.required);
    let durable = handler.durable.then(durable_name).map(|durable| quote!(.durable(&#durable)));
    let caches = registered.cached.as_ref().map(|cached| {
        let (key, returned) = (&cached.key, &cached.returned);
        let value = quote!(#krate::__private010::cached::<#returned>().__graceful_type());
        let value = function(&quote!(&'static ::core::primitive::str), &value);
        quote!(.caches(#key, #value))
    });
    let keyed = registered.keyed.as_ref().map(keyed);
    let is_sync = registered.is_sync.then(|| quote!(.is_sync()));
    let is_hidden = registered.is_hidden.then(|| quote!(.hidden()));
    let contract = contract(handler);
    let idempotent = handler.idempotent.map(|_| {
        let was = handler.was.iter().map(|was| super::name(handler, was));
        let has_tx = handler.tx.is_some();
        let identity = match handler.durable {
            true => {
                let durable = durable_name();
                quote!(#durable.identity)
            }
            false => identity(handler),
        };
        quote!(.idempotent(#identity, &[#(#was),*], #has_tx))
    });
    quote! {
        #krate::__private010::inventory::submit! {
            #krate::__private010::Registered::new(#name, ::core::module_path!(), #pattern) #declares #requires #durable #caches #keyed #is_sync
                #is_hidden #idempotent #contract
        }
    }
}

/// What the contract of the program says of the handler.
fn contract(handler: &Handler) -> TokenStream {
    let (krate, contract) = (&handler.krate, &handler.registered.contract);
    let identity = match (handler.durable, &contract.name) {
        (true, _) => {
            let durable = durable_name();
            quote!(#durable.identity)
        }
        (false, Some(name)) => {
            let name = super::name(handler, name);
            quote!(|| #name)
        }
        (false, None) => {
            let here = here_name();
            quote!(#krate::__private010::identity(#here))
        }
    };
    let (package, features) = (&contract.package, &contract.features);
    let was = contract.was.iter().map(|was| super::name(handler, was));
    let was = (was.len() > 0).then(|| quote!(.was(&[#(#was),*])));
    let subscribes = contract.subscribes.as_ref().map(|event| {
        let event = super::name(handler, event);
        quote!(.subscribes(#event))
    });
    let receives = contract.receives.iter().map(|(cfg, ty)| {
        let span = Span::mixed_site().located_at(ty.span());
        let krate = krate.at(span);
        quote_spanned!(span=> #(#cfg)* || #krate::__private010::received::<#ty>().__graceful_type(),)
    });
    let receives = (receives.len() > 0).then(|| quote!(.receives(&[#(#receives)*])));
    let is_background = contract.is_background.then(|| quote!(.background()));
    let event = contract.event.as_ref().map(|names| {
        let [emitted, failed] = names
            .each_ref()
            .map(|name| name.as_ref().map_or_else(|| quote!(""), |name| super::name(handler, name)));
        quote!(.event(#emitted, #failed))
    });
    let value = |method, value: &Option<Emitted>| {
        let method = hidden(method);
        let value = match value.as_ref()? {
            Emitted::Returned(returned) => {
                quote!(#krate::__private010::contracted::<#returned>().__graceful_type())
            }
            Emitted::Opaque(reason) => quote!(#krate::__private010::opaque(#reason)),
        };
        let value = function(&quote!(#krate::__private010::PayloadType), &value);
        Some(quote!(.#method(#value)))
    };
    let (emitted, stored) = (value("emits", &contract.emitted), value("stores", &contract.stored));
    let errors = contract.errors.as_ref().map(|returned| {
        let codes = quote!(#krate::__private010::contracted::<#returned>().__graceful_codes());
        let codes = function(&quote!(#krate::__private010::ErrorCodes), &codes);
        quote!(.errors(#codes))
    });
    quote! {
        .contract(
            #krate::__private010::Contract::new(#identity, #package, &[#((#features, ::core::cfg!(feature = #features))),*])
                #was #subscribes #receives #is_background #event #emitted #stored #errors
        )
    }
}

/// What the check at start compares with other handlers.
fn keyed(keyed: &Keyed) -> TokenStream {
    let form = keyed.form.as_ref().map(|form| quote!(.keyed(#form)));
    let words = keyed.words.iter().map(|word| hidden(word));
    let rev = keyed.rev.map(|rev| quote!(.rev(#rev)));
    let patterns = |method, patterns: &[String]| {
        let method = hidden(method);
        (!patterns.is_empty()).then(|| quote!(.#method(&[#(#patterns),*])))
    };
    let depends_on = patterns("depends_on", &keyed.depends_on);
    let touches = patterns("touches", &keyed.touches);
    quote!(#form #(.#words())* #rev #depends_on #touches)
}
