//! The shapes of functions, i.e. how the body is run, and the type that it returns.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{
    Block, BoundLifetimes, Expr, ExprAsync, GenericParam, Lifetime, ReturnType, Signature, Stmt, Token, Type,
    TypeImplTrait, TypeMacro, TypeParamBound,
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
    /// The output of `#[async_trait]` for an `async fn`: the steps are put inside the async block, which holds the parameters.
    TailBlock(Box<TailBlock>),
    /// Any other function: it returns a `Result`, or a future that other code has created.
    Call { returns_impl_future: bool, eager: bool },
}

/// `Box::pin(async move { … })`
pub(crate) struct TailBlock {
    /// The expression with the async block that is replaced.
    tail: Expr,
    pub(crate) capture: Option<Token![move]>,
    /// `let __self = self;`: the statements by which `#[async_trait]` rebinds the parameters.
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
        // This only decides when the orchestrator is looked up; a trait finds out whether the value is a future.
        let eager = names.iter().any(|name| name == "Pin" || name.to_string().contains("Future"));
        Self::Call { returns_impl_future, eager }
    }
}

/// An async block that the user wrote is not such a block: it need not hold the parameters that the expressions use, so they are
/// evaluated before it is made.
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
/// Output: the statements that rebind the parameters, and the rest, including the type hint, as the body.
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

/// The type that the body returns.
pub(crate) struct Returned {
    /// The type with `_` in the place of types that cannot be named.
    pub(crate) hint: TokenStream,
    /// A macro call; only the compiler knows whether the type can be named.
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

/// The type as the block of the body can name it. To lints, a lifetime that the body names is needed; so a lifetime that could be elided
/// is not named there, and the lint still fires.
fn nameable(returned: &Type, signature: &Signature) -> TokenStream {
    struct Nameable<'a> {
        /// A lifetime of `for<'a>`, which must be named.
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

/// Whether the lifetime could be elided: the function declares it, and it is the only one of its parameters, or that of `self`.
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

/// Collects the lifetimes in the tokens; `None` for a reference without one.
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
