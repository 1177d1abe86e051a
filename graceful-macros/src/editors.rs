//! Editors get a complete function while the user is typing, even if an argument is incomplete.

use proc_macro2::TokenStream;
use quote::quote;

fn expanded(arguments: &str, item: &TokenStream) -> String {
    let arguments = arguments.parse().expect("tokens");
    crate::expanded(arguments, item).to_string()
}

#[test]
fn half_typed_attribute_yields_the_function() {
    let function = quote!(
        async fn handler(user: User) -> Result<u64, Error> {
            Ok(user.id)
        }
    );
    let arguments = [
        "",
        "pat",
        "pattern",
        "pattern =",
        "pattern = user",
        "pattern = \"user\",,",
        "pattern = \"user\" cache",
        "pattern = \"user\", cache",
        "pattern = \"user\", cache =",
        "pattern = \"user\", cache = user.",
        "pattern = \"user\", cache = user.id.",
        "pattern = \"user\", cache = &",
        "pattern = \"user\", cache = \"{user.\"",
        "pattern = \"user\", cache = \"{user.}\"",
        "pattern = \"user\", cache()",
        "pattern = \"user\", cache(",
        "pattern = \"user\", cache(key",
        "pattern = \"user\", cache(key = user.)",
        "pattern = \"user\", cache(key = user.id, read, refresh = )",
        "pattern = \"user\", cache(key = user.id, read, depends_on())",
        "pattern = \"user\", cache(key = user.id, touches(team = user.))",
        "pattern = \"user\", audit = hooks::",
        "pattern = \"user\", alert(on = )",
        "pattern = \"user\", fallback = ",
        "pattern = \"user\", tags = [",
        "pattern = \"user\", crate =",
        "= user",
        ".",
        "@ # $",
    ];
    for half_typed in arguments {
        let closing = match half_typed.chars().rev().find(|c| "()[]".contains(*c)) {
            Some('(') => ")",
            Some('[') => "]",
            _ => "",
        };
        let half_typed = format!("{half_typed}{closing}");
        let output = expanded(&half_typed, &function);
        let file = syn::parse_str::<syn::File>(&output).unwrap_or_else(|_| panic!("{half_typed}: {output}"));
        let functions = file.items.iter().filter(|item| matches!(item, syn::Item::Fn(_)));
        assert_eq!(functions.count(), 1, "{half_typed}: {output}");
    }
}

/// The body is passed on unchanged, in each shape of function.
#[test]
fn half_typed_body_yields_the_function() {
    for body in [
        "{ user . }",
        "{ let id = }",
        "{ let id = user . ; Ok (id) }",
        "{ if user . id == { Ok (1) } }",
        "{ Box :: pin (async move { user . }) }",
    ] {
        for signature in [
            "async fn handler (user : User) -> Result < u64 , Error >",
            "fn handler (user : User) -> Result < u64 , Error >",
            "fn handler (user : User) -> impl Future < Output = Result < u64 , Error > >",
            "fn handler (& self , user : User) -> Pin < Box < dyn Future < Output = Result < u64 , Error > > > >",
        ] {
            let function = format!("{signature} {body}").parse().expect("tokens");
            let output = expanded("pattern = \"user\", cache = user.id", &function);
            let flat = "fn handler (user : User) -> impl :: core :: future :: Future < Output = Result < u64 , Error > >";
            let signature = if signature.starts_with("async") { flat } else { signature };
            assert!(output.starts_with(signature), "{output}");
            assert!(output.contains(body), "{output}");
            assert!(!output.contains("compile_error"), "{output}");
        }
    }
}

/// One argument is half typed, and others are missing.
#[test]
fn half_typed_argument_is_in_the_expansion_for_completion() {
    let function = quote!(
        async fn handler(user: User) -> Result<u64, Error> {
            user.
        }
    );
    for (arguments, completed) in [
        ("cache = user.dummy", "builder . key (& user . dummy)"),
        ("cache = user.dummy, evnt", "builder . key (& user . dummy)"),
        ("pattern, event(payload = result.dummy)", "builder . event_payload (& result . dummy)"),
        ("id =, audit = hooks::dummy", "hooks :: dummy"),
        ("cache = \"{user.dummy}\", tags = [1]", "user . dummy"),
        ("cache(read, key = user.dummy), evnt", "names . key (& user . dummy)"),
        ("cache(touches(team = [user.dummy], all = )), evnt", "ids (& user . dummy)"),
        ("on = user.dummy, delivery = \"\"", "& user . dummy"),
    ] {
        let output = expanded(arguments, &function);
        assert!(output.contains(completed), "{arguments}: {output}");
        assert!(output.contains("{ user . }"), "{arguments}: {output}");
    }
}

#[test]
fn half_typed_subscriber_yields_the_function() {
    let function = quote!(
        async fn handler(event: EventData<u64>) -> Result<(), Error> {
            event.
        }
    );
    for half_typed in [
        "",
        "ev",
        "event",
        "event =",
        "event = \"a\", pattern = \"b\", id = event.",
        "attempts = , from",
        "cache(key = event.)",
    ] {
        let arguments = half_typed.parse().expect("tokens");
        let output = crate::subscribed(arguments, &function).to_string();
        assert_eq!(
            output.matches("fn handler (event : EventData < u64 >)").count(),
            1,
            "{half_typed}: {output}"
        );
        assert!(output.contains("{ event . }"), "{half_typed}: {output}");
    }
}
