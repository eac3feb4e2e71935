//! The command line as a person meets it: what works, and for every mistake one sentence with its cure and the exit code.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A run of midwatch in an environment that knows no AWS.
pub struct Run {
    command: Command,
    folder: PathBuf,
}

/// How it ended.
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

pub fn midwatch(arguments: &str) -> Run {
    let name = std::thread::current().name().unwrap_or("test").replace("::", "-");
    let folder = std::env::temp_dir().join(format!("midwatch-it-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_midwatch"));
    command.args(arguments.split_whitespace()).env_clear().stdin(Stdio::null());
    command.env("HOME", &folder).env("XDG_STATE_HOME", folder.join("state")).env("AWS_EC2_METADATA_DISABLED", "true");
    Run { command, folder }
}

impl Run {
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn arg(mut self, argument: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// With an access key that nobody knows, in a region.
    pub fn with_keys(self) -> Self {
        let keyed = self.env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE").env("AWS_SECRET_ACCESS_KEY", "wrong");
        keyed.env("AWS_REGION", "eu-west-1")
    }

    pub fn end(mut self) -> Ended {
        let ended = self.command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ended { code: ended.status.code().unwrap_or(-1), out: text(&ended.stdout), err: text(&ended.stderr) }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

impl Ended {
    /// One failure: nothing on the standard output, the words on the other, this exit code, no panic.
    #[track_caller]
    pub fn fails(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        assert_eq!(self.out, "");
        assert!(self.err.starts_with("midwatch: "), "{}", self.err);
        for word in words {
            assert!(self.err.contains(word), "{word} is not in: {}", self.err);
        }
        assert!(!self.err.contains("panicked"), "{}", self.err);
    }
}

#[test]
fn help_and_version_go_to_the_standard_output() {
    let help = midwatch("--help").end();
    assert_eq!((help.code, help.err.as_str()), (0, ""));
    for word in ["status", "--endpoint-url", "Exit codes:", "3 could not look"] {
        assert!(help.out.contains(word), "{word} is not in: {}", help.out);
    }
    assert_eq!(midwatch("--version").end().out, format!("midwatch {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_wrong_flag_is_named_with_the_right_one() {
    midwatch("--profil prod").end().fails(1, &["--profil", "--profile"]);
    midwatch("status --format xml").end().fails(3, &["xml", "json"]);
    midwatch("statuss").end().fails(1, &["statuss", "status"]);
}

#[test]
fn an_unknown_scenario_lists_the_known_ones() {
    midwatch("sim --listen 127.0.0.1:0 --scenario flashsale").end().fails(1, &["Did you mean flash-sale?", "Known:"]);
}

#[test]
fn a_broken_scenario_names_the_line() {
    let run = midwatch("scenarios check");
    let path = run.file("broken.toml", "name = \"x\"\ntitle = \"X\"\nstart = [\n");
    run.arg(path).end().fails(1, &["broken.toml is no scenario", "line 3"]);
    let run = midwatch("scenarios check");
    let path = run.file("unknown.toml", "name = \"x\"\ntitle = \"X\"\nstart = \"2026-11-27T18:00:00Z\"\nspede = 3\n");
    run.arg(path).end().fails(1, &["line 4", "spede", "no such member"]);
    midwatch("scenarios check nowhere.toml").end().fails(1, &["nowhere.toml cannot be read"]);
}

#[test]
fn scenarios_are_listed_with_their_story() {
    let listed = midwatch("scenarios").end();
    assert_eq!(listed.code, 0, "{}", listed.err);
    assert!(listed.out.contains("flash-sale: ") && listed.out.contains("midwatch --demo flash-sale"), "{}", listed.out);
}

#[test]
fn what_the_engine_is_held_to_is_on_or_off() {
    midwatch("sim --delays none").end().fails(1, &["--delays", "on, off"]);
}

#[test]
fn a_port_in_use_is_said_with_the_cure() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    midwatch("sim --listen").arg(&address).end().fails(1, &[&address, "another process", "127.0.0.1:0"]);
}

#[test]
fn a_log_is_written_where_it_was_asked_for_or_its_place_is_named() {
    let run = midwatch("status --demo --log");
    let path = run.file("debug.log", "kept\n");
    let ended = run.arg(&path).end();
    assert_eq!(ended.code, 0, "{}", ended.err);
    let ended = midwatch("status --demo --log /nowhere/debug.log").end();
    ended.fails(3, &["/nowhere/debug.log cannot be written", "--log"]);
}

#[test]
fn an_empty_journal_says_so_and_a_missing_file_is_an_error() {
    let listed = midwatch("journal").end();
    let said = "Nothing has been done yet. What was done in the demo: midwatch journal --demo\n";
    assert_eq!((listed.code, listed.out.as_str()), (0, said));
    midwatch("journal verify --journal /nowhere/j.jsonl").end().fails(1, &["/nowhere/j.jsonl cannot be read"]);
}

#[test]
fn a_broken_journal_is_no_success() {
    let run = midwatch("journal verify --journal");
    let path = run.file("journal.jsonl", "{\"seq\":1}\n{\"seq\":2}\n");
    let ended = run.arg(path).end();
    assert_eq!(ended.code, 1);
    assert!(ended.out.contains("line 1 breaks the chain"), "{}", ended.out);
}

/// A server that gives every request the same answer.
fn always(status: &'static str, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut request = [0; 65_536];
            // One read takes the whole of these small requests; a client that has gone needs no answer.
            let length = body.len();
            let head =
                format!("HTTP/1.1 {status}\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {length}");
            let _ = stream.read(&mut request);
            let _ = stream.write_all(format!("{head}\r\nconnection: close\r\n\r\n{body}").as_bytes());
        }
    });
    url
}

#[test]
fn without_a_region_nothing_is_looked_at_and_the_cure_is_said() {
    midwatch("status").end().fails(3, &["region", "--region", "AWS_REGION"]);
    midwatch("do invoke lambda/settle-bid --dry-run").end().fails(1, &["--region"]);
}

#[test]
fn an_unknown_profile_is_named() {
    midwatch("status --profile nobody --region eu-west-1").end().fails(3, &["nobody"]);
}

#[test]
fn a_broken_or_unknown_scenario_is_no_look_at_all() {
    midwatch("status --demo flashsale").end().fails(3, &["Did you mean flash-sale?"]);
    let run = midwatch("status --demo");
    let path = run.file("broken.toml", "name = \"x\"\nstart = [\n");
    run.arg(path).end().fails(3, &["broken.toml is no scenario", "line"]);
    midwatch("status --demo nowhere.toml").end().fails(3, &["nowhere.toml cannot be read"]);
}

impl Ended {
    /// A look that saw nothing: the snapshot is there, says what could not be seen and why, and the code is 3.
    #[track_caller]
    pub fn is_blind(&self, words: &[&str]) {
        assert_eq!(self.code, 3, "{}{}", self.out, self.err);
        for word in words {
            assert!(self.out.contains(word), "{word} is not in: {}", self.out);
        }
        assert!(!self.err.contains("panicked") && !self.out.contains("Error {"), "{}{}", self.out, self.err);
    }
}

#[test]
fn without_credentials_the_look_is_blind_and_the_cure_is_said() {
    let run = midwatch("status --region eu-west-1 --endpoint-url http://127.0.0.1:9");
    run.end().is_blind(&["No AWS credentials could be had", "aws sso login"]);
}

#[test]
fn wrong_credentials_are_said_to_be_wrong() {
    let body = r#"{"__type":"UnrecognizedClientException","message":"The security token included in the request is invalid."}"#;
    let url = always("400 Bad Request", body);
    let run = midwatch("status --endpoint-url").arg(&url).with_keys();
    run.end().is_blind(&["does not take these credentials", "Check AWS_ACCESS_KEY_ID"]);
}

#[test]
fn an_endpoint_where_nobody_listens_is_named() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let run = midwatch("status --endpoint-url").arg(format!("http://{free}")).with_keys();
    run.end().is_blind(&[&format!("http://{free} cannot be reached")]);
}

#[test]
fn an_answer_that_is_not_of_aws_is_no_crash() {
    for (status, body) in [("200 OK", "<html>a hotel's login page</html>"), ("502 Bad Gateway", "")] {
        let url = always(status, body);
        midwatch("status --endpoint-url").arg(&url).with_keys().end().is_blind(&["Not seen"]);
    }
}
