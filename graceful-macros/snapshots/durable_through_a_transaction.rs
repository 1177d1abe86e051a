async fn save(tx: &mut Transaction<'_, Sqlite>, user: User) -> Result<User, Error> {
    const __GRACEFUL_DURABLE: ::graceful::__private::Durable = {
        const fn __graceful_here() {}
        ::graceful::__private::Durable {
            identity: || ::graceful::__private::identity(&__graceful_here),
            hooks: ::core::option::Option::Some(|__step, __flow| ::graceful::__private::boxed(async move {
                match (__step, ::graceful::Flow::is_success(&__flow)) {
                    (::graceful::Step::Audit, _) => {
                        ::graceful::__private::hook(&*__flow, to_the_log).await
                    }
                    (::graceful::Step::Alert, true) => {
                        let __hook = ::graceful::__private::restores(calm);
                        let __value = __hook.__graceful_value(&__flow)?;
                        let __view = ::graceful::__private::success(&__flow, &__value);
                        __hook.__graceful_start(&__view).await
                    }
                    (::graceful::Step::Alert, false) => {
                        let __hook = ::graceful::__private::detached(page);
                        let __view = __hook.__graceful_view(&__flow);
                        __hook.__graceful_start(&__view).await
                    }
                    _ => ::graceful::__private::no_hook(),
                }
            })),
        }
    };
    ::graceful::__private::inventory::submit! {
        ::graceful::__private::Registered::new("save", ::core::module_path!(), "user")
        .durable(& __GRACEFUL_DURABLE)
    }
    return ::graceful::__private::call(
            ::core::pin::pin!(::core::option::Option::None),
            const {
                &::graceful::__private::Site::new("save", "user", "save")
                    .hook(::graceful::Step::Audit)
                    .hook_ok(::graceful::Step::Alert)
                    .hook_err(::graceful::Step::Alert)
                    .durable(&__GRACEFUL_DURABLE)
            },
            move |__site| async move {
                let __ended = {
                    let __locked = ::graceful::__private::enter(
                            __site,
                            |__draft| {
                                if __draft.needs(::graceful::__private::Argument::Id) {
                                    __draft.id(&user.id)
                                }
                            },
                        )
                        .lock(::graceful::__private::transaction(&mut *tx))
                        .await;
                    let tx = &mut *tx;
                    __locked
                        .observe(
                            ::graceful::__private::body::<
                                Result<User, Error>,
                                _,
                            >(async move {
                                if false {
                                    return {
                                        let _ = (&user, &tx);
                                        ::graceful::__private::never::<Result<User, Error>>()
                                    };
                                }
                                '_body: { user.save(tx).await }
                            }),
                            move |__draft, __result| {
                                ::graceful::__private::probe(__result)
                                    .__graceful_needed_payload(__draft)
                            },
                            |__draft, __error| {
                                ::graceful::__private::probe(__error)
                                    .__graceful_classify(__draft);
                                ::graceful::__private::cause(__error)
                                    .__graceful_cause(__draft);
                            },
                        )
                        .await
                        .typed_hooks(|__step, __flow, __result| async move {
                            match (
                                __step,
                                ::graceful::__private::arm(&__flow, &*__result),
                            ) {
                                (
                                    ::graceful::Step::Alert,
                                    ::graceful::__private::Arm::Success(__view),
                                ) => ::graceful::__private::hook(&__view, calm).await,
                                (
                                    ::graceful::Step::Alert,
                                    ::graceful::__private::Arm::Failure(__view),
                                ) => ::graceful::__private::hook(&__view, page).await,
                                _ => ::graceful::__private::no_hook(),
                            }
                        })
                };
                ::graceful::__private::in_transaction(
                        __ended,
                        ::graceful::__private::transaction(&mut *tx),
                        ::graceful::__private::store_error,
                    )
                    .await
            },
        )
        .await;
}
