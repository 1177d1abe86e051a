//! A plain handler as a function that returns one future.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::{ReturnType, Signature, spanned::Spanned as _};

use super::{arguments, braced, fill, hint::Hint, inner, spec::spec, standing_at};
use crate::model::{Handler, Held};

/// Input: `async fn update_user(user: User) -> Result<User, UserError>`
/// Output: `fn update_user(user: User) -> impl Future<Output = Result<User, UserError>>`
///
/// The tokens of `impl Future` are those of this crate, so its edition says that the future captures all lifetimes, as that of an `async fn`
/// does. The last token is the user's, since lints of the user's code ignore a signature that ends in another crate; so a `where` without
/// bounds follows.
pub(super) fn signature(signature: &Signature) -> TokenStream {
    let mut signature = signature.clone();
    signature.asyncness = None;
    if let ReturnType::Type(_, returned) = &mut signature.output {
        let at = Span::mixed_site().located_at(returned.span());
        let end =
            returned.to_token_stream().into_iter().last().map_or_else(Span::call_site, |last| last.span());
        **returned =
            syn::Type::Verbatim(quote_spanned!(at=> impl ::core::future::Future<Output = #returned>));
        if signature.generics.where_clause.is_none() {
            let signature = signature.into_token_stream();
            return quote_spanned!(end=> #signature where);
        }
    }
    signature.into_token_stream()
}

/// ```text
/// return (Declared(const { &HandlerSpec::new("update_user", "user", "user updated").event(…) })).flat(
///     body::<Result<User, UserError>, _>(async move {
///         if false { return { let _ = (&user,); never::<Result<User, UserError>>() }; }
///         if entered(&mut |builder| if builder.needs(Argument::Key) { builder.key(&user.id) }) { gate().await }
///         '_body: { …the body… }
///     }),
///     |builder, outcome| match outcome { Ok(result) => …, Err(error) => … },
/// )
/// ```
pub(super) fn call(handler: &Handler, held: &Held) -> TokenStream {
    let krate = &handler.krate;
    let users = handler.function.body.span();
    let returned_at = match &handler.function.signature.output {
        ReturnType::Type(_, returned) => returned.span(),
        ReturnType::Default => handler.function.signature.ident.span(),
    };
    let hint = Hint { handler, returned_at }.in_a_branch(&held.mentioned);
    let (fill, body, read) = (fill(handler), inner(&handler.function.body, held), arguments::read(handler));
    let enter = quote!(if #krate::__private010::entered(&mut #fill) { #krate::__private010::gate().await });
    let block = braced(users, quote!(#hint #enter #body));
    let body = quote_spanned!(users=> async move #block);
    let (spec, returned) = (spec(handler), &handler.returned.hint);
    let body = quote!(#krate::__private010::body::<#returned, _>(#body));
    let flat = Ident::new("flat", Span::mixed_site().located_at(returned_at));
    let declared = quote!(#krate::__private010::Declared(#spec));
    let future = standing_at(handler.answer, declared, quote!(.#flat(#body, #read)));
    quote!(return #future)
}
