fn get(&self, id: u64) -> impl Future<Output = Result<User, Error>> + Send {
    let users = self.users.clone();
    async move {
        ::graceful::__private::enter(
                const { &::graceful::__private::Site::new("get", "user", "get") },
                |draft| draft.id(&id),
            )
            .run(
                async move {
                    if false {
                        return ::graceful::__private::never::<Result<User, Error>>(());
                    }
                    { users.get(id).await }
                },
                move |draft, result| ::graceful::__private::probe(result).payload(draft),
                |draft, error| ::graceful::__private::probe(error).classify(draft),
            )
            .await
    }
}
