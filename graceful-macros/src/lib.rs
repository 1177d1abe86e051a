//! `graceful-macros` is a crate with the macros of `graceful`. Depend on `graceful`, which re-exports and documents them.
//!
//! `#[orchestrate]` and `#[subscribe]` go through three stages: `parse` (the grammar), `model` (the rules and defaults), `expand`
//! (writes the tokens, and makes no decision). `#[derive(Classify)]` is in `classify`, in the same three stages.

mod classify;
#[cfg(test)]
mod editors;
mod errors;
mod expand;
mod groups;
mod model;
mod parse;
#[cfg(test)]
mod snapshots;
mod syntax;
mod words;

use darling::{Error, error::Accumulator};
use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};

/// The attribute `#[orchestrate]`; the documentation of the crate `graceful` lists its arguments (`graceful/src/orchestrate.md`).
#[proc_macro_attribute]
pub fn orchestrate(
    arguments: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    expanded(arguments.into(), &item.into()).into()
}

/// The attribute `#[subscribe]`; the documentation of the crate `graceful` lists its arguments (`graceful/src/subscribe.md`).
#[proc_macro_attribute]
pub fn subscribe(
    arguments: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    subscribed(arguments.into(), &item.into()).into()
}

/// The derive macro `Classify`; the documentation of the crate `graceful` lists its arguments (`graceful/src/classify/derive.md`).
#[proc_macro_derive(Classify, attributes(classify))]
pub fn derive_classify(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    classify::derive(input.into()).into()
}

/// Expands the item, and returns it together with any errors.
fn expanded(arguments: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Error::accumulator();
    // The expansion of the valid part is returned beside the errors, so that the compiler reports its own errors in the same run, and
    // editors can complete code.
    let mut given_back = item.clone();
    let output = match parse::Item::parse(item.clone()) {
        Ok(parse::Item::Function(function)) => {
            let mut mistakes = Error::accumulator();
            let args = parse::Args::parse(arguments.clone(), &mut mistakes);
            let mut handler = model::Handler::new(args, *function, &mut mistakes);
            let mistakes = mistakes.into_inner();
            if !mistakes.is_empty() {
                handler.name_parameters(arguments);
            }
            errors.extend(mistakes);
            let output = expand::handler(&handler);
            if handler.debug {
                let nested = handler.nested().map(|nested| format!("// not flat: {}\n", nested.reason()));
                eprintln!("{}{output}", nested.unwrap_or_default());
            }
            if handler.sound {
                given_back = output.clone();
            }
            output
        }
        Ok(parse::Item::Block(before, braces)) => {
            // Each method parses the block's arguments again; their mistakes are reported here, once.
            let defaults = parse::Args::parse(arguments.clone(), &mut errors);
            if let Some(name) = &defaults.name {
                errors.push(errors::wrong(
                    name,
                    "`name` is the identity of one handler, and the methods of a block would share it: move it to the method",
                ));
            }
            let with_defaults = parse::with_defaults(&before, &braces, &arguments);
            if with_defaults.is_none() {
                errors.push(Error::custom(
                    "no method in this block carries `#[orchestrate]`: the block's arguments are defaults for those that do",
                ).with_span(&arguments));
            }
            let braces = with_defaults.unwrap_or(braces).into_token_stream();
            given_back = quote!(#before #braces);
            given_back.clone()
        }
        Err(error) => {
            errors.push(error);
            parse::Args::parse(arguments, &mut errors);
            item.clone()
        }
    };
    beside(errors, output, &given_back)
}

/// Expands a subscriber, and returns it together with any errors.
fn subscribed(arguments: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Error::accumulator();
    let args = parse::SubscribeArgs::parse(arguments.clone(), &mut errors);
    let function = match parse::function_of_subscriber(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            errors.push(error);
            return beside(errors, item.clone(), item);
        }
    };
    let mut mistakes = Error::accumulator();
    let mut subscriber = model::Subscriber::new(args, function, &mut mistakes);
    errors.extend(mistakes.into_inner());
    let errors = errors.into_inner();
    if !errors.is_empty() {
        subscriber.handler.name_parameters(arguments);
    }
    let output = expand::subscriber(&subscriber);
    if subscriber.handler.debug {
        eprintln!("{output}");
    }
    let given_back = if subscriber.handler.sound { output.clone() } else { item.clone() };
    let mut all = Error::accumulator();
    all.extend(errors);
    beside(all, output, &given_back)
}

/// The expansion, or what is given back beside the errors.
fn beside(errors: Accumulator, output: TokenStream, given_back: &TokenStream) -> TokenStream {
    match errors.finish() {
        Ok(()) => output,
        Err(errors) => {
            let errors = errors.write_errors();
            quote!(#errors #given_back)
        }
    }
}
