//! Workflow executions as a domain lists them, one of them described, and what is asked about them while somebody looks.

use crate::domain::history::Event;
use crate::domain::row::ResourceId;
use crate::domain::time::Timestamp;

/// Which execution is meant. A workflow's id comes again with each new run.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExecutionRef {
    pub workflow_id: String,
    pub run_id: String,
}

/// How an execution came to its end (SWF's CloseStatus).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    Completed,
    Failed,
    Canceled,
    Terminated,
    ContinuedAsNew,
    TimedOut,
    /// A word that SWF did not have when this was written.
    Other(String),
}

impl Ended {
    pub fn parse(word: &str) -> Self {
        match word {
            "COMPLETED" => Self::Completed,
            "FAILED" => Self::Failed,
            "CANCELED" => Self::Canceled,
            "TERMINATED" => Self::Terminated,
            "CONTINUED_AS_NEW" => Self::ContinuedAsNew,
            "TIMED_OUT" => Self::TimedOut,
            other => Self::Other(other.to_owned()),
        }
    }

    /// As people say it.
    pub fn word(&self) -> &str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Terminated => "terminated",
            Self::ContinuedAsNew => "continued",
            Self::TimedOut => "timed out",
            Self::Other(word) => word,
        }
    }

    /// Whether work was lost.
    pub const fn is_trouble(&self) -> bool {
        matches!(self, Self::Failed | Self::Terminated | Self::TimedOut)
    }
}

/// An execution as lists show it (WorkflowExecutionInfo).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    pub of: ExecutionRef,
    /// Name and version of its type: `process-order/1.0`.
    pub workflow_type: String,
    pub started: Timestamp,
    /// When and how it ended; `None` while it runs.
    pub closed: Option<(Timestamp, Ended)>,
    pub cancel_requested: bool,
    /// The workflow id of the execution that started it.
    pub parent: Option<String>,
}

/// Some of a domain's executions, with what kept others away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    pub executions: Vec<Execution>,
    /// False when there are more of them than are listed.
    pub is_whole: bool,
    /// Why they could not be listed.
    pub trouble: Option<String>,
}

/// What a domain's list holds: the open ones oldest first, the closed ones newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Executions {
    pub open: Listed,
    pub closed: Listed,
}

impl Executions {
    pub fn len(&self) -> usize {
        self.open.executions.len() + self.closed.executions.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them in the order of the screen.
    pub fn iter(&self) -> impl Iterator<Item = &Execution> {
        self.open.executions.iter().chain(&self.closed.executions)
    }

    /// What was listed anew; where that failed, what was known before stays.
    pub fn take(&mut self, news: Self) {
        for (known, told) in [(&mut self.open, news.open), (&mut self.closed, news.closed)] {
            match told.trouble {
                Some(trouble) => known.trouble = Some(trouble),
                None => *known = told,
            }
        }
    }
}

/// How many of an execution's things are open (WorkflowExecutionOpenCounts).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenCounts {
    pub decisions: u64,
    pub activities: u64,
    pub timers: u64,
    pub children: u64,
    pub functions: u64,
}

/// An execution as DescribeWorkflowExecution tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    pub execution: Execution,
    /// It is ended by SWF when it runs longer; `None`: never.
    pub execution_timeout_s: Option<u64>,
    /// A decision may take so long; `None`: any time.
    pub decision_timeout_s: Option<u64>,
    /// Where its decisions wait.
    pub task_list: Option<String>,
    pub open: OpenCounts,
}

/// What waits on a task list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tasks {
    Decisions,
    Activities,
}

/// How many tasks wait on a list, of all executions together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub tasks: Tasks,
    pub list: String,
    pub count: u64,
}

/// What to read of a domain while somebody looks at it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkflowQuestion {
    pub domain: ResourceId,
    pub about: WorkflowSubject,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WorkflowSubject {
    /// Those that are open, and those that closed lately.
    Executions,
    /// One execution's history.
    History {
        execution: ExecutionRef,
        /// The number of the newest event that is known; 0 at first.
        known_to: u64,
        /// The list on which one of its activities is known to wait.
        activity_list: Option<String>,
    },
}

impl WorkflowQuestion {
    /// Whether both ask about the same, whatever has been read of it so far.
    pub fn is_like(&self, other: &Self) -> bool {
        let execution = |question: &Self| match &question.about {
            WorkflowSubject::Executions => None,
            WorkflowSubject::History { execution, .. } => Some(execution.clone()),
        };
        self.domain == other.domain && execution(self) == execution(other)
    }
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkflowAnswer {
    Executions(Executions),
    /// Or why there is none.
    History(Result<HistoryAnswer, String>),
}

impl WorkflowAnswer {
    /// Whether all of it was told.
    pub const fn is_good(&self) -> bool {
        match self {
            Self::Executions(told) => told.open.trouble.is_none() && told.closed.trouble.is_none(),
            Self::History(told) => matches!(told, Ok(HistoryAnswer { described: Ok(_), .. })),
        }
    }
}

/// What was read of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryAnswer {
    /// Or why it could not be described. Read before the events: these may be newer.
    pub described: Result<Described, String>,
    /// The newest events, in any order and without gaps.
    pub events: Vec<Event>,
    pub waiting: Vec<Waiting>,
}
