use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", cache = self.id)]
impl User {
    fn one(&self) -> Result<u64, Error> {
        Ok(self.id)
    }
}

#[orchestrate]
impl User {
    #[orchestrate]
    fn two(&self) -> Result<u64, Error> {
        Ok(self.id)
    }

    #[orchestrate(event)]
    fn three(&self) -> Result<u64, Error> {
        Ok(self.id)
    }
}

#[orchestrate(pattern = "user")]
impl User {
    #[orchestrate(pattern = "user")]
    const X: u64 = 1;
    #[orchestrate(event = "x")]
    fn four(&self) {}
}

#[orchestrate(pattern = "user", cache = self.idd, audit = missing)]
impl User {
    #[orchestrate]
    fn five(&self) -> Result<u64, Error> {
        Ok(self.id)
    }

    #[orchestrate]
    fn six(&self) -> Result<u64, Error> {
        Ok(self.id)
    }
}

fn main() {}
