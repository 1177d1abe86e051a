//! What the program knows of a handler whether it is called or not: its identity, its hooks for a relay, its registration.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::{hidden, hooks, name};
use crate::{
    model::{Handler, Keyed},
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
        None => quote!(|| #krate::__private010::identity(&#here)),
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

/// What the program says of the handler, whether it is called or not.
pub(super) fn registered(handler: &Handler) -> TokenStream {
    let (krate, registered) = (&handler.krate, &handler.registered);
    let name = handler.function.signature.ident.to_string();
    // As a flow has it.
    let name = name.trim_start_matches("r#");
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
        quote!(.caches(#key, || #krate::__private010::cached::<#returned>().__graceful_type()))
    });
    let keyed = registered.keyed.as_ref().map(keyed);
    let is_sync = registered.is_sync.then(|| quote!(.is_sync()));
    let is_hidden = registered.is_hidden.then(|| quote!(.hidden()));
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
                #is_hidden #idempotent
        }
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
