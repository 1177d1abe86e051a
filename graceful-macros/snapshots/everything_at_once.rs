async fn save(
    &self,
    tenant: String,
    _unnamed_2: Guard,
    user: User,
) -> Result<impl Saved, Error> {
    const fn __graceful_here() {}
    my::graceful::__private::inventory::submit! {
        my::graceful::__private::Registered::new("save", ::core::module_path!(), "user")
        .declares(& [my::graceful::Step::Cache, my::graceful::Step::Graph,
        my::graceful::Step::Schedule, my::graceful::Step::Event])
    }
    return my::graceful::__private::call(
            ::core::pin::pin!(::core::option::Option::None),
            const {
                &my::graceful::__private::Site::new("save", "user", "saved")
                    .event("saved", "saved.failed")
                    .tags(const { &["billing"] })
                    .cache_ttl_ms(60000u64)
                    .on_err(my::graceful::OnErr::Keep)
                    .relation("owned_by")
                    .to_pattern("tenant")
                    .schedule_after_ms(3600000u64)
                    .severity(my::graceful::Severity::Critical)
                    .timeout_ms(my::graceful::Step::Schedule, 2000u32)
                    .off(my::graceful::Step::Nexus)
                    .required(my::graceful::Step::Alert)
                    .hook(my::graceful::Step::Audit)
                    .hook_ok(my::graceful::Step::Alert)
                    .hook_err(my::graceful::Step::Alert)
                    .identity(|| my::graceful::__private::identity(&__graceful_here))
                    .hooks(|__step, __flow| my::graceful::__private::boxed(async move {
                        match (__step, my::graceful::Flow::is_success(&__flow)) {
                            (my::graceful::Step::Audit, _) => {
                                my::graceful::__private::hook(&*__flow, to_the_log).await
                            }
                            (my::graceful::Step::Alert, false) => {
                                let __hook = my::graceful::__private::detached(page);
                                let __view = __hook.__graceful_view(&__flow);
                                __hook.__graceful_start(&__view).await
                            }
                            _ => my::graceful::__private::no_hook(),
                        }
                    }))
            },
            move |__site| {
                (my::graceful::__private::enter_on(
                    __site,
                    &self.orchestrator,
                    |__draft| {
                        if __draft.needs(my::graceful::__private::Argument::Key) {
                            let __text = my::graceful::__private::text(
                                ::core::format_args!(
                                    "{}", my::graceful::__private::hole(& tenant)
                                ),
                            );
                            __draft.keep(0, &__text)
                        }
                        if __draft.needs(my::graceful::__private::Argument::GraphTo) {
                            __draft.graph_to(&tenant)
                        }
                        if __draft.needs(my::graceful::__private::Argument::Message) {
                            let __text = my::graceful::__private::text(
                                ::core::format_args!(
                                    "{}", my::graceful::__private::shown(& & tenant)
                                ),
                            );
                            __draft.keep(1, &__text)
                        }
                    },
                ))
                    .prepare(
                        my::graceful::__private::body::<
                            Result<_, Error>,
                            _,
                        >(async move {
                            if false {
                                return {
                                    let _ = (&_unnamed_2, &tenant);
                                    my::graceful::__private::never::<Result<_, Error>>()
                                };
                            }
                            {
                                let mut user = user;
                                '_body: { user.save(tenant).await }
                            }
                        }),
                        move |__draft, result| {
                            if __draft.needs(my::graceful::__private::Argument::Key) {
                                let __text = my::graceful::__private::text(
                                    ::core::format_args!(
                                        "{}/{}", my::graceful::__private::Draft::kept(__draft, 0),
                                        my::graceful::__private::hole(& result.id)
                                    ),
                                );
                                __draft.key(&__text)
                            }
                            if __draft.needs(my::graceful::__private::Argument::Version)
                            {
                                __draft.version(result.version)
                            }
                            if __draft
                                .needs(my::graceful::__private::Argument::EventPayload)
                            {
                                __draft.event_payload(&result.id)
                            }
                            if __draft.needs(my::graceful::__private::Argument::Message)
                            {
                                let __text = my::graceful::__private::text(
                                    ::core::format_args!(
                                        "{}: {}", my::graceful::__private::Draft::kept(__draft, 1),
                                        my::graceful::__private::shown(& & result.name)
                                    ),
                                );
                                __draft.message(&__text)
                            }
                            my::graceful::__private::probe(result)
                                .__graceful_payload(__draft);
                        },
                        |__draft, __error| {
                            my::graceful::__private::probe(__error)
                                .__graceful_classify(__draft);
                            my::graceful::__private::cause(__error)
                                .__graceful_cause(__draft);
                        },
                    )
                    .required(my::graceful::__private::required_error)
                    .typed_hooks(|__step, __flow, __result| async move {
                        match (
                            __step,
                            my::graceful::__private::arm(&__flow, &*__result),
                        ) {
                            (
                                my::graceful::Step::Alert,
                                my::graceful::__private::Arm::Success(__view),
                            ) => my::graceful::__private::hook(&__view, Self::calm).await,
                            (
                                my::graceful::Step::Alert,
                                my::graceful::__private::Arm::Failure(__view),
                            ) => my::graceful::__private::hook(&__view, page).await,
                            _ => my::graceful::__private::no_hook(),
                        }
                    })
                    .fallback(|__flow, __result| async move {
                        match my::graceful::__private::arm(&__flow, &*__result) {
                            my::graceful::__private::Arm::Failure(__view) => {
                                my::graceful::__private::recovered(
                                    &*__result,
                                    my::graceful::__private::recover(
                                            &*__result,
                                            &__view,
                                            recover,
                                        )
                                        .await,
                                )
                            }
                            my::graceful::__private::Arm::Success(_) => {
                                ::core::result::Result::Ok(::core::option::Option::None)
                            }
                        }
                    })
            },
        )
        .await;
}
