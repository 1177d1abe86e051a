fn get(id: u64) -> Result<User, Error> {
    const fn __graceful_here() {}
    ::graceful::__private010::inventory::submit! {
        ::graceful::__private010::Registered::new("get", ::core::module_path!(), "user")
        .declares(& [::graceful::Step::Cache]).caches("{}", { fn __graceful_type() -> &
        'static ::core::primitive::str { ::graceful::__private010::cached:: < Result <
        User, Error > > ().__graceful_type() } __graceful_type }).keyed("{}").reads()
        .is_sync()
        .contract(::graceful::__private010::Contract::new(::graceful::__private010::identity(__graceful_here),
        "graceful-macros", & []).stores({ fn __graceful_type() ->
        ::graceful::__private010::PayloadType { ::graceful::__private010::contracted:: <
        Result < User, Error > > ().__graceful_type() } __graceful_type }).errors({ fn
        __graceful_type() -> ::graceful::__private010::ErrorCodes {
        ::graceful::__private010::contracted:: < Result < User, Error > > ()
        .__graceful_codes() } __graceful_type }))
    }
    let (__reading, __entered) = ::graceful::__private010::read(
        const {
            &::graceful::__private010::HandlerSpec::new("get", "user", "get")
                .reads()
                .off(::graceful::__private010::Step::Metadata)
                .off(::graceful::__private010::Step::Graph)
                .off(::graceful::__private010::Step::Event)
                .off(::graceful::__private010::Step::Nexus)
                .off(::graceful::__private010::Step::Audit)
                .identity(::graceful::__private010::identity(__graceful_here))
        },
        |__names| __names.key(&id),
        |_| {},
    );
    let mut __body = ::graceful::__private010::function::<
        Result<User, Error>,
        _,
    >(move || -> _ {
        let _ = (&id,);
        '_body: { users().get(&id).ok_or(Error) }
    });
    let __call = __entered
        .call(
            &mut __body,
            move |__builder, result| {
                if __builder.needs(::graceful::__private010::Argument::Payload) {
                    __builder.payload(&result.name)
                }
                ::graceful::__private010::probe(result)
                    .__graceful_needed_cached(__builder);
            },
            |__builder, __error| {
                ::graceful::__private010::probe(__error).__graceful_classify(__builder);
                ::graceful::__private010::cause(__error).__graceful_cause(__builder);
            },
        );
    return (__reading).finish(__call, |__value| __value.__graceful_read());
}
