fn get(&self, id: u64) -> impl Future<Output = Result<User, Error>> + Send {
    const fn __graceful_here() {}
    ::graceful::__private::inventory::submit! {
        ::graceful::__private::Registered::new("get", ::core::module_path!(), "user")
    }
    return (::core::future::IntoFuture::into_future)({
        let __call = ::graceful::__private::enter_eager(
                const {
                    &::graceful::__private::Site::new("get", "user", "get")
                        .identity(|| ::graceful::__private::identity(&__graceful_here))
                },
                |__draft| {
                    if __draft.needs(::graceful::__private::Argument::Id) {
                        __draft.id(&id)
                    }
                },
            )
            .run(
                ::graceful::__private::called::<
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
                move |__draft, __result| {
                    ::graceful::__private::probe(__result).__graceful_payload(__draft)
                },
                |__draft, __error| {
                    ::graceful::__private::probe(__error).__graceful_classify(__draft);
                    ::graceful::__private::cause(__error).__graceful_cause(__draft);
                },
            );
        __call.__graceful_sends().__graceful_run(__call)
    });
}
