use graceful::orchestrate;

#[orchestrate(pattern = "user", id = id, graph(relation = "member_of", to_pattern = "team"))]
async fn no_entity(id: u64) -> Result<u64, ()> {
    Ok(id)
}

#[orchestrate(pattern = "user", id = id, graph(relation = "member_of", to = 7, to_pattern = ""))]
async fn no_name(id: u64) -> Result<u64, ()> {
    Ok(id)
}

fn main() {
    drop((no_entity(1), no_name(1)));
}
