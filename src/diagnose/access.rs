//! Readers that are not let in: what Lambda says of a mapping that brings its function nothing, and where the change that
//! did it would be seen. A role's permissions are not looked up; a change of them is one of its functions' changes.

use super::Estate;
use crate::domain::change::IAM_REGION;
use crate::domain::finding::{Cause, Confidence, Evidence, Finding};
use crate::domain::row::{Part, Row};
use crate::kinds::lambda;

/// Lets mappings speak for findings about what they read.
pub fn tell(estate: &Estate<'_>, findings: &mut [Finding]) {
    let is_of_reading = |cause| matches!(cause, Cause::StalledConsumer | Cause::SlowConsumer | Cause::Backlog);
    for finding in findings.iter_mut().filter(|finding| is_of_reading(finding.cause)) {
        let Some(row) = estate.rows.get(&finding.resource) else { continue };
        for function in estate.fed_by(&row.id) {
            for mapping in function.parts.iter().filter(|mapping| reads(mapping, row)) {
                if let Some(problem) = lambda::mapping_problem(mapping) {
                    speak(estate, finding, function, problem);
                }
            }
        }
    }
}

fn reads(mapping: &Part, source: &Row) -> bool {
    let id = format!("{}/{}", source.id.kind.word(), source.id.name);
    mapping.fields.text(&lambda::MAPPING_SOURCE) == Some(id.as_str())
}

fn speak(estate: &Estate<'_>, finding: &mut Finding, function: &Row, problem: &str) {
    let evidence = |sentence| Evidence {
        resource: function.id.clone(),
        field: lambda::MAPPING_LAST_RESULT.id,
        sentence,
        at: function.as_of,
    };
    finding.evidence.push(evidence(format!("its mapping to {} says: {problem}", function.id)));
    if !lambda::is_denied(problem) {
        return;
    }
    let role = function.fields.text(&lambda::ROLE).unwrap_or("its function");
    finding.confidence = finding.confidence.max(Confidence::Likely);
    finding.sentence.push_str(&format!(" The role {role} of {} is not let in.", function.id));
    let is_seen = estate.changes.of(&function.id).any(|change| change.service == "iam");
    if let Some(region) = region(function).filter(|region| *region != IAM_REGION && !is_seen) {
        let said = format!("who changed {role} is recorded in {IAM_REGION} alone: it cannot be seen from {region}");
        finding.evidence.push(evidence(said));
    }
}

/// The function's, by its ARN.
fn region(function: &Row) -> Option<&str> {
    function.fields.text(&lambda::ARN)?.split(':').nth(3).filter(|region| !region.is_empty())
}
