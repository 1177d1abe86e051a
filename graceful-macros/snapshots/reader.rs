async fn list(
    customer: u64,
    shop: Option<u64>,
    page: u32,
    who: String,
) -> Result<Vec<Order>, Error> {
    const fn __graceful_here() {}
    ::graceful::__private010::inventory::submit! {
        ::graceful::__private010::Registered::new("list", ::core::module_path!(),
        "order_list").declares(& [::graceful::Step::Cache, ::graceful::Step::Audit])
        .caches("{}/{}", { fn __graceful_type() -> & 'static ::core::primitive::str {
        ::graceful::__private010::cached:: < Result < Vec < Order >, Error > > ()
        .__graceful_type() } __graceful_type }).keyed("{}/{}").reads().per_actor()
        .unwritten().rev(2u32).depends_on(& ["customer", "shop", "prices"])
        .contract(::graceful::__private010::Contract::new(::graceful::__private010::identity(__graceful_here),
        "graceful-macros", & []).stores({ fn __graceful_type() ->
        ::graceful::__private010::PayloadType { ::graceful::__private010::contracted:: <
        Result < Vec < Order >, Error > > ().__graceful_type() } __graceful_type })
        .errors({ fn __graceful_type() -> ::graceful::__private010::ErrorCodes {
        ::graceful::__private010::contracted:: < Result < Vec < Order >, Error > > ()
        .__graceful_codes() } __graceful_type }))
    }
    return ::graceful::__private010::call(
            ::core::pin::pin!(::core::option::Option::None),
            const {
                &::graceful::__private010::HandlerSpec::new("list", "order_list", "list")
                    .refresh_ms(480000u64)
                    .wait_ms(1000u64)
                    .lag_ms(500u64)
                    .rev(2u32)
                    .reads()
                    .per_actor()
                    .audit_payload()
                    .off(::graceful::__private010::Step::Metadata)
                    .off(::graceful::__private010::Step::Graph)
                    .off(::graceful::__private010::Step::Event)
                    .off(::graceful::__private010::Step::Nexus)
                    .identity(::graceful::__private010::identity(__graceful_here))
            },
            move |__spec| {
                let (__reading, __entered) = ::graceful::__private010::read(
                    __spec,
                    |__names| {
                        __names.when(page < 9);
                        __names.actor(&who);
                        {
                            let __text = ::graceful::__private010::text(
                                ::core::format_args!(
                                    "{}/{}", ::graceful::__private010::hole(& customer),
                                    ::graceful::__private010::hole(& page)
                                ),
                            );
                            __names.key(&__text)
                        };
                        __names
                            .depends_on(
                                "customer",
                                |__each| {
                                    ::graceful::__private010::ids(&customer)
                                        .__graceful_each(__each)
                                },
                            );
                        __names
                            .depends_on(
                                "shop",
                                |__each| {
                                    ::graceful::__private010::ids(&shop)
                                        .__graceful_each(__each);
                                    __each(
                                        &::graceful::__private010::text(
                                            ::core::format_args!(
                                                "{}/{}", ::graceful::__private010::hole(& customer),
                                                ::graceful::__private010::hole(& shop)
                                            ),
                                        ),
                                    );
                                },
                            );
                        __names
                            .depends_on(
                                "prices",
                                |__each| {
                                    ::graceful::__private010::ids(&"()").__graceful_each(__each)
                                },
                            );
                    },
                    |__builder| {
                        if __builder.needs(::graceful::__private010::Argument::When) {
                            __builder.when(page < 9)
                        }
                        if __builder.needs(::graceful::__private010::Argument::Actor) {
                            __builder.actor(&who)
                        }
                    },
                );
                __reading
                    .through(
                        (__entered)
                            .prepare(
                                ::graceful::__private010::body::<
                                    Result<Vec<Order>, Error>,
                                    _,
                                >(async move {
                                    if false {
                                        return {
                                            let _ = (&page, &shop, &customer);
                                            ::graceful::__private010::never::<
                                                Result<Vec<Order>, Error>,
                                            >()
                                        };
                                    }
                                    '_body: { orders(customer, shop, page).await }
                                }),
                                move |__builder, __result| {
                                    ::graceful::__private010::probe(__result)
                                        .__graceful_needed_read(__builder)
                                },
                                |__builder, __error| {
                                    ::graceful::__private010::probe(__error)
                                        .__graceful_classify(__builder);
                                    ::graceful::__private010::cause(__error)
                                        .__graceful_cause(__builder);
                                },
                            ),
                        |__value| __value.__graceful_read(),
                    )
            },
        )
        .await;
}
