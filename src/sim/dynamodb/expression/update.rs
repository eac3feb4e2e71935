//! Reads an UpdateExpression and carries it out.

use super::lexer::Kind;
use super::operand::wrong_type;
use super::parser::{Parser, check_apart};
use super::{Bindings, Operand, Parameter};
use crate::sim::dynamodb::fault;
use crate::sim::dynamodb::path::{Path, Step};
use crate::sim::dynamodb::value::{Item, Value};
use crate::sim::error::ApiError;

/// One change of an item.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    Set(Path, Operand),
    Remove(Path),
    /// Adds to a number or to a set.
    Add(Path, Value),
    /// Takes members out of a set.
    Delete(Path, Value),
}

impl Action {
    pub fn path(&self) -> &Path {
        match self {
            Self::Set(path, _) | Self::Remove(path) | Self::Add(path, _) | Self::Delete(path, _) => path,
        }
    }
}

/// Every path that the actions touch.
pub fn updated_paths(actions: &[Action]) -> Vec<Path> {
    actions.iter().map(|action| action.path().clone()).collect()
}

/// An UpdateExpression. Errors: `ValidationException`.
pub fn update(text: &str, bindings: &mut Bindings) -> Result<Vec<Action>, ApiError> {
    let mut parser = Parser::new(Parameter::Update, text, bindings)?;
    let mut actions = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    while *parser.peek() != Kind::End {
        let Kind::Word(section) = parser.peek().clone() else { return Err(parser.unexpected()) };
        let section = section.to_ascii_uppercase();
        if !["SET", "REMOVE", "ADD", "DELETE"].contains(&section.as_str()) {
            return Err(parser.unexpected());
        }
        if seen.contains(&section) {
            let words = format!("The \"{section}\" section can only be used once in an update expression;");
            return Err(parser.error(words));
        }
        parser.advance();
        loop {
            actions.push(action(&mut parser, &section)?);
            if !parser.takes(",") {
                break;
            }
        }
        seen.push(section);
    }
    check_apart(&parser, &updated_paths(&actions))?;
    Ok(actions)
}

fn action(parser: &mut Parser<'_>, section: &str) -> Result<Action, ApiError> {
    let path = parser.path()?;
    match section {
        "SET" => {
            parser.expect("=")?;
            Ok(Action::Set(path, sum(parser)?))
        }
        "REMOVE" => Ok(Action::Remove(path)),
        "ADD" => {
            let value = parser.value()?;
            let fits = matches!(value, Value::N(_) | Value::Ss(_) | Value::Ns(_) | Value::Bs(_));
            if fits { Ok(Action::Add(path, value)) } else { Err(not_allowed(parser, "ADD", &value)) }
        }
        _ => {
            let value = parser.value()?;
            let fits = matches!(value, Value::Ss(_) | Value::Ns(_) | Value::Bs(_));
            if fits { Ok(Action::Delete(path, value)) } else { Err(not_allowed(parser, "DELETE", &value)) }
        }
    }
}

fn not_allowed(parser: &Parser<'_>, section: &str, value: &Value) -> ApiError {
    parser.error(format!(
        "Incorrect operand type for operator or function; operator: {section}, operand type: {}, typeSet: \
         ALLOWED_FOR_{section}_OPERAND",
        value.kind_in_words()
    ))
}

fn sum(parser: &mut Parser<'_>) -> Result<Operand, ApiError> {
    let left = operand(parser)?;
    let make: fn(Box<Operand>, Box<Operand>) -> Operand = if parser.takes("+") {
        Operand::Plus
    } else if parser.takes("-") {
        Operand::Minus
    } else {
        return Ok(left);
    };
    let right = operand(parser)?;
    for side in [&left, &right] {
        if let Operand::Value(value) = side
            && !matches!(value, Value::N(_))
        {
            let sign = if matches!(make(Box::new(left.clone()), Box::new(right.clone())), Operand::Plus(..)) {
                "+"
            } else {
                "-"
            };
            return Err(parser.error(format!(
                "Incorrect operand type for operator or function; operator or function: {sign}, operand type: {}",
                value.kind()
            )));
        }
    }
    Ok(make(Box::new(left), Box::new(right)))
}

fn operand(parser: &mut Parser<'_>) -> Result<Operand, ApiError> {
    if parser.takes("(") {
        let inner = sum(parser)?;
        parser.expect(")")?;
        return Ok(inner);
    }
    if matches!(parser.peek(), Kind::Value(_)) {
        return Ok(Operand::Value(parser.value()?));
    }
    let (Kind::Word(function), Kind::Sign("(")) = (parser.peek().clone(), parser.peek_second().clone()) else {
        return Ok(Operand::Path(parser.path()?));
    };
    parser.advance();
    parser.advance();
    if !["if_not_exists", "list_append"].contains(&function.as_str()) {
        let known = ["size", "attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains"];
        return Err(parser.error(if known.contains(&function.as_str()) {
            format!("The function is not allowed in an update expression; function: {function}")
        } else {
            format!("Invalid function name; function: {function}")
        }));
    }
    let mut arguments = vec![operand(parser)?];
    while parser.takes(",") {
        arguments.push(operand(parser)?);
    }
    parser.expect(")")?;
    let count = arguments.len();
    match (function.as_str(), <[Operand; 2]>::try_from(arguments)) {
        ("if_not_exists", Ok([Operand::Path(path), other])) => Ok(Operand::IfNotExists(path, Box::new(other))),
        ("if_not_exists", Ok(_)) => {
            Err(parser.error("Operator or function requires a document path; operator or function: if_not_exists"))
        }
        (_, Ok([first, second])) => list_append(parser, first, second),
        (_, Err(_)) => Err(parser.error(format!(
            "Incorrect number of operands for operator or function; operator or function: {function}, number of \
             operands: {count}"
        ))),
    }
}

fn list_append(parser: &Parser<'_>, first: Operand, second: Operand) -> Result<Operand, ApiError> {
    for side in [&first, &second] {
        if let Operand::Value(value) = side
            && !matches!(value, Value::L(_))
        {
            return Err(parser.error(format!(
                "Incorrect operand type for operator or function; operator or function: list_append, operand type: {}",
                value.kind()
            )));
        }
    }
    Ok(Operand::ListAppend(Box::new(first), Box::new(second)))
}

/// Carries the actions out; each sees the item as it was.
///
/// Errors: `ValidationException` when an action does not fit the item.
pub fn apply(item: &Item, actions: &[Action]) -> Result<Item, ApiError> {
    let mut new = item.clone();
    let misplaced = |_| fault::validation("The document path provided in the update expression is invalid for update");
    for action in actions {
        match action {
            Action::Set(path, operand) => path.set(&mut new, operand.resolve(item)?).map_err(misplaced)?,
            Action::Add(path, value) => {
                let sum = added(path.get(item), value)?;
                path.set(&mut new, sum).map_err(misplaced)?;
            }
            Action::Delete(path, value) => match without(path.get(item), value)? {
                Some(rest) if rest.is_empty_set() => {
                    path.remove(&mut new).map_err(misplaced)?;
                }
                Some(rest) => path.set(&mut new, rest).map_err(misplaced)?,
                None => {}
            },
            Action::Remove(_) => {}
        }
    }
    // From behind, so that the indexes before stay what they were.
    let mut removals: Vec<&Path> =
        actions.iter().filter_map(|a| if let Action::Remove(path) = a { Some(path) } else { None }).collect();
    removals.sort_by_key(|path| std::cmp::Reverse(last_index(path)));
    for path in removals {
        path.remove(&mut new).map_err(misplaced)?;
    }
    Ok(new)
}

fn last_index(path: &Path) -> usize {
    match path.steps.last() {
        Some(Step::Index(index)) => *index,
        _ => 0,
    }
}

fn added(old: Option<&Value>, value: &Value) -> Result<Value, ApiError> {
    Ok(match (old, value) {
        (None, value) => value.clone(),
        (Some(Value::N(old)), Value::N(new)) => Value::N(old.plus(*new)?),
        (Some(Value::Ss(old)), Value::Ss(new)) => Value::Ss(old.union(new).cloned().collect()),
        (Some(Value::Ns(old)), Value::Ns(new)) => Value::Ns(old.union(new).copied().collect()),
        (Some(Value::Bs(old)), Value::Bs(new)) => Value::Bs(old.union(new).cloned().collect()),
        // Only the older AttributeUpdates can add to a list.
        (Some(Value::L(old)), Value::L(new)) => Value::L([old.as_slice(), new.as_slice()].concat()),
        _ => return Err(wrong_type()),
    })
}

fn without(old: Option<&Value>, value: &Value) -> Result<Option<Value>, ApiError> {
    Ok(Some(match (old, value) {
        (None, _) => return Ok(None),
        (Some(Value::Ss(old)), Value::Ss(gone)) => Value::Ss(old.difference(gone).cloned().collect()),
        (Some(Value::Ns(old)), Value::Ns(gone)) => Value::Ns(old.difference(gone).copied().collect()),
        (Some(Value::Bs(old)), Value::Bs(gone)) => Value::Bs(old.difference(gone).cloned().collect()),
        _ => return Err(wrong_type()),
    }))
}
