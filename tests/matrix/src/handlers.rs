//! A handler of each kind for a name, and what the program prints.

use graceful::catalogue::Catalogue;
use graceful_contract::{AsyncApi, lock, to_json, to_snapshot};

macro_rules! handlers {
    ($($name:ident)*) => {$(
        pub mod $name {
            use graceful::{Code, orchestrate};
            use schemars::JsonSchema;
            use serde::{Deserialize, Serialize};

            #[derive(Debug, Serialize, Deserialize, JsonSchema)]
            pub struct Value {
                pub id: u64,
                pub name: String,
            }

            #[orchestrate(pattern = "value", cache = id, event)]
            pub async fn update(id: u64) -> Result<Value, Code> {
                Ok(Value { id, name: stringify!($name).to_owned() })
            }
        }
    )*};
}
pub(crate) use handlers;

/// Prints the documents of the program.
pub fn print() {
    let catalogue = Catalogue::of_program();
    let document = AsyncApi::new("matrix", "1.0.0").document(&catalogue);
    println!("{} handlers", catalogue.handlers().len());
    println!("{}\n{}\n{}\n{document}", lock(&catalogue), to_snapshot(&catalogue), to_json(&catalogue));
}
