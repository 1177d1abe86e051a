//! [`Handler`] → tokens: data plus one call. Nothing is decided here.

mod arguments;
mod flat;
mod hint;
mod hooks;
mod idempotent;
mod lints;
mod read;
mod registered;
mod spec;
mod subscribe;

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Lifetime, ReturnType, spanned::Spanned as _};

pub(crate) use self::subscribe::subscriber;
use self::{
    arguments::{in_one, on, setters},
    hint::Hint,
    registered::{durable, here, registered},
    spec::{name, spec},
};
use crate::model::{Expansion, Handler, Held, Shape, Tx};

/// Names that no user's name can meet.
pub(super) fn hidden(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// A variable of ours. Were there an item of its name, the compiler would compare with that instead of binding it.
pub(super) fn bound(name: &str) -> Ident {
    hidden(&format!("__{name}"))
}

/// Input: a handler.
/// Output, if it is plain: that of [`flat::call`]. Otherwise:
///
/// ```text
/// async fn update_user(user: User) -> Result<User, UserError> {
///     call(pin!(None), const { &HandlerSpec::new("update_user", "user", "user updated").event(…) }, move |spec| {
///         enter(spec, |builder| if builder.needs(Argument::Key) { builder.key(&user.id) }).prepare(
///             body(async move {
///                 if false { return { let _ = (&user,); never::<Result<User, UserError>>() }; }
///                 '_body: { …the body… }
///             }),
///             |builder, result| …,
///             |builder, error| …,
///         )
///         .typed_hooks(…)
///     })
///     .await
/// }
/// ```
pub(crate) fn handler(handler: &Handler) -> TokenStream {
    let function = &handler.function;
    let (visibility, defaultness) = (&function.visibility, &function.defaultness);
    let attributes = function.attributes.iter().map(lints::expected);
    let here = match handler.durable {
        true => Some(durable(handler)),
        false => handler.registered.contract.name.is_none().then(here),
    };
    let registered = registered(handler);
    let (signature, call) = match &handler.expansion {
        Expansion::Flat(held) => (flat::signature(&function.signature), flat::call(handler, held)),
        Expansion::Nested(_) => (function.signature.to_token_stream(), call(handler)),
    };
    // Lints of the user's own code look at where the function's braces stand.
    let named = &handler.named;
    let named = (!named.is_empty()).then(|| quote!(let _ = (#(&#named,)*);));
    let block = braced(function.body.span(), quote!(#here #registered #named #call));
    quote!(#(#attributes)* #visibility #defaultness #signature #block)
}

/// The `return` satisfies `clippy::implicit_return`; `clippy::needless_return` ignores generated code.
fn call(handler: &Handler) -> TokenStream {
    let krate = &handler.krate;
    let mentioned = &handler.held.mentioned;
    let body = inner(&handler.function.body, &handler.held);
    // In a closure with the user's span, borrow errors name its variables. Type errors of a closure that is our argument are reported at
    // our span.
    let users = handler.function.body.span();
    // Where what is returned is not a `Result`, the error stands at the return type.
    let returned_at = match &handler.function.signature.output {
        ReturnType::Type(_, returned) => returned.span(),
        ReturnType::Default => handler.function.signature.ident.span(),
    };
    let run_span = Span::mixed_site().located_at(returned_at);
    let arms = arguments::arms(handler);
    let after = hooks::after(handler);
    let run = Ident::new(if handler.is_plain() { "run" } else { "prepare" }, run_span);
    let hint = Hint { handler, returned_at };
    let declared = hint.declared();
    let hold = (!mentioned.is_empty()).then(|| quote!(let _ = (#(#mentioned,)*);));
    let returned = &handler.returned.hint;
    let answer = |receiver, calls| standing_at(handler.answer, receiver, calls);
    match &handler.shape {
        Shape::Async => {
            let (spec, name) = (spec(handler), bound("spec"));
            let enter = enter(handler, &name, false);
            let hint = hint.in_a_branch(mentioned);
            let block = braced(users, quote!(#hint #body));
            let body = quote_spanned!(users=> async move #block);
            let body = quote!(#krate::__private010::body::<#returned, _>(#body));
            let run = match &handler.tx {
                Some(tx) => {
                    let run = in_transaction(handler, tx, &name, &enter, &body, &arms);
                    quote!(async move { #run })
                }
                None => {
                    let call = answer(enter, quote!(.#run(#body, #arms) #after));
                    in_braces(handler, through(handler, &name, false, call))
                }
            };
            // Made in a closure, since what an `async fn` borrows of its parameters it keeps, even when they have moved on. It gets its
            // place beforehand, since what is awaited as a value is on the stack twice.
            let place = quote!(::core::pin::pin!(::core::option::Option::None));
            quote!(#declared return #krate::__private010::call(#place, #spec, move |#name| #run).await)
        }
        Shape::TailBlock(tail) => {
            let spec = spec(handler);
            let enter = enter(handler, &spec, false);
            let (rebound, capture, body) = (&tail.rebound, &tail.capture, &tail.body);
            let hint = hint.in_a_branch(&[]);
            let body = quote!(async #capture { #hint { #body } });
            let run = match &handler.tx {
                Some(tx) => in_transaction(handler, tx, &spec, &enter, &body, &arms),
                None => {
                    let call = sent(handler, quote!(#enter.#run(#body, #arms) #after));
                    let call = through(handler, &spec, false, call);
                    quote!(#call.await)
                }
            };
            tail.with(&quote!(#(#rebound)* #run))
        }
        Shape::Call { returns_impl_future: true, .. } => {
            let spec = spec(handler);
            let enter = enter(handler, &spec, true);
            let krate = krate.at(run_span);
            let block = braced(users, quote!(#hold #body));
            let body = quote_spanned!(users=> move || #block);
            let call = quote_spanned!(run_span=> #krate::__private010::called::<#returned, _, _>(#body));
            let call = sent(handler, quote!(#enter.#run(#call, #arms) #after));
            let call = in_braces(handler, through(handler, &spec, true, call));
            let future = answer(quote!(::core::future::IntoFuture::into_future), quote!((#call)));
            quote!(return #future)
        }
        Shape::Call { eager, .. } => {
            let spec = spec(handler);
            let enter = enter(handler, &spec, *eager);
            let call = Ident::new("call", run_span);
            let block = braced(users, quote!(#hold #body));
            let body = hint.of_a_closure(&block);
            let (entered, once) = (bound("entered"), bound("body"));
            let call = match (handler.read, eager) {
                (Some(read), _) => {
                    let call = quote!(#enter.#call(&mut #once, #arms) #after);
                    read::finished(handler, read, &spec, *eager, &body, &call)
                }
                (None, true) => {
                    let name = bound("call");
                    let finish = Ident::new("__graceful_finish", run_span);
                    let finished = answer(quote!(#name.__graceful_sends()), quote!(.#finish(#name)));
                    quote! {
                        let #entered = #enter;
                        let mut #once = #body;
                        let #name = #entered.#call(&mut #once, #arms) #after;
                        return #finished
                    }
                }
                (None, false) => {
                    let finish = Ident::new("finish", run_span);
                    let finished = answer(enter, quote!(.#call(&mut #body, #arms) #after .#finish()));
                    quote!(return #finished)
                }
            };
            quote!(#declared #call)
        }
    }
}

/// `(receiver).calls()` with the span of the body's result, so that errors of returned lifetimes are reported there.
fn standing_at((first, end): (Span, Span), receiver: TokenStream, calls: TokenStream) -> TokenStream {
    let mut receiver = Group::new(Delimiter::Parenthesis, receiver);
    receiver.set_span(first);
    let mut calls: Vec<_> = calls.into_iter().collect();
    if let Some(last) = calls.last_mut() {
        last.set_span(end);
    }
    quote!(#receiver #(#calls)*)
}

/// The call, wrapped where it must be `Send`, because only the compiler knows whether it is.
fn sent(handler: &Handler, call: TokenStream) -> TokenStream {
    let name = bound("call");
    match handler.returned.must_be_send && handler.is_plain() {
        true => quote!({ let #name = #call; #name.__graceful_sends().__graceful_run(#name) }),
        false => call,
    }
}

/// The body borrows the transaction; when it has ended, the flow is stored through it.
fn in_transaction(
    handler: &Handler,
    Tx { name: tx, alias }: &Tx,
    spec: &impl ToTokens,
    enter: &TokenStream,
    body: &TokenStream,
    arms: &TokenStream,
) -> TokenStream {
    let (krate, ended, locked) = (&handler.krate, bound("ended"), bound("locked"));
    let span = Span::mixed_site().located_at(tx.span());
    let at = krate.at(span);
    let reborrowed = quote_spanned!(span=> let #tx = &mut *#tx;);
    // Otherwise the compiler would suggest to make a transaction by value `mut`, which does not help.
    let borrowed = alias.as_ref().map(|alias| {
        let at = krate.at(alias.span());
        quote_spanned!(span=> let #tx: <#alias as #at::__private010::Borrowed>::Open = #tx;)
    });
    let typed = hooks::typed_hooks(handler).map(|hooks| quote!(.typed_hooks(#hooks)));
    // Not within the call, because an error there would be reported a second time for the call.
    let open = quote_spanned!(span=> #at::__private010::transaction(&mut *#tx));
    let error = quote_spanned!(span=> #at::__private010::store_error);
    let begun = idempotent::begun(handler, spec);
    let repeatable = idempotent::in_transaction(handler, &open);
    let repeated = idempotent::repeated(handler);
    quote! {
        #borrowed
        #begun
        let #ended = {
            let #locked = #enter.lock(#open).await #repeatable;
            #reborrowed
            #locked.observe(#body, #arms).await #typed #repeated
        };
        #krate::__private010::in_transaction(#ended, #open, #error).await
    }
}

/// The call of a reader or of an idempotent handler asks a store before the body.
fn through(handler: &Handler, spec: &impl ToTokens, eager: bool, call: TokenStream) -> TokenStream {
    match handler.idempotent {
        Some(at) => idempotent::through(handler, spec, at, &call),
        None => read::through(handler, spec, eager, call),
    }
}

/// What such a handler calls is more than an expression.
fn in_braces(handler: &Handler, call: TokenStream) -> TokenStream {
    if handler.read.is_some() || handler.idempotent.is_some() { quote!({ #call }) } else { call }
}

fn braced(span: Span, content: TokenStream) -> Group {
    let mut group = Group::new(Delimiter::Brace, content);
    group.set_span(span);
    group
}

/// The body as a block of its own, so that its items do not shadow ours. The label marks its braces as intended;
/// `allow(unused_braces)` would also apply to the body. With the label, a `break` outside of a loop would get a misleading error.
fn inner(body: &Group, Held { rebound, breaks, .. }: &Held) -> TokenStream {
    // The user's: when temporaries are dropped depends on the edition, and lints of macro calls look at where they stand.
    let inner = braced(body.span(), body.stream());
    // An expression stands where its label does.
    let label = Lifetime::new("'_body", body.span());
    let label = (!breaks).then(|| quote!(#label:));
    let inner = quote!(#label #inner);
    match rebound.is_empty() {
        true => inner,
        // By the rules of this crate's edition, since by older ones the temporaries at the end of the body outlive these.
        false => braced(Span::mixed_site(), quote!(#rebound #inner)).into_token_stream(),
    }
}

/// What prepares the call. A reader and an idempotent handler have entered before, with their names.
fn enter(handler: &Handler, spec: &impl ToTokens, eager: bool) -> TokenStream {
    let (krate, fill) = (&handler.krate, fill(handler));
    match (handler.read.or(handler.idempotent), on(handler), eager) {
        (Some(_), _, _) => bound("entered").into_token_stream(),
        (None, Some(on), _) => quote!(#krate::__private010::enter_on(#spec, #on, #fill)),
        (None, None, true) => quote!(#krate::__private010::enter_eager(#spec, #fill)),
        (None, None, false) => quote!(#krate::__private010::enter(#spec, #fill)),
    }
}

/// `|builder| …`
fn fill(handler: &Handler) -> TokenStream {
    let fill = setters(handler, &handler.setters.entry, &bound("builder"));
    let builder = if fill.is_empty() { quote!(_) } else { bound("builder").into_token_stream() };
    let fill = in_one(&fill);
    quote!(|#builder| #fill)
}
