//! How the drop order and the lints of the parameters are kept.

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{
    FnArg, Pat, PatIdent, ReceiverKind, Signature, Token, Type, parse_quote,
    spanned::Spanned as _,
    visit_mut::{self, VisitMut},
};

use super::scope::identifiers;

/// The tokens that keep the drop order of the parameters.
#[derive(Default)]
pub(crate) struct Held {
    /// `&user`, for each parameter that the body captures.
    pub(crate) mentioned: Vec<TokenStream>,
    /// `let mut user = user;`, for each parameter that becomes a local variable of the body.
    pub(crate) rebound: TokenStream,
    /// The body contains `break` or `continue`.
    pub(crate) breaks: bool,
}

/// Makes the tokens that keep the drop order of the parameters, from last to first. The body mentions the parameters at its start in
/// this order, so that the block captures them in this order and drops its captures in this order. Lints of assignments ignore
/// captures, so a `mut` parameter becomes a local variable, and with it all parameters that are dropped before it.
///
/// A parameter that the body does not use is not captured, so that the compiler still warns, unless its name begins with `_`.
///
/// `named` are the names that the declaration's expressions use.
///
/// In a flat expansion, the block also captures the parameters that only the expressions use, and a `self` by value. A future that was
/// never polled drops its captures, from first to last as that of an `async fn`. So the block captures them in this order, and those that
/// must be dropped before another one become local variables.
pub(super) fn held(signature: &mut Signature, body: &Group, named: &[Ident], is_flat: bool) -> Held {
    let mut used = Vec::new();
    identifiers(body.stream(), &mut used);
    let breaks = used.iter().any(|name| name == "break" || name == "continue");
    let mut mentioned = Vec::new();
    let mut rebound = TokenStream::new();
    // Whether a capture before this one must be dropped after it.
    let mut drops = false;
    for (index, input) in signature.inputs.iter_mut().enumerate() {
        let parameter = match input {
            FnArg::Receiver(receiver) => {
                if is_flat && !matches!(receiver.kind, ReceiverKind::Reference(..)) {
                    let this = receiver.self_token;
                    mentioned.push(quote!(&#this));
                    drops = true;
                }
                continue;
            }
            FnArg::Typed(parameter) => parameter,
        };
        if let Pat::Wild(wild) = &*parameter.pat {
            // Without a name it could not be moved into the body, and would be dropped after the others.
            let name = Ident::new(&format!("_unnamed_{index}"), Span::mixed_site().located_at(wild.span()));
            *parameter.pat = parse_quote!(#name);
        }
        // Attributes that apply to the parameter, or to lints of its name, apply to the local variable, too.
        let carried = ["cfg", "cfg_attr", "allow"];
        let cfg = parameter
            .attrs
            .iter()
            .filter(|attribute| carried.iter().any(|name| attribute.path().is_ident(name)));
        let cfg = quote!(#(#cfg)*);
        let may_drop = is_flat && may_drop(&parameter.ty);
        for binding in bindings(&mut parameter.pat, |name| !used.contains(name) && !named.contains(name)) {
            let name = &binding.name;
            let on_purpose = name.to_string().starts_with('_');
            let is_used = used.contains(name);
            let is_evaluated = is_flat && named.contains(name);
            if !on_purpose && !is_used && !is_evaluated {
                continue;
            }
            // A name with `_` says that it is unused; if it is used, the lint fires at the use.
            let lint = (on_purpose && (is_used || named.contains(name)))
                .then(|| quote!(#[allow(clippy::used_underscore_binding)]));
            let mention = quote_spanned!(Span::mixed_site()=> #cfg #lint &#name);
            let is_rebound = binding.mutability.is_some() || (!is_flat && !rebound.is_empty());
            if is_rebound || (may_drop && drops) {
                let mutability = &binding.mutability;
                // The span of the parameter, so that lints of locals fire there, as for an `async fn`.
                let span = Span::mixed_site().located_at(name.span());
                rebound.extend(quote_spanned!(span=> #cfg #lint let #mutability #name = #name;));
                if is_flat && !is_used {
                    rebound.extend(quote!(let _ = #mention;));
                }
            } else if !is_flat {
                mentioned.insert(0, mention.clone());
            }
            if is_flat {
                mentioned.push(mention);
            }
            drops |= may_drop;
        }
    }
    Held { mentioned, rebound, breaks }
}

/// Whether a value of the type may have to be dropped.
fn may_drop(ty: &Type) -> bool {
    const NUMBERS: [&str; 16] = [
        "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64",
        "u128", "usize",
    ];
    match ty {
        Type::Reference(_) => false,
        Type::Path(path) => {
            !path.path.get_ident().is_some_and(|name| NUMBERS.iter().any(|number| name == number))
        }
        _ => true,
    }
}

struct Binding {
    name: Ident,
    mutability: Option<Token![mut]>,
}

/// Returns the names that a parameter binds, in order, and moves `mut` from the parameter to the local variable. An unused name that
/// begins with `_` is replaced by a name of ours, so that lints do not count the capture as a use.
fn bindings(pattern: &mut Pat, unused: impl Fn(&Ident) -> bool) -> Vec<Binding> {
    struct Bindings<U>(Vec<Binding>, U);

    impl<U: Fn(&Ident) -> bool> VisitMut for Bindings<U> {
        fn visit_pat_ident_mut(&mut self, pattern: &mut PatIdent) {
            let mutability = if pattern.by_ref.is_none() { pattern.mutability.take() } else { None };
            if pattern.ident.to_string().starts_with('_') && (self.1)(&pattern.ident) {
                pattern.ident.set_span(Span::mixed_site().located_at(pattern.ident.span()));
            }
            // `Ok(n) | Err(n)` binds `n` once.
            if self.0.iter().all(|known| known.name != pattern.ident) {
                self.0.push(Binding { name: pattern.ident.clone(), mutability });
            }
            visit_mut::visit_pat_ident_mut(self, pattern);
        }
    }

    let mut found = Bindings(Vec::new(), unused);
    found.visit_pat_mut(pattern);
    found.0
}
