//! Reads conditions: comparisons, BETWEEN, IN, functions, AND, OR, NOT.

use super::lexer::Kind;
use super::parser::Parser;
use super::{Bindings, Comparator, Condition, Operand, Parameter};
use crate::sim::dynamodb::path::Path;
use crate::sim::dynamodb::value::Value;
use crate::sim::error::ApiError;

/// A ConditionExpression, FilterExpression or KeyConditionExpression. Errors: `ValidationException`.
pub fn condition(parameter: Parameter, text: &str, bindings: &mut Bindings) -> Result<Condition, ApiError> {
    let mut parser = Parser::new(parameter, text, bindings)?;
    let (condition, _) = any_of(&mut parser)?;
    parser.expect_end()?;
    Ok(condition)
}

/// A condition, and whether it was one pair of parentheses and nothing else.
type Read = Result<(Condition, bool), ApiError>;

fn any_of(parser: &mut Parser<'_>) -> Read {
    let (mut left, mut is_bracketed) = all_of(parser)?;
    while parser.takes_word("OR") {
        left = Condition::Or(Box::new(left), Box::new(all_of(parser)?.0));
        is_bracketed = false;
    }
    Ok((left, is_bracketed))
}

fn all_of(parser: &mut Parser<'_>) -> Read {
    let (mut left, mut is_bracketed) = negated(parser)?;
    while parser.takes_word("AND") {
        left = Condition::And(Box::new(left), Box::new(negated(parser)?.0));
        is_bracketed = false;
    }
    Ok((left, is_bracketed))
}

fn negated(parser: &mut Parser<'_>) -> Read {
    if parser.takes_word("NOT") {
        return Ok((Condition::Not(Box::new(negated(parser)?.0)), false));
    }
    if parser.takes("(") {
        let (inner, is_bracketed) = any_of(parser)?;
        parser.expect(")")?;
        if is_bracketed {
            return Err(parser.error("The expression has redundant parentheses;"));
        }
        return Ok((inner, true));
    }
    Ok((simple(parser)?, false))
}

fn simple(parser: &mut Parser<'_>) -> Result<Condition, ApiError> {
    if let (Kind::Word(function), Kind::Sign("(")) = (parser.peek().clone(), parser.peek_second().clone())
        && function != "size"
    {
        parser.advance();
        parser.advance();
        return call(parser, &function);
    }
    let is_size = matches!(parser.peek(), Kind::Word(word) if word == "size");
    let left = operand(parser)?;
    if parser.takes_word("BETWEEN") {
        let low = operand(parser)?;
        if !parser.takes_word("AND") {
            return Err(parser.unexpected());
        }
        let high = operand(parser)?;
        check_bounds(parser, &low, &high)?;
        return Ok(Condition::Between(left, low, high));
    }
    if parser.takes_word("IN") {
        parser.expect("(")?;
        let all = list(parser)?;
        return Ok(Condition::In(left, all));
    }
    let comparator = match parser.peek() {
        Kind::Sign("=") => Comparator::Eq,
        Kind::Sign("<>") => Comparator::Ne,
        Kind::Sign("<") => Comparator::Lt,
        Kind::Sign("<=") => Comparator::Le,
        Kind::Sign(">") => Comparator::Gt,
        Kind::Sign(">=") => Comparator::Ge,
        _ if is_size && matches!(left, Operand::Size(_)) => {
            let words = "The function is not allowed to be used this way in an expression; function: size";
            return Err(parser.error(words));
        }
        _ => return Err(parser.unexpected()),
    };
    parser.advance();
    let right = operand(parser)?;
    check_comparison(parser, comparator, &left, &right)?;
    Ok(Condition::Compare(comparator, left, right))
}

/// The operands up to the closing parenthesis.
fn list(parser: &mut Parser<'_>) -> Result<Vec<Operand>, ApiError> {
    let mut all = vec![operand(parser)?];
    while parser.takes(",") {
        all.push(operand(parser)?);
    }
    parser.expect(")")?;
    Ok(all)
}

fn operand(parser: &mut Parser<'_>) -> Result<Operand, ApiError> {
    if parser.takes("(") {
        let inner = operand(parser)?;
        parser.expect(")")?;
        return Ok(inner);
    }
    if matches!(parser.peek(), Kind::Value(_)) {
        return Ok(Operand::Value(parser.value()?));
    }
    if let (Kind::Word(function), Kind::Sign("(")) = (parser.peek().clone(), parser.peek_second().clone()) {
        parser.advance();
        parser.advance();
        if function != "size" {
            let is_known = FUNCTIONS.contains(&function.as_str());
            return Err(parser.error(if is_known {
                format!("The function is not allowed to be used this way in an expression; function: {function}")
            } else {
                format!("Invalid function name; function: {function}")
            }));
        }
        let arguments = list(parser)?;
        let [argument] = arguments.as_slice() else { return Err(wrong_count(parser, "size", arguments.len())) };
        return path_of(parser, "size", argument).map(Operand::Size);
    }
    Ok(Operand::Path(parser.path()?))
}

const FUNCTIONS: [&str; 7] = [
    "attribute_exists",
    "attribute_not_exists",
    "attribute_type",
    "begins_with",
    "contains",
    "if_not_exists",
    "list_append",
];

fn call(parser: &mut Parser<'_>, function: &str) -> Result<Condition, ApiError> {
    let arity = match function {
        "attribute_exists" | "attribute_not_exists" => 1,
        "attribute_type" | "begins_with" | "contains" => 2,
        "if_not_exists" | "list_append" => {
            let words = "The function is not allowed to be used this way in an expression; function";
            return Err(parser.error(format!("{words}: {function}")));
        }
        _ => return Err(parser.error(format!("Invalid function name; function: {function}"))),
    };
    let mut arguments = list(parser)?;
    if arguments.len() != arity {
        return Err(wrong_count(parser, function, arguments.len()));
    }
    let second = if arity == 2 { arguments.pop() } else { None };
    let Some(first) = arguments.pop() else { return Err(parser.unexpected()) };
    match (function, second) {
        ("attribute_exists", _) => path_of(parser, function, &first).map(Condition::Exists),
        ("attribute_not_exists", _) => path_of(parser, function, &first).map(Condition::NotExists),
        ("attribute_type", Some(kind)) => is_type(parser, &first, kind),
        ("begins_with", Some(prefix)) => {
            check_begins_with(parser, &first, &prefix)?;
            Ok(Condition::BeginsWith(first, prefix))
        }
        (_, Some(part)) => {
            check_distinct(parser, "contains", &first, &part)?;
            Ok(Condition::Contains(first, part))
        }
        (_, None) => Err(parser.unexpected()),
    }
}

fn is_type(parser: &Parser<'_>, first: &Operand, kind: Operand) -> Result<Condition, ApiError> {
    let path = path_of(parser, "attribute_type", first)?;
    match kind {
        Operand::Value(Value::S(kind)) if ["B", "NULL", "SS", "BOOL", "L", "BS", "N", "NS", "S", "M"].contains(&kind.as_str()) => {
            Ok(Condition::IsType(path, kind))
        }
        Operand::Value(Value::S(kind)) => Err(parser.error(format!(
            "Invalid attribute type name found; type: {kind}, valid types: {{B,NULL,SS,BOOL,L,BS,N,NS,S,M}}"
        ))),
        Operand::Value(other) => Err(wrong_kind(parser, "attribute_type", &other)),
        _ => Err(parser.error(
            "Incorrect operand type for operator or function; operator or function: attribute_type, operand type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}",
        )),
    }
}

fn path_of(parser: &Parser<'_>, function: &str, operand: &Operand) -> Result<Path, ApiError> {
    match (operand, function) {
        (Operand::Path(path), _) => Ok(path.clone()),
        // The size of a value is known, but AWS wants a path all the same unless it has a size.
        (Operand::Value(value), "size") => Err(wrong_kind(parser, "size", value)),
        _ => {
            let words = "Operator or function requires a document path; operator or function";
            Err(parser.error(format!("{words}: {function}")))
        }
    }
}

fn wrong_count(parser: &Parser<'_>, function: &str, count: usize) -> ApiError {
    parser.error(format!(
        "Incorrect number of operands for operator or function; operator or function: {function}, number of operands: \
         {count}"
    ))
}

fn wrong_kind(parser: &Parser<'_>, function: &str, value: &Value) -> ApiError {
    parser.error(format!(
        "Incorrect operand type for operator or function; operator or function: {function}, operand type: {}",
        value.kind()
    ))
}

fn check_comparison(
    parser: &Parser<'_>,
    comparator: Comparator,
    left: &Operand,
    right: &Operand,
) -> Result<(), ApiError> {
    check_distinct(parser, comparator.sign(), left, right)?;
    if matches!(comparator, Comparator::Eq | Comparator::Ne) {
        return Ok(());
    }
    for operand in [left, right] {
        if let Operand::Value(value) = operand
            && !matches!(value, Value::S(_) | Value::N(_) | Value::B(_))
        {
            return Err(wrong_kind(parser, comparator.sign(), value));
        }
    }
    Ok(())
}

fn check_distinct(parser: &Parser<'_>, sign: &str, left: &Operand, right: &Operand) -> Result<(), ApiError> {
    match (left, right) {
        (Operand::Path(one), Operand::Path(two)) if one == two => Err(parser.error(format!(
            "The first operand must be distinct from the remaining operands for this operator or function; operator: \
             {sign}, first operand: {one}"
        ))),
        _ => Ok(()),
    }
}

fn check_begins_with(parser: &Parser<'_>, text: &Operand, prefix: &Operand) -> Result<(), ApiError> {
    for operand in [text, prefix] {
        if let Operand::Value(value) = operand
            && !matches!(value, Value::S(_) | Value::B(_))
        {
            return Err(wrong_kind(parser, "begins_with", value));
        }
    }
    check_distinct(parser, "begins_with", text, prefix)
}

fn check_bounds(parser: &Parser<'_>, low: &Operand, high: &Operand) -> Result<(), ApiError> {
    let (Operand::Value(low), Operand::Value(high)) = (low, high) else { return Ok(()) };
    for bound in [low, high] {
        if !matches!(bound, Value::S(_) | Value::N(_) | Value::B(_)) {
            return Err(wrong_kind(parser, "BETWEEN", bound));
        }
    }
    let rule = if low.kind() != high.kind() {
        "The BETWEEN operator requires same data type for lower and upper bounds"
    } else if super::evaluate::order(low, high) == Some(std::cmp::Ordering::Greater) {
        "The BETWEEN operator requires upper bound to be greater than or equal to lower bound"
    } else {
        return Ok(());
    };
    let (low, high) = (shown(low), shown(high));
    Err(parser.error(format!(
        "{rule}; lower bound operand: AttributeValue: {low}, upper bound operand: AttributeValue: {high}"
    )))
}

fn shown(value: &Value) -> String {
    match value {
        Value::S(text) => format!("{{S:{text}}}"),
        Value::N(number) => format!("{{N:{number}}}"),
        other => format!("{{{}}}", other.kind()),
    }
}
