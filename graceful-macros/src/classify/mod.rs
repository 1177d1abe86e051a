//! `#[derive(Classify)]`: attributes → rules → `impl Classify`.
//!
//! Users read about it at its re-export: that text is `graceful/src/classify/derive.md`, since its examples need
//! `graceful` to run.

mod expand;
mod model;
mod parse;

use darling::Error;
use proc_macro2::TokenStream;
use quote::quote;

use self::model::Model;

pub fn derive(input: TokenStream) -> TokenStream {
    let input = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Error::accumulator();
    let model = Model::new(&input, &mut errors);
    match errors.finish() {
        Ok(()) => expand::derive(&input, &model),
        Err(errors) => {
            // An empty implementation avoids further errors where the trait is required.
            let stub = expand::stub(&input, &model.krate);
            let errors = errors.write_errors();
            quote!(#errors #stub)
        }
    }
}
