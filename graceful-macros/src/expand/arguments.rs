//! The closures that fill the builder.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, spanned::Spanned as _};

use super::bound;
use crate::model::{Argument, Handler, Hole, Setter};

/// `&self.orchestrator`
pub(super) fn on(handler: &Handler) -> Option<TokenStream> {
    handler.on.as_ref().map(reference)
}

/// The two closures that read the result.
pub(super) fn arms(handler: &Handler) -> TokenStream {
    let Read { builder, pattern, of_ok, error, of_error } = Read::of(handler);
    let ok_builder = if pattern.is_some() { builder.to_token_stream() } else { quote!(_) };
    let pattern = pattern.map_or_else(|| quote!(_), ToTokens::into_token_stream);
    quote! {
        move |#ok_builder, #pattern| #of_ok,
        |#builder, #error| #of_error
    }
}

/// The same as one function, which captures nothing.
pub(super) fn read(handler: &Handler) -> TokenStream {
    let outcome = bound("outcome");
    if handler.setters.result.is_some() {
        let (krate, builder, arms) = (&handler.krate, bound("builder"), arms(handler));
        return quote!(|#builder, #outcome| #krate::__private010::either(#builder, #outcome, #arms));
    }
    let Read { builder, pattern, of_ok, error, of_error } = Read::of(handler);
    let pattern = pattern.map_or_else(|| quote!(_), ToTokens::into_token_stream);
    quote! {
        |#builder, #outcome| match #outcome {
            ::core::result::Result::Ok(#pattern) => #of_ok,
            ::core::result::Result::Err(#error) => #of_error,
        }
    }
}

/// What is read from a result.
struct Read {
    builder: Ident,
    /// The name of the `Ok` value, if it is used.
    pattern: Option<Ident>,
    of_ok: TokenStream,
    error: Ident,
    of_error: TokenStream,
}

impl Read {
    fn of(handler: &Handler) -> Self {
        let krate = &handler.krate;
        let (builder, error) = (bound("builder"), bound("error"));
        let kept = handler.setters.kept.iter().map(|name| {
            let span = Span::mixed_site().located_at(name.span());
            let krate = krate.at(span);
            quote_spanned!(span=> #krate::__private010::kept(&#name))
        });
        let calls: Vec<_> = kept.chain(setters(handler, &handler.setters.after, &builder)).collect();
        let mut of_error = vec![quote!(#krate::__private010::probe(#error).__graceful_classify(#builder))];
        if handler.errors_off.is_none() {
            of_error.push(quote!(#krate::__private010::cause(#error).__graceful_cause(#builder)));
        }
        Self {
            pattern: (!calls.is_empty()).then(|| result(handler)),
            of_ok: in_one(&calls),
            of_error: in_one(&of_error),
            builder,
            error,
        }
    }
}

/// An expression of them all.
pub(super) fn in_one(calls: &[TokenStream]) -> TokenStream {
    match calls {
        [only] => only.clone(),
        calls => quote!({ #(#calls;)* }),
    }
}

/// The one name of the expansion that the user's expressions may use: their own, if they do.
fn result(handler: &Handler) -> Ident {
    handler.setters.result.clone().unwrap_or_else(|| bound("result"))
}

/// One call on the builder per setter. Each asks whether it is needed: where an expression has panicked, all are begun again.
pub(super) fn setters(handler: &Handler, setters: &[Setter], builder: &Ident) -> Vec<TokenStream> {
    let call = |setter: &Setter| {
        let set = set(handler, setter, builder);
        if let Argument::Probe = setter.argument {
            return set;
        }
        let span = Span::mixed_site().located_at(setter.span);
        let argument = Ident::new(&variant(setter.method), span);
        // If `graceful` is not found, this is reported once, at its path.
        let krate = &handler.krate;
        quote_spanned!(span=> if #builder.needs(#krate::__private010::Argument::#argument) { #set })
    };
    setters.iter().map(call).collect()
}

/// The calls by which a reader names its entry.
pub(super) fn names(handler: &Handler, names: &Ident) -> Vec<TokenStream> {
    let call = |setter: &Setter| {
        let set = set(handler, setter, names);
        if let Argument::Format { .. } = setter.argument { quote!({ #set }) } else { set }
    };
    handler.setters.names.iter().map(call).collect()
}

/// `builder.key(&user.id)`
fn set(handler: &Handler, setter: &Setter, builder: &Ident) -> TokenStream {
    let span = Span::mixed_site().located_at(setter.span);
    let krate = &handler.krate.at(span);
    let method = Ident::new(setter.method, span);
    match &setter.argument {
        Argument::Reference(expr) => {
            let expr = reference(expr);
            quote_spanned!(span=> #builder.#method(#expr))
        }
        Argument::Value(expr) => quote_spanned!(span=> #builder.#method(#expr)),
        Argument::Optional(expr) => {
            let method = Ident::new(&format!("__graceful_{method}"), span);
            let expr = reference(expr);
            quote_spanned!(span=> #krate::__private010::keyed(#expr).#method(#builder))
        }
        Argument::Format { text, holes } => {
            let whole = bound("text");
            let set = match setter.kept.map(syn::Index::from) {
                None => quote_spanned!(span=> #builder.#method(&#whole)),
                Some(index) => quote_spanned!(span=> #builder.keep(#index, &#whole)),
            };
            let text = format(krate, span, text, holes, builder);
            quote_spanned!(span=> let #whole = #text; #set)
        }
        Argument::Probe => {
            let result = result(handler);
            let method = Ident::new(&format!("__graceful_{method}"), span);
            quote_spanned!(span=> #krate::__private010::probe(#result).#method(#builder))
        }
        Argument::Related { pattern, ids } => {
            let each = bound("each");
            let ids: Vec<_> = ids.iter().filter_map(|id| each_of(handler, id, builder, &each)).collect();
            let ids = in_one(&ids);
            quote_spanned!(span=> #builder.#method(#pattern, |#each| #ids))
        }
    }
}

/// `ids(&order.customer).__graceful_each(each)`; of a template, `each(&text(…))`.
fn each_of(handler: &Handler, id: &Argument, builder: &Ident, each: &Ident) -> Option<TokenStream> {
    match id {
        Argument::Reference(expr) => {
            let span = Span::mixed_site().located_at(expr.span());
            let (krate, expr) = (handler.krate.at(span), reference(expr));
            Some(quote_spanned!(span=> #krate::__private010::ids(#expr).__graceful_each(#each)))
        }
        Argument::Format { text, holes } => {
            let text = format(&handler.krate, Span::mixed_site(), text, holes, builder);
            Some(quote!(#each(&#text)))
        }
        Argument::Value(_) | Argument::Optional(_) | Argument::Probe | Argument::Related { .. } => None,
    }
}

/// `text(format_args!("{}/{}", hole(&tenant), hole(&user.id)))`
fn format(krate: &impl ToTokens, span: Span, text: &str, holes: &[Hole], builder: &Ident) -> TokenStream {
    let text = proc_macro2::Literal::string(text);
    let krate = krate.to_token_stream();
    let holes = holes.iter().map(|hole| hole_of(hole, &krate, builder));
    quote_spanned!(span=> #krate::__private010::text(::core::format_args!(#text #(, #holes)*)))
}

/// `cache_value` → `CacheValue`
fn variant(method: &str) -> String {
    let words = method.split('_').map(|word| word[..1].to_uppercase() + &word[1..]);
    words.collect()
}

fn hole_of(hole: &Hole, krate: &TokenStream, builder: &Ident) -> TokenStream {
    match hole {
        Hole::Encoded(expr) => {
            let span = Span::mixed_site().located_at(expr.span());
            let expr = reference(expr);
            quote_spanned!(span=> #krate::__private010::hole(#expr))
        }
        Hole::Plain(expr) => {
            let span = Span::mixed_site().located_at(expr.span());
            let expr = reference(expr);
            quote_spanned!(span=> #krate::__private010::shown(&#expr))
        }
        Hole::Kept(index) => {
            let index = syn::Index::from(*index);
            quote!(#krate::__private010::FlowBuilder::kept(#builder, #index))
        }
    }
}

/// `&user.id`, `&(a + b)`: the parentheses only where they are needed.
fn reference(expr: &Expr) -> TokenStream {
    let span = Span::mixed_site().located_at(expr.span());
    let binds_tightly = matches!(
        expr,
        Expr::Path(_)
            | Expr::Field(_)
            | Expr::MethodCall(_)
            | Expr::Call(_)
            | Expr::Index(_)
            | Expr::Lit(_)
            | Expr::Macro(_)
            | Expr::Paren(_)
            | Expr::Reference(_)
            | Expr::Unary(_)
    );
    let expr = expr.to_token_stream();
    if binds_tightly { quote_spanned!(span=> &#expr) } else { quote_spanned!(span=> &(#expr)) }
}
