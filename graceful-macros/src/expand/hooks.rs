//! Hooks, fallback and `required`: what stands between the body and the answer.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::{Path, spanned::Spanned as _};

use super::{bound, hidden};
use crate::{
    model::{Fallback, Handler, Hook, HookArm, Krate},
    words::Words as _,
};

/// The function that starts the hooks which need nothing of the caller's: those of both arms, and the typed ones of the error arm
/// for when there is no error value. Of a durable handler it is all of them, since a relay has no caller.
pub(super) fn detached(handler: &Handler) -> Option<TokenStream> {
    let krate = &handler.krate;
    let (step, flow) = (bound("step"), bound("flow"));
    let here = |hook: &&Hook| hook.arm != HookArm::Ok || handler.restores(hook);
    let arms = handler.hooks.iter().filter(here).map(|Hook { step, arm, path }| {
        let step = hidden(step.variant());
        let span = Span::mixed_site().located_at(path.span());
        let at = krate.at(span);
        let [found, view, value] = ["__hook", "__view", "__value"].map(|name| Ident::new(name, span));
        match arm {
            HookArm::Both => {
                let call = called(krate, path, &flow, |flow| quote!(*#flow));
                quote!((#krate::Step::#step, _) => #call)
            }
            HookArm::Err => {
                let hook = quote_spanned!(span=> #at::__private010::detached(#path));
                let call = quote_spanned!(span=> #found.__graceful_start(&#view).await);
                quote!((#krate::Step::#step, false) => {
                    let #found = #hook;
                    let #view = #found.__graceful_view(&#flow);
                    #call
                })
            }
            HookArm::Ok => {
                let hook = quote_spanned!(span=> #at::__private010::restores(#path));
                let restored = quote_spanned!(span=> #found.__graceful_value(&#flow)?);
                let call = quote_spanned!(span=> #found.__graceful_start(&#view).await);
                quote!((#krate::Step::#step, true) => {
                    let #found = #hook;
                    let #value = #restored;
                    let #view = #krate::__private010::success(&#flow, &#value);
                    #call
                })
            }
        }
    });
    let arms: Vec<_> = arms.collect();
    // Where a future cannot be sent, the error stands at a hook.
    let first = handler.hooks.iter().find(here)?;
    let span = Span::mixed_site().located_at(first.path.span());
    let body = quote!(match (#step, #krate::Flow::is_success(&#flow)) { #(#arms,)* _ => #krate::__private010::no_hook() });
    let krate = krate.at(span);
    let future = quote_spanned!(span=> #krate::__private010::boxed(async move { #body }));
    Some(quote!(|#step, #flow| #future))
}

/// `.required(…)`, `.typed_hooks(…)` and `.fallback(…)`, where they are needed.
pub(super) fn after(handler: &Handler) -> TokenStream {
    let krate = &handler.krate;
    let required = handler.required.map(|span| {
        let span = Span::mixed_site().located_at(span);
        let krate = krate.at(span);
        quote_spanned!(span=> .required(#krate::__private010::required_error))
    });
    let typed = typed_hooks(handler);
    let fallback = fallback(handler);
    let typed = (typed.is_some() || fallback.is_some()).then(|| {
        let hooks = typed.unwrap_or_else(|| quote!(#krate::__private010::no_hooks));
        quote!(.typed_hooks(#hooks))
    });
    quote!(#required #typed #fallback)
}

pub(super) fn typed_hooks(handler: &Handler) -> Option<TokenStream> {
    let krate = &handler.krate;
    let (step, flow, result, view) = (bound("step"), bound("flow"), bound("result"), bound("view"));
    let arms: Vec<_> = handler
        .hooks
        .iter()
        .filter_map(|hook| {
            let arm = match hook.arm {
                HookArm::Both => return None,
                HookArm::Ok => hidden("Success"),
                HookArm::Err => hidden("Failure"),
            };
            let step = hidden(hook.step.variant());
            let call = called(krate, &hook.path, &view, |view| view.to_token_stream());
            Some(quote!((#krate::Step::#step, #krate::__private010::Arm::#arm(#view)) => #call))
        })
        .collect();
    (!arms.is_empty()).then(|| {
        quote!(|#step, #flow, #result| async move {
            match (#step, #krate::__private010::arm(&#flow, &*#result)) { #(#arms,)* _ => #krate::__private010::no_hook() }
        })
    })
}

fn fallback(handler: &Handler) -> Option<TokenStream> {
    let krate = &handler.krate;
    let flow = bound("flow");
    handler.fallback.as_ref().map(|fallback| match fallback {
        Fallback::Hook(path) => {
            let span = Span::mixed_site().located_at(path.span());
            let krate = krate.at(span);
            let (view, result) = (Ident::new("__view", span), Ident::new("__result", span));
            let call = quote_spanned!(span=> #krate::__private010::recovered(&*#result, #krate::__private010::recover(&*#result, &#view, #path).await));
            quote!(.fallback(|#flow, #result| async move {
                match #krate::__private010::arm(&#flow, &*#result) {
                    #krate::__private010::Arm::Failure(#view) => #call,
                    #krate::__private010::Arm::Success(_) => ::core::result::Result::Ok(::core::option::Option::None),
                }
            }))
        }
        Fallback::LastGood(span) => {
            let span = Span::mixed_site().located_at(*span);
            let value = Ident::new("__value", span);
            quote_spanned!(span=> .last_good(|#value| #value.__graceful_decode()))
        }
    })
}

/// `hook(&view, path).await`, with its errors at the path.
fn called(krate: &Krate, path: &Path, name: &Ident, view: impl FnOnce(Ident) -> TokenStream) -> TokenStream {
    let span = Span::mixed_site().located_at(path.span());
    let krate = krate.at(span);
    let view = view(Ident::new(&name.to_string(), span));
    quote_spanned!(span=> #krate::__private010::hook(&#view, #path).await)
}
