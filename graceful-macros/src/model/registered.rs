//! The data of a handler for the check at start. It is in a static, so it cannot name generic parameters.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens as _;
use syn::{
    BoundLifetimes, Expr, ExprLit, GenericArgument, GenericParam, Lifetime, Lit, Path, PathArguments,
    ReturnType, Signature, Type, TypeImplTrait, TypeInfer, TypeMacro,
    visit::{self, Visit},
    visit_mut::{self, VisitMut},
};

use super::{
    Shape,
    cache::over_result,
    contract::Contract,
    fully_hooked,
    scope::{Scope, identifiers},
    shape::{output_of, without_parentheses},
};
use crate::{
    parse::{Args, Function, Name, Piece, Related, Value},
    words::{OnErr, OnOk, Step},
};

/// The registered data of a handler.
pub(crate) struct Registered {
    /// `None` if a static cannot name it.
    pub(crate) pattern: Option<Name>,
    /// The steps that the declaration names and no hook replaces.
    pub(crate) declared: Vec<Step>,
    /// The steps that are `required` or that an argument needs, and that no hook replaces.
    pub(crate) required: Vec<Step>,
    pub(crate) cached: Option<Cached>,
    pub(crate) keyed: Option<Keyed>,
    /// The function cannot await.
    pub(crate) is_sync: bool,
    /// The catalogue does not list the handler.
    pub(crate) is_hidden: bool,
    pub(crate) contract: Contract,
}

/// What the declaration says of the handler's cache key and of the entities beside it.
pub(crate) struct Keyed {
    /// The form of the key; `None` without a key, empty if it can have any form.
    pub(crate) form: Option<String>,
    /// The calls without an argument, for what the handler is and does.
    pub(crate) words: Vec<&'static str>,
    pub(crate) rev: Option<u32>,
    pub(crate) depends_on: Vec<String>,
    pub(crate) touches: Vec<String>,
}

impl Keyed {
    fn of(args: &Args, scope: &Scope) -> Option<Self> {
        let cache = &args.cache;
        let key = cache.key.as_ref();
        if args.steps[Step::Cache].off.is_some() || key.is_none() && cache.touches.is_empty() {
            return None;
        }
        let keeps = cache.on_err.as_ref().is_some_and(|on_err| on_err.value == OnErr::Keep);
        let words = [
            ("reads", cache.read.is_some()),
            ("per_actor", cache.per_actor.is_some()),
            ("unwritten", cache.unwritten.is_some()),
            ("shared", cache.shared.is_some()),
            ("versioned", cache.version.is_some()),
            ("keeps", keeps),
            ("over_result", key.is_some_and(|key| over_result(key, scope).is_some())),
        ];
        let names = |related: &[Related]| related.iter().map(|related| related.pattern.name()).collect();
        Some(Self {
            form: key.map(|key| form(key).unwrap_or_default()),
            words: words.into_iter().filter_map(|(word, applies)| applies.then_some(word)).collect(),
            rev: cache.rev.as_ref().map(|rev| rev.value),
            depends_on: names(&cache.depends_on),
            touches: names(&cache.touches),
        })
    }
}

/// Whether the function cannot await: it returns what is called a `Result`. An alias of another name may be a boxed future.
fn is_sync(function: &Function, shape: &Shape) -> bool {
    let ReturnType::Type(_, returned) = &function.signature.output else { return false };
    match (shape, without_parentheses(returned)) {
        (Shape::Call { eager: false, .. }, Type::Path(path)) => {
            path.path.segments.last().is_some_and(|last| last.ident.to_string().ends_with("Result"))
        }
        _ => false,
    }
}

/// What an `Ok` puts into the cache.
pub(crate) struct Cached {
    /// The form of the key, with `{}` in the place of each value.
    pub(crate) key: String,
    /// The return type of the function.
    pub(crate) returned: TokenStream,
}

impl Registered {
    pub(super) fn of(
        args: &Args,
        pattern: &Name,
        event: Option<&(Name, Name)>,
        function: &Function,
        shape: &Shape,
        scope: &Scope,
    ) -> Self {
        let served = || args.steps.iter().filter(|(_, args)| args.off.is_none() && !fully_hooked(args));
        let mut used = Vec::new();
        identifiers(function.signature.to_token_stream(), &mut used);
        identifiers(function.body.stream(), &mut used);
        let is_method = used.iter().any(|name| name == "self" || name == "Self");
        let names = Names { signature: &function.signature, is_method, block: args.block.as_deref() };
        let pattern = names.constant(pattern);
        let mut required: Vec<_> =
            served().filter(|(_, args)| args.required.is_some()).map(|(step, _)| step).collect();
        required.extend(args.last_good.map(|_| Step::Fallback));
        Self {
            pattern,
            declared: served().filter(|(_, args)| args.given).map(|(step, _)| step).collect(),
            required,
            cached: cached(args, &names, shape),
            keyed: Keyed::of(args, scope),
            is_sync: is_sync(function, shape),
            is_hidden: args.catalogue_off.is_some(),
            contract: Contract::of(args, event, &names, shape),
        }
    }
}

fn cached(args: &Args, names: &Names<'_>, shape: &Shape) -> Option<Cached> {
    let (cache, step) = (&args.cache, &args.steps[Step::Cache]);
    let replaced = step.off.is_some() || step.with.is_some() || step.ok.is_some();
    let invalidates = cache.on_ok.as_ref().is_some_and(|on_ok| on_ok.value == OnOk::Invalidate);
    // The type of an expression is not known here. What a reader caches is its value, whatever the payload is.
    let is_expression = cache.value.is_some() || args.payload.is_some() && cache.read.is_none();
    if replaced || invalidates || is_expression {
        return None;
    }
    Some(Cached { key: form(cache.key.as_ref()?)?, returned: names.returned(shape).ok()? })
}

/// The form of a key: its values, and the text between them. Keys of different forms, such as `list/{page}` and `{id}`, are different
/// keys. `None` if an expression can have any form.
fn form(key: &Value) -> Option<String> {
    match (key, key.expr()) {
        (Value::Template(template), None) => {
            let pieces = template.pieces.iter().map(|piece| match piece {
                Piece::Text(text) => text.as_str(),
                Piece::Hole(_) => "{}",
            });
            Some(pieces.collect())
        }
        (_, expr) => form_of(expr?),
    }
}

fn form_of(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => Some(number.base10_digits().to_owned()),
        // That of a singleton.
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        Expr::Path(path) => {
            // A constant is the same for every call, but its text is not known here: two constants may have the same text.
            let is_value = path.path.get_ident()?.to_string().chars().any(char::is_lowercase);
            is_value.then(|| "{}".to_owned())
        }
        Expr::Field(field) => form_of(&field.base),
        Expr::Reference(reference) => form_of(&reference.expr),
        Expr::Paren(paren) => form_of(&paren.expr),
        Expr::Unary(unary) => form_of(&unary.expr),
        Expr::MethodCall(call) => {
            let same = ["as_ref", "as_str", "clone", "id", "to_owned", "to_string"];
            same.iter().any(|name| call.method == name).then(|| form_of(&call.receiver))?
        }
        _ => None,
    }
}

/// Decides which types a static can name. The attribute of a method does not see the surrounding `impl` block, unless that has it, too.
pub(super) struct Names<'a> {
    signature: &'a Signature,
    /// The function has a `self` or names `Self`.
    is_method: bool,
    /// The parameters of the surrounding block, if that carries the attribute, too.
    block: Option<&'a [Ident]>,
}

impl Names<'_> {
    /// The type that the function or its future returns, or why a static cannot name it.
    pub(super) fn returned(&self, shape: &Shape) -> Result<TokenStream, &'static str> {
        self.named(self.output(shape)?)
    }

    /// The error type of a return type that is written as `Result<T, E>`, if a static can name it.
    pub(super) fn error(&self, shape: &Shape) -> Option<TokenStream> {
        let Type::Path(path) = self.output(shape).ok()? else { return None };
        let last = path.path.segments.last().filter(|last| last.ident == "Result")?;
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
        match arguments.args.iter().nth(1)? {
            GenericArgument::Type(error) => self.named(error.clone()).ok(),
            _ => None,
        }
    }

    fn output(&self, shape: &Shape) -> Result<Type, &'static str> {
        const BOXED: &str = "the function returns a boxed future, whose type the attribute does not see";
        let ReturnType::Type(_, returned) = &self.signature.output else { return Err(BOXED) };
        match (shape, without_parentheses(returned)) {
            (Shape::TailBlock(_) | Shape::Call { .. }, Type::ImplTrait(opaque)) => {
                output_of(opaque).ok_or(BOXED)
            }
            (Shape::TailBlock(_), _) => Err(BOXED),
            (_, returned) => Ok(returned.clone()),
        }
    }

    fn named(&self, mut ty: Type) -> Result<TokenStream, &'static str> {
        let mut unknown = Unknown { names: self, found: None };
        unknown.visit_type(&ty);
        if let Some(reason) = unknown.found {
            return Err(reason);
        }
        Unnamed(Vec::new()).visit_type_mut(&mut ty);
        Ok(ty.into_token_stream())
    }

    /// The name, unless it is a constant that a static cannot name.
    pub(super) fn constant(&self, name: &Name) -> Option<Name> {
        match name {
            // The path of a constant is relative to a module.
            Name::Constant(path) if path.get_ident().is_none() && self.may_be_generic(path) => None,
            name => Some(name.clone()),
        }
    }

    /// Whether the first name of a path may be a parameter.
    fn may_be_generic(&self, path: &Path) -> bool {
        const EVERYWHERE: [&str; 6] = ["Box", "Option", "Result", "String", "ToString", "Vec"];
        let first = &path.segments[0].ident;
        let name = first.to_string();
        let is_own = self.signature.generics.params.iter().any(|parameter| match parameter {
            GenericParam::Type(own) => own.ident == *first,
            GenericParam::Const(own) => own.ident == *first,
            GenericParam::Lifetime(_) => false,
        });
        let is_of_block = self.block.is_some_and(|parameters| parameters.contains(first));
        if name == "Self" || is_own || is_of_block {
            return true;
        }
        // Modules and primitive types begin with a lowercase letter.
        let is_type = name.starts_with(char::is_uppercase);
        if self.block.is_some() || path.leading_colon.is_some() || !is_type || EVERYWHERE.contains(&&*name) {
            return false;
        }
        // The `impl` block of a method may have type parameters. A free function has none of a block, so there only a name that looks like a
        // type parameter counts as one.
        self.is_method || !name.chars().any(char::is_lowercase)
    }
}

/// Looks for types that a static cannot name.
struct Unknown<'a> {
    names: &'a Names<'a>,
    /// Why a static cannot name the type.
    found: Option<&'static str>,
}

impl Visit<'_> for Unknown<'_> {
    fn visit_path(&mut self, path: &Path) {
        if self.names.may_be_generic(path) {
            let is_self =
                path.is_ident("Self") || path.segments.first().is_some_and(|first| first.ident == "Self");
            self.found.get_or_insert(match (is_self, self.names.is_method && self.names.block.is_none()) {
                (true, _) => "it names `Self`, which a static cannot",
                (false, true) => {
                    "its type may be a parameter of the `impl` block: write `#[orchestrate]` on the block, too"
                }
                (false, false) => "it names a type parameter, which a static cannot",
            });
        }
        visit::visit_path(self, path);
    }

    fn visit_type_impl_trait(&mut self, _: &TypeImplTrait) {
        self.found.get_or_insert("it is an `impl Trait`");
    }

    fn visit_type_infer(&mut self, _: &TypeInfer) {
        self.found.get_or_insert("it is not written in the signature");
    }

    fn visit_type_macro(&mut self, _: &TypeMacro) {
        self.found.get_or_insert("a macro makes its type");
    }
}

/// Removes the names of lifetimes, except `'static` and those that the type itself binds.
struct Unnamed(Vec<Ident>);

impl VisitMut for Unnamed {
    fn visit_bound_lifetimes_mut(&mut self, bound: &mut BoundLifetimes) {
        self.0.extend(bound.lifetimes.iter().filter_map(|parameter| match parameter {
            GenericParam::Lifetime(parameter) => Some(parameter.lifetime.ident.clone()),
            _ => None,
        }));
        visit_mut::visit_bound_lifetimes_mut(self, bound);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident != "static" && !self.0.contains(&lifetime.ident) {
            lifetime.ident = Ident::new("_", lifetime.ident.span());
        }
    }
}
