"""What a run gave, as a file: `results.json`."""

import json

# Both programs, in the order of the columns.
PROGRAMS = ("serf", "rumor")
# Raised when the file's shape changes.
SCHEMA = 1


class Unreadable(Exception):
    """A file that is none of ours."""


class Results:
    """What was run (`about`), and a record for each step and program (`runner`)."""

    def __init__(self, about, records):
        self.about, self.records = about, records

    def samples(self, kind, program, **params):
        """The samples of the step of this kind with these parameters; None when there are none."""
        for record in self.records:
            same = all(record["params"].get(name) == value for name, value in params.items())
            if same and (record["kind"], record["program"]) == (kind, program) and "samples" in record:
                return record["samples"]
        return None

    def values(self, kind, name):
        """The values that a parameter has in the steps of this kind, in order."""
        return sorted({record["params"][name] for record in self.records if record["kind"] == kind and name in record["params"]})

    def params(self, kind, **params):
        """All parameters of such a step."""
        for record in self.records:
            if record["kind"] == kind and all(record["params"].get(name) == value for name, value in params.items()):
                return record["params"]
        return None

    def failures(self):
        """The steps that gave nothing, with the reason."""
        return [record for record in self.records if "failed" in record]

    def write(self, path):
        """Into a file, whole or not at all."""
        text = json.dumps({"schema": SCHEMA, "about": self.about, "records": self.records}, separators=(",", ":"))
        # A record a line, so that changes can be seen.
        text = text.replace('{"kind":', '\n{"kind":')
        whole = path.with_suffix(".new")
        whole.write_text(text + "\n")
        whole.replace(path)

    @classmethod
    def read(cls, path):
        """From a file."""
        try:
            held = json.loads(path.read_text())
            if held["schema"] != SCHEMA:
                raise Unreadable(f"{path}: schema {held['schema']}, expected {SCHEMA}: run the comparison anew")
            return cls(held["about"], held["records"])
        except OSError as error:
            raise Unreadable(f"{path}: {error.strerror}; a run without --page-only writes it") from None
        except (ValueError, KeyError, TypeError) as error:
            raise Unreadable(f"{path}: not written by this script ({error!r})") from None
