"""A terminal with midwatch in it: keys go in through a pseudo-terminal, the screen is read as a person would."""

import time

import pexpect
import pyte


class Terminal:
    def __init__(self, binary, arguments, env, columns=140, rows=40):
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.process = pexpect.spawn(binary, arguments, env=env, dimensions=(rows, columns), timeout=30)
        self.process.delaybeforesend = None

    def read(self, seconds=0.05):
        """Takes in what is written within this time; `False`: the program has ended."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                self.stream.feed(self.process.read_nonblocking(65536, timeout=left))
            except pexpect.TIMEOUT:
                return True
            except pexpect.EOF:
                return False
        return True

    @property
    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display)

    def wait(self, *words, seconds=30, gone=()):
        """Reads until all words are on the screen and none of `gone`; returns the screen."""
        end = time.monotonic() + seconds
        while not (all(word in self.text for word in words) and not any(word in self.text for word in gone)):
            alive = self.read()
            assert alive, f"the program has ended; wanted {words}:\n{self.text}"
            assert time.monotonic() < end, f"not within {seconds} s: {words} without {gone}:\n{self.text}"
        return self.text

    def press(self, keys):
        self.process.send(keys)

    def leave(self):
        """Quits with ctrl-c and returns the exit code."""
        self.press("\x03")
        while self.read():
            pass
        self.process.close()
        return self.process.exitstatus

    def close(self):
        self.process.close(force=True)
