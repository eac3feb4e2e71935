//! The regular expressions of filter patterns: classes, repetitions, anchors and alternatives, without groups
//! ("Supported regular expressions"). Matching takes time that grows with the text and the expression, never more.

/// A parsed expression: alternatives, each a sequence of pieces.
#[derive(Clone, Debug, PartialEq)]
pub struct Regex {
    alternatives: Vec<Vec<Piece>>,
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Start,
    End,
    /// One character, `least` to `most` times.
    Repeat {
        class: Class,
        least: usize,
        most: usize,
    },
}

#[derive(Clone, Debug, PartialEq)]
struct Class {
    is_negated: bool,
    ranges: Vec<(char, char)>,
}

/// `{m,n}` goes no further, and an open end means this.
const REPEAT_MAX: usize = 1000;

impl Class {
    fn one(c: char) -> Self {
        Self { is_negated: false, ranges: vec![(c, c)] }
    }

    fn holds(&self, c: char) -> bool {
        self.ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != self.is_negated
    }

    /// `\d` and its kin.
    fn escaped(c: char) -> Option<Self> {
        let ranges = match c.to_ascii_lowercase() {
            'd' => vec![('0', '9')],
            'w' => vec![('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
            's' => vec![(' ', ' '), ('\t', '\t'), ('\n', '\n'), ('\r', '\r')],
            _ => return None,
        };
        Some(Self { is_negated: c.is_ascii_uppercase(), ranges })
    }
}

impl Regex {
    /// Reads an expression; says what is wrong with it otherwise.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut alternatives = vec![Vec::new()];
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let pieces = alternatives.last_mut().ok_or("empty")?;
            let class = match c {
                '|' => {
                    alternatives.push(Vec::new());
                    continue;
                }
                '^' => {
                    pieces.push(Piece::Start);
                    continue;
                }
                '$' => {
                    pieces.push(Piece::End);
                    continue;
                }
                '.' => Class { is_negated: true, ranges: vec![('\n', '\n')] },
                '[' => class(&mut chars)?,
                '\\' => escape(&mut chars)?,
                '*' | '+' | '?' | '{' | '(' | ')' => return Err(format!("unexpected '{c}' in a regular expression")),
                c => Class::one(c),
            };
            let (least, most) = repetition(&mut chars)?;
            pieces.push(Piece::Repeat { class, least, most });
        }
        if text.is_empty() { Err("a regular expression is empty".into()) } else { Ok(Self { alternatives }) }
    }

    /// Whether the text holds a match.
    pub fn is_match(&self, text: &str) -> bool {
        let chars: Vec<char> = text.chars().collect();
        self.alternatives.iter().any(|pieces| holds(pieces, &chars))
    }
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn escape(chars: &mut Chars<'_>) -> Result<Class, String> {
    match chars.next() {
        Some('x') => {
            let digits: String = chars.by_ref().take(2).collect();
            let code = u8::from_str_radix(&digits, 16).map_err(|_| format!("'\\x{digits}' is no character"))?;
            Ok(Class::one(char::from(code)))
        }
        Some('t') => Ok(Class::one('\t')),
        Some('n') => Ok(Class::one('\n')),
        Some(c) => Ok(Class::escaped(c).unwrap_or_else(|| Class::one(c))),
        None => Err("a regular expression ends with '\\'".into()),
    }
}

fn class(chars: &mut Chars<'_>) -> Result<Class, String> {
    let is_negated = chars.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    loop {
        let low = match chars.next() {
            Some(']') if !ranges.is_empty() => return Ok(Class { is_negated, ranges }),
            Some('\\') => {
                let escaped = escape(chars)?;
                if let ([(low, high)], false) = (&escaped.ranges[..], escaped.is_negated)
                    && low == high
                {
                    *low
                } else {
                    ranges.extend(escaped.ranges);
                    continue;
                }
            }
            Some(c) => c,
            None => return Err("expected ']'".into()),
        };
        let mut ahead = chars.clone();
        if ahead.next() == Some('-') && ahead.next().is_some_and(|c| c != ']') {
            chars.next();
            let high = chars.next().ok_or("expected ']'")?;
            ranges.push((low, high));
        } else {
            ranges.push((low, low));
        }
    }
}

/// How often the character before may stand there.
fn repetition(chars: &mut Chars<'_>) -> Result<(usize, usize), String> {
    let bounds = match chars.peek() {
        Some('*') => (0, REPEAT_MAX),
        Some('+') => (1, REPEAT_MAX),
        Some('?') => (0, 1),
        Some('{') => {
            chars.next();
            let mut inner = String::new();
            while let Some(c) = chars.next_if(|c| *c != '}') {
                inner.push(c);
            }
            chars.next().ok_or("expected '}'")?;
            let bound = |text: &str, open: usize| match text.trim() {
                "" => Ok(open),
                text => text.parse().map_err(|_| format!("'{{{inner}}}' is no repetition")),
            };
            let (least, most) = inner.split_once(',').unwrap_or((&inner, &inner));
            let (least, most) = (bound(least, 0)?, bound(most, REPEAT_MAX)?);
            return if least <= most && most <= REPEAT_MAX {
                Ok((least, most))
            } else {
                Err("repeats too often".into())
            };
        }
        _ => return Ok((1, 1)),
    };
    chars.next();
    Ok(bounds)
}

/// Follows every way through the pieces at once: which positions of the text can have been reached after each piece.
fn holds(pieces: &[Piece], chars: &[char]) -> bool {
    // A match may begin anywhere.
    let mut reached = vec![true; chars.len() + 1];
    for piece in pieces {
        let mut next = vec![false; chars.len() + 1];
        match piece {
            Piece::Start => next[0] = reached[0],
            Piece::End => next[chars.len()] = reached[chars.len()],
            Piece::Repeat { class, least, most } => {
                let (mut run, mut starts) = (0, std::collections::VecDeque::new());
                for (at, mark) in next.iter_mut().enumerate() {
                    // Where the character before does not fit, no repetition reaches across it.
                    if at > 0 && class.holds(chars[at - 1]) {
                        run += 1
                    } else {
                        run = 0
                    }
                    if run == 0 {
                        starts.clear();
                    }
                    if reached[at] {
                        starts.push_back(at);
                    }
                    while starts.front().is_some_and(|start| at - start > *most) {
                        starts.pop_front();
                    }
                    *mark = starts.front().is_some_and(|start| at - start >= *least);
                }
            }
        }
        reached = next;
    }
    reached.contains(&true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_of_awss_page() {
        for (pattern, matches, others) in [
            ("^[hc]at", &["hat", "cat!"][..], &["a hat"][..]),
            ("[hc]at$", &["the hat"], &["hats"]),
            ("colou?r", &["color", "colour"], &["colouur"]),
            ("a{3,5}", &["aaa", "aaaaaa"], &["aa"]),
            ("gra|ey", &["gra", "grey"], &["gry"]),
            ("abcc|ab[^c]$", &["abcc x", "aba"], &["aac"]),
            ("\\[.\\]", &["[a]", "[]]", "[ ]"], &["[]", "a"]),
            ("10\\.10\\.0\\.1", &["10.10.0.1"], &["10010,051"]),
            ("ab*c", &["ac", "abbbc"], &["adc"]),
            ("ab+c", &["abc"], &["ac"]),
            (".at", &["#at", " at"], &["at"]),
            ("\\d\\D\\s\\w", &["1x y"], &["1xzy"]),
            ("\\x3A", &["a:b"], &["ab"]),
        ] {
            let regex = Regex::parse(pattern).unwrap();
            for text in matches {
                assert!(regex.is_match(text), "{pattern} in {text}");
            }
            for text in others {
                assert!(!regex.is_match(text), "{pattern} not in {text}");
            }
        }
        for broken in ["", "a(b)", "*a", "[a", "a{2,1}", "a{x}", "\\"] {
            assert!(Regex::parse(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn no_expression_takes_long() {
        let regex = Regex::parse(&format!("{}b", "a*".repeat(200))).unwrap();
        assert!(!regex.is_match(&"a".repeat(20_000)));
    }
}
