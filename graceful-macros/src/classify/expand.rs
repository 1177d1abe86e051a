//! [`Model`] → tokens.

use darling::usage::{GenericsExt, Purpose, UsesTypeParams};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{DeriveInput, Member, Path, parse_quote_spanned, spanned::Spanned};

use super::model::{Arm, Message, Model, Place, Rule};

pub(super) fn derive(input: &DeriveInput, Model { krate, arms }: &Model<'_>) -> TokenStream {
    // `&Never` cannot be matched without arms, `Never` can.
    let matched = if arms.is_empty() { quote!(*self) } else { quote!(self) };
    let codes = arms.iter().map(|arm| code(arm, krate));
    let message = message(arms, krate);
    let refusal = refusal(arms, krate);
    let declared = arms.iter().map(|arm| declared(arm, krate));
    let argument = if arms.is_empty() { quote!(_) } else { quote!(codes) };
    let body = quote! {
        fn code(&self) -> #krate::Code {
            match #matched { #(#codes)* }
        }
        #message
        #refusal
        fn __graceful_codes(#argument: &mut #krate::__private010::ErrorCodes) {
            #(#declared)*
        }
    };
    let implementation = implementation(input, krate, arms, &body);
    let cause = cause(input, krate);
    quote!(#implementation #cause)
}

pub(super) fn stub(input: &DeriveInput, krate: &Path) -> TokenStream {
    let body = quote! {
        fn code(&self) -> #krate::Code {
            #krate::Code::Internal
        }
    };
    implementation(input, krate, &[], &body)
}

fn implementation(input: &DeriveInput, krate: &Path, arms: &[Arm<'_>], body: &TokenStream) -> TokenStream {
    let mut generics = input.generics.clone();
    let params = generics.declared_type_params();
    for arm in arms {
        let (places, bound) = match &arm.rule {
            Rule::Transparent(place) => (std::slice::from_ref(place), quote!(#krate::Classify)),
            Rule::Code(_, Some(message)) => (&*message.shown, quote!(::core::fmt::Display)),
            Rule::Code(_, None) => continue,
        };
        // Without a type parameter the field itself is checked, where it is asked.
        for ty in places.iter().map(|place| place.ty) {
            if !ty.uses_type_params(&Purpose::Declare.into(), &params).is_empty() {
                let bound = parse_quote_spanned!(ty.span()=> #ty: #bound);
                generics.make_where_clause().predicates.push(bound);
            }
        }
    }
    let name = quiet(&input.ident);
    let (params, arguments, bounds) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #params #krate::Classify for #name #arguments #bounds {
            #body
        }
    }
}

fn code(arm: &Arm<'_>, krate: &Path) -> TokenStream {
    match &arm.rule {
        Rule::Code(code, _) => {
            let pattern = pattern(arm, &[]);
            let code = code_of(code, krate);
            quote!(#pattern => #code,)
        }
        Rule::Transparent(inner) => ask(arm, inner, &quote!(#krate::Classify::code)),
    }
}

/// The bare name of a code, or the path of one.
fn code_of(code: &Path, krate: &Path) -> TokenStream {
    code.get_ident().map_or_else(|| quote!(#code), |name| quote!(#krate::Code::#name))
}

/// What the contract of a program says of the variant.
fn declared(arm: &Arm<'_>, krate: &Path) -> TokenStream {
    match &arm.rule {
        Rule::Code(code, message) => {
            let code = code_of(code, krate);
            let message = match message {
                Some(message) => {
                    let written = &message.written;
                    quote!(::core::option::Option::Some(#written))
                }
                None => quote!(::core::option::Option::None),
            };
            quote!(codes.declare(#code, #message);)
        }
        // By method resolution, so that a field that is not classified is one error, at `code`.
        Rule::Transparent(Place { ty, .. }) => {
            quote!(codes.wrapped(|codes| #krate::__private010::CodesOf::<#ty>::NEW.__graceful_codes(codes));)
        }
    }
}

fn message(arms: &[Arm<'_>], krate: &Path) -> Option<TokenStream> {
    let mut texts: Vec<_> = arms.iter().filter_map(|arm| text(arm, krate)).collect();
    if texts.is_empty() {
        return None;
    }
    if texts.len() < arms.len() {
        texts.push(quote!(_ => ::std::borrow::Cow::Borrowed(#krate::Classify::code(self).text()),));
    }
    Some(quote! {
        fn message(&self) -> ::std::borrow::Cow<'_, ::core::primitive::str> {
            match self { #(#texts)* }
        }
    })
}

/// Only a wrapped error can be the refusal of an idempotent call.
fn refusal(arms: &[Arm<'_>], krate: &Path) -> Option<TokenStream> {
    let asked: Vec<_> = arms
        .iter()
        .filter_map(|arm| match &arm.rule {
            Rule::Transparent(inner) => Some(ask(arm, inner, &quote!(#krate::Classify::refusal))),
            Rule::Code(..) => None,
        })
        .collect();
    if asked.is_empty() {
        return None;
    }
    let others = (asked.len() < arms.len()).then(|| quote!(_ => ::core::option::Option::None,));
    Some(quote! {
        fn refusal(&self) -> ::core::option::Option<#krate::idempotency::Refusal> {
            match self { #(#asked)* #others }
        }
    })
}

fn text(arm: &Arm<'_>, krate: &Path) -> Option<TokenStream> {
    match &arm.rule {
        Rule::Code(_, None) => None,
        Rule::Code(_, Some(Message { format, shown, .. })) if shown.is_empty() => {
            let pattern = pattern(arm, &[]);
            let text = format.replace("{{", "{").replace("}}", "}");
            Some(quote!(#pattern => ::std::borrow::Cow::Borrowed(#text),))
        }
        Rule::Code(_, Some(Message { format, shown, .. })) => {
            let pattern = pattern(arm, shown);
            let shown = shown.iter().map(|place| {
                let binding = binding(place);
                quote_spanned!(binding.span()=> #krate::__private010::shown(&#binding))
            });
            Some(quote!(#pattern => ::std::borrow::Cow::Owned(::std::format!(#format, #(#shown),*)),))
        }
        Rule::Transparent(inner) => Some(ask(arm, inner, &quote!(#krate::Classify::message))),
    }
}

fn ask(arm: &Arm<'_>, inner: &Place<'_>, question: &TokenStream) -> TokenStream {
    let pattern = pattern(arm, std::slice::from_ref(inner));
    let binding = binding(inner);
    let answer = quote_spanned!(inner.ty.span()=> #question(#binding));
    quote!(#pattern => #answer,)
}

fn pattern(arm: &Arm<'_>, shown: &[Place<'_>]) -> TokenStream {
    let variant = arm.variant.map(quiet).map(|name| quote!(::#name));
    let fields = shown.iter().map(|place| {
        let binding = binding(place);
        let member = match &place.member {
            Member::Named(name) => Member::Named(quiet(name)),
            Member::Unnamed(index) => Member::Unnamed(index.clone()),
        };
        quote!(#member: #binding,)
    });
    quote!(Self #variant { #(#fields)* .. })
}

/// At the field, where an error belongs if the field cannot do what it is asked for.
fn binding(place: &Place<'_>) -> Ident {
    format_ident!("field_{}", place.name(), span = Span::mixed_site().located_at(place.ty.span()))
}

/// A name that raises no warning here if it is deprecated: those are for the places where users wrote it.
fn quiet(name: &Ident) -> Ident {
    let mut name = name.clone();
    name.set_span(Span::call_site());
    name
}

/// Makes the type known to the search of causes, if it is an `Error`.
fn cause(input: &DeriveInput, krate: &Path) -> Option<TokenStream> {
    let name = quiet(&input.ident);
    input.generics.params.is_empty().then(|| {
        quote! {
            #krate::__private010::inventory::submit! {
                #krate::__private010::Cause::new(|error| #krate::__private010::CauseProbe::<#name>::NEW.__graceful_find(error))
            }
        }
    })
}
