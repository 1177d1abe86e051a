#[must_use]
pub(crate) async fn update_user(user: User) -> Result<User, UserError> {
    const fn __graceful_here() {}
    ::graceful::__private010::inventory::submit! {
        ::graceful::__private010::Registered::new("update_user", ::core::module_path!(),
        "user").declares(& [::graceful::Step::Cache, ::graceful::Step::Event])
        .caches("{}", { fn __graceful_type() -> & 'static ::core::primitive::str {
        ::graceful::__private010::cached:: < Result < User, UserError > > ()
        .__graceful_type() } __graceful_type }).keyed("{}")
        .contract(::graceful::__private010::Contract::new(::graceful::__private010::identity(__graceful_here),
        "graceful-macros", & []).event("user_updated", "user_updated.failed").emits({ fn
        __graceful_type() -> ::graceful::__private010::PayloadType {
        ::graceful::__private010::contracted:: < Result < User, UserError > > ()
        .__graceful_type() } __graceful_type }).errors({ fn __graceful_type() ->
        ::graceful::__private010::ErrorCodes { ::graceful::__private010::contracted:: <
        Result < User, UserError > > ().__graceful_codes() } __graceful_type }))
    }
    return ::graceful::__private010::call(
            ::core::pin::pin!(::core::option::Option::None),
            const {
                &::graceful::__private010::HandlerSpec::new(
                        "update_user",
                        "user",
                        "user updated",
                    )
                    .event("user_updated", "user_updated.failed")
                    .identity(::graceful::__private010::identity(__graceful_here))
            },
            move |__spec| {
                (::graceful::__private010::enter(
                    __spec,
                    |__builder| {
                        if __builder.needs(::graceful::__private010::Argument::Key) {
                            __builder.key(&user.id)
                        }
                    },
                ))
                    .run(
                        ::graceful::__private010::body::<
                            Result<User, UserError>,
                            _,
                        >(async move {
                            if false {
                                return {
                                    let _ = (&user,);
                                    ::graceful::__private010::never::<Result<User, UserError>>()
                                };
                            }
                            '_body: { Ok(user) }
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
            },
        )
        .await;
}
