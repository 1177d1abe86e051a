//! [`Handler`] → tokens: data plus one call. Nothing is decided here.

mod arguments;
mod hooks;

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::spanned::Spanned as _;

use self::arguments::{in_one, on, setters};
use crate::model::{Handler, Held, Requirement, Shape, SiteArgument};

/// Names that no user's name can meet.
pub(super) fn hidden(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// Input: a handler.
/// Output:
///
/// ```text
/// async fn update_user(user: User) -> Result<User, UserError> {
///     call(move || {
///         enter(const { &Site::new("update_user", "user", "user updated").event(…) }, |draft| draft.key(&user.id)).run(
///             async move {
///                 if false { return never::<Result<User, UserError>>((&user,)); }
///                 { …the body… }
///             },
///             |draft, result| …,
///             |draft, error| …,
///         )
///     })
///     .await
/// }
/// ```
pub(crate) fn handler(handler: &Handler) -> TokenStream {
    let function = &handler.function;
    let (attributes, visibility, defaultness) =
        (&function.attributes, &function.visibility, &function.defaultness);
    let signature = &function.signature;
    let requirement = handler.requirement.as_ref().map(|needs| requirement(handler, needs));
    let call = call(handler);
    let mut block = Group::new(proc_macro2::Delimiter::Brace, quote!(#requirement #call));
    // Lints of the user's own code look at where the function's braces stand.
    block.set_span(function.body.span());
    quote!(#(#attributes)* #visibility #defaultness #signature #block)
}

fn call(handler: &Handler) -> TokenStream {
    let krate = &handler.krate;
    let Held { mentioned, rebound } = &handler.held;
    let body = inner(&handler.function.body);
    // Where what is returned is not a `Result`, the error stands at the return type.
    let run_span = match &handler.function.signature.output {
        syn::ReturnType::Type(_, returned) => Span::mixed_site().located_at(returned.span()),
        syn::ReturnType::Default => Span::mixed_site().located_at(handler.function.signature.ident.span()),
    };
    let run = Ident::new("run", run_span);
    let arms = arguments::arms(handler);
    let after = hooks::after(handler);
    let never = |returned| quote!(#krate::__private::never::<#returned>);
    let hold = (!mentioned.is_empty()).then(|| quote!(let _ = (#(#mentioned,)*);));
    match &handler.shape {
        Shape::Async => {
            let enter = enter(handler, false);
            let never = handler.returned.as_ref().map(never);
            let body = quote!(async move { if false { return #never((#(#mentioned,)*)); } #rebound #body });
            // Made in a closure, since what an `async fn` borrows of its parameters it keeps, even when they have moved on.
            quote!(#krate::__private::call(move || #enter.#run(#body, #arms) #after).await)
        }
        Shape::TailBlock(tail) => {
            let enter = enter(handler, false);
            let (rebound, capture, body) = (&tail.rebound, &tail.capture, &tail.body);
            let never = handler.returned.as_ref().map(never);
            let hint = never.map(|never| quote!(if false { return #never(()); }));
            let run = quote!(#enter.#run(async #capture { #hint { #body } }, #arms) #after .await);
            tail.with(&quote!(#(#rebound)* #run))
        }
        Shape::Call { returns_impl_future: true, .. } => {
            let enter = enter(handler, true);
            let output = handler.returned.clone().unwrap_or_else(|| quote!(_));
            let call = quote!(#krate::__private::called::<#output, _>(move || { #hold #rebound #body }));
            quote!(::core::future::IntoFuture::into_future(#enter.#run(#call, #arms) #after))
        }
        Shape::Call { eager, .. } => {
            let enter = enter(handler, *eager);
            // Not `move || -> #returned`: lints of signatures would be told of the closure's.
            let returned = handler.returned.as_ref().map(|returned| quote!(::<_, #returned, _, _>));
            let call = Ident::new("call", run_span);
            // The same is said of the function, whose error it is.
            let body = quote!(#[allow(clippy::result_large_err)] move || { #hold #rebound #body });
            quote!(#enter.#call #returned (#body, #arms) #after .finish())
        }
    }
}

/// The body as a block of its own, so that its items shadow nothing of ours. An attribute, whichever it is, says that the
/// braces are there on purpose; `allow(unused_braces)` would hide those of the body.
fn inner(body: &Group) -> TokenStream {
    let mut inner = Group::new(proc_macro2::Delimiter::Brace, body.stream());
    // The user's: when temporaries are dropped depends on the edition, and lints of macro calls look at where they stand.
    inner.set_span(body.span());
    quote!(#[allow(clippy::excessive_nesting)] #inner)
}

fn enter(handler: &Handler, eager: bool) -> TokenStream {
    let krate = &handler.krate;
    let site = site(handler);
    let fill = setters(handler, &handler.setters.entry, &hidden("draft"));
    let draft = if fill.is_empty() { hidden("_draft") } else { hidden("draft") };
    let fill = in_one(&fill);
    let fill = quote!(|#draft| #fill);
    match (on(handler), eager) {
        (Some(on), _) => quote!(#krate::__private::enter_on(#site, #on, #fill)),
        (None, true) => quote!(#krate::__private::enter_eager(#site, #fill)),
        (None, false) => quote!(#krate::__private::enter(#site, #fill)),
    }
}

fn site(handler: &Handler) -> TokenStream {
    let krate = &handler.krate;
    let mut calls = TokenStream::new();
    for (index, call) in handler.site.iter().enumerate() {
        let method = hidden(call.method);
        let arguments = call.arguments.iter().map(|argument| match argument {
            SiteArgument::Text(text) => text.to_token_stream(),
            SiteArgument::Texts(texts) => quote!(&[#(#texts),*]),
            SiteArgument::Millis(millis) => millis.to_token_stream(),
            SiteArgument::BudgetMillis(millis) => millis.to_token_stream(),
            SiteArgument::Variant(of, variant) => {
                let (of, variant) = (hidden(of), hidden(variant));
                quote!(#krate::#of::#variant)
            }
        });
        let separator = if index == 0 { quote!(#krate::__private::Site::) } else { quote!(.) };
        calls.extend(quote!(#separator #method(#(#arguments),*)));
    }
    let hooks = hooks::detached(handler);
    quote!(const { &#calls #hooks })
}

fn requirement(handler: &Handler, needs: &Requirement) -> TokenStream {
    let krate = &handler.krate;
    let name = handler.function.signature.ident.to_string();
    let delivery = hidden(needs.delivery);
    let steps = needs.steps.iter().map(|step| hidden(step));
    let span = Span::mixed_site().located_at(handler.function.signature.ident.span());
    let line = quote_spanned!(span=> ::core::line!());
    quote! {
        #krate::__private::inventory::submit! {
            &#krate::__private::Requirement {
                handler: #name,
                file: ::core::file!(),
                line: #line,
                delivery: #krate::Delivery::#delivery,
                steps: &[#(#krate::Step::#steps),*],
            }
        }
    }
}
