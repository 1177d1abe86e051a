fn get(&self, id: u64) -> impl Future<Output = Result<User, Error>> + Send {
    const fn __graceful_here() {}
    ::graceful::__private010::inventory::submit! {
        ::graceful::__private010::Registered::new("get", ::core::module_path!(), "user")
        .contract(::graceful::__private010::Contract::new(::graceful::__private010::identity(__graceful_here),
        "graceful-macros", & []))
    }
    return (::core::future::IntoFuture::into_future)({
        let __call = ::graceful::__private010::enter_eager(
                const {
                    &::graceful::__private010::HandlerSpec::new("get", "user", "get")
                        .identity(::graceful::__private010::identity(__graceful_here))
                },
                |__builder| {
                    if __builder.needs(::graceful::__private010::Argument::Id) {
                        __builder.id(&id)
                    }
                },
            )
            .run(
                ::graceful::__private010::called::<
                    Result<User, Error>,
                    _,
                    _,
                >(move || {
                    let _ = (&id,);
                    '_body: {
                        let users = self.users.clone();
                        async move { users.get(id).await }
                    }
                }),
                move |__builder, __result| {
                    ::graceful::__private010::probe(__result)
                        .__graceful_payload(__builder)
                },
                |__builder, __error| {
                    ::graceful::__private010::probe(__error)
                        .__graceful_classify(__builder);
                    ::graceful::__private010::cause(__error).__graceful_cause(__builder);
                },
            );
        __call.__graceful_sends().__graceful_run(__call)
    });
}
