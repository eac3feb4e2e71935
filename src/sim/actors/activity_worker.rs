//! A fleet of activity workers: polls a task list of SWF, works on each task, beats its heart, and answers.

use super::admit_swf;
use super::hosts::{HostPlan, Hosts};
use crate::domain::time::Timestamp;
use crate::sim::lambda::Spread;
use crate::sim::swf::{ActivityAnswer, TaskToken, Text};
use crate::sim::world::World;
use rand::RngExt;
use std::collections::BTreeMap;
use std::time::Duration;

/// Between two polls that found nothing: a long poll answers soon after a task arrives.
const POLL: Duration = Duration::from_millis(500);

pub struct ActivityWorker {
    pub name: String,
    pub domain: String,
    /// The list that it should poll.
    pub task_list: String,
    /// The list that it polls by mistake.
    pub wrong_list: Option<String>,
    pub service: Spread,
    /// Multiplies the service time.
    pub slow_down: f64,
    /// The share of tasks that fail, 0 to 1.
    pub failure_share: f64,
    /// Between two heartbeats; `None` for a worker that does not tell.
    pub heartbeat: Option<Duration>,
    pub is_stopped: bool,
    hosts: Hosts,
    at_work: BTreeMap<TaskToken, Job>,
}

#[derive(Clone, Copy)]
struct Job {
    host: usize,
    ends: Timestamp,
    beats_at: Option<Timestamp>,
    fails: bool,
}

impl Job {
    fn next(&self) -> Timestamp {
        self.beats_at.map_or(self.ends, |beat| beat.min(self.ends))
    }
}

impl ActivityWorker {
    pub fn new(name: &str, domain: &str, task_list: &str, service: Spread, hosts: HostPlan) -> Self {
        Self {
            name: name.to_owned(),
            domain: domain.to_owned(),
            task_list: task_list.to_owned(),
            wrong_list: None,
            service,
            slow_down: 1.0,
            failure_share: 0.0,
            heartbeat: None,
            is_stopped: false,
            hosts: Hosts::new(hosts),
            at_work: BTreeMap::new(),
        }
    }

    /// One of its machines (from 0) is lost, with what it works on; another takes its place.
    pub fn lose_host(&mut self, number: u32, now: Timestamp) {
        self.hosts.lose(number, now);
    }

    pub fn act(&mut self, world: &mut World) -> Timestamp {
        let now = world.now;
        if self.is_stopped {
            self.at_work.clear();
            self.hosts.drop_work();
            return now + POLL;
        }
        let died = self.hosts.step(world);
        self.at_work.retain(|_, job| !died.contains(&job.host));
        let due: Vec<(TaskToken, Job)> =
            self.at_work.iter().filter(|(_, job)| job.next() <= now).map(|(task, job)| (*task, *job)).collect();
        for (task, job) in due {
            self.go_on(world, task, job);
        }
        self.poll(world);
        let next = self.at_work.values().map(Job::next).min();
        next.into_iter().chain([now + POLL]).min().unwrap_or(now + POLL)
    }

    /// A task ends, or its worker tells that it is still at it and hears whether it should go on.
    fn go_on(&mut self, world: &mut World, task: TaskToken, job: Job) {
        let now = world.now;
        let answer = if job.ends > now {
            let beat = admit_swf(world, &self.name, "RecordActivityTaskHeartbeat", &self.domain);
            let (swf, mut cx) = world.swf_cx();
            match beat.map(|()| swf.record_activity_task_heartbeat(&mut cx, task, None)) {
                Ok(Ok(true)) => Some(ActivityAnswer::Canceled { details: None }),
                Ok(Err(_)) => {
                    // The service has given the task up.
                    self.drop_job(task);
                    return;
                }
                Ok(Ok(false)) | Err(_) => {
                    if let Some(job) = self.at_work.get_mut(&task) {
                        job.beats_at = self.heartbeat.map(|every| now + every);
                    }
                    None
                }
            }
        } else if job.fails {
            Some(ActivityAnswer::Failed { reason: Some("ActivityFailed".into()), details: None })
        } else {
            Some(ActivityAnswer::Completed { result: None })
        };
        if let Some(answer) = answer {
            if admit_swf(world, &self.name, "RespondActivityTaskCompleted", &self.domain).is_ok() {
                let (swf, mut cx) = world.swf_cx();
                let _ = swf.respond_activity_task(&mut cx, task, answer);
            }
            self.drop_job(task);
        }
    }

    fn drop_job(&mut self, task: TaskToken) {
        if let Some(job) = self.at_work.remove(&task) {
            self.hosts.end(job.host);
        }
    }

    fn poll(&mut self, world: &mut World) {
        let list = self.wrong_list.as_ref().unwrap_or(&self.task_list);
        while let Some(host) = self.hosts.free(world.now) {
            let waiting = world.swf.count_pending_activity_tasks(&self.domain, list);
            if waiting.is_ok_and(|waiting| waiting == 0) {
                return;
            }
            let identity = Some(Text::from(Hosts::identity(&self.name, host)));
            if admit_swf(world, &self.name, "PollForActivityTask", &self.domain).is_err() {
                return;
            }
            let (swf, mut cx) = world.swf_cx();
            let Ok(Some(task)) = swf.poll_for_activity_task(&mut cx, &self.domain, list, identity) else {
                return;
            };
            let service_ms = self.service.draw_sum_ms(&mut cx, 1) * self.slow_down;
            let fails = cx.rng.random_bool(self.failure_share.clamp(0.0, 1.0));
            let ends = cx.now + Duration::from_millis(service_ms as u64);
            let beats_at = self.heartbeat.map(|every| cx.now + every);
            self.hosts.begin(host);
            self.at_work.insert(task.token, Job { host, ends, beats_at, fails });
        }
    }
}
