//! The patterns of `parse` and `like`: a glob whose stars are fields, or a regular expression with named groups.

use regex_lite::Regex;

/// A pattern, and the fields that it takes out of a text.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// The expression as it is carried out. Its groups `g0`, `g1` and so on are the fields.
    regex: Regex,
    names: Vec<String>,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.regex.as_str() == other.regex.as_str() && self.names == other.names
    }
}

impl Pattern {
    /// A glob: each star is the shortest text that fits, and one that ends the glob is all that remains.
    pub fn glob(text: &str, names: Vec<String>) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('*').collect();
        if parts.len() != names.len() + 1 {
            return Err(format!("{} fields are named for {} wildcards", names.len(), parts.len() - 1));
        }
        let mut regex = regex_lite::escape(parts[0]);
        if parts[0].is_empty() {
            regex.push('^');
        }
        for (index, part) in parts.iter().skip(1).enumerate() {
            let is_last = index + 2 == parts.len() && part.is_empty();
            let any = if is_last { "[\\s\\S]*" } else { "[\\s\\S]*?" };
            regex += &format!("(?<g{index}>{any}){}", regex_lite::escape(part));
        }
        Self::compiled(&regex, names)
    }

    /// A regular expression; its groups may have names that begin with `@`.
    pub fn regex(text: &str) -> Result<Self, String> {
        let (mut regex, mut names, mut rest) = (String::new(), Vec::new(), text);
        while let Some((before, after)) = rest.split_once("(?") {
            regex += before;
            let group = after.strip_prefix("P<").or_else(|| after.strip_prefix('<'));
            let is_escaped = before.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1;
            match group.filter(|group| !is_escaped && !group.starts_with(['=', '!'])).and_then(|g| g.split_once('>')) {
                Some((name, after)) => {
                    regex += &format!("(?<g{}>", names.len());
                    names.push(name.to_owned());
                    rest = after;
                }
                None => {
                    regex += "(?";
                    rest = after;
                }
            }
        }
        Self::compiled(&(regex + rest), names)
    }

    fn compiled(regex: &str, names: Vec<String>) -> Result<Self, String> {
        let regex = Regex::new(regex).map_err(|why| why.to_string())?;
        Ok(Self { regex, names })
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The fields by name; none of them where the text does not fit.
    pub fn extract(&self, text: &str) -> impl Iterator<Item = (String, String)> {
        let found = self.regex.captures(text);
        self.names.iter().enumerate().filter_map(move |(index, name)| {
            let value = found.as_ref()?.name(&format!("g{index}"))?;
            Some((name.clone(), value.as_str().to_owned()))
        })
    }
}
