/// Kept.
#[must_use]
pub(crate) async fn update_user(user: User) -> Result<User, UserError> {
    ::graceful::__private::call(
            const {
                &::graceful::__private::Site::new("update_user", "user", "user updated")
                    .event("user_updated", "user_updated.failed")
            },
            move |site| {
                ::graceful::__private::enter(site, |draft| draft.key(&user.id))
                    .run(
                        async move {
                            if false {
                                return ::graceful::__private::never::<
                                    Result<User, UserError>,
                                >((&user,));
                            }
                            { Ok(user) }
                        },
                        move |draft, result| {
                            ::graceful::__private::probe(result).payload(draft)
                        },
                        |draft, error| {
                            ::graceful::__private::probe(error).classify(draft)
                        },
                    )
            },
        )
        .await
}
