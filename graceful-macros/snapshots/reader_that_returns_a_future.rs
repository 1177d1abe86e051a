fn all(&self) -> impl Future<Output = Result<Vec<User>, Error>> + Send {
    const fn __graceful_here() {}
    ::graceful::__private010::inventory::submit! {
        ::graceful::__private010::Registered::new("all", ::core::module_path!(), "user")
        .declares(& [::graceful::Step::Cache]).keyed("()").reads()
        .contract(::graceful::__private010::Contract::new(::graceful::__private010::identity(__graceful_here),
        "graceful-macros", & []).stores({ fn __graceful_type() ->
        ::graceful::__private010::PayloadType {
        ::graceful::__private010::opaque("its type may be a parameter of the `impl` block: write `#[orchestrate]` on the block, too")
        } __graceful_type }))
    }
    return (::core::future::IntoFuture::into_future)({
        let (__reading, __entered) = ::graceful::__private010::read_eager(
            const {
                &::graceful::__private010::HandlerSpec::new("all", "user", "all")
                    .reads()
                    .off(::graceful::__private010::Step::Metadata)
                    .off(::graceful::__private010::Step::Graph)
                    .off(::graceful::__private010::Step::Event)
                    .off(::graceful::__private010::Step::Nexus)
                    .off(::graceful::__private010::Step::Audit)
                    .identity(::graceful::__private010::identity(__graceful_here))
            },
            |__names| __names.key(&"()"),
            |_| {},
        );
        __reading
            .through(
                __entered
                    .prepare(
                        ::graceful::__private010::called::<
                            Result<Vec<User>, Error>,
                            _,
                            _,
                        >(move || {
                            '_body: {
                                let users = self.users.clone();
                                async move { users.all().await }
                            }
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
    });
}
