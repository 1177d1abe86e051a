fn get<'a>(&'a self, id: u64) -> Result<&'a User, Error> {
    ::graceful::__private::inventory::submit! {
        & ::graceful::__private::Requirement { handler : "get", file : ::core::file!(),
        line : ::core::line!(), delivery : ::graceful::Delivery::Inline, steps : &
        [::graceful::Step::Fallback], }
    }
    ::graceful::__private::enter(
            const {
                &::graceful::__private::Site::new("get", "user", "get")
                    .last_good(3600000u64)
            },
            |draft| draft.key(&id),
        )
        .call::<
            _,
            Result<&'_ User, Error>,
            _,
            _,
        >(
            #[allow(clippy::result_large_err)]
            move || {
                let _ = (&id,);
                #[allow(clippy::excessive_nesting)] { self.users.get(&id).ok_or(Error) }
            },
            move |draft, result| {
                ::graceful::__private::probe(result).needed_payload(draft)
            },
            |draft, error| ::graceful::__private::probe(error).classify(draft),
        )
        .typed_hooks(::graceful::__private::no_hooks)
        .last_good(|value| value.decode())
        .finish()
}
