"""What Prometheus' own Python parser reads in a scrape.

usage: check_metrics.py HOST PORT

Prints, sorted, a line for each sample's name with its type and labels, then "done". Fails where the answer, its content type, a name, a type, a
help or a number is not as Prometheus wants it.
"""

import sys
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

url = "http://%s:%s/metrics" % (sys.argv[1], sys.argv[2])
with urllib.request.urlopen(url, timeout=10) as answer:
    assert answer.status == 200, answer.status
    kind = answer.headers["Content-Type"]
    assert kind == "text/plain; version=0.0.4; charset=utf-8", kind
    text = answer.read().decode("utf-8")

lines = set()
for family in text_string_to_metric_families(text):
    assert family.type in ("gauge", "counter", "histogram"), family
    assert family.documentation, family
    assert family.samples, family
    for sample in family.samples:
        float(sample.value)
        assert sample.name.startswith("rumormill_"), sample
        labels = ",".join(sorted(sample.labels))
        lines.add("%s %s {%s}" % (sample.name, family.type, labels))

print("\n".join(sorted(lines)))
print("done")
