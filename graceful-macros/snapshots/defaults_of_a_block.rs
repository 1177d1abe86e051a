impl Users {
    #[graceful::orchestrate(__defaults(__parameters(), pattern = "user"), event)]
    async fn one(&self) -> Result<(), Error> {}
    #[orchestrate(__defaults(__parameters(), pattern = "user"))]
    async fn two(&self) -> Result<(), Error> {}
    async fn not_annotated(&self) {}
}
