/// Kept.
#[must_use]
pub(crate) async fn update_user(user: User) -> Result<User, UserError> {
    const fn __graceful_here() {}
    ::graceful::__private::inventory::submit! {
        ::graceful::__private::Registered::new("update_user", ::core::module_path!(),
        "user").declares(& [::graceful::Step::Cache, ::graceful::Step::Event])
        .caches("{}", || ::graceful::__private::cached:: < Result < User, UserError > >
        ().__graceful_type())
    }
    return ::graceful::__private::call(
            ::core::pin::pin!(::core::option::Option::None),
            const {
                &::graceful::__private::Site::new("update_user", "user", "user updated")
                    .event("user_updated", "user_updated.failed")
                    .identity(|| ::graceful::__private::identity(&__graceful_here))
            },
            move |__site| {
                (::graceful::__private::enter(
                    __site,
                    |__draft| {
                        if __draft.needs(::graceful::__private::Argument::Key) {
                            __draft.key(&user.id)
                        }
                    },
                ))
                    .run(
                        ::graceful::__private::body::<
                            Result<User, UserError>,
                            _,
                        >(async move {
                            if false {
                                return {
                                    let _ = (&user,);
                                    ::graceful::__private::never::<Result<User, UserError>>()
                                };
                            }
                            '_body: { Ok(user) }
                        }),
                        move |__draft, __result| {
                            ::graceful::__private::probe(__result)
                                .__graceful_payload(__draft)
                        },
                        |__draft, __error| {
                            ::graceful::__private::probe(__error)
                                .__graceful_classify(__draft);
                            ::graceful::__private::cause(__error)
                                .__graceful_cause(__draft);
                        },
                    )
            },
        )
        .await;
}
