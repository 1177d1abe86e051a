//! The grammar of `#[subscribe(…)]`: arguments of its own, and those that it shares with `#[orchestrate]`.

use darling::{Error, Result, error::Accumulator};
use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::{Expr, ExprLit, Lit};

use super::{
    ARGUMENTS, Args,
    choice::choice,
    duration::millis,
    function::{BOTH, Function, another, kind, subscribe, ungrouped},
    in_parentheses, steps,
    value::{Name, name, text},
};
use crate::{
    errors::{suggestion, wrong},
    syntax::{Arg, ArgValue, Examples},
    words::{Begin, Step, Words as _},
};

/// The names of its own arguments.
const OWN: [&str; 5] = ["event", "service", "from", "attempts", "timeout"];

/// The arguments of `#[orchestrate]` that make no sense here, and what to do instead.
const REFUSED: [(&str, &str); 3] = [
    (
        "fallback",
        "a subscriber has no caller whom a `fallback` could answer: remove it, and return the `Err`, so that the event is tried again",
    ),
    (
        "idempotent",
        "the store of a subscriber knows which events were handled: remove `idempotent`, and let the handler write through its transaction, with `tx = tx`",
    ),
    (
        "on",
        "a subscriber runs with the orchestrator that reads the events, by `orchestrator.subscribers().run()`: remove `on`",
    ),
];

const EVENT: &str = "`event` is the name of the event that the subscriber reads, as in `event = \"user_updated\"`; it emits none, so call a handler with `#[orchestrate(event(…))]` for that";

/// What a subscriber's declaration says.
#[derive(Default)]
pub(crate) struct SubscribeArgs {
    pub(crate) event: Option<Name>,
    /// The service that emits it.
    pub(crate) service: Option<Name>,
    /// A new subscriber begins with the oldest event.
    pub(crate) from_start: bool,
    pub(crate) attempts: Option<u32>,
    /// The time budget of an attempt, in milliseconds.
    pub(crate) timeout: Option<u64>,
    /// What it shares with `#[orchestrate]`.
    pub(crate) shared: Args,
}

impl SubscribeArgs {
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Accumulator) -> Self {
        let mut this = Self::default();
        let list = |name: &Ident| if is_shared(&name.to_string()) { in_parentheses(name) } else { None };
        let examples = Examples { argument: "event = \"user_updated\"", list };
        let take = |shared: &mut Args, arg: Arg, errors: &mut Accumulator| this.take(shared, arg, errors);
        let shared = Args::parse_with(tokens, &examples, &OWN, errors, take);
        Self { shared, ..this }
    }

    fn take(&mut self, shared: &mut Args, arg: Arg, errors: &mut Accumulator) -> Result<()> {
        let Arg { name: at, value: given } = &arg;
        let known = at.to_string();
        if let Some((_, rule)) = REFUSED.iter().find(|(refused, _)| *refused == known) {
            return Err(wrong(at, rule));
        }
        if is_shared(&known) {
            return shared.take(arg, errors);
        }
        let given = match given {
            ArgValue::Value(given) => given,
            ArgValue::List(_) if known == "event" => return Err(wrong(at, EVENT)),
            _ if OWN.contains(&known.as_str()) => return Err(steps::valueless(at)),
            _ => return Err(unknown(at)),
        };
        match known.as_str() {
            "event" => self.event = Some(one_name(given, "event = \"user_updated\"")?),
            "service" => self.service = Some(one_name(given, "service = \"users\"")?),
            "from" => self.from_start = begin(given)? == Begin::Start,
            "attempts" => self.attempts = Some(attempts(given)?),
            "timeout" => self.timeout = Some(millis(given, "timeout = \"10s\"")?.value),
            _ => return Err(unknown(at)),
        }
        Ok(())
    }
}

/// Whether the argument means the same as in `#[orchestrate]`.
fn is_shared(name: &str) -> bool {
    let is_refused = REFUSED.iter().any(|(refused, _)| *refused == name);
    ARGUMENTS.contains(&name) && !OWN.contains(&name) && !is_refused
}

/// The name of an event or a service.
fn one_name(given: &Expr, example: &str) -> Result<Name> {
    if let Some(text) = text(given).filter(|text| text.value().contains(['{', '}'])) {
        return Err(wrong(
            text,
            format!(
                "a subscriber reads the events of one name, so the name contains no placeholders in `{{}}`: write it as in `{example}`"
            ),
        ));
    }
    name(given, example)
}

/// What others call the two places, too far from their names to be a slip.
const OTHER_WORDS: [(&str, Begin); 9] = [
    ("begin", Begin::Start),
    ("beginning", Begin::Start),
    ("earliest", Begin::Start),
    ("first", Begin::Start),
    ("oldest", Begin::Start),
    ("end", Begin::Now),
    ("last", Begin::Now),
    ("latest", Begin::Now),
    ("newest", Begin::Now),
];

fn begin(given: &Expr) -> Result<Begin> {
    let is_word = |(word, _): &&(&str, Begin)| text(given).is_some_and(|text| text.value() == *word);
    match OTHER_WORDS.iter().find(is_word) {
        Some((word, meant)) => {
            Err(wrong(given, format!("unknown value \"{word}\": did you mean \"{}\"?", meant.word())))
        }
        None => Ok(choice(given)?.value),
    }
}

fn attempts(given: &Expr) -> Result<u32> {
    let number = match given {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse().ok(),
        _ => None,
    };
    let rule = "`attempts` is a whole number from 1 to 1000, as in `attempts = 5`";
    number.filter(|number| (1..=1000).contains(number)).ok_or_else(|| wrong(given, rule))
}

fn unknown(name: &Ident) -> Error {
    let given = name.to_string();
    let is_option = steps::owner(&given).is_none_or(|owner| owner != Step::Event && owner != Step::Fallback);
    if let Some(rule) = steps::belongs(&given).filter(|_| is_option) {
        return wrong(name, rule);
    }
    let known: Vec<_> = OWN.into_iter().chain(ARGUMENTS.into_iter().filter(|name| is_shared(name))).collect();
    let fix =
        suggestion(&given, &known).unwrap_or_else(|| format!("expected one of `{}`", known.join("`, `")));
    wrong(name, format!("unknown argument `{given}`: {fix}"))
}

const FREE_FUNCTION: &str = "`#[subscribe]` goes on a free `async fn` that returns a `Result`";

/// What `#[subscribe]` stands on.
pub(crate) fn function_of_subscriber(tokens: TokenStream) -> Result<Function> {
    let tokens = ungrouped(tokens);
    if let Some(second) = subscribe(&tokens).or_else(|| another(&tokens)) {
        let rule = if second == "orchestrate" {
            BOTH
        } else {
            "`#[subscribe]` is given twice: a subscriber reads one event, so write another function for another event"
        };
        return Err(wrong(&second, rule));
    }
    match kind(&tokens) {
        Some(word) if word == "fn" => match tokens.clone().into_iter().last() {
            Some(TokenTree::Punct(end)) => Err(wrong(
                &end,
                format!("{FREE_FUNCTION}, and this one has no body: write the function outside of the trait"),
            )),
            _ => syn::parse2(tokens).map_err(Error::from),
        },
        Some(word) if word == "impl" => Err(wrong(
            &word,
            format!("{FREE_FUNCTION}, not on an `impl` block: write the function outside of it"),
        )),
        Some(word) => Err(wrong(&word, FREE_FUNCTION)),
        None => Err(Error::custom(FREE_FUNCTION).with_span(&tokens)),
    }
}
