//! The attribute `#[test]` of the tests that require a server or a program: `graceful_tests::harness` runs them.

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::{ToTokens as _, quote};
use syn::{
    Attribute, Error, Expr, ExprLit, ItemFn, Lit, LitBool, LitInt, LitStr, Token, meta::ParseNestedMeta,
    parse_macro_input, punctuated::Punctuated,
};

/// Makes a function, which may be `async`, a test.
///
/// - `requires(Redis, "pgbouncer")`: what must be there, as variants of `graceful_tests::Requirement`; a text is a program. Where one
///   is missing the test is ignored.
/// - `flavor = "multi_thread"`, `worker_threads = 2`, `start_paused = true`: as in `#[tokio::test]`.
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, function: TokenStream) -> TokenStream {
    let mut read = Arguments::default();
    let parser = syn::meta::parser(|argument| read.parse(&argument));
    parse_macro_input!(arguments with parser);
    let function = parse_macro_input!(function as ItemFn);
    match function.attrs.iter().find_map(refused) {
        Some(error) => error.into_compile_error().into(),
        None => expand(&read, &function).into(),
    }
}

/// Attributes that the harness of Rust reads and this one does not: a test with one of them would pass without a meaning, or run twice.
fn refused(attribute: &Attribute) -> Option<Error> {
    let name = attribute.path().segments.last()?.ident.to_string();
    let message = match name.as_str() {
        "should_panic" => "`#[should_panic]` has no effect here; catch the panic, and compare its message",
        "ignore" => "`#[ignore]` has no effect here; write `#[test(requires(…))]`, or delete the test",
        "test" => "a test has one `#[test]`",
        _ => return None,
    };
    Some(Error::new_spanned(attribute, message))
}

#[derive(Default)]
struct Arguments {
    requirements: Vec<Tokens>,
    is_multi_thread: bool,
    worker_threads: Option<LitInt>,
    start_paused: Option<LitBool>,
}

impl Arguments {
    fn parse(&mut self, argument: &ParseNestedMeta<'_>) -> syn::Result<()> {
        if argument.path.is_ident("requires") {
            let content;
            syn::parenthesized!(content in argument.input);
            let required = Punctuated::<Expr, Token![,]>::parse_terminated(&content)?;
            self.requirements.extend(required.iter().map(requirement));
        } else if argument.path.is_ident("flavor") {
            let flavor: LitStr = argument.value()?.parse()?;
            self.is_multi_thread = match flavor.value().as_str() {
                "multi_thread" => true,
                "current_thread" => false,
                _ => {
                    let expected = "expected \"current_thread\" or \"multi_thread\"";
                    return Err(Error::new(flavor.span(), expected));
                }
            };
        } else if argument.path.is_ident("worker_threads") {
            self.worker_threads = Some(argument.value()?.parse()?);
        } else if argument.path.is_ident("start_paused") {
            self.start_paused = Some(argument.value()?.parse()?);
        } else {
            let expected = "expected `requires(…)`, `flavor`, `worker_threads` or `start_paused`";
            return Err(argument.error(expected));
        }
        Ok(())
    }

    fn runtime(&self) -> Tokens {
        let new = match self.is_multi_thread {
            true => quote!(new_multi_thread),
            false => quote!(new_current_thread),
        };
        let (threads, paused) = (self.worker_threads.iter(), self.start_paused.iter());
        quote! {{
            let mut builder = ::graceful_tests::harness::Builder::#new();
            #(builder.worker_threads(#threads);)*
            #(builder.start_paused(#paused);)*
            builder
        }}
    }
}

fn requirement(required: &Expr) -> Tokens {
    match required {
        Expr::Lit(ExprLit { lit: Lit::Str(program), .. }) => {
            quote!(::graceful_tests::Requirement::Program(#program))
        }
        variant => quote!(::graceful_tests::Requirement::#variant),
    }
}

fn expand(arguments: &Arguments, function: &ItemFn) -> Tokens {
    let name = &function.sig.ident;
    let text = name.to_string();
    let requirements = &arguments.requirements;
    let run = match function.sig.asyncness {
        Some(_) => {
            let runtime = arguments.runtime();
            quote!(|| ::graceful_tests::harness::block_on(#runtime, #name()))
        }
        None => name.to_token_stream(),
    };
    quote! {
        #function

        ::graceful_tests::harness::submit! {
            ::graceful_tests::harness::Test {
                module: ::core::module_path!(),
                name: #text,
                requirements: &[#(#requirements),*],
                run: #run,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use quote::ToTokens as _;
    use syn::{Attribute, parse_quote};

    use super::refused;

    #[test]
    fn attribute_that_has_no_effect_is_refused() {
        let attributes: [Attribute; 4] = [
            parse_quote!(#[should_panic(expected = "full")]),
            parse_quote!(#[ignore = "slow"]),
            parse_quote!(#[test]),
            parse_quote!(#[tokio::test]),
        ];
        for attribute in &attributes {
            assert!(refused(attribute).is_some(), "{}", attribute.to_token_stream());
        }
        assert!(refused(&parse_quote!(#[allow(unused)])).is_none());
    }
}
