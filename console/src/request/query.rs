//! The keys and values of a URL's query or of a form.

use url::form_urlencoded;

use crate::page::PageError;

/// Keys and values, from which each page or action takes its own. What is left is a mistake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// Takes the value of a key, if it is there and not empty. A browser sends each field of a form, empty ones too.
    ///
    /// # Errors
    /// Fails if the key is given twice.
    pub(crate) fn take(&mut self, key: &str) -> Result<Option<String>, PageError> {
        let mut values = self.take_all(key);
        match values.len() {
            0 | 1 => Ok(values.pop().filter(|value| !value.is_empty())),
            _ => Err(PageError::invalid(format_args!("`{key}` is given twice"))),
        }
    }

    /// Takes a value that must be there.
    pub(crate) fn need(&mut self, key: &str) -> Result<String, PageError> {
        self.take(key)?.ok_or_else(|| PageError::invalid(format_args!("`{key}` is missing")))
    }

    /// Takes a value and parses it.
    pub(crate) fn take_parsed<T: std::str::FromStr>(&mut self, key: &str) -> Result<Option<T>, PageError> {
        let parse = |value: String| {
            value.parse().map_err(|_| PageError::invalid(format_args!("{key}: `{value}` is not valid")))
        };
        self.take(key)?.map(parse).transpose()
    }

    /// Takes all values of a key, such as those of ticked boxes.
    pub(crate) fn take_all(&mut self, key: &str) -> Vec<String> {
        let taken = self.0.extract_if(.., |(known, _)| known == key);
        taken.map(|(_, value)| value).collect()
    }

    /// Takes all that is left.
    pub(crate) fn take_rest(&mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.0)
    }

    /// Checks that nothing is left.
    pub(crate) fn end(&self) -> Result<(), PageError> {
        match self.0.first() {
            None => Ok(()),
            Some((key, _)) => Err(PageError::invalid(format_args!("`{key}` is not known here"))),
        }
    }
}

/// A relative link: a page, and the keys and values of its query.
pub(crate) fn link<K: AsRef<str>, V: AsRef<str>>(
    page: &str,
    pairs: impl IntoIterator<Item = (K, V)>,
) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    match (page, query.as_str()) {
        ("", "") => "./".to_owned(),
        ("", query) => format!("./?{query}"),
        (page, "") => page.to_owned(),
        (page, query) => format!("{page}?{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_a_link() {
        for value in ["a/b", "..", "%2F", "#", "x&y", "é 😀", "\n\0", &"k".repeat(1024)] {
            let link = link("entity", [("entity", value)]);
            assert!(link.bytes().all(|byte| byte.is_ascii_graphic()), "{link}");
            let mut query = Query::parse(link.split_once('?').unwrap().1.as_bytes());
            assert_eq!(query.need("entity").unwrap(), value);
            assert!(query.end().is_ok());
        }
    }

    #[test]
    fn unknown_and_repeated_keys_are_mistakes() {
        let mut query = Query::parse(b"a=1&a=2&b=3&c=");
        assert!(query.take("a").is_err());
        assert_eq!(query.take("c").unwrap(), None);
        assert!(query.end().is_err());
    }
}
