//! [`Subscriber`] → tokens: its handler, and beside it the registration.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::{bound, spec};
use crate::model::{Parameter, Source, Subscriber};

/// Input: a subscriber.
/// Output: the function as [`handler`](super::handler) expands it, and
///
/// ```text
/// struct __graceful_project([(); {
///     inventory::submit! {
///         Subscriber::new("crate::project", "user_updated", "user", |mut delivery| {
///             let parameter_0 = <EventData<User> as FromEvent>::from_event(delivery.event)?;
///             let parameter_1 = delivery.transaction::<Transaction<'_, Postgres>>()?;
///             Ok(Box::pin(async move { probe(&project(parameter_0, parameter_1).await).__graceful_is_ok() }))
///         })
///         .needs(&[<EventData<User> as FromEvent>::needs])
///         .transaction(transaction_type::<Transaction<'_, Postgres>>)
///     }
///     1
/// }]);
/// ```
///
/// It is beside the function, so that the compiler does not call this unused. And it is a `struct`, not the usual `const _`, because in an
/// `impl` block, which the attribute cannot see, the compiler then reports one error: such a block has no `struct`.
pub(crate) fn subscriber(subscriber: &Subscriber) -> TokenStream {
    let handler = super::handler(&subscriber.handler);
    let registered = subscriber.parameters.as_ref().map(|parameters| registered(subscriber, parameters));
    quote!(#handler #registered)
}

fn registered(subscriber: &Subscriber, parameters: &[Parameter]) -> TokenStream {
    let handler = &subscriber.handler;
    let krate = &handler.krate;
    let function = &handler.function.signature.ident;
    let identity = match &handler.name {
        Some(name) => spec::name(handler, name),
        None => {
            let name = handler.name_of_function();
            quote!(::core::concat!(::core::module_path!(), "::", #name))
        }
    };
    let [event, pattern] = [&subscriber.event, &subscriber.pattern].map(|name| spec::name(handler, name));
    let delivery = bound("delivery");
    let (mut mutability, mut taken, mut passed) = (None, TokenStream::new(), TokenStream::new());
    let (mut needs, mut transaction) = (TokenStream::new(), None);
    for (index, Parameter { cfg, source }) in parameters.iter().enumerate() {
        let name = bound(&format!("parameter_{index}"));
        passed.extend(quote!(#(#cfg)* #name,));
        match source {
            Source::Delivery(ty) => {
                let span = Span::mixed_site().located_at(ty.span());
                let krate = krate.at(span);
                let of = quote_spanned!(span=> <#ty as #krate::__private010::FromEvent>);
                taken.extend(quote_spanned!(span=> #(#cfg)* let #name = #of::from_event(#delivery.event)?;));
                needs.extend(quote_spanned!(span=> #(#cfg)* #of::needs,));
            }
            Source::Transaction(ty) => {
                let span = Span::mixed_site().located_at(ty.span());
                let krate = krate.at(span);
                mutability = Some(quote!(mut));
                taken.extend(quote_spanned!(span=> let #name = #delivery.transaction::<#ty>()?;));
                transaction =
                    Some(quote_spanned!(span=> .transaction(#krate::__private010::transaction_type::<#ty>)));
            }
        }
    }
    let calls = subscriber.calls.iter().map(|call| spec::call(handler, call));
    let item = Ident::new(&format!("__graceful_{}", handler.name_of_function()), Span::mixed_site());
    quote! {
        struct #item([(); {
            #krate::__private010::inventory::submit! {
                #krate::__private010::Subscriber::new(#identity, #event, #pattern, |#mutability #delivery| {
                    #taken
                    ::core::result::Result::Ok(::std::boxed::Box::pin(async move {
                        #krate::__private010::probe(&#function(#passed).await).__graceful_is_ok()
                    }))
                })
                .needs(&[#needs]) #transaction #(.#calls)*
            }
            1
        }]);
    }
}
