fn get<'a>(&'a self, id: u64) -> Result<&'a User, Error> {
    const fn __graceful_here() {}
    ::graceful::__private010::inventory::submit! {
        ::graceful::__private010::Registered::new("get", ::core::module_path!(), "user")
        .declares(& [::graceful::Step::Fallback, ::graceful::Step::Cache]).requires(&
        [::graceful::Step::Fallback]).keyed("{}").is_sync()
        .contract(::graceful::__private010::Contract::new(::graceful::__private010::identity(__graceful_here),
        "graceful-macros", & []).stores({ fn __graceful_type() ->
        ::graceful::__private010::PayloadType {
        ::graceful::__private010::opaque("its type may be a parameter of the `impl` block: write `#[orchestrate]` on the block, too")
        } __graceful_type }))
    }
    return (::graceful::__private010::enter(
        const {
            &::graceful::__private010::HandlerSpec::new("get", "user", "get")
                .last_good(3600000u64)
                .identity(::graceful::__private010::identity(__graceful_here))
        },
        |__builder| {
            if __builder.needs(::graceful::__private010::Argument::Key) {
                __builder.key(&id)
            }
        },
    ))
        .call(
            &mut ::graceful::__private010::function::<
                Result<&'_ User, Error>,
                _,
            >(move || -> _ {
                let _ = (&id,);
                '_body: { self.users.get(&id).ok_or(Error) }
            }),
            move |__builder, __result| {
                ::graceful::__private010::probe(__result)
                    .__graceful_needed_payload(__builder)
            },
            |__builder, __error| {
                ::graceful::__private010::probe(__error).__graceful_classify(__builder);
                ::graceful::__private010::cause(__error).__graceful_cause(__builder);
            },
        )
        .typed_hooks(::graceful::__private010::no_hooks)
        .last_good(|__value| __value.__graceful_decode())
        .finish();
}
