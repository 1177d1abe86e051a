async fn save(tx: &mut Transaction<'_, Sqlite>, user: User) -> Result<User, Error> {
    const __GRACEFUL_DURABLE: ::graceful::__private010::Durable = {
        const fn __graceful_here() {}
        ::graceful::__private010::Durable {
            identity: ::graceful::__private010::identity(__graceful_here),
            was: &[],
            hooks: ::core::option::Option::Some(|__step, __flow| ::graceful::__private010::boxed(async move {
                match (__step, ::graceful::Flow::is_success(&__flow)) {
                    (::graceful::Step::Audit, _) => {
                        ::graceful::__private010::hook(&*__flow, to_the_log).await
                    }
                    (::graceful::Step::Alert, true) => {
                        let __hook = ::graceful::__private010::restores(calm);
                        let __value = __hook.__graceful_value(&__flow)?;
                        let __view = ::graceful::__private010::success(
                            &__flow,
                            &__value,
                        );
                        __hook.__graceful_start(&__view).await
                    }
                    (::graceful::Step::Alert, false) => {
                        let __hook = ::graceful::__private010::detached(page);
                        let __view = __hook.__graceful_view(&__flow);
                        __hook.__graceful_start(&__view).await
                    }
                    _ => ::graceful::__private010::no_hook(),
                }
            })),
        }
    };
    ::graceful::__private010::inventory::submit! {
        ::graceful::__private010::Registered::new("save", ::core::module_path!(), "user")
        .durable(& __GRACEFUL_DURABLE)
        .contract(::graceful::__private010::Contract::new(__GRACEFUL_DURABLE.identity,
        "graceful-macros", & []).stores({ fn __graceful_type() ->
        ::graceful::__private010::PayloadType { ::graceful::__private010::contracted:: <
        Result < User, Error > > ().__graceful_type() } __graceful_type }).errors({ fn
        __graceful_type() -> ::graceful::__private010::ErrorCodes {
        ::graceful::__private010::contracted:: < Result < User, Error > > ()
        .__graceful_codes() } __graceful_type }))
    }
    return ::graceful::__private010::call(
            ::core::pin::pin!(::core::option::Option::None),
            const {
                &::graceful::__private010::HandlerSpec::new("save", "user", "save")
                    .hook(::graceful::__private010::Step::Audit)
                    .hook_ok(::graceful::__private010::Step::Alert)
                    .hook_err(::graceful::__private010::Step::Alert)
                    .durable(&__GRACEFUL_DURABLE)
            },
            move |__spec| async move {
                let __ended = {
                    let __locked = ::graceful::__private010::enter(
                            __spec,
                            |__builder| {
                                if __builder.needs(::graceful::__private010::Argument::Id) {
                                    __builder.id(&user.id)
                                }
                            },
                        )
                        .lock(::graceful::__private010::transaction(&mut *tx))
                        .await;
                    let tx = &mut *tx;
                    __locked
                        .observe(
                            ::graceful::__private010::body::<
                                Result<User, Error>,
                                _,
                            >(async move {
                                if false {
                                    return {
                                        let _ = (&user, &tx);
                                        ::graceful::__private010::never::<Result<User, Error>>()
                                    };
                                }
                                '_body: { user.save(tx).await }
                            }),
                            move |__builder, __result| {
                                ::graceful::__private010::probe(__result)
                                    .__graceful_needed_payload(__builder)
                            },
                            |__builder, __error| {
                                ::graceful::__private010::probe(__error)
                                    .__graceful_classify(__builder);
                                ::graceful::__private010::cause(__error)
                                    .__graceful_cause(__builder);
                            },
                        )
                        .await
                        .typed_hooks(|__step, __flow, __result| async move {
                            match (
                                __step,
                                ::graceful::__private010::arm(&__flow, &*__result),
                            ) {
                                (
                                    ::graceful::Step::Alert,
                                    ::graceful::__private010::Arm::Success(__view),
                                ) => ::graceful::__private010::hook(&__view, calm).await,
                                (
                                    ::graceful::Step::Alert,
                                    ::graceful::__private010::Arm::Failure(__view),
                                ) => ::graceful::__private010::hook(&__view, page).await,
                                _ => ::graceful::__private010::no_hook(),
                            }
                        })
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
