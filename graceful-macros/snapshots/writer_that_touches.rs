async fn update(
    tx: &mut Transaction<'_>,
    order: Order,
    old_customer: u64,
) -> Result<Order, Error> {
    const __GRACEFUL_DURABLE: ::graceful::__private010::Durable = {
        const fn __graceful_here() {}
        ::graceful::__private010::Durable {
            identity: ::graceful::__private010::identity(__graceful_here),
            was: &[],
            hooks: ::core::option::Option::None,
        }
    };
    ::graceful::__private010::inventory::submit! {
        ::graceful::__private010::Registered::new("update", ::core::module_path!(),
        "order").declares(& [::graceful::Step::Cache]).durable(& __GRACEFUL_DURABLE)
        .caches("{}", { fn __graceful_type() -> & 'static ::core::primitive::str {
        ::graceful::__private010::cached:: < Result < Order, Error > > ()
        .__graceful_type() } __graceful_type }).keyed("{}").shared().rev(2u32)
        .depends_on(& ["shop"]).touches(& ["customer", "type", "order-page"])
        .contract(::graceful::__private010::Contract::new(__GRACEFUL_DURABLE.identity,
        "graceful-macros", & []).errors({ fn __graceful_type() ->
        ::graceful::__private010::ErrorCodes { ::graceful::__private010::contracted:: <
        Result < Order, Error > > ().__graceful_codes() } __graceful_type }))
    }
    return ::graceful::__private010::call(
            ::core::pin::pin!(::core::option::Option::None),
            const {
                &::graceful::__private010::HandlerSpec::new("update", "order", "update")
                    .hold_optional()
                    .durable(&__GRACEFUL_DURABLE)
            },
            move |__spec| async move {
                let __ended = {
                    let __locked = ::graceful::__private010::enter(
                            __spec,
                            |__builder| {
                                if __builder.needs(::graceful::__private010::Argument::Key)
                                {
                                    __builder.key(&order.id)
                                }
                                if __builder
                                    .needs(::graceful::__private010::Argument::Touches)
                                {
                                    __builder
                                        .touches(
                                            "customer",
                                            |__each| {
                                                ::graceful::__private010::ids(&order.customer)
                                                    .__graceful_each(__each);
                                                ::graceful::__private010::ids(&old_customer)
                                                    .__graceful_each(__each);
                                            },
                                        )
                                }
                                if __builder
                                    .needs(::graceful::__private010::Argument::Touches)
                                {
                                    __builder
                                        .touches(
                                            "type",
                                            |__each| {
                                                ::graceful::__private010::ids(&order.kind)
                                                    .__graceful_each(__each)
                                            },
                                        )
                                }
                                if __builder
                                    .needs(::graceful::__private010::Argument::Touches)
                                {
                                    __builder
                                        .touches(
                                            "order-page",
                                            |__each| {
                                                ::graceful::__private010::ids(&order.id)
                                                    .__graceful_each(__each)
                                            },
                                        )
                                }
                                if __builder
                                    .needs(::graceful::__private010::Argument::DependsOn)
                                {
                                    __builder
                                        .depends_on(
                                            "shop",
                                            |__each| {
                                                ::graceful::__private010::ids(&order.shop)
                                                    .__graceful_each(__each)
                                            },
                                        )
                                }
                            },
                        )
                        .lock(::graceful::__private010::transaction(&mut *tx))
                        .await;
                    let tx = &mut *tx;
                    __locked
                        .observe(
                            ::graceful::__private010::body::<
                                Result<Order, Error>,
                                _,
                            >(async move {
                                if false {
                                    return {
                                        let _ = (&order, &tx);
                                        ::graceful::__private010::never::<Result<Order, Error>>()
                                    };
                                }
                                '_body: { order.save(tx).await }
                            }),
                            move |__builder, __result| {
                                ::graceful::__private010::probe(__result)
                                    .__graceful_payload(__builder)
                            },
                            |__builder, __error| {
                                ::graceful::__private010::probe(__error)
                                    .__graceful_classify(__builder);
                                ::graceful::__private010::cause(__error)
                                    .__graceful_cause(__builder);
                            },
                        )
                        .await
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
