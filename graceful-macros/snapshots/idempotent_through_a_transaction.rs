async fn pay(
    tx: &mut Transaction<'_, Sqlite>,
    key: Option<Key>,
    cents: u64,
) -> Result<Receipt, Error> {
    const __GRACEFUL_DURABLE: ::graceful::__private010::Durable = {
        const fn __graceful_here() {}
        ::graceful::__private010::Durable {
            identity: ::graceful::__private010::identity(__graceful_here),
            was: &["shop::pay"],
            hooks: ::core::option::Option::None,
        }
    };
    ::graceful::__private010::inventory::submit! {
        ::graceful::__private010::Registered::new("pay", ::core::module_path!(),
        "payment").durable(& __GRACEFUL_DURABLE).idempotent(__GRACEFUL_DURABLE.identity,
        & ["shop::pay"], true)
        .contract(::graceful::__private010::Contract::new(__GRACEFUL_DURABLE.identity,
        "graceful-macros", & []).was(& ["shop::pay"]).stores({ fn __graceful_type() ->
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
                    .was(const { &["shop::pay"] })
                    .window_ms(3600000u64)
                    .durable(&__GRACEFUL_DURABLE)
            },
            move |__spec| async move {
                let (__repeatable, __entered) = ::graceful::__private010::repeatable(
                    __spec,
                    |__names| {
                        ::graceful::__private010::keyed(&key).__graceful_key(__names);
                        __names.request(&cents);
                    },
                    |_| {},
                );
                let __ended = {
                    let __locked = __entered
                        .lock(::graceful::__private010::transaction(&mut *tx))
                        .await
                        .repeatable(
                            __repeatable,
                            ::graceful::__private010::transaction(&mut *tx),
                        )
                        .await;
                    let tx = &mut *tx;
                    __locked
                        .observe(
                            ::graceful::__private010::body::<
                                Result<Receipt, Error>,
                                _,
                            >(async move {
                                if false {
                                    return {
                                        let _ = (&cents, &tx);
                                        ::graceful::__private010::never::<Result<Receipt, Error>>()
                                    };
                                }
                                '_body: { tx.pay(cents).await }
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
                        )
                        .await
                        .repeated(|__value| __value.__graceful_answer())
                };
                ::graceful::__private010::in_transaction(
                        __ended,
                        ::graceful::__private010::transaction(&mut *tx),
                        ::graceful::__private010::store_error,
                    )
                    .await
            },
        )
        .await;
}
