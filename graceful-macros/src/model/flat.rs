//! Decides whether a handler is expanded flat: to one future, whose block evaluates the expressions itself. The block captures the
//! parameters, so this is for shapes in which that changes nothing for the user. Every other handler keeps its function, and its body
//! becomes a future inside of it.

use proc_macro2::Ident;
use quote::ToTokens as _;
use syn::{FnArg, Pat, ReceiverKind, ReturnType, Type, Visibility, visit::Visit};

use super::{
    Handler, Shape,
    held::{self, Held},
    scope::{bound_by, identifiers},
};

/// How a handler is expanded.
pub(crate) enum Expansion {
    /// To one future; the tokens that keep the drop order of its parameters.
    Flat(Held),
    Nested(Nested),
}

/// Why a handler is not expanded flat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Nested {
    /// The declaration has mistakes. The messages of the compiler beside them are those of the function as it was written.
    Mistakes,
    /// It is not an `async fn`, so the function says when its body runs.
    NotAsync,
    /// A hook borrows the result, or a step can change the answer, so that what follows the body depends on more than the result's type.
    AnswerDepends,
    /// The cache or the idempotency store is asked before the body.
    AsksFirst,
    /// The flow is stored in the transaction that the body has borrowed.
    Transaction,
    /// `on` names the orchestrator by an expression over the parameters, which only the block can evaluate.
    OwnOrchestrator,
    /// An expression uses a parameter together with `result`, so the code that reads the result captures it.
    ReadsBoth,
    /// Another attribute, which may rely on the function being an `async fn`; `#[must_use]` is about its output and not about its future.
    Attribute,
    /// `default`, `unsafe`, `const` or `extern`.
    Qualifier,
    /// The return type is missing, or only the compiler knows it: `impl Trait`, a macro.
    Returned,
    /// The return type contains `'static` or `dyn`, and a parameter is borrowed. The compiler would suggest a lifetime for the `impl Future` if
    /// the body returned the borrow.
    ReturnsStatic,
    /// A method without a visibility may belong to the implementation of a trait, which decides what its methods return.
    MethodOfTrait,
    /// A parameter has an attribute, so it may not exist.
    ParameterAttribute,
    /// A part of the argument is not bound to a name (`..`, `_`), or bound by `ref`. The block cannot capture it, and it would be dropped at
    /// the call.
    Pattern,
    /// Nothing uses the parameter, so the block does not capture it, and it would be dropped at the call.
    Unused,
}

impl Nested {
    /// A text for the argument `debug`.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Mistakes => "the declaration has mistakes",
            Self::NotAsync => "the function is not an `async fn`",
            Self::AnswerDepends => "a hook borrows the result, or a step can change the answer",
            Self::AsksFirst => "the handler is a reader or idempotent",
            Self::Transaction => "the flow is stored in a transaction",
            Self::OwnOrchestrator => "`on` names the orchestrator",
            Self::ReadsBoth => "an expression uses `result` and a parameter",
            Self::Attribute => "the function has another attribute",
            Self::Qualifier => "the function is `default`, `unsafe`, `const` or `extern`",
            Self::Returned => "the return type is missing, or contains `impl Trait` or a macro",
            Self::ReturnsStatic => "the return type contains `'static` or `dyn`, and a parameter is borrowed",
            Self::MethodOfTrait => "a method without a visibility may belong to a trait",
            Self::ParameterAttribute => "a parameter has an attribute",
            Self::Pattern => "a pattern does not bind all parts of its parameter",
            Self::Unused => "a parameter is not used",
        }
    }
}

impl Expansion {
    /// `named` are the names that the declaration's expressions use.
    pub(super) fn of(handler: &Handler, named: &[Ident]) -> Self {
        match nested(handler, named) {
            Some(reason) => Self::Nested(reason),
            None => {
                let mut signature = handler.function.signature.clone();
                Self::Flat(held::held(&mut signature, &handler.function.body, named, true))
            }
        }
    }
}

/// The attributes that say the same of a function that returns a future.
const INERT: [&str; 9] = ["allow", "cfg", "cold", "deny", "deprecated", "doc", "expect", "forbid", "warn"];

fn nested(handler: &Handler, named: &[Ident]) -> Option<Nested> {
    let function = &handler.function;
    let signature = &function.signature;
    let is_inert = |attribute: &syn::Attribute| INERT.iter().any(|name| attribute.path().is_ident(name));
    let is_qualified = function.defaultness.is_some()
        || signature.constness.is_some()
        || signature.abi.is_some()
        || signature.variadic.is_some()
        // `safe` is one, too.
        || !signature.safety.to_token_stream().is_empty();
    let has_attribute = |input: &FnArg| match input {
        FnArg::Receiver(receiver) => !receiver.attrs.is_empty(),
        FnArg::Typed(parameter) => !parameter.attrs.is_empty(),
    };
    let is_private = matches!(function.visibility, Visibility::Inherited);
    let binds_all = |input: &FnArg| match input {
        FnArg::Receiver(_) => true,
        // `_` gets a name.
        FnArg::Typed(parameter) => matches!(*parameter.pat, Pat::Wild(_)) || binds_all(&parameter.pat),
    };
    let reasons = [
        (!matches!(handler.shape, Shape::Async), Nested::NotAsync),
        (handler.read.is_some() || handler.idempotent.is_some(), Nested::AsksFirst),
        (!handler.is_plain(), Nested::AnswerDepends),
        (handler.tx.is_some(), Nested::Transaction),
        (handler.on.is_some(), Nested::OwnOrchestrator),
        (!handler.setters.kept.is_empty(), Nested::ReadsBoth),
        (!function.attributes.iter().all(is_inert), Nested::Attribute),
        (is_qualified, Nested::Qualifier),
        (!is_nameable(&signature.output), Nested::Returned),
        (
            returns_static(&signature.output) && signature.inputs.iter().any(is_borrowed),
            Nested::ReturnsStatic,
        ),
        (is_private && signature.receiver().is_some(), Nested::MethodOfTrait),
        (signature.inputs.iter().any(has_attribute), Nested::ParameterAttribute),
        (!signature.inputs.iter().all(binds_all), Nested::Pattern),
        (!captures_all(handler, named), Nested::Unused),
    ];
    reasons.into_iter().find_map(|(applies, reason)| applies.then_some(reason))
}

/// Whether the names of the pattern have all parts of the value, so that nothing is left of it.
fn binds_all(pattern: &Pat) -> bool {
    match pattern {
        Pat::Ident(name) => name.by_ref.is_none() && name.subpat.is_none(),
        Pat::Paren(inner) => binds_all(&inner.pat),
        Pat::Tuple(tuple) => tuple.elems.iter().all(binds_all),
        Pat::TupleStruct(of) => of.elems.iter().all(binds_all),
        Pat::Struct(of) => of.rest.is_none() && of.fields.iter().all(|field| binds_all(&field.pat)),
        _ => false,
    }
}

/// Whether the block mentions every parameter.
fn captures_all(handler: &Handler, named: &[Ident]) -> bool {
    let mut used = named.to_vec();
    identifiers(handler.function.body.stream(), &mut used);
    handler.function.signature.inputs.iter().all(|input| match input {
        FnArg::Receiver(receiver) => {
            matches!(receiver.kind, ReceiverKind::Reference(..)) || used.iter().any(|name| name == "self")
        }
        FnArg::Typed(parameter) => {
            let mut bound = bound_by(&parameter.pat).into_iter();
            bound.all(|name| name.to_string().starts_with('_') || used.contains(&name))
        }
    })
}

fn returns_static(output: &ReturnType) -> bool {
    let mut names = Vec::new();
    identifiers(output.to_token_stream(), &mut names);
    names.iter().any(|name| name == "static" || name == "dyn")
}

/// Whether the parameter is written with a reference or a lifetime.
fn is_borrowed(input: &FnArg) -> bool {
    struct Borrows(bool);

    impl Visit<'_> for Borrows {
        fn visit_type_reference(&mut self, _: &syn::TypeReference) {
            self.0 = true;
        }

        fn visit_receiver(&mut self, receiver: &syn::Receiver) {
            self.0 |= matches!(receiver.kind, ReceiverKind::Reference(..));
            syn::visit::visit_receiver(self, receiver);
        }

        fn visit_lifetime(&mut self, _: &syn::Lifetime) {
            self.0 = true;
        }
    }

    let mut borrows = Borrows(false);
    borrows.visit_fn_arg(input);
    borrows.0
}

fn is_nameable(output: &ReturnType) -> bool {
    struct Unnameable(bool);

    impl Visit<'_> for Unnameable {
        fn visit_type(&mut self, visited: &Type) {
            self.0 |= matches!(visited, Type::ImplTrait(_) | Type::Macro(_) | Type::Verbatim(_));
            syn::visit::visit_type(self, visited);
        }

        fn visit_macro(&mut self, _: &syn::Macro) {
            self.0 = true;
        }
    }

    let ReturnType::Type(_, returned) = output else { return false };
    let mut unnameable = Unnameable(false);
    unnameable.visit_type(returned);
    !unnameable.0
}

impl Handler {
    /// Why it is not expanded flat, if it is not.
    pub(crate) const fn nested(&self) -> Option<Nested> {
        match self.expansion {
            Expansion::Flat(_) => None,
            Expansion::Nested(reason) => Some(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use darling::Error;
    use proc_macro2::TokenStream;

    use super::Nested;
    use crate::{model::Handler, parse};

    fn nested(arguments: &str, function: &str) -> Option<Nested> {
        let tokens = |text: &str| text.parse::<TokenStream>().expect("tokens");
        let Ok(parse::Item::Function(function)) = parse::Item::parse(tokens(function)) else {
            panic!("it is a function");
        };
        let mut errors = Error::accumulator();
        let args = parse::Args::parse(tokens(&format!("pattern = \"user\", {arguments}")), &mut errors);
        let handler = Handler::new(args, *function, &mut errors);
        let mistakes = errors.into_inner();
        assert!(mistakes.is_empty(), "{mistakes:?}");
        handler.nested()
    }

    #[test]
    fn plain_handler_is_flat() {
        for (arguments, function) in [
            ("", "async fn f() -> Result<(), E> { Ok(()) }"),
            (
                "cache = user.id, delivery = \"durable\"",
                "async fn f(user: User) -> Result<User, E> { Ok(user) }",
            ),
            (
                "audit = hook, id = \"{id}/{result.id}\"",
                "async fn f(id: u64) -> Result<User, E> { get().await }",
            ),
            ("id = id", "async fn f(Json(user): Json<User>, Path(id): Path<u64>) -> Answer { Ok(user) }"),
            ("id = self.id", "pub async fn f(&self, mut a: A, _: B, _c: C) -> Result<&str, E> { a.x() }"),
            ("id = self.id", "pub async fn f(self) -> Result<(), E> { Ok(()) }"),
            ("", "#[allow(dead_code)] pub async fn f<T: A>(a: T) -> Result<T, Box<dyn B>> { Ok(a) }"),
        ] {
            assert_eq!(nested(arguments, function), None, "{arguments}: {function}");
        }
    }

    #[test]
    fn declaration_that_says_more_is_nested() {
        for (arguments, reason) in [
            ("cache(key = a.id, read)", Nested::AsksFirst),
            ("idempotent = a.key", Nested::AsksFirst),
            ("alert(err = hook)", Nested::AnswerDepends),
            ("fallback = hook", Nested::AnswerDepends),
            ("audit(required)", Nested::AnswerDepends),
            ("tx = a", Nested::Transaction),
            ("on = a.orchestrator", Nested::OwnOrchestrator),
            ("metadata = json(a, result)", Nested::ReadsBoth),
        ] {
            let function = "async fn f(a: A) -> Result<T, E> { a.await }";
            assert_eq!(nested(arguments, function), Some(reason), "{arguments}");
        }
    }

    #[test]
    fn function_that_is_not_clearly_the_same_is_nested() {
        for (function, reason) in [
            ("fn f() -> Result<(), E> { Ok(()) }", Nested::NotAsync),
            ("#[must_use] async fn f() -> Result<(), E> { Ok(()) }", Nested::Attribute),
            ("#[instrument] async fn f() -> Result<(), E> { Ok(()) }", Nested::Attribute),
            ("async unsafe fn f() -> Result<(), E> { Ok(()) }", Nested::Qualifier),
            ("async fn f() -> Result<impl A, E> { Ok(a()) }", Nested::Returned),
            ("async fn f() -> answer!(A) { Ok(a()) }", Nested::Returned),
            ("async fn f(a: &str) -> Result<Box<dyn A>, E> { a.x() }", Nested::ReturnsStatic),
            ("async fn f(a: A<'_>) -> Result<&'static str, E> { a.x() }", Nested::ReturnsStatic),
            ("async fn f(&self) -> Result<(), E> { Ok(()) }", Nested::MethodOfTrait),
            ("async fn f(#[cfg(unix)] a: A) -> Result<(), E> { a.x() }", Nested::ParameterAttribute),
            ("async fn f(A { a, .. }: A) -> Result<(), E> { a.x() }", Nested::Pattern),
            ("async fn f(ref a: A) -> Result<(), E> { a.x() }", Nested::Pattern),
            ("async fn f(a: A) -> Result<(), E> { Ok(()) }", Nested::Unused),
            ("pub async fn f(self) -> Result<(), E> { Ok(()) }", Nested::Unused),
        ] {
            assert_eq!(nested("", function), Some(reason), "{function}");
        }
    }
}
