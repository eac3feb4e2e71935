//! The road between SWF and Lambda: functions that a workflow calls, and their answers on the way back.
//! Only this file carries things from one service to another on SWF's behalf.

use crate::sim::swf::{LambdaAnswer, LambdaCall, TaskToken};
use crate::sim::world::World;
use bytes::Bytes;
use std::collections::BTreeMap;

/// SWF's Lambda tasks that run, by the numbers of their invocations.
pub type LambdaTasks = BTreeMap<u64, TaskToken>;

/// Calls the functions that deciders have asked for. To be called after each answer of a decider.
pub fn call_functions(world: &mut World) {
    for LambdaCall { task, function, input } in world.swf.take_lambda_calls() {
        let name = function.rsplit_once(":function:").map_or(&*function, |(_, name)| name);
        let payload = Bytes::copy_from_slice(input.as_bytes());
        let (lambda, mut cx) = world.lambda_cx();
        match lambda.invoke(&mut cx, name, payload, false) {
            Ok(invocation) => {
                world.lambda_tasks.insert(invocation, task);
            }
            Err(error) => {
                let answer = LambdaAnswer::Failed { reason: error.code.into(), details: error.message.into() };
                let (swf, mut cx) = world.swf_cx();
                swf.lambda_answered(&mut cx, task, answer);
            }
        }
    }
}

/// An invocation has ended; if it was a workflow's, its answer goes there.
pub fn invocation_ended(world: &mut World, invocation: u64) {
    let Some(task) = world.lambda_tasks.remove(&invocation) else { return };
    let Some(answered) = world.lambda.take_answer(invocation) else { return };
    let payload = String::from_utf8_lossy(&answered.payload).into_owned().into();
    let answer = if answered.outcome.is_success() {
        LambdaAnswer::Completed { result: payload }
    } else {
        LambdaAnswer::Failed { reason: "Unhandled".into(), details: payload }
    };
    let (swf, mut cx) = world.swf_cx();
    swf.lambda_answered(&mut cx, task, answer);
}
