//! The grammar of `#[orchestrate(…)]`: tokens → [`Args`], and of `#[subscribe(…)]`: tokens → [`SubscribeArgs`]. What an argument means
//! beside others is the model's.

mod broken;
mod cache;
mod choice;
mod duration;
mod function;
mod idempotent;
mod known;
mod options;
mod related;
mod steps;
mod subscribe;
mod value;

use darling::{Result, error::Accumulator};
use proc_macro2::{Ident, Span, TokenStream};
use syn::{Expr, Path, Token, parse::Parser as _, punctuated::Punctuated};

use self::{
    broken::Broken,
    choice::choice,
    known::{ARGUMENTS, in_parentheses, unknown},
    value::{name, names, path, string},
};
pub(crate) use self::{
    cache::CacheArgs,
    function::{Function, Item, with_defaults},
    idempotent::IdempotentArgs,
    related::{PatternName, Related},
    steps::{StepArgs, Steps},
    subscribe::{SubscribeArgs, function_of_subscriber},
    value::{At, Name, Piece, Template, Value},
};
use crate::{
    errors::wrong,
    syntax::{Arg, ArgValue, Examples, arguments},
    words::{AlertOn, Delivery, Severity, Step},
};

/// The block's arguments, as its methods get them.
pub(crate) const DEFAULTS: &str = "__defaults";

/// Among them: the names of the block's type and const parameters.
pub(crate) const PARAMETERS: &str = "__parameters";

/// What a declaration says.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) pattern: Option<Name>,
    pub(crate) id: Option<Value>,
    pub(crate) payload: Option<Value>,
    pub(crate) actor: Option<Value>,
    pub(crate) when: Option<Value>,
    pub(crate) metadata: Option<Value>,
    pub(crate) message: Option<Template>,
    pub(crate) tags: Option<Vec<Name>>,
    pub(crate) cache: CacheArgs,
    pub(crate) idempotent: IdempotentArgs,
    pub(crate) event: Option<EventArgs>,
    pub(crate) relation: Option<Name>,
    pub(crate) graph_to: Option<(Span, Value)>,
    pub(crate) to_pattern: Option<Name>,
    pub(crate) schedule_after: Option<At<u64>>,
    pub(crate) alert_on: Option<At<AlertOn>>,
    pub(crate) severity: Option<At<Severity>>,
    pub(crate) audit_payload: Option<Span>,
    pub(crate) last_good: Option<Span>,
    pub(crate) max_age: Option<At<u64>>,
    /// The incident that it shares with others.
    pub(crate) incident: Option<Name>,
    /// The handler's identity.
    pub(crate) name: Option<Name>,
    /// Its former identities, and where they are declared.
    pub(crate) was: Option<At<Vec<Name>>>,
    pub(crate) delivery: Option<At<Delivery>>,
    pub(crate) tx: Option<Ident>,
    pub(crate) on: Option<Expr>,
    pub(crate) krate: Option<Path>,
    /// `crate = …` was wrong: nothing of `graceful` can be named.
    pub(crate) krate_unknown: bool,
    /// The expansion is printed.
    pub(crate) debug: bool,
    /// The cause of a server fault is not logged.
    pub(crate) errors_off: Option<Span>,
    /// The catalogue does not list the handler.
    pub(crate) catalogue_off: Option<Span>,
    pub(crate) steps: Steps,
    /// The type and const parameters of the `impl` block around the function, if it has the block's defaults.
    pub(crate) block: Option<Vec<Ident>>,
    pub(crate) broken: Broken,
    /// The names of the arguments.
    given: Vec<Ident>,
}

#[derive(Default)]
pub(crate) struct EventArgs {
    pub(crate) name: Option<Name>,
    pub(crate) failed: Option<Name>,
    pub(crate) payload: Option<Value>,
}

impl Args {
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Accumulator) -> Self {
        let examples = Examples { argument: "pattern = \"user\"", list: in_parentheses };
        Self::parse_with(tokens, &examples, &[], errors, Self::take)
    }

    /// The arguments of an attribute that has some of its own.
    fn parse_with(
        tokens: TokenStream,
        examples: &Examples<'_>,
        own_names: &[&'static str],
        errors: &mut Accumulator,
        mut take: impl FnMut(&mut Self, Arg, &mut Accumulator) -> Result<()>,
    ) -> Self {
        let mut own = Self::default();
        let mut defaults = Self::default();
        let mut wrong = Accumulator::default();
        let mut seen: Vec<Ident> = Vec::new();
        let given = arguments(tokens, examples, &mut wrong);
        let mut wrong = wrong.into_inner();
        own.broken.anything = !wrong.is_empty();
        for arg in given {
            if let (true, ArgValue::List(list)) = (arg.name == DEFAULTS, &arg.value) {
                // The attribute of the block has already reported their mistakes.
                let mut ignored = Accumulator::default();
                defaults = Self::parse(list.clone(), &mut ignored);
                drop(ignored.into_inner());
                continue;
            }
            if let (true, ArgValue::List(list)) = (arg.name == PARAMETERS, &arg.value) {
                let names = Punctuated::<Ident, Token![,]>::parse_terminated.parse2(list.clone());
                own.block = names.ok().map(|names| names.into_iter().collect());
                continue;
            }
            let name = arg.name.clone();
            let inside = match &arg.value {
                ArgValue::List(list) => list.clone(),
                _ => TokenStream::new(),
            };
            if seen.contains(&name) {
                wrong.push(crate::errors::twice(&name));
                continue;
            }
            let mut errors = Accumulator::default();
            let taken = take(&mut own, arg, &mut errors);
            errors.handle(taken);
            let errors = errors.into_inner();
            if !errors.is_empty() {
                own.broken.add(&name, inside, own_names);
            }
            wrong.extend(errors);
            seen.push(name);
        }
        errors.extend(wrong);
        own.given = seen;
        own.or(defaults)
    }

    /// Where an argument stands: its name, otherwise the place where it is known to be.
    pub(crate) fn place(&self, argument: &str, otherwise: Span) -> Span {
        steps::place(&self.given, argument, otherwise)
    }

    /// A method's own arguments win over its block's.
    fn or(self, mut defaults: Self) -> Self {
        if self.cache.unrequired.is_some() {
            defaults.steps[Step::Cache].required = None;
        }
        // Another cache key is another cache declaration, and another event another event.
        let cache = if self.cache.given.is_some() { self.cache } else { defaults.cache };
        let idempotent = if self.idempotent.given.is_some() { self.idempotent } else { defaults.idempotent };
        let (last_good, max_age) = match self.steps[Step::Fallback].given {
            true => (self.last_good, self.max_age),
            false => (defaults.last_good, defaults.max_age),
        };
        let graph_to = self.graph_to.or(defaults.graph_to);
        Self {
            pattern: self.pattern.or(defaults.pattern),
            id: self.id.or(defaults.id),
            payload: self.payload.or(defaults.payload),
            actor: self.actor.or(defaults.actor),
            when: self.when.or(defaults.when),
            metadata: self.metadata.or(defaults.metadata),
            message: self.message.or(defaults.message),
            tags: self.tags.or(defaults.tags),
            cache,
            idempotent,
            event: self.event.or(defaults.event),
            relation: self.relation.or(defaults.relation),
            // A block's is no mistake of the methods that name nothing.
            to_pattern: self.to_pattern.or(defaults.to_pattern.filter(|_| graph_to.is_some())),
            graph_to,
            schedule_after: self.schedule_after.or(defaults.schedule_after),
            alert_on: self.alert_on.or(defaults.alert_on),
            severity: self.severity.or(defaults.severity),
            audit_payload: self.audit_payload.or(defaults.audit_payload),
            last_good,
            max_age,
            incident: self.incident.or(defaults.incident),
            // The identity of one handler; on a block it is an error.
            name: self.name,
            was: self.was,
            delivery: self.delivery.or(defaults.delivery),
            tx: self.tx.or(defaults.tx),
            on: self.on.or(defaults.on),
            krate: self.krate.or(defaults.krate),
            krate_unknown: self.krate_unknown || defaults.krate_unknown,
            debug: self.debug || defaults.debug,
            errors_off: self.errors_off.or(defaults.errors_off),
            catalogue_off: self.catalogue_off.or(defaults.catalogue_off),
            steps: self.steps.or(defaults.steps),
            block: self.block.or(defaults.block),
            broken: self.broken.or(defaults.broken),
            given: self.given.into_iter().chain(defaults.given).collect(),
        }
    }

    fn take(&mut self, arg: Arg, errors: &mut Accumulator) -> Result<()> {
        let Arg { name: at, value: given } = arg;
        let known = at.to_string();
        if let Some(step) = steps::named(&at) {
            return self.take_step(step, &at, given, errors);
        }
        if at == "idempotent" {
            return self.take_idempotent(&at, given, errors);
        }
        let given = match given {
            ArgValue::Word if known == "debug" => {
                self.debug = true;
                return Ok(());
            }
            _ if known == "debug" => return Err(wrong(&at, "`debug` takes no value")),
            ArgValue::Value(given) => given,
            _ if ARGUMENTS.contains(&known.as_str()) => return Err(steps::valueless(&at)),
            _ => return Err(unknown(&at)),
        };
        match known.as_str() {
            "pattern" => self.pattern = Some(name(&given, "pattern = \"user\"")?),
            "id" => self.id = Some(value::value(given)?),
            "payload" => self.payload = Some(value::value(given)?),
            "actor" => self.actor = Some(value::value(given)?),
            "when" => self.when = Some(value::value(given)?),
            "message" => {
                let text = string(&given, "message = \"user {user.id} updated\"")?;
                self.message = Some(value::template(&text)?);
            }
            "tags" => self.tags = Some(names(&given, "tags = [\"billing\", \"eu\"]")?),
            "incident" => self.incident = Some(name(&given, "incident = \"order payment\"")?),
            "name" => self.name = Some(name(&given, "name = \"shop::pay\"")?),
            "was" => {
                let value = former(&given)?;
                self.was = Some(At { value, span: at.span() });
            }
            "delivery" => self.delivery = Some(choice(&given)?),
            "tx" => {
                let parameter = path(&given, "a parameter").ok();
                let name = parameter.as_ref().and_then(Path::get_ident);
                let rule = "`tx` is the name of the parameter that holds the open transaction: `tx = tx`";
                self.tx = Some(name.cloned().ok_or_else(|| wrong(&given, rule))?);
            }
            "on" => {
                self.on = Some(match value::value(given)? {
                    Value::Expr(expr) | Value::Quoted(expr, _) => expr,
                    Value::Template(template) => return Err(crate::errors::at(template.span, ON)),
                });
            }
            "errors" => {
                only_off(&given, ERRORS_OFF)?;
                self.errors_off = Some(at.span());
            }
            "catalogue" => {
                only_off(&given, CATALOGUE_OFF)?;
                self.catalogue_off = Some(at.span());
            }
            "crate" => {
                let krate = path(&given, "`graceful`: `crate = my_reexport`");
                self.krate_unknown = krate.is_err();
                self.krate = Some(krate?);
            }
            _ => return Err(unknown(&at)),
        }
        Ok(())
    }
}

/// The former identities of a handler: one, or a list.
fn former(given: &Expr) -> Result<Vec<Name>> {
    const EXAMPLE: &str = "was = \"shop::orders::pay\"";
    match given {
        Expr::Array(_) => names(given, "was = [\"shop::orders::pay\", \"shop::pay\"]"),
        one => Ok(vec![name(one, EXAMPLE)?]),
    }
}

const ERRORS_OFF: &str =
    "`errors` takes only `off`: write `errors = off`, so that the causes of server faults are not logged";

const CATALOGUE_OFF: &str = "`catalogue` takes only `off`: write `catalogue = off`, so that the handler is not listed; otherwise omit the argument";

fn only_off(given: &Expr, rule: &str) -> Result<()> {
    if value::is_word(given, "off") { Ok(()) } else { Err(wrong(given, rule)) }
}

const ON: &str = "`on` names an orchestrator, such as `on = self.orchestrator`";
