//! Combines the arguments with the function: [`Args`] and [`Function`] → [`Handler`]. All defaults are here, and all rules between
//! arguments are in `rules`.

mod cache;
mod contract;
mod flat;
mod held;
mod idempotent;
mod manifest;
mod registered;
mod related;
mod rules;
mod scope;
mod setters;
mod shape;
mod spec;
mod subscribe;

use darling::error::Accumulator;
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Expr, FnArg, Pat, PatType, Path, Signature, Type};

pub(crate) use self::{
    contract::Emitted,
    flat::Expansion,
    held::Held,
    registered::Keyed,
    setters::{Argument, Hole, Setter, Setters},
    shape::{Returned, Shape},
    spec::{SpecArgument, SpecCall},
    subscribe::{Parameter, Source, Subscriber},
};
use self::{
    flat::Nested,
    registered::Registered,
    rules::{check_function, check_rules},
    scope::Scope,
    spec::{call, options},
};
pub(crate) use crate::parse::Name;
use crate::{
    errors::wrong,
    parse::{Args, EventArgs, Function, StepArgs, Steps},
    words::{Delivery, Step},
};

/// A handler that is ready for expansion: all decisions are taken.
pub(crate) struct Handler {
    /// The path of `graceful`.
    pub(crate) krate: Krate,
    /// Print the expansion.
    pub(crate) debug: bool,
    /// Do not log the cause of a server fault.
    pub(crate) errors_off: Option<Span>,
    pub(crate) function: Function,
    pub(crate) shape: Shape,
    /// The body's type hint.
    pub(crate) returned: Returned,
    /// The span for errors of the returned value.
    pub(crate) answer: (Span, Span),
    /// The tokens that keep the drop order of the parameters.
    pub(crate) held: Held,
    pub(crate) expansion: Expansion,
    pub(crate) spec: Vec<SpecCall>,
    pub(crate) setters: Setters,
    pub(crate) on: Option<Expr>,
    pub(crate) hooks: Vec<Hook>,
    pub(crate) fallback: Option<Fallback>,
    pub(crate) required: Option<Span>,
    /// The delivery is durable, so a relay must find the handler.
    pub(crate) durable: bool,
    /// Where it says that it is answered from the cache, if it does.
    pub(crate) read: Option<Span>,
    /// Where it says that it is idempotent, if it does.
    pub(crate) idempotent: Option<Span>,
    /// The identity, if the handler declares one.
    pub(crate) name: Option<Name>,
    /// Its former identities.
    pub(crate) was: Vec<Name>,
    pub(crate) tx: Option<Tx>,
    pub(crate) registered: Registered,
    /// Whether it can be expanded beside errors. Otherwise the function is returned unchanged.
    pub(crate) sound: bool,
    /// Beside errors: the parameters that the attribute names.
    pub(crate) named: Vec<Ident>,
}

/// The parameter that holds the open transaction.
pub(crate) struct Tx {
    pub(crate) name: Ident,
    /// Its type, if it is not written as a reference: it may be an alias of one.
    pub(crate) alias: Option<Type>,
}

impl Tx {
    fn new(name: Ident, signature: &Signature) -> Self {
        let is_named = |pat: &Pat| matches!(pat, Pat::Ident(pat) if pat.ident == name);
        let alias = signature.inputs.iter().find_map(|input| match input {
            FnArg::Typed(PatType { pat, ty, .. }) if is_named(pat) => Some((**ty).clone()),
            _ => None,
        });
        // An `impl Trait` cannot be named in the body.
        Self { name, alias: alias.filter(|ty| !matches!(ty, Type::Reference(_) | Type::ImplTrait(_))) }
    }
}

/// The path of `graceful`.
pub(crate) struct Krate(TokenStream);

impl Krate {
    /// The path with another span, so that an error in the tokens that use it is reported at that span.
    pub(crate) fn at(&self, span: Span) -> TokenStream {
        let respanned = |mut tree: TokenTree| {
            tree.set_span(tree.span().located_at(span));
            tree
        };
        self.0.clone().into_iter().map(respanned).collect()
    }
}

impl ToTokens for Krate {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}

/// A hook that replaces an arm of a step.
pub(crate) struct Hook {
    pub(crate) step: Step,
    pub(crate) arm: HookArm,
    pub(crate) path: Path,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum HookArm {
    Both,
    Ok,
    Err,
}

pub(crate) enum Fallback {
    Hook(Path),
    LastGood(Span),
}

impl Handler {
    pub(crate) fn new(mut args: Args, function: Function, errors: &mut Accumulator) -> Self {
        let mut scope = Scope::new(&function.signature);
        let shape = Shape::of(&function, &mut scope);
        let name = unraw(&function.signature.ident);
        let sound = check_function(&function, errors) && !args.krate_unknown;
        check_rules(&mut args, &scope, &shape, errors);
        let durable = delivery(&args) == Delivery::Durable;

        let pattern = pattern(&args, &function.signature.ident, errors);
        let event = args.event.as_ref().map(|event| event_names(event, &pattern, &name, errors));
        let registered = Registered::of(&args, &pattern, event.as_ref(), &function, &shape, &scope);
        let spoken = match &event {
            Some((Name::Text(emitted), _)) => emitted.value(),
            _ => name.clone(),
        };
        let message = spoken.replace(['_', '.', '-'], " ");
        let declared = [Name::text(&name), pattern, Name::text(&message)];
        let mut spec = vec![call("new", declared.map(SpecArgument::Name))];
        spec.extend(event.map(|(emitted, failed)| call("event", [emitted, failed].map(SpecArgument::Name))));
        spec.extend(options(&args));

        let hooks = hooks(&args.steps);
        for (method, hook) in hooks.iter().map(|hook| (hook.arm.site_method(), hook)) {
            spec.push(call(method, [SpecArgument::variant(hook.step)]));
        }
        let setters = Setters::new(&args, &scope, errors);
        let on = args.on.as_ref().and_then(|on| setters::entry(on, &scope, "on", errors));
        let mut named = setters.names();
        scope::identifiers(on.to_token_stream(), &mut named);
        let mut this = Self {
            debug: args.debug,
            errors_off: args.errors_off,
            krate: Krate(args.krate.as_ref().map_or_else(|| quote!(::graceful), ToTokens::to_token_stream)),
            returned: Returned::of(&function, &shape),
            answer: answer(&function.body),
            held: Held::default(),
            expansion: Expansion::Nested(Nested::Mistakes),
            registered,
            fallback: fallback(&args),
            required: args.steps.iter().find_map(|(_, step)| step.required),
            durable,
            read: args.cache.read,
            idempotent: args.idempotent.given,
            name: args.name.clone(),
            was: args.was.as_ref().map(|was| was.value.clone()).unwrap_or_default(),
            tx: args.tx.map(|name| Tx::new(name, &function.signature)),
            on,
            sound,
            named: Vec::new(),
            function,
            shape,
            spec,
            setters,
            hooks,
        };
        this.expansion = Expansion::of(&this, &named);
        this.held = held::held(&mut this.function.signature, &this.function.body, &named, false);
        this
    }
}

/// The span of the returned value: from the first to the last token of the body's last expression; the whole body if it has a `return`.
fn answer(body: &Group) -> (Span, Span) {
    let mut used = Vec::new();
    scope::identifiers(body.stream(), &mut used);
    let whole = (body.span(), body.span());
    if used.iter().any(|name| name == "return") {
        return whole;
    }
    let mut found = None;
    let mut rest = body.stream().into_iter().peekable();
    while let Some(tree) = rest.next() {
        let ends = match (&tree, rest.peek()) {
            (TokenTree::Punct(punct), _) => punct.as_char() == ';',
            // The tokens after a block are another statement, unless they continue the expression.
            (TokenTree::Group(group), Some(next)) if group.delimiter() == Delimiter::Brace => match next {
                TokenTree::Ident(next) => next != "else" && next != "as",
                TokenTree::Literal(_) => true,
                _ => false,
            },
            _ => false,
        };
        found = (!ends).then(|| (found.map_or(tree.span(), |(first, _)| first), tree.span()));
    }
    found.unwrap_or(whole)
}

impl Handler {
    /// Lets the expansion use the parameters that the attribute names. An argument that was wrong is not expanded, and what only that would
    /// use is not unused.
    pub(crate) fn name_parameters(&mut self, arguments: TokenStream) {
        self.expansion = Expansion::Nested(Nested::Mistakes);
        let mut named = Vec::new();
        scope::identifiers(arguments, &mut named);
        let plain = self.function.signature.inputs.iter().filter_map(|input| match input {
            // One with an attribute may not exist.
            FnArg::Typed(parameter) if parameter.attrs.is_empty() => Some(&parameter.pat),
            _ => None,
        });
        self.named = plain.flat_map(|pat| scope::bound_by(pat)).filter(|name| named.contains(name)).collect();
    }

    /// The function's name, as a flow has it.
    pub(crate) fn name_of_function(&self) -> String {
        unraw(&self.function.signature.ident)
    }

    /// Whether no hook borrows the result, and neither a step nor the cache can change the answer.
    pub(crate) fn is_plain(&self) -> bool {
        let typed = self.hooks.iter().any(|hook| hook.arm != HookArm::Both);
        !typed
            && self.read.is_none()
            && self.idempotent.is_none()
            && self.fallback.is_none()
            && self.required.is_none()
    }

    /// The hooks for which a relay decodes the result, instead of borrowing it.
    pub(crate) fn restores(&self, hook: &Hook) -> bool {
        self.durable && hook.arm == HookArm::Ok
    }
}

impl HookArm {
    fn site_method(self) -> &'static str {
        match self {
            Self::Both => "hook",
            Self::Ok => "hook_ok",
            Self::Err => "hook_err",
        }
    }
}

/// `r#type` → `type`
fn unraw(name: &Ident) -> String {
    name.to_string().trim_start_matches("r#").to_owned()
}

fn delivery(args: &Args) -> Delivery {
    let default = if args.tx.is_some() { Delivery::Durable } else { Delivery::Inline };
    args.delivery.as_ref().map_or(default, |delivery| delivery.value)
}

fn pattern(args: &Args, name: &Ident, errors: &mut Accumulator) -> Name {
    match &args.pattern {
        Some(pattern) => pattern.clone(),
        None => {
            if !args.broken.may_mean("pattern") {
                errors.push(wrong(
                    name,
                    "`pattern` is missing: say what kind of entity this is about, as in `#[orchestrate(pattern = \"user\")]`, here or on the `impl` block",
                ));
            }
            Name::text("")
        }
    }
}

/// The names of the event on success and on failure.
fn event_names(event: &EventArgs, pattern: &Name, handler: &str, errors: &mut Accumulator) -> (Name, Name) {
    const BOTH: &str = "`event(name = USER_UPDATED, failed = USER_LOST)`";
    let emitted = match (&event.name, pattern) {
        (Some(name), _) => name.clone(),
        (None, Name::Text(pattern)) => Name::text(&format!("{}.{handler}", pattern.value())),
        (None, Name::Constant(path)) => {
            let rule =
                "the event's name, `{pattern}.{function}`, cannot be derived from a constant: name it, as in";
            errors.push(wrong(path, format!("{rule} {BOTH}")));
            Name::text(handler)
        }
    };
    let failed = match (&event.failed, &emitted) {
        (Some(failed), _) => failed.clone(),
        (None, Name::Text(emitted)) => Name::text(&format!("{}.failed", emitted.value())),
        (None, Name::Constant(path)) => {
            let rule = "the name of the failure event, `{name}.failed`, cannot be derived from a constant: name it too, as in";
            errors.push(wrong(path, format!("{rule} {BOTH}")));
            emitted.clone()
        }
    };
    (emitted, failed)
}

fn hooks(steps: &Steps) -> Vec<Hook> {
    let mut hooks = Vec::new();
    // The function of a fallback is not a hook, because it returns an answer.
    for (step, args) in steps.iter().filter(|(step, _)| *step != Step::Fallback) {
        let arms = [(HookArm::Both, &args.with), (HookArm::Ok, &args.ok), (HookArm::Err, &args.err)];
        hooks.extend(
            arms.into_iter().filter_map(|(arm, path)| path.clone().map(|path| Hook { step, arm, path })),
        );
    }
    hooks
}

fn fallback(args: &Args) -> Option<Fallback> {
    let hook = args.steps[Step::Fallback].with.clone().map(Fallback::Hook);
    hook.or_else(|| args.last_good.map(Fallback::LastGood))
}

fn fully_hooked(step: &StepArgs) -> bool {
    step.with.is_some() || (step.ok.is_some() && step.err.is_some())
}
