//! Examples of the schedule.
