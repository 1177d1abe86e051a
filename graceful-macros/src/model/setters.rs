//! The calls on the flow builder, and when they are made.

use darling::error::Accumulator;
use proc_macro2::{Ident, Span};
use quote::ToTokens as _;
use syn::{Expr, spanned::Spanned as _};

use super::scope::{Phase, Scope, identifiers};
use crate::{
    errors::{at, wrong},
    parse::{Args, Piece, Template, Value},
    words::{Delivery, OnOk},
};

/// The calls on the builder at entry, and after an `Ok`.
#[derive(Default)]
pub(crate) struct Setters {
    /// The calls by which a reader names its entry, before all others.
    pub(crate) names: Vec<Setter>,
    pub(crate) entry: Vec<Setter>,
    pub(crate) after: Vec<Setter>,
    /// The parameters that expressions over `result` also use, so they must be `Copy`.
    pub(crate) kept: Vec<Ident>,
    /// The user's own token `result`, if an expression uses it.
    pub(crate) result: Option<Ident>,
}

/// One call on the builder.
#[derive(Clone)]
pub(crate) struct Setter {
    pub(crate) method: &'static str,
    /// The value is the part with this number of a text that another call completes.
    pub(crate) kept: Option<usize>,
    pub(crate) argument: Argument,
    pub(crate) span: Span,
}

#[derive(Clone)]
pub(crate) enum Argument {
    Reference(Expr),
    Value(Expr),
    /// A text with holes.
    Format {
        text: String,
        holes: Vec<Hole>,
    },
    /// A value, or an `Option` of one.
    Optional(Expr),
    /// The `Ok` value, if it can be serialised.
    Probe,
    /// The entities of a pattern: one id, or several, by each of these.
    Related {
        pattern: String,
        ids: Vec<Argument>,
    },
}

#[derive(Clone)]
pub(crate) enum Hole {
    /// Encoded, so that a hole cannot contain a separator.
    Encoded(Expr),
    Plain(Expr),
    /// Evaluated at entry, and stored in the builder.
    Kept(usize),
}

impl Setters {
    pub(super) fn new(args: &Args, scope: &Scope, errors: &mut Accumulator) -> Self {
        let mut setters = Builder { setters: Self::default(), kept_parts: 0, scope, errors };
        setters.add("when", args.when.as_ref(), Kind::Value);
        if args.cache.read.is_none() {
            setters.add("key", args.cache.key.as_ref(), Kind::Name);
            setters.related("touches", &args.cache.touches);
            setters.related("depends_on", &args.cache.depends_on);
        }
        setters.add("id", args.id.as_ref(), Kind::Name);
        setters.add("actor", args.actor.as_ref(), Kind::Name);
        setters.add("graph_to", args.graph_to.as_ref().map(|(_, to)| to), Kind::Name);
        setters.add("version", args.cache.version.as_ref(), Kind::Value);
        setters.add("metadata", args.metadata.as_ref(), Kind::Payload);
        setters.add("payload", args.payload.as_ref(), Kind::Payload);
        setters.add("cache_value", args.cache.value.as_ref(), Kind::Payload);
        setters.add(
            "event_payload",
            args.event.as_ref().and_then(|event| event.payload.as_ref()),
            Kind::Payload,
        );
        if let Some(message) = &args.message {
            let message = setters.template("message", message, false);
            if let Some((phase, message)) = message {
                setters.push(phase, message);
            }
        }
        if args.payload.is_none() {
            setters.probe(args);
        } else if let Some(span) = args.cache.read {
            let method = "needed_cached";
            setters.push(Phase::After, Setter { method, kept: None, argument: Argument::Probe, span });
        }
        if let (Some(span), true) = (restored(args), args.payload.is_some()) {
            setters.push(
                Phase::After,
                Setter { method: "needed_value", kept: None, argument: Argument::Probe, span },
            );
        }
        if args.cache.read.is_some() {
            setters.names(args);
        }
        if let Some(span) = args.idempotent.given {
            setters.repeatable(args, span);
        }
        setters.setters
    }
}

impl Setters {
    /// Collects the names that the expressions use.
    pub(super) fn names(&self) -> Vec<Ident> {
        let mut names = self.kept.clone();
        for setter in self.names.iter().chain(&self.entry).chain(&self.after) {
            setter.argument.names(&mut names);
        }
        names
    }
}

impl Argument {
    fn names(&self, names: &mut Vec<Ident>) {
        match self {
            Self::Reference(expr) | Self::Value(expr) | Self::Optional(expr) => {
                identifiers(expr.to_token_stream(), names);
            }
            Self::Format { holes, .. } => {
                for hole in holes {
                    if let Hole::Encoded(expr) | Hole::Plain(expr) = hole {
                        identifiers(expr.to_token_stream(), names);
                    }
                }
            }
            Self::Related { ids, .. } => ids.iter().for_each(|id| id.names(names)),
            Self::Probe => {}
        }
    }
}

/// Stores the `Ok` value for a hook that a relay runs.
fn restored(args: &Args) -> Option<Span> {
    let hook = args.steps.iter().find_map(|(_, step)| step.ok.as_ref());
    hook.filter(|_| super::delivery(args) == Delivery::Durable).map(syn::spanned::Spanned::span)
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Name,
    Payload,
    Value,
}

pub(super) struct Builder<'a> {
    pub(super) setters: Setters,
    kept_parts: usize,
    scope: &'a Scope,
    errors: &'a mut Accumulator,
}

impl Builder<'_> {
    fn add(&mut self, method: &'static str, value: Option<&Value>, kind: Kind) {
        if let Some((phase, setter)) = value.and_then(|value| self.setter(method, value, kind)) {
            self.push(phase, setter);
        }
    }

    pub(super) fn setter(
        &mut self,
        method: &'static str,
        value: &Value,
        kind: Kind,
    ) -> Option<(Phase, Setter)> {
        match value {
            Value::Template(template) if kind == Kind::Value => {
                self.errors
                    .push(at(template.span, format!("`{method}` takes an expression, not a template")));
                None
            }
            Value::Template(template) => match value.expr() {
                Some(only) if kind == Kind::Name => self.expr(method, only, kind),
                _ => self.template(method, template, kind == Kind::Name),
            },
            // If a text was meant, an error per word would be misleading.
            Value::Quoted(expr, text) if kind != Kind::Value && self.scope.is_unknown(expr) => {
                self.errors.push(wrong(text, self.scope.not_an_expression(expr)));
                None
            }
            Value::Quoted(expr @ Expr::Binary(_), text)
                if kind != Kind::Value && !text.value().contains(char::is_whitespace) =>
            {
                self.errors.push(wrong(text, calculated(expr)));
                None
            }
            Value::Expr(expr) | Value::Quoted(expr, _) => self.expr(method, expr, kind),
        }
    }

    fn expr(&mut self, method: &'static str, expr: &Expr, kind: Kind) -> Option<(Phase, Setter)> {
        let phase = self.phase(expr)?;
        let argument = match kind {
            Kind::Value => Argument::Value(self.scope.localised(expr)),
            Kind::Name | Kind::Payload => Argument::Reference(self.scope.localised(expr)),
        };
        Some((phase, Setter { method, kept: None, argument, span: expr.span() }))
    }

    /// The holes over parameters are evaluated at entry. If others need the `Ok` value, the text is completed after the body.
    fn template(
        &mut self,
        method: &'static str,
        template: &Template,
        encoded: bool,
    ) -> Option<(Phase, Setter)> {
        let mut text = String::new();
        let mut holes = Vec::new();
        let mut wrong = false;
        for piece in &template.pieces {
            match piece {
                Piece::Text(plain) => text.push_str(&plain.replace('{', "{{").replace('}', "}}")),
                Piece::Hole(expr) => {
                    text.push_str("{}");
                    let phase = self.phase(expr);
                    wrong |= phase.is_none();
                    holes.extend(phase.map(|phase| (phase, self.scope.localised(expr))));
                }
            }
        }
        if wrong {
            return None;
        }
        let last = holes.iter().map(|(phase, _)| *phase).find(|phase| *phase == Phase::After);
        let last = last.unwrap_or(Phase::Entry);
        let hole = |expr| if encoded { Hole::Encoded(expr) } else { Hole::Plain(expr) };
        let mut filled = Vec::new();
        for (phase, expr) in holes {
            if phase == last {
                filled.push(hole(expr));
                continue;
            }
            let span = expr.span();
            let argument = Argument::Format { text: "{}".to_owned(), holes: vec![hole(expr)] };
            self.push(Phase::Entry, Setter { method, kept: Some(self.kept_parts), argument, span });
            filled.push(Hole::Kept(self.kept_parts));
            self.kept_parts += 1;
        }
        let argument = Argument::Format { text, holes: filled };
        Some((last, Setter { method, kept: None, argument, span: template.span }))
    }

    /// Makes the `Ok` value the payload if it is `Serialize`; if an argument needs the payload, it must be.
    fn probe(&mut self, args: &Args) {
        let cache = &args.cache;
        let put = cache.on_ok.as_ref().filter(|on_ok| on_ok.value == OnOk::Put && cache.value.is_none());
        let needed = put.map(|on_ok| on_ok.span).or(args.last_good).or_else(|| restored(args));
        let krate = args.krate.as_ref().map_or_else(Span::call_site, syn::spanned::Spanned::span);
        let (method, span) = match (cache.read, needed) {
            // The payload is what a hit answers with.
            (Some(span), _) => ("needed_read", span),
            (None, Some(span)) => ("needed_payload", span),
            (None, None) => ("payload", krate),
        };
        self.push(Phase::After, Setter { method, kept: None, argument: Argument::Probe, span });
    }

    fn phase(&mut self, expr: &Expr) -> Option<Phase> {
        match self.scope.needs(expr) {
            Ok(needs) => {
                if needs.phase == Phase::After {
                    self.setters.kept.extend(needs.parameters);
                }
                self.setters.result = self.setters.result.take().or(needs.result);
                Some(needs.phase)
            }
            Err(errors) => {
                self.errors.extend(errors);
                None
            }
        }
    }

    pub(super) fn push(&mut self, phase: Phase, setter: Setter) {
        match phase {
            Phase::Entry => self.setters.entry.push(setter),
            Phase::After => self.setters.after.push(setter),
        }
    }
}

/// Detects a text such as `"user-42"`, which is hardly meant as a subtraction.
fn calculated(expr: &Expr) -> String {
    format!(
        "this text is read as the Rust expression `{}`: for a fixed text name a constant, as in `ALL_USERS`; for a text with a value in it write a template, as in \"user-{{user.id}}\"; if the expression is meant, remove the quotes",
        expr.to_token_stream()
    )
}

/// Checks an expression that is needed before the body runs.
pub(super) fn entry(expr: &Expr, scope: &Scope, name: &str, errors: &mut Accumulator) -> Option<Expr> {
    match scope.needs(expr) {
        Ok(needs) if needs.phase == Phase::Entry => return Some(scope.localised(expr)),
        Ok(needs) => errors.push(wrong(
            &needs.result,
            format!("`{name}` is needed before the body runs, so it cannot use `result`: use the parameters"),
        )),
        Err(wrong) => errors.extend(wrong),
    }
    None
}
