async fn save(
    &self,
    tenant: String,
    _unnamed_2: Guard,
    user: User,
) -> Result<impl Saved, Error> {
    const fn __graceful_here() {}
    my::graceful::__private010::inventory::submit! {
        my::graceful::__private010::Registered::new("save", ::core::module_path!(),
        "user").declares(& [my::graceful::Step::Cache, my::graceful::Step::Graph,
        my::graceful::Step::Schedule, my::graceful::Step::Event]).keyed("{}/{}")
        .versioned().keeps().over_result()
        .contract(my::graceful::__private010::Contract::new(my::graceful::__private010::identity(__graceful_here),
        "graceful-macros", & []).event("saved", "saved.failed").emits({ fn
        __graceful_type() -> my::graceful::__private010::PayloadType {
        my::graceful::__private010::opaque("`event(payload = …)` is an expression, whose type the attribute does not see")
        } __graceful_type }))
    }
    return my::graceful::__private010::call(
            ::core::pin::pin!(::core::option::Option::None),
            const {
                &my::graceful::__private010::HandlerSpec::new("save", "user", "saved")
                    .event("saved", "saved.failed")
                    .tags(const { &["billing"] })
                    .cache_ttl_ms(60000u64)
                    .on_err(my::graceful::__private010::OnErr::Keep)
                    .relation("owned_by")
                    .to_pattern("tenant")
                    .schedule_after_ms(3600000u64)
                    .severity(my::graceful::__private010::Severity::Critical)
                    .timeout_ms(my::graceful::__private010::Step::Schedule, 2000u32)
                    .off(my::graceful::__private010::Step::Nexus)
                    .required(my::graceful::__private010::Step::Alert)
                    .hook(my::graceful::__private010::Step::Audit)
                    .hook_ok(my::graceful::__private010::Step::Alert)
                    .hook_err(my::graceful::__private010::Step::Alert)
                    .identity(my::graceful::__private010::identity(__graceful_here))
                    .hooks(|__step, __flow| my::graceful::__private010::boxed(async move {
                        match (__step, my::graceful::Flow::is_success(&__flow)) {
                            (my::graceful::Step::Audit, _) => {
                                my::graceful::__private010::hook(&*__flow, to_the_log).await
                            }
                            (my::graceful::Step::Alert, false) => {
                                let __hook = my::graceful::__private010::detached(page);
                                let __view = __hook.__graceful_view(&__flow);
                                __hook.__graceful_start(&__view).await
                            }
                            _ => my::graceful::__private010::no_hook(),
                        }
                    }))
            },
            move |__spec| {
                (my::graceful::__private010::enter_on(
                    __spec,
                    &self.orchestrator,
                    |__builder| {
                        if __builder.needs(my::graceful::__private010::Argument::Key) {
                            let __text = my::graceful::__private010::text(
                                ::core::format_args!(
                                    "{}", my::graceful::__private010::hole(& tenant)
                                ),
                            );
                            __builder.keep(0, &__text)
                        }
                        if __builder.needs(my::graceful::__private010::Argument::GraphTo)
                        {
                            __builder.graph_to(&tenant)
                        }
                        if __builder.needs(my::graceful::__private010::Argument::Message)
                        {
                            let __text = my::graceful::__private010::text(
                                ::core::format_args!(
                                    "{}", my::graceful::__private010::shown(& & tenant)
                                ),
                            );
                            __builder.keep(1, &__text)
                        }
                    },
                ))
                    .prepare(
                        my::graceful::__private010::body::<
                            Result<_, Error>,
                            _,
                        >(async move {
                            if false {
                                return {
                                    let _ = (&_unnamed_2, &tenant);
                                    my::graceful::__private010::never::<Result<_, Error>>()
                                };
                            }
                            {
                                let mut user = user;
                                '_body: { user.save(tenant).await }
                            }
                        }),
                        move |__builder, result| {
                            if __builder.needs(my::graceful::__private010::Argument::Key)
                            {
                                let __text = my::graceful::__private010::text(
                                    ::core::format_args!(
                                        "{}/{}",
                                        my::graceful::__private010::FlowBuilder::kept(__builder, 0),
                                        my::graceful::__private010::hole(& result.id)
                                    ),
                                );
                                __builder.key(&__text)
                            }
                            if __builder
                                .needs(my::graceful::__private010::Argument::Version)
                            {
                                __builder.version(result.version)
                            }
                            if __builder
                                .needs(my::graceful::__private010::Argument::EventPayload)
                            {
                                __builder.event_payload(&result.id)
                            }
                            if __builder
                                .needs(my::graceful::__private010::Argument::Message)
                            {
                                let __text = my::graceful::__private010::text(
                                    ::core::format_args!(
                                        "{}: {}",
                                        my::graceful::__private010::FlowBuilder::kept(__builder, 1),
                                        my::graceful::__private010::shown(& & result.name)
                                    ),
                                );
                                __builder.message(&__text)
                            }
                            my::graceful::__private010::probe(result)
                                .__graceful_payload(__builder);
                        },
                        |__builder, __error| {
                            my::graceful::__private010::probe(__error)
                                .__graceful_classify(__builder);
                            my::graceful::__private010::cause(__error)
                                .__graceful_cause(__builder);
                        },
                    )
                    .required(my::graceful::__private010::required_error)
                    .typed_hooks(|__step, __flow, __result| async move {
                        match (
                            __step,
                            my::graceful::__private010::arm(&__flow, &*__result),
                        ) {
                            (
                                my::graceful::Step::Alert,
                                my::graceful::__private010::Arm::Success(__view),
                            ) => {
                                my::graceful::__private010::hook(&__view, Self::calm).await
                            }
                            (
                                my::graceful::Step::Alert,
                                my::graceful::__private010::Arm::Failure(__view),
                            ) => my::graceful::__private010::hook(&__view, page).await,
                            _ => my::graceful::__private010::no_hook(),
                        }
                    })
                    .fallback(|__flow, __result| async move {
                        match my::graceful::__private010::arm(&__flow, &*__result) {
                            my::graceful::__private010::Arm::Failure(__view) => {
                                my::graceful::__private010::recovered(
                                    &*__result,
                                    my::graceful::__private010::recover(
                                            &*__result,
                                            &__view,
                                            recover,
                                        )
                                        .await,
                                )
                            }
                            my::graceful::__private010::Arm::Success(_) => {
                                ::core::result::Result::Ok(::core::option::Option::None)
                            }
                        }
                    })
            },
        )
        .await;
}
