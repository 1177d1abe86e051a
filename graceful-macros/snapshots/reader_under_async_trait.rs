fn get<'life0, 'async_trait>(
    &'life0 self,
    id: u64,
) -> Pin<Box<dyn Future<Output = Result<User, Error>> + Send + 'async_trait>>
where
    'life0: 'async_trait,
    Self: 'async_trait,
{
    const fn __graceful_here() {}
    ::graceful::__private010::inventory::submit! {
        ::graceful::__private010::Registered::new("get", ::core::module_path!(), "user")
        .declares(& [::graceful::Step::Cache]).keyed("{}").reads()
        .contract(::graceful::__private010::Contract::new(::graceful::__private010::identity(__graceful_here),
        "graceful-macros", & []).stores({ fn __graceful_type() ->
        ::graceful::__private010::PayloadType {
        ::graceful::__private010::opaque("the function returns a boxed future, whose type the attribute does not see")
        } __graceful_type }))
    }
    Box::pin(async move {
        let __self = self;
        let id = id;
        let (__reading, __entered) = ::graceful::__private010::read_on(
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
            &__self.orchestrator,
            |__names| __names.key(&id),
            |_| {},
        );
        __reading
            .through(
                __entered
                    .prepare(
                        async move {
                            if false {
                                return {
                                    let _ = ();
                                    ::graceful::__private010::never::<
                                        <Pin<
                                            Box<
                                                dyn Future<
                                                    Output = Result<User, Error>,
                                                > + Send + 'async_trait,
                                            >,
                                        > as ::core::future::Future>::Output,
                                    >()
                                };
                            }
                            {
                                if let Some(__ret) = None::<Result<User, Error>> {
                                    return __ret;
                                }
                                let __ret: Result<User, Error> = {
                                    __self.users.get(id).await
                                };
                                __ret
                            }
                        },
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
            .await
    })
}
