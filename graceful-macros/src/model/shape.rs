//! How a function runs its body, and how it is left as it was.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{
    Block, BoundLifetimes, Expr, ExprAsync, FnArg, GenericParam, Lifetime, Pat, PatIdent, ReturnType,
    Signature, Stmt, Token, Type, TypeImplTrait, TypeMacro, TypeParamBound, parse_quote,
    spanned::Spanned as _,
    visit::Visit,
    visit_mut::{self, VisitMut},
};

use super::scope::{Scope, bound_by, identifiers};
use crate::{groups::Ungrouped, parse::Function};

/// How the body is run.
pub(crate) enum Shape {
    /// `async fn`: the body becomes an async block.
    Async,
    /// What `#[async_trait]` makes of one: what follows is put inside the async block, which holds the parameters.
    TailBlock(Box<TailBlock>),
    /// Any other function: it returns a `Result`, or a future that other code has created.
    Call { returns_impl_future: bool, eager: bool },
}

/// `Box::pin(async move { … })`
pub(crate) struct TailBlock {
    /// The expression, whose async block is to be filled.
    tail: Expr,
    pub(crate) capture: Option<Token![move]>,
    /// `let __self = self;`: how `#[async_trait]` passes parameters on, by the names that the expressions use.
    pub(crate) rebound: Vec<Stmt>,
    pub(crate) body: TokenStream,
}

impl TailBlock {
    /// The expression with another async block.
    pub(crate) fn with(&self, block: &TokenStream) -> TokenStream {
        let mut tail = self.tail.clone();
        if let Some(found) = async_block(&mut tail) {
            found.block = Block {
                brace_token: found.block.brace_token,
                stmts: vec![Stmt::Expr(Expr::Verbatim(block.clone()), None)],
            };
        }
        tail.into_token_stream()
    }
}

impl Shape {
    pub(crate) fn of(function: &Function, scope: &mut Scope) -> Self {
        if function.signature.asyncness.is_some() {
            return Self::Async;
        }
        if let Some(tail) = tail_block(function) {
            for statement in &tail.rebound {
                if let Stmt::Local(local) = statement {
                    scope.rebind(&local.pat);
                }
            }
            return Self::TailBlock(Box::new(tail));
        }
        let mut names = Vec::new();
        if let ReturnType::Type(_, returned) = &function.signature.output {
            identifiers(returned.to_token_stream(), &mut names);
        }
        let returns_impl_future = match &function.signature.output {
            ReturnType::Type(_, returned) => matches!(without_parentheses(returned), Type::ImplTrait(_)),
            ReturnType::Default => false,
        };
        // Only a hint for when to look for an orchestrator; whether it is a future is found by trait.
        let eager = names.iter().any(|name| name == "Pin" || name.to_string().contains("Future"));
        Self::Call { returns_impl_future, eager }
    }
}

/// An async block that the user wrote is none of these: it need not hold the parameters that the expressions name, so they
/// are evaluated before it is made.
fn tail_block(function: &Function) -> Option<TailBlock> {
    if !is_async_trait(function) {
        return None;
    }
    let mut tail = syn::parse2::<Expr>(function.body.stream()).ok()?;
    Ungrouped.visit_expr_mut(&mut tail);
    let ExprAsync { capture, block, .. } = async_block(&mut tail)?.clone();
    let (rebound, rest) = split_rebound(block.stmts);
    let body = rest.iter().map(ToTokens::to_token_stream).collect();
    Some(TailBlock { tail, capture, rebound, body })
}

/// The block of `Box::pin(async move {…})`.
fn async_block(tail: &mut Expr) -> Option<&mut ExprAsync> {
    match tail {
        Expr::Async(block) => Some(block),
        Expr::Call(call) => async_block(call.args.first_mut()?),
        _ => None,
    }
}

fn is_async_trait(function: &Function) -> bool {
    function.signature.generics.lifetimes().any(|parameter| parameter.lifetime.ident == "async_trait")
}

/// Input: `if let Some(__ret) = None::<R> {…} let __self = self; let Json(user) = {…}; let __ret: R = {…}; __ret`
/// Output: what rebinds the parameters, and everything else: the type hint before it is part of the body.
fn split_rebound(statements: Vec<Stmt>) -> (Vec<Stmt>, Vec<Stmt>) {
    let mut leading = true;
    statements.into_iter().partition(|statement| {
        let rebinds = match statement {
            Stmt::Local(local) => bound_by(&local.pat).iter().all(|name| name != "__ret"),
            _ => false,
        };
        leading &= rebinds || matches!(statement, Stmt::Expr(Expr::If(_), _));
        leading && rebinds
    })
}

/// What keeps the parameters' drop order.
pub(crate) struct Held {
    /// `&user`, for each that the body captures.
    pub(crate) mentioned: Vec<TokenStream>,
    /// `let mut user = user;`, for each that becomes a local of it.
    pub(crate) rebound: TokenStream,
    /// The body names `break` or `continue`.
    pub(crate) breaks: bool,
}

/// What keeps the parameters' drop order, last to first: they are mentioned in it at the start of the body, so that the block
/// captures them in it, and drops what it has captured in it. Lints of assignments do not see into captures, so what is
/// `mut` becomes a local, and with it all that is dropped before it.
///
/// One that the body does not use is left where it is, so that the compiler still warns, unless its name says that it is
/// held on purpose.
///
/// `named` are the names that the declaration's expressions use.
pub(crate) fn held(function: &mut Function, named: &[Ident]) -> Held {
    let mut used = Vec::new();
    identifiers(function.body.stream(), &mut used);
    let breaks = used.iter().any(|name| name == "break" || name == "continue");
    let mut mentioned = Vec::new();
    let mut rebound = TokenStream::new();
    for (index, input) in function.signature.inputs.iter_mut().enumerate() {
        let FnArg::Typed(parameter) = input else { continue };
        if let Pat::Wild(wild) = &*parameter.pat {
            // Without a name it could not be moved in, and would be dropped after the others.
            let name = Ident::new(&format!("_unnamed_{index}"), Span::mixed_site().located_at(wild.span()));
            *parameter.pat = parse_quote!(#name);
        }
        // What decides over the parameter, or over the lints of its name, decides over the local.
        let carried = ["cfg", "cfg_attr", "allow"];
        let cfg = parameter
            .attrs
            .iter()
            .filter(|attribute| carried.iter().any(|name| attribute.path().is_ident(name)));
        let cfg = quote!(#(#cfg)*);
        for binding in bindings(&mut parameter.pat, |name| !used.contains(name) && !named.contains(name)) {
            let name = &binding.name;
            let on_purpose = name.to_string().starts_with('_');
            let is_used = used.contains(name);
            if !on_purpose && !is_used {
                continue;
            }
            // Its name says that it is unused; if it is used, the lint fires at that place.
            let lint = (on_purpose && (is_used || named.contains(name)))
                .then(|| quote!(#[allow(clippy::used_underscore_binding)]));
            if binding.mutability.is_some() || !rebound.is_empty() {
                let mutability = &binding.mutability;
                // The span of the parameter, so that lints of locals fire there, as for an `async fn`.
                let span = Span::mixed_site().located_at(name.span());
                rebound.extend(quote_spanned!(span=> #cfg #lint let #mutability #name = #name;));
            } else {
                mentioned.insert(0, quote_spanned!(Span::mixed_site()=> #cfg #lint &#name));
            }
        }
    }
    Held { mentioned, rebound, breaks }
}

struct Binding {
    name: Ident,
    mutability: Option<Token![mut]>,
}

/// The names that a parameter binds, in order; `mut` moves from the parameter to where it is used. A name that says that it is
/// not used, and is not, becomes ours, so that lints do not take it for used when it is held.
fn bindings(pattern: &mut Pat, unused: impl Fn(&Ident) -> bool) -> Vec<Binding> {
    struct Bindings<U>(Vec<Binding>, U);

    impl<U: Fn(&Ident) -> bool> VisitMut for Bindings<U> {
        fn visit_pat_ident_mut(&mut self, pattern: &mut PatIdent) {
            let mutability = if pattern.by_ref.is_none() { pattern.mutability.take() } else { None };
            if pattern.ident.to_string().starts_with('_') && (self.1)(&pattern.ident) {
                pattern.ident.set_span(Span::mixed_site().located_at(pattern.ident.span()));
            }
            // `Ok(n) | Err(n)` binds it once.
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

/// What the body returns.
pub(crate) struct Returned {
    /// The type with `_` for what cannot be named.
    pub(crate) hint: TokenStream,
    /// A macro says it: whether it can be named is only known to the compiler.
    pub(crate) by_macro: bool,
    /// A future that must be `Send`.
    pub(crate) must_be_send: bool,
}

impl Returned {
    pub(crate) fn of(function: &Function, shape: &Shape) -> Self {
        let mut this = Self { hint: quote!(()), by_macro: false, must_be_send: false };
        let ReturnType::Type(_, returned) = &function.signature.output else { return this };
        let mut names = Vec::new();
        identifiers(returned.to_token_stream(), &mut names);
        this.must_be_send = names.iter().any(|name| name == "Send");
        let nameable = |named: &Type| nameable(named, &function.signature);
        this.hint = match (shape, without_parentheses(returned)) {
            (
                Shape::TailBlock(_) | Shape::Call { returns_impl_future: true, .. },
                Type::ImplTrait(opaque),
            ) => output_of(opaque).map_or_else(|| quote!(_), |output| nameable(&output)),
            (Shape::TailBlock(_), future) => quote!(<#future as ::core::future::Future>::Output),
            (_, returned) => {
                this.by_macro = has_macro(returned);
                if this.by_macro { quote!(_) } else { nameable(returned) }
            }
        };
        this
    }
}

fn has_macro(returned: &Type) -> bool {
    struct Macros(bool);

    impl Visit<'_> for Macros {
        fn visit_type_macro(&mut self, _: &TypeMacro) {
            self.0 = true;
        }
    }

    let mut macros = Macros(false);
    macros.visit_type(returned);
    macros.0
}

pub(super) fn without_parentheses(returned: &Type) -> &Type {
    match returned {
        Type::Paren(paren) => without_parentheses(&paren.elem),
        returned => returned,
    }
}

/// Input: `impl Future<Output = Result<T, E>> + Send`
/// Output: `Result<T, E>`
pub(super) fn output_of(opaque: &TypeImplTrait) -> Option<Type> {
    opaque.bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return None };
        let syn::PathArguments::AngleBracketed(arguments) = &bound.path.segments.last()?.arguments else {
            return None;
        };
        arguments.args.iter().find_map(|argument| match argument {
            syn::GenericArgument::AssocType(output) if output.ident == "Output" => Some(output.ty.clone()),
            _ => None,
        })
    })
}

/// What the body's block can name. A lifetime that is named in a body counts as needed: one that could be elided is not, so
/// that lints say it.
fn nameable(returned: &Type, signature: &Signature) -> TokenStream {
    struct Nameable<'a> {
        /// Of `for<'a>`: it must be named.
        bound: Vec<Lifetime>,
        signature: &'a Signature,
    }

    impl VisitMut for Nameable<'_> {
        fn visit_type_mut(&mut self, visited: &mut Type) {
            match visited {
                Type::ImplTrait(opaque) => *visited = Type::Verbatim(quote_spanned!(opaque.span()=> _)),
                _ => visit_mut::visit_type_mut(self, visited),
            }
        }

        fn visit_bound_lifetimes_mut(&mut self, bound: &mut BoundLifetimes) {
            let names = bound.lifetimes.iter().filter_map(|parameter| match parameter {
                GenericParam::Lifetime(parameter) => Some(parameter.lifetime.clone()),
                _ => None,
            });
            self.bound.extend(names);
        }

        fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
            if !self.bound.contains(lifetime) && may_be_elided(lifetime, self.signature) {
                lifetime.ident = Ident::new("_", lifetime.ident.span());
            }
        }
    }

    let mut returned = returned.clone();
    Nameable { bound: Vec::new(), signature }.visit_type_mut(&mut returned);
    returned.into_token_stream()
}

/// Whether the function could do without the name: it is its own, and the only one that its parameters have, or that of `self`.
fn may_be_elided(lifetime: &Lifetime, signature: &Signature) -> bool {
    if lifetime.ident == "_" {
        return true;
    }
    if !signature.generics.lifetimes().any(|own| own.lifetime == *lifetime) {
        return false;
    }
    match signature.receiver().map(|receiver| lifetimes(receiver.to_token_stream())) {
        Some(of_self) if !of_self.is_empty() => {
            of_self.iter().flatten().any(|given| *given == lifetime.ident)
        }
        _ => lifetimes(signature.inputs.to_token_stream()).len() < 2,
    }
}

/// The lifetimes in the tokens, `None` where a reference has none.
fn lifetimes(tokens: TokenStream) -> Vec<Option<Ident>> {
    let mut found = Vec::new();
    let mut rest = tokens.into_iter().peekable();
    while let Some(tree) = rest.next() {
        let elided = |next: Option<&TokenTree>| !matches!(next, Some(TokenTree::Punct(next)) if next.as_char() == '\'');
        match tree {
            TokenTree::Group(group) => found.extend(lifetimes(group.stream())),
            TokenTree::Punct(punct) if punct.as_char() == '&' && elided(rest.peek()) => found.push(None),
            TokenTree::Punct(punct) if punct.as_char() == '\'' => {
                found.extend(rest.next().and_then(|name| syn::parse2(name.into()).ok()).map(Some));
            }
            _ => {}
        }
    }
    found
}
