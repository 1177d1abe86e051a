fn get<'a>(&'a self, id: u64) -> Result<&'a User, Error> {
    const fn __graceful_here() {}
    ::graceful::__private::inventory::submit! {
        ::graceful::__private::Registered::new("get", ::core::module_path!(), "user")
        .declares(& [::graceful::Step::Fallback, ::graceful::Step::Cache]).requires(&
        [::graceful::Step::Fallback])
    }
    return (::graceful::__private::enter(
        const {
            &::graceful::__private::Site::new("get", "user", "get")
                .last_good(3600000u64)
                .identity(|| ::graceful::__private::identity(&__graceful_here))
        },
        |__draft| {
            if __draft.needs(::graceful::__private::Argument::Key) {
                __draft.key(&id)
            }
        },
    ))
        .call(
            &mut ::graceful::__private::function::<
                Result<&'_ User, Error>,
                _,
            >(move || -> _ {
                let _ = (&id,);
                '_body: { self.users.get(&id).ok_or(Error) }
            }),
            move |__draft, __result| {
                ::graceful::__private::probe(__result).__graceful_needed_payload(__draft)
            },
            |__draft, __error| {
                ::graceful::__private::probe(__error).__graceful_classify(__draft);
                ::graceful::__private::cause(__error).__graceful_cause(__draft);
            },
        )
        .typed_hooks(::graceful::__private::no_hooks)
        .last_good(|__value| __value.__graceful_decode())
        .finish();
}
