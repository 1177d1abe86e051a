async fn save(
    &self,
    tenant: String,
    _unnamed_2: Guard,
    user: User,
) -> Result<impl Saved, Error> {
    my::graceful::__private::call(move || {
            my::graceful::__private::enter_on(
                    const {
                        &my::graceful::__private::Site::new("save", "user", "saved")
                            .event("saved", "saved.failed")
                            .tags(&["billing"])
                            .cache_ttl_ms(60000u64)
                            .on_err(my::graceful::OnErr::Keep)
                            .relation("owned_by")
                            .schedule_after_ms(3600000u64)
                            .severity(my::graceful::Severity::Critical)
                            .timeout_ms(my::graceful::Step::Schedule, 2000u32)
                            .off(my::graceful::Step::Nexus)
                            .required(my::graceful::Step::Alert)
                            .hook(my::graceful::Step::Audit)
                            .hook_ok(my::graceful::Step::Alert)
                            .hook_err(my::graceful::Step::Alert)
                            .hooks(|step, flow| my::graceful::__private::boxed(async move {
                                match step {
                                    my::graceful::Step::Audit => {
                                        my::graceful::__private::hook_result(
                                            to_the_log(&flow).await,
                                        )
                                    }
                                    my::graceful::Step::Alert => {
                                        my::graceful::__private::hook_result(
                                            page(&my::graceful::Failure::of_flow(&flow)).await,
                                        )
                                    }
                                    _ => my::graceful::__private::no_hook(),
                                }
                            }))
                    },
                    &self.orchestrator,
                    |draft| {
                        {
                            let text = my::graceful::__private::text(
                                ::core::format_args!(
                                    "{}", my::graceful::__private::hole(& tenant)
                                ),
                            );
                            draft.keep(&text)
                        };
                        draft.graph_to(&tenant);
                        {
                            let text = my::graceful::__private::text(
                                ::core::format_args!("{}", & tenant),
                            );
                            draft.keep(&text)
                        };
                    },
                )
                .run(
                    async move {
                        if false {
                            return my::graceful::__private::never::<
                                Result<_, Error>,
                            >((
                                #[allow(clippy::used_underscore_binding)]
                                &_unnamed_2,
                                &tenant,
                            ));
                        }
                        #[allow(clippy::collection_is_never_read)]
                        let mut user = user;
                        #[allow(clippy::excessive_nesting)] { user.save(tenant).await }
                    },
                    move |draft, result| {
                        {
                            let text = my::graceful::__private::text(
                                ::core::format_args!(
                                    "{}/{}", draft.kept(0), my::graceful::__private::hole(&
                                    result.id)
                                ),
                            );
                            draft.key(&text)
                        };
                        draft.version(result.version);
                        draft.event_payload(&result.id);
                        {
                            let text = my::graceful::__private::text(
                                ::core::format_args!("{}: {}", draft.kept(1), & result.name),
                            );
                            draft.message(&text)
                        };
                        my::graceful::__private::probe(result).payload(draft);
                    },
                    |draft, error| my::graceful::__private::probe(error).classify(draft),
                )
                .required(my::graceful::__private::required_error)
                .typed_hooks(|step, flow, result| async move {
                    match (step, my::graceful::__private::arm(&flow, &*result)) {
                        (
                            my::graceful::Step::Alert,
                            my::graceful::__private::Arm::Success(view),
                        ) => {
                            my::graceful::__private::hook_result(Self::calm(&view).await)
                        }
                        (
                            my::graceful::Step::Alert,
                            my::graceful::__private::Arm::Failure(view),
                        ) => my::graceful::__private::hook_result(page(&view).await),
                        _ => my::graceful::__private::no_hook(),
                    }
                })
                .fallback(|flow, result| async move {
                    match my::graceful::__private::arm(&flow, &*result) {
                        my::graceful::__private::Arm::Failure(view) => {
                            my::graceful::__private::recovered(
                                &*result,
                                recover(&view).await,
                            )
                        }
                        my::graceful::__private::Arm::Success(_) => {
                            ::core::result::Result::Ok(::core::option::Option::None)
                        }
                    }
                })
        })
        .await
}
