//! A subscriber: its handler, and the data by which the reader of events finds and calls it.

use darling::{Error, error::Accumulator};
use proc_macro2::Ident;
use quote::ToTokens as _;
use syn::{
    Attribute, FnArg, ParenthesizedGenericArguments, Pat, PatType, ReturnType, Safety, Signature, Type,
    TypeFnPtr, TypeImplTrait, TypeReference, visit::Visit,
};

use super::{
    Handler, Name, SpecArgument, SpecCall, delivery,
    scope::{bound_by, identifiers},
    shape::without_parentheses,
    spec::call,
};
use crate::{
    errors::{at, wrong},
    parse::{Args, CacheArgs, Function, SubscribeArgs},
    words::Delivery,
};

/// A subscriber that is ready for expansion.
pub(crate) struct Subscriber {
    pub(crate) handler: Handler,
    pub(crate) event: Name,
    pub(crate) pattern: Name,
    /// The calls on the registered data.
    pub(crate) calls: Vec<SpecCall>,
    /// `None` if something about the function is wrong: then it is not registered.
    pub(crate) parameters: Option<Vec<Parameter>>,
}

/// A parameter of a subscriber.
pub(crate) struct Parameter {
    pub(crate) cfg: Vec<Attribute>,
    pub(crate) source: Source,
}

/// Where the value of a parameter comes from.
pub(crate) enum Source {
    /// The event, or a value of the program.
    Delivery(Type),
    /// The inbox, by its type behind the `&mut`.
    Transaction(Type),
}

impl Parameter {
    /// Its type, if the value is made from the event.
    fn received(&self) -> Option<(Vec<Attribute>, Type)> {
        match &self.source {
            Source::Delivery(ty) => Some((self.cfg.clone(), ty.clone())),
            Source::Transaction(_) => None,
        }
    }
}

impl Subscriber {
    pub(crate) fn new(args: SubscribeArgs, function: Function, errors: &mut Accumulator) -> Self {
        let SubscribeArgs { event, service, from_start, attempts, timeout, mut shared } = args;
        let declaration = Declaration { event: &event, name: &function.signature.ident };
        let wrong_arguments = declaration.check(&mut shared);
        errors.extend(wrong_arguments);
        let wrong_signature = check_signature(&function.signature);
        let is_free = wrong_signature.is_empty();
        errors.extend(wrong_signature);
        let parameters = Parameters { signature: &function.signature, args: &mut shared, errors };
        let parameters = parameters.all().filter(|_| is_free);
        if !is_free {
            // Its rules would repeat what is wrong with the function.
            shared.ignore_tx();
        }

        let pattern = shared.pattern.clone().unwrap_or_else(|| Name::text(""));
        shared.pattern = Some(pattern.clone());
        let former = shared.was.as_ref().map(|was| was.value.clone()).unwrap_or_default();
        let was = (!former.is_empty()).then(|| SpecArgument::Names(former.clone()));
        if delivery(&shared) != Delivery::Durable {
            // Then only the position has a name.
            shared.was = None;
        }
        let calls = [
            ("was", was),
            ("service", service.map(SpecArgument::Name)),
            ("attempts", attempts.map(SpecArgument::Attempts)),
            ("timeout_ms", timeout.map(SpecArgument::Millis)),
        ];
        let calls = calls.into_iter().filter_map(|(method, argument)| Some(call(method, [argument?])));
        let calls = calls.chain(from_start.then(|| call("from_start", []))).collect();

        let mut handler = Handler::new(shared, function, errors);
        handler.spec.push(call("subscribes", []));
        handler.registered.contract.was = former;
        handler.registered.contract.subscribes.clone_from(&event);
        handler.registered.contract.receives =
            parameters.iter().flatten().filter_map(Parameter::received).collect();
        handler.sound &= is_free;
        Self { handler, event: event.unwrap_or_else(|| Name::text("")), pattern, calls, parameters }
    }
}

/// The arguments, and the function that they are missing for.
struct Declaration<'a> {
    event: &'a Option<Name>,
    name: &'a Ident,
}

impl Declaration<'_> {
    fn check(&self, args: &mut Args) -> Vec<Error> {
        let mut errors = Vec::new();
        if self.event.is_none() && !args.broken.may_mean("event") {
            errors.push(wrong(
                self.name,
                "`event` is missing: say which event this reads, as in `#[subscribe(event = \"user_updated\", pattern = \"user\")]`",
            ));
        }
        if args.pattern.is_none() && !args.broken.may_mean("pattern") {
            errors.push(wrong(
                self.name,
                "`pattern` is missing: say what kind of entity the event is about, as in `#[subscribe(event = \"user_updated\", pattern = \"user\")]`",
            ));
        }
        if let Some(read) = args.cache.read {
            errors.push(at(
                read,
                "a subscriber has no caller who could be answered from the cache: remove `read`, or the argument `cache`",
            ));
            args.cache = CacheArgs::default();
            args.broken.reported("cache");
        }
        errors
    }
}

impl Args {
    /// A rule has reported it.
    fn ignore_tx(&mut self) {
        if self.tx.take().is_some() {
            self.broken.reported("tx");
        }
    }
}

fn check_signature(signature: &Signature) -> Vec<Error> {
    let mut errors = Vec::new();
    let Signature { constness, asyncness, safety, abi, fn_token, generics, inputs, output, .. } = signature;
    if let (None, None) = (asyncness, constness) {
        errors.push(wrong(fn_token, "a subscriber is an `async fn`: write `async` before this `fn`"));
    }
    if let Safety::Unsafe(unsafety) = safety {
        errors.push(wrong(
            unsafety,
            "the reader of events calls a subscriber, and cannot keep the promises of an `unsafe fn`: remove `unsafe`",
        ));
    }
    if let Some(abi) = abi {
        errors.push(wrong(
            abi,
            "the reader of events calls a subscriber, so it is a function of Rust: remove `extern`",
        ));
    }
    if !generics.params.is_empty() {
        errors.push(wrong(
            &generics.params,
            "a subscriber has no generic parameters, because the reader of events that calls it cannot choose them: remove them, and name the types; a lifetime is written `'_`",
        ));
    }
    let receiver = inputs.iter().find_map(|input| match input {
        FnArg::Receiver(receiver) => Some(receiver),
        FnArg::Typed(_) => None,
    });
    let mut names = Vec::new();
    identifiers(inputs.to_token_stream(), &mut names);
    if let ReturnType::Type(_, returned) = output {
        identifiers(returned.to_token_stream(), &mut names);
    }
    if let Some(receiver) = receiver {
        errors.push(wrong(
            receiver,
            "a subscriber is a free function, because the reader of events has no `self`: write it outside of the block, and take a value of the program as a `State<T>`",
        ));
    } else if let Some(of_block) = names.iter().find(|name| *name == "Self") {
        errors.push(wrong(
            of_block,
            "a subscriber is a free function, because an `impl` block cannot register it: write it outside of the block, and name the type",
        ));
    }
    errors
}

/// Looks for the value of each parameter.
struct Parameters<'a> {
    signature: &'a Signature,
    args: &'a mut Args,
    errors: &'a mut Accumulator,
}

impl Parameters<'_> {
    /// `None` if one of them is wrong.
    fn all(mut self) -> Option<Vec<Parameter>> {
        let mut all = Vec::new();
        let typed = self.signature.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(parameter) => Some(parameter),
            FnArg::Receiver(_) => None,
        });
        for parameter in typed.clone() {
            match self.source(parameter) {
                Ok(source) => all.push(Parameter { cfg: cfg(parameter), source }),
                Err(error) => self.errors.extend(error),
            }
        }
        if let Some(tx) = &self.args.tx
            && !typed.clone().any(|parameter| is_named(parameter, tx))
            && typed.clone().any(|parameter| bound_by(&parameter.pat).contains(tx))
        {
            self.errors
                .push(wrong(tx, "`tx` names a parameter, not a part of one: `tx = tx` for `tx: &mut …`"));
            self.args.ignore_tx();
        }
        let count = self.signature.inputs.len();
        let of_event = |parameter: &Parameter| matches!(parameter.source, Source::Delivery(_));
        if all.len() == count && !all.iter().any(of_event) {
            self.errors.push(wrong(
                &self.signature.ident,
                "a subscriber has a parameter for the event: add one, as in `event: EventData<User>`",
            ));
            return None;
        }
        (all.len() == count).then_some(all)
    }

    fn source(&mut self, parameter: &PatType) -> Result<Source, Option<Error>> {
        let ty = without_parentheses(&parameter.ty);
        if self.args.tx.as_ref().is_some_and(|tx| is_named(parameter, tx)) {
            return match ty {
                Type::Reference(reference) if reference.mutability.is_some() => {
                    Ok(Source::Transaction((*reference.elem).clone()))
                }
                other => {
                    self.args.ignore_tx();
                    let place = if let Type::Reference(_) = other {
                        "in the place of this `&`"
                    } else {
                        "before this type"
                    };
                    let rule = "`tx` needs a `&mut` of the transaction, because the store commits it";
                    Err(Some(wrong(other, format!("{rule}: write `&mut` {place}"))))
                }
            };
        }
        match ty {
            Type::Reference(reference) if reference.mutability.is_some() => {
                // That which `tx` should have named is no mistake of its own.
                let is_meant = self.args.tx.is_some() || self.args.broken.may_mean("tx");
                Err((!is_meant).then(|| {
                    let rule = "only the transaction is borrowed, and `tx` names it";
                    wrong(
                        reference,
                        format!("{rule}: add `tx = NAME` with the name of this parameter, or take a value"),
                    )
                }))
            }
            Type::Reference(reference) => {
                let rule = "a subscriber owns its event and what else it takes";
                Err(Some(wrong(&reference.and_token, format!("{rule}: remove this `&`"))))
            }
            ty => {
                let mut unowned = Unowned(None);
                unowned.visit_type(ty);
                unowned.0.map_or_else(|| Ok(Source::Delivery(ty.clone())), |error| Err(Some(error)))
            }
        }
    }
}

fn is_named(parameter: &PatType, name: &Ident) -> bool {
    matches!(&*parameter.pat, Pat::Ident(pat) if pat.ident == *name)
}

/// Without such an attribute's item the parameter does not exist.
fn cfg(parameter: &PatType) -> Vec<Attribute> {
    parameter.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg")).cloned().collect()
}

/// Looks for what a type has that no value made from an event can have.
struct Unowned(Option<Error>);

impl Visit<'_> for Unowned {
    fn visit_type_impl_trait(&mut self, opaque: &TypeImplTrait) {
        self.0 = Some(wrong(
            opaque,
            "the reader of events calls a subscriber, and cannot choose the type of an `impl Trait`: name the type",
        ));
    }

    fn visit_type_reference(&mut self, reference: &TypeReference) {
        if reference.lifetime.as_ref().is_none_or(|lifetime| lifetime.ident != "static") {
            let rule = "a subscriber owns its event, so nothing in it is borrowed";
            self.0 = Some(wrong(
                &reference.and_token,
                format!("{rule}: write an owned type in the place of this `&`, such as `String` for `&str`"),
            ));
        }
    }

    /// What a function is called with is not in its value.
    fn visit_type_fn_ptr(&mut self, _: &TypeFnPtr) {}

    fn visit_parenthesized_generic_arguments(&mut self, _: &ParenthesizedGenericArguments) {}
}
