async fn pay(user: &str, account: u64, key: &str) -> Result<Receipt, Error> {
    const fn __graceful_here() {}
    ::graceful::__private010::inventory::submit! {
        ::graceful::__private010::Registered::new("pay", ::core::module_path!(),
        "payment").idempotent(::graceful::__private010::identity(__graceful_here), & [],
        false)
        .contract(::graceful::__private010::Contract::new(::graceful::__private010::identity(__graceful_here),
        "graceful-macros", & []).stores({ fn __graceful_type() ->
        ::graceful::__private010::PayloadType { ::graceful::__private010::contracted:: <
        Result < Receipt, Error > > ().__graceful_type() } __graceful_type }).errors({ fn
        __graceful_type() -> ::graceful::__private010::ErrorCodes {
        ::graceful::__private010::contracted:: < Result < Receipt, Error > > ()
        .__graceful_codes() } __graceful_type }))
    }
    return ::graceful::__private010::call(
            ::core::pin::pin!(::core::option::Option::None),
            const {
                &::graceful::__private010::HandlerSpec::new("pay", "payment", "pay")
                    .identity(::graceful::__private010::identity(__graceful_here))
            },
            move |__spec| {
                let (__repeatable, __entered) = ::graceful::__private010::repeatable(
                    __spec,
                    |__names| {
                        __names.actor(&user);
                        {
                            let __text = ::graceful::__private010::text(
                                ::core::format_args!(
                                    "{}/{}", ::graceful::__private010::hole(& account),
                                    ::graceful::__private010::hole(& key)
                                ),
                            );
                            __names.key(&__text)
                        };
                    },
                    |__builder| {
                        if __builder.needs(::graceful::__private010::Argument::Actor) {
                            __builder.actor(&user)
                        }
                    },
                );
                __repeatable
                    .through(
                        (__entered)
                            .prepare(
                                ::graceful::__private010::body::<
                                    Result<Receipt, Error>,
                                    _,
                                >(async move {
                                    if false {
                                        return {
                                            let _ = (&account,);
                                            ::graceful::__private010::never::<Result<Receipt, Error>>()
                                        };
                                    }
                                    '_body: { account.pay().await }
                                }),
                                move |__builder, __result| {
                                    ::graceful::__private010::probe(__result)
                                        .__graceful_payload(__builder);
                                    ::graceful::__private010::probe(__result)
                                        .__graceful_answer(__builder);
                                },
                                |__builder, __error| {
                                    ::graceful::__private010::probe(__error)
                                        .__graceful_classify(__builder);
                                    ::graceful::__private010::cause(__error)
                                        .__graceful_cause(__builder);
                                },
                            ),
                        |__value| __value.__graceful_answer(),
                        ::graceful::__private010::refusal,
                    )
            },
        )
        .await;
}
